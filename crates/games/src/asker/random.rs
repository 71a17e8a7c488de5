//! The floor: any question of the pool, again and again.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Asker, player_chance};
use crate::question_pool::QuestionPool;

/// Asks uniformly over all questions and guesses of its pool, and may repeat itself.
pub struct RandomAsker {
    pool: QuestionPool,
    chance: ChaCha8Rng,
}

impl RandomAsker {
    /// A player over the words of a pool.
    pub fn new(pool: QuestionPool) -> Self {
        RandomAsker { pool, chance: player_chance(0) }
    }
}

impl Asker for RandomAsker {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed);
    }

    fn ask(&mut self, _history: &[(String, String)]) -> String {
        let questions = self.pool.questions();
        let index = self.chance.random_range(0..questions.len() as u32) as usize;
        questions[index].text.clone()
    }
}
