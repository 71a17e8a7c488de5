//! PPO is told how far a policy may move, and how its values are learned.

use serde::{Deserialize, Serialize};

use crate::config::ranges::{MOST_STEPS, at_least_one, inside, weight, within};
use crate::error::Error;

/// Proximal policy optimisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PpoConfig {
    /// How far a token's probability may move from what it was when played before it counts no
    /// more, as a share of itself, in (0, 1); 0.2 is usual.
    pub clip_ratio: f64,
    /// Lambda of the generalised advantage estimate, in [0, 1].
    pub gae_lambda: f64,
    /// Passes over an iteration's games; 1 to 10.
    pub epochs: usize,
    /// Gradient steps into which a pass is cut.
    pub minibatches: usize,
    /// Weight of the squared error of the token values beside the policy's loss; 0.001 to 0.1. Both
    /// pull at the same network, and errors of returns are large at first.
    pub value_coef: f64,
}

impl Default for PpoConfig {
    fn default() -> Self {
        Self { clip_ratio: 0.2, gae_lambda: 0.95, epochs: 4, minibatches: 4, value_coef: 0.01 }
    }
}

impl PpoConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        inside("ppo.clip_ratio", self.clip_ratio)?;
        let lambda = self.gae_lambda;
        within("ppo.gae_lambda", lambda, (0.0..=1.0).contains(&lambda), "between 0 and 1")?;
        at_least_one("ppo.epochs", self.epochs, MOST_STEPS)?;
        at_least_one("ppo.minibatches", self.minibatches, MOST_STEPS)?;
        weight("ppo.value_coef", self.value_coef)
    }
}
