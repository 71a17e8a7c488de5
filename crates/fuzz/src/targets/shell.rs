//! What the terminal reads.

use std::sync::OnceLock;

use archer::Device;
use archer::agent::Agent;
use archer::config::Config;
use archer::train::Trainer;
use archer_world::About;
use serde_json::Value;

use super::{Target, target};
use crate::mutate::Shape;

/// A model of the shape that the corpus has.
const TINY: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/model-file/tiny.archer");

pub const TARGETS: [Target; 5] = [
    target("config", Shape::Toml, config, "a configuration in TOML"),
    target("set", Shape::Text, set, "--set KEY=VALUE, one a line"),
    target("env", Shape::JsonLines, env, "requests to archer env, of the form for one game"),
    target(
        "serve",
        Shape::JsonLines,
        serve,
        "requests to archer serve, of its routes and its socket",
    ),
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

/// The agent of the corpus.
fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let make = |config: &Config, _: Option<&About>| archer_games::worlds(&config.world);
        let trainer = Trainer::resume(TINY, &make, &Device::flex());
        trainer.expect("the corpus has a model").agent()
    })
}

fn serve(bytes: &[u8]) {
    let Ok(text) = archer_input::text(bytes) else { return };
    let lines: Vec<&str> = text.lines().take(24).collect();
    for answer in archer_cli::fuzzing::serve(agent(), &lines.join("\n")) {
        let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        let fault = answer["error"]["message"].as_str();
        assert!(answer["result"].is_object() || fault.is_some_and(|text| !text.is_empty()));
        assert_ne!(answer["error"]["code"], "internal", "{answer}");
    }
}

fn play(bytes: &[u8]) {
    archer_cli::fuzzing::play(bytes);
}
