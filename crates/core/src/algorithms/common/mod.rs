//! What the algorithms share: the policy, fresh actions, log-probabilities, and equal rows; in the
//! files below, the learner and the steps that it takes.
//!
//! Draws from a replay buffer repeat themselves: every game begins alike, and a policy that grows
//! sure walks the same few states. Equal rows are therefore found first and computed once;
//! [`Distinct`] says which result belongs to which draw. The sums are the same, the work is not.

pub mod actor;
pub mod choose;
pub mod critic;

pub mod auxiliary;
pub mod learner;
pub mod log;
pub mod reading;
pub mod step;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use archer_world::Style;
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use self::choose::Chooser;
use crate::choices::{Trie, Walk, open_along};
use crate::config::Level;
use crate::error::Error;
use crate::nn::batch::{self, ActorBatch, by_length};
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Texts;
use crate::nn::fused::Mask;
use crate::nn::generate::{Decoder, Utterance};
use crate::nn::layers::linear;
use crate::nn::sampling::Sampler;
use crate::ranks::Workers;
use crate::rl::losses::{PolicyLoss, policy_loss};
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;
use crate::text::prompt::{critic_sequence, newest, observation_limit};

/// Tokens of a text that the reference lets a network read.
pub const OFFICIAL_LIMIT: usize = 512;

/// Rows that one generation handles at a time; bounds the memory of its cache.
const GENERATION_ROWS: usize = 64;

/// The actor and what stands on its hidden states while it learns.
#[derive(Module, Debug)]
pub struct Policy {
    /// The language model.
    pub lm: CausalLm,
    /// Predicts an utterance's advantage before each of its tokens.
    pub baseline: Option<Linear>,
    /// Names the game's task and its facts, in the warm start and in auxiliary steps ([`auxiliary::task`]).
    pub task: Option<Linear>,
}

impl Policy {
    /// The language model alone.
    pub fn new(lm: CausalLm) -> Self {
        Self { lm, baseline: None, task: None }
    }

    /// Adds a baseline that begins near 0.
    pub fn with_baseline(lm: CausalLm, rng: &mut ChaCha8Rng) -> Self {
        let baseline = Some(linear(rng, lm.config().width, 1, 0.01, &lm.device()));
        Self { baseline, ..Self::new(lm) }
    }

    /// The same with a layer of `columns` scores, of tasks and of facts; it begins near indifference.
    pub fn with_task_head(mut self, columns: usize, rng: &mut ChaCha8Rng) -> Self {
        self.task = Some(linear(rng, self.lm.config().width, columns, 0.02, &self.lm.device()));
        self
    }

    /// The same policy at another temperature (see [`CausalLm::at_temperature`]); what names the task
    /// reads the same off hidden states that are so much larger.
    pub fn at_temperature(mut self, temperature: f64) -> Self {
        self.lm = self.lm.at_temperature(temperature);
        self.task = self.task.map(|mut head| {
            head.weight =
                head.weight.map(|weight| weight.mul_scalar(temperature).detach().require_grad());
            head
        });
        self
    }

    /// Adds a baseline of these weights, as many as the model is wide.
    pub fn with_baseline_of(lm: CausalLm, weights: &[f32], bias: f32) -> Self {
        let device = lm.device();
        let (width, config) = (weights.len(), LinearConfig::new(weights.len(), 1));
        let mut head = config.init(&device);
        head.weight = Param::from_data(TensorData::new(weights.to_vec(), [width, 1]), &device);
        head.bias = Some(Param::from_data(TensorData::new(vec![bias], [1]), &device));
        Self { baseline: Some(head), ..Self::new(lm) }
    }
}

/// How texts are laid out for the networks of a run.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Token that opens a critic's sequence.
    pub start: u32,
    /// Token that closes a critic's sequence.
    pub end: u32,
    /// Token that fills the critic's shorter rows.
    pub pad: u32,
    /// Longest critic sequence.
    pub critic_positions: usize,
    /// Longest observation that the actor reads.
    pub observation_limit: usize,
    /// Tokens after which an utterance is cut.
    pub max_new_tokens: usize,
    /// The actor's tokenizer and the critic's, where the critic has one of its own: rows come in
    /// the actor's tokens.
    translation: Option<Arc<(Tokenizer, Tokenizer)>>,
}

impl Layout {
    /// The layout for networks of these sizes.
    pub fn new(
        tokenizer: &Tokenizer,
        actor_positions: usize,
        critic_positions: usize,
        max_new_tokens: usize,
    ) -> Self {
        Self {
            start: tokenizer.start,
            end: tokenizer.end,
            pad: tokenizer.pad,
            critic_positions,
            observation_limit: observation_limit(actor_positions, max_new_tokens),
            max_new_tokens,
            translation: None,
        }
    }

