//! The critic's body: an encoder in RoBERTa's (or BERT's) layout.
//!
//! Post-norm blocks, exact `gelu`, learned positions, token types, and a pooler (`tanh` of a dense
//! layer on the first token). Fields carry the names of the Hugging Face file
//! (`encoder.layer.0.attention.self.query`), Rust's keywords aside. RoBERTa counts positions from
//! 2, BERT from 0.

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::fused::{self, Activation, Heads, Mask};
use super::layers::{embedding, init_std, layer_norm, linear};
use crate::rng::ChaCha8Rng;

/// The shape of an encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Transformer blocks (`num_hidden_layers`).
    pub layers: usize,
    /// Hidden width (`hidden_size`).
    pub width: usize,
    /// Attention heads (`num_attention_heads`).
    pub heads: usize,
    /// Width between the two dense layers of a block (`intermediate_size`).
    pub feed_forward: usize,
    /// Tokens a sequence may have.
    pub positions: usize,
    /// Position of the first token: 2 for RoBERTa, 0 for BERT.
    pub first_position: usize,
    /// Rows of the token table (`vocab_size`).
    pub vocab_size: usize,
    /// Rows of the token-type table (`type_vocab_size`); every token here is of type 0.
    pub token_types: usize,
    /// Epsilon of the layer norms.
    pub layer_norm_epsilon: f64,
}

/// The encoder; `forward` gives one vector for each text.
#[derive(Module, Debug)]
pub struct Encoder {
    embeddings: Embeddings,
    encoder: Layers,
    pooler: Pooler,
    #[module(skip)]
    config: EncoderConfig,
}

#[derive(Module, Debug)]
struct Embeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
}

#[derive(Module, Debug)]
struct Layers {
    layer: Vec<Layer>,
}

#[derive(Module, Debug)]
struct Layer {
    attention: Attention,
    intermediate: Intermediate,
    output: Output,
}

#[derive(Module, Debug)]
struct Attention {
    self_: SelfAttention,
    output: Output,
}

#[derive(Module, Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
}

#[derive(Module, Debug)]
struct Intermediate {
    dense: Linear,
}

#[derive(Module, Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
}

#[derive(Module, Debug)]
struct Pooler {
    dense: Linear,
}

impl EncoderConfig {
    fn heads_of_a_token(&self) -> Heads {
        Heads::even(self.heads, self.width)
    }

    /// A fresh encoder, every matrix normal with deviation [`init_std`].
    pub fn init(&self, rng: &mut ChaCha8Rng, device: &Device) -> Encoder {
        let std = init_std(self.width);
        let (width, epsilon) = (self.width, self.layer_norm_epsilon);
        let mut dense = |d_in, d_out| linear(rng, d_in, d_out, std, device);
        let layer = (0..self.layers)
            .map(|_| Layer {
                attention: Attention {
                    self_: SelfAttention {
                        query: dense(width, width),
                        key: dense(width, width),
                        value: dense(width, width),
                    },
                    output: Output {
                        dense: dense(width, width),
                        layer_norm: layer_norm(width, epsilon, device),
                    },
                },
                intermediate: Intermediate { dense: dense(width, self.feed_forward) },
                output: Output {
                    dense: dense(self.feed_forward, width),
                    layer_norm: layer_norm(width, epsilon, device),
                },
            })
            .collect();
        let pooler = Pooler { dense: dense(width, width) };
        Encoder {
            embeddings: Embeddings {
                word_embeddings: embedding(rng, self.vocab_size, width, std, device),
                position_embeddings: embedding(
                    rng,
                    self.positions + self.first_position,
                    width,
                    std,
                    device,
                ),
                token_type_embeddings: embedding(rng, self.token_types, width, std, device),
                layer_norm: layer_norm(width, epsilon, device),
            },
            encoder: Layers { layer },
            pooler,
            config: self.clone(),
        }
    }
}

