//! Behaviour cloning: make the demonstrated utterances likely.
//!
//! `L = −mean_b Σ_t log π(a_t | s, a_<t)` over the utterances of the batch, the terminator
//! included; utterances marked as context only count as 0. A game is one causal text in which every
//! utterance stands, so a whole game is scored in a single pass instead of once for each turn; the
//! sum is the same.
//!
//! The same pass can also predict what the world replies ([`super::common::auxiliary::replies`]) and name the
//! game's task at each state ([`super::common::auxiliary::task`]): both teach the model which tasks
//! are still possible, on which a good utterance and its value depend.

use burn::tensor::{Int, Tensor, TensorData};

use super::common::Policy;
use super::common::step::{StepSettings, gradient_step};
use crate::algorithms::common::auxiliary::replies::ReplyRows;
use crate::algorithms::common::auxiliary::task::{KnownTask, TaskRows};
use crate::error::Error;
use crate::nn::fused::Mask;
use crate::nn::optim::Adam;
use crate::rl::losses;

pub mod alone;

/// A demonstrated game as tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demonstration {
    /// The text, without terminators: observation, utterance, reply, utterance, reply, …
    pub tokens: Vec<u32>,
    /// For each utterance: where it begins in `tokens`, and its length there.
    pub utterances: Vec<(usize, usize)>,
    /// Numbers of the utterances that are read but not imitated.
    pub context_only: Vec<usize>,
    /// What the game was about, where it is known.
    pub task: Option<KnownTask>,
}

impl Demonstration {
    /// The part that fits into `positions`, from the front; utterances that are cut are left out.
    pub fn cut(mut self, positions: usize) -> Self {
        self.utterances.retain(|(begin, length)| begin + length <= positions);
        self.tokens.truncate(positions);
        self
    }
}

/// What one gradient step showed, left on the device, each `[1]`.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The loss of the utterances, in nats for each.
    pub loss: Tensor<1>,
    /// That of the replies, in nats for each; 0 where they are not learned.
    pub reply_loss: Tensor<1>,
    /// That of the task, in nats for each state; 0 where it is not learned.
    pub task_loss: Tensor<1>,
    /// That of the task's facts, in nats for each; 0 where they are not learned.
    pub fact_loss: Tensor<1>,
    /// Global norm of the gradient before it was clipped.
    pub grad_norm: Tensor<1>,
}

/// Micro-batches into which a step is cut, so that threads can share it.
const PARTS: usize = 4;

/// What a step weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of the utterances' negative log-probability; 0 while only replies are learned.
    pub utterance_coef: f64,
    /// Of the replies' negative log-probability.
    pub reply_coef: f64,
    /// Of the task's negative log-probability; takes a policy with a layer for it.
    pub task_coef: f64,
    /// Of its facts' negative log-probability, mean over them.
    pub fact_coef: f64,
}

/// One gradient step on some games.
///
/// # Errors
/// If the device fails while gradients are sent to other ranks.
///
/// # Panics
/// If there is no game. Games without an utterance have no mean, and their gradient is no number:
/// whoever draws them leaves such games out.
pub async fn step(
    policy: Policy,
    adam: &mut Adam,
    games: &[&Demonstration],
    terminator: u32,
    weights: Weights,
    settings: StepSettings<'_>,
) -> Result<(Policy, Seen), Error> {
    let count =
        |games: &[&Demonstration]| games.iter().map(|game| game.utterances.len()).sum::<usize>();
    let all = count(games) as f64;
    let parts: Vec<&[&Demonstration]> = games.chunks(games.len().div_ceil(PARTS)).collect();
    let loss = |policy: &Policy, games: &[&Demonstration]| {
        // Each part weighs as many utterances as it has: the sum is the mean over the whole batch.
        let share = count(games) as f64 / all;
        let losses = loss(policy, games, terminator, weights.reply_coef > 0.0);
        let losses = losses.map(|loss| loss.mul_scalar(share));
        let [utterances, replies, tasks, facts] = losses.clone();
        let total = utterances.mul_scalar(weights.utterance_coef)
            + replies.mul_scalar(weights.reply_coef)
            + tasks.mul_scalar(weights.task_coef)
            + facts.mul_scalar(weights.fact_coef);
        (total, losses.map(Tensor::inner))
    };
    let stepped = gradient_step(&policy, adam, parts, settings, loss).await?;
    let mut losses = [const { Vec::new() }; 4];
    for part in stepped.seen {
        losses.iter_mut().zip(part).for_each(|(all, loss)| all.push(loss));
    }
    let [loss, reply_loss, task_loss, fact_loss] = losses.map(|parts| Tensor::cat(parts, 0).sum());
    let grad_norm = stepped.grad_norm;
    Ok((stepped.module, Seen { loss, reply_loss, task_loss, fact_loss, grad_norm }))
}

/// The losses of some games, `[1]` each: of the utterances, of the replies where asked for, of the
/// tasks and of their facts where the policy has a layer for them.
pub fn loss(
    policy: &Policy,
    games: &[&Demonstration],
    terminator: u32,
    with_replies: bool,
) -> [Tensor<1>; 4] {
    let device = policy.lm.device();
    let rows = games.len();
    let time = games.iter().map(|game| game.tokens.len()).max().expect("a game");
    let mut tokens = vec![0i32; rows * time];
    let (mut predictors, mut targets) = (Vec::new(), Vec::new());
    let (mut replies, mut tasks) = (ReplyRows::default(), TaskRows::default());
    let mut utterances = 0;
    for (row, game) in games.iter().enumerate() {
        for (column, &token) in game.tokens.iter().enumerate() {
            tokens[row * time + column] = token as i32;
        }
        for (turn, &(begin, length)) in game.utterances.iter().enumerate() {
            let next = game.utterances.get(turn + 1).map_or(game.tokens.len(), |next| next.0);
            replies.push(&game.tokens, row * time, begin + length, next);
            if let Some(task) = &game.task {
                tasks.push(row * time + begin - 1, task);
            }
            utterances += 1;
            if game.context_only.contains(&turn) {
                continue;
            }
            for i in 0..=length {
                predictors.push(row * time + begin + i - 1);
                let token = if i < length { game.tokens[begin + i] } else { terminator };
                targets.push(token);
            }
        }
    }
    let positions: Vec<i32> = (0..rows).flat_map(|_| 0..time as i32).collect();
    let grid = |values: Vec<i32>| {
        Tensor::<2, Int>::from_data(TensorData::new(values, [rows, time]), &device)
    };
    if !with_replies {
        replies = ReplyRows::default();
    }
    if policy.task.is_none() {
        tasks = TaskRows::default();
    }
    let lists = [&predictors[..], replies.predictors(), tasks.rows()];
    let mask = Mask::causal(time);
    let [hidden, before, states] = policy.lm.hidden_at(grid(tokens), grid(positions), &mask, lists); // [n, width] each
    let foreseen = replies.loss(&policy.lm, before).div_scalar(utterances as f64);
    let [named, facts] = match &policy.task {
        Some(head) => tasks.loss(head, states).map(|loss| loss.div_scalar(utterances as f64)),
        None => [Tensor::zeros([1], &device), Tensor::zeros([1], &device)],
    };
    let imitated = match targets.is_empty() {
        true => Tensor::zeros([1], &device),
        false => losses::behaviour_cloning(policy.lm.log_prob(hidden, &targets), utterances),
    };
    [imitated, foreseen, named, facts]
}
