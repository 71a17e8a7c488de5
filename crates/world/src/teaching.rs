//! What a world can teach beside its returns: plain data about finished games and tasks.
//!
//! All of it is optional. A world without teaching is learned from reward alone, or from
//! demonstrations that somebody else brings.

use std::sync::Arc;

use archer_input::to_text;
use serde::{Deserialize, Serialize};

use crate::error::WorldError;
use crate::messages::present;
use crate::record::Game;
use crate::world::{About, Start};
use crate::worlds::{Batch, Wait, Worlds};

/// How the learner discounts, which a bonus that must not change the best policy depends on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename(deserialize = "Discount.."))]
pub struct Discount {
    /// Discount for one turn, in (0, 1].
    pub gamma: f64,
    /// Whether values go on past a limit of turns, so that a game which was cut is not over there.
    pub bootstrap_truncated: bool,
}

/// What a world can teach.
pub trait Teaching: Send + Sync {
    /// A game for each of these starts, of a player worth imitating at the beginning. Empty where there
    /// is no such player.
    fn demonstrations(&self, starts: &[Start]) -> Vec<Game> {
        let _ = starts;
        Vec::new()
    }

    /// A game for each of these starts whose replies are worth learning and whose utterances are not.
    ///
    /// # Errors
    /// If the world has none.
    fn context_only_games(&self, starts: &[Start]) -> Result<Vec<Game>, WorldError> {
        let _ = starts;
        Err(WorldError::Settings("this world has no games whose replies alone are learned".into()))
    }

    /// For each task what is true of it: 1 for each fact that is, 0 for each that is not; as many for
    /// every task. Empty where nothing is known.
    fn facts(&self) -> Vec<Vec<f32>> {
        Vec::new()
    }

    /// For each task the utterance that would have won it; empty where there is none.
    fn winning_utterances(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a game that somebody has recorded could be one of this world, by rules that only the
    /// world knows, such as what its replies are.
    ///
    /// # Errors
    /// If it could not; a sentence that says why.
    fn check_game(&self, game: &Game) -> Result<(), String> {
        let _ = game;
        Ok(())
    }

    /// Points of reward that each turn of a finished game earns beside the world's own, in what is
    /// learned from; empty for none. Returns that are reported are the plain game's.
    fn bonus(&self, game: &Game, discount: Discount) -> Vec<f64> {
        let _ = (game, discount);
        Vec::new()
    }
}

/// A question to a [`Teaching`] as data, for a world whose teaching is on the other side of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "teach", rename_all = "snake_case", try_from = "Taught")]
pub enum Lesson {
    /// [`Teaching::demonstrations`]; answered by games.
    Demonstrations {
        /// One for each game.
        starts: Vec<Start>,
    },
    /// [`Teaching::context_only_games`]; answered by games, or null where there are none.
    ContextOnlyGames {
        /// One for each game.
        starts: Vec<Start>,
    },
    /// [`Teaching::facts`].
    Facts,
    /// [`Teaching::winning_utterances`].
    WinningUtterances,
    /// [`Teaching::bonus`].
    Bonus {
        /// The finished game.
        game: Game,
        /// How the learner discounts.
        discount: Discount,
    },
}

/// A [`Lesson`] as it is read, as a request is ([`crate::messages`]).
#[derive(Deserialize)]
#[serde(rename = "Taught..")]
struct Taught {
    teach: Kind,
    #[serde(default)]
    starts: Option<Vec<Start>>,
    #[serde(default)]
    game: Option<Game>,
    #[serde(default)]
    discount: Option<Discount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Demonstrations,
    ContextOnlyGames,
    Facts,
    WinningUtterances,
    Bonus,
}

impl TryFrom<Taught> for Lesson {
    type Error = String;

