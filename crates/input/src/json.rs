//! Text as JSON.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::text::{self, Fault};

/// The value in a whole file.
///
/// # Errors
/// If the file is no text, no JSON, or not of this type; the fault names line and column.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    json_text(&text::text(bytes)?)
}

/// The value in a text.
///
/// # Errors
/// As [`json`].
pub fn json_text<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| fault(text, &error, error.to_string()))
}

/// The value in one line or message.
///
/// # Errors
/// As [`json`]; the fault names the column alone, since whoever reads lines counts them.
pub fn json_line<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let text = text::line(bytes)?;
    serde_json::from_str(text).map_err(|error| fault(text, &error, place_in_line(&error)))
}

/// An error about one line, with its column alone.
pub fn place_in_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

fn fault(text: &str, error: &serde_json::Error, shown: String) -> Fault {
    let shown = shortened(shown);
    if text.trim().is_empty() {
        return Fault("is empty where JSON belongs".into());
    }
    if is_not_finite(text, error) {
        return Fault(format!("has NaN or Infinity where a finite number belongs ({shown})"));
    }
    Fault(match error.classify() {
        Category::Eof => format!("is JSON that is cut off ({shown})"),
        Category::Data => format!("cannot be used: {shown}"),
        Category::Syntax | Category::Io => format!("is not JSON ({shown})"),
    })
}

/// An error without the middle of a value that it repeats, which may be long; its place is at the end.
fn shortened(shown: String) -> String {
    const HEAD: usize = 200;
    const TAIL: usize = 60;
    let count = shown.chars().count();
    if count <= HEAD + TAIL + 1 {
        return shown;
    }
    let head = shown.chars().take(HEAD);
    head.chain(['…']).chain(shown.chars().skip(count - TAIL)).collect()
}

/// Whether reading ended at a number that JSON does not have and Python writes all the same.
fn is_not_finite(text: &str, error: &serde_json::Error) -> bool {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // An error stands at its first wrong byte or behind it.
    let from = error.column().saturating_sub(2).min(line.len());
    let rest = &line.as_bytes()[from..];
    let near = &rest[..rest.len().min(11)];
    let has = |word: &[u8]| near.windows(word.len()).any(|here| here == word);
    error.classify() == Category::Syntax && (has(b"NaN") || has(b"Infinity"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(text: &str) -> String {
        super::json::<Value>(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_mark_does_not_matter() {
        assert_eq!(super::json::<Value>(b"\xef\xbb\xbf{\"a\": 1}\r\n").unwrap(), json!({"a": 1}));
        assert_eq!(json_line::<Value>(b"\xef\xbb\xbf[]").unwrap(), json!([]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(fault("{\n \"a\": x}"), "is not JSON (expected value at line 2 column 7)");
        assert_eq!(fault("  \n"), "is empty where JSON belongs");
        let cut = fault("{\"a\": [1,");
        assert!(cut.starts_with("is JSON that is cut off (EOF"), "{cut}");
        let one = json_line::<Value>(b"{\"a\" 1}").unwrap_err().to_string();
        assert_eq!(one, "is not JSON (expected `:` at column 6)");
        let kind = super::json::<Vec<u8>>(b"[1, \"x\"]").unwrap_err().to_string();
        assert!(kind.starts_with("cannot be used: invalid type: string \"x\""), "{kind}");
        let long = format!("[1, \"{}\"]", "ä".repeat(1 << 16));
        let long = super::json::<Vec<u8>>(long.as_bytes()).unwrap_err().to_string();
        assert!(long.chars().count() < 300 && long.ends_with("at line 1 column 131078"), "{long}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        for text in
            ["{\"reward\": NaN}", "[1,\n Infinity]", "[-Infinity]", "NaN", "{\"a\":-Infinity}"]
        {
            let fault = fault(text);
            assert!(
                fault.starts_with("has NaN or Infinity where a finite number"),
                "{text}: {fault}"
            );
        }
        for text in ["[\"NaN\", x]", "[Nan]", "{\"Infinity\" 1}"] {
            assert!(fault(text).starts_with("is not JSON"), "{text}: {}", fault(text));
        }
    }
}
