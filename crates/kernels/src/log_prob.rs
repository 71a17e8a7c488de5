//! Log-probabilities of chosen tokens from scores, and back.
//!
//! Scores are `[n, vocab]` row by row; everything else has one entry a row.

use crate::LANES;
use crate::simd::{Kernel, dispatch, exp, fold, max};

/// `log softmax` of each row at its target, and its normaliser `log Σ e^score`.
pub fn forward(scores: &[f32], targets: &[u32], log_probs: &mut [f32], normalisers: &mut [f32]) {
    let vocab = scores.len() / targets.len().max(1);
    dispatch(Forward { scores, vocab, targets, log_probs, normalisers });
}

/// Puts in place of the scores their gradient from that of the log-probabilities.
pub fn backward(scores: &mut [f32], targets: &[u32], normalisers: &[f32], grad: &[f32]) {
    let vocab = scores.len() / targets.len().max(1);
    dispatch(Backward { scores, vocab, targets, normalisers, grad });
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
