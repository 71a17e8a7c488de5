//! Everything that can be asked of a session, as data: one request, one reply.
//!
//! The mirror of the package's interface. Core types are not handed out: what a page sees is
//! written down in this crate, and the core stays free to change.

use archer::rl::metrics::MetricInfo;
use archer_games::WorldChange;
use serde::{Deserialize, Serialize};

use super::host::Host;
use super::inspect::Inspection;
use super::learn::{Plan, Summary, Tune, Update, metric_infos};
use super::play::{Game, Guesses, PastTurn, Reveal, Said};
use super::{Info, Session};
use crate::fault::Fault;

/// A request; names and fields are the package's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "method", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them, and names are the same")]
pub enum Request {
    Info,
    Metrics,
    Play { seed: u64, turns: Option<Vec<PastTurn>> },
    Ask { game: Game, sample: bool },
    Answer { game: Game, answer: Said },
    Undo { game: Game },
    Force { game: Game, turn: usize, question: String },
    Guesses { game: Game },
    Reveal { game: Game, thing: String },
    Inspect { game: Game, turn: Option<usize>, samples: Option<usize>, also: Vec<String> },
    Host { seed: u64, thing: Option<String> },
    HostAsk { game: Host, question: String },
    HostUndo { game: Host },
    HostGiveUp { game: Host },
    Tune { tune: Tune },
    Step,
    Evaluate { games: usize, seed: u64, sample: bool, kept: bool, world: Option<WorldChange> },
    Keep,
    Rollback,
    Probe,
}

/// What a request changes in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It only looks.
    Nothing,
    /// What was learned.
    Learned,
    /// What there is to go back to.
    Kept,
    /// The whole.
    Everything,
}

impl Request {
    /// What it changes.
    pub fn change(&self) -> Change {
        match self {
            Request::Step => Change::Learned,
            Request::Keep => Change::Kept,
            Request::Tune { .. } | Request::Rollback => Change::Everything,
            _ => Change::Nothing,
        }
    }
}

/// The reply to a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "as above")]
pub enum Reply {
    Info(Info),
    Metrics(Vec<MetricInfo>),
    Game(Game),
    Guesses(Guesses),
    Reveal(Reveal),
    Inspection(Inspection),
    Host(Host),
    Plan(Plan),
    Update(Update),
    Summary(Summary),
    Tokens(usize),
}

impl Session {
    /// Answers one request; `observe` is given the text of a question as it grows.
    ///
    /// # Errors
    /// If it is asked at the wrong time, with a wrong value, or the device fails.
    pub async fn call(
        &mut self,
        request: Request,
        observe: impl FnMut(&str),
    ) -> Result<Reply, Fault> {
        use Request as R;
        Ok(match request {
            R::Info => Reply::Info(self.info()),
            R::Metrics => Reply::Metrics(metric_infos().to_vec()),
            R::Play { seed, turns } => Reply::Game(self.play(seed, turns.unwrap_or_default())?),
            R::Ask { game, sample } => Reply::Game(self.ask(game, sample, observe).await?),
            R::Answer { game, answer } => Reply::Game(self.answer(game, answer)?),
            R::Undo { game } => Reply::Game(self.undo(game)?),
            R::Force { game, turn, question } => Reply::Game(self.force(game, turn, &question)?),
            R::Guesses { game } => Reply::Guesses(self.guesses(&game).await?),
            R::Reveal { game, thing } => Reply::Reveal(self.reveal(&game, &thing)?),
            R::Inspect { game, turn, samples, also } => {
                Reply::Inspection(self.inspect(&game, turn, samples, &also).await?)
            }
            R::Host { seed, thing } => Reply::Host(self.host(seed, thing.as_deref())?),
            R::HostAsk { game, question } => Reply::Host(self.host_ask(game, &question)?),
            R::HostUndo { game } => Reply::Host(self.host_undo(game)?),
            R::HostGiveUp { game } => Reply::Host(self.host_give_up(game)?),
            R::Tune { tune } => Reply::Plan(self.tune(&tune).await?),
            R::Step => Reply::Update(self.step().await?),
            R::Evaluate { games, seed, sample, kept, world } => {
                Reply::Summary(self.evaluate(games, seed, sample, kept, world.as_ref()).await?)
            }
            R::Keep => Reply::Info(self.keep().await?),
            R::Rollback => Reply::Info(self.rollback().await?),
            R::Probe => Reply::Tokens(self.probe().await?),
        })
    }
}
