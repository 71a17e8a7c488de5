//! What an agent's networks think of utterances that nobody need have said: the critic's four
//! values and the actor's probability. This is how a person looks inside, and how a model file
//! checks itself; learning has its own, batched way to the same numbers.

use std::cmp::Ordering;

use archer_world::Choices;
use archer_world::contract::shortened;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::algorithms::common::choose::values;
use crate::algorithms::common::{Open, Policy, score_hidden};
use crate::error::Error;
use crate::nn::critic::Values;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::nn::tree_batch::{Tree, TreeBatch};
use crate::rng;
use crate::text::prompt::newest;

/// What the networks think before and of some utterances.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Both critics' value of the state: the discounted return from here on.
    pub v: [f32; 2],
    /// For each utterance, both critics' value of saying it here.
    pub q: Vec<[f32; 2]>,
}

impl Judgement {
    /// `min(V1, V2)`.
    pub fn value(&self) -> f32 {
        self.v[0].min(self.v[1])
    }

    /// `min(Q1, Q2) − min(V1, V2)` of an utterance.
    pub fn advantage(&self, utterance: usize) -> f32 {
        self.q[utterance][0].min(self.q[utterance][1]) - self.value()
    }
}

impl Agent {
    /// What the critic thinks of a text and of some utterances after it. What is longer than an
    /// utterance may be is cut, and a text that does not fit beside it loses its oldest tokens.
    ///
    /// # Errors
    /// If the agent has no critic or the device fails.
    pub async fn judge(&self, observation: &str, said: &[&str]) -> Result<Judgement, Error> {
        let critic = self.critic.as_ref().ok_or_else(|| {
            Error::Model(
                "the model holds no critic, which alone knows what an utterance is worth".into(),
            )
        })?;
        let state = self.tokenizer.encode_observation(observation);
        let (count, mut said) = (said.len(), self.bodies(said));
        if said.is_empty() {
            // A critic that reads utterances apart reads one, whose values nobody asked for.
            said.push(vec![self.tokenizer.terminator()]);
        }
        let said = said.iter().map(|body| &body[..]).collect();
        let Values { q1, q2, v1, v2 } = values(critic, self.layout(), &[&state], &[said]);
        let read = params::read(vec![q1, q2, v1, v2]).await?;
        let q = read[0].iter().zip(&read[1]).take(count).map(|(&q1, &q2)| [q1, q2]).collect();
        Ok(Judgement { v: [read[2][0], read[3][0]], q })
    }

