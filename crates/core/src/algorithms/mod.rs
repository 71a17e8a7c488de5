//! One page for each algorithm; what two of them share is in [`common`].
//!
//! All train the same [`Learner`] from the same [`Experience`], so a run of any of them is played,
//! told, saved and resumed in one way. The set is closed; this file is where it is chosen from. A
//! build for browsers does without the baselines, which would be a twentieth of what a page fetches.

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
#[cfg(feature = "baselines")]
pub mod ppo;
#[cfg(feature = "baselines")]
pub mod reinforce;

pub mod common;

use self::common::learner::{Context, Experience, Learner};
use crate::config::Algorithm;
use crate::error::Error;
use crate::rl::metrics::Metrics;

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
        #[cfg(feature = "baselines")]
        Algorithm::Ppo => ppo::learn(learner, experience, context).await,
        #[cfg(feature = "baselines")]
        Algorithm::Distill => distill::learn(learner, experience, context).await,
        #[cfg(not(feature = "baselines"))]
        other => Err(Error::Config(format!(
            "algorithm = \"{}\" is not part of this build: set it to \"archer\", or train in the terminal",
            other.name()
        ))),
    }
}
