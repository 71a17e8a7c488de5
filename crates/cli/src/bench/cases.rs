//! What is timed. The shapes are fixed, so that other programs can be timed beside ours: float32,
//! random weights, random data, 32 rows.

use archer::Config;
use archer::agent::Agent;
use archer::algorithms::common::learner::{Context, Learner};
use archer::algorithms::common::{Layout, Policy};
use archer::config::{Algorithm, CriticKind};
use archer::nn::causal_lm::CausalLm;
use archer::nn::critic::{Critic, DoubleCritic};
use archer::nn::generate::{Decoder, Utterance};
use archer::nn::sampling::Sampler;
use archer::parallel;
use archer::ranks::Workers;
use archer::rl::replay_buffer::ReplayBuffer;
use archer::rl::transition::Transition;
use archer::rng::{self, ChaCha8Rng};
use archer::text::Tokenizer;
use archer::train::Trainer;
use archer_games::knowledge::table;
use archer_games::oracle::{Oracle, TableOracle};
use pollster::block_on;

use super::shapes::Size;
use super::{Setup, language};
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::model;

/// Rows of every case.
const ROWS: usize = 32;
/// Tokens of a state, and of an actor's row.
const STATE: usize = 128;
/// Tokens of an action in the critic's case.
const ACTION: usize = 16;
/// Tokens of a prompt in the generation's case.
const PROMPT: usize = 64;
/// Tokens that are then written, and that an action of `iter` may have.
const NEW: usize = 16;
/// Questions that `env` asks in one run.
const QUESTIONS: usize = 200_000;
/// Games that `replay` remembers, turns of each, and tokens that a turn adds: of question and answer.
const REMEMBERED: usize = 5000;
const TURNS: usize = 20;
const TURN: (usize, usize) = (7, 3);

/// A case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Sampled generation.
    Gen,
    /// A gradient step of the actor.
    Actor,
    /// A gradient step of the critic, target included.
    Critic,
    /// An iteration, with the causal critic.
    Iter,
    /// The same with the reference's form of the critic.
    IterEncoder,
    /// The oracle's answers.
    Env,
    /// A replay buffer that fills, for the memory that it takes.
    Replay,
    /// A published language model writes one text.
    Decode,
    /// It writes many texts at once.
    DecodeBatch,
    /// A gradient step of adapters on it.
    LoraStep,
}

/// All of them.
pub const ALL: [Case; 10] = [
    Case::Gen,
    Case::Actor,
    Case::Critic,
    Case::Iter,
    Case::IterEncoder,
    Case::Env,
    Case::Replay,
    Case::Decode,
    Case::DecodeBatch,
    Case::LoraStep,
];

/// What one run of a case did.
pub struct Work {
    /// Units of work in a run: tokens, steps, answers; 1 where the time itself is told.
    pub amount: f64,
    /// What is told of it.
    pub unit: &'static str,
    /// Floating-point operations of a run, where they are known beforehand.
    pub flops: Option<f64>,
}

impl Work {
    /// The value to tell of a run that took so long.
    pub fn value(&self, seconds: f64) -> f64 {
        match self.unit {
            "s" => seconds,
            _ => self.amount / seconds,
        }
    }
}

