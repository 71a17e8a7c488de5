//! PPO over tokens: every token is an action, and a policy that has moved far enough is held back.
//! Schulman et al., 2017, arXiv:1707.06347.
//!
//! ```text
//! r_t   = 0 within an utterance, the turn's reward at its last token
//! δ_t   = r_t + discount_t V(s_{t+1}) − V(s_t)     gamma from turn to turn, 1 within one
//! A_t   = Σ_k (discount lambda)^k δ_{t+k}          generalised advantage estimate
//! ρ_t   = π(a_t|s_t) / π_old(a_t|s_t)
//! L     = −mean min(ρ_t A_t, clip(ρ_t, 1 ± clip_ratio) A_t) + value_coef · mean (V(s_t) − R_t)²
//! ```
//!
//! with `R_t = A_t + V_old(s_t)`, the advantages shifted and scaled to mean 0 and deviation 1. The
//! games are those of this iteration; `ppo.epochs` passes are made over them, each in
//! `ppo.minibatches` gradient steps. V is a linear layer on the actor's hidden state before a token.
//! Choices that others make differently:
//!
//! 1. The discount is for a turn, as everywhere here, not for a token.
//! 2. `kl_coef` takes the divergence from the first policy off the rewards, token by token.
//! 3. The clip is on the ratio alone, not on the values.
//! 4. A time limit is an end. Where a game outgrows the model, what it brought from there on counts
//!    as the reward of the last turn that fits.
//!
//! Without a critic of utterances there is nothing to warm up: `warmup_iter` does nothing here.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::common::learner::{Context, Experience, Learner};
use super::common::log::{ActorLog, ActorSeen};
use super::common::reading::{SampledGame, games};
use super::common::{Policy, Scored};
use crate::config::Config;
use crate::error::Error;
use crate::nn::params;
use crate::rl::losses::clipped_surrogate;
use crate::rl::metrics::{Metrics, Stats};
use crate::rl::returns::generalised_advantages;
use crate::rl::transition::Transition;
use crate::rng;
use crate::yielding::yield_now;

/// What is kept of each token of a game while the policy moves away from the one that played it.
#[derive(Debug, Clone, PartialEq, Default)]
struct TokenTargets {
    /// Log-probability when played.
    old: Vec<f32>,
    advantage: Vec<f32>,
    /// What its value is to be.
    value: Vec<f32>,
}

/// One iteration's learning.
///
/// # Errors
/// If the device fails, or none of the games fits the actor.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let config = context.config;
    learner.keep_reference(config);
    let mut metrics = Metrics::new();
    let turns = experience.played.iter().flat_map(|game| &game.transitions);
    let games = games::games(turns, context.tokenizer, learner.room(context))?;
    let drawn = games::as_said(games.iter().map(Vec::as_slice), context.tokenizer);
    let targets = old_policy_values(learner, &drawn, context, &mut metrics).await?;

    let mut rng = rng::stream(config.seed, "actor.draw", context.iteration as u64);
    let mut order: Vec<usize> = (0..drawn.len()).collect();
    let mut log = ActorLog::default();
    for _ in 0..config.ppo.epochs {
        rng::shuffle(&mut rng, &mut order);
        for step in order.chunks(order.len().div_ceil(config.ppo.minibatches)) {
            let tokens: usize = step.iter().map(|&game| targets[game].old.len()).sum();
            let turns: usize = step.iter().map(|&game| drawn[game].turns.len()).sum();
            let mut step = step.to_vec();
            step.sort_by_key(|&game| targets[game].old.len());
            let parts: Vec<(Vec<SampledGame<'_>>, Vec<&TokenTargets>)> = step
                .chunks(step.len().div_ceil(turns.div_ceil(config.batch_size)))
                .map(|part| part.iter().map(|&game| (drawn[game].clone(), &targets[game])).unzip())
                .collect();
            if log.grad_norms.is_empty() {
                let played = parts.iter().flat_map(|(games, _)| games);
                log.see_played(played.flat_map(|game| game.turns.iter().copied()));
            }
            learner
                .policy_step(parts, context, &mut log, |policy, (games, targets)| {
                    let (sum, seen) = loss(policy, &games, &targets, config);
                    (sum.div_scalar(tokens as f64), seen)
                })
                .await?;
        }
    }
    log.report(&mut metrics).await?;
    Ok(metrics)
}

