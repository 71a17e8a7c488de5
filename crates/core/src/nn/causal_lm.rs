//! The actor: a causal language model, whatever its layout.
//!
//! What all layouts have in common is here: tokens become vectors, blocks with attention follow, a final
//! norm, and a row of a table for each token gives its score. What a block computes is the layout's
//! ([`super::gpt2`], [`super::llama`]). Positions are given, not counted: padding anywhere in a row
//! then changes nothing for the real tokens.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::fused::{self, Heads, Mask, Rows};
use super::gpt2::Gpt2;
use super::gpt2::direct::Direct;
use super::kv_cache::KvCache;
use super::layers::SHUT;
#[cfg(feature = "llama")]
use super::llama::{Llama, LlamaLayout, Lora};
#[cfg(feature = "llama")]
use super::packed::{Load, Part};
use super::params;
#[cfg(feature = "llama")]
use super::recompute::{self, Passed};
#[cfg(feature = "llama")]
use super::rope::Rotation;
use crate::rng::ChaCha8Rng;

/// The shape of a causal language model.
#[derive(Debug, Clone, PartialEq)]
pub struct CausalLmConfig {
    /// Transformer blocks.
    pub layers: usize,
    /// Hidden width.
    pub width: usize,
    /// Attention heads, as many as there are queries of a token.
    pub heads: usize,
    /// Tokens that a text may have.
    pub positions: usize,
    /// Rows of the token table.
    pub vocab_size: usize,
    /// Epsilon of the norms.
    pub norm_epsilon: f64,
    /// What a block computes.
    pub layout: Layout,
}

/// The layouts of blocks, with what one has beside the common sizes.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// GPT-2's.
    Gpt2,
    /// Llama's, and those of its relatives.
    #[cfg(feature = "llama")]
    Llama(LlamaLayout),
}

/// The language model; `forward` gives hidden states, `logits` the scores of tokens.
#[derive(Module, Debug)]
pub struct CausalLm {
    body: Body,
    #[module(skip)]
    config: CausalLmConfig,
    /// The rows of the token table that are tokens, in ascending order, where not all are.
    #[module(skip)]
    spoken: Option<Arc<[u32]>>,
    /// The adapters that are trained of it, where its weights are frozen.
    #[cfg(feature = "llama")]
    #[module(skip)]
    lora: Option<Lora>,
    /// Whether a gradient step computes its blocks twice rather than keep what they computed.
    #[cfg(feature = "llama")]
    #[module(skip)]
    recomputed: bool,
}

/// The weights of one layout.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a process holds a few")]
enum Body {
    Gpt2(Gpt2),
    #[cfg(feature = "llama")]
    Llama(Llama),
}

/// Where the tokens of a pass stand.
#[derive(Clone)]
pub(super) struct Places {
    /// `[batch, time]`.
    positions: Tensor<2, Int>,
    /// By what queries and keys are turned there, where the layout turns them.
    #[cfg(feature = "llama")]
    rotation: Option<Rotation>,
}

/// Makes one call on the layout that there is.
macro_rules! of_layout {
    ($body:expr, $lm:ident => $call:expr) => {
        match $body {
            Body::Gpt2($lm) => $call,
            #[cfg(feature = "llama")]
            Body::Llama($lm) => $call,
        }
    };
}

impl Layout {
    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Layout::Gpt2 => "GPT-2",
            #[cfg(feature = "llama")]
            Layout::Llama(layout) => layout.family.name(),
        }
    }
}

impl Body {
    fn places(&self, positions: Tensor<2, Int>) -> Places {
        #[cfg(feature = "llama")]
        if let Body::Llama(llama) = self {
            let rotation = Some(llama.rotation(positions.clone()));
            return Places { positions, rotation };
        }
        Places {
            positions,
            #[cfg(feature = "llama")]
            rotation: None,
        }
    }

    fn embed(&self, tokens: Tensor<2, Int>, places: &Places) -> Tensor<3> {
        match self {
            Body::Gpt2(lm) => lm.embed(tokens, places.positions.clone()),
            #[cfg(feature = "llama")]
            Body::Llama(lm) => lm.embed(tokens),
        }
    }

