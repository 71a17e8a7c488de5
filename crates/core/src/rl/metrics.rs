//! What a run tells about itself: a list of named numbers, and one table that says what each means.
//!
//! The table is the only place where a metric's name is explained; the shells print from it, and a
//! test checks that nothing is reported that it does not hold.

use serde::Serialize;

/// Named numbers in the order in which they were told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics(Vec<(&'static str, f64)>);

impl Metrics {
    /// Nothing told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells a number; a name is told once.
    pub fn push(&mut self, name: &'static str, value: f64) {
        debug_assert!(self.get(name).is_none(), "{name} is told twice");
        self.0.push((name, value));
    }

    /// Tells mean, min, max and standard deviation of some values, if there are any.
    pub fn push_stats(&mut self, names: [&'static str; 4], values: &[f32]) {
        if let Some(stats) = Stats::of(values) {
            for (name, value) in
                names.into_iter().zip([stats.mean, stats.min, stats.max, stats.std])
            {
                self.push(name, value);
            }
        }
    }

    /// The number told under a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(told, _)| *told == name).map(|(_, value)| *value)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().copied()
    }
}

/// Mean, extremes and spread of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Standard deviation with n − 1 in the denominator; 0 for a single value.
    pub std: f64,
}

impl Stats {
    /// The statistics of some values; `None` of none.
    pub fn of(values: &[f32]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let squares = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
        Some(Self {
            mean,
            min: f64::from(values.iter().copied().fold(f32::INFINITY, f32::min)),
            max: f64::from(values.iter().copied().fold(f32::NEG_INFINITY, f32::max)),
            std: if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 },
        })
    }
}

/// What a metric means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MetricInfo {
    /// Name under which it is told.
    pub name: &'static str,
    /// Unit, empty for a plain number.
    pub unit: &'static str,
    /// Formula or meaning.
    pub meaning: &'static str,
    /// What a healthy run shows.
    pub healthy: &'static str,
}

/// The entry of a metric in the table.
pub fn describe(name: &str) -> Option<&'static MetricInfo> {
    TABLE.iter().find(|info| info.name == name)
}

/// All metrics that the core can tell.
pub fn table() -> &'static [MetricInfo] {
    TABLE
}

macro_rules! table {
    ($($name:literal, $unit:literal, $meaning:literal, $healthy:literal;)*) => {
        &[$(MetricInfo { name: $name, unit: $unit, meaning: $meaning, healthy: $healthy }),*]
    };
}

/// The four names of a metric's statistics.
macro_rules! stats_names {
    ($name:literal) => {
        [
            concat!($name, ".mean"),
            concat!($name, ".min"),
            concat!($name, ".max"),
            concat!($name, ".std"),
        ]
    };
}
pub(crate) use stats_names;

