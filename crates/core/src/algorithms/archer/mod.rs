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
//! from the reference code (spec section 1):
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

use burn::module::Module;
use burn::tensor::{Device, Tensor};

mod games;
mod log;
mod rows;

pub mod compat;
pub mod parts;

use self::log::{ActorLog, ActorSeen, CriticLog, CriticSeen};
use super::common::{Layout, Player, Policy, Scored, sample_actions};
use crate::breath::breathe;
use crate::config::{Config, Level, Numerics, WarmupTargets};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::optim::{Adam, accumulate, clip_global_norm, polyak};
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::parallel;
use crate::rl::losses::{self, Pair, bellman_target};
use crate::rl::metrics::Metrics;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Transition;
use crate::rng;
use crate::text::Tokenizer;

/// The networks that ArCHer trains and what their optimisers remember.
#[derive(Debug, Clone)]
pub struct Archer {
    /// The actor, with autodiff.
    pub policy: Policy,
    /// Adam of the actor.
    pub actor_adam: Adam,
    /// The online critic, with autodiff.
    pub critic: Critic,
    /// The target critic, without.
    pub target: Critic,
    /// Adam of the critic.
    pub critic_adam: Adam,
    /// The policy with which learning began, without autodiff; kept where `kl_coef` needs it.
    pub reference: Option<CausalLm>,
    /// What the reference's numerics leave standing; empty by the default ones.
    pub stale: compat::Stale,
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
    fn player<'a>(&'a self, actor: &'a CausalLm, sampler: &'a Sampler) -> Player<'a> {
        Player {
            actor,
            tokenizer: self.tokenizer,
            layout: self.layout,
            sampler,
            threads: self.threads,
        }
    }

    fn sampler(&self) -> Sampler {
        Sampler {
            temperature: self.config.temperature,
            top_k: self.config.top_k,
            top_p: self.config.top_p,
        }
    }

    /// Share of the learning rates that this iteration uses.
    fn lr_share(&self) -> f64 {
        let done = self.iteration as f64 / self.config.iterations.max(1) as f64;
        1.0 + (self.config.lr_final - 1.0) * done.min(1.0)
    }

    /// Whether the critic learns Monte Carlo returns in this iteration, and so needs no fresh action.
    fn learns_returns(&self) -> bool {
        self.iteration < self.config.warmup_iter
            && self.config.warmup_targets == WarmupTargets::MonteCarlo
    }

    /// Number of the first draw of step `step` in this iteration.
    fn draw(&self, step: usize) -> u64 {
        const STEPS: u64 = 1 << 20;
        self.iteration as u64 * STEPS + step as u64
    }
}

/// What the critic regresses on: Q on `y`, V on `target_q`; no gradient.
struct Targets {
    y: Pair,
    target_q: Pair,
}

