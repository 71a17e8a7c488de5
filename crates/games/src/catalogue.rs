//! Worlds whose best return is known, by name: each an ordinary [`archer_world::World`].
//!
//! An [`Entry`] makes a world from its settings, says what is known of its optimum, and makes its
//! scripted players. [`play`] plays such players, so that a return can be held against them.

pub mod code_breaking;
mod demonstrations;
mod players;
#[cfg(feature = "schema")]
mod schema;
pub mod settings;

use std::sync::Arc;

use archer_world::{Settings, WorldError, Worlds};

pub(crate) use demonstrations::Demonstrations;
pub use demonstrations::MediocrePlayer;
pub use players::{Player, RandomPlayer, mean_return, play};
pub(crate) use players::{draw, player_chance, world_chance};
#[cfg(feature = "schema")]
pub use schema::schema;

use crate::{
    blackjack, frozen_lake, guess_number, hangman, mastermind, maze, queen_endgame, tower_of_hanoi,
    wordle,
};

/// A world of this crate that is an ordinary [`archer_world::World`].
pub struct Entry {
    /// Its name, as settings and `archer train --world` spell it.
    pub name: &'static str,
    /// What it is, in one sentence without a full stop.
    pub summary: &'static str,
    /// Makes the world; fails where the settings cannot be used.
    pub make: fn(&Settings) -> Result<Arc<dyn Worlds>, WorldError>,
    /// What is known of the best mean return; may compute for some seconds. Fails where the settings
    /// cannot be used.
    pub optimum: fn(&Settings) -> Result<Optimum, WorldError>,
    /// The scripted players by name, for example `optimal` and `random`.
    pub players: &'static [&'static str],
    /// Makes a player of this name; fails where there is none, or none under these settings.
    pub player: MakePlayer,
}

/// Makes the player of this name for a world of these settings.
pub type MakePlayer = fn(&Settings, &str) -> Result<Box<dyn Player>, WorldError>;

/// What is known of the best mean return of a world. The mean is over the tasks, or over drawn games
/// where tasks have no numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Optimum {
    /// The best mean return that any player can reach, where it was computed.
    pub exact: Option<f64>,
    /// A return that no player exceeds in the mean, where the optimum itself is not computed.
    pub bound: Option<f64>,
    /// The mean return of the best scripted player, where it is computed and not a sample.
    pub scripted: Option<f64>,
    /// How the numbers were found, in a sentence or two.
    pub note: String,
}

impl Optimum {
    /// An optimum that a scripted player reaches.
    pub fn exact(value: f64, note: impl Into<String>) -> Self {
        Self { exact: Some(value), bound: None, scripted: Some(value), note: note.into() }
    }
}

/// All of them, in the order of their names.
pub const ENTRIES: &[Entry] = &[
    blackjack::ENTRY,
    frozen_lake::ENTRY,
    guess_number::ENTRY,
    hangman::ENTRY,
    mastermind::ENTRY,
    maze::ENTRY,
    queen_endgame::ENTRY,
    tower_of_hanoi::ENTRY,
    wordle::ENTRY,
];

/// The world of this name, if there is one.
///
/// ```
/// let maze = archer_games::catalogue::find("maze").unwrap();
/// let worlds = (maze.make)(&Default::default()).unwrap();
/// assert_eq!(worlds.about().tasks, Some(25));
/// ```
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;
