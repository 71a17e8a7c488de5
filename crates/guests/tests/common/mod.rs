//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod toy;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use archer_world::contract::try_world;
use archer_world::{Choices, Game, Settings, WorldError, Worlds};
use serde_json::{Value, json};

/// Settings as they stand in a file.
pub fn settings(value: Value) -> Settings {
    value.as_object().expect("settings are an object").clone()
}

/// Opens a world outside.
pub fn open(value: Value) -> Result<Arc<dyn Worlds>, WorldError> {
    archer_guests::open(&settings(value))
}

/// The error of a world that cannot be opened, as it is displayed.
pub fn refusal(value: Value) -> String {
    match open(value) {
        Ok(worlds) => panic!("{} was opened", worlds.about().name),
        Err(error) => error.to_string(),
    }
}

/// A script for tests.
pub fn script(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/worlds");
    folder.join(name).display().to_string()
}

/// A world that is shipped as an example.
pub fn shipped(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/worlds");
    folder.join(name).display().to_string()
}

/// The Python to run worlds with: `PYTHON`, or `python3`.
pub fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".into())
}

/// The settings of a script in Python.
pub fn in_python(script: &str, arguments: &[&str]) -> Value {
    let mut command = vec![python(), script.to_string()];
    command.extend(arguments.iter().map(|argument| argument.to_string()));
    json!({"command": command, "timeout_seconds": 60})
}

/// Whether Python has these packages. Says that the test is skipped where it has not.
pub fn has_packages(test: &str, packages: &str) -> bool {
    let probe = Command::new(python()).args(["-c", &format!("import {packages}")]).output();
    let found = probe.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("{test} is skipped: {} has no {packages}", python());
    }
    found
}

/// The helper program of these tests.
pub fn helper() -> String {
    env!("CARGO_BIN_EXE_toy_world").to_string()
}

/// Plays the first game twice and holds it to the contract; the last choice is said, or `right`.
pub fn try_first(worlds: &dyn Worlds) -> Result<Game, String> {
    let say = |_: usize, choices: Option<&Choices>| {
        choices.and_then(|choices| choices.last()).cloned().unwrap_or_else(|| "right".into())
    };
    pollster::block_on(try_world(worlds, 7, say)).map_err(|error| error.to_string())
}

/// Opens a world and plays its first game; the sentence about what is wrong with it.
pub fn fault(value: Value) -> String {
    match open(value).map_err(|error| error.to_string()).and_then(|worlds| try_first(&*worlds)) {
        Ok(game) => panic!("nothing was wrong: {game:?}"),
        Err(sentence) => sentence,
    }
}
