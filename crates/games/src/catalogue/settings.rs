//! Reading the settings of a world, with sentences that name key, value and what is accepted.

use std::fmt::Display;
use std::ops::RangeInclusive;

use archer_world::{Settings, WorldError};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads settings in which every key may be absent.
///
/// # Errors
/// If a key is unknown or its value is of another kind; the sentence names both.
pub fn read<T: DeserializeOwned>(world: &str, settings: &Settings) -> Result<T, WorldError> {
    let parse = |settings: Settings| serde_json::from_value::<T>(Value::Object(settings));
    // An error about the whole does not say which key it is about, so each key is tried alone.
    for (key, value) in settings {
        let alone = Settings::from_iter([(key.clone(), value.clone())]);
        if let Err(error) = parse(alone) {
            return Err(unusable(world, key, value, &error));
        }
    }
    parse(settings.clone()).map_err(|error| {
        WorldError::Settings(format!("the settings of the world {world} cannot be read: {error}"))
    })
}

/// The error of a value that a world does not accept: `accepted` says what it does.
pub fn unusable(world: &str, key: &str, value: impl Display, accepted: impl Display) -> WorldError {
    WorldError::Settings(format!(
        "the world {world} cannot be made with {key} = {value}: {accepted}"
    ))
}

/// Holds a number to its range, both ends of which are allowed.
///
/// # Errors
/// If it is outside; the sentence names key, value and range.
pub fn within<N: PartialOrd + Display>(
    world: &str,
    key: &str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<(), WorldError> {
    if range.contains(&value) {
        return Ok(());
    }
    let accepted = format!("it is a number from {} to {}", range.start(), range.end());
    Err(unusable(world, key, value, accepted))
}

/// The error of a player's name that a world does not know.
pub fn unknown_player(world: &str, name: &str, players: &[&str]) -> WorldError {
    let players = players.join(", ");
    WorldError::Settings(format!("the world {world} has no player {name}: it has {players}"))
}