#[rustfmt::skip]
const TABLE: &[MetricInfo] = table! {
    "bc.loss", "nats", "negative log-probability of an utterance, mean over the batch", "falls and levels off";
    "bc.task_loss", "nats", "negative log-probability of the game's task at a state, mean over the batch (with warm_start.task_coef only)", "falls below the logarithm of the number of tasks";
    "bc.fact_loss", "nats", "negative log-probability of a fact of the game's task at a state, mean over facts and batch (with warm_start.fact_coef only)", "falls below 0.69";
    "bc.reply_loss", "nats", "negative log-probability of the world's reply to an utterance, mean over the batch (with warm_start.reply_coef only)", "falls below the entropy of the answers' frequencies";
    "bc.grad_norm", "", "global gradient norm of the actor in imitation before clipping, mean over steps", "finite, and falls";
    "rollout.return.mean", "reward", "undiscounted return of the iteration's games, sampled", "rises";
    "rollout.return.min", "reward", "lowest return", "rises late";
    "rollout.return.max", "reward", "highest return", "reaches the best game early";
    "rollout.return.std", "reward", "spread of returns", "falls as play gets sure";
    "rollout.win_rate", "share", "games won", "rises to 1";
    "rollout.turns", "turns", "mean turns of a game", "falls";
    "rollout.invalid_rate", "share", "utterances that the world could not read", "near 0";
    "rollout.repeat_rate", "share", "utterances said before in the same game", "near 0";
    "rollout.entropy", "nats", "entropy of the policy at each sampled token, mean", "falls slowly, not to 0 at once";
    "q1.mean", "return", "Q1(s, a) of replayed transitions", "between the worst and the best return";
    "q1.min", "return", "lowest Q1", "above the worst return";
    "q1.max", "return", "highest Q1", "not above the best return for long";
    "q1.std", "return", "spread of Q1", "grows as the critic learns to tell actions apart";
    "q2.mean", "return", "Q2(s, a) of replayed transitions", "as q1";
    "q2.min", "return", "lowest Q2", "as q1";
    "q2.max", "return", "highest Q2", "as q1";
    "q2.std", "return", "spread of Q2", "as q1";
    "v1.mean", "return", "V1(s) of replayed states", "near the target critic's Q of fresh actions";
    "v1.min", "return", "lowest V1", "above the worst return";
    "v1.max", "return", "highest V1", "not above the best return for long";
    "v1.std", "return", "spread of V1", "grows as states are told apart";
    "v2.mean", "return", "V2(s) of replayed states", "as v1";
    "v2.min", "return", "lowest V2", "as v1";
    "v2.max", "return", "highest V2", "as v1";
    "v2.std", "return", "spread of V2", "as v1";
    "target_q1.mean", "return", "Q1'(s, a') of the target critic, a' fresh: what V1 learns", "follows v1";
    "target_q1.min", "return", "lowest of these", "follows v1";
    "target_q1.max", "return", "highest of these", "follows v1";
    "target_q1.std", "return", "spread of these", "follows v1";
    "target_q2.mean", "return", "Q2'(s, a') of the target critic: what V2 learns", "follows v2";
    "target_q2.min", "return", "lowest of these", "follows v2";
    "target_q2.max", "return", "highest of these", "follows v2";
    "target_q2.std", "return", "spread of these", "follows v2";
    "target_v1.mean", "return", "r + gamma (1 - done) V1'(s'): what Q1 learns", "follows q1";
    "target_v1.min", "return", "lowest of these", "follows q1";
    "target_v1.max", "return", "highest of these", "0 in games with a win";
    "target_v1.std", "return", "spread of these", "follows q1";
    "target_v2.mean", "return", "r + gamma (1 - done) V2'(s'): what Q2 learns", "follows q2";
    "target_v2.min", "return", "lowest of these", "follows q2";
    "target_v2.max", "return", "highest of these", "0 in games with a win";
    "target_v2.std", "return", "spread of these", "follows q2";
    "q1.loss", "return²", "mean (Q1 - target_v1)²", "falls, then stays above 0: chance remains";
    "q2.loss", "return²", "mean (Q2 - target_v2)²", "as q1.loss";
    "v1.loss", "return²", "mean (V1 - target_q1)²", "falls well below q1.loss";
    "v2.loss", "return²", "mean (V2 - target_q2)²", "as v1.loss";
    "critic.grad_norm", "", "global gradient norm of the critic before clipping, mean over steps", "finite, falls";
    "advantages.mean", "return", "min Q - min V of fresh actions", "near 0";
    "advantages.min", "return", "lowest advantage", "large only early";
    "advantages.max", "return", "highest advantage", "large only early";
    "advantages.std", "return", "spread of advantages", "shrinks as choices agree with the critic";
    "residual_advantages.mean", "return", "advantage minus the token baseline (the advantage itself at utterance level)", "near 0";
    "residual_advantages.min", "return", "lowest of these", "as advantages.min";
    "residual_advantages.max", "return", "highest of these", "as advantages.max";
    "residual_advantages.std", "return", "spread of these", "at most that of advantages";
    "pg.loss", "", "-mean(log pi(a|s) A)", "no level is healthy by itself";
    "baseline.loss", "return²", "squared error of the token baseline (token level and PPO only)", "falls";
    "imitation.loss", "nats", "-mean(w log pi(a|s)) of imitated utterances, w their weight (filtered_bc and iql only)", "falls; with weights, as low as these allow";
    "weights.mean", "", "weight of an imitated utterance (1 in filtered_bc, exp(beta A) in iql)", "near 1";
    "weights.min", "", "lowest weight", "above 0";
    "weights.max", "", "highest weight", "below iql.max_weight but for a few";
    "weights.std", "", "spread of the weights", "grows as the critic learns to tell actions apart";
    "filter.games", "games", "games that are imitated (filtered_bc only)", "grows with the replay buffer";
    "filter.return", "reward", "least return among them", "rises";
    "ppo.clipped", "share", "tokens whose gain the clip holds back (ppo only)", "0.02 to 0.3";
    "lessons.reply_loss", "nats", "negative log-probability of the world's reply to an utterance, in the lessons (with lessons.steps only)", "falls as the actor comes to know the world";
    "lessons.task_loss", "nats", "negative log-probability of the game's task at a state, in the lessons (with lessons.steps only)", "falls towards what the replies leave open";
    "lessons.fact_loss", "nats", "negative log-probability of a fact of the game's task at a state, mean over facts, in the lessons (with lessons.steps only)", "falls below 0.69";
    "lessons.guess_loss", "nats", "negative log-probability of the utterance that would have won a lost game, summed over its last quarter, for each turn played (0 without lessons.guess_coef)", "falls to near 0";
    "lessons.kl", "nats", "divergence over an utterance from the policy before the iteration's lessons, mean over the lessons (with lessons.steps only)", "small, below 0.1";
    "lessons.grad_norm", "", "global gradient norm of the actor in the lessons before clipping, mean over steps (with lessons.steps only)", "finite";
    "distill.kl", "nats", "divergence of the student from the teacher at a token, at the distillation's temperature (distill only)", "falls towards 0";
    "distill.agreement", "share", "tokens that both find likeliest (distill only)", "rises towards 1";
    "distill.student_share", "share", "games of the iteration that the student played (distill only)", "grows from 0 to distill.student_share";
    "distill.teacher_return", "reward", "mean return of the iteration's games that the teacher played (distill only)", "steady: the teacher does not learn";
    "actor.grad_norm", "", "global gradient norm of the actor before clipping, mean over steps", "finite";
    "actor.entropy", "nats", "entropy of the policy at each token of the actor's fresh actions, mean", "falls slowly";
    "actor.kl", "nats", "estimated divergence of an utterance's distribution from that of the first policy (with kl_coef only)", "grows, then levels off";
    "actor.log_prob_gap", "nats", "largest difference between an utterance's log-probability when sampled and in training", "below 1e-3: the two computations agree";
    "replay.size", "transitions", "transitions in the replay buffer", "grows to its capacity";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_by_hand() {
        let stats = Stats::of(&[1.0, 2.0, 6.0]).unwrap();
        assert_eq!((stats.mean, stats.min, stats.max), (3.0, 1.0, 6.0));
        assert!((stats.std - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!(Stats::of(&[4.0]).unwrap().std, 0.0);
        assert!(Stats::of(&[]).is_none());
    }

    #[test]
    fn each_metric_is_explained_once() {
        for (i, info) in TABLE.iter().enumerate() {
            assert!(!info.meaning.is_empty() && !info.healthy.is_empty());
            assert!(TABLE[i + 1..].iter().all(|other| other.name != info.name), "{}", info.name);
        }
        assert_eq!(describe("q1.loss").unwrap().unit, "return²");
        assert!(describe("nonsense").is_none());
    }
}
