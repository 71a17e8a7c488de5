//! Layer normalisation in one pass forward and one backward.

use archer_kernels::layer_norm;
use burn::backend::TensorMetadata;

use super::op::{Op, Raw, in_order, tensor, values};

/// `(x − mean) / √(variance + epsilon) · gamma + beta` over the last axis; inputs `x` `[…, width]`,
/// `gamma` and `beta` `[width]`.
#[derive(Debug)]
pub struct LayerNorm {
    pub epsilon: f32,
}

/// Input, gain, and for each row its mean and the inverse of its deviation.
#[derive(Debug, Clone)]
pub struct Kept {
    x: Raw,
    gamma: Raw,
    moments: Vec<[f32; 2]>,
}

impl Op<3> for LayerNorm {
    type Kept = Kept;

    fn forward(self, [x, gamma, beta]: [Raw; 3], keep: bool) -> (Raw, Option<Kept>) {
        let [x, gamma, beta] = [x, gamma, beta].map(in_order);
        let (y, moments) =
            layer_norm::forward(values(&x), values(&gamma), values(&beta), self.epsilon);
        let y = tensor(y, x.shape());
        (y, keep.then_some(Kept { x, gamma, moments }))
    }

    fn backward(kept: Kept, grad: Raw, _: [bool; 3]) -> [Option<Raw>; 3] {
        let Kept { x, gamma, moments } = kept;
        let grad = in_order(grad);
        let (dx, [dgamma, dbeta]) =
            layer_norm::backward(values(&x), values(&gamma), values(&grad), &moments);
        let width = dgamma.len();
        let dx = tensor(dx, x.shape());
        [Some(dx), Some(tensor(dgamma, [width])), Some(tensor(dbeta, [width]))]
    }
}
