//! A batch of games of an OpenEnv server: a session for each.

use std::sync::Arc;

use archer_world::messages::SimpleAnswer;
use archer_world::{Batch, Choices, Opening, Said, Start, Turn, Wait, WorldError};
use serde_json::{Map, Value};

use super::pool::{Pool, Shared, held};
use super::session::Session;
use super::{Fields, asides};
use crate::observation::{Screen, says_truncated, says_won, seed, without_line_end};

/// Games in sessions of their own, which go back to the pool with the batch.
pub(super) struct Connected {
    pool: Arc<Pool>,
    fields: Arc<Fields>,
    sessions: Vec<Shared>,
    screens: Vec<Screen>,
    tasks_played: Vec<Option<usize>>,
    max_turns: usize,
    tasks: Option<usize>,
}

/// What a session showed.
struct Shown {
    answer: SimpleAnswer,
    invalid: bool,
}

impl Connected {
    pub(super) fn new(
        pool: Arc<Pool>,
        fields: Arc<Fields>,
        sessions: Vec<Shared>,
        max_turns: usize,
        tasks: Option<usize>,
    ) -> Self {
        let (screens, tasks_played) = (Vec::new(), Vec::new());
        Self { pool, fields, sessions, screens, tasks_played, max_turns, tasks }
    }

    fn begin(&mut self, starts: &[Start]) -> Result<Vec<Opening>, WorldError> {
        assert!(starts.len() <= self.sessions.len(), "more games than the batch was opened for");
        self.screens.clear();
        self.tasks_played.clear();
        for (session, start) in self.sessions.iter().zip(starts) {
            let (seed, task) = seed(start, self.tasks);
            self.tasks_played.push(task);
            // Many environments pass their seed on to generators that take 32 bits.
            let seed = seed % (1 << 31);
            held(session).send_reset(seed, &format!("seed-{seed}"))?;
        }
        let mut openings = Vec::with_capacity(starts.len());
        for session in &self.sessions[..starts.len()] {
            let mut session = held(session);
            let shown = self.shown(&mut session, "reset")?;
            if shown.answer.terminated || shown.answer.truncated {
                return Err(session.fault("ended a game at its reset", "let a game have a turn"));
            }
            let (screen, text) = Screen::open(shown.answer.observation);
            self.screens.push(screen);
            openings.push(Opening { text, choices: shown.answer.choices });
        }
        Ok(openings)
    }

    fn answer(&mut self, said: &[Said<'_>]) -> Result<Vec<Turn>, WorldError> {
        for said in said {
            held(&self.sessions[said.game]).send_step(&self.fields.action, said.text)?;
        }
        said.iter().map(|said| self.hear(said)).collect()
    }

    fn hear(&mut self, said: &Said<'_>) -> Result<Turn, WorldError> {
        let Shown { answer, invalid } = {
            let mut session = held(&self.sessions[said.game]);
            self.shown(&mut session, "step")?
        };
        let screen = &mut self.screens[said.game];
        let end = answer.end();
        let reward = answer.reward.unwrap_or(0.0);
        let shown = screen.reply(said.text, answer.observation);
        let reply = answer.answer.map_or(shown, |said| without_line_end(&said).to_string());
        let end = screen.end(end, self.max_turns);
        Ok(Turn { reply, reward, end, invalid, choices: answer.choices })
    }

    /// Reads the observation that a session sends.
    fn shown(&self, session: &mut Session, to: &str) -> Result<Shown, WorldError> {
        let data = session.observation(to)?;
        let fields = "send observation, reward and done";
        let Some(observation) = data.get("observation").and_then(Value::as_object) else {
            return Err(session.fault(&format!("answered a {to} without an observation"), fields));
        };
        let name = &self.fields.observation;
        let Some(text) = observation.get(name).and_then(Value::as_str) else {
            let what = format!("sent an observation whose field {name:?} holds no text");
            return Err(
                session.fault(&what, "set observation_field to the field that holds the text")
            );
        };
        let reward = match data.get("reward") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(good)) => Some(f32::from(*good)),
            Some(Value::Number(number)) => number.as_f64().map(|reward| reward as f32),
            Some(other) => {
                let what = format!("sent the reward {other}");
                return Err(session.fault(&what, "send a number, a boolean or null"));
            }
        };
        let done = match data.get("done") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(done)) => *done,
            Some(other) => {
                return Err(session.fault(&format!("sent the field done as {other}"), fields));
            }
        };
        let choices = self.choices(session, &data, observation)?;
        let truncated = asides(&data).any(says_truncated);
        Ok(Shown {
            invalid: asides(&data).any(|aside| aside.get("invalid") == Some(&Value::Bool(true))),
            answer: SimpleAnswer {
                observation: text.to_string(),
                reward,
                terminated: done && !truncated,
                truncated: done && truncated,
                won: asides(&data).find_map(says_won),
                answer: replied(observation),
                choices,
            },
        })
    }

    fn choices(
        &self,
        session: &mut Session,
        data: &Map<String, Value>,
        observation: &Map<String, Value>,
    ) -> Result<Option<Choices>, WorldError> {
        let listed = |place: &Map<String, Value>| {
            place.get("choices").filter(|choices| !choices.is_null()).cloned()
        };
        let Some(found) = listed(observation).or_else(|| asides(data).find_map(listed)) else {
            return Ok(None);
        };
        serde_json::from_value(found).map(Some).map_err(|_| {
            session.fault("sent choices that are no list of texts", "send a list of texts, or null")
        })
    }
}

/// What was said back, where the environment says it beside its text.
fn replied(observation: &Map<String, Value>) -> Option<String> {
    ["reply", "answer"].iter().find_map(|name| observation.get(*name)?.as_str()).map(str::to_string)
}

impl Batch for Connected {
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        Box::pin(async move { self.begin(starts) })
    }

    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        Box::pin(async move { self.answer(said) })
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.tasks_played[game]
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.pool.give_back(self.sessions.drain(..));
    }
}
