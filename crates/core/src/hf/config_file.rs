//! A `config.json` as keys with a type and a range each.
//!
//! A key that is absent or `null` has its default; one of another type or out of range is refused by
//! name, with its value and what it must be.

use serde_json::Value;

use crate::error::Error;
use crate::foreign;

/// More blocks than any published model of these layouts has by far.
const MOST_LAYERS: usize = 1000;
/// More rows or columns than any published model has by far; products of two still fit 64 bits.
const MOST: usize = 100_000_000;
/// Larger than any number of a configuration that is no size.
#[cfg(feature = "llama")]
const LARGEST: f64 = 1e12;
/// Characters of a value that an error shows.
const SHOWN: usize = 60;

/// A `config.json` that is being read.
pub(super) struct ConfigFile<'a> {
    file: &'a str,
    /// The keys that lead to it, where it is a part of a file, with a dot behind each.
    path: String,
    value: Value,
}

impl<'a> ConfigFile<'a> {
    pub fn read(file: &'a str, bytes: &[u8]) -> Result<Self, Error> {
        let value: Value = foreign::json(file, bytes)?;
        let config = Self { file, path: String::new(), value };
        match config.value.is_object() {
            true => Ok(config),
            false => config.fault("it must be an object with keys, in braces".into()),
        }
    }

    pub fn fault<T>(&self, text: String) -> Result<T, Error> {
        Err(Error::Model(format!("{}: {text}", self.file)))
    }

    /// The fault of a key: its value, and what it must be.
    pub fn wrong<T>(&self, key: &str, must: &str) -> Result<T, Error> {
        let value = self.value[key].to_string();
        let cut = value.char_indices().nth(SHOWN).map(|(at, _)| format!("{}…", &value[..at]));
        self.fault(format!("{}{key} = {} must be {must}", self.path, cut.unwrap_or(value)))
    }

    fn missing<T>(&self, key: &str, must: &str) -> Result<T, Error> {
        self.fault(format!("the key {}{key} is missing: it must be {must}", self.path))
    }

    pub fn has(&self, key: &str) -> bool {
        !self.value[key].is_null()
    }

    pub fn model_type(&self) -> &str {
        self.value["model_type"].as_str().unwrap_or("none")
    }

    /// Puts the text under another key in the place of the model's type.
    pub fn take_model_type_from(&mut self, key: &str) {
        self.value["model_type"] = self.value[key].take();
    }

    pub fn is_one_of(&self, models: &[&str]) -> Result<(), Error> {
        let model = self.model_type();
        match models.contains(&model) {
            true => Ok(()),
            false => self
                .fault(format!("model_type is {model}; only {} can be read", models.join(" and "))),
        }
    }

    /// Refuses what may stand in any configuration and makes another function of the weights.
    pub fn nothing_else(&self) -> Result<(), Error> {
        for key in ["quantization_config", "pruned_heads", "auto_map"] {
            let value = &self.value[key];
            let empty = value.as_object().is_some_and(|map| map.is_empty());
            if self.has(key) && !empty {
                return self.wrong(key, "absent: what it asks for is not computed here");
            }
        }
        self.flag_is("is_encoder_decoder", false)
    }

    /// A whole number above 0.
    pub fn size(&self, key: &str) -> Result<usize, Error> {
        self.size_up_to(key, MOST)
    }

    /// The number of a model's blocks.
    pub fn layers(&self, key: &str) -> Result<usize, Error> {
        self.size_up_to(key, MOST_LAYERS)
    }

    fn size_up_to(&self, key: &str, most: usize) -> Result<usize, Error> {
        match self.value[key].as_u64() {
            Some(size) if (1..=most as u64).contains(&size) => Ok(size as usize),
            _ if self.has(key) => {
                self.wrong(key, &format!("a whole number above 0, and at most {most}"))
            }
            _ => self.missing(key, "a whole number above 0"),
        }
    }

