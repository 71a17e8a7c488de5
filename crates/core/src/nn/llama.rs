//! Llama's layout, and those of its relatives Qwen 2, Qwen 3 and Mistral.
//!
//! Pre-norm blocks with RMS norms, positions as rotations of queries and keys (Su et al., RoFormer,
//! arXiv:2104.09864), fewer heads of keys and values than of queries (Ainslie et al., GQA,
//! arXiv:2305.13245), and a gated SiLU between two products (Shazeer, arXiv:2002.05202). Fields carry the
//! names of the Hugging Face file (`model.layers.0.self_attn.q_proj`).

use std::convert::Infallible;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::causal_lm::CausalLmConfig;
use super::fused::{self, Heads, Rows};
use super::layers::{self, init_std, normals};
use super::packed::{Load, Loaded, Part};
use super::projection::{Norm, Projection, Table};
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

impl Family {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Family::Llama => "Llama",
            Family::Qwen2 => "Qwen 2",
            Family::Qwen3 => "Qwen 3",
            Family::Mistral => "Mistral",
        }
    }
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
    lm_head: Option<Table>,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    layout: LlamaLayout,
}

#[derive(Module, Debug)]
struct Model {
    embed_tokens: Table,
    layers: Vec<Block>,
    norm: Norm,
}

#[derive(Module, Debug)]
struct Block {
    input_layernorm: Norm,
    self_attn: Attention,
    post_attention_layernorm: Norm,
    mlp: Mlp,
}

#[derive(Module, Debug)]
struct Attention {
    q_proj: Projection,
    k_proj: Projection,
    v_proj: Projection,
    o_proj: Projection,
    q_norm: Option<Norm>,
    k_norm: Option<Norm>,
}

#[derive(Module, Debug)]
struct Mlp {
    gate_proj: Projection,
    up_proj: Projection,
    down_proj: Projection,
}

impl Llama {
    /// A fresh model: normal weights, residual outputs scaled down by √(2 · layers), as GPT-2's are.
    pub fn new(
        shape: &CausalLmConfig,
        layout: &LlamaLayout,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let std = init_std(shape.width);
        let residual = std / (2.0 * shape.layers as f64).sqrt();
        let drawn = Self::of_parts(shape, layout, &device.clone().inner(), &mut |name, sizes| {
            let count = sizes.iter().product();
            let values = match name.rsplit('.').nth(1) {
                Some("o_proj" | "down_proj") => normals(rng, count, residual),
                _ if name.ends_with(".bias") => vec![0.0; count],
                _ if sizes.len() == 1 => vec![1.0; count],
                _ => normals(rng, count, std),
            };
            Ok::<_, Infallible>(Loaded::Floats(values))
        });
        let Ok(drawn) = drawn;
        drawn.merged(device)
    }

