//! Which algorithm learns, and what only one of them is told.
//!
//! A table that belongs to another algorithm than the run's is checked like any other and does
//! nothing.

use serde::{Deserialize, Serialize};

use super::{Config, Level, Numerics};
use crate::error::Error;

/// The learning algorithms; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Actor-critic with hierarchical structures.
    Archer,
    /// Behaviour cloning only: the warm start and nothing after it.
    Bc,
    /// Imitation of the best of the games it has played.
    FilteredBc,
    /// A critic chooses among utterances of an actor that stays as it is.
    Chai,
    /// ArCHer offline: from games that others played, without playing.
    Iql,
    /// Policy gradient with Monte Carlo returns.
    Reinforce,
    /// Proximal policy optimisation over tokens.
    Ppo,
    /// A small student of a teacher that has learned already.
    Distill,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 8] = [
        Algorithm::Archer,
        Algorithm::Bc,
        Algorithm::FilteredBc,
        Algorithm::Chai,
        Algorithm::Iql,
        Algorithm::Reinforce,
        Algorithm::Ppo,
        Algorithm::Distill,
    ];

    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Archer => "archer",
            Algorithm::Bc => "bc",
            Algorithm::FilteredBc => "filtered_bc",
            Algorithm::Chai => "chai",
            Algorithm::Iql => "iql",
            Algorithm::Reinforce => "reinforce",
            Algorithm::Ppo => "ppo",
            Algorithm::Distill => "distill",
        }
    }

    /// The name in tables and charts.
    pub fn title(self) -> &'static str {
        match self {
            Algorithm::Archer => "ArCHer",
            Algorithm::Bc => "behaviour cloning",
            Algorithm::FilteredBc => "filtered BC",
            Algorithm::Chai => "CHAI",
            Algorithm::Iql => "offline ArCHer (IQL)",
            Algorithm::Reinforce => "REINFORCE",
            Algorithm::Ppo => "PPO",
            Algorithm::Distill => "student",
        }
    }

    /// Whether it has a critic of utterances.
    pub fn has_critic(self) -> bool {
        matches!(self, Algorithm::Archer | Algorithm::Chai | Algorithm::Iql | Algorithm::Distill)
    }

    /// Whether it remembers games beyond the iteration in which they were played.
    pub fn remembers(self) -> bool {
        self.has_critic() || self == Algorithm::FilteredBc
    }

    /// Whether it learns from games that others played instead of playing itself.
    pub fn is_offline(self) -> bool {
        self == Algorithm::Iql
    }
}

/// Which of the remembered games are imitated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilteredBcConfig {
    /// Share of the games, the best by return, in (0, 1].
    pub share: f64,
}

/// How CHAI speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChaiConfig {
    /// Utterances that the actor draws at each turn for the critic to choose from; 5 in the paper.
    pub samples: usize,
}

/// Learning from a file of games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IqlConfig {
    /// File of games, one JSON object a line, as `archer data` writes them.
    pub games: String,
    /// Expectile of V's regression, in (0, 1): 0.5 for the mean over the actions of the data, near 1
    /// for the best of them.
    pub expectile: f64,
    /// Inverse temperature of the actor's weights, 0 or more: 0 for plain imitation.
    pub beta: f64,
    /// Bound on a weight, at least 1; 0 for none.
    pub max_weight: f64,
}

/// Proximal policy optimisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PpoConfig {
    /// How far a token's probability may move from what it was when played before it counts no
    /// more, as a share of itself, in (0, 1); 0.2 is usual.
    pub clip_ratio: f64,
    /// Lambda of the generalised advantage estimate, in [0, 1].
    pub gae_lambda: f64,
    /// Passes over an iteration's games; 1 to 10.
    pub epochs: usize,
    /// Gradient steps into which a pass is cut.
    pub minibatches: usize,
    /// Weight of the squared error of the token values beside the policy's loss; 0.001 to 0.1. Both
    /// pull at the same network, and errors of returns are large at first.
    pub value_coef: f64,
}

/// Learning from a teacher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistillConfig {
    /// The teacher: a run's folder, a model's, or an exported file.
    pub teacher: String,
    /// Temperature of both distributions when they are compared, above 0; 1 to 4. Above 1 the
    /// student also learns what the teacher thinks of what it would hardly say.
    pub temperature: f64,
    /// Share of an iteration's games that the student plays itself, in [0, 1]: it grows evenly from
    /// 0 in the first iteration to this in the last; the others are the teacher's.
    pub student_share: f64,
    /// Begin a fresh network of its teacher's width and heads, and of no more blocks, with some of
    /// the teacher's blocks and its other weights; networks of other shapes begin from nothing.
    pub from_teacher: bool,
    /// The most scalars that the student's actor and critic may have together.
    pub max_parameters: usize,
}

