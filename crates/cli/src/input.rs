//! Files that a person names, read whole: within bounds, and as text.
//!
//! Every text comes in by this file, and every line of standard input by
//! [`archer_input::read_line`]; what is wrong with bytes is said by [`archer_input`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use archer_games::knowledge::MAX_OWN_BYTES;
use serde::de::DeserializeOwned;

use crate::error::{Error, cannot_read};

/// What a file is read as, and how large it can be.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// With its article.
    what: &'static str,
    /// In bytes.
    most: u64,
}

/// A configuration of a run.
pub const CONFIG: Kind = Kind { what: "a configuration", most: 4 << 20 };

/// A text in the folder of a model; a tokenizer of 250,000 words takes some 20 MB.
pub const MODEL_TEXT: Kind = Kind { what: "a text of a model", most: 1 << 27 };

/// A record that a run or a comparison writes: its log or its table.
pub const RECORD: Kind = Kind { what: "the record of a run", most: 1 << 30 };

/// Knowledge of a person's own about things to guess.
pub const KNOWLEDGE: Kind = Kind { what: "a file of knowledge", most: MAX_OWN_BYTES as u64 };

/// A file of games.
pub const GAMES: Kind = Kind { what: "a file of games", most: 1 << 30 };

/// The bytes of a file.
///
/// # Errors
/// If it cannot be read, or is larger than its kind can be.
pub fn bytes(path: &Path, kind: Kind) -> Result<Vec<u8>, Error> {
    let read = |path| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // Its length is not asked for: a device has none.
        File::open(path)?.take(kind.most + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read(path).map_err(|error| cannot_read(path, &error))?;
    match bytes.len() as u64 <= kind.most {
        true => Ok(bytes),
        false => Err(Error::Failure(format!(
            "{} has more than {} MiB, which is the most that {} can have: check the path",
            path.display(),
            kind.most >> 20,
            kind.what
        ))),
    }
}

/// The text of a file.
///
/// # Errors
/// As [`bytes`], and if it is no text in UTF-8.
pub fn text(path: &Path, kind: Kind) -> Result<String, Error> {
    let bytes = bytes(path, kind)?;
    match archer_input::text(&bytes) {
        Ok(text) => Ok(text.into_owned()),
        Err(fault) => Err(Error::Failure(format!("{} {fault}", path.display()))),
    }
}

/// The value in a JSON document.
///
/// # Errors
/// As [`bytes`], and if it is none of this type.
pub fn json<T: DeserializeOwned>(path: &Path, kind: Kind) -> Result<T, Error> {
    archer_input::json(&bytes(path, kind)?)
        .map_err(|fault| Error::Failure(format!("{} {fault}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.txt");
        std::fs::write(&path, "\u{feff}abc").unwrap();
        let small = Kind { what: "a note", most: 6 };
        assert_eq!(text(&path, small).unwrap(), "abc");
        std::fs::write(&path, "\u{feff}abcd").unwrap();
        let error = text(&path, small).unwrap_err().to_string();
        assert!(error.contains("the most that a note can have: check the path"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_not_read_to_its_end() {
        let error = bytes(Path::new("/dev/zero"), CONFIG).unwrap_err();
        assert_eq!((error.code(), error.plain().contains("more than 4 MiB")), (1, true));
    }
}
