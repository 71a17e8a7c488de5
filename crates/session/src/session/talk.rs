//! Text in, text out: what the agent says in a game that the page holds, and what its critic thinks.

use archer::agent::Agent;
use archer::rng;
use archer::talk::State;
use archer_world::{Choices, Transcript};
use serde::{Deserialize, Serialize};

use super::Session;
use crate::fault::Fault;

/// Utterances that the policy is sampled for where nothing else is asked for.
const SAMPLES: usize = 16;
/// The longest text of one part of a game, in bytes.
const LONGEST: usize = 1 << 20;

/// A game as the page holds it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Talk {
    /// What the agent reads first.
    pub opening: String,
    /// What it said and what was replied, in order.
    pub exchanges: Vec<(String, String)>,
    /// What can be said now, where the world lists it.
    pub choices: Option<Choices>,
    /// What it said and does not read: an agent that does not repeat itself keeps from it.
    pub unread: Vec<String>,
}

/// What the agent said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Spoken {
    pub text: String,
    /// Log-probability of saying exactly this, where it was asked for.
    pub log_prob: Option<f64>,
    /// What else it may say, likeliest first: every choice, or some draws.
    pub alternatives: Vec<Likely>,
}

/// An utterance and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Likely {
    pub text: String,
    pub log_prob: f64,
}

/// An utterance and what the critic thinks of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Judged {
    pub text: String,
    pub q1: f64,
    pub q2: f64,
    /// `min(q1, q2) − min(v1, v2)`.
    pub advantage: f64,
    /// That the policy says exactly this.
    pub probability: f64,
}

/// What the critic thinks before an utterance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the package's types.ts documents them")]
pub struct Inspection {
    pub v1: f64,
    pub v2: f64,
    /// What was asked about.
    pub said: Option<Judged>,
    /// Others, best first.
    pub alternatives: Vec<Judged>,
}

/// A game as the agent knows it.
struct Known {
    read: Transcript,
    said: Transcript,
    choices: Option<Choices>,
    /// The number of the next turn, from 1.
    turn: u64,
}

impl Talk {
    fn known(self, agent: &Agent) -> Result<Known, Fault> {
        let long = |text: &str| text.len() > LONGEST;
        let parts = self.exchanges.iter().flat_map(|(said, reply)| [said, reply]);
        if long(&self.opening) || parts.chain(&self.unread).any(|part| long(part)) {
            return Err(Fault::usage(
                format!("a text of the game is longer than {LONGEST} bytes"),
                "Hand in the texts that the agent is to read.",
            ));
        }
        let turn = (self.exchanges.len() + self.unread.len() + 1) as u64;
        let mut read = agent.about.transcript(&self.opening);
        for (said, reply) in self.exchanges {
            read.push(said, reply);
        }
        let mut said = read.clone();
        self.unread.into_iter().for_each(|text| said.push(text, ""));
        Ok(Known { read, said, choices: self.choices.filter(|choices| !choices.is_empty()), turn })
    }
}

impl Session {
    /// The agent's next utterance; `observe` is given its text as it grows. A turn has a generator of
    /// its own, so that an utterance that comes again after an undo is the same one, but for what the last
    /// digits of the scores decide: a text that is read on is summed in other parts than one that is read anew.
    pub(super) async fn say(
        &self,
        talk: Talk,
        (sample, seed): (bool, u64),
        score: bool,
        alternatives: usize,
        observe: impl FnMut(&str),
    ) -> Result<Spoken, Fault> {
        let Known { read, said, choices, turn } = talk.known(&self.agent)?;
        let sampler = self.agent.about.sampler(sample);
        let mut rng = rng::stream(seed, "play", turn);
        let (seen, choices) = (read.text(), choices.as_ref());
        let state = State { observation: &seen, before: &said, choices };
        // A call on a copy of the session in the meantime finds nothing there and reads afresh.
        let mut prefix = self.agent.prefix.take();
        let text = self.agent.say_aloud(state, &sampler, &mut rng, &mut prefix, observe).await;
        self.agent.prefix.replace(prefix);
        let text = text?;
        if !score && alternatives == 0 {
            return Ok(Spoken { text, log_prob: None, alternatives: Vec::new() });
        }
        let (log_prob, likely) =
            self.agent.likely(&seen, choices, &text, alternatives, turn).await?;
        let likely = likely
            .into_iter()
            .map(|other| Likely { text: other.text, log_prob: f64::from(other.log_prob) });
        Ok(Spoken { text, log_prob: Some(f64::from(log_prob)), alternatives: likely.collect() })
    }

    /// The log-probability of each of these utterances now.
    pub(super) async fn score(&self, talk: Talk, said: &[String]) -> Result<Vec<f64>, Fault> {
        let known = talk.known(&self.agent)?;
        let (seen, choices) = (known.read.text(), known.choices.as_ref());
        let log_probs = self.agent.log_probs_of(&seen, choices, said).await?;
        Ok(log_probs.into_iter().map(f64::from).collect())
    }

    /// Judges a state, an utterance `said` in it, those of `also`, and what the policy may say.
    pub(super) async fn inspect(
        &self,
        talk: Talk,
        said: Option<String>,
        samples: Option<usize>,
        also: &[String],
    ) -> Result<Inspection, Fault> {
        let known = talk.known(&self.agent)?;
        let (seen, choices) = (known.read.text(), known.choices.as_ref());
        let draws = (samples.unwrap_or(SAMPLES), known.turn);
        let seen = self.agent.inspect(&seen, choices, said, also, draws).await?;
        let judged = |judged: archer::talk::Judged| Judged {
            text: judged.text,
            q1: f64::from(judged.q[0]),
            q2: f64::from(judged.q[1]),
            advantage: f64::from(judged.advantage),
            probability: f64::from(judged.log_prob).exp(),
        };
        let [v1, v2] = seen.v.map(f64::from);
        let alternatives = seen.alternatives.into_iter().map(judged).collect();
        Ok(Inspection { v1, v2, said: seen.said.map(judged), alternatives })
    }
}
