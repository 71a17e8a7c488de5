//! What of a `tokenizer.json` is no part of reading: it is cleared before anything is read by it.
//!
//! Padding and truncation belong to the batches of the program that saved the file, and dropout to its
//! training. Obeyed here, they would cut what an agent reads, fill it up, or read one text in two ways.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::error::Error;

/// Tokens and ids a tokenizer may leave out between them; more is no vocabulary, but a table as large as
/// a file's largest number.
const SPARE_IDS: usize = 256;

/// A `tokenizer.json` as it is read by.
#[derive(Debug)]
pub struct Cleaned<'a> {
    /// The file; as it was, where nothing had to be cleared.
    pub json: Cow<'a, [u8]>,
    /// The settings that were cleared.
    pub cleared: Vec<&'static str>,
}

/// Clears the settings of a file that are no part of reading; `file` names it in an error.
///
/// # Errors
/// If it is no JSON, or its ids are none that a vocabulary has.
pub fn cleaned<'a>(file: &str, json: &'a [u8]) -> Result<Cleaned<'a>, Error> {
    let fault = |fault| Error::Model(format!("{file} {fault}"));
    let text = archer_input::text(json).map_err(fault)?;
    let mut root: Value = archer_input::json_text(&text).map_err(fault)?;
    let wrong = |what: String| Err(Error::Model(format!("{file} cannot be read: {what}")));
    if !root["model"].is_object() {
        return wrong("it has no model, which says how text is cut into tokens".into());
    }
    if let Some(what) = fault_of_ids(&root) {
        return wrong(what);
    }
    let mut cleared = Vec::new();
    let mut clear = |value: &mut Value, key: &'static str| {
        if value.get(key).is_some_and(|value| !value.is_null()) {
            value[key] = Value::Null;
            cleared.push(key);
        }
    };
    clear(&mut root, "padding");
    clear(&mut root, "truncation");
    // Both draw one of several readings: BPE drops merges, Unigram samples.
    for key in ["dropout", "nbest_size", "alpha"] {
        clear(&mut root["model"], key);
    }
    let json = match cleared.is_empty() {
        true => match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
        false => Cow::Owned(serde_json::to_vec(&root).expect("JSON can be written")),
    };
    Ok(Cleaned { json, cleared })
}

/// The id in a value.
fn id_of(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|id| u32::try_from(id).ok()).map(|id| id as usize)
}

/// What is wrong with the ids of a file.
fn fault_of_ids(root: &Value) -> Option<String> {
    let vocab = &root["model"]["vocab"];
    let mut ids = HashSet::new();
    for (token, id) in vocab.as_object().into_iter().flatten() {
        match id_of(id) {
            Some(id) => ids.insert(id),
            None => return Some(format!("the id of the token {token:?} is {id}")),
        };
    }
    // Unigram's vocabulary is a list of tokens with their scores.
    ids.extend(0..vocab.as_array().map_or(0, Vec::len));
    for added in root["added_tokens"].as_array().into_iter().flatten() {
        let content = added["content"].as_str().unwrap_or_default();
        let Some(id) = id_of(&added["id"]) else {
            return Some(format!("the id of the added token {content:?} is {}", added["id"]));
        };
        match vocab.get(content).and_then(id_of) {
            Some(other) if other != id => {
                return Some(format!(
                    "the token {content:?} has the id {id} as an added one and {other} in the vocabulary"
                ));
            }
            _ => ids.insert(id),
        };
    }
    let size = ids.iter().max().map_or(0, |&id| id + 1);
    (size > 2 * ids.len() + SPARE_IDS)
        .then(|| format!("it has {} tokens, and their ids go up to {}", ids.len(), size - 1))
}

/// The file with its added tokens in the vocabulary too, where that is a table of ids: so each keeps
/// the id that the file gives it. `None` where it is no such table.
#[cfg(not(target_family = "wasm"))]
pub fn with_added_tokens_in_vocabulary(json: &[u8]) -> Option<Vec<u8>> {
    let mut root: Value = serde_json::from_slice(json).ok()?;
    let added = root["added_tokens"].take();
    let vocab = root["model"]["vocab"].as_object_mut()?;
    for token in added.as_array()? {
        let content = token["content"].as_str().filter(|content| !content.is_empty())?;
        vocab.insert(content.to_string(), token["id"].clone());
    }
    root["added_tokens"] = added;
    serde_json::to_vec(&root).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file() -> Value {
        json!({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
            "added_tokens": [{"id": 1, "content": "b"}, {"id": 2, "content": "</s>"}]})
    }

    fn clean(root: &Value) -> Result<(Vec<u8>, Vec<&'static str>), Error> {
        let bytes = root.to_string().into_bytes();
        cleaned("t", &bytes).map(|read| (read.json.into_owned(), read.cleared))
    }

    #[test]
    fn what_is_no_part_of_reading_is_cleared_and_the_rest_stays_byte_for_byte() {
        let plain = file();
        assert_eq!(clean(&plain).unwrap(), (plain.to_string().into_bytes(), vec![]));
        let mut marked = b"\xef\xbb\xbf".to_vec();
        marked.extend(plain.to_string().bytes());
        assert_eq!(*cleaned("t", &marked).unwrap().json, marked[3..]);
        let mut set = file();
        set["padding"] = json!({"strategy": {"Fixed": 128}});
        set["truncation"] = json!({"max_length": 1});
        set["model"]["dropout"] = json!(0.1);
        let (read, cleared) = clean(&set).unwrap();
        assert_eq!(cleared, ["padding", "truncation", "dropout"]);
        let mut read: Value = serde_json::from_slice(&read).unwrap();
        for (place, key) in [("", "padding"), ("", "truncation"), ("/model", "dropout")] {
            let map = read.pointer_mut(place).unwrap().as_object_mut().unwrap();
            assert_eq!(map.remove(key), Some(Value::Null));
        }
        assert_eq!(read, plain);
    }

    #[test]
    fn ids_that_are_none_are_refused_by_the_token() {
        for (pointer, id, part) in [
            ("/model/vocab/a", json!(-1), "\"a\" is -1"),
            ("/model/vocab/a", json!(1u64 << 40), "\"a\" is 1099511627776"),
            ("/added_tokens/1/id", json!("2"), "\"</s>\" is \"2\""),
            ("/added_tokens/0/id", json!(7), "\"b\" has the id 7"),
            ("/added_tokens/1/id", json!(1_000_000), "ids go up to 1000000"),
        ] {
            let mut root = file();
            *root.pointer_mut(pointer).unwrap() = id;
            let error = clean(&root).unwrap_err().to_string();
            assert!(error.starts_with("t cannot be read") && error.contains(part), "{error}");
        }
        let error = clean(&json!([])).unwrap_err().to_string();
        assert!(error.contains("it has no model"), "{error}");
    }
}
