//! The critic's body: an encoder in RoBERTa's (or BERT's) layout.
//!
//! Post-norm blocks, exact `gelu`, learned positions, token types, and a pooler (`tanh` of a dense
//! layer on the first token). Fields carry the names of the Hugging Face file
//! (`encoder.layer.0.attention.self.query`), Rust's keywords aside. RoBERTa counts positions from
//! 2, BERT from 0.

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::layers::{embedding, init_std, join_heads, layer_norm, linear, split_heads};
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
    #[module(skip)]
    heads: usize,
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
                        heads: self.heads,
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
    /// - `bias`: `[batch, 1, 1, time]`; 0 for a real token, a large negative number for padding
    /// - output: `[batch, width]`
    pub fn forward(&self, tokens: Tensor<2, Int>, bias: Tensor<4>) -> Tensor<2> {
        let hidden = self.hidden(tokens, bias);
        let [batch, _, width] = hidden.dims();
        let first = hidden.narrow(1, 0, 1).reshape([batch, width]);
        self.pooler.dense.forward(first).tanh()
    }

    /// Hidden states after the last block, `[batch, time, width]`.
    pub fn hidden(&self, tokens: Tensor<2, Int>, bias: Tensor<4>) -> Tensor<3> {
        self.hidden_states(tokens, bias).pop().expect("the embeddings at least")
    }

    /// Hidden states after the embeddings and after each block, each `[batch, time, width]`.
    pub fn hidden_states(&self, tokens: Tensor<2, Int>, bias: Tensor<4>) -> Vec<Tensor<3>> {
        let mut states = vec![self.embed(tokens)];
        for layer in &self.encoder.layer {
            let x = states[states.len() - 1].clone();
            states.push(layer.forward(x, bias.clone()));
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
        self.embeddings.layer_norm.forward(x)
    }
}

impl Layer {
    fn forward(&self, x: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let mixed = self.attention.self_.forward(x.clone(), bias);
        let x = self.attention.output.forward(mixed, x);
        let hidden = gelu(self.intermediate.dense.forward(x.clone()));
        self.output.forward(hidden, x)
    }
}

/// The exact form, `x · ½ (1 + erf(x / √2))`.
///
/// Written out rather than burn's: where a backend brings no derivative of its own, burn 0.22.1
/// differentiates the tanh form, and the critic's gradients are off by a thousandth.
fn gelu(x: Tensor<3>) -> Tensor<3> {
    let below = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf(); // [batch, time, width]
    x * below.add_scalar(1.0).mul_scalar(0.5)
}

impl SelfAttention {
    fn forward(&self, x: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let q = split_heads(self.query.forward(x.clone()), self.heads);
        let k = split_heads(self.key.forward(x.clone()), self.heads);
        let v = split_heads(self.value.forward(x), self.heads);
        let scale = 1.0 / (q.dims()[3] as f64).sqrt();
        let scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3)) + bias; // [batch, head, time, time]
        join_heads(softmax(scores, 3).matmul(v))
    }
}

impl Output {
    fn forward(&self, x: Tensor<3>, residual: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(self.dense.forward(x) + residual)
    }
}
