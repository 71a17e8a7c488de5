//! The actor plays: many games of one world, turn by turn, in one batch.
//!
//! The decoder's cache is kept across the turns while texts only grow; games that ended leave the
//! batch. Where a text loses its beginning, or outgrows the model, the rows are read again from the
//! start.

use std::sync::Arc;

use archer_world::contract::Checked;
use archer_world::record::Game as Record;
use archer_world::{Batch, End, Said, Start, Transcript, Turn, Worlds};

use super::evaluate::Outcome;
use crate::algorithms::common::Player;
use crate::algorithms::common::choose::spoken;
use crate::choices::{Trie, Tries};
use crate::error::Error;
use crate::nn::generate::{Decoder, Utterance};
use crate::parallel;
use crate::ranks::Workers;
use crate::rl::metrics::{Metrics, stats_names};
#[cfg(not(target_family = "wasm"))]
use crate::rl::sent::share_choices;
use crate::rl::transition::{Trajectory, Transition};
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;

/// A game in progress.
struct Game {
    /// Its place in the batch and in the results.
    index: usize,
    transcript: Transcript,
    /// The text that the agent reads now.
    tokens: Arc<[u32]>,
    /// What can be said now, where the world lists it.
    choices: Option<Arc<Trie>>,
    task: Option<u32>,
    trajectory: Trajectory,
    rng: ChaCha8Rng,
}

/// Games that are played side by side in one batch.
const BATCH: usize = 64;

/// How games are cut into batches: games in a batch, and batches that may be played at once.
///
/// Where threads can share the work (`shared`), there are several batches for them, and as large ones as
/// that leaves: a large batch is played faster. A device sums a row in another order where its
/// neighbours are others, so which games stand beside each other does not hang on the number of
/// threads. `capacity` is the most games that the world plays at once.
pub(crate) fn batches(games: usize, capacity: Option<usize>, shared: bool) -> (usize, usize) {
    let batch = match shared {
        true => games.div_ceil(2).min(BATCH / 2).max(games.div_ceil(4).min(BATCH)),
        false => games.min(BATCH),
    };
    let batch = batch.max(1);
    match capacity.map(|most| most.max(1)) {
        None => (batch, usize::MAX),
        Some(most) => {
            let batch = batch.min(if shared { most.div_ceil(2) } else { most });
            (batch, most / batch)
        }
    }
}

/// Plays one game of a world for each start; `gamma` discounts their Monte Carlo returns.
///
/// The tokens of a game are drawn by a generator of its own seed, so a game does not depend on
/// those beside it.
///
/// # Errors
/// If the world breaks its contract or cannot be reached, or the device fails.
pub async fn play(
    player: Player<'_>,
    worlds: &dyn Worlds,
    starts: &[Start],
    gamma: f64,
) -> Result<Vec<Trajectory>, Error> {
    let own = play_own(player, worlds, starts, gamma).await;
    of_all(player.workers, own)
}

/// The games of all ranks, in the order of the games.
pub(crate) fn of_all(
    workers: Workers<'_>,
    own: Result<Vec<Vec<Trajectory>>, Error>,
) -> Result<Vec<Trajectory>, Error> {
    #[cfg_attr(target_family = "wasm", allow(unused_mut))]
    let mut games: Vec<Trajectory> = workers.all(own)?.into_iter().flatten().collect();
    #[cfg(not(target_family = "wasm"))]
    if workers.ranks.is_some() {
        share_choices(&mut games);
    }
    Ok(games)
}

/// The same of this rank's share of the games, in batches.
pub(crate) async fn play_own(
    player: Player<'_>,
    worlds: &dyn Worlds,
    starts: &[Start],
    gamma: f64,
) -> Result<Vec<Vec<Trajectory>>, Error> {
    let shared = parallel::shares(&player.actor.device());
    let (batch, at_once) = batches(starts.len(), worlds.capacity(), shared);
    let workers = Workers { threads: player.workers.threads.clamp(1, at_once), ..player.workers };
    let batches: Vec<&[Start]> = starts.chunks(batch).collect();
    // Within a batch nothing is asked of other ranks, which play their own.
    let player = Player { workers: Workers::threads(workers.threads), ..player };
    let played = workers.own(batches, |starts| async move {
        let mut batch = Checked::open(worlds, starts.len()).await?;
        play_batch(player, worlds, &mut batch, starts, gamma).await
    });
    played.await
}

