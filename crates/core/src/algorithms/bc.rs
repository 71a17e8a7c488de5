//! Behaviour cloning: make the demonstrated utterances likely.
//!
//! `L = −mean_b Σ_t log π(a_t | s, a_<t)` over the utterances of the batch, the terminator
//! included. A game is one causal text in which every utterance stands, so a whole game is scored
//! in a single pass instead of once for each turn; the sum is the same.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::common::Policy;
use crate::nn::optim::{Adam, accumulate, clip_global_norm};
use crate::nn::params;
use crate::parallel;
use crate::rl::losses;

pub mod alone;

/// A demonstrated game as tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demonstration {
    /// The text, without terminators: observation, utterance, reply, utterance, reply, …
    pub tokens: Vec<u32>,
    /// For each utterance: where it begins in `tokens`, and its length there.
    pub utterances: Vec<(usize, usize)>,
}

impl Demonstration {
    /// The part that fits into `positions`, from the front; utterances that are cut are left out.
    pub fn cut(mut self, positions: usize) -> Self {
        self.utterances.retain(|(begin, length)| begin + length <= positions);
        self.tokens.truncate(positions);
        self
    }
}

/// What one gradient step showed, left on the device: the loss and the gradient norm, each `[1]`.
pub type StepResult = (Tensor<1>, Tensor<1>);

/// Micro-batches into which a step is cut, so that threads can share it.
const PARTS: usize = 4;

/// One gradient step on some games.
///
/// # Panics
/// If there is no utterance among them.
pub async fn step(
    policy: Policy,
    adam: &mut Adam,
    games: &[&Demonstration],
    terminator: u32,
    (lr, max_grad_norm): (f64, f64),
    threads: usize,
) -> (Policy, StepResult) {
    let count =
        |games: &[&Demonstration]| games.iter().map(|game| game.utterances.len()).sum::<usize>();
    let all = count(games) as f64;
    let parts: Vec<&[&Demonstration]> = games.chunks(games.len().div_ceil(PARTS)).collect();
    let done = parallel::map(threads, parts, |games| async {
        // Each part weighs as many utterances as it has: the sum is the mean over the whole batch.
        let policy = params::fork(&policy);
        let loss = loss(&policy, games, terminator).mul_scalar(count(games) as f64 / all);
        (params::gradients(&policy, &loss.backward()), loss.inner())
    })
    .await;
    let (grads, losses): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let grads = grads.into_iter().fold(None, |sum, grads| Some(accumulate(sum, grads)));
    let (grads, norm) = clip_global_norm(grads.expect("a part"), max_grad_norm);
    (adam.step(policy, grads, lr), (Tensor::cat(losses, 0).sum(), norm))
}

/// The loss of some games, `[1]`.
pub fn loss(policy: &Policy, games: &[&Demonstration], terminator: u32) -> Tensor<1> {
    let device = policy.lm.device();
    let rows = games.len();
    let time = games.iter().map(|game| game.tokens.len()).max().expect("a game");
    let mut tokens = vec![0i32; rows * time];
    let (mut predictors, mut targets) = (Vec::new(), Vec::new());
    let mut utterances = 0;
    for (row, game) in games.iter().enumerate() {
        for (column, &token) in game.tokens.iter().enumerate() {
            tokens[row * time + column] = token as i32;
        }
        for &(begin, length) in &game.utterances {
            for i in 0..=length {
                predictors.push((row * time + begin + i - 1) as i32);
                let token = if i < length { game.tokens[begin + i] } else { terminator };
                targets.push(token as i32);
            }
            utterances += 1;
        }
    }
    let n = predictors.len();
    let positions: Vec<i32> = (0..rows).flat_map(|_| 0..time as i32).collect();
    let grid = |values: Vec<i32>| {
        Tensor::<2, Int>::from_data(TensorData::new(values, [rows, time]), &device)
    };
    let hidden = policy.lm.forward(grid(tokens), grid(positions)); // [rows, time, width]
    let width = hidden.dims()[2];
    let predictors = Tensor::<1, Int>::from_ints(predictors.as_slice(), &device);
    let hidden = hidden.reshape([rows * time, width]).select(0, predictors); // [n, width]
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [n, 1]), &device);
    let log_prob = log_softmax(policy.lm.logits(hidden), 1).gather(1, targets).squeeze_dim::<1>(1); // [n]
    losses::behaviour_cloning(log_prob, utterances)
}
