//! The cases of a language model as people publish them, read from a folder: it writes, and adapters of
//! low rank are trained on it.

use archer::algorithms::common::learner::{Context, Learner};
use archer::algorithms::common::{Layout, Policy};
use archer::nn::causal_lm::CausalLm;
use archer::nn::generate::{Decoder, Utterance};
use archer::nn::llama::Lora;
use archer::nn::sampling::Sampler;
use archer::parallel;
use archer::ranks::Workers;
use archer::rng::{self, ChaCha8Rng};
use archer::text::Tokenizer;
use archer::{Config, agent::Agent};
use pollster::block_on;

use super::Setup;
use super::cases::{Job, Work};
use crate::error::Error;
use crate::model;

/// Tokens of the prompt of one text, and those that are then written.
const ALONE: (usize, usize) = (32, 64);
/// Rows of a batch, tokens of each prompt, and those that are then written.
const BATCH: (usize, usize, usize) = (32, 64, 16);
/// Rows of a step of adapters, and tokens of each.
const STEP: (usize, usize) = (8, 128);
/// Rows of a part of it.
const PART: usize = 2;
/// Rank of the adapters, which are on queries and values.
const RANK: usize = 8;

fn read(setup: &Setup) -> Result<Agent, Error> {
    let folder = setup.model.as_deref().ok_or_else(|| {
        Error::Usage("this case is timed with a model: name its folder with --model DIR".into())
    })?;
    model::load_as(folder, setup.held, &setup.device)
}

fn random_tokens(rng: &mut ChaCha8Rng, n: usize, lm: &CausalLm) -> Vec<u32> {
    (0..n).map(|_| rng::below(rng, lm.config().vocab_size) as u32).collect()
}

fn rngs(first: usize, rows: usize) -> Vec<ChaCha8Rng> {
    (first..first + rows).map(|row| rng::stream(1, "bench.gen", row as u64)).collect()
}

/// One text, token by token; reading the prompt is not timed.
pub struct Decode(CausalLm);

impl Decode {
    pub fn new(setup: &Setup) -> Result<Self, Error> {
        Ok(Self(read(setup)?.actor))
    }
}

impl Job for Decode {
    fn run(&mut self) -> Result<(), Error> {
        unreachable!("its prompt is read first")
    }

    fn seconds(&mut self) -> Result<f64, Error> {
        let prompt = random_tokens(&mut rng::stream(1, "bench", 0), ALONE.0, &self.0);
        let mut decoder = Decoder::new(&self.0, 1);
        decoder.read(&[prompt]);
        // The first token's scores are there.
        let watch = crate::clock::Stopwatch::start();
        let (sampler, mut rngs) = (Sampler::greedy(), rngs(0, 1));
        let written = block_on(decoder.generate(&sampler, &mut rngs, ALONE.1 + 1, |_| false))?;
        assert_eq!(written[0].tokens.len(), ALONE.1 + 1, "nothing ends early");
        Ok(watch.seconds())
    }

    fn work(&self) -> Work {
        Work { amount: ALONE.1 as f64, unit: "tokens/s", flops: None }
    }
}

/// A batch, reading the prompts included.
pub struct DecodeBatch<'a> {
    setup: &'a Setup,
    lm: CausalLm,
    prompts: Vec<Vec<u32>>,
}

impl<'a> DecodeBatch<'a> {
    pub fn new(setup: &'a Setup) -> Result<Self, Error> {
        let lm = read(setup)?.actor;
        let rng = &mut rng::stream(1, "bench", 0);
        let prompts = (0..BATCH.0).map(|_| random_tokens(rng, BATCH.1, &lm)).collect();
        Ok(Self { setup, lm, prompts })
    }
}

impl Job for DecodeBatch<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let threads = self.setup.threads;
        let rows = BATCH.0.div_ceil(threads);
        let parts = self.prompts.chunks(rows).enumerate().collect();
        let done = parallel::map(threads, parts, |(part, prompts): (usize, &[Vec<u32>])| {
            let lm = &self.lm;
            async move {
                let mut rngs = rngs(part * rows, prompts.len());
                let mut decoder = Decoder::new(lm, prompts.len());
                decoder.read(prompts);
                decoder.generate(&Sampler::greedy(), &mut rngs, BATCH.2, |_| false).await
            }
        });
        let written: Result<Vec<_>, _> = block_on(done).into_iter().collect();
        assert_eq!(written?.iter().flatten().count(), BATCH.0);
        Ok(())
    }

    fn work(&self) -> Work {
        Work { amount: (BATCH.0 * BATCH.2) as f64, unit: "tokens/s", flops: None }
    }
}

/// A gradient step of adapters on queries and values, by the learner's own actor step.
pub struct LoraStep {
    threads: usize,
    config: Config,
    tokenizer: Tokenizer,
    layout: Layout,
    learner: Learner,
    texts: Vec<Vec<u32>>,
}

impl LoraStep {
    pub fn new(setup: &Setup) -> Result<Self, Error> {
        let Agent { actor, tokenizer, .. } = read(setup)?;
        let rng = &mut rng::stream(1, "bench", 1);
        let texts = (0..STEP.0).map(|_| random_tokens(rng, STEP.1, &actor)).collect();
        let targets = ["q_proj", "v_proj"].map(str::to_string).to_vec();
        let lora = Lora { rank: RANK, alpha: 16.0, targets };
        let actor =
            actor.adapted(&lora, rng, &setup.device.clone().autodiff()).ok_or_else(|| {
                Error::Usage("this case is timed with a model whose layout has adapters".into())
            })?;
        let layout = Layout::new(&tokenizer, 2 * STEP.1, STEP.1, STEP.1);
        let config = Config {
            // In parts, whose gradients are added: what is held at a time is that of a part on each thread.
            batch_size: PART,
            grad_accum_steps: STEP.0 / PART,
            ..Config::default()
        };
        let learner = Learner::new(Policy::new(actor), None);
        Ok(Self { threads: setup.threads, config, tokenizer, layout, learner, texts })
    }
}

impl Job for LoraStep {
    fn run(&mut self) -> Result<(), Error> {
        let Self { threads, config, tokenizer, layout, learner, texts } = self;
        let workers = Workers::threads(*threads);
        let context = Context { config, tokenizer, layout, iteration: 0, workers };
        let states: Vec<&[u32]> = texts.iter().map(|text| &text[..1]).collect();
        let said = texts.iter().map(|text| text[1..].to_vec());
        let actions: Vec<Utterance> =
            said.map(|tokens| Utterance { tokens, ..Utterance::default() }).collect();
        let advantages: Vec<f32> =
            (0..STEP.0).map(|row| if row % 2 == 0 { 0.5 } else { -0.5 }).collect();
        block_on(learner.policy_step_on(&states, &actions, &advantages, &context))?;
        Ok(())
    }

    fn work(&self) -> Work {
        Work { amount: 1.0, unit: "s", flops: None }
    }
}
