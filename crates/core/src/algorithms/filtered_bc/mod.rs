//! Filtered behaviour cloning: play, keep the best games, imitate them.
//!
//! ```text
//! B   = the best `filtered_bc.share` of the remembered games by return
//! L_π = −mean log π(a|s)                            (s, a) uniform from the games of B
//! ```
//!
//! Nothing is learned in the warm-up, in which games are gathered. Departures from the reference code
//! (`docs/differences.md`):
//!
//! 1. Exactly that share is kept, rounded up, and of equally good games the newest. There the bar is
//!    a quantile that all games at it pass: where nine in ten games fail, everything is imitated.
//! 2. Games are those in the replay buffer; there, all that were ever played.
//! 3. The terminator is imitated with the utterance.

use super::common::actor::Weights;
use super::common::critic::column;
use super::common::learner::{Context, Experience, Learner};
use super::common::log::ActorLog;
use super::common::reading::{SampledGame, games, transitions};
use crate::error::Error;
use crate::rl::metrics::Metrics;
use crate::rl::transition::{Transition, total_reward};
use crate::rng;

/// One iteration's learning: the actor's steps, after the warm-up.
///
/// # Errors
/// If the device fails, or none of the best games fits the actor.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let config = context.config;
    let mut metrics = Metrics::new();
    metrics.push("replay.size", experience.replay.len() as f64);
    let (kept, bar) = best(experience.replay.games(), config.filtered_bc.share);
    metrics.push("filter.games", kept.len() as f64);
    if let Some(bar) = bar {
        metrics.push("filter.return", bar);
    }
    if context.warms_up() {
        return Ok(metrics);
    }
    if kept.is_empty() {
        return Err(Error::Config(format!(
            "capacity = {} holds no whole game to imitate: raise it",
            config.capacity
        )));
    }
    let turns = kept.iter().flatten().copied();
    let games = games::games(turns, context.tokenizer, learner.room(context))?;
    let mut rng = rng::stream(config.seed, "actor.draw", context.iteration as u64);
    let device = learner.policy.lm.device().inner();
    let mut log = ActorLog::default();
    for _ in 0..config.actor_epochs {
        let drawn = games::draw_as_said(&games, context, &mut rng);
        let parts = games::micro_batches(&drawn, config.grad_accum_steps);
        let equally = |part: &Vec<SampledGame<'_>>| Weights {
            weight: column(vec![1.0; transitions(part)], &device),
            advantage: None,
        };
        learner.imitate(parts, context, &mut log, equally, games::score_plainly).await?;
    }
    log.report(&mut metrics).await?;
    Ok(metrics)
}

/// The best `share` of some games, given from the oldest to the newest, and the least return among
/// them. At least one game is kept where there is any.
fn best(games: Vec<Vec<&Transition>>, share: f64) -> (Vec<Vec<&Transition>>, Option<f64>) {
    let count = (share * games.len() as f64).ceil() as usize;
    let mut ranked: Vec<(f64, Vec<&Transition>)> =
        games.into_iter().rev().map(|game| (total_reward(game.iter().copied()), game)).collect();
    // Stable, so that the newest of equals comes first.
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranked.truncate(count);
    let bar = ranked.last().map(|(value, _)| *value);
    (ranked.into_iter().map(|(_, game)| game).collect(), bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(n: u32, reward: f32) -> Transition {
        let tokens: std::sync::Arc<[u32]> = [n].into();
        Transition {
            observation: tokens.clone().into(),
            action: tokens.clone(),
            reward,
            next_observation: tokens.into(),
            terminated: true,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
        }
    }

    fn kept(returns: &[f32], share: f64) -> (Vec<u32>, f64) {
        let turns: Vec<Transition> = (0..).zip(returns).map(|(n, &r)| turn(n, r)).collect();
        let (games, bar) = best(turns.iter().map(|turn| vec![turn]).collect(), share);
        (games.iter().map(|game| game[0].action[0]).collect(), bar.unwrap())
    }

    #[test]
    fn the_best_are_kept_and_of_equals_the_newest() {
        assert_eq!(kept(&[-3.0, -1.0, -2.0, -1.0], 0.5), (vec![3, 1], -1.0));
        assert_eq!(kept(&[-3.0, -1.0, -2.0, -1.0], 0.75), (vec![3, 1, 2], -2.0));
        assert_eq!(kept(&[-5.0], 0.1), (vec![0], -5.0));
    }

    /// The fault of the reference: where most games have the least return there is, a quantile
    /// keeps them all.
    #[test]
    fn games_that_all_failed_do_not_all_pass() {
        let mut returns = [-20.0; 100];
        returns[7] = -4.0;
        let (games, bar) = kept(&returns, 0.1);
        assert_eq!((games.len(), games[0], games[1], bar), (10, 7, 99, -20.0));
    }
}
