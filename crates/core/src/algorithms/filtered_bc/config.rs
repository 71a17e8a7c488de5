//! Filtered behaviour cloning is told which games to imitate.

use serde::{Deserialize, Serialize};

use crate::config::ranges::share;
use crate::error::Error;

/// Which of the remembered games are imitated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct FilteredBcConfig {
    /// Share of the games, the best by return, in (0, 1].
    pub share: f64,
}

impl Default for FilteredBcConfig {
    fn default() -> Self {
        Self { share: 0.1 }
    }
}

impl FilteredBcConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        share("filtered_bc.share", self.share)
    }
}
