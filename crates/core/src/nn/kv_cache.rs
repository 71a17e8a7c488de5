//! Keys and values of the tokens already read, kept per layer between calls.
//!
//! Room is taken in steps of [`GROWTH`] columns and filled in place, so that a token costs one
//! small write and no copy of what stands before it. Rows can be dropped when games end.
//! Which columns a row may look at is not known here: that is the caller's bias.

use burn::tensor::{Device, Int, Tensor};

/// Columns by which a full cache grows.
const GROWTH: usize = 64;

/// The cache of one batch of sequences.
#[derive(Debug, Clone)]
pub struct KvCache {
    /// Key and value of each layer, `[batch, heads, room, d_head]`.
    layers: Vec<Option<(Tensor<4>, Tensor<4>)>>,
    used: usize,
}

impl KvCache {
    /// An empty cache for a model with so many layers.
    pub fn new(layers: usize) -> Self {
        Self { layers: vec![None; layers], used: 0 }
    }

    /// Columns in use.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Writes the new keys and values of a layer behind the old and returns all in use.
    ///
    /// # Shapes
    /// - `k`, `v`: `[batch, heads, new, d_head]`
    /// - outputs: `[batch, heads, used + new, d_head]`
    pub(super) fn extend(
        &mut self,
        layer: usize,
        k: Tensor<4>,
        v: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        let [batch, heads, new, d_head] = k.dims();
        let end = self.used + new;
        let grow = |old: Option<Tensor<4>>| {
            let room = old.as_ref().map_or(0, |old| old.dims()[2]);
            match old {
                Some(old) if room >= end => old,
                old => {
                    let more = (end - room).div_ceil(GROWTH) * GROWTH;
                    let zeros = Tensor::zeros([batch, heads, more, d_head], &k.device());
                    match old {
                        Some(old) => Tensor::cat(vec![old, zeros], 2),
                        None => zeros,
                    }
                }
            }
        };
        // Taken out of its place, so that the handle is unique and the write happens in place.
        let (old_k, old_v) = self.layers[layer].take().unzip();
        let write = |old: Option<Tensor<4>>, new: Tensor<4>| {
            grow(old).slice_assign([0..batch, 0..heads, self.used..end, 0..d_head], new)
        };
        let (all_k, all_v) = (write(old_k, k.clone()), write(old_v, v));
        let in_use = (all_k.clone().narrow(2, 0, end), all_v.clone().narrow(2, 0, end));
        self.layers[layer] = Some((all_k, all_v));
        in_use
    }

    pub(super) fn advance(&mut self, new: usize) {
        self.used += new;
    }

    /// Keeps only these rows of the batch, in this order.
    pub fn keep(&mut self, rows: &[usize], device: &Device) {
        let index: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let index = Tensor::<1, Int>::from_ints(index.as_slice(), device);
        for (k, v) in self.layers.iter_mut().flatten() {
            *k = k.clone().select(0, index.clone());
            *v = v.clone().select(0, index.clone());
        }
    }
}
