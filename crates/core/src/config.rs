//! Everything a run can be told, in one plain struct.
//!
//! The learning keys stand at the top level under the names of the reference's released
//! configurations (`rollout_size`, `epochs`, `lm_lr`, `tau`, …), so that those files read the same
//! here; what is ours is grouped in tables. A field's comment gives its unit and usual range.
//! The shells merge presets, files and `--set` on top of [`Config::default`] and call
//! [`Config::validate`] once; nothing else in the core checks a configuration again.

use archer_world::{Discount, Settings};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::nn::sampling::Sampler;

mod algorithm;
mod fit;
mod lessons;
pub mod older;
mod warm_start;

pub use algorithm::{Algorithm, ChaiConfig, DistillConfig, FilteredBcConfig, IqlConfig, PpoConfig};
pub use lessons::LessonsConfig;
pub use warm_start::WarmStartConfig;

/// How the utterance's advantage reaches its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `-log π(a|s) · A(s, a)`: every token of the utterance shares its advantage.
    Utterance,
    /// The advantage minus a learned baseline per token, with the baseline's own loss.
    Token,
}

/// Whose numbers a run computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numerics {
    /// Ours: the reference's where it is right.
    Fixed,
    /// The reference's own, faults included; see `docs/differences.md`.
    Compat,
}

/// What the critic learns in the warm-up, while the actor stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmupTargets {
    /// The same temporal-difference targets as after it.
    Td,
    /// The Monte Carlo returns of the replayed games. They are unbiased as long as the actor that
    /// played them is the present one, and a fresh critic is right many steps earlier.
    MonteCarlo,
}

