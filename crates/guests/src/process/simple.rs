//! A batch of games of a world that plays one game at a time: a process for each.

use std::sync::Arc;

use archer_world::messages::{SimpleAnswer, SimpleRequest};
use archer_world::{Batch, Opening, Said, Start, Turn, Wait, WorldError};
use serde_json::Value;

use super::child::Process;
use super::{Pool, line};
use crate::observation::{Screen, says_truncated, says_won, seed, without_line_end};

/// Games in processes of their own, which go back to the pool with the batch.
pub(super) struct OneGameEach {
    pool: Arc<Pool>,
    processes: Vec<Process>,
    screens: Vec<Screen>,
    played: Vec<Option<usize>>,
    max_turns: usize,
    tasks: Option<usize>,
}

const RESET: &str = "answer a reset with observation, or about with name, max_turns and protocol";
const STEP: &str = "answer a step with observation, reward, terminated and truncated";

/// Sees whether a world can be reset at all.
pub(super) fn try_reset(process: &mut Process) -> Result<(), WorldError> {
    process.send(line(&SimpleRequest::Reset { seed: 0 }))?;
    reset(process).map(|_| ())
}

fn reset(process: &mut Process) -> Result<SimpleAnswer, WorldError> {
    let answer = process.receive()?;
    read(process, answer, "a reset", RESET)
}

fn read(
    process: &mut Process,
    answer: Value,
    what: &str,
    remedy: &str,
) -> Result<SimpleAnswer, WorldError> {
    if let Some(error) = answer.get("error") {
        return Err(process.fault(&format!("refused {what} ({error})"), remedy));
    }
    let info = answer.get("info").and_then(Value::as_object);
    let (cut, won) = info.map_or((false, None), |info| (says_truncated(info), says_won(info)));
    let read = serde_json::from_value::<SimpleAnswer>(answer).map_err(|error| {
        process.fault(&format!("answered {what} with something else ({error})"), remedy)
    })?;
    let truncated = read.truncated || (cut && !read.terminated);
    Ok(SimpleAnswer { truncated, won: read.won.or(won), ..read })
}

impl OneGameEach {
    pub(super) fn new(
        pool: Arc<Pool>,
        processes: Vec<Process>,
        max_turns: usize,
        tasks: Option<usize>,
    ) -> Self {
        Self { pool, processes, screens: Vec::new(), played: Vec::new(), max_turns, tasks }
    }

    fn begin(&mut self, starts: &[Start]) -> Result<Vec<Opening>, WorldError> {
        assert!(starts.len() <= self.processes.len(), "more games than the batch was opened for");
        self.screens.clear();
        self.played.clear();
        for (process, start) in self.processes.iter_mut().zip(starts) {
            let (seed, task) = seed(start, self.tasks);
            self.played.push(task);
            process.send(line(&SimpleRequest::Reset { seed }))?;
        }
        let mut openings = Vec::with_capacity(starts.len());
        for process in &mut self.processes[..starts.len()] {
            let answer = reset(process)?;
            if answer.terminated || answer.truncated {
                return Err(process.fault("ended a game at its reset", "let a game have a turn"));
            }
            let (screen, text) = Screen::open(answer.observation);
            self.screens.push(screen);
            openings.push(Opening { text, choices: answer.choices });
        }
        Ok(openings)
    }

    fn answer(&mut self, said: &[Said<'_>]) -> Result<Vec<Turn>, WorldError> {
        for said in said {
            let request = SimpleRequest::Step { action: said.text.to_string() };
            self.processes[said.game].send(line(&request))?;
        }
        said.iter().map(|said| self.hear(said)).collect()
    }

    fn hear(&mut self, said: &Said<'_>) -> Result<Turn, WorldError> {
        let process = &mut self.processes[said.game];
        let answer = process.receive()?;
        let answer = read(process, answer, "a step", STEP)?;
        let Some(reward) = answer.reward else {
            return Err(process.fault("answered a step without a reward", STEP));
        };
        let screen = &mut self.screens[said.game];
        let end = answer.end();
        let shown = screen.reply(said.text, answer.observation);
        let reply = answer.answer.map_or(shown, |said| without_line_end(&said).to_string());
        let end = screen.end(end, self.max_turns);
        Ok(Turn { reply, reward, end, invalid: false, choices: answer.choices })
    }
}

impl Batch for OneGameEach {
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        Box::pin(async move { self.begin(starts) })
    }

    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        Box::pin(async move { self.answer(said) })
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.played[game]
    }
}

impl Drop for OneGameEach {
    fn drop(&mut self) {
        self.pool.give_back(self.processes.drain(..));
    }
}
