//! A model folder in Hugging Face layout.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Facts, model_file, size, weights};
use crate::error::{Error, cannot_read};
use crate::input;

/// What a folder is.
pub fn facts(folder: &Path) -> Result<Facts, Error> {
    let mut facts = Facts::of("a model folder in Hugging Face layout");
    let config = object(&folder.join("config.json"))?;
    facts.put("licence", licence(folder));
    facts.put("actor", model_file::network(parameters(folder)?, &config));
    facts.put("precision", precisions(folder)?);
    let critic = folder.join("critic");
    match critic.join("config.json").is_file() {
        false => facts.put("critic", "none"),
        true => {
            let config = object(&critic.join("config.json"))?;
            facts.put("critic", model_file::network(parameters(&critic)?, &config));
        }
    }
    facts.put("tokenizer", tokenizer(folder)?);
    let about = folder.join("archer.json");
    if about.is_file() {
        let mut about = object(&about)?;
        let world = about.as_object_mut().and_then(|about| about.remove("world"));
        let world = world.and_then(|world| world.as_object().cloned()).unwrap_or_default();
        facts.put("world", model_file::world(&world));
        facts.put("speaks", about);
    } else {
        facts.put("world", model_file::world(&Map::new()));
    }
    facts.put("files", files(folder)?);
    facts.put("resumes", "no: a new run begins from it by train --set actor=DIR");
    Ok(facts)
}

/// A JSON object in a file.
fn object(path: &Path) -> Result<Value, Error> {
    let value: Value = input::json(path, input::MODEL_TEXT)?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Error::Failure(format!("{} is not a JSON object", path.display()))),
    }
}

/// The terms in the model card, where its header names some.
fn licence(folder: &Path) -> Value {
    let card = folder.join("README.md");
    let Ok(card) = input::text(&card, input::MODEL_TEXT) else { return Value::Null };
    let card = card.replace("\r\n", "\n");
    let Some(header) = card.strip_prefix("---\n").and_then(|card| card.split_once("\n---")) else {
        return Value::Null;
    };
    let named = header.0.lines().find_map(|line| line.strip_prefix("license:"));
    named.map_or(Value::Null, |name| Value::from(name.trim().trim_matches('"')))
}

/// Scalars in the weight files of a folder; nothing where it has none that archer reads.
fn parameters(folder: &Path) -> Result<Option<u64>, Error> {
    let mut all = None;
    for path in weights::in_folder(folder)? {
        all = Some(all.unwrap_or(0) + weights::Header::read(&path)?.scalars());
    }
    Ok(all)
}

fn precisions(folder: &Path) -> Result<Value, Error> {
    let mut found = Vec::new();
    for path in weights::in_folder(folder)? {
        found.extend(weights::Header::read(&path)?.kinds());
    }
    found.sort();
    found.dedup();
    Ok(json!(found))
}

fn tokenizer(folder: &Path) -> Result<Value, Error> {
    let path = folder.join("tokenizer.json");
    if !path.is_file() {
        return Ok(Value::from("none: archer reads tokenizer.json"));
    }
    let json = object(&path)?;
    let listed = |value: &Value| match value {
        Value::Object(tokens) => tokens.len(),
        Value::Array(tokens) => tokens.len(),
        _ => 0,
    };
    Ok(json!({
        "kind": json["model"]["type"],
        "tokens": listed(&json["model"]["vocab"]),
        "added_tokens": listed(&json["added_tokens"]),
    }))
}

/// Every file with its size in bytes.
fn files(folder: &Path) -> Result<Value, Error> {
    let mut found = Map::new();
    for part in ["", "critic"] {
        let Ok(entries) = fs::read_dir(folder.join(part)) else { continue };
        for entry in entries {
            let path = entry.map_err(|e| cannot_read(folder, &e))?.path();
            if path.is_file() {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                found.insert(name, json!(size(&path)?));
            }
        }
    }
    Ok(Value::Object(found))
}
