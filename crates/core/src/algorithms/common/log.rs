//! What the steps of a phase showed, kept on the device and read once when the phase is over.

use burn::tensor::Tensor;

use crate::error::Error;
use crate::nn::generate::Utterance;
use crate::nn::params;
use crate::ranks::{Shown, present};
use crate::rl::losses::CriticLosses;
use crate::rl::metrics::{Metrics, Stats, stats_names};
use crate::rl::transition::Transition;

/// What a micro-batch of the critic showed.
pub(crate) struct CriticSeen {
    /// As in [`CriticLog`].
    pub(crate) values: [Tensor<1>; 8],
    /// Of q1, q2, v1, v2.
    pub(crate) losses: [Tensor<1>; 4],
}

/// What the critic's steps showed, on the device until it is told.
#[derive(Default)]
pub(crate) struct CriticLog {
    /// q1, q2, v1, v2, target_q1, target_q2, target_v1, target_v2.
    values: [Vec<Tensor<1>>; 8],
    /// Of q1, q2, v1, v2.
    losses: [Vec<Tensor<1>>; 4],
    pub(crate) grad_norms: Vec<Tensor<1>>,
}

const VALUE_NAMES: [[&str; 4]; 8] = [
    stats_names!("q1"),
    stats_names!("q2"),
    stats_names!("v1"),
    stats_names!("v2"),
    stats_names!("target_q1"),
    stats_names!("target_q2"),
    stats_names!("target_v1"),
    stats_names!("target_v2"),
];

impl CriticSeen {
    pub(crate) fn new(values: [Tensor<1>; 8], losses: &CriticLosses) -> Self {
        let losses = [&losses.q.0, &losses.q.1, &losses.v.0, &losses.v.1];
        Self { values: values.map(Tensor::inner), losses: losses.map(|loss| loss.clone().inner()) }
    }
}

impl Shown for CriticSeen {
    fn into_tensors(self) -> Vec<Option<Tensor<1>>> {
        self.values.into_iter().chain(self.losses).map(Some).collect()
    }

    fn from_tensors(mut tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self {
        let values = std::array::from_fn(|_| present(&mut tensors));
        Self { values, losses: std::array::from_fn(|_| present(&mut tensors)) }
    }
}

impl CriticLog {
    pub(crate) fn push(&mut self, seen: CriticSeen) {
        self.values.iter_mut().zip(seen.values).for_each(|(series, tensor)| series.push(tensor));
        self.losses.iter_mut().zip(seen.losses).for_each(|(series, loss)| series.push(loss));
    }

    pub(crate) async fn report(self, metrics: &mut Metrics) -> Result<(), Error> {
        if self.grad_norms.is_empty() {
            return Ok(());
        }
        let series = self.values.into_iter().chain(self.losses).chain([self.grad_norms]);
        let read = params::read(series.map(|tensors| Tensor::cat(tensors, 0)).collect()).await?;
        for (names, values) in VALUE_NAMES.into_iter().zip(&read) {
            metrics.push_stats(names, values);
        }
        let means = ["q1.loss", "q2.loss", "v1.loss", "v2.loss", "critic.grad_norm"];
        for (name, values) in means.into_iter().zip(&read[8..]) {
            metrics.push(name, Stats::of(values).map_or(0.0, |stats| stats.mean));
        }
        Ok(())
    }
}

/// What a micro-batch of the actor showed, `[batch]` or, for losses and shares, `[1]`.
#[derive(Default)]
pub(crate) struct ActorSeen {
    pub(crate) advantage: Option<Tensor<1>>,
    pub(crate) residual: Option<Tensor<1>>,
    /// How much each action is imitated.
    pub(crate) weight: Option<Tensor<1>>,
    /// Log-probability of each utterance in training.
    pub(crate) log_prob: Option<Tensor<1>>,
    /// `log (π / π₀)` of each utterance, where the divergence is penalised.
    pub(crate) log_ratio: Option<Tensor<1>>,
    pub(crate) policy_loss: Option<Tensor<1>>,
    pub(crate) imitation_loss: Option<Tensor<1>>,
    pub(crate) baseline_loss: Option<Tensor<1>>,
    /// Share of the tokens that PPO's clip held back.
    pub(crate) clipped: Option<Tensor<1>>,
    /// Divergence from a teacher at each token, and whether both find the same token likeliest.
    pub(crate) divergence: Option<Tensor<1>>,
    pub(crate) agreement: Option<Tensor<1>>,
}

impl Shown for ActorSeen {
    fn into_tensors(self) -> Vec<Option<Tensor<1>>> {
        vec![
            self.advantage,
            self.residual,
            self.weight,
            self.log_prob,
            self.log_ratio,
            self.policy_loss,
            self.imitation_loss,
            self.baseline_loss,
            self.clipped,
            self.divergence,
            self.agreement,
        ]
    }

