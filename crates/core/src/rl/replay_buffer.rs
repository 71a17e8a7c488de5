//! What was lived through, kept for the critic to learn from again.
//!
//! A ring of the newest transitions from which each is drawn equally often; the reference's ring
//! favours the newest half after it wraps (`docs/differences.md`). Draws come from the caller's
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
    /// Transitions ever remembered.
    inserted: usize,
    /// Behaves as the reference's ring does.
    compat: bool,
    /// Rewards are cut to whole numbers, towards 0.
    whole_rewards: bool,
}

impl ReplayBuffer {
    /// An empty buffer for `capacity` transitions, at least 1.
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a replay buffer needs room");
        Self {
            capacity,
            items: Vec::new(),
            oldest: 0,
            inserted: 0,
            compat: false,
            whole_rewards: false,
        }
    }

    /// The reference's ring: a draw is a number below the count of all transitions ever remembered,
    /// folded onto the ring, so that after wrapping some places are drawn more often than others.
    ///
    /// `whole_rewards` is what its array makes of all rewards when the first of them was a whole
    /// number of the language's integer type.
    pub fn compat(capacity: usize, whole_rewards: bool) -> Self {
        Self { compat: true, whole_rewards, ..Self::new(capacity) }
    }

    /// The same buffer in a life in which so many transitions were remembered: what it holds then
    /// stands where it would stand in the reference's ring.
    pub fn with_history(mut self, inserted: usize) -> Self {
        if self.items.len() == self.capacity && inserted >= self.capacity {
            self.items.rotate_left(self.oldest);
            self.oldest = inserted % self.capacity;
            self.items.rotate_right(self.oldest);
        }
        self.inserted = inserted.max(self.items.len());
        self
    }

    /// A buffer holding these transitions, given from the oldest to the newest.
    pub fn from_oldest(capacity: usize, items: Vec<Transition>) -> Self {
        let mut buffer = Self::new(capacity);
        items.into_iter().for_each(|item| buffer.insert(item));
        buffer
    }

    /// Remembers a transition, forgetting the oldest if there is no room.
    pub fn insert(&mut self, mut transition: Transition) {
        if self.whole_rewards {
            transition.reward = transition.reward.trunc();
        }
        self.inserted += 1;
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

    /// Transitions ever remembered, the forgotten ones too.
    pub fn inserted(&self) -> usize {
        self.inserted
    }

    /// What stands at each place of the ring.
    pub fn places(&self) -> &[Transition] {
        &self.items
    }

    /// Draws `n` transitions uniformly (but see [`compat`](Self::compat)), with replacement.
    ///
    /// # Panics
    /// If the buffer is empty.
    pub fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Vec<&Transition> {
        assert!(!self.is_empty(), "cannot draw from an empty replay buffer");
        let numbers = if self.compat { self.inserted } else { self.items.len() };
        (0..n).map(|_| &self.items[rng::below(rng, numbers) % self.items.len()]).collect()
    }

    /// All transitions from the oldest to the newest.
    pub fn iter(&self) -> impl Iterator<Item = &Transition> {
        let (newer, older) = self.items.split_at(self.oldest);
        older.iter().chain(newer)
    }

    /// The whole games that are held, from the oldest to the newest. What is left of one whose
    /// beginning was forgotten is not among them.
    pub fn games(&self) -> Vec<Vec<&Transition>> {
        let mut games = Vec::new();
        let mut game: Vec<&Transition> = Vec::new();
        // As long as nothing was forgotten the oldest transition begins a game.
        let mut whole = self.inserted == self.items.len();
        for turn in self.iter() {
            game.push(turn);
            if turn.terminated || turn.truncated {
                let ended = std::mem::take(&mut game);
                if std::mem::replace(&mut whole, true) {
                    games.push(ended);
                }
            }
        }
        games
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    fn numbered(n: u32) -> Transition {
        let tokens: std::sync::Arc<[u32]> = [n].into();
        Transition {
            observation: tokens.clone().into(),
            action: tokens.clone(),
            reward: -0.5,
            next_observation: tokens.into(),
            terminated: false,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
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
    fn the_reference_draws_the_newest_half_twice_as_often_and_may_cut_rewards() {
        let mut buffer = ReplayBuffer::compat(4, true);
        (0..6).for_each(|n| buffer.insert(numbered(n)));
        assert_eq!((buffer.len(), buffer.inserted()), (4, 6));
        let places: Vec<u32> = buffer.places().iter().map(|item| item.action[0]).collect();
        assert_eq!(places, [4, 5, 2, 3]);
        assert!(buffer.iter().all(|item| item.reward == 0.0));
        let again = ReplayBuffer::compat(4, true);
        let again = buffer.iter().cloned().fold(again, |mut again, item| {
            again.insert(item);
            again
        });
        assert_eq!(again.with_history(6), buffer);
        let mut counts = [0usize; 6];
        for item in buffer.sample(12_000, &mut stream(1, "replay", 0)) {
            counts[item.action[0] as usize] += 1;
        }
        assert!(counts[2..4].iter().all(|&n| (1_800..2_200).contains(&n)), "{counts:?}");
        assert!(counts[4..].iter().all(|&n| (3_800..4_200).contains(&n)), "{counts:?}");
    }

    #[test]
    fn games_are_those_of_which_nothing_was_forgotten() {
        let buffer = |turns: u32| {
            let mut buffer = ReplayBuffer::new(6);
            (0..turns).for_each(|n| {
                buffer.insert(Transition { truncated: n % 2 == 1, ..numbered(n) });
            });
            buffer
        };
        let games = |buffer: &ReplayBuffer| -> Vec<Vec<u32>> {
            let game = |game: Vec<&Transition>| game.iter().map(|turn| turn.action[0]).collect();
            buffer.games().into_iter().map(game).collect()
        };
        assert_eq!(games(&buffer(5)), [[0, 1], [2, 3]]);
        assert_eq!(games(&buffer(7)), [[2, 3], [4, 5]]);
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