    /// The heads of a block's tokens side by side, `[batch, time, (queries + 2 · keys) · d]`.
    #[cfg_attr(not(feature = "llama"), allow(unused_variables))]
    fn project(&self, block: usize, x: Tensor<3>, places: &Places) -> Tensor<3> {
        match self {
            Body::Gpt2(lm) => lm.project(block, x),
            #[cfg(feature = "llama")]
            Body::Llama(lm) => {
                lm.project(block, x, places.rotation.as_ref().expect("places of this layout"))
            }
        }
    }

    /// What follows attention in a block, for any number of tokens: `mixed` values, and its input `x`.
    fn finish<const D: usize>(&self, block: usize, mixed: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        of_layout!(self, lm => lm.finish(block, mixed, x))
    }

    fn norm<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        of_layout!(self, lm => lm.norm(x))
    }

    /// A row for each token, by which hidden states on this device are scored, `[vocab_size, width]`.
    #[cfg_attr(not(feature = "llama"), allow(unused_variables))]
    fn table(&self, device: &Device) -> Rows {
        match self {
            Body::Gpt2(lm) => Rows::Dense(lm.table()),
            #[cfg(feature = "llama")]
            Body::Llama(lm) => lm.table(device),
        }
    }

    fn device(&self) -> Device {
        of_layout!(self, lm => lm.device())
    }

    /// Weights that are no parameters.
    fn frozen(&self) -> usize {
        match self {
            Body::Gpt2(_) => 0,
            #[cfg(feature = "llama")]
            Body::Llama(lm) => lm.frozen(),
        }
    }
}

impl CausalLmConfig {
    /// Whether a model of this layout can have adapters.
    pub fn has_adapters(&self) -> bool {
        self.layout != Layout::Gpt2
    }

    /// The heads of queries and of keys.
    fn heads_of_a_token(&self) -> Heads {
        match &self.layout {
            Layout::Gpt2 => Heads::even(self.heads, self.width),
            #[cfg(feature = "llama")]
            Layout::Llama(layout) => {
                Heads { queries: self.heads, keys: layout.kv_heads, d: layout.head_dim }
            }
        }
    }

    /// A fresh model.
    pub fn init(&self, rng: &mut ChaCha8Rng, device: &Device) -> CausalLm {
        let body = match &self.layout {
            Layout::Gpt2 => Body::Gpt2(Gpt2::new(self, rng, device)),
            #[cfg(feature = "llama")]
            Layout::Llama(layout) => Body::Llama(Llama::new(self, layout, rng, device)),
        };
        CausalLm::of(body, self)
    }

    /// A frozen model of what `load` gives: each tensor by its name and its shape in a file; `None` for a
    /// layout whose weights are always trained.
    ///
    /// # Errors
    /// Those of `load`.
    #[cfg(feature = "llama")]
    pub fn of_parts<E>(
        &self,
        device: &Device,
        load: &mut Load<'_, E>,
    ) -> Result<Option<CausalLm>, E> {
        let Layout::Llama(layout) = &self.layout else { return Ok(None) };
        let body = Body::Llama(Llama::of_parts(self, layout, device, load)?);
        Ok(Some(CausalLm::of(body, self)))
    }

    /// A fresh model as by [`init`](Self::init) that looks back from the first step on, if its layout has positions that can be
    /// learned.
    pub fn init_looking_back(&self, rng: &mut ChaCha8Rng, device: &Device) -> CausalLm {
        match &self.layout {
            Layout::Gpt2 => CausalLm::of(Body::Gpt2(Gpt2::looking_back(self, rng, device)), self),
            #[cfg(feature = "llama")]
            Layout::Llama(_) => self.init(rng, device),
        }
    }
}

impl CausalLm {
    fn of(body: Body, config: &CausalLmConfig) -> Self {
        Self {
            body,
            config: config.clone(),
            spoken: None,
            #[cfg(feature = "llama")]
            lora: None,
            #[cfg(feature = "llama")]
            recomputed: false,
        }
    }

    /// The shape of this model.
    pub fn config(&self) -> &CausalLmConfig {
        &self.config
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        self.body.device()
    }

    /// The same model where only some rows of its token table are tokens: the others, which a file may
    /// hold to make the table's size a round number, are never drawn, and no probability is theirs.
    pub fn with_tokens(self, is_token: impl Fn(u32) -> bool) -> Self {
        let rows = self.config.vocab_size as u32;
        let spoken: Vec<u32> = (0..rows).filter(|&row| is_token(row)).collect();
        let spoken = (spoken.len() < rows as usize).then(|| spoken.into());
        Self { spoken, ..self }
    }

