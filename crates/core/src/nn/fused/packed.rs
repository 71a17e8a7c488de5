//! Products with frozen weights of few bits.

use archer_kernels::packed as kernels;
use burn::backend::TensorMetadata;
use burn::tensor::Shape;

use super::op::{Op, Raw, in_order, rows, tensor, values};
use crate::nn::packed::Packed;

/// `x · wᵀ` with packed weights `[d_out, d_in]`; of `x`, `[…, d_in]`, nothing is kept.
#[derive(Debug)]
pub struct PackedProduct {
    pub weight: Packed,
}

impl Op<1> for PackedProduct {
    type Kept = (Packed, Shape);

    fn forward(self, [x]: [Raw; 1], keep: bool) -> (Raw, Option<Self::Kept>) {
        let shape = x.shape();
        let last = shape.num_dims() - 1;
        let mut out = shape.clone();
        out[last] = self.weight.shape()[0];
        let flat = rows(&x, shape.num_elements() / shape[last].max(1));
        let y = product(flat, &self.weight).reshape(out);
        (y, keep.then_some((self.weight, shape)))
    }

    fn backward((weight, shape): Self::Kept, grad: Raw, _: [bool; 1]) -> [Option<Raw>; 1] {
        let grad = rows(&grad, grad.shape().num_elements() / weight.shape()[0].max(1));
        [Some(product_back(grad, &weight).reshape(shape))]
    }
}

/// `x · wᵀ` of a matrix `x`.
pub fn product(x: Raw, weight: &Packed) -> Raw {
    let x = in_order(x);
    tensor(kernels::product(values(&x), weight.view()), [x.shape()[0], weight.shape()[0]])
}

/// `dy · w` of a matrix `dy`.
pub fn product_back(dy: Raw, weight: &Packed) -> Raw {
    let dy = in_order(dy);
    tensor(kernels::product_back(values(&dy), weight.view()), [dy.shape()[0], weight.shape()[1]])
}