    /// The same for a critic that reads text by a tokenizer of its own.
    pub fn with_critic_tokenizer(mut self, actor: &Tokenizer, critic: &Tokenizer) -> Self {
        (self.start, self.end, self.pad) = (critic.start, critic.end, critic.pad);
        self.translation = Some(Arc::new((actor.clone(), critic.clone())));
        self
    }

    /// The same with the reference's bound on an observation, in tokens, on both networks' texts.
    pub fn compat(mut self) -> Self {
        self.observation_limit = self.observation_limit.min(OFFICIAL_LIMIT);
        self.critic_positions = self.critic_positions.min(OFFICIAL_LIMIT);
        self
    }

    /// The part of an observation that the actor reads.
    pub fn observation<'a>(&self, tokens: &'a [u32]) -> &'a [u32] {
        newest(tokens, self.observation_limit)
    }

    /// Rows for the critic.
    pub fn texts<'a>(&self, rows: impl Iterator<Item = &'a [u32]>, device: &Device) -> Texts {
        let sequences: Vec<Vec<u32>> = rows
            .map(|row| match self.translation.as_deref() {
                Some((actor, critic)) => Cow::Owned(critic.encode(&actor.decode(row))),
                None => Cow::Borrowed(row),
            })
            .map(|row| critic_sequence(&row, self.start, self.end, self.critic_positions))
            .collect();
        batch::texts(&sequences, self.pad, device)
    }
}

/// An actor that speaks: what it takes to let it write.
#[derive(Clone, Copy)]
pub struct Player<'a> {
    /// The language model, without autodiff.
    pub actor: &'a CausalLm,
    /// Words and tokens.
    pub tokenizer: &'a Tokenizer,
    /// How much of a text the actor reads and writes.
    pub layout: &'a Layout,
    /// How it chooses its tokens.
    pub sampler: &'a Sampler,
    /// Who shares the work.
    pub workers: Workers<'a>,
    /// Who chooses among several utterances, where the first is not simply said.
    pub chooser: Option<Chooser<'a>>,
    /// Utterances tried, at least 1, until one was not said before in its game; where a chooser
    /// chooses, it does so alone.
    pub tries: usize,
    /// How the texts that it reads are joined, where that is not as the world asks.
    pub style: Option<&'a Style>,
}

/// Rows without their repetitions, and which of them each row is.
#[derive(Debug, Clone, PartialEq)]
pub struct Distinct {
    /// Index of the first row of each kind.
    pub firsts: Vec<usize>,
    /// For each row, the number of its kind.
    pub kind: Vec<usize>,
}

impl Distinct {
    /// Finds the equal among some rows.
    pub fn of<K: std::hash::Hash + Eq>(rows: impl Iterator<Item = K>) -> Self {
        let mut known: HashMap<K, usize> = HashMap::new();
        let (mut firsts, mut kind) = (Vec::new(), Vec::new());
        for (row, key) in rows.enumerate() {
            kind.push(*known.entry(key).or_insert_with(|| {
                firsts.push(row);
                firsts.len() - 1
            }));
        }
        Self { firsts, kind }
    }

    /// Lays the results of the kinds out over the rows again: `[kinds, …]` to `[rows, …]`.
    pub fn spread<const D: usize>(&self, kinds: Tensor<D>) -> Tensor<D> {
        if self.firsts.len() == self.kind.len() {
            return kinds;
        }
        let index: Vec<i32> = self.kind.iter().map(|&kind| kind as i32).collect();
        let index = Tensor::<1, Int>::from_ints(index.as_slice(), &kinds.device());
        kinds.select(0, index)
    }
}

