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
mod slipping;
mod tree;

use archer_world::{Exchange, Game, Start, World};
use rand::distr::{Bernoulli, Distribution};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use babbling::BabblingAsker;
pub use curious::CuriousAsker;
pub use information_gain::InformationGainAsker;
pub use mediocre::{MediocreAsker, Mediocrity};
pub use random::RandomAsker;
pub use slipping::SlippingAsker;
pub use tree::TreeAsker;

pub use crate::posterior::Noise;

#[cfg(doc)]
use crate::question_pool::QuestionPool;

/// A scripted player.
pub trait Asker: Send {
    /// Begins a game; `seed` draws whatever the player leaves to chance.
    fn start(&mut self, seed: u64);

    /// The next question, after a history of (question, answer) pairs, the oldest first.
    fn ask(&mut self, history: &[(String, String)]) -> String;

    /// Whether the question that it asked last is worth imitating.
    fn is_exemplary(&self) -> bool {
        true
    }
}

/// Starts of games on drawn tasks.
pub fn drawn(games: usize, seed: u64) -> Vec<Start> {
    draws(seed).take(games).collect()
}

/// The same without an end.
pub fn draws(seed: u64) -> impl Iterator<Item = Start> {
    let mut seeds = ChaCha8Rng::seed_from_u64(seed);
    std::iter::repeat_with(move || Start { task: None, seed: seeds.next_u64() })
}

/// Starts of the same number of games on each of `tasks` tasks, in rounds over all of them.
pub fn each_task(tasks: usize, rounds: usize, seed: u64) -> Vec<Start> {
    let mut starts = drawn(tasks * rounds, seed);
    for (index, start) in starts.iter_mut().enumerate() {
        start.task = Some(index % tasks);
    }
    starts
}

/// Plays a game for each start.
pub fn play(
    asker: &mut dyn Asker,
    world: &mut dyn World,
    starts: impl IntoIterator<Item = Start>,
) -> Vec<Game> {
    let name = world.about().name;
    starts.into_iter().map(|start| play_one(asker, world, &name, start)).collect()
}

fn play_one(asker: &mut dyn Asker, world: &mut dyn World, name: &str, start: Start) -> Game {
    let opening = world.start(&start);
    asker.start(start.seed);
    let mut history: Vec<(String, String)> = Vec::new();
    let mut game = Game {
        world: Some(name.to_string()),
        task: start.task.or(world.task()),
        opening: Some(opening.text),
        ..Game::default()
    };
    while game.end.is_none() {
        let question = asker.ask(&history);
        let turn = world.act(&question);
        history.push((question.clone(), turn.reply.clone()));
        game.end = turn.end;
        let exchange = Exchange::new(question, turn.reply, turn.reward);
        let imitate = asker.is_exemplary();
        game.turns.push(Exchange { invalid: turn.invalid, imitate, ..exchange });
    }
    game
}

/// The mean return over games.
///
/// # Panics
/// Where there is no game.
pub fn mean_return(games: &[Game]) -> f64 {
    assert!(!games.is_empty(), "a mean over no games");
    games.iter().map(Game::total_reward).sum::<f64>() / games.len() as f64
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

/// Whether what has this probability happens: `random_bool`, without a panic that writes out a float, whose
/// code a page would have to fetch.
fn happens(chance: &mut ChaCha8Rng, probability: f64) -> bool {
    Bernoulli::new(probability).expect("a probability lies between 0 and 1").sample(chance)
}

#[cfg(test)]
mod tests;
