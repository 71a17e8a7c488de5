//! The world of the host, as the session asks it.
//!
//! A session speaks to a world by messages as JSON, one for all games of a batch; here each becomes a call
//! of what the component imports.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::ready;
use std::rc::Rc;

use archer_session::Fault;
use archer_session::guest::{Answering, Declared, Host, register, release};
use archer_world::messages::{Answer, Request};
use archer_world::{About, End, Opening, Settings, Style, Turn};

use crate::bindings::{WorldDefinition, worlds};

/// A world that the session knows, until this is dropped and nobody learns in it.
pub struct World {
    number: u64,
}

impl World {
    /// Makes a world of the host known.
    ///
    /// # Errors
    /// If what is said of it breaks a rule.
    pub fn new(definition: WorldDefinition) -> Result<Self, Fault> {
        let declared = declared(definition)?;
        let (name, max_turns) = (declared.about.name.clone(), declared.about.max_turns);
        let games = RefCell::default();
        let host = Rc::new(Imported { name, max_turns, games });
        let number = register(declared, host)?;
        Ok(Self { number })
    }

    /// The number by which requests name it.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for World {
    fn drop(&mut self) {
        release(self.number);
    }
}

fn declared(definition: WorldDefinition) -> Result<Declared, Fault> {
    let settings = match definition.settings {
        None => Settings::new(),
        Some(text) => {
            let mut settings: Settings = serde_json::from_str(&text).map_err(|error| {
                let message = format!("the settings of the world are no JSON object: {error}");
                Fault::usage(message, "Give an object, such as {\"high\": 20}, or none.")
            })?;
            settings.insert("name".to_string(), definition.name.clone().into());
            settings
        }
    };
    let about = About {
        memory: definition.memory.map(|exchanges| exchanges as usize),
        style: if definition.one_line { Style::one_line() } else { Style::default() },
        tasks: definition.tasks.map(|tasks| tasks as usize),
        best: definition.best,
        worst: definition.worst,
        ..About::new(definition.name, definition.max_turns as usize)
    };
    Ok(Declared { about, settings, teaches: false, trains_apart: false })
}

/// Answers by what the component imports.
struct Imported {
    name: String,
    max_turns: usize,
    /// Turns of each game that is being played.
    games: RefCell<BTreeMap<u64, usize>>,
}

impl Host for Imported {
    fn ask(&self, message: String) -> Answering {
        Box::pin(ready(self.answer(&message)))
    }

    fn teach(&self, _: String) -> Result<String, String> {
        Err("the world teaches nothing".to_string())
    }
}

impl Imported {
    fn answer(&self, message: &str) -> Result<String, String> {
        let request = serde_json::from_str(message).map_err(|error| error.to_string())?;
        let Request::Batch { of } = request else {
            return Err("a session asks in batches".to_string());
        };
        let of: Vec<Answer> =
            of.into_iter().map(|request| self.one(request)).collect::<Result<_, _>>()?;
        serde_json::to_string(&Answer::Batch { of }).map_err(|error| error.to_string())
    }

    fn one(&self, request: Request) -> Result<Answer, String> {
        match request {
            Request::Start { game, seed, task, training } => {
                let task = task.and_then(|task| u32::try_from(task).ok());
                let world = self.name.clone();
                let start = worlds::GameStart { world, game, seed, task, training };
                let opening = worlds::start(&start).map_err(|why| self.failed("start", &why))?;
                self.games.borrow_mut().insert(game, 0);
                let task = opening.task.map(|task| task as usize);
                let opening = Opening { text: ended(opening.text), choices: opening.choices };
                Ok(Answer::Started { game, opening, task })
            }
            Request::Act { game, said } => {
                let played = worlds::act(game, &said).map_err(|why| self.failed("act", &why))?;
                if !played.reward.is_finite() {
                    return Err(self.failed("act", "a reward is a finite number"));
                }
                let mut games = self.games.borrow_mut();
                let turns = games.entry(game).or_default();
                *turns += 1;
                let cut = (*turns >= self.max_turns).then_some(End::Cut);
                let end = played.end.map(crate::convert::end).or(cut);
                let turn = Turn {
                    reply: played.reply.trim_end_matches('\n').to_string(),
                    reward: played.reward,
                    end,
                    invalid: played.invalid,
                    choices: played.choices.filter(|_| end.is_none()),
                };
                Ok(Answer::Acted { game, turn })
            }
            Request::Close { game } => {
                if self.games.borrow_mut().remove(&game).is_some() {
                    worlds::close(game);
                }
                Ok(Answer::Closed { game })
            }
            Request::About | Request::Batch { .. } => Err("a session asks for games".to_string()),
        }
    }

    fn failed(&self, call: &str, why: &str) -> String {
        format!("the world {} failed in {call}: {why}", self.name)
    }
}

/// A text with the end of line that closes it.
pub fn ended(text: String) -> String {
    if text.ends_with('\n') { text } else { text + "\n" }
}
