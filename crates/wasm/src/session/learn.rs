//! Learning in the page: the core's own trainer, asked for one iteration after another.
//!
//! What is decided here is only where a fine-tune begins: smaller iterations than a run's, so that
//! something is seen every few seconds, at rates that suit a fine-tune, and held near the model by a
//! divergence penalty.

use std::collections::BTreeMap;
use std::rc::Rc;

use archer::agent::Agent;
use archer::config::{AdvantageBaseline, Algorithm, AuxiliaryConfig, Config, CriticKind};
use archer::rl::metrics::{self, MetricInfo};
use archer::train::Trainer;
use archer::train::evaluate::{Evaluation, evaluate};
use archer::train::trainer::Report;
use archer_games::{WorldChange, WorldConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Session;
use crate::fault::Fault;

/// Keys that a fine-tune cannot change: its networks and its world are those of the model.
const FIXED: [&str; 9] = [
    "algorithm",
    "numerics",
    "actor",
    "critic",
    "world",
    "tokenizer",
    "actor_model",
    "critic_model",
    "warm_start",
];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Tune {
    /// Iterations to do.
    pub iterations: Option<usize>,
    /// Seed of everything drawn.
    pub seed: Option<u64>,
    /// Games in an iteration.
    pub games: Option<usize>,
    /// Iterations between two evaluations; 0 for none.
    pub evaluate_every: usize,
    /// Games of an evaluation.
    pub evaluation_games: Option<usize>,
    /// Go on with the run in the file.
    pub resume: bool,
    /// How the world is another from now on.
    pub world: Option<WorldChange>,
    /// Other keys of the configuration by their dotted names.
    pub set: BTreeMap<String, Value>,
}

/// A fine-tune under way.
#[derive(Debug, Clone)]
pub(super) struct Tuning {
    begun_at: usize,
    iterations: usize,
}

/// What a fine-tune will be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    iterations: usize,
    warmup: usize,
    games: usize,
    seed: u64,
}

/// What one iteration showed; the shell adds what a clock tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    iteration: usize,
    iterations: usize,
    r#return: Interval,
    optimum_return: Option<f64>,
    /// Every number of the iteration by name.
    pub metrics: BTreeMap<&'static str, f64>,
    evaluation: Option<Summary>,
    games: usize,
    tokens: usize,
    warmup: bool,
    finished: bool,
}

/// A mean and its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Interval {
    mean: f64,
    low: f64,
    high: f64,
}

/// An evaluation in the page's names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    games: usize,
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// None where nothing varied.
    return_ci95: Option<[f64; 2]>,
    win_rate: f64,
    mean_questions: f64,
    invalid_rate: f64,
    repeat_rate: f64,
    optimum_return: Option<f64>,
}

impl From<&Evaluation> for Summary {
    fn from(evaluation: &Evaluation) -> Self {
        Self {
            games: evaluation.games,
            mean_return: evaluation.mean_return,
            return_ci95: evaluation.return_ci95[0].is_finite().then_some(evaluation.return_ci95),
            win_rate: evaluation.win_rate,
            mean_questions: evaluation.mean_turns,
            invalid_rate: evaluation.invalid_rate,
            repeat_rate: evaluation.repeat_rate,
            optimum_return: evaluation.optimum_return,
        }
    }
}

/// The metrics' table.
pub fn metric_infos() -> &'static [MetricInfo] {
    metrics::table()
}

