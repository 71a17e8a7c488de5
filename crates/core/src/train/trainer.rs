//! Training as a value that can be asked to take one step.
//!
//! A step is a slice of work that a shell can wait for: some gradient steps of the warm start, or
//! one iteration of games and learning, with an evaluation where one is due. Between two steps the
//! shell may draw, save or stop. All state lives here and travels as one checkpoint; every draw is
//! named by the seed and a counter, so a resumed run goes on as if it had never stopped.

use std::collections::HashSet;
use std::sync::Arc;

use archer_world::contract::Checked;
use archer_world::transcript::spelled;
use archer_world::{Batch, Game, Start, Worlds};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::evaluate::{Evaluation, starts};
use super::warm_start::{
    self, check_context_only_games, demonstrated_games, explored_games, pieces,
};
use crate::agent::{About, Agent, Base};
use crate::algorithms::bc::Demonstration;
use crate::algorithms::common::Layout;
use crate::algorithms::common::auxiliary::TaskFacts;
use crate::algorithms::common::learner::{Context, Experience, Learner};
use crate::config::{Algorithm, Config, Held, Numerics};
use crate::error::Error;
use crate::finite;
use crate::nn::critic::Critic;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::ranks::Crew;
use crate::rl::metrics::Metrics;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Trajectory;
use crate::text::Tokenizer;

mod based;
mod begin;
mod card;
mod crew;
mod described;
mod fresh;
mod imitation;
mod memory;
mod playing;
mod restored;
mod saved;
#[cfg(feature = "baselines")]
mod student;

pub use described::Described;
use fresh::{
    framed, fresh_actor, fresh_buffer, fresh_critic, fresh_policy, shaped_by, task_facts,
    winning_utterances,
};
use playing::{Ahead, learn_all};
pub use saved::{LoadBase, MakeWorlds, Origin};

/// Games of random choices from which a tokenizer is trained where nothing was demonstrated.
const EXPLORED: usize = 256;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Behaviour cloning.
    WarmStart,
    /// Reinforcement learning.
    Learn,
    /// All is done.
    Finished,
}

/// How far a phase has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Steps of the phase that are done: gradient steps of the warm start, or iterations.
    pub done: usize,
    /// Steps of the phase in all.
    pub total: usize,
}

/// What one slice showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The phase that the slice belonged to.
    pub phase: Phase,
    /// Steps of that phase that are done now.
    pub step: usize,
    /// Games that the agent has played in training so far; offline, the games that it was given.
    pub games_total: u64,
    /// The slice's numbers.
    pub metrics: Metrics,
    /// A greedy evaluation, where one was due.
    pub evaluation: Option<Evaluation>,
    /// Games played in the slice, evaluation aside.
    pub games: usize,
    /// Tokens sampled in those games.
    pub tokens: usize,
}

/// A run. A copy shares the weights' memory until one of the two learns on.
#[derive(Clone)]
pub struct Trainer {
    config: Config,
    tokenizer: Tokenizer,
    /// The critic's, where it reads by another.
    critic_tokenizer: Option<Tokenizer>,
    layout: Layout,
    learner: Learner,
    buffer: ReplayBuffer,
    /// Demonstrated games that the learner also draws from, once learning has begun. They follow from
    /// the configuration, so no checkpoint holds them.
    prior: ReplayBuffer,
    worlds: Arc<dyn Worlds>,
    crew: Crew,
    /// Games of the next iteration that were played while this one was learned. They follow from the
    /// learner, so no checkpoint holds them.
    ahead: Option<Ahead>,
    demonstrations: Vec<Demonstration>,
    /// How many of them are imitated: the first.
    imitated: usize,
    /// What is known of each task once its game is over, where it is learned.
    task_facts: TaskFacts,
    warm_start_step: usize,
    iteration: usize,
    games: u64,
    /// Iterations and games that its networks had behind them when the run began.
    before: (usize, u64),
    origin: Origin,
    /// What a player reads first in the world, where it was seen.
    opening: Option<String>,
    /// The model whose adapters are trained; of no place where a whole model is.
    base: Base,
}