/// What the value of an action is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvantageBaseline {
    /// The smaller of the critic's two V.
    Value,
    /// The mean value of the other actions drawn at the same state.
    Samples,
}

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What learns after the warm start: `archer`, `bc`, `filtered_bc`, `chai`, `iql`, `reinforce`,
    /// `ppo`, or `distill` without a warm start.
    pub algorithm: Algorithm,
    /// Whose numbers: ours, or the reference's for comparison.
    pub numerics: Numerics,
    /// The one seed from which every draw descends.
    pub seed: u64,
    /// Folder with an actor in Hugging Face layout to start from (and its critic, where it holds
    /// one); empty for fresh networks.
    pub actor: String,
    /// Folder with a critic to start from, a whole one or only an encoder (RoBERTa, BERT) to put
    /// fresh heads on; it may have a tokenizer of its own. Empty for the one beside the actor.
    pub critic: String,

    /// Learning iterations after the warm start; 30 to 2,000.
    pub iterations: usize,
    /// Games played in an iteration; 32 to 512.
    pub rollout_size: usize,
    /// Games of a greedy evaluation during training.
    pub eval_size: usize,
    /// Iterations between two evaluations; 0 for none before the end.
    pub eval_freq: usize,
    /// Iterations between two checkpoints; 0 for none before the end.
    pub save_freq: usize,
    /// Whether the model that a run leaves is that of its best evaluation, instead of that of its end.
    pub keep_best: bool,
    /// Transitions in a micro-batch.
    pub batch_size: usize,
    /// Micro-batches in one gradient step; their gradients are averaged.
    pub grad_accum_steps: usize,
    /// Critic gradient steps in an iteration (the reference calls a gradient step an epoch).
    pub epochs: usize,
    /// Actor gradient steps in an iteration.
    pub actor_epochs: usize,
    /// Fresh actions drawn at each state of an actor step; the causal critic judges several in the
    /// same pass, which makes the gradient less noisy. The paper has 1.
    pub actor_samples: usize,
    /// Fresh actions drawn at each state of a critic step, over whose values V's target is the mean.
    /// The paper has 1.
    pub critic_samples: usize,
    /// Iterations in which only the critic learns.
    pub warmup_iter: usize,
    /// What the critic learns in those iterations.
    pub warmup_targets: WarmupTargets,
    /// Adam's learning rate for the critic; 1e-5 for RoBERTa, 1e-3 for small fresh models.
    pub critic_lr: f64,
    /// Adam's learning rate for the actor; 1e-6 for GPT-2, up to 1e-3 for small fresh models.
    pub lm_lr: f64,
    /// Adam's learning rate decays linearly over the iterations to this share of itself; 1 keeps it.
    pub lr_final: f64,
    /// Share of itself that the average of the actor over its iterations keeps at each, in [0, 1);
    /// the first iterations count more evenly ([`crate::algorithms::common::learner`]). Where it is
    /// above 0, the average is what is evaluated, exported and played, while the actor itself goes
    /// on learning. 0 for none, as in the paper.
    pub actor_average: f64,
    /// Transitions that the replay buffer holds.
    pub capacity: usize,
    /// Discount for one turn, in (0, 1].
    pub gamma: f64,
    /// Share of the online critic that the target critic takes at each critic step, in (0, 1].
    pub tau: f64,
    /// Bound on the global gradient norm of each network; 0 for none.
    pub max_grad_norm: f64,
    /// Sampling temperature of rollouts, above 0.
    pub temperature: f64,
    /// Sample only among the k likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Sample only among the likeliest tokens that together have this probability, in (0, 1].
    pub top_p: f64,
    /// Tokens after which an utterance is cut; 0 for as many as the games that are seen before learning
    /// need, with some to spare.
    pub max_new_tokens: usize,
    /// Utterances that the agent tries, wherever it plays, until one was not said before in its game,
    /// each with another first token: a draw without replacement, and in greedy play the next
    /// likeliest. What learning draws at replayed states is tried once, so that the policy itself
    /// is told what a repeated question is worth. 1 for the first as it comes, as in the paper.
    pub tries: usize,
    /// Whether the critic may bootstrap past a time limit (`truncated`) or takes it for an end.
    pub bootstrap_truncated: bool,
    /// Utterance-level or token-level policy gradient.
    pub level: Level,
    /// Weight of an auxiliary loss of the causal critic: its body predicts the world's replies, which
    /// tells it densely what its values depend on. The paper has none.
    pub reply_coef: f64,
    /// Weight of an entropy bonus in the actor's loss; the paper has none.
    pub entropy_coef: f64,
    /// Weight of the divergence KL(π ‖ π₀) from the policy with which learning began, taken off the
    /// advantages (after they were normalised, where they are); it keeps what imitation taught (not
    /// to ask twice) while the critic does not see it yet. The paper has none.
    pub kl_coef: f64,
    /// Points taken off the reward, in what is learned from, of an utterance that repeats an earlier
    /// one of its game. 0 for none, as in the paper.
    pub repeat_penalty: f64,
    /// Shift and scale the advantages of a batch to mean 0 and deviation 1; the paper does not.
    pub normalize_advantage: bool,
    /// What an action's value is measured against: the critic's V, as in the paper, or the other
    /// actions drawn at the same state (`actor_samples` of at least 2), whose advantages then sum to
    /// 0: a state where V is too high does not push down all that was drawn there. It is the
    /// baseline of the penalty by `kl_coef` too. ArCHer's alone.
    pub advantage_baseline: AdvantageBaseline,

    /// The settings of the world to learn in, which only the world understands.
    pub world: Settings,
    /// The tokenizer of fresh models.
    pub tokenizer: TokenizerConfig,
    /// The shape of a fresh actor.
    pub actor_model: ActorModelConfig,
    /// The shape of a fresh critic.
    pub critic_model: CriticModelConfig,
    /// Behaviour cloning before learning.
    pub warm_start: WarmStartConfig,
    /// What the actor is taught while it learns from returns.
    pub lessons: LessonsConfig,
    /// What only filtered behaviour cloning is told.
    pub filtered_bc: FilteredBcConfig,
    /// What only CHAI is told.
    pub chai: ChaiConfig,
    /// What only offline learning is told.
    pub iql: IqlConfig,
    /// What only PPO is told.
    pub ppo: PpoConfig,
    /// What only a student is told.
    pub distill: DistillConfig,
}

/// The byte-level BPE trained on generated games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    /// Largest vocabulary, specials and the 256 bytes included; at least 261.
    pub vocab_size: usize,
    /// Bytes that one token may stand for; 8 to 16. Tokens may span words ("Is it a").
    pub max_token_length: usize,
}

/// A GPT-2-layout language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActorModelConfig {
    /// Transformer blocks.
    pub layers: usize,
    /// Hidden width; a multiple of `heads`.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Positions, which bounds observation and action together; 0 for as many as the games that are
    /// seen before learning need.
    pub positions: usize,
    /// Begin a fresh actor with heads that look back one token, two and so on: where many secrets
    /// must be learned, it saves a thousand steps of a plateau; where few, it does harm
    /// (docs/LOG.md).
    pub look_back: bool,
}

/// How the critic reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriticKind {
    /// A RoBERTa-layout encoder reads state and action apart, as in the reference.
    Encoder,
    /// A GPT-2-layout body reads a whole game in one pass.
    Causal,
}

