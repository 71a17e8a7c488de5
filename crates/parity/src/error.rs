//! Why a comparison did not come to its end.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What can go wrong in a comparison. A number that differs is no error: the report has it.
#[derive(Debug)]
pub enum Error {
    /// The folder holds no fixtures.
    Usage(String),
    /// A file does not hold what it should.
    Failure(String),
    /// A file cannot be read.
    Read(PathBuf, io::Error),
    /// The core refuses a file, or the device fails.
    Core(archer::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(text) | Error::Failure(text) => f.write_str(text),
            Error::Read(path, error) => {
                write!(f, "{} could not be read: {error}", path.display())
            }
            Error::Core(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<archer::Error> for Error {
    fn from(error: archer::Error) -> Self {
        Error::Core(error)
    }
}
