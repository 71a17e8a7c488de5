//! One folder for each algorithm: its page, and its settings beside it. What two of them share is in
//! [`common`].
//!
//! All train the same [`Learner`] from the same [`Experience`], so a run of any of them is played,
//! reported, saved and resumed in one way. The set is closed; this file is where it is chosen from. A
//! build for browsers has ArCHer, PPO and imitation, and does without the other baselines.

#![cfg_attr(
    not(feature = "baselines"),
    allow(dead_code, reason = "what only baselines use of the common parts")
)]

pub mod archer;
pub mod bc;
#[cfg(feature = "baselines")]
pub mod chai;
#[cfg(feature = "baselines")]
pub mod distill;
#[cfg(feature = "baselines")]
pub mod filtered_bc;
#[cfg(feature = "baselines")]
pub mod iql;
pub mod ppo;
#[cfg(feature = "baselines")]
pub mod reinforce;

pub mod common;

// Settings belong to every build, also to one without the page that they stand beside.
#[path = "chai/config.rs"]
mod chai_config;
#[path = "distill/config.rs"]
mod distill_config;
#[path = "filtered_bc/config.rs"]
mod filtered_bc_config;
#[path = "iql/config.rs"]
mod iql_config;
#[path = "ppo/config.rs"]
mod ppo_config;

pub use self::chai_config::ChaiConfig;
pub use self::distill_config::DistillConfig;
pub use self::filtered_bc_config::FilteredBcConfig;
pub use self::iql_config::IqlConfig;
pub use self::ppo_config::PpoConfig;

use serde::{Deserialize, Serialize};

use self::common::learner::{Context, Experience, Learner};
use crate::error::Error;
use crate::rl::metrics::Metrics;

/// The learning algorithms; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Actor-critic with hierarchical structures.
    Archer,
    /// Behaviour cloning only: the warm start and nothing after it.
    Bc,
    /// Imitation of the best of the games it has played.
    FilteredBc,
    /// A critic chooses among utterances of an actor that stays as it is.
    Chai,
    /// ArCHer offline: from games that others played, without playing.
    Iql,
    /// Policy gradient with Monte Carlo returns.
    Reinforce,
    /// Proximal policy optimisation over tokens.
    Ppo,
    /// A small student of a teacher that has learned already.
    Distill,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 8] = [
        Algorithm::Archer,
        Algorithm::Bc,
        Algorithm::FilteredBc,
        Algorithm::Chai,
        Algorithm::Iql,
        Algorithm::Reinforce,
        Algorithm::Ppo,
        Algorithm::Distill,
    ];

    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Archer => "archer",
            Algorithm::Bc => "bc",
            Algorithm::FilteredBc => "filtered_bc",
            Algorithm::Chai => "chai",
            Algorithm::Iql => "iql",
            Algorithm::Reinforce => "reinforce",
            Algorithm::Ppo => "ppo",
            Algorithm::Distill => "distill",
        }
    }

    /// The name in tables and charts.
    pub fn title(self) -> &'static str {
        match self {
            Algorithm::Archer => "ArCHer",
            Algorithm::Bc => "behaviour cloning",
            Algorithm::FilteredBc => "filtered BC",
            Algorithm::Chai => "CHAI",
            Algorithm::Iql => "offline ArCHer (IQL)",
            Algorithm::Reinforce => "REINFORCE",
            Algorithm::Ppo => "PPO",
            Algorithm::Distill => "student",
        }
    }

    /// Whether it has a critic of utterances.
    pub fn has_critic(self) -> bool {
        matches!(self, Algorithm::Archer | Algorithm::Chai | Algorithm::Iql | Algorithm::Distill)
    }

    /// Whether it remembers games beyond the iteration in which they were played.
    pub fn remembers(self) -> bool {
        self.has_critic() || self == Algorithm::FilteredBc
    }

    /// Whether its games may be played by policies of iterations before.
    pub fn learns_from_older_policies(self) -> bool {
        matches!(self, Self::Archer | Self::FilteredBc)
    }

    /// Whether it can learn from demonstrated games beside its own ([`crate::config::PriorConfig`]).
    pub fn has_use_for_prior(self) -> bool {
        matches!(self, Self::Archer | Self::Chai)
    }

    /// Whether it learns from games that others played instead of playing itself.
    pub fn is_offline(self) -> bool {
        self == Algorithm::Iql
    }
}

/// One iteration's learning by the run's algorithm.
///
/// # Errors
/// If the device fails, or nothing of the experience fits the networks.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    match context.config.algorithm {
        Algorithm::Archer => archer::learn(learner, experience, context).await,
        // All that it learns, it learns in the warm start.
        Algorithm::Bc => Ok(Metrics::new()),
        #[cfg(feature = "baselines")]
        Algorithm::FilteredBc => filtered_bc::learn(learner, experience, context).await,
        #[cfg(feature = "baselines")]
        Algorithm::Chai => chai::learn(learner, experience, context).await,
        #[cfg(feature = "baselines")]
        Algorithm::Iql => iql::learn(learner, experience, context).await,
        #[cfg(feature = "baselines")]
        Algorithm::Reinforce => reinforce::learn(learner, experience, context).await,
        Algorithm::Ppo => ppo::learn(learner, experience, context).await,
        #[cfg(feature = "baselines")]
        Algorithm::Distill => distill::learn(learner, experience, context).await,
        #[cfg(not(feature = "baselines"))]
        other => Err(Error::Config(format!(
            "algorithm = \"{}\" is not part of this build: set it to \"archer\" or \"ppo\", or train in the terminal",
            other.name()
        ))),
    }
}
