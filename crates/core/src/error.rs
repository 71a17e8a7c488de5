//! The one error of the core.
//!
//! A wrong shape is a bug and panics; a wrong file, configuration or text is life and becomes one
//! of these. Each displays as a whole sentence that a shell can print as it is. One enum rather
//! than one per module: the shells only ever ask which exit code it deserves.

use std::fmt;

/// What can go wrong in the core.
#[derive(Debug, Clone, PartialEq)]
// One rank tells the others.
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used; names the key, the value and what would be right.
    Config(String),
    /// A model folder, tokenizer or weight file does not hold what it should.
    Model(String),
    /// A checkpoint is damaged.
    Checkpoint(String),
    /// A checkpoint or model file is of another version than this program reads.
    Version(String),
    /// Training or demonstration data cannot be used.
    Data(String),
    /// A world broke its contract, or cannot be reached.
    World(String),
    /// The device failed while computing.
    Device(String),
    /// A number is not finite: learning has diverged, or a world pays beyond all numbers.
    NotFinite(String),
}

impl Error {
    /// Whether the caller asked for something that cannot be, rather than that something failed.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::Config(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Config(text)
        | Error::Model(text)
        | Error::Checkpoint(text)
        | Error::Version(text)
        | Error::Data(text)
        | Error::World(text)
        | Error::Device(text)
        | Error::NotFinite(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

impl From<archer_world::WorldError> for Error {
    fn from(error: archer_world::WorldError) -> Self {
        match error.is_usage() {
            true => Error::Config(error.to_string()),
            false => Error::World(error.to_string()),
        }
    }
}

impl From<burn::tensor::ExecutionError> for Error {
    fn from(error: burn::tensor::ExecutionError) -> Self {
        Error::Device(format!("the device failed while reading a tensor: {error:?}"))
    }
}
