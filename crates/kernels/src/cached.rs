//! Attention of new tokens over a cache of keys and values that grows.
//!
//! The cache holds keys with places side by side, as the scores want them, and values one after
//! another, as the sums want them; both for each row of the batch and each head in a piece of their
//! own, so that rows are kept, copied and dropped piece by piece.

use crate::LANES;
use crate::attention::{by_width, mix, softmax};
use crate::simd::{Kernel, dispatch};
use crate::visible::Visible;

/// Keys and values of one layer.
#[derive(Debug, Clone)]
pub struct Cache {
    rows: usize,
    heads: usize,
    d: usize,
    /// Places for which there is room, a multiple of [`LANES`].
    room: usize,
    /// `[rows, heads, room / LANES, d, LANES]`.
    keys: Vec<f32>,
    /// `[rows, heads, room, d]`.
    vals: Vec<f32>,
}

impl Cache {
    /// An empty cache for so many rows and heads of width `d`.
    pub fn new(rows: usize, heads: usize, d: usize) -> Self {
        Self { rows, heads, d, room: 0, keys: Vec::new(), vals: Vec::new() }
    }

    /// Makes room for so many places in all.
    pub fn make_room(&mut self, places: usize, growth: usize) {
        if places <= self.room {
            return;
        }
        let room = places.div_ceil(growth) * growth;
        let (old, new) = (self.room * self.d, room * self.d);
        let widen = |values: &[f32]| {
            let mut wide = vec![0.0; self.rows * self.heads * new];
            if old > 0 {
                for (wide, values) in wide.chunks_exact_mut(new).zip(values.chunks_exact(old)) {
                    wide[..old].copy_from_slice(values);
                }
            }
            wide
        };
        (self.keys, self.vals, self.room) = (widen(&self.keys), widen(&self.vals), room);
    }

    /// Keeps these rows, in this order.
    pub fn keep(&mut self, rows: &[usize]) {
        let piece = self.heads * self.room * self.d;
        let gather = |values: &[f32]| {
            let mut kept = Vec::with_capacity(rows.len() * piece);
            rows.iter().for_each(|row| kept.extend_from_slice(&values[row * piece..][..piece]));
            kept
        };
        (self.keys, self.vals, self.rows) = (gather(&self.keys), gather(&self.vals), rows.len());
    }

    /// Takes in the keys and values of new places, from `used` on, and mixes the values for their
    /// queries. `qkv` is `[rows, new, 3 · heads · d]`, the result `[rows, new, heads · d]`.
    pub fn attend(&mut self, qkv: &[f32], used: usize, visible: &Visible) -> Vec<f32> {
        let width = self.heads * self.d;
        let new = qkv.len() / (3 * width * self.rows);
        self.take_in(qkv, used, new);
        let mut out = vec![0.0; self.rows * new * width];
        let job = Attend { cache: self, qkv, visible, new, out: &mut out };
        by_width!(self.d, AttendOf, job);
        out
    }

    fn take_in(&mut self, qkv: &[f32], used: usize, new: usize) {
        let (width, d) = (self.heads * self.d, self.d);
        for row in 0..self.rows {
            for place in 0..new {
                let at = &qkv[(row * new + place) * 3 * width..][..3 * width];
                let to = used + place;
                for head in 0..self.heads {
                    let piece = (row * self.heads + head) * self.room * d;
                    let (key, val) =
                        (&at[width + head * d..][..d], &at[2 * width + head * d..][..d]);
                    self.vals[piece + to * d..][..d].copy_from_slice(val);
                    let block = &mut self.keys[piece + to / LANES * LANES * d..][..LANES * d];
                    for (axis, key) in block.chunks_exact_mut(LANES).zip(key) {
                        axis[to % LANES] = *key;
                    }
                }
            }
        }
    }
}

struct Attend<'a> {
    cache: &'a Cache,
    qkv: &'a [f32],
    visible: &'a Visible,
    new: usize,
    out: &'a mut [f32],
}

struct AttendOf<'a, const D: usize>(Attend<'a>);

impl<const D: usize> Kernel for AttendOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Attend { cache, qkv, visible, new, out } = self.0;
        let (heads, width, scale) = (cache.heads, cache.heads * D, 1.0 / (D as f32).sqrt());
        let mut scores = vec![[[0.0; LANES]]; cache.room / LANES];
        for row in 0..cache.rows {
            for head in 0..heads {
                let piece = (row * heads + head) * cache.room * D;
                let keys = cache.keys[piece..][..cache.room * D].as_chunks::<LANES>().0;
                let keys = keys.as_chunks::<D>().0;
                let vals = cache.vals[piece..][..cache.room * D].as_chunks::<D>().0;
                for query in 0..new {
                    let blocks = visible.of(row, query);
                    if blocks.is_empty() {
                        continue;
                    }
                    let at = &qkv[(row * new + query) * 3 * width + head * D..][..D];
                    let vector: [f32; D] = std::array::from_fn(|c| at[c] * scale);
                    let scores = &mut scores[..blocks.len()];
                    softmax::<FMA, D, 1>(&[vector], keys, blocks, scores);
                    let [sum] = mix::<FMA, D, 1>(blocks, scores, vals);
                    let begin = (row * new + query) * width + head * D;
                    out[begin..][..D].copy_from_slice(&sum);
                }
            }
        }
    }
}
