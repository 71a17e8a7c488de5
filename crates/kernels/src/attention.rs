//! Softmax attention over open blocks of keys.
//!
//! Queries, keys and values lie side by side in one matrix, `[batch, time, 3 · width]`, each part
//! head by head. Scores exist only for open blocks of keys ([`Visible`]), and of them the backward
//! pass is handed the probabilities: text by text, head by head, query by query.

use crate::LANES;
use crate::simd::{Kernel, Lanes, dispatch, exp, fold, madd};
use crate::visible::{Block, Visible};

/// Texts, tokens of each, heads, and the width of all heads together.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Texts.
    pub batch: usize,
    /// Tokens of each text, those that fill it up included.
    pub time: usize,
    /// Heads, which share the width evenly.
    pub heads: usize,
    /// Floats of a token, of each of the three parts.
    pub width: usize,
}

impl Shape {
    /// Floats of one head.
    #[inline(always)]
    fn d(&self) -> usize {
        self.width / self.heads
    }

    /// Where the `part` (0 query, 1 key, 2 value) of a head at some place begins.
    #[inline(always)]
    fn at<const D: usize>(&self, text: usize, place: usize, part: usize, head: usize) -> usize {
        ((text * self.time + place) * 3 + part) * self.width + head * D
    }

    /// Blocks that hold all places.
    fn blocks(&self) -> usize {
        self.time.div_ceil(LANES)
    }
}

/// The queries that are answered, text by text.
#[derive(Debug)]
pub struct Asked {
    places: Vec<usize>,
    /// Where the places of each text begin, and where the last one's end.
    begins: Vec<usize>,
}

impl Asked {
    /// Those at `rows` of the flattened `[batch · time]`, in ascending order, or all.
    pub fn new(rows: Option<&[usize]>, batch: usize, time: usize) -> Self {
        let Some(rows) = rows else {
            let places = (0..batch).flat_map(|_| 0..time).collect();
            return Self { places, begins: (0..=batch).map(|text| text * time).collect() };
        };
        let begins = (0..=batch).map(|text| rows.partition_point(|&row| row < text * time));
        Self { begins: begins.collect(), places: rows.iter().map(|row| row % time).collect() }
    }

    /// The places of a text, each with its row of the output.
    #[inline(always)]
    fn of(&self, text: usize) -> impl Iterator<Item = (usize, usize)> {
        let (begin, end) = (self.begins[text], self.begins[text + 1]);
        self.places[begin..end].iter().copied().zip(begin..)
    }
}

/// Whether there is a kernel for heads of this width. In a browser, which fetches every one of
/// them, there are those that small models have.
pub fn has_kernel(d: usize) -> bool {
    match cfg!(target_family = "wasm") {
        false => matches!(d, 8 | 16 | 32 | 64),
        true => matches!(d, 16 | 32),
    }
}

/// Runs a kernel for heads of the width at hand, of which [`has_kernel`] holds.
macro_rules! by_width {
    ($d:expr, $kernel:ident, $job:expr) => {
        match $d {
            #[cfg(not(target_family = "wasm"))]
            8 => dispatch($kernel::<8>($job)),
            16 => dispatch($kernel::<16>($job)),
            32 => dispatch($kernel::<32>($job)),
            #[cfg(not(target_family = "wasm"))]
            64 => dispatch($kernel::<64>($job)),
            d => unreachable!("no kernel for heads of width {d}"),
        }
    };
}
pub(crate) use by_width;

/// What the heads look up, `[n, width]` for the `n` queries that are asked, zeros for one that may
/// look at nothing; and the probabilities, where they are wanted.
pub fn forward(
    shape: Shape,
    qkv: &[f32],
    visible: &Visible,
    asked: &Asked,
    mut probabilities: Option<&mut Vec<Lanes>>,
) -> Vec<f32> {
    if let Some(probabilities) = &mut probabilities {
        let blocks = |text| asked.of(text).map(move |(place, _)| (text, place));
        let blocks = (0..shape.batch).flat_map(blocks);
        let blocks = blocks.map(|(text, place)| visible.of(text, place).len());
        probabilities.reserve_exact(blocks.sum::<usize>() * shape.heads);
    }
    let mut out = vec![0.0; asked.places.len() * shape.width];
    let job = Forward { shape, qkv, visible, asked, out: &mut out, probabilities };
    by_width!(shape.d(), ForwardOf, job);
    out
}

/// The gradient of `qkv` from that of the output, `[n, width]`.
pub fn backward(
    shape: Shape,
    qkv: &[f32],
    visible: &Visible,
    asked: &Asked,
    probabilities: &[Lanes],
    grad: &[f32],
) -> Vec<f32> {
    let mut out = vec![0.0; shape.batch * shape.time * 3 * shape.width];
    let job = Backward { shape, qkv, visible, asked, probabilities, grad, out: &mut out };
    by_width!(shape.d(), BackwardOf, job);
    out
}