    /// A model of `layers` of this one's blocks, evenly spread from the first to the last, and of its
    /// other weights: where a smaller student may begin (Sanh et al., DistilBERT, arXiv:1910.01108).
    ///
    /// # Panics
    /// If it has fewer blocks, or none are asked for.
    pub fn thinned(mut self, layers: usize) -> Self {
        self.body = match self.body {
            Body::Gpt2(lm) => Body::Gpt2(lm.thinned(layers)),
            #[cfg(feature = "llama")]
            Body::Llama(lm) => Body::Llama(lm.thinned(layers)),
        };
        self.config.layers = layers;
        self
    }

    /// The same model with all its scores divided by `temperature`. They are linear in what the
    /// final norm hands on, so that norm takes the factor, and the layout stays what it is.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        if temperature == 1.0 {
            return self;
        }
        self.body = match self.body {
            Body::Gpt2(lm) => Body::Gpt2(lm.at_temperature(temperature)),
            #[cfg(feature = "llama")]
            Body::Llama(lm) => Body::Llama(lm.at_temperature(temperature)),
        };
        self
    }

    /// Freezes its weights and adds fresh adapters, which are all that is trained of it; `None` for
    /// a layout without adapters.
    #[cfg(feature = "llama")]
    pub fn adapted(self, lora: &Lora, rng: &mut ChaCha8Rng, device: &Device) -> Option<Self> {
        let Body::Llama(lm) = self.body else { return None };
        let body = Body::Llama(lm.adapted(lora, rng, device));
        Some(Self { body, lora: Some(lora.clone()), ..self })
    }

    /// These adapters on another model of this shape; `None` if this model has no adapters.
    #[cfg(feature = "llama")]
    pub fn on(self, base: &CausalLm) -> Option<Self> {
        // What is drawn here is replaced at once.
        let unused = &mut crate::rng::stream(0, "unused", 0);
        let fresh = base.clone().adapted(self.lora.as_ref()?, unused, &self.device())?;
        let fresh = params::replace(fresh, params::tensors(&self));
        Some(Self { body: fresh.body, ..self })
    }

    /// Its weights that are frozen, each as a file has it.
    #[cfg(feature = "llama")]
    pub fn parts(&self) -> Vec<Part> {
        match &self.body {
            Body::Gpt2(_) => Vec::new(),
            Body::Llama(lm) => lm.parts(),
        }
    }

    /// The same, whose blocks a gradient step computes twice rather than keep what they computed
    /// ([`recompute`](super::recompute)).
    #[cfg(feature = "llama")]
    pub fn recomputed(self, recomputed: bool) -> Self {
        Self { recomputed, ..self }
    }

    /// The adapters that are trained of it, where its weights are frozen.
    #[cfg(feature = "llama")]
    pub fn lora(&self) -> Option<&Lora> {
        self.lora.as_ref()
    }

    /// Adds its adapters to its weights, all of which are then trained, on this device.
    #[cfg(feature = "llama")]
    pub fn merged(self, device: &Device) -> Self {
        match self.body {
            Body::Llama(lm) => Self { body: Body::Llama(lm.merged(device)), lora: None, ..self },
            body => Self { body, ..self },
        }
    }

    /// The same where its weights are; one whose weights are trained stays as it is.
    pub fn unfrozen(self) -> Self {
        #[cfg(feature = "llama")]
        {
            let device = self.device();
            self.merged(&device)
        }
        #[cfg(not(feature = "llama"))]
        self
    }

    /// The numbers that it computes with, those that are frozen too.
    pub fn size(&self) -> usize {
        params::count(self) + self.body.frozen()
    }

    /// Hidden states after the final norm, each token attending to itself and what stands before.
    ///
    /// # Shapes
    /// - `tokens`, `positions`: `[batch, time]`
    /// - output: `[batch, time, width]`
    pub fn forward(&self, tokens: Tensor<2, Int>, positions: Tensor<2, Int>) -> Tensor<3> {
        let [_, time] = tokens.dims();
        self.forward_masked(tokens, positions, &Mask::causal(time))
    }

    /// The same with a mask of the caller's own instead of the causal one.
    pub fn forward_masked(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        mask: &Mask,
    ) -> Tensor<3> {
        self.hidden_states(tokens, positions, mask).pop().expect("the embeddings at least")
    }

    /// Hidden states after the embeddings and after each block, the last after the final norm, each
    /// `[batch, time, width]`; the arguments as in [`forward_masked`](Self::forward_masked).
    pub fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        mask: &Mask,
    ) -> Vec<Tensor<3>> {
        let places = self.body.places(positions);
        let mut states = vec![self.body.embed(tokens, &places)];
        for block in 0..self.config.layers {
            let x = states[states.len() - 1].clone();
            states.push(self.through(block, x, &places, mask));
        }
        let last = states.pop().expect("the embeddings at least");
        states.push(self.body.norm(last));
        states
    }

    /// Hidden states at some places alone, for each list of rows of the flattened `[batch · time]`
    /// its own `[n, width]`: in the last block nothing is computed that nobody reads.
    pub fn hidden_at<const N: usize>(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        mask: &Mask,
        lists: [&[usize]; N],
    ) -> [Tensor<2>; N] {
        let mut rows = lists.concat();
        rows.sort_unstable();
        rows.dedup();
        let last = self.config.layers - 1;
        let places = self.body.places(positions);
        let x = self.before_last(tokens, &places, mask);
        let qkv = self.body.project(last, x.clone(), &places);
        let mixed = fused::attention_at(qkv, mask, self.config.heads_of_a_token(), &rows);
        let x = self.body.norm(self.body.finish(last, mixed, fused::rows_at(x, &rows))); // [rows, width]
        lists.map(|list| {
            if list == rows {
                return x.clone();
            }
            if list.is_empty() {
                return Tensor::zeros([0, self.config.width], &x.device());
            }
            let place = |row| rows.binary_search(row).expect("it is one of them") as i32;
            let index: Vec<i32> = list.iter().map(place).collect();
            x.clone().select(0, Tensor::<1, Int>::from_ints(index.as_slice(), &x.device()))
        })
    }

    /// What the last block takes, `[batch, time, width]`.
    fn before_last(&self, tokens: Tensor<2, Int>, places: &Places, mask: &Mask) -> Tensor<3> {
        let last = self.config.layers - 1;
        #[cfg(feature = "llama")]
        if self.recomputed && recompute::is_recording() && self.device().is_autodiff() {
            return self.passed_over(tokens, places, mask);
        }
        let first = self.body.embed(tokens, places);
        (0..last).fold(first, |x, block| self.through(block, x, places, mask))
    }

    /// The same without autodiff, and the way back left on the tape.
    #[cfg(feature = "llama")]
    fn passed_over(&self, tokens: Tensor<2, Int>, places: &Places, mask: &Mask) -> Tensor<3> {
        let plain = self.clone().valid();
        let of = plain.body.places(places.positions.clone().inner());
        let mut x = plain.body.embed(tokens.clone().inner(), &of);
        let mut inputs = Vec::with_capacity(self.config.layers - 1);
        for block in 0..self.config.layers - 1 {
            inputs.push(x.clone());
            x = plain.through(block, x, &of, mask);
        }
        let end = x.autodiff().require_grad();
        recompute::record(Passed {
            lm: self.clone(),
            tokens,
            places: places.clone(),
            mask: mask.clone(),
            inputs,
            end: end.clone(),
        });
        end
    }

    /// Whether the vectors of its tokens are trained.
    #[cfg(feature = "llama")]
    pub(super) fn trains_embeddings(&self) -> bool {
        self.body.frozen() == 0
    }

    /// Tokens as vectors, `[batch, time, width]`.
    #[cfg(feature = "llama")]
    pub(super) fn embedded(&self, tokens: Tensor<2, Int>, places: &Places) -> Tensor<3> {
        self.body.embed(tokens, places)
    }

    /// One block, from its input to the next one's.
    pub(super) fn through(
        &self,
        block: usize,
        x: Tensor<3>,
        places: &Places,
        mask: &Mask,
    ) -> Tensor<3> {
        let qkv = self.body.project(block, x.clone(), places);
        self.body.finish(block, fused::attention(qkv, mask, self.config.heads_of_a_token()), x)
    }

    /// Takes new tokens of some rows, which follow what the cache holds, into it, and gives hidden
    /// states at some of them, `asked`: places of the flattened `[rows · new]`, each named once, in
    /// ascending order. In the last block nothing is computed that nobody asks for. The rows are all
    /// in order unless the cache [takes some](KvCache::takes_some).
    ///
    /// # Shapes
    /// - `tokens`, `positions`: `[rows, new]`
    /// - `mask`: for `new` queries and `cached + new` keys
    /// - output: `[asked, width]`
    pub fn forward_cached(
        &self,
        tokens: Tensor<2, Int>,
        positions: Tensor<2, Int>,
        mask: &Mask,
        [rows, asked]: [&[usize]; 2],
        cache: &mut KvCache,
    ) -> Tensor<2> {
        let [batch, new] = tokens.dims();
        let (last, heads) = (self.config.layers - 1, self.config.heads_of_a_token());
        let all: Vec<usize> = (0..batch * new).collect();
        let places = self.body.places(positions);
        let mut x = self.body.embed(tokens, &places);
        for block in 0..last {
            let qkv = self.body.project(block, x.clone(), &places);
            let mixed = cache.attend(block, qkv, rows, &all, mask, heads);
            let width = mixed.dims()[1];
            x = self.body.finish(block, mixed.reshape([batch, new, width]), x);
        }
        let qkv = self.body.project(last, x.clone(), &places);
        let mixed = cache.attend(last, qkv, rows, asked, mask, heads);
        cache.advance(new);
        self.body.norm(self.body.finish(last, mixed, fused::rows_at(x, asked)))
    }

    /// Bytes that a token takes in a cache.
    pub fn cached_bytes(&self) -> usize {
        2 * size_of::<f32>() * self.config.layers * self.config.heads_of_a_token().narrow()
    }

    /// The weights for scores that are computed without tensors, where layout and device allow it.
    pub(super) fn direct(&self) -> Option<Direct> {
        if self.spoken.is_some() {
            return None;
        }
        match &self.body {
            Body::Gpt2(lm) => Direct::of(lm, self.config.heads_of_a_token()),
            #[cfg(feature = "llama")]
            Body::Llama(_) => None,
        }
    }

    /// Log-probabilities of one token for each of some hidden states, `[n]`, among the rows that are
    /// tokens.
    ///
    /// # Shapes
    /// - `hidden`: `[n, width]`, `tokens`: `n`
    pub fn log_prob(&self, hidden: Tensor<2>, tokens: &[u32]) -> Tensor<1> {
        if let Some(spoken) = &self.spoken {
            let places = tokens.iter().map(|token| spoken.binary_search(token).map(|at| at as u32));
            // What an older file remembers may have been drawn from all rows: it is scored as it was.
            if let Ok(places) = places.collect::<Result<Vec<u32>, _>>() {
                return self.log_prob_among(hidden, spoken, &places);
            }
        }
        let table = self.body.table(&hidden.device());
        fused::log_prob(hidden, table, tokens)
    }

    /// The same where only some tokens can come; `places` are those of the tokens in `choice`.
    pub fn log_prob_among(&self, hidden: Tensor<2>, choice: &[u32], places: &[u32]) -> Tensor<1> {
        let device = hidden.device();
        let table = self.body.table(&device).select(choice, &device);
        fused::log_prob(hidden, table, places)
    }

    /// Scores of the vocabulary for some hidden states, by the tied embedding; about [`SHUT`] for rows
    /// that are no tokens.
    ///
    /// # Shapes
    /// - `hidden`: `[n, width]`
    /// - output: `[n, vocab_size]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let scores = self.scores_of_rows(hidden);
        let Some(spoken) = &self.spoken else {
            return scores;
        };
        let rows = self.config.vocab_size;
        let mut shut = vec![SHUT; rows];
        spoken.iter().for_each(|&token| shut[token as usize] = 0.0);
        let device = scores.device();
        scores + Tensor::from_data(TensorData::new(shut, [1, rows]), &device)
    }

    /// As [`logits`](Self::logits), of rows that are no tokens too.
    pub fn scores_of_rows(&self, hidden: Tensor<2>) -> Tensor<2> {
        let table = self.body.table(&hidden.device());
        fused::scores(hidden, table)
    }
}

#[cfg(test)]
mod tests;