    /// Log-probability that the actor, after a text, says exactly each of these and ends the line; over
    /// the `choices` where the world lists some.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn log_probs(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: &[&str],
    ) -> Result<Vec<f32>, Error> {
        let said: Vec<Vec<u32>> =
            self.bodies(said).into_iter().map(|body| self.ended(body)).collect();
        let sums: Tensor<1> = self.scored(observation, choices, &said)?.sum_dim(1).squeeze_dim(1);
        Ok(params::read(vec![sums]).await?.remove(0))
    }

    /// The tokens of an utterance after a text, each with the log-probability that the actor says it
    /// there; over the `choices` where the world lists some. The last is the token that ends the line,
    /// unless the utterance has as many tokens as the actor can say.
    ///
    /// # Errors
    /// If the device fails, or the actor can never say it: it is too long, or not among the choices.
    pub async fn token_log_probs(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: &str,
    ) -> Result<Vec<(u32, f32)>, Error> {
        if choices.is_some_and(|listed| listed.iter().all(|choice| choice != said)) {
            return Err(Error::Config(format!(
                "the utterance {:?} is not among the choices that the world listed there",
                shortened(said)
            )));
        }
        let (body, limit) = (self.tokenizer.encode(said), self.about.max_new_tokens.max(1));
        let tokens = match body.len().cmp(&limit) {
            Ordering::Less => self.ended(body),
            Ordering::Equal => body,
            Ordering::Greater => {
                return Err(Error::Config(format!(
                    "the utterance {:?} has {} tokens, and the model's utterances are cut after max_new_tokens = {limit}: it can never say it",
                    shortened(said),
                    body.len()
                )));
            }
        };
        let scored = self.scored(observation, choices, std::slice::from_ref(&tokens))?;
        let count = tokens.len();
        let log_probs = params::read(vec![scored.reshape([count])]).await?.remove(0);
        Ok(tokens.into_iter().zip(log_probs).collect())
    }

    /// How many tokens of a text, its oldest, the actor does not read before it speaks: it has
    /// places for the text and the longest utterance together.
    pub fn tokens_left_out(&self, observation: &str) -> usize {
        self.tokenizer.encode_observation(observation).len().saturating_sub(self.room())
    }

    /// The tokens of a text that the actor reads before it speaks.
    fn room(&self) -> usize {
        self.actor.config().positions.saturating_sub(self.about.max_new_tokens).max(1)
    }

    /// The log-probability of each token of some utterances after a text, `[utterances, longest]`; 0
    /// beyond the end of a shorter one.
    fn scored(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: &[Vec<u32>],
    ) -> Result<Tensor<2>, Error> {
        let state = self.tokenizer.encode_observation(observation);
        // What is read is all but each last token, which only is foreseen.
        let read: Vec<Vec<u32>> =
            said.iter().map(|tokens| tokens[..tokens.len() - 1].to_vec()).collect();
        let (batch, base) = batch(newest(&state, self.room()), &read, &self.actor.device());
        let policy = Policy::new(self.actor.clone());
        let actions = said.iter().map(Vec::len).max().unwrap_or(0);
        let (trie, mut open) = (self.trie(choices)?, Open::default());
        let (mut predictors, mut targets, mut mask) = (Vec::new(), Vec::new(), Vec::new());
        for (branch, tokens) in said.iter().enumerate() {
            open.push(trie.as_deref(), tokens, actions);
            for i in 0..actions {
                let token = tokens.get(i).copied();
                mask.push(if token.is_some() { 1.0 } else { 0.0 });
                targets.push(token.unwrap_or(0));
                predictors.push(batch.tip(0, branch, base + 1, i.min(tokens.len() - 1)));
            }
        }
        let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
        let [rows] = policy.lm.hidden_at(tokens, positions, &batch.mask, [&predictors]);
        Ok(score_hidden(&policy, rows, &targets, mask, actions, &open, false).log_prob)
    }

    /// An utterance with the token that ends its line.
    fn ended(&self, mut body: Vec<u32>) -> Vec<u32> {
        body.push(self.tokenizer.terminator());
        body
    }

    /// The actor's scores of `n` tokens after a text, evenly spread over the vocabulary.
    async fn scores(&self, observation: &str, n: usize) -> Result<Vec<f32>, Error> {
        let state = self.tokenizer.encode_observation(observation);
        let room = self.actor.config().positions;
        let (batch, base) = batch(newest(&state, room), &[], &self.actor.device());
        let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
        let [hidden] = self.actor.hidden_at(tokens, positions, &batch.mask, [&[base]]);
        let scores = self.actor.scores_of_rows(hidden); // [1, vocab]
        let size = scores.dims()[1];
        let all = params::read(vec![scores.reshape([size])]).await?.remove(0);
        Ok((0..n.min(size)).map(|i| all[i * size / n.min(size)]).collect())
    }

    /// The tokens of some utterances, each cut to the longest that the actor could say.
    fn bodies(&self, said: &[&str]) -> Vec<Vec<u32>> {
        let limit = self.about.max_new_tokens.max(1);
        let cut = |text: &&str| {
            let mut tokens = self.tokenizer.encode(text);
            tokens.truncate(limit);
            tokens
        };
        said.iter().map(cut).collect()
    }
}

