//! Layer normalisation in one pass forward and one backward.

use super::LANES;
use super::op::{Op, Raw, in_order, tensor, values};
use super::simd::{Kernel, dispatch, fold, sum};
use burn::backend::TensorMetadata;

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
        let mut y = vec![0.0; values(&x).len()];
        let moments = dispatch(Forward {
            x: values(&x),
            gamma: values(&gamma),
            beta: values(&beta),
            epsilon: self.epsilon,
            y: &mut y,
        });
        let y = tensor(y, x.shape());
        (y, keep.then_some(Kept { x, gamma, moments }))
    }

    fn backward(kept: Kept, grad: Raw, _: [bool; 3]) -> [Option<Raw>; 3] {
        let Kept { x, gamma, moments } = kept;
        let grad = in_order(grad);
        let width = values(&gamma).len();
        let mut dx = vec![0.0; values(&x).len()];
        let (mut dgamma, mut dbeta) = (vec![0.0; width], vec![0.0; width]);
        dispatch(Backward {
            x: values(&x),
            gamma: values(&gamma),
            grad: values(&grad),
            moments: &moments,
            dx: &mut dx,
            dgamma: &mut dgamma,
            dbeta: &mut dbeta,
        });
        let dx = tensor(dx, x.shape());
        [Some(dx), Some(tensor(dgamma, [width])), Some(tensor(dbeta, [width]))]
    }
}

struct Forward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = Vec<[f32; 2]>;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> Vec<[f32; 2]> {
        let width = self.gamma.len();
        let share = 1.0 / width as f32;
        let mut moments = Vec::with_capacity(self.x.len() / width);
        for (x, y) in self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)) {
            let mean = sum(x) * share;
            for (y, x) in y.iter_mut().zip(x) {
                *y = x - mean;
            }
            let inverse = 1.0 / (square_sum(y) * share + self.epsilon).sqrt();
            for ((y, gamma), beta) in y.iter_mut().zip(self.gamma).zip(self.beta) {
                *y = *y * inverse * gamma + beta;
            }
            moments.push([mean, inverse]);
        }
        moments
    }
}

#[inline(always)]
fn square_sum(values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in whole {
        for l in 0..LANES {
            lanes[l] += chunk[l] * chunk[l];
        }
    }
    fold(lanes) + rest.iter().map(|x| x * x).sum::<f32>()
}

struct Backward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    grad: &'a [f32],
    moments: &'a [[f32; 2]],
    dx: &'a mut [f32],
    dgamma: &'a mut [f32],
    dbeta: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let width = self.gamma.len();
        let share = 1.0 / width as f32;
        let rows = self.x.chunks_exact(width).zip(self.grad.chunks_exact(width));
        let rows = rows.zip(self.moments).zip(self.dx.chunks_exact_mut(width));
        let (gamma, dgamma, dbeta) = (self.gamma, self.dgamma, self.dbeta);
        let mut normal = vec![0.0; width];
        for (((x, grad), &[mean, inverse]), dx) in rows {
            for i in 0..width {
                normal[i] = (x[i] - mean) * inverse;
                dx[i] = grad[i] * gamma[i];
                dgamma[i] += grad[i] * normal[i];
                dbeta[i] += grad[i];
            }
            let shift = sum(dx) * share;
            let tilt = product_sum(dx, &normal) * share;
            for (dx, normal) in dx.iter_mut().zip(&normal) {
                *dx = inverse * (*dx - shift - normal * tilt);
            }
        }
    }
}

#[inline(always)]
fn product_sum(a: &[f32], b: &[f32]) -> f32 {
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in whole_a.iter().zip(whole_b) {
        for l in 0..LANES {
            lanes[l] += a[l] * b[l];
        }
    }
    fold(lanes) + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}
