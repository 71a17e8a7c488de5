//! Keys and values of the tokens already read, kept per layer between calls.
//!
//! Room is taken in steps and filled in place, so that a token costs one small write and no copy of
//! what stands before it. Rows can be dropped when games end. Which columns a row may look at is
//! not known here: that is the caller's mask.

use burn::tensor::Tensor;

use super::fused::{Heads, LayerCache, Mask};

/// The cache of one batch of sequences.
#[derive(Debug, Clone)]
pub struct KvCache {
    layers: Vec<Option<LayerCache>>,
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

    /// Takes in a layer's keys and values of new columns of some rows and mixes the values for
    /// those queries of theirs that are `asked`: places of the flattened `[rows · new]`, in ascending
    /// order. They are all rows, in order, unless it [takes some](Self::takes_some).
    ///
    /// # Shapes
    /// - `qkv`: `[rows, new, (queries + 2 · keys) · d]`, the heads of a token side by side
    /// - output: `[asked, queries · d]`
    pub(super) fn attend(
        &mut self,
        layer: usize,
        qkv: Tensor<3>,
        rows: &[usize],
        asked: &[usize],
        mask: &Mask,
        heads: Heads,
    ) -> Tensor<2> {
        LayerCache::attend(&mut self.layers[layer], qkv, rows, asked, self.used, mask, heads)
    }

    /// [`attend`](Self::attend) on plain floats, row by row.
    #[cfg(feature = "flex")]
    pub(super) fn attend_here(
        &mut self,
        layer: usize,
        qkv: &[f32],
        [rows, asked]: [&[usize]; 2],
        mask: &Mask,
        heads: Heads,
    ) -> Vec<f32> {
        LayerCache::attend_here(&mut self.layers[layer], qkv, [rows, asked], self.used, mask, heads)
    }

    /// Whether new columns may be those of some rows alone.
    pub fn takes_some(&self) -> bool {
        self.layers.iter().all(|layer| layer.as_ref().is_some_and(LayerCache::takes_some))
    }

    pub(super) fn advance(&mut self, new: usize) {
        self.used += new;
    }

    /// Keeps so many columns: the next tokens are written over the others. What rows share since they
    /// [branched](Self::branch) must stay.
    pub(super) fn truncate(&mut self, columns: usize) {
        self.used = self.used.min(columns);
    }

    /// Keeps only these rows of the batch, in this order.
    pub fn keep(&mut self, rows: &[usize]) {
        self.layers.iter_mut().flatten().for_each(|layer| layer.keep(rows));
    }

    /// The same, for rows of which many are copies: they share what was read so far.
    pub fn branch(&mut self, rows: &[usize]) {
        for layer in self.layers.iter_mut().flatten() {
            self.used = self.used.max(layer.branch(rows));
        }
    }
}
