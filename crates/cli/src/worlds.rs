//! From what was typed or written of a world to the world: those that archer ships, those of other
//! people, and games that somebody has shown.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use archer::config::Config;
use archer_games::WorldConfig;
use archer_games::knowledge::{DataError, provide};
use archer_guests as guests;
use archer_world::contract::try_world;
use archer_world::origin::check_openings;
use archer_world::record::read_games_of;
use archer_world::teaching::Demonstrated;
use archer_world::{About, Choices, Elsewhere, Game, Settings, WorldError, Worlds};
use serde_json::Value;

use crate::error::Error;
use crate::experiment::did_you_mean;
use crate::input;

/// Reads the file of knowledge that settings name, if they do: the crate of games opens none.
fn read_knowledge(settings: &Settings) -> Result<(), WorldError> {
    let file = match settings.get("knowledge").and_then(Value::as_str) {
        Some(file) if !file.is_empty() && !guests::is_guest(settings) => file,
        _ => return Ok(()),
    };
    let text = input::text(Path::new(file), input::KNOWLEDGE)
        .map_err(|error| WorldError::Settings(format!("world.knowledge: {}", error.plain())))?;
    let fault = |error: DataError| WorldError::Settings(format!("world.knowledge: {error}"));
    provide(file, &text).map(drop).map_err(fault)
}

/// The world of these settings.
pub fn make(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    read_knowledge(settings)?;
    match guests::is_guest(settings) {
        true => guests::open(settings),
        false => archer_games::worlds(settings),
    }
}

/// The world that the run in the folder `root` learns in, with the demonstrations that its configuration
/// names. What a process writes to its standard error is appended to `world.log` there, and lost where
/// there is no folder.
pub fn of(config: &Config, root: Option<&Path>) -> Result<Arc<dyn Worlds>, WorldError> {
    let worlds = match guests::is_guest(&config.world) {
        true => guests::open_with(&config.world, root.map(log))?,
        false => make(&config.world)?,
    };
    match config.warm_start.demonstrations.as_str() {
        "" => Ok(worlds),
        file => {
            let games = games(Path::new(file), worlds.as_ref()).map_err(|error| match error {
                Error::Failure(text) => WorldError::Lost(text),
                other => WorldError::Settings(other.plain()),
            })?;
            Ok(Arc::new(Demonstrated::new(worlds, games)))
        }
    }
}

/// Appends lines to the log of a run's world. A log that cannot be written is no reason to stop.
fn log(root: &Path) -> guests::Sink {
    let path = root.join("world.log");
    let file = Mutex::new(None);
    Arc::new(move |line: &str| {
        let Ok(mut file) = file.lock() else { return };
        let open = || OpenOptions::new().create(true).append(true).open(&path).ok();
        if file.is_none() {
            *file = open();
        }
        if let Some(file) = file.as_mut() {
            let _ = writeln!(file, "{line}");
        }
    })
}

/// The world of a file or a model folder, which may come from anybody: a command in it is not run, nor
/// an address connected to, unless the person names it.
pub fn of_file(config: &Config, about: Option<&About>) -> Result<Arc<dyn Worlds>, WorldError> {
    match refused(&config.world) {
        None => make(&config.world),
        Some(why) => {
            let unknown = || About::new("elsewhere", 1);
            Ok(Arc::new(Elsewhere::new(about.cloned().unwrap_or_else(unknown), why)))
        }
    }
}

/// Why the world of a model is not reached without being named, if it is not.
pub fn refused(settings: &Settings) -> Option<String> {
    let shown = |name: &str| match settings.get(name)? {
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            Some(words.join(" "))
        }
        other => other.as_str().map(str::to_string),
    };
    let reached = shown("command").or_else(|| shown("url"))?;
    Some(format!(
        "the model was trained in a world outside archer, which is not started because a file says so: name it yourself with --world \"{reached}\""
    ))
}

/// The world that a run begins in. A world of somebody else plays its first game twice before anything
/// is learned in it.
pub fn begin(config: &Config, root: Option<&Path>) -> Result<Arc<dyn Worlds>, WorldError> {
    let worlds = of(config, root)?;
    if guests::is_guest(&config.world) {
        let shown = worlds.teaching().map(|teaching| teaching.demonstrations(&[]));
        let shown = shown.unwrap_or_default();
        let first = shown.first().map(|game| &game.turns[..]).unwrap_or_default();
        let say = |turn: usize, choices: Option<&Choices>| match choices {
            Some(choices) => choices[(turn + 1) % choices.len()].clone(),
            None => first.get(turn % first.len().max(1)).map_or("hello", |turn| &turn.said).into(),
        };
        pollster::block_on(try_world(worlds.as_ref(), config.seed, say))?;
    }
    Ok(worlds)
}

/// The games in a file, for this world.
pub fn games(file: &Path, worlds: &dyn Worlds) -> Result<Vec<Game>, Error> {
    let text = input::text(file, input::GAMES)?;
    let named = |error: WorldError| match error {
        WorldError::Settings(_) => Error::Usage(format!("{}: {error}", file.display())),
        other => other.into(),
    };
    let games = read_games_of(&text, worlds).map_err(named)?;
    pollster::block_on(check_openings(&games, worlds)).map_err(named)?;
    Ok(games)
}

/// Checks settings without reaching the world, and gives them with every key that it has.
pub fn resolved(settings: &Settings) -> Result<Settings, WorldError> {
    read_knowledge(settings)?;
    match guests::is_guest(settings) {
        true => guests::GuestSettings::read(settings).map(|_| settings.clone()),
        false => archer_games::resolved(settings),
    }
}

/// The settings of a world of questions, or of a toy.
pub fn questions(settings: &Settings) -> Result<WorldConfig, Error> {
    read_knowledge(settings)?;
    Ok(WorldConfig::of(settings)?)
}

/// The settings of a world of questions, or of a toy, if it is one.
pub fn as_questions(settings: &Settings) -> Option<WorldConfig> {
    match guests::is_guest(settings) {
        true => None,
        // The error of an unreadable file comes from where the world is made.
        false => read_knowledge(settings).ok().and_then(|()| WorldConfig::of(settings).ok()),
    }
}

/// Whether this is the shipped world of this name.
pub fn is_named(settings: &Settings, name: &str) -> bool {
    !guests::is_guest(settings)
        && settings.get("name").map_or(name == "twenty_questions", |value| value == name)
}

/// What `--world` names: a world that archer ships, an address, or a command.
pub fn named(text: &str) -> Result<Settings, Error> {
    let names = archer_games::names();
    if names.contains(&text) {
        return Ok(Settings::from_iter([("name".to_string(), Value::from(text))]));
    }
    let word = !text.contains([' ', '/', '\\', ':']);
    if word && !Path::new(text).exists() && !on_path(text) {
        return Err(Error::Usage(format!(
            "--world {text}: there is no world of this name{} and no such command; the worlds are {}; a world of your own is a command such as \"python3 my_world.py\" or an address such as ws://127.0.0.1:8000/ws",
            did_you_mean(text, &names),
            names.join(", ")
        )));
    }
    Ok(guests::reached_by(text))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