/// One fresh action of the policy for each observation.
///
/// Row `i` is drawn from the generator number `first + i` of `purpose` and does not depend on the other
/// rows. It is one of what `choices` lists there.
///
/// # Errors
/// If the device fails.
pub async fn sample_actions(
    player: Player<'_>,
    observations: &[&[u32]],
    choices: &[Option<&Trie>],
    draws: (u64, &str, u64),
) -> Result<Vec<Utterance>, Error> {
    let (seed, purpose, first) = draws;
    let lengths: Vec<usize> = observations.iter().map(|observation| observation.len()).collect();
    let order = by_length(&lengths);
    let chunks: Vec<&[usize]> = order.chunks(GENERATION_ROWS).collect();
    let written = player.workers.map(chunks.clone(), |rows: &[usize]| async move {
        let distinct = Distinct::of(rows.iter().map(|&row| observations[row]));
        let pieces: Vec<Vec<u32>> = distinct
            .firsts
            .iter()
            .map(|&i| player.layout.observation(observations[rows[i]]).to_vec())
            .collect();
        let mut decoder = Decoder::new(player.actor, pieces.len());
        decoder.read(&pieces);
        decoder.branch(&distinct.kind);
        let mut rngs: Vec<ChaCha8Rng> =
            rows.iter().map(|&row| rng::stream(seed, purpose, first + row as u64)).collect();
        let mut walks: Vec<Walk<'_>> = rows.iter().map(|&row| Walk::new(choices[row])).collect();
        let ends = |token| player.tokenizer.ends_utterance(token);
        let limit = player.layout.max_new_tokens;
        decoder.generate_along(player.sampler, &mut rngs, &mut walks, limit, ends).await
    });
    let mut actions = vec![Utterance::default(); observations.len()];
    for (&row, utterance) in chunks.into_iter().flatten().zip(written.await?.into_iter().flatten())
    {
        actions[row] = utterance;
    }
    Ok(actions)
}

/// What the policy says of some actions in one forward.
pub struct Scored {
    /// Log-probability of each token, 0 on padding, `[batch, actions]`.
    pub log_prob: Tensor<2>,
    /// 1 on tokens of the action, `[batch, actions]`.
    pub mask: Tensor<2>,
    /// Baseline before each token where the policy has one, `[batch, actions]`.
    pub baseline: Option<Tensor<2>>,
    /// Entropy of the policy at each token, 0 on padding, `[batch, actions]`.
    pub entropy: Option<Tensor<2>>,
}

impl Scored {
    /// L_π of the actions with these advantages, `[1]`; with the baseline at the token level.
    pub(crate) fn policy_loss(&self, level: Level, advantage: Tensor<1>) -> PolicyLoss {
        let baseline = self.baseline.clone().filter(|_| level == Level::Token);
        policy_loss(self.log_prob.clone(), baseline, self.mask.clone(), advantage)
    }
}

/// Log-probabilities of the sampled ids at their true positions, the terminator credited.
///
/// Only the rows that predict a token of an action go through the output layer. The entropy is
/// computed where asked for: it needs the whole distribution. Where `choices` restricts what could be
/// said, probabilities are over what was open.
pub fn score(
    policy: &Policy,
    pairs: &[(&[u32], &[u32])],
    choices: &[Option<&Trie>],
    with_entropy: bool,
) -> Scored {
    let device = policy.lm.device();
    let batch = ActorBatch::new(pairs, &device);
    let mask = Mask::causal(batch.tokens.dims()[1]);
    let lists = [&batch.predictors[..]];
    let [hidden] = policy.lm.hidden_at(batch.tokens, batch.positions, &mask, lists); // [batch * actions, width]
    let actions = batch.mask.dims()[1];
    let mut open = Open::default();
    for (&(_, action), choices) in pairs.iter().zip(choices) {
        open.push(*choices, action, actions);
    }
    score_rows(policy, hidden, &batch.targets, batch.mask, &open, with_entropy)
}

/// What was open at each token of some actions, padded to one length.
#[derive(Debug, Default)]
pub struct Open {
    tokens: Vec<Option<Vec<u32>>>,
}

impl Open {
    /// Adds an action of `tokens` with what was open along it, padded to `length`.
    pub fn push(&mut self, choices: Option<&Trie>, tokens: &[u32], length: usize) {
        let end = self.tokens.len() + length;
        if choices.is_some() {
            self.tokens.extend(open_along(choices, tokens));
        }
        self.tokens.resize(end, None);
    }

    /// Whether anything was restricted anywhere.
    pub fn restricts(&self) -> bool {
        self.tokens.iter().any(Option::is_some)
    }

    /// Scores of the vocabulary, `[n, vocab]`, with what was not open far below the rest; `rows` are
    /// the places of the scores.
    pub fn restrict(&self, logits: Tensor<2>, rows: &[usize]) -> Tensor<2> {
        const SHUT: f32 = -1e9;
        let (device, [_, vocab]) = (logits.device(), logits.dims());
        let mut shut = vec![0.0; rows.len() * vocab];
        for (scores, &row) in shut.chunks_exact_mut(vocab).zip(rows) {
            if let Some(open) = &self.tokens[row] {
                scores.fill(SHUT);
                open.iter().for_each(|&token| scores[token as usize] = 0.0);
            }
        }
        logits + Tensor::from_data(TensorData::new(shut, [rows.len(), vocab]), &device)
    }
}

