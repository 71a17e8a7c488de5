//! A checkpoint or an exported file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use archer::config::Config;
use archer::hf::base;
use archer::train::Described;
use serde_json::{Map, Value, json};

use super::{Facts, size};
use crate::error::{Error, cannot_read};
use crate::model::named;
use crate::worlds;

/// What a file is.
pub fn facts(path: &Path) -> Result<Facts, Error> {
    let described = read(path)?;
    let what = match described.export {
        true => "an exported model: it plays, and learns on without optimisers and replay",
        false => "a checkpoint: everything that a run goes on from",
    };
    let mut facts = Facts::of(what);
    facts.put("bytes", size(path)?);
    tell(&described, &mut facts);
    let sections: Map<String, Value> =
        described.sections.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect();
    facts.put("sections", sections);
    let resumes = match described.export {
        true => "by train --resume, in a new folder",
        false => "by train --resume, as if it had never stopped",
    };
    facts.put("resumes", resumes);
    Ok(facts)
}

/// The header of a file.
pub fn read(path: &Path) -> Result<Described, Error> {
    let file = File::open(path).map_err(|e| cannot_read(path, &e))?;
    Described::read(&mut BufReader::new(file), size(path)?).map_err(|error| named(path, error))
}

/// What a header says of the model and of how it was made.
pub fn tell(described: &Described, facts: &mut Facts) {
    let known = |text: &str| match text {
        "" => Value::Null,
        text => Value::from(text),
    };
    let config = &described.config;
    facts.put("format", format!("ARCHERCK version {}", described.version));
    facts.put("licence", known(&described.origin.licence));
    facts.put("commit", known(&described.origin.commit));
    facts.put("algorithm", config.algorithm.name());
    facts.put("seed", config.seed);
    facts.put("warm_start_step", json!([described.warm_start_step, config.warm_start.steps]));
    facts.put("iteration", json!([described.iteration, config.iterations]));
    facts.put("games", described.games);
    facts.put("precision", described.precision.to_string());
    let (scalars, shape) = &described.actor;
    facts.put("actor", network(Some(*scalars), shape));
    match &described.critic {
        Some((scalars, shape)) => facts.put("critic", network(Some(*scalars), shape)),
        None => facts.put("critic", "none"),
    }
    if !described.base_sha256.is_empty() {
        let inside = described.sections.iter().any(|(name, _)| name == base::SECTION);
        let held = if inside { "in the file" } else { config.actor.as_str() };
        facts.put("base", json!({ "held": held, "sha256": described.base_sha256 }));
    }
    facts.put("tokenizer", json!({ "tokens": described.tokens }));
    facts.put("world", world(&config.world));
    if let Some(about) = &described.about {
        facts.put_known("best_return", about.best);
    }
    facts.put_known("opening", described.opening.clone());
    facts.put("changed", changed(config));
}

/// The shape of a network as its `config.json` says it.
pub fn network(scalars: Option<u64>, shape: &Value) -> Value {
    const KEYS: [(&str, &str, &str); 5] = [
        ("layers", "n_layer", "num_hidden_layers"),
        ("width", "n_embd", "hidden_size"),
        ("heads", "n_head", "num_attention_heads"),
        ("positions", "n_positions", "max_position_embeddings"),
        ("rows", "vocab_size", "vocab_size"),
    ];
    let mut told = Map::new();
    told.insert("kind".to_string(), shape["model_type"].clone());
    if let Some(scalars) = scalars {
        told.insert("parameters".to_string(), json!(scalars));
    }
    for (name, key, other) in KEYS {
        if let Some(value) = shape.get(key).or_else(|| shape.get(other)) {
            told.insert(name.to_string(), value.clone());
        }
    }
    Value::Object(told)
}

/// The settings of a world, and whether they lead outside.
pub fn world(settings: &archer_world::Settings) -> Value {
    if settings.is_empty() {
        return Value::from("any: the model does not say which world it plays");
    }
    let mut told = settings.clone();
    if worlds::refused(settings).is_some() {
        told.insert("outside".to_string(), json!("not started, because only a file says so"));
    }
    Value::Object(told)
}

/// The keys of a configuration that differ from the defaults, those of the world aside.
pub fn changed(config: &Config) -> Value {
    let plain =
        |config: &Config| serde_json::to_value(config).expect("a configuration is plain data");
    let mut found = Map::new();
    add_changed("", &plain(config), &plain(&Config::default()), &mut found);
    found.remove("seed");
    found.remove("algorithm");
    Value::Object(found)
}

fn add_changed(prefix: &str, value: &Value, default: &Value, found: &mut Map<String, Value>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let name = format!("{prefix}{key}");
        match (value, &default[key]) {
            (Value::Object(_), _) if name == "world" => {}
            (Value::Object(_), default) => add_changed(&format!("{name}."), value, default, found),
            (value, default) if value != default => drop(found.insert(name, value.clone())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_the_defaults_is_told() {
        let mut config = Config { seed: 9, iterations: 7, ..Config::default() };
        config.warm_start.steps = 3;
        assert_eq!(changed(&config), json!({"iterations": 7, "warm_start.steps": 3}));
        assert_eq!(changed(&Config::default()), json!({}));
    }

    #[test]
    fn both_layouts_name_their_sizes() {
        let gpt2 = json!({"model_type": "gpt2", "n_layer": 2, "n_embd": 8, "vocab_size": 300});
        let told = json!({"kind": "gpt2", "parameters": 5, "layers": 2, "width": 8, "rows": 300});
        assert_eq!(network(Some(5), &gpt2), told);
        let encoder = json!({"model_type": "roberta", "hidden_size": 16});
        assert_eq!(network(None, &encoder), json!({"kind": "roberta", "width": 16}));
    }
}
