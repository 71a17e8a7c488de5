//! The warm start as slices of gradient steps: which games a step imitates, and what follows the last.

use archer_world::Game;
use burn::tensor::Tensor;

use super::{Phase, Report, Trainer};
use crate::algorithms::bc::{self, Demonstration};
use crate::algorithms::common::step::StepSettings;
use crate::error::Error;
use crate::finite;
use crate::nn::optim::Adam;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::rl::metrics::{Metrics, Stats};
use crate::rng;
use crate::train::warm_start::{context_only_games, demonstrated_games, demonstrations};

/// Gradient steps of the warm start in one slice.
const WARM_START_SLICE: usize = 8;

impl Trainer {
    /// Some gradient steps of the warm start.
    pub(super) async fn warm_start_slice(&mut self) -> Result<Report, Error> {
        if self.demonstrations.is_empty() {
            let positions = self.learner.policy.lm.config().positions;
            let worlds = self.worlds.as_ref();
            let games = demonstrated_games(&self.config, worlds);
            let context_only = context_only_games(&self.config, worlds)?;
            let opening = self.opening().await?;
            let (about, facts) = (worlds.about(), &self.task_facts.facts);
            let read = |games: &[Game]| {
                let read = |game| demonstrations(&self.tokenizer, about, &opening, game, facts);
                let games = games.iter().flat_map(read).map(|game| game.cut(positions));
                games.filter(|game| !game.utterances.is_empty()).collect::<Vec<_>>()
            };
            self.demonstrations = read(&games);
            self.imitated = self.demonstrations.len();
            if self.imitated == 0 {
                return Err(Error::Config(format!(
                    "no utterance of the {} games that are to be imitated fits into actor_model.positions = {positions} tokens with what is read before it: raise it, or set warm_start.steps=0",
                    games.len()
                )));
            }
            self.demonstrations.extend(read(&context_only));
        }
        let config = &self.config.warm_start;
        let slice = self.warm_start_step / WARM_START_SLICE;
        let joined = config.context_only_steps == 0
            || self.warm_start_step + config.context_only_steps >= config.steps;
        let games = if joined { self.demonstrations.len() } else { self.imitated };
        let games = &self.demonstrations[..games];
        let batches = draw_batches(games, config.batch_size, self.config.seed, slice);
        let steps = WARM_START_SLICE.min(config.steps - self.warm_start_step);
        let mut seen_losses = [const { Vec::new() }; 4];
        let mut grad_norms = Vec::new();
        for (n, batch) in batches.iter().take(steps).enumerate() {
            let done = (self.warm_start_step + n) as f64 / config.steps as f64;
            let lr = config.lr * (1.0 + (config.lr_final - 1.0) * done);
            let games: Vec<&Demonstration> =
                batch.iter().map(|&game| &self.demonstrations[game]).collect();
            let (policy, seen) = bc::step(
                self.learner.policy.clone(),
                &mut self.learner.actor_adam,
                &games,
                self.tokenizer.terminator(),
                bc::Weights {
                    utterance_coef: f64::from(self.warm_start_step + n >= config.reply_steps),
                    reply_coef: config.reply_coef,
                    task_coef: config.task_coef,
                    fact_coef: config.fact_coef,
                },
                StepSettings {
                    lr,
                    max_grad_norm: self.config.max_grad_norm,
                    workers: self.crew.workers(),
                },
            )
            .await?;
            self.learner.policy = policy;
            let losses = [seen.loss, seen.reply_loss, seen.task_loss, seen.fact_loss];
            seen_losses.iter_mut().zip(losses).for_each(|(all, loss)| all.push(loss));
            grad_norms.push(seen.grad_norm);
        }
        self.warm_start_step += steps;
        let mut metrics = Metrics::new();
        let series = [
            ("bc.loss", 1.0),
            ("bc.reply_loss", config.reply_coef),
            ("bc.task_loss", config.task_coef),
            ("bc.fact_loss", config.fact_coef),
        ];
        let learned = series.into_iter().zip(seen_losses).filter(|((_, coef), _)| *coef > 0.0);
        let learned = learned.map(|((name, _), losses)| (name, losses));
        let (names, losses): (Vec<_>, Vec<_>) = learned
            .chain([("bc.grad_norm", grad_norms)])
            .map(|(name, series)| (name, Tensor::cat(series, 0)))
            .unzip();
        for (name, values) in names.into_iter().zip(params::read(losses).await?) {
            metrics.push(name, Stats::of(&values).map_or(0.0, |stats| stats.mean));
        }
        finite::check_metrics(&metrics, &self.config)?;
        let mut report = self.report(Phase::WarmStart, self.warm_start_step, metrics);
        if self.warm_start_step == self.config.warm_start.steps {
            self.demonstrations = Vec::new();
            if !self.config.lessons.names_tasks() {
                self.learner.policy.task = None;
            }
            if self.config.critic_model.from_actor {
                self.learner.begin_critic_from_actor();
            }
            let temperature = self.config.warm_start.temperature;
            self.learner.policy = self.learner.policy.clone().at_temperature(temperature);
            // Reinforcement begins with a memory of its own: Adam's of imitation points elsewhere.
            self.learner.actor_adam = Adam::new();
            report.evaluation =
                Some(self.evaluate(self.config.eval_size, &Sampler::greedy()).await?);
        }
        Ok(report)
    }
}

/// The games of each gradient step of a slice, drawn uniformly and within a step sorted by length,
/// so that its micro-batches are little padding. (Steps of similar lengths would be cheaper still
/// and are a trap: a game's length tells how it ended, so each step would pull its own way.)
fn draw_batches(games: &[Demonstration], size: usize, seed: u64, slice: usize) -> Vec<Vec<usize>> {
    let mut rng = rng::stream(seed, "warm_start.draw", slice as u64);
    let mut step = || {
        let mut drawn: Vec<usize> = (0..size).map(|_| rng::below(&mut rng, games.len())).collect();
        drawn.sort_by_key(|&game| games[game].tokens.len());
        drawn
    };
    (0..WARM_START_SLICE).map(|_| step()).collect()
}
