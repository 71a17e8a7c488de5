//! The reference's numerics, `numerics = "compat"`: for agreeing with its code, not for learning.
//!
//! Where they depart from the default (`docs/differences.md`):
//!
//! 1. Observation and action are padded apart and joined, so that padding stands between them, and
//!    positions count it: an utterance's log-probability depends on the rows beside it, and its
//!    first token is read from a padding token ([`score`]).
//! 2. The logarithm is taken of a softmax: a probability that underflows gives NaN under the mask.
//! 3. Utterances are written on from right-padded prompts until the end of text, cut as text, and
//!    tokenised again; no terminator is credited.
//! 4. Gradients of micro-batches are summed, and the clip is over actor and critic together, with
//!    what the other's last step left behind ([`Stale`]).
//! 5. Micro-batches stand in the order of the draws; fresh actions are sampled for each.
//! 6. A full replay ring is drawn from unevenly; see [`ReplayBuffer::compat`].
//!
//! The critic, its losses, Adam and the target are those of the default: the reference is right there.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::parts::{ActorPart, CriticPart};
use crate::algorithms::common::learner::{Context, Learner, Stale, body};
use crate::algorithms::common::log::{CriticLog, CriticSeen};
use crate::algorithms::common::{Policy, Scored};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::fused::Mask;
use crate::nn::generate::{Decoder, Utterance};
use crate::nn::optim::{accumulate, clip_global_norm, global_norm, polyak};
use crate::nn::params;
use crate::rl::losses;
use crate::rl::metrics::{Metrics, Stats, describe};
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Transition;
use crate::rng::{self, ChaCha8Rng};
use crate::text::official;

/// The norms at one clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Norm of the policy's gradients before.
    pub actor: f64,
    /// Norm of the critic's gradients before.
    pub critic: f64,
    /// Norm of both together before.
    pub total: f64,
    /// Norm of the policy's gradients after.
    pub actor_after: f64,
    /// Norm of the critic's gradients after.
    pub critic_after: f64,
}

impl Stale {
    /// Clips all gradients that stand by their common norm; the five norms stay on the device.
    fn clip(&mut self, max_norm: f64, device: &Device) -> [Tensor<1>; 5] {
        let norm = |grads: &[Tensor<1>]| match grads {
            [] => Tensor::zeros([1], device),
            grads => global_norm(grads),
        };
        let (actor, critic) = (norm(&self.actor), norm(&self.critic));
        let mut all = std::mem::take(&mut self.actor);
        let split = all.len();
        all.append(&mut self.critic);
        let (mut all, total) = clip_global_norm(all, max_norm);
        self.critic = all.split_off(split);
        self.actor = all;
        [actor, critic, total, norm(&self.actor), norm(&self.critic)]
    }
}

/// The transitions of an update's gradient steps, in the order in which they were drawn.
pub struct Draws<'a> {
    /// For each critic step.
    pub critic: Vec<Vec<&'a Transition>>,
    /// For each actor step.
    pub actor: Vec<Vec<&'a Transition>>,
}

