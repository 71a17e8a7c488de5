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

/// What a softmax over one row of scores is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// `e^(score - most)` of each, 0 where that is less than a float can be.
    pub weights: Vec<f32>,
    /// The greatest score.
    pub most: f32,
    /// The sum of the weights.
    pub sum: f32,
    /// The sum of weights, each times `score - most`.
    pub weighted: f32,
}

/// The weights of a softmax over one row of scores.
pub fn weigh(scores: &[f32]) -> Weights {
    let mut weights = scores.to_vec();
    let most = max(scores);
    let [sum, weighted] = dispatch(Weigh { scores: &mut weights, most });
    Weights { weights, most, sum, weighted }
}

struct Weigh<'a> {
    scores: &'a mut [f32],
    most: f32,
}

impl Kernel for Weigh<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn run<const FMA: bool>(self) -> [f32; 2] {
        let mut sums = [[0.0; LANES]; 2];
        let (whole, rest) = self.scores.as_chunks_mut::<LANES>();
        for scores in whole {
            for l in 0..LANES {
                let [weight, weighted] = weight::<FMA>(scores[l] - self.most);
                scores[l] = weight;
                sums[0][l] += weight;
                sums[1][l] += weighted;
            }
        }
        let mut sums = sums.map(fold);
        for score in rest {
            let [weight, weighted] = weight::<FMA>(*score - self.most);
            *score = weight;
            sums[0] += weight;
            sums[1] += weighted;
        }
        sums
    }
}

/// `e^x` of an `x` that is at most 0, and that times `x`.
#[inline(always)]
fn weight<const FMA: bool>(x: f32) -> [f32; 2] {
    const LEAST: f32 = -87.0;
    let power = exp::<FMA>(x);
    [if x < LEAST { 0.0 } else { power }, if x < LEAST { 0.0 } else { power * x }]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_powers_of_e_and_nothing_far_below() {
        let scores: Vec<f32> = (0..37).map(|i| (i % 9) as f32 - 3.0).collect();
        let found = weigh(&scores);
        assert_eq!(found.most, 5.0);
        let exact = |score: &f32| f64::from(score - 5.0).exp();
        for (score, weight) in scores.iter().zip(&found.weights) {
            assert!((f64::from(*weight) / exact(score) - 1.0).abs() < 1e-6, "{score}: {weight}");
        }
        let sum: f64 = scores.iter().map(exact).sum();
        let weighted: f64 = scores.iter().map(|s| exact(s) * f64::from(s - 5.0)).sum();
        assert!((f64::from(found.sum) / sum - 1.0).abs() < 1e-6);
        assert!((f64::from(found.weighted) / weighted - 1.0).abs() < 1e-6);
        let far = weigh(&[2.0, f32::NEG_INFINITY, -90.0]);
        assert_eq!((far.weights, far.sum, far.weighted), (vec![1.0, 0.0, 0.0], 1.0, 0.0));
    }
}
