//! Changes to JSON and TOML that leave them JSON and TOML.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::{NUMBERS, Shape, plain, short};

/// The document that some bytes are, if they are one and the shape is that of one.
pub fn read(shape: Shape, bytes: &[u8]) -> Option<Value> {
    match shape {
        Shape::Json => serde_json::from_slice(bytes).ok(),
        #[cfg(feature = "models")]
        Shape::Toml => {
            let table = std::str::from_utf8(bytes).ok()?.parse::<toml::Table>().ok()?;
            serde_json::to_value(table).ok()
        }
        _ => None,
    }
}

/// A document as bytes of its shape; none where the shape has no way to say it.
pub fn written(rng: &mut ChaCha8Rng, shape: Shape, document: Value) -> Option<Vec<u8>> {
    match shape {
        #[cfg(feature = "models")]
        Shape::Toml => toml::to_string(&document).ok().map(String::into_bytes),
        _ => Some(json_written(rng, &document)),
    }
}

/// Changes one value of a text, where it is JSON.
pub fn document(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            change(rng, &mut value);
            json_written(rng, &value)
        }
        Err(_) => plain(rng, bytes.to_vec(), bytes),
    }
}

/// Changes a value of one line, or swaps, repeats or drops lines.
pub fn lines(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, two) = (rng.random_range(0..lines.len()), rng.random_range(0..lines.len()));
    match rng.random_range(0..8) {
        0 => lines.swap(one, two),
        1 => lines.insert(one, lines[two].clone()),
        2 => drop(lines.remove(one)),
        _ => lines[one] = document(rng, &lines[one]),
    }
    lines.join(&b'\n')
}

/// A value as text; now and then with a number in it that JSON does not have.
fn json_written(rng: &mut ChaCha8Rng, value: &Value) -> Vec<u8> {
    let text = serde_json::to_string(value).expect("a value is JSON");
    match rng.random_range(0..16) {
        0 => text.replacen(":0", ":NaN", 1).into_bytes(),
        1 => text.replacen(":1", ":1e999", 1).into_bytes(),
        2 => serde_json::to_string_pretty(value).expect("a value is JSON").into_bytes(),
        _ => text.into_bytes(),
    }
}

/// Changes a value somewhere within another.
pub fn change(rng: &mut ChaCha8Rng, value: &mut Value) {
    let place = rng.random_range(0..count(value));
    at(value, place, &mut |value| {
        let old = value.take();
        *value = changed(rng, old);
    });
}

/// The number of values in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Calls `work` on the value number `place`; gives the places that were passed.
fn at(value: &mut Value, place: usize, work: &mut impl FnMut(&mut Value)) -> usize {
    if place == 0 {
        work(value);
        return usize::MAX;
    }
    let mut passed = 1;
    let parts: Vec<&mut Value> = match value {
        Value::Array(values) => values.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => return passed,
    };
    for part in parts {
        match at(part, place - passed, work) {
            usize::MAX => return usize::MAX,
            more => passed += more,
        }
        if passed > place {
            break;
        }
    }
    passed
}

fn changed(rng: &mut ChaCha8Rng, old: Value) -> Value {
    match (rng.random_range(0..12), old) {
        (0..=2, Value::Object(fields)) => object_changed(rng, fields),
        (0..=2, Value::Array(values)) => array_changed(rng, values),
        (0..=3, Value::String(text)) => text_changed(rng, &text),
        (0..=3, Value::Number(number)) => match rng.random_range(0..3) {
            0 => Value::String(number.to_string()),
            1 => json!(-number.as_f64().unwrap_or(0.0)),
            _ => number_of(rng),
        },
        (4, old) => json!([old]),
        (5, old) => json!({ "type": old }),
        (6, old) => {
            let depth = 1 << rng.random_range(0..9);
            (0..depth).fold(old, |inner, _| json!([inner]))
        }
        (7, _) => number_of(rng),
        (8, _) => Value::Null,
        (9, _) => Value::Bool(rng.random_bool(0.5)),
        (10, _) => json!({}),
        (_, old) => text_changed(rng, old.as_str().unwrap_or("x")),
    }
}

