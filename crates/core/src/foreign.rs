//! What is wrong with the files of a model, as errors of this crate; [`archer_input`] finds it.

use archer_input::Format;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Reads JSON; `file` names it in an error.
///
/// # Errors
/// If it is none; the error says what it is where that can be told.
pub fn json<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, Error> {
    archer_input::json(bytes).map_err(|fault| Error::Model(format!("{file} {fault}")))
}

/// Fails where bytes are known to be something else than weights in safetensors.
///
/// # Errors
/// What they are, and what helps.
pub fn weights(file: &str, bytes: &[u8]) -> Result<(), Error> {
    match archer_input::instead_of(Format::Safetensors, bytes) {
        Some(fault) => Err(Error::Model(format!("{file} {fault}"))),
        None => Ok(()),
    }
}
