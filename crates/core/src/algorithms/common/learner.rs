//! What every algorithm trains, and what it is told beside that.
//!
//! One struct for all algorithms, with parts that some do without: a run is then saved, resumed and
//! played in the same way whichever of them it belongs to. What is done to the parts is written in
//! the algorithms' own pages.

use burn::module::Module;
use burn::tensor::Tensor;

use super::step::StepSettings;
use super::{Layout, Player, Policy};
use crate::config::{Config, WarmupTargets};
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::optim::{Adam, polyak};
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::ranks::Workers;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::{Trajectory, Transition};
use crate::text::Tokenizer;

/// The networks that are trained and what their optimisers remember.
#[derive(Debug, Clone)]
pub struct Learner {
    /// The actor, with autodiff.
    pub policy: Policy,
    /// The average of the actor over its iterations, without autodiff; kept where `actor_average`
    /// wants it.
    pub average: Option<CausalLm>,
    /// The policies with which the last iterations began, the oldest first, without autodiff; kept where
    /// `play_lag` wants them.
    pub past: Vec<CausalLm>,
    /// Adam of the actor.
    pub actor_adam: Adam,
    /// Adam of the actor in its auxiliary steps, whose gradients are of another size.
    pub auxiliary_adam: Adam,
    /// The critics, in the algorithms that have some.
    pub critics: Option<Critics>,
    /// The policy with which learning began, without autodiff; kept where `kl_coef` needs it.
    pub reference: Option<CausalLm>,
    /// Whom a student learns from; none but in distillation.
    pub teacher: Option<Teacher>,
    /// What the reference's numerics leave standing; empty by the default ones.
    pub stale: Stale,
}

/// Networks that are learned from and do not learn, without autodiff.
#[derive(Debug, Clone)]
pub struct Teacher {
    /// Who would say what.
    pub actor: CausalLm,
    /// What it is worth.
    pub critic: Critic,
    /// How texts are laid out for them.
    pub layout: Layout,
}

impl Teacher {
    /// Tokens that a game may have so that the teacher can read it.
    pub fn positions(&self) -> usize {
        positions(&self.actor, Some(&self.critic))
    }
}

/// Tokens that a game may have so that an actor, and a critic that reads whole games, can read it.
fn positions(actor: &CausalLm, critic: Option<&Critic>) -> usize {
    let actor = actor.config().positions;
    match critic {
        Some(Critic::Causal(critic)) => actor.min(critic.config().positions),
        Some(Critic::Encoder(_)) | None => actor,
    }
}

/// A critic, its lagging copy and the optimiser's memory.
#[derive(Debug, Clone)]
pub struct Critics {
    /// The online critic, with autodiff.
    pub online: Critic,
    /// The target critic, without.
    pub target: Critic,
    /// Adam of the online critic.
    pub adam: Adam,
}

/// Gradients that the reference leaves standing from one step to the next: they are zeroed only
/// when the same network is stepped again, and count in the clip until then. Empty before the
/// first step, and always so but under `numerics = "compat"`.
#[derive(Debug, Clone, Default)]
pub struct Stale {
    /// Of the policy.
    pub actor: Vec<Tensor<1>>,
    /// Of the critic.
    pub critic: Vec<Tensor<1>>,
}

impl Critics {
    /// A critic and its copy.
    pub fn new(online: Critic) -> Self {
        Self { target: online.valid(), online, adam: Adam::new() }
    }
}

impl Learner {
    /// A learner around a policy and, where the algorithm has one, a critic.
    pub fn new(policy: Policy, critic: Option<Critic>) -> Self {
        Self {
            policy,
            average: None,
            past: Vec::new(),
            actor_adam: Adam::new(),
            auxiliary_adam: Adam::new(),
            critics: critic.map(Critics::new),
            reference: None,
            teacher: None,
            stale: Stale::default(),
        }
    }

    /// The same learner, whose actors speak only tokens ([`CausalLm::with_tokens`]).
    pub fn with_tokens(mut self, is_token: impl Fn(u32) -> bool) -> Self {
        self.policy.lm = self.policy.lm.with_tokens(&is_token);
        self.average = self.average.map(|actor| actor.with_tokens(&is_token));
        self.reference = self.reference.map(|actor| actor.with_tokens(&is_token));
        self.past = self.past.into_iter().map(|actor| actor.with_tokens(&is_token)).collect();
        if let Some(teacher) = &mut self.teacher {
            teacher.actor = teacher.actor.clone().with_tokens(&is_token);
        }
        self
    }

