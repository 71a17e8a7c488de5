//! An agent from nothing, in the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use archer::config::{Algorithm, Config, TokenizerConfig};
use archer::train::Trainer;
use archer_world::teaching::Demonstrated;
use archer_world::{Game, Worlds};
use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;

use super::Session;
use super::learn::with_set;
use crate::fault::Fault;
use crate::guest;

/// Keys that are not set by name: other options say them, or there are no files here.
const GIVEN: [&str; 5] = ["algorithm", "numerics", "world", "actor", "critic"];

/// How large the networks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Two layers of width 64: a world of short texts.
    #[default]
    Tiny,
    /// Three layers of width 96.
    Small,
    /// Four layers of width 128.
    Medium,
}

impl Size {
    /// Layers, width, heads and tokens in the vocabulary.
    fn shape(self) -> (usize, usize, usize, usize) {
        match self {
            Size::Tiny => (2, 64, 4, 512),
            Size::Small => (3, 96, 6, 768),
            Size::Medium => (4, 128, 8, 1024),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    /// The number of its world.
    pub world: u64,
    /// Games that are imitated first.
    #[serde(default)]
    pub demonstrations: Vec<Game>,
    /// How large the networks are.
    #[serde(default)]
    pub size: Size,
    /// Seed of everything drawn.
    pub seed: Option<u64>,
    /// What it learns by.
    pub algorithm: Option<Algorithm>,
    /// Other keys of the configuration by their dotted names.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
}

impl Session {
    /// A session of a fresh agent. Where there are demonstrations its first steps imitate them.
    ///
    /// # Errors
    /// If a demonstration is of another world, there is nothing from which it could learn what to say,
    /// or the world fails.
    pub async fn create(create: Create, device: Device) -> Result<Self, Fault> {
        let guest = guest::find(create.world)?;
        let about = guest.about().clone();
        for (number, game) in (1..).zip(&create.demonstrations) {
            if let Err(why) = game.check(&about) {
                return Err(Fault::usage(
                    format!("demonstration {number} cannot be imitated: {why}"),
                    "Leave it out, or bring one that was played in this world.",
                ));
            }
        }
        let (layers, width, heads, vocab_size) = create.size.shape();
        let mut config = Config::new_world();
        config.seed = create.seed.unwrap_or(1);
        config.world = guest.settings();
        config.algorithm = create.algorithm.unwrap_or(config.algorithm);
        config.tokenizer = TokenizerConfig { vocab_size, ..config.tokenizer };
        let actor = &mut config.actor_model;
        (actor.layers, actor.width, actor.heads) = (layers, width, heads);
        let critic = &mut config.critic_model;
        (critic.layers, critic.width, critic.heads) = (layers, width, heads);
        config.warm_start.games = create.demonstrations.len();
        // Nobody waits for an evaluation that was not asked for.
        (config.eval_freq, config.eval_size, config.keep_best) = (0, 1, false);
        let config = with_set(config, &create.set, &GIVEN)?;
        let worlds: Arc<dyn Worlds> = match create.demonstrations.is_empty() {
            true => Arc::new(guest),
            false => Arc::new(Demonstrated::new(Arc::new(guest), create.demonstrations)),
        };
        let trainer = Trainer::new(config, worlds, &device).await?;
        let mut session = Self::of(trainer, device);
        session.kept = session.export(true).await?.into();
        session.fresh = true;
        Ok(session)
    }
}