/// A text with some utterances hung on its end, and the row of that end.
fn batch(state: &[u32], said: &[Vec<u32>], device: &burn::tensor::Device) -> (TreeBatch, usize) {
    let branches = said.iter().map(|body| (state.len(), &body[..])).collect();
    (TreeBatch::new(&[Tree { trunk: state, branches }], device), state.len() - 1)
}

/// Scores that an example holds.
const SCORES: usize = 32;

/// An utterance and what the networks thought of it where they were last in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    observation: String,
    utterance: String,
    log_prob: f32,
    /// The actor's scores of some tokens after the observation; files from before have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scores: Vec<f32>,
    /// What the critic thought, where there is one: Q1, Q2, then V1, V2.
    #[serde(flatten)]
    worth: Option<Worth>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Worth {
    q: [f32; 2],
    v: [f32; 2],
}

impl Example {
    /// The agent's own first utterance after what its world shows first.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn of(agent: &Agent, opening: &str) -> Result<Self, Error> {
        let observation = opening.to_string();
        let mut unused = rng::stream(0, "example", 0);
        let utterance = agent.say(&observation, &Sampler::greedy(), &mut unused).await?;
        let log_prob = agent.log_probs(&observation, None, &[&utterance]).await?[0];
        let scores = agent.scores(&observation, SCORES).await?;
        let worth = Worth::of(agent, &observation, &utterance).await?;
        Ok(Self { observation, utterance, log_prob, scores, worth })
    }

    /// The text after which it was said.
    pub fn observation(&self) -> &str {
        &self.observation
    }

    /// As JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("JSON can be written")
    }

    /// From JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::Checkpoint(format!("the example cannot be read: {error}")))
    }

    /// Whether this agent thinks the same, but for rounding.
    ///
    /// # Errors
    /// If it does not, or the device fails.
    pub async fn check(&self, agent: &Agent) -> Result<(), Error> {
        let log_prob = agent.log_probs(&self.observation, None, &[&self.utterance]).await?[0];
        let worth = match self.worth {
            Some(_) => Worth::of(agent, &self.observation, &self.utterance).await?,
            None => None,
        };
        let scores = match self.scores.len() {
            0 => Vec::new(),
            some => agent.scores(&self.observation, some).await?,
        };
        let numbers = |log_prob, worth: Option<Worth>, scores: &[f32]| -> Vec<f32> {
            let worth = worth.map(|Worth { q, v }| [q, v].concat()).unwrap_or_default();
            [&[log_prob], &worth[..], scores].concat()
        };
        let here = numbers(log_prob, worth, &scores);
        let there = numbers(self.log_prob, self.worth, &self.scores);
        const WAY_OUT: &str =
            "get the file again from where it was made, or go back to one from before";
        if here.len() != there.len() {
            return Err(Error::Model(format!(
                "the example in the file holds {} numbers, and of this model there are {}: it is another's; {WAY_OUT}",
                there.len(),
                here.len()
            )));
        }
        // What is no number is as far off as can be.
        let gap = |n: usize| {
            let gap = (here[n] - there[n]).abs() / (1.0 + there[n].abs());
            if gap.is_nan() { f32::INFINITY } else { gap }
        };
        let largest = (0..here.len()).max_by(|&a, &b| gap(a).total_cmp(&gap(b)));
        match largest {
            // Backends differ in the order of their sums; a wrong weight shows in the first digits.
            Some(n) if gap(n) > 1e-3 => Err(Error::Model(format!(
                "the model does not compute here what it did where it was made: number {} of the {} of its example is {} instead of {}; {WAY_OUT}",
                n + 1,
                here.len(),
                here[n],
                there[n]
            ))),
            _ => Ok(()),
        }
    }
}

impl Worth {
    async fn of(agent: &Agent, observation: &str, said: &str) -> Result<Option<Self>, Error> {
        if agent.critic.is_none() {
            return Ok(None);
        }
        let judged = agent.judge(observation, &[said]).await?;
        Ok(Some(Self { q: judged.q[0], v: judged.v }))
    }
}
