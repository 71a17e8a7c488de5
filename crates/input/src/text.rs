//! Bytes as text in UTF-8.

use std::borrow::Cow;
use std::fmt;

use crate::format::Format;

/// The byte-order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Why bytes from outside cannot be used: the rest of a sentence after their name, such as "is in
/// UTF-16: save it as UTF-8".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub(crate) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// The text of a whole file, without a byte-order mark.
///
/// Where its lines end in a carriage return alone, they end in a line feed afterwards, so that parsers
/// that count lines find them.
///
/// # Errors
/// If it is a file of another kind, in another encoding, or not UTF-8; the fault names the line and
/// the column of the first wrong byte.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    // Letters of four bytes each can look like the length that weights begin with.
    named_encoding(bytes)?;
    if let Some(format) = Format::of(bytes) {
        return Err(Fault(format!("is {format} and no text: {}", format.remedy())));
    }
    let text = utf8(bytes, true)?;
    Ok(match text.contains('\r') && !text.contains('\n') {
        true => Cow::Owned(text.replace('\r', "\n")),
        false => Cow::Borrowed(text),
    })
}

/// What a file of the kind `wanted` is instead, by its first bytes; `None` where nothing speaks against
/// that kind, or only a reader of it can tell.
pub fn instead_of(wanted: Format, bytes: &[u8]) -> Option<Fault> {
    if bytes.is_empty() {
        return Some(Fault("is empty: copy or download it again".into()));
    }
    match Format::of(bytes) {
        Some(format) if format == wanted => return None,
        Some(format) => return Some(Fault(format!("is {format}: {}", format.remedy()))),
        None => {}
    }
    if let Err(encoding) = named_encoding(bytes) {
        return Some(encoding);
    }
    let begin = bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii_start();
    if matches!(begin.first(), Some(b'{' | b'[')) {
        return Some(Fault("is JSON text: put the file back that came with the model".into()));
    }
    let printed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    bytes.iter().take(64).all(printed).then(|| {
        Fault("is text: download the file itself; the text may say what went wrong".into())
    })
}

/// The text of one line or message, without a byte-order mark. The end of a line stays where it is.
///
/// # Errors
/// If it is in another encoding, or not UTF-8; the fault names the column of the first wrong byte.
pub fn line(bytes: &[u8]) -> Result<&str, Fault> {
    utf8(bytes, false)
}

fn named_encoding(bytes: &[u8]) -> Result<(), Fault> {
    match other_encoding(bytes) {
        Some(encoding) => Err(Fault(format!("is in {encoding}: save it as UTF-8"))),
        None => Ok(()),
    }
}

fn utf8(mut bytes: &[u8], whole: bool) -> Result<&str, Fault> {
    named_encoding(bytes)?;
    // Two files that each begin with a mark, one after the other, can leave two at once.
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest;
    }
    let place = |end: usize| place(&bytes[..end], whole);
    match std::str::from_utf8(bytes) {
        Ok(text) => match bytes.iter().position(|byte| *byte == 0) {
            None => Ok(text),
            Some(at) => Err(Fault(format!("has a zero byte in {}: it is no text", place(at)))),
        },
        Err(error) => {
            let at = error.valid_up_to();
            Err(Fault(match error.error_len() {
                None => format!("is cut off within a character in {}", place(at)),
                Some(_) => format!(
                    "has the byte 0x{:02X} in {}, which is not UTF-8: save it as UTF-8",
                    bytes[at],
                    place(at)
                ),
            }))
        }
    }
}

/// Where the text after `before` begins: the line where there are several, and the column in
/// characters; both count from 1.
fn place(before: &[u8], whole: bool) -> String {
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let column = 1 + String::from_utf8_lossy(&before[begin..]).chars().count();
    match whole {
        true => {
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("line {line}, column {column}")
        }
        false => format!("column {column}"),
    }
}

