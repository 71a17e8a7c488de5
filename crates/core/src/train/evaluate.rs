//! How well a player plays, with intervals.
//!
//! Every task gets the same number of games, or as many as it weighs (up to the remainder), so that
//! the number does not hang on which words were drawn. Intervals are 95 %: Student's for means,
//! Wilson's for shares, over games that are independent of each other ([`super::intervals`]).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use archer_world::transcript::spelled;
use archer_world::{About, Game, Start, Worlds};
use serde::{Deserialize, Serialize};

use super::intervals::{self, mean_with_interval, wilson};
use super::rollout::play;
use crate::algorithms::common::Player;
use crate::error::Error;
use crate::rl::transition::Trajectory;
use crate::rng;
use rand::Rng;

/// The summary of some games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct Evaluation {
    /// Name of the world.
    pub environment: String,
    /// Its rules, `fixed` or `official`; empty where a world has no choice.
    pub rules: String,
    /// Games played.
    pub games: usize,
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// 95 % interval of the mean return; not numbers where there is none ([`Self::remark`]).
    pub return_ci95: [f64; 2],
    /// Games that are independent of each other: fewer where those of a task are all alike.
    pub independent: usize,
    /// Share of games won.
    pub win_rate: f64,
    /// Mean number of turns.
    pub mean_turns: f64,
    /// What a turn is called, in the singular.
    pub turn: String,
    /// Share of utterances that the world could not read.
    pub invalid_rate: f64,
    /// Share of utterances asked before in the same game.
    pub repeat_rate: f64,
    /// The best mean return there is, where it is known.
    pub optimum_return: Option<f64>,
    /// The return of each game, in the order in which they were given.
    pub returns: Vec<f64>,
    /// 95 % intervals of the other numbers, which the short form leaves out.
    pub more: Intervals,
}

/// An evaluation as it is written: what does not apply to a world is left out, and its turns are
/// called as the world calls them.
#[derive(Serialize, Deserialize)]
struct Written {
    environment: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rules: String,
    games: usize,
    mean_return: f64,
    return_ci95: Option<[f64; 2]>,
    win_rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_questions: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_turns: Option<f64>,
    invalid_rate: f64,
    repeat_rate: f64,
    optimum_return: Option<f64>,
}

/// The name of a turn that has a key of its own: that of the files from before there were others.
const QUESTION: &str = "question";

impl From<Evaluation> for Written {
    fn from(of: Evaluation) -> Self {
        let asks = of.turn == QUESTION;
        Self {
            environment: of.environment,
            rules: of.rules,
            games: of.games,
            mean_return: of.mean_return,
            return_ci95: of.return_ci95[0].is_finite().then_some(of.return_ci95),
            win_rate: of.win_rate,
            mean_questions: asks.then_some(of.mean_turns),
            mean_turns: (!asks).then_some(of.mean_turns),
            invalid_rate: of.invalid_rate,
            repeat_rate: of.repeat_rate,
            optimum_return: of.optimum_return,
        }
    }
}

impl From<Written> for Evaluation {
    fn from(written: Written) -> Self {
        let turn = if written.mean_questions.is_some() { QUESTION } else { "turn" };
        Self {
            environment: written.environment,
            rules: written.rules,
            games: written.games,
            mean_return: written.mean_return,
            return_ci95: written.return_ci95.unwrap_or(intervals::NONE),
            independent: written.games,
            win_rate: written.win_rate,
            mean_turns: written.mean_questions.or(written.mean_turns).unwrap_or(f64::NAN),
            turn: turn.to_string(),
            invalid_rate: written.invalid_rate,
            repeat_rate: written.repeat_rate,
            optimum_return: written.optimum_return,
            returns: Vec::new(),
            more: Intervals::default(),
        }
    }
}

/// 95 % intervals beside that of the return.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Intervals {
    /// Of the share of games won.
    pub win_rate: [f64; 2],
    /// Of the mean number of turns.
    pub turns: [f64; 2],
    /// Of the share of unreadable utterances.
    pub invalid_rate: [f64; 2],
    /// Of the share of repeated utterances.
    pub repeat_rate: [f64; 2],
}

