//! The actor plays: many games of one world, turn by turn, in one batch.
//!
//! The decoder's cache is kept across the turns, because an observation only grows; games that
//! ended leave the batch. Where a world rewrites its text, or a text outgrows the model, the rows
//! are read again from the start.

use std::collections::HashSet;
use std::sync::Arc;

use archer_games::asker::Start;
use archer_games::{Step, VectorEnv, WorldConfig};

use super::evaluate::Outcome;
use crate::algorithms::common::Player;
use crate::algorithms::common::choose::spoken;
use crate::error::Error;
use crate::nn::generate::{Decoder, Utterance};
use crate::parallel;
use crate::rl::metrics::{Metrics, stats_names};
use crate::rl::transition::{Trajectory, Transition};
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;

/// A game in progress.
struct Game {
    /// Its row in the worlds and in the results.
    index: usize,
    observation: String,
    tokens: Arc<[u32]>,
    asked: HashSet<String>,
    task: Option<u32>,
    trajectory: Trajectory,
    rng: ChaCha8Rng,
}

/// Games that are played side by side in one batch.
const BATCH: usize = 64;

/// Plays one game of a world for each start; `gamma` discounts their Monte Carlo returns.
///
/// The tokens of a game are drawn by a generator of its own seed, so a game does not depend on
/// those beside it.
///
/// # Errors
/// If the world cannot be made or the device fails.
pub async fn play(
    player: Player<'_>,
    world: &WorldConfig,
    starts: &[Start],
    gamma: f64,
) -> Result<Vec<Trajectory>, Error> {
    let batch = starts.len().div_ceil(player.threads.max(1)).clamp(1, BATCH);
    let played =
        parallel::map(player.threads, starts.chunks(batch).collect(), |starts| async move {
            let mut worlds = VectorEnv::make(world, starts.len())?;
            play_batch(player, &mut worlds, starts, gamma).await
        })
        .await;
    let batches: Result<Vec<Vec<Trajectory>>, Error> = played.into_iter().collect();
    Ok(batches?.into_iter().flatten().collect())
}

/// Plays one game for each start, all side by side.
async fn play_batch(
    player: Player<'_>,
    worlds: &mut VectorEnv,
    starts: &[Start],
    gamma: f64,
) -> Result<Vec<Trajectory>, Error> {
    let seeds: Vec<u64> = starts.iter().map(|start| start.seed).collect();
    let tasks: Option<Vec<usize>> = starts.iter().map(|start| start.task).collect();
    let observations = match tasks {
        Some(tasks) => worlds.reset_to(&tasks, &seeds),
        None => worlds.reset(&seeds),
    };
    let tasks = worlds.tasks();
    let mut games: Vec<Game> = observations
        .into_iter()
        .zip(&seeds)
        .enumerate()
        .map(|(index, (observation, &seed))| Game {
            index,
            tokens: player.tokenizer.encode(&observation).into(),
            observation,
            asked: HashSet::new(),
            task: tasks[index].map(|task| task as u32),
            trajectory: Trajectory::default(),
            rng: rng::stream(seed, "actor", 0),
        })
        .collect();
    let mut finished: Vec<Option<Trajectory>> = starts.iter().map(|_| None).collect();
    let mut decoder = start_decoder(player, &games);
    while !games.is_empty() {
        let mut rngs: Vec<ChaCha8Rng> = games.iter().map(|game| game.rng.clone()).collect();
        let texts: Vec<&[u32]> = games.iter().map(|game| &*game.tokens).collect();
        let shown: Vec<&str> = games.iter().map(|game| &game.observation[..]).collect();
        let utterances = player.answer(&mut decoder, &texts, &shown, &mut rngs).await?;
        games.iter_mut().zip(rngs).for_each(|(game, rng)| game.rng = rng);
        let said: Vec<String> =
            utterances.iter().map(|utterance| spoken(player.tokenizer, utterance)).collect();
        let mut actions = vec![None; worlds.len()];
        games.iter().zip(&said).for_each(|(game, text)| actions[game.index] = Some(text.as_str()));
        let steps = worlds.step(&actions);

        let (mut pieces, mut stays, mut grows) = (Vec::new(), Vec::new(), true);
        for (row, ((game, utterance), text)) in
            games.iter_mut().zip(utterances).zip(&said).enumerate()
        {
            let step = steps[game.index].as_ref().expect("a running game steps");
            let piece = take_step(player.tokenizer, game, utterance, text, step);
            if step.done() {
                game.trajectory.won = step.won;
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

/// Books an exchange. Returns the tokens that the world's reply added to the text, or `None` where
/// the new text does not simply continue the old.
fn take_step(
    tokenizer: &Tokenizer,
    game: &mut Game,
    utterance: Utterance,
    text: &str,
    step: &Step,
) -> Option<Vec<u32>> {
    let body = utterance.body();
    let whole = tokenizer.decode(body) == text;
    let added =
        step.observation.strip_prefix(&game.observation).and_then(|rest| rest.strip_prefix(text));
    let piece =
        added.filter(|added| whole && !added.is_empty()).map(|added| tokenizer.encode(added));
    let tokens: Arc<[u32]> = match &piece {
        Some(piece) => game.tokens.iter().chain(body).chain(piece).copied().collect(),
        None => tokenizer.encode(&step.observation).into(),
    };
    let trajectory = &mut game.trajectory;
    trajectory.invalid += usize::from(step.invalid);
    trajectory.repeated += usize::from(!game.asked.insert(text.trim().to_lowercase()));
    trajectory.entropy += f64::from(utterance.entropy);
    trajectory.lines.push((text.to_string(), step.reply.clone()));
    trajectory.transitions.push(Transition {
        observation: game.tokens.clone(),
        action: utterance.tokens.into(),
        reward: step.reward,
        next_observation: tokens.clone(),
        terminated: step.terminated,
        truncated: step.truncated,
        mc_return: 0.0,
        log_prob: utterance.log_prob,
        task: game.task,
    });
    game.tokens = tokens;
    game.observation.clone_from(&step.observation);
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
    metrics.push("rollout.questions", utterances / n);
    metrics.push("rollout.invalid_rate", share(outcomes.iter().map(|game| game.invalid).sum()));
    metrics.push("rollout.repeat_rate", share(outcomes.iter().map(|game| game.repeated).sum()));
    metrics.push("rollout.entropy", games.iter().map(|game| game.entropy).sum::<f64>() / tokens);
    metrics
}
