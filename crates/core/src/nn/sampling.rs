//! Choosing a token from the scores of the vocabulary, on the host.
//!
//! The draw comes from a generator of the row's own, never from the device's. The log-probability
//! handed back is that of the full softmax at temperature 1, whatever was cut away for the draw:
//! it is what training computes again.

use crate::rng::{self, ChaCha8Rng};

/// How to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    /// Divides the scores; 0 takes the likeliest token.
    pub temperature: f64,
    /// Only the k likeliest; 0 for all.
    pub top_k: usize,
    /// Only the likeliest that together reach this probability; 1 for all.
    pub top_p: f64,
}

/// A token and what is known of the distribution it came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: u32,
    /// Its log-probability under the full softmax at temperature 1.
    pub log_prob: f32,
    /// Entropy of that softmax in nats.
    pub entropy: f32,
}

impl Sampler {
    /// Always the likeliest token, the first of equals.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0 }
    }

    /// Chooses a token by its scores, of which there must be at least one.
    pub fn choose(&self, logits: &[f32], rng: &mut ChaCha8Rng) -> Choice {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shifted = |&logit: &f32| f64::from(logit - max);
        let weights: Vec<f64> = logits.iter().map(|logit| shifted(logit).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let weighted: f64 = weights.iter().zip(logits).map(|(w, logit)| w * shifted(logit)).sum();
        let log_sum = sum.ln();
        let token = if self.temperature == 0.0 {
            logits.iter().position(|&logit| logit == max).unwrap_or(0)
        } else if self.temperature == 1.0 && self.top_k == 0 && self.top_p >= 1.0 {
            // The softmax just computed is the one to draw from.
            pick(weights.iter().copied().enumerate(), rng::unit(rng) * sum)
        } else {
            self.draw(logits, max, rng)
        };
        Choice {
            token: token as u32,
            log_prob: (f64::from(logits[token] - max) - log_sum) as f32,
            entropy: (log_sum - weighted / sum) as f32,
        }
    }

    fn draw(&self, logits: &[f32], max: f32, rng: &mut ChaCha8Rng) -> usize {
        let weight = |id: usize| (f64::from(logits[id] - max) / self.temperature).exp();
        let unit = rng::unit(rng);
        if self.top_k == 0 && self.top_p >= 1.0 {
            let total: f64 = (0..logits.len()).map(weight).sum();
            return pick((0..logits.len()).map(|id| (id, weight(id))), unit * total);
        }
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        if self.top_k > 0 {
            order.truncate(self.top_k);
        }
        let total: f64 = order.iter().map(|&id| weight(id)).sum();
        let mut kept = 0.0;
        let mut count = 0;
        for &id in &order {
            kept += weight(id);
            count += 1;
            if kept >= self.top_p * total {
                break;
            }
        }
        order.truncate(count);
        pick(order.iter().map(|&id| (id, weight(id))), unit * kept)
    }
}

/// The first item at which the running sum of weights passes `mark`.
fn pick(weights: impl Iterator<Item = (usize, f64)>, mark: f64) -> usize {
    let mut left = mark;
    let mut last = 0;
    for (id, weight) in weights {
        if weight > 0.0 {
            last = id;
        }
        left -= weight;
        if left < 0.0 {
            return id;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    const LOGITS: [f32; 4] = [0.0, 2.0, 1.0, -50.0];

    fn shares(sampler: &Sampler) -> [f64; 4] {
        let mut rng = stream(3, "sampling", 0);
        let mut counts = [0.0; 4];
        for _ in 0..20_000 {
            counts[sampler.choose(&LOGITS, &mut rng).token as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_likeliest_and_says_its_log_probability() {
        let choice = Sampler::greedy().choose(&LOGITS, &mut stream(1, "", 0));
        assert_eq!(choice.token, 1);
        // ln(e^2 / (1 + e^2 + e)) by hand.
        assert!((choice.log_prob + 0.407_606).abs() < 1e-5, "{}", choice.log_prob);
        // -(0.0900 ln 0.0900 + 0.6652 ln 0.6652 + 0.2447 ln 0.2447)
        assert!((choice.entropy - 0.832_396).abs() < 1e-4, "{}", choice.entropy);
    }

    #[test]
    fn draws_follow_the_softmax() {
        let shares = shares(&Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 });
        for (share, want) in shares.iter().zip([0.0900, 0.6652, 0.2447, 0.0]) {
            assert!((share - want).abs() < 0.015, "{shares:?}");
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let top_k = shares(&Sampler { temperature: 1.0, top_k: 2, top_p: 1.0 });
        assert_eq!((top_k[0], top_k[3]), (0.0, 0.0));
        assert!((top_k[1] - 0.7311).abs() < 0.015);
        let top_p = shares(&Sampler { temperature: 1.0, top_k: 0, top_p: 0.6 });
        assert!(top_p[1] > 0.999 && top_p[0] + top_p[2] + top_p[3] == 0.0, "{top_p:?}");
    }

    #[test]
    fn a_low_temperature_sharpens() {
        let shares = shares(&Sampler { temperature: 0.1, top_k: 0, top_p: 1.0 });
        assert!(shares[1] > 0.99);
    }
}
