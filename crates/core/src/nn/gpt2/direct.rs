//! The layout on the CPU's own numbers, for what is read and written without gradients.
//!
//! A token of a small model is some dozens of operations that each take a microsecond or less, and a tensor
//! around each of them costs as much again. Here the same kernels are called on plain floats, in the same order,
//! so the scores are the same to the last bit; `fused` is the way of everything that has gradients.

use std::sync::Arc;

use archer_kernels::layer_norm;
use archer_kernels::linear::{Activation, activate, add_rows};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;

use super::{Block, Gpt2, NewTokens};
use crate::nn::fused::{Heads, op};
use crate::nn::kv_cache::KvCache;

/// The weights as the CPU holds them.
#[derive(Clone)]
pub struct Direct(Arc<Weights>);

struct Weights {
    width: usize,
    heads: Heads,
    epsilon: f32,
    tokens: op::Raw,
    positions: op::Raw,
    /// The vectors of the tokens as columns, `[width, vocab]`.
    table: op::Raw,
    blocks: Vec<Weighted>,
    norm: Normed,
}

/// A block's weights.
struct Weighted {
    norm_1: Normed,
    qkv: Dense,
    mix: Dense,
    norm_2: Normed,
    up: Dense,
    down: Dense,
}

/// `[width]` each.
struct Normed {
    gamma: op::Raw,
    beta: op::Raw,
}

struct Dense {
    /// `[d_in, d_out]`.
    weight: op::Raw,
    /// `[d_out]`.
    bias: op::Raw,
}

impl Direct {
    /// These weights, where the CPU computes without autodiff.
    pub(in crate::nn) fn of(lm: &Gpt2, heads: Heads) -> Option<Self> {
        let tokens = lm.transformer.wte.weight.val();
        let plain = op::fits_tensor(&tokens) && !tokens.is_autodiff();
        if !plain || !archer_kernels::attention::has_kernel(heads.d) {
            return None;
        }
        let blocks = lm.transformer.h.iter().map(Weighted::of).collect::<Option<Vec<_>>>()?;
        Some(Self(Arc::new(Weights {
            width: tokens.dims()[1],
            heads,
            epsilon: lm.epsilon as f32,
            table: floats(tokens.clone()).transpose(0, 1),
            tokens: floats(tokens),
            positions: floats(lm.transformer.wpe.weight.val()),
            blocks,
            norm: Normed::of(&lm.transformer.ln_f)?,
        })))
    }

    /// Takes new tokens into the cache and gives the scores of the vocabulary after those that are asked,
    /// `[asked, vocab]`. In the last block nothing is computed that nobody asks for.
    pub(in crate::nn) fn scores(&self, new: &NewTokens<'_>, cache: &mut KvCache) -> Vec<f32> {
        let Weights { width, heads, epsilon, blocks, norm, .. } = &*self.0;
        let all: Vec<usize> = (0..new.tokens.len()).collect();
        let mut x = self.embed(new);
        for (number, block) in blocks.iter().enumerate() {
            let asked = if number + 1 < blocks.len() { &all[..] } else { new.asked };
            let qkv = block.qkv.forward(&block.norm_1.forward(&x, *epsilon), Activation::None);
            let mixed = cache.attend_here(number, &qkv, [new.rows, asked], new.mask, *heads);
            if asked.len() < all.len() {
                x = asked.iter().flat_map(|row| &x[row * width..][..*width]).copied().collect();
            }
            x = block.mix.add(&mixed, &x);
            let hidden = block.norm_2.forward(&x, *epsilon);
            x = block.down.add(&block.up.forward(&hidden, Activation::GeluTanh), &x);
        }
        cache.advance(new.tokens.len() / new.rows.len());
        let hidden = norm.forward(&x, *epsilon);
        op::times(&hidden, &self.0.table)
    }

    /// `[rows · new, width]`.
    fn embed(&self, new: &NewTokens<'_>) -> Vec<f32> {
        let Weights { width, tokens, positions, .. } = &*self.0;
        let (tokens, positions) = (op::values(tokens), op::values(positions));
        let row = |place: i32| place as usize * width..(place as usize + 1) * width;
        let mut x = Vec::with_capacity(new.tokens.len() * width);
        for (&token, &position) in new.tokens.iter().zip(new.positions) {
            let (token, position) = (row(token), row(position));
            x.extend(tokens[token].iter().zip(&positions[position]).map(|(a, b)| a + b));
        }
        x
    }
}

impl Weighted {
    fn of(block: &Block) -> Option<Self> {
        Some(Self {
            norm_1: Normed::of(&block.ln_1)?,
            qkv: Dense::of(&block.attn.c_attn)?,
            mix: Dense::of(&block.attn.c_proj)?,
            norm_2: Normed::of(&block.ln_2)?,
            up: Dense::of(&block.mlp.c_fc)?,
            down: Dense::of(&block.mlp.c_proj)?,
        })
    }
}

impl Normed {
    fn of(layer: &LayerNorm) -> Option<Self> {
        let beta = floats(layer.beta.as_ref()?.val());
        Some(Self { gamma: floats(layer.gamma.val()), beta })
    }

    fn forward(&self, x: &[f32], epsilon: f32) -> Vec<f32> {
        layer_norm::forward(x, op::values(&self.gamma), op::values(&self.beta), epsilon).0
    }
}

impl Dense {
    fn of(layer: &Linear) -> Option<Self> {
        let bias = floats(layer.bias.as_ref()?.val());
        Some(Self { weight: floats(layer.weight.val()), bias })
    }

    /// `activation(x W + b)`.
    fn forward(&self, x: &[f32], activation: Activation) -> Vec<f32> {
        let mut y = op::times(x, &self.weight);
        activate(activation, &mut y, op::values(&self.bias), None);
        y
    }

    /// `x W + b + residual`.
    fn add(&self, x: &[f32], residual: &[f32]) -> Vec<f32> {
        let mut y = op::times(x, &self.weight);
        add_rows(&mut y, op::values(&self.bias), residual);
        y
    }
}

/// The floats of a tensor on the CPU, in order.
fn floats<const D: usize>(tensor: Tensor<D>) -> op::Raw {
    op::in_order(op::raw(tensor.into_dispatch()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use pollster::block_on;

    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::nn::generate::Decoder;
    use crate::nn::sampling::Sampler;
    use crate::rng;

    /// Texts of several lengths that grow, some of which end sooner than others.
    #[test]
    fn what_is_said_is_the_same_to_the_last_bit() {
        let shape = CausalLmConfig {
            layers: 3,
            width: 48,
            heads: 3,
            positions: 64,
            vocab_size: 50,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let model = shape.init(&mut rng::stream(1, "actor", 0), &Device::flex());
        let lengths = [5, 1, 9];
        let said = |mut decoder: Decoder<'_>| {
            let mut all = Vec::new();
            let mut rngs: Vec<_> = (0..3).map(|row| rng::stream(2, "row", row)).collect();
            for turn in 0..3u32 {
                let piece = |n: usize| (0..n as u32).map(|i| (7 * i + turn) % 50).collect();
                decoder.read(&lengths.map(piece));
                let sampler = Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 };
                let written = decoder.generate(&sampler, &mut rngs, 6, |token| token % 5 == 0);
                all.extend(block_on(written).unwrap());
                decoder.keep(&[2, 0, 1]);
            }
            all
        };
        assert!(model.direct().is_some());
        assert_eq!(said(Decoder::new(&model, 3)), said(Decoder::by_tensors(&model, 3)));
    }
}