    /// The id of a token, the first where several stand in a list.
    pub fn id(&self, key: &str) -> Result<Option<u32>, Error> {
        let value = match &self.value[key] {
            Value::Array(ids) => ids.first().unwrap_or(&Value::Null),
            one => one,
        };
        // Some programs write -1 for no token.
        if value.is_null() || *value == -1 {
            return Ok(None);
        }
        match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) if (id as usize) < MOST => Ok(Some(id)),
            _ => self.wrong(key, "the id of a token, a whole number from 0"),
        }
    }

    /// The ids of tokens, where one or several stand there.
    pub fn ids(&self, key: &str) -> Result<Vec<u32>, Error> {
        let one = std::slice::from_ref(&self.value[key]);
        let all = self.value[key].as_array().map_or(one, Vec::as_slice);
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        Ok(all.iter().filter_map(id).collect())
    }

    /// Refuses the id of a token beyond the vocabulary, where the file says how large that is.
    pub fn id_below_vocabulary(&self, key: &str) -> Result<(), Error> {
        let size = self.value["vocab_size"].as_u64();
        match (self.id(key)?, size) {
            (Some(id), Some(size)) if u64::from(id) >= size => {
                self.wrong(key, &format!("the id of a token, below vocab_size = {size}"))
            }
            _ => Ok(()),
        }
    }

    /// The ε of a layer norm.
    pub fn epsilon(&self, key: &str, default: f64) -> Result<f64, Error> {
        match self.value[key].as_f64() {
            Some(number) if number > 0.0 && number <= 1.0 => Ok(number),
            None if !self.has(key) => Ok(default),
            _ => self.wrong(key, "a number above 0, and at most 1"),
        }
    }

    /// A probability that is not used here.
    pub fn share(&self, key: &str) -> Result<(), Error> {
        match self.value[key].as_f64() {
            Some(number) if (0.0..=1.0).contains(&number) => Ok(()),
            None if !self.has(key) => Ok(()),
            _ => self.wrong(key, "a number from 0 to 1"),
        }
    }

    /// One of some names, of which the first is the default.
    pub fn choice(&self, key: &str, known: &[&str]) -> Result<(), Error> {
        match self.value[key].as_str() {
            Some(name) if known.contains(&name) => Ok(()),
            None if !self.has(key) => Ok(()),
            _ => self
                .wrong(key, &format!("{}, the only one that can be computed", known.join(" or "))),
        }
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.value[key].as_bool() {
            None if self.has(key) => self.wrong(key, "true or false"),
            flag => Ok(flag),
        }
    }

    pub fn flag_is(&self, key: &str, want: bool) -> Result<(), Error> {
        match self.flag(key)? {
            Some(flag) if flag != want => {
                self.wrong(key, &format!("{want}: the other is not computed here"))
            }
            _ => Ok(()),
        }
    }

    pub fn check_heads(
        &self,
        (width_key, width): (&str, usize),
        (heads_key, heads): (&str, usize),
    ) -> Result<(), Error> {
        match width.is_multiple_of(heads) {
            true => Ok(()),
            false => {
                self.fault(format!("{width_key} = {width} is no multiple of {heads_key} = {heads}"))
            }
        }
    }
}

/// What only configurations of layouts with more kinds of keys have.
#[cfg(feature = "llama")]
impl ConfigFile<'_> {
    /// The object under a key, or an empty one where there is none.
    pub fn part(&self, key: &str) -> Result<Self, Error> {
        let value = match &self.value[key] {
            Value::Null => Value::Object(serde_json::Map::new()),
            value if value.is_object() => value.clone(),
            _ => return self.wrong(key, "an object with keys, in braces"),
        };
        Ok(Self { file: self.file, path: format!("{}{key}.", self.path), value })
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match &self.value[key] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => self.wrong(key, "a text"),
        }
    }

    /// The texts in a list.
    pub fn texts(&self, key: &str) -> Result<Vec<&str>, Error> {
        let Value::Array(list) = &self.value[key] else {
            return if self.has(key) { self.wrong(key, "a list of texts") } else { Ok(Vec::new()) };
        };
        let texts = list.iter().map(Value::as_str).collect::<Option<_>>();
        texts.map_or_else(|| self.wrong(key, "a list of texts"), Ok)
    }

    /// The text under a key, where it is one.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.value[key].as_str()
    }

    /// Refuses a list or an object that is not empty.
    pub fn is_empty(&self, key: &str) -> Result<(), Error> {
        let empty = match &self.value[key] {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        match empty {
            true => Ok(()),
            false => self.wrong(key, "absent: what it asks for is not computed here"),
        }
    }

    /// A number above 0.
    pub fn positive(&self, key: &str) -> Result<Option<f64>, Error> {
        match self.value[key].as_f64() {
            Some(number) if number > 0.0 && number <= LARGEST => Ok(Some(number)),
            None if !self.has(key) => Ok(None),
            _ => self.wrong(key, "a number above 0"),
        }
    }

    /// A number above 0 that must be given.
    pub fn positive_there(&self, key: &str) -> Result<f64, Error> {
        match self.positive(key)? {
            Some(number) => Ok(number),
            None => self.missing(key, "a number above 0"),
        }
    }

    /// A whole number above 0 under a key that may be missing.
    pub fn size_or(&self, key: &str, default: usize) -> Result<usize, Error> {
        if self.has(key) { self.size(key) } else { Ok(default) }
    }
}