impl Encoder {
    /// The shape of this encoder.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        self.embeddings.word_embeddings.weight.device()
    }

    /// The pooled first token of each row.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`, padded on the right
    /// - `mask`: opens the real tokens of each row to all of it
    /// - output: `[batch, width]`
    pub fn forward(&self, tokens: Tensor<2, Int>, mask: &Mask) -> Tensor<2> {
        // In the last block only the first token is read.
        let (last, before) = self.encoder.layer.split_last().expect("a block");
        let mut x = self.embed(tokens);
        for layer in before {
            x = layer.forward(x, mask, &self.config);
        }
        let [batch, time, _] = x.dims();
        let first: Vec<usize> = (0..batch).map(|row| row * time).collect();
        let qkv = last.attention.self_.project(x.clone());
        let mixed = fused::attention_at(qkv, mask, self.config.heads_of_a_token(), &first);
        let first = last.finish(mixed, fused::rows_at(x, &first), &self.config); // [batch, width]
        self.pooler.dense.forward(first).tanh()
    }

    /// Hidden states after the last block, `[batch, time, width]`.
    pub fn hidden(&self, tokens: Tensor<2, Int>, mask: &Mask) -> Tensor<3> {
        self.hidden_states(tokens, mask).pop().expect("the embeddings at least")
    }

    /// Hidden states after the embeddings and after each block, each `[batch, time, width]`.
    pub fn hidden_states(&self, tokens: Tensor<2, Int>, mask: &Mask) -> Vec<Tensor<3>> {
        let mut states = vec![self.embed(tokens)];
        for layer in &self.encoder.layer {
            let x = states[states.len() - 1].clone();
            states.push(layer.forward(x, mask, &self.config));
        }
        states
    }

    fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = tokens.dims();
        let first = self.config.first_position as i64;
        let positions =
            Tensor::arange(first..first + time as i64, &tokens.device()).reshape([1, time]);
        let types = Tensor::zeros([1, 1], &tokens.device());
        let x = self.embeddings.word_embeddings.forward(tokens)
            + self.embeddings.position_embeddings.forward(positions).expand([
                batch,
                time,
                self.config.width,
            ])
            + self.embeddings.token_type_embeddings.forward(types).expand([
                batch,
                time,
                self.config.width,
            ]);
        fused::layer_norm(&self.embeddings.layer_norm, self.config.layer_norm_epsilon, x)
    }
}

impl Layer {
    fn forward(&self, x: Tensor<3>, mask: &Mask, config: &EncoderConfig) -> Tensor<3> {
        let mixed = fused::attention(
            self.attention.self_.project(x.clone()),
            mask,
            config.heads_of_a_token(),
        );
        self.finish(mixed, x, config)
    }

    /// What follows attention, for any number of tokens: `mixed` values and the block's input `x`.
    fn finish<const D: usize>(
        &self,
        mixed: Tensor<D>,
        x: Tensor<D>,
        config: &EncoderConfig,
    ) -> Tensor<D> {
        let epsilon = config.layer_norm_epsilon;
        let x = self.attention.output.forward(mixed, x, epsilon);
        let hidden = fused::linear(&self.intermediate.dense, Activation::GeluErf, x.clone());
        self.output.forward(hidden, x, epsilon)
    }
}

impl SelfAttention {
    /// Queries, keys and values side by side, `[batch, time, 3 · width]`, in one product.
    fn project(&self, x: Tensor<3>) -> Tensor<3> {
        let parts = [&self.query, &self.key, &self.value];
        let weight = Tensor::cat(parts.map(|part| part.weight.val()).to_vec(), 1);
        let bias = parts.map(|part| part.bias.as_ref().expect("every layer here has one").val());
        fused::linear_of(weight, Tensor::cat(bias.to_vec(), 0), Activation::None, x)
    }
}

impl Output {
    fn forward<const D: usize>(
        &self,
        x: Tensor<D>,
        residual: Tensor<D>,
        epsilon: f64,
    ) -> Tensor<D> {
        let sum = fused::linear_add(&self.dense, x, residual);
        fused::layer_norm(&self.layer_norm, epsilon, sum)
    }
}
