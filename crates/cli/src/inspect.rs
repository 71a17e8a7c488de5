//! `archer inspect`: what a path is, told from headers. Nothing is started, connected to or loaded for
//! it, whatever the file says.

mod games;
mod model_file;
mod model_folder;
mod run;
mod weights;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use crate::args;
use crate::error::{Error, cannot_read};
use crate::number::thousands;
use crate::output;
use crate::run_dir;

pub use games::games;

/// What is known of something, in the order in which a person reads it.
#[derive(Debug, Default)]
pub struct Facts(Vec<(&'static str, Value)>);

impl Facts {
    /// Facts of a thing that is called so.
    pub fn of(what: &str) -> Facts {
        Facts(vec![("what", Value::from(what))])
    }

    /// Adds a fact.
    pub fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Adds a fact where it is known.
    pub fn put_known(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// As a JSON object.
    fn object(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }
}

/// Looks and tells.
pub fn run(args: &args::Inspect) -> Result<(), Error> {
    let path = &args.path;
    let facts = match path.is_dir() {
        true => of_folder(path)?,
        false => of_file(path)?,
    };
    if args.json {
        return output::json(&facts.object());
    }
    let mut rows = Vec::new();
    for (name, value) in facts.0 {
        add_rows(name, &value, &mut rows);
    }
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, text) in rows {
        let gap = " ".repeat(widest - name.chars().count());
        // A text from outside may hold line ends, and signs that a terminal obeys.
        let text: String = text.chars().flat_map(shown).collect();
        output::line(format!("{name}{gap}  {text}").trim_end())?;
    }
    Ok(())
}

fn shown(sign: char) -> Vec<char> {
    match sign.is_control() {
        true => sign.escape_default().collect(),
        false => vec![sign],
    }
}

/// A row for each fact, and for each part of one that has parts.
fn add_rows(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(parts) if !parts.is_empty() => {
            for (part, value) in parts {
                add_rows(&format!("{name}.{part}"), value, rows);
            }
        }
        _ => rows.push((name.to_string(), text(value))),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "not known".to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() && number.as_u64() >= Some(10_000) => {
            thousands(number.as_f64().unwrap_or_default())
        }
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(_) => "none".to_string(),
        other => other.to_string(),
    }
}

fn of_folder(folder: &Path) -> Result<Facts, Error> {
    if run_dir::is_run(folder) || folder.join("metrics.jsonl").is_file() {
        return run::facts(folder);
    }
    if folder.join("config.json").is_file() {
        return model_folder::facts(folder);
    }
    Err(Error::Usage(format!(
        "{} is neither a run, which holds metrics.jsonl, nor a model folder, which holds config.json",
        folder.display()
    )))
}

fn of_file(path: &Path) -> Result<Facts, Error> {
    let mut file = File::open(path).map_err(|e| cannot_read(path, &e))?;
    let mut start = Vec::new();
    (&mut file).take(16).read_to_end(&mut start).map_err(|e| cannot_read(path, &e))?;
    if start.starts_with(b"ARCHERCK") {
        return model_file::facts(path);
    }
    if weights::is_safetensors(&start) {
        return weights::facts(path);
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => games::facts(path),
        _ => Err(Error::Usage(format!(
            "{} is nothing that archer reads: no checkpoint or exported file, no safetensors file, no file of games",
            path.display()
        ))),
    }
}

/// The size of a file in bytes.
fn size(path: &Path) -> Result<u64, Error> {
    Ok(std::fs::metadata(path).map_err(|e| cannot_read(path, &e))?.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_have_rows_of_their_own() {
        let mut rows = Vec::new();
        add_rows("actor", &json!({"layers": 2, "scalars": 123_456}), &mut rows);
        add_rows("files", &json!(["a", "b"]), &mut rows);
        let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let many = thousands(123_456.0);
        let expected = [("actor.layers", "2"), ("actor.scalars", many.as_str()), ("files", "a, b")];
        assert_eq!(rows, expected);
    }
}