/// Vectors of one head, `D` floats each.
type Rows<const D: usize> = Vec<[f32; D]>;

/// The same with places side by side: for each block, for each of the `D` axes, [`LANES`] places.
type Columns<const D: usize> = Vec<[Lanes; D]>;

/// Gathers one part of a head; what fills the last block is zero.
#[inline(always)]
fn gather<const D: usize>(
    qkv: &[f32],
    shape: Shape,
    text: usize,
    part: usize,
    head: usize,
    rows: &mut Rows<D>,
) {
    for (place, row) in rows.iter_mut().enumerate().take(shape.time) {
        row.copy_from_slice(&qkv[shape.at::<D>(text, place, part, head)..][..D]);
    }
}

#[inline(always)]
fn transpose<const D: usize>(rows: &Rows<D>, columns: &mut Columns<D>) {
    for (rows, columns) in rows.chunks_exact(LANES).zip(columns) {
        for (axis, column) in columns.iter_mut().enumerate() {
            for (lane, row) in rows.iter().enumerate() {
                column[lane] = row[axis];
            }
        }
    }
}

/// The products of a vector with the vectors of a block.
#[inline(always)]
fn products<const FMA: bool, const D: usize>(vector: &[f32; D], columns: &[Lanes; D]) -> Lanes {
    let mut even = [0.0; LANES];
    let mut odd = [0.0; LANES];
    for axis in (0..D).step_by(2) {
        for l in 0..LANES {
            even[l] = madd::<FMA>(vector[axis], columns[axis][l], even[l]);
        }
        for l in 0..LANES {
            odd[l] = madd::<FMA>(vector[axis + 1], columns[axis + 1][l], odd[l]);
        }
    }
    for l in 0..LANES {
        even[l] += odd[l];
    }
    even
}

/// Four running sums of vectors, so that one need not wait for the other.
pub(crate) struct Sums<const D: usize>([[f32; D]; 4]);

impl<const D: usize> Sums<D> {
    #[inline(always)]
    pub fn new() -> Self {
        Self([[0.0; D]; 4])
    }

    /// Adds the vectors of a block, each with its weight.
    #[inline(always)]
    pub fn add<const FMA: bool>(&mut self, weights: &Lanes, rows: &[[f32; D]]) {
        for l in 0..LANES {
            let sum = &mut self.0[l % 4];
            for c in 0..D {
                sum[c] = madd::<FMA>(weights[l], rows[l][c], sum[c]);
            }
        }
    }

    #[inline(always)]
    pub fn total(&self) -> [f32; D] {
        let [a, b, c, d] = &self.0;
        std::array::from_fn(|i| (a[i] + b[i]) + (c[i] + d[i]))
    }
}

struct Forward<'a> {
    shape: Shape,
    qkv: &'a [f32],
    visible: &'a Visible,
    asked: &'a Asked,
    out: &'a mut [f32],
    probabilities: Option<&'a mut Vec<Lanes>>,
}

struct ForwardOf<'a, const D: usize>(Forward<'a>);

impl<const D: usize> Kernel for ForwardOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Forward { shape, qkv, visible, asked, out, mut probabilities } = self.0;
        let scale = 1.0 / (D as f32).sqrt();
        let places = shape.blocks() * LANES;
        let (mut keys, mut vals) = (vec![[0.0; D]; places], vec![[0.0; D]; places]);
        let mut columns = vec![[[0.0; LANES]; D]; shape.blocks()];
        let mut scores: Vec<Lanes> = vec![[0.0; LANES]; shape.blocks()];
        for text in 0..shape.batch {
            for head in 0..shape.heads {
                gather(qkv, shape, text, 1, head, &mut keys);
                gather(qkv, shape, text, 2, head, &mut vals);
                transpose(&keys, &mut columns);
                for (query, row) in asked.of(text) {
                    let blocks = visible.of(text, query);
                    if blocks.is_empty() {
                        continue;
                    }
                    let at = &qkv[shape.at::<D>(text, query, 0, head)..][..D];
                    let vector: [f32; D] = std::array::from_fn(|c| at[c] * scale);
                    let scores = &mut scores[..blocks.len()];
                    softmax::<FMA, D>(&vector, &columns, blocks, scores);
                    let mut sums = Sums::<D>::new();
                    for (block, weights) in blocks.iter().zip(&*scores) {
                        sums.add::<FMA>(weights, &vals[block.first as usize..][..LANES]);
                    }
                    let begin = row * shape.width + head * D;
                    out[begin..][..D].copy_from_slice(&sums.total());
                    if let Some(all) = &mut probabilities {
                        all.extend_from_slice(scores);
                    }
                }
            }
        }
    }
}

