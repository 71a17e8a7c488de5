//! Log-probabilities of chosen tokens from hidden states, without a softmax that is kept.
//!
//! The scores of the vocabulary are the largest thing that a small model computes. They are made
//! for some rows at a time; what stays of each row is its log-probability and the normaliser. The
//! backward pass makes the scores again, unless they were so few that they were kept.

use std::sync::Arc;

use burn::backend::TensorMetadata;

use super::LANES;
use super::op::{Op, Raw, in_order, matmul, tensor, values, values_mut, whole};
use super::simd::{Kernel, dispatch, exp, fold, max};

/// `log softmax(hidden · tableᵀ)` at one token for each row; inputs `hidden` `[n, width]` and
/// `table` `[vocab, width]`, output `[n]`.
#[derive(Debug)]
pub struct LogProb {
    /// The token of each row.
    pub targets: Arc<[u32]>,
}

/// What the backward pass needs.
#[derive(Debug, Clone)]
pub struct Kept {
    hidden: Raw,
    table: Raw,
    targets: Arc<[u32]>,
    /// `log Σ e^score` of each row.
    normalisers: Arc<Vec<f32>>,
    /// The scores, part by part, where there was room.
    scores: Vec<Raw>,
}

/// Floats of scores that are kept for the backward pass: 16 MiB.
const ROOM: usize = 4 << 20;

/// Rows whose scores are made at a time.
fn part_rows(vocab: usize) -> usize {
    // Small enough for a processor's second cache, large enough for a good matrix product.
    (256 * 1024 / vocab.max(1)).clamp(256, 2048)
}

impl Op<2> for LogProb {
    type Kept = Kept;

    fn forward(self, [hidden, table]: [Raw; 2], keep: bool) -> (Raw, Option<Kept>) {
        let hidden = in_order(hidden);
        let (n, vocab) = (hidden.shape()[0], table.shape()[0]);
        let mut log_probs = vec![0.0; n];
        let mut normalisers = vec![0.0; n];
        let (part, room) = (part_rows(vocab), keep && n * vocab <= ROOM);
        let mut scores = Vec::new();
        for begin in (0..n).step_by(part) {
            let rows = part.min(n - begin);
            let made = matmul(hidden.narrow(0, begin, rows), table.transpose(0, 1));
            dispatch(Forward {
                scores: values(&made),
                vocab,
                targets: &self.targets[begin..][..rows],
                log_probs: &mut log_probs[begin..][..rows],
                normalisers: &mut normalisers[begin..][..rows],
            });
            if room {
                scores.push(made);
            }
        }
        let kept = keep.then(|| Kept {
            hidden,
            table,
            targets: self.targets,
            normalisers: Arc::new(normalisers),
            scores,
        });
        (tensor(log_probs, [n]), kept)
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
        let grad = in_order(grad);
        let (n, vocab) = (kept.hidden.shape()[0], kept.table.shape()[0]);
        let width = kept.table.shape()[1];
        let part = part_rows(vocab);
        let mut dhidden = Vec::with_capacity(if wanted[0] { n * width } else { 0 });
        let mut dtable: Option<Raw> = None;
        let mut scores = kept.scores.into_iter();
        for begin in (0..n).step_by(part) {
            let rows = part.min(n - begin);
            let hidden = kept.hidden.narrow(0, begin, rows);
            let made =
                scores.next().unwrap_or_else(|| matmul(hidden.clone(), kept.table.transpose(0, 1)));
            let mut made = whole(made);
            dispatch(Backward {
                scores: values_mut(&mut made),
                vocab,
                targets: &kept.targets[begin..][..rows],
                normalisers: &kept.normalisers[begin..][..rows],
                grad: &values(&grad)[begin..][..rows],
            });
            if wanted[0] {
                dhidden.extend_from_slice(values(&matmul(made.clone(), kept.table.clone())));
            }
            if wanted[1] {
                let more = matmul(made.transpose(0, 1), hidden);
                match &mut dtable {
                    None => dtable = Some(more),
                    Some(sum) => dispatch(Add { sum: values_mut(sum), more: values(&more) }),
                }
            }
        }
        [wanted[0].then(|| tensor(dhidden, [n, width])), dtable]
    }
}

struct Forward<'a> {
    scores: &'a [f32],
    vocab: usize,
    targets: &'a [u32],
    log_probs: &'a mut [f32],
    normalisers: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (row, scores) in self.scores.chunks_exact(self.vocab).enumerate() {
            let most = max(scores);
            self.normalisers[row] = most + exp_sum::<FMA>(scores, most).ln();
            self.log_probs[row] = scores[self.targets[row] as usize] - self.normalisers[row];
        }
    }
}

#[inline(always)]
fn exp_sum<const FMA: bool>(scores: &[f32], most: f32) -> f32 {
    let (whole, rest) = scores.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in whole {
        for l in 0..LANES {
            lanes[l] += exp::<FMA>(chunk[l] - most);
        }
    }
    fold(lanes) + rest.iter().map(|&x| exp::<FMA>(x - most)).sum::<f32>()
}

struct Backward<'a> {
    scores: &'a mut [f32],
    vocab: usize,
    targets: &'a [u32],
    normalisers: &'a [f32],
    grad: &'a [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (row, scores) in self.scores.chunks_exact_mut(self.vocab).enumerate() {
            let (normaliser, grad) = (self.normalisers[row], self.grad[row]);
            for score in &mut *scores {
                *score = -grad * exp::<FMA>(*score - normaliser);
            }
            scores[self.targets[row] as usize] += grad;
        }
    }
}

struct Add<'a> {
    sum: &'a mut [f32],
    more: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (sum, more) in self.sum.iter_mut().zip(self.more) {
            *sum += more;
        }
    }
}
