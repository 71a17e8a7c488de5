//! What a run begins with: networks of the shapes that its configuration says, an empty replay buffer,
//! and what is known of each task once its game is over.

use std::sync::Arc;

use archer_world::{Restyled, Style, Worlds};
use burn::tensor::Device;

use crate::agent::Agent;
use crate::algorithms::common::Policy;
use crate::config::{
    ActorModelConfig, AdvantageBaseline, Algorithm, ChatConfig, Config, CriticKind,
    CriticModelConfig, Level, Numerics, TokenizerConfig, WarmStartConfig,
};
#[cfg(feature = "llama")]
use crate::config::{Held, LoraConfig};
use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::{CausalLm, CausalLmConfig, Layout};
use crate::nn::critic::{Critic, DoubleCritic};
use crate::nn::encoder::EncoderConfig;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rng;
use crate::text::Tokenizer;

/// An empty replay buffer.
pub(super) fn fresh_buffer(config: &Config) -> ReplayBuffer {
    match config.numerics {
        Numerics::Fixed => ReplayBuffer::new(config.capacity),
        // The worlds' rewards may be fractions: the reference's only start as whole numbers.
        Numerics::Compat => ReplayBuffer::compat(config.capacity, false),
    }
}

/// A policy around a model, with what the configuration puts on it; `warm` while imitation is
/// still to be done.
pub(super) fn fresh_policy(
    config: &Config,
    worlds: &dyn Worlds,
    lm: CausalLm,
    warm: bool,
) -> Result<Policy, Error> {
    let policy = match config.level == Level::Token || config.algorithm == Algorithm::Ppo {
        false => Policy::new(lm),
        true => Policy::with_baseline(lm, &mut rng::stream(config.seed, "baseline.init", 0)),
    };
    let WarmStartConfig { task_coef, fact_coef, .. } = config.warm_start;
    if !(warm && (task_coef > 0.0 || fact_coef > 0.0)) && !config.lessons.names_tasks() {
        return Ok(policy);
    }
    let facts = task_facts(config, worlds).first().map_or(0, |facts| facts.len());
    let about = worlds.about();
    let tasks = about.tasks.ok_or_else(|| {
        Error::Config(format!(
            "warm_start.task_coef = {task_coef}, warm_start.fact_coef = {fact_coef} or lessons.steps = {} is out of range: it must be 0 in the world {}, whose tasks have no numbers",
            config.lessons.steps, about.name
        ))
    })?;
    Ok(policy.with_task_head(tasks + facts, &mut rng::stream(config.seed, "task.init", 0)))
}

/// The facts of each task, where they are to be learned.
pub(super) fn task_facts(config: &Config, worlds: &dyn Worlds) -> Vec<Arc<[f32]>> {
    let learned = |coef: f64, steps: usize| coef > 0.0 && steps > 0;
    let (warm, lessons) = (&config.warm_start, &config.lessons);
    if !learned(warm.fact_coef, warm.steps) && !learned(lessons.fact_coef, lessons.steps) {
        return Vec::new();
    }
    let facts = worlds.teaching().map(|teaching| teaching.facts()).unwrap_or_default();
    facts.into_iter().map(Arc::from).collect()
}

/// The utterance that names each task, where it is to be learned.
pub(super) fn winning_utterances(
    config: &Config,
    worlds: &dyn Worlds,
    tokenizer: &Tokenizer,
) -> Result<Vec<Arc<[u32]>>, Error> {
    let coef = config.lessons.guess_coef;
    if config.lessons.steps == 0 || coef == 0.0 {
        return Ok(Vec::new());
    }
    let winning = worlds.teaching().map(|teaching| teaching.winning_utterances());
    let winning = winning.filter(|winning| !winning.is_empty()).ok_or_else(|| {
        Error::Config(format!(
            "lessons.guess_coef = {coef} is out of range: it must be 0 in the world {}, which has no utterance that wins a task",
            worlds.about().name
        ))
    })?;
    let said = |text: String| {
        let mut tokens = tokenizer.encode(&text);
        tokens.push(tokenizer.terminator());
        tokens.into()
    };
    Ok(winning.into_iter().map(said).collect())
}

/// The world as an agent of this configuration reads it.
pub(super) fn framed(worlds: Arc<dyn Worlds>, config: &Config) -> Arc<dyn Worlds> {
    match config.chat.style() {
        Some(style) => Arc::new(Restyled::new(worlds, style)),
        None => worlds,
    }
}

