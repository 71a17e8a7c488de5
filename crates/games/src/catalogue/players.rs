//! Scripted players, and games played by them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use archer_world::{Choices, Exchange, Game, Said, Start, Transcript, WorldError, Worlds};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::settings::unusable;

/// A scripted player. It sees what an agent sees, and the whole of its game.
pub trait Player: Send {
    /// Begins a game; `seed` draws whatever the player leaves to chance.
    fn start(&mut self, seed: u64);

    /// The next utterance after what was said so far; `choices` are what can be said now, where the
    /// world lists it.
    fn say(&mut self, game: &Transcript, choices: Option<&Choices>) -> String;
}

/// Says any of the choices, each as likely.
#[derive(Debug)]
pub struct RandomPlayer {
    chance: ChaCha8Rng,
    /// What is drawn from where no choices are listed.
    otherwise: Choices,
}

impl RandomPlayer {
    /// The player that draws among these where the world lists no choices.
    pub fn among(otherwise: Choices) -> Self {
        Self { chance: player_chance(0), otherwise }
    }

    /// The player of a world that lists choices, or does not.
    ///
    /// # Errors
    /// If it does not: there is nothing to draw from.
    pub fn boxed(world: &str, choices: bool) -> Result<Box<dyn Player>, WorldError> {
        match choices {
            true => Ok(Box::new(RandomPlayer::among(Choices::new()))),
            false => {
                let why = "the player random draws among the choices, and there are none";
                Err(unusable(world, "choices", false, why))
            }
        }
    }
}

impl Player for RandomPlayer {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed);
    }

    /// # Panics
    /// If no choices are listed and there is nothing to draw from otherwise.
    fn say(&mut self, _: &Transcript, choices: Option<&Choices>) -> String {
        let choices = choices.unwrap_or(&self.otherwise);
        choices[draw(&mut self.chance, choices.len())].clone()
    }
}

/// A world's generator for the game of this seed.
pub(crate) fn world_chance(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A player's generator for the game of this seed. The world draws from the same seed; another
/// stream keeps the player from drawing the numbers that chose the task.
pub(crate) fn player_chance(seed: u64) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(1);
    chance
}

/// A number below `count`, each as likely. The width is fixed, so that 32-bit systems draw the same.
pub(crate) fn draw(chance: &mut ChaCha8Rng, count: usize) -> usize {
    chance.random_range(0..count as u32) as usize
}

/// Plays a game for each start; the seed of a start is the player's as well.
///
/// # Errors
/// If a world fails, or keeps its player waiting: only worlds that answer at once can be played here.
pub fn play(
    worlds: &dyn Worlds,
    player: &mut dyn Player,
    starts: &[Start],
) -> Result<Vec<Game>, WorldError> {
    at_once(async {
        let mut games = Vec::with_capacity(starts.len());
        for start in starts {
            games.push(play_one(worlds, player, start).await?);
        }
        Ok(games)
    })
}

/// The result of a future that never waits.
fn at_once<T>(future: impl Future<Output = Result<T, WorldError>>) -> Result<T, WorldError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(WorldError::Lost(
            "a world that waits cannot be played by a scripted player: play a world that is built in"
                .into(),
        )),
    }
}

async fn play_one(
    worlds: &dyn Worlds,
    player: &mut dyn Player,
    start: &Start,
) -> Result<Game, WorldError> {
    let about = worlds.about();
    let mut batch = worlds.open(1).await?;
    let opening = batch.start(&[*start]).await?.remove(0);
    player.start(start.seed);
    let mut transcript = Transcript::new(about.style.clone(), about.memory, opening.text.clone());
    let mut choices = opening.choices.clone();
    let mut game = Game {
        world: Some(about.name.clone()),
        task: batch.task(0),
        choices: opening.choices,
        opening: Some(opening.text),
        ..Game::default()
    };
    while game.end.is_none() {
        let said = player.say(&transcript, choices.as_ref());
        let turn = batch.act(&[Said { game: 0, text: &said }]).await?.remove(0);
        transcript.push(said.clone(), turn.reply.clone());
        choices.clone_from(&turn.choices);
        game.end = turn.end;
        game.turns.push(Exchange {
            invalid: turn.invalid,
            choices: turn.choices,
            ..Exchange::new(said, turn.reply, turn.reward)
        });
    }
    Ok(game)
}

/// The mean return over games.
///
/// # Panics
/// Where there is no game.
pub fn mean_return(games: &[Game]) -> f64 {
    assert!(!games.is_empty(), "a mean over no games");
    games.iter().map(Game::total_reward).sum::<f64>() / games.len() as f64
}
