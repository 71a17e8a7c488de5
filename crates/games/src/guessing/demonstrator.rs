//! The scripted player whose games a fresh agent imitates: deliberately a mediocre one. What the agent
//! becomes beyond it is reinforcement's doing.

use archer_input::shown;
use serde::{Deserialize, Serialize};

use crate::asker::{Asker, BabblingAsker, CuriousAsker, MediocreAsker, Mediocrity};
use crate::config::{WorldConfig, WorldName};
use crate::error::GameError;
use crate::guess_my_city;
use crate::question_pool::QuestionPool;
use crate::toy::{Bandit, Recall};

/// How the demonstrator of a guessing game plays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DemonstratorConfig {
    /// Properties that it knows to ask after, the first of the table that tell words of the world
    /// apart; 0 for all.
    pub questions: usize,
    /// Probability that it guesses instead of asking after a property.
    pub guess_rate: f64,
    /// Probability that it takes the answers so far into account.
    pub consistency: f64,
    /// Probability that it asks again what was asked before. Such turns are not imitated; their
    /// replies teach what a repeated question is answered, and so that it is one.
    pub repeat_rate: f64,
}

impl Default for DemonstratorConfig {
    fn default() -> Self {
        Self { questions: 0, guess_rate: 0.4, consistency: 0.5, repeat_rate: 0.0 }
    }
}

impl DemonstratorConfig {
    /// # Errors
    /// If a probability is none.
    pub(crate) fn check(&self) -> Result<(), GameError> {
        for (key, value) in [
            ("guess_rate", self.guess_rate),
            ("consistency", self.consistency),
            ("repeat_rate", self.repeat_rate),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(GameError::BadSetting(format!(
                    "world.demonstrator.{key} = {} is out of range: it must be between 0 and 1",
                    shown(value)
                )));
            }
        }
        Ok(())
    }
}

/// The questions that the demonstrator knows, in worlds where it asks about properties.
pub fn known_questions(world: &WorldConfig) -> Option<QuestionPool> {
    let pool = match world.name {
        WorldName::TwentyQuestions => {
            use crate::guessing::GuessingGame;
            world.twenty_questions().ok()?.question_pool()
        }
        WorldName::GuessMyCity => guess_my_city::question_pool(),
        WorldName::Bandit | WorldName::Recall => return None,
    };
    let questions = world.demonstrator.questions;
    Some(if questions > 0 { pool.thinned(questions) } else { pool })
}

/// The scripted player whose games are imitated in a world.
pub fn demonstrator(world: &WorldConfig) -> Box<dyn Asker> {
    let DemonstratorConfig { guess_rate, consistency, repeat_rate, .. } = world.demonstrator;
    let mediocrity = Mediocrity { guess_rate, consistency, repeat_rate };
    let mediocre = known_questions(world).map(|pool| MediocreAsker::new(pool, mediocrity));
    match (world.name, mediocre) {
        (WorldName::GuessMyCity, Some(by_yes_and_no)) => {
            Box::new(CuriousAsker::new(by_yes_and_no, CuriousAsker::<MediocreAsker>::RATE))
        }
        (_, Some(mediocre)) => Box::new(mediocre),
        (WorldName::Recall, None) => {
            Box::new(BabblingAsker::new(Recall::LETTERS.iter().map(char::to_string).collect()))
        }
        (_, None) => Box::new(BabblingAsker::new(
            (0..Bandit::PAY.len()).map(|digit| digit.to_string()).collect(),
        )),
    }
}

/// A player that takes every answer into account: its utterances are not imitated, but what the
/// answers say is learned in states that only a good player comes to.
///
/// # Errors
/// If the world is one where no answers can be taken into account.
pub fn attentive(world: &WorldConfig) -> Result<MediocreAsker, GameError> {
    let pool = known_questions(world).ok_or_else(|| {
        GameError::BadSetting(format!(
            "the world {} has no answers that a player could take into account",
            world.name
        ))
    })?;
    let mediocrity = Mediocrity {
        guess_rate: world.demonstrator.guess_rate,
        consistency: 1.0,
        repeat_rate: 0.0,
    };
    Ok(MediocreAsker::new(pool, mediocrity))
}