/// A case that is ready to be run.
pub trait Job {
    /// Makes ready for the next run; not timed.
    fn reset(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// One run.
    fn run(&mut self) -> Result<(), Error>;

    /// How long one run takes, where a part of it is not timed.
    fn seconds(&mut self) -> Result<f64, Error> {
        let watch = Stopwatch::start();
        self.run()?;
        Ok(watch.seconds())
    }

    /// What a run does.
    fn work(&self) -> Work;
}

impl Case {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Case::Gen => "gen",
            Case::Actor => "actor",
            Case::Critic => "critic",
            Case::Iter => "iter",
            Case::IterEncoder => "iter_encoder",
            Case::Env => "env",
            Case::Replay => "replay",
            Case::Decode => "decode",
            Case::DecodeBatch => "decode_batch",
            Case::LoraStep => "lora_step",
        }
    }

    /// Whether it is timed in all sizes.
    pub fn has_sizes(self) -> bool {
        matches!(self, Case::Gen | Case::Actor | Case::Critic)
    }

    /// The only size it has.
    pub fn fixed_size(self) -> Option<Size> {
        matches!(self, Case::Iter | Case::IterEncoder).then_some(Size::S)
    }

    /// Whether it starts from a model folder.
    pub fn needs_model(self) -> bool {
        self.only_by_name() || matches!(self, Case::Iter | Case::IterEncoder)
    }

    /// Whether it is timed only where it is named: it takes minutes, and another model than the rest.
    pub fn only_by_name(self) -> bool {
        matches!(self, Case::Decode | Case::DecodeBatch | Case::LoraStep)
    }

    /// Makes networks and data.
    pub fn prepare<'a>(
        self,
        size: Option<Size>,
        setup: &'a Setup,
    ) -> Result<Box<dyn Job + 'a>, Error> {
        let size = size.unwrap_or(Size::S);
        Ok(match self {
            Case::Gen => Box::new(Generation::new(size, setup)),
            Case::Actor => Box::new(ActorStep(Learning::new(size, setup)?)),
            Case::Critic => Box::new(CriticStep(Learning::new(size, setup)?)),
            Case::Iter => Box::new(Iteration::new(setup, CriticKind::Causal)?),
            Case::IterEncoder => Box::new(Iteration::new(setup, CriticKind::Encoder)?),
            Case::Env => Box::new(Answers::new()),
            Case::Replay => Box::new(Remembering(ReplayBuffer::new(REMEMBERED * TURNS))),
            Case::Decode => Box::new(language::Decode::new(setup)?),
            Case::DecodeBatch => Box::new(language::DecodeBatch::new(setup)?),
            Case::LoraStep => Box::new(language::LoraStep::new(setup)?),
        })
    }
}

fn random_tokens(rng: &mut ChaCha8Rng, n: usize, vocab: usize) -> Vec<u32> {
    // The first ids are left to the special tokens.
    (0..n).map(|_| 300 + rng::below(rng, vocab - 300) as u32).collect()
}

struct Generation<'a> {
    setup: &'a Setup,
    size: Size,
    actor: CausalLm,
    prompts: Vec<Vec<u32>>,
}

impl<'a> Generation<'a> {
    fn new(size: Size, setup: &'a Setup) -> Self {
        let rng = &mut rng::stream(1, "bench", 0);
        let shape = size.actor(PROMPT + NEW);
        let actor = shape.init(rng, &setup.device);
        let prompts = (0..ROWS).map(|_| random_tokens(rng, PROMPT, shape.vocab_size)).collect();
        Self { setup, size, actor, prompts }
    }
}

impl Job for Generation<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let threads = self.setup.threads;
        let sampler = Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 };
        let parts = self.prompts.chunks(ROWS.div_ceil(threads)).enumerate().collect();
        let done = parallel::map(threads, parts, |(part, prompts): (usize, &[Vec<u32>])| {
            let (actor, sampler) = (&self.actor, &sampler);
            async move {
                let first = part * ROWS.div_ceil(threads);
                let mut rngs: Vec<ChaCha8Rng> = (0..prompts.len())
                    .map(|row| rng::stream(1, "bench.gen", (first + row) as u64))
                    .collect();
                let mut decoder = Decoder::new(actor, prompts.len());
                decoder.read(prompts);
                decoder.generate(sampler, &mut rngs, NEW, |_| false).await
            }
        });
        let written: Result<Vec<_>, _> = block_on(done).into_iter().collect();
        let tokens: usize = written?.iter().flatten().map(|text| text.tokens.len()).sum();
        assert_eq!(tokens, ROWS * NEW, "nothing ends early");
        Ok(())
    }

    fn work(&self) -> Work {
        let prefill = self.size.forward(ROWS, PROMPT, PROMPT as f64 / 2.0);
        let decode = self.size.forward(ROWS, NEW - 1, (PROMPT + NEW / 2) as f64);
        let flops = Some(prefill + decode + self.size.logits(ROWS * NEW));
        Work { amount: (ROWS * NEW) as f64, unit: "tokens/s", flops }
    }
}

