//! A batch of games of a world that plays many at once: one line a turn for all of them.

use std::sync::Arc;

use archer_world::client::{self, Fault, Numbered};
use archer_world::messages::Request;
use archer_world::{Batch, Opening, Said, Start, Turn, Wait, WorldError};
use serde_json::Value;

use super::child::Process;
use super::{Pool, line};

/// Games in one process, which goes back to the pool with the batch.
pub(super) struct ManyGames {
    pool: Arc<Pool>,
    /// None only while the batch is dropped.
    process: Option<Process>,
    games: Vec<Numbered>,
}

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
        let answers = exchange(process, client::starts(first, starts, None))?;
        let mut openings = Vec::with_capacity(starts.len());
        for ((number, start), answer) in (first..).zip(starts).zip(answers) {
            let started = client::started(answer, number, start);
            let (opening, game) = started.map_err(|fault| told(process, &fault))?;
            openings.push(opening);
            self.games.push(game);
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
            .map(|(said, answer)| client::read(answer, "act", number(said)))
            .collect::<Result<_, _>>()
            .map_err(|fault| told(process, &fault))
    }
}

/// The sentence for a fault of a process's answers.
fn told(process: &mut Process, fault: &Fault) -> WorldError {
    process.fault(&fault.what, fault.remedy)
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
    let answer = process.receive()?;
    let answers = client::answers(answer, wanted);
    let mut answers = answers.map_err(|fault| told(process, &fault))?;
    let asked = answers.split_off(closed.len());
    for (game, answer) in closed.into_iter().zip(&answers) {
        client::check(answer, "close", game).map_err(|fault| told(process, &fault))?;
    }
    Ok(asked)
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