/// The report of an update, under the reference's names.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateReport {
    /// The mean over all micro-batches of each number, extremes and deviations included.
    pub info: Vec<(&'static str, f64)>,
    /// The clips in order, the critic's first.
    pub clips: Vec<Clip>,
    /// The numbers of each micro-batch of the actor.
    pub actor: Vec<Vec<(&'static str, f64)>>,
}

impl Learner {
    /// One update on given draws: the critic's steps, then the actor's. `speak` gives a fresh action
    /// for each transition of a micro-batch.
    ///
    /// # Errors
    /// If the critic is none with an encoder, `speak` fails, or the device does.
    pub async fn update_compat(
        &mut self,
        draws: &Draws<'_>,
        context: &Context<'_>,
        mut speak: impl AsyncFnMut(&CausalLm, &[&Transition]) -> Result<Vec<Utterance>, Error>,
    ) -> Result<UpdateReport, Error> {
        let config = context.config;
        let device = self.critics().target.device();
        let (mut critic_parts, mut actor_parts, mut clips) = (Vec::new(), Vec::new(), Vec::new());
        let actor = self.policy.lm.valid();
        for step in &draws.critic {
            let mut sum = None;
            for part in step.chunks(config.batch_size) {
                let fresh = speak(&actor, part).await?;
                let fresh: Vec<&Utterance> = fresh.iter().collect();
                let mut part = self.critic_part(part, &fresh, context)?;
                sum = Some(accumulate(sum, std::mem::take(&mut part.gradients)));
                critic_parts.push(part);
            }
            self.stale.critic = sum.unwrap_or_default();
            clips.extend(self.stale.clip(config.max_grad_norm, &device));
            let lr = config.critic_lr * context.lr_share();
            let grads = self.stale.critic.clone();
            let critics = self.critics_mut();
            critics.online = critics.adam.step(critics.online.clone(), grads, lr);
            critics.target = polyak(critics.target.clone(), &critics.online, config.tau);
        }
        for step in &draws.actor {
            let actor = self.policy.lm.valid();
            let mut sum = None;
            for part in step.chunks(config.batch_size) {
                let fresh = speak(&actor, part).await?;
                let fresh: Vec<&Utterance> = fresh.iter().collect();
                let states: Vec<&[u32]> = part.iter().map(|turn| &*turn.observation).collect();
                let mut part = self.actor_part(&states, &fresh, context)?;
                sum = Some(accumulate(sum, std::mem::take(&mut part.gradients)));
                actor_parts.push(part);
            }
            self.stale.actor = sum.unwrap_or_default();
            clips.extend(self.stale.clip(config.max_grad_norm, &device));
            let lr = config.lm_lr * context.lr_share();
            self.policy = self.actor_adam.step(self.policy.clone(), self.stale.actor.clone(), lr);
        }
        tell(&critic_parts, &actor_parts, clips).await
    }

    /// One iteration's learning.
    pub(super) async fn learn_compat(
        &mut self,
        buffer: &ReplayBuffer,
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        let config = context.config;
        let rows = config.batch_size * config.grad_accum_steps;
        let draw = |purpose: &str, steps: usize| -> Vec<Vec<Transition>> {
            let mut rng = rng::stream(config.seed, purpose, context.iteration as u64);
            let drawn = (0..steps).map(|_| buffer.sample(rows, &mut rng));
            drawn
                .map(|step| step.into_iter().map(|turn| reencoded(turn, context)).collect())
                .collect()
        };
        let warm = context.iteration < config.warmup_iter;
        let critic = draw("critic.draw", config.epochs);
        let actor = draw("actor.draw", if warm { 0 } else { config.actor_epochs });
        let draws = Draws {
            critic: critic.iter().map(|step| step.iter().collect()).collect(),
            actor: actor.iter().map(|step| step.iter().collect()).collect(),
        };
        let mut next = context.draw(0);
        let report = self
            .update_compat(&draws, context, async |actor, turns| {
                let first = next;
                next += turns.len() as u64;
                speak(actor, turns, first, context).await
            })
            .await?;
        let mut metrics = Metrics::new();
        let known = report.info.iter().filter(|(name, _)| describe(name).is_some());
        known.for_each(|&(name, value)| metrics.push(name, value));
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (of_critic, of_actor) = report.clips.split_at(config.epochs);
        if !of_critic.is_empty() {
            let norms = of_critic.iter().map(|clip| clip.critic).collect();
            metrics.push("critic.grad_norm", mean(norms));
        }
        if !of_actor.is_empty() {
            metrics.push("actor.grad_norm", mean(of_actor.iter().map(|clip| clip.actor).collect()));
        }
        metrics.push("replay.size", buffer.len() as f64);
        Ok(metrics)
    }
}

/// A transition as the reference keeps it, which is as text: its tokens are those of its text.
fn reencoded(turn: &Transition, context: &Context<'_>) -> Transition {
    let again = |tokens: &[u32]| context.tokenizer.encode(&context.tokenizer.decode(tokens));
    Transition {
        observation: again(&turn.observation).into(),
        action: again(body(&turn.action, context.tokenizer)).into(),
        next_observation: again(&turn.next_observation).into(),
        ..turn.clone()
    }
}

/// Fresh actions for a micro-batch, written as the reference has them written.
async fn speak(
    actor: &CausalLm,
    turns: &[&Transition],
    first: u64,
    context: &Context<'_>,
) -> Result<Vec<Utterance>, Error> {
    let (tokenizer, layout) = (context.tokenizer, context.layout);
    let prompts: Vec<Vec<u32>> =
        turns.iter().map(|turn| layout.observation(&turn.observation).to_vec()).collect();
    let mut rngs: Vec<ChaCha8Rng> = (0..turns.len() as u64)
        .map(|row| rng::stream(context.config.seed, "compat.action", first + row))
        .collect();
    let mut decoder = Decoder::new(actor, prompts.len());
    decoder.read_padded(&prompts, tokenizer.pad);
    let ends = |token| token == tokenizer.end;
    let written =
        decoder.generate(&context.sampler(), &mut rngs, layout.max_new_tokens, ends).await?;
    // A text may have more tokens than it was written with: broken characters have several each.
    let room = actor.config().positions.saturating_sub(layout.observation_limit).max(1);
    let cut = |utterance: Utterance| {
        let text = official::clean_up(&tokenizer.decode(&utterance.tokens));
        let mut tokens = tokenizer.encode(official::utterance(&text));
        tokens.truncate(room);
        Utterance { tokens, ..Utterance::default() }
    };
    Ok(written.into_iter().map(cut).collect())
}

/// Log-probabilities with padding between observation and action, and positions that count it.
///
/// `pad` fills both; an empty action has log-probability 0.
///
/// # Panics
/// If a row would be longer than the model has positions.
pub fn score(policy: &Policy, pairs: &[(&[u32], &[u32])], pad: u32) -> Scored {
    let device = policy.lm.device();
    let rows = pairs.len();
    let prompt = pairs.iter().map(|(o, _)| o.len()).max().unwrap_or(0).max(1);
    let actions = pairs.iter().map(|(_, a)| a.len()).max().unwrap_or(0).max(1);
    let time = prompt + actions;
    assert!(time <= policy.lm.config().positions, "{time} tokens are more than the actor can read");
    let mut tokens = vec![pad as i32; rows * time];
    let mut real = vec![false; rows * time];
    for (row, (observation, action)) in pairs.iter().enumerate() {
        for (begin, part) in [(0, observation), (prompt, action)] {
            for (column, &token) in part.iter().enumerate() {
                tokens[row * time + begin + column] = token as i32;
                real[row * time + begin + column] = true;
            }
        }
    }
    // One column less is fed: nothing is predicted from the last.
    let fed = time - 1;
    let mask = Mask::new([rows, fed, fed], |row, query, open| {
        let keys = (0..=query).filter(|key| real[row * time + key]);
        open.extend(keys.map(|key| key..key + 1));
    });
    let columns = |from: usize, n: usize, values: &[i32]| -> Vec<i32> {
        values.chunks(time).flat_map(|row| row[from..from + n].to_vec()).collect()
    };
    let grid = |values: Vec<i32>, shape: [usize; 2]| {
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), &device)
    };
    let positions = (0..rows).flat_map(|_| 0..fed as i32).collect();
    let hidden = policy.lm.forward_masked(
        grid(columns(0, fed, &tokens), [rows, fed]),
        grid(positions, [rows, fed]),
        &mask,
    ); // [rows, fed, width]
    let width = hidden.dims()[2];
    let hidden = hidden.narrow(1, prompt - 1, actions).reshape([rows * actions, width]);
    let said: Vec<f32> = real
        .chunks(time)
        .flat_map(|row| row[prompt..].iter().map(|&real| if real { 1.0 } else { 0.0 }))
        .collect();
    let mask = Tensor::<2>::from_data(TensorData::new(said, [rows, actions]), &device);
    let targets = grid(columns(prompt, actions, &tokens), [rows * actions, 1]);
    let probs = softmax(policy.lm.logits(hidden.clone()), 1); // [rows * actions, vocab]
    let log_prob = probs.gather(1, targets).log().reshape([rows, actions]) * mask.clone();
    let baseline =
        policy.baseline.as_ref().map(|head| head.forward(hidden).reshape([rows, actions]));
    Scored { log_prob, mask, baseline, entropy: None }
}

