//! What a model file says of itself, read without its weights and without making its world.

use std::io::Read;

use archer_world::About;
use serde_json::Value;

use super::saved::{Origin, State, tokenizers};
use crate::checkpoint::packed::{self, Precision};
use crate::checkpoint::survey::{Survey, survey};
use crate::config::Config;
use crate::error::Error;

/// A checkpoint or an exported file, as its header describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The version of the container.
    pub version: u32,
    /// The name and the length in bytes of each section.
    pub sections: Vec<(String, u64)>,
    /// Whether what only training needs was left out.
    pub export: bool,
    /// How exactly the weights are written.
    pub precision: Precision,
    /// Where it comes from.
    pub origin: Origin,
    /// What it was trained by.
    pub config: Config,
    /// Steps of the warm start that were done.
    pub warm_start_step: usize,
    /// Iterations that were done.
    pub iteration: usize,
    /// Games that were played to learn from.
    pub games: u64,
    /// What is the same in all games of its world.
    pub about: Option<About>,
    /// What a player reads first there.
    pub opening: Option<String>,
    /// Tokens in the vocabulary.
    pub tokens: usize,
    /// The actor: its scalars, with those of a value head where it has one, and its shape as in Hugging
    /// Face's `config.json`.
    pub actor: (u64, Value),
    /// The critic likewise, where there is one.
    pub critic: Option<(u64, Value)>,
    /// SHA-256 of the model that its adapters belong to; empty where it holds whole models.
    pub base_sha256: String,
}

impl Described {
    /// Reads a file of `length` bytes from its beginning.
    ///
    /// # Errors
    /// If the file is cut, altered or of another version, or its header cannot be read.
    pub fn read(source: &mut dyn Read, length: u64) -> Result<Self, Error> {
        // Weights of fewer bits are kept: only their own headers say how many they are.
        let packed = ["actor", "critic"].map(packed::section);
        let headers = ["state", "actor_config", "critic_config", "tokenizer"];
        let keep = |name: &str| headers.contains(&name) || packed.iter().any(|one| one == name);
        let Survey { version, sections, kept } = survey(source, length, &keep)?;
        let State {
            config,
            warm_start_step,
            iteration,
            games,
            about,
            opening,
            export,
            precision,
            origin,
            base_sha256,
            ..
        } = State::read(&kept)?;
        let network = |name: &str| -> Result<(u64, Value), Error> {
            let unpacked = sections.iter().find(|(section, _)| section == name);
            let scalars = match unpacked {
                Some((_, bytes)) => bytes / 4,
                None => packed::parameters(kept.get(&packed::section(name))?)?,
            };
            let shape = kept.get(&format!("{name}_config"))?;
            let shape = serde_json::from_slice(shape).map_err(|error| {
                Error::Checkpoint(format!("the checkpoint is damaged: {name}_config: {error}"))
            })?;
            Ok((scalars, shape))
        };
        let critic = kept.get("critic_config").is_ok().then(|| network("critic")).transpose()?;
        let actor = network("actor")?;
        let (tokenizer, _) = tokenizers(&kept)?;
        Ok(Self {
            version,
            sections,
            export,
            precision,
            origin,
            config,
            warm_start_step,
            iteration,
            games,
            about,
            opening,
            tokens: tokenizer.vocab_size(),
            actor,
            critic,
            base_sha256,
        })
    }
}
