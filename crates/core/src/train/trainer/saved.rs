//! A run as bytes and back: the whole of it, or only what plays.
//!
//! There is one kind of file. A *checkpoint* holds everything, so that a run goes on as if it had
//! never stopped; an *export* leaves out what only going on needs (optimisers, target, replay) and
//! is small enough to travel. Both carry one example, an utterance and what the networks thought of
//! it, by which whoever loads the file can see that his device computes the same.

use std::sync::Arc;

use archer_world::{About, WorldError, Worlds};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Trainer;
use super::fresh::{fresh_buffer, fresh_policy};
use super::restored::{actor_shape, adapted_critic, base_of, critic_shape, learner, teacher};
use super::{based, begin};
use crate::agent::Base;
use crate::algorithms::common::learner::Learner;
use crate::checkpoint::packed::{self, Precision};
use crate::checkpoint::{self, Sections};
use crate::config::{Algorithm, Config, Held, LoraConfig, Numerics, older};
use crate::error::Error;
use crate::hf;
use crate::judge::Example;
use crate::nn::causal_lm::CausalLm;
use crate::nn::params;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rng;
use crate::text::Tokenizer;
use crate::text::tokenizer::Specials;

/// What a checkpoint says beside the weights.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) config: Config,
    pub(super) warm_start_step: usize,
    pub(super) iteration: usize,
    pub(super) games: u64,
    /// Iterations and games that lay behind the networks when the run began.
    #[serde(default)]
    pub(super) before: (usize, u64),
    /// Transitions ever remembered.
    #[serde(default)]
    pub(super) inserted: usize,
    /// What is the same in all games of its world, for programs that cannot reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<About>,
    /// What a player reads first there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opening: Option<String>,
    /// Whether what only training needs was left out.
    #[serde(default)]
    pub(super) export: bool,
    /// How exactly the weights are written.
    #[serde(default)]
    pub(super) precision: Precision,
    /// Where it comes from.
    #[serde(default)]
    pub(super) origin: Origin,
    /// SHA-256 of the model whose adapters it holds; empty where it holds whole models.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) base_sha256: String,
}

/// Where a model file comes from, for whoever finds one; it travels on with the model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The terms it may be used under, as an SPDX expression; empty where nobody said.
    pub licence: String,
    /// The revision of the sources that made it; empty where nobody said.
    pub commit: String,
}

/// Makes the world that a configuration describes, of which a file may say what is the same in all
/// games.
pub type MakeWorlds<'a> =
    &'a dyn Fn(&Config, Option<&About>) -> Result<Arc<dyn Worlds>, WorldError>;

/// Reads the model that a checkpoint's adapters belong to; the configuration names it as `actor`.
pub type LoadBase<'a> = &'a dyn Fn(&Config) -> Result<(CausalLm, Base), Error>;

/// Where no model can be read.
fn no_base(config: &Config) -> Result<(CausalLm, Base), Error> {
    Err(Error::Checkpoint(format!(
        "the file holds adapters of the model {}, which cannot be read here: export it first",
        config.actor
    )))
}

impl State {
    pub(super) fn read(sections: &Sections) -> Result<Self, Error> {
        let damaged = |error: serde_json::Error| {
            Error::Checkpoint(format!("the checkpoint is damaged: {error}"))
        };
        let mut state: Value = serde_json::from_slice(sections.get("state")?).map_err(damaged)?;
        if let Some(config) = state.get_mut("config") {
            *config = older::renamed(config.take());
        }
        serde_json::from_value(state).map_err(damaged)
    }
}