impl Context<'_> {
    /// The targets of some transitions; `judge` gives the target critic's Q of fresh actions and
    /// its V of the next states, and is not asked where they are not needed.
    fn targets(
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

fn column(values: Vec<f32>, device: &Device) -> Tensor<1> {
    Tensor::from_floats(values.as_slice(), device)
}

impl Archer {
    /// A learner around a policy and a critic; the target begins as the critic's copy.
    pub fn new(policy: Policy, critic: Critic) -> Self {
        let target = critic.valid();
        Self {
            policy,
            actor_adam: Adam::new(),
            critic,
            target,
            critic_adam: Adam::new(),
            reference: None,
            stale: compat::Stale::default(),
        }
    }

    /// Gives a causal critic the actor's body as it is now, and the target its copy.
    pub fn begin_critic_from_actor(&mut self) {
        if let Critic::Causal(critic) = self.critic.clone() {
            self.critic = Critic::Causal(critic.with_body(params::fork(&self.policy.lm)));
            self.target = self.critic.valid();
        }
    }

    /// Tokens that a game may have so that both networks can read it, and those to keep free for an
    /// action.
    fn room(&self, context: &Context<'_>) -> (usize, usize) {
        let positions = self.critic.positions().min(self.policy.lm.config().positions);
        (positions, context.config.max_new_tokens)
    }

    /// One iteration's learning: the critic's steps and, after the warm-up, the actor's.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn learn(
        &mut self,
        buffer: &ReplayBuffer,
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        if context.config.numerics == Numerics::Compat {
            return self.learn_compat(buffer, context).await;
        }
        if context.config.kl_coef > 0.0 && self.reference.is_none() {
            self.reference = Some(self.policy.lm.valid());
        }
        let mut metrics = Metrics::new();
        self.critic_phase(buffer, context, &mut metrics).await?;
        if context.iteration >= context.config.warmup_iter {
            self.actor_phase(buffer, context, &mut metrics).await?;
        }
        metrics.push("replay.size", buffer.len() as f64);
        Ok(metrics)
    }

    async fn critic_phase(
        &mut self,
        buffer: &ReplayBuffer,
        context: &Context<'_>,
        metrics: &mut Metrics,
    ) -> Result<(), Error> {
        let config = context.config;
        let rows = config.batch_size * config.grad_accum_steps;
        let mut rng = rng::stream(config.seed, "critic.draw", context.iteration as u64);
        let (actor, sampler) = (self.policy.lm.valid(), context.sampler());
        let player = context.player(&actor, &sampler);
        let draws_of = (config.seed, "critic.action", context.draw(0));
        let mut log = CriticLog::default();
        if matches!(self.critic, Critic::Causal(_)) {
            let games = games::games(buffer, context.tokenizer, self.room(context))?;
            let steps: Vec<_> =
                (0..config.epochs).map(|_| games::draw(&games, rows, &mut rng)).collect();
            let sizes: Vec<usize> = steps.iter().map(Vec::len).collect();
            let each = if context.learns_returns() { 0 } else { config.critic_samples };
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
                            let (loss, seen) = games::critic_loss(critic, target, &part, context);
                            (loss.mul_scalar(share), seen)
                        }
                        _ => unreachable!("a causal critic has a causal target"),
                    }
                })
                .await;
            }
        } else {
            let draws = buffer.sample(rows * config.epochs, &mut rng);
            let observations: Vec<&[u32]> = draws.iter().map(|draw| &*draw.observation).collect();
            let fresh = sample_actions(player, &observations, draws_of).await?;
            for (draws, fresh) in draws.chunks(rows).zip(fresh.chunks(rows)) {
                self.critic_step_on_rows(draws, fresh, context, &mut log).await;
            }
        }
        log.tell(metrics).await
    }

    /// One gradient step of the critic and one of the target behind it; `loss` gives a part's share
    /// of the step's loss.
    async fn critic_step<P: Send>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut CriticLog,
        loss: impl Fn(&Critic, &Critic, P) -> (Tensor<1>, CriticSeen) + Sync,
    ) {
        let config = context.config;
        let done = parallel::map(context.threads, parts, |part| async {
            breathe().await;
            let critic = params::fork(&self.critic);
            let (loss, seen) = loss(&critic, &self.target, part);
            breathe().await;
            (params::gradients(&critic, &loss.backward()), seen)
        })
        .await;
        let mut sum = None;
        for (grads, seen) in done {
            sum = Some(accumulate(sum, grads));
            log.push(seen);
        }
        let (grads, norm) = clip_global_norm(sum.expect("a part"), config.max_grad_norm);
        log.grad_norms.push(norm);
        let lr = config.critic_lr * context.lr_share();
        self.critic = self.critic_adam.step(self.critic.clone(), grads, lr);
        self.target = polyak(self.target.clone(), &self.critic, config.tau);
    }

    async fn actor_phase(
        &mut self,
        buffer: &ReplayBuffer,
        context: &Context<'_>,
        metrics: &mut Metrics,
    ) -> Result<(), Error> {
        let config = context.config;
        let rows = config.batch_size * config.grad_accum_steps;
        let critic = self.critic.valid();
        let mut rng = rng::stream(config.seed, "actor.draw", context.iteration as u64);
        let mut log = ActorLog::default();
        let games = match critic {
            Critic::Causal(_) => games::games(buffer, context.tokenizer, self.room(context))?,
            Critic::Encoder(_) => Vec::new(),
        };
        for step in 0..config.actor_epochs {
            let (actor, sampler) = (self.policy.lm.valid(), context.sampler());
            let draws_of = (config.seed, "actor.action", context.draw(step << 14));
            let player = context.player(&actor, &sampler);
            match &critic {
                Critic::Causal(critic) => {
                    let step = games::draw(&games, rows, &mut rng);
                    let drawn =
                        games::sample(player, &step, config.actor_samples, draws_of).await?;
                    let parts = games::micro_batches(&drawn, config.grad_accum_steps);
                    let sampled = parts.iter().flatten().flat_map(|game| &game.fresh);
                    log.see(sampled);
                    let score = |policy: &Policy, part: &Vec<games::Drawn<'_>>| {
                        games::score(policy, part, config.entropy_coef > 0.0)
                    };
                    let judge =
                        |part: &Vec<games::Drawn<'_>>| games::advantages(critic, part, context);
                    self.actor_step(parts, context, &mut log, judge, score).await;
                }
                Critic::Encoder(critic) => {
                    let draws = buffer.sample(rows, &mut rng);
                    let observations: Vec<&[u32]> =
                        draws.iter().map(|draw| &*draw.observation).collect();
                    let actions = sample_actions(player, &observations, draws_of).await?;
                    self.actor_step_on_rows(critic, &observations, &actions, context, &mut log)
                        .await;
                }
            }
        }
        log.tell(metrics).await
    }

    /// One gradient step of the actor on fresh actions that `judge` values and `score` scores.
    async fn actor_step<P: Send + Sync>(
        &mut self,
        parts: Vec<P>,
        context: &Context<'_>,
        log: &mut ActorLog,
        judge: impl Fn(&P) -> Tensor<1> + Sync,
        score: impl Fn(&Policy, &P) -> Scored + Sync,
    ) {
        let config = context.config;
        let advantages = parallel::map(context.threads, parts.iter().collect(), |part| async {
            breathe().await;
            judge(part)
        })
        .await;
        let all = Tensor::cat(advantages.clone(), 0); // [rows]
        let total = all.dims()[0] as f64;
        let scale = config.normalize_advantage.then(|| {
            let mean = all.clone().mean();
            let deviation = (all - mean.clone()).square().mean().sqrt().add_scalar(1e-6);
            (mean, deviation) // [1] each
        });
        let jobs = parts.into_iter().zip(advantages).collect();
        let policy = &self.policy;
        let reference = self.reference.as_ref().filter(|_| config.kl_coef > 0.0);
        let reference = reference.map(|lm| Policy::new(lm.clone()));
        let done = parallel::map(context.threads, jobs, |(part, advantage): (P, Tensor<1>)| {
            let (scale, score, reference) = (&scale, &score, &reference);
            async move {
                breathe().await;
                let policy = params::fork(policy);
                let scaled = match scale {
                    Some((mean, deviation)) => {
                        (advantage.clone() - mean.clone()) / deviation.clone()
                    }
                    None => advantage.clone(),
                };
                let share = advantage.dims()[0] as f64 / total;
                let first = reference
                    .as_ref()
                    .map(|policy| score(policy, &part).log_prob.sum_dim(1).squeeze_dim(1));
                let (loss, mut seen) = actor_loss(score(&policy, &part), scaled, first, config);
                seen.advantage = Some(advantage);
                breathe().await;
                (params::gradients(&policy, &loss.mul_scalar(share).backward()), seen)
            }
        })
        .await;
        let mut sum = None;
        for (grads, seen) in done {
            sum = Some(accumulate(sum, grads));
            log.seen.push(seen);
        }
        let (grads, norm) = clip_global_norm(sum.expect("a part"), config.max_grad_norm);
        log.grad_norms.push(norm);
        let lr = config.lm_lr * context.lr_share();
        self.policy = self.actor_adam.step(self.policy.clone(), grads, lr);
    }
}

