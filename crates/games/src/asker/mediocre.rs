//! A player worth imitating at the start only: it knows which questions there are and takes heed
//! of the answers now and then.
//!
//! A warm start from its games teaches the language of the game and leaves the strategy to
//! reinforcement.

use archer_input::shown;
use rand_chacha::ChaCha8Rng;

use super::{Asker, draw, happens, player_chance};
use crate::question_pool::QuestionPool;

/// How mediocre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mediocrity {
    /// Probability that a turn is a guess and not a question about a property, 0 to 1.
    pub guess_rate: f64,
    /// Probability that a turn takes heed of the answers so far: a guess is then drawn from the
    /// words they allow, a question from those that split these words. 0 to 1.
    pub consistency: f64,
    /// Probability that a turn after the first asks again what was asked before, 0 to 1.
    pub repeat_rate: f64,
}

impl Mediocrity {
    /// A player worth about −7 on ten words and −16 on 157.
    pub fn for_words(words: usize) -> Self {
        if words <= 20 {
            Mediocrity { guess_rate: 0.4, consistency: 0.3, repeat_rate: 0.0 }
        } else {
            Mediocrity { guess_rate: 0.3, consistency: 0.7, repeat_rate: 0.0 }
        }
    }
}

/// Draws questions and guesses that it has not asked yet, and consults the answers sometimes.
pub struct MediocreAsker {
    pool: QuestionPool,
    mediocrity: Mediocrity,
    chance: ChaCha8Rng,
}

impl MediocreAsker {
    /// A player over the words of a pool.
    ///
    /// # Panics
    /// Where a rate is not from 0 to 1.
    pub fn new(pool: QuestionPool, mediocrity: Mediocrity) -> Self {
        let Mediocrity { guess_rate, consistency, repeat_rate } = mediocrity;
        assert!((0.0..=1.0).contains(&guess_rate), "guess_rate is {}", shown(guess_rate));
        assert!((0.0..=1.0).contains(&consistency), "consistency is {}", shown(consistency));
        assert!((0.0..=1.0).contains(&repeat_rate), "repeat_rate is {}", shown(repeat_rate));
        MediocreAsker { pool, mediocrity, chance: player_chance(0) }
    }

    /// The guesses not yet made, of possible words only where the answers are heeded.
    fn open_guesses(&self, asked: &[bool], possible: &[bool], heed: bool) -> Vec<usize> {
        (0..self.pool.words())
            .filter(|&word| !heed || possible[word])
            .map(|word| self.pool.guess_of(word))
            .filter(|&index| !asked[index])
            .collect()
    }

    /// The properties not yet asked, only those that split the possible words where the answers
    /// are heeded.
    fn open_properties(&self, asked: &[bool], possible: &[bool], heed: bool) -> Vec<usize> {
        let splits = |index: usize| {
            let answers = &self.pool.questions()[index].answers;
            let mut allowed = answers.iter().zip(possible).filter(|(_, p)| **p).map(|(a, _)| a);
            let first = allowed.next();
            allowed.any(|answer| Some(answer) != first)
        };
        (0..self.pool.properties().len())
            .filter(|&index| !asked[index] && (!heed || splits(index)))
            .collect()
    }
}

impl Asker for MediocreAsker {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed);
    }

    fn ask(&mut self, history: &[(String, String)]) -> String {
        let mut asked = vec![false; self.pool.questions().len()];
        for (question, _) in history {
            if let Some(index) = self.pool.find(question) {
                asked[index] = true;
            }
        }
        // The draw is left out where the rate is 0: players without it stay as they were.
        let repeats = self.mediocrity.repeat_rate > 0.0
            && happens(&mut self.chance, self.mediocrity.repeat_rate);
        let turns: Vec<&(String, String)> = history.iter().filter(|_| repeats).collect();
        if let Some((question, _)) = draw(&turns, &mut self.chance) {
            return question.clone();
        }
        let possible = self.pool.plausible(history);
        let guess = happens(&mut self.chance, self.mediocrity.guess_rate);
        let heed = happens(&mut self.chance, self.mediocrity.consistency);

        // The kind that was drawn first, the other where it has run out, then without heed.
        let guesses = |heed| self.open_guesses(&asked, &possible, heed);
        let properties = |heed| self.open_properties(&asked, &possible, heed);
        let mut choices = if guess { guesses(heed) } else { properties(heed) };
        if choices.is_empty() {
            choices = if guess { properties(heed) } else { guesses(heed) };
        }
        if choices.is_empty() {
            choices = guesses(false);
        }
        if choices.is_empty() {
            choices = (0..self.pool.questions().len()).collect();
        }
        let index = draw(&choices, &mut self.chance).expect("a pool has questions");
        self.pool.questions()[index].text.clone()
    }
}
