//! The messages by which a world is played from outside: newline-delimited JSON, one request a line
//! and one answer a line, of which both ends are written with these types.
//!
//! ```text
//! -> {"cmd":"about"}                          <- {"name":"countdown","max_turns":5,…,"protocol":1}
//! -> {"cmd":"start","game":3,"seed":7}        <- {"game":3,"text":"Reach 24 from 3 8 8.\n"}
//! -> {"cmd":"act","game":3,"said":"8*3"}      <- {"game":3,"reply":"24. Done.","reward":1.0,"end":"won"}
//! -> {"cmd":"batch","of":[…]}                 <- {"of":[…]}      the same messages, many in one line
//! -> {"cmd":"close","game":3}                 <- {"game":3}
//! ```
//!
//! What cannot be done is answered by `{"error":"…"}`. Fields that a reader does not know are ignored
//! in answers, so that a world may say more than is asked.

use serde::{Deserialize, Serialize};

use crate::world::{About, Choices, End, Opening, Turn};

/// The version of these messages.
pub const PROTOCOL: u32 = 1;

/// What is asked of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case", try_from = "Asked")]
pub enum Request {
    /// What is the same in all games?
    About,
    /// Start a game under this number; a game of that number before it is dropped.
    Start {
        /// The number by which the game is spoken of.
        game: u64,
        /// The seed of all chance in it.
        seed: u64,
        /// The task, or null to let the seed draw it.
        task: Option<usize>,
        /// Set where the game is learned from: the share of the training that is done, 0 to 1. A world
        /// may be another then, such as one that answers with more noise at first.
        #[serde(skip_serializing_if = "Option::is_none")]
        training: Option<f64>,
    },
    /// Answer an utterance.
    Act {
        /// The game.
        game: u64,
        /// The utterance, without an end of line.
        said: String,
    },
    /// Many requests in one line.
    Batch {
        /// Starts, acts and closes.
        of: Vec<Request>,
    },
    /// Forget a game.
    Close {
        /// The game.
        game: u64,
    },
}

/// A [`Request`] as it is read: one struct with all fields, since an enum with a tag is read by way of a
/// copy of it, whose code would be a twentieth of a page's module of games. `archer_input::from_value` says
/// what the dots and the defaults are for.
#[derive(Deserialize)]
#[serde(rename = "Asked..")]
struct Asked {
    cmd: Command,
    #[serde(default)]
    game: Option<u64>,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    task: Option<usize>,
    #[serde(default)]
    training: Option<f64>,
    #[serde(default)]
    said: Option<String>,
    #[serde(default)]
    of: Option<Vec<Request>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    About,
    Start,
    Act,
    Batch,
    Close,
}

impl TryFrom<Asked> for Request {
    type Error = String;

    fn try_from(asked: Asked) -> Result<Self, String> {
        let Asked { cmd, game, seed, task, training, said, of } = asked;
        let game = || present("game", game);
        Ok(match cmd {
            Command::About => Request::About,
            Command::Start => {
                Request::Start { game: game()?, seed: present("seed", seed)?, task, training }
            }
            Command::Act => Request::Act { game: game()?, said: present("said", said)? },
            Command::Batch => Request::Batch { of: present("of", of)? },
            Command::Close => Request::Close { game: game()? },
        })
    }
}

/// A field that must be there.
pub(crate) fn present<T>(name: &str, field: Option<T>) -> Result<T, String> {
    field.ok_or_else(|| format!("missing field `{name}`"))
}

/// An answer, tried in this order when it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a batch, in its order.
    Batch {
        /// The answers.
        of: Vec<Answer>,
    },
    /// The request could not be carried out.
    Error {
        /// Why not.
        error: String,
    },
    /// To an act.
    Acted {
        /// The game.
        game: u64,
        /// What came of it.
        #[serde(flatten)]
        turn: Turn,
    },
    /// To a start.
    Started {
        /// The game.
        game: u64,
        /// What the player reads first.
        #[serde(flatten)]
        opening: Opening,
        /// The number of its task, where tasks have numbers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<usize>,
    },
    /// To `about`.
    About {
        /// What is the same in all games.
        #[serde(flatten)]
        about: About,
        /// The version of the messages.
        protocol: u32,
    },
    /// To a close.
    Closed {
        /// The game.
        game: u64,
    },
}

