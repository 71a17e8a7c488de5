//! A fresh model that can look back one token from the first step on.
//!
//! What a reply means depends on the utterance before it, so a model of dialogue must first learn
//! to bring the two together: a head that attends from each token to the one before. Drawn at
//! random, small models need a thousand steps on a plateau to find it (docs/LOG.md). Here
//! some heads of the first block begin as such heads, in the layout of GPT-2 and as ordinary
//! weights that learning may change. Positions begin as sines, in which a step back is a rotation;
//! the head's queries are rotated back and its keys are not.

use std::f64::consts::PI;

use crate::nn::causal_lm::CausalLmConfig;
use crate::nn::layers::init_std;

/// The highest frequency, in radians a token; neighbours are then clearly apart.
const FASTEST: f64 = PI / 1.5;
/// The lowest; its wave is longer than a game.
const SLOWEST: f64 = FASTEST / 150.0;

/// Which heads look back, and the waves they know positions by.
pub(super) struct PreviousTokenHeads {
    width: usize,
    heads: usize,
    /// Heads that look back: the first by one token, the second by two, and so on.
    looking: usize,
    /// Radians a token; dimension 2f of a position holds the cosine and 2f + 1 the sine.
    waves: Vec<f64>,
}

impl PreviousTokenHeads {
    /// Half of the heads look back; none where a head is too narrow for two waves.
    pub(super) fn new(config: &CausalLmConfig) -> Self {
        let waves = (config.width / config.heads / 2).min(16);
        let looking = if waves < 2 { 0 } else { config.heads / 2 };
        let ratio = SLOWEST / FASTEST;
        let wave = |f: usize| FASTEST * ratio.powf(f as f64 / (waves - 1) as f64);
        let waves = if looking > 0 { (0..waves).map(wave).collect() } else { Vec::new() };
        Self { width: config.width, heads: config.heads, looking, waves }
    }

    /// Writes waves over a drawn table of positions, `[positions, width]`; they are as long as a
    /// token's vector on average.
    pub(super) fn positions(&self, table: &mut [f32]) {
        if self.waves.is_empty() {
            return;
        }
        let height = init_std(self.width) * (self.width as f64 / self.waves.len() as f64).sqrt();
        for (position, row) in table.chunks_exact_mut(self.width).enumerate() {
            row.fill(0.0);
            for (f, wave) in self.waves.iter().enumerate() {
                let (sin, cos) = (wave * position as f64).sin_cos();
                row[2 * f] = (height * cos) as f32;
                row[2 * f + 1] = (height * sin) as f32;
            }
        }
    }

    /// Writes queries and keys of the heads over the drawn projection of the first block,
    /// `[width, 3 · width]`.
    pub(super) fn heads(&self, qkv: &mut [f32]) {
        let (width, d) = (self.width, self.width / self.heads);
        for head in 0..self.looking {
            let [query, key] = [0, 1].map(|part| part * width + head * d);
            for row in qkv.chunks_exact_mut(3 * width) {
                row[query..query + d].fill(0.0);
                row[key..key + d].fill(0.0);
            }
            let mut set = |from: usize, to: usize, weight: f64| {
                qkv[from * 3 * width + to] = weight as f32;
            };
            for (f, wave) in self.waves.iter().enumerate() {
                let (sin, cos) = (wave * (head + 1) as f64).sin_cos();
                let (cosine, sine) = (2 * f, 2 * f + 1);
                // The wave at `position − back`, from the wave at `position`.
                set(cosine, query + cosine, cos);
                set(sine, query + cosine, sin);
                set(cosine, query + sine, -sin);
                set(sine, query + sine, cos);
                set(cosine, key + cosine, 1.0);
                set(sine, key + sine, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::causal_lm::Layout;

    /// The scores of a looking head, from the definition of attention, must be highest at the
    /// place it looks at, for every position of a game.
    #[test]
    fn a_head_scores_the_token_it_looks_at_highest() {
        let config = CausalLmConfig {
            layers: 1,
            width: 48,
            heads: 4,
            positions: 200,
            vocab_size: 10,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let look = PreviousTokenHeads::new(&config);
        let (mut table, mut qkv) = (vec![0.5; 200 * 48], vec![0.5; 48 * 144]);
        look.positions(&mut table);
        look.heads(&mut qkv);
        let vector = |position: usize, first: usize| -> Vec<f32> {
            let row = &table[position * 48..][..48];
            let column = |to: usize| (0..48).map(|from| row[from] * qkv[from * 144 + to]).sum();
            (first..first + 12).map(column).collect()
        };
        for head in 0..2 {
            for position in [head + 1, 10, 57, 120, 199] {
                let query = vector(position, head * 12);
                let score = |at: usize| -> f32 {
                    vector(at, 48 + head * 12).iter().zip(&query).map(|(k, q)| k * q).sum()
                };
                let best = (0..=position).max_by(|&a, &b| score(a).total_cmp(&score(b)));
                assert_eq!(best, Some(position - head - 1), "head {head} at {position}");
            }
        }
        assert!(qkv[24..48].iter().all(|&weight| weight == 0.5), "other heads stay as drawn");
    }
}
