//! What the worlds share in which a secret is found by asking: Twenty Questions and Guess My City.
//!
//! Beside being a [`World`], such a world can be started on a secret by name, can take its oracle's
//! answers from outside, and knows the questions that are worth asking, from which the scripted
//! players of [`crate::asker`] choose.

use archer_world::{Opening, Turn, World};

use crate::error::UnknownWord;
use crate::knowledge::{self, Table};
use crate::question_pool::QuestionPool;

pub mod demonstrator;
pub mod shaping;
pub mod teaching;

/// A world whose tasks are secrets with names.
pub trait GuessingGame: World {
    /// The names of the secrets, in the order of the tasks.
    fn names(&self) -> Vec<String>;

    /// Every accepted name of task number `task`; the first is its name.
    ///
    /// # Panics
    /// Where there is no such task.
    fn aliases(&self, task: usize) -> Vec<String>;

    /// The questions worth asking here, for a scripted player.
    fn question_pool(&self) -> QuestionPool;

    /// The knowledge that its questions are read by.
    fn knowledge(&self) -> &'static Table {
        knowledge::table()
    }

    /// Turns after which a game is over.
    fn max_turns(&self) -> usize;

    /// Starts a game on the secret of this name or alias, whatever the case.
    ///
    /// # Errors
    /// A name that is none of this world's; the game in play, if any, goes on.
    fn start_word(&mut self, name: &str, seed: u64) -> Result<Opening, UnknownWord>;

    /// Answers one question, with the oracle's raw text given from outside where there is one.
    ///
    /// # Panics
    /// Where no game is in play.
    fn act_with_oracle(&mut self, said: &str, oracle_raw: Option<&str>) -> Turn;

    /// What a person who asks is told beside the answer, if anything.
    fn remark(&self, _question: &str) -> Option<Remark> {
        None
    }
}

/// What a person who asks is told beside the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The question was taken in these words, because a word in it was misspelled: "did you mean …".
    Meant(String),
    /// It is two questions in one. Where its parts agree it is answered; else it is no question that
    /// can be answered, and they should be asked one at a time.
    OneAtATime,
}

/// What comes before the first end of line, without blanks around it: the part of an utterance that
/// our own worlds read.
pub(crate) fn first_line(said: &str) -> &str {
    said.split(['\n', '\r']).next().unwrap_or("").trim()
}
