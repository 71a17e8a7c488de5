//! Learning in the page: the core's own trainer, asked for one iteration after another.
//!
//! What is decided here is only where a fine-tune begins: smaller iterations than a run's, so that
//! something is seen every few seconds, at rates that suit a fine-tune, and held near the model by a
//! divergence penalty.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use archer::agent::Agent;
use archer::checkpoint::Sections;
use archer::config::{
    ActorModelConfig, AdvantageBaseline, Algorithm, AuxiliaryConfig, Config, CriticKind,
    CriticModelConfig,
};
use archer::rl::metrics::{self, MetricInfo};
use archer::train::Trainer;
use archer::train::evaluate::{Evaluation, evaluate, starts};
use archer::train::rollout;
use archer::train::trainer::{Phase, Report};
use archer_world::{Game, Settings, Worlds};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Session, Speaking, resumed};
use crate::fault::Fault;
use crate::guest;

/// The most games of an evaluation: minutes of a page's time.
const MOST_GAMES: usize = 100_000;

/// The most games that are handed out as text.
const MOST_TOLD: usize = 1000;

/// Keys that a fine-tune cannot change: its networks and its world are those of the model.
const FIXED: [&str; 10] = [
    "algorithm",
    "numerics",
    "actor",
    "critic",
    "world",
    "tokenizer",
    "chat",
    "actor_model",
    "critic_model",
    "warm_start",
];

/// Games that a model is to play.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Games {
    /// How many.
    pub games: usize,
    /// The same seed gives the same games.
    pub seed: u64,
    /// Whether it samples; else it plays greedily.
    pub sample: bool,
    /// Whether the kept model plays; else it is the one as it is now.
    pub kept: bool,
    /// The number of the world; left out, the world as it is now.
    pub world: Option<u64>,
    /// Whether `playGames` plays one game at a time. Playing them all at once is faster, and what an
    /// evaluation does in any case.
    #[serde(default, rename = "oneByOne")]
    pub one_by_one: bool,
}

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
    /// Go on with the run in the file; left out, only one that began here goes on.
    pub resume: Option<bool>,
    /// The number of the world to learn in from now on.
    pub world: Option<u64>,
    /// Whether what would have won a lost game is learned beside its return, where the world says it:
    /// an utterance that the agent never says is never paid for.
    pub teach_winning: bool,
    /// Other keys of the configuration by their dotted names.
    pub set: BTreeMap<String, Value>,
}

/// A fine-tune under way.
#[derive(Debug, Clone)]
pub(super) struct Tuning {
    begun_at: usize,
    iterations: usize,
    /// What was asked for where it learns from recorded games, without playing.
    recorded: Option<Tune>,
}

/// What a fine-tune will be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Plan {
    pub iterations: usize,
    pub warmup: usize,
    pub games: usize,
    pub seed: u64,
}

/// What one iteration showed; the shell adds what a clock tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Update {
    /// `imitate` in the steps with which a fresh agent begins, then `learn`.
    pub phase: &'static str,
    pub iteration: usize,
    pub iterations: usize,
    pub r#return: Interval,
    pub optimum_return: Option<f64>,
    /// Every number of the iteration by name.
    pub metrics: BTreeMap<&'static str, f64>,
    pub evaluation: Option<Summary>,
    pub games: usize,
    pub tokens: usize,
    pub warmup: bool,
    pub finished: bool,
}

/// A mean and its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// An evaluation in the page's names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Summary {
    pub games: usize,
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// None where nothing varied.
    pub return_ci95: Option<[f64; 2]>,
    pub win_rate: f64,
    pub mean_turns: f64,
    pub invalid_rate: f64,
    pub repeat_rate: f64,
    pub optimum_return: Option<f64>,
}

