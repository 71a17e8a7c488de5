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

mod chat;
mod fit;
mod lora;
mod models;
pub mod older;
mod prior;
pub(crate) mod ranges;
mod ties;
mod warm_start;

pub use self::chat::ChatConfig;
pub use self::lora::{Held, LoraConfig};
pub use self::models::{ActorModelConfig, CriticKind, CriticModelConfig, TokenizerConfig};
pub use self::prior::PriorConfig;
pub use self::warm_start::WarmStartConfig;
pub use crate::algorithms::common::auxiliary::AuxiliaryConfig;
pub use crate::algorithms::{
    Algorithm, ChaiConfig, DistillConfig, FilteredBcConfig, IqlConfig, PpoConfig,
};

use self::ranges::{
    MOST_BATCH, MOST_EVALUATED, MOST_GAMES, MOST_MINUTES, MOST_POSITIONS, MOST_REMEMBERED,
    MOST_SAMPLES, MOST_SLICES, MOST_STEPS, at_least_one, at_most, share, temperature, weight,
    within,
};

/// How the utterance's advantage reaches its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `-log π(a|s) · A(s, a)`: every token of the utterance shares its advantage.
    Utterance,
    /// The advantage minus a learned baseline per token, with the baseline's own loss.
    Token,
}

/// Whose numbers a run computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Numerics {
    /// Ours: the reference's where it is right.
    Fixed,
    /// The reference's own, faults included; see `docs/differences.md`.
    Compat,
}

/// What the critic learns in the warm-up, while the actor stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AdvantageBaseline {
    /// The smaller of the critic's two V.
    Value,
    /// The mean value of the other actions drawn at the same state.
    Samples,
}

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Minutes between two checkpoints, in every phase, the warm start included; 0 for none by time.
    /// What is computed does not depend on it: the shell looks at its clock between two steps.
    pub save_minutes: f64,
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
    /// Iterations by which the policy that plays is older than the one that learns, from 0 to 64. Where
    /// it is above 0 and there are threads for both, an iteration's games are played while the one before
    /// is learned. 0 for the policy as it is, as in the paper. For algorithms that learn from what older
    /// policies did.
    pub play_lag: usize,
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
    /// is told what a repeated utterance is worth. 1 for the first as it comes, as in the paper.
    pub utterance_tries: usize,
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
    /// Whether a gradient step computes the blocks of causal models twice rather than keep what they
    /// computed: less memory, more time, the same numbers (Chen et al., arXiv:1604.06174).
    pub gradient_checkpointing: bool,
    /// What of an actor that is read from a folder is trained.
    pub lora: LoraConfig,
    /// How messages are framed for a model that was trained on chats.
    pub chat: ChatConfig,
    /// Behaviour cloning before learning.
    pub warm_start: WarmStartConfig,
    /// Demonstrated games that the learner uses beside the games of the run.
    pub prior: PriorConfig,
    /// What the actor is taught while it learns from returns.
    pub lessons: AuxiliaryConfig,
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