impl Session {
    /// Makes the trainer of a fine-tune; nothing is learned yet.
    pub(super) async fn tune(&mut self, tune: &Tune) -> Result<Plan, Fault> {
        let iterations = tune.iterations.unwrap_or(20);
        if iterations == 0 {
            return Err(Fault::usage("a fine-tune of 0 iterations", "Ask for at least 1."));
        }
        let trainer = match tune.resume {
            true => self.go_on(tune, iterations).await?,
            false => {
                let config = fine_tune_config(self.trainer.config(), tune, iterations)?;
                let agent = Agent::clone(&self.agent);
                let worlds = super::worlds(&config, None)?;
                let mut trainer = Trainer::from_agent(config, worlds, agent, &self.device)?;
                trainer.set_before(self.trainer.lifetime());
                trainer
            }
        };
        let (begun_at, _) = trainer.experience();
        let config = trainer.config();
        let plan = Plan {
            iterations,
            warmup: config.warmup_iter.saturating_sub(begun_at),
            games: config.rollout_size,
            seed: config.seed,
        };
        self.agent = Rc::new(trainer.agent());
        self.trainer = Rc::new(trainer);
        self.settle_in()?;
        // Another world is in the file, whether or not anything is learned in it.
        self.changed |= tune.world.is_some();
        self.tuning = Some(Tuning { begun_at, iterations });
        Ok(plan)
    }

    /// The run in the file with more iterations.
    async fn go_on(&self, tune: &Tune, iterations: usize) -> Result<Trainer, Fault> {
        if tune.world.is_some() {
            return Err(Fault::usage(
                "a run that is gone on with stays in its world",
                "Leave out resume to learn in another world, or leave out world.",
            ));
        }
        if !self.resumable {
            return Err(Fault::usage(
                "the model file holds no run to go on with",
                "Start a fine-tune of its own, or load a file that was exported with its training.",
            ));
        }
        let bytes = self.trainer.checkpoint().await?;
        let done = self.trainer.experience().0;
        Ok(Trainer::resume_with(&bytes, &super::worlds, &self.device, |old| {
            let config = Config {
                iterations: done + iterations,
                eval_freq: tune.evaluate_every,
                eval_size: tune.evaluation_games.unwrap_or(50),
                ..old.clone()
            };
            with_set(config, &tune.set)
        })?)
    }

    /// Does one iteration.
    pub(super) async fn step(&mut self) -> Result<Update, Fault> {
        let tuning = self.tuning.clone().ok_or_else(|| {
            Fault::usage("no fine-tune is under way", "Begin one before asking for a step.")
        })?;
        let warmup = self.trainer.experience().0 < self.trainer.config().warmup_iter;
        let report = Rc::make_mut(&mut self.trainer).step().await?;
        self.agent = Rc::new(self.trainer.agent());
        self.changed = true;
        self.resumable = true;
        Ok(self.update(&tuning, &report, warmup))
    }

    fn update(&self, tuning: &Tuning, report: &Report, warmup: bool) -> Update {
        let value = |name: &str| report.metrics.get(name).unwrap_or(f64::NAN);
        let mean = value("rollout.return.mean");
        let half = 1.96 * value("rollout.return.std") / (report.games.max(1) as f64).sqrt();
        let iteration = report.step.saturating_sub(tuning.begun_at);
        Update {
            iteration,
            iterations: tuning.iterations,
            r#return: Interval { mean, low: mean - half, high: mean + half },
            optimum_return: self.best,
            metrics: report.metrics.iter().collect(),
            evaluation: report.evaluation.as_ref().map(Summary::from),
            games: report.games,
            tokens: report.tokens,
            warmup,
            finished: iteration >= tuning.iterations,
        }
    }

    /// Lets a model play, the one as it is now or the kept one, in the world as it is now or one that
    /// is another by `change`.
    pub(super) async fn evaluate(
        &self,
        games: usize,
        seed: u64,
        sample: bool,
        kept: bool,
        change: Option<&WorldChange>,
    ) -> Result<Summary, Fault> {
        if games == 0 {
            return Err(Fault::usage("an evaluation of 0 games", "Ask for at least 1."));
        }
        let agent = match kept {
            true => Rc::new(Trainer::resume(&self.kept, &super::worlds, &self.device)?.agent()),
            false => self.agent.clone(),
        };
        let sampler = agent.about.sampler(sample);
        let player = agent.player(&sampler, 1);
        let worlds = match change {
            Some(change) => self.world().changed(change).worlds()?,
            None => self.trainer.worlds().clone(),
        };
        let evaluation = evaluate(player, worlds.as_ref(), games, seed).await?;
        Ok(Summary::from(&evaluation))
    }

