//! What the steps of a phase showed, kept on the device and read once when the phase is over.

use burn::tensor::Tensor;

use crate::error::Error;
use crate::nn::generate::Utterance;
use crate::nn::params;
use crate::rl::losses::CriticLosses;
use crate::rl::metrics::{Metrics, Stats, stats_names};

/// What a micro-batch of the critic showed.
pub(super) struct CriticSeen {
    /// As in [`CriticLog`].
    pub(super) values: [Tensor<1>; 8],
    /// Of q1, q2, v1, v2.
    pub(super) losses: [Tensor<1>; 4],
}

/// What the critic's steps showed, on the device until it is told.
#[derive(Default)]
pub(super) struct CriticLog {
    /// q1, q2, v1, v2, target_q1, target_q2, target_v1, target_v2.
    values: [Vec<Tensor<1>>; 8],
    /// Of q1, q2, v1, v2.
    losses: [Vec<Tensor<1>>; 4],
    pub(super) grad_norms: Vec<Tensor<1>>,
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
    pub(super) fn new(values: [Tensor<1>; 8], losses: &CriticLosses) -> Self {
        let losses = [&losses.q1, &losses.q2, &losses.v1, &losses.v2];
        Self { values: values.map(Tensor::inner), losses: losses.map(|loss| loss.clone().inner()) }
    }
}

impl CriticLog {
    pub(super) fn push(&mut self, seen: CriticSeen) {
        self.values.iter_mut().zip(seen.values).for_each(|(series, tensor)| series.push(tensor));
        self.losses.iter_mut().zip(seen.losses).for_each(|(series, loss)| series.push(loss));
    }

    pub(super) async fn tell(self, metrics: &mut Metrics) -> Result<(), Error> {
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

/// What a micro-batch of the actor showed, `[batch]` or, for losses, `[1]`.
#[derive(Default)]
pub(super) struct ActorSeen {
    pub(super) advantage: Option<Tensor<1>>,
    pub(super) residual: Option<Tensor<1>>,
    /// Log-probability of each utterance in training.
    pub(super) log_prob: Option<Tensor<1>>,
    /// `log (π / π₀)` of each utterance, where the divergence is penalised.
    pub(super) log_ratio: Option<Tensor<1>>,
    pub(super) policy_loss: Option<Tensor<1>>,
    pub(super) baseline_loss: Option<Tensor<1>>,
}

/// What the actor's steps showed, on the device until it is told.
#[derive(Default)]
pub(super) struct ActorLog {
    pub(super) seen: Vec<ActorSeen>,
    pub(super) grad_norms: Vec<Tensor<1>>,
    /// Log-probabilities when sampled, in the order in which they were seen in training.
    sampled: Vec<f32>,
    entropy: f64,
    tokens: usize,
}

impl ActorLog {
    /// Notes what was sampled, in the order in which it will be trained on.
    pub(super) fn see<'a>(&mut self, sampled: impl Iterator<Item = &'a Utterance>) {
        for utterance in sampled {
            self.sampled.push(utterance.log_prob);
            self.entropy += f64::from(utterance.entropy);
            self.tokens += utterance.tokens.len();
        }
    }

    pub(super) async fn tell(self, metrics: &mut Metrics) -> Result<(), Error> {
        if self.grad_norms.is_empty() {
            return Ok(());
        }
        let column = |part: fn(&ActorSeen) -> &Option<Tensor<1>>| -> Vec<Tensor<1>> {
            self.seen.iter().filter_map(|seen| part(seen).clone()).collect()
        };
        let mut series = vec![
            column(|seen| &seen.advantage),
            column(|seen| &seen.residual),
            column(|seen| &seen.log_prob),
            column(|seen| &seen.policy_loss),
            self.grad_norms.clone(),
        ];
        let extra = [
            ("baseline.loss", column(|seen| &seen.baseline_loss)),
            ("actor.kl", column(|seen| &seen.log_ratio)),
        ];
        let (names, extra): (Vec<_>, Vec<_>) =
            extra.into_iter().filter(|(_, tensors)| !tensors.is_empty()).unzip();
        series.extend(extra);
        let read =
            params::read(series.into_iter().map(|tensors| Tensor::cat(tensors, 0)).collect())
                .await?;
        let mean = |values: &[f32]| Stats::of(values).map_or(0.0, |stats| stats.mean);
        metrics.push_stats(stats_names!("advantages"), &read[0]);
        metrics.push_stats(stats_names!("residual_advantages"), &read[1]);
        metrics.push("pg.loss", mean(&read[3]));
        for (name, values) in names.into_iter().zip(&read[5..]) {
            metrics.push(name, mean(values));
        }
        metrics.push("actor.grad_norm", mean(&read[4]));
        metrics.push("actor.entropy", self.entropy / self.tokens.max(1) as f64);
        let gaps =
            read[2].iter().zip(&self.sampled).map(|(trained, sampled)| (trained - sampled).abs());
        metrics.push("actor.log_prob_gap", f64::from(gaps.fold(0.0, f32::max)));
        Ok(())
    }
}
