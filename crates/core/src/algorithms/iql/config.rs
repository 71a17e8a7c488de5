//! Offline ArCHer is told a file of games, and how to learn from it.

use serde::{Deserialize, Serialize};

use crate::config::ranges::{MOST_WEIGHT, inside, weight, within};
use crate::error::Error;

/// Learning from a file of games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct IqlConfig {
    /// File of games, one JSON object a line, as `archer data` writes them.
    pub games: String,
    /// Expectile of V's regression, in (0, 1): 0.5 for the mean over the actions of the data, near 1
    /// for the best of them.
    pub expectile: f64,
    /// Inverse temperature of the actor's weights, 0 or more: 0 for plain imitation.
    pub beta: f64,
    /// Bound on a weight, at least 1; 0 for none.
    pub max_weight: f64,
}

impl Default for IqlConfig {
    fn default() -> Self {
        Self { games: String::new(), expectile: 0.9, beta: 1.0, max_weight: 100.0 }
    }
}

impl IqlConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        inside("iql.expectile", self.expectile)?;
        weight("iql.beta", self.beta)?;
        let max = self.max_weight;
        within(
            "iql.max_weight",
            max,
            max == 0.0 || (1.0..=MOST_WEIGHT).contains(&max),
            format_args!("at least 1 and at most {MOST_WEIGHT}, or 0 for no bound"),
        )
    }
}
