//! What every algorithm trains, and what it is told beside that.
//!
//! One struct for all algorithms, with parts that some do without: a run is then saved, resumed and
//! played in the same way whichever of them it belongs to. What is done to the parts is written in
//! the algorithms' own pages.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Layout, Player, Policy};
use crate::config::{Config, WarmupTargets};
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::optim::Adam;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::{Trajectory, Transition};
use crate::text::Tokenizer;

/// The networks that are trained and what their optimisers remember.
#[derive(Debug, Clone)]
pub struct Learner {
    /// The actor, with autodiff.
    pub policy: Policy,
    /// Adam of the actor.
    pub actor_adam: Adam,
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
        let actor = self.actor.config().positions;
        match &self.critic {
            Critic::Causal(critic) => actor.min(critic.config().positions),
            Critic::Encoder(_) => actor,
        }
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
            actor_adam: Adam::new(),
            critics: critic.map(Critics::new),
            reference: None,
            teacher: None,
            stale: Stale::default(),
        }
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
        let actor = self.policy.lm.config().positions;
        let limit = match self.critics.as_ref().map(|critics| &critics.online) {
            Some(Critic::Causal(critic)) => actor.min(critic.config().positions),
            _ => actor,
        };
        (limit, context.config.max_new_tokens)
    }
}

/// What there is to learn from in an iteration.
#[derive(Clone, Copy)]
pub struct Experience<'a> {
    /// Everything remembered; empty for algorithms that learn from what was just played.
    pub replay: &'a ReplayBuffer,
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
    /// Threads that share the work.
    pub threads: usize,
}

impl Context<'_> {
    /// The policy as a player that says what it samples.
    pub fn player<'a>(&'a self, actor: &'a CausalLm, sampler: &'a Sampler) -> Player<'a> {
        Player {
            actor,
            tokenizer: self.tokenizer,
            layout: self.layout,
            sampler,
            threads: self.threads,
            chooser: None,
            tries: 1,
        }
    }

    /// How fresh actions are drawn.
    pub fn sampler(&self) -> Sampler {
        Sampler {
            temperature: self.config.temperature,
            top_k: self.config.top_k,
            top_p: self.config.top_p,
        }
    }

    /// Share of the learning rates that this iteration uses.
    pub fn lr_share(&self) -> f64 {
        let done = self.iteration as f64 / self.config.iterations.max(1) as f64;
        1.0 + (self.config.lr_final - 1.0) * done.min(1.0)
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