    /// A frozen model of what `load` gives: each tensor by its name and its shape in a file.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn of_parts<E>(
        shape: &CausalLmConfig,
        layout: &LlamaLayout,
        device: &Device,
        load: &mut Load<'_, E>,
    ) -> Result<Self, E> {
        let parts = &mut Parts { device, epsilon: shape.norm_epsilon, load };
        let (width, rows) = (shape.width, [shape.vocab_size, shape.width]);
        let embed_tokens = parts.table("model.embed_tokens", rows)?;
        let blocks = (0..shape.layers).map(|block| parts.block(block, shape, layout));
        let layers = blocks.collect::<Result<_, E>>()?;
        let norm = parts.norm("model.norm", width)?;
        let lm_head = if layout.tied { None } else { Some(parts.table("lm_head", rows)?) };
        let model = Model { embed_tokens, layers, norm };
        Ok(Self { model, lm_head, heads: shape.heads, layout: layout.clone() })
    }

    /// A model of `layers` of these blocks, evenly spread from the first to the last.
    pub fn thinned(mut self, layers: usize) -> Self {
        self.model.layers = layers::spread(self.model.layers, layers);
        self
    }

    /// The final norm divided by `temperature`: the scores are linear in what it hands on.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        self.model.norm = self.model.norm.divided(temperature);
        self
    }

    /// The rotations of tokens at these positions, `[batch, time]`.
    pub fn rotation(&self, positions: Tensor<2, Int>) -> Rotation {
        self.layout.rope.at(positions, self.layout.head_dim)
    }

    /// Tokens as vectors, `[batch, time]` to `[batch, time, width]`.
    pub fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let x = self.model.embed_tokens.forward(tokens);
        // A frozen table is a constant, and what follows may be trained.
        if self.device().is_autodiff() && !x.device().is_autodiff() { x.autodiff() } else { x }
    }

    /// A block's queries, keys and values side by side, `[batch, time, (queries + 2 · keys) · d]`.
    pub fn project(&self, block: usize, x: Tensor<3>, rotation: &Rotation) -> Tensor<3> {
        let Block { input_layernorm, self_attn, .. } = &self.model.layers[block];
        let [batch, time, _] = x.dims();
        let (d, kv_heads) = (self.layout.head_dim, self.layout.kv_heads);
        let normal = input_layernorm.forward(x);
        let normed = |layer: &Projection, heads: usize, norm: &Option<Norm>| {
            let x = layer.forward(normal.clone());
            let Some(norm) = norm else { return x };
            norm.forward(x.reshape([batch, time, heads, d])).reshape([batch, time, heads * d])
        };
        let q = normed(&self_attn.q_proj, self.heads, &self_attn.q_norm);
        let k = normed(&self_attn.k_proj, kv_heads, &self_attn.k_norm);
        let v = self_attn.v_proj.forward(normal.clone());
        let heads = Heads { queries: self.heads, keys: kv_heads, d };
        fused::turned(rotation, heads, [q, k, v])
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
        let normal = post_attention_layernorm.forward(x.clone());
        let gate = mlp.gate_proj.forward(normal.clone());
        mlp.down_proj.forward(fused::gated(gate, mlp.up_proj.forward(normal))) + x
    }

    /// The final norm.
    pub fn norm<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.model.norm.forward(x)
    }

    /// A row for each token, by which hidden states on this device are scored, `[vocab_size, width]`.
    pub fn table(&self, device: &Device) -> Rows {
        self.lm_head.as_ref().unwrap_or(&self.model.embed_tokens).rows(device)
    }

    /// The device of what is trained, or of the weights where nothing is.
    pub fn device(&self) -> Device {
        let trained = self.model.layers.iter().find_map(|block| {
            block.projections().into_iter().find_map(|(_, projection)| projection.trained_on())
        });
        trained.unwrap_or_else(|| self.model.norm.device())
    }

    /// Weights that are frozen.
    pub fn frozen(&self) -> usize {
        let blocks = self.model.layers.iter().map(|block| {
            let products: usize =
                block.projections().iter().map(|(_, product)| product.frozen_count()).sum();
            let norms = [&block.input_layernorm, &block.post_attention_layernorm];
            let heads = [&block.self_attn.q_norm, &block.self_attn.k_norm];
            let norms = norms.into_iter().chain(heads.into_iter().flatten());
            products + norms.map(Norm::frozen_count).sum::<usize>()
        });
        let tables = [Some(&self.model.embed_tokens), self.lm_head.as_ref()];
        blocks.sum::<usize>()
            + tables.into_iter().flatten().map(Table::frozen_count).sum::<usize>()
            + self.model.norm.frozen_count()
    }

    /// The weights that are frozen, each as a file has it.
    pub fn parts(&self) -> Vec<Part> {
        let Model { embed_tokens, layers, norm } = &self.model;
        let mut all = embed_tokens.parts("model.embed_tokens");
        for (number, block) in layers.iter().enumerate() {
            let of = |name: &str| format!("model.layers.{number}.{name}");
            for (name, product) in block.projections() {
                let half = if name.starts_with(['g', 'u', 'd']) { "mlp" } else { "self_attn" };
                all.extend(product.parts(&of(&format!("{half}.{name}"))));
            }
            let Attention { q_norm, k_norm, .. } = &block.self_attn;
            for (name, norm) in [
                ("input_layernorm", Some(&block.input_layernorm)),
                ("post_attention_layernorm", Some(&block.post_attention_layernorm)),
                ("self_attn.q_norm", q_norm.as_ref()),
                ("self_attn.k_norm", k_norm.as_ref()),
            ] {
                all.extend(norm.into_iter().flat_map(|norm| norm.parts(&of(name))));
            }
        }
        all.extend(norm.parts("model.norm"));
        all.extend(self.lm_head.iter().flat_map(|table| table.parts("lm_head")));
        all
    }

    /// Freezes all weights, and adds fresh adapters to what [`Lora`] names.
    ///
    /// # Panics
    /// If it names a product that there is not.
    pub fn adapted(self, lora: &Lora, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        assert!(lora.targets.iter().all(|name| TARGETS.contains(&name.as_str())), "{lora:?}");
        let size = (lora.rank, lora.alpha);
        let mut change = |name: &str, projection: Projection| {
            let projection = projection.frozen();
            match lora.targets.iter().any(|target| target == name) {
                true => projection.adapted(rng, size, device),
                false => projection,
            }
        };
        self.mapped(&mut change, Norm::frozen, Table::frozen)
    }

    /// Adds its adapters to the weights, all of which are trained again.
    pub fn merged(self, device: &Device) -> Self {
        let mut change = |_: &str, projection: Projection| projection.merged(device);
        self.mapped(&mut change, |norm| norm.merged(device), |table| table.merged(device))
    }

    fn mapped(
        self,
        projection: &mut impl FnMut(&str, Projection) -> Projection,
        norm: impl Fn(Norm) -> Norm,
        table: impl Fn(Table) -> Table,
    ) -> Self {
        let mut block = |block: Block| {
            let Attention { q_proj, k_proj, v_proj, o_proj, q_norm, k_norm } = block.self_attn;
            let Mlp { gate_proj, up_proj, down_proj } = block.mlp;
            Block {
                input_layernorm: norm(block.input_layernorm),
                self_attn: Attention {
                    q_proj: projection("q_proj", q_proj),
                    k_proj: projection("k_proj", k_proj),
                    v_proj: projection("v_proj", v_proj),
                    o_proj: projection("o_proj", o_proj),
                    q_norm: q_norm.map(&norm),
                    k_norm: k_norm.map(&norm),
                },
                post_attention_layernorm: norm(block.post_attention_layernorm),
                mlp: Mlp {
                    gate_proj: projection("gate_proj", gate_proj),
                    up_proj: projection("up_proj", up_proj),
                    down_proj: projection("down_proj", down_proj),
                },
            }
        };
        let Model { embed_tokens, layers, norm: last } = self.model;
        let layers = layers.into_iter().map(&mut block).collect();
        let model = Model { embed_tokens: table(embed_tokens), layers, norm: norm(last) };
        Self { model, lm_head: self.lm_head.map(table), ..self }
    }
}

