//! The tensors that a configuration asks for, by name and shape as they stand in a file.
//!
//! They are known before any network is made, so that a file's headers can be compared with a
//! configuration before memory is reserved for what it says. A test holds them beside the networks.

use super::config::CriticShape;
use super::gpt2;
#[cfg(feature = "llama")]
use super::llama;
use crate::nn::causal_lm::{CausalLmConfig, Layout};
use crate::nn::encoder::EncoderConfig;

/// A tensor's name in its file, and its shape there.
pub type Named = (String, Vec<usize>);

/// The names and shapes of some tensors.
#[derive(Default)]
pub(super) struct Tensors(Vec<Named>);

impl Tensors {
    pub fn push(&mut self, name: String, shape: &[usize]) {
        self.0.push((name, shape.to_vec()));
    }

    /// A weight and its bias, of so many outputs.
    pub fn pair(&mut self, name: String, weight: &[usize], outputs: usize) {
        self.push(format!("{name}.weight"), weight);
        self.push(format!("{name}.bias"), &[outputs]);
    }

    pub fn norm(&mut self, name: String, width: usize) {
        self.pair(name, &[width], width);
    }

    /// A linear layer as PyTorch stores it.
    pub fn linear(&mut self, name: String, [inputs, outputs]: [usize; 2]) {
        self.pair(name, &[outputs, inputs], outputs);
    }

    /// A linear layer as GPT-2 stores it.
    pub fn turned(&mut self, name: String, [inputs, outputs]: [usize; 2]) {
        self.pair(name, &[inputs, outputs], outputs);
    }

    /// A critic's heads: Q on so many inputs, V on the width alone.
    fn heads(&mut self, q_inputs: usize, width: usize) {
        for (name, inputs) in [
            ("critic1", q_inputs),
            ("critic2", q_inputs),
            ("v_critic1", width),
            ("v_critic2", width),
        ] {
            self.linear(format!("{name}.0"), [inputs, width]);
            self.linear(format!("{name}.2"), [width, width]);
            self.linear(format!("{name}.4"), [width, 1]);
        }
    }
}

fn encoder(config: &EncoderConfig) -> Tensors {
    let (width, inner, mut all) = (config.width, config.feed_forward, Tensors::default());
    let table = |name: &str| format!("base_lm.embeddings.{name}_embeddings.weight");
    all.push(table("word"), &[config.vocab_size, width]);
    all.push(table("position"), &[config.positions + config.first_position, width]);
    all.push(table("token_type"), &[config.token_types, width]);
    all.norm("base_lm.embeddings.LayerNorm".into(), width);
    for layer in 0..config.layers {
        let block = format!("base_lm.encoder.layer.{layer}");
        for part in ["query", "key", "value"] {
            all.linear(format!("{block}.attention.self.{part}"), [width, width]);
        }
        all.linear(format!("{block}.attention.output.dense"), [width, width]);
        all.norm(format!("{block}.attention.output.LayerNorm"), width);
        all.linear(format!("{block}.intermediate.dense"), [width, inner]);
        all.linear(format!("{block}.output.dense"), [inner, width]);
        all.norm(format!("{block}.output.LayerNorm"), width);
    }
    all.linear("base_lm.pooler.dense".into(), [width, width]);
    all
}

/// The tensors of an actor.
pub fn of_actor(config: &CausalLmConfig) -> Vec<Named> {
    causal("", config).0
}

/// The tensors of a causal model, each name behind `prefix`.
fn causal(prefix: &str, config: &CausalLmConfig) -> Tensors {
    match &config.layout {
        Layout::Gpt2 => gpt2::tensors(prefix, config),
        #[cfg(feature = "llama")]
        Layout::Llama(layout) => llama::tensors(prefix, config, layout),
    }
}

/// The tensors of a critic, heads included.
pub fn of_critic(shape: &CriticShape) -> Vec<Named> {
    let (mut all, q_inputs, width) = match shape {
        CriticShape::Causal(config) => (causal("base_lm.", config), config.width, config.width),
        CriticShape::Encoder(config) => (encoder(config), 2 * config.width, config.width),
    };
    all.heads(q_inputs, width);
    all.0
}

/// The scalars in some tensors.
pub fn scalars(tensors: &[Named]) -> u64 {
    let size =
        |shape: &[usize]| shape.iter().fold(1u64, |size, &side| size.saturating_mul(side as u64));
    tensors.iter().fold(0u64, |sum, (_, shape)| sum.saturating_add(size(shape)))
}