/// Scalars in the body of a network: embeddings, and 12 matrices of its width in each block.
fn body_parameters([layers, width, positions]: [usize; 3], vocabulary: u64) -> u64 {
    let (layers, width, positions) = (layers as u64, width as u64, positions as u64);
    (vocabulary + positions) * width + layers * (12 * width * width + 13 * width)
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
            save_minutes: 3.0,
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
            play_lag: 0,
            capacity: 100_000,
            gamma: 0.95,
            tau: 0.1,
            max_grad_norm: 1.0,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            utterance_tries: 1,
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
            gradient_checkpointing: false,
            lora: LoraConfig::default(),
            chat: ChatConfig::default(),
            warm_start: WarmStartConfig::default(),
            prior: PriorConfig::default(),
            lessons: AuxiliaryConfig::default(),
            filtered_bc: FilteredBcConfig::default(),
            chai: ChaiConfig::default(),
            iql: IqlConfig::default(),
            ppo: PpoConfig::default(),
            distill: DistillConfig::default(),
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

    /// Scalars in the networks of these shapes, with a vocabulary as large as it may be.
    pub fn parameters(&self) -> u64 {
        let vocabulary = self.tokenizer.vocab_size as u64;
        let ActorModelConfig { layers, width, positions, .. } = self.actor_model;
        let actor = body_parameters([layers, width, positions], vocabulary);
        let CriticModelConfig { layers, width, positions, .. } = self.critic_model;
        match self.algorithm.has_critic() {
            true => actor + body_parameters([layers, width, positions], vocabulary),
            false => actor,
        }
    }

    /// Bytes that the networks of these shapes take in training: each parameter once as itself, twice in
    /// its optimiser, in its gradient and that of another thread, in a lagging copy, and twice more
    /// while a checkpoint is written.
    pub fn network_bytes(&self) -> u64 {
        const COPIES: u64 = 8;
        COPIES * size_of::<f32>() as u64 * self.parameters()
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
    ///
    /// A range stands beside its field; here are those of the top level. `ties.rs` has the rules
    /// between two settings.
    ///
    /// # Errors
    /// If a value is out of range, or does not go with another.
    pub fn validate(&self) -> Result<(), Error> {
        self.check()?;
        self.tokenizer.check()?;
        self.actor_model.check()?;
        self.critic_model.check()?;
        self.lora.check()?;
        self.chat.check()?;
        self.warm_start.check()?;
        self.prior.check()?;
        self.lessons.check()?;
        self.filtered_bc.check()?;
        self.chai.check()?;
        self.iql.check()?;
        self.ppo.check()?;
        self.distill.check()?;
        ties::check(self)
    }

    /// Whether a run can begin with it from nothing, beside what [`validate`](Self::validate) checks.
    ///
    /// # Errors
    /// If it is for a run that begins from a model.
    pub(crate) fn check_fresh(&self) -> Result<(), Error> {
        ties::fresh(self)
    }

    /// The ranges of the top level.
    fn check(&self) -> Result<(), Error> {
        at_least_one("rollout_size", self.rollout_size, MOST_GAMES)?;
        at_least_one("batch_size", self.batch_size, MOST_BATCH)?;
        at_least_one("grad_accum_steps", self.grad_accum_steps, MOST_STEPS)?;
        at_least_one("capacity", self.capacity, MOST_REMEMBERED)?;
        at_least_one("utterance_tries", self.utterance_tries, MOST_SAMPLES)?;
        at_least_one("eval_size", self.eval_size, MOST_EVALUATED)?;
        at_least_one("actor_samples", self.actor_samples, MOST_SAMPLES)?;
        at_least_one("critic_samples", self.critic_samples, MOST_SAMPLES)?;
        at_most("epochs", self.epochs, MOST_STEPS)?;
        at_most("actor_epochs", self.actor_epochs, MOST_STEPS)?;
        at_most("iterations", self.iterations, MOST_SLICES)?;
        at_most("eval_freq", self.eval_freq, MOST_SLICES)?;
        at_most("save_freq", self.save_freq, MOST_SLICES)?;
        let saved = self.save_minutes;
        let good = (0.0..=MOST_MINUTES).contains(&saved);
        within("save_minutes", saved, good, format_args!("at least 0 and at most {MOST_MINUTES}"))?;
        at_most("warmup_iter", self.warmup_iter, MOST_SLICES)?;
        at_most("top_k", self.top_k, MOST_SLICES)?;
        at_most("max_new_tokens", self.max_new_tokens, MOST_POSITIONS)?;
        share("gamma", self.gamma)?;
        share("tau", self.tau)?;
        share("top_p", self.top_p)?;
        share("lr_final", self.lr_final)?;
        share("critic_lr", self.critic_lr)?;
        share("lm_lr", self.lm_lr)?;
        temperature("temperature", self.temperature)?;
        weight("max_grad_norm", self.max_grad_norm)?;
        weight("entropy_coef", self.entropy_coef)?;
        weight("kl_coef", self.kl_coef)?;
        weight("repeat_penalty", self.repeat_penalty)?;
        weight("reply_coef", self.reply_coef)?;
        let kept = self.actor_average;
        within("actor_average", kept, (0.0..1.0).contains(&kept), "at least 0 and less than 1")?;
        within("play_lag", self.play_lag, self.play_lag <= 64, "at most 64")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One block of width 4 with 3 positions and the least vocabulary: (261 + 3) · 4 + 12 · 16 + 13 · 4.
    #[test]
    fn parameters_by_hand() {
        let mut config = Config { algorithm: Algorithm::Ppo, ..Config::default() };
        config.tokenizer.vocab_size = 261;
        let (layers, width, heads, positions) = (1, 4, 1, 3);
        config.actor_model = ActorModelConfig { layers, width, heads, positions, look_back: false };
        assert_eq!(config.parameters(), 1056 + 192 + 52);
        assert_eq!(config.network_bytes(), 32 * 1300);
    }

    #[test]
    fn what_is_fine_alone_may_be_too_much_together() {
        type Change = fn(&mut Config);
        let changes: [(&[&str], Change); 4] = [
            (&["actor_model.width = 16384", "GiB", "make them smaller"], |config| {
                config.actor_model =
                    ActorModelConfig { width: 16384, ..ActorModelConfig::default() };
            }),
            (&["epochs = 65536", "batch_size = 32", "at once"], |config| config.epochs = 1 << 16),
            (&["epochs = 50", "chai.samples = 256"], |config| {
                config.algorithm = Algorithm::Chai;
                config.batch_size = 512;
                config.chai.samples = 256;
            }),
            (&["grad_accum_steps = 60000", "batch_size = 32"], |config| {
                config.grad_accum_steps = 60000;
            }),
        ];
        for (parts, change) in changes {
            let mut config = Config::default();
            change(&mut config);
            let said = config.validate().unwrap_err().to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
    }

    #[test]
    fn the_defaults_are_right_and_numbers_without_limit_are_refused() {
        Config::default().validate().unwrap();
        type Change = fn(&mut Config);
        let changes: [(&str, Change); 6] = [
            ("rollout_size", |config| config.rollout_size = usize::MAX),
            ("grad_accum_steps", |config| config.grad_accum_steps = 1 << 16),
            ("epochs", |config| config.epochs = usize::MAX),
            ("actor_model.layers", |config| config.actor_model.layers = 257),
            ("critic_model.positions", |config| config.critic_model.positions = usize::MAX),
            ("warm_start.games", |config| config.warm_start.games = usize::MAX),
        ];
        for (key, change) in changes {
            let mut config = Config::default();
            change(&mut config);
            let said = config.validate().unwrap_err().to_string();
            assert!(said.starts_with(key) && said.contains("at most"), "{said}");
        }
    }
}
