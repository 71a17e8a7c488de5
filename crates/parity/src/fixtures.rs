//! A folder of figures: files, and how to find one's way in them.
//!
//! Nothing about their sizes is known here. What is not where it should be is named with its path,
//! as in `critic_step.json: even.f64.q1`.

use std::fs;
use std::path::{Path, PathBuf};

use archer::hf::weights::{NamedBytes, Weights};
use serde_json::Value;

use super::ledger::Tensors;
use crate::error::Error;

/// A folder of fixtures.
pub struct Fixtures {
    root: PathBuf,
}

impl Fixtures {
    /// Opens a folder.
    ///
    /// # Errors
    /// If there is no such folder, or it holds no fixtures.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let shown = root.display();
        if !root.is_dir() {
            return Err(Error::Usage(format!(
                "there is no folder {shown}; the project's own fixtures are in tests/parity"
            )));
        }
        let fixtures = Self { root: root.to_path_buf() };
        match fixtures.has("batches.json") || fixtures.has(super::language_models::META) {
            true => Ok(fixtures),
            false => Err(Error::Usage(format!(
                "{shown} holds no fixtures: there is neither batches.json nor meta.json in it"
            ))),
        }
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.root.join(name).is_file()
    }

    /// The bytes of a file, if it is there.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.root.join(name)).ok()
    }

    /// The bytes of a file.
    pub(crate) fn need(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.root.join(name);
        fs::read(&path).map_err(|error| Error::Read(path, error))
    }

    /// A file of JSON.
    pub(crate) fn json(&self, name: &str) -> Result<Json, Error> {
        let value = serde_json::from_slice(&self.need(name)?).map_err(|error| {
            Error::Failure(format!("{} is not JSON: {error}", self.root.join(name).display()))
        })?;
        Ok(Json { file: name.to_string(), value })
    }

    /// A file of tensors.
    pub(crate) fn tensors(&self, name: &str) -> Result<TensorFile, Error> {
        Ok(TensorFile(vec![(name.to_string(), self.need(name)?.into())]))
    }

    /// The names of all files and folders at the top, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// A file of tensors.
pub struct TensorFile(Vec<NamedBytes>);

impl TensorFile {
    /// A file that was just written.
    pub fn of(name: &str, bytes: Vec<u8>) -> Self {
        Self(vec![(name.to_string(), bytes.into())])
    }

    /// The tensors, still in their file.
    pub fn weights(&self) -> Result<Weights<'_>, Error> {
        Ok(Weights::new(&self.0)?)
    }

    /// The numbers of a tensor.
    pub fn values(&self, name: &str) -> Result<Vec<f64>, Error> {
        let (_, values) = self.weights()?.values(name)?;
        Ok(values.into_iter().map(f64::from).collect())
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> Result<bool, Error> {
        Ok(self.weights()?.has(name))
    }

    /// All tensors whose names begin with `prefix`, without it.
    pub fn part(&self, prefix: &str) -> Result<Tensors, Error> {
        let part = self.weights()?.part(prefix);
        let named = part.names().map(|name| Ok((name.to_string(), part.values(name)?)));
        named.collect()
    }
}

/// A file of JSON.
pub struct Json {
    file: String,
    value: Value,
}

impl Json {
    /// Its outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { value: &self.value, path: format!("{}: ", self.file) }
    }
}

/// A place in a file of JSON.
#[derive(Clone)]
pub struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    fn fault<T>(&self, want: &str) -> Result<T, Error> {
        Err(Error::Failure(format!("{} is missing or {want}", self.path)))
    }

    fn step(&self, value: &'a Value, name: &str) -> Node<'a> {
        let dot = if self.path.ends_with(": ") { "" } else { "." };
        Node { value, path: format!("{}{dot}{name}", self.path) }
    }

    /// What stands under a key.
    pub fn get(&self, key: &str) -> Result<Node<'a>, Error> {
        match self.value.get(key) {
            Some(value) => Ok(self.step(value, key)),
            None => self.step(&Value::Null, key).fault("has another form"),
        }
    }

    /// What stands under a key, if anything does.
    pub fn find(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.step(value, key))
    }

    /// The keys, in order.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        match self.value.as_object() {
            Some(object) => {
                let mut keys: Vec<String> = object.keys().cloned().collect();
                keys.sort_unstable();
                Ok(keys)
            }
            None => self.fault("no object"),
        }
    }

    /// The entries of a list.
    pub fn list(&self) -> Result<Vec<Node<'a>>, Error> {
        match self.value.as_array() {
            Some(values) => {
                let named = values.iter().enumerate();
                Ok(named.map(|(i, value)| self.step(value, &i.to_string())).collect())
            }
            None => self.fault("no list"),
        }
    }

    /// A number; those that JSON has not are strings.
    pub fn number(&self) -> Result<f64, Error> {
        let number = match self.value {
            Value::String(text) => match text.as_str() {
                "nan" => Some(f64::NAN),
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                _ => None,
            },
            value => value.as_f64(),
        };
        number.map_or_else(|| self.fault("no number"), Ok)
    }

    /// Whether it is a number without a point.
    pub fn is_whole(&self) -> bool {
        self.value.is_i64() || self.value.is_u64()
    }

    /// A list of numbers.
    pub fn numbers(&self) -> Result<Vec<f64>, Error> {
        self.list()?.iter().map(Node::number).collect()
    }

    /// A list of lists of numbers.
    pub fn rows(&self) -> Result<Vec<Vec<f64>>, Error> {
        self.list()?.iter().map(Node::numbers).collect()
    }

    /// A whole number that is not negative.
    pub fn count(&self) -> Result<usize, Error> {
        match self.value.as_u64() {
            Some(count) => Ok(count as usize),
            None => self.fault("no whole number"),
        }
    }

    /// A list of token ids.
    pub fn ids(&self) -> Result<Vec<u32>, Error> {
        self.list()?.iter().map(|id| id.count().map(|id| id as u32)).collect()
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().map_or_else(|| self.fault("no text"), Ok)
    }

    /// A list of texts.
    pub fn texts(&self) -> Result<Vec<&'a str>, Error> {
        self.list()?.iter().map(Node::text).collect()
    }

    /// Yes or no.
    pub fn flag(&self) -> Result<bool, Error> {
        self.value.as_bool().map_or_else(|| self.fault("neither true nor false"), Ok)
    }
}
