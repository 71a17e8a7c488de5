//! The actor's gradient steps: one way to take them, whatever says how good an utterance is.
//!
//! [`Learner::policy_step`] takes a step on parts of any loss. Two losses are shared: the policy
//! gradient ([`Learner::actor_step`]), whose advantages may come from a critic or from returns, and
//! weighted imitation ([`Learner::imitate`]), whose weights may be 1 or grow with the advantage.

#[cfg(not(target_family = "wasm"))]
use burn::module::Module;
use burn::tensor::Tensor;

use super::learner::{Context, Learner};
use super::log::{ActorLog, ActorSeen};
use super::step::gradient_step;
use super::{Policy, Scored};
use crate::config::Config;
use crate::error::Error;
use crate::parallel;
#[cfg(not(target_family = "wasm"))]
use crate::ranks;
use crate::ranks::{Shown, present};
use crate::rl::losses::{self, PolicyLoss};
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
    ) -> Result<(), Error> {
        let settings = context.step_settings(context.config.lm_lr);
        let stepped =
            gradient_step(&self.policy, &mut self.actor_adam, parts, settings, loss).await?;
        self.policy = stepped.module;
        log.seen.extend(stepped.seen);
        log.grad_norms.push(stepped.grad_norm);
        Ok(())
    }

    /// One step of the policy gradient.
    pub(crate) async fn actor_step<P: Send + Sync>(
        &mut self,
        parts: Vec<P>,
        rule: PolicyGradient<
            impl Fn(&P) -> Tensor<1> + Sync,
            impl Fn(&Policy, &P) -> Scored + Sync,
            impl Fn(&Scored, Tensor<1>) -> PolicyLoss + Sync,
        >,
        context: &Context<'_>,
        log: &mut ActorLog,
    ) -> Result<(), Error> {
        let config = context.config;
        let PolicyGradient { samples, advantage, score, loss } = rule;
        let judge = |part: &P| losses::leave_one_out(advantage(part), samples);
        let jobs = self.judged(parts, context, judge).await?;
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
            let scored = score(policy, &part);
            let (loss, mut seen) = actor_loss(&scored, scaled, first, samples, config, &loss);
            seen.advantage = Some(advantage);
            (loss.mul_scalar(share), seen)
        })
        .await
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
    ) -> Result<(), Error> {
        let done = self.judged(parts, context, weigh).await?;
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
        .await
    }

    /// Parts with what is thought of their actions.
    async fn judged<P: Send + Sync, T: Shown>(
        &self,
        parts: Vec<P>,
        context: &Context<'_>,
        judge: impl Fn(&P) -> T + Sync,
    ) -> Result<Vec<(P, T)>, Error> {
        #[cfg(not(target_family = "wasm"))]
        if context.workers.ranks.is_some() {
            let device = self.policy.lm.valid().device();
            let thoughts = ranks::judged(context.workers, &parts, &device, judge).await?;
            return Ok(parts.into_iter().zip(thoughts).collect());
        }
        let judged = parallel::map(context.workers.threads, parts, |part| async {
            yield_now().await;
            let thought = judge(&part);
            (part, thought)
        });
        Ok(judged.await)
    }
}

/// What a step of the policy gradient computes on a part.
pub(crate) struct PolicyGradient<A, S, L> {
    /// Neighbouring actions that are drawn at one state and measured against each other; 1 where the
    /// advantages stand as they are.
    pub(crate) samples: usize,
    /// The advantage of each action, `[actions]`, without autodiff.
    pub(crate) advantage: A,
    /// What the policy says of the actions.
    pub(crate) score: S,
    /// L_π of scored actions with these advantages.
    pub(crate) loss: L,
}

/// How much each action of a part is to be imitated, without autodiff.
pub(crate) struct Weights {
    /// `[actions]`.
    pub(crate) weight: Tensor<1>,
    /// What the weights come from, where it is worth telling, `[actions]`.
    pub(crate) advantage: Option<Tensor<1>>,
}

impl Shown for Weights {
    fn into_tensors(self) -> Vec<Option<Tensor<1>>> {
        vec![Some(self.weight), self.advantage]
    }

    fn from_tensors(mut tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self {
        Self { weight: present(&mut tensors), advantage: tensors.next().flatten() }
    }
}

/// The actor's loss on a part of a step's actions, `[1]`, and what it showed.
///
/// `first` is the log-probability that the first policy gives these actions, where the divergence
/// from it is penalised: `E[∇ log π · log (π / π₀)]` is that divergence's gradient, so the penalty
/// comes off the advantage, measured as the advantages are.
pub(crate) fn actor_loss(
    scored: &Scored,
    advantage: Tensor<1>,
    first: Option<Tensor<1>>,
    samples: usize,
    config: &Config,
    loss: impl Fn(&Scored, Tensor<1>) -> PolicyLoss,
) -> (Tensor<1>, ActorSeen) {
    let log_prob = scored.log_prob.clone().sum_dim(1).squeeze_dim::<1>(1).inner(); // [batch]
    let log_ratio = first.map(|first| log_prob.clone() - first);
    let advantage = match &log_ratio {
        Some(ratio) => {
            let ratio = losses::leave_one_out(ratio.clone(), samples);
            advantage - ratio.mul_scalar(config.kl_coef)
        }
        None => advantage,
    };
    let loss = loss(scored, advantage.autodiff());
    let seen = ActorSeen {
        log_prob: Some(log_prob),
        log_ratio,
        residual: Some(loss.residual.clone().inner()),
        policy_loss: Some(loss.policy.clone().inner()),
        baseline_loss: loss.baseline.clone().map(Tensor::inner),
        ..ActorSeen::default()
    };
    let mut total = loss.total();
    if let Some(entropy) = &scored.entropy {
        let bonus = entropy.clone().sum_dim(1).mean();
        total = total - bonus.mul_scalar(config.entropy_coef);
    }
    (total, seen)
}
