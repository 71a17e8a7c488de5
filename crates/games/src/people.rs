//! How people answer: sometimes not at all, sometimes vaguely, sometimes against the table.
//!
//! They do so more where they disagree. The table has a weight w of yes for every object and property
//! ([`Value::weight`]): 1 or 0 where all agree, the share of those who say yes elsewhere. With
//!
//! ```text
//! p   the property's dispute: the mean of 4w(1 − w) over all objects of the table
//! d   the dispute of the question about this object: p + (1 − p) · 4w(1 − w), from 0 to 1
//! s   √d
//! m   (1 + 8s) / (1 + 8s̄), with s̄ the mean of s over the secrets and the properties that part them
//! ```
//!
//! "I don't know." is said with probability `unknown · m`, "Sometimes." with `sometimes · m` and the
//! contrary of the table with `wrong · m`. So the three rates are means over the secrets and the
//! properties, and what is certain, of a property that nobody argues about, has the base rates, which
//! are the means divided by 1 + 8s̄. Where the probabilities would leave the truth less likely than its
//! contrary, all three are scaled down until both are as likely.
//!
//! The root and the 8 are those of people: among 123,366 ratings of everyday things, the share of vague
//! ones and the share of those against the table grow about with √d, from an eighth of what they are
//! where half say yes (`docs/environments/twenty_questions.md`).

use archer_input::shown;
use serde::{Deserialize, Serialize};

use crate::error::GameError;
use crate::knowledge::{ObjectId, PropertyId, Table, Value};
use crate::twenty_questions::{Amendments, Answer};

#[cfg(doc)]
use crate::oracle::PeopleOracle;

/// Who answers in Twenty Questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OracleName {
    /// The table of knowledge.
    #[default]
    Table,
    /// The table as people would answer from it: unsure, vague or wrong now and then.
    People,
}

impl OracleName {
    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OracleName::Table => "table",
            OracleName::People => "people",
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        *self == OracleName::Table
    }
}

impl std::str::FromStr for OracleName {
    type Err = GameError;

    fn from_str(name: &str) -> Result<Self, GameError> {
        let found =
            [OracleName::Table, OracleName::People].into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| {
            GameError::BadSetting(format!(
                "there is no oracle named \"{name}\"; choose table or people"
            ))
        })
    }
}

/// How often people's answers are not the table's, on average over the secrets and the properties that
/// part them. Guesses are answered truly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PeopleConfig {
    /// Probability of "I don't know.".
    pub unknown: f64,
    /// Probability of "Sometimes.".
    pub sometimes: f64,
    /// Probability of the contrary of the table.
    pub wrong: f64,
}

impl Default for PeopleConfig {
    fn default() -> Self {
        Self { unknown: 0.15, sometimes: 0.1, wrong: 0.03 }
    }
}

impl PeopleConfig {
    /// # Errors
    /// If a probability is none, or the table's answer would be less likely than its contrary.
    pub(crate) fn check(&self) -> Result<(), GameError> {
        let Self { unknown, sometimes, wrong } = *self;
        for (key, value) in [("unknown", unknown), ("sometimes", sometimes), ("wrong", wrong)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(GameError::BadSetting(format!(
                    "world.people.{key} = {} is out of range: it must be between 0 and 1",
                    shown(value)
                )));
            }
        }
        if unknown + sometimes + 2.0 * wrong > 1.0 {
            return Err(GameError::BadSetting(format!(
                "world.people.unknown {}, sometimes {} and wrong {} leave the table's answer \
                 less likely than its contrary; lower them until unknown, sometimes and twice wrong \
                 add up to at most 1",
                shown(unknown),
                shown(sometimes),
                shown(wrong)
            )));
        }
        Ok(())
    }
}

/// The rates of the answers of people in a world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of what is certain.
    base: PeopleConfig,
}

/// By how many times the base rates what half of all people see otherwise exceeds what is certain.
const GROWTH: f64 = 8.0;

impl Rates {
    /// The rates whose means are those of `config` where the mean of s is `spread`.
    pub fn new(config: PeopleConfig, spread: f64) -> Self {
        let by = 1.0 + GROWTH * spread;
        let PeopleConfig { unknown, sometimes, wrong } = config;
        let base =
            PeopleConfig { unknown: unknown / by, sometimes: sometimes / by, wrong: wrong / by };
        Rates { base }
    }

    /// The rates in a world with these secrets.
    pub fn of(
        config: PeopleConfig,
        table: &Table,
        secrets: &[ObjectId],
        amendments: &Amendments,
    ) -> Self {
        let (mut sum, mut cells) = (0.0, 0);
        for property in (0..table.properties().len()).map(PropertyId) {
            let value = |&object: &ObjectId| amendments.value(table, object, property);
            let parts = secrets.iter().any(|object| value(object) != value(&secrets[0]));
            if parts {
                let dispute = table.dispute(property);
                let spreads = secrets.iter().map(|object| spread(value(object), dispute));
                sum += spreads.sum::<f64>();
                cells += secrets.len();
            }
        }
        Self::new(config, sum / f64::from(cells.max(1) as u32))
    }

