//! A step laid open: the values, losses and gradients of one micro-batch, with an encoder critic.
//!
//! What the reference's numerics are built of ([`super::compat`]) and what a comparison with another
//! implementation looks at: the draws and the fresh actions are given, nothing is sampled here. The
//! losses are those of training in both numerics; how an utterance's log-probability is computed is
//! the only thing in which they differ at this level.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{compat, critic_losses};
use crate::algorithms::common::actor::{PolicyGradient, actor_loss};
use crate::algorithms::common::critic::{ValueTarget, column, critic_loss};
use crate::algorithms::common::learner::{Context, Learner};
use crate::algorithms::common::log::{ActorLog, CriticLog, CriticSeen};
use crate::algorithms::common::reading::pairs;
use crate::algorithms::common::{Policy, Scored};
use crate::config::Numerics;
use crate::error::Error;
use crate::nn::batch::by_length;
use crate::nn::critic::{Critic, DoubleCritic, Values};
use crate::nn::generate::Utterance;
use crate::nn::optim::polyak;
use crate::nn::params;
use crate::rl::losses::advantage;
use crate::rl::metrics::Metrics;
use crate::rl::transition::Transition;

/// One fresh action is given for each state.
const FRESH: ValueTarget = ValueTarget::Policy(1);

/// A micro-batch of the critic.
pub struct CriticPart {
    /// Gradients of the sum of the four losses, flat, in the critic's order of parameters.
    pub gradients: Vec<Tensor<1>>,
    /// q1, q2, v1, v2 of the online critic; the targets of v1 and v2, then those of q1 and q2; each
    /// `[batch]`.
    pub values: [Tensor<1>; 8],
    /// Losses of q1, q2, v1 and v2, each `[1]`.
    pub losses: [Tensor<1>; 4],
}

/// A micro-batch of the actor.
pub struct ActorPart {
    /// Gradients of the loss, flat, in the policy's order of parameters.
    pub gradients: Vec<Tensor<1>>,
    /// The online critic's values of the states and the fresh actions, each `[batch]`.
    pub values: Values,
    /// `[batch]`.
    pub advantage: Tensor<1>,
    /// Log-probability of each utterance, `[batch]`.
    pub log_prob: Tensor<1>,
    /// `[1]`.
    pub policy_loss: Tensor<1>,
    /// What the token-level form adds.
    pub token_level: Option<TokenPart>,
}

/// What the token-level form adds to a micro-batch of the actor, each `[batch, actions]` but the
/// loss, `[1]`.
pub struct TokenPart {
    /// Log-probability of each token, 0 on padding.
    pub log_prob: Tensor<2>,
    /// The baseline at each token, padding included.
    pub baseline: Tensor<2>,
    /// 1 on tokens of the action.
    pub mask: Tensor<2>,
    /// Of the baseline.
    pub loss: Tensor<1>,
}

impl Learner {
    /// The critic's losses and gradients on some transitions; `fresh` are actions of the current
    /// policy at their states.
    ///
    /// # Errors
    /// If the critic is none with an encoder.
    pub fn critic_part(
        &self,
        draws: &[&Transition],
        fresh: &[&Utterance],
        context: &Context<'_>,
    ) -> Result<CriticPart, Error> {
        encoder(&self.critics().online)?;
        let critic = params::fork(&self.critics().online);
        let fresh = fresh.iter().map(|&utterance| utterance.clone()).collect();
        let part = pairs::with_fresh(draws, fresh, context.tokenizer);
        let losses = |values| critic_losses(values, context.config.gamma);
        let target = &self.critics().target;
        let (loss, seen) = critic_loss(&critic, target, &part, FRESH, context, losses);
        let CriticSeen { values, losses } = seen;
        Ok(CriticPart { gradients: params::gradients(&critic, &[loss.backward()]), values, losses })
    }

    /// The actor's loss and gradients on fresh actions at some states, as the configuration's
    /// `numerics` have it.
    ///
    /// # Errors
    /// If the critic is none with an encoder.
    pub fn actor_part(
        &self,
        states: &[&[u32]],
        fresh: &[&Utterance],
        context: &Context<'_>,
    ) -> Result<ActorPart, Error> {
        let critic = encoder(&self.critics().online)?.valid();
        let bodies: Vec<&[u32]> = fresh.iter().map(|utterance| utterance.body()).collect();
        let values = pairs::judge(&critic, context.layout, states, &bodies);
        let advantage = {
            let Values { q1, q2, v1, v2 } = values.clone();
            advantage((q1, q2), (v1, v2))
        };
        let policy = params::fork(&self.policy);
        let scored: Scored = match context.config.numerics {
            Numerics::Fixed => {
                let all: Vec<&[u32]> =
                    fresh.iter().map(|utterance| &utterance.tokens[..]).collect();
                pairs::score_distinct(&policy, &pairs(states, &all, context), &[], false)
            }
            Numerics::Compat => {
                compat::score(&policy, &pairs(states, &bodies, context), context.tokenizer.pad)
            }
        };
        let (log_prob, mask) = (scored.log_prob.clone().inner(), scored.mask.clone().inner());
        let baseline = scored.baseline.clone().map(Tensor::inner);
        let policy_loss = |scored: &Scored, a| scored.policy_loss(context.config.level, a);
        let (loss, seen) =
            actor_loss(&scored, advantage.clone(), None, 1, context.config, policy_loss);
        let token_level = seen.baseline_loss.zip(baseline).map(|(loss, baseline)| TokenPart {
            log_prob: log_prob.clone(),
            baseline,
            mask,
            loss,
        });
        Ok(ActorPart {
            gradients: params::gradients(&policy, &[loss.backward()]),
            values,
            advantage,
            log_prob: log_prob.sum_dim(1).squeeze_dim(1),
            policy_loss: seen.policy_loss.expect("every loss has this part"),
            token_level,
        })
    }

