//! What a world is: text in, text and a reward out.
//!
//! Every world the agent can live in implements [`Environment`]. A world has never heard of a
//! tensor, a file or a clock; its chance comes from the seed handed to [`Environment::reset`],
//! so the same seed and the same actions give the same game. The rules that every world must
//! pass are in [`crate::contract`].

/// What one action brought about.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The whole text that the agent sees next. It begins with the previous observation wherever
    /// the world's text only grows, which lets a rollout keep its key-value cache.
    pub observation: String,
    /// What the world said to this action, without the end of line ("Yes.", "Invalid Question.").
    pub reply: String,
    /// Reward of this action; Twenty Questions gives −1 for each question and 0 for the winning one.
    pub reward: f32,
    /// The game reached an end of its own: nothing of value follows.
    pub terminated: bool,
    /// The game was cut by the limit of turns; a critic may bootstrap past it.
    pub truncated: bool,
    /// The world could not read the action.
    pub invalid: bool,
    /// The goal was reached.
    pub won: bool,
}

impl Step {
    /// Whether the game is over, for whichever reason.
    pub fn done(&self) -> bool {
        self.terminated || self.truncated
    }
}

/// A text world for one player.
///
/// A game starts by [`reset`](Self::reset) or [`reset_to`](Self::reset_to) and ends when a step is
/// [`done`](Step::done); to step a finished or never started game is a bug of the caller and panics.
pub trait Environment: Send {
    /// Starts a game drawn from `seed` and returns the first observation.
    fn reset(&mut self, seed: u64) -> String;

    /// Starts a game on task number `task` (`0..self.tasks()`), so that an evaluation can give
    /// every task the same number of games. `seed` draws whatever else is left to chance.
    ///
    /// # Panics
    /// Where there is no such task.
    fn reset_to(&mut self, task: usize, seed: u64) -> String;

    /// The task of the game in play, or of the last one; `None` before the first. Players are not
    /// told before their game is over.
    fn task(&self) -> Option<usize>;

    /// The number of different tasks, for example of secret words; at least 1.
    fn tasks(&self) -> usize;

    /// How likely each task is in a drawn game, by any measure; `None` where all are equally likely.
    fn weights(&self) -> Option<Vec<f64>> {
        None
    }

    /// Plays one utterance. It is given without the end of line that closed it.
    fn step(&mut self, action: &str) -> Step;

    /// Turns after which a game is cut.
    fn max_turns(&self) -> usize;

    /// The best mean return that any player can reach over the tasks, each equally likely, where
    /// it is known.
    fn optimum_return(&self) -> Option<f64>;

    /// The lowest return a game can end with, where there is one.
    fn worst_return(&self) -> Option<f64>;
}

/// What comes before an action's first end of line, without blanks around it: the part of an
/// utterance that our own worlds read.
pub(crate) fn first_line(action: &str) -> &str {
    action.split(['\n', '\r']).next().unwrap_or("").trim()
}
