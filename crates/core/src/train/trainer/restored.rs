//! The parts of a run out of the sections of its file: the model under its adapters, networks' shapes, and
//! all that a learner remembers.

use burn::module::Module;
use burn::tensor::Device;

use super::saved::{LoadBase, State, past_section};
use crate::agent::Base;
use crate::algorithms::common::learner::{Critics, Learner, Stale, Teacher};
use crate::algorithms::common::{Layout, Policy};
use crate::checkpoint::packed;
use crate::checkpoint::{self, Sections};
use crate::config::{Config, Numerics};
use crate::error::Error;
#[cfg(feature = "llama")]
use crate::hf::peft;
use crate::hf::{self, CriticShape, shapes};
#[cfg(feature = "llama")]
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::{CausalLm, CausalLmConfig};
use crate::nn::critic::Critic;
use crate::nn::optim::Adam;
use crate::rng;
use crate::text::Tokenizer;

/// The model that the adapters of a checkpoint belong to.
pub(super) fn base_of(
    config: &Config,
    state: &State,
    load: LoadBase<'_>,
) -> Result<(CausalLm, Base), Error> {
    same_adapters(config, state)?;
    let (lm, base) = load(config)?;
    match base.sha256 == state.base_sha256 {
        true => Ok((lm, base)),
        false => Err(Error::Checkpoint(format!(
            "the adapters belong to another model than {}: its weights have the SHA-256 {}, and theirs {}; name the right one with --set actor=DIR",
            base.place, base.sha256, state.base_sha256
        ))),
    }
}

/// Refuses another shape of adapters than that of a file.
pub(super) fn same_adapters(config: &Config, state: &State) -> Result<(), Error> {
    match config.lora == state.config.lora {
        true => Ok(()),
        false => Err(Error::Config(
            "lora cannot change in a run that goes on: its checkpoint holds adapters of that shape"
                .into(),
        )),
    }
}

/// A fresh critic of adapters on the actor's model, where the checkpoint's is one.
#[cfg(feature = "llama")]
pub(super) fn adapted_critic(
    sections: &Sections,
    base: Option<&CausalLm>,
    autodiff: &Device,
) -> Result<Option<Critic>, Error> {
    const NAME: &str = "critic_config";
    let Some(lora) = peft::read_critic_config(NAME, sections.get(NAME)?)? else {
        return Ok(None);
    };
    let rng = &mut rng::stream(0, "unused", 0);
    let body = base.and_then(|base| base.clone().adapted(&lora, rng, autodiff));
    let body = body.ok_or_else(|| {
        Error::Checkpoint(
            "the checkpoint is damaged: its critic has adapters, and its actor has no model under it".into(),
        )
    })?;
    Ok(Some(Critic::Causal(CausalCritic::around(body, rng, autodiff))))
}

#[cfg(not(feature = "llama"))]
pub(super) fn adapted_critic(
    _: &Sections,
    _: Option<&CausalLm>,
    _: &Device,
) -> Result<Option<Critic>, Error> {
    Ok(None)
}

/// The shape of the actor in the section `name`, which is as large as that.
pub(super) fn actor_shape(sections: &Sections, name: &str) -> Result<CausalLmConfig, Error> {
    let config = format!("{name}_config");
    let shape = hf::read_actor_config(&config, sections.get(&config)?)?;
    check_size(sections, name, &shapes::of_actor(&shape))?;
    Ok(shape)
}

/// The shape of the critic in the section `name`, which is as large as that.
pub(super) fn critic_shape(sections: &Sections, name: &str) -> Result<CriticShape, Error> {
    let config = format!("{name}_config");
    let shape = hf::read_critic_config(&config, sections.get(&config)?)?;
    check_size(sections, name, &shape.tensors())?;
    Ok(shape)
}

