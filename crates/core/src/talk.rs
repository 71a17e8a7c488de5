//! Text in, text out: what an agent says in games that somebody else holds, many in one batch, and what
//! its networks think of where a game stands.
//!
//! Here nobody plays: there is no world, no reward and no end. A page and a server hold the games and
//! ask; a rollout, which plays them, has a faster way to the same utterances.

use std::collections::HashSet;

use archer_world::Choices;

use crate::agent::Agent;
use crate::error::Error;

mod aloud;
mod speaker;

pub use aloud::State;
pub use speaker::{Speaker, Turn};

/// The most utterances that are drawn to find out what else may be said.
pub const MOST_SAMPLES: usize = 256;

/// Utterances that are judged or scored at a time, which bounds the memory that a long list takes.
const AT_A_TIME: usize = 64;

/// What the agent said.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// The utterance.
    pub text: String,
    /// Log-probability that the agent says exactly this here, in nats.
    pub log_prob: f32,
}

/// An utterance and what the networks think of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The utterance.
    pub text: String,
    /// Both critics' value of saying it here: the discounted return from here on.
    pub q: [f32; 2],
    /// `min(Q1, Q2) − min(V1, V2)`.
    pub advantage: f32,
    /// Log-probability that the agent says exactly this here, in nats.
    pub log_prob: f32,
}

/// What the networks think of where a game stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Both critics' value of the state.
    pub v: [f32; 2],
    /// What was asked about.
    pub said: Option<Judged>,
    /// Others, the largest advantage first.
    pub alternatives: Vec<Judged>,
}

impl Agent {
    /// The log-probability of each of these utterances after a text, over the choices where there are
    /// some.
    ///
    /// # Errors
    /// If a choice cannot be said, or the device fails.
    pub async fn log_probs_of(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: &[String],
    ) -> Result<Vec<f32>, Error> {
        let mut log_probs = Vec::with_capacity(said.len());
        for said in said.chunks(AT_A_TIME) {
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            log_probs.extend(self.log_probs(observation, choices, &said).await?);
        }
        Ok(log_probs)
    }

    /// How likely `said` is after a text, and what else may be said, at most `alternatives`, likeliest
    /// first: all choices are known, where there are some; else some utterances are drawn for turn number
    /// `turn`.
    ///
    /// # Errors
    /// If a choice cannot be said, or the device fails.
    pub async fn likely(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: &str,
        alternatives: usize,
        turn: u64,
    ) -> Result<(f32, Vec<Spoken>), Error> {
        let others = self.others(observation, choices, alternatives, (turn, "alternatives"));
        let texts = distinct([said.to_string()].to_vec(), others.await?);
        let log_probs = self.log_probs_of(observation, choices, &texts).await?;
        let both = texts.into_iter().zip(log_probs);
        let mut likely: Vec<Spoken> =
            both.map(|(text, log_prob)| Spoken { text, log_prob }).collect();
        let log_prob = likely.remove(0).log_prob;
        likely.sort_by(|a, b| b.log_prob.total_cmp(&a.log_prob));
        likely.truncate(alternatives);
        Ok((log_prob, likely))
    }

    /// Judges a state, an utterance `said` in it, those of `also`, and what may be said: all choices, or
    /// as many draws as `samples` for turn number `turn`.
    ///
    /// # Errors
    /// If the agent has no critic, a choice cannot be said, or the device fails.
    pub async fn inspect(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        said: Option<String>,
        also: &[String],
        (samples, turn): (usize, u64),
    ) -> Result<Inspection, Error> {
        let drawn = self.others(observation, choices, samples, (turn, "inspect")).await?;
        let asked = said.is_some();
        let also = also.iter().map(|text| text.trim().to_string());
        let texts = distinct(said.into_iter().collect(), also.chain(drawn));
        let log_probs = self.log_probs_of(observation, choices, &texts).await?;
        let mut v = None;
        let mut judged = Vec::with_capacity(texts.len());
        // The state is judged where nothing is said, too.
        for first in (0..texts.len().max(1)).step_by(AT_A_TIME) {
            let part = first..(first + AT_A_TIME).min(texts.len());
            let said: Vec<&str> = texts[part.clone()].iter().map(String::as_str).collect();
            let judgement = self.judge(observation, &said).await?;
            v.get_or_insert(judgement.v);
            judged.extend(part.enumerate().map(|(n, text)| Judged {
                text: texts[text].clone(),
                q: judgement.q[n],
                advantage: judgement.advantage(n),
                log_prob: log_probs[text],
            }));
        }
        let said = asked.then(|| judged.remove(0));
        judged.sort_by(|a, b| b.advantage.total_cmp(&a.advantage));
        Ok(Inspection { v: v.unwrap_or_default(), said, alternatives: judged })
    }

    /// What may be said: all choices, or so many draws.
    async fn others(
        &self,
        observation: &str,
        choices: Option<&Choices>,
        n: usize,
        draws: (u64, &str),
    ) -> Result<Vec<String>, Error> {
        match (n.min(MOST_SAMPLES), choices) {
            (0, _) => Ok(Vec::new()),
            (_, Some(choices)) => Ok(choices.clone()),
            (n, None) => self.sample(observation, None, n, draws).await,
        }
    }
}

/// Some utterances, and those of the others that say something else.
fn distinct(mut texts: Vec<String>, others: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut known: HashSet<String> = texts.iter().cloned().collect();
    for other in others {
        if !other.trim().is_empty() && known.insert(other.clone()) {
            texts.push(other);
        }
    }
    texts
}
