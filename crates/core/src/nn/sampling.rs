//! Choosing a token from the scores of the vocabulary, on the host.
//!
//! The draw comes from a generator of the row's own, never from the device's. The log-probability
//! handed back is that of the full softmax at temperature 1, whatever was cut away for the draw:
//! it is what training computes again.

use archer_kernels::log_prob;

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
        let mut weights = vec![0.0; logits.len()];
        let powers = log_prob::powers(logits, &mut weights);
        let (max, sum) = (powers.most, f64::from(powers.sum));
        let log_sum = sum.ln();
        let token = if self.temperature == 0.0 {
            logits.iter().position(|&logit| logit == max).unwrap_or(0)
        } else if self.temperature == 1.0 && self.top_k == 0 && self.top_p >= 1.0 {
            // The softmax just computed is the one to draw from.
            pick(weights.iter().map(|&w| f64::from(w)).enumerate(), rng::unit(rng) * sum)
        } else {
            self.draw(logits, max, rng)
        };
        Choice {
            token: token as u32,
            log_prob: (f64::from(logits[token] - max) - log_sum) as f32,
            entropy: (log_sum - f64::from(powers.tilted) / sum) as f32,
        }
    }

    /// Chooses a token when `tried` and `rank` others were drawn already and put aside: a draw
    /// without replacement from the tokens that [`choose`](Self::choose) may give (by the largest
    /// of scores with Gumbel noise, arXiv:1903.06059), and at temperature 0 the next likeliest.
    /// Equal generators give one order for all ranks. Where no further token is left it is the last.
    pub fn choose_other(
        &self,
        logits: &[f32],
        rng: &mut ChaCha8Rng,
        tried: u32,
        rank: usize,
    ) -> Choice {
        let first = Self::greedy().choose(logits, rng);
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut order = match self.temperature {
            0.0 => by_score(logits),
            _ => self.open(logits, max).into_iter().map(|(id, _)| id).collect(),
        };
        order.retain(|&id| id != tried as usize);
        if self.temperature > 0.0 {
            let mut noisy: Vec<(f64, usize)> = Vec::with_capacity(order.len());
            for id in order {
                let gumbel = -(-rng::unit(rng).max(f64::MIN_POSITIVE).ln()).ln();
                noisy.push((f64::from(logits[id] - max) / self.temperature + gumbel, id));
            }
            noisy.sort_by(|a, b| b.0.total_cmp(&a.0));
            order = noisy.into_iter().map(|(_, id)| id).collect();
        }
        let last = order.len().saturating_sub(1);
        let token = order.get(rank.min(last)).map_or(tried, |&id| id as u32);
        let log_prob = first.log_prob + logits[token as usize] - logits[first.token as usize];
        Choice { token, log_prob, entropy: first.entropy }
    }

    fn draw(&self, logits: &[f32], max: f32, rng: &mut ChaCha8Rng) -> usize {
        let unit = rng::unit(rng);
        let open = self.open(logits, max);
        let total: f64 = open.iter().map(|(_, weight)| weight).sum();
        pick(open.into_iter(), unit * total)
    }

    /// The tokens that may be drawn, with their weights, for a temperature above 0.
    fn open(&self, logits: &[f32], max: f32) -> Vec<(usize, f64)> {
        let weigh = |id: usize| (id, (f64::from(logits[id] - max) / self.temperature).exp());
        if self.top_k == 0 && self.top_p >= 1.0 {
            return (0..logits.len()).map(weigh).collect();
        }
        let mut open: Vec<(usize, f64)> = by_score(logits).into_iter().map(weigh).collect();
        if self.top_k > 0 {
            open.truncate(self.top_k);
        }
        let total: f64 = open.iter().map(|(_, weight)| weight).sum();
        let mut kept = 0.0;
        let mut count = 0;
        for (_, weight) in &open {
            kept += weight;
            count += 1;
            if kept >= self.top_p * total {
                break;
            }
        }
        open.truncate(count);
        open
    }
}

/// All tokens, the likeliest first.
fn by_score(logits: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
    order
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
        let mut counts = [0f64; 4];
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
    fn other_tokens_are_drawn_without_replacement() {
        let sampler = Sampler { temperature: 1.0, top_k: 3, top_p: 1.0 };
        let mut rng = stream(5, "sampling", 0);
        let mut counts = [0f64; 4];
        for _ in 0..20_000 {
            let order: Vec<u32> = (0..3)
                .map(|rank| sampler.choose_other(&LOGITS, &mut rng.clone(), 1, rank).token)
                .collect();
            // Two are left without the one that was tried, and beyond them the last again.
            assert!(order[0] != order[1] && order[1] == order[2] && !order.contains(&1));
            counts[sampler.choose_other(&LOGITS, &mut rng, 1, 0).token as usize] += 1.0 / 20_000.0;
        }
        // 1 and e, over 1 + e.
        for (share, want) in counts.iter().zip([0.2689, 0.0, 0.7311, 0.0]) {
            assert!((share - want).abs() < 0.015, "{counts:?}");
        }
        let greedy = |rank| Sampler::greedy().choose_other(&LOGITS, &mut stream(1, "", 0), 1, rank);
        assert_eq!([greedy(0).token, greedy(1).token, greedy(2).token], [2, 0, 3]);
        // Of the same softmax as any choice: 1 less than that of the likeliest.
        assert!((greedy(0).log_prob + 1.407_606).abs() < 1e-5);
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
