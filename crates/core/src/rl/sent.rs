//! A finished game on its way to another rank.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::transition::{Trajectory, Transition};
use crate::choices::Trie;

/// A [`Trajectory`] as plain data. Texts and choices are written once: a state's text continues the one
/// before it, and worlds list the same choices again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SentGame {
    turns: Vec<SentTurn>,
    /// Choices that are listed somewhere in the game, as the tokens of their utterances.
    choices: Vec<Vec<Vec<u32>>>,
    won: bool,
    invalid: usize,
    repeated: usize,
    entropy: f64,
    opening: Option<String>,
    lines: Vec<(String, String)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SentTurn {
    observation: SentText,
    next_observation: SentText,
    action: Vec<u32>,
    reward: f32,
    terminated: bool,
    truncated: bool,
    mc_return: f32,
    log_prob: f32,
    /// Number of the list among the game's.
    choices: Option<usize>,
    task: Option<u32>,
}

/// A text after another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SentText {
    /// Tokens at the beginning that both have.
    common: usize,
    /// The tokens after them.
    rest: Vec<u32>,
}

impl SentText {
    fn after(before: &[u32], text: &[u32]) -> Self {
        let common = before.iter().zip(text).take_while(|(one, other)| one == other).count();
        Self { common, rest: text[common..].to_vec() }
    }

    /// The text, in the memory of the one before where they are the same.
    fn read(self, before: &Arc<[u32]>) -> Arc<[u32]> {
        if self.rest.is_empty() && self.common == before.len() {
            return before.clone();
        }
        before.iter().take(self.common).copied().chain(self.rest).collect()
    }
}

impl From<Trajectory> for SentGame {
    fn from(game: Trajectory) -> Self {
        let mut known: Vec<Arc<Trie>> = Vec::new();
        let mut number = |trie: &Arc<Trie>| {
            let same = known.iter().position(|old| Arc::ptr_eq(old, trie) || old == trie);
            same.unwrap_or_else(|| {
                known.push(trie.clone());
                known.len() - 1
            })
        };
        let mut before: &[u32] = &[];
        let mut turns = Vec::with_capacity(game.transitions.len());
        for turn in &game.transitions {
            let observation = SentText::after(before, &turn.observation);
            before = &turn.next_observation;
            turns.push(SentTurn {
                observation,
                next_observation: SentText::after(&turn.observation, before),
                action: turn.action.to_vec(),
                reward: turn.reward,
                terminated: turn.terminated,
                truncated: turn.truncated,
                mc_return: turn.mc_return,
                log_prob: turn.log_prob,
                choices: turn.choices.as_ref().map(&mut number),
                task: turn.task,
            });
        }
        Self {
            turns,
            choices: known.iter().map(|trie| trie.utterances().to_vec()).collect(),
            won: game.won,
            invalid: game.invalid,
            repeated: game.repeated,
            entropy: game.entropy,
            opening: game.opening,
            lines: game.lines,
        }
    }
}

impl From<SentGame> for Trajectory {
    fn from(sent: SentGame) -> Self {
        let choices: Vec<Arc<Trie>> =
            sent.choices.into_iter().map(|listed| Arc::new(Trie::new(listed))).collect();
        let mut before: Arc<[u32]> = Arc::from([]);
        let mut transitions = Vec::with_capacity(sent.turns.len());
        for turn in sent.turns {
            let observation = turn.observation.read(&before);
            before = turn.next_observation.read(&observation);
            transitions.push(Transition {
                observation: observation.into(),
                action: turn.action.into(),
                reward: turn.reward,
                next_observation: before.clone().into(),
                terminated: turn.terminated,
                truncated: turn.truncated,
                mc_return: turn.mc_return,
                log_prob: turn.log_prob,
                choices: turn.choices.and_then(|number| choices.get(number).cloned()),
                task: turn.task,
            });
        }
        Self {
            transitions,
            won: sent.won,
            invalid: sent.invalid,
            repeated: sent.repeated,
            entropy: sent.entropy,
            opening: sent.opening,
            lines: sent.lines,
        }
    }
}

/// Lets equal lists of choices share their memory, which they lost on the way.
pub(crate) fn share_choices(games: &mut [Trajectory]) {
    let mut known: HashSet<Arc<Trie>> = HashSet::new();
    let turns = games.iter_mut().flat_map(|game| &mut game.transitions);
    for choices in turns.filter_map(|turn| turn.choices.as_mut()) {
        match known.get(choices) {
            Some(same) => *choices = same.clone(),
            None => drop(known.insert(choices.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(observation: &[u32], next: &[u32], choices: Option<Arc<Trie>>) -> Transition {
        Transition {
            observation: observation.into(),
            action: vec![7, 0].into(),
            reward: -0.1,
            next_observation: next.into(),
            terminated: false,
            truncated: true,
            mc_return: -1.3,
            log_prob: -0.7,
            choices,
            task: Some(3),
        }
    }

    #[test]
    fn a_game_arrives_as_it_was_sent() {
        let listed = Some(Arc::new(Trie::new(vec![vec![4, 0], vec![5, 6, 0]])));
        let game = Trajectory {
            // The last text does not continue the one before it, as where a world shows its last screen.
            transitions: vec![
                turn(&[1, 2], &[1, 2, 3], listed.clone()),
                turn(&[1, 2, 3], &[9, 3], None),
                turn(&[9, 3], &[9], listed),
            ],
            won: true,
            invalid: 1,
            repeated: 2,
            entropy: 0.1 + 0.2,
            opening: Some("Begin.\n".into()),
            lines: vec![("Is it alive?".into(), "No.".into())],
        };
        let sent = SentGame::from(game.clone());
        assert_eq!(sent.choices.len(), 1);
        assert_eq!(sent.turns[1].observation.rest, [] as [u32; 0]);
        let bytes = postcard::to_allocvec(&sent).unwrap();
        let read: SentGame = postcard::from_bytes(&bytes).unwrap();
        let mut arrived = [Trajectory::from(read.clone()), Trajectory::from(read)];
        assert_eq!(arrived, [game.clone(), game]);
        // Neighbouring states share one text, and equal choices of all games are one list.
        let [first, second] = &arrived[0].transitions[..2] else { panic!("three turns") };
        assert_eq!(first.next_observation.as_ptr(), second.observation.as_ptr());
        share_choices(&mut arrived);
        let listed = |game: usize, turn: usize| arrived[game].transitions[turn].choices.as_ref();
        assert!(Arc::ptr_eq(listed(0, 0).unwrap(), listed(1, 2).unwrap()));
        assert_eq!(Trajectory::from(SentGame::from(Trajectory::default())), Trajectory::default());
    }
}
