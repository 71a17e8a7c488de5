//! In which keys two configurations differ.

use archer::config::Config;
use toml::{Table, Value};

use super::{get, list_keys};

/// A key that two configurations have different values of.
pub struct Difference {
    /// The key.
    pub key: String,
    /// `key = value` of the first.
    pub here: String,
    /// `key = value` of the second.
    pub there: String,
}

/// The keys in which two configurations differ. A number that one of them has at 0 is no difference: it
/// was left open and fitted to the world, or found to have no use there.
pub fn differences(here: &Config, there: &Config) -> Vec<Difference> {
    let table = |config: &Config| Table::try_from(config).unwrap_or_default();
    let (here, there) = (table(here), table(there));
    let mut keys = Vec::new();
    list_keys("", &here, &mut keys);
    list_keys("", &there, &mut keys);
    keys.sort();
    keys.dedup();
    let said = |table: &Table, key: &str| match get(table, key) {
        Some(value) => format!("{key} = {value}"),
        None => format!("no {key}"),
    };
    let open = |table: &Table, key: &str| get(table, key).and_then(Value::as_integer) == Some(0);
    keys.retain(|key| {
        get(&here, key) != get(&there, key) && !open(&here, key) && !open(&there, key)
    });
    keys.into_iter()
        .map(|key| Difference { here: said(&here, &key), there: said(&there, &key), key })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_but_for_those_left_open() {
        let here = Config { seed: 3, max_new_tokens: 12, ..Config::default() };
        let there = Config { max_new_tokens: 0, gamma: 0.5, ..Config::default() };
        let told: Vec<String> = differences(&here, &there)
            .into_iter()
            .map(|difference| {
                format!("{}: {}, {}", difference.key, difference.here, difference.there)
            })
            .collect();
        assert_eq!(told, ["gamma: gamma = 0.95, gamma = 0.5", "seed: seed = 3, seed = 1"]);
    }
}
