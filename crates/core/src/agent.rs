//! A model folder: an actor that can play, with what it needs to do so.
//!
//! Hugging Face's layout, so that it can be taken elsewhere, with two additions of ours:
//! `archer.json` (the world the agent was trained in and how it speaks) and `critic/`. Folders
//! are maps from relative path to bytes here; the shells own the disk. `agent/folder.rs` reads and
//! writes them.

use std::sync::Arc;

use archer_world::{Choices, Settings, Style, Transcript};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::algorithms::common::choose::{Chooser, spoken};
use crate::algorithms::common::{Layout, Player, sample_actions};
use crate::choices::{Trie, Tries};
use crate::config::ranges::{
    MOST_POSITIONS, MOST_SAMPLES, MOST_SLICES, MOST_TOKENS, at_least_one, at_most, share,
    temperature, within,
};
use crate::config::{ChatConfig, Config, Held};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::ranks::Workers;
use crate::text::Tokenizer;

mod card;
mod folder;

pub use card::{Card, Measured};
pub use folder::Reading;

/// What `archer.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Version of this file's layout.
    pub version: u32,
    /// The settings of the world that the agent was trained in, which only that world understands.
    /// Empty where nobody says: the agent can play any world then.
    pub world: Settings,
    /// How what it says and what is replied are joined in the text that it reads.
    #[serde(default = "Style::one_line")]
    pub style: Style,
    /// Exchanges that it reads beside the opening, as [`archer_world::About::memory`] has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<usize>,
    /// Tokens after which its utterances are cut.
    pub max_new_tokens: usize,
    /// Sampling temperature in training.
    pub temperature: f64,
    /// Tokens among which it sampled in training, the likeliest; 0 for all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub top_k: usize,
    /// The probability of the tokens among which it sampled in training, the likeliest; 1 for all.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub top_p: f64,
    /// Utterances that it draws and lets its critic choose from; 1 where it says the first.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub samples: usize,
    /// Utterances that it tries until one was not said before in its game; 1 where it says the first.
    #[serde(default = "one", skip_serializing_if = "is_one", alias = "tries")]
    pub utterance_tries: usize,
    /// Checksum of the `tokenizer.json` that the weights were trained with.
    pub tokenizer_crc32: u32,
    /// SHA-256 of the weight files of the model that its adapters belong to; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_sha256: String,
    /// How the weights of that model were held when the adapters were trained.
    #[serde(default, skip_serializing_if = "is_stored")]
    pub base_weights: Held,
}

fn is_stored(precision: &Held) -> bool {
    *precision == Held::Stored
}

impl About {
    /// What is known of an agent whose folder says nothing: it samples from all that it can say.
    fn of_strangers(tokenizer_json: &[u8]) -> Self {
        let config = Config::default();
        Self {
            version: 1,
            world: Settings::new(),
            style: Style::one_line(),
            memory: None,
            max_new_tokens: config.max_new_tokens,
            temperature: config.temperature,
            top_k: config.top_k,
            top_p: config.top_p,
            samples: one(),
            utterance_tries: one(),
            tokenizer_crc32: crc32fast::hash(tokenizer_json),
            base_sha256: String::new(),
            base_weights: Held::Stored,
        }
    }

    /// Holds what is said to its ranges, for an actor of texts of so many tokens.
    fn check(&self, positions: usize) -> Result<(), Error> {
        at_least_one("max_new_tokens", self.max_new_tokens, MOST_POSITIONS)?;
        within(
            "max_new_tokens",
            self.max_new_tokens,
            self.max_new_tokens + 8 < positions,
            format_args!(
                "smaller by more than 8 than the {positions} tokens that the actor reads, to leave room for an observation"
            ),
        )?;
        temperature("temperature", self.temperature)?;
        at_most("top_k", self.top_k, MOST_TOKENS)?;
        share("top_p", self.top_p)?;
        if let Style::Chat(chat) = &self.style {
            ChatConfig::of(chat.as_ref().clone()).check()?;
        }
        at_least_one("samples", self.samples, MOST_SAMPLES)?;
        at_least_one("utterance_tries", self.utterance_tries, MOST_SAMPLES)?;
        self.memory.map_or(Ok(()), |memory| at_most("memory", memory, MOST_SLICES))
    }

    /// How the agent speaks: as in its training where `sample`, else its likeliest words.
    pub fn sampler(&self, sample: bool) -> Sampler {
        match sample {
            true => Sampler { temperature: self.temperature, top_k: self.top_k, top_p: self.top_p },
            false => Sampler::greedy(),
        }
    }

    /// A game before its first utterance, as the agent reads it.
    pub fn transcript(&self, opening: &str) -> Transcript {
        Transcript::new(self.style.clone(), self.memory, opening)
    }
}

/// The model under some adapters, which files name and do not hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Base {
    /// The folder where it was read from, as it was named.
    pub place: String,
    /// SHA-256 of its weight files, one after another; empty where nobody asked.
    pub sha256: String,
}