/// What the policy as it is now thinks of the games' tokens, and what came of them.
async fn old_policy_values(
    learner: &Learner,
    games: &[SampledGame<'_>],
    context: &Context<'_>,
    metrics: &mut Metrics,
) -> Result<Vec<TokenTargets>, Error> {
    let config = context.config;
    let policy = learner.policy.valid();
    let reference = learner.reference.as_ref().filter(|_| config.kl_coef > 0.0);
    let reference = reference.map(|lm| Policy::new(lm.clone()));
    let size = games.len().div_ceil(games::parts(games, config.batch_size));
    let chunks: Vec<&[SampledGame<'_>]> = games.chunks(size).collect();
    let read = context.workers.map(chunks, |games| async {
        yield_now().await;
        let Scored { log_prob, baseline, .. } = games::score(&policy, games, false);
        let values = baseline.expect("PPO's policy has a layer of values");
        let first = reference.as_ref().map(|first| games::score(first, games, false).log_prob);
        let columns = log_prob.dims()[1];
        let flat = |grid: Tensor<2>| grid.clone().reshape([grid.dims().iter().product::<usize>()]);
        let grids = [log_prob, values].into_iter().chain(first).map(flat).collect();
        Ok::<_, Error>((columns, params::read(grids).await?))
    });
    let (mut targets, mut strayed) = (Vec::with_capacity(games.len()), Vec::new());
    for (games, (columns, read)) in games.chunks(size).zip(read.await?) {
        let mut row = 0;
        for game in games {
            // The tokens of the game's utterances one after another, without the padding.
            let rows = row..row + game.turns.len();
            let tokens = |grid: &Vec<f32>| -> Vec<f32> {
                let of = |(row, turn): (usize, &&Transition)| {
                    grid[row * columns..][..turn.action.len()].to_vec()
                };
                rows.clone().zip(&game.turns).flat_map(of).collect()
            };
            let (old, values) = (tokens(&read[0]), tokens(&read[1]));
            let (mut rewards, discounts) = flow(&game.turns, config.gamma);
            if let Some(first) = read.get(2).map(tokens) {
                let ratios = old.iter().zip(&first).map(|(old, first)| old - first);
                let ratios: Vec<f32> = ratios.collect();
                let penalty = |ratio: &f32| config.kl_coef as f32 * ratio;
                rewards.iter_mut().zip(&ratios).for_each(|(reward, r)| *reward -= penalty(r));
                strayed.push(ratios.iter().sum::<f32>() / game.turns.len() as f32);
            }
            let advantage =
                generalised_advantages(&rewards, &values, &discounts, config.ppo.gae_lambda);
            let value = advantage.iter().zip(&values).map(|(a, v)| a + v).collect();
            targets.push(TokenTargets { old, advantage, value });
            row += game.turns.len();
        }
    }
    if let Some(stats) = Stats::of(&strayed) {
        metrics.push("actor.kl", stats.mean);
    }
    whiten(&mut targets, metrics);
    Ok(targets)
}

/// The rewards of a game token by token, and the discount of the step after each.
fn flow(turns: &[&Transition], gamma: f64) -> (Vec<f32>, Vec<f32>) {
    let (mut rewards, mut discounts) = (Vec::new(), Vec::new());
    for (n, turn) in turns.iter().enumerate() {
        let within = turn.action.len() - 1;
        rewards.extend(std::iter::repeat_n(0.0, within));
        discounts.extend(std::iter::repeat_n(1.0, within));
        // After the last turn that fits nothing follows but what it says itself.
        rewards.push(if n + 1 == turns.len() { turn.mc_return } else { turn.reward });
        discounts.push(gamma as f32);
    }
    (rewards, discounts)
}

/// Shifts and scales the advantages of all tokens to mean 0 and deviation 1.
fn whiten(targets: &mut [TokenTargets], metrics: &mut Metrics) {
    let all: Vec<f32> = targets.iter().flat_map(|game| game.advantage.iter().copied()).collect();
    metrics.push_stats(crate::rl::metrics::stats_names!("advantages"), &all);
    let Some(Stats { mean, std, .. }) = Stats::of(&all) else { return };
    let scale = |a: f32| ((f64::from(a) - mean) / (std + 1e-6)) as f32;
    targets.iter_mut().flat_map(|game| &mut game.advantage).for_each(|a| *a = scale(*a));
}

/// The loss of some games, summed over their tokens, `[1]`, and what it showed.
fn loss(
    policy: &Policy,
    games: &[SampledGame<'_>],
    targets: &[&TokenTargets],
    config: &Config,
) -> (Tensor<1>, ActorSeen) {
    let Scored { log_prob, mask, baseline, entropy } =
        games::score(policy, games, config.entropy_coef > 0.0);
    let device = policy.lm.device().inner();
    let grid = |part: fn(&TokenTargets) -> &Vec<f32>| {
        let columns = mask.dims()[1];
        padded(games, targets.iter().map(|targets| part(targets)), columns, &device).autodiff()
    };
    let (old, advantage, value) = (
        grid(|targets| &targets.old),
        grid(|targets| &targets.advantage),
        grid(|targets| &targets.value),
    );
    let clip = config.ppo.clip_ratio;
    let (surrogate, bound) =
        clipped_surrogate(log_prob.clone(), old, advantage, mask.clone(), clip);
    let values = baseline.expect("PPO's policy has a layer of values");
    let error = ((values - value) * mask).square().sum();
    let tokens = targets.iter().map(|targets| targets.old.len()).sum::<usize>() as f64;
    let seen = ActorSeen {
        log_prob: Some(log_prob.sum_dim(1).squeeze_dim::<1>(1).inner()),
        policy_loss: Some(surrogate.clone().inner().div_scalar(tokens)),
        baseline_loss: Some(error.clone().inner().div_scalar(tokens)),
        clipped: Some(bound.inner().div_scalar(tokens)),
        ..ActorSeen::default()
    };
    let mut total = surrogate + error.mul_scalar(config.ppo.value_coef);
    if let Some(entropy) = entropy {
        total = total - entropy.sum().mul_scalar(config.entropy_coef);
    }
    (total, seen)
}

/// Numbers of the games' tokens as a grid with a row for each utterance, `[utterances, columns]`.
fn padded<'a>(
    games: &[SampledGame<'_>],
    numbers: impl Iterator<Item = &'a Vec<f32>>,
    columns: usize,
    device: &Device,
) -> Tensor<2> {
    let mut grid = Vec::new();
    for (game, mut numbers) in games.iter().zip(numbers.map(|numbers| &numbers[..])) {
        for turn in &game.turns {
            let (said, rest) = numbers.split_at(turn.action.len());
            grid.extend_from_slice(said);
            grid.resize(grid.len() + columns - said.len(), 0.0);
            numbers = rest;
        }
    }
    let rows = grid.len() / columns;
    Tensor::from_data(TensorData::new(grid, [rows, columns]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tokenizer;

    fn turn(tokens: usize, reward: f32, mc_return: f32) -> Transition {
        let text: std::sync::Arc<[u32]> = vec![1; tokens].into();
        Transition {
            observation: text.clone().into(),
            action: text.clone(),
            reward,
            next_observation: text.into(),
            terminated: false,
            truncated: false,
            mc_return,
            log_prob: 0.0,
            choices: None,
            task: None,
        }
    }

    /// Two tokens, then one; the second turn was not the game's last.
    #[test]
    fn a_turn_is_paid_at_its_last_token_and_discounted_once() {
        let (first, second) = (turn(2, -1.0, -3.0), turn(1, -1.0, -2.5));
        let (rewards, discounts) = flow(&[&first, &second], 0.5);
        assert_eq!(rewards, [0.0, -1.0, -2.5]);
        assert_eq!(discounts, [1.0, 0.5, 0.5]);
    }

    #[test]
    fn numbers_of_tokens_stand_where_their_utterances_do() {
        let turns = [turn(2, 0.0, 0.0), turn(1, 0.0, 0.0)];
        let turns: Vec<&Transition> = turns.iter().collect();
        let tokenizer = Tokenizer::train(["a\n".to_string()].into_iter(), 261, 8).unwrap();
        let game = SampledGame::new(&turns, Vec::new(), &tokenizer);
        let grid = padded(&[game], [vec![1.0, 2.0, 3.0]].iter(), 3, &Device::flex());
        let grid: Vec<f32> = grid.into_data().iter::<f32>().collect();
        assert_eq!(grid, [1.0, 2.0, 0.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn advantages_are_centred_over_all_games() {
        let targets = |advantage: &[f32]| TokenTargets {
            advantage: advantage.to_vec(),
            ..TokenTargets::default()
        };
        let mut all = [targets(&[1.0, 3.0]), targets(&[5.0])];
        whiten(&mut all, &mut Metrics::new());
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near(&all[0].advantage, &[-1.0, 0.0]) && near(&all[1].advantage, &[1.0]));
    }
}
