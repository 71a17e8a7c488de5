//! Which keys each query may look at, as blocks that the kernels walk through.
//!
//! Most of an attention matrix is shut: what stands later, what belongs to another branch, padding.
//! A mask lists for each query the blocks of [`LANES`] keys in which something is open, with a bit
//! for each key, and the kernels never visit the rest.

use std::ops::Range;

use crate::LANES;

/// Some neighbouring keys of which at least one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first of them, a multiple of [`LANES`].
    pub first: u32,
    /// A bit for each key, the lowest for the first.
    pub open: u16,
}

impl Block {
    /// Whether all its keys are open.
    #[inline(always)]
    pub fn is_full(self) -> bool {
        self.open == u16::MAX
    }

    /// Whether this key is one of its open ones.
    pub fn contains(self, key: usize) -> bool {
        let first = self.first as usize;
        (first..first + LANES).contains(&key) && self.has(key - first)
    }

    /// Whether key `lane` of it is open.
    #[inline(always)]
    pub fn has(self, lane: usize) -> bool {
        self.open >> lane & 1 == 1
    }
}

/// The open keys of every query of a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Visible {
    blocks: Vec<Block>,
    /// Where the blocks of each listed query begin, and where the last one's end.
    begins: Vec<u32>,
    /// Texts listed (all, or one that stands for all), queries listed of each (likewise), keys.
    shape: [usize; 3],
}

impl Visible {
    /// Lists the queries of a batch; `open` adds the ranges of keys that a query of a text may look
    /// at, in order and apart from each other.
    pub fn new(
        [texts, queries, keys]: [usize; 3],
        mut open: impl FnMut(usize, usize, &mut Vec<Range<usize>>),
    ) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        let mut begins = vec![0];
        let mut ranges = Vec::new();
        for text in 0..texts {
            for query in 0..queries {
                ranges.clear();
                open(text, query, &mut ranges);
                let begin = blocks.len();
                for range in &ranges {
                    push(&mut blocks, begin, range.start, range.end.min(keys));
                }
                begins.push(blocks.len() as u32);
            }
        }
        Self { blocks, begins, shape: [texts, queries, keys] }
    }

    /// Texts and queries listed, and keys.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// As a bias for each listed query and key: 0 where open, `shut` elsewhere.
    pub fn to_bias(&self, shut: f32) -> Vec<f32> {
        let [_, _, keys] = self.shape;
        let mut bias = vec![shut; (self.begins.len() - 1) * keys];
        for (row, ends) in bias.chunks_exact_mut(keys.max(1)).zip(self.begins.windows(2)) {
            for block in &self.blocks[ends[0] as usize..ends[1] as usize] {
                for lane in (0..LANES).filter(|&lane| block.has(lane)) {
                    row[block.first as usize + lane] = 0.0;
                }
            }
        }
        bias
    }

    /// The blocks of one query of one text.
    #[inline(always)]
    pub fn of(&self, text: usize, query: usize) -> &[Block] {
        let [texts, queries, _] = self.shape;
        let text = if texts == 1 { 0 } else { text };
        let query = if queries == 1 { 0 } else { query };
        let row = text * queries + query;
        &self.blocks[self.begins[row] as usize..self.begins[row + 1] as usize]
    }
}

/// Opens the keys from `start` to `end` for the query whose blocks begin at `begin`.
fn push(blocks: &mut Vec<Block>, begin: usize, start: usize, end: usize) {
    let mut key = start;
    while key < end {
        let first = key - key % LANES;
        let upto = end.min(first + LANES);
        let open = (((1u32 << (upto - key)) - 1) << (key - first)) as u16;
        match blocks[begin..].last_mut() {
            Some(last) if last.first as usize == first => last.open |= open,
            _ => blocks.push(Block { first: first as u32, open }),
        }
        key = upto;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shut_blocks_are_left_out() {
        let visible = Visible::new([1, 2, 40], |_, query, open| match query {
            0 => open.extend([1..3, 3..18]),
            _ => open.push(39..40),
        });
        let block = |first, open| Block { first, open };
        assert_eq!(visible.of(7, 0), [block(0, !1), block(16, 0b11)]);
        assert_eq!(visible.of(0, 1), [block(32, 1 << 7)]);
        assert!(!block(0, !1).is_full() && block(0, !1).has(1) && !block(0, !1).has(0));
        let bias = visible.to_bias(-9.0);
        assert_eq!(bias.len(), 80);
        let open = |key: usize| (1..18).contains(&key) || key == 40 + 39;
        assert!(bias.iter().enumerate().all(|(key, &x)| x == if open(key) { 0.0 } else { -9.0 }));
    }
}
