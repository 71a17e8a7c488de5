//! The settings of CHAI: how many utterances it chooses among.

use serde::{Deserialize, Serialize};

use crate::config::ranges::{MOST_SAMPLES, at_least_one};
use crate::error::Error;

/// How CHAI speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ChaiConfig {
    /// Utterances that the actor draws at each turn for the critic to choose from; 5 in the paper.
    pub samples: usize,
}

impl Default for ChaiConfig {
    fn default() -> Self {
        Self { samples: 5 }
    }
}

impl ChaiConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        at_least_one("chai.samples", self.samples, MOST_SAMPLES)
    }
}
