//! A dense layer with what follows it: bias, activation and the residual, in one pass over the
//! product.

use archer_kernels::linear::{self, Activation};
use burn::backend::TensorMetadata;
use burn::tensor::Shape;

use super::op::{Op, Raw, in_order, matmul, rows, tensor, values, values_mut, whole};

/// `activation(x W + b)`; inputs `x` `[…, d_in]`, `W` `[d_in, d_out]`, `b` `[d_out]`.
#[derive(Debug)]
pub struct Linear {
    pub activation: Activation,
}

/// `x W + b + residual`; inputs as before and the residual, `[…, d_out]`.
#[derive(Debug)]
pub struct LinearAdd;

/// `x · tableᵀ`; inputs `x` `[n, width]` and `table` `[vocab, width]`.
#[derive(Debug)]
pub struct Scores;

/// Input, weights, shape of the input, and before an activation what it is applied to.
#[derive(Debug, Clone)]
pub struct Kept {
    x: Raw,
    weight: Raw,
    shape: Shape,
    before: Option<(Activation, Raw)>,
}

impl Op<3> for Linear {
    type Kept = Kept;

    fn forward(self, [x, weight, bias]: [Raw; 3], keep: bool) -> (Raw, Option<Kept>) {
        let (flat, shape, out) = flatten(&x, &weight);
        let bias = in_order(bias);
        let mut z = matmul(flat.clone(), weight.clone());
        let (activation, bias) = (self.activation, values(&bias));
        let apart = keep && activation != Activation::None;
        let mut y = vec![0.0; if apart { values(&z).len() } else { 0 }];
        let into = apart.then_some(&mut y[..]);
        linear::activate(activation, values_mut(&mut z), bias, into);
        let (y, before) = match apart {
            true => (tensor(y, out), Some((activation, z))),
            false => (z.reshape(out), None),
        };
        (y, keep.then(|| Kept { x: flat, weight, shape, before }))
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 3]) -> [Option<Raw>; 3] {
        let d_out = kept.weight.shape()[1];
        let (grad, dbias) = match &kept.before {
            None => {
                let grad = in_order(grad);
                let mut dbias = vec![0.0; d_out];
                linear::sum_rows(values(&grad), &mut dbias);
                (grad, dbias)
            }
            Some((activation, z)) => {
                let mut grad = whole(grad);
                let mut dbias = vec![0.0; d_out];
                linear::slope(*activation, values(z), values_mut(&mut grad), &mut dbias);
                (grad, dbias)
            }
        };
        let [dx, dweight] = products(&kept, &grad, [wanted[0], wanted[1]]);
        [dx, dweight, Some(tensor(dbias, [d_out]))]
    }
}

impl Op<4> for LinearAdd {
    type Kept = Kept;

    fn forward(self, [x, weight, bias, residual]: [Raw; 4], keep: bool) -> (Raw, Option<Kept>) {
        let (flat, shape, out) = flatten(&x, &weight);
        let mut y = matmul(flat.clone(), weight.clone());
        let [bias, residual] = [bias, residual].map(in_order);
        let (bias, residual) = (values(&bias), values(&residual));
        linear::add_rows(values_mut(&mut y), bias, residual);
        (y.reshape(out), keep.then(|| Kept { x: flat, weight, shape, before: None }))
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 4]) -> [Option<Raw>; 4] {
        let residual = grad.clone();
        let [dx, dweight, dbias] =
            <Linear as Op<3>>::backward(kept, grad, [wanted[0], wanted[1], wanted[2]]);
        [dx, dweight, dbias, Some(residual)]
    }
}

impl Op<2> for Scores {
    type Kept = [Raw; 2];

    fn forward(self, [x, table]: [Raw; 2], keep: bool) -> (Raw, Option<[Raw; 2]>) {
        let scores = matmul(x.clone(), table.transpose(0, 1));
        (scores, keep.then_some([x, table]))
    }

    fn backward([x, table]: [Raw; 2], grad: Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
        let dx = wanted[0].then(|| matmul(grad.clone(), table));
        let dtable = wanted[1].then(|| matmul(x.transpose(0, 1), grad).transpose(0, 1));
        [dx, dtable]
    }
}

/// The input as a matrix, its shape, and the output's.
pub(super) fn flatten(x: &Raw, weight: &Raw) -> (Raw, Shape, Shape) {
    let shape = x.shape();
    let last = shape.num_dims() - 1;
    let flat = rows(x, shape.num_elements() / shape[last]);
    let mut out = shape.clone();
    out[last] = weight.shape()[1];
    (flat, shape, out)
}

/// The gradients of input and weights from that of the product.
fn products(kept: &Kept, grad: &Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
    let n = kept.x.shape()[0];
    let grad = rows(grad, n);
    let dx = wanted[0].then(|| {
        let dx = matmul(grad.clone(), kept.weight.transpose(0, 1));
        dx.reshape(kept.shape.clone())
    });
    let dweight = wanted[1].then(|| matmul(kept.x.transpose(0, 1), grad.clone()));
    [dx, dweight]
}
