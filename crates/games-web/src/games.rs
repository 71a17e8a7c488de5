//! A guessing game as a page plays it and as a learner plays it: one request, one reply, as data.

use std::sync::Arc;

use archer_games::{Answer, GuessingGame, WorldChange, WorldConfig, WorldName};
use archer_world::messages::Request as Message;
use archer_world::serve::Served;
use archer_world::teaching::Lesson;
use archer_world::{About, Settings, Worlds};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Fault;
use crate::host::Host;
use crate::play::{Doubt, Game, Guesses, PastTurn, Reveal, Said, Talk};
use crate::ready::ready;

/// A game's world, and what there is in it.
pub struct Games {
    pub(crate) world: WorldConfig,
    pub(crate) things: Vec<String>,
    /// The utterance that guesses each of them; none where a guess is not a question.
    guesses: Vec<String>,
    pub(crate) max_turns: usize,
    worlds: Arc<dyn Worlds>,
    served: Served,
}

/// What a page and a learner must know of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Everything that can be thought of.
    things: Vec<String>,
    /// The utterance that guesses each.
    guesses: Vec<String>,
    max_turns: usize,
    sometimes: bool,
    /// The settings, with every key.
    settings: Settings,
    about: About,
    /// Whether games that are learned from have more noise than those of an evaluation.
    trains_apart: bool,
}

/// A request: a method and what it takes; the package's own names. Read it by [`Request::from_text`], which
/// alone reads `game`. (One enum of all methods would read
/// more closely, and be a sixth of the module.)
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the package's twenty-questions.ts documents them")]
pub struct Request {
    pub method: String,
    pub change: WorldChange,
    pub seed: u64,
    pub turns: Vec<PastTurn>,
    /// Stands for `game`, which is taken as it is.
    #[serde(rename = "game")]
    pub whole: IgnoredAny,
    /// A [`Game`] or a [`Host`].
    #[serde(skip)]
    pub game: Value,
    pub turn: usize,
    pub retries: bool,
    pub question: String,
    pub answer: Option<Said>,
    pub sure: Vec<usize>,
    pub log_probs: Vec<f64>,
    pub thing: Option<String>,
}

/// The reply to a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "as above")]
pub enum Reply {
    Info(Box<Info>),
    Settings(Settings),
    Game(Game),
    Talk(Talk),
    Guesses(Guesses),
    Doubt(Option<Doubt>),
    Reveal(Reveal),
    Host(Host),
}

impl Request {
    /// The request that a text is.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut value = value_of(text)?;
        let game = value.get_mut("game").map(Value::take).unwrap_or_default();
        let request: Request =
            archer_input::from_value(value).map_err(|error| error.to_string())?;
        Ok(Request { game, ..request })
    }
}

/// The settings that a text holds.
///
/// # Errors
/// If it holds none.
pub fn settings(text: &str) -> Result<Settings, String> {
    archer_input::entries(value_of(text)?).map_err(|error| error.to_string())
}

impl Games {
    /// The world of these settings.
    ///
    /// # Errors
    /// If there is none of them.
    pub fn new(settings: &Settings) -> Result<Self, Fault> {
        let world = WorldConfig::of(settings)?;
        let worlds = world.worlds()?;
        let (things, guesses) = things(&world)?;
        let max_turns = worlds.about().max_turns;
        Ok(Self { world, things, guesses, max_turns, worlds, served: Served::default() })
    }

    /// The game for a person who asks. The table answers, also where the agent's oracle is people.
    pub(crate) fn hosted_game(&self) -> Result<Box<dyn GuessingGame>, Fault> {
        self.world.truthful().guessing()?.ok_or_else(|| {
            let name = self.world.name;
            let hint = "Load a model of twenty_questions.";
            Fault::usage(format!("in the world {name} there is nothing to guess"), hint)
        })
    }

