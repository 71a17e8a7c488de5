//! The actor: a causal language model in GPT-2's layout.
//!
//! Pre-norm blocks, learned positions, `gelu` in its tanh form, output layer tied to the token
//! embedding. Fields carry the names of the Hugging Face file (`transformer.h.0.attn.c_attn`), so
//! that weights travel without a table. Positions are given, not counted: padding anywhere in a
//! row then changes nothing for the real tokens.

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::fused::{self, Activation, Mask};
use super::kv_cache::KvCache;
use super::layers::{
    SHUT, embedding, embedding_of, init_std, layer_norm, linear, linear_of, normals,
};
use super::previous_token_heads::PreviousTokenHeads;
use crate::rng::{self, ChaCha8Rng};

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
    /// The rows of the token table that are tokens, in ascending order, where not all are.
    #[module(skip)]
    spoken: Option<Arc<[u32]>>,
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
        CausalLm { transformer, config: self.clone(), spoken: None }
    }

    /// The same, but half of the first block's heads look back from the first step on
    /// (`previous_token_heads.rs`), and all attention passes on what it reads at full strength.
    pub fn init_looking_back(&self, rng: &mut ChaCha8Rng, device: &Device) -> CausalLm {
        let (width, std) = (self.width, init_std(self.width));
        let full = (width as f64).sqrt().recip();
        let look_back = PreviousTokenHeads::new(self);
        let mut model = self.init(rng, device);
        let mut positions = normals(rng, self.positions * width, std / 2.0);
        look_back.positions(&mut positions);
        model.transformer.wpe = embedding_of(positions, self.positions, width, device);
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
        let blocks = self.transformer.h;
        assert!((1..=blocks.len()).contains(&layers), "{layers} of {} blocks", blocks.len());
        let gaps = (layers - 1).max(1);
        let kept = |n: usize| (n * (blocks.len() - 1) + gaps / 2) / gaps;
        self.transformer.h = (0..layers).map(|n| blocks[kept(n)].clone()).collect();
        self.config.layers = layers;
        self
    }

    /// The same model with all its scores divided by `temperature`. They are linear in what the
    /// final norm hands on, so that norm takes the factor, and the layout stays GPT-2's.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        if temperature == 1.0 {
            return self;
        }
        let scaled = |weights: Tensor<1>| weights.div_scalar(temperature).detach().require_grad();
        let norm = &mut self.transformer.ln_f;
        norm.gamma = norm.gamma.clone().map(scaled);
        norm.beta = norm.beta.take().map(|beta| beta.map(scaled));
        self
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
        let mut states = vec![self.embed(tokens, positions)];
        for block in &self.transformer.h {
            let x = states[states.len() - 1].clone();
            states.push(self.through(block, x, mask));
        }
        let last = states.pop().expect("the embeddings at least");
        states.push(self.final_norm(last));
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
        let (last, before) = self.transformer.h.split_last().expect("a block");
        let mut x = self.embed(tokens, positions);
        for block in before {
            x = self.through(block, x, mask);
        }
        let epsilon = self.config.layer_norm_epsilon;
        let attend = |qkv| fused::attention_at(qkv, mask, self.config.heads, &rows);
        let mixed = attend(last.project(x.clone(), epsilon));
        let x = self.final_norm(last.finish(mixed, fused::rows_at(x, &rows), epsilon)); // [rows, width]
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

    fn through(&self, block: &Block, x: Tensor<3>, mask: &Mask) -> Tensor<3> {
        let epsilon = self.config.layer_norm_epsilon;
        let qkv = block.project(x.clone(), epsilon);
        block.finish(fused::attention(qkv, mask, self.config.heads), x, epsilon)
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
        let (epsilon, heads) = (self.config.layer_norm_epsilon, self.config.heads);
        let all: Vec<usize> = (0..batch * new).collect();
        let (last, before) = self.transformer.h.split_last().expect("a block");
        let mut x = self.embed(tokens, positions);
        for (layer, block) in before.iter().enumerate() {
            let qkv = block.project(x.clone(), epsilon);
            let mixed = cache.attend(layer, qkv, rows, &all, mask, heads);
            x = block.finish(mixed.reshape(x.dims()), x, epsilon);
        }
        let qkv = last.project(x.clone(), epsilon);
        let mixed = cache.attend(before.len(), qkv, rows, asked, mask, heads);
        cache.advance(new);
        self.final_norm(last.finish(mixed, fused::rows_at(x, asked), epsilon))
    }

    fn final_norm<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        fused::layer_norm(&self.transformer.ln_f, self.config.layer_norm_epsilon, x)
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
        fused::log_prob(hidden, self.transformer.wte.weight.val(), tokens)
    }

    /// The same where only some tokens can come; `places` are those of the tokens in `choice`.
    pub fn log_prob_among(&self, hidden: Tensor<2>, choice: &[u32], places: &[u32]) -> Tensor<1> {
        let choice: Vec<i32> = choice.iter().map(|&token| token as i32).collect();
        let choice = Tensor::<1, Int>::from_ints(choice.as_slice(), &hidden.device());
        fused::log_prob(hidden, self.transformer.wte.weight.val().select(0, choice), places)
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
        fused::scores(hidden, self.transformer.wte.weight.val())
    }

    fn embed(&self, tokens: Tensor<2, Int>, positions: Tensor<2, Int>) -> Tensor<3> {
        self.transformer.wte.forward(tokens) + self.transformer.wpe.forward(positions)
    }
}

