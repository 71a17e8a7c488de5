//! The asking end of [`crate::messages`], without input or output: numbers for games, and answers held
//! to what was asked.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::messages::Request;
use crate::world::{Opening, Start};

/// What was wrong with an answer, and how the world is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What the world did, such as "answered start of game 3 with game 4".
    pub what: String,
    /// What its author should do.
    pub remedy: &'static str,
}

const FORM: &str = "answer a batch with {\"of\":[…]}, one answer for each request, in their order";

fn fault(what: String, remedy: &'static str) -> Fault {
    Fault { what, remedy }
}

/// A game that was started under a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// By which it is spoken of.
    pub number: u64,
    /// Its task, where tasks have numbers.
    pub task: Option<usize>,
}

/// An answer to a start.
#[derive(Deserialize)]
struct Started {
    #[serde(flatten)]
    opening: Opening,
    #[serde(default)]
    task: Option<usize>,
}

/// A batch of starts under the numbers from `first` on; `training` as in [`Request::Start`].
pub fn starts(first: u64, starts: &[Start], training: Option<f64>) -> Vec<Request> {
    let start = |(game, start): (u64, &Start)| Request::Start {
        game,
        seed: start.seed,
        task: start.task,
        training,
    };
    (first..).zip(starts).map(start).collect()
}

/// The answers to a batch of `wanted` requests.
///
/// # Errors
/// If it is refused, or answered by something else.
pub fn answers(mut answer: Value, wanted: usize) -> Result<Vec<Value>, Fault> {
    if let Some(error) = answer.get("error") {
        return Err(fault(format!("refused a batch ({error})"), FORM));
    }
    let answers = match answer.get_mut("of").map(Value::take) {
        Some(Value::Array(answers)) => answers,
        _ => return Err(fault("answered a batch without a list \"of\"".into(), FORM)),
    };
    if answers.len() != wanted {
        let what = format!("answered {wanted} requests of a batch with {}", answers.len());
        return Err(fault(what, FORM));
    }
    Ok(answers)
}

/// Holds an answer to the game that was asked about.
///
/// # Errors
/// If the request was refused, or the answer is about another game or none.
pub fn check(answer: &Value, cmd: &str, game: u64) -> Result<(), Fault> {
    if let Some(error) = answer.get("error") {
        let what = format!("refused to {cmd} game {game} ({error})");
        return Err(fault(what, "carry out each request, or end the game with \"cut\""));
    }
    match answer.get("game") {
        Some(named) if named.as_u64() == Some(game) => Ok(()),
        Some(named) => Err(fault(format!("answered {cmd} of game {game} with game {named}"), FORM)),
        None => Err(fault(format!("answered {cmd} of game {game} without a field \"game\""), FORM)),
    }
}

/// What a start was answered: the opening, and the game under its number.
///
/// # Errors
/// As [`check`], or if the answer has other fields than it should.
pub fn started(answer: Value, number: u64, start: &Start) -> Result<(Opening, Numbered), Fault> {
    let Started { opening, task } = read(answer, "start", number)?;
    Ok((opening, Numbered { number, task: task.or(start.task) }))
}

/// What an answer holds.
///
/// # Errors
/// As [`check`], or if it has other fields than it should.
pub fn read<T: DeserializeOwned>(answer: Value, cmd: &str, game: u64) -> Result<T, Fault> {
    check(&answer, cmd, game)?;
    serde_json::from_value(answer).map_err(|error| {
        let what = format!("answered {cmd} of game {game} with something else ({error})");
        let remedy = match cmd {
            "start" => "answer a start with game and text",
            _ => "answer an act with game, reply, reward and end (null, \"won\", \"over\" or \"cut\")",
        };
        fault(what, remedy)
    })
}
