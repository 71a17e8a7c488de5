//! REINFORCE: what followed an utterance in the game in which it was said is what it is worth.
//! Williams, 1992.
//!
//! ```text
//! G_t = Σ_k gamma^k r_{t+k}                        to the end of the game
//! L_π = −mean log π(a_t|s_t) (G_t − b)
//! ```
//!
//! The games are those of this iteration, all in one gradient step: after it the policy is another,
//! and they are no longer its own. The baseline b is
//!
//! - 0 by default,
//! - the mean over a step, and its deviation the unit, with `normalize_advantage`,
//! - learned, a linear layer on the actor's hidden state before each token, with `level = "token"`.
//!
//! Without a critic there is nothing to warm up: `warmup_iter` does nothing here, nor does
//! `actor_epochs`.

use super::common::actor::PolicyGradient;
use super::common::critic::column;
use super::common::learner::{Context, Experience, Learner};
use super::common::log::ActorLog;
use super::common::reading::{SampledGame, games, turns};
use super::common::{Policy, Scored};
use crate::error::Error;
use crate::rl::metrics::Metrics;

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
    let played = experience.played.iter().flat_map(|game| &game.transitions);
    let games = games::games(played, context.tokenizer, learner.room(context))?;
    let drawn = games::as_said(games.iter().map(Vec::as_slice), context.tokenizer);
    let parts = games::micro_batches(&drawn, games::parts(&drawn, config.batch_size));
    let (mut log, mut metrics) = (ActorLog::default(), Metrics::new());
    log.see_played(parts.iter().flat_map(|part| turns(part)));
    let device = learner.policy.lm.device().inner();
    let rule = PolicyGradient {
        samples: 1,
        advantage: |part: &Vec<SampledGame<'_>>| {
            column(turns(part).map(|turn| turn.mc_return).collect(), &device)
        },
        score: |policy: &Policy, part: &Vec<SampledGame<'_>>| {
            games::score(policy, part, config.entropy_coef > 0.0)
        },
        loss: |scored: &Scored, a| scored.policy_loss(config.level, a),
    };
    learner.actor_step(parts, rule, context, &mut log).await?;
    log.report(&mut metrics).await?;
    Ok(metrics)
}
