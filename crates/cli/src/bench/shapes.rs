//! The three sizes of networks that are timed, and the floating-point work in them.
//!
//! Work is counted as it must be done at least: multiplications and additions of the matrix
//! products, attention over the tokens that may be looked at, a backward pass twice a forward one.

use archer::nn::causal_lm::{CausalLmConfig, Layout};
use archer::nn::encoder::EncoderConfig;

/// A size of actor and critic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 4 layers, width 128.
    S,
    /// 6 layers, width 256.
    M,
    /// GPT-2 small.
    G,
}

/// All of them, the smallest first.
pub const ALL: [Size; 3] = [Size::S, Size::M, Size::G];

impl Size {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Size::S => "S",
            Size::M => "M",
            Size::G => "G",
        }
    }

    /// The actor's shape, for texts of up to `positions` tokens.
    pub fn actor(self, positions: usize) -> CausalLmConfig {
        let (layers, width, heads, vocab_size) = match self {
            Size::S => (4, 128, 4, 1024),
            Size::M => (6, 256, 8, 4096),
            Size::G => (12, 768, 12, 50257),
        };
        CausalLmConfig {
            layers,
            width,
            heads,
            positions,
            vocab_size,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        }
    }

    /// The critic's shape, in the reference's form.
    pub fn critic(self, positions: usize) -> EncoderConfig {
        let CausalLmConfig { layers, width, heads, vocab_size, .. } = self.actor(positions);
        EncoderConfig {
            layers,
            width,
            heads,
            feed_forward: 4 * width,
            positions,
            first_position: 2,
            vocab_size,
            token_types: 1,
            layer_norm_epsilon: 1e-5,
        }
    }

    /// Work of a forward pass over `rows` texts of `time` tokens each, without the output layer;
    /// a token looks at `seen` others on average.
    pub fn forward(self, rows: usize, time: usize, seen: f64) -> f64 {
        let shape = self.actor(1);
        let (layers, width) = (shape.layers as f64, shape.width as f64);
        (rows * time) as f64 * layers * (24.0 * width * width + 4.0 * width * seen)
    }

    /// Work of the scores of the vocabulary at `rows` places.
    pub fn logits(self, rows: usize) -> f64 {
        let shape = self.actor(1);
        2.0 * (rows * shape.width * shape.vocab_size) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_by_hand() {
        // 4 layers of 12 · 128² weights, twice for multiplication and addition, and 4 · 128 · 10.
        assert_eq!(Size::S.forward(1, 1, 10.0), 4.0 * (2.0 * 12.0 * 16384.0 + 5120.0));
        assert_eq!(Size::S.logits(2), 2.0 * 2.0 * 128.0 * 1024.0);
    }
}