    fn from_tensors(mut tensors: impl Iterator<Item = Option<Tensor<1>>>) -> Self {
        let mut next = || tensors.next().flatten();
        Self {
            advantage: next(),
            residual: next(),
            weight: next(),
            log_prob: next(),
            log_ratio: next(),
            policy_loss: next(),
            imitation_loss: next(),
            baseline_loss: next(),
            clipped: next(),
            divergence: next(),
            agreement: next(),
        }
    }
}

/// What the actor's steps showed, on the device until it is told.
#[derive(Default)]
pub(crate) struct ActorLog {
    pub(crate) seen: Vec<ActorSeen>,
    pub(crate) grad_norms: Vec<Tensor<1>>,
    /// Log-probabilities when sampled, in the order in which they were seen in training.
    sampled: Vec<f32>,
    entropy: f64,
    tokens: usize,
}

impl ActorLog {
    /// Notes what was sampled, in the order in which it will be trained on.
    pub(crate) fn see<'a>(&mut self, sampled: impl Iterator<Item = &'a Utterance>) {
        for utterance in sampled {
            self.sampled.push(utterance.log_prob);
            self.entropy += f64::from(utterance.entropy);
            self.tokens += utterance.tokens.len();
        }
    }

    /// The same of what the policy as it is now said in games, whose entropy was told with them. Only
    /// of a first step: after it the policy is another.
    pub(crate) fn see_played<'a>(&mut self, turns: impl Iterator<Item = &'a Transition>) {
        self.sampled.extend(turns.map(|turn| turn.log_prob));
    }

    pub(crate) async fn report(self, metrics: &mut Metrics) -> Result<(), Error> {
        if self.grad_norms.is_empty() {
            return Ok(());
        }
        type Part = fn(&ActorSeen) -> &Option<Tensor<1>>;
        let stats: [([&'static str; 4], Part); 3] = [
            (stats_names!("advantages"), |seen| &seen.advantage),
            (stats_names!("residual_advantages"), |seen| &seen.residual),
            (stats_names!("weights"), |seen| &seen.weight),
        ];
        let means: [(&'static str, Part); 7] = [
            ("pg.loss", |seen| &seen.policy_loss),
            ("imitation.loss", |seen| &seen.imitation_loss),
            ("baseline.loss", |seen| &seen.baseline_loss),
            ("actor.kl", |seen| &seen.log_ratio),
            ("ppo.clipped", |seen| &seen.clipped),
            ("distill.kl", |seen| &seen.divergence),
            ("distill.agreement", |seen| &seen.agreement),
        ];
        let column = |part: Part| -> Vec<Tensor<1>> {
            self.seen.iter().filter_map(|seen| part(seen).clone()).collect()
        };
        let parts = stats.iter().map(|(_, part)| *part).chain(means.iter().map(|(_, part)| *part));
        let columns: Vec<Vec<Tensor<1>>> =
            parts.chain([(|seen| &seen.log_prob) as Part]).map(column).collect();
        let there: Vec<bool> = columns.iter().map(|tensors| !tensors.is_empty()).collect();
        let series = columns.into_iter().filter(|tensors| !tensors.is_empty());
        let series = series.chain([self.grad_norms.clone()]).map(|tensors| Tensor::cat(tensors, 0));
        let mut read = params::read(series.collect()).await?.into_iter();
        let mut next = |there: bool| if there { read.next() } else { None };
        for ((names, _), there) in stats.into_iter().zip(&there) {
            metrics.push_stats(names, &next(*there).unwrap_or_default());
        }
        let mean = |values: &[f32]| Stats::of(values).map_or(0.0, |stats| stats.mean);
        for ((name, _), there) in means.into_iter().zip(&there[3..]) {
            if let Some(values) = next(*there) {
                metrics.push(name, mean(&values));
            }
        }
        let log_probs = next(there[stats.len() + means.len()]).unwrap_or_default();
        metrics.push("actor.grad_norm", mean(&next(true).unwrap_or_default()));
        if self.tokens > 0 {
            metrics.push("actor.entropy", self.entropy / self.tokens as f64);
        }
        if !self.sampled.is_empty() {
            let gaps = log_probs.iter().zip(&self.sampled);
            let gaps = gaps.map(|(trained, sampled)| (trained - sampled).abs());
            // Unlike `f32::max`, this keeps what is no number.
            let largest = |most: f32, gap: f32| if gap <= most { most } else { gap };
            metrics.push("actor.log_prob_gap", f64::from(gaps.fold(0.0, largest)));
        }
        Ok(())
    }
}