/// A learner with random networks, and random games.
struct Learning {
    size: Size,
    threads: usize,
    config: Config,
    tokenizer: Tokenizer,
    layout: Layout,
    learner: Learner,
    draws: Vec<Transition>,
    fresh: Vec<Utterance>,
}

impl Learning {
    fn new(size: Size, setup: &Setup) -> Result<Self, Error> {
        let device = setup.device.clone().autodiff();
        let rng = &mut rng::stream(1, "bench", 1);
        let shape = size.actor(STATE + ACTION);
        let actor = shape.init(rng, &device);
        let critic = DoubleCritic::new(&size.critic(STATE), rng, &device);
        let policy = Policy::new(actor);
        // The ids drawn below are beyond its few, so that nothing is taken for the end of a line.
        let tokenizer = Tokenizer::train(["Is it?\n".to_string()].into_iter(), 261, 4)?;
        let layout = Layout::new(&tokenizer, STATE + ACTION, STATE, ACTION);
        let mut text = |n: usize| random_tokens(rng, n, shape.vocab_size);
        // The critic sets a token before and one behind every text.
        let mut transition = || Transition {
            observation: text(STATE - 2).into(),
            action: text(ACTION - 2).into(),
            reward: -1.0,
            next_observation: text(STATE - 2).into(),
            terminated: false,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
        };
        let draws = (0..ROWS).map(|_| transition()).collect();
        let utterance = |tokens| Utterance { tokens, ..Utterance::default() };
        let fresh = (0..ROWS).map(|_| utterance(text(ACTION - 2))).collect();
        let config = Config {
            // As many parts as threads: the sum of their gradients is that of the whole batch.
            batch_size: ROWS.div_ceil(setup.threads),
            grad_accum_steps: setup.threads.min(ROWS),
            ..Config::default()
        };
        let learner = Learner::new(policy, Some(Critic::Encoder(critic)));
        let threads = setup.threads;
        Ok(Self { size, threads, config, tokenizer, layout, learner, draws, fresh })
    }
}

impl Learning {
    fn context<'a>(
        config: &'a Config,
        tokenizer: &'a Tokenizer,
        layout: &'a Layout,
        threads: usize,
    ) -> Context<'a> {
        let workers = Workers::threads(threads);
        Context { config, tokenizer, layout, iteration: 0, workers }
    }
}

struct ActorStep(Learning);

impl Job for ActorStep {
    fn run(&mut self) -> Result<(), Error> {
        let Learning { threads, config, tokenizer, layout, learner, draws, .. } = &mut self.0;
        let context = Learning::context(config, tokenizer, layout, *threads);
        // One token of state and 128 of action: 128 are read, and all of them predict.
        let states: Vec<&[u32]> = draws.iter().map(|draw| &draw.observation[..1]).collect();
        let actions: Vec<Utterance> = draws
            .iter()
            .map(|draw| {
                let rest = draw.action[..2].iter();
                let tokens = draw.observation.iter().chain(rest).copied().collect();
                Utterance { tokens, ..Utterance::default() }
            })
            .collect();
        let advantages: Vec<f32> =
            (0..ROWS).map(|row| if row % 2 == 0 { 0.5 } else { -0.5 }).collect();
        block_on(learner.policy_step_on(&states, &actions, &advantages, &context))?;
        Ok(())
    }

    fn work(&self) -> Work {
        let forward = self.0.size.forward(ROWS, STATE, STATE as f64 / 2.0);
        let flops = 3.0 * (forward + self.0.size.logits(ROWS * STATE));
        Work { amount: 1.0, unit: "steps/s", flops: Some(flops) }
    }
}

struct CriticStep(Learning);

