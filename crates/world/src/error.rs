//! What can go wrong with a world: it cannot be made as it was asked for, or it broke off in a game.

use std::fmt;

/// A world that cannot be used. Each displays as a whole sentence that says whose fault it is and what
/// to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WorldError {
    /// It cannot be made with these settings.
    Settings(String),
    /// It broke a rule of the contract ([`crate::contract`]).
    Broken(String),
    /// It cannot be reached, died, hangs, or cannot be understood.
    Lost(String),
}

impl WorldError {
    /// Whether the caller asked for something that cannot be, rather than that something failed.
    pub fn is_usage(&self) -> bool {
        matches!(self, WorldError::Settings(_))
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (WorldError::Settings(text) | WorldError::Broken(text) | WorldError::Lost(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for WorldError {}
