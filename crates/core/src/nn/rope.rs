//! Positions as rotations: the angle of each pair of a head's axes grows with the position.
//!
//! Axis `i` is paired with axis `i + d/2` (half-split, as in Hugging Face's files). Longer texts than a
//! model was first trained on are read by slower rotations, of which four forms are in use.

use std::f64::consts::TAU;

use burn::tensor::{Int, Tensor, TensorData};

/// How fast the pairs turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// θ: pair `i` of `d/2` turns by `θ^(−2i/d)` radians a token.
    pub theta: f64,
    /// What slows them down.
    pub scaling: Scaling,
}

/// What slows the rotations down.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// Nothing.
    None,
    /// All of them, by the same factor (Chen et al., arXiv:2306.15595).
    Linear {
        /// Above 0.
        factor: f64,
    },
    /// The slow ones, with a smooth passage (Llama 3.1).
    Llama3 {
        /// By which the slow ones are slowed down.
        factor: f64,
        /// A pair that turns fewer times than this in `original` tokens is slow.
        low: f64,
        /// One that turns more often is fast, and stays as it is.
        high: f64,
        /// Tokens of the texts first trained on.
        original: f64,
    },
    /// The slow ones by a ramp over the pairs, and scores scaled up (Peng et al., YaRN, arXiv:2309.00071).
    Yarn {
        /// By which the slow ones are slowed down.
        factor: f64,
        /// Turns in `original` tokens above which a pair stays as it is.
        fast: f64,
        /// Turns in `original` tokens below which a pair is slowed down fully.
        slow: f64,
        /// Tokens of the texts first trained on.
        original: f64,
        /// By which sines and cosines are multiplied.
        attention: f64,
        /// Whether the ramp begins and ends at whole pairs.
        whole: bool,
    },
}

impl Rope {
    /// Radians a token of each of `d/2` pairs.
    pub fn speeds(&self, d: usize) -> Vec<f64> {
        let pairs = d / 2;
        let plain = (0..pairs).map(|i| self.theta.powf(-((2 * i) as f64) / d as f64));
        match self.scaling {
            Scaling::None => plain.collect(),
            Scaling::Linear { factor } => plain.map(|speed| speed / factor).collect(),
            Scaling::Llama3 { factor, low, high, original } => {
                let slowed = |speed: f64| {
                    let turns = original * speed / TAU;
                    let stays = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    stays * speed + (1.0 - stays) * speed / factor
                };
                plain.map(slowed).collect()
            }
            Scaling::Yarn { factor, fast, slow, original, whole, .. } => {
                // The pair, as a real number, that turns so many times in the original texts.
                let pair = |turns: f64| {
                    d as f64 * (original / (turns * TAU)).ln() / (2.0 * self.theta.ln())
                };
                let (from, to) = match whole {
                    true => (pair(fast).floor(), pair(slow).ceil()),
                    false => (pair(fast), pair(slow)),
                };
                let (from, to) = (from.max(0.0), to.min((d - 1) as f64));
                let to = if from == to { to + 0.001 } else { to };
                let slowed = |(i, speed): (usize, f64)| {
                    let slowed = ((i as f64 - from) / (to - from)).clamp(0.0, 1.0);
                    slowed * speed / factor + (1.0 - slowed) * speed
                };
                plain.enumerate().map(slowed).collect()
            }
        }
    }

    /// By which sines and cosines are multiplied.
    fn amplitude(&self) -> f64 {
        match self.scaling {
            Scaling::Yarn { attention, .. } => attention,
            _ => 1.0,
        }
    }

    /// The rotations of heads of `d` floats at these positions, `[batch, time]`.
    pub fn at(&self, positions: Tensor<2, Int>, d: usize) -> Rotation {
        let device = positions.device();
        let [batch, time] = positions.dims();
        let speeds: Vec<f32> = self.speeds(d).into_iter().map(|speed| speed as f32).collect();
        let speeds = Tensor::<4>::from_data(TensorData::new(speeds, [1, 1, 1, d / 2]), &device);
        let angles = positions.float().reshape([batch, time, 1, 1]) * speeds;
        let [cos, sin] = [angles.clone().cos(), angles.sin()];
        let amplitude = self.amplitude();
        Rotation { cos: cos.mul_scalar(amplitude), sin: sin.mul_scalar(amplitude) }
    }
}

/// Cosines and sines for the tokens of a pass, `[batch, time, 1, d/2]` each.
#[derive(Debug, Clone)]
pub struct Rotation {
    pub(super) cos: Tensor<4>,
    pub(super) sin: Tensor<4>,
}

impl Rotation {
    /// Turns each head of each token, `[batch, time, heads, d]`.
    pub fn turn(&self, x: Tensor<4>) -> Tensor<4> {
        let half = x.dims()[3] / 2;
        let (a, b) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
        let (cos, sin) = (self.cos.clone(), self.sin.clone());
        let first = a.clone() * cos.clone() - b.clone() * sin.clone();
        let second = b * cos + a * sin;
        Tensor::cat(vec![first, second], 3)
    }
}
