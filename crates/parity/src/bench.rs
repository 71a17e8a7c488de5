//! The fixtures' models and texts, ready for the core's own functions.

use std::collections::HashMap;
use std::sync::Arc;

use archer::algorithms::common::learner::{Context, Learner};
use archer::algorithms::common::{Layout, Policy};
use archer::config::{Config, Numerics};
use archer::hf::{self, Format, Laid, weights};
use archer::nn::batch;
use archer::nn::causal_lm::CausalLm;
use archer::nn::critic::{Critic, DoubleCritic, Texts};
use archer::nn::generate::Utterance;
use archer::nn::params;
use archer::ranks::Workers;
use archer::rl::transition::Transition;
use archer::rng;
use archer::text::Tokenizer;
use archer::text::official;
use archer::text::prompt::critic_sequence;
use archer::text::tokenizer::Specials;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::fixtures::{Fixtures, Node};
use super::ledger::Tensors;
use crate::error::Error;

/// A row of a batch: texts and what became of them.
pub struct Row {
    pub observation: String,
    pub action: String,
    pub pi_action: String,
    pub reward: f64,
    pub next_observation: String,
    pub done: bool,
}

/// A batch.
pub struct Case {
    pub name: String,
    pub rows: Vec<Row>,
}

/// Everything that the comparisons need.
pub struct Bench {
    pub fixtures: Fixtures,
    pub device: Device,
    pub threads: usize,
    pub actor: CausalLm,
    pub critic: DoubleCritic,
    pub target: DoubleCritic,
    pub words: Tokenizer,
    pub critic_words: Tokenizer,
    pub layout: Layout,
    pub cases: Vec<Case>,
    /// Whether the actor's decoder takes blanks out of its texts.
    pub cleans_up: bool,
}

impl Bench {
    /// Reads models and batches onto a device.
    pub fn load(fixtures: Fixtures, device: &Device, threads: usize) -> Result<Self, Error> {
        let device = device.clone().autodiff();
        let file = |name: &str| Ok(fixtures.bytes(name).map(Into::into));
        let shape =
            hf::read_actor_config("actor/config.json", &fixtures.need("actor/config.json")?)?;
        // What is drawn here is replaced at once.
        let mut unused = rng::stream(0, "parity", 0);
        let actor = shape.init(&mut unused, &device);
        let actor = hf::read_actor(actor, &weights::files(&file, "actor/")?)?;
        let config = "critic/config.json";
        let shape = hf::read_encoder_config(config, &fixtures.need(config)?)?;
        let mut critic = |name: &str| -> Result<DoubleCritic, Error> {
            let fresh = DoubleCritic::new(&shape, &mut unused, &device);
            let file = fixtures.tensors(name)?;
            Ok(file.weights()?.fill(fresh, Format::Encoder, |_| false)?)
        };
        let (online, target) =
            (critic("critic.safetensors")?, critic("target_critic.safetensors")?);
        let tokenizer = |name: &str| -> Result<Tokenizer, Error> {
            Ok(Tokenizer::from_json_of(name, &fixtures.need(name)?, &Specials::default())?)
        };
        let (words, critic_words) =
            (tokenizer("actor/tokenizer.json")?, tokenizer("critic/tokenizer.json")?);
        let cases = read_cases(&fixtures)?;
        let said = cases.iter().flat_map(|case| &case.rows);
        let longest = said
            .flat_map(|row| [&row.action, &row.pi_action])
            .map(|text| words.encode(text).len())
            .max()
            .unwrap_or(0)
            .max(1);
        let positions = (actor.config().positions, online.config().positions);
        let layout = Layout::new(&words, positions.0, positions.1, longest)
            .with_critic_tokenizer(&words, &critic_words)
            .compat();
        let cleans_up = match fixtures.has("actor/tokenizer_config.json") {
            true => {
                let config = fixtures.json("actor/tokenizer_config.json")?;
                let flag = config.root().find("clean_up_tokenization_spaces");
                flag.map(|flag| flag.flag()).transpose()?.unwrap_or(true)
            }
            false => true,
        };
        Ok(Self {
            device,
            threads,
            actor,
            critic: online,
            target: target.valid(),
            words,
            critic_words,
            layout,
            cases,
            cleans_up,
            fixtures,
        })
    }

    /// The batch of this name.
    pub fn case(&self, name: &str) -> Result<&Case, Error> {
        self.cases.iter().find(|case| case.name == name).ok_or_else(|| {
            Error::Failure(format!(
                "batches.json has no batch {name}, which another file speaks of"
            ))
        })
    }

    /// Token ids of a text as the actor reads it.
    pub fn tokens(&self, text: &str) -> Arc<[u32]> {
        self.words.encode(text).into()
    }

    /// The rows of a batch as transitions.
    pub fn transitions(&self, case: &Case) -> Vec<Transition> {
        let of = |row: &Row| Transition {
            observation: self.tokens(&row.observation).into(),
            action: self.tokens(&row.action),
            reward: row.reward as f32,
            next_observation: self.tokens(&row.next_observation).into(),
            terminated: row.done,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
        };
        case.rows.iter().map(of).collect()
    }

    /// The actions that stand for fresh ones of the policy.
    pub fn fresh(&self, case: &Case) -> Vec<Utterance> {
        case.rows.iter().map(|row| self.utterance(&row.pi_action)).collect()
    }