/// The body under the four heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CriticModelConfig {
    /// How it reads.
    pub kind: CriticKind,
    /// A fresh causal critic begins, after the warm start, with the actor's body: what imitation
    /// has learned to see in a text (what was asked, what was answered) it need not find again.
    /// The shapes must then be equal.
    pub from_actor: bool,
    /// Transformer blocks.
    pub layers: usize,
    /// Hidden width; a multiple of `heads`.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Positions for text; an encoder's `<s>` and `</s>` included. 0 for as many as the actor's.
    pub positions: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Archer,
            numerics: Numerics::Fixed,
            seed: 1,
            actor: String::new(),
            critic: String::new(),
            iterations: 100,
            rollout_size: 128,
            eval_size: 128,
            eval_freq: 25,
            save_freq: 25,
            keep_best: false,
            batch_size: 32,
            grad_accum_steps: 8,
            epochs: 50,
            actor_epochs: 3,
            actor_samples: 1,
            critic_samples: 1,
            warmup_iter: 10,
            warmup_targets: WarmupTargets::Td,
            critic_lr: 1e-3,
            lm_lr: 3e-4,
            lr_final: 1.0,
            actor_average: 0.0,
            capacity: 100_000,
            gamma: 0.95,
            tau: 0.1,
            max_grad_norm: 1.0,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            tries: 1,
            max_new_tokens: 32,
            bootstrap_truncated: false,
            level: Level::Utterance,
            reply_coef: 0.0,
            entropy_coef: 0.0,
            kl_coef: 0.0,
            repeat_penalty: 0.0,
            normalize_advantage: false,
            advantage_baseline: AdvantageBaseline::Value,
            world: Settings::new(),
            tokenizer: TokenizerConfig::default(),
            actor_model: ActorModelConfig::default(),
            critic_model: CriticModelConfig::default(),
            warm_start: WarmStartConfig::default(),
            lessons: LessonsConfig::default(),
            filtered_bc: FilteredBcConfig::default(),
            chai: ChaiConfig::default(),
            iql: IqlConfig::default(),
            ppo: PpoConfig::default(),
            distill: DistillConfig::default(),
        }
    }
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self { vocab_size: 1024, max_token_length: 12 }
    }
}

impl Default for ActorModelConfig {
    fn default() -> Self {
        Self { layers: 4, width: 128, heads: 4, positions: 512, look_back: false }
    }
}

impl Default for CriticModelConfig {
    fn default() -> Self {
        Self {
            kind: CriticKind::Encoder,
            from_actor: false,
            layers: 2,
            width: 128,
            heads: 4,
            positions: 512,
        }
    }
}

impl Config {
    /// Fresh actions at one state that are measured against each other; 1 for none.
    pub fn baseline_samples(&self) -> usize {
        match self.advantage_baseline {
            AdvantageBaseline::Samples => self.actor_samples,
            AdvantageBaseline::Value => 1,
        }
    }

    /// The share of the training that is done before iteration number `iteration`, 0 to 1.
    pub fn progress(&self, iteration: usize) -> f64 {
        (iteration as f64 / self.iterations.max(1) as f64).min(1.0)
    }

    /// How utterances are drawn in training; `archer eval --sample` and pages draw so too.
    pub fn sampler(&self) -> Sampler {
        Sampler { temperature: self.temperature, top_k: self.top_k, top_p: self.top_p }
    }

    /// How the learner discounts.
    pub fn discount(&self) -> Discount {
        Discount { gamma: self.gamma, bootstrap_truncated: self.bootstrap_truncated }
    }

