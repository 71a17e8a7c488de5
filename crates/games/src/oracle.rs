//! Who answers the questions.
//!
//! [`Oracle`] is the place where a table, a person or a model can stand. [`TableOracle`] answers
//! from the embedded table, and [`AmendedOracle`] from any; [`PeopleOracle`] answers as people do who
//! know the table, and [`NoisyOracle`] turns answers of another oracle round at a fixed rate.

use std::borrow::Cow;

use archer_input::shown;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::knowledge::{Claim, Comparison, Literal, Reading, Simple, Table, Value, table};
use crate::people::Rates;
use crate::question_pool::claim_dispute;
use crate::twenty_questions::{Amendments, Answer};

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

/// The answers of a table but for some properties.
#[derive(Clone)]
pub struct AmendedOracle {
    /// The table.
    pub knowledge: &'static Table,
    /// Whether "Sometimes." may be said; else the likelier of yes and no is.
    pub sometimes: bool,
    /// What holds otherwise.
    pub amendments: Amendments,
}

impl AmendedOracle {
    /// What holds, in the words of a question that was read.
    fn value(&self, object: &str, reading: &Reading) -> Option<Value> {
        let object = self.knowledge.object(object)?;
        self.amendments.answer_of(self.knowledge, object, reading)
    }
}

impl Oracle for AmendedOracle {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let value = self.value(object, &self.knowledge.hear(question).reading);
        TableOracle { sometimes: self.sometimes }.say(value)
    }
}

/// Answers as people do: it does not know, says "Sometimes." or is wrong, the more often the more people
/// disagree ([`crate::people`] has the formula). Guesses are answered truly, and what cannot be read is
/// an "Invalid Question.".
///
/// Within a game, which is what a seed stands for, the same question has the same answer, in whatever
/// words it comes, and its contrary has the contrary one.
#[derive(Clone)]
pub struct PeopleOracle {
    table: AmendedOracle,
    rates: Rates,
    seed: u64,
}

impl PeopleOracle {
    /// People who know this table and answer at these rates.
    pub fn new(table: AmendedOracle, rates: Rates, seed: u64) -> Self {
        PeopleOracle { table, rates, seed }
    }

    /// A number from 0 to 1 that depends on the game and on what is claimed.
    fn draw(&self, claim: Claim) -> f64 {
        let claimed = claimed(claim);
        // FNV-1a (Fowler, Noll and Vo), for the standard library's hash may change.
        let number = claimed.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let mut chance = ChaCha8Rng::seed_from_u64(self.seed);
        chance.set_stream(number);
        chance.random()
    }
}

impl Oracle for PeopleOracle {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let knowledge = self.table.knowledge;
        let reading = knowledge.hear(question).reading;
        let (Reading::Asks { claim, .. }, Some(value)) =
            (reading, self.table.value(object, &reading))
        else {
            return Cow::Borrowed(INVALID);
        };
        let named = knowledge.guess_phrase(question).and_then(|name| knowledge.object(&name));
        if named.is_some() || matches!(claim, Claim::Is(_)) {
            return TableOracle::default().say(Some(value));
        }
        let [yes, no, sometimes, unknown, _] =
            self.rates.chances(value, claim_dispute(knowledge, claim));
        let (truth, contrary) = match value.is_mostly_yes() {
            true => ((Answer::Yes, yes), (Answer::No, no)),
            false => ((Answer::No, no), (Answer::Yes, yes)),
        };
        let answers =
            [(Answer::Unknown, unknown), (Answer::Sometimes, sometimes), (contrary.0, contrary.1)];
        let mut draw = self.draw(claim);
        for (answer, chance) in answers {
            if draw < chance {
                return Cow::Borrowed(answer.text());
            }
            draw -= chance;
        }
        Cow::Borrowed(truth.0.text())
    }

    fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }
}