impl Job for CriticStep {
    fn run(&mut self) -> Result<(), Error> {
        let Learning { threads, config, tokenizer, layout, learner, draws, fresh, .. } =
            &mut self.0;
        let context = Learning::context(config, tokenizer, layout, *threads);
        let draws: Vec<&Transition> = draws.iter().collect();
        block_on(learner.critic_step_on(&draws, fresh, &context))?;
        Ok(())
    }

    fn work(&self) -> Work {
        let state = self.0.size.forward(ROWS, STATE, STATE as f64);
        let action = self.0.size.forward(ROWS, ACTION, ACTION as f64);
        let (online, target) = (3.0 * (state + action), 2.0 * state + action);
        Work { amount: 1.0, unit: "steps/s", flops: Some(online + target) }
    }
}

/// An iteration of ArCHer on Twenty Questions, from the same beginning each time.
struct Iteration<'a> {
    setup: &'a Setup,
    config: Config,
    agent: Agent,
    trainer: Option<Trainer>,
}

impl<'a> Iteration<'a> {
    /// From the model folder that was named.
    fn new(setup: &'a Setup, kind: CriticKind) -> Result<Self, Error> {
        let folder = setup.model.as_deref().ok_or_else(|| {
            Error::Usage(
                "this case starts from a model in GPT-2's layout: name its folder with --model DIR"
                    .to_string(),
            )
        })?;
        Self::of(model::load(folder, &setup.device)?, setup, kind)
    }

    fn of(mut agent: Agent, setup: &'a Setup, kind: CriticKind) -> Result<Self, Error> {
        agent.critic = None;
        let mut config = Config {
            algorithm: Algorithm::Archer,
            iterations: 1000,
            rollout_size: ROWS,
            eval_freq: 0,
            // As many parts as threads: the sum of their gradients is that of the whole batch.
            batch_size: ROWS.div_ceil(setup.threads),
            grad_accum_steps: setup.threads.min(ROWS),
            epochs: 20,
            actor_epochs: 3,
            warmup_iter: 0,
            max_new_tokens: NEW,
            ..Config::default()
        };
        config.warm_start.steps = 0;
        let actor = agent.actor.config();
        config.critic_model.kind = kind;
        config.critic_model.layers = actor.layers;
        config.critic_model.width = actor.width;
        config.critic_model.heads = actor.heads;
        config.critic_model.positions = actor.positions;
        let mut iteration = Self { setup, config, agent, trainer: None };
        iteration.reset()?;
        Ok(iteration)
    }
}

impl Job for Iteration<'_> {
    fn reset(&mut self) -> Result<(), Error> {
        let (config, agent) = (self.config.clone(), self.agent.clone());
        let worlds = archer_games::worlds(&config.world)?;
        let mut trainer = Trainer::from_agent(config, worlds, agent, &self.setup.device)?;
        trainer.set_threads(self.setup.threads);
        self.trainer = Some(trainer);
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        let trainer = self.trainer.as_mut().expect("it was made ready");
        let report = block_on(trainer.step())?;
        assert_eq!(report.games, ROWS, "an iteration plays its games");
        Ok(())
    }

    fn work(&self) -> Work {
        Work { amount: 1.0, unit: "s", flops: None }
    }
}

/// Questions of every kind of the table, in turn over all its objects.
struct Answers {
    questions: Vec<String>,
    objects: Vec<&'static str>,
}

impl Answers {
    fn new() -> Self {
        let table = table();
        let mut questions: Vec<String> = Vec::new();
        for property in table.properties() {
            questions.push(property.question.clone());
            questions.extend(property.paraphrases.iter().cloned());
        }
        questions.extend(table.objects().iter().map(|object| object.guess_question()));
        let objects = table.objects().iter().map(|object| object.name.as_str()).collect();
        Self { questions, objects }
    }
}

