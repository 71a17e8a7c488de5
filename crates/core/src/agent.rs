//! A model folder: an actor that can play, with what it needs to do so.
//!
//! Hugging Face's layout, so that it can be taken elsewhere, with two additions of ours:
//! `archer.json` (the world the agent was trained in and how it speaks) and `critic/`. Folders
//! are maps from relative path to bytes here; the shells own the disk.

use std::sync::Arc;

use archer_world::{Choices, Settings, Style, Transcript};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::algorithms::common::choose::{Chooser, spoken};
use crate::algorithms::common::{Layout, Player, sample_actions};
use crate::choices::{Trie, Tries, Walk};
use crate::config::Config;
use crate::error::Error;
use crate::hf::{self, Format, weights};
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::generate::{Decoder, Utterance};
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;

const MODEL: &str = weights::SINGLE;
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const ABOUT: &str = "archer.json";
const CRITIC: &str = "critic/";
const CRITIC_MODEL: &str = "critic/model.safetensors";
const CRITIC_CONFIG: &str = "critic/config.json";
const CRITIC_TOKENIZER: &str = "critic/tokenizer.json";

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
        }
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
    layout: Layout,
}

impl Agent {
    /// Reads a model folder; `file` gives the bytes of a relative path, or `None` if there is none.
    ///
    /// A folder without `archer.json` (a plain GPT-2) has no world of its own.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the files do not fit each other; the error names it.
    pub fn from_files(
        file: &dyn Fn(&str) -> Option<Vec<u8>>,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::from_files_to_train(file, 0, device)
    }

