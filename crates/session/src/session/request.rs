//! Everything that can be asked of a session, as data: one request, one reply.
//!
//! The mirror of the package's interface. Core types are not handed out: what a page sees is
//! written down in this crate, and the core stays free to change.

use archer::rl::metrics::MetricInfo;
use archer_world::Game;
use serde::{Deserialize, Serialize};

use super::learn::{Games, Plan, Summary, Tune, Update, metric_infos};
use super::talk::{Inspection, Spoken, Talk};
use super::{Info, Session};
use crate::fault::Fault;

/// A request; names and fields are the package's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "method", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them, and names are the same")]
pub enum Request {
    Info,
    Metrics,
    Say { talk: Talk, sample: bool, seed: u64, score: bool, alternatives: usize },
    Score { talk: Talk, said: Vec<String> },
    Inspect { talk: Talk, said: Option<String>, samples: Option<usize>, also: Vec<String> },
    Tune { tune: Tune },
    Step,
    Abandon,
    LearnFrom { games: Vec<Game>, tune: Tune },
    Evaluate(Games),
    PlayGames(Games),
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
            Request::Tune { .. }
            | Request::LearnFrom { .. }
            | Request::Abandon
            | Request::Rollback => Change::Everything,
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
    Spoken(Spoken),
    Scores(Vec<f64>),
    Inspection(Inspection),
    Plan(Plan),
    Update(Update),
    Summary(Summary),
    Games(Vec<Game>),
    Tokens(usize),
}

impl Session {
    /// Answers one request; `observe` is given the text of an utterance as it grows.
    ///
    /// # Errors
    /// If it is asked at the wrong time, with a wrong value, or the device or the world fails.
    pub async fn call(
        &mut self,
        request: Request,
        observe: impl FnMut(&str),
    ) -> Result<Reply, Fault> {
        use Request as R;
        Ok(match request {
            R::Info => Reply::Info(self.info()),
            R::Metrics => Reply::Metrics(metric_infos().to_vec()),
            R::Say { talk, sample, seed, score, alternatives } => {
                Reply::Spoken(self.say(talk, (sample, seed), score, alternatives, observe).await?)
            }
            R::Score { talk, said } => Reply::Scores(self.score(talk, &said).await?),
            R::Inspect { talk, said, samples, also } => {
                Reply::Inspection(self.inspect(talk, said, samples, &also).await?)
            }
            R::Tune { tune } => Reply::Plan(self.tune(&tune).await?),
            R::Step => Reply::Update(self.step().await?),
            R::Abandon => Reply::Info(self.abandon()),
            R::LearnFrom { games, tune } => Reply::Plan(self.learn_from(&games, &tune).await?),
            R::Evaluate(games) => Reply::Summary(self.evaluate(&games).await?),
            R::PlayGames(games) => Reply::Games(self.play_games(&games).await?),
            R::Keep => Reply::Info(self.keep().await?),
            R::Rollback => Reply::Info(self.rollback().await?),
            R::Probe => Reply::Tokens(self.probe().await?),
        })
    }
}
