//! How well a player plays, with intervals.
//!
//! Every task gets the same number of games, or as many as it weighs (up to the remainder), so that
//! the number does not hang on which words were drawn. Intervals are 95 %: normal for means,
//! Wilson's for shares.

use archer_world::transcript::spelled;
use archer_world::{About, Game, Start, Worlds};
use serde::{Deserialize, Serialize};

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
    /// 95 % interval of the mean return; not numbers where a single game was played.
    pub return_ci95: [f64; 2],
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
            return_ci95: written.return_ci95.unwrap_or([f64::NAN; 2]),
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
}

impl From<&Trajectory> for Outcome {
    fn from(game: &Trajectory) -> Self {
        Self {
            total_reward: game.total_reward(),
            turns: game.transitions.len(),
            won: game.won,
            invalid: game.invalid,
            repeated: game.repeated,
        }
    }
}

impl From<&Game> for Outcome {
    fn from(game: &Game) -> Self {
        let mut said = std::collections::HashSet::new();
        let repeated = game.turns.iter().filter(|turn| !said.insert(spelled(&turn.said))).count();
        Self {
            total_reward: game.total_reward(),
            turns: game.turns.len(),
            won: game.won(),
            invalid: game.turns.iter().filter(|turn| turn.invalid).count(),
            repeated,
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
    let weights = about.weights.clone().unwrap_or_else(|| vec![1.0; tasks]);
    tasks_in_turn(&weights, games).into_iter().map(|task| start(Some(task))).collect()
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
    let played = play(player, worlds, &starts(worlds.about(), games, seed), 1.0).await?;
    let outcomes: Vec<Outcome> = played.iter().map(Outcome::from).collect();
    Ok(Evaluation::of(worlds.about(), &outcomes))
}

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
        let (mean_return, return_ci95) = mean_with_interval(&returns);
        let (mean_turns, turns) = mean_with_interval(&turns);
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        Self {
            environment: about.name.clone(),
            rules: about.rules.clone().unwrap_or_default(),
            games: outcomes.len(),
            mean_return,
            return_ci95,
            win_rate: share(won, outcomes.len()),
            mean_turns,
            turn: about.turn.clone(),
            invalid_rate: share(invalid, utterances),
            repeat_rate: share(repeated, utterances),
            optimum_return: about.best,
            returns,
            more: Intervals {
                win_rate: wilson(won, outcomes.len()),
                turns,
                invalid_rate: wilson(invalid, utterances),
                repeat_rate: wilson(repeated, utterances),
            },
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
        Some(mean_with_interval(&gains))
    }
}

/// The mean of some values and its 95 % interval, `mean ± 1.96 s / √n`; one value has no interval, which
/// is then not a number.
pub fn mean_with_interval(values: &[f64]) -> (f64, [f64; 2]) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let half = if values.len() > 1 { 1.96 * (squares / (n - 1.0) / n).sqrt() } else { f64::NAN };
    (mean, [mean - half, mean + half])
}

/// Wilson's 95 % interval of a share: `n` of `of`.
pub fn wilson(n: usize, of: usize) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (share, of, z) = (n as f64 / of as f64, of as f64, 1.96f64);
    let middle = (share + z * z / (2.0 * of)) / (1.0 + z * z / of);
    let half =
        z * (share * (1.0 - share) / of + z * z / (4.0 * of * of)).sqrt() / (1.0 + z * z / of);
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_by_hand() {
        let (mean, [low, high]) = mean_with_interval(&[-2.0, -4.0]);
        assert_eq!(mean, -3.0);
        // s = √2, s / √n = 1
        assert!((low + 4.96).abs() < 1e-12 && (high + 1.04).abs() < 1e-12);
        assert!(mean_with_interval(&[-4.0]).1[0].is_nan());
        let [low, high] = wilson(10, 10);
        assert!((low - 0.7225).abs() < 1e-3 && high == 1.0, "{low} {high}");
    }

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