/// What is claimed, as a text of its own for each claim; a property and its contrary are the same claim.
fn claimed(claim: Claim) -> String {
    let sign = |negated: bool| if negated { "-" } else { "" };
    let has = |Literal { property, opposite }: Literal| format!("{}{}", sign(opposite), property.0);
    let simple = |part: Simple| match part {
        Simple::Has(literal) => has(literal),
        Simple::Is(object) => format!("object {}", object.0),
        // A page that loads the games has no code that writes numbers with fractions.
        Simple::Compares(Comparison { measure, relation, amount }) => {
            format!("{measure:?} {relation:?} {:x}", amount.to_bits())
        }
        Simple::Spells(spelling) => format!("{spelling:?}"),
    };
    match claim {
        Claim::Has(literal) => format!("PropertyId({})", literal.property.0),
        Claim::Is(object) => simple(Simple::Is(object)),
        Claim::Compares(comparison) => simple(Simple::Compares(comparison)),
        Claim::Spells(spelling) => simple(Simple::Spells(spelling)),
        Claim::HasBoth(first, second) => format!("{} and {}", has(first), has(second)),
        Claim::Two(joint, parts) => {
            let [first, second] = parts.map(|part| {
                format!("{}({}) {:?}", sign(part.negated), simple(part.claim), part.degree)
            });
            format!("{first} {joint:?} {second}")
        }
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
            "flip {} and sometimes {} must be probabilities that add up to at most 1",
            shown(flip),
            shown(sometimes)
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
    use crate::people::PeopleConfig;

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

    fn people(unknown: f64, sometimes: f64, wrong: f64, seed: u64) -> PeopleOracle {
        let config = PeopleConfig { unknown, sometimes, wrong };
        let amendments = Amendments::default();
        let table = AmendedOracle { knowledge: table(), sometimes: false, amendments };
        PeopleOracle::new(table, Rates::new(config, 0.0), seed)
    }

    /// A comparison is a matter of nobody's opinion, so it has the base rates.
    #[test]
    fn people_answer_at_their_rates_and_guesses_truly() {
        let count = |question: &str, text: &str| {
            let said = |seed| people(0.15, 0.1, 0.03, seed).answer("cat", question) == text;
            (0..8000).filter(|seed| said(*seed)).count() as f64 / 8000.0
        };
        let question = "Is it bigger than a dog?";
        for (text, rate) in
            [("I don't know.", 0.15), ("Sometimes.", 0.1), ("Yes.", 0.03), ("No.", 0.72)]
        {
            assert!((count(question, text) - rate).abs() < 0.015, "{text}");
        }
        assert_eq!(count("Is it a cat?", "Yes."), 1.0);
        assert_eq!(count("Is it a dog?", "No."), 1.0);
        assert_eq!(count("Is it a zorb?", INVALID), 1.0);
        // What people argue about they are vaguer about.
        assert!(count("Is it friendly?", "Yes.") + 0.1 < 0.72);
    }

    #[test]
    fn people_say_the_same_to_the_same_in_one_game() {
        let mut changed = 0;
        for seed in 0..200 {
            let mut one = people(0.3, 0.2, 0.1, seed);
            let first = one.answer("cat", "Is it alive?").into_owned();
            let other = one.answer("cat", "Can it fly?").into_owned();
            assert_eq!(one.answer("cat", "Is it a living thing?"), first);
            let contrary = match &*first {
                "Yes." => "No.",
                "No." => "Yes.",
                same => same,
            };
            assert_eq!(one.answer("cat", "Is it not alive?"), contrary);
            assert_eq!(one.answer("cat", "Is it lifeless?"), contrary);
            assert_eq!(one.answer("cat", "Can it fly?"), other);
            let mut again = people(0.3, 0.2, 0.1, 999);
            again.reseed(seed);
            assert_eq!(again.answer("cat", "Is it alive?"), first);
            again.reseed(seed + 1000);
            changed += usize::from(again.answer("cat", "Is it alive?") != first);
        }
        assert!(changed > 60, "{changed} of 200 other games differ");
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
