//! The texts of `data/`, as they are built in: packed, and unpacked once.
//!
//! The build script deflates all of them into one file. Whoever needs a text asks for it by its
//! path below `data/`; the first to ask unpacks everything, which takes a few milliseconds.

use std::sync::OnceLock;

/// A file of the data: its path below `data/` and its text.
pub type Source<'a> = (&'a str, &'a str);

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/data.bin"));

/// What all texts together take in the program, and in a page that loads it.
pub const PACKED_BYTES: usize = PACKED.len();

/// The texts in the order of their paths.
pub fn files() -> &'static [Source<'static>] {
    static PLAIN: OnceLock<String> = OnceLock::new();
    static FILES: OnceLock<Vec<Source<'static>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let plain: &'static str = PLAIN.get_or_init(|| {
            let bytes = miniz_oxide::inflate::decompress_to_vec(PACKED)
                .unwrap_or_else(|error| panic!("the embedded data is damaged: {error}"));
            String::from_utf8(bytes).unwrap_or_else(|_| panic!("the embedded data is no text"))
        });
        let mut parts = plain.split_terminator('\0');
        let mut files = Vec::new();
        while let (Some(path), Some(text)) = (parts.next(), parts.next()) {
            files.push((path, text));
        }
        files
    })
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
