//! What the critic thinks of a turn: of the state, of the question asked, of what else might be.

use serde::Serialize;

use super::Session;
use super::play::{Game, check_turn};
use crate::fault::Fault;

/// Utterances that the policy is sampled for where nothing else is asked for.
const SAMPLES: usize = 16;
/// More would hold up the page for seconds.
const MOST_SAMPLES: usize = 256;

/// A question and what the critic thinks of asking it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// The question.
    pub question: String,
    q1: f64,
    q2: f64,
    /// `min(q1, q2) − min(v1, v2)`.
    pub advantage: f64,
    /// That the policy says exactly this.
    pub probability: f64,
    expected_return: f64,
}

/// What the critic thinks before one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    turn: usize,
    v1: f64,
    v2: f64,
    /// The rewards so far and `min(v1, v2)`.
    pub expected_return: f64,
    /// The question asked at this turn.
    pub asked: Option<Judged>,
    /// Others, best first.
    pub alternatives: Vec<Judged>,
}

impl Session {
    /// Judges a turn of a game, the last where none is named.
    pub(super) async fn inspect(
        &self,
        game: &Game,
        turn: Option<usize>,
        samples: Option<usize>,
        also: &[String],
    ) -> Result<Inspection, Fault> {
        let turn = turn.unwrap_or(game.turns.len().max(1));
        check_turn(game, turn)?;
        let samples = samples.unwrap_or(SAMPLES).min(MOST_SAMPLES);
        let seen = self.seen_before(game, turn);
        let before = game.return_before(turn);
        let asked = game.turns.get(turn - 1).map(|turn| turn.question.clone());
        let draws = (turn as u64, "inspect");
        let sampled = match samples {
            0 => Vec::new(),
            n => self.agent.sample(&seen, None, n, draws).await?,
        };
        let mut questions: Vec<String> = asked.iter().cloned().collect();
        for question in also.iter().map(|text| text.trim().to_string()).chain(sampled) {
            if !question.trim().is_empty() && !questions.contains(&question) {
                questions.push(question);
            }
        }
        let said: Vec<&str> = questions.iter().map(String::as_str).collect();
        let judgement = self.agent.judge(&seen, &said).await?;
        let log_probs = match said.is_empty() {
            true => Vec::new(),
            false => self.agent.log_probs(&seen, None, &said).await?,
        };
        let mut judged = questions.iter().enumerate().map(|(i, question)| Judged {
            question: question.clone(),
            q1: f64::from(judgement.q[i][0]),
            q2: f64::from(judgement.q[i][1]),
            advantage: f64::from(judgement.advantage(i)),
            probability: f64::from(log_probs[i]).exp(),
            expected_return: before + f64::from(judgement.q[i][0].min(judgement.q[i][1])),
        });
        let asked = asked.and_then(|_| judged.next());
        let mut alternatives: Vec<Judged> = judged.collect();
        alternatives.sort_by(|a, b| b.advantage.total_cmp(&a.advantage));
        Ok(Inspection {
            turn,
            v1: f64::from(judgement.v[0]),
            v2: f64::from(judgement.v[1]),
            expected_return: before + f64::from(judgement.value()),
            asked,
            alternatives,
        })
    }
}