/// Takes over how the messages of a chat are framed for an agent, unless the world's plain text is asked for.
pub(super) fn framed_as(config: &mut Config, style: &Style) {
    if let (Style::Chat(chat), true) = (style, config.chat.use_template) {
        // What is set in the configuration stands.
        config.chat = config.chat.filled_from(&ChatConfig::of(chat.as_ref().clone()));
    }
}

/// This configuration as it is for a run that starts from an agent: with the shapes of its networks,
/// and with as many tokens to an utterance where none are set.
///
/// A fresh critic that is to begin with the actor's body has the actor's shape. A critic that the
/// agent brings has learned already, and keeps its own.
pub(super) fn shaped_by(mut config: Config, agent: &Agent) -> Config {
    if config.max_new_tokens == 0 {
        config.max_new_tokens = agent.about.max_new_tokens;
    }
    let CausalLmConfig { layers, width, heads, positions, .. } = *agent.actor.config();
    config.actor_model = ActorModelConfig { layers, width, heads, positions, look_back: false };
    framed_as(&mut config, &agent.about.style);
    #[cfg(feature = "llama")]
    if let Some(lora) = agent.actor.lora() {
        let (rank, alpha, targets) = (lora.rank, lora.alpha, lora.targets.clone());
        let weights = match config.lora.weights {
            // As they were when the adapters were trained.
            Held::Stored => agent.about.base_weights,
            other => other,
        };
        config.lora = LoraConfig { rank, alpha, targets, weights };
    }
    let from_actor = config.critic_model.from_actor;
    match &agent.critic {
        Some(critic) if config.algorithm.has_critic() => {
            config.critic_model = shape_of(critic);
            if config.critic_model.kind == CriticKind::Encoder {
                // What only a causal critic can do is not done.
                (config.reply_coef, config.actor_samples, config.critic_samples) = (0.0, 1, 1);
                config.advantage_baseline = AdvantageBaseline::Value;
            }
        }
        _ if from_actor => {
            let kind = CriticKind::Causal;
            config.critic_model =
                CriticModelConfig { kind, from_actor, layers, width, heads, positions };
        }
        _ if config.critic_model.positions == 0 => config.critic_model.positions = positions,
        _ => {}
    }
    let vocabulary = agent.tokenizer.vocab_size();
    if TokenizerConfig::can_have(vocabulary) {
        config.tokenizer.vocab_size = vocabulary;
    }
    config
}

/// A critic's shape as a configuration says it.
fn shape_of(critic: &Critic) -> CriticModelConfig {
    let (kind, layers, width, heads) = match critic {
        Critic::Encoder(critic) => {
            let shape = critic.config();
            (CriticKind::Encoder, shape.layers, shape.width, shape.heads)
        }
        Critic::Causal(critic) => {
            let shape = critic.config();
            (CriticKind::Causal, shape.layers, shape.width, shape.heads)
        }
    };
    let positions = critic.positions();
    CriticModelConfig { kind, from_actor: false, layers, width, heads, positions }
}

/// The shape of a causal model of so many layers, of this width with so many heads.
fn causal_shape(
    (layers, width, heads): (usize, usize, usize),
    positions: usize,
    vocab_size: usize,
) -> CausalLmConfig {
    CausalLmConfig {
        layers,
        width,
        heads,
        positions,
        vocab_size,
        norm_epsilon: 1e-5,
        layout: Layout::Gpt2,
    }
}

/// An actor of the shape that the configuration says.
pub(super) fn fresh_actor(config: &Config, vocab_size: usize, device: &Device) -> CausalLm {
    let model = &config.actor_model;
    let shape = causal_shape((model.layers, model.width, model.heads), model.positions, vocab_size);
    let draws = &mut rng::stream(config.seed, "actor.init", 0);
    match model.look_back {
        true => shape.init_looking_back(draws, device),
        false => shape.init(draws, device),
    }
}

/// A critic likewise.
pub(super) fn fresh_critic(config: &Config, vocab_size: usize, device: &Device) -> Critic {
    let model = &config.critic_model;
    let rng = &mut rng::stream(config.seed, "critic.init", 0);
    match model.kind {
        CriticKind::Encoder => {
            let shape = EncoderConfig {
                layers: model.layers,
                width: model.width,
                heads: model.heads,
                feed_forward: 4 * model.width,
                positions: model.positions,
                first_position: 2,
                vocab_size,
                token_types: 1,
                layer_norm_epsilon: 1e-5,
            };
            Critic::Encoder(DoubleCritic::new(&shape, rng, device))
        }
        CriticKind::Causal => {
            let size = (model.layers, model.width, model.heads);
            let shape = causal_shape(size, model.positions, vocab_size);
            Critic::Causal(CausalCritic::new(&shape, rng, device))
        }
    }
}
