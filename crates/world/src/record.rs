//! Finished games as data, and files of them.
//!
//! A file has a JSON object for each game, one a line, or one JSON array of all:
//!
//! ```text
//! {"opening":"…","turns":[{"said":"…","reply":"…","reward":-1.0}],"end":"won","task":3}
//! {"lines":["Is it an animal? Yes.", …],"correct":true,"word":["cat"]}
//! ```
//!
//! The second form is the one that the field's data sets of questions have: an utterance ends at the
//! last `"? "` of its line. A turn is worth −1 there and the one that was right 0, or what `rewards`
//! says; with `rewards` a line without a question may be an utterance of one word and its reply.

use archer_input::shown;
use serde::{Deserialize, Serialize};

use crate::contract::shortened;
use crate::error::WorldError;
use crate::world::{About, Choices, End};
use crate::worlds::Worlds;

/// A game from its opening to its end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Game {
    /// The name of its world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// Its task, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<usize>,
    /// What the player read first; `None` where a file does not say.
    #[serde(default)]
    pub opening: Option<String>,
    /// What could be said first, where the world listed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Choices>,
    /// Its exchanges in order.
    pub turns: Vec<Exchange>,
    /// How it ended; `None` for a game that was left, which counts as cut.
    #[serde(default)]
    pub end: Option<End>,
}

/// An utterance and what it brought about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What was said.
    pub said: String,
    /// What the world said back.
    pub reply: String,
    /// The reward of the utterance.
    pub reward: f32,
    /// The world could not read the utterance.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invalid: bool,
    /// What could be said next, where the world listed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Choices>,
    /// Whether the utterance is worth imitating; its reply is learned in either case.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub imitate: bool,
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Exchange {
    /// An utterance worth imitating, its reply and its reward.
    pub fn new(said: impl Into<String>, reply: impl Into<String>, reward: f32) -> Self {
        let (said, reply) = (said.into(), reply.into());
        Self { said, reply, reward, imitate: true, ..Self::default() }
    }
}

impl Game {
    /// The sum of the rewards.
    pub fn total_reward(&self) -> f64 {
        self.turns.iter().map(|turn| f64::from(turn.reward)).sum()
    }

    /// Whether it was won.
    pub fn won(&self) -> bool {
        self.end == Some(End::Won)
    }

    /// Whether it could be a game of this world, or why not.
    ///
    /// # Errors
    /// If it names another world or a task that is not there, has no turn or more than a game can
    /// have, or a reward that is not finite.
    pub fn check(&self, about: &About) -> Result<(), String> {
        if let Some(world) = self.world.as_ref().filter(|world| **world != about.name) {
            return Err(format!("it is a game of the world {world}, not of {}", about.name));
        }
        if let (Some(task), Some(tasks)) = (self.task, about.tasks)
            && task >= tasks
        {
            let name = &about.name;
            return Err(format!("its task is {task}, and the world {name} has {tasks}, from 0"));
        }
        if self.turns.is_empty() {
            return Err("it has no turns".into());
        }
        let (turns, most) = (self.turns.len(), about.max_turns.max(MOST_TURNS));
        if turns > most {
            let whose = match about.name.as_str() {
                "" => String::new(),
                name => format!(" of {name}"),
            };
            return Err(format!("it has {turns} turns, and a game{whose} has at most {most}"));
        }
        for (number, turn) in (1..).zip(&self.turns) {
            if turn.said.contains('\n') {
                return Err(format!(
                    "the utterance of turn {number} has an end of line in it, which ends an utterance: {:?}",
                    turn.said.chars().take(60).collect::<String>()
                ));
            }
            if !turn.reward.is_finite() {
                return Err(format!(
                    "the reward of turn {number} is {}: it must be a number that 32 bits hold",
                    shown(turn.reward)
                ));
            }
        }
        Ok(())
    }
}

/// Turns that a recorded game may have in any world: what is learned from a game takes memory with the
/// square of their number.
pub const MOST_TURNS: usize = 1000;

/// A game in the older form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    lines: Vec<String>,
    correct: bool,
    #[serde(default, rename = "word")]
    _word: serde_json::Value,
    #[serde(default)]
    rewards: Option<Vec<f32>>,
}

