//! `archer env`: a world as JSON lines, for agents in any language.
//!
//! Every line that comes in gets exactly one line back. What cannot be done is answered by
//! `{"error": "…"}` and changes nothing, so that a slip of the other side does not end its game.
//!
//! ```text
//! {"cmd":"reset","word":"cat","seed":7}          -> {"observation":"Questions:\n"}
//! {"cmd":"step","action":"Is it an animal?"}     -> {"observation":"Questions:\nIs it an animal? Yes.\n",
//!                                                    "reward":-1.0,"terminated":false,
//!                                                    "truncated":false,"answer":"Yes."}
//! ```
//!
//! `word` and `seed` may be left out or null: the seed then counts the resets, and draws the word.
//! `oracle_answer` in a step replaces what the oracle would have said.

use std::io::{self, BufRead};

use archer_games::{GuessingGame, WorldConfig, make_one};
use archer_world::{About, End, Start, Transcript, Turn, World};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args;
use crate::error::Error;
use crate::output;

/// Serves until the input ends.
pub fn run(args: &args::Env) -> Result<(), Error> {
    let mut server = Server::new(args)?;
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(|error| {
            Error::Failure(format!("standard input could not be read: {error}"))
        })?;
        if read == 0 {
            return Ok(());
        }
        match server.answer(&line) {
            Ok(reply) => output::json(&reply)?,
            Err(error) => output::json(&Reply::Error { error })?,
        }
    }
}

/// One world and where its game stands.
struct Server {
    world: Served,
    about: About,
    game: Transcript,
    playing: bool,
    started: bool,
    resets: u64,
}

/// Worlds of questions take words and oracle answers from outside, the others do not.
enum Served {
    Questions(Box<dyn GuessingGame>),
    Other(Box<dyn World>),
}

/// One line back.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Reply {
    Reset { observation: String },
    Step { observation: String, reward: f32, terminated: bool, truncated: bool, answer: String },
    Error { error: String },
}

impl Server {
    fn new(args: &args::Env) -> Result<Server, Error> {
        let mut config = WorldConfig {
            name: args.name,
            rules: args.rules,
            words: args.words,
            max_turns: args.max_turns,
            ..WorldConfig::default()
        };
        args.people.amend(&mut config);
        let world = match config.guessing()? {
            Some(world) => Served::Questions(world),
            None => Served::Other(make_one(&config)?),
        };
        let about = match &world {
            Served::Questions(world) => world.about(),
            Served::Other(world) => world.about(),
        };
        let game = Transcript::new(about.style.clone(), about.memory, "");
        Ok(Server { world, about, game, playing: false, started: false, resets: 0 })
    }

    /// Carries out one line.
    fn answer(&mut self, line: &[u8]) -> Result<Reply, String> {
        let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_string())?;
        let value: Value = serde_json::from_str(text).map_err(|error| {
            format!("the line is not JSON ({error}); send an object such as {{\"cmd\":\"reset\"}}")
        })?;
        let Value::Object(mut fields) = value else {
            return Err("the line is not a JSON object; send {\"cmd\":\"reset\"} or \
                        {\"cmd\":\"step\",\"action\":\"…\"}"
                .to_string());
        };
        match fields.remove("cmd") {
            Some(Value::String(cmd)) if cmd == "reset" => self.reset(&mut fields),
            Some(Value::String(cmd)) if cmd == "step" => self.step(&mut fields),
            Some(other) => Err(format!("cmd is {other}; it must be \"reset\" or \"step\"")),
            None => Err("there is no cmd; it must be \"reset\" or \"step\"".to_string()),
        }
    }

    fn reset(&mut self, fields: &mut Map<String, Value>) -> Result<Reply, String> {
        let word = take_text(fields, "word")?;
        let seed = match fields.remove("seed") {
            None | Some(Value::Null) => self.resets,
            Some(value) => value.as_u64().ok_or_else(|| {
                format!("seed is {value}; it must be a whole number from 0 to {}", u64::MAX)
            })?,
        };
        refuse_others(fields, "reset", "cmd, word and seed")?;
        let start = Start { task: None, seed };
        let opening = match (&mut self.world, word) {
            (Served::Questions(world), Some(word)) => {
                world.start_word(&word, seed).map_err(|unknown| unknown.to_string())?
            }
            (Served::Questions(world), None) => world.start(&start),
            (Served::Other(world), None) => world.start(&start),
            (Served::Other(_), Some(_)) => {
                return Err("this world has no words; leave word out".to_string());
            }
        };
        let About { style, memory, .. } = &self.about;
        self.game = Transcript::new(style.clone(), *memory, opening.text);
        self.resets += 1;
        (self.playing, self.started) = (true, true);
        Ok(Reply::Reset { observation: self.game.text() })
    }

    fn step(&mut self, fields: &mut Map<String, Value>) -> Result<Reply, String> {
        let action = take_text(fields, "action")?
            .ok_or_else(|| "there is no action; send the question as \"action\"".to_string())?;
        let oracle = take_text(fields, "oracle_answer")?;
        refuse_others(fields, "step", "cmd, action and oracle_answer")?;
        if !self.playing {
            return Err(match self.started {
                true => "the game is over; send {\"cmd\":\"reset\"} for the next one".to_string(),
                false => "no game has begun; send {\"cmd\":\"reset\"} first".to_string(),
            });
        }
        let turn: Turn = match (&mut self.world, oracle) {
            (Served::Questions(world), oracle) => world.act_with_oracle(&action, oracle.as_deref()),
            (Served::Other(world), None) => world.act(&action),
            (Served::Other(_), Some(_)) => {
                return Err("this world has no oracle; leave oracle_answer out".to_string());
            }
        };
        self.playing = turn.end.is_none();
        self.game.push(self.read_by_world(&action), &turn.reply);
        Ok(Reply::Step {
            observation: self.game.text(),
            reward: turn.reward,
            terminated: matches!(turn.end, Some(End::Won | End::Over)),
            truncated: turn.end == Some(End::Cut),
            answer: turn.reply,
        })
    }
}

impl Server {
    /// The part of an action that the world reads, as its text has always shown it here: the first line
    /// without blanks around it, and under official rules all of it.
    fn read_by_world<'a>(&self, action: &'a str) -> &'a str {
        match self.about.rules.as_deref() {
            Some("official") => action,
            _ => action.split(['\n', '\r']).next().unwrap_or("").trim(),
        }
    }
}

/// Takes a text out of the fields; null is the same as absent.
fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name} is {other}; it must be a text in quotes")),
    }
}

/// Whatever is left was not understood; to ignore it would hide a misspelling.
fn refuse_others(fields: &Map<String, Value>, cmd: &str, known: &str) -> Result<(), String> {
    match fields.keys().next() {
        None => Ok(()),
        Some(field) => Err(format!("{cmd} has no field \"{field}\"; its fields are {known}")),
    }
}