/// The actor's loss on a part of a step's actions, `[1]`, and what it showed.
///
/// `first` is the log-probability that the first policy gives these actions, where the divergence
/// from it is penalised: `E[∇ log π · log (π / π₀)]` is that divergence's gradient, so the penalty
/// comes off the advantage.
fn actor_loss(
    scored: Scored,
    advantage: Tensor<1>,
    first: Option<Tensor<1>>,
    config: &Config,
) -> (Tensor<1>, ActorSeen) {
    let Scored { log_prob, mask, baseline, entropy } = scored;
    let summed = log_prob.clone().sum_dim(1).squeeze_dim::<1>(1); // [batch]
    let mut seen = ActorSeen { log_prob: Some(summed.clone().inner()), ..ActorSeen::default() };
    seen.log_ratio = first.map(|first| summed.clone().inner() - first);
    let advantage = match &seen.log_ratio {
        Some(ratio) => advantage - ratio.clone().mul_scalar(config.kl_coef),
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

/// An utterance's tokens without the terminator: what the critic reads.
fn body<'a>(action: &'a [u32], tokenizer: &Tokenizer) -> &'a [u32] {
    match action.split_last() {
        Some((last, rest)) if tokenizer.ends_utterance(*last) => rest,
        _ => action,
    }
}