impl From<&Evaluation> for Summary {
    fn from(evaluation: &Evaluation) -> Self {
        Self {
            games: evaluation.games,
            mean_return: evaluation.mean_return,
            return_ci95: evaluation.return_ci95[0].is_finite().then_some(evaluation.return_ci95),
            win_rate: evaluation.win_rate,
            mean_turns: evaluation.mean_turns,
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

/// Whether two worlds have the same settings. JavaScript writes 0 where a file has 0.0.
fn alike(one: &Settings, other: &Settings) -> bool {
    fn same(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| same(one, other))
            }
            (Value::Object(one), Value::Object(other)) => alike(one, other),
            _ => one == other,
        }
    }
    let held =
        |(key, value): (&String, &Value)| other.get(key).is_some_and(|there| same(value, there));
    one.len() == other.len() && one.iter().all(held)
}

impl Session {
    /// Makes the trainer of a fine-tune; nothing is learned yet.
    pub(super) async fn tune(&mut self, tune: &Tune) -> Result<Plan, Fault> {
        let iterations = tune.iterations.unwrap_or(20);
        if iterations == 0 {
            return Err(Fault::usage("a fine-tune of 0 iterations", "Ask for at least 1."));
        }
        let trainer = match tune.resume.unwrap_or(self.fresh) {
            true => self.go_on(tune, iterations).await?,
            false => self.branch_off(tune, iterations)?,
        };
        // Another world is in the file, whether or not anything is learned in it.
        let moved = !alike(&trainer.config().world, &self.trainer.config().world);
        let plan = self.begin(trainer, iterations, None);
        self.changed |= moved;
        Ok(plan)
    }

    /// Takes note of games that others played, and makes the trainer that learns from them; nothing is
    /// learned yet.
    pub(super) async fn learn_from(&mut self, games: &[Game], tune: &Tune) -> Result<Plan, Fault> {
        let iterations = tune.iterations.unwrap_or(10);
        if iterations == 0 || games.is_empty() && self.recorded.is_empty() {
            let hint = "Bring at least one game, and ask for at least 1 iteration.";
            return Err(Fault::usage("there is nothing to learn from", hint));
        }
        if let Some(number) = games.iter().position(|game| game.turns.is_empty()) {
            let message = format!("game {} has no turns", number + 1);
            return Err(Fault::usage(message, "Leave it out."));
        }
        // With the same settings it goes on; others begin a run of their own with all games so far.
        let asked = Tune { iterations: None, ..tune.clone() };
        let under_way = self.tuning.as_ref().and_then(|tuning| tuning.recorded.as_ref());
        let goes_on = under_way == Some(&asked);
        let trainer = if goes_on {
            let mut trainer = Trainer::clone(&self.trainer);
            trainer.remember(games).await?;
            trainer
        } else {
            let mut trainer = self.branch_off(tune, iterations)?;
            trainer.remember(&self.recorded).await?;
            trainer.remember(games).await?;
            trainer
        };
        Rc::make_mut(&mut self.recorded).extend_from_slice(games);
        Ok(self.begin(trainer, iterations, Some(asked)))
    }

    /// A run of its own from the agent as it is now.
    fn branch_off(&self, tune: &Tune, iterations: usize) -> Result<Trainer, Fault> {
        let mut config = fine_tune_config(self.trainer.config(), tune, iterations)?;
        let worlds = self.world_of(tune.world)?;
        if let Some(number) = tune.world {
            config.world = guest::find(number)?.settings();
        }
        let agent = Agent::clone(&self.agent);
        let mut trainer = Trainer::from_agent(config, worlds, agent, &self.device)?;
        trainer.set_before(self.trainer.lifetime());
        if tune.world.is_none() {
            trainer.set_opening(self.trainer.known_opening().map(str::to_string));
        }
        Ok(trainer)
    }

    fn begin(&mut self, trainer: Trainer, iterations: usize, recorded: Option<Tune>) -> Plan {
        let (begun_at, _) = trainer.experience();
        let config = trainer.config();
        let plan = Plan {
            iterations,
            warmup: config.warmup_iter.saturating_sub(begun_at),
            games: if recorded.is_some() { 0 } else { config.rollout_size },
            seed: config.seed,
        };
        // Learning needs the memory, and the way back can do without.
        self.agent.prefix.take();
        // One that was tuned and did not learn is no way back either.
        let untuned = self.untuned.take().unwrap_or_else(|| self.clone().into());
        self.untuned = Some(untuned);
        self.agent = Speaking::new(trainer.agent());
        self.trainer = Rc::new(trainer);
        self.tuning = Some(Tuning { begun_at, iterations, recorded });
        plan
    }