    /// The same for a run with this seed, from which what a published critic's files lack (its
    /// heads, its pooler) is drawn.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn from_files_to_train(
        file: &dyn Fn(&str) -> Option<Vec<u8>>,
        seed: u64,
        device: &Device,
    ) -> Result<Self, Error> {
        let need = |path: &str| {
            file(path).ok_or_else(|| Error::Model(format!("the model folder has no file {path}")))
        };
        let shape = hf::read_gpt2_config(CONFIG, &need(CONFIG)?)?;
        let tokenizer_json = need(TOKENIZER)?;
        let tokenizer = Tokenizer::from_json(&tokenizer_json)?;
        let about = match file(ABOUT) {
            Some(bytes) => read_about(&bytes, &tokenizer_json)?,
            None => About::of_strangers(&tokenizer_json),
        };
        check_vocabulary(TOKENIZER, &tokenizer, CONFIG, shape.vocab_size)?;
        // The values drawn here are replaced at once; the seed does not matter.
        let actor = shape.init(&mut rng::stream(0, "actor.init", 0), device);
        let actor = hf::read_actor(actor, &weights::files(file, "")?)?;
        let Some(config) = file(CRITIC_CONFIG) else {
            if about.samples > 1 {
                return Err(Error::Model(format!(
                    "{ABOUT} says that a critic chooses among {} utterances, and there is no {CRITIC_CONFIG}: put back the critic that came with the model",
                    about.samples
                )));
            }
            return Ok(Self::new(actor, None, tokenizer, about));
        };
        let mut fresh = rng::stream(seed, "critic.init", 0);
        let critic = hf::critic_like(CRITIC_CONFIG, &config, &mut fresh, device)?;
        let critic = hf::read_critic(critic, &weights::files(file, CRITIC)?)?;
        let own = file(CRITIC_TOKENIZER).filter(|json| *json != tokenizer_json);
        let own = own.map(|json| Tokenizer::from_json_of(CRITIC_TOKENIZER, &json)).transpose()?;
        let (name, read_by) = match &own {
            Some(own) => (CRITIC_TOKENIZER, own),
            None => (TOKENIZER, &tokenizer),
        };
        check_vocabulary(name, read_by, CRITIC_CONFIG, critic.vocab_size())?;
        Ok(Self::new(actor, Some(critic), tokenizer, about).with_critic_tokenizer(own))
    }

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
            actor: actor.valid(),
            critic: critic.map(|critic| critic.valid()),
            tokenizer,
            critic_tokenizer: None,
            about,
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

    /// Scalars in its networks.
    pub fn parameters(&self) -> usize {
        params::count(&self.actor) + self.critic.as_ref().map_or(0, params::count)
    }

    /// How texts are laid out for its networks.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The files of this agent's model folder.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let tokenizer = self.tokenizer.to_json();
        let about = serde_json::to_string_pretty(&self.about).expect("JSON can be written") + "\n";
        let mut files = vec![
            (CONFIG.to_string(), hf::gpt2_config(self.actor.config(), self.tokenizer.end)),
            (ABOUT.to_string(), about.into_bytes()),
            (MODEL.to_string(), hf::write(&self.actor, Format::Gpt2).await?),
        ];
        if let Some(critic) = &self.critic {
            let read_by = self.critic_tokenizer.as_ref().unwrap_or(&self.tokenizer);
            files.push((CRITIC_CONFIG.to_string(), hf::critic_config(critic, read_by)));
            files.push((CRITIC_MODEL.to_string(), hf::write_critic(critic).await?));
            files.push((CRITIC_TOKENIZER.to_string(), read_by.to_json()));
        }
        files.push((TOKENIZER.to_string(), tokenizer));
        Ok(files)
    }

    /// The player that this agent is, choosing tokens as `sampler` says, on so many threads.
    pub fn player<'a>(&'a self, sampler: &'a Sampler, threads: usize) -> Player<'a> {
        Player {
            actor: &self.actor,
            tokenizer: &self.tokenizer,
            layout: &self.layout,
            sampler,
            threads,
            chooser: self.critic.as_ref().filter(|_| self.about.samples > 1).map(|critic| {
                Chooser { critic, samples: self.about.samples, temperature: self.about.temperature }
            }),
            tries: self.about.utterance_tries,
        }
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
        let tokens = self.tokenizer.encode(observation);
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

    /// The agent's next utterance after a text.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn say(
        &self,
        observation: &str,
        sampler: &Sampler,
        rng: &mut ChaCha8Rng,
    ) -> Result<String, Error> {
        let nothing = Transcript::new(self.about.style.clone(), None, "");
        self.say_aloud(observation, &nothing, None, sampler, rng, |_| ()).await
    }

    /// As [`say`](Self::say), token by token: `report` is given the text so far whenever it has grown.
    /// An agent that tries again does not repeat what was said in the game `before`, which may hold more
    /// than is observed. Where the world lists `choices` it says one of them.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn say_aloud(
        &self,
        observation: &str,
        before: &Transcript,
        choices: Option<&Choices>,
        sampler: &Sampler,
        rng: &mut ChaCha8Rng,
        mut report: impl FnMut(&str),
    ) -> Result<String, Error> {
        let tokens = self.tokenizer.encode(observation);
        let trie = self.trie(choices)?;
        let mut decoder = Decoder::new(&self.actor, 1);
        decoder.read(&[self.layout.observation(&tokens).to_vec()]);
        let player = self.player(sampler, 1);
        if player.chooser.is_some() {
            // Nothing is said before it is chosen.
            let rng = std::slice::from_mut(rng);
            let chosen = player
                .answer(&mut decoder, &[&tokens], &[before], &[trie.as_deref()], rng)
                .await?
                .remove(0);
            let text = spoken(&self.tokenizer, &chosen);
            report(&text);
            return Ok(text);
        }
        let unread = (player.tries > 1).then(|| decoder.clone());
        let ends = |token| self.tokenizer.ends_utterance(token);
        let mut walk = Walk::new(trie.as_deref());
        let mut whole = Utterance::default();
        for _ in 0..self.layout.max_new_tokens {
            let rng = std::slice::from_mut(&mut *rng);
            let walks = std::slice::from_mut(&mut walk);
            let next = decoder.generate_along(sampler, rng, walks, 1, ends).await?.remove(0);
            whole.tokens.extend(next.tokens);
            whole.ended = next.ended;
            let text = spoken(&self.tokenizer, &whole);
            // A text that may still become a repetition is not reported until it is certain that it is none.
            if unread.is_none() || !before.may_repeat(&text) {
                report(&text);
            }
            if whole.ended {
                break;
            }
            decoder.read(&[Vec::new()]);
        }
        if let Some(unread) = unread {
            let (first, rng) = (std::slice::from_mut(&mut whole), std::slice::from_mut(rng));
            let replaced =
                player.replace_repeated(&unread, first, &[before], &[trie.as_deref()], rng).await?;
            let text = spoken(&self.tokenizer, &whole);
            if replaced || before.may_repeat(&text) {
                report(&text);
            }
        }
        Ok(spoken(&self.tokenizer, &whole))
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

fn check_vocabulary(
    tokenizer_file: &str,
    tokenizer: &Tokenizer,
    config_file: &str,
    rows: usize,
) -> Result<(), Error> {
    if tokenizer.vocab_size() <= rows {
        return Ok(());
    }
    Err(Error::Model(format!(
        "{tokenizer_file} has {} tokens but the weights of {config_file} only {rows}: the two do not belong together",
        tokenizer.vocab_size()
    )))
}

fn read_about(bytes: &[u8], tokenizer_json: &[u8]) -> Result<About, Error> {
    let about: About =
        archer_input::json(bytes).map_err(|fault| Error::Model(format!("archer.json {fault}")))?;
    if about.version != 1 {
        return Err(Error::Model(format!(
            "archer.json is of version {}; this program reads version 1",
            about.version
        )));
    }
    if about.tokenizer_crc32 != crc32fast::hash(tokenizer_json) {
        return Err(Error::Model(
            "tokenizer.json is not the one that the weights were trained with; put back the one that came with the model"
                .into(),
        ));
    }
    Ok(about)
}
