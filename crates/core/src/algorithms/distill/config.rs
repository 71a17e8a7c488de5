//! A student is told its teacher, and how to learn from it.

use serde::{Deserialize, Serialize};

use crate::config::ranges::{temperature, within};
use crate::error::Error;

/// Learning from a teacher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DistillConfig {
    /// The teacher: a run's folder, a model's, or an exported file.
    pub teacher: String,
    /// Temperature of both distributions when they are compared, above 0; 1 to 4. Above 1 the
    /// student also learns what the teacher thinks of what it would hardly say.
    pub temperature: f64,
    /// Share of an iteration's games that the student plays itself, in [0, 1]: it grows evenly from
    /// 0 in the first iteration to this in the last; the others are the teacher's.
    pub student_share: f64,
    /// Begin a fresh network of its teacher's width and heads, and of no more blocks, with some of
    /// the teacher's blocks and its other weights; networks of other shapes begin from nothing.
    pub from_teacher: bool,
    /// The most scalars that the student's actor and critic may have together.
    pub max_parameters: usize,
}

impl Default for DistillConfig {
    fn default() -> Self {
        Self {
            teacher: String::new(),
            temperature: 1.0,
            student_share: 1.0,
            from_teacher: true,
            max_parameters: 1_500_000,
        }
    }
}

impl DistillConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let own = self.student_share;
        temperature("distill.temperature", self.temperature)?;
        within("distill.student_share", own, (0.0..=1.0).contains(&own), "between 0 and 1")
    }

    /// Games that the student plays itself in iteration number `iteration` of `iterations`.
    pub fn own_games(&self, games: usize, iteration: usize, iterations: usize) -> usize {
        let grown = iteration as f64 / iterations.saturating_sub(1).max(1) as f64;
        (self.student_share * grown.min(1.0) * games as f64).round() as usize
    }
}
