//! Where altered inputs come in, for `crates/fuzz`: what the terminal reads, without the terminal.

use std::io::Write;

use archer_games::WorldConfig;
use archer_world::Settings;

use crate::{env, experiment, play, worlds};

/// Reads a configuration in TOML over the defaults.
///
/// # Errors
/// What is wrong with it.
pub fn config(text: &str) -> Result<(), String> {
    experiment::checked(text, "a file").map_err(|error| error.plain())
}

/// Reads assignments as of `--set`.
///
/// # Errors
/// What is wrong with them.
pub fn set(assignments: &[String]) -> Result<(), String> {
    let request =
        experiment::Request { preset: Some("quickstart"), set: assignments, ..Default::default() };
    experiment::resolve(&request).map(|_| ()).map_err(|error| error.plain())
}

/// Serves the world of ten words by the simple form to these lines.
///
/// # Panics
/// If the world of ten words cannot be made.
pub fn env(input: &[u8], output: &mut impl Write) {
    let settings: Settings = [("words".to_string(), "subset".into())].into_iter().collect();
    let worlds = worlds::make(&settings).expect("ten words are a world");
    let questions = WorldConfig::of(&settings).and_then(|world| world.guessing());
    env::serve(worlds, questions.expect("they are questions"), input, output)
        .expect("memory can be read and written");
}

/// Plays a game by these lines, with an agent that asks the same again and again.
pub fn play(input: &[u8]) {
    play::by_script(input);
}
