//! The worlds that archer ships: Twenty Questions, Guess My City and two toys.
//!
//! Each is an ordinary [`archer_world::World`]. They have never heard of a tensor, a file or a clock;
//! all their chance comes from the seed of a game. [`worlds`] makes one from its settings as the
//! trainer holds it, [`WorldConfig`] is what the settings say.

pub mod error;

pub mod data;
pub mod knowledge;
pub mod oracle;
pub mod words;

pub mod guess_my_city;
pub mod guessing;
pub mod optimum;
pub mod question_pool;
pub mod toy;
pub mod twenty_questions;

pub mod asker;
pub mod config;
#[cfg(test)]
mod contract;

use std::sync::Arc;

use archer_world::{Settings, Worlds};

pub use config::{WordList, WorldChange, WorldConfig, WorldName, make_one};
pub use error::{GameError, UnknownWord};
pub use guess_my_city::GuessMyCity;
pub use guessing::GuessingGame;
pub use twenty_questions::{Answer, Rules, TwentyQuestions};

/// The world of these settings; without a name it is Twenty Questions.
///
/// # Errors
/// A setting that is out of its range or does not belong to the world.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, GameError> {
    WorldConfig::of(settings)?.worlds()
}

/// The settings of a world with every key that it has.
///
/// # Errors
/// As of [`worlds`], but for what only making the world finds out.
pub fn resolved(settings: &Settings) -> Result<Settings, GameError> {
    Ok(WorldConfig::of(settings)?.settings())
}
