//! Softmax attention over open blocks of keys.
//!
//! Queries, keys and values lie side by side in one matrix, as [`Heads`] says. Scores exist only for open blocks of keys, for a group of queries at a time
//! ([`Asked`]), and of them the backward pass is handed the probabilities: text by text, head by
//! head, group by group, block by block.

use std::hint::black_box;

use crate::LANES;
use crate::groups::{Asked, GROUP, View, Wide};
use crate::heads::Heads;
use crate::simd::{Kernel, Lanes, dispatch, exp, fold, madd};

/// Texts, tokens of each, and their heads.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Texts.
    pub batch: usize,
    /// Tokens of each text, those that fill it up included.
    pub time: usize,
    /// The heads of a token.
    pub heads: Heads,
}

impl Shape {
    /// Where the `part` (0 query, 1 key, 2 value) of one of its heads at some place begins.
    #[inline(always)]
    fn at<const D: usize>(&self, text: usize, place: usize, part: usize, head: usize) -> usize {
        let heads = self.heads;
        let before = [0, heads.width(), heads.width() + heads.narrow()];
        (text * self.time + place) * heads.row() + before[part] + head * D
    }

    /// Blocks that hold all places.
    fn blocks(&self) -> usize {
        self.time.div_ceil(LANES)
    }
}

/// Whether there is a kernel for heads of this width. In a browser, which fetches every one of
/// them, there are those that small models have.
pub fn has_kernel(d: usize) -> bool {
    match cfg!(target_family = "wasm") {
        false => matches!(d, 8 | 16 | 32 | 64 | 128),
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
            #[cfg(not(target_family = "wasm"))]
            128 => dispatch($kernel::<128>($job)),
            d => unreachable!("no kernel for heads of width {d}"),
        }
    };
}
pub(crate) use by_width;

/// The same for each query of a group.
pub type Grouped<T> = [T; GROUP];

/// What the heads look up, `[n, width]` for the `n` queries that are asked, zeros for one that may
/// look at nothing; and the probabilities, where they are wanted.
pub fn forward(
    shape: Shape,
    qkv: &[f32],
    asked: &Asked,
    mut probabilities: Option<&mut Vec<Grouped<Lanes>>>,
) -> Vec<f32> {
    if let Some(probabilities) = &mut probabilities {
        probabilities.reserve_exact(asked.blocks() * shape.heads.queries);
    }
    let mut out = vec![0.0; asked.rows() * shape.heads.width()];
    let job = Forward { shape, qkv, asked, out: &mut out, probabilities };
    by_width!(shape.heads.d, ForwardOf, job);
    out
}

