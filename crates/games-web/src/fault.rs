//! What can go wrong, as the package tells it.

use archer_games::GameError;
use archer_world::WorldError;
use serde::Serialize;

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// A code of the package's `ErrorCode`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Fault {
    /// A call at the wrong time or with a wrong value.
    pub fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self { code: "usage", message: message.into(), hint }
    }
}

impl From<WorldError> for Fault {
    fn from(error: WorldError) -> Self {
        Self::usage(error.to_string(), "Change the setting that the message names.")
    }
}

impl From<GameError> for Fault {
    fn from(error: GameError) -> Self {
        WorldError::from(error).into()
    }
}