impl Trainer {
    /// The whole state as bytes with a checksum.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        let mut sections = self.networks(None).await?;
        sections.push("actor_adam", checkpoint::adam_bytes(&self.learner.actor_adam).await?);
        if self.config.lessons.steps > 0 {
            let adam = checkpoint::adam_bytes(&self.learner.auxiliary_adam).await?;
            sections.push("lesson_adam", adam);
        }
        if let Some(critics) = &self.learner.critics {
            sections.push("critic_adam", checkpoint::adam_bytes(&critics.adam).await?);
            sections.push("target", checkpoint::module_bytes(&critics.target).await?);
        }
        if self.config.numerics == Numerics::Compat {
            let stale = &self.learner.stale;
            sections.push("stale_actor", checkpoint::tensor_bytes(stale.actor.clone()).await?);
            sections.push("stale_critic", checkpoint::tensor_bytes(stale.critic.clone()).await?);
        }
        if let Some(average) = &self.learner.average {
            sections.push("average", checkpoint::module_bytes(average).await?);
        }
        for (number, past) in self.learner.past.iter().enumerate() {
            sections.push(&past_section(number), checkpoint::module_bytes(past).await?);
        }
        if let Some(reference) = &self.learner.reference {
            sections.push("reference", checkpoint::module_bytes(reference).await?);
        }
        if let Some(teacher) = &self.learner.teacher {
            let (actor, critic) = (&teacher.actor, &teacher.critic);
            let shape =
                hf::actor_config(actor.config(), self.tokenizer.end, self.tokenizer.stops());
            sections.push("teacher_config", shape);
            sections.push("teacher", checkpoint::module_bytes(actor).await?);
            let shape = hf::critic_config(critic, &self.tokenizer);
            sections.push("teacher_critic_config", shape);
            sections.push("teacher_critic", checkpoint::module_bytes(critic).await?);
        }
        sections.push("replay", checkpoint::replay_bytes(&self.buffer));
        Ok(sections.to_bytes())
    }

    /// What plays, and can learn afresh from where it stands, as bytes with a checksum.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn export(&self) -> Result<Vec<u8>, Error> {
        let export = self.for_export();
        Ok(export.networks(Some(export.precision())).await?.to_bytes())
    }

    /// The same with weights of so many bits. The example in it is that of the weights as they will
    /// be read.
    ///
    /// # Errors
    /// If the device fails, or a weight is no number or too large for the precision.
    pub async fn export_as(&self, precision: Precision) -> Result<Vec<u8>, Error> {
        let rounded = self.for_export().rounded(precision).await?;
        let precision = match rounded.has_adapters() {
            // Frozen weights of fewer bits have kept them.
            true => rounded.precision(),
            false => precision,
        };
        Ok(rounded.networks(Some(precision)).await?.to_bytes())
    }

    /// The run with the actor that plays in the place of the one that learns, and without what names
    /// the tasks.
    fn for_export(&self) -> Self {
        let mut export = self.clone();
        export.base = Base::default();
        let policy = &mut export.learner.policy;
        policy.task = None;
        if let Some(average) = export.learner.average.take() {
            policy.lm = params::replace(policy.lm.clone(), params::tensors(&average));
        }
        export
    }

    /// Says where this model comes from, in every file that is written of it.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Where this model comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What every file holds; `export` has the precision of one that travels.
    async fn networks(&self, export: Option<Precision>) -> Result<Sections, Error> {
        let held = self.held(export.is_some()).await?;
        let mut config = match export {
            Some(_) => exported_config(&self.config, held.is_some()),
            None => self.config.clone(),
        };
        if held.is_some() {
            config.actor.clear();
        }
        let state = State {
            config,
            warm_start_step: self.warm_start_step,
            iteration: self.iteration,
            games: self.games,
            before: self.before,
            inserted: self.buffer.inserted(),
            about: Some(self.worlds.about().clone()),
            opening: Some(self.opening().await?),
            export: export.is_some(),
            precision: export.unwrap_or_default(),
            origin: self.origin.clone(),
            base_sha256: match &held {
                Some(held) => held.sha256.clone(),
                None => self.base.sha256.clone(),
            },
        };
        // What is beside a frozen model is written as it is.
        let weights = export.filter(|_| held.is_none());
        let agent = self.agent();
        let mut sections = Sections::new();
        sections.push("state", serde_json::to_vec(&state).expect("JSON can be written"));
        sections.push(
            "actor_config",
            hf::actor_config(agent.actor.config(), self.tokenizer.end, self.tokenizer.stops()),
        );
        sections.push("tokenizer", self.tokenizer.to_json());
        if let Some(own) = &self.critic_tokenizer {
            sections.push("critic_tokenizer", own.to_json());
        }
        push_weights(&mut sections, "actor", &self.learner.policy, weights).await?;
        if let Some(critics) = &self.learner.critics {
            let read_by = self.critic_tokenizer.as_ref().unwrap_or(&self.tokenizer);
            sections.push("critic_config", hf::critic_config(&critics.online, read_by));
            push_weights(&mut sections, "critic", &critics.online, weights).await?;
        }
        if let Some(held) = held {
            sections.push(based::SECTION, held.bytes);
        }
        sections.push("example", Example::of(&agent, &self.opening().await?).await?.to_bytes());
        Ok(sections)
    }

    /// Goes on from a checkpoint, with the configuration that it holds; `make` makes the world of its
    /// settings.
    ///
    /// # Errors
    /// If the checkpoint is cut, altered, of another version, or does not fit itself, or the world
    /// cannot be made.
    pub fn resume(bytes: &[u8], make: MakeWorlds<'_>, device: &Device) -> Result<Self, Error> {
        Self::resume_with(bytes, make, device, |config| Ok(config.clone()))
    }

    /// Goes on from a checkpoint with a configuration made of the one that it holds, for example
    /// with more iterations. The shapes of the networks are those of the checkpoint. An export goes
    /// on with empty optimisers and an empty memory.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), and what `change` refuses.
    pub fn resume_with(
        bytes: &[u8],
        make: MakeWorlds<'_>,
        device: &Device,
        change: impl FnOnce(&Config) -> Result<Config, Error>,
    ) -> Result<Self, Error> {
        Self::resume_on(bytes, (make, &no_base), device, change)
    }

    /// As [`resume_with`](Self::resume_with), of a file that may hold adapters of a model which `base`
    /// reads.
    ///
    /// # Errors
    /// As [`resume_with`](Self::resume_with); if the model cannot be read, or is another than the one
    /// that the adapters were trained on.
    pub fn resume_on(
        bytes: &[u8],
        (make, base): (MakeWorlds<'_>, LoadBase<'_>),
        device: &Device,
        change: impl FnOnce(&Config) -> Result<Config, Error>,
    ) -> Result<Self, Error> {
        Self::resume_from(&Sections::from_bytes(bytes)?, (make, base), device, change)
    }

    /// As [`resume_on`](Self::resume_on), of a file that was taken apart. A frozen model in it shares the
    /// file's memory.
    ///
    /// # Errors
    /// As [`resume_on`](Self::resume_on).
    pub fn resume_from(
        sections: &Sections,
        (make, base): (MakeWorlds<'_>, LoadBase<'_>),
        device: &Device,
        change: impl FnOnce(&Config) -> Result<Config, Error>,
    ) -> Result<Self, Error> {
        let state = State::read(sections)?;
        let config = change(&state.config)?;
        config.validate()?;
        let (tokenizer, critic_tokenizer) = tokenizers(sections)?;
        let autodiff = device.clone().autodiff();
        let mut unused = rng::stream(0, "unused", 0);
        let under = match state.base_sha256.is_empty() {
            true if config.actor.is_empty() => config.check_fresh().map(|()| None)?,
            true => None,
            false => match based::of_file(sections, (&config, &state), device)? {
                Some(held) => Some(held),
                None => Some(base_of(&config, &state, base)?),
            },
        };
        let (base, under) = match under {
            Some((lm, under)) => (Some(lm), under),
            None => (None, Base::default()),
        };
        let shape = match &base {
            Some(base) => base.config().clone(),
            None => actor_shape(sections, "actor")?,
        };
        check_ids("tokenizer", &tokenizer, "actor_config", shape.vocab_size)?;
        let lessons = config.lessons.names_tasks();
        if !state.export && lessons != state.config.lessons.names_tasks() {
            return Err(Error::Config(format!(
                "lessons cannot be switched {} in a run that has begun: set lessons.steps as it was, or begin a run of its own from the model with actor",
                if lessons { "on" } else { "off" }
            )));
        }
        let warm = state.warm_start_step < config.warm_start.steps;
        let worlds = make(&config, state.about.as_ref())?;
        let lm = match &base {
            Some(base) => begin::adapted(base, &config.lora, (0, "unused"), &autodiff)?,
            None => shape.init(&mut unused, &autodiff),
        };
        let policy = fresh_policy(&state.config, worlds.as_ref(), lm, warm)?;
        let mut policy = checkpoint::module_from_section(policy, sections, "actor")?;
        if state.export {
            policy = fresh_policy(&config, worlds.as_ref(), policy.lm, warm)?;
        }
        let critic = match sections.get("critic_config") {
            Ok(_) => {
                let critic = match adapted_critic(sections, base.as_ref(), &autodiff)? {
                    Some(critic) => critic,
                    None => {
                        let shape = critic_shape(sections, "critic")?;
                        let read_by = critic_tokenizer.as_ref().unwrap_or(&tokenizer);
                        check_ids("its tokenizer", read_by, "critic_config", shape.vocab_size())?;
                        shape.init(&mut unused, &autodiff)
                    }
                };
                Some(checkpoint::module_from_section(critic, sections, "critic")?)
            }
            Err(_) if config.algorithm.has_critic() => {
                return Err(Error::Checkpoint(format!(
                    "the file has no section critic_config, and so no critic, which algorithm = {} learns with: take another copy of the file",
                    config.algorithm.name()
                )));
            }
            Err(_) => None,
        };
        let learner = match state.export {
            true => Learner::new(policy, critic),
            false => Learner {
                teacher: teacher(&config, &tokenizer, sections, device)?,
                ..learner(&config, policy, critic, sections)?
            },
        };
        let buffer = match config.algorithm.is_offline() {
            // It holds all the games that were given, however many they are.
            true => ReplayBuffer::new(state.inserted.max(1)),
            false => fresh_buffer(&config),
        };
        let buffer = match state.export {
            true => buffer,
            false => checkpoint::replay_from_bytes(buffer, sections.get("replay")?)?
                .with_history(state.inserted),
        };
        let trainer = Self::assemble(config, worlds, (tokenizer, critic_tokenizer), learner)?;
        Ok(Self {
            buffer,
            warm_start_step: state.warm_start_step,
            iteration: state.iteration,
            games: state.games,
            before: state.before,
            origin: state.origin,
            // A file from before this field tells it in its example.
            opening: state.opening.or_else(|| example_opening(sections)),
            base: under,
            ..trainer
        })
    }

    /// Whether a page can read the files of this run: its reader of tokenizers, which is asked here, where
    /// all kinds are read, knows few.
    ///
    /// # Errors
    /// If it cannot; the error says what it would need.
    pub fn fits_a_page(&self) -> Result<(), Error> {
        let of_language_model = self.learner.policy.lm.config().has_adapters();
        self.tokenizer.fits_a_page("tokenizer.json", of_language_model)?;
        match &self.critic_tokenizer {
            Some(own) => own.fits_a_page("the critic's tokenizer.json", of_language_model),
            None => Ok(()),
        }
    }

    /// Whether a file that [`resume`](Self::resume) reads is an export, without what a run needs to
    /// go on exactly.
    ///
    /// # Errors
    /// If the file is cut, altered or of another version.
    pub fn is_export(bytes: &[u8]) -> Result<bool, Error> {
        Self::is_export_of(&Sections::from_bytes(bytes)?)
    }

    /// As [`is_export`](Self::is_export), of a file that was taken apart.
    ///
    /// # Errors
    /// If its header cannot be read.
    pub fn is_export_of(sections: &Sections) -> Result<bool, Error> {
        Ok(State::read(sections)?.export)
    }

    /// Whether the networks here compute what they did where a file was written, by the example in
    /// it; a file from before there were examples is taken as it is.
    ///
    /// # Errors
    /// If they do not, or the device fails.
    pub async fn check_example(&self, bytes: &[u8]) -> Result<(), Error> {
        self.check_example_of(&Sections::from_bytes(bytes)?).await
    }

    /// As [`check_example`](Self::check_example), of a file that was taken apart.
    ///
    /// # Errors
    /// As [`check_example`](Self::check_example).
    pub async fn check_example_of(&self, sections: &Sections) -> Result<(), Error> {
        match sections.get("example") {
            Ok(example) => Example::from_bytes(example)?.check(&self.agent()).await,
            Err(_) => Ok(()),
        }
    }
}