impl Job for Answers {
    fn run(&mut self) -> Result<(), Error> {
        let mut oracle = TableOracle::default();
        let mut heard = 0;
        for n in 0..QUESTIONS {
            let object = self.objects[n % self.objects.len()];
            heard += oracle.answer(object, &self.questions[n % self.questions.len()]).len();
        }
        assert!(heard > 0, "an answer is a word at least");
        Ok(())
    }

    fn work(&self) -> Work {
        Work { amount: QUESTIONS as f64, unit: "answers/s", flops: None }
    }
}

/// Games of full length, as a rollout hands them over: neighbours share a text.
struct Remembering(ReplayBuffer);

impl Job for Remembering {
    fn reset(&mut self) -> Result<(), Error> {
        self.0 = ReplayBuffer::new(REMEMBERED * TURNS);
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        for game in 0..REMEMBERED as u32 {
            let mut observation: std::sync::Arc<[u32]> = [game; TURN.1].into();
            for turn in 0..TURNS {
                let added = [game; TURN.0 + TURN.1];
                let next: std::sync::Arc<[u32]> =
                    observation.iter().chain(&added).copied().collect();
                self.0.insert(Transition {
                    observation: observation.into(),
                    action: added[..TURN.0].into(),
                    reward: -1.0,
                    next_observation: next.clone().into(),
                    terminated: false,
                    truncated: turn + 1 == TURNS,
                    mc_return: 0.0,
                    log_prob: 0.0,
                    choices: None,
                    task: None,
                });
                observation = next;
            }
        }
        Ok(())
    }

    fn work(&self) -> Work {
        Work { amount: (REMEMBERED * TURNS) as f64, unit: "transitions/s", flops: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn small_cases_run_on_any_number_of_threads() {
        for threads in [1, 2] {
            let setup = Setup { device: Device::flex(), threads, model: None, held: None };
            for case in [Case::Gen, Case::Actor, Case::Critic] {
                let mut job = case.prepare(Some(Size::S), &setup).unwrap();
                job.run().unwrap();
                assert!(job.work().flops.is_some_and(|flops| flops > 1e9));
            }
        }
    }

    /// Published models have more rows in their token table than their tokenizer has tokens, and a
    /// model that was trained little samples such a row; once the critic had no row for it.
    #[test]
    fn an_iteration_takes_a_model_with_spare_tokens() {
        let texts = ["Is it a cat?\n".to_string(), " Yes.\n".to_string()];
        let tokenizer = Tokenizer::train(texts.into_iter(), 270, 8).unwrap();
        let device = Device::flex();
        let shape = archer::nn::causal_lm::CausalLmConfig {
            layers: 1,
            width: 16,
            heads: 2,
            positions: 512,
            vocab_size: 2 * tokenizer.vocab_size(),
            norm_epsilon: 1e-5,
            layout: archer::nn::causal_lm::Layout::Gpt2,
        };
        let actor = shape.init(&mut rng::stream(1, "bench", 2), &device);
        let about = archer::agent::About {
            version: 1,
            world: archer_games::WorldConfig { max_turns: Some(2), ..Default::default() }
                .settings(),
            style: archer_world::Style::one_line(),
            memory: None,
            max_new_tokens: NEW,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            samples: 1,
            utterance_tries: 1,
            tokenizer_crc32: 0,
            base_sha256: String::new(),
            base_weights: archer::config::Held::Stored,
        };
        let agent = Agent::new(actor, None, tokenizer, about);
        let setup = Setup { device, threads: 1, model: None, held: None };
        for kind in [CriticKind::Causal, CriticKind::Encoder] {
            let mut job = Iteration::of(agent.clone(), &setup, kind).unwrap();
            job.config.world = agent.about.world.clone();
            job.reset().unwrap();
            job.run().unwrap();
        }
    }

    #[test]
    fn an_iteration_asks_for_its_model() {
        let setup = Setup { device: Device::flex(), threads: 1, model: None, held: None };
        let error = Case::Iter.prepare(None, &setup).err().unwrap().to_string();
        assert!(error.contains("--model"), "{error}");
    }
}
