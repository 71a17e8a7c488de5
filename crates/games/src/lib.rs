//! The worlds that archer ships: Twenty Questions, Guess My City and two toys.
//!
//! Each is an ordinary [`archer_world::World`]. They have never heard of a tensor, a file or a clock;
//! all their chance comes from the seed of a game. [`worlds`] makes one from its settings as the
//! trainer holds it, [`WorldConfig`] is what the settings say.

pub mod error;

pub mod data;
mod decimal;
pub mod knowledge;
pub mod letters;
pub mod oracle;
pub mod words;

pub mod guess_my_city;
pub mod guessing;
pub mod optimum;
pub mod people;
pub mod posterior;
pub mod question_pool;
pub mod toy;
pub mod twenty_questions;

pub mod asker;
pub mod config;
#[cfg(test)]
mod contract;

#[cfg(feature = "box")]
pub mod blackjack;
#[cfg(feature = "box")]
pub mod catalogue;
#[cfg(feature = "box")]
pub mod frozen_lake;
#[cfg(feature = "box")]
pub mod guess_number;
#[cfg(feature = "box")]
pub mod hangman;
#[cfg(feature = "box")]
pub mod mastermind;
#[cfg(feature = "box")]
pub mod maze;
#[cfg(feature = "box")]
pub mod queen_endgame;
#[cfg(feature = "box")]
pub mod tower_of_hanoi;
#[cfg(feature = "box")]
pub mod wordle;

use std::sync::Arc;

use archer_world::{Settings, WorldError, Worlds};

pub use config::{WordList, Words, WorldChange, WorldConfig, WorldName, make_one};

pub use error::{GameError, UnknownWord};
pub use guess_my_city::GuessMyCity;
pub use guessing::GuessingGame;
pub use people::{OracleName, PeopleConfig};
pub use twenty_questions::{Answer, Rules, TwentyQuestions};

/// The names of all worlds.
pub fn names() -> Vec<&'static str> {
    let names = WorldName::ALL.iter().map(|name| name.name());
    #[cfg(feature = "box")]
    let names = names.chain(catalogue::ENTRIES.iter().map(|entry| entry.name));
    names.collect()
}

/// The world of these settings; without a name it is Twenty Questions.
///
/// # Errors
/// A name that no world has, or a setting that is out of its range or does not belong to the world.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    #[cfg(feature = "box")]
    if let Some(entry) = entry(settings) {
        return (entry.make)(&without_name(settings));
    }
    Ok(WorldConfig::of(settings)?.worlds()?)
}

/// The settings of a world with every key that it has, as far as it tells them.
///
/// # Errors
/// As of [`worlds`], but for what only making the world finds out.
pub fn resolved(settings: &Settings) -> Result<Settings, WorldError> {
    #[cfg(feature = "box")]
    if let Some(entry) = entry(settings) {
        (entry.make)(&without_name(settings))?;
        return Ok(settings.clone());
    }
    Ok(WorldConfig::of(settings)?.settings())
}

/// The world of the catalogue that these settings name.
#[cfg(feature = "box")]
pub fn entry(settings: &Settings) -> Option<&'static catalogue::Entry> {
    settings.get("name").and_then(|name| catalogue::find(name.as_str()?))
}

/// The settings that a world of the catalogue is made of.
#[cfg(feature = "box")]
pub fn without_name(settings: &Settings) -> Settings {
    let mut own = settings.clone();
    own.remove("name");
    own
}

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
