//! `archer env`: a world as JSON lines, or as an OpenEnv server, for agents in any language.
//!
//! Every line that comes in gets exactly one line back. What cannot be done is answered by
//! `{"error": "…"}` and changes nothing, so that a slip of the other side does not end its game. Two
//! forms are understood at once: many games by number ([`archer_world::messages`]), and the simple
//! form for one game:
//!
//! ```text
//! {"cmd":"reset","word":"cat","seed":7}          -> {"observation":"Questions:\n"}
//! {"cmd":"step","action":"Is it an animal?"}     -> {"observation":"Questions:\nIs it an animal? Yes.\n",
//!                                                    "reward":-1.0,"terminated":false,
//!                                                    "truncated":false,"answer":"Yes."}
//! ```
//!
//! `word` and `seed` may be left out or null: the seed then counts the resets, and draws the word.
//! `oracle_answer` in a step replaces what the oracle would have said, of a guess too: a right guess
//! wins if its answer is a Yes. Both are for worlds of questions.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use archer_games::GuessingGame;
use archer_guests::{Lines, OpenEnvOptions, serve_openenv};
use archer_input::{LONGEST_LINE, Line, json_line, read_line, skip_line};
use archer_world::{About, Batch, Choices, End, Opening, Said, Start, Transcript, Turn, Worlds};
use pollster::block_on;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args;
use crate::error::Error;
use crate::output;
use crate::worlds;

/// Serves until the input ends, or until it is stopped.
pub fn run(args: &args::Env) -> Result<(), Error> {
    let settings = args.world.settings()?;
    let worlds = worlds::make(&settings)?;
    if let Some(address) = args.serve {
        let server = serve_openenv(worlds, address, OpenEnvOptions::default())?;
        output::line(&format!(
            "serving OpenEnv at ws://{}/ws; stop it with Ctrl-C",
            server.address()
        ))?;
        server.wait();
        return Ok(());
    }
    let questions = worlds::as_questions(&settings).map(|world| world.guessing()).transpose()?;
    serve(worlds, questions.flatten(), io::stdin().lock(), io::stdout().lock())
}

/// Answers each line of `input` by one line of `output`.
pub fn serve(
    worlds: Arc<dyn Worlds>,
    questions: Option<Box<dyn GuessingGame>>,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<(), Error> {
    let mut many = Lines::new(worlds.as_ref());
    let mut server = Server::new(worlds.as_ref(), questions)?;
    let unreadable = |error| Error::Failure(format!("standard input could not be read: {error}"));
    loop {
        let line = match read_line(&mut input, LONGEST_LINE).map_err(unreadable)? {
            Line::Whole(line) => line,
            Line::End => return Ok(()),
            Line::TooLong => {
                skip_line(&mut input).map_err(unreadable)?;
                let error = format!("the line has more than {LONGEST_LINE} bytes: send less");
                output::json_to(&mut output, &Reply::Error { error })?;
                continue;
            }
        };
        if speaks_of_many(&line) {
            output::line_to(&mut output, &many.answer(&line))?;
            continue;
        }
        match server.answer(&line) {
            Ok(reply) => output::json_to(&mut output, &reply)?,
            Err(error) => output::json_to(&mut output, &Reply::Error { error })?,
        }
    }
}

/// Whether a line is of the form for many games.
fn speaks_of_many(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Command {
        cmd: String,
    }
    let command: Result<Command, _> = json_line(line);
    command.is_ok_and(|it| ["about", "start", "act", "batch", "close"].contains(&it.cmd.as_str()))
}

/// One world and where its game stands, in the simple form.
struct Server<'a> {
    about: &'a About,
    world: Served,
    game: Transcript,
    playing: bool,
    started: bool,
    resets: u64,
}

/// Worlds of questions take words and oracle answers from outside, the others do not.
enum Served {
    Questions(Box<dyn GuessingGame>),
    Other(Box<dyn Batch>),
}

/// One line back.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Reply {
    Reset {
        observation: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        choices: Option<Choices>,
    },
    Step {
        observation: String,
        reward: f32,
        terminated: bool,
        truncated: bool,
        answer: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        choices: Option<Choices>,
    },
    Error {
        error: String,
    },
}

impl<'a> Server<'a> {
    fn new(
        worlds: &'a dyn Worlds,
        questions: Option<Box<dyn GuessingGame>>,
    ) -> Result<Server<'a>, Error> {
        let world = match questions {
            Some(world) => Served::Questions(world),
            None => Served::Other(block_on(worlds.open(1))?),
        };
        let about = worlds.about();
        let game = Transcript::new(about.style.clone(), about.memory, "");
        Ok(Server { about, world, game, playing: false, started: false, resets: 0 })
    }

    /// Carries out one line.
    fn answer(&mut self, line: &[u8]) -> Result<Reply, String> {
        let value: Value = json_line(line).map_err(|fault| {
            format!("the line {fault}; send an object such as {{\"cmd\":\"reset\"}}")
        })?;
        let Value::Object(mut fields) = value else {
            return Err("the line is not a JSON object; send {\"cmd\":\"reset\"} or \
                        {\"cmd\":\"step\",\"action\":\"…\"}"
                .to_string());
        };
        const KNOWN: &str = "it must be \"reset\" or \"step\", or of the many-games form \"about\", \"start\", \
             \"act\", \"batch\" or \"close\"";
        match fields.remove("cmd") {
            Some(Value::String(cmd)) if cmd == "reset" => self.reset(&mut fields),
            Some(Value::String(cmd)) if cmd == "step" => self.step(&mut fields),
            Some(other) => Err(format!("cmd is {other}; {KNOWN}")),
            None => Err(format!("there is no cmd; {KNOWN}")),
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
        let Opening { text, choices } = match (&mut self.world, word) {
            (Served::Questions(world), Some(word)) => {
                world.start_word(&word, seed).map_err(|unknown| unknown.to_string())?
            }
            (Served::Questions(world), None) => world.start(&start),
            (Served::Other(batch), None) => {
                block_on(batch.start(&[start])).map_err(|e| e.to_string())?.remove(0)
            }
            (Served::Other(_), Some(_)) => {
                return Err("this world has no words; leave word out".to_string());
            }
        };
        self.game = Transcript::new(self.about.style.clone(), self.about.memory, text);
        self.resets += 1;
        (self.playing, self.started) = (true, true);
        Ok(Reply::Reset { observation: self.game.text(), choices })
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
            (Served::Other(batch), None) => {
                let said = [Said { game: 0, text: &action }];
                block_on(batch.act(&said)).map_err(|e| e.to_string())?.remove(0)
            }
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
            choices: turn.choices,
        })
    }

    /// The part of an action that the world reads, as its text has always shown it here: the first line
    /// without blanks around it, and under official rules all of it.
    fn read_by_world<'t>(&self, action: &'t str) -> &'t str {
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