/// The parts of a model as they are loaded.
struct Parts<'a, E> {
    device: &'a Device,
    epsilon: f64,
    load: &'a mut Load<'a, E>,
}

impl<E> Parts<'_, E> {
    fn block(
        &mut self,
        number: usize,
        shape: &CausalLmConfig,
        layout: &LlamaLayout,
    ) -> Result<Block, E> {
        let of = |name: &str| format!("model.layers.{number}.{name}");
        let (width, inner, d) = (shape.width, layout.feed_forward, layout.head_dim);
        let [queries, keys] = [shape.heads, layout.kv_heads].map(|heads| heads * d);
        let Biases { inputs, output, feed_forward } = layout.biases;
        let head_norm = |parts: &mut Self, name: &str| match layout.head_norms {
            true => parts.norm(&of(name), d).map(Some),
            false => Ok(None),
        };
        Ok(Block {
            input_layernorm: self.norm(&of("input_layernorm"), width)?,
            self_attn: Attention {
                q_proj: self.product(&of("self_attn.q_proj"), [width, queries], inputs)?,
                k_proj: self.product(&of("self_attn.k_proj"), [width, keys], inputs)?,
                v_proj: self.product(&of("self_attn.v_proj"), [width, keys], inputs)?,
                o_proj: self.product(&of("self_attn.o_proj"), [queries, width], output)?,
                q_norm: head_norm(self, "self_attn.q_norm")?,
                k_norm: head_norm(self, "self_attn.k_norm")?,
            },
            post_attention_layernorm: self.norm(&of("post_attention_layernorm"), width)?,
            mlp: Mlp {
                gate_proj: self.product(&of("mlp.gate_proj"), [width, inner], feed_forward)?,
                up_proj: self.product(&of("mlp.up_proj"), [width, inner], feed_forward)?,
                down_proj: self.product(&of("mlp.down_proj"), [inner, width], feed_forward)?,
            },
        })
    }

    fn product(&mut self, name: &str, [from, to]: [usize; 2], bias: bool) -> Result<Projection, E> {
        let weight = (self.load)(&format!("{name}.weight"), &[to, from])?;
        let bias = match bias {
            true => Some(self.vector(&format!("{name}.bias"), to)?),
            false => None,
        };
        Ok(Projection::new(weight, bias, [from, to], self.device))
    }

    fn table(&mut self, name: &str, shape: [usize; 2]) -> Result<Table, E> {
        Ok(Table::new((self.load)(&format!("{name}.weight"), &shape)?, shape, self.device))
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<Norm, E> {
        let gains = self.vector(&format!("{name}.weight"), width)?;
        Ok(Norm::new(gains, self.epsilon, self.device))
    }

    fn vector(&mut self, name: &str, width: usize) -> Result<Vec<f32>, E> {
        Ok(match (self.load)(name, &[width])? {
            Loaded::Floats(values) => values,
            Loaded::Packed(values) => values.unpack(),
        })
    }
}

impl Block {
    fn projections(&self) -> [(&'static str, &Projection); 7] {
        let (attention, mlp) = (&self.self_attn, &self.mlp);
        [
            ("q_proj", &attention.q_proj),
            ("k_proj", &attention.k_proj),
            ("v_proj", &attention.v_proj),
            ("o_proj", &attention.o_proj),
            ("gate_proj", &mlp.gate_proj),
            ("up_proj", &mlp.up_proj),
            ("down_proj", &mlp.down_proj),
        ]
    }
}

/// The products of a block that can have adapters.
pub const TARGETS: [&str; 7] =
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Adapters of low rank beside frozen weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    /// r, the width between the two small matrices.
    pub rank: usize,
    /// α: what they compute is multiplied by α/r.
    pub alpha: f64,
    /// The products that have one, of [`TARGETS`].
    pub targets: Vec<String>,
}