    fn info(&self) -> Info {
        Info {
            things: self.things.clone(),
            guesses: self.guesses.clone(),
            max_turns: self.max_turns,
            sometimes: self.world.knows(Answer::Sometimes),
            settings: self.world.settings(),
            about: self.worlds.about().clone(),
            trains_apart: self.worlds.in_training(0.0).is_ok_and(|other| other.is_some()),
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// If it is asked at the wrong time or with a wrong value.
    pub fn call(&self, request: Request) -> Result<Reply, Fault> {
        let Request { method, change, seed, turns, turn, question, log_probs, .. } = request;
        let (game, thing, answer) = (request.game, request.thing, request.answer);
        let missing = |what: &str| {
            let message = format!("{method} takes a {what}, and there is none");
            Fault::usage(message, "Compare it with the package's types.")
        };
        Ok(match method.as_str() {
            "info" => Reply::Info(self.info().into()),
            "changed" => {
                let changed = self.world.changed(&change);
                changed.worlds()?;
                Reply::Settings(changed.settings())
            }
            "play" => Reply::Game(self.play(seed, turns)?),
            "talk" => Reply::Talk(self.talk(&read(game)?, turn, request.retries)?),
            "asked" => Reply::Game(self.asked(read(game)?, question)?),
            "answer" => {
                let answer = answer.ok_or_else(|| missing("answer"))?;
                Reply::Game(self.answer(read(game)?, answer)?)
            }
            "doubt" => Reply::Doubt(self.doubt(&read(game)?, &request.sure)?),
            "correct" => {
                let answer = answer.ok_or_else(|| missing("answer"))?;
                Reply::Game(self.correct(read(game)?, turn, answer)?)
            }
            "undo" => Reply::Game(self.undo(read(game)?)?),
            "force" => Reply::Game(self.force(read(game)?, turn, &question)?),
            "guesses" => Reply::Guesses(self.guesses(&read(game)?, &log_probs)?),
            "reveal" => {
                let thing = thing.ok_or_else(|| missing("thing"))?;
                Reply::Reveal(self.reveal(&read(game)?, &thing)?)
            }
            "host" => Reply::Host(self.host(seed, thing.as_deref())?),
            "hostAsk" => Reply::Host(self.host_ask(read(game)?, &question)?),
            "hostUndo" => Reply::Host(self.host_undo(read(game)?)?),
            "hostGiveUp" => Reply::Host(self.host_give_up(read(game)?)?),
            _ => {
                let message = format!("there is no request {method:?}");
                return Err(Fault::usage(message, "Compare it with the package's types."));
            }
        })
    }

    /// Plays: the answer to a message of a learner, both as JSON.
    pub fn ask(&mut self, message: &str) -> String {
        let answer = match from_text::<Message>(message) {
            Ok(message) => ready(self.served.answer(self.worlds.as_ref(), message)),
            Err(error) => archer_world::serve::refused(error),
        };
        archer_input::to_text(&answer)
    }

    /// Teaches: the answer to a lesson, both as JSON; null where there is none.
    pub fn teach(&self, lesson: &str) -> String {
        let lesson = from_text::<Lesson>(lesson).ok();
        let answer = lesson.zip(self.worlds.teaching()).map(|(lesson, of)| lesson.of(of));
        answer.unwrap_or_else(|| "null".into())
    }
}

/// What a text says. It is read as a [`Value`] first, so that there is one reader of each type in the module
/// and not two.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    archer_input::from_value(value_of(text)?).map_err(|error| error.to_string())
}

fn value_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A game as a page hands it in.
fn read<T: DeserializeOwned>(game: Value) -> Result<T, Fault> {
    archer_input::from_value(game).map_err(|error| {
        let message = format!("the game cannot be read: {error}");
        Fault::usage(message, "Hand in the game as it was given.")
    })
}

/// The things of a world, and the question that guesses each.
fn things(world: &WorldConfig) -> Result<(Vec<String>, Vec<String>), Fault> {
    let Some(game) = world.guessing()? else {
        return Ok((Vec::new(), Vec::new()));
    };
    let things = game.names();
    if world.name != WorldName::TwentyQuestions {
        return Ok((things, Vec::new()));
    }
    let pool = game.question_pool();
    let guess = |thing: usize| pool.questions()[pool.guess_of(thing)].text.clone();
    let guesses = (0..things.len()).map(guess).collect();
    Ok((things, guesses))
}