/// The gradient of `qkv` from that of the output, `[n, width]`.
pub fn backward(
    shape: Shape,
    qkv: &[f32],
    asked: &Asked,
    probabilities: &[Grouped<Lanes>],
    grad: &[f32],
) -> Vec<f32> {
    let mut out = vec![0.0; shape.batch * shape.time * shape.heads.row()];
    let job = Backward { shape, qkv, asked, probabilities, grad, out: &mut out };
    by_width!(shape.heads.d, BackwardOf, job);
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

/// The products of some vectors with the vectors of a block.
#[inline(always)]
pub(crate) fn products<const FMA: bool, const D: usize>(
    vectors: &[[f32; D]; GROUP],
    columns: &[Lanes; D],
) -> [Lanes; GROUP] {
    let mut sums = [[0.0; LANES]; GROUP];
    for axis in 0..D {
        for q in 0..GROUP {
            for l in 0..LANES {
                sums[q][l] = madd::<FMA>(vectors[q][axis], columns[axis][l], sums[q][l]);
            }
        }
    }
    sums
}

/// Adds the vectors of a block to the sums of some queries, each with its weight.
#[inline(always)]
pub(crate) fn add<const FMA: bool, const D: usize>(
    sums: &mut [[f32; D]; GROUP],
    weights: &[Lanes; GROUP],
    rows: &[[f32; D]],
) {
    for l in 0..LANES {
        let row = rows[l];
        for q in 0..GROUP {
            for c in 0..D {
                sums[q][c] = madd::<FMA>(weights[q][l], row[c], sums[q][c]);
            }
        }
    }
}

/// The same the other way: adds the vectors of some queries to those of a block.
#[inline(always)]
fn spread<const FMA: bool, const D: usize>(
    rows: &mut [[f32; D]],
    weights: &[Lanes; GROUP],
    vectors: &[[f32; D]; GROUP],
) {
    for l in 0..LANES {
        // The compiler is not to see that the lanes are independent: it would make vectors of
        // them, gathered one by one, and not of the floats that lie side by side.
        let l = black_box(l) % LANES;
        let mut row = rows[l];
        for q in 0..GROUP {
            for c in 0..D {
                row[c] = madd::<FMA>(weights[q][l], vectors[q][c], row[c]);
            }
        }
        rows[l] = row;
    }
}

/// Puts in place of the scores of a group of queries the probabilities of the open keys, 0 for the
/// shut, and all 0 for a query to which nothing is open.
#[inline(always)]
pub(crate) fn softmax<const FMA: bool>(blocks: &[Wide], scores: &mut [Grouped<Lanes>]) {
    let mut most = [[f32::NEG_INFINITY; LANES]; GROUP];
    for (block, score) in blocks.iter().zip(scores.iter_mut()) {
        if !block.is_full() {
            shut(*block, score, f32::NEG_INFINITY);
        }
        for q in 0..GROUP {
            for l in 0..LANES {
                most[q][l] = if score[q][l] > most[q][l] { score[q][l] } else { most[q][l] };
            }
        }
    }
    let mut top = [f32::NEG_INFINITY; GROUP];
    for q in 0..GROUP {
        for l in 0..LANES {
            top[q] = if most[q][l] > top[q] { most[q][l] } else { top[q] };
        }
    }
    let mut total = [[0.0; LANES]; GROUP];
    for (block, score) in blocks.iter().zip(scores.iter_mut()) {
        for q in 0..GROUP {
            for l in 0..LANES {
                score[q][l] = exp::<FMA>(score[q][l] - top[q]);
            }
        }
        if !block.is_full() {
            shut(*block, score, 0.0);
        }
        for q in 0..GROUP {
            for l in 0..LANES {
                total[q][l] += score[q][l];
            }
        }
    }
    let mut share = [0.0; GROUP];
    for q in 0..GROUP {
        let total = fold(total[q]);
        share[q] = if total > 0.0 { 1.0 / total } else { 0.0 };
    }
    for score in scores {
        for q in 0..GROUP {
            for l in 0..LANES {
                score[q][l] *= share[q];
            }
        }
    }
}

/// Puts `value` where a key is shut.
#[inline(always)]
fn shut(block: Wide, scores: &mut Grouped<Lanes>, value: f32) {
    for q in 0..GROUP {
        for l in 0..LANES {
            scores[q][l] = if block.has(q, l) { scores[q][l] } else { value };
        }
    }
}

struct Forward<'a> {
    shape: Shape,
    qkv: &'a [f32],
    asked: &'a Asked,
    out: &'a mut [f32],
    probabilities: Option<&'a mut Vec<Grouped<Lanes>>>,
}

/// The queries of a group, scaled.
#[inline(always)]
fn queries<const D: usize>(
    qkv: &[f32],
    shape: Shape,
    text: usize,
    head: usize,
    group: View<'_>,
) -> Grouped<[f32; D]> {
    let scale = 1.0 / (D as f32).sqrt();
    let mut vectors = [[0.0; D]; GROUP];
    for q in 0..GROUP {
        let at = &qkv[shape.at::<D>(text, group.places[q] as usize, 0, head)..][..D];
        for c in 0..D {
            vectors[q][c] = at[c] * scale;
        }
    }
    vectors
}

struct ForwardOf<'a, const D: usize>(Forward<'a>);

impl<const D: usize> Kernel for ForwardOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Forward { shape, qkv, asked, out, mut probabilities } = self.0;
        let places = shape.blocks() * LANES;
        let (mut keys, mut vals) = (vec![[0.0; D]; places], vec![[0.0; D]; places]);
        let mut columns = vec![[[0.0; LANES]; D]; shape.blocks()];
        let mut scores: Vec<Grouped<Lanes>> = vec![[[0.0; LANES]; GROUP]; shape.blocks()];
        let (width, sharing) = (shape.heads.width(), shape.heads.sharing());
        for text in 0..shape.batch {
            for head in 0..shape.heads.queries {
                // Heads that share keys and values follow one another.
                if head % sharing == 0 {
                    gather(qkv, shape, text, 1, head / sharing, &mut keys);
                    gather(qkv, shape, text, 2, head / sharing, &mut vals);
                    transpose(&keys, &mut columns);
                }
                for group in asked.of(text) {
                    let vectors = queries::<D>(qkv, shape, text, head, group);
                    let scores = &mut scores[..group.blocks.len()];
                    for (block, score) in group.blocks.iter().zip(&mut *scores) {
                        *score = products::<FMA, D>(&vectors, &columns[block.number()]);
                    }
                    softmax::<FMA>(group.blocks, scores);
                    let mut sums = [[0.0; D]; GROUP];
                    for (block, weights) in group.blocks.iter().zip(&*scores) {
                        add::<FMA, D>(&mut sums, weights, &vals[block.first as usize..][..LANES]);
                    }
                    for (q, sum) in sums.iter().enumerate().take(group.queries) {
                        let begin = (group.row + q) * width + head * D;
                        out[begin..][..D].copy_from_slice(sum);
                    }
                    if let Some(all) = &mut probabilities {
                        all.extend_from_slice(scores);
                    }
                }
            }
        }
    }
}