impl Lines {
    fn game(self) -> Result<Game, String> {
        let turns = self.lines.len();
        if turns == 0 {
            return Err("it has no lines".into());
        }
        if let Some(rewards) = self.rewards.as_ref().filter(|rewards| rewards.len() != turns) {
            return Err(format!("it has {turns} lines and {} rewards", rewards.len()));
        }
        let exchange = |(turn, line): (usize, &String)| -> Result<Exchange, String> {
            let (said, reply) = parted(line, self.rewards.is_some()).ok_or_else(|| {
                format!("{line:?} does not tell an utterance from its reply, as \"Is it red? No.\" does; the form with \"turns\" needs no such mark")
            })?;
            let right = self.correct && turn + 1 == turns;
            if right && self.rewards.is_none() && says_no(reply) {
                return Err(format!("it is marked correct, and its last answer is {reply:?}"));
            }
            let reward = match &self.rewards {
                Some(rewards) => rewards[turn],
                None if right => 0.0,
                None => -1.0,
            };
            Ok(Exchange::new(said, reply, reward))
        };
        let turns: Result<Vec<_>, _> = self.lines.iter().enumerate().map(exchange).collect();
        let end = if self.correct { End::Won } else { End::Cut };
        Ok(Game { turns: turns?, end: Some(end), ..Game::default() })
    }
}

/// The utterance and the reply of a line; both have some text.
fn parted(line: &str, worded: bool) -> Option<(&str, &str)> {
    let (said, reply) = match line.rfind("? ") {
        Some(mark) => line.split_at(mark + 1),
        None if worded && !line.contains('?') => line.split_at(line.find(' ')?),
        None => return None,
    };
    let (said, reply) = (said.trim(), reply.trim());
    let whole = |text: &str| !text.is_empty() && !text.contains('\n');
    (whole(said) && whole(reply)).then_some((said, reply))
}

/// Whether the first word of a reply is a no.
pub fn says_no(reply: &str) -> bool {
    let mut words = reply.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("no"))
}

/// The games of a file in either form, each held to the world that it is for. The text is that of
/// [`archer_input::text`].
///
/// # Errors
/// If one cannot be read or is of another world, or there is none; the error says which line it is.
pub fn read_games_of(text: &str, worlds: &dyn Worlds) -> Result<Vec<Game>, WorldError> {
    read_checked(text, worlds.about(), &|game| match worlds.teaching() {
        Some(teaching) => teaching.check_game(game),
        None => Ok(()),
    })
}

/// The same where no more is known of the world than this.
///
/// # Errors
/// As [`read_games_of`].
pub fn read_games(text: &str, about: &About) -> Result<Vec<Game>, WorldError> {
    read_checked(text, about, &|_| Ok(()))
}

fn read_checked(
    text: &str,
    about: &About,
    check: &dyn Fn(&Game) -> Result<(), String>,
) -> Result<Vec<Game>, WorldError> {
    let read_game = |value| read_game(value, about).and_then(|game| check(&game).map(|()| game));
    let mut games = Vec::new();
    if text.trim_start().starts_with('[') {
        let values: Vec<serde_json::Value> = archer_input::json_text(text)
            .map_err(|fault| WorldError::Settings(format!("the list of games {fault}")))?;
        for (number, value) in (1..).zip(values) {
            games.push(read_game(value).map_err(|why| fault("game", number, &why))?);
        }
    } else {
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let value = archer_input::json_line(line.as_bytes()).map_err(|why| {
                fault("line", number, &format!("it {why}: {:?}", shortened(line)))
            })?;
            games.push(read_game(value).map_err(|why| fault("line", number, &why))?);
        }
    }
    if games.is_empty() {
        return Err(WorldError::Settings(
            "there is no game in it: write some with archer data, one JSON object a line".into(),
        ));
    }
    Ok(games)
}

fn fault(unit: &str, number: usize, why: &str) -> WorldError {
    WorldError::Settings(format!("{unit} {number} is no game: {why}"))
}

