//! CHAI: the actor stays as imitation left it, and a critic chooses among what it would say.
//! Verma et al., NAACL 2022, arXiv:2204.08426; online as in the comparison of arXiv:2402.19446.
//!
//! ```text
//! π(s)  = argmax_k min(Q_1, Q_2)(s, a_k)           a_1 … a_K ~ π_0(·|s), the first policy
//! L_Qi, L_Vi as ArCHer's, the action of V's target being π's
//! ```
//!
//! The choosing is [`super::common::choose`], for games that are played to learn, for evaluations and
//! for the model folder alike; how many utterances are drawn is `chai.samples`. Departures from the
//! reference code (`docs/differences.md`):
//!
//! 1. Who plays asks the online critic, which a model folder holds; V's target asks the target critic,
//!    as there. The target lags by some ten of the steps of which an iteration has fifty.
//! 2. A greedy evaluation draws its utterances as in training. There it takes the likeliest five
//!    times, so that nothing is left to choose.
//! 3. What is said ends with its terminator alone; there an end of line stays in the text.

use super::common::critic::ValueTarget;
use super::common::learner::{Context, Experience, Learner};
use super::common::reading::CriticValues;
use crate::error::Error;
use crate::nn::critic::Critic;
use crate::nn::optim::polyak;
use crate::rl::losses::{CriticLosses, bellman_targets, squared_errors};
use crate::rl::metrics::Metrics;

/// One iteration's learning: the critic's steps alone.
///
/// # Errors
/// If the device fails.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let (config, replay) = (context.config, experience.replay);
    let mut metrics = Metrics::new();
    let best = ValueTarget::BestOf(config.chai.samples);
    let losses = |CriticValues { r, not_done, q, v, target_q, target_v }: CriticValues| {
        let y = bellman_targets(r, not_done, config.gamma, target_v);
        let (q, v) = (squared_errors(q, y.clone()), squared_errors(v, target_q));
        (y, CriticLosses { q, v })
    };
    let update = |target: Critic, online: &Critic| polyak(target, online, config.tau);
    learner.critic_phase(experience, best, context, &mut metrics, losses, update).await?;
    metrics.push("replay.size", replay.len() as f64);
    Ok(metrics)
}
