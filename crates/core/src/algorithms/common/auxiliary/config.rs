//! What an iteration teaches the actor beside the policy gradient.

use serde::{Deserialize, Serialize};

use crate::config::ranges::{MOST_STEPS, at_most, share, weight};
use crate::error::Error;

/// Gradient steps of the actor on what a finished game tells beside its return; the paper has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AuxiliaryConfig {
    /// Gradient steps in an iteration, on as many transitions each as any other; 0 for none.
    pub steps: usize,
    /// Adam's learning rate; it decays as the others do (`lr_final`).
    pub lr: f64,
    /// Weight of the world's replies, as in the warm start.
    pub reply_coef: f64,
    /// Weight of naming the game's task at every state, as in the warm start.
    pub task_coef: f64,
    /// Weight of telling the task's facts, as in the warm start.
    pub fact_coef: f64,
    /// Weight of the winning utterance, in the words of the world, in the last quarter of the turns of a
    /// game that was lost for want of it ([`crate::algorithms::common::auxiliary`]). What was never
    /// said is never paid: a word that is new, or that the answers seem to rule out, is learned only
    /// so. It is a sum for each turn played, so it fades as fewer games are lost. 0 for none.
    pub guess_coef: f64,
    /// Weight of the divergence from the policy as it was before the iteration's auxiliary steps, over the
    /// tokens that were said in the games.
    pub hold_coef: f64,
}

impl Default for AuxiliaryConfig {
    fn default() -> Self {
        Self {
            steps: 0,
            lr: 3e-4,
            reply_coef: 1.0,
            task_coef: 1.0,
            fact_coef: 10.0,
            guess_coef: 0.0,
            hold_coef: 1.0,
        }
    }
}

impl AuxiliaryConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        at_most("lessons.steps", self.steps, MOST_STEPS)?;
        share("lessons.lr", self.lr)?;
        weight("lessons.reply_coef", self.reply_coef)?;
        weight("lessons.task_coef", self.task_coef)?;
        weight("lessons.fact_coef", self.fact_coef)?;
        weight("lessons.guess_coef", self.guess_coef)?;
        weight("lessons.hold_coef", self.hold_coef)
    }

    /// Whether the actor needs a layer that names tasks and their facts.
    pub fn names_tasks(&self) -> bool {
        self.steps > 0 && (self.task_coef > 0.0 || self.fact_coef > 0.0)
    }
}