/// The probabilities of the open keys of one query, 0 for the shut.
#[inline(always)]
pub(crate) fn softmax<const FMA: bool, const D: usize>(
    query: &[f32; D],
    keys: &[[Lanes; D]],
    blocks: &[Block],
    scores: &mut [Lanes],
) {
    let mut most = [f32::NEG_INFINITY; LANES];
    for (block, score) in blocks.iter().zip(scores.iter_mut()) {
        *score = products::<FMA, D>(query, &keys[block.first as usize / LANES]);
        if !block.is_full() {
            for l in 0..LANES {
                score[l] = if block.has(l) { score[l] } else { f32::NEG_INFINITY };
            }
        }
        for l in 0..LANES {
            most[l] = if score[l] > most[l] { score[l] } else { most[l] };
        }
    }
    let most = most.into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
    let mut total = [0.0; LANES];
    for (block, score) in blocks.iter().zip(scores.iter_mut()) {
        for l in 0..LANES {
            score[l] = exp::<FMA>(score[l] - most);
        }
        if !block.is_full() {
            for l in 0..LANES {
                score[l] = if block.has(l) { score[l] } else { 0.0 };
            }
        }
        for l in 0..LANES {
            total[l] += score[l];
        }
    }
    let share = 1.0 / fold(total);
    for score in scores {
        for l in 0..LANES {
            score[l] *= share;
        }
    }
}

struct Backward<'a> {
    shape: Shape,
    qkv: &'a [f32],
    visible: &'a Visible,
    asked: &'a Asked,
    probabilities: &'a [Lanes],
    grad: &'a [f32],
    out: &'a mut [f32],
}

struct BackwardOf<'a, const D: usize>(Backward<'a>);

impl<const D: usize> Kernel for BackwardOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Backward { shape, qkv, visible, asked, mut probabilities, grad, out } = self.0;
        let scale = 1.0 / (D as f32).sqrt();
        let places = shape.blocks() * LANES;
        let (mut keys, mut vals) = (vec![[0.0; D]; places], vec![[0.0; D]; places]);
        let (mut dkeys, mut dvals) = (keys.clone(), vals.clone());
        let mut columns = vec![[[0.0; LANES]; D]; shape.blocks()];
        let mut slopes: Vec<Lanes> = vec![[0.0; LANES]; shape.blocks()];
        for text in 0..shape.batch {
            for head in 0..shape.heads {
                gather(qkv, shape, text, 1, head, &mut keys);
                gather(qkv, shape, text, 2, head, &mut vals);
                transpose(&vals, &mut columns);
                dkeys.fill([0.0; D]);
                dvals.fill([0.0; D]);
                for (query, row) in asked.of(text) {
                    let blocks = visible.of(text, query);
                    let (shares, rest) = probabilities.split_at(blocks.len());
                    probabilities = rest;
                    let at = &qkv[shape.at::<D>(text, query, 0, head)..][..D];
                    let vector: [f32; D] = std::array::from_fn(|c| at[c] * scale);
                    let begin = row * shape.width + head * D;
                    let at = &grad[begin..][..D];
                    let pull: [f32; D] = std::array::from_fn(|c| at[c]);
                    let slopes = &mut slopes[..blocks.len()];
                    // d probability, then through the softmax d score.
                    let mut along = [0.0; LANES];
                    for ((block, share), slope) in blocks.iter().zip(shares).zip(&mut *slopes) {
                        *slope = products::<FMA, D>(&pull, &columns[block.first as usize / LANES]);
                        for l in 0..LANES {
                            along[l] = madd::<FMA>(slope[l], share[l], along[l]);
                        }
                    }
                    let along = fold(along);
                    let mut sums = Sums::<D>::new();
                    for ((block, share), slope) in blocks.iter().zip(shares).zip(&mut *slopes) {
                        for l in 0..LANES {
                            slope[l] = (slope[l] - along) * share[l];
                        }
                        let first = block.first as usize;
                        sums.add::<FMA>(slope, &keys[first..][..LANES]);
                        let (dkeys, dvals) =
                            (&mut dkeys[first..][..LANES], &mut dvals[first..][..LANES]);
                        for l in 0..LANES {
                            for c in 0..D {
                                dkeys[l][c] = madd::<FMA>(slope[l], vector[c], dkeys[l][c]);
                            }
                            for c in 0..D {
                                dvals[l][c] = madd::<FMA>(share[l], pull[c], dvals[l][c]);
                            }
                        }
                    }
                    let dquery = sums.total();
                    let at = &mut out[shape.at::<D>(text, query, 0, head)..][..D];
                    for c in 0..D {
                        at[c] = dquery[c] * scale;
                    }
                }
                for place in 0..shape.time {
                    out[shape.at::<D>(text, place, 1, head)..][..D].copy_from_slice(&dkeys[place]);
                    out[shape.at::<D>(text, place, 2, head)..][..D].copy_from_slice(&dvals[place]);
                }
            }
        }
    }
}
