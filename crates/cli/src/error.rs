//! How the program ends before its time.
//!
//! There is one error, and it is printed once, in `main`, as one sentence that says what to do.
//! Its kind is its exit code: 2 where the command was not one that can be carried out, 1 where
//! carrying it out failed, and where a signal stopped it what [`crate::signals`] says.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

/// Why a command did not come to its end.
#[derive(Debug)]
pub enum Error {
    /// What was asked for cannot be: an unknown name, a missing file, a value out of range.
    Usage(String),
    /// Something went wrong on the way: a full disk, a damaged file, a device that fails.
    Failure(String),
    /// A signal stopped it; everything worth keeping is saved and the text says so.
    Stopped(String),
    /// Whoever read our output has left; there is nobody to tell.
    BrokenPipe,
}

impl Error {
    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self {
            Error::Usage(_) => 2,
            Error::Failure(_) => 1,
            Error::Stopped(_) => crate::signals::exit_code(),
            Error::BrokenPipe => 0,
        }
    }
}

impl Error {
    /// The text without the word that [`Display`](fmt::Display) puts before it.
    pub fn plain(self) -> String {
        match self {
            Error::Usage(text) | Error::Failure(text) | Error::Stopped(text) => text,
            Error::BrokenPipe => self.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(text) | Error::Failure(text) => write!(f, "error: {text}"),
            Error::Stopped(text) => f.write_str(text),
            Error::BrokenPipe => f.write_str("the output was closed"),
        }
    }
}

impl From<archer::Error> for Error {
    fn from(error: archer::Error) -> Self {
        if error.is_usage() {
            Error::Usage(error.to_string())
        } else {
            Error::Failure(error.to_string())
        }
    }
}

impl From<archer_games::GameError> for Error {
    fn from(error: archer_games::GameError) -> Self {
        Error::Usage(error.to_string())
    }
}

impl From<archer_world::WorldError> for Error {
    fn from(error: archer_world::WorldError) -> Self {
        if error.is_usage() {
            Error::Usage(error.to_string())
        } else {
            Error::Failure(error.to_string())
        }
    }
}

impl From<archer_parity::Error> for Error {
    fn from(error: archer_parity::Error) -> Self {
        match error {
            archer_parity::Error::Usage(text) => Error::Usage(text),
            archer_parity::Error::Failure(text) => Error::Failure(text),
            archer_parity::Error::Read(path, error) => cannot_read(&path, &error),
            archer_parity::Error::Core(error) => error.into(),
        }
    }
}

/// Tells on standard error what a person should know and what stops nothing.
pub fn notice(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// A path as it can be pasted into a shell.
pub fn quoted(path: &Path) -> String {
    let shown = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    match !shown.is_empty() && shown.chars().all(plain) {
        true => shown,
        false => format!("'{}'", shown.replace('\'', "'\\''")),
    }
}

/// The error of a file that could not be written, as a sentence.
pub fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    Error::Failure(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            format!("the disk is full: {path} could not be written; free some space and try again")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{path} may not be written here; choose a folder of your own with --out")
        }
        io::ErrorKind::NotADirectory => {
            format!("{path} cannot be made, because a part of that path is a file; choose another")
        }
        io::ErrorKind::NotFound => {
            format!("{path} cannot be made, because its folder does not exist; make it first")
        }
        _ => format!("{path} could not be written: {error}"),
    })
}

/// The error of a file that could not be read, as a sentence. A file that is not there was named
/// wrongly, so that is a fault of usage.
pub fn cannot_read(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::Usage(format!("there is no file {path}; check the path"))
        }
        io::ErrorKind::IsADirectory => Error::Usage(format!("{path} is a folder, not a file")),
        io::ErrorKind::PermissionDenied => {
            Error::Failure(format!("{path} may not be read; check its permissions"))
        }
        _ => Error::Failure(format!("{path} could not be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted() {
        for (path, shown) in [
            ("runs/a-1/model", "runs/a-1/model"),
            ("my models/a", "'my models/a'"),
            ("it's", "'it'\\''s'"),
            ("a;b$c", "'a;b$c'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), shown);
        }
    }
}
