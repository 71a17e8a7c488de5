//! What stands between the products of a block in Llama's layout, each in one pass.

use archer_kernels::heads::Heads;
use archer_kernels::{gated, rms_norm, rope};
use burn::backend::TensorMetadata;
use burn::tensor::Shape;

use super::linear::flatten;
use super::op::{Op, Raw, in_order, matmul, rows, tensor, values, values_mut, whole};

/// `x / √(mean x² + epsilon) · gamma` over the last axis; inputs `x` `[…, width]`, `gamma` `[width]`.
#[derive(Debug)]
pub struct RmsNorm {
    pub epsilon: f32,
}

impl Op<2> for RmsNorm {
    type Kept = (Raw, Raw, Vec<f32>);

    fn forward(self, [x, gamma]: [Raw; 2], keep: bool) -> (Raw, Option<Self::Kept>) {
        let [x, gamma] = [x, gamma].map(in_order);
        let (y, inverses) = rms_norm::forward(values(&x), values(&gamma), self.epsilon);
        (tensor(y, x.shape()), keep.then_some((x, gamma, inverses)))
    }

    fn backward(
        (x, gamma, inverses): Self::Kept,
        grad: Raw,
        wanted: [bool; 2],
    ) -> [Option<Raw>; 2] {
        let grad = in_order(grad);
        let (dx, dgamma) =
            rms_norm::backward(values(&x), values(&gamma), values(&grad), &inverses, wanted[1]);
        let dgamma = dgamma.map(|dgamma| tensor(dgamma, gamma.shape()));
        [Some(tensor(dx, x.shape())), dgamma]
    }
}

/// `silu(gate) · up`.
#[derive(Debug)]
pub struct Gated;

impl Op<2> for Gated {
    type Kept = [Raw; 2];

    fn forward(self, [gate, up]: [Raw; 2], keep: bool) -> (Raw, Option<[Raw; 2]>) {
        let [gate, up] = [gate, up].map(in_order);
        let y = tensor(gated::forward(values(&gate), values(&up)), gate.shape());
        (y, keep.then_some([gate, up]))
    }

    fn backward([gate, up]: [Raw; 2], grad: Raw, _: [bool; 2]) -> [Option<Raw>; 2] {
        let mut grad = whole(grad);
        let dup = gated::backward(values(&gate), values(&up), values_mut(&mut grad));
        let dup = tensor(dup, gate.shape());
        [Some(grad.reshape(gate.shape())), Some(dup)]
    }
}

/// Queries and keys turned, and values, side by side; inputs `[batch, time, heads · d]` each, output
/// `[batch, time, (queries + 2 · keys) · d]`.
#[derive(Debug)]
pub struct Turned {
    pub heads: Heads,
    /// Cosines and sines, `[batch, time, 1, d/2]`.
    pub angles: [Raw; 2],
}

impl Op<3> for Turned {
    type Kept = (Heads, [Raw; 2]);

    fn forward(self, parts: [Raw; 3], keep: bool) -> (Raw, Option<Self::Kept>) {
        let Turned { heads, angles } = self;
        let (parts, angles) = (parts.map(in_order), angles.map(in_order));
        let out = rope::forward(heads, parts.each_ref().map(values), angles.each_ref().map(values));
        let shape = parts[0].shape();
        let out = tensor(out, [shape[0], shape[1], heads.row()]);
        (out, keep.then_some((heads, angles)))
    }

    fn backward((heads, angles): Self::Kept, grad: Raw, _: [bool; 3]) -> [Option<Raw>; 3] {
        let grad = in_order(grad);
        let shape = grad.shape();
        let parts = rope::backward(heads, values(&grad), angles.each_ref().map(values));
        let widths = [heads.width(), heads.narrow(), heads.narrow()];
        let mut parts = parts.into_iter().zip(widths);
        std::array::from_fn(|_| {
            let (part, width) = parts.next().expect("three parts");
            Some(tensor(part, [shape[0], shape[1], width]))
        })
    }
}

/// `x W` where `W`, `[d_in, d_out]`, is no part of what is learned: of `x`, `[…, d_in]`, nothing is kept.
#[derive(Debug)]
pub struct FrozenProduct {
    pub weight: Raw,
}

impl Op<1> for FrozenProduct {
    type Kept = (Raw, Shape);

    fn forward(self, [x]: [Raw; 1], keep: bool) -> (Raw, Option<Self::Kept>) {
        let (flat, shape, out) = flatten(&x, &self.weight);
        let y = matmul(flat, self.weight.clone()).reshape(out);
        (y, keep.then_some((self.weight, shape)))
    }

    fn backward((weight, shape): Self::Kept, grad: Raw, _: [bool; 1]) -> [Option<Raw>; 1] {
        let grad = rows(&grad, grad.shape().num_elements() / weight.shape()[1]);
        [Some(matmul(grad, weight.transpose(0, 1)).reshape(shape))]
    }
}

/// `x W`; inputs `x` `[…, d_in]` and `W` `[d_in, d_out]`.
#[derive(Debug)]
pub struct Product;

impl Op<2> for Product {
    type Kept = (Raw, Raw, Shape);

    fn forward(self, [x, weight]: [Raw; 2], keep: bool) -> (Raw, Option<Self::Kept>) {
        let (flat, shape, out) = flatten(&x, &weight);
        let y = matmul(flat.clone(), weight.clone()).reshape(out);
        (y, keep.then_some((flat, weight, shape)))
    }

    fn backward((x, weight, shape): Self::Kept, grad: Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
        let grad = rows(&grad, x.shape()[0]);
        let dx = wanted[0].then(|| matmul(grad.clone(), weight.transpose(0, 1)).reshape(shape));
        let dweight = wanted[1].then(|| matmul(x.transpose(0, 1), grad));
        [dx, dweight]
    }
}
