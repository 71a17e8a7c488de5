//! Sentences about a world that failed.

use archer_input::json_line;
use archer_world::WorldError;
use archer_world::contract::shortened;
use serde_json::Value;

/// The most characters of what a peer did, which may hold words of its own.
const LONGEST_DEED: usize = 500;

/// A world that cannot be used any more: who, what it did, what to do about it.
pub(crate) fn lost(who: &str, what: &str, remedy: &str) -> WorldError {
    match what.char_indices().nth(LONGEST_DEED) {
        None => WorldError::Lost(format!("{who} {what}: {remedy}")),
        Some((end, _)) => WorldError::Lost(format!("{who} {}…: {remedy}", &what[..end])),
    }
}

/// A setting that cannot be: its name, what is wrong with it, what to do about it.
pub(crate) fn setting(name: &str, what: &str, remedy: &str) -> WorldError {
    WorldError::Settings(format!("[world] {name} {what}: {remedy}"))
}

/// Bytes of a peer as they can stand in a sentence: quoted, on one line, and not too long.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    /// Enough for the characters that are shown, whatever their length.
    const LOOKED_AT: usize = 1 << 10;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]);
    format!("{:?}", shortened(&text))
}

/// Reads one JSON value.
///
/// # Errors
/// What is wrong with it, as the rest of a sentence that begins with "a line" or "a message".
pub(crate) fn json(bytes: &[u8]) -> Result<Value, String> {
    json_line(bytes).map_err(|fault| format!("that {fault}, {}", quoted(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_cannot_make_a_sentence_long() {
        let long = lost("the world", &"ä".repeat(1 << 20), "say less").to_string();
        assert!(long.len() < 1100 && long.ends_with("…: say less"), "{}", long.len());
    }

    #[test]
    fn what_is_not_json_is_told_from_numbers_that_are_not_finite() {
        assert_eq!(json(br#"{"a":1}"#).unwrap()["a"], 1);
        assert_eq!(json(b"\xef\xbb\xbf[1]").unwrap()[0], 1);
        let noise = json(b"Loading").unwrap_err();
        assert_eq!(noise, "that is not JSON (expected value at column 1), \"Loading\"");
        let infinite = json(br#"{"reward":-Infinity}"#).unwrap_err();
        assert!(infinite.starts_with("that has NaN or Infinity where"), "{infinite}");
        let long = json(&vec![b'x'; 1 << 20]).unwrap_err();
        assert!(long.len() < 200 && long.ends_with("…\""), "{long}");
    }
}
