//! What bytes from elsewhere are, where they are not what they should be.
//!
//! A download leaves a page about a file, a pointer to it, an archive around it or a part of it. A
//! reader of one format can only say that the first number is wrong. Here such bytes are named by how
//! they begin, with what helps.

use serde::de::DeserializeOwned;

use crate::error::Error;

/// What some bytes are, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// A noun with its article, or `empty`.
    pub what: &'static str,
    /// What helps, as a command to a person.
    pub remedy: &'static str,
}

impl Kind {
    /// The sentence about a file that is of this kind and should not be.
    pub fn instead_of(self, file: &str) -> Error {
        Error::Model(format!("{file} is {}: {}", self.what, self.remedy))
    }
}

/// How files of other kinds begin.
const BEGINNINGS: [(&[u8], Kind); 17] = [
    (b"version https://git-lfs", LFS),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
    (b"\x1f\x8b", COMPRESSED),
    (b"BZh", COMPRESSED),
    (b"\xfd7zXZ\0", COMPRESSED),
    (b"\x28\xb5\x2f\xfd", COMPRESSED),
    (b"GGUF", GGUF),
    (b"ARCHERCK", CONTAINER),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"\x93NUMPY", NUMPY),
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
];

const LFS: Kind = Kind {
    what: "a git-LFS pointer and not the file that it points to",
    remedy: "fetch the file with git lfs pull, or download it",
};
const ZIP: Kind = Kind {
    what: "a zip archive, as torch.save writes it",
    remedy: "save the model as safetensors (save_pretrained does), or unpack the archive",
};
const PICKLE: Kind = Kind {
    what: "a Python pickle, which is a program",
    remedy: "save the model as safetensors (save_pretrained does)",
};
const COMPRESSED: Kind = Kind { what: "a compressed file", remedy: "unpack it first" };
const GGUF: Kind = Kind {
    what: "a GGUF file",
    remedy: "take the model in Hugging Face's layout, with its weights as safetensors",
};
const CONTAINER: Kind = Kind {
    what: "an .archer file, which holds a whole model",
    remedy: "name the file itself as the model, in the place of the folder",
};
const HDF5: Kind =
    Kind { what: "an HDF5 file, as Keras writes it", remedy: "save the model as safetensors" };
const NUMPY: Kind = Kind { what: "a NumPy file", remedy: "save the model as safetensors" };
const UTF16: Kind = Kind { what: "text in UTF-16", remedy: "save it as UTF-8" };
const TAR: Kind = Kind { what: "a tar archive", remedy: "unpack it first" };
const PAGE: Kind = Kind {
    what: "an HTML or XML page",
    remedy: "download the file itself; a page like this comes where a login or another address is needed",
};
const EMPTY: Kind = Kind { what: "empty", remedy: "copy or download it again" };
const SAFETENSORS: Kind =
    Kind { what: "a safetensors file", remedy: "put the file back that came with the model" };
const JSON: Kind = Kind { what: "JSON text", remedy: "put the file back that came with the model" };
const TEXT: Kind =
    Kind { what: "text", remedy: "download the file itself; the text may say what went wrong" };

/// The bytes of a text without the mark that some editors put before it.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// What these bytes are, where that is a kind of file that is often met in the place of another; text
/// and JSON aside.
fn binary_or_page(bytes: &[u8]) -> Option<Kind> {
    if bytes.is_empty() {
        return Some(EMPTY);
    }
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(*kind);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(TAR);
    }
    let text = without_mark(bytes).trim_ascii_start();
    let begins = |tag: &str| {
        text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    ["<!doctype", "<html", "<?xml", "<head", "<body"].iter().any(|tag| begins(tag)).then_some(PAGE)
}

/// What these bytes are, where they should be weights.
pub fn instead_of_weights(bytes: &[u8]) -> Option<Kind> {
    let kind = binary_or_page(bytes);
    // The length of a header may look like the beginning of something else; then a header follows.
    if kind.is_some() && !is_safetensors(bytes) {
        return kind;
    }
    let text = without_mark(bytes).trim_ascii_start();
    if matches!(text.first(), Some(b'{' | b'[')) {
        return Some(JSON);
    }
    let start = &bytes[..bytes.len().min(64)];
    let printed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    start.iter().all(printed).then_some(TEXT)
}

/// What these bytes are, where they should be an `.archer` file or a checkpoint.
pub fn instead_of_container(bytes: &[u8]) -> Option<Kind> {
    match is_safetensors(bytes) {
        true => Some(Kind {
            remedy: "name the folder that holds it, with its config.json and tokenizer.json",
            ..SAFETENSORS
        }),
        false => instead_of_weights(bytes),
    }
}

/// Whether a header of safetensors stands where it should: its length, then JSON.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    rest.first() == Some(&b'{') && length <= rest.len() as u64
}

/// Reads JSON; `file` names it in an error.
///
/// # Errors
/// If it is none; the error says what it is where that can be told.
pub fn json<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, Error> {
    let kind = if is_safetensors(bytes) { Some(SAFETENSORS) } else { binary_or_page(bytes) };
    if let Some(kind) = kind {
        return Err(kind.instead_of(file));
    }
    serde_json::from_slice(without_mark(bytes))
        .map_err(|error| Error::Model(format!("{file} cannot be read as JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_a_file_is_is_named_by_how_it_begins() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let kinds: [(&[u8], &str); 11] = [
            (b"", "is empty"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git lfs pull"),
            (b"PK\x03\x04\x00\x00", "zip archive"),
            (b"\x80\x02}q\x00", "pickle"),
            (b"\x1f\x8b\x08\x00", "compressed"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"ARCHERCK\x02\0\0\0", "an .archer file"),
            (b"\n <!DOCTYPE html>\n<html>", "HTML"),
            (b"<?xml version='1.0'?><Error><Code>AccessDenied", "XML"),
            (b"\xff\xfe{\0}\0", "UTF-16"),
            (&tar, "tar"),
        ];
        for (bytes, part) in kinds {
            let weights = instead_of_weights(bytes).unwrap().instead_of("w").to_string();
            assert!(weights.starts_with("w is ") && weights.contains(part), "{weights}");
            let text = json::<Value>("t", bytes).unwrap_err().to_string();
            assert!(text.starts_with("t is ") && text.contains(part), "{text}");
        }
        assert_eq!(instead_of_weights(b"Entry not found"), Some(TEXT));
        assert_eq!(instead_of_weights(b" {\"error\": \"none\"}"), Some(JSON));
    }

    #[test]
    fn weights_whose_header_has_an_odd_length_are_weights() {
        // 0x8b1f bytes of header, which is how gzip begins.
        let mut bytes = 0x8b1f_u64.to_le_bytes().to_vec();
        bytes.push(b'{');
        bytes.resize(8 + 0x8b1f, b' ');
        assert_eq!(instead_of_weights(&bytes), None);
        let error = json::<Value>("config.json", &bytes).unwrap_err().to_string();
        assert!(error.contains("a safetensors file"), "{error}");
    }

    #[test]
    fn a_mark_before_json_is_taken_off() {
        assert_eq!(json::<Value>("t", b"\xef\xbb\xbf{}").unwrap(), serde_json::json!({}));
        let error = json::<Value>("t", b"{").unwrap_err().to_string();
        assert!(error.starts_with("t cannot be read as JSON"), "{error}");
    }
}
