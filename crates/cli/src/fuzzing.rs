//! Where altered inputs come in, for `crates/fuzz`: what the terminal reads, without the terminal.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use archer::Config;
use archer::agent::Agent;
use archer_games::WorldConfig;
use archer_world::{Settings, Worlds};

use crate::{env, experiment, play, serve, worlds};

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
///
/// # Panics
/// If the preset that they are laid over cannot be read.
pub fn set(assignments: &[String]) -> Result<(), String> {
    static BASE: OnceLock<Config> = OnceLock::new();
    let base = BASE.get_or_init(|| experiment::preset("quickstart").expect("a preset can be read"));
    experiment::amend(base, assignments).map(|_| ()).map_err(|error| error.plain())
}

/// Serves the world of ten words by the simple form to these lines.
///
/// # Panics
/// If the world of ten words cannot be made.
pub fn env(input: &[u8], output: &mut impl Write) {
    static WORDS: OnceLock<Arc<dyn Worlds>> = OnceLock::new();
    let settings =
        || -> Settings { [("words".to_string(), "subset".into())].into_iter().collect() };
    let worlds = WORDS.get_or_init(|| worlds::make(&settings()).expect("ten words are a world"));
    let questions = WorldConfig::of(&settings()).and_then(|world| world.guessing());
    env::serve(worlds.clone(), questions.expect("they are questions"), input, output)
        .expect("memory can be read and written");
}

/// Lets an agent answer requests to `archer serve`, one a line: messages of its socket, or a method, a path
/// and a body of HTTP. Gives the answers.
///
/// # Panics
/// If an answer cannot be written as JSON.
pub fn serve(agent: &Agent, lines: &str) -> Vec<String> {
    serve::by_script(agent, lines)
}

/// Plays a game by these lines, with an agent that asks the same again and again.
pub fn play(input: &[u8]) {
    play::by_script(input);
}