/// One game as the summary sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Undiscounted return.
    pub total_reward: f64,
    /// Turns.
    pub turns: usize,
    /// Whether the goal was reached.
    pub won: bool,
    /// Unreadable utterances.
    pub invalid: usize,
    /// Repeated utterances.
    pub repeated: usize,
    /// Its task, where tasks have numbers.
    pub task: Option<usize>,
    /// A number that only games have in common in which the same was shown, said, replied and paid.
    pub course: u64,
}

/// The number of a game's course.
fn course<'a>(opening: Option<&str>, turns: impl Iterator<Item = (&'a str, &'a str, f32)>) -> u64 {
    let mut hasher = DefaultHasher::new();
    opening.hash(&mut hasher);
    turns.for_each(|(said, reply, reward)| (said, reply, reward.to_bits()).hash(&mut hasher));
    hasher.finish()
}

impl From<&Trajectory> for Outcome {
    fn from(game: &Trajectory) -> Self {
        Self {
            total_reward: game.total_reward(),
            turns: game.transitions.len(),
            won: game.won,
            invalid: game.invalid,
            repeated: game.repeated,
            task: game.transitions.last().and_then(|turn| turn.task).map(|task| task as usize),
            course: course(
                game.opening.as_deref(),
                game.transitions
                    .iter()
                    .zip(&game.lines)
                    .map(|(turn, (said, reply))| (said.as_str(), reply.as_str(), turn.reward)),
            ),
        }
    }
}

impl From<&Game> for Outcome {
    fn from(game: &Game) -> Self {
        let mut said = HashSet::new();
        let repeated = game.turns.iter().filter(|turn| !said.insert(spelled(&turn.said))).count();
        Self {
            total_reward: game.total_reward(),
            turns: game.turns.len(),
            won: game.won(),
            invalid: game.turns.iter().filter(|turn| turn.invalid).count(),
            repeated,
            task: game.task,
            course: course(
                game.opening.as_deref(),
                game.turns
                    .iter()
                    .map(|turn| (turn.said.as_str(), turn.reply.as_str(), turn.reward)),
            ),
        }
    }
}

/// The starts of an evaluation in a world, each game with a seed of its own: the tasks in turn, or
/// where some are likelier each as often as it weighs, at any point as nearly as can be. Where tasks
/// have no numbers, the seeds draw them.
pub fn starts(about: &About, games: usize, seed: u64) -> Vec<Start> {
    let mut seeds = rng::stream(seed, "evaluation", 0);
    let mut start = |task| Start { task, seed: seeds.next_u64() };
    let Some(tasks) = about.tasks else {
        return (0..games).map(|_| start(None)).collect();
    };
    match &about.weights {
        None => (0..games).map(|game| start(Some(game % tasks))).collect(),
        Some(weights) => {
            tasks_in_turn(weights, games).into_iter().map(|task| start(Some(task))).collect()
        }
    }
}

/// The tasks of so many games: each time the one that is furthest behind its share.
fn tasks_in_turn(weights: &[f64], games: usize) -> Vec<usize> {
    let total: f64 = weights.iter().sum();
    let mut played = vec![0.0; weights.len()];
    (1..=games)
        .map(|game| {
            let behind = |task: usize| weights[task] * game as f64 - played[task] * total;
            let later = |best, task| if behind(task) > behind(best) { task } else { best };
            let next = (0..weights.len()).reduce(later).expect("a task");
            played[next] += 1.0;
            next
        })
        .collect()
}

/// Lets a player play `games` games of a world.
///
/// # Errors
/// If the world breaks its contract or cannot be reached, or the device fails.
pub async fn evaluate(
    player: Player<'_>,
    worlds: &dyn Worlds,
    games: usize,
    seed: u64,
) -> Result<Evaluation, Error> {
    let mut outcomes = Vec::new();
    for starts in starts(worlds.about(), games, seed).chunks(AT_A_TIME) {
        let played = play(player, worlds, starts, 1.0).await?;
        outcomes.extend(played.iter().map(Outcome::from));
    }
    Ok(Evaluation::of(worlds.about(), &outcomes))
}