/// The loss of behaviour cloning over pairs of observation and action, `[1]`, and its gradients, with
/// the log-probabilities of [`score`].
pub fn cloning(
    policy: &Policy,
    pairs: &[(&[u32], &[u32])],
    pad: u32,
) -> (Tensor<1>, Vec<Tensor<1>>) {
    let policy = params::fork(policy);
    let log_prob = score(&policy, pairs, pad).log_prob;
    let cells = log_prob.dims().iter().product::<usize>();
    let loss = losses::behaviour_cloning(log_prob.reshape([cells]), pairs.len());
    (loss.clone().inner(), params::gradients(&policy, &[loss.backward()]))
}

/// Reads what the micro-batches showed and puts it under the reference's names.
async fn tell(
    critic: &[CriticPart],
    actor: &[ActorPart],
    clips: Vec<Tensor<1>>,
) -> Result<UpdateReport, Error> {
    let mut of_critic = Vec::new();
    for part in critic {
        of_critic.push(critic_report(part).await?);
    }
    let mut of_actor = Vec::new();
    for part in actor {
        of_actor.push(actor_report(part).await?);
    }
    let clips = if clips.is_empty() { Vec::new() } else { params::read(clips).await? };
    let clips = clips.chunks(5).map(|norms| {
        let norm = |i: usize| f64::from(norms[i][0]);
        Clip {
            actor: norm(0),
            critic: norm(1),
            total: norm(2),
            actor_after: norm(3),
            critic_after: norm(4),
        }
    });
    let info = means(&of_critic).into_iter().chain(means(&of_actor)).collect();
    Ok(UpdateReport { info, clips: clips.collect(), actor: of_actor })
}