    /// The same learner, whose gradient steps compute blocks twice rather than keep what they computed.
    #[cfg(feature = "llama")]
    pub fn recomputed(mut self, recomputed: bool) -> Self {
        self.policy.lm = self.policy.lm.recomputed(recomputed);
        if let Some(critics) = &mut self.critics {
            critics.online = critics.online.clone().recomputed(recomputed);
        }
        self
    }

    /// The critics.
    ///
    /// # Panics
    /// If there are none: an algorithm that asks for them is never begun without.
    pub fn critics(&self) -> &Critics {
        self.critics.as_ref().expect("an algorithm with a critic has one")
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// If there are none.
    pub fn critics_mut(&mut self) -> &mut Critics {
        self.critics.as_mut().expect("an algorithm with a critic has one")
    }

    /// Gives a causal critic the actor's body as it is now, and the target its copy.
    pub fn begin_critic_from_actor(&mut self) {
        if let Some(Critics { online: Critic::Causal(critic), .. }) = self.critics.clone() {
            let body = params::fork(&self.policy.lm);
            self.critics = Some(Critics::new(Critic::Causal(critic.with_body(body))));
        }
    }

    /// The actor that is played with, without autodiff: the average where one is kept, and the
    /// policy as it is now elsewhere.
    pub fn playing_actor(&self) -> CausalLm {
        self.average.clone().unwrap_or_else(|| self.policy.lm.valid())
    }

    /// The policy that plays the games to learn from: as it is now, or as it was where it lags behind.
    pub fn lagging_actor(&self) -> CausalLm {
        self.past.first().cloned().unwrap_or_else(|| self.policy.lm.valid())
    }

    /// Keeps the policy as an iteration begins, and forgets those that began more than `play_lag`
    /// iterations before the next.
    pub fn keep_past(&mut self, play_lag: usize) {
        if play_lag > 0 {
            self.past.push(self.policy.lm.valid());
        }
        self.past.drain(..self.past.len().saturating_sub(play_lag));
    }

    /// Takes the policy into the average after iteration number `iteration` (from 0):
    ///
    /// ```text
    /// θ̄ ← k·θ̄ + (1 − k)·θ,   k = min(actor_average, (1 + iteration) / (10 + iteration))
    /// ```
    ///
    /// A policy gradient with a constant step wanders about its optimum; the mean of where it was
    /// is nearer than any one place (Polyak and Juditsky 1992). The smaller k of the beginning
    /// keeps the average from lagging while much is still learned.
    pub fn take_average(&mut self, config: &Config, iteration: usize) {
        if config.actor_average == 0.0 {
            self.average = None;
            return;
        }
        let kept = config.actor_average.min((1 + iteration) as f64 / (10 + iteration) as f64);
        self.average = Some(match self.average.take() {
            Some(average) => polyak(average, &self.policy.lm, 1.0 - kept),
            None => self.policy.lm.valid(),
        });
    }

    /// Keeps the policy as it is now, where the run holds learning near its beginning and nothing
    /// was kept before.
    pub fn keep_reference(&mut self, config: &Config) {
        if config.kl_coef > 0.0 && self.reference.is_none() {
            self.reference = Some(self.policy.lm.valid());
        }
    }

    /// Tokens that a game may have so that the actor, and a critic that reads whole games, can read
    /// it, and those to keep free for an action.
    pub fn room(&self, context: &Context<'_>) -> (usize, usize) {
        let critic = self.critics.as_ref().map(|critics| &critics.online);
        (positions(&self.policy.lm, critic), context.config.max_new_tokens)
    }
}

/// What there is to learn from in an iteration.
#[derive(Clone, Copy)]
pub struct Experience<'a> {
    /// Everything remembered; empty for algorithms that learn from what was just played.
    pub replay: &'a ReplayBuffer,
    /// Demonstrated games that the learner uses beside these; none unless `[prior]` asks for them.
    pub prior: &'a ReplayBuffer,
    /// The games of this iteration, played by the policy as it is now.
    pub played: &'a [Trajectory],
}

