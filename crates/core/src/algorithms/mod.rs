//! One page for each algorithm; what two of them share is in [`common`].
//!
//! All train the same [`Learner`] from the same [`Experience`], so a run of any of them is played,
//! told, saved and resumed in one way. The set is closed; this file is where it is chosen from.

pub mod archer;
pub mod bc;
pub mod chai;
pub mod filtered_bc;
pub mod iql;
pub mod ppo;
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
        Algorithm::FilteredBc => filtered_bc::learn(learner, experience, context).await,
        Algorithm::Chai => chai::learn(learner, experience, context).await,
        Algorithm::Iql => iql::learn(learner, experience, context).await,
        Algorithm::Reinforce => reinforce::learn(learner, experience, context).await,
        Algorithm::Ppo => ppo::learn(learner, experience, context).await,
    }
}