struct Backward<'a> {
    shape: Shape,
    qkv: &'a [f32],
    asked: &'a Asked,
    probabilities: &'a [Grouped<Lanes>],
    grad: &'a [f32],
    out: &'a mut [f32],
}

struct BackwardOf<'a, const D: usize>(Backward<'a>);

impl<const D: usize> Kernel for BackwardOf<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Backward { shape, qkv, asked, mut probabilities, grad, out } = self.0;
        let scale = 1.0 / (D as f32).sqrt();
        let places = shape.blocks() * LANES;
        let (mut keys, mut vals) = (vec![[0.0; D]; places], vec![[0.0; D]; places]);
        let (mut dkeys, mut dvals) = (keys.clone(), vals.clone());
        let mut columns = vec![[[0.0; LANES]; D]; shape.blocks()];
        let mut slopes: Vec<Grouped<Lanes>> = vec![[[0.0; LANES]; GROUP]; shape.blocks()];
        let (width, sharing) = (shape.heads.width(), shape.heads.sharing());
        for text in 0..shape.batch {
            for head in 0..shape.heads.queries {
                let shared = head / sharing;
                if head % sharing == 0 {
                    gather(qkv, shape, text, 1, shared, &mut keys);
                    gather(qkv, shape, text, 2, shared, &mut vals);
                    transpose(&vals, &mut columns);
                    dkeys.fill([0.0; D]);
                    dvals.fill([0.0; D]);
                }
                for group in asked.of(text) {
                    let (shares, rest) = probabilities.split_at(group.blocks.len());
                    probabilities = rest;
                    let vectors = queries::<D>(qkv, shape, text, head, group);
                    // A query that fills the group up is pulled nowhere.
                    let mut pulls = [[0.0; D]; GROUP];
                    for (q, pull) in pulls.iter_mut().enumerate().take(group.queries) {
                        let begin = (group.row + q) * width + head * D;
                        pull.copy_from_slice(&grad[begin..][..D]);
                    }
                    let slopes = &mut slopes[..group.blocks.len()];
                    // d probability, then through the softmax d score.
                    let mut along = [[0.0; LANES]; GROUP];
                    for ((block, share), slope) in group.blocks.iter().zip(shares).zip(&mut *slopes)
                    {
                        *slope = products::<FMA, D>(&pulls, &columns[block.number()]);
                        for q in 0..GROUP {
                            for l in 0..LANES {
                                along[q][l] = madd::<FMA>(slope[q][l], share[q][l], along[q][l]);
                            }
                        }
                    }
                    let mut mean = [0.0; GROUP];
                    for q in 0..GROUP {
                        mean[q] = fold(along[q]);
                    }
                    let mut sums = [[0.0; D]; GROUP];
                    for ((block, share), slope) in group.blocks.iter().zip(shares).zip(&mut *slopes)
                    {
                        for q in 0..GROUP {
                            for l in 0..LANES {
                                slope[q][l] = (slope[q][l] - mean[q]) * share[q][l];
                            }
                        }
                        let first = block.first as usize;
                        add::<FMA, D>(&mut sums, slope, &keys[first..][..LANES]);
                        spread::<FMA, D>(&mut dkeys[first..][..LANES], slope, &vectors);
                        spread::<FMA, D>(&mut dvals[first..][..LANES], share, &pulls);
                    }
                    for (q, dquery) in sums.iter().enumerate().take(group.queries) {
                        let place = group.places[q] as usize;
                        let at = &mut out[shape.at::<D>(text, place, 0, head)..][..D];
                        for c in 0..D {
                            at[c] = dquery[c] * scale;
                        }
                    }
                }
                // The last of the heads that share them has added its part.
                if (head + 1) % sharing == 0 {
                    for place in 0..shape.time {
                        let [key, val] =
                            [1, 2].map(|part| shape.at::<D>(text, place, part, shared));
                        out[key..][..D].copy_from_slice(&dkeys[place]);
                        out[val..][..D].copy_from_slice(&dvals[place]);
                    }
                }
            }
        }
    }
}
