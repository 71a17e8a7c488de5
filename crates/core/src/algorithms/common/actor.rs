//! The actor's gradient steps: one way to take them, whatever says how good an utterance is.
//!
//! [`Learner::policy_step`] takes a step on parts of any loss. Two losses are shared: the policy
//! gradient ([`Learner::actor_step`]), whose advantages may come from a critic or from returns, and
//! weighted imitation ([`Learner::imitate`]), whose weights may be 1 or grow with the advantage.

use burn::tensor::Tensor;

use super::learner::{Context, Learner};
use super::log::{ActorLog, ActorSeen};
use super::step::gradient_step;
use super::{Policy, Scored};
use crate::config::{Config, Level};
use crate::parallel;
use crate::rl::losses;
use crate::yielding::yield_now;

impl Learner {
    /// One gradient step of the actor; `loss` gives a part's share of the step's loss, and what it
    /// showed.
    pub(crate) async fn policy_step<P: Send>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut ActorLog,
        loss: impl Fn(&Policy, P) -> (Tensor<1>, ActorSeen) + Sync,
    ) {
        let settings = context.step_settings(context.config.lm_lr);
        let stepped =
            gradient_step(&self.policy, &mut self.actor_adam, parts, settings, loss).await;
        self.policy = stepped.module;
        log.seen.extend(stepped.seen);
        log.grad_norms.push(stepped.grad_norm);
    }

    /// One step of the policy gradient on actions that `judge` gives advantages and `score` scores.
    ///
    /// Each `samples` neighbours are actions at one state, measured against each other; 1 where the
    /// advantages stand as they are.
    pub(crate) async fn actor_step<P: Send + Sync>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut ActorLog,
        samples: usize,
        judge: impl Fn(&P) -> Tensor<1> + Sync,
        score: impl Fn(&Policy, &P) -> Scored + Sync,
    ) {
        let config = context.config;
        let judge = |part: &P| losses::leave_one_out(judge(part), samples);
        let jobs = judged(parts, context, judge).await;
        let all = Tensor::cat(jobs.iter().map(|(_, advantage)| advantage.clone()).collect(), 0); // [rows]
        let total = all.dims()[0] as f64;
        let scale = config.normalize_advantage.then(|| {
            let mean = all.clone().mean();
            let deviation = (all - mean.clone()).square().mean().sqrt().add_scalar(1e-6);
            (mean, deviation) // [1] each
        });
        let reference = self.reference.as_ref().filter(|_| config.kl_coef > 0.0);
        let reference = reference.map(|lm| Policy::new(lm.clone()));
        self.policy_step(jobs, context, log, |policy, (part, advantage): (P, Tensor<1>)| {
            let scaled = match &scale {
                Some((mean, deviation)) => (advantage.clone() - mean.clone()) / deviation.clone(),
                None => advantage.clone(),
            };
            let share = advantage.dims()[0] as f64 / total;
            let first = reference
                .as_ref()
                .map(|policy| score(policy, &part).log_prob.sum_dim(1).squeeze_dim(1));
            let (loss, mut seen) = actor_loss(score(policy, &part), scaled, first, samples, config);
            seen.advantage = Some(advantage);
            (loss.mul_scalar(share), seen)
        })
        .await;
    }

    /// One step of imitation of actions that `weigh` gives a weight and `score` scores:
    /// `L = −mean_b( w · log π(a|s) )`.
    pub(crate) async fn imitate<P: Send + Sync>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut ActorLog,
        weigh: impl Fn(&P) -> Weights + Sync,
        score: impl Fn(&Policy, &P) -> Scored + Sync,
    ) {
        let done = judged(parts, context, weigh).await;
        let rows = |weights: &Weights| weights.weight.dims()[0] as f64;
        let total: f64 = done.iter().map(|(_, weights)| rows(weights)).sum();
        self.policy_step(done, context, log, |policy, (part, weights): (P, Weights)| {
            let log_prob = score(policy, &part).log_prob.sum_dim(1).squeeze_dim::<1>(1);
            let share = rows(&weights) / total;
            let loss = losses::policy_gradient(log_prob.clone(), weights.weight.clone().autodiff());
            let seen = ActorSeen {
                advantage: weights.advantage,
                weight: Some(weights.weight),
                log_prob: Some(log_prob.inner()),
                imitation_loss: Some(loss.clone().inner()),
                ..ActorSeen::default()
            };
            (loss.mul_scalar(share), seen)
        })
        .await;
    }
}

/// How much each action of a part is to be imitated, without autodiff.
pub(crate) struct Weights {
    /// `[actions]`.
    pub(crate) weight: Tensor<1>,
    /// What the weights come from, where it is worth telling, `[actions]`.
    pub(crate) advantage: Option<Tensor<1>>,
}

/// Parts with what is thought of their actions.
async fn judged<P: Send + Sync, T: Send>(
    parts: Vec<P>,
    context: &Context<'_>,
    judge: impl Fn(&P) -> T + Sync,
) -> Vec<(P, T)> {
    parallel::map(context.threads, parts, |part| async {
        yield_now().await;
        let thought = judge(&part);
        (part, thought)
    })
    .await
}

/// The actor's loss on a part of a step's actions, `[1]`, and what it showed.
///
/// `first` is the log-probability that the first policy gives these actions, where the divergence
/// from it is penalised: `E[∇ log π · log (π / π₀)]` is that divergence's gradient, so the penalty
/// comes off the advantage, measured as the advantages are.
pub(crate) fn actor_loss(
    scored: Scored,
    advantage: Tensor<1>,
    first: Option<Tensor<1>>,
    samples: usize,
    config: &Config,
) -> (Tensor<1>, ActorSeen) {
    let Scored { log_prob, mask, baseline, entropy } = scored;
    let summed = log_prob.clone().sum_dim(1).squeeze_dim::<1>(1); // [batch]
    let mut seen = ActorSeen { log_prob: Some(summed.clone().inner()), ..ActorSeen::default() };
    seen.log_ratio = first.map(|first| summed.clone().inner() - first);
    let advantage = match &seen.log_ratio {
        Some(ratio) => {
            let ratio = losses::leave_one_out(ratio.clone(), samples);
            advantage - ratio.mul_scalar(config.kl_coef)
        }
        None => advantage,
    };
    let advantage = advantage.autodiff();
    let mut loss = match (config.level, baseline) {
        (Level::Token, Some(baseline)) => {
            let loss = losses::token_level(log_prob, baseline, mask.clone(), advantage);
            // Told as the mean over an utterance's tokens.
            let residual = loss.residual.inner().sum_dim(1) / mask.sum_dim(1).inner();
            seen.residual = Some(residual.squeeze_dim(1));
            seen.policy_loss = Some(loss.policy.clone().inner());
            seen.baseline_loss = Some(loss.value.clone().inner());
            loss.policy + loss.value
        }
        _ => {
            let loss = losses::policy_gradient(summed, advantage.clone());
            seen.residual = Some(advantage.inner());
            seen.policy_loss = Some(loss.clone().inner());
            loss
        }
    };
    if let Some(entropy) = entropy {
        let bonus = entropy.sum_dim(1).mean();
        loss = loss - bonus.mul_scalar(config.entropy_coef);
    }
    (loss, seen)
}
