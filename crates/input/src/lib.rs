//! Bytes from outside: what they are, as text, as JSON, as lines of bounded length.
//!
//! Every file that a person names, every line of standard input and every message of a peer passes
//! here before it is parsed. The crate is at the bottom of the workspace, because the core, the worlds
//! and the shells read such bytes alike; it opens nothing itself.
//!
//! | function | takes | for |
//! |---|---|---|
//! | [`text`] | a whole file | TOML, JSON Lines, `tokenizer.json` |
//! | [`json`] | a whole file | a JSON document |
//! | [`line`](fn@line) | one line or message | what a person or a peer says |
//! | [`json_line`] | one line or message | JSON Lines, messages |
//! | [`from_value`], [`entries`] | a JSON value | what a page reads, in little code |
//! | [`to_text`] | what is always JSON | what a page is answered |
//! | [`shown`] | a number | sentences about it |
//! | [`read_line`], [`skip_line`] | a stream | lines of bounded length |
//! | [`instead_of`] | a whole file | what it is instead of a file of weights or a model |
//! | [`Format::of`] | the first bytes of a file | what it is instead of what it should be |
//!
//! A byte-order mark is taken off; other encodings, and files that are no text, are named. A [`Fault`]
//! is the rest of a sentence, and whoever reads puts the name before it: "games.jsonl is in UTF-16:
//! save it as UTF-8".

mod format;
mod json;
mod lines;
mod text;
mod value;

pub use format::Format;
pub use json::{json, json_line, json_text, place_in_line};
pub use lines::{LONGEST_LINE, Line, read_line, skip_line};
pub use text::{Fault, instead_of, line, text};
pub use value::{ValueError, entries, from_value, shown, to_text};

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
