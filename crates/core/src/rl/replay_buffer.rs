//! What was lived through, kept for the critic to learn from again.
//!
//! A ring of the newest transitions from which each is drawn equally often; the reference's ring
//! favours the newest half after it wraps (spec section 1.9). Draws come from the caller's
//! generator.

use super::transition::Transition;
use crate::rng::{self, ChaCha8Rng};

/// A bounded memory of transitions.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayBuffer {
    capacity: usize,
    items: Vec<Transition>,
    /// Where the next transition goes once the buffer is full: the oldest stands there.
    oldest: usize,
}

impl ReplayBuffer {
    /// An empty buffer for `capacity` transitions, at least 1.
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a replay buffer needs room");
        Self { capacity, items: Vec::new(), oldest: 0 }
    }

    /// A buffer holding these transitions, given from the oldest to the newest.
    pub fn from_oldest(capacity: usize, items: Vec<Transition>) -> Self {
        let mut buffer = Self::new(capacity);
        items.into_iter().for_each(|item| buffer.insert(item));
        buffer
    }

    /// Remembers a transition, forgetting the oldest if there is no room.
    pub fn insert(&mut self, transition: Transition) {
        if self.items.len() < self.capacity {
            self.items.push(transition);
        } else {
            self.items[self.oldest] = transition;
            self.oldest = (self.oldest + 1) % self.capacity;
        }
    }

    /// Transitions held.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Draws `n` transitions uniformly, with replacement.
    ///
    /// # Panics
    /// If the buffer is empty.
    pub fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Vec<&Transition> {
        assert!(!self.is_empty(), "cannot draw from an empty replay buffer");
        (0..n).map(|_| &self.items[rng::below(rng, self.items.len())]).collect()
    }

    /// All transitions from the oldest to the newest.
    pub fn iter(&self) -> impl Iterator<Item = &Transition> {
        let (newer, older) = self.items.split_at(self.oldest);
        older.iter().chain(newer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    fn numbered(n: u32) -> Transition {
        let tokens: std::sync::Arc<[u32]> = [n].into();
        Transition {
            observation: tokens.clone(),
            action: tokens.clone(),
            reward: -0.5,
            next_observation: tokens,
            terminated: false,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
        }
    }

    fn numbers(buffer: &ReplayBuffer) -> Vec<u32> {
        buffer.iter().map(|item| item.action[0]).collect()
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_fractions_of_reward_stay() {
        let mut buffer = ReplayBuffer::new(3);
        (0..5).for_each(|n| buffer.insert(numbered(n)));
        assert_eq!((buffer.len(), numbers(&buffer)), (3, vec![2, 3, 4]));
        assert!(buffer.iter().all(|item| item.reward == -0.5));
        let again = ReplayBuffer::from_oldest(3, buffer.iter().cloned().collect());
        assert_eq!(numbers(&again), [2, 3, 4]);
    }

    #[test]
    fn every_transition_is_drawn_equally_often_after_wrapping() {
        let mut buffer = ReplayBuffer::new(4);
        (0..6).for_each(|n| buffer.insert(numbered(n)));
        let mut counts = [0usize; 6];
        for item in buffer.sample(8_000, &mut stream(1, "replay", 0)) {
            counts[item.action[0] as usize] += 1;
        }
        assert_eq!(counts[..2], [0, 0]);
        assert!(counts[2..].iter().all(|&n| (1_800..2_200).contains(&n)), "{counts:?}");
    }

    #[test]
    fn a_seed_draws_the_same_again() {
        let mut buffer = ReplayBuffer::new(10);
        (0..10).for_each(|n| buffer.insert(numbered(n)));
        let draw = || -> Vec<u32> {
            buffer
                .sample(5, &mut stream(9, "replay", 2))
                .iter()
                .map(|item| item.action[0])
                .collect()
        };
        assert_eq!(draw(), draw());
    }
}