/// Games of an evaluation that are held whole before only what came of them is kept; a multiple of
/// what is played side by side.
pub const AT_A_TIME: usize = 4096;

impl Evaluation {
    /// Summarises some games of a world.
    ///
    /// # Panics
    /// If there are none.
    pub fn of(about: &About, outcomes: &[Outcome]) -> Self {
        assert!(!outcomes.is_empty(), "an evaluation needs a game");
        let returns: Vec<f64> = outcomes.iter().map(|game| game.total_reward).collect();
        let turns: Vec<f64> = outcomes.iter().map(|game| game.turns as f64).collect();
        let utterances: usize = outcomes.iter().map(|game| game.turns).sum();
        let won = outcomes.iter().filter(|game| game.won).count();
        let invalid = outcomes.iter().map(|game| game.invalid).sum();
        let repeated = outcomes.iter().map(|game| game.repeated).sum();
        let courses: Vec<_> = outcomes.iter().map(|game| (game.task, game.course)).collect();
        let independent = intervals::independent(&courses);
        let (mean_return, return_ci95) = mean_with_interval(&returns, independent);
        let (mean_turns, turns) = mean_with_interval(&turns, independent);
        let counts = independent as f64 / outcomes.len() as f64;
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        Self {
            environment: about.name.clone(),
            rules: about.rules.clone().unwrap_or_default(),
            games: outcomes.len(),
            mean_return,
            return_ci95,
            independent,
            win_rate: share(won, outcomes.len()),
            mean_turns,
            turn: about.turn.clone(),
            invalid_rate: share(invalid, utterances),
            repeat_rate: share(repeated, utterances),
            optimum_return: about.best,
            returns,
            more: Intervals {
                win_rate: wilson(won, outcomes.len(), counts),
                turns,
                invalid_rate: wilson(invalid, utterances, counts),
                repeat_rate: wilson(repeated, utterances, counts),
            },
        }
    }

    /// Why the mean return has no interval, or one of fewer games than were played; nothing where the
    /// interval is that of all games.
    pub fn remark(&self) -> Option<String> {
        let games = self.games;
        let none = !self.return_ci95[0].is_finite();
        match (none, self.independent) {
            (true, _) if games == 1 => Some("one game has no interval".into()),
            (true, 1) => {
                Some(format!("all {games} games are one and the same, which has no interval"))
            }
            (true, _) => Some(format!("all {games} games return the same, which has no interval")),
            (false, tasks) if tasks < games => Some(format!(
                "nothing is drawn but the task: the {games} games are those of {tasks} tasks, and the interval is over these"
            )),
            (false, _) => None,
        }
    }

    /// How much more than `other` was returned, on average over the games, with its 95 % interval;
    /// `None` unless both played equally many. Games of the same seeds are compared one by one, so
    /// that what both find hard does not widen the interval.
    pub fn gain_over(&self, other: &Evaluation) -> Option<(f64, [f64; 2])> {
        if self.returns.is_empty() || self.returns.len() != other.returns.len() {
            return None;
        }
        let pairs = self.returns.iter().zip(&other.returns);
        let gains: Vec<f64> = pairs.map(|(here, there)| here - there).collect();
        // Where either has chance, so has the difference.
        Some(mean_with_interval(&gains, self.independent.max(other.independent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_gets_its_share() {
        let of = |played: &[usize], task| played.iter().filter(|&&other| other == task).count();
        let equal = tasks_in_turn(&[1.0; 10], 25);
        assert!(equal.iter().enumerate().all(|(game, &task)| task == game % 10), "{equal:?}");
        let weighted = tasks_in_turn(&[1.0, 2.0, 0.0, 5.0], 80);
        assert_eq!([0, 1, 2, 3].map(|task| of(&weighted, task)), [10, 20, 0, 50]);
        assert_eq!(&weighted[..4], [3, 1, 3, 0]);
    }
}
