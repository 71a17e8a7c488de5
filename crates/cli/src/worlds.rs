//! From the settings of a world to the world: those that archer ships, and those of other people.

use std::sync::Arc;

use archer::config::Config;
use archer_games::WorldConfig;
use archer_world::{Settings, WorldError, Worlds};

use crate::error::Error;

/// The world of these settings.
pub fn make(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    Ok(archer_games::worlds(settings)?)
}

/// The world that a run with this configuration learns in.
pub fn of(config: &Config) -> Result<Arc<dyn Worlds>, WorldError> {
    make(&config.world)
}

/// The settings with every key that the world has.
pub fn resolved(settings: &Settings) -> Result<Settings, WorldError> {
    Ok(archer_games::resolved(settings)?)
}

/// The settings of a world of questions, or of a toy.
pub fn questions(settings: &Settings) -> Result<WorldConfig, Error> {
    Ok(WorldConfig::of(settings)?)
}

/// Whether this is the small game of Twenty Questions, or the whole.
pub fn is_named(settings: &Settings, name: &str) -> bool {
    settings.get("name").map_or(name == "twenty_questions", |value| value == name)
}