    /// The world of this number, or the one in which the model stands.
    fn world_of(&self, number: Option<u64>) -> Result<Arc<dyn Worlds>, Fault> {
        Ok(match number {
            Some(number) => Arc::new(guest::find(number)?),
            None => self.trainer.worlds().clone(),
        })
    }

    /// The run in the file with more iterations.
    async fn go_on(&self, tune: &Tune, iterations: usize) -> Result<Trainer, Fault> {
        if !self.resumable {
            return Err(Fault::usage(
                "the model file holds no run to go on with",
                "Start a fine-tune of its own, or load a file that was exported with its training.",
            ));
        }
        let bytes = self.trainer.checkpoint().await?;
        let done = self.trainer.experience().0;
        let worlds = self.world_of(tune.world)?;
        Ok(Trainer::resume_with(&bytes, &|_, _| Ok(worlds.clone()), &self.device, |old| {
            let config = Config {
                iterations: done + iterations,
                eval_freq: tune.evaluate_every,
                eval_size: tune.evaluation_games.unwrap_or(50),
                ..old.clone()
            };
            with_set(config, &tune.set, &FIXED)
        })?)
    }

    /// Does one slice of imitation, or one iteration.
    pub(super) async fn step(&mut self) -> Result<Update, Fault> {
        let imitates = self.trainer.progress().phase == Phase::WarmStart;
        let tuning = match (&self.tuning, imitates) {
            (Some(tuning), false) => tuning.clone(),
            (_, true) => Tuning {
                begun_at: 0,
                iterations: self.trainer.config().warm_start.steps,
                recorded: None,
            },
            (None, false) => {
                let hint = "Begin one before asking for a step.";
                return Err(Fault::usage("no fine-tune is under way", hint));
            }
        };
        let config = self.trainer.config();
        let warmup = config.algorithm.has_critic()
            && !imitates
            && self.trainer.experience().0 < config.warmup_iter;
        let trainer = Rc::make_mut(&mut self.trainer);
        let report = match tuning.recorded.is_some() {
            true => trainer.learn_from_memory().await?,
            false => trainer.step().await?,
        };
        self.agent = Speaking::new(self.trainer.agent());
        self.untuned = None;
        self.changed = true;
        self.resumable = true;
        Ok(self.update(&tuning, &report, warmup))
    }

    fn update(&self, tuning: &Tuning, report: &Report, warmup: bool) -> Update {
        let value = |name: &str| report.metrics.get(name).unwrap_or(f64::NAN);
        let mean = value("rollout.return.mean");
        let half = 1.96 * value("rollout.return.std") / (report.games.max(1) as f64).sqrt();
        let iteration = report.step.saturating_sub(tuning.begun_at);
        let phase = match report.phase {
            Phase::WarmStart => "imitate",
            Phase::Learn | Phase::Finished => "learn",
        };
        Update {
            phase,
            iteration,
            iterations: tuning.iterations,
            r#return: Interval { mean, low: mean - half, high: mean + half },
            optimum_return: self.trainer.worlds().about().best,
            metrics: report.metrics.iter().collect(),
            evaluation: report.evaluation.as_ref().map(Summary::from),
            games: report.games,
            tokens: report.tokens,
            warmup,
            finished: iteration >= tuning.iterations,
        }
    }

    /// Lets a model play, and says how it went.
    pub(super) async fn evaluate(&self, games: &Games) -> Result<Summary, Fault> {
        if games.games == 0 || games.games > MOST_GAMES {
            let hint = "Ask for at least 1 and at most 100000.";
            return Err(Fault::usage(format!("an evaluation of {} games", games.games), hint));
        }
        let (agent, worlds) = self.players(games)?;
        let sampler = agent.about.sampler(games.sample);
        let player = agent.player(&sampler, 1);
        let evaluation = evaluate(player, worlds.as_ref(), games.games, games.seed).await?;
        Ok(Summary::from(&evaluation))
    }

