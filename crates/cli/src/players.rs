//! Scripted players by the names that people type, whatever world they play.
//!
//! A world of questions has its askers, a world of the catalogue its own players, and `random` plays
//! wherever a world lists its choices.

use archer::train::warm_start::explored_games;
use archer_games::asker;
use archer_world::{Game, Settings, Start, WorldError, Worlds};
use pollster::block_on;

use crate::askers;
use crate::error::Error;
use crate::worlds;

/// The player of every world that lists its choices.
pub const RANDOM: &str = "random";

/// The player of a world where nobody says which.
pub fn usual(settings: &Settings) -> &'static str {
    match asks(settings) {
        true => "mediocre",
        false => RANDOM,
    }
}

/// Whether scripted askers play the world of these settings.
pub fn asks(settings: &Settings) -> bool {
    worlds::as_questions(settings).is_some_and(|world| matches!(world.guessing(), Ok(Some(_))))
}

/// Lets the player of this name play a game for each start.
pub fn play(
    name: &str,
    settings: &Settings,
    worlds: &dyn Worlds,
    starts: &[Start],
) -> Result<Vec<Game>, Error> {
    if asks(settings) {
        let config = worlds::questions(settings)?;
        let mut world = askers::world(&config)?;
        let mut asker = askers::make(name, world.as_ref(), &config)?;
        return Ok(asker::play(asker.as_mut(), world.as_mut(), starts.iter().copied()));
    }
    if let Some(entry) = archer_games::entry(settings) {
        let mut player = (entry.player)(&archer_games::without_name(settings), name)?;
        return Ok(archer_games::catalogue::play(worlds, player.as_mut(), starts)?);
    }
    if name != RANDOM {
        return Err(Error::from(WorldError::Settings(format!(
            "there is no scripted player {name} of the world {}; choose {RANDOM}, which plays wherever choices are listed",
            worlds.about().name
        ))));
    }
    block_on(explored_games(worlds, starts)).map_err(|error| match error {
        archer::Error::Config(_) => Error::Usage(format!(
            "the player {RANDOM} draws among listed choices, and the world {} lists none",
            worlds.about().name
        )),
        other => other.into(),
    })
}