/// Plays one game of a world for each start, and gives them as text.
///
/// # Errors
/// As [`play`].
pub async fn records(
    player: Player<'_>,
    worlds: &dyn Worlds,
    starts: &[Start],
) -> Result<Vec<Record>, Error> {
    let played = play(player, worlds, starts, 1.0).await?;
    let world = &worlds.about().name;
    Ok(played.iter().map(|game| record(game, world, player.tokenizer)).collect())
}

/// A finished game of the world of this name as text, with what could be said where it was listed.
pub fn record(game: &Trajectory, world: &str, tokenizer: &Tokenizer) -> Record {
    let listed = |turn: &Transition| turn.choices.as_ref().map(|trie| trie.texts(tokenizer));
    let mut turns = game.exchanges();
    for (turn, next) in turns.iter_mut().zip(game.transitions.iter().skip(1)) {
        turn.choices = listed(next);
    }
    Record {
        world: Some(world.to_string()),
        task: game.transitions.last().and_then(|turn| turn.task.map(|task| task as usize)),
        opening: game.opening.clone(),
        choices: game.transitions.first().and_then(listed),
        turns,
        end: game.end(),
    }
}

/// Plays one game for each start, all side by side.
async fn play_batch(
    player: Player<'_>,
    worlds: &dyn Worlds,
    batch: &mut Checked,
    starts: &[Start],
    gamma: f64,
) -> Result<Vec<Trajectory>, Error> {
    let about = worlds.about();
    let openings = batch.start(starts).await?;
    let (mut tries, limit) = (Tries::default(), player.layout.max_new_tokens);
    let mut games = Vec::with_capacity(starts.len());
    for (index, (opening, start)) in openings.into_iter().zip(starts).enumerate() {
        let told = opening.text.clone();
        let style = player.style.unwrap_or(&about.style).clone();
        let transcript = Transcript::new(style, about.memory, opening.text);
        games.push(Game {
            index,
            tokens: player.tokenizer.encode_observation(&transcript.text()).into(),
            choices: tries.of(opening.choices.as_ref(), player.tokenizer, limit)?,
            task: batch.task(index).map(|task| task as u32),
            trajectory: Trajectory { opening: Some(told), ..Trajectory::default() },
            transcript,
            rng: rng::stream(start.seed, "actor", 0),
        });
    }
    let mut finished: Vec<Option<Trajectory>> = starts.iter().map(|_| None).collect();
    let mut decoder = start_decoder(player, &games);
    while !games.is_empty() {
        let mut rngs: Vec<ChaCha8Rng> = games.iter().map(|game| game.rng.clone()).collect();
        let texts: Vec<&[u32]> = games.iter().map(|game| &*game.tokens).collect();
        let before: Vec<&Transcript> = games.iter().map(|game| &game.transcript).collect();
        let choices: Vec<_> = games.iter().map(|game| game.choices.as_deref()).collect();
        let utterances = player.answer(&mut decoder, &texts, &before, &choices, &mut rngs).await?;
        games.iter_mut().zip(rngs).for_each(|(game, rng)| game.rng = rng);
        let spoken: Vec<String> =
            utterances.iter().map(|utterance| spoken(player.tokenizer, utterance)).collect();
        let said: Vec<Said<'_>> =
            games.iter().zip(&spoken).map(|(game, text)| Said { game: game.index, text }).collect();
        let turns = batch.act(&said).await?;

        let (mut pieces, mut stays, mut grows) = (Vec::new(), Vec::new(), true);
        for (row, (((game, utterance), text), turn)) in
            games.iter_mut().zip(utterances).zip(&spoken).zip(turns).enumerate()
        {
            let end = turn.end;
            let next = match end {
                Some(_) => None,
                None => tries.of(turn.choices.as_ref(), player.tokenizer, limit)?,
            };
            let piece = take_turn(player.tokenizer, game, utterance, text, turn);
            game.choices = next;
            if let Some(end) = end {
                game.trajectory.won = end == End::Won;
                game.trajectory.close(gamma);
                finished[game.index] = Some(std::mem::take(&mut game.trajectory));
            } else {
                stays.push(row);
                grows &= piece.is_some() && game.tokens.len() <= player.layout.observation_limit;
                pieces.push(piece.unwrap_or_default());
            }
        }
        games.retain(|game| finished[game.index].is_none());
        if games.is_empty() {
            break;
        }
        if grows {
            decoder.keep(&stays);
            decoder.read(&pieces);
        } else {
            decoder = start_decoder(player, &games);
        }
    }
    Ok(finished.into_iter().map(|trajectory| trajectory.expect("every game ends")).collect())
}

