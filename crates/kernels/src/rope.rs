//! Queries and keys turned by their positions and set side by side with the values.
//!
//! Axis `i` of a head is paired with axis `i + d/2`, and each pair is turned by its own angle. Where
//! several heads of queries share one of keys and values, that one is set down once for each of them, as
//! the kernels of attention read it.

use crate::simd::{Kernel, dispatch};

/// The heads of a row.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Of queries.
    pub queries: usize,
    /// Of keys and values, a divisor of those.
    pub keys: usize,
    /// Floats of each, an even number.
    pub d: usize,
}

/// `[n, 3 · queries · d]` from queries `[n, queries · d]`, keys and values `[n, keys · d]`, and cosines and
/// sines `[n, d/2]` of the rows' angles.
pub fn forward(heads: Heads, [q, k, v]: [&[f32]; 3], [cos, sin]: [&[f32]; 2]) -> Vec<f32> {
    let mut out = vec![0.0; 3 * q.len()];
    dispatch(Forward { heads, parts: [q, k, v], angles: [cos, sin], out: &mut out });
    out
}

/// The gradients of queries, keys and values from that of the output.
pub fn backward(heads: Heads, grad: &[f32], [cos, sin]: [&[f32]; 2]) -> [Vec<f32>; 3] {
    let width = heads.queries * heads.d;
    let rows = grad.len() / (3 * width);
    let sizes = [width, heads.keys * heads.d, heads.keys * heads.d];
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
        let Heads { queries, keys, d } = self.heads;
        let (width, narrow, half, sharing) = (queries * d, keys * d, d / 2, queries / keys);
        let [q, k, v] = self.parts;
        for (row, out) in self.out.chunks_exact_mut(3 * width).enumerate() {
            let [cos, sin] = self.angles.map(|angles| &angles[row * half..][..half]);
            let q = &q[row * width..][..width];
            for (from, to) in q.chunks_exact(d).zip(out[..width].chunks_exact_mut(d)) {
                turned(from, cos, sin, 1.0, to);
            }
            let (out_k, out_v) = out[width..].split_at_mut(width);
            for head in 0..keys {
                let at = row * narrow + head * d;
                let first = head * sharing * d;
                turned(&k[at..][..d], cos, sin, 1.0, &mut out_k[first..][..d]);
                out_v[first..][..d].copy_from_slice(&v[at..][..d]);
                for copy in 1..sharing {
                    out_k.copy_within(first..first + d, first + copy * d);
                    out_v.copy_within(first..first + d, first + copy * d);
                }
            }
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
        let Heads { queries, keys, d } = self.heads;
        let (width, narrow, half, sharing) = (queries * d, keys * d, d / 2, queries / keys);
        let [dq, dk, dv] = self.parts;
        let mut sum = vec![0.0; d];
        for (row, grad) in self.grad.chunks_exact(3 * width).enumerate() {
            let [cos, sin] = self.angles.map(|angles| &angles[row * half..][..half]);
            let dq = &mut dq[row * width..][..width];
            for (from, to) in grad[..width].chunks_exact(d).zip(dq.chunks_exact_mut(d)) {
                turned(from, cos, sin, -1.0, to);
            }
            let (of_k, of_v) = grad[width..].split_at(width);
            for head in 0..keys {
                let at = row * narrow + head * d;
                let first = head * sharing * d;
                sum.fill(0.0);
                let dv = &mut dv[at..][..d];
                for copy in 0..sharing {
                    let (of_k, of_v) =
                        (&of_k[first + copy * d..][..d], &of_v[first + copy * d..][..d]);
                    for i in 0..d {
                        sum[i] += of_k[i];
                        dv[i] += of_v[i];
                    }
                }
                turned(&sum, cos, sin, -1.0, &mut dk[at..][..d]);
            }
        }
    }
}
