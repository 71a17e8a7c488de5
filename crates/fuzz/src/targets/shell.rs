//! What the terminal reads.

use super::{Target, target};
use crate::mutate::Shape;

pub const TARGETS: [Target; 4] = [
    target("config", Shape::Toml, config, "a configuration in TOML"),
    target("set", Shape::Text, set, "--set KEY=VALUE, one a line"),
    target("env", Shape::JsonLines, env, "requests to archer env, of the form for one game"),
    target("play", Shape::Text, play, "what a person types in archer play"),
];

fn config(bytes: &[u8]) {
    if let Ok(text) = archer_input::text(bytes) {
        let _ = archer_cli::fuzzing::config(&text);
    }
}

fn set(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let set: Vec<String> = text.lines().take(8).map(str::to_string).collect();
        let _ = archer_cli::fuzzing::set(&set);
    }
}

fn env(bytes: &[u8]) {
    let mut output = Vec::new();
    archer_cli::fuzzing::env(bytes, &mut output);
    // One line for each, but for what follows the last end of line where nothing does.
    let ended = bytes.is_empty() || bytes.ends_with(b"\n");
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + usize::from(!ended);
    let answers = output.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(answers, lines, "lines and answers");
}

fn play(bytes: &[u8]) {
    archer_cli::fuzzing::play(bytes);
}