fn start_decoder<'a>(player: Player<'a>, games: &[Game]) -> Decoder<'a> {
    let pieces: Vec<Vec<u32>> =
        games.iter().map(|game| player.layout.observation(&game.tokens).to_vec()).collect();
    let mut decoder = Decoder::new(player.actor, games.len());
    decoder.read(&pieces);
    decoder
}

/// Books an exchange. Returns the tokens that the reply adds to the text after the utterance, or
/// `None` where the new text does not simply continue the old.
fn take_turn(
    tokenizer: &Tokenizer,
    game: &mut Game,
    utterance: Utterance,
    text: &str,
    turn: Turn,
) -> Option<Vec<u32>> {
    let body = utterance.body();
    let repeated = game.transcript.said_before(text);
    let piece = game.transcript.grows().then(|| {
        // The token that ended the utterance may have brought the last of its text with it.
        let tail = text.strip_prefix(&tokenizer.decode(body)).unwrap_or_default();
        tokenizer.encode(&format!("{tail}{}", game.transcript.style().reply(&turn.reply)))
    });
    game.transcript.push(text, &turn.reply);
    let tokens: Arc<[u32]> = match &piece {
        Some(piece) => game.tokens.iter().chain(body).chain(piece).copied().collect(),
        None => tokenizer.encode_observation(&game.transcript.text()).into(),
    };
    let trajectory = &mut game.trajectory;
    trajectory.invalid += usize::from(turn.invalid);
    trajectory.repeated += usize::from(repeated);
    trajectory.entropy += f64::from(utterance.entropy);
    trajectory.lines.push((text.to_string(), turn.reply));
    trajectory.transitions.push(Transition {
        observation: game.tokens.clone().into(),
        action: utterance.tokens.into(),
        reward: turn.reward,
        next_observation: tokens.clone().into(),
        terminated: matches!(turn.end, Some(End::Won | End::Over)),
        truncated: turn.end == Some(End::Cut),
        mc_return: 0.0,
        log_prob: utterance.log_prob,
        choices: game.choices.clone(),
        task: game.task,
    });
    game.tokens = tokens;
    piece
}

/// What some games of an iteration tell; nothing of none.
pub(crate) fn metrics(games: &[Trajectory]) -> Metrics {
    if games.is_empty() {
        return Metrics::new();
    }
    let outcomes: Vec<Outcome> = games.iter().map(Outcome::from).collect();
    let n = outcomes.len() as f64;
    let utterances = outcomes.iter().map(|game| game.turns).sum::<usize>().max(1) as f64;
    let tokens = games.iter().map(Trajectory::action_tokens).sum::<usize>().max(1) as f64;
    let returns: Vec<f32> = outcomes.iter().map(|game| game.total_reward as f32).collect();
    let share = |count: usize| count as f64 / utterances;
    let mut metrics = Metrics::new();
    metrics.push_stats(stats_names!("rollout.return"), &returns);
    metrics.push("rollout.win_rate", outcomes.iter().filter(|game| game.won).count() as f64 / n);
    metrics.push("rollout.turns", utterances / n);
    metrics.push("rollout.invalid_rate", share(outcomes.iter().map(|game| game.invalid).sum()));
    metrics.push("rollout.repeat_rate", share(outcomes.iter().map(|game| game.repeated).sum()));
    metrics.push("rollout.entropy", games.iter().map(|game| game.entropy).sum::<f64>() / tokens);
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn games_are_cut_into_batches_whatever_the_number_of_threads() {
        assert_eq!(batches(1, None, true), (1, usize::MAX));
        for (games, batch) in [(0, 1), (32, 16), (64, 32), (128, 32), (200, 50), (256, 64)] {
            assert_eq!(batches(games, None, true), (batch, usize::MAX), "{games}");
        }
        assert_eq!(batches(1000, None, true), (64, usize::MAX));
        assert_eq!(batches(64, None, false), (64, usize::MAX));
        // Never more games at once than the world can play.
        for (capacity, cut) in [(0, (1, 1)), (1, (1, 1)), (5, (3, 1)), (16, (8, 2)), (200, (32, 6))]
        {
            assert_eq!(batches(64, Some(capacity), true), cut, "{capacity}");
        }
        assert_eq!(batches(64, Some(16), false), (16, 1));
    }
}
