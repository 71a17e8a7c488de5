//! A loaded model: what it is, how it is kept, and what it is asked.
//!
//! A session is a [`Trainer`] that may stand still, and the file it can go back to. Everything a
//! page wants is one [`Request`](request::Request); what a game is, the page itself holds and hands
//! in, so that nothing is lost when another backend takes over. A copy costs little: a long request
//! is done on one, so that others can be answered meanwhile and it can be given up.

use std::rc::Rc;
use std::sync::Arc;

use archer::agent::Agent;
use archer::config::Config;
use archer::train::Trainer;
use archer_games::{GuessingGame, WorldConfig, WorldName};
use archer_world::{About, WorldError, Worlds};
use burn::tensor::Device;
use serde::Serialize;

use crate::fault::Fault;

pub mod host;
pub mod inspect;
pub mod learn;
pub mod play;
pub mod request;

pub use request::{Change, Reply, Request};

/// A loaded model.
#[derive(Clone)]
pub struct Session {
    device: Device,
    trainer: Rc<Trainer>,
    /// The agent as it is now; made anew after each step of learning.
    agent: Rc<Agent>,
    /// The file as it was loaded or last kept.
    kept: Rc<Vec<u8>>,
    changed: bool,
    /// Whether the trainer has a whole run's state, rather than only networks.
    resumable: bool,
    world: WorldConfig,
    things: Vec<String>,
    guesses: Vec<String>,
    max_turns: usize,
    best: Option<f64>,
    worst: Option<f64>,
    tuning: Option<learn::Tuning>,
}

/// What is known of the loaded model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    world: String,
    things: Vec<String>,
    max_turns: usize,
    sometimes: bool,
    gamma: f64,
    optimum_return: Option<f64>,
    worst_return: Option<f64>,
    parameters: Parameters,
    vocabulary: usize,
    trained: Trained,
    resumable: bool,
    bytes: usize,
    changed: bool,
}

/// Scalars in the two networks.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Parameters {
    actor: usize,
    critic: usize,
}

/// What lies behind a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Trained {
    iterations: usize,
    games: u64,
}

impl Session {
    /// Loads a model file and lets it check itself.
    ///
    /// # Errors
    /// If it is none, cut, altered, of another version, or computes something else here.
    pub async fn load(file: Vec<u8>, device: Device) -> Result<Self, Fault> {
        let trainer = Trainer::resume(&file, &worlds, &device)?;
        trainer.check_example(&file).await?;
        let resumable = !Trainer::is_export(&file)?;
        let agent = Rc::new(trainer.agent());
        let mut session = Self {
            device,
            trainer: Rc::new(trainer),
            agent,
            kept: Rc::new(file),
            changed: false,
            resumable,
            world: WorldConfig::default(),
            things: Vec::new(),
            guesses: Vec::new(),
            max_turns: 0,
            best: None,
            worst: None,
            tuning: None,
        };
        session.settle_in()?;
        Ok(session)
    }

    /// Takes note of what there is in the world of the model.
    fn settle_in(&mut self) -> Result<(), Fault> {
        let about = self.trainer.worlds().about();
        self.max_turns = about.max_turns;
        (self.best, self.worst) = (about.best, about.worst);
        self.world = WorldConfig::of(&self.trainer.config().world)?;
        (self.things, self.guesses) = things(&self.world)?;
        Ok(())
    }

    /// What is known of the model as it is now.
    pub fn info(&self) -> Info {
        let config = self.trainer.config();
        let (actor, critic, vocabulary) = self.trainer.sizes();
        let (iterations, games) = self.trainer.lifetime();
        Info {
            world: self.world.name.to_string(),
            things: self.things.clone(),
            max_turns: self.max_turns,
            sometimes: self.world.sometimes,
            gamma: config.gamma,
            optimum_return: self.best,
            worst_return: self.worst,
            parameters: Parameters { actor, critic },
            vocabulary,
            trained: Trained { iterations, games },
            resumable: self.resumable,
            bytes: self.kept.len(),
            changed: self.changed,
        }
    }

    /// The model file as it is now: with all that a run needs to go on exactly where `training`
    /// asks for it and it is there.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn export(&self, training: bool) -> Result<Vec<u8>, Fault> {
        Ok(match training && self.resumable {
            true => self.trainer.checkpoint().await?,
            false => self.trainer.export().await?,
        })
    }

    /// Replaces the model by that of a file. A bad file changes nothing.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn import(&mut self, file: Vec<u8>) -> Result<Info, Fault> {
        *self = Self::load(file, self.device.clone()).await?;
        Ok(self.info())
    }

    /// Makes the model as it is now the one to go back to.
    async fn keep(&mut self) -> Result<Info, Fault> {
        self.kept = Rc::new(self.export(true).await?);
        self.changed = false;
        Ok(self.info())
    }

    /// Goes back to the model as it was loaded or last kept.
    async fn rollback(&mut self) -> Result<Info, Fault> {
        self.import(self.kept.to_vec()).await
    }

    /// Takes over what a request has changed on a copy of this session, and nothing else: another may
    /// have changed something here meanwhile.
    pub fn take_over(&mut self, after: Self, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Learned => {
                let kept = self.kept.clone();
                *self = Self { kept, ..after };
            }
            Change::Kept => (self.kept, self.changed) = (after.kept, after.changed),
            Change::Everything => *self = after,
        }
    }

    fn world(&self) -> &WorldConfig {
        &self.world
    }

    fn guessing_game(&self) -> Result<Box<dyn GuessingGame>, Fault> {
        self.world.guessing()?.ok_or_else(|| {
            let name = self.world().name;
            Fault::usage(
                format!("this model plays {name}, where there is nothing to guess"),
                "Load a model of twenty_questions.",
            )
        })
    }
}

/// The world of a configuration.
fn worlds(config: &Config, _: Option<&About>) -> Result<Arc<dyn Worlds>, WorldError> {
    archer_games::worlds(&config.world)
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