/// The log-probabilities `[n]` of some tokens over what was open, and the entropies `[n]` of those
/// distributions. Where a single token was open there is nothing to compute.
fn restricted(
    policy: &Policy,
    hidden: Tensor<2>,
    targets: &[u32],
    open: &Open,
) -> (Tensor<1>, Tensor<1>) {
    let device = hidden.device();
    let one = |open: &Option<Vec<u32>>| open.as_ref().is_some_and(|open| open.len() == 1);
    let branching: Vec<usize> = (0..targets.len()).filter(|&row| !one(&open.tokens[row])).collect();
    let ints = |values: Vec<i32>| Tensor::<1, Int>::from_ints(values.as_slice(), &device);
    // Behind the rows that are computed stands a 0 for all the others.
    let mut place = vec![branching.len() as i32; targets.len()];
    branching.iter().enumerate().for_each(|(n, &row)| place[row] = n as i32);
    let spread = |values: Tensor<1>| {
        Tensor::cat(vec![values, Tensor::zeros([1], &device)], 0).select(0, ints(place.clone()))
    };
    if branching.is_empty() {
        let zeros = Tensor::zeros([targets.len()], &device);
        return (zeros.clone(), zeros);
    }
    let rows = hidden.select(0, ints(branching.iter().map(|&row| row as i32).collect()));
    let log_probs = log_softmax(open.restrict(policy.lm.logits(rows), &branching), 1); // [m, vocab]
    let chosen: Vec<i32> = branching.iter().map(|&row| targets[row] as i32).collect();
    let chosen = ints(chosen).reshape([branching.len(), 1]);
    let log_prob = log_probs.clone().gather(1, chosen).squeeze_dim::<1>(1);
    let entropy = (log_probs.clone().exp() * log_probs).sum_dim(1).neg().squeeze_dim::<1>(1);
    (spread(log_prob), spread(entropy))
}

/// The same from hidden states that were gathered already, `[batch · actions, width]`; `targets`,
/// `mask` and `open` are as long, and `actions` is the padded length of an action.
pub fn score_hidden(
    policy: &Policy,
    hidden: Tensor<2>,
    targets: &[u32],
    mask: Vec<f32>,
    actions: usize,
    open: &Open,
    with_entropy: bool,
) -> Scored {
    let shape = [targets.len() / actions, actions];
    let mask = Tensor::<2>::from_data(TensorData::new(mask, shape), &policy.lm.device());
    score_rows(policy, hidden, targets, mask, open, with_entropy)
}

fn score_rows(
    policy: &Policy,
    hidden: Tensor<2>,
    targets: &[u32],
    mask: Tensor<2>,
    open: &Open,
    with_entropy: bool,
) -> Scored {
    let [rows, actions] = mask.dims();
    if open.restricts() {
        let (log_prob, entropy) = restricted(policy, hidden.clone(), targets, open);
        let grid = |values: Tensor<1>| values.reshape([rows, actions]) * mask.clone();
        let head = policy.baseline.as_ref();
        return Scored {
            log_prob: grid(log_prob),
            entropy: with_entropy.then(|| grid(entropy)),
            baseline: head.map(|head| head.forward(hidden).reshape([rows, actions])),
            mask,
        };
    }
    let entropy = with_entropy.then(|| {
        let log_probs = log_softmax(policy.lm.logits(hidden.clone()), 1); // [batch * actions, vocab]
        let each = (log_probs.clone().exp() * log_probs).sum_dim(1).neg();
        each.reshape([rows, actions]) * mask.clone()
    });
    let log_prob = policy.lm.log_prob(hidden.clone(), targets);
    let log_prob = log_prob.reshape([rows, actions]) * mask.clone();
    let baseline =
        policy.baseline.as_ref().map(|head| head.forward(hidden).reshape([rows, actions]));
    Scored { log_prob, mask, baseline, entropy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_found_and_laid_out_again() {
        let distinct = Distinct::of(["a", "b", "a", "c", "b"].into_iter());
        assert_eq!(
            (distinct.firsts.clone(), distinct.kind.clone()),
            (vec![0, 1, 3], vec![0, 1, 0, 2, 1])
        );
        let kinds = Tensor::<1>::from_floats([10.0, 20.0, 30.0], &Device::flex());
        let rows: Vec<f32> = distinct.spread(kinds).into_data().iter::<f32>().collect();
        assert_eq!(rows, [10.0, 20.0, 10.0, 30.0, 20.0]);
    }
}
