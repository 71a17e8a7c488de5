//! The scripted player whose games a fresh agent imitates. By default it is mediocre on purpose: what the
//! agent becomes beyond it, it becomes by reinforcement. The other one plays well, and now and then lets
//! the mediocre one play, so that its games show what to do after a mistake.

use archer_input::shown;
use serde::{Deserialize, Serialize};

use crate::asker::{
    Asker, BabblingAsker, CuriousAsker, InformationGainAsker, MediocreAsker, Mediocrity,
    SlippingAsker,
};
use crate::config::{WorldConfig, WorldName};
use crate::error::GameError;
use crate::guess_my_city;
use crate::question_pool::QuestionPool;
use crate::toy::{Bandit, Recall};

/// Who is imitated in a guessing game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Demonstrator {
    /// A player that knows the questions and uses the answers now and then.
    #[default]
    Mediocre,
    /// The player that asks what it expects to learn most from ([`InformationGainAsker`]).
    InformationGain,
}

impl Demonstrator {
    fn is_mediocre(&self) -> bool {
        *self == Demonstrator::Mediocre
    }

    /// Whether this build has the player.
    pub(crate) fn is_here(self) -> bool {
        cfg!(feature = "box") || self == Demonstrator::Mediocre
    }
}

/// How the demonstrator of a guessing game plays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DemonstratorConfig {
    /// Who plays.
    #[serde(skip_serializing_if = "Demonstrator::is_mediocre")]
    pub player: Demonstrator,
    /// With `information_gain`: probability that the mediocre player takes a turn, 0 to 1. Such turns
    /// are not imitated; the turns after them show what to do after a mistake.
    #[serde(skip_serializing_if = "is_never")]
    pub slip_rate: f64,
    /// Properties that it knows to ask after, the first of the table that tell words of the world
    /// apart; 0 for all.
    pub questions: usize,
    /// Mediocre player: probability that it guesses instead of asking after a property.
    pub guess_rate: f64,
    /// Mediocre player: probability that it takes the answers so far into account.
    pub consistency: f64,
    /// Mediocre player: probability that it asks again what was asked before. Such turns are not imitated; their
    /// replies teach what a repeated question is answered, and so that it is one.
    pub repeat_rate: f64,
}

impl Default for DemonstratorConfig {
    fn default() -> Self {
        Self {
            player: Demonstrator::Mediocre,
            slip_rate: 0.0,
            questions: 0,
            guess_rate: 0.4,
            consistency: 0.5,
            repeat_rate: 0.0,
        }
    }
}

impl DemonstratorConfig {
    /// # Errors
    /// If a probability is none, or a key would be ignored.
    pub(crate) fn check(&self) -> Result<(), GameError> {
        for (key, value) in [
            ("slip_rate", self.slip_rate),
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
        if self.slip_rate > 0.0 && self.player == Demonstrator::Mediocre {
            return Err(GameError::BadSetting(format!(
                "world.demonstrator.slip_rate = {} belongs to the player information_gain; leave it out, \
                 or set world.demonstrator.player=information_gain",
                shown(self.slip_rate)
            )));
        }
        Ok(())
    }
}

fn is_never(rate: &f64) -> bool {
    *rate == 0.0
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
    let mediocre = match (mediocre, informed(world)) {
        (Some(mediocre), Some(informed)) => {
            return Box::new(SlippingAsker::new(informed, mediocre, world.demonstrator.slip_rate));
        }
        (mediocre, _) => mediocre,
    };
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

/// The player that asks what tells it most, where it is the one to imitate.
#[cfg(feature = "box")]
fn informed(world: &WorldConfig) -> Option<InformationGainAsker> {
    use crate::guessing::GuessingGame;
    let asks = world.demonstrator.player == Demonstrator::InformationGain;
    let game = (asks && world.name == WorldName::TwentyQuestions).then(|| world.twenty_questions());
    let max_turns = game?.ok()?.max_turns();
    Some(InformationGainAsker::new(known_questions(world)?).within(max_turns))
}

/// A browser's build is small, and imitates nobody.
#[cfg(not(feature = "box"))]
fn informed(_: &WorldConfig) -> Option<InformationGainAsker> {
    None
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