/// The tokenizers of a file: the actor's, and the critic's where it reads by another. The configurations
/// name their special tokens.
pub(super) fn tokenizers(sections: &Sections) -> Result<(Tokenizer, Option<Tokenizer>), Error> {
    let specials = |name: &str| match sections.get(name) {
        Ok(config) => hf::read_specials(name, config),
        Err(_) => Ok(Specials::default()),
    };
    let actor = sections.get("tokenizer")?;
    let actor = Tokenizer::from_json_with(actor, &specials("actor_config")?)?;
    let name = "critic_tokenizer";
    let critic = match sections.get(name) {
        Ok(json) => Some(Tokenizer::from_json_of(name, json, &specials("critic_config")?)?),
        Err(_) => None,
    };
    Ok((actor, critic))
}

/// Refuses a tokenizer with ids for which the weights have no row.
fn check_ids(tokenizer: &str, ids: &Tokenizer, config: &str, rows: usize) -> Result<(), Error> {
    match ids.vocab_size() <= rows {
        true => Ok(()),
        false => Err(Error::Checkpoint(format!(
            "the checkpoint is damaged: {tokenizer} has ids up to {}, and {config} rows for {rows}",
            ids.vocab_size() - 1
        ))),
    }
}

/// What travels of a configuration: no path of the machine where it was made, but for `actor` and
/// `critic` under the reference's numerics, on which the check of the other keys hangs. A student,
/// and who learned from a file of games, goes on without, by ArCHer.
///
/// Where it is `based` on a frozen model in the file, its adapters are of the shape that they have.
fn exported_config(config: &Config, based: bool) -> Config {
    let mut config = config.clone();
    if matches!(config.algorithm, Algorithm::Distill | Algorithm::Iql) {
        config.algorithm = Algorithm::Archer;
    }
    config.distill.teacher.clear();
    config.iql.games.clear();
    config.warm_start.demonstrations.clear();
    config.lora = match based {
        // The model is held as it lies in the file.
        true => LoraConfig { weights: Held::Stored, ..config.lora },
        false => LoraConfig::default(),
    };
    config.lessons.steps = 0; // what names the tasks stays behind
    config.actor_average = 0.0; // what is learned anew should show at once
    config.play_lag = 0; // no policy of the past goes along
    if config.numerics == Numerics::Fixed {
        config.actor.clear();
        config.critic.clear();
    }
    config
}

/// The section of a policy of the past.
pub(super) fn past_section(number: usize) -> String {
    format!("past_{number}")
}

async fn push_weights<M: Module>(
    sections: &mut Sections,
    name: &str,
    module: &M,
    export: Option<Precision>,
) -> Result<(), Error> {
    match export {
        None | Some(Precision::F32) => {
            sections.push(name, checkpoint::module_bytes(module).await?);
        }
        Some(precision) => {
            sections.push(&packed::section(name), packed::pack(module, precision).await?);
        }
    }
    Ok(())
}

/// What the player read first in the example of a file.
fn example_opening(sections: &Sections) -> Option<String> {
    let example = Example::from_bytes(sections.get("example").ok()?).ok()?;
    Some(example.observation().to_string())
}
