//! The causal critic: one pass over a whole game yields V at the end of every observation and Q at
//! the end of every action.
//!
//! A GPT-2-layout body with the same four heads as [`super::critic::DoubleCritic`]. The action is
//! read in the light of the state before it, where the encoder critic reads the two apart, and the
//! states of a game share one pass (see [`crate::nn::tree_batch`]).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::causal_lm::{CausalLm, CausalLmConfig};
use super::critic::Head;
use crate::nn::tree_batch::TreeBatch;
use crate::rng::ChaCha8Rng;

/// Body and heads.
#[derive(Module, Debug)]
pub struct CausalCritic {
    base_lm: CausalLm,
    critic1: Head,
    critic2: Head,
    v_critic1: Head,
    v_critic2: Head,
}

impl CausalCritic {
    /// A fresh critic; heads begin as PyTorch's linear layers do.
    pub fn new(config: &CausalLmConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let base_lm = config.init(rng, device);
        Self::around(base_lm, rng, device)
    }

    /// Fresh heads around a body.
    pub fn around(base_lm: CausalLm, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let width = base_lm.config().width;
        let mut head = || Head::new(width, width, rng, device);
        Self { base_lm, critic1: head(), critic2: head(), v_critic1: head(), v_critic2: head() }
    }

    /// The same critic around another body, which must have the width of the old.
    pub fn with_body(self, body: CausalLm) -> Self {
        Self { base_lm: body, ..self }
    }

    /// The language model under the heads.
    pub fn body(&self) -> &CausalLm {
        &self.base_lm
    }

    /// The shape of the body.
    pub fn config(&self) -> &CausalLmConfig {
        self.base_lm.config()
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        self.base_lm.device()
    }

    /// Hidden states of a batch at some of its flattened rows, for each list its own `[n, width]`.
    pub fn hidden_at<const N: usize>(
        &self,
        batch: &TreeBatch,
        lists: [&[usize]; N],
    ) -> [Tensor<2>; N] {
        let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
        self.base_lm.hidden_at(tokens, positions, &batch.mask, lists)
    }

    /// Q1 and Q2 from the hidden states at the ends of actions, each `[n]`.
    pub fn q(&self, hidden: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        (self.critic1.forward(hidden.clone()), self.critic2.forward(hidden))
    }

    /// V1 and V2 from the hidden states at the ends of observations, each `[n]`.
    pub fn v(&self, hidden: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        (self.v_critic1.forward(hidden.clone()), self.v_critic2.forward(hidden))
    }
}