/// What the learner needs beside its networks.
pub struct Context<'a> {
    /// The run's configuration.
    pub config: &'a Config,
    /// Words and tokens.
    pub tokenizer: &'a Tokenizer,
    /// How texts are laid out.
    pub layout: &'a Layout,
    /// Number of the iteration, from 0: draws are named by it.
    pub iteration: usize,
    /// Who shares the work.
    pub workers: Workers<'a>,
}

impl Context<'_> {
    /// The policy as a player that says what it samples.
    pub fn player<'a>(&'a self, actor: &'a CausalLm, sampler: &'a Sampler) -> Player<'a> {
        Player {
            actor,
            tokenizer: self.tokenizer,
            layout: self.layout,
            sampler,
            workers: self.workers,
            chooser: None,
            tries: 1,
            style: None,
        }
    }

    /// How fresh actions are drawn.
    pub fn sampler(&self) -> Sampler {
        self.config.sampler()
    }

    /// Share of the learning rates that this iteration uses.
    pub fn lr_share(&self) -> f64 {
        let done = self.iteration as f64 / self.config.iterations.max(1) as f64;
        1.0 + (self.config.lr_final - 1.0) * done.min(1.0)
    }

    /// How a gradient step is taken at this base learning rate.
    pub fn step_settings(&self, lr: f64) -> StepSettings<'_> {
        StepSettings {
            lr: lr * self.lr_share(),
            max_grad_norm: self.config.max_grad_norm,
            workers: self.workers,
        }
    }

    /// Whether the actor still stands still.
    pub fn warms_up(&self) -> bool {
        self.iteration < self.config.warmup_iter
    }

    /// Whether the critic learns Monte Carlo returns in this iteration, and so needs no fresh action.
    pub fn learns_returns(&self) -> bool {
        self.warms_up() && self.config.warmup_targets == WarmupTargets::MonteCarlo
    }

    /// Transitions in a gradient step.
    pub fn rows(&self) -> usize {
        self.config.batch_size * self.config.grad_accum_steps
    }

    /// Number of the first draw of step `step` in this iteration.
    pub fn draw(&self, step: usize) -> u64 {
        const STEPS: u64 = 1 << 20;
        self.iteration as u64 * STEPS + step as u64
    }

    /// The tokens of a transition's action without the terminator: what a critic reads.
    pub fn said<'a>(&self, turn: &'a Transition) -> &'a [u32] {
        body(&turn.action, self.tokenizer)
    }
}

/// An utterance's tokens without the terminator.
pub fn body<'a>(action: &'a [u32], tokenizer: &Tokenizer) -> &'a [u32] {
    match action.split_last() {
        Some((last, rest)) if tokenizer.ends_utterance(*last) => rest,
        _ => action,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::rng;

    #[test]
    fn the_average_follows_fast_at_first_and_slowly_later() {
        let shape = CausalLmConfig {
            layers: 1,
            width: 4,
            heads: 1,
            positions: 8,
            vocab_size: 8,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let lm = shape.init(&mut rng::stream(1, "test", 0), &Device::flex().autodiff());
        let at = |value: f32| {
            let like = params::tensors(&lm).into_iter();
            params::replace(lm.clone(), like.map(|p| p.zeros_like().add_scalar(value)).collect())
        };
        let mut learner = Learner::new(Policy::new(at(0.0)), None);
        let config = Config { actor_average: 0.2, ..Config::default() };
        let after = |learner: &mut Learner, value: f32, iteration: usize| -> f32 {
            learner.policy.lm = at(value);
            learner.take_average(&config, iteration);
            let first = params::tensors(&learner.playing_actor()).remove(0);
            first.into_data().try_to_vec::<f32>().unwrap()[0]
        };
        let close = |value: f32, want: f32| assert!((value - want).abs() < 1e-6, "{value}, {want}");
        close(after(&mut learner, 1.0, 0), 1.0); // it begins where the policy is
        close(after(&mut learner, 2.0, 1), 20.0 / 11.0); // keeps 2/11
        close(after(&mut learner, 1.0, 5), 0.2 * 20.0 / 11.0 + 0.8); // 6/15 would be more than 0.2
        learner.take_average(&Config::default(), 6);
        assert!(learner.average.is_none());
    }
}
