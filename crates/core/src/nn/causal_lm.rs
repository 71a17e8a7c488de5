//! The actor: a causal language model in GPT-2's layout.
//!
//! Pre-norm blocks, learned positions, `gelu` in its tanh form, output layer tied to the token
//! embedding. Fields carry the names of the Hugging Face file (`transformer.h.0.attn.c_attn`), so
//! that weights travel without a table. Positions are given, not counted: padding anywhere in a
//! row then changes nothing for the real tokens.

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::kv_cache::KvCache;
use super::layers::{
    SHUT, embedding, gelu_tanh, init_std, join_heads, layer_norm, linear, split_heads,
};
use crate::rng::ChaCha8Rng;

/// The shape of a GPT-2-layout model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausalLmConfig {
    /// Transformer blocks (`n_layer`).
    pub layers: usize,
    /// Hidden width (`n_embd`).
    pub width: usize,
    /// Attention heads (`n_head`).
    pub heads: usize,
    /// Rows of the position table (`n_positions`).
    pub positions: usize,
    /// Rows of the token table (`vocab_size`).
    pub vocab_size: usize,
    /// Epsilon of the layer norms.
    pub layer_norm_epsilon: f64,
}

/// The language model; `forward` gives hidden states, `logits` the scores of tokens.
#[derive(Module, Debug)]
pub struct CausalLm {
    transformer: Transformer,
    #[module(skip)]
    config: CausalLmConfig,
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
    #[module(skip)]
    heads: usize,
}

#[derive(Module, Debug)]
struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
}

impl CausalLmConfig {
    /// A fresh model: GPT-2's initialisation, normal with deviation 0.02 at its width of 768 and
    /// more at smaller ones (see [`init_std`]), residual outputs scaled down by √(2 · layers).
    pub fn init(&self, rng: &mut ChaCha8Rng, device: &Device) -> CausalLm {
        let (width, std) = (self.width, init_std(self.width));
        let residual = std / (2.0 * self.layers as f64).sqrt();
        let transformer = Transformer {
            wte: embedding(rng, self.vocab_size, width, std, device),
            wpe: embedding(rng, self.positions, width, std / 2.0, device),
            h: (0..self.layers)
                .map(|_| Block {
                    ln_1: layer_norm(width, self.layer_norm_epsilon, device),
                    attn: Attention {
                        c_attn: linear(rng, width, 3 * width, std, device),
                        c_proj: linear(rng, width, width, residual, device),
                        heads: self.heads,
                    },
                    ln_2: layer_norm(width, self.layer_norm_epsilon, device),
                    mlp: Mlp {
                        c_fc: linear(rng, width, 4 * width, std, device),
                        c_proj: linear(rng, 4 * width, width, residual, device),
                    },
                })
                .collect(),
            ln_f: layer_norm(width, self.layer_norm_epsilon, device),
        };
        CausalLm { transformer, config: self.clone() }
    }
}

impl CausalLm {
    /// The shape of this model.
    pub fn config(&self) -> &CausalLmConfig {
        &self.config
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        self.transformer.wte.weight.device()
    }

    /// Hidden states after the final norm, each token attending to itself and what stands before.
    ///
    /// # Shapes
    /// - `tokens`, `positions`: `[batch, time]`
    /// - output: `[batch, time, width]`
    pub fn forward(&self, tokens: Tensor<2, Int>, positions: Tensor<2, Int>) -> Tensor<3> {
        let [_, time] = tokens.dims();
        self.forward_biased(tokens, positions, causal_bias(time, &self.device()))
    }

    /// The same with an additive attention bias of the caller's own instead of the causal one.
    ///
    /// # Shapes
    /// - `bias`: `[batch or 1, 1, time, time]`; 0 lets a position through, a large negative number
    ///   shuts it out
    pub fn forward_biased(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        bias: Tensor<4>,
    ) -> Tensor<3> {
        self.hidden_states(tokens, positions, bias).pop().expect("the embeddings at least")
    }

    /// Hidden states after the embeddings and after each block, the last after the final norm, each
    /// `[batch, time, width]`; the arguments as in [`forward_biased`](Self::forward_biased).
    pub fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        bias: Tensor<4>,
    ) -> Vec<Tensor<3>> {
        let mut states = vec![self.embed(tokens, positions)];
        for block in &self.transformer.h {
            let x = states[states.len() - 1].clone();
            states.push(block.forward(x, |attn, x| {
                let [q, k, v] = attn.project(x);
                attn.mix(q, k, v, bias.clone())
            }));
        }
        let last = states.pop().expect("the embeddings at least");
        states.push(self.transformer.ln_f.forward(last));
        states
    }

    /// Hidden states of new tokens that follow what the cache holds; the cache takes them in.
    ///
    /// # Shapes
    /// - `tokens`, `positions`: `[batch, new]`
    /// - `bias`: `[batch, 1, new, cached + new]`
    /// - output: `[batch, new, width]`
    pub fn forward_cached(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        bias: Tensor<4>,
        cache: &mut KvCache,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let mut x = self.embed(tokens, positions);
        for (layer, block) in self.transformer.h.iter().enumerate() {
            x = block.forward(x, |attn, x| {
                let [q, k, v] = attn.project(x);
                let (k, v) = cache.extend(layer, k, v);
                attn.mix(q, k, v, bias.clone())
            });
        }
        cache.advance(new);
        self.transformer.ln_f.forward(x)
    }

    /// Scores of the vocabulary for some hidden states, by the tied embedding.
    ///
    /// # Shapes
    /// - `hidden`: `[n, width]`
    /// - output: `[n, vocab_size]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        hidden.matmul(self.transformer.wte.weight.val().transpose())
    }

    fn embed(&self, tokens: Tensor<2, Int>, positions: Tensor<2, Int>) -> Tensor<3> {
        self.transformer.wte.forward(tokens) + self.transformer.wpe.forward(positions)
    }
}

impl Block {
    fn forward(
        &self,
        x: Tensor<3>,
        attend: impl FnOnce(&Attention, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let x = x.clone() + attend(&self.attn, self.ln_1.forward(x));
        let hidden = gelu_tanh(self.mlp.c_fc.forward(self.ln_2.forward(x.clone())));
        x + self.mlp.c_proj.forward(hidden)
    }
}

impl Attention {
    /// Queries, keys and values, each `[batch, heads, time, d]`.
    fn project(&self, x: Tensor<3>) -> [Tensor<4>; 3] {
        let qkv = self.c_attn.forward(x); // [batch, time, 3 * width]
        let width = qkv.dims()[2] / 3;
        [0, 1, 2].map(|i| split_heads(qkv.clone().narrow(2, i * width, width), self.heads))
    }

    fn mix(&self, q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, bias: Tensor<4>) -> Tensor<3> {
        let scale = 1.0 / (q.dims()[3] as f64).sqrt();
        let scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3)) + bias; // [batch, head, new, time]
        self.c_proj.forward(join_heads(softmax(scores, 3).matmul(v)))
    }
}

/// `[1, 1, time, time]`: 0 on and below the diagonal, shut above.
pub fn causal_bias(time: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = (0..time)
        .flat_map(|row| (0..time).map(move |column| if column <= row { 0.0 } else { SHUT }))
        .collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape([1, 1, time, time])
}
