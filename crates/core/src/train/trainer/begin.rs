//! The networks of a run that starts from a model: the model itself, or adapters on it.

use burn::module::Module;
use burn::tensor::Device;

use super::fresh::fresh_critic;
use crate::agent::Agent;
use crate::config::{Config, CriticKind, Held, LoraConfig};
use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::rng;

/// The actor that learns: all of the agent's, or adapters beside its frozen weights.
pub(super) fn actor(config: &Config, agent: &Agent, autodiff: &Device) -> Result<CausalLm, Error> {
    // An agent's own adapters learn on.
    if has_adapters(&agent.actor) {
        return Ok(agent.actor.clone().fork(autodiff).train());
    }
    if config.lora.weights != Held::Stored && !config.lora.is_on() {
        return Err(Error::Config(
            "lora.weights is out of range: it must be \"stored\" with lora.rank = 0, for all of a model is trained in 32 bits".into(),
        ));
    }
    match config.lora.is_on() {
        true => adapted(&agent.actor, &config.lora, (config.seed, "lora.actor"), autodiff),
        false => Ok(agent.actor.clone().unfrozen().fork(autodiff).train()),
    }
}

/// A fresh critic for an actor of this shape: with adapters of its own on the actor's weights, where it
/// begins from them and they are frozen.
pub(super) fn critic(
    config: &Config,
    actor: &CausalLm,
    autodiff: &Device,
) -> Result<Critic, Error> {
    let model = &config.critic_model;
    if !(config.lora.is_on() && model.from_actor && model.kind == CriticKind::Causal) {
        // The actor may sample rows that its tokenizer has no token for.
        return Ok(fresh_critic(config, actor.config().vocab_size, autodiff));
    }
    let body = adapted(actor, &config.lora, (config.seed, "lora.critic"), autodiff)?;
    let rng = &mut rng::stream(config.seed, "critic.init", 0);
    Ok(Critic::Causal(CausalCritic::around(body, rng, autodiff)))
}

/// A model with fresh adapters, drawn from a stream of the seed.
pub(super) fn adapted(
    lm: &CausalLm,
    lora: &LoraConfig,
    (seed, stream): (u64, &str),
    autodiff: &Device,
) -> Result<CausalLm, Error> {
    #[cfg(feature = "llama")]
    {
        let lora = crate::nn::llama::Lora {
            rank: lora.rank,
            alpha: lora.alpha,
            targets: lora.targets.clone(),
        };
        let rng = &mut rng::stream(seed, stream, 0);
        if let Some(adapted) = lm.clone().adapted(&lora, rng, autodiff) {
            return Ok(adapted);
        }
    }
    let _ = (seed, stream, autodiff);
    Err(Error::Config(format!(
        "lora.rank = {} is out of range: it must be 0 for a model in the layout of {}, which has no adapters here",
        lora.rank,
        lm.config().layout.name()
    )))
}

/// Whether a model's weights are frozen, with adapters beside them.
pub(super) fn has_adapters(lm: &CausalLm) -> bool {
    #[cfg(feature = "llama")]
    return lm.lora().is_some();
    #[cfg(not(feature = "llama"))]
    {
        let _ = lm;
        false
    }
}