/// Demonstrated games of which a fresh tokenizer is made, at most, where the world makes them.
const READ_FOR_WORDS: usize = 60_000;

impl Trainer {
    /// A run from nothing in this world: tokenizer and networks are made here, of the world's
    /// demonstrations or, where it lists its choices, of games in which they are said at random.
    ///
    /// # Errors
    /// If the configuration is out of range, there is nothing from which a fresh agent could learn what
    /// to say, or the world breaks its contract or cannot be reached.
    pub async fn new(
        config: Config,
        worlds: Arc<dyn Worlds>,
        device: &Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        config.check_fresh()?;
        let mut config = config;
        // The words and lengths of some tell those of all.
        let mut first = config.clone();
        first.warm_start.games = first.warm_start.games.min(READ_FOR_WORDS);
        let mut games = demonstrated_games(&first, worlds.as_ref());
        if games.is_empty() {
            let starts = starts(worlds.about(), EXPLORED, config.seed ^ 0xE8B1);
            games = explored_games(worlds.as_ref(), &starts).await?;
            // There is nobody to imitate.
            config.warm_start.steps = 0;
        } else if warm_start::leave_out_choices(&games, worlds.as_ref()).await? {
            // What can be said beside what was shown must have words and room too.
            let starts = starts(worlds.about(), EXPLORED, config.seed ^ 0xE8B1);
            games.extend(explored_games(worlds.as_ref(), &starts).await?);
        }
        let style = &worlds.about().style;
        let texts = games.iter().flat_map(|game| pieces(game, style));
        let tokenizer = Tokenizer::train(
            texts,
            config.tokenizer.vocab_size,
            config.tokenizer.max_token_length,
        )?;
        let config = config.fitted(&games, worlds.about(), &tokenizer);
        config.validate()?;
        let autodiff = device.clone().autodiff();
        let actor = fresh_actor(&config, tokenizer.vocab_size(), &autodiff);
        let has_critic = config.algorithm.has_critic();
        let critic = has_critic.then(|| fresh_critic(&config, tokenizer.vocab_size(), &autodiff));
        let warm = config.warm_start.steps > 0;
        let policy = fresh_policy(&config, worlds.as_ref(), actor, warm)?;
        let learner = Learner::new(policy, critic);
        let mut trainer = Self::assemble(config, worlds, (tokenizer, None), learner)?;
        trainer.meet_world().await?;
        Ok(trainer)
    }

    /// A run that starts from an agent's networks and tokenizer; a critic is made where it has none
    /// and left where the algorithm has none. The configuration of the run then says the agent's
    /// shapes.
    ///
    /// # Errors
    /// If the configuration is out of range or does not go with the world.
    pub fn from_agent(
        config: Config,
        worlds: Arc<dyn Worlds>,
        agent: Agent,
        device: &Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        let mut config = shaped_by(config, &agent);
        if !warm_start::has_demonstrations(&config, worlds.as_ref()) {
            // There is nobody to imitate.
            config.warm_start.steps = 0;
        }
        config.validate()?;
        let autodiff = device.clone().autodiff();
        let warm = config.warm_start.steps > 0;
        let actor = begin::actor(&config, &agent, &autodiff)?;
        let policy = fresh_policy(&config, worlds.as_ref(), actor, warm)?;
        let has_critic = config.algorithm.has_critic();
        let critic = has_critic.then(|| match agent.critic {
            Some(critic) => Ok(critic.fork(&autodiff).train()),
            None => begin::critic(&config, &agent.actor, &autodiff),
        });
        let critic = critic.transpose()?;
        let base = match config.lora.is_on() {
            true => agent.base,
            false => Base::default(),
        };
        let tokenizers = (agent.tokenizer, agent.critic_tokenizer.filter(|_| has_critic));
        let trainer = Self::assemble(config, worlds, tokenizers, Learner::new(policy, critic))?;
        Ok(Self { base, ..trainer })
    }