    /// One step of the critic on given draws, by the default numerics: micro-batches, clip, Adam,
    /// target.
    ///
    /// # Errors
    /// If the critic is none with an encoder, or the device fails.
    pub async fn critic_step_on(
        &mut self,
        draws: &[&Transition],
        fresh: &[Utterance],
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        encoder(&self.critics().online)?;
        let (mut log, mut metrics) = (CriticLog::default(), Metrics::new());
        let config = context.config;
        let step = pairs::with_fresh(draws, fresh.to_vec(), context.tokenizer);
        let parts = pairs::micro_batches(&step, config, |turn| turn.next_observation.len());
        let losses = |values| critic_losses(values, config.gamma);
        self.critic_step(parts, FRESH, context, &mut log, losses).await?;
        let critics = self.critics_mut();
        critics.target = polyak(critics.target.clone(), &critics.online, config.tau);
        log.report(&mut metrics).await?;
        Ok(metrics)
    }

    /// One step of the actor on given states and fresh actions, by the default numerics.
    ///
    /// # Errors
    /// If the critic is none with an encoder, or the device fails.
    pub async fn actor_step_on(
        &mut self,
        states: &[&[u32]],
        fresh: &[Utterance],
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        let critic = encoder(&self.critics().online)?.valid();
        let advantages = |rows: &[usize]| {
            let states: Vec<&[u32]> = rows.iter().map(|&row| states[row]).collect();
            let said: Vec<&[u32]> = rows.iter().map(|&row| fresh[row].body()).collect();
            let Values { q1, q2, v1, v2 } = pairs::judge(&critic, context.layout, &states, &said);
            advantage((q1, q2), (v1, v2))
        };
        let order = by_length(&states.iter().map(|state| state.len()).collect::<Vec<_>>());
        self.step_on_rows(&order, states, fresh, advantages, context).await
    }

    /// One step of the actor on given states and actions whose advantages are given too, by the
    /// default numerics; no critic is asked.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn policy_step_on(
        &mut self,
        states: &[&[u32]],
        actions: &[Utterance],
        advantages: &[f32],
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        let device = self.policy.lm.device().inner();
        let rows: Vec<usize> = (0..states.len()).collect();
        let advantages =
            |rows: &[usize]| column(rows.iter().map(|&row| advantages[row]).collect(), &device);
        self.step_on_rows(&rows, states, actions, advantages, context).await
    }

    /// One step of the actor on rows of states and actions, in this order.
    async fn step_on_rows(
        &mut self,
        rows: &[usize],
        states: &[&[u32]],
        actions: &[Utterance],
        advantages: impl Fn(&[usize]) -> Tensor<1> + Sync,
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        let config = context.config;
        let (mut log, mut metrics) = (ActorLog::default(), Metrics::new());
        log.see(rows.iter().map(|&row| &actions[row]));
        let rule = PolicyGradient {
            samples: 1,
            advantage: |part: &&[usize]| advantages(part),
            score: |policy: &Policy, part: &&[usize]| {
                let all: Vec<&[u32]> = part.iter().map(|&row| &actions[row].tokens[..]).collect();
                let states: Vec<&[u32]> = part.iter().map(|&row| states[row]).collect();
                let with_entropy = config.entropy_coef > 0.0;
                pairs::score_distinct(policy, &pairs(&states, &all, context), &[], with_entropy)
            },
            loss: |scored: &Scored, a| scored.policy_loss(config.level, a),
        };
        let parts = rows.chunks(config.batch_size).collect();
        self.actor_step(parts, rule, context, &mut log).await?;
        log.report(&mut metrics).await?;
        Ok(metrics)
    }
}

/// States as the actor reads them, with their actions.
fn pairs<'a>(
    states: &[&'a [u32]],
    actions: &[&'a [u32]],
    context: &Context<'_>,
) -> Vec<(&'a [u32], &'a [u32])> {
    let read = states.iter().map(|state| context.layout.observation(state));
    read.zip(actions.iter().copied()).collect()
}

fn encoder(critic: &Critic) -> Result<&DoubleCritic, Error> {
    match critic {
        Critic::Encoder(critic) => Ok(critic),
        Critic::Causal(_) => Err(Error::Config(
            "this takes a critic with an encoder: set critic_model.kind = \"encoder\"".into(),
        )),
    }
}