/// The numbers of a micro-batch of the critic, under the reference's names.
///
/// # Errors
/// If the device fails.
pub async fn critic_report(part: &CriticPart) -> Result<Vec<(&'static str, f64)>, Error> {
    let mut log = CriticLog::default();
    log.push(CriticSeen { values: part.values.clone(), losses: part.losses.clone() });
    log.grad_norms.push(part.losses[0].clone()); // not reported: the clip has the norm
    let mut metrics = Metrics::new();
    log.report(&mut metrics).await?;
    // Targets of Q are not reported there, and single precision is all there is.
    let reported = |name: &str| !name.starts_with("target_v") && !name.contains("grad_norm");
    Ok(metrics.iter().filter(|(name, _)| reported(name)).collect())
}

/// The numbers of a micro-batch of the actor, under the reference's names. At the utterance level
/// it tells 0 for everything that belongs to the baseline. At the token level its statistics are
/// over all cells, padding included.
///
/// # Errors
/// If the device fails.
pub async fn actor_report(part: &ActorPart) -> Result<Vec<(&'static str, f64)>, Error> {
    let batch = part.advantage.dims()[0];
    let mut asked = vec![part.policy_loss.clone(), part.advantage.clone()];
    let mut columns = 1;
    if let Some(token) = &part.token_level {
        columns = token.baseline.dims()[1];
        let flat = token.baseline.clone().reshape([batch * columns]);
        asked.extend([token.loss.clone(), flat]);
    }
    let read = params::read(asked).await?;
    let cells: Vec<f32> =
        read[1].iter().flat_map(|&value| std::iter::repeat_n(value, columns)).collect();
    let (loss, baseline, residual) = match &read[2..] {
        [loss, baseline] => {
            let residual = cells.iter().zip(baseline).map(|(a, b)| a - b).collect();
            (loss[0], baseline.clone(), residual)
        }
        _ => (0.0, vec![0.0; batch], vec![0.0; batch]),
    };
    let mut report = vec![("pg.loss", f64::from(read[0][0])), ("values.loss", f64::from(loss))];
    let names = [
        ["values.mean", "values.max", "values.min", "values.std"],
        ["advantages.mean", "advantages.max", "advantages.min", "advantages.std"],
        [
            "residual_advantages.mean",
            "residual_advantages.max",
            "residual_advantages.min",
            "residual_advantages.std",
        ],
    ];
    for (names, values) in names.into_iter().zip([baseline, cells, residual]) {
        let stats = Stats::of(&values).expect("a micro-batch has a row");
        // Of a single value the reference's deviation is not a number.
        let std = if values.len() > 1 { stats.std } else { f64::NAN };
        report.extend(names.into_iter().zip([stats.mean, stats.max, stats.min, std]));
    }
    Ok(report)
}

fn means(parts: &[Vec<(&'static str, f64)>]) -> Vec<(&'static str, f64)> {
    let Some(first) = parts.first() else {
        return Vec::new();
    };
    let mean = |i: usize| parts.iter().map(|part| part[i].1).sum::<f64>() / parts.len() as f64;
    first.iter().enumerate().map(|(i, &(name, _))| (name, mean(i))).collect()
}