    fn assemble(
        config: Config,
        worlds: Arc<dyn Worlds>,
        (tokenizer, critic_tokenizer): (Tokenizer, Option<Tokenizer>),
        learner: Learner,
    ) -> Result<Self, Error> {
        let worlds = framed(worlds, &config);
        let tokenizer = tokenizer.ending_by(&worlds.about().style)?;
        let learner = learner.with_tokens(|id| tokenizer.has(id));
        #[cfg(feature = "llama")]
        let learner = learner.recomputed(config.gradient_checkpointing);
        let critic = learner.critics.as_ref().map(|critics| &critics.online);
        let mut layout = Layout::new(
            &tokenizer,
            learner.policy.lm.config().positions,
            critic.map_or(2, Critic::positions),
            config.max_new_tokens,
        );
        if let Some(own) = &critic_tokenizer {
            layout = layout.with_critic_tokenizer(&tokenizer, own);
        }
        if config.numerics == Numerics::Compat {
            if matches!(critic, Some(Critic::Causal(_))) {
                return Err(Error::Config(
                    "numerics = \"compat\" takes a critic with an encoder, as the reference has"
                        .into(),
                ));
            }
            layout = layout.compat();
        }
        worlds.in_training(1.0)?;
        if config.warm_start.steps > 0 {
            check_context_only_games(&config, worlds.as_ref())?;
        }
        let task_facts = TaskFacts {
            facts: task_facts(&config, worlds.as_ref()),
            winning_utterances: winning_utterances(&config, worlds.as_ref(), &tokenizer)?,
        };
        Ok(Self {
            buffer: fresh_buffer(&config),
            prior: ReplayBuffer::new(1),
            worlds,
            config,
            tokenizer,
            critic_tokenizer,
            layout,
            learner,
            crew: Crew::default(),
            ahead: None,
            demonstrations: Vec::new(),
            imitated: 0,
            task_facts,
            warm_start_step: 0,
            iteration: 0,
            games: 0,
            before: (0, 0),
            origin: Origin::default(),
            opening: None,
            base: Base::default(),
        })
    }

    /// The configuration of this run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The world of this run.
    pub fn worlds(&self) -> &Arc<dyn Worlds> {
        &self.worlds
    }

    /// Looks at what a player reads first in the world, which every checkpoint holds: from here on
    /// [`checkpoint`](Self::checkpoint) does not ask the world.
    ///
    /// # Errors
    /// If the world breaks its contract or cannot be reached.
    pub async fn meet_world(&mut self) -> Result<(), Error> {
        self.opening = Some(self.opening().await?);
        Ok(())
    }

    /// What a player reads first in the world, where it is known.
    pub fn known_opening(&self) -> Option<&str> {
        self.opening.as_deref()
    }

    /// Tells what a player reads first in the world.
    pub fn set_opening(&mut self, opening: Option<String>) {
        self.opening = opening;
    }

    /// What a player reads first in the world, in the game of seed 0.
    ///
    /// # Errors
    /// If the world breaks its contract or cannot be reached.
    async fn opening(&self) -> Result<String, Error> {
        if let Some(opening) = &self.opening {
            return Ok(opening.clone());
        }
        let mut batch = Checked::open(self.worlds.as_ref(), 1).await?;
        Ok(batch.start(&[Start::default()]).await?.remove(0).text)
    }

    /// Changes a finished game's rewards, and the returns that follow from them, in what is learned
    /// from: `world` pays a bonus, and what repeats is fined. Returns that are reported are the plain
    /// game's.
    fn shape(&self, game: &mut Trajectory, world: &dyn Worlds) {
        let fine = self.config.repeat_penalty;
        let record = Game {
            world: None,
            task: game.transitions.last().and_then(|turn| turn.task.map(|task| task as usize)),
            turns: game.exchanges(),
            end: game.end(),
            ..Game::default()
        };
        let teaching = world.teaching();
        let bonus = teaching.map(|teaching| teaching.bonus(&record, self.config.discount()));
        let bonus = bonus.unwrap_or_default();
        if fine == 0.0 && bonus.is_empty() {
            return;
        }
        let mut said = HashSet::new();
        for (number, (turn, exchange)) in game.transitions.iter_mut().zip(&record.turns).enumerate()
        {
            let paid = bonus.get(number).copied().unwrap_or(0.0);
            let repeated = !said.insert(spelled(&exchange.said));
            turn.reward += (paid - if repeated { fine } else { 0.0 }) as f32;
        }
        game.close(self.config.gamma);
    }

