//! The games of an iteration: played before it is learned from, or, where the policy that plays lags
//! behind the one that learns, while the iteration before is learned from.

use archer_world::{Start, Worlds};
use burn::module::Module;
use rand::Rng;
use std::sync::Arc;

use super::Trainer;
use crate::algorithms::common::Player;
use crate::algorithms::common::auxiliary::TaskFacts;
use crate::algorithms::common::choose::Chooser;
use crate::algorithms::common::learner::{Context, Experience, Learner};
use crate::algorithms::learn;
use crate::config::{Algorithm, Config};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Critic;
use crate::nn::sampling::Sampler;
use crate::parallel;
use crate::ranks::Workers;
use crate::rl::metrics::Metrics;
use crate::rl::transition::Trajectory;
use crate::rng;
use crate::train::evaluate::{Evaluation, evaluate};
use crate::train::rollout::{self, play};

/// This rank's share of the games of an iteration that is still to come.
#[derive(Clone)]
pub(super) struct Ahead {
    pub(super) iteration: usize,
    played: Result<Vec<Vec<Trajectory>>, Error>,
}

impl Ahead {
    /// The games of all ranks.
    fn of_all(self, workers: Workers<'_>) -> Result<Vec<Trajectory>, Error> {
        rollout::of_all(workers, self.played)
    }
}

/// Games that are to be played while something is learned.
pub(super) struct Next {
    iteration: usize,
    actor: CausalLm,
    worlds: Arc<dyn Worlds>,
    starts: Vec<Start>,
}

/// The starts of an iteration's games.
fn starts_of(config: &Config, iteration: usize) -> Vec<Start> {
    let mut seeds = rng::stream(config.seed, "rollout", iteration as u64);
    (0..config.rollout_size).map(|_| Start { task: None, seed: seeds.next_u64() }).collect()
}

/// All that an iteration learns: by its algorithm, and in its lessons.
pub(super) async fn learn_all(
    learner: &mut Learner,
    experience: Experience<'_>,
    task_facts: &TaskFacts,
    context: &Context<'_>,
) -> Result<(Metrics, Metrics), Error> {
    let learned = learn(learner, experience, context).await?;
    let taught = learner.auxiliary_steps(experience, task_facts, context).await?;
    Ok((learned, taught))
}

impl Trainer {
    /// The world as it is trained in at an iteration.
    pub(super) fn training_worlds(&self, iteration: usize) -> Result<Arc<dyn Worlds>, Error> {
        let training = self.worlds.in_training(self.config.progress(iteration))?;
        Ok(training.unwrap_or_else(|| self.worlds.clone()))
    }

    /// The next iteration's games, where they can be played while this one is learned: the policy that
    /// plays them is known already, and there are threads for both.
    pub(super) fn next_games(&self) -> Result<Option<Next>, Error> {
        let iteration = self.iteration + 1;
        let can = self.config.play_lag > 0
            && self.crew.threads > 1
            && parallel::shares(&self.learner.policy.lm.device())
            && iteration < self.config.iterations
            && iteration >= self.config.prior.iterations;
        if !can {
            return Ok(None);
        }
        Ok(Some(Next {
            iteration,
            actor: self.learner.lagging_actor(),
            worlds: self.training_worlds(iteration)?,
            starts: starts_of(&self.config, iteration),
        }))
    }

    /// What an iteration learns, while threads of its own play the next one's games.
    pub(super) async fn learn_while_playing(
        &mut self,
        played: &[Trajectory],
        next: Next,
    ) -> Result<(Metrics, Metrics), Error> {
        let Workers { threads, ranks } = self.crew.workers();
        // Learning takes longer than playing, so most threads learn.
        let playing = (threads / 4).max(1);
        let (config, tokenizer, layout) = (&self.config, &self.tokenizer, &self.layout);
        let workers = Workers { threads: threads - playing, ranks };
        let context = Context { config, tokenizer, layout, iteration: self.iteration, workers };
        let experience = Experience { replay: &self.buffer, prior: &self.prior, played };
        let (sampler, tries) = (config.sampler(), config.utterance_tries);
        let workers = Workers { threads: playing, ranks };
        let player = Player { workers, tries, ..context.player(&next.actor, &sampler) };
        let worlds = next.worlds.as_ref();
        let play = || rollout::play_own(player, worlds, &next.starts, config.gamma);
        let learn = learn_all(&mut self.learner, experience, &self.task_facts, &context);
        let (played, learned) = parallel::beside(play, learn).await;
        self.ahead = Some(Ahead { iteration: next.iteration, played });
        learned
    }

    /// The games of an iteration and what they tell; offline there are none.
    pub(super) async fn rollout(
        &mut self,
        worlds: &dyn Worlds,
    ) -> Result<(Vec<Trajectory>, Metrics), Error> {
        if self.config.algorithm.is_offline() || self.learns_from_prior_alone() {
            return Ok((Vec::new(), Metrics::new()));
        }
        self.games += self.config.rollout_size as u64;
        if let Some(ahead) = self.ahead.take().filter(|ahead| ahead.iteration == self.iteration) {
            let played = ahead.of_all(self.crew.workers())?;
            let metrics = rollout::metrics(&played);
            return Ok((played, metrics));
        }
        let starts = starts_of(&self.config, self.iteration);
        let sampler = self.config.sampler();
        #[cfg(feature = "baselines")]
        if self.config.algorithm == Algorithm::Distill {
            return self.teach(&starts, &sampler).await;
        }
        let (actor, critic) = (self.learner.lagging_actor(), self.choosing_critic());
        let player = self.player(&actor, critic.as_ref(), &sampler);
        let played = play(player, worlds, &starts, self.config.gamma).await?;
        let metrics = rollout::metrics(&played);
        Ok((played, metrics))
    }

    /// Lets the agent as it is now play `games` games, on seeds of the evaluation's own.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn evaluate(&self, games: usize, sampler: &Sampler) -> Result<Evaluation, Error> {
        let (actor, critic) = (self.learner.playing_actor(), self.choosing_critic());
        let player = self.player(&actor, critic.as_ref(), sampler);
        evaluate(player, self.worlds.as_ref(), games, self.config.seed).await
    }

    /// The critic, where it has a say in what is said, without autodiff.
    fn choosing_critic(&self) -> Option<Critic> {
        let critics = self.learner.critics.as_ref().filter(|_| self.samples() > 1);
        critics.map(|critics| critics.online.valid())
    }

    /// Utterances from which the critic chooses, once it has learned to.
    pub(super) fn samples(&self) -> usize {
        match self.config.algorithm {
            Algorithm::Chai if self.iteration > 0 => self.config.chai.samples,
            _ => 1,
        }
    }

    pub(super) fn player<'a>(
        &'a self,
        actor: &'a CausalLm,
        critic: Option<&'a Critic>,
        sampler: &'a Sampler,
    ) -> Player<'a> {
        let (tokenizer, layout, workers) = (&self.tokenizer, &self.layout, self.crew.workers());
        let (samples, temperature) = (self.samples(), self.config.temperature);
        let chooser = critic.map(|critic| Chooser { critic, samples, temperature });
        let tries = self.config.utterance_tries;
        Player { actor, tokenizer, layout, sampler, workers, chooser, tries, style: None }
    }
}