    fn try_from(taught: Taught) -> Result<Self, String> {
        let Taught { teach, starts, game, discount } = taught;
        let starts = || present("starts", starts);
        Ok(match teach {
            Kind::Demonstrations => Lesson::Demonstrations { starts: starts()? },
            Kind::ContextOnlyGames => Lesson::ContextOnlyGames { starts: starts()? },
            Kind::Facts => Lesson::Facts,
            Kind::WinningUtterances => Lesson::WinningUtterances,
            Kind::Bonus => Lesson::Bonus {
                game: present("game", game)?,
                discount: present("discount", discount)?,
            },
        })
    }
}

impl Lesson {
    /// The answer of a teaching as JSON.
    pub fn of(&self, teaching: &dyn Teaching) -> String {
        match self {
            Lesson::Demonstrations { starts } => to_text(&teaching.demonstrations(starts)),
            Lesson::ContextOnlyGames { starts } => {
                to_text(&teaching.context_only_games(starts).ok())
            }
            Lesson::Facts => to_text(&teaching.facts()),
            Lesson::WinningUtterances => to_text(&teaching.winning_utterances()),
            Lesson::Bonus { game, discount } => to_text(&teaching.bonus(game, *discount)),
        }
    }
}

/// A world with demonstrations that somebody else brings, in the place of its own.
pub struct Demonstrated {
    worlds: Arc<dyn Worlds>,
    games: Vec<Game>,
}

impl Demonstrated {
    /// The world `worlds` with these games, all of which are shown whatever is asked for.
    pub fn new(worlds: Arc<dyn Worlds>, games: Vec<Game>) -> Self {
        Self { worlds, games }
    }
}

impl Teaching for Demonstrated {
    fn demonstrations(&self, _: &[Start]) -> Vec<Game> {
        self.games.clone()
    }

    fn context_only_games(&self, starts: &[Start]) -> Result<Vec<Game>, WorldError> {
        match self.worlds.teaching() {
            Some(teaching) => teaching.context_only_games(starts),
            None => Silent.context_only_games(starts),
        }
    }

    fn facts(&self) -> Vec<Vec<f32>> {
        self.worlds.teaching().map(|teaching| teaching.facts()).unwrap_or_default()
    }

    fn winning_utterances(&self) -> Vec<String> {
        self.worlds.teaching().map(|teaching| teaching.winning_utterances()).unwrap_or_default()
    }

    fn check_game(&self, game: &Game) -> Result<(), String> {
        self.worlds.teaching().map_or(Ok(()), |teaching| teaching.check_game(game))
    }

    fn bonus(&self, game: &Game, discount: Discount) -> Vec<f64> {
        let teaching = self.worlds.teaching();
        teaching.map(|teaching| teaching.bonus(game, discount)).unwrap_or_default()
    }
}

impl Worlds for Demonstrated {
    fn about(&self) -> &About {
        self.worlds.about()
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        self.worlds.open(games)
    }

    fn capacity(&self) -> Option<usize> {
        self.worlds.capacity()
    }

    fn teaching(&self) -> Option<&dyn Teaching> {
        Some(self)
    }

    fn in_training(&self, progress: f64) -> Result<Option<Arc<dyn Worlds>>, WorldError> {
        self.worlds.in_training(progress)
    }
}

/// A world that teaches nothing.
struct Silent;

impl Teaching for Silent {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lessons_are_json() {
        let starts = vec![Start { task: Some(2), seed: 7 }];
        for (lesson, line) in [
            (Lesson::Facts, r#"{"teach":"facts"}"#),
            (Lesson::WinningUtterances, r#"{"teach":"winning_utterances"}"#),
            (
                Lesson::ContextOnlyGames { starts: starts.clone() },
                r#"{"teach":"context_only_games","starts":[{"task":2,"seed":7}]}"#,
            ),
            (
                Lesson::Demonstrations { starts },
                r#"{"teach":"demonstrations","starts":[{"task":2,"seed":7}]}"#,
            ),
        ] {
            assert_eq!(to_text(&lesson), line);
            assert_eq!(serde_json::from_str::<Lesson>(line).unwrap(), lesson);
        }
        let discount = Discount { gamma: 0.5, bootstrap_truncated: false };
        let lesson = Lesson::Bonus { game: Game::default(), discount };
        assert_eq!(serde_json::from_str::<Lesson>(&to_text(&lesson)).unwrap(), lesson);
        assert_eq!(lesson.of(&Silent), "[]");
        for (line, part) in [
            (r#"{"teach":"facts?"}"#, "unknown variant `facts?`"),
            (r#"{"teach":"demonstrations"}"#, "missing field `starts`"),
            (r#"{"teach":"bonus","discount":{"gamma":1,"bootstrap_truncated":true}}"#, "`game`"),
        ] {
            let error = serde_json::from_str::<Lesson>(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
