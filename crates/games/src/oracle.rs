//! Who answers the questions.
//!
//! [`Oracle`] is the place where a table, a person or a model can stand. [`TableOracle`] answers
//! from the embedded table; [`NoisyOracle`] makes another oracle err now and then, as people do.

use std::borrow::Cow;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::knowledge::{Value, table};
use crate::twenty_questions::Amendments;

/// The answer to a question that was not understood.
pub const INVALID: &str = "Invalid Question.";
const YES: &str = "Yes.";
const NO: &str = "No.";
const SOMETIMES: &str = "Sometimes.";

/// Answers questions about an object; behind a trait so that a table, a person or a model can stand
/// here.
pub trait Oracle: Send {
    /// Raw text of the answer ("Yes.", "No.", "Sometimes.", "Invalid Question."); `object` is the
    /// object's name.
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str>;

    /// Fixes the chance of an oracle that has some.
    fn reseed(&mut self, _seed: u64) {}
}

/// Answers from the embedded table. What it cannot read, and any object that the table does not
/// have, is an "Invalid Question.".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableOracle {
    /// Whether "Sometimes." may be said; else the likelier of yes and no is.
    pub sometimes: bool,
}

impl TableOracle {
    /// An oracle that may say "Sometimes.".
    pub fn with_sometimes() -> Self {
        TableOracle { sometimes: true }
    }
}

impl Oracle for TableOracle {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let table = table();
        let value = table
            .object(object)
            .and_then(|object| table.answer(object, &table.hear(question).reading));
        self.say(value)
    }
}

impl TableOracle {
    fn say(self, value: Option<Value>) -> Cow<'static, str> {
        Cow::Borrowed(match value {
            None => INVALID,
            Some(Value::Sometimes(_)) if self.sometimes => SOMETIMES,
            Some(value) if value.is_mostly_yes() => YES,
            Some(_) => NO,
        })
    }
}

/// The table's answers but for some properties.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AmendedOracle {
    /// The table.
    pub table: TableOracle,
    /// What holds otherwise.
    pub amendments: Amendments,
}

impl Oracle for AmendedOracle {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let reading = table().hear(question).reading;
        let object = table().object(object);
        self.table.say(object.and_then(|object| self.amendments.answer(object, &reading)))
    }
}

/// Turns some answers of another oracle round, and some into "Sometimes.".
///
/// Only "Yes." and "No." are touched. The same seed and the same questions give the same answers.
#[derive(Debug, Clone)]
pub struct NoisyOracle<O> {
    inner: O,
    flip: f64,
    sometimes: f64,
    chance: ChaCha8Rng,
}

impl<O: Oracle> NoisyOracle<O> {
    /// Says the contrary with probability `flip` and "Sometimes." with probability `sometimes`.
    ///
    /// # Panics
    /// If the two are not probabilities that add up to at most 1.
    pub fn new(inner: O, flip: f64, sometimes: f64, seed: u64) -> Self {
        let valid = flip >= 0.0 && sometimes >= 0.0 && flip + sometimes <= 1.0;
        assert!(
            valid,
            "flip {flip} and sometimes {sometimes} must be probabilities that add up to at most 1"
        );
        let chance = ChaCha8Rng::seed_from_u64(seed);
        NoisyOracle { inner, flip, sometimes, chance }
    }
}

impl<O: Oracle> Oracle for NoisyOracle<O> {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let answer = self.inner.answer(object, question);
        // Drawn for every question, so that one answer does not shift the chance of the next.
        let draw: f64 = self.chance.random();
        let contrary = match &*answer {
            YES => NO,
            NO => YES,
            _ => return answer,
        };
        Cow::Borrowed(match draw {
            _ if draw < self.flip => contrary,
            _ if draw < self.flip + self.sometimes => SOMETIMES,
            _ => return answer,
        })
    }

    fn reseed(&mut self, seed: u64) {
        self.chance = ChaCha8Rng::seed_from_u64(seed);
        self.inner.reseed(seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_answers() {
        let mut oracle = TableOracle::default();
        assert_eq!(oracle.answer("cat", "Is it an animal?"), "Yes.");
        assert_eq!(oracle.answer("cat", "Is it a vehicle?"), "No.");
        assert_eq!(oracle.answer("cat", "Is it a zorb?"), INVALID);
        assert_eq!(oracle.answer("zorb", "Is it an animal?"), INVALID);
    }

    #[test]
    fn sometimes_is_said_only_where_allowed() {
        let question = "Is it red?";
        assert_eq!(TableOracle::with_sometimes().answer("baseball", question), "Sometimes.");
        assert_eq!(TableOracle::default().answer("baseball", question), "No.");
    }

    #[test]
    fn noise_has_its_rates_and_its_seed() {
        let answers = |seed| -> Vec<String> {
            let mut oracle = NoisyOracle::new(TableOracle::default(), 0.2, 0.1, seed);
            (0..4000).map(|_| oracle.answer("cat", "Is it alive?").into_owned()).collect()
        };
        let share = |answers: &[String], text| {
            answers.iter().filter(|answer| *answer == text).count() as f64 / answers.len() as f64
        };
        let said = answers(7);
        assert!((share(&said, "No.") - 0.2).abs() < 0.03);
        assert!((share(&said, "Sometimes.") - 0.1).abs() < 0.03);
        assert_eq!(said, answers(7));
        assert_ne!(said, answers(8));
    }

    #[test]
    fn noise_leaves_invalid_questions_alone_and_starts_over_when_reseeded() {
        let mut oracle = NoisyOracle::new(TableOracle::default(), 0.5, 0.5, 1);
        assert_eq!(oracle.answer("cat", "What?"), INVALID);
        let mut run = || -> Vec<String> {
            oracle.reseed(3);
            (0..20).map(|_| oracle.answer("cat", "Is it alive?").into_owned()).collect()
        };
        assert_eq!(run(), run());
    }
}