/// Refuses a configuration that asks for more scalars than its section can hold, before memory is
/// reserved for them.
pub(super) fn check_size(
    sections: &Sections,
    name: &str,
    wanted: &[shapes::Named],
) -> Result<(), Error> {
    let (held, least) = match sections.get(&packed::section(name)) {
        Ok(bytes) => (bytes.len(), 1),
        Err(_) => (sections.get(name)?.len(), 4),
    };
    let scalars = shapes::scalars(wanted);
    if scalars.saturating_mul(least) <= held as u64 {
        return Ok(());
    }
    Err(Error::Checkpoint(format!(
        "the checkpoint is damaged: its {name}_config asks for {scalars} scalars, and its weights are {held} bytes"
    )))
}

/// The learner of a checkpoint, with all that it remembers.
pub(super) fn learner(
    config: &Config,
    policy: Policy,
    critic: Option<Critic>,
    sections: &Sections,
) -> Result<Learner, Error> {
    let reference = match sections.get("reference") {
        Ok(bytes) => Some(checkpoint::module_from_bytes(policy.lm.valid(), bytes)?),
        Err(_) => None,
    };
    let average = match sections.get("average") {
        Ok(bytes) => Some(checkpoint::module_from_bytes(policy.lm.valid(), bytes)?),
        Err(_) => None,
    };
    let mut past = Vec::new();
    while let Ok(bytes) = sections.get(&past_section(past.len())) {
        past.push(checkpoint::module_from_bytes(policy.lm.valid(), bytes)?);
    }
    // A run that goes on may lag less than it did.
    past.drain(..past.len().saturating_sub(config.play_lag));
    let stale = match &critic {
        Some(critic) => stale(config, &policy, critic, sections)?,
        None => Stale::default(),
    };
    let critics = |online: Critic| -> Result<Critics, Error> {
        Ok(Critics {
            target: checkpoint::module_from_bytes(online.valid(), sections.get("target")?)?,
            adam: checkpoint::adam_from_bytes(&online, sections.get("critic_adam")?)?,
            online,
        })
    };
    Ok(Learner {
        average,
        past,
        reference,
        actor_adam: checkpoint::adam_from_bytes(&policy, sections.get("actor_adam")?)?,
        auxiliary_adam: match sections.get("lesson_adam") {
            Ok(bytes) => checkpoint::adam_from_bytes(&policy, bytes)?,
            Err(_) => Adam::new(),
        },
        critics: critic.map(critics).transpose()?,
        teacher: None,
        stale,
        policy,
    })
}

/// The teacher of a checkpoint, where it has one.
pub(super) fn teacher(
    config: &Config,
    tokenizer: &Tokenizer,
    sections: &Sections,
    device: &Device,
) -> Result<Option<Teacher>, Error> {
    if sections.get("teacher_config").is_err() {
        return Ok(None);
    }
    let mut unused = rng::stream(0, "unused", 0);
    let actor = actor_shape(sections, "teacher")?.init(&mut unused, device);
    let actor = checkpoint::module_from_bytes(actor, sections.get("teacher")?)?;
    let critic = critic_shape(sections, "teacher_critic")?.init(&mut unused, device);
    let critic = checkpoint::module_from_bytes(critic, sections.get("teacher_critic")?)?;
    let (read, most) = (actor.config().positions, critic.positions());
    let layout = Layout::new(tokenizer, read, most, config.max_new_tokens);
    Ok(Some(Teacher { actor, critic, layout }))
}

/// The gradients that a checkpoint of the reference's numerics left standing.
pub(super) fn stale(
    config: &Config,
    policy: &Policy,
    critic: &Critic,
    sections: &Sections,
) -> Result<Stale, Error> {
    if config.numerics == Numerics::Fixed {
        return Ok(Stale::default());
    }
    Ok(Stale {
        actor: checkpoint::gradients_from_bytes(policy, sections.get("stale_actor")?)?,
        critic: checkpoint::gradients_from_bytes(critic, sections.get("stale_critic")?)?,
    })
}
