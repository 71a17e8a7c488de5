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

/// What a softmax is made of, with the powers of e themselves.
#[derive(Debug, Clone, Copy)]
pub struct Powers {
    /// The greatest score.
    pub most: f32,
    /// `Σ e^(score − most)`.
    pub sum: f32,
    /// `Σ (score − most) e^(score − most)`.
    pub tilted: f32,
}

/// `e^(score − most)` of each score, into `powers`, which is as long.
pub fn powers(scores: &[f32], powers: &mut [f32]) -> Powers {
    dispatch(PowersOf { scores, powers })
}

struct PowersOf<'a> {
    scores: &'a [f32],
    powers: &'a mut [f32],
}

impl Kernel for PowersOf<'_> {
    type Output = Powers;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> Powers {
        let most = max(self.scores);
        let (whole, rest) = self.scores.as_chunks::<LANES>();
        let (powers, rest_powers) = self.powers.as_chunks_mut::<LANES>();
        let (mut sums, mut tilts) = ([0.0; LANES], [0.0; LANES]);
        for (scores, powers) in whole.iter().zip(powers) {
            for l in 0..LANES {
                let shifted = scores[l] - most;
                powers[l] = exp::<FMA>(shifted);
                sums[l] += powers[l];
                tilts[l] += shifted * powers[l];
            }
        }
        let (mut sum, mut tilted) = (fold(sums), fold(tilts));
        for (score, power) in rest.iter().zip(rest_powers) {
            *power = exp::<FMA>(score - most);
            sum += *power;
            tilted += (score - most) * *power;
        }
        Powers { most, sum, tilted }
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