/// An agent that can play.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The actor, without autodiff.
    pub actor: CausalLm,
    /// The critic, where the folder holds one.
    pub critic: Option<Critic>,
    /// Words and tokens.
    pub tokenizer: Tokenizer,
    /// The critic's, where it reads by another.
    pub critic_tokenizer: Option<Tokenizer>,
    /// World and manner of speaking.
    pub about: About,
    /// What was set aside when its files were read, a sentence each.
    pub notices: Vec<String>,
    /// The model that its adapters belong to, or that adapters can be added to.
    pub base: Base,
    layout: Layout,
}

impl Agent {
    /// An agent of these parts.
    pub fn new(
        actor: CausalLm,
        critic: Option<Critic>,
        tokenizer: Tokenizer,
        about: About,
    ) -> Self {
        let critic_positions = critic.as_ref().map_or(2, |critic| critic.positions());
        let layout = Layout::new(
            &tokenizer,
            actor.config().positions,
            critic_positions,
            about.max_new_tokens,
        );
        Self {
            actor: actor.valid().with_tokens(|id| tokenizer.has(id)),
            critic: critic.map(|critic| critic.valid()),
            tokenizer,
            critic_tokenizer: None,
            about,
            notices: Vec::new(),
            base: Base::default(),
            layout,
        }
    }

    /// The same agent with a critic that reads text by a tokenizer of its own, if it has one.
    pub fn with_critic_tokenizer(mut self, own: Option<Tokenizer>) -> Self {
        if let Some(own) = &own {
            self.layout = self.layout.with_critic_tokenizer(&self.tokenizer, own);
        }
        Self { critic_tokenizer: own, ..self }
    }

    /// Says which model the adapters of this agent belong to.
    pub fn with_base(self, base: Base) -> Self {
        Self { base, ..self }
    }

    /// Adds its adapters to the weights of each network, so that it needs no other model.
    #[cfg_attr(not(feature = "llama"), allow(unused_mut))]
    pub fn whole(mut self) -> Self {
        #[cfg(feature = "llama")]
        {
            let device = self.actor.device().inner();
            self.actor = self.actor.merged(&device);
            self.critic = self.critic.map(|critic| critic.merged(&device));
            (self.base, self.about.base_sha256) = (Base::default(), String::new());
            self.about.base_weights = Held::Stored;
        }
        self
    }

    /// Scalars in its networks.
    pub fn parameters(&self) -> usize {
        self.actor.size() + self.critic.as_ref().map_or(0, params::count)
    }

    /// How texts are laid out for its networks.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The player that this agent is, choosing tokens as `sampler` says, on so many threads.
    pub fn player<'a>(&'a self, sampler: &'a Sampler, threads: usize) -> Player<'a> {
        Player {
            actor: &self.actor,
            tokenizer: &self.tokenizer,
            layout: &self.layout,
            sampler,
            workers: Workers::threads(threads),
            chooser: self.critic.as_ref().filter(|_| self.about.samples > 1).map(|critic| {
                Chooser { critic, samples: self.about.samples, temperature: self.about.temperature }
            }),
            tries: self.about.utterance_tries,
            style: self.chat(),
        }
    }

    /// How the messages of a chat are framed for it, where it reads them so.
    fn chat(&self) -> Option<&Style> {
        Some(&self.about.style).filter(|style| matches!(style, Style::Chat(_)))
    }

    /// A game of a world as this agent reads it, before its first utterance.
    pub fn transcript_in(&self, world: &archer_world::About, opening: &str) -> Transcript {
        let style = self.chat().unwrap_or(&world.style).clone();
        Transcript::new(style, world.memory, opening)
    }

    /// So many utterances that the agent may say after a text, drawn as in its training; draw `i`
    /// comes from the generator number `i` of `purpose`.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn sample(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        n: usize,
        (seed, purpose): (u64, &str),
    ) -> Result<Vec<String>, Error> {
        let tokens = self.tokenizer.encode_observation(observation);
        let sampler = self.about.sampler(true);
        let player = self.player(&sampler, 1);
        let rows = vec![&tokens[..]; n];
        let trie = self.trie(choices)?;
        let tries = vec![trie.as_deref(); n];
        let said = sample_actions(player, &rows, &tries, (seed, purpose, 0)).await?;
        Ok(said.iter().map(|utterance| spoken(&self.tokenizer, utterance)).collect())
    }

    /// What can be said where a world lists it, in this agent's tokens.
    ///
    /// # Errors
    /// If a choice is longer than what the agent can say, or it cannot write it.
    pub fn trie(&self, choices: Option<&Choices>) -> Result<Option<Arc<Trie>>, Error> {
        Tries::default().of(choices, &self.tokenizer, self.layout.max_new_tokens)
    }
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn whole() -> f64 {
    1.0
}

fn is_whole(share: &f64) -> bool {
    *share == 1.0
}
