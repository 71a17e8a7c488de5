//! A batch of games of a world that plays many at once: one line a turn for all of them.

use std::sync::Arc;

use archer_world::messages::Request;
use archer_world::{Batch, Opening, Said, Start, Turn, Wait, WorldError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::child::Process;
use super::{Pool, line};

/// Games in one process, which goes back to the pool with the batch.
pub(super) struct ManyGames {
    pool: Arc<Pool>,
    /// None only while the batch is dropped.
    process: Option<Process>,
    games: Vec<Game>,
}

struct Game {
    number: u64,
    task: Option<usize>,
}

/// An answer to a start.
#[derive(Deserialize)]
struct Started {
    #[serde(flatten)]
    opening: Opening,
    #[serde(default)]
    task: Option<usize>,
}

/// How a fault of a world's answers is mended.
const FORM: &str = "answer a batch with {\"of\":[…]}, one answer for each request, in their order";

impl ManyGames {
    pub(super) fn new(pool: Arc<Pool>, process: Process) -> Self {
        Self { pool, process: Some(process), games: Vec::new() }
    }

    fn begin(&mut self, starts: &[Start]) -> Result<Vec<Opening>, WorldError> {
        let before: Vec<u64> = self.games.drain(..).map(|game| game.number).collect();
        let process = self.process.as_mut().expect("a batch in use has its process");
        process.closing.extend(before);
        let first = process.next_game;
        process.next_game += starts.len() as u64;
        let numbered = || (first..).zip(starts);
        let requests = numbered()
            .map(|(game, start)| Request::Start { game, seed: start.seed, task: start.task })
            .collect();
        let answers = exchange(process, requests)?;
        let mut openings = Vec::with_capacity(starts.len());
        for ((number, start), answer) in numbered().zip(answers) {
            let started: Started = read(process, answer, "start", number)?;
            openings.push(started.opening);
            self.games.push(Game { number, task: started.task.or(start.task) });
        }
        Ok(openings)
    }

    fn answer(&mut self, said: &[Said<'_>]) -> Result<Vec<Turn>, WorldError> {
        let process = self.process.as_mut().expect("a batch in use has its process");
        let number = |said: &Said<'_>| self.games[said.game].number;
        let requests = said
            .iter()
            .map(|said| Request::Act { game: number(said), said: said.text.to_string() })
            .collect();
        let answers = exchange(process, requests)?;
        said.iter()
            .zip(answers)
            .map(|(said, answer)| read(process, answer, "act", number(said)))
            .collect()
    }
}

/// Sends requests as one line, closes of past games first, and gives the answers to them.
fn exchange(process: &mut Process, requests: Vec<Request>) -> Result<Vec<Value>, WorldError> {
    let closed = std::mem::take(&mut process.closing);
    let mut of: Vec<Request> = closed.iter().map(|game| Request::Close { game: *game }).collect();
    of.extend(requests);
    let wanted = of.len();
    if wanted == 0 {
        return Ok(Vec::new());
    }
    process.send(line(&Request::Batch { of }))?;
    let mut answer = process.receive()?;
    if let Some(error) = answer.get("error") {
        let what = format!("refused a batch ({error})");
        return Err(process.fault(&what, FORM));
    }
    let mut answers = match answer.get_mut("of").map(Value::take) {
        Some(Value::Array(answers)) => answers,
        _ => return Err(process.fault("answered a batch without a list \"of\"", FORM)),
    };
    if answers.len() != wanted {
        let what = format!("answered {wanted} requests of a batch with {}", answers.len());
        return Err(process.fault(&what, FORM));
    }
    let asked = answers.split_off(closed.len());
    for (game, answer) in closed.into_iter().zip(&answers) {
        check(process, answer, "close", game)?;
    }
    Ok(asked)
}

/// Holds an answer to the game that was asked about.
fn check(process: &mut Process, answer: &Value, cmd: &str, game: u64) -> Result<(), WorldError> {
    if let Some(error) = answer.get("error") {
        let what = format!("refused to {cmd} game {game} ({error})");
        return Err(process.fault(&what, "carry out each request, or end the game with \"cut\""));
    }
    match answer.get("game") {
        Some(named) if named.as_u64() == Some(game) => Ok(()),
        Some(named) => {
            let what = format!("answered {cmd} of game {game} with game {named}");
            Err(process.fault(&what, FORM))
        }
        None => {
            let what = format!("answered {cmd} of game {game} without a field \"game\"");
            Err(process.fault(&what, FORM))
        }
    }
}

fn read<T: DeserializeOwned>(
    process: &mut Process,
    answer: Value,
    cmd: &str,
    game: u64,
) -> Result<T, WorldError> {
    check(process, &answer, cmd, game)?;
    serde_json::from_value(answer).map_err(|error| {
        let what = format!("answered {cmd} of game {game} with something else ({error})");
        let fields = match cmd {
            "start" => "answer a start with game and text",
            _ => "answer an act with game, reply, reward and end (null, \"won\", \"over\" or \"cut\")",
        };
        process.fault(&what, fields)
    })
}

impl Batch for ManyGames {
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        Box::pin(async move { self.begin(starts) })
    }

    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        Box::pin(async move { self.answer(said) })
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.games[game].task
    }
}

impl Drop for ManyGames {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.closing.extend(self.games.drain(..).map(|game| game.number));
            self.pool.give_back([process]);
        }
    }
}
