//! Offline ArCHer: from games that others played, without playing.
//! Section 5.3 of arXiv:2402.19446: the critic of IQL (arXiv:2110.06169), the actor of
//! advantage-weighted regression (arXiv:1910.00177).
//!
//! ```text
//! y_i   = r + gamma (1 − done) V'_i(s')
//! L_Qi  = mean (Q_i(s, a) − y_i)²
//! L_Vi  = mean |expectile − 1{Q'_i(s, a) < V_i(s)}| (Q'_i(s, a) − V_i(s))²
//! A     = min(Q_1, Q_2)(s, a) − min(V_1, V_2)(s)   of the online critic
//! L_π   = −mean exp(beta A) log π(a|s)
//! ```
//!
//! All actions are those of the data; nothing is sampled. Departures from the reference code
//! (`docs/differences.md`):
//!
//! 1. An iteration has `epochs` steps of the critic, then `actor_epochs` of the actor; there the two
//!    take turns.
//! 2. The weight is bounded (`iql.max_weight`), as IQL bounds it; there it is not.
//! 3. Who learns has been warmed up by imitation as in every other run; the file comes after it.

use burn::module::Module;

use super::common::actor::Weights;
use super::common::critic::ValueTarget;
use super::common::learner::{Context, Experience, Learner};
use super::common::log::ActorLog;
use super::common::reading::{CriticValues, SampledGame, fresh_values, games};
use crate::error::Error;
use crate::nn::critic::Critic;
use crate::nn::optim::polyak;
use crate::rl::losses::{
    CriticLosses, advantage, advantage_weight, bellman_targets, expectile_errors, squared_errors,
};
use crate::rl::metrics::Metrics;
use crate::rng;

/// One iteration's learning: the critic's steps and, after the warm-up, the actor's.
///
/// # Errors
/// If the device fails, or none of the games fits the networks.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let (config, replay) = (context.config, experience.replay);
    let mut metrics = Metrics::new();
    let losses = |CriticValues { r, not_done, q, v, target_q, target_v }: CriticValues| {
        let y = bellman_targets(r, not_done, config.gamma, target_v);
        let q = squared_errors(q, y.clone());
        let v = expectile_errors(v, target_q, config.iql.expectile);
        (y, CriticLosses { q, v })
    };
    let update = |target: Critic, online: &Critic| polyak(target, online, config.tau);
    let said = ValueTarget::Said;
    learner.critic_phase(experience, said, context, &mut metrics, losses, update).await?;
    if !context.warms_up() {
        actor_phase(learner, experience, context, &mut metrics).await?;
    }
    metrics.push("replay.size", replay.len() as f64);
    Ok(metrics)
}

async fn actor_phase(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
    metrics: &mut Metrics,
) -> Result<(), Error> {
    let config = context.config;
    let critic = learner.critics().online.valid();
    let turns = experience.replay.iter();
    let games = games::games(turns, context.tokenizer, learner.room(context))?;
    let mut rng = rng::stream(config.seed, "actor.draw", context.iteration as u64);
    let mut log = ActorLog::default();
    let weigh = |part: &Vec<SampledGame<'_>>| {
        let (q, v) = fresh_values(&critic, part, context);
        let a = advantage(q, v);
        Weights {
            weight: advantage_weight(a.clone(), config.iql.beta, config.iql.max_weight),
            advantage: Some(a),
        }
    };
    for _ in 0..config.actor_epochs {
        let drawn = games::draw_as_said(&games, context, &mut rng);
        let parts = games::micro_batches(&drawn, config.grad_accum_steps);
        learner.imitate(parts, context, &mut log, weigh, games::score_plainly).await?;
    }
    log.report(metrics).await
}
