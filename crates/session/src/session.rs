//! A loaded model: what it is, how it is kept, and what it is asked.
//!
//! A session is a [`Trainer`] that may stand still, and the file it can go back to. Everything a
//! page wants is one [`Request`](request::Request); what a game is, the page itself holds and hands
//! in, so that nothing is lost when another backend takes over. A world is a [guest](crate::guest):
//! without one a model speaks and judges, and with one it learns and is evaluated. A copy costs
//! little: a long request is done on one, so that others can be answered meanwhile and it can be given
//! up.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use archer::agent::Agent;
use archer::checkpoint::Sections;
use archer::config::Config;
use archer::hf::weights::Bytes;
use archer::nn::prefix_cache::PrefixCache;
use archer::train::Trainer;
use archer_world::{About, Elsewhere, Game, Settings, Style, WorldError, Worlds};
use burn::tensor::Device;
use serde::Serialize;

use crate::fault::Fault;

pub mod create;
pub mod learn;
mod probe;
pub mod request;
pub mod talk;

pub use create::Create;
pub use request::{Change, Reply, Request};

/// Turns that a game is believed to last where a file does not say.
const TURNS: usize = 20;

/// A loaded model.
#[derive(Clone)]
pub struct Session {
    device: Device,
    trainer: Rc<Trainer>,
    /// The agent as it is now; made anew after each step of learning.
    agent: Rc<Speaking>,
    /// The file as it was loaded or last kept. A frozen model in it is computed with where it lies.
    kept: Bytes,
    changed: bool,
    /// Whether the trainer has a whole run's state, rather than only networks.
    resumable: bool,
    /// Whether the run began from nothing, here: it goes on where it is asked to learn.
    fresh: bool,
    /// The games of others that it has learned from.
    recorded: Rc<Vec<Game>>,
    tuning: Option<learn::Tuning>,
    /// The session before a fine-tune that has not learned anything yet.
    untuned: Option<Box<Session>>,
}

/// An agent that speaks, and what it read of a game when it spoke last.
struct Speaking {
    agent: Agent,
    prefix: RefCell<PrefixCache>,
}

impl Speaking {
    fn new(agent: Agent) -> Rc<Self> {
        Rc::new(Self { agent, prefix: RefCell::default() })
    }
}

impl Deref for Speaking {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.agent
    }
}

/// What is known of the loaded model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Info {
    pub world: String,
    pub settings: Settings,
    pub max_turns: usize,
    pub gamma: f64,
    pub optimum_return: Option<f64>,
    pub worst_return: Option<f64>,
    pub parameters: Parameters,
    pub vocabulary: usize,
    pub trained: Trained,
    pub resumable: bool,
    /// Whether it says no utterance twice in a game.
    pub retries: bool,
    pub bytes: usize,
    pub changed: bool,
}

/// Scalars in the two networks; 0 for a critic that is not there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Parameters {
    pub actor: usize,
    pub critic: usize,
}

/// What lies behind a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Trained {
    pub iterations: usize,
    pub games: u64,
}

impl Session {
    /// Loads a model file and lets it check itself.
    ///
    /// # Errors
    /// If it is none, cut, altered, of another version, or computes something else here.
    pub async fn load(file: impl Into<Bytes>, device: Device) -> Result<Self, Fault> {
        let file = file.into();
        let sections = Sections::from_shared(&file)?;
        let trainer = resumed(&sections, &device)?;
        trainer.check_example_of(&sections).await?;
        let resumable = !Trainer::is_export_of(&sections)?;
        let mut session = Self::of(trainer, device);
        (session.kept, session.resumable) = (file, resumable);
        Ok(session)
    }

    /// A session of this trainer that was never kept.
    fn of(trainer: Trainer, device: Device) -> Self {
        Self {
            device,
            agent: Speaking::new(trainer.agent()),
            trainer: Rc::new(trainer),
            kept: Bytes::new(),
            changed: false,
            resumable: true,
            fresh: false,
            recorded: Rc::default(),
            tuning: None,
            untuned: None,
        }
    }

    /// What is known of the model as it is now.
    pub fn info(&self) -> Info {
        let config = self.trainer.config();
        let about = self.trainer.worlds().about();
        let (actor, critic, vocabulary) = self.trainer.sizes();
        let (iterations, games) = self.trainer.lifetime();
        Info {
            world: about.name.clone(),
            settings: config.world.clone(),
            max_turns: about.max_turns,
            gamma: config.gamma,
            optimum_return: about.best,
            worst_return: about.worst,
            parameters: Parameters { actor, critic },
            vocabulary,
            trained: Trained { iterations, games },
            resumable: self.resumable,
            retries: self.agent.about.utterance_tries > 1,
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
    pub async fn import(&mut self, file: impl Into<Bytes>) -> Result<Info, Fault> {
        *self = Self::load(file, self.device.clone()).await?;
        Ok(self.info())
    }

    /// Makes the model as it is now the one to go back to.
    async fn keep(&mut self) -> Result<Info, Fault> {
        self.kept = self.export(true).await?.into();
        self.changed = false;
        Ok(self.info())
    }

    /// Goes back to the model as it was loaded or last kept.
    async fn rollback(&mut self) -> Result<Info, Fault> {
        let fresh = self.fresh;
        self.import(self.kept.clone()).await?;
        self.fresh = fresh;
        Ok(self.info())
    }

    /// Goes back to before a fine-tune that ended before anything was learned: its world is not the
    /// model's.
    fn abandon(&mut self) -> Info {
        if let Some(untuned) = self.untuned.take() {
            let (kept, changed) = (self.kept.clone(), untuned.changed);
            *self = Self { kept, changed, ..*untuned };
        }
        self.info()
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
}

/// The trainer in a file, whose world is not here.
fn resumed(sections: &Sections, device: &Device) -> Result<Trainer, archer::Error> {
    let base = |_: &Config| {
        Err(archer::Error::Checkpoint(
            "the file holds adapters and not the language model that they belong to: export it with archer export, which puts the model beside them".into(),
        ))
    };
    let change = |config: &Config| Ok(config.clone());
    Trainer::resume_from(sections, (&elsewhere, &base), device, change)
}

/// The world of a model file, of which only this is known here.
fn elsewhere(config: &Config, about: Option<&About>) -> Result<Arc<dyn Worlds>, WorldError> {
    let about = about.cloned().unwrap_or_else(|| older(config));
    let why = format!(
        "the world {} of this model is not here: hand it in where the agent is to learn or to be evaluated",
        about.name
    );
    Ok(Arc::new(Elsewhere::new(about, why)))
}

/// What is known of the world of a file that says nothing but its settings.
fn older(config: &Config) -> About {
    let text = |key: &str| config.world.get(key)?.as_str().map(str::to_string);
    let number = |key: &str| usize::try_from(config.world.get(key)?.as_u64()?).ok();
    About {
        style: Style::one_line(),
        ..About::new(
            text("name").unwrap_or_else(|| "unknown".into()),
            number("max_turns").filter(|&turns| turns > 0).unwrap_or(TURNS),
        )
    }
}
