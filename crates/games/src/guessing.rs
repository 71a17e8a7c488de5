//! What the worlds share in which a secret is found by asking: Twenty Questions and Guess My City.
//!
//! Beside being an [`Environment`], such a world can be started on a secret by name, can take its
//! oracle's answers from outside, and knows the questions that are worth asking, from which the
//! scripted players of [`crate::asker`] choose.

use crate::config::{WorldConfig, WorldName};
use crate::environment::{Environment, Step};
use crate::error::{GameError, UnknownWord};
use crate::question_pool::QuestionPool;
use crate::twenty_questions::TwentyQuestions;

/// A world whose tasks are secrets with names.
pub trait GuessingGame: Environment {
    /// The names of the secrets, in the order of the tasks.
    fn names(&self) -> Vec<String>;

    /// Every accepted name of task number `task`; the first is its name.
    ///
    /// # Panics
    /// Where there is no such task.
    fn aliases(&self, task: usize) -> Vec<String>;

    /// The questions worth asking here, for a scripted player.
    fn question_pool(&self) -> QuestionPool;

    /// Starts a game on the secret of this name or alias, whatever the case.
    ///
    /// # Errors
    /// A name that is none of this world's; the game in play, if any, goes on.
    fn reset_word(&mut self, name: &str, seed: u64) -> Result<String, UnknownWord>;

    /// Plays one question, with the oracle's raw text given from outside where there is one.
    ///
    /// # Panics
    /// Where no game is in play.
    fn step_with_oracle(&mut self, action: &str, oracle_raw: Option<&str>) -> Step;
}

/// Makes the world that a configuration describes, if it is one of these.
///
/// # Errors
/// A setting that is out of its range or does not belong to the world.
pub fn make_guessing(config: &WorldConfig) -> Result<Option<Box<dyn GuessingGame>>, GameError> {
    Ok(match config.name {
        WorldName::TwentyQuestions => Some(Box::new(config.twenty_questions()?)),
        WorldName::GuessMyCity => Some(Box::new(config.guess_my_city()?)),
        WorldName::Bandit | WorldName::Recall => None,
    })
}

impl GuessingGame for TwentyQuestions {
    fn names(&self) -> Vec<String> {
        TwentyQuestions::names(self).into_iter().map(str::to_string).collect()
    }

    fn aliases(&self, task: usize) -> Vec<String> {
        TwentyQuestions::aliases(self, task).to_vec()
    }

    fn question_pool(&self) -> QuestionPool {
        TwentyQuestions::question_pool(self)
    }

    fn reset_word(&mut self, name: &str, seed: u64) -> Result<String, UnknownWord> {
        TwentyQuestions::reset_word(self, name, seed)
    }

    fn step_with_oracle(&mut self, action: &str, oracle_raw: Option<&str>) -> Step {
        TwentyQuestions::step_with_oracle(self, action, oracle_raw)
    }
}
