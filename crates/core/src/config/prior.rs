//! Games of somebody else that a run learns from beside its own.

use serde::{Deserialize, Serialize};

use super::ranges::{MOST_SHOWN, MOST_SLICES, at_most, within};
use crate::error::Error;

/// Prior data: demonstrated games with their rewards, from which an off-policy critic learns before and
/// beside the run's own games, at a fixed share of its draws (Ball et al., RLPD, arXiv:2302.02948).
/// The games are those of the warm start, from its first on. An algorithm that learns from what it has
/// just played has no use for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PriorConfig {
    /// Demonstrated games that are held; of a file at most as many as it has. 0 for none, as in the
    /// paper.
    pub games: usize,
    /// Probability that a draw of the critic's steps is from them, in [0, 1], once the run has games of
    /// its own.
    pub share: f64,
    /// The share of states in each of the actor's steps that come from these games.
    pub actor_share: f64,
    /// The first of the iterations, in which no game is played: what is learned then is learned from
    /// them alone.
    pub iterations: usize,
}

impl Default for PriorConfig {
    fn default() -> Self {
        Self { games: 0, share: 0.5, actor_share: 0.0, iterations: 0 }
    }
}

impl PriorConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_most("prior.games", self.games, MOST_SHOWN)?;
        at_most("prior.iterations", self.iterations, MOST_SLICES)?;
        for (key, share) in [("prior.share", self.share), ("prior.actor_share", self.actor_share)] {
            within(key, share, (0.0..=1.0).contains(&share), "at least 0 and at most 1")?;
        }
        let iterations = self.iterations;
        let want = "0 while prior.games is 0: there would be nothing to learn from";
        within("prior.iterations", iterations, iterations == 0 || self.games > 0, want)
    }
}