fn number_of(rng: &mut ChaCha8Rng) -> Value {
    let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
    serde_json::from_str(number).unwrap_or(json!(u64::MAX))
}

fn object_changed(rng: &mut ChaCha8Rng, mut fields: Map<String, Value>) -> Value {
    let keys: Vec<String> = fields.keys().cloned().collect();
    if keys.is_empty() {
        fields.insert("x".into(), number_of(rng));
        return Value::Object(fields);
    }
    let (one, two) =
        (&keys[rng.random_range(0..keys.len())], &keys[rng.random_range(0..keys.len())]);
    match rng.random_range(0..3) {
        0 => drop(fields.remove(one)),
        1 => {
            let value = fields.remove(one).unwrap_or_default();
            fields.insert(format!("{one}{two}"), value);
        }
        _ => {
            let value = fields[two].clone();
            fields.insert(one.clone(), value);
        }
    }
    Value::Object(fields)
}

fn array_changed(rng: &mut ChaCha8Rng, mut values: Vec<Value>) -> Value {
    if values.is_empty() {
        return json!([number_of(rng)]);
    }
    let (one, two) = (rng.random_range(0..values.len()), rng.random_range(0..values.len()));
    match rng.random_range(0..4) {
        0 => drop(values.remove(one)),
        1 => values.swap(one, two),
        2 => values.insert(one, values[two].clone()),
        _ => {
            let times = short(rng);
            let copies = std::iter::repeat_n(values[one].clone(), times).collect::<Vec<_>>();
            values.splice(one..one, copies);
        }
    }
    Value::Array(values)
}

fn text_changed(rng: &mut ChaCha8Rng, text: &str) -> Value {
    let chars: Vec<char> = text.chars().collect();
    let at = rng.random_range(0..=chars.len());
    let (front, back): (String, String) =
        (chars[..at].iter().collect(), chars[at..].iter().collect());
    Value::String(match rng.random_range(0..8) {
        0 => front,
        1 => back,
        2 => format!("{front}\0{back}"),
        3 => format!("{front}\n{back}"),
        4 => format!("{front}{}{back}", '\u{1f9ff}'),
        5 => text.repeat(1 << rng.random_range(0..8)),
        6 => String::new(),
        _ => NUMBERS[rng.random_range(0..NUMBERS.len())].to_string(),
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_change_leaves_json_and_reaches_every_value() {
        let value = json!({"a": [1, 2], "b": {"c": "d"}});
        assert_eq!(count(&value), 6);
        for place in 0..6 {
            let mut seen = 0;
            at(&mut value.clone(), place, &mut |_| seen += 1);
            assert_eq!(seen, 1, "{place}");
        }
        for seed in 0..500 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let mut changed = value.clone();
            change(rng, &mut changed);
            let text = serde_json::to_string(&changed).unwrap();
            // Deeper than any reader goes, some are no longer read again.
            let again: Result<Value, _> = serde_json::from_str(&text);
            assert!(again.is_ok() || text.contains("[[[["), "{text}");
        }
    }

    #[cfg(feature = "models")]
    #[test]
    fn toml_stays_toml() {
        let text = b"seed = 1\n[world]\nname = \"maze\"\nsizes = [1, 2]\n";
        let toml = (0..200).filter(|seed| {
            let rng = &mut ChaCha8Rng::seed_from_u64(*seed);
            let mut document = read(Shape::Toml, text).expect("it is TOML");
            change(rng, &mut document);
            let made = written(rng, Shape::Toml, document).unwrap_or_default();
            !made.is_empty() && read(Shape::Toml, &made).is_some()
        });
        assert!(toml.count() > 120);
    }
}
