//! The critic's phase of an iteration: temporal differences over utterances, off-policy.
//!
//! ```text
//! y_i   = r + gamma (1 − done) V'_i(s')            targets of the target critic, i = 1, 2
//! L_Qi  = mean (Q_i(s, a) − y_i)²
//! L_Vi  = V_i(s) towards Q'_i, as [`ValueTarget`] has it
//! target ← (1 − tau) target + tau online           after each critic step
//! ```
//!
//! The algorithms with a critic differ in what V learns to foresee, and in nothing else here. Its
//! two forms, over single transitions and over whole games, are [`super::reading::pairs`] and
//! [`super::reading::games`].

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::learner::{Context, Critics, Learner};
use super::log::{CriticLog, CriticSeen};
use super::reading::games;
use super::sample_actions;
use super::step::gradient_step;
use crate::error::Error;
use crate::nn::critic::Critic;
use crate::nn::optim::polyak;
use crate::rl::losses::{CriticLosses, Pair, bellman_target, critic_losses, expectile_losses};
use crate::rl::metrics::Metrics;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Transition;
use crate::rng;

/// What V learns to foresee: the target critic's Q of …
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueTarget {
    /// … so many actions freshly sampled from the policy, their mean.
    Policy(usize),
    /// … the best of so many by the smaller of the two Q, which is what a player says who chooses so.
    BestOf(usize),
    /// … the action that the game went on with, by expectile regression at this expectile.
    Said(f64),
}

impl ValueTarget {
    /// Fresh actions that it takes at each state.
    pub fn samples(self) -> usize {
        match self {
            ValueTarget::Policy(samples) | ValueTarget::BestOf(samples) => samples,
            ValueTarget::Said(_) => 0,
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

    /// The four losses of some values; `y` and `target_q` carry no gradient.
    pub fn losses(self, q: Pair, v: Pair, y: Pair, target_q: Pair) -> CriticLosses {
        match self {
            ValueTarget::Said(expectile) => expectile_losses(q, v, y, target_q, expectile),
            _ => critic_losses(q, v, y, target_q),
        }
    }
}

/// What the critic regresses on: Q on `y`, V on `target_q`; no gradient.
pub(crate) struct Targets {
    pub(crate) y: Pair,
    pub(crate) target_q: Pair,
}

impl Context<'_> {
    /// The targets of some transitions; `judge` gives the target critic's Q of the actions that V is
    /// to foresee and its V of the next states, and is not asked where they are not needed.
    pub(crate) fn targets(
        &self,
        turns: &[&Transition],
        device: &Device,
        judge: impl FnOnce() -> (Pair, Pair),
    ) -> Targets {
        let config = self.config;
        if self.learns_returns() {
            let mc_return = column(turns.iter().map(|turn| turn.mc_return).collect(), device);
            let pair = (mc_return.clone(), mc_return);
            return Targets { y: pair.clone(), target_q: pair };
        }
        let (target_q, target_v) = judge();
        let r_t = column(turns.iter().map(|turn| turn.reward).collect(), device);
        let goes_on = |turn: &&Transition| {
            let done = turn.terminated || (turn.truncated && !config.bootstrap_truncated);
            if done { 0.0 } else { 1.0 }
        };
        let not_done = column(turns.iter().map(goes_on).collect(), device);
        let y = (
            bellman_target(r_t.clone(), not_done.clone(), config.gamma, target_v.0),
            bellman_target(r_t, not_done, config.gamma, target_v.1),
        );
        Targets { y, target_q }
    }
}

/// Some numbers as a tensor, `[n]`.
pub(crate) fn column(values: Vec<f32>, device: &Device) -> Tensor<1> {
    Tensor::from_floats(values.as_slice(), device)
}

impl Learner {
    /// The critic's steps of an iteration.
    ///
    /// # Errors
    /// If the device fails, or no remembered game fits the networks.
    pub(crate) async fn critic_phase(
        &mut self,
        replay: &ReplayBuffer,
        value_target: ValueTarget,
        context: &Context<'_>,
        metrics: &mut Metrics,
    ) -> Result<(), Error> {
        let config = context.config;
        let rows = context.rows();
        let mut rng = rng::stream(config.seed, "critic.draw", context.iteration as u64);
        let (actor, sampler) = (self.policy.lm.valid(), context.sampler());
        let player = context.player(&actor, &sampler);
        let draws_of = (config.seed, "critic.action", context.draw(0));
        let mut log = CriticLog::default();
        let each = if context.learns_returns() { 0 } else { value_target.samples() };
        if matches!(self.critics().online, Critic::Causal(_)) {
            let games = games::games(replay.iter(), context.tokenizer, self.room(context))?;
            let steps: Vec<_> =
                (0..config.epochs).map(|_| games::draw(&games, rows, &mut rng)).collect();
            let sizes: Vec<usize> = steps.iter().map(Vec::len).collect();
            let drawn = games::sample(player, &steps.concat(), each, draws_of).await?;
            let mut drawn = &drawn[..];
            for size in sizes {
                let (step, rest) = drawn.split_at(size);
                drawn = rest;
                let parts = games::micro_batches(step, config.grad_accum_steps);
                self.critic_step(parts, context, &mut log, |critic, target, part| {
                    match (critic, target) {
                        (Critic::Causal(critic), Critic::Causal(target)) => {
                            let share =
                                games::transitions(&part) as f64 / games::transitions(step) as f64;
                            let (loss, seen) =
                                games::critic_loss(critic, target, &part, value_target, context);
                            (loss.mul_scalar(share), seen)
                        }
                        _ => unreachable!("a causal critic has a causal target"),
                    }
                })
                .await;
            }
        } else {
            let draws = replay.sample(rows * config.epochs, &mut rng);
            let asked = || draws.iter().flat_map(|draw| std::iter::repeat_n(draw, each));
            let states: Vec<&[u32]> = asked().map(|draw| &*draw.observation).collect();
            let choices: Vec<_> = asked().map(|draw| draw.choices.as_deref()).collect();
            let fresh = sample_actions(player, &states, &choices, draws_of).await?;
            for (step, draws) in draws.chunks(rows).enumerate() {
                let first = step * rows * each;
                let fresh = &fresh[first..first + draws.len() * each];
                self.critic_step_on_rows(draws, fresh, value_target, context, &mut log).await;
            }
        }
        log.report(metrics).await
    }

    /// One gradient step of the critic and one of the target behind it; `loss` gives a part's share
    /// of the step's loss.
    pub(crate) async fn critic_step<P: Send>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut CriticLog,
        loss: impl Fn(&Critic, &Critic, P) -> (Tensor<1>, CriticSeen) + Sync,
    ) {
        let settings = context.step_settings(context.config.critic_lr);
        let Critics { online, target, adam } = self.critics_mut();
        let on_part = |critic: &Critic, part: P| loss(critic, target, part);
        let stepped = gradient_step(online, adam, parts, settings, on_part).await;
        *online = stepped.module;
        stepped.seen.into_iter().for_each(|seen| log.push(seen));
        log.grad_norms.push(stepped.grad_norm);
        *target = polyak(target.clone(), online, context.config.tau);
    }
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