    /// One tiny iteration on a copy, for a clock outside: two games, a critic step, an actor step.
    pub(super) async fn probe(&self) -> Result<usize, Fault> {
        let config = Config {
            rollout_size: 2,
            batch_size: 8,
            grad_accum_steps: 1,
            epochs: 1,
            actor_epochs: 1,
            actor_samples: 1,
            advantage_baseline: AdvantageBaseline::Value,
            warmup_iter: 0,
            ..fine_tune_config(self.trainer.config(), &Tune::default(), 1)?
        };
        let agent = Agent::clone(&self.agent);
        let worlds = super::worlds(&config, None)?;
        let mut trainer = Trainer::from_agent(config, worlds, agent, &self.device)?;
        Ok(trainer.step().await?.tokens)
    }
}

/// The configuration of a fine-tune of a model that was trained by `run`: measured settings of its own
/// (`docs/fine-tuning.md`), but no faster and no more than the run had; held near the model by the
/// divergence penalty.
fn fine_tune_config(run: &Config, tune: &Tune, iterations: usize) -> Result<Config, Fault> {
    let mut config = Config {
        algorithm: Algorithm::Archer,
        seed: tune.seed.unwrap_or(1),
        iterations,
        rollout_size: tune.games.unwrap_or(64),
        batch_size: run.batch_size.min(64),
        grad_accum_steps: 1,
        epochs: run.epochs.min(20),
        actor_epochs: run.actor_epochs.min(4),
        warmup_iter: run.warmup_iter.min(2),
        eval_freq: tune.evaluate_every,
        eval_size: tune.evaluation_games.unwrap_or(50),
        lm_lr: (run.lm_lr * (2.0 * run.lr_final).min(1.0)).min(1e-4), // twice what a run ended with
        critic_lr: run.critic_lr.min(5e-4),
        lr_final: 1.0,
        actor_average: 0.8, // from one iteration to the next the actor wanders
        kl_coef: run.kl_coef.max(0.15),
        normalize_advantage: true,
        ..run.clone()
    };
    config.warm_start.steps = 0;
    if run.critic_model.kind == CriticKind::Causal {
        config.actor_samples = run.actor_samples.max(4);
        config.advantage_baseline = AdvantageBaseline::Samples;
    }
    let mut world = WorldConfig::of(&run.world)?;
    if let Some(change) = &tune.world {
        world = world.changed(change);
        config.world = world.settings();
    }
    if !world.extra.is_empty() {
        config.lessons = lessons_of_new_words(2.0 * config.lm_lr);
        config.actor_average = 0.0; // a mean with what never said the word hesitates to say it
    }
    let config = with_set(config, &tune.set)?;
    config.validate()?;
    Ok(config)
}

/// A word that the model never says is never paid for: it is told what would have won a lost game, and
/// held firmly in everything else.
fn lessons_of_new_words(lr: f64) -> AuxiliaryConfig {
    AuxiliaryConfig {
        steps: 8,
        lr,
        reply_coef: 0.0,
        task_coef: 0.0,
        fact_coef: 0.0,
        guess_coef: 10.0,
        hold_coef: 10.0,
    }
}

/// A configuration with some of its keys set by their dotted names.
fn with_set(config: Config, set: &BTreeMap<String, Value>) -> Result<Config, archer::Error> {
    let fault = |text: String| archer::Error::Config(text);
    let mut value = serde_json::to_value(config).expect("a configuration is plain data");
    for (key, new) in set {
        if FIXED.contains(&key.split('.').next().unwrap_or_default()) {
            return Err(fault(format!("{key} cannot change in a fine-tune: it is the model's")));
        }
        let place = value.pointer_mut(&format!("/{}", key.replace('.', "/")));
        *place.ok_or_else(|| fault(format!("there is no setting {key}")))? = new.clone();
    }
    serde_json::from_value(value)
        .map_err(|error| fault(format!("a setting is no such value: {error}")))
}
