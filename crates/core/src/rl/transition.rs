//! One exchange with a world, and the game it belongs to.

use std::sync::Arc;

use archer_world::{End, Exchange};

use super::returns::discounted_returns;
use super::text::Text;
use crate::choices::Trie;

/// One utterance, what came before it and what came of it; tokens are the actor's.
///
/// The observations of neighbouring transitions are one shared text each: the next observation of
/// a turn is the observation of the turn after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Tokens of the state, the whole text so far.
    pub observation: Text,
    /// Tokens of the utterance as they were sampled, with the terminator where there was one.
    pub action: Arc<[u32]>,
    /// Reward of the utterance.
    pub reward: f32,
    /// Tokens of the state that followed.
    pub next_observation: Text,
    /// The game came to an end of its own: nothing of value follows.
    pub terminated: bool,
    /// The game was cut by its limit of turns.
    pub truncated: bool,
    /// Discounted sum of the rewards from here to the end of the game.
    pub mc_return: f32,
    /// Log-probability of the action when it was sampled, 0 if it came from elsewhere.
    pub log_prob: f32,
    /// What could be said at the state, where the world listed it.
    pub choices: Option<Arc<Trie>>,
    /// The task of its game, which is known once the game is over; `None` where nobody said.
    pub task: Option<u32>,
}

/// The undiscounted return of a game of these exchanges.
pub fn total_reward<'a>(turns: impl IntoIterator<Item = &'a Transition>) -> f64 {
    turns.into_iter().map(|turn| f64::from(turn.reward)).sum()
}

/// A finished game.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(
    not(target_family = "wasm"),
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "super::sent::SentGame", into = "super::sent::SentGame")
)]
pub struct Trajectory {
    /// Its exchanges in order.
    pub transitions: Vec<Transition>,
    /// Whether the goal was reached.
    pub won: bool,
    /// Utterances that the world could not read.
    pub invalid: usize,
    /// Utterances that repeat an earlier one of the same game, but for case and spaces.
    pub repeated: usize,
    /// Sum of the sampled tokens' entropies, in nats.
    pub entropy: f64,
    /// What the player read first, where it is known.
    pub opening: Option<String>,
    /// The game as text: utterance and reply of each turn.
    pub lines: Vec<(String, String)>,
}

impl Trajectory {
    /// Its exchanges as text.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let turns = self.transitions.iter().zip(&self.lines);
        turns.map(|(turn, (said, reply))| Exchange::new(said, reply, turn.reward)).collect()
    }

    /// How it ended, if it did.
    pub fn end(&self) -> Option<End> {
        let last = self.transitions.last()?;
        match (last.terminated, last.truncated) {
            (true, _) if self.won => Some(End::Won),
            (true, _) => Some(End::Over),
            (_, true) => Some(End::Cut),
            _ => None,
        }
    }

    /// Undiscounted return.
    pub fn total_reward(&self) -> f64 {
        total_reward(&self.transitions)
    }

    /// Sampled tokens, terminators included.
    pub fn action_tokens(&self) -> usize {
        self.transitions.iter().map(|transition| transition.action.len()).sum()
    }

    /// Values the game backwards: fills every `mc_return`.
    pub fn close(&mut self, gamma: f64) {
        let rewards: Vec<f32> =
            self.transitions.iter().map(|transition| transition.reward).collect();
        for (transition, value) in
            self.transitions.iter_mut().zip(discounted_returns(&rewards, gamma))
        {
            transition.mc_return = value;
        }
    }
}