impl DistillConfig {
    /// Games that the student plays itself in iteration number `iteration` of `iterations`.
    pub fn own_games(&self, games: usize, iteration: usize, iterations: usize) -> usize {
        let grown = iteration as f64 / iterations.saturating_sub(1).max(1) as f64;
        (self.student_share * grown.min(1.0) * games as f64).round() as usize
    }
}

impl Default for DistillConfig {
    fn default() -> Self {
        Self {
            teacher: String::new(),
            temperature: 1.0,
            student_share: 1.0,
            from_teacher: true,
            max_parameters: 1_500_000,
        }
    }
}

impl Default for FilteredBcConfig {
    fn default() -> Self {
        Self { share: 0.1 }
    }
}

impl Default for ChaiConfig {
    fn default() -> Self {
        Self { samples: 5 }
    }
}

impl Default for IqlConfig {
    fn default() -> Self {
        Self { games: String::new(), expectile: 0.9, beta: 1.0, max_weight: 100.0 }
    }
}

impl Default for PpoConfig {
    fn default() -> Self {
        Self { clip_ratio: 0.2, gae_lambda: 0.95, epochs: 4, minibatches: 4, value_coef: 0.01 }
    }
}

impl Config {
    /// What only some algorithms can be told.
    pub(super) fn validate_algorithm(&self) -> Result<(), Error> {
        let Config { filtered_bc, chai, iql, ppo, distill, .. } = self;
        let fault = |text: String| Err(Error::Config(text));
        let finite = |value: f64| value >= 0.0 && value.is_finite();
        let inside = |value: f64| value > 0.0 && value < 1.0;
        let (share, max) = (filtered_bc.share, iql.max_weight);
        for (key, value, good, want) in [
            ("filtered_bc.share", share, share > 0.0 && share <= 1.0, "above 0 and at most 1"),
            ("chai.samples", chai.samples as f64, chai.samples > 0, "at least 1"),
            ("iql.expectile", iql.expectile, inside(iql.expectile), "above 0 and below 1"),
            ("iql.beta", iql.beta, finite(iql.beta), "0 or more"),
            ("iql.max_weight", max, max == 0.0 || (finite(max) && max >= 1.0), "1 or more, or 0"),
            ("ppo.clip_ratio", ppo.clip_ratio, inside(ppo.clip_ratio), "above 0 and below 1"),
            (
                "ppo.gae_lambda",
                ppo.gae_lambda,
                finite(ppo.gae_lambda) && ppo.gae_lambda <= 1.0,
                "between 0 and 1",
            ),
            ("ppo.epochs", ppo.epochs as f64, ppo.epochs > 0, "at least 1"),
            ("ppo.minibatches", ppo.minibatches as f64, ppo.minibatches > 0, "at least 1"),
            (
                "distill.temperature",
                distill.temperature,
                distill.temperature > 0.0 && distill.temperature.is_finite(),
                "above 0",
            ),
            (
                "distill.student_share",
                distill.student_share,
                (0.0..=1.0).contains(&distill.student_share),
                "between 0 and 1",
            ),
            ("ppo.value_coef", ppo.value_coef, finite(ppo.value_coef), "0 or more"),
        ] {
            if !good {
                return fault(format!("{key} = {value} is out of range: it must be {want}"));
            }
        }
        let name = self.algorithm.name();
        if self.numerics == Numerics::Compat && self.algorithm != Algorithm::Archer {
            return fault(format!(
                "numerics = \"compat\" is for algorithm = \"archer\": leave it \"fixed\" for {name}"
            ));
        }
        let has_levels =
            matches!(self.algorithm, Algorithm::Archer | Algorithm::Bc | Algorithm::Reinforce);
        if self.level == Level::Token && !has_levels {
            return fault(format!(
                "level = \"token\" adds a baseline to the policy gradient of archer and reinforce: leave it \"utterance\" for {name}"
            ));
        }
        if self.algorithm == Algorithm::Distill && distill.teacher.is_empty() {
            return fault(
                "algorithm = \"distill\" learns from a teacher: use archer distill --teacher DIR, or name one with distill.teacher=DIR"
                    .into(),
            );
        }
        if self.algorithm == Algorithm::Iql && self.iql.games.is_empty() {
            return fault(
                "algorithm = \"iql\" learns from a file of games: name one with iql.games=FILE, for example one that archer data has written"
                    .into(),
            );
        }
        Ok(())
    }
}