    /// Where the run stands.
    pub fn progress(&self) -> Progress {
        let (phase, done, total) = if self.warm_start_step < self.config.warm_start.steps {
            (Phase::WarmStart, self.warm_start_step, self.config.warm_start.steps)
        } else if self.config.algorithm == Algorithm::Bc {
            (Phase::Finished, self.warm_start_step, self.config.warm_start.steps)
        } else if self.iteration < self.config.iterations {
            (Phase::Learn, self.iteration, self.config.iterations)
        } else {
            (Phase::Finished, self.iteration, self.config.iterations)
        };
        Progress { phase, done, total }
    }

    /// Learning iterations done in this run, and games played in them.
    pub fn experience(&self) -> (usize, u64) {
        (self.iteration, self.games)
    }

    /// The same with those that its networks had behind them when the run began.
    pub fn lifetime(&self) -> (usize, u64) {
        (self.before.0 + self.iteration, self.before.1 + self.games)
    }

    /// Books what the networks of this run have behind them from before it.
    pub fn set_before(&mut self, lifetime: (usize, u64)) {
        self.before = lifetime;
    }

    /// Scalars in actor and critic (0 where there is none), and tokens in the vocabulary.
    pub fn sizes(&self) -> (usize, usize, usize) {
        let actor = params::count(&self.learner.policy.lm);
        let critic = self.learner.critics.as_ref().map(|critics| params::count(&critics.online));
        (actor, critic.unwrap_or(0), self.tokenizer.vocab_size())
    }

    /// A copy that stands at the beginning of learning, to try what an iteration of so many games and
    /// gradient steps of critic and actor takes. It has not learned what this run learns before.
    pub fn trial(&self, rollout_size: usize, epochs: usize, actor_epochs: usize) -> Self {
        let mut trial = self.clone();
        let config = &mut trial.config;
        (config.rollout_size, config.epochs, config.actor_epochs) =
            (rollout_size, epochs, actor_epochs);
        (config.warmup_iter, config.eval_freq, config.iterations) = (0, 0, usize::MAX);
        // The parts of an iteration are told apart, so that none goes on beside another.
        config.play_lag = 0;
        trial.ahead = None;
        trial.warm_start_step = trial.config.warm_start.steps;
        if !trial.config.lessons.names_tasks() {
            trial.learner.policy.task = None;
        }
        trial
    }

    /// Does one slice of work. A finished run does nothing and says so.
    ///
    /// # Errors
    /// If the device fails, the world breaks its contract, or a number is not finite. After an error
    /// the networks are those of nowhere: go on from a checkpoint of before.
    pub async fn step(&mut self) -> Result<Report, Error> {
        let done = match self.progress().phase {
            Phase::WarmStart => self.warm_start_slice().await,
            Phase::Learn => self.learn_slice().await,
            Phase::Finished => Ok(self.report(Phase::Finished, self.iteration, Metrics::new())),
        };
        #[cfg(not(target_family = "wasm"))]
        if done.is_ok() {
            self.check_ranks_agree().await?;
        }
        done.map_err(|error| match error {
            Error::NotFinite(what) => Error::NotFinite(format!("{}, {what}", self.place())),
            other => other,
        })
    }

    /// Where the run stands, as the beginning of a sentence about it.
    fn place(&self) -> String {
        match self.progress().phase {
            Phase::WarmStart => format!("near step {} of the warm start", self.warm_start_step),
            Phase::Learn | Phase::Finished => format!("in iteration {}", self.iteration + 1),
        }
    }

