//! Scripted players of Twenty Questions and Guess My City, from the floor to the optimum.
//!
//! They measure what a return is worth, make the games that a warm start imitates, and answer the
//! question of what the world allows. All choose from a [`QuestionPool`], the canonical questions
//! over a list of words, and see what any player sees: the questions so far and their answers.

mod babbling;
mod curious;
mod information_gain;
mod mediocre;
mod random;
mod tree;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use babbling::BabblingAsker;
pub use curious::CuriousAsker;
pub use information_gain::{InformationGainAsker, Noise};
pub use mediocre::{MediocreAsker, Mediocrity};
pub use random::RandomAsker;
pub use tree::TreeAsker;

use crate::environment::Environment;
#[cfg(doc)]
use crate::question_pool::QuestionPool;

/// A scripted player.
pub trait Asker: Send {
    /// Begins a game; `seed` draws whatever the player leaves to chance.
    fn start(&mut self, seed: u64);

    /// The next question, after a history of (question, answer) pairs, the oldest first.
    fn ask(&mut self, history: &[(String, String)]) -> String;
}

/// How a game begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The task, or none to let the seed draw it.
    pub task: Option<usize>,
    /// The seed of the world and of the player.
    pub seed: u64,
}

impl Start {
    /// Games on drawn tasks.
    pub fn drawn(games: usize, seed: u64) -> Vec<Start> {
        let mut seeds = ChaCha8Rng::seed_from_u64(seed);
        let start = |_| Start { task: None, seed: seeds.next_u64() };
        (0..games).map(start).collect()
    }

    /// The same number of games on each of `tasks` tasks, in rounds over all of them.
    pub fn each_task(tasks: usize, rounds: usize, seed: u64) -> Vec<Start> {
        let mut starts = Start::drawn(tasks * rounds, seed);
        for (index, start) in starts.iter_mut().enumerate() {
            start.task = Some(index % tasks);
        }
        starts
    }
}

/// A game from its first observation to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayedGame {
    /// How it began.
    pub start: Start,
    /// What the player saw before the first question.
    pub first_observation: String,
    /// Every question with its answer and reward.
    pub turns: Vec<Turn>,
    /// Whether the last question won.
    pub won: bool,
}

/// A question, its answer and its reward.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What was asked.
    pub question: String,
    /// What the world said to it.
    pub answer: String,
    /// What it was worth to the game.
    pub reward: f32,
}

impl PlayedGame {
    /// The sum of the rewards.
    pub fn total_reward(&self) -> f64 {
        self.turns.iter().map(|turn| f64::from(turn.reward)).sum()
    }

    /// One line for each turn: the question, a space, the answer.
    pub fn lines(&self) -> Vec<String> {
        let line = |turn: &Turn| format!("{} {}", turn.question, turn.answer);
        self.turns.iter().map(line).collect()
    }
}

/// Plays a game for each start.
pub fn play(
    asker: &mut dyn Asker,
    env: &mut dyn Environment,
    starts: impl IntoIterator<Item = Start>,
) -> Vec<PlayedGame> {
    starts.into_iter().map(|start| play_one(asker, env, start)).collect()
}

fn play_one(asker: &mut dyn Asker, env: &mut dyn Environment, start: Start) -> PlayedGame {
    let first_observation = match start.task {
        Some(task) => env.reset_to(task, start.seed),
        None => env.reset(start.seed),
    };
    asker.start(start.seed);
    let mut history: Vec<(String, String)> = Vec::new();
    let mut turns = Vec::new();
    loop {
        let question = asker.ask(&history);
        let step = env.step(&question);
        history.push((question.clone(), step.reply.clone()));
        let done = step.done();
        turns.push(Turn { question, answer: step.reply, reward: step.reward });
        if done {
            return PlayedGame { start, first_observation, turns, won: step.won };
        }
    }
}

/// The mean return over games.
///
/// # Panics
/// Where there is no game.
pub fn mean_return(games: &[PlayedGame]) -> f64 {
    assert!(!games.is_empty(), "a mean over no games");
    games.iter().map(PlayedGame::total_reward).sum::<f64>() / games.len() as f64
}

/// A player's generator for the game of this seed. The world draws from the same seed; another
/// stream keeps the player from drawing the number that chose the word.
fn player_chance(seed: u64) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(1);
    chance
}

/// One of `choices`, each as likely; none of an empty list.
fn draw<T: Copy>(choices: &[T], chance: &mut ChaCha8Rng) -> Option<T> {
    use rand::RngExt;
    if choices.is_empty() {
        return None;
    }
    Some(choices[chance.random_range(0..choices.len() as u32) as usize])
}

#[cfg(test)]
mod tests;
