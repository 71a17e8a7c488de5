//! The JSON schema of a configuration file: types, defaults and meanings come from the structs that
//! the file is read into, ranges from the check that a value goes through.

use archer::config::Config;
use archer_games::{WorldConfig, WorldName, catalogue};
use archer_guests::GuestSettings;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::ranges::{self, Bounds};

/// What the key of a range in words is called; editors ignore it.
pub const RANGE: &str = "x-range";

/// The whole schema.
pub fn whole() -> Value {
    let mut generator = generator();
    let mut schema = generator.root_schema_for::<Config>().to_value();
    schema["title"] = json!("A configuration of archer");
    add_ranges(&mut schema, "", &ranges::of_config);
    schema["properties"]["world"] = worlds(schema["properties"]["world"].take(), &mut generator);
    schema
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator()
}

/// The settings of any world: one alternative for each kind.
fn worlds(about: Value, generator: &mut SchemaGenerator) -> Value {
    let mut kinds = vec![shipped(generator)];
    kinds.extend(catalogue::ENTRIES.iter().map(|entry| of_catalogue(entry, generator)));
    let mut guest = generator.subschema_for::<GuestSettings>().to_value();
    guest["title"] = json!("A world of your own: a process or an OpenEnv server");
    guest["anyOf"] = json!([{ "required": ["command"] }, { "required": ["url"] }]);
    kinds.push(guest);
    json!({ "description": about["description"], "type": "object", "anyOf": kinds })
}

/// The worlds of questions and the toys, which share their settings.
fn shipped(generator: &mut SchemaGenerator) -> Value {
    let mut schema = generator.subschema_for::<WorldConfig>().to_value();
    // What counts something is not asked: a world of so many turns would be made for it.
    let refuse = |key: &str, value: &Value| match value.is_f64() {
        true => ranges::of_world(WorldName::TwentyQuestions.name(), key, value),
        false => None,
    };
    add_ranges(&mut schema, "", &refuse);
    let toys = [WorldName::Bandit, WorldName::Recall].map(WorldName::name);
    schema["title"] = json!(format!(
        "{} and {}, the toys {}",
        WorldName::TwentyQuestions.name(),
        WorldName::GuessMyCity.name(),
        toys.join(" and ")
    ));
    schema
}

fn of_catalogue(entry: &catalogue::Entry, generator: &mut SchemaGenerator) -> Value {
    let own = catalogue::schema(entry.name, generator).map(schemars::Schema::to_value);
    let mut schema = own.unwrap_or_else(|| json!({ "type": "object" }));
    add_ranges(&mut schema, "", &|key, value| ranges::of_world(entry.name, key, value));
    schema["title"] = json!(entry.name);
    schema["description"] = json!(format!("{}.", entry.summary));
    schema["required"] = json!(["name"]);
    if let Some(keys) = schema["properties"].as_object_mut() {
        keys.insert("name".to_string(), json!({ "const": entry.name }));
    }
    schema
}

/// What refuses a value of a key, if it is refused: the range in words.
type Refuse<'a> = &'a dyn Fn(&str, &Value) -> Option<String>;

/// Puts a range on every number, in words and as bounds.
fn add_ranges(schema: &mut Value, prefix: &str, refuse: Refuse<'_>) {
    let Some(keys) = schema["properties"].as_object_mut() else { return };
    for (name, about) in keys {
        let key = format!("{prefix}{name}");
        if about["properties"].is_object() {
            add_ranges(about, &format!("{key}."), refuse);
            continue;
        }
        let Some(probes) = ranges::probes(&about["type"]) else { continue };
        let said = ranges::wants(&key, probes, refuse);
        let Some(about) = about.as_object_mut() else { continue };
        put_bounds(about, &said);
        if !said.is_empty() {
            about.insert(RANGE.to_string(), json!(said.join("; ")));
        }
    }
}

fn put_bounds(about: &mut Map<String, Value>, said: &[String]) {
    let Bounds { least, above, most, below } = said.iter().map(|want| Bounds::of(want)).collect();
    for (name, bound) in [
        ("minimum", least),
        ("exclusiveMinimum", above),
        ("maximum", most),
        ("exclusiveMaximum", below),
    ] {
        if let Some(bound) = bound {
            about.insert(name.to_string(), number(bound));
        }
    }
}

/// A bound without a fraction where it has none.
fn number(bound: f64) -> Value {
    match bound.fract() == 0.0 && bound.abs() < 2f64.powi(53) {
        true => json!(bound as i64),
        false => json!(bound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key with its schema.
    fn keys(schema: &Value, prefix: &str, found: &mut Vec<(String, Value)>) {
        for (name, about) in schema["properties"].as_object().unwrap() {
            match about["properties"].is_object() {
                true => keys(about, &format!("{prefix}{name}."), found),
                false => found.push((format!("{prefix}{name}"), about.clone())),
            }
        }
    }

    #[test]
    fn a_bound_is_where_the_check_begins_to_refuse() {
        let (schema, mut found) = (whole(), Vec::new());
        keys(&schema, "", &mut found);
        let mut bounded = 0;
        for (key, about) in &found {
            let whole = about["type"] == "integer";
            let step = |bound: f64, by: f64| match whole {
                true => json!((bound + by) as i64),
                false => json!(bound + by * 1e-3),
            };
            let refused = |value: &Value| ranges::of_config(key, value).is_some();
            for (name, outwards) in [("minimum", -1.0), ("maximum", 1.0)] {
                let Some(bound) = about[name].as_f64() else { continue };
                if whole && bound + outwards < 0.0 {
                    continue; // no value of its type
                }
                bounded += 1;
                assert!(refused(&step(bound, outwards)), "{key} {name} {bound}");
            }
            for (name, outwards) in [("exclusiveMinimum", -1.0), ("exclusiveMaximum", 1.0)] {
                let Some(bound) = about[name].as_f64() else { continue };
                bounded += 1;
                assert!(refused(&step(bound, 0.0)), "{key} {name} {bound}");
                assert!(refused(&step(bound, outwards)), "{key} {name} {bound}");
            }
        }
        assert!(bounded > 60, "{bounded} bounds");
    }

    #[test]
    fn every_number_of_a_configuration_has_a_range_and_every_key_a_meaning() {
        let (schema, mut found) = (whole(), Vec::new());
        keys(&schema, "", &mut found);
        assert!(found.len() > 80, "{} keys", found.len());
        for (key, about) in &found {
            assert!(about["description"].is_string(), "{key} has no comment");
            assert!(
                about.get("default").is_some() || key.starts_with("world"),
                "{key} has no default"
            );
            let unlimited = ["seed", "distill.max_parameters"];
            let ranged = about["type"] != "number" && about["type"] != "integer"
                || about[RANGE].is_string()
                || unlimited.contains(&key.as_str());
            assert!(ranged, "{key} has no range");
        }
    }
}