    /// Checks every range and returns the first fault as a sentence that names the key.
    pub fn validate(&self) -> Result<(), Error> {
        let fault = |key: &str, value: String, want: &str| {
            Err(Error::Config(format!("{key} = {value} is out of range: it must be {want}")))
        };
        for (key, value) in [
            ("rollout_size", self.rollout_size),
            ("batch_size", self.batch_size),
            ("grad_accum_steps", self.grad_accum_steps),
            ("capacity", self.capacity),
            ("tries", self.tries),
            ("tokenizer.max_token_length", self.tokenizer.max_token_length),
            ("eval_size", self.eval_size),
            ("actor_samples", self.actor_samples),
            ("critic_samples", self.critic_samples),
            ("actor_model.layers", self.actor_model.layers),
            ("actor_model.heads", self.actor_model.heads),
            ("critic_model.layers", self.critic_model.layers),
            ("critic_model.heads", self.critic_model.heads),
            ("warm_start.batch_size", self.warm_start.batch_size),
        ] {
            if value == 0 {
                return fault(key, "0".into(), "at least 1");
            }
        }
        for (key, value, top) in [
            ("gamma", self.gamma, 1.0),
            ("tau", self.tau, 1.0),
            ("top_p", self.top_p, 1.0),
            ("lr_final", self.lr_final, 1.0),
            ("warm_start.lr_final", self.warm_start.lr_final, 1.0),
            ("critic_lr", self.critic_lr, 1.0),
            ("lm_lr", self.lm_lr, 1.0),
            ("warm_start.lr", self.warm_start.lr, 1.0),
            ("lessons.lr", self.lessons.lr, 1.0),
            ("temperature", self.temperature, 100.0),
            ("warm_start.temperature", self.warm_start.temperature, 100.0),
        ] {
            if !(value > 0.0 && value <= top) {
                return fault(key, value.to_string(), &format!("above 0 and at most {top}"));
            }
        }
        for (key, value) in [
            ("max_grad_norm", self.max_grad_norm),
            ("entropy_coef", self.entropy_coef),
            ("kl_coef", self.kl_coef),
            ("repeat_penalty", self.repeat_penalty),
            ("reply_coef", self.reply_coef),
            ("warm_start.reply_coef", self.warm_start.reply_coef),
            ("warm_start.task_coef", self.warm_start.task_coef),
            ("warm_start.fact_coef", self.warm_start.fact_coef),
            ("lessons.reply_coef", self.lessons.reply_coef),
            ("lessons.task_coef", self.lessons.task_coef),
            ("lessons.fact_coef", self.lessons.fact_coef),
            ("lessons.guess_coef", self.lessons.guess_coef),
            ("lessons.hold_coef", self.lessons.hold_coef),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return fault(key, value.to_string(), "0 or more");
            }
        }
        if !(0.0..1.0).contains(&self.actor_average) {
            return fault(
                "actor_average",
                self.actor_average.to_string(),
                "at least 0 and less than 1",
            );
        }
        for (key, width, heads) in [
            ("actor_model.width", self.actor_model.width, self.actor_model.heads),
            ("critic_model.width", self.critic_model.width, self.critic_model.heads),
        ] {
            if width == 0 || width % heads != 0 {
                return fault(key, width.to_string(), &format!("a multiple of its {heads} heads"));
            }
        }
        if self.tokenizer.vocab_size < crate::text::tokenizer::MIN_VOCAB {
            return fault(
                "tokenizer.vocab_size",
                self.tokenizer.vocab_size.to_string(),
                &format!("at least {}", crate::text::tokenizer::MIN_VOCAB),
            );
        }
        let fitted = self.actor_model.positions > 0 && self.max_new_tokens > 0;
        if fitted && self.actor_model.positions <= self.max_new_tokens + 8 {
            return fault(
                "actor_model.positions",
                self.actor_model.positions.to_string(),
                "larger than max_new_tokens by more than 8, to hold an observation beside the action",
            );
        }
        self.validate_warm_start()?;
        // A model folder may bring a critic of its own kind; these keys then do nothing to it.
        let causal_only =
            self.reply_coef > 0.0 || self.actor_samples > 1 || self.critic_samples > 1;
        if causal_only && self.critic_model.kind == CriticKind::Encoder {
            return fault(
                "critic_model.kind",
                "\"encoder\"".into(),
                "\"causal\" for reply_coef above 0 and for more than 1 in actor_samples or critic_samples",
            );
        }
        if self.advantage_baseline == AdvantageBaseline::Samples
            && self.algorithm == Algorithm::Archer
            && self.actor_samples < 2
        {
            return fault(
                "advantage_baseline",
                "\"samples\"".into(),
                "\"value\" unless actor_samples is at least 2",
            );
        }
        let (actor, critic) = (&self.actor_model, &self.critic_model);
        let alike = critic.kind == CriticKind::Causal
            && (critic.layers, critic.width, critic.heads, critic.positions)
                == (actor.layers, actor.width, actor.heads, actor.positions);
        if critic.from_actor && !alike {
            return fault(
                "critic_model.from_actor",
                "true".into(),
                "false unless critic_model.kind is \"causal\" and the shapes of both models are equal",
            );
        }
        if !self.critic.is_empty() && self.actor.is_empty() {
            return fault(
                "critic",
                format!("{:?}", self.critic),
                "empty where actor is: a folder's critic judges a folder's actor",
            );
        }
        if !self.critic.is_empty() && critic.from_actor {
            return fault("critic_model.from_actor", "true".into(), "false where critic is given");
        }
        self.validate_algorithm()?;
        let ours = self.entropy_coef > 0.0
            || self.kl_coef > 0.0
            || self.repeat_penalty > 0.0
            || self.normalize_advantage
            || self.tries > 1
            || self.lessons.steps > 0
            || self.actor_average > 0.0
            || self.advantage_baseline == AdvantageBaseline::Samples
            || self.warmup_targets == WarmupTargets::MonteCarlo
            || (self.critic.is_empty() && critic.kind == CriticKind::Causal);
        if self.numerics == Numerics::Compat && ours {
            return fault(
                "numerics",
                "\"compat\"".into(),
                "\"fixed\" where entropy_coef, kl_coef, repeat_penalty, normalize_advantage, advantage_baseline, tries, lessons.steps, actor_average, warmup_targets or critic_model.kind is set to what the reference has not",
            );
        }
        if (1..16).contains(&self.critic_model.positions) {
            return fault(
                "critic_model.positions",
                self.critic_model.positions.to_string(),
                "at least 16, or 0 for as many as the world needs",
            );
        }
        Ok(())
    }
}
