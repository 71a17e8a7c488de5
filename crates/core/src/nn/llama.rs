//! Llama's layout, and those of its relatives Qwen 2, Qwen 3 and Mistral.
//!
//! Pre-norm blocks with RMS norms, positions as rotations of queries and keys (Su et al., RoFormer,
//! arXiv:2104.09864), fewer heads of keys and values than of queries (Ainslie et al., GQA,
//! arXiv:2305.13245), and a gated SiLU between two products (Shazeer, arXiv:2002.05202). Fields carry the
//! names of the Hugging Face file (`model.layers.0.self_attn.q_proj`).

use burn::module::Module;
use burn::nn::{Embedding, Linear, RmsNorm};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Int, Tensor};

use super::causal_lm::CausalLmConfig;
use super::layers::{self, embedding, init_std, linear, rms_norm};
use super::rope::{Rope, Rotation};
use crate::rng::ChaCha8Rng;

/// What a model of this layout has beside the common sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct LlamaLayout {
    /// Which of the relatives it is; they differ in what their files say, and compute the same.
    pub family: Family,
    /// Heads of keys and values; a divisor of the heads of queries.
    pub kv_heads: usize,
    /// Floats of one head; an even number.
    pub head_dim: usize,
    /// Width between the two products of a block's second half.
    pub feed_forward: usize,
    /// How positions turn queries and keys.
    pub rope: Rope,
    /// Which of the products have a bias.
    pub biases: Biases,
    /// Whether queries and keys are normed head by head before they are turned.
    pub head_norms: bool,
    /// Whether the token table also gives the scores.
    pub tied: bool,
}

/// The names of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Llama 2 and 3, SmolLM and many others.
    Llama,
    /// Qwen 2 and 2.5: biases on queries, keys and values.
    Qwen2,
    /// Qwen 3: norms on queries and keys.
    Qwen3,
    /// Mistral.
    Mistral,
}

/// Which products of a block have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Biases {
    /// Those of queries, keys and values.
    pub inputs: bool,
    /// The one that follows attention.
    pub output: bool,
    /// Those of the second half.
    pub feed_forward: bool,
}

/// The weights.
#[derive(Module, Debug)]
pub(super) struct Llama {
    model: Model,
    /// Rows by which hidden states are scored, where they are not the token table's.
    lm_head: Option<Embedding>,
    #[module(skip)]
    epsilon: f64,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    layout: LlamaLayout,
}

#[derive(Module, Debug)]
struct Model {
    embed_tokens: Embedding,
    layers: Vec<Block>,
    norm: RmsNorm,
}

#[derive(Module, Debug)]
struct Block {
    input_layernorm: RmsNorm,
    self_attn: Attention,
    post_attention_layernorm: RmsNorm,
    mlp: Mlp,
}

#[derive(Module, Debug)]
struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    q_norm: Option<RmsNorm>,
    k_norm: Option<RmsNorm>,
}