    /// The probability of each answer to a question that holds with this value, about a property of
    /// this dispute, in the order of [`Answer`].
    pub fn chances(&self, value: Value, dispute: f32) -> [f64; Answer::COUNT] {
        let m = 1.0 + GROWTH * spread(value, dispute);
        let PeopleConfig { unknown, sometimes, wrong } = self.base;
        let (unknown, sometimes, wrong) = (unknown * m, sometimes * m, wrong * m);
        let taken = unknown + sometimes + 2.0 * wrong;
        let scale = if taken > 1.0 { taken.recip() } else { 1.0 };
        let (unknown, sometimes, wrong) = (unknown * scale, sometimes * scale, wrong * scale);
        let right = 1.0 - unknown - sometimes - wrong;
        let (yes, no) = if value.is_mostly_yes() { (right, wrong) } else { (wrong, right) };
        [yes, no, sometimes, unknown, 0.0]
    }
}

/// The root of the dispute of a question, from 0 to 1.
fn spread(value: Value, property: f32) -> f64 {
    let property = f64::from(property);
    (property + (1.0 - property) * f64::from(value.dispute())).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::table;
    use crate::question_pool::QuestionPool;
    use crate::words::words;

    fn close(a: [f64; 5], b: [f64; 5]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} for {b:?}");
    }

    /// By hand: with a mean spread of 1/8 the base rates are half of the means; what half say of a
    /// property has nine times the base.
    #[test]
    fn the_rates_of_a_cell_follow_its_dispute() {
        let config = PeopleConfig { unknown: 0.1, sometimes: 0.04, wrong: 0.02 };
        let rates = Rates::new(config, 0.125);
        close(rates.chances(Value::Yes, 0.0), [0.92, 0.01, 0.02, 0.05, 0.0]);
        close(rates.chances(Value::No, 0.0), [0.01, 0.92, 0.02, 0.05, 0.0]);
        close(rates.chances(Value::Sometimes(0.5), 0.0), [0.28, 0.09, 0.18, 0.45, 0.0]);
        // A dispute of a quarter has a spread of a half, be it of the cell or of the property.
        let quarter = [0.6, 0.05, 0.1, 0.25, 0.0];
        let weight = 0.5 + 0.75_f32.sqrt() / 2.0;
        let cell = rates.chances(Value::Sometimes(weight), 0.0);
        assert!(cell.iter().zip(quarter).all(|(a, b)| (a - b).abs() < 1e-6), "{cell:?}");
        close(rates.chances(Value::Yes, 0.25), quarter);
    }

    #[test]
    fn the_contrary_is_never_likelier_than_the_table() {
        let config = PeopleConfig { unknown: 0.3, sometimes: 0.3, wrong: 0.2 };
        let rates = Rates::new(config, 0.25);
        let [yes, no, sometimes, unknown, invalid] = rates.chances(Value::Sometimes(0.5), 0.0);
        assert!((yes - no).abs() < 1e-9 && (sometimes - unknown).abs() < 1e-9 && invalid == 0.0);
        assert!((yes + no + sometimes + unknown - 1.0).abs() < 1e-9);
    }

    /// The mean over the 157 words and the properties that part them is what was asked for.
    #[test]
    fn the_mean_rates_are_those_of_the_settings() {
        let table = table();
        let secrets: Vec<ObjectId> =
            words().iter().map(|word| table.object(word.name()).unwrap()).collect();
        let pool = QuestionPool::new(&secrets, false);
        let config = PeopleConfig::default();
        let rates = Rates::of(config, table, &secrets, &Amendments::default());
        let (mut sums, mut cells) = ([0.0; 3], 0.0);
        for question in pool.properties() {
            for (word, value) in question.values.iter().enumerate() {
                let [yes, no, sometimes, unknown, _] = rates.chances(*value, question.dispute);
                let wrong = if question.answers[word] == Answer::Yes { no } else { yes };
                for (sum, rate) in sums.iter_mut().zip([unknown, sometimes, wrong]) {
                    *sum += rate;
                }
                cells += 1.0;
            }
        }
        let want = [config.unknown, config.sometimes, config.wrong];
        for (sum, want) in sums.iter().zip(want) {
            // What is scaled down where it is most disputed is missing.
            assert!((sum / cells / want - 1.0).abs() < 0.03, "{} for {want}", sum / cells);
        }
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        let check = |unknown, sometimes, wrong| {
            PeopleConfig { unknown, sometimes, wrong }.check().map_err(|error| error.to_string())
        };
        assert_eq!(check(0.5, 0.3, 0.1), Ok(()));
        assert_eq!(
            check(1.5, 0.0, 0.0).unwrap_err(),
            "world.people.unknown = 1.5 is out of range: it must be between 0 and 1"
        );
        assert!(check(0.0, 0.0, f64::NAN).unwrap_err().contains("world.people.wrong = NaN"));
        assert!(check(0.5, 0.3, 0.2).unwrap_err().contains("add up to at most 1"));
    }
}
