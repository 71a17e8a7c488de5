//! There is no way past tensors without the kernels for the CPU.

use super::Gpt2;
use crate::nn::fused::{Heads, Mask};
use crate::nn::kv_cache::KvCache;

/// Nothing of this kind exists.
#[derive(Clone)]
pub enum Direct {}

/// New tokens of some rows of a batch.
#[allow(dead_code, reason = "nobody reads it here")]
pub struct NewTokens<'a> {
    /// `[rows, new]`, row by row.
    pub tokens: &'a [i32],
    /// Likewise.
    pub positions: &'a [i32],
    /// For `new` queries and `cached + new` keys.
    pub mask: &'a Mask,
    /// The rows of the cache.
    pub rows: &'a [usize],
    /// Places whose scores are asked for.
    pub asked: &'a [usize],
}

impl Direct {
    pub(in crate::nn) fn of(_: &Gpt2, _: Heads) -> Option<Self> {
        None
    }

    pub(in crate::nn) fn scores(&self, _: &NewTokens<'_>, _: &mut KvCache) -> Vec<f32> {
        match *self {}
    }
}