#[derive(Module, Debug)]
struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Llama {
    /// A fresh model: normal weights, residual outputs scaled down by √(2 · layers), as GPT-2's are.
    pub fn new(
        shape: &CausalLmConfig,
        layout: &LlamaLayout,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let (width, inner, epsilon) = (shape.width, layout.feed_forward, shape.norm_epsilon);
        let std = init_std(width);
        let residual = std / (2.0 * shape.layers as f64).sqrt();
        let [queries, keys] = [shape.heads, layout.kv_heads].map(|heads| heads * layout.head_dim);
        let norm = |width| rms_norm(width, epsilon, device);
        let Biases { inputs, output, feed_forward } = layout.biases;
        let mut product = |from: usize, to: usize, std: f64, bias: bool| {
            let layer = linear(rng, from, to, std, device);
            Linear { bias: layer.bias.filter(|_| bias), ..layer }
        };
        let blocks = (0..shape.layers).map(|_| Block {
            input_layernorm: norm(width),
            self_attn: Attention {
                q_proj: product(width, queries, std, inputs),
                k_proj: product(width, keys, std, inputs),
                v_proj: product(width, keys, std, inputs),
                o_proj: product(queries, width, residual, output),
                q_norm: layout.head_norms.then(|| norm(layout.head_dim)),
                k_norm: layout.head_norms.then(|| norm(layout.head_dim)),
            },
            post_attention_layernorm: norm(width),
            mlp: Mlp {
                gate_proj: product(width, inner, std, feed_forward),
                up_proj: product(width, inner, std, feed_forward),
                down_proj: product(inner, width, residual, feed_forward),
            },
        });
        let layers = blocks.collect();
        let mut table = || embedding(rng, shape.vocab_size, width, std, device);
        let model = Model { embed_tokens: table(), layers, norm: norm(width) };
        let lm_head = (!layout.tied).then(table);
        Self { model, lm_head, epsilon, heads: shape.heads, layout: layout.clone() }
    }

    /// A model of `layers` of these blocks, evenly spread from the first to the last.
    pub fn thinned(mut self, layers: usize) -> Self {
        self.model.layers = layers::spread(self.model.layers, layers);
        self
    }

    /// The final norm divided by `temperature`: the scores are linear in what it hands on.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        let scaled = |weights: Tensor<1>| weights.div_scalar(temperature).detach().require_grad();
        let norm = &mut self.model.norm;
        norm.gamma = norm.gamma.clone().map(scaled);
        self
    }

    /// The rotations of tokens at these positions, `[batch, time]`.
    pub fn rotation(&self, positions: Tensor<2, Int>) -> Rotation {
        self.layout.rope.at(positions, self.layout.head_dim)
    }

    /// Tokens as vectors, `[batch, time]` to `[batch, time, width]`.
    pub fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.model.embed_tokens.forward(tokens)
    }

    /// A block's queries, keys and values side by side, `[batch, time, 3 · heads · d]`: each head of keys
    /// and values as often as there are queries that share it.
    pub fn project(&self, block: usize, x: Tensor<3>, rotation: &Rotation) -> Tensor<3> {
        let Block { input_layernorm, self_attn, .. } = &self.model.layers[block];
        let [batch, time, _] = x.dims();
        let (d, kv_heads) = (self.layout.head_dim, self.layout.kv_heads);
        let normal = self.norm_by(input_layernorm, x);
        let split = |layer: &Linear, heads: usize| {
            layer.forward(normal.clone()).reshape([batch, time, heads, d])
        };
        let turned = |layer: &Linear, heads: usize, norm: &Option<RmsNorm>| {
            let x = split(layer, heads);
            let x = match norm {
                Some(norm) => self.norm_by(norm, x),
                None => x,
            };
            rotation.turn(x)
        };
        let q = turned(&self_attn.q_proj, self.heads, &self_attn.q_norm);
        let k = turned(&self_attn.k_proj, kv_heads, &self_attn.k_norm);
        let v = split(&self_attn.v_proj, kv_heads);
        let width = self.heads * d;
        let shared = |x: Tensor<4>| {
            let sharing = self.heads / kv_heads;
            if sharing == 1 {
                return x.reshape([batch, time, width]);
            }
            let x: Tensor<5> = x.reshape([batch, time, kv_heads, 1, d]);
            x.expand([batch, time, kv_heads, sharing, d]).reshape([batch, time, width])
        };
        Tensor::cat(vec![q.reshape([batch, time, width]), shared(k), shared(v)], 2)
    }

    /// What follows attention, for any number of tokens: `mixed` values and the block's input `x`.
    pub fn finish<const D: usize>(
        &self,
        block: usize,
        mixed: Tensor<D>,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let Block { self_attn, post_attention_layernorm, mlp, .. } = &self.model.layers[block];
        let x = self_attn.o_proj.forward(mixed) + x;
        let normal = self.norm_by(post_attention_layernorm, x.clone());
        let gate = silu(mlp.gate_proj.forward(normal.clone()));
        mlp.down_proj.forward(gate * mlp.up_proj.forward(normal)) + x
    }

    /// The final norm.
    pub fn norm<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.norm_by(&self.model.norm, x)
    }

    /// A row for each token, by which hidden states are scored, `[vocab_size, width]`.
    pub fn table(&self) -> Tensor<2> {
        self.lm_head.as_ref().unwrap_or(&self.model.embed_tokens).weight.val()
    }

    /// `x / √(mean x² + ε) · γ` over the last axis.
    fn norm_by<const D: usize>(&self, norm: &RmsNorm, x: Tensor<D>) -> Tensor<D> {
        let mean = x.clone().square().mean_dim(D - 1);
        let scale = mean.add_scalar(self.epsilon).sqrt().recip();
        x * scale * norm.gamma.val().unsqueeze()
    }
}
