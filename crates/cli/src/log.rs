//! One line of `metrics.jsonl`: what one slice of training did.
//!
//! Everything outside `timing` depends on the configuration and the seed alone, so two runs of the
//! same experiment can be compared byte for byte; the clock's words all stand inside it. Plots,
//! the report and the TensorBoard files are drawn from these lines and from nothing else.

use std::collections::BTreeMap;

use archer::train::evaluate::Evaluation;
use archer::train::{Phase, Report};
use serde::{Deserialize, Serialize};

/// A slice of training.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// `warm_start` or `learn`.
    pub phase: String,
    /// The gradient step of the warm start, or the iteration of the learning, that has been done.
    pub step: usize,
    /// Games played in this slice to learn from, evaluations not counted.
    pub games: usize,
    /// Games played to learn from since the run began.
    pub games_total: u64,
    /// Tokens generated in this slice.
    pub tokens: usize,
    /// The metrics by name; one that is not a number is `null`.
    #[serde(flatten)]
    pub metrics: BTreeMap<String, Option<f64>>,
    /// The greedy evaluation, in the slices that are one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// What the clock said.
    pub timing: Timing,
}

/// The part of a line that differs from run to run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Timing {
    /// When the slice ended, in seconds since 1970.
    pub at: f64,
    /// How long the slice took, in seconds.
    pub seconds: f64,
    /// Games played in a second of the slice.
    pub games_per_second: f64,
    /// Tokens generated in a second of the slice.
    pub tokens_per_second: f64,
}

/// The name of behaviour cloning in the files.
pub const WARM_START: &str = "warm_start";
/// The name of reinforcement learning in the files.
pub const LEARN: &str = "learn";

/// The name of a phase in the files.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::WarmStart => WARM_START,
        Phase::Learn => LEARN,
        Phase::Finished => "finished",
    }
}

impl Line {
    /// The line of a slice that took `seconds` and ended at `at`.
    pub fn new(report: &Report, seconds: f64, at: f64) -> Line {
        let rate = |count: usize| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let metrics = report.metrics.iter();
        Line {
            phase: phase_name(report.phase).to_string(),
            step: report.step,
            games: report.games,
            games_total: report.games_total,
            tokens: report.tokens,
            metrics: metrics
                .map(|(name, value)| (name.to_string(), Some(value).filter(|v| v.is_finite())))
                .collect(),
            evaluation: report.evaluation.clone(),
            timing: Timing {
                at,
                seconds,
                games_per_second: rate(report.games),
                tokens_per_second: rate(report.tokens),
            },
        }
    }

    /// A metric's value, where the line has it and it is a number.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied().flatten()
    }

    /// What the slice measured, under the tags that TensorBoard groups by.
    pub fn scalars(&self) -> Vec<(String, f64)> {
        let phase = &self.phase;
        let metrics = self.metrics.iter();
        let mut scalars: Vec<(String, f64)> = metrics
            .filter_map(|(name, value)| Some((format!("{phase}/{name}"), (*value)?)))
            .collect();
        if self.games > 0 {
            scalars.extend([
                (format!("{phase}/games_per_second"), self.timing.games_per_second),
                (format!("{phase}/tokens_per_second"), self.timing.tokens_per_second),
            ]);
        }
        scalars
    }

    /// The evaluation under such tags, over the iterations: that of the warm start is iteration 0.
    pub fn evaluation_scalars(&self) -> Option<(u64, [(&'static str, f64); 5])> {
        let evaluation = self.evaluation.as_ref()?;
        let iteration = if self.phase == LEARN { self.step as u64 } else { 0 };
        let scalars = [
            ("evaluation/mean_return", evaluation.mean_return),
            ("evaluation/win_rate", evaluation.win_rate),
            ("evaluation/mean_turns", evaluation.mean_turns),
            ("evaluation/invalid_rate", evaluation.invalid_rate),
            ("evaluation/repeat_rate", evaluation.repeat_rate),
        ];
        Some((iteration, scalars))
    }
}