    fn report(&self, phase: Phase, step: usize, metrics: Metrics) -> Report {
        Report {
            phase,
            step,
            games_total: self.games,
            metrics,
            evaluation: None,
            games: 0,
            tokens: 0,
        }
    }

    async fn learn_slice(&mut self) -> Result<Report, Error> {
        let worlds = self.training_worlds(self.iteration)?;
        self.recall_prior().await?;
        let (mut trajectories, mut metrics) = self.rollout(worlds.as_ref()).await?;
        trajectories.iter_mut().for_each(|game| self.shape(game, worlds.as_ref()));
        finite::check_games(&trajectories)?;
        let tokens = trajectories.iter().map(Trajectory::action_tokens).sum();
        let algorithm = self.config.algorithm;
        if algorithm.remembers() {
            self.check_capacity(&trajectories)?;
            let turns = trajectories.iter().flat_map(|trajectory| &trajectory.transitions);
            turns.for_each(|turn| self.buffer.insert(turn.clone()));
        }
        if algorithm.is_offline() && self.buffer.is_empty() {
            return Err(Error::Config(format!(
                "{} learns from games that others played, and was given none",
                algorithm.name()
            )));
        }
        self.learn_from(&trajectories, &mut metrics).await?;
        let mut report = self.report(Phase::Learn, self.iteration, metrics);
        (report.games, report.tokens) = (trajectories.len(), tokens);
        let due = self.config.eval_freq > 0 && self.iteration.is_multiple_of(self.config.eval_freq);
        if due || self.iteration == self.config.iterations {
            report.evaluation =
                Some(self.evaluate(self.config.eval_size, &Sampler::greedy()).await?);
        }
        Ok(report)
    }

    /// One iteration's learning from the replay buffer and these games, and its metrics.
    async fn learn_from(
        &mut self,
        played: &[Trajectory],
        metrics: &mut Metrics,
    ) -> Result<(), Error> {
        self.learner.keep_past(self.config.play_lag);
        let (learned, taught) = match self.next_games()? {
            Some(next) => self.learn_while_playing(played, next).await?,
            None => {
                let (workers, iteration) = (self.crew.workers(), self.iteration);
                let (config, tokenizer, layout) = (&self.config, &self.tokenizer, &self.layout);
                let context = Context { config, tokenizer, layout, iteration, workers };
                let experience = Experience { replay: &self.buffer, prior: &self.prior, played };
                let learner = &mut self.learner;
                learn_all(learner, experience, &self.task_facts, &context).await?
            }
        };
        for (name, value) in learned.iter().chain(taught.iter()) {
            metrics.push(name, value);
        }
        finite::check_metrics(metrics, &self.config)?;
        self.learner.take_average(&self.config, self.iteration);
        self.iteration += 1;
        Ok(())
    }

    /// The agent as it is now.
    pub fn agent(&self) -> Agent {
        let about = About {
            version: 1,
            world: self.config.world.clone(),
            style: self.worlds.about().style.clone(),
            memory: self.worlds.about().memory,
            max_new_tokens: self.config.max_new_tokens,
            temperature: self.config.temperature,
            top_k: self.config.top_k,
            top_p: self.config.top_p,
            samples: self.samples(),
            utterance_tries: self.config.utterance_tries,
            tokenizer_crc32: crc32fast::hash(&self.tokenizer.to_json()),
            base_sha256: self.base.sha256.clone(),
            base_weights: match self.base.sha256.is_empty() {
                true => Held::Stored,
                false => self.config.lora.weights,
            },
        };
        let base = self.base.clone();
        let critic = self.learner.critics.as_ref().map(|critics| critics.online.clone());
        let actor = self.learner.playing_actor();
        let agent = Agent::new(actor, critic, self.tokenizer.clone(), about);
        agent.with_critic_tokenizer(self.critic_tokenizer.clone()).with_base(base)
    }
}