/// A request of the simple form: one game at a time, as a Gymnasium environment has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case")]
pub enum SimpleRequest {
    /// Start a game.
    Reset {
        /// The seed of all chance in it.
        seed: u64,
    },
    /// Answer an utterance.
    Step {
        /// The utterance, without an end of line.
        action: String,
    },
}

/// An answer of the simple form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimpleAnswer {
    /// What the player sees now.
    pub observation: String,
    /// The reward of the action; absent in the answer to a reset.
    #[serde(default)]
    pub reward: Option<f32>,
    /// The game reached an end of its own.
    #[serde(default)]
    pub terminated: bool,
    /// The game was cut by a limit.
    #[serde(default)]
    pub truncated: bool,
    /// Whether the goal was reached, where the world says so.
    #[serde(default)]
    pub won: Option<bool>,
    /// What was said back, where it is not the observation.
    #[serde(default)]
    pub answer: Option<String>,
    /// What can be said next, where the world lists it.
    #[serde(default)]
    pub choices: Option<Choices>,
}

impl SimpleAnswer {
    /// How the game ended, if it did. A simple world that does not say whether it was won is believed
    /// to be won by a terminated game whose last reward is above 0.
    pub fn end(&self) -> Option<End> {
        let won = self.won.unwrap_or(self.reward.unwrap_or(0.0) > 0.0);
        match (self.terminated, self.truncated) {
            (true, _) if won => Some(End::Won),
            (true, _) => Some(End::Over),
            (false, true) => Some(End::Cut),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Answer {
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    #[test]
    fn answers_are_told_apart_by_their_fields() {
        assert!(matches!(answer(r#"{"game":3,"text":"Go.\n"}"#), Answer::Started { game: 3, .. }));
        assert!(matches!(answer(r#"{"game":3}"#), Answer::Closed { game: 3 }));
        assert!(matches!(answer(r#"{"error":"no","game":3}"#), Answer::Error { .. }));
        let acted = answer(r#"{"game":3,"reply":"24.","reward":1,"end":"won","note":"extra"}"#);
        let Answer::Acted { turn, .. } = acted else { panic!("{acted:?}") };
        assert!(turn.won() && turn.choices.is_none());
        let about = answer(r#"{"name":"countdown","max_turns":5,"protocol":1}"#);
        let Answer::About { about, protocol: 1 } = about else { panic!("{about:?}") };
        assert_eq!(about, About::new("countdown", 5));
        assert!(matches!(answer(r#"{"of":[{"game":1}]}"#), Answer::Batch { .. }));
    }

    #[test]
    fn requests_are_lines_of_json() {
        let line = |request: &Request| serde_json::to_string(request).unwrap();
        assert_eq!(line(&Request::About), r#"{"cmd":"about"}"#);
        let start = Request::Start { game: 3, seed: 7, task: None, training: None };
        assert_eq!(line(&start), r#"{"cmd":"start","game":3,"seed":7,"task":null}"#);
        let act = Request::Act { game: 3, said: "8*3".into() };
        assert_eq!(line(&act), r#"{"cmd":"act","game":3,"said":"8*3"}"#);
        for request in [start, act, Request::Batch { of: vec![Request::Close { game: 1 }] }] {
            assert_eq!(serde_json::from_str::<Request>(&line(&request)).unwrap(), request);
        }
        for (line, part) in [
            (r#"{"game":3}"#, "missing field `cmd`"),
            (r#"{"cmd":"act","game":3}"#, "missing field `said`"),
            (r#"{"cmd":"start","seed":3}"#, "missing field `game`"),
            (r#"{"cmd":"batch"}"#, "missing field `of`"),
            (r#"{"cmd":"jump"}"#, "unknown variant `jump`, expected one of `about`, `start`"),
        ] {
            let error = serde_json::from_str::<Request>(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
