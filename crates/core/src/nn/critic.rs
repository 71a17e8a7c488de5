//! The critic: one encoder and four heads, Q1, Q2 on [state; action] and V1, V2 on the state.
//!
//! State and action are read apart by the same encoder and their vectors set side by side, as in
//! the reference. The two critics (Q1, V1) and (Q2, V2) share the body and are
//! otherwise independent; the minimum over them is the algorithm's business, not the network's.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor};

use super::causal_critic::CausalCritic;
use super::encoder::{Encoder, EncoderConfig};
use super::fused::{self, Activation, Mask};
use super::layers::linear_uniform;
use crate::rng::ChaCha8Rng;

/// Four values for each row, each `[batch]`.
#[derive(Debug, Clone)]
pub struct Values {
    /// First critic's value of the action.
    pub q1: Tensor<1>,
    /// Second critic's value of the action.
    pub q2: Tensor<1>,
    /// First critic's value of the state.
    pub v1: Tensor<1>,
    /// Second critic's value of the state.
    pub v2: Tensor<1>,
}

/// Padded token rows for the critic and the mask that hides the padding.
#[derive(Debug, Clone)]
pub struct Texts {
    /// `[batch, time]`, padded on the right.
    pub tokens: Tensor<2, Int>,
    /// Opens the real tokens of each row.
    pub mask: Mask,
}

/// Encoder and heads.
#[derive(Module, Debug)]
pub struct DoubleCritic {
    base_lm: Encoder,
    critic1: Head,
    critic2: Head,
    v_critic1: Head,
    v_critic2: Head,
}

/// Three linear layers with ReLU between; the numbers are the places in the reference's list.
#[derive(Module, Debug)]
pub(super) struct Head {
    layer_0: Linear,
    layer_2: Linear,
    layer_4: Linear,
}

impl DoubleCritic {
    /// A fresh critic; heads begin as PyTorch's linear layers do.
    pub fn new(config: &EncoderConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let width = config.width;
        let base_lm = config.init(rng, device);
        let mut head = |texts: usize| Head::new(texts * width, width, rng, device);
        Self { base_lm, critic1: head(2), critic2: head(2), v_critic1: head(1), v_critic2: head(1) }
    }

    /// The shape of the encoder.
    pub fn config(&self) -> &EncoderConfig {
        self.base_lm.config()
    }

    /// The encoder under the heads.
    pub fn body(&self) -> &Encoder {
        &self.base_lm
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        self.base_lm.device()
    }

    /// One vector for each text, `[batch, width]`.
    pub fn encode(&self, texts: Texts) -> Tensor<2> {
        self.base_lm.forward(texts.tokens, &texts.mask)
    }

    /// Q1 and Q2 of encoded states and actions, each `[batch]`.
    pub fn q(&self, state: Tensor<2>, action: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        let both = Tensor::cat(vec![state, action], 1); // [batch, 2 * width]
        (self.critic1.forward(both.clone()), self.critic2.forward(both))
    }

    /// V1 and V2 of encoded states, each `[batch]`.
    pub fn v(&self, state: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        (self.v_critic1.forward(state.clone()), self.v_critic2.forward(state))
    }

    /// All four values of states and actions; each text is read once.
    pub fn forward(&self, states: Texts, actions: Texts) -> Values {
        let state = self.encode(states);
        let (q1, q2) = self.q(state.clone(), self.encode(actions));
        let (v1, v2) = self.v(state);
        Values { q1, q2, v1, v2 }
    }
}

impl Head {
    /// A fresh head on `inputs` numbers, with PyTorch's initialisation.
    pub(super) fn new(inputs: usize, width: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        Self {
            layer_0: linear_uniform(rng, inputs, width, device),
            layer_2: linear_uniform(rng, width, width, device),
            layer_4: linear_uniform(rng, width, 1, device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<1> {
        let x = fused::linear(&self.layer_0, Activation::Relu, x);
        let x = fused::linear(&self.layer_2, Activation::Relu, x);
        fused::linear(&self.layer_4, Activation::None, x).squeeze_dim(1)
    }
}

/// A critic of either kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a run holds two of them")]
pub enum Critic {
    /// State and action encoded apart, as in the reference.
    Encoder(DoubleCritic),
    /// A whole game in one pass.
    Causal(CausalCritic),
}

impl Critic {
    /// The same, whose causal body is gone back through block by block ([`CausalLm::recomputed`]).
    #[cfg(feature = "llama")]
    pub fn recomputed(self, recomputed: bool) -> Self {
        match self {
            Critic::Causal(critic) => {
                let body = critic.body().clone().recomputed(recomputed);
                Critic::Causal(critic.with_body(body))
            }
            encoder => encoder,
        }
    }

    /// Longest text it reads.
    pub fn positions(&self) -> usize {
        match self {
            Critic::Encoder(critic) => critic.config().positions,
            Critic::Causal(critic) => critic.config().positions,
        }
    }

    /// Adds its adapters to the weights of its body, where it has some.
    #[cfg(feature = "llama")]
    pub fn merged(self, device: &Device) -> Self {
        match self {
            Critic::Causal(critic) => {
                let body = critic.body().clone().merged(device);
                Critic::Causal(critic.with_body(body))
            }
            Critic::Encoder(_) => self,
        }
    }

    /// Rows of its token table.
    pub fn vocab_size(&self) -> usize {
        match self {
            Critic::Encoder(critic) => critic.config().vocab_size,
            Critic::Causal(critic) => critic.config().vocab_size,
        }
    }

    /// The device that holds the weights.
    pub fn device(&self) -> Device {
        match self {
            Critic::Encoder(critic) => critic.device(),
            Critic::Causal(critic) => critic.device(),
        }
    }
}