    /// Lets a model play the games that an evaluation would, and tells them.
    pub(super) async fn play_games(&self, games: &Games) -> Result<Vec<Game>, Fault> {
        if games.games == 0 || games.games > MOST_TOLD {
            let hint = "Ask for at least 1 and at most 1000 at a time.";
            return Err(Fault::usage(format!("{} games are to be told", games.games), hint));
        }
        let (agent, worlds) = self.players(games)?;
        let sampler = agent.about.sampler(games.sample);
        let starts = starts(worlds.about(), games.games, games.seed);
        let at_once = if games.one_by_one { 1 } else { starts.len() };
        let mut played = Vec::with_capacity(starts.len());
        for starts in starts.chunks(at_once) {
            let player = agent.player(&sampler, 1);
            played.extend(rollout::records(player, worlds.as_ref(), starts).await?);
        }
        Ok(played)
    }

    /// Who plays, and where.
    fn players(&self, games: &Games) -> Result<(Rc<Speaking>, Arc<dyn Worlds>), Fault> {
        let agent = match games.kept {
            true => {
                Speaking::new(resumed(&Sections::from_shared(&self.kept)?, &self.device)?.agent())
            }
            false => self.agent.clone(),
        };
        Ok((agent, self.world_of(games.world)?))
    }
}

/// The configuration of a fine-tune of a model that was trained by `run`: measured settings of its own
/// (`docs/fine-tuning.md`), but no faster and no more than the run had; held near the model by the
/// divergence penalty.
pub(super) fn fine_tune_config(
    run: &Config,
    tune: &Tune,
    iterations: usize,
) -> Result<Config, Fault> {
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
    if run.lora.is_on() && !run.algorithm.has_critic() {
        // A critic of adapters on the actor's model: one of its own would first have to learn to read.
        let ActorModelConfig { layers, width, heads, positions, .. } = run.actor_model;
        let kind = CriticKind::Causal;
        config.critic_model =
            CriticModelConfig { kind, from_actor: true, layers, width, heads, positions };
    }
    if config.critic_model.kind == CriticKind::Causal {
        config.actor_samples = run.actor_samples.max(4);
        config.advantage_baseline = AdvantageBaseline::Samples;
    }
    if tune.teach_winning {
        config.lessons = lessons_of_winning(2.0 * config.lm_lr);
        config.actor_average = 0.0; // a mean with what never said it hesitates to say it
    }
    let config = with_set(config, &tune.set, &FIXED)?;
    config.validate()?;
    Ok(config)
}

/// The model is told what would have won a lost game, and held firmly in everything else.
fn lessons_of_winning(lr: f64) -> AuxiliaryConfig {
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

/// A configuration with some of its keys set by their dotted names, none of which begins as one of
/// `fixed`.
pub(super) fn with_set(
    config: Config,
    set: &BTreeMap<String, Value>,
    fixed: &[&str],
) -> Result<Config, archer::Error> {
    let fault = |text: String| archer::Error::Config(text);
    let mut value = serde_json::to_value(config).expect("a configuration is plain data");
    for (key, new) in set {
        if fixed.contains(&key.split('.').next().unwrap_or_default()) {
            return Err(fault(format!("{key} cannot be set here: it belongs to the model")));
        }
        let place = value.pointer_mut(&format!("/{}", key.replace('.', "/")));
        *place.ok_or_else(|| fault(format!("there is no setting {key}")))? = new.clone();
    }
    serde_json::from_value(value)
        .map_err(|error| fault(format!("a setting is no such value: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_alike_whether_a_number_has_a_point_or_not() {
        let settings = |value: Value| value.as_object().cloned().unwrap();
        let one = settings(json!({"noise": 0.0, "of": {"list": [1, 2.5]}, "name": "maze"}));
        assert!(alike(
            &one,
            &settings(json!({"name": "maze", "noise": 0, "of": {"list": [1.0, 2.5]}}))
        ));
        for other in [
            json!({"noise": 0.1, "of": {"list": [1, 2.5]}, "name": "maze"}),
            json!({"noise": 0.0, "of": {"list": [1]}, "name": "maze"}),
            json!({"noise": 0.0, "name": "maze"}),
        ] {
            assert!(!alike(&one, &settings(other)));
        }
    }
}
