//! Choosing a token from the scores of the vocabulary, on the host.
//!
//! The draw comes from a generator of the row's own, never from the device's. The log-probability
//! handed back is that of the full softmax at temperature 1, whatever was cut away for the draw:
//! it is what training computes again.

use archer_kernels::log_prob::{Weights, weigh};

use super::layers::SHUT;
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
        let softmax = weigh(logits);
        let token = if self.temperature == 0.0 {
            logits.iter().position(|&logit| logit == softmax.most).unwrap_or(0)
        } else {
            let unit = rng::unit(rng);
            self.draw(logits, &softmax, unit)
        };
        let [sum, weighted] = [softmax.sum, softmax.weighted].map(f64::from);
        let log_sum = sum.ln();
        Choice {
            token: token as u32,
            log_prob: (f64::from(logits[token] - softmax.most) - log_sum) as f32,
            entropy: (log_sum - weighted / sum) as f32,
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
        let mut order = match self.temperature {
            0.0 => keyed(logits, (0..logits.len()).filter(|&id| is_open(logits[id]))),
            _ => {
                let open = self.open(logits, &weigh(logits)).0;
                let mut noisy = keyed(logits, open.into_iter().map(|(id, _)| id));
                for (score, _) in &mut noisy {
                    let gumbel = -(-rng::unit(rng).max(f64::MIN_POSITIVE).ln()).ln();
                    *score = *score / self.temperature + gumbel;
                }
                noisy
            }
        };
        order.retain(|&(_, id)| id != tried as usize);
        sort(&mut order);
        let last = order.len().saturating_sub(1);
        let token = order.get(rank.min(last)).map_or(tried, |&(_, id)| id as u32);
        let log_prob = first.log_prob + logits[token as usize] - logits[first.token as usize];
        Choice { token, log_prob, entropy: first.entropy }
    }

    /// The token at which the share `unit` of the weights is reached.
    fn draw(&self, logits: &[f32], softmax: &Weights, unit: f64) -> usize {
        if self.temperature == 1.0 && self.top_k == 0 && self.top_p >= 1.0 {
            let weights = softmax.weights.iter().map(|&weight| f64::from(weight)).enumerate();
            let weights = weights.filter(|&(id, _)| is_open(logits[id]));
            return pick(weights, unit * f64::from(softmax.sum));
        }
        let (open, total) = self.open(logits, softmax);
        pick(open.into_iter(), unit * total)
    }

    /// The tokens that may be drawn, with their weights and the sum of those, for a temperature above
    /// 0; `softmax` is that of the scores at temperature 1.
    fn open(&self, logits: &[f32], softmax: &Weights) -> (Vec<(usize, f64)>, f64) {
        let tempered = (self.temperature != 1.0).then(|| {
            let share = ((1.0 / self.temperature) as f32).min(f32::MAX);
            let below = logits.iter().map(|logit| (logit - softmax.most) * share);
            weigh(&below.collect::<Vec<f32>>())
        });
        let Weights { weights, sum, .. } = tempered.as_ref().unwrap_or(softmax);
        let weight = |id: usize| f64::from(weights[id]);
        if self.top_k == 0 && self.top_p >= 1.0 {
            let open = (0..logits.len()).filter(|&id| is_open(logits[id]));
            return (open.map(|id| (id, weight(id))).collect(), f64::from(*sum));
        }
        // To sort them all would be the dearest part of a draw. If each of some tokens were as small
        // as this, all together would be less than what `top_p` leaves out.
        let floor = match self.top_k {
            0 => 0.5 * (1.0 - self.top_p) * f64::from(*sum) / weights.len() as f64,
            _ => -1.0,
        };
        let open = |&id: &usize| weight(id) > floor && is_open(logits[id]);
        let mut order = keyed(logits, (0..logits.len()).filter(open));
        sort(&mut order);
        let mut total = f64::from(*sum);
        if self.top_k > 0 {
            order.truncate(self.top_k);
            total = order.iter().map(|&(_, id)| weight(id)).sum();
        }
        let (mut open, mut kept) = (Vec::new(), 0.0);
        for (_, id) in order {
            open.push((id, weight(id)));
            kept += weight(id);
            if kept >= self.top_p * total {
                break;
            }
        }
        (open, kept)
    }
}

/// Whether a score is that of something that may come at all: the weight of what may not is small, and
/// yet not 0.
fn is_open(score: f32) -> bool {
    score > 0.5 * SHUT
}

/// Some tokens with their scores.
fn keyed(logits: &[f32], ids: impl Iterator<Item = usize>) -> Vec<(f64, usize)> {
    ids.map(|id| (f64::from(logits[id]), id)).collect()
}

/// The greatest first, of equals the first token.
fn sort(order: &mut [(f64, usize)]) {
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
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

    /// The likeliest, as a sort of all of them says, whatever was left out before sorting.
    #[test]
    fn what_may_be_drawn_are_the_likeliest() {
        let mut rng = stream(4, "sampling", 0);
        for case in 0..200 {
            let spread = [0.1, 1.0, 4.0, 20.0][case % 4];
            let logits: Vec<f32> =
                (0..100).map(|_| (rng::normal(&mut rng) * spread) as f32).collect();
            let top_p = [0.3, 0.9, 0.97, 0.999_999][case / 4 % 4];
            let top_k = [0, 0, 7, 300][case / 16 % 4];
            let temperature = [1.0, 0.7][case / 64 % 2];
            let mut sorted: Vec<usize> = (0..100).collect();
            sorted.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            sorted.truncate(if top_k == 0 { 100 } else { top_k });
            let weight =
                |&id: &usize| (f64::from(logits[id] - logits[sorted[0]]) / temperature).exp();
            let total: f64 = sorted.iter().map(weight).sum();
            let (open, sum) = Sampler { temperature, top_k, top_p }.open(&logits, &weigh(&logits));
            let ids: Vec<usize> = open.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, sorted[..ids.len()], "case {case}");
            // As many as it takes, and not one more.
            let kept: f64 = sorted[..ids.len()].iter().map(weight).sum();
            let before = kept - weight(&sorted[ids.len() - 1]);
            assert!(kept / total > top_p - 1e-6, "case {case}: {kept} of {total}");
            assert!(before / total < top_p + 1e-6, "case {case}: {before} of {total}");
            assert!((sum / kept - 1.0).abs() < 1e-5, "case {case}");
        }
    }

    #[test]
    fn a_low_temperature_sharpens() {
        let shares = shares(&Sampler { temperature: 0.1, top_k: 0, top_p: 1.0 });
        assert!(shares[1] > 0.99);
    }
}
