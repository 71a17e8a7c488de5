//! How one input is made of another: bytes, numbers and pieces are changed, and structures by their
//! own rules.

mod json;
#[cfg(feature = "models")]
mod parts;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// What the bytes of an input are, and so how they can be changed beside flipping bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lines and words.
    Text,
    /// A JSON document.
    Json,
    /// A JSON document a line.
    JsonLines,
    /// A TOML document.
    Toml,
    /// The project's container; its checksum is mended after most changes.
    Container,
}

/// The longest input that is made, in bytes.
const LONGEST: usize = 1 << 18;

/// Numbers at which sizes, signs and types change.
pub const NUMBERS: [&str; 24] = [
    "0",
    "-1",
    "1",
    "2",
    "7",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "-0.0",
    "1e-300",
    "1e38",
    "1e39",
    "1e308",
    "1e999",
];

/// Pieces that parsers stumble over.
const PIECES: [&str; 22] = [
    "\u{feff}",
    "\0",
    "\r",
    "\r\n",
    "\n\n",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "NaN",
    "-Infinity",
    "null",
    "true",
    "é",
    "’",
    "\u{10ffff}",
];

/// What an input is made of.
pub struct Seed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The document that they are, where the shape is that of one.
    document: Option<Value>,
}

impl Seed {
    /// Reads the document once for all inputs that are made of it.
    pub fn new(shape: Shape, bytes: Vec<u8>) -> Self {
        let document = json::read(shape, &bytes);
        Self { bytes, document }
    }
}

/// An input made of `seed` by one to four changes; `other` gives pieces.
pub fn mutated(rng: &mut ChaCha8Rng, shape: Shape, seed: &Seed, other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.bytes.clone();
    // The document as it is now, where changes by its structure wait to be written.
    let mut open: Option<Value> = None;
    for number in 0..rng.random_range(1..=4) {
        let by_structure = rng.random_bool(0.5);
        if by_structure && matches!(shape, Shape::Json | Shape::Toml) {
            let document = open.take().or_else(|| match number {
                0 => seed.document.clone(),
                _ => json::read(shape, &bytes),
            });
            if let Some(mut document) = document {
                json::change(rng, &mut document);
                open = Some(document);
                continue;
            }
        }
        if let Some(document) = open.take() {
            bytes = json::written(rng, shape, document).unwrap_or(bytes);
        }
        bytes = match shape {
            Shape::JsonLines if by_structure => json::lines(rng, &bytes),
            #[cfg(feature = "models")]
            Shape::Container if by_structure => parts::container(rng, &bytes),
            _ => plain(rng, bytes, other),
        };
        bytes.truncate(LONGEST);
    }
    if let Some(document) = open {
        bytes = json::written(rng, shape, document).unwrap_or(bytes);
        bytes.truncate(LONGEST);
    }
    match shape == Shape::Container && rng.random_bool(0.9) {
        true => sealed(bytes),
        false => bytes,
    }
}

/// The bytes with the checksum of a container at their end, in the place of what was there.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    const SUM: usize = 4;
    bytes.truncate(bytes.len().saturating_sub(SUM));
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// One change that knows nothing of what the bytes are.
fn plain(rng: &mut ChaCha8Rng, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return other.to_vec();
    }
    let at = rng.random_range(0..bytes.len());
    let end = (at + 1 + short(rng)).min(bytes.len());
    match rng.random_range(0..11) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = [0, 1, 0x0a, 0x20, 0x7f, 0x80, 0xfe, 0xff][rng.random_range(0..8)],
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let piece = bytes[at..end].to_vec();
            let times = 1 << rng.random_range(0..10);
            bytes.splice(at..at, piece.repeat(times));
        }
        5 => drop(bytes.splice(at..at, PIECES[rng.random_range(0..PIECES.len())].bytes())),
        6 => bytes = number_changed(rng, &bytes, at),
        7 if !other.is_empty() => {
            let from = rng.random_range(0..other.len());
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
        8 if !other.is_empty() => {
            let from = rng.random_range(0..other.len());
            let to = (from + 1 + short(rng)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        9 => {
            let value = rng.next_u64().to_le_bytes();
            let size = [1, 2, 4, 8][rng.random_range(0..4)].min(bytes.len() - at);
            bytes[at..at + size].copy_from_slice(&value[..size]);
        }
        _ => {
            let begin = rng.random_range(0..bytes.len());
            let (low, high) = (begin.min(at), begin.max(at));
            bytes[low..high].reverse();
        }
    }
    bytes
}

/// Mostly a few, now and then hundreds.
fn short(rng: &mut ChaCha8Rng) -> usize {
    let most = 1usize << rng.random_range(0..10);
    rng.random_range(0..most)
}

/// Replaces the first number in digits from a place on.
fn number_changed(rng: &mut ChaCha8Rng, bytes: &[u8], at: usize) -> Vec<u8> {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(begin) = bytes[at..].iter().position(digit).map(|place| at + place) else {
        return bytes.to_vec();
    };
    let end = begin + bytes[begin..].iter().take_while(|byte| digit(byte)).count();
    let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
    [&bytes[..begin], number.as_bytes(), &bytes[end..]].concat()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn an_input_follows_from_its_seed_and_differs_from_what_it_was_made_of() {
        let (seed, other) =
            (b"{\"a\": [1, 2, {\"b\": \"text\"}]}".as_slice(), b"x = 1\n".as_slice());
        for shape in [Shape::Text, Shape::Json, Shape::JsonLines, Shape::Toml, Shape::Container] {
            let one = Seed::new(shape, seed.to_vec());
            let made = |n| mutated(&mut ChaCha8Rng::seed_from_u64(n), shape, &one, other);
            let inputs: Vec<Vec<u8>> = (0..200).map(made).collect();
            assert_eq!(made(17), inputs[17]);
            let changed = inputs.iter().filter(|input| *input != seed).count();
            assert!(changed > 150, "{shape:?}: {changed}");
            assert!(inputs.iter().all(|input| input.len() <= LONGEST + 4));
        }
    }

    #[test]
    fn numbers_are_replaced_whole() {
        let made = number_changed(&mut ChaCha8Rng::seed_from_u64(1), b"a = 1234 b", 2);
        let number = made.strip_prefix(b"a = ").and_then(|rest| rest.strip_suffix(b" b")).unwrap();
        assert!(NUMBERS.contains(&std::str::from_utf8(number).unwrap()));
    }
}
