//! Layer normalisation in one pass forward and one backward.

use crate::LANES;
use crate::simd::{Kernel, dispatch, fold, sum};

/// `(x − mean) / √(variance + epsilon) · gamma + beta` of each row, and for each row its mean and
/// the inverse of its deviation; `x` is `[n, width]`, `gamma` and `beta` are `[width]`.
pub fn forward(x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> (Vec<f32>, Vec<[f32; 2]>) {
    let mut y = vec![0.0; x.len()];
    let moments = dispatch(Forward { x, gamma, beta, epsilon, y: &mut y });
    (y, moments)
}

/// The gradient of the input, and those of `gamma` and `beta`, from that of the output.
pub fn backward(
    x: &[f32],
    gamma: &[f32],
    grad: &[f32],
    moments: &[[f32; 2]],
) -> (Vec<f32>, [Vec<f32>; 2]) {
    let mut dx = vec![0.0; x.len()];
    let (mut dgamma, mut dbeta) = (vec![0.0; gamma.len()], vec![0.0; gamma.len()]);
    let (dx_, dgamma_, dbeta_) = (&mut dx[..], &mut dgamma[..], &mut dbeta[..]);
    dispatch(Backward { x, gamma, grad, moments, dx: dx_, dgamma: dgamma_, dbeta: dbeta_ });
    (dx, [dgamma, dbeta])
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
