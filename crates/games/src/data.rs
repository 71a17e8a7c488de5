//! The texts of `data/`, as they are built in.
//!
//! The build script puts all of them into one file, and compresses it for WebAssembly. Whoever needs a text
//! asks for it by its path below `data/`; in a page the first to ask unpacks everything.

use std::borrow::Cow;
use std::sync::OnceLock;

/// A file of the data: its path below `data/` and its text.
pub type Source<'a> = (&'a str, &'a str);

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/data.bin"));

/// The texts in the order of their paths.
pub fn files() -> &'static [Source<'static>] {
    static PLAIN: OnceLock<Cow<'static, str>> = OnceLock::new();
    static FILES: OnceLock<Vec<Source<'static>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let plain: &'static str = PLAIN.get_or_init(unpacked);
        let mut parts = plain.split_terminator('\0');
        let mut files = Vec::new();
        while let (Some(path), Some(text)) = (parts.next(), parts.next()) {
            files.push((path, text));
        }
        files
    })
}

#[cfg(not(target_family = "wasm"))]
fn unpacked() -> Cow<'static, str> {
    let plain = str::from_utf8(PACKED);
    plain.unwrap_or_else(|_| panic!("the embedded data is no text")).into()
}

#[cfg(target_family = "wasm")]
fn unpacked() -> Cow<'static, str> {
    use std::io::Read;

    // As `build/main.rs` has them.
    const ORDER: u32 = 8;
    const MEMORY: u32 = 4 << 20;
    let (length, packed) = PACKED.split_first_chunk().expect("the build script writes the length");
    let mut plain = vec![0; u32::from_le_bytes(*length) as usize];
    ppmd_rust::Ppmd7Decoder::new(packed, ORDER, MEMORY)
        .ok()
        .and_then(|mut decoder| decoder.read_exact(&mut plain).ok())
        .unwrap_or_else(|| panic!("the embedded data is damaged"));
    String::from_utf8(plain).unwrap_or_else(|_| panic!("the embedded data is no text")).into()
}

/// The text at a path.
///
/// # Panics
/// Where there is none: paths are written in the program, and its tests ask for all of them.
pub fn source(path: &str) -> Source<'static> {
    let found = files().iter().find(|(other, _)| *other == path);
    *found.unwrap_or_else(|| panic!("no text {path} is built in"))
}

/// The texts whose paths begin alike, which stand together.
pub fn sources(prefix: &str) -> &'static [Source<'static>] {
    let files = files();
    let start = files.partition_point(|(path, _)| *path < prefix);
    let count = files[start..].iter().take_while(|(path, _)| path.starts_with(prefix)).count();
    &files[start..start + count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_by_its_path() {
        assert!(source("kinds.txt").1.contains("animal < thing"));
        let objects = sources("objects/");
        assert_eq!(objects.len(), 8);
        assert!(objects.iter().all(|(path, text)| path.ends_with(".txt") && !text.is_empty()));
        assert!(sources("zorb/").is_empty());
    }
}
