//! Queries that are answered together.
//!
//! A key or a value that was loaded serves several queries at once: neighbours see nearly the same
//! keys, so a few of them walk together through the blocks that any of them sees, each with bits of
//! its own for what is open to it.

use crate::visible::{Block, Visible};

/// Queries in a group. In a browser, whose vectors are few and narrow, each goes alone.
pub const GROUP: usize = if cfg!(target_family = "wasm") { 1 } else { 4 };

/// Some neighbouring keys of which at least one is open to at least one query of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wide {
    /// The first of them, a multiple of [`crate::LANES`].
    pub first: u32,
    /// For each query a bit for each key, the lowest for the first.
    pub open: [u16; GROUP],
}

impl Wide {
    /// Which of the blocks of all keys it is.
    #[inline(always)]
    pub fn number(self) -> usize {
        self.first as usize / crate::LANES
    }

    /// Whether key `lane` of it is open to a query.
    #[inline(always)]
    pub fn has(self, query: usize, lane: usize) -> bool {
        self.open[query] >> lane & 1 == 1
    }

    /// Whether all its keys are open to all queries.
    #[inline(always)]
    pub fn is_full(self) -> bool {
        self.open == [u16::MAX; GROUP]
    }
}

/// Some queries of one text, and the blocks that they walk through.
#[derive(Debug)]
struct Group {
    /// The places of the queries; what is beyond `queries` repeats the last.
    places: [u32; GROUP],
    queries: usize,
    /// The row of the output that the first of them has; the others follow.
    row: usize,
    /// Where its blocks end; they begin where those of the group before end.
    end: usize,
}

/// A group as the kernels see it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The places of the queries; what is beyond the asked repeats the last, with nothing open.
    pub places: &'a [u32; GROUP],
    /// Queries that are asked, at most [`GROUP`].
    pub queries: usize,
    /// The row of the output that the first of them has; the others follow.
    pub row: usize,
    /// The blocks, in ascending order.
    pub blocks: &'a [Wide],
}

/// The queries of a batch that are answered, text by text, in groups.
#[derive(Debug)]
pub struct Asked {
    groups: Vec<Group>,
    blocks: Vec<Wide>,
    /// Where the groups of each text begin, and where the last one's end.
    begins: Vec<usize>,
    rows: usize,
}

impl Asked {
    /// Those at `rows` of the flattened `[batch · time]`, in ascending order, or all; what they may
    /// look at is `visible`.
    pub fn new(rows: Option<&[usize]>, batch: usize, time: usize, visible: &Visible) -> Self {
        let mut asked = Self { groups: Vec::new(), blocks: Vec::new(), begins: vec![0], rows: 0 };
        let all: Vec<usize> = if rows.is_none() { (0..time).collect() } else { Vec::new() };
        for text in 0..batch {
            match rows {
                None => asked.push(text, all.iter().copied(), visible),
                Some(rows) => {
                    let at = |text| rows.partition_point(|&row| row < text * time);
                    let mine = rows[at(text)..at(text + 1)].iter();
                    asked.push(text, mine.map(|row| row % time), visible);
                }
            }
        }
        asked
    }

    fn push(
        &mut self,
        text: usize,
        places: impl ExactSizeIterator<Item = usize>,
        visible: &Visible,
    ) {
        let places: Vec<u32> = places.map(|place| place as u32).collect();
        for some in places.chunks(GROUP) {
            unite(&mut self.blocks, some.len(), |query| visible.of(text, some[query] as usize));
            let last = some[some.len() - 1];
            self.groups.push(Group {
                places: std::array::from_fn(|query| some.get(query).copied().unwrap_or(last)),
                queries: some.len(),
                row: self.rows,
                end: self.blocks.len(),
            });
            self.rows += some.len();
        }
        self.begins.push(self.groups.len());
    }

    /// Queries in all.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Blocks of all groups of a head.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The groups of a text, but for those that may look at nothing.
    #[inline(always)]
    pub fn of(&self, text: usize) -> impl Iterator<Item = View<'_>> {
        let first = self.begins[text];
        let groups = &self.groups[first..self.begins[text + 1]];
        let mut begin = if first == 0 { 0 } else { self.groups[first - 1].end };
        let views = groups.iter().map(move |group| {
            let blocks = &self.blocks[begin..group.end];
            begin = group.end;
            View { places: &group.places, queries: group.queries, row: group.row, blocks }
        });
        views.filter(|view| !view.blocks.is_empty())
    }
}

/// Adds the blocks that any of some queries sees, in ascending order.
pub fn unite<'a>(blocks: &mut Vec<Wide>, queries: usize, of: impl Fn(usize) -> &'a [Block]) {
    let begin = blocks.len();
    for query in 0..queries {
        let mut at = begin;
        for block in of(query) {
            while blocks.get(at).is_some_and(|wide| wide.first < block.first) {
                at += 1;
            }
            if blocks.get(at).is_none_or(|wide| wide.first > block.first) {
                blocks.insert(at, Wide { first: block.first, open: [0; GROUP] });
            }
            blocks[at].open[query] = block.open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_walks_through_what_any_of_its_queries_sees() {
        let visible = Visible::new([2, 6, 40], |text, query, open| match (text, query) {
            (0, 0) => open.push(32..34),
            (0, 1) => open.push(0..16),
            (0, 2) => open.extend([0..1, 16..17]),
            (1, 5) => open.push(5..6),
            _ => {}
        });
        let asked = Asked::new(Some(&[0, 1, 2, 4, 11]), 2, 6, &visible);
        assert_eq!((asked.rows(), asked.blocks()), (5, 4));
        let group = asked.of(0).next().unwrap();
        assert_eq!((group.places, group.queries, group.row), (&[0, 1, 2, 4], 4, 0));
        let wide = |first, open| Wide { first, open };
        let blocks = [wide(0, [0, u16::MAX, 1, 0]), wide(16, [0, 0, 1, 0]), wide(32, [3, 0, 0, 0])];
        assert_eq!(group.blocks, blocks);
        let group = asked.of(1).next().unwrap();
        assert_eq!((group.places, group.queries, group.row), (&[5; 4], 1, 4));
        assert_eq!(group.blocks, [wide(0, [1 << 5, 0, 0, 0])]);
    }
}
