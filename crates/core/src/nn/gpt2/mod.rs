//! GPT-2's layout: pre-norm blocks, learned positions, `gelu` in its tanh form, output layer tied to
//! the token embedding.
//!
//! Fields carry the names of the Hugging Face file (`transformer.h.0.attn.c_attn`), so that weights
//! travel without a table.

#[cfg(feature = "flex")]
pub mod direct;
#[cfg(not(feature = "flex"))]
#[path = "no_direct.rs"]
pub mod direct;
mod previous_token_heads;

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::{Device, Int, Tensor};

use self::previous_token_heads::PreviousTokenHeads;
use super::causal_lm::CausalLmConfig;
use super::fused::{self, Activation, Mask};
use super::layers::{embedding, embedding_of, init_std, layer_norm, linear, linear_of, normals};
use crate::rng::{self, ChaCha8Rng};

/// The weights.
#[derive(Module, Debug)]
pub(super) struct Gpt2 {
    transformer: Transformer,
    #[module(skip)]
    epsilon: f64,
}

#[derive(Module, Debug)]
struct Transformer {
    wte: Embedding,
    wpe: Embedding,
    h: Vec<Block>,
    ln_f: LayerNorm,
}

#[derive(Module, Debug)]
struct Block {
    ln_1: LayerNorm,
    attn: Attention,
    ln_2: LayerNorm,
    mlp: Mlp,
}

#[derive(Module, Debug)]
struct Attention {
    c_attn: Linear,
    c_proj: Linear,
}

#[derive(Module, Debug)]
struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
}

/// New tokens of some rows of a batch, as in [`CausalLm::forward_cached`](super::causal_lm::CausalLm::forward_cached).
#[cfg_attr(not(feature = "flex"), allow(dead_code, reason = "nobody reads it there"))]
pub struct NewTokens<'a> {
    /// `[rows, new]`, row by row.
    pub tokens: &'a [i32],
    /// Likewise.
    pub positions: &'a [i32],
    /// For `new` queries and `cached + new` keys.
    pub mask: &'a Mask,
    /// The rows of the cache.
    pub rows: &'a [usize],
    /// Places of the flattened `[rows · new]` whose scores are asked for, in ascending order.
    pub asked: &'a [usize],
}

impl Gpt2 {
    /// A fresh model: GPT-2's initialisation, normal with deviation 0.02 at its width of 768 and
    /// more at smaller ones (see [`init_std`]), residual outputs scaled down by √(2 · layers).
    pub fn new(shape: &CausalLmConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let (width, epsilon) = (shape.width, shape.norm_epsilon);
        let std = init_std(width);
        let residual = std / (2.0 * shape.layers as f64).sqrt();
        let transformer = Transformer {
            wte: embedding(rng, shape.vocab_size, width, std, device),
            wpe: embedding(rng, shape.positions, width, std / 2.0, device),
            h: (0..shape.layers)
                .map(|_| Block {
                    ln_1: layer_norm(width, epsilon, device),
                    attn: Attention {
                        c_attn: linear(rng, width, 3 * width, std, device),
                        c_proj: linear(rng, width, width, residual, device),
                    },
                    ln_2: layer_norm(width, epsilon, device),
                    mlp: Mlp {
                        c_fc: linear(rng, width, 4 * width, std, device),
                        c_proj: linear(rng, 4 * width, width, residual, device),
                    },
                })
                .collect(),
            ln_f: layer_norm(width, epsilon, device),
        };
        Self { transformer, epsilon }
    }

    /// A fresh model in which half of the first block's heads look back from the first step on
    /// (`previous_token_heads.rs`), and all attention passes on what it reads at full strength.
    pub fn looking_back(shape: &CausalLmConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let (width, std) = (shape.width, init_std(shape.width));
        let full = (width as f64).sqrt().recip();
        let look_back = PreviousTokenHeads::new(shape);
        let mut model = Self::new(shape, rng, device);
        let mut positions = normals(rng, shape.positions * width, std / 2.0);
        look_back.positions(&mut positions);
        model.transformer.wpe = embedding_of(positions, shape.positions, width, device);
        for (number, block) in model.transformer.h.iter_mut().enumerate() {
            let mut qkv = normals(rng, width * 3 * width, std);
            for row in qkv.chunks_exact_mut(3 * width) {
                row[2 * width..].fill_with(|| (rng::normal(rng) * full) as f32);
            }
            if number == 0 {
                look_back.heads(&mut qkv);
            }
            block.attn.c_attn = linear_of(qkv, width, 3 * width, device);
            block.attn.c_proj = linear(rng, width, width, full, device);
        }
        model
    }

    /// A model of `layers` of these blocks, evenly spread from the first to the last.
    pub fn thinned(mut self, layers: usize) -> Self {
        self.transformer.h = super::layers::spread(self.transformer.h, layers);
        self
    }

    /// The final norm divided by `temperature`: the scores are linear in what it hands on.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        let scaled = |weights: Tensor<1>| weights.div_scalar(temperature).detach().require_grad();
        let norm = &mut self.transformer.ln_f;
        norm.gamma = norm.gamma.clone().map(scaled);
        norm.beta = norm.beta.take().map(|beta| beta.map(scaled));
        self
    }

    /// Tokens with their positions, `[batch, time]` each, as vectors `[batch, time, width]`.
    pub fn embed(&self, tokens: Tensor<2, Int>, positions: Tensor<2, Int>) -> Tensor<3> {
        self.transformer.wte.forward(tokens) + self.transformer.wpe.forward(positions)
    }

    /// A block's queries, keys and values side by side, `[batch, time, 3 · width]`.
    pub fn project(&self, block: usize, x: Tensor<3>) -> Tensor<3> {
        let block = &self.transformer.h[block];
        let normal = fused::layer_norm(&block.ln_1, self.epsilon, x);
        fused::linear(&block.attn.c_attn, Activation::None, normal)
    }

    /// What follows attention, for any number of tokens: `mixed` values and the block's input `x`.
    pub fn finish<const D: usize>(
        &self,
        block: usize,
        mixed: Tensor<D>,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let block = &self.transformer.h[block];
        let x = fused::linear_add(&block.attn.c_proj, mixed, x);
        let normal = fused::layer_norm(&block.ln_2, self.epsilon, x.clone());
        let hidden = fused::linear(&block.mlp.c_fc, Activation::GeluTanh, normal);
        fused::linear_add(&block.mlp.c_proj, hidden, x)
    }

    /// The final norm.
    pub fn norm<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        fused::layer_norm(&self.transformer.ln_f, self.epsilon, x)
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.transformer.wte.weight.device()
    }

    /// A row for each token, by which hidden states are scored, `[vocab_size, width]`.
    pub fn table(&self) -> Tensor<2> {
        self.transformer.wte.weight.val()
    }
}
