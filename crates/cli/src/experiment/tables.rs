//! Keys with dots in tables of TOML: what stands there, what goes there, and what fits.

use toml::{Table, Value};

/// The keys of a layer with their values, with dots where the known keys have groups.
pub fn flat(known: &Table, prefix: &str, layer: &Table) -> Vec<(String, Value)> {
    let mut keys = Vec::new();
    for (key, value) in layer {
        let key = format!("{prefix}{key}");
        match (value, get(known, &key)) {
            (Value::Table(inner), Some(Value::Table(_))) => {
                keys.extend(flat(known, &format!("{key}."), inner));
            }
            _ => keys.push((key, value.clone())),
        }
    }
    keys
}

/// Keys that take a word or a list.
pub const WORD_OR_LIST: [&str; 1] = ["world.words"];

/// A value as the key needs it that has `present` now: a whole number may stand for a fraction, and some
/// keys take a word or a list. Gives what is there where the types differ.
pub fn fitting<'a>(
    key: &str,
    present: Option<&'a Value>,
    value: Value,
) -> Result<Value, &'a Value> {
    let is_either = |value: &Value| matches!(value, Value::String(_) | Value::Array(_));
    match (present, value) {
        (Some(old), new) if WORD_OR_LIST.contains(&key) && is_either(old) && is_either(&new) => {
            Ok(new)
        }
        (Some(Value::Float(_)), Value::Integer(whole)) => Ok(Value::Float(whole as f64)),
        (Some(old), new) if !same_type(old, &new) => Err(old),
        (_, new) => Ok(new),
    }
}

pub fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let mut parts = key.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}

/// Reads a TOML value that stands by itself.
pub fn parse_value(text: &str) -> Option<Value> {
    let mut table: Table = format!("value = {text}").parse().ok()?;
    table.remove("value")
}

/// Puts `value` at the dotted `key`; false where something on the way is no group.
pub fn insert(table: &mut Table, key: &str, value: Value) -> bool {
    match key.split_once('.') {
        None => {
            table.insert(key.to_string(), value);
            true
        }
        // A group that is left out while it is empty begins with its first key; one that is none is
        // found out when the whole is read.
        Some((group, rest)) => {
            match table.entry(group).or_insert_with(|| Value::Table(Table::new())) {
                Value::Table(inner) => insert(inner, rest, value),
                _ => false,
            }
        }
    }
}

pub fn list_keys(prefix: &str, table: &Table, keys: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => list_keys(&format!("{prefix}{key}."), inner, keys),
            _ => keys.push(format!("{prefix}{key}")),
        }
    }
}

pub fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a word",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a group of keys",
        Value::Datetime(_) => "a date",
    }
}
