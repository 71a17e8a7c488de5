//! What a run does before it learns from returns: imitation, and what is learned beside it.

use serde::{Deserialize, Serialize};

use super::ranges::{
    MOST_BATCH, MOST_SHOWN, MOST_SLICES, at_least_one, at_most, share, temperature, weight, within,
};
use crate::error::Error;

/// Behaviour cloning of demonstrations: the world's own, or those of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct WarmStartConfig {
    /// File of games to imitate, one JSON object a line or one list of all; empty for the world's own
    /// demonstrations.
    pub demonstrations: String,
    /// Games that are imitated, where the world makes them; of a file all.
    pub games: usize,
    /// Gradient steps.
    pub steps: usize,
    /// Games in a gradient step.
    pub batch_size: usize,
    /// Adam's learning rate.
    pub lr: f64,
    /// It decays linearly over the steps to this share of itself; 1 keeps it.
    pub lr_final: f64,
    /// Weight of the world's replies beside the utterances: the model learns to foresee the reply
    /// to an utterance, which it must know to choose a good one. 0 for plain imitation.
    pub reply_coef: f64,
    /// The first of the steps that learn the replies (the task, its facts) alone: what a reply
    /// depends on is a faint signal beside the arbitrary choices of a mediocre player.
    pub reply_steps: usize,
    /// Weight of naming the game's task at every state, read off the actor's hidden
    /// state by a layer that is dropped after the warm start: the model learns which tasks the
    /// replies still allow. A task is known once its game is over. 0 for none.
    pub task_coef: f64,
    /// Weight of telling the task's facts likewise: whether the world would say yes to each of the
    /// properties that its player knows, mean over them. They are many and balanced where there are
    /// many tasks, and are learned sooner. 0 for none.
    pub fact_coef: f64,
    /// Further games whose utterances are not imitated, where the world has some: their replies
    /// teach what only a good player comes to (`reply_coef`, `task_coef`,
    /// `fact_coef`). 0 for none.
    pub context_only_games: usize,
    /// The last of the steps, in which those games are among the others: the few words of a short
    /// game are learned after what is said at all. 0 for every step.
    pub context_only_steps: usize,
    /// Temperature of the imitation with which the agent begins: its scores are divided by it when
    /// imitation ends. Below 1 the agent plays nearer to its greedy self from the first game on. 1
    /// for the imitation as it is.
    pub temperature: f64,
}

impl Default for WarmStartConfig {
    fn default() -> Self {
        Self {
            demonstrations: String::new(),
            games: 2000,
            steps: 400,
            batch_size: 32,
            lr: 1e-3,
            lr_final: 1.0,
            reply_coef: 0.0,
            reply_steps: 0,
            task_coef: 0.0,
            fact_coef: 0.0,
            context_only_games: 0,
            context_only_steps: 0,
            temperature: 1.0,
        }
    }
}

impl WarmStartConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_one("warm_start.batch_size", self.batch_size, MOST_BATCH)?;
        at_most("warm_start.games", self.games, MOST_SHOWN)?;
        at_most("warm_start.context_only_games", self.context_only_games, MOST_SHOWN)?;
        at_most("warm_start.steps", self.steps, MOST_SLICES)?;
        at_most("warm_start.reply_steps", self.reply_steps, MOST_SLICES)?;
        at_most("warm_start.context_only_steps", self.context_only_steps, MOST_SLICES)?;
        share("warm_start.lr", self.lr)?;
        share("warm_start.lr_final", self.lr_final)?;
        temperature("warm_start.temperature", self.temperature)?;
        weight("warm_start.reply_coef", self.reply_coef)?;
        weight("warm_start.task_coef", self.task_coef)?;
        weight("warm_start.fact_coef", self.fact_coef)
    }

    /// What of the warm start would do nothing.
    ///
    /// # Errors
    /// The first fault, as a sentence that names the key.
    pub(super) fn check_use(&self) -> Result<(), Error> {
        let foresees = self.reply_coef > 0.0 || self.task_coef > 0.0 || self.fact_coef > 0.0;
        for (key, value, what) in [
            ("reply_steps", self.reply_steps, "those steps would learn nothing"),
            (
                "context_only_games",
                self.context_only_games,
                "nothing would be learned from those games",
            ),
        ] {
            let want = format_args!(
                "0 while warm_start.reply_coef, task_coef and fact_coef are 0: {what}"
            );
            within(&format!("warm_start.{key}"), value, value == 0 || foresees, want)?;
        }
        let good = self.context_only_steps == 0 || self.context_only_games > 0;
        let want = "0 while warm_start.context_only_games is 0: there are no such games";
        within("warm_start.context_only_steps", self.context_only_steps, good, want)
    }
}