    /// A text as an utterance without a terminator.
    pub fn utterance(&self, text: &str) -> Utterance {
        Utterance { tokens: self.words.encode(text), ..Utterance::default() }
    }

    /// For the states of a batch, the fresh action of each.
    pub fn table(&self, cases: &[&Case]) -> HashMap<Arc<[u32]>, Utterance> {
        let rows = cases.iter().flat_map(|case| &case.rows);
        rows.map(|row| (self.tokens(&row.observation), self.utterance(&row.pi_action))).collect()
    }

    /// A learner at the fixtures' weights, with this policy.
    pub fn learner(&self, policy: Policy) -> Learner {
        let mut learner = Learner::new(policy, Some(Critic::Encoder(self.critic.clone())));
        learner.critics_mut().target = Critic::Encoder(self.target.clone());
        learner
    }

    /// The policy without a baseline.
    pub fn policy(&self) -> Policy {
        Policy::new(self.actor.clone())
    }

    /// What a learner is told beside its networks.
    pub fn context<'a>(&'a self, config: &'a Config) -> Context<'a> {
        Context {
            config,
            tokenizer: &self.words,
            layout: &self.layout,
            iteration: 0,
            workers: Workers::threads(self.threads),
        }
    }

    /// Texts as the critic reads them.
    pub fn critic_texts<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Texts {
        let rows: Vec<Vec<u32>> = texts.map(|text| self.critic_ids(text)).collect();
        batch::texts(&rows, self.critic_words.pad, &self.device)
    }

    /// Token ids of a text as the critic reads it.
    pub fn critic_ids(&self, text: &str) -> Vec<u32> {
        let words = &self.critic_words;
        critic_sequence(&words.encode(text), words.start, words.end, self.layout.critic_positions)
    }

    /// What the actor wrote, as text.
    pub fn decode(&self, ids: &[u32]) -> String {
        let text = self.words.decode(ids);
        if self.cleans_up { official::clean_up(&text) } else { text }
    }
}

fn read_cases(fixtures: &Fixtures) -> Result<Vec<Case>, Error> {
    let file = fixtures.json("batches.json")?;
    let root = file.root();
    let mut cases = Vec::new();
    for name in root.keys()? {
        let mut rows = Vec::new();
        for row in root.get(&name)?.list()? {
            let text = |key: &str| row.get(key)?.text().map(str::to_string);
            rows.push(Row {
                observation: text("observation")?,
                action: text("action")?,
                pi_action: text("pi_action")?,
                reward: row.get("reward")?.number()?,
                next_observation: text("next_observation")?,
                done: row.get("done")?.flag()?,
            });
        }
        if rows.is_empty() {
            return Err(Error::Failure(format!("batches.json: the batch {name} is empty")));
        }
        cases.push(Case { name, rows });
    }
    Ok(cases)
}

/// A configuration with the hyperparameters of a fixture, for steps of so many rows.
pub fn config(hyper: &Node<'_>, batch_size: usize, numerics: Numerics) -> Result<Config, Error> {
    let number = |key: &str| hyper.get(key)?.number();
    let count = |key: &str, default: usize| match hyper.find(key) {
        Some(node) => node.count(),
        None => Ok(default),
    };
    Ok(Config {
        numerics,
        batch_size,
        critic_lr: number("critic_lr")?,
        lm_lr: number("lm_lr")?,
        gamma: number("gamma")?,
        tau: number("tau")?,
        max_grad_norm: number("max_grad_norm")?,
        grad_accum_steps: count("grad_accum_steps", 1)?,
        epochs: count("epochs", 0)?,
        actor_epochs: count("actor_epochs", 0)?,
        warmup_iter: 0,
        ..Config::default()
    })
}

/// The numbers of some flat tensors.
pub async fn read(tensors: Vec<Tensor<1>>) -> Result<Vec<Vec<f64>>, Error> {
    let values = params::read(tensors).await?;
    Ok(values.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect())
}

/// The numbers of one tensor.
pub async fn read_one(tensor: Tensor<1>) -> Result<Vec<f64>, Error> {
    Ok(read(vec![tensor]).await?.remove(0))
}

/// A network's parameters as they would stand in a file.
pub async fn parameters<M: Module>(module: &M, format: Format) -> Result<Tensors, Error> {
    laid_out(module, params::tensors(module), format).await
}

/// Flat tensors in a network's order, as they would stand in its file.
pub async fn laid_out<M: Module>(
    module: &M,
    tensors: Vec<Tensor<1>>,
    format: Format,
) -> Result<Tensors, Error> {
    Ok(hf::laid_out(module, tensors, format).await?)
}

/// The parameters of a critic with an encoder.
pub async fn critic_parameters(critic: &Critic) -> Result<Tensors, Error> {
    match critic {
        Critic::Encoder(critic) => parameters(critic, Format::Encoder).await,
        Critic::Causal(_) => Err(Error::Failure("the fixtures' critic has an encoder".into())),
    }
}

/// A policy's parameters or gradients under the names of its language model's file.
pub async fn of_actor(policy: &Policy, tensors: Vec<Tensor<1>>) -> Result<Tensors, Error> {
    let laid = laid_out(policy, tensors, Format::Actor).await?;
    let bare = |(name, tensor): (String, Laid)| match name.strip_prefix("lm.") {
        Some(bare) => (bare.to_string(), tensor),
        None => (name, tensor),
    };
    Ok(laid.into_iter().map(bare).collect())
}
