//! What fresh models look like: the tokenizer, the actor, the critic.

use serde::{Deserialize, Serialize};

use super::ranges::{
    MOST_BYTES, MOST_LAYERS, MOST_POSITIONS, MOST_TOKENS, MOST_WIDTH, at_least_one, at_most, width,
    within,
};
use crate::error::Error;
use crate::text::tokenizer::MIN_VOCAB;

/// The byte-level BPE trained on generated games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    /// Largest vocabulary, specials and the 256 bytes included; at least 261.
    pub vocab_size: usize,
    /// Bytes that one token may stand for; 8 to 16. Tokens may span words ("Is it a").
    pub max_token_length: usize,
}

impl TokenizerConfig {
    /// Whether a vocabulary may have so many tokens.
    pub(crate) fn can_have(tokens: usize) -> bool {
        (MIN_VOCAB..=MOST_TOKENS).contains(&tokens)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_one("tokenizer.max_token_length", self.max_token_length, MOST_BYTES)?;
        let good = Self::can_have(self.vocab_size);
        let want = format_args!("at least {MIN_VOCAB} and at most {MOST_TOKENS}");
        within("tokenizer.vocab_size", self.vocab_size, good, want)
    }
}

/// A GPT-2-layout language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ActorModelConfig {
    /// Transformer blocks.
    pub layers: usize,
    /// Hidden width; a multiple of `heads`.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Positions, which bounds observation and action together; 0 for as many as the games that are
    /// seen before learning need.
    pub positions: usize,
    /// Begin a fresh actor with heads that look back one token, two and so on: where many tasks
    /// must be learned, it saves a thousand steps of a plateau; where few, it does harm
    /// (docs/LOG.md).
    pub look_back: bool,
}

impl ActorModelConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_one("actor_model.layers", self.layers, MOST_LAYERS)?;
        at_least_one("actor_model.heads", self.heads, MOST_WIDTH)?;
        width("actor_model.width", self.width, self.heads)?;
        at_most("actor_model.positions", self.positions, MOST_POSITIONS)
    }
}

/// How the critic reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CriticKind {
    /// A RoBERTa-layout encoder reads state and action apart, as in the reference.
    Encoder,
    /// A GPT-2-layout body reads a whole game in one pass.
    Causal,
}

/// The body under the four heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CriticModelConfig {
    /// How it reads.
    pub kind: CriticKind,
    /// A fresh causal critic begins, after the warm start, with the actor's body: what imitation
    /// has learned to see in a text (what was asked, what was answered) it need not find again.
    /// The shapes must then be equal.
    pub from_actor: bool,
    /// Transformer blocks.
    pub layers: usize,
    /// Hidden width; a multiple of `heads`.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Positions for text; an encoder's `<s>` and `</s>` included. 0 for as many as the actor's.
    pub positions: usize,
}

impl CriticModelConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_one("critic_model.layers", self.layers, MOST_LAYERS)?;
        at_least_one("critic_model.heads", self.heads, MOST_WIDTH)?;
        width("critic_model.width", self.width, self.heads)?;
        let (key, positions) = ("critic_model.positions", self.positions);
        let want = "at least 16, or 0 for as many as the world needs";
        within(key, positions, !(1..16).contains(&positions), want)?;
        at_most(key, positions, MOST_POSITIONS)
    }
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self { vocab_size: 1024, max_token_length: 12 }
    }
}

impl Default for ActorModelConfig {
    fn default() -> Self {
        Self { layers: 4, width: 128, heads: 4, positions: 512, look_back: false }
    }
}

impl Default for CriticModelConfig {
    fn default() -> Self {
        Self {
            kind: CriticKind::Encoder,
            from_actor: false,
            layers: 2,
            width: 128,
            heads: 4,
            positions: 512,
        }
    }
}
