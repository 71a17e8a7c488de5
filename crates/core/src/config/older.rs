//! Keys that once had another name or place. Files that hold them are read as before.

use serde_json::{Map, Value};

/// Former and present names.
const MOVED: [(&str, &str); 10] = [
    ("tries", "utterance_tries"),
    ("warm_start.aside_games", "warm_start.context_only_games"),
    ("warm_start.aside_steps", "warm_start.context_only_steps"),
    ("rollout_noise", "world.rollout_noise"),
    ("shaping_coef", "world.shaping_coef"),
    ("shaping_form", "world.shaping_form"),
    ("warm_start.questions", "world.demonstrator.questions"),
    ("warm_start.guess_rate", "world.demonstrator.guess_rate"),
    ("warm_start.consistency", "world.demonstrator.consistency"),
    ("warm_start.repeat_rate", "world.demonstrator.repeat_rate"),
];

/// The present name of a key.
pub fn present_name(key: &str) -> &str {
    MOVED.iter().find(|(former, _)| *former == key).map_or(key, |(_, present)| present)
}

/// A configuration as JSON with every key under its present name.
pub fn renamed(mut config: Value) -> Value {
    for (former, present) in MOVED {
        if let Some(value) = take(&mut config, former) {
            put(&mut config, present, value);
        }
    }
    config
}

fn take(config: &mut Value, key: &str) -> Option<Value> {
    match key.split_once('.') {
        None => config.as_object_mut()?.remove(key),
        Some((group, rest)) => take(config.get_mut(group)?, rest),
    }
}

fn put(config: &mut Value, key: &str, value: Value) {
    let Some(table) = config.as_object_mut() else { return };
    match key.split_once('.') {
        None => drop(table.insert(key.to_string(), value)),
        Some((group, rest)) => {
            put(table.entry(group).or_insert_with(|| Value::Object(Map::new())), rest, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn former_keys_are_found_under_their_present_names() {
        let former = json!({"seed": 1, "shaping_coef": 0.5, "warm_start": {"steps": 3,
            "guess_rate": 0.1}, "world": {"words": "subset"}});
        let present = json!({"seed": 1, "warm_start": {"steps": 3}, "world": {"words": "subset",
            "shaping_coef": 0.5, "demonstrator": {"guess_rate": 0.1}}});
        assert_eq!(renamed(former), present);
        assert_eq!(renamed(present.clone()), present);
        assert_eq!(present_name("rollout_noise"), "world.rollout_noise");
        assert_eq!(present_name("seed"), "seed");
    }
}
