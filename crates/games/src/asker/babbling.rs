//! A player for worlds whose good answers are a short list: it says any of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Asker, player_chance};

/// Says one of its utterances at each turn, each equally often, whatever was said before.
pub struct BabblingAsker {
    utterances: Vec<String>,
    chance: ChaCha8Rng,
}

impl BabblingAsker {
    /// A player that knows these utterances.
    ///
    /// # Panics
    /// Where there is none.
    pub fn new(utterances: Vec<String>) -> Self {
        assert!(!utterances.is_empty(), "a player needs something to say");
        BabblingAsker { utterances, chance: player_chance(0) }
    }
}

impl Asker for BabblingAsker {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed);
    }

    fn ask(&mut self, _history: &[(String, String)]) -> String {
        self.utterances[self.chance.random_range(0..self.utterances.len())].clone()
    }
}
