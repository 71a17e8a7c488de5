//! `silu(gate) · up`, what stands between the products of a gated block (Shazeer, arXiv:2002.05202).

use crate::simd::{Kernel, dispatch, exp};

/// `gate / (1 + e^−gate) · up`, one by one.
pub fn forward(gate: &[f32], up: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; gate.len()];
    dispatch(Forward { gate, up, y: &mut y });
    y
}

/// The gradients of `gate` and `up` from that of the output, which becomes the one of `gate`.
pub fn backward(gate: &[f32], up: &[f32], grad: &mut [f32]) -> Vec<f32> {
    let mut dup = vec![0.0; gate.len()];
    dispatch(Backward { gate, up, grad, dup: &mut dup });
    dup
}

struct Forward<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((y, gate), up) in self.y.iter_mut().zip(self.gate).zip(self.up) {
            *y = gate / (1.0 + exp::<FMA>(-gate)) * up;
        }
    }
}

struct Backward<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    grad: &'a mut [f32],
    dup: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let rows = self.gate.iter().zip(self.up);
        for ((gate, up), (grad, dup)) in rows.zip(self.grad.iter_mut().zip(self.dup)) {
            let share = 1.0 / (1.0 + exp::<FMA>(-gate));
            *dup = *grad * gate * share;
            *grad *= up * share * (1.0 + gate * (1.0 - share));
        }
    }
}