fn read_game(value: serde_json::Value, about: &About) -> Result<Game, String> {
    let older = value.get("lines").is_some();
    let game = match older {
        true => serde_json::from_value::<Lines>(value).map_err(|e| e.to_string())?.game()?,
        false => serde_json::from_value::<Game>(value).map_err(|e| e.to_string())?,
    };
    game.check(about).map(|()| game)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About::new("questions", 3)
    }

    fn read(text: &str) -> Result<Vec<Game>, String> {
        read_games(text, &about()).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_are_read_from_lines_and_from_one_list() {
        let newer = r#"{"opening":"Go.\n","turns":[{"said":"left","reply":"wall","reward":-1.0}],"end":"over"}"#;
        let older = r#"{"lines":["Is it big? Or small? No.","Is it a cat? Yes."],"correct":true,"word":["cat"]}"#;
        let lines = read(&format!("{newer}\r\n\r\n\u{feff}{older}\n")).unwrap();
        assert_eq!(read(&format!("[{newer},\n{older}]")).unwrap(), lines);
        assert_eq!(lines[0].end, Some(End::Over));
        let exchanges = [
            Exchange::new("Is it big? Or small?", "No.", -1.0),
            Exchange::new("Is it a cat?", "Yes.", 0.0),
        ];
        assert_eq!((&lines[1].turns[..], lines[1].won()), (&exchanges[..], true));
        let worded = r#"{"lines":["7 1.0"],"correct":false,"rewards":[0.5]}"#;
        assert_eq!(read(worded).unwrap()[0].turns, [Exchange::new("7", "1.0", 0.5)]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let exchange = Exchange {
            invalid: true,
            imitate: false,
            choices: Some(vec!["a".into()]),
            ..Exchange::new("x", "y", 0.25)
        };
        let game = Game {
            world: Some("questions".into()),
            opening: Some("Go.\n".into()),
            task: Some(2),
            choices: Some(vec!["a".into(), "b".into()]),
            turns: vec![exchange, Exchange::new("z", "", 1.0)],
            end: Some(End::Cut),
        };
        let line = serde_json::to_string(&game).unwrap();
        assert_eq!(read(&line).unwrap(), [game]);
    }

    #[test]
    fn a_game_has_a_task_that_is_there_and_turns_that_can_be() {
        let about = About { tasks: Some(3), ..about() };
        let game = |task: usize, turns: usize| Game {
            task: Some(task),
            turns: vec![Exchange::new("a", "b", 0.0); turns],
            ..Game::default()
        };
        assert_eq!(game(2, 1000).check(&about), Ok(()));
        let said = game(3, 1).check(&about).unwrap_err();
        assert!(said.contains("its task is 3") && said.contains("has 3"), "{said}");
        let said = game(0, 1001).check(&about).unwrap_err();
        assert!(said.contains("1001 turns") && said.contains("at most 1000"), "{said}");
        assert_eq!(game(0, 1001).check(&About { max_turns: 2000, ..about }), Ok(()));
        let said = game(0, 1001).check(&About::new("", 1)).unwrap_err();
        assert_eq!(said, "it has 1001 turns, and a game has at most 1000");
    }

    #[test]
    fn what_is_no_game_is_named_by_its_line() {
        for (text, part) in [
            ("", "no game in it"),
            ("\n \n", "no game in it"),
            ("[]", "no game in it"),
            ("{\"lines\": [\"Is it red? No.\"], \"correct\": false}\nno", "line 2"),
            ("[{\"lines\": [\"Is it red? No.\"], \"correct\": false}, {}]", "game 2"),
            ("{\"lines\": [], \"correct\": false}", "no lines"),
            ("{\"lines\": [\"Is it red?\"], \"correct\": false}", "utterance from its reply"),
            ("{\"lines\": [\"red no\"], \"correct\": false}", "utterance from its reply"),
            ("{\"lines\": [\"Is it red? No.\"], \"correct\": true}", "marked correct"),
            ("{\"lines\": [\"Is it red? no\"], \"correct\": true}", "marked correct"),
            (
                "{\"opening\":\"x\",\"turns\":[{\"said\":\"a\",\"reply\":\"b\",\"reward\":1e39}]}",
                "reward of turn 1 is inf",
            ),
            (
                "{\"lines\": [\"7 1\"], \"correct\": false, \"rewards\": []}",
                "1 lines and 0 rewards",
            ),
            ("{\"opening\":\"x\",\"turns\":[]}", "no turns"),
            ("{\"world\":\"chess\",\"opening\":\"x\",\"turns\":[]}", "a game of the world chess"),
            ("{\"opening\":\"x\",\"turns\":[{\"said\":\"a\",\"reply\":\"b\"}]}", "reward"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