/// UTF-16 or UTF-32, by a byte-order mark or by the zeros that ASCII letters leave.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    const LOOKED_AT: usize = 64;
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let seen = &bytes[..bytes.len().min(LOOKED_AT)];
    // Of each group of bytes, those at one place are letters and all others zero.
    let groups_of = |size: usize| {
        let letters = |place: usize| {
            let is_letter = |(at, byte): (usize, &u8)| (*byte != 0) == (at % size == place);
            seen.len() >= size && seen.iter().enumerate().all(is_letter)
        };
        letters(0) || letters(size - 1)
    };
    match (groups_of(4), groups_of(2)) {
        (true, _) => Some("UTF-32"),
        (_, true) => Some("UTF-16"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(bytes: &[u8]) -> String {
        text(bytes).unwrap_err().to_string()
    }

    fn utf16(text: &str) -> impl Iterator<Item = u16> {
        text.encode_utf16()
    }

    #[test]
    fn marks_are_taken_off() {
        assert_eq!(text(b"\xef\xbb\xbfa = 1\r\n").unwrap(), "a = 1\r\n");
        assert_eq!(text(b"\xef\xbb\xbf\xef\xbb\xbf{}").unwrap(), "{}");
        assert_eq!(text(b"\xef\xbb\xbf").unwrap(), "");
        assert_eq!(line("\u{feff}ja\n".as_bytes()).unwrap(), "ja\n");
    }

    #[test]
    fn lines_may_end_in_carriage_returns() {
        assert_eq!(text(b"a = 1\rb = 2\r").unwrap(), "a = 1\nb = 2\n");
        assert_eq!(text(b"a = 1\r\nb = 2\r").unwrap(), "a = 1\r\nb = 2\r");
    }

    #[test]
    fn a_wrong_byte_is_named_with_its_place() {
        let wrong = "has the byte 0xFC in line 2, column 3, which is not UTF-8: save it as UTF-8";
        assert_eq!(
            fault("ä\nöx\u{0}".as_bytes()),
            "has a zero byte in line 2, column 3: it is no text"
        );
        assert_eq!(fault(b"a\r\n\xc3\xa4x\xfc\n"), wrong);
        assert_eq!(fault(b"ab\xe2\x80"), "is cut off within a character in line 1, column 3");
        let one = line(b"\xfc\n").unwrap_err().to_string();
        assert_eq!(one, "has the byte 0xFC in column 1, which is not UTF-8: save it as UTF-8");
    }

    #[test]
    fn other_kinds_of_files_are_named_with_the_remedy() {
        let pointer = fault(b"version https://git-lfs.github.com/spec/v1\n");
        assert_eq!(
            pointer,
            "is a git-LFS pointer and no text: fetch the file itself with git lfs pull"
        );
    }

    #[test]
    fn weights_that_are_something_else_are_named_with_the_remedy() {
        let weights = |bytes: &[u8]| instead_of(Format::Safetensors, bytes).map(|fault| fault.0);
        let header = b"\x02\0\0\0\0\0\0\0{}";
        assert_eq!(weights(header), None);
        assert_eq!(weights(b"\x02\0\xff\xff\xff\xff\0\xff"), None);
        for (bytes, part) in [
            (&b""[..], "is empty: copy or download"),
            (b"GGUF\x03", "is a GGUF file: take"),
            (b"ARCHERCK\x02", "is an .archer file (a model or a checkpoint): give it"),
            (b"{\0\"\0a\0", "is in UTF-16: save"),
            (b" {\"error\": \"none\"}", "is JSON text: put"),
            (b"Entry not found", "is text: download"),
        ] {
            let fault = weights(bytes).unwrap();
            assert!(fault.starts_with(part), "{fault}");
        }
        let container = instead_of(Format::Archer, header).unwrap().0;
        assert!(container.contains("name the folder that holds it"), "{container}");
    }

    proptest! {
        #[test]
        fn the_wide_encodings_of_ascii_are_named_with_and_without_a_mark(said in "[ -~]{2,80}", mark: bool) {
            let marked = format!("{}{said}", if mark { "\u{feff}" } else { "" });
            let little: Vec<u8> = utf16(&marked).flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = utf16(&marked).flat_map(u16::to_be_bytes).collect();
            let wide: Vec<u8> = marked.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
            let wide_big: Vec<u8> = marked.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
            for (bytes, name) in [(little, "16"), (big, "16"), (wide, "32"), (wide_big, "32")] {
                prop_assert_eq!(fault(&bytes), format!("is in UTF-{name}: save it as UTF-8"));
                prop_assert_eq!(line(&bytes).unwrap_err().to_string(), fault(&bytes));
            }
        }

        #[test]
        fn any_bytes_are_text_or_a_sentence(bytes: Vec<u8>) {
            match text(&bytes) {
                Ok(text) => {
                    let marked = text.starts_with('\u{feff}');
                    prop_assert!(!text.contains('\0') && !marked);
                }
                Err(fault) => prop_assert!(fault.to_string().len() < 200),
            }
        }
    }
}
