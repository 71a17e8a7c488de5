//! Games that somebody else played, as text, become transitions to learn from.
//!
//! The form is the field's own, a JSON object a line:
//! `{"lines": ["Is it an animal? Yes.", …], "correct": true, "word": ["cat"]}`. A line is an
//! utterance up to its question mark, or up to its first space where it has none, and what the world
//! replied. A turn is worth −1 and the one that was right 0, as in the worlds of questions; for
//! another world a game may say what each of its turns was worth (`"rewards": [0.5, …]`).

use archer_games::make;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Error;
use crate::rl::transition::{Trajectory, Transition};
use crate::text::Tokenizer;

/// A game as a line of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Each utterance with its reply.
    pub lines: Vec<String>,
    /// Whether the last utterance reached the goal.
    pub correct: bool,
    /// Every accepted name of what was to be found.
    #[serde(default)]
    pub word: Vec<String>,
    /// What each turn was worth, where that is not −1 and 0 for the right one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewards: Option<Vec<f32>>,
}

/// The games of a text as a run with this configuration reads them.
///
/// # Errors
/// If a line is no game, or there is none; the error names the line.
pub fn games(text: &str, config: &Config, tokenizer: &Tokenizer) -> Result<Vec<Trajectory>, Error> {
    let first_observation = make(&config.world)?.reset(0);
    let mut games = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let fault = |why: String| Error::Config(format!("line {number} is no game: {why}"));
        let record: Record = serde_json::from_str(line).map_err(|e| fault(e.to_string()))?;
        let game = trajectory(&record, &first_observation, config.gamma, tokenizer);
        games.push(game.map_err(fault)?);
    }
    if games.is_empty() {
        return Err(Error::Config(
            "there is no game in it: write some with archer data, one JSON object a line".into(),
        ));
    }
    Ok(games)
}

/// A game as it would have been played here, or why it is none.
fn trajectory(
    record: &Record,
    first_observation: &str,
    gamma: f64,
    tokenizer: &Tokenizer,
) -> Result<Trajectory, String> {
    let turns = record.lines.len();
    if turns == 0 {
        return Err("it has no lines".into());
    }
    if let Some(rewards) = record.rewards.as_ref().filter(|rewards| rewards.len() != turns) {
        return Err(format!("it has {turns} lines and {} rewards", rewards.len()));
    }
    let mut game = Trajectory { won: record.correct, ..Trajectory::default() };
    let mut observation: std::sync::Arc<[u32]> = tokenizer.encode(first_observation).into();
    for (turn, line) in record.lines.iter().enumerate() {
        let (said, reply) = parted(line)
            .ok_or_else(|| format!("{line:?} does not tell an utterance from its reply"))?;
        let last = turn + 1 == turns;
        let body = tokenizer.encode(said);
        let added = tokenizer.encode(&format!(" {reply}\n"));
        let next: std::sync::Arc<[u32]> =
            observation.iter().chain(&body).chain(&added).copied().collect();
        let right = last && record.correct;
        game.transitions.push(Transition {
            observation,
            action: body.into_iter().chain([tokenizer.newline()]).collect(),
            reward: match &record.rewards {
                Some(rewards) => rewards[turn],
                None if right => 0.0,
                None => -1.0,
            },
            next_observation: next.clone(),
            terminated: right,
            truncated: last && !right,
            mc_return: 0.0,
            log_prob: 0.0,
            task: None,
        });
        game.lines.push((said.to_string(), reply.to_string()));
        observation = next;
    }
    game.close(gamma);
    Ok(game)
}

/// The utterance and the reply of a line; both have some text.
fn parted(line: &str) -> Option<(&str, &str)> {
    let (said, reply) = match line.find('?') {
        Some(mark) => line.split_at(mark + 1),
        None => line.split_at(line.find(' ')?),
    };
    let (said, reply) = (said.trim(), reply.trim());
    let whole = |text: &str| !text.is_empty() && !text.contains('\n');
    (whole(said) && whole(reply)).then_some((said, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Trajectory>, Error> {
        let texts = ["Questions:\nIs it a cat? Yes.\nIs it red? No.\n".to_string()];
        let tokenizer = Tokenizer::train(texts.into_iter(), 280, 8).unwrap();
        games(text, &Config { gamma: 0.5, ..Config::default() }, &tokenizer)
    }

    #[test]
    fn a_game_is_read_as_if_it_had_been_played_here() {
        let text = r#"{"lines": ["Is it red? No.", "Is it a cat? Yes."], "correct": true, "word": ["cat"]}

            {"lines": ["Is it red? No."], "correct": false}
            {"lines": ["7 1.0", "3 0.0"], "correct": false, "rewards": [1.0, 0.25]}"#;
        let games = read(text).unwrap();
        let rewards = |game: &Trajectory| -> Vec<(f32, f32)> {
            game.transitions.iter().map(|turn| (turn.reward, turn.mc_return)).collect()
        };
        assert_eq!(rewards(&games[0]), [(-1.0, -1.0), (0.0, 0.0)]);
        assert_eq!(rewards(&games[1]), [(-1.0, -1.0)]);
        assert_eq!(rewards(&games[2]), [(1.0, 1.125), (0.25, 0.25)]);
        let [first, second] = &games[0].transitions[..] else { panic!("two turns") };
        assert_eq!(first.next_observation, second.observation);
        assert!(!first.terminated && second.terminated && !second.truncated);
        assert!(games[1].transitions[0].truncated && !games[1].transitions[0].terminated);
        assert_eq!(games[2].lines[0], ("7".to_string(), "1.0".to_string()));
    }

    #[test]
    fn what_is_no_game_is_named_by_its_line() {
        for (text, part) in [
            ("", "no game in it"),
            ("\n \n", "no game in it"),
            ("{\"lines\": [\"Is it red? No.\"], \"correct\": false}\nno", "line 2"),
            ("{\"lines\": [], \"correct\": false}", "no lines"),
            ("{\"lines\": [\"Is it red?\"], \"correct\": false}", "utterance from its reply"),
            ("{\"lines\": [\"red\"], \"correct\": false}", "utterance from its reply"),
            ("{\"correct\": false}", "lines"),
            (
                "{\"lines\": [\"7 1\"], \"correct\": false, \"rewards\": []}",
                "1 lines and 0 rewards",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains(part), "{text}: {error}");
        }
    }
}
