//! The critic's phase of an iteration: draws, fresh actions, gradient steps, the target behind them.
//!
//! The algorithms with a critic differ in what V learns to foresee ([`ValueTarget`]) and in their
//! losses; both stand on their pages.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::learner::{Context, Critics, Experience, Learner};
use super::log::{CriticLog, CriticSeen};
use super::reading::{CriticValues, Reading, SampledGame, critic_values, transitions};
use super::step::gradient_step;
use crate::error::Error;
use crate::nn::critic::Critic;
use crate::rl::losses::{CriticLosses, Pair};
use crate::rl::metrics::Metrics;
use crate::rng;

/// What V learns to foresee: the target critic's Q of …
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueTarget {
    /// … so many actions freshly sampled from the policy, their mean.
    Policy(usize),
    /// … the best of so many by the smaller of the two Q, which is what a player says who chooses so.
    BestOf(usize),
    /// … the action that the game went on with.
    Said,
}

impl ValueTarget {
    /// Fresh actions that it takes at each state.
    pub fn samples(self) -> usize {
        match self {
            ValueTarget::Policy(samples) | ValueTarget::BestOf(samples) => samples,
            ValueTarget::Said => 0,
        }
    }

    /// One pair for each state from those of its fresh actions, `[states · samples]`.
    pub fn reduce(self, q: Pair) -> Pair {
        let each = self.samples().max(1);
        let rows = q.0.dims()[0] / each;
        let grid = |q: Tensor<1>| q.reshape([rows, each]);
        match self {
            ValueTarget::BestOf(_) => {
                let (q1, q2) = (grid(q.0), grid(q.1));
                let best = q1.clone().min_pair(q2.clone()).argmax(1); // [rows, 1]
                let at = |q: Tensor<2>| q.gather(1, best.clone()).squeeze_dim::<1>(1);
                (at(q1), at(q2))
            }
            _ => {
                let mean = |q| grid(q).mean_dim(1).squeeze_dim::<1>(1);
                (mean(q.0), mean(q.1))
            }
        }
    }
}

/// Some numbers as a tensor, `[n]`.
pub(crate) fn column(values: Vec<f32>, device: &Device) -> Tensor<1> {
    Tensor::from_floats(values.as_slice(), device)
}

impl Learner {
    /// The critic's steps of an iteration.
    ///
    /// `losses` gives a part's losses, and the targets of Q for the log. `update` gives the target
    /// critic after a step, from the target and the online critic.
    ///
    /// # Errors
    /// If the device fails, or no remembered game fits the networks.
    pub(crate) async fn critic_phase(
        &mut self,
        experience: Experience<'_>,
        value_target: ValueTarget,
        context: &Context<'_>,
        metrics: &mut Metrics,
        losses: impl Fn(CriticValues) -> (Pair, CriticLosses) + Sync,
        update: impl Fn(Critic, &Critic) -> Critic,
    ) -> Result<(), Error> {
        let config = context.config;
        let reading = {
            let critic = &self.critics().online;
            let share = config.prior.share;
            Reading::of(critic, experience, share, self.room(context), context.tokenizer)?
        };
        let (actor, sampler) = (self.policy.lm.valid(), context.sampler());
        let player = context.player(&actor, &sampler);
        let mut rng = rng::stream(config.seed, "critic.draw", context.iteration as u64);
        let draws_of = (config.seed, "critic.action", context.draw(0));
        let each = if context.learns_returns() { 0 } else { value_target.samples() };
        let size = (config.epochs, context.rows());
        let mut log = CriticLog::default();
        for step in reading.sample(player, size, each, &mut rng, draws_of).await? {
            let parts = reading.critic_batches(&step, config);
            self.critic_step(parts, value_target, context, &mut log, &losses).await?;
            let critics = self.critics_mut();
            critics.target = update(critics.target.clone(), &critics.online);
        }
        log.report(metrics).await
    }

    /// One gradient step of the critic on sampled games, towards its targets.
    pub(crate) async fn critic_step(
        &mut self,
        parts: Vec<Vec<SampledGame<'_>>>,
        value_target: ValueTarget,
        context: &Context<'_>,
        log: &mut CriticLog,
        losses: impl Fn(CriticValues) -> (Pair, CriticLosses) + Sync,
    ) -> Result<(), Error> {
        let all: usize = parts.iter().map(|part| transitions(part)).sum();
        let loss = |critic: &Critic, target: &Critic, part: Vec<SampledGame<'_>>| {
            let share = transitions(&part) as f64 / all as f64;
            let (loss, seen) = critic_loss(critic, target, &part, value_target, context, &losses);
            (loss.mul_scalar(share), seen)
        };
        self.critic_step_on_loss(parts, context, log, loss).await
    }

    /// One gradient step of the critic; `loss` gives a part's share of the step's loss from the
    /// online and the target critic.
    pub(crate) async fn critic_step_on_loss<P: Send>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut CriticLog,
        loss: impl Fn(&Critic, &Critic, P) -> (Tensor<1>, CriticSeen) + Sync,
    ) -> Result<(), Error> {
        let settings = context.step_settings(context.config.critic_lr);
        let Critics { online, target, adam } = self.critics_mut();
        let on_part = |critic: &Critic, part: P| loss(critic, target, part);
        let stepped = gradient_step(online, adam, parts, settings, on_part).await?;
        *online = stepped.module;
        stepped.seen.into_iter().for_each(|seen| log.push(seen));
        log.grad_norms.push(stepped.grad_norm);
        Ok(())
    }
}

/// The critic's loss on a part, `[1]`, and what it showed.
pub(crate) fn critic_loss(
    critic: &Critic,
    target: &Critic,
    part: &[SampledGame<'_>],
    value_target: ValueTarget,
    context: &Context<'_>,
    losses: impl Fn(CriticValues) -> (Pair, CriticLosses),
) -> (Tensor<1>, CriticSeen) {
    let (values, reply_loss) = critic_values(critic, target, part, value_target, context);
    let (q, v, target_q) = (values.q.clone(), values.v.clone(), values.target_q.clone());
    let (y, losses) = losses(values);
    let mut total = losses.total();
    if let Some(reply_loss) = reply_loss {
        total = total + reply_loss;
    }
    (total, CriticSeen::new([q.0, q.1, v.0, v.1, target_q.0, target_q.1, y.0, y.1], &losses))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two states with two actions each.
    #[test]
    fn v_foresees_the_mean_or_the_best_of_fresh_actions() {
        let pair = || {
            let column = |values: [f32; 4]| Tensor::<1>::from_floats(values, &Device::flex());
            (column([1.0, 4.0, -1.0, -5.0]), column([3.0, 0.0, -2.0, -1.0]))
        };
        let read = |q: Pair| -> [Vec<f32>; 2] {
            [q.0, q.1].map(|q| q.into_data().iter::<f32>().collect())
        };
        assert_eq!(read(ValueTarget::Policy(2).reduce(pair())), [[2.5, -3.0], [1.5, -1.5]]);
        // Smaller of the two: 1 and 0, −2 and −5; so the first action both times.
        assert_eq!(read(ValueTarget::BestOf(2).reduce(pair())), [[1.0, -1.0], [3.0, -2.0]]);
    }
}
