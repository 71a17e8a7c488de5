//! Root-mean-square normalisation in one pass forward and one backward.

use crate::LANES;
use crate::simd::{Kernel, dispatch, fold, madd};

/// `x / √(mean x² + epsilon) · gamma` of each row, and for each row the inverse of that root; `x` is `[n,
/// width]`, `gamma` is `[width]`.
pub fn forward(x: &[f32], gamma: &[f32], epsilon: f32) -> (Vec<f32>, Vec<f32>) {
    let mut y = vec![0.0; x.len()];
    let inverses = dispatch(Forward { x, gamma, epsilon, y: &mut y });
    (y, inverses)
}

/// The gradient of the input, and that of `gamma` where it is wanted, from that of the output.
pub fn backward(
    x: &[f32],
    gamma: &[f32],
    grad: &[f32],
    inverses: &[f32],
    wants_gamma: bool,
) -> (Vec<f32>, Option<Vec<f32>>) {
    let mut dx = vec![0.0; x.len()];
    let mut dgamma = wants_gamma.then(|| vec![0.0; gamma.len()]);
    dispatch(Backward { x, gamma, grad, inverses, dx: &mut dx, dgamma: dgamma.as_deref_mut() });
    (dx, dgamma)
}

struct Forward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    epsilon: f32,
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> Vec<f32> {
        let width = self.gamma.len();
        let share = 1.0 / width as f32;
        let mut inverses = Vec::with_capacity(self.x.len() / width);
        for (x, y) in self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)) {
            let inverse = 1.0 / (product_sum::<FMA>(x, x) * share + self.epsilon).sqrt();
            for ((y, x), gamma) in y.iter_mut().zip(x).zip(self.gamma) {
                *y = x * inverse * gamma;
            }
            inverses.push(inverse);
        }
        inverses
    }
}

struct Backward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    grad: &'a [f32],
    inverses: &'a [f32],
    dx: &'a mut [f32],
    dgamma: Option<&'a mut [f32]>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        let width = self.gamma.len();
        let share = 1.0 / width as f32;
        let rows = self.x.chunks_exact(width).zip(self.grad.chunks_exact(width));
        let rows = rows.zip(self.inverses).zip(self.dx.chunks_exact_mut(width));
        for (((x, grad), &inverse), dx) in rows {
            for ((dx, grad), gamma) in dx.iter_mut().zip(grad).zip(self.gamma) {
                *dx = grad * gamma;
            }
            let tilt = product_sum::<FMA>(dx, x) * share * inverse * inverse;
            for (dx, x) in dx.iter_mut().zip(x) {
                *dx = inverse * (*dx - x * tilt);
            }
            if let Some(dgamma) = &mut self.dgamma {
                for ((dgamma, grad), x) in dgamma.iter_mut().zip(grad).zip(x) {
                    *dgamma += grad * x * inverse;
                }
            }
        }
    }
}

#[inline(always)]
fn product_sum<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in whole_a.iter().zip(whole_b) {
        for l in 0..LANES {
            lanes[l] = madd::<FMA>(a[l], b[l], lanes[l]);
        }
    }
    fold(lanes) + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}
