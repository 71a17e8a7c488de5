//! ArCHer: an off-policy critic over utterances, a policy gradient over the tokens inside each.
//! Zhou et al., ICML 2024, arXiv:2402.19446.
//!
//! ```text
//! y_i   = r + gamma (1 − done) V'_i(s')            targets of the target critic, i = 1, 2
//! L_Qi  = mean (Q_i(s, a) − y_i)²
//! L_Vi  = mean (V_i(s) − Q'_i(s, a'))²             a' ~ π(·|s), freshly sampled
//! target ← (1 − tau) target + tau online           after each critic step
//! A     = min(Q_1, Q_2)(s, a) − min(V_1, V_2)(s)   a ~ π(·|s), freshly sampled
//! L_π   = −mean log π(a|s) A                       or its token-level form
//! ```
//!
//! An iteration is: games into the replay buffer, `epochs` critic steps, and after the warm-up
//! `actor_epochs` actor steps, each on `batch_size × grad_accum_steps` uniform draws. Departures
//! from the reference code (`docs/differences.md`):
//!
//! 1. Log-probabilities are of the sampled ids at their true positions, with the terminator.
//! 2. Gradients of micro-batches are averaged, and clipped over one network at a time.
//! 3. The fresh actions of a whole critic phase are sampled at once: the actor stands still in it.
//! 4. A time limit may be bootstrapped past (`bootstrap_truncated`); by default it is an end.
//! 5. While the actor stands still (warm-up) the critic may learn Monte Carlo returns
//!    (`warmup_targets`); by default it does not.
//! 6. A penalty may hold the actor near the policy it began with (`kl_coef`); by default there is
//!    none.
//! 7. Equal states and actions within a micro-batch are encoded once.
//! 8. Several fresh actions may be drawn at a state (`actor_samples`, `critic_samples`), and those of
//!    the actor measured against each other instead of against V (`advantage_baseline`).
//! 9. What is learned from may be shaped: paid for what answers tell (`shaping_coef`,
//!    `shaping_form`), fined for repeated utterances (`repeat_penalty`).
//! 10. Who plays may try again where an utterance was said before in its game (`utterance_tries`).
//! 11. Advantages may be normalised (`normalize_advantage`); the actor's loss may have an entropy
//!     bonus (`entropy_coef`), the critic's a part for foreseeing replies (`reply_coef`).
//! 12. Between its own steps the policy may take some on the game's task ([`super::common::auxiliary`]).
//! 13. Games of a demonstrator may be learned from beside the run's own ([`crate::config::PriorConfig`]).
//! 14. Games may be played by the policy of some iterations before (`play_lag`).
//!
//! All of 8 to 14 are off by default.
//!
//! `critic_losses`, `critic_phase` and `actor_phase` below are these lines as code. The
//! functions they call are in [`crate::rl::losses`]; the gradient step is [`super::common::step`].

use burn::module::Module;

#[cfg(feature = "baselines")]
pub mod compat;
#[cfg(feature = "baselines")]
pub mod parts;

use super::common::actor::PolicyGradient;
use super::common::critic::ValueTarget;
use super::common::learner::{Context, Experience, Learner};
use super::common::log::ActorLog;
use super::common::reading::{CriticValues, Reading, SampledGame, fresh_values};
use super::common::{Policy, Scored};
use crate::config::{Level, Numerics};
use crate::error::Error;
use crate::nn::critic::Critic;
use crate::nn::optim::polyak;
use crate::rl::losses::{
    CriticLosses, Pair, advantage, bellman_targets, policy_loss, squared_errors,
};
use crate::rl::metrics::Metrics;
use crate::rng;

/// One iteration's learning: the critic's steps and, after the warm-up, the actor's.
///
/// # Errors
/// If the device fails.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let replay = experience.replay;
    if context.config.numerics == Numerics::Compat {
        #[cfg(feature = "baselines")]
        return learner.learn_compat(replay, context).await;
        #[cfg(not(feature = "baselines"))]
        return Err(Error::Config(
            "numerics = \"compat\" is not part of this build: go on with this run in the terminal"
                .into(),
        ));
    }
    learner.keep_reference(context.config);
    let mut metrics = Metrics::new();
    critic_phase(learner, experience, context, &mut metrics).await?;
    if !context.warms_up() {
        actor_phase(learner, experience, context, &mut metrics).await?;
    }
    metrics.push("replay.size", replay.len() as f64);
    Ok(metrics)
}

/// The critic's losses, and the targets of Q.
fn critic_losses(values: CriticValues, gamma: f64) -> (Pair, CriticLosses) {
    let CriticValues { r, not_done, q, v, target_q, target_v } = values;
    // y_i   = r + gamma (1 − done) V'_i(s')
    let y = bellman_targets(r, not_done, gamma, target_v);
    let losses = CriticLosses {
        // L_Qi  = mean (Q_i(s, a) − y_i)²
        q: squared_errors(q, y.clone()),
        // L_Vi  = mean (V_i(s) − Q'_i(s, a'))²
        v: squared_errors(v, target_q),
    };
    (y, losses)
}

/// The critic's steps.
async fn critic_phase(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
    metrics: &mut Metrics,
) -> Result<(), Error> {
    let config = context.config;
    // a' ~ π(·|s), freshly sampled
    let fresh = ValueTarget::Policy(config.critic_samples);
    let losses = |values: CriticValues| critic_losses(values, config.gamma);
    // target ← (1 − tau) target + tau online
    let update = |target: Critic, online: &Critic| polyak(target, online, config.tau);
    learner.critic_phase(experience, fresh, context, metrics, losses, update).await
}

/// The actor's steps: fresh actions at replayed states, with the online critic's advantages.
async fn actor_phase(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
    metrics: &mut Metrics,
) -> Result<(), Error> {
    let config = context.config;
    let critic = learner.critics().online.valid();
    let (share, room) = (config.prior.actor_share, learner.room(context));
    let reading = Reading::of(&critic, experience, share, room, context.tokenizer)?;
    let mut rng = rng::stream(config.seed, "actor.draw", context.iteration as u64);
    let mut log = ActorLog::default();
    for step in 0..config.actor_epochs {
        // a ~ π(·|s), freshly sampled
        let (actor, sampler) = (learner.policy.lm.valid(), context.sampler());
        let player = context.player(&actor, &sampler);
        let draws_of = (config.seed, "actor.action", context.draw(step << 14));
        let (size, each) = ((1, context.rows()), reading.actor_samples(config.actor_samples));
        let sampled = reading.sample(player, size, each, &mut rng, draws_of).await?.concat();
        let parts = reading.actor_batches(&sampled, config);
        log.see(parts.iter().flatten().flat_map(|game| &game.fresh));
        let rule = PolicyGradient {
            samples: reading.actor_samples(config.baseline_samples()),
            // A     = min(Q_1, Q_2)(s, a) − min(V_1, V_2)(s)
            advantage: |part: &Vec<SampledGame<'_>>| {
                let (q, v) = fresh_values(&critic, part, context);
                advantage(q, v)
            },
            score: |policy: &Policy, part: &Vec<SampledGame<'_>>| {
                reading.score(policy, part, context)
            },
            // L_π   = −mean log π(a|s) A, or its token-level form
            loss: |Scored { log_prob, baseline, mask, .. }: &Scored, a| {
                let baseline = baseline.clone().filter(|_| config.level == Level::Token);
                policy_loss(log_prob.clone(), baseline, mask.clone(), a)
            },
        };
        learner.actor_step(parts, rule, context, &mut log).await?;
    }
    log.report(metrics).await
}
