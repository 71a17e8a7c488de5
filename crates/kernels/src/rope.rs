//! Queries and keys turned by their positions and set side by side with the values.
//!
//! Axis `i` of a head is paired with axis `i + d/2`, and each pair is turned by its own angle.

use crate::heads::Heads;
use crate::simd::{Kernel, dispatch};

/// Rows of heads side by side from queries `[n, queries · d]`, keys and values `[n, keys · d]`, and cosines
/// and sines `[n, d/2]` of the rows' angles; `d` is even.
pub fn forward(heads: Heads, [q, k, v]: [&[f32]; 3], [cos, sin]: [&[f32]; 2]) -> Vec<f32> {
    let mut out = vec![0.0; q.len() + k.len() + v.len()];
    dispatch(Forward { heads, parts: [q, k, v], angles: [cos, sin], out: &mut out });
    out
}

/// The gradients of queries, keys and values from that of the output.
pub fn backward(heads: Heads, grad: &[f32], [cos, sin]: [&[f32]; 2]) -> [Vec<f32>; 3] {
    let rows = grad.len() / heads.row();
    let sizes = [heads.width(), heads.narrow(), heads.narrow()];
    let mut parts = sizes.map(|size| vec![0.0; rows * size]);
    let [dq, dk, dv] = &mut parts;
    dispatch(Backward { heads, grad, angles: [cos, sin], parts: [dq, dk, dv] });
    parts
}

struct Forward<'a> {
    heads: Heads,
    parts: [&'a [f32]; 3],
    angles: [&'a [f32]; 2],
    out: &'a mut [f32],
}

/// Turns one head of `d` floats into `to`; `turn` is 1 forwards and −1 back.
#[inline(always)]
fn turned(from: &[f32], cos: &[f32], sin: &[f32], turn: f32, to: &mut [f32]) {
    let half = cos.len();
    let ((a, b), (to_a, to_b)) = (from.split_at(half), to.split_at_mut(half));
    for i in 0..half {
        let sin = turn * sin[i];
        to_a[i] = a[i] * cos[i] - b[i] * sin;
        to_b[i] = b[i] * cos[i] + a[i] * sin;
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let heads = self.heads;
        let (width, narrow, d, half) = (heads.width(), heads.narrow(), heads.d, heads.d / 2);
        let [q, k, v] = self.parts;
        for (row, out) in self.out.chunks_exact_mut(heads.row()).enumerate() {
            let [cos, sin] = self.angles.map(|angles| &angles[row * half..][..half]);
            let (out_q, rest) = out.split_at_mut(width);
            let (out_k, out_v) = rest.split_at_mut(narrow);
            for (from, to) in
                [(&q[row * width..][..width], out_q), (&k[row * narrow..][..narrow], out_k)]
            {
                for (from, to) in from.chunks_exact(d).zip(to.chunks_exact_mut(d)) {
                    turned(from, cos, sin, 1.0, to);
                }
            }
            out_v.copy_from_slice(&v[row * narrow..][..narrow]);
        }
    }
}

struct Backward<'a> {
    heads: Heads,
    grad: &'a [f32],
    angles: [&'a [f32]; 2],
    parts: [&'a mut [f32]; 3],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let heads = self.heads;
        let (width, narrow, d, half) = (heads.width(), heads.narrow(), heads.d, heads.d / 2);
        let [dq, dk, dv] = self.parts;
        for (row, grad) in self.grad.chunks_exact(heads.row()).enumerate() {
            let [cos, sin] = self.angles.map(|angles| &angles[row * half..][..half]);
            let (of_q, rest) = grad.split_at(width);
            let (of_k, of_v) = rest.split_at(narrow);
            let dq = &mut dq[row * width..][..width];
            let dk = &mut dk[row * narrow..][..narrow];
            for (from, to) in [(of_q, dq), (of_k, dk)] {
                for (from, to) in from.chunks_exact(d).zip(to.chunks_exact_mut(d)) {
                    turned(from, cos, sin, -1.0, to);
                }
            }
            dv[row * narrow..][..narrow].copy_from_slice(of_v);
        }
    }
}