impl Block {
    /// Queries, keys and values side by side, `[batch, time, 3 · width]`.
    fn project(&self, x: Tensor<3>, epsilon: f64) -> Tensor<3> {
        let normal = fused::layer_norm(&self.ln_1, epsilon, x);
        fused::linear(&self.attn.c_attn, Activation::None, normal)
    }

    /// What follows attention, for any number of tokens: `mixed` values and the block's input `x`.
    fn finish<const D: usize>(&self, mixed: Tensor<D>, x: Tensor<D>, epsilon: f64) -> Tensor<D> {
        let x = fused::linear_add(&self.attn.c_proj, mixed, x);
        let normal = fused::layer_norm(&self.ln_2, epsilon, x.clone());
        let hidden = fused::linear(&self.mlp.c_fc, Activation::GeluTanh, normal);
        fused::linear_add(&self.mlp.c_proj, hidden, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::sampling::Sampler;
    use crate::rng::stream;

    #[test]
    fn rows_that_are_no_tokens_have_no_probability_and_are_never_drawn() {
        let (device, shape) = (
            Device::flex(),
            CausalLmConfig {
                layers: 1,
                width: 8,
                heads: 2,
                positions: 8,
                vocab_size: 6,
                layer_norm_epsilon: 1e-5,
            },
        );
        let whole = shape.init(&mut stream(4, "test", 0), &device);
        let some = whole.clone().with_tokens(|row| [1, 2, 4].contains(&row));
        let hidden =
            Tensor::<2>::from_floats([[0.3, -2.0, 1.0, 0.5, 3.0, -1.0, 0.2, 0.7]], &device)
                .mul_scalar(9.0);
        let scores: Vec<f32> = whole.logits(hidden.clone()).into_data().iter().collect();
        let masked: Vec<f32> = some.logits(hidden.clone()).into_data().iter().collect();
        for (row, (score, masked)) in scores.iter().zip(&masked).enumerate() {
            match [1, 2, 4].contains(&row) {
                true => assert_eq!(masked, score),
                false => assert!(*masked < 0.9 * SHUT, "{masked}"),
            }
        }
        // By hand: the softmax over the three.
        let sum = [1, 2, 4].iter().map(|&row| f64::from(scores[row]).exp()).sum::<f64>();
        for token in [1u32, 2, 4] {
            let by_hand = f64::from(scores[token as usize]) - sum.ln();
            let told: f32 =
                some.log_prob(hidden.clone(), &[token]).into_data().iter().next().unwrap();
            assert!((f64::from(told) - by_hand).abs() < 1e-5, "{token}: {told}, {by_hand}");
        }
        for sampler in [
            Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 },
            Sampler { temperature: 50.0, top_k: 0, top_p: 1.0 },
            Sampler { temperature: 50.0, top_k: 5, top_p: 1.0 },
            Sampler { temperature: 50.0, top_k: 0, top_p: 0.999 },
            Sampler::greedy(),
        ] {
            let mut rng = stream(2, "test", 0);
            for draw in 0..500 {
                let first = sampler.choose(&masked, &mut rng);
                let other = sampler.choose_other(&masked, &mut rng, first.token, draw % 7);
                for choice in [first, other] {
                    assert!([1, 2, 4].contains(&choice.token), "{sampler:?} drew {choice:?}");
                    let told = some.log_prob(hidden.clone(), &[choice.token]);
                    let told: f32 = told.into_data().iter().next().unwrap();
                    assert!((told - choice.log_prob).abs() < 1e-4, "{told} {choice:?}");
                }
            }
        }
        // All rows: nothing is changed, bit for bit.
        let all: Vec<f32> =
            whole.clone().with_tokens(|_| true).logits(hidden).into_data().iter().collect();
        assert_eq!(all, scores);
    }
}
