//! A world that is a little other than its table: some secrets likelier, some answers different.
//!
//! What an agent has learned in the plain world can then be put to the test, and it can learn on:
//! a household guesses other things than the average one, and its oracle has opinions of its own.

use std::collections::{BTreeMap, HashMap};

use archer_input::shown;
use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::error::{GameError, UnknownWord};
use crate::knowledge::{self, Claim, Degree, ObjectId, PropertyId, Reading, Table, Value};

/// An answer as a configuration gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Only where the world's option for it is on.
    Sometimes,
}

/// Answers that differ from the table's: for a question about a property the objects, each with
/// what is true of it here.
pub type Answers = BTreeMap<String, BTreeMap<String, Told>>;

/// The properties that hold otherwise here than in the table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Amendments(HashMap<(ObjectId, PropertyId), Value>);

impl Amendments {
    /// Reads them; `sometimes` says whether that is an answer here.
    ///
    /// # Errors
    /// A question that is not about one property of the table, an object that the table does not
    /// have, an answer that is none here, or two that contradict each other.
    pub fn new(answers: &Answers, sometimes: bool) -> Result<Self, GameError> {
        Self::over(knowledge::table(), answers, sometimes)
    }

    /// The same over another table than the embedded one.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub fn over(table: &Table, answers: &Answers, sometimes: bool) -> Result<Self, GameError> {
        let mut amended = HashMap::new();
        // The question by which each was told, for a message.
        let mut said: Vec<(ObjectId, PropertyId, &str)> = Vec::new();
        for (question, objects) in answers {
            let (property, contrary) = property(table, question)?;
            for (name, told) in objects {
                let object = known(table, "world.answers", name)?;
                let value = match told {
                    Told::Yes => Value::Yes,
                    Told::No => Value::No,
                    Told::Sometimes if sometimes => Value::Sometimes(0.5),
                    Told::Sometimes => {
                        return Err(GameError::BadSetting(format!(
                            "world.answers says \"sometimes\" to \"{question}\" for \"{name}\", but that is no answer here; say yes or no, or set sometimes to true as well"
                        )));
                    }
                };
                let value = if contrary { value.negated() } else { value };
                let before = amended.insert((object, property), value);
                said.push((object, property, question));
                if before.is_some_and(|before| before != value) {
                    let same = |(of, what, _): &&(ObjectId, PropertyId, &str)| {
                        (*of, *what) == (object, property)
                    };
                    let earlier = said[..said.len() - 1].iter().rev().find(same);
                    let wording = earlier.map_or("", |(_, _, wording)| wording);
                    return Err(GameError::BadSetting(format!(
                        "world.answers contradicts itself on \"{name}\": \"{wording}\" and \"{question}\" ask after the same property; leave one of them out"
                    )));
                }
            }
        }
        Ok(Self(amended))
    }

    /// What the table answers with these amendments, in whatever words the question comes; `None`
    /// where it was not understood.
    pub fn answer(&self, object: ObjectId, reading: &Reading) -> Option<Value> {
        self.answer_of(knowledge::table(), object, reading)
    }

    /// The same of another table, over which they were read.
    pub fn answer_of(&self, table: &Table, object: ObjectId, reading: &Reading) -> Option<Value> {
        table.answer_by(object, reading, |property| self.0.get(&(object, property)).copied())
    }

    /// Whether an object has a property, with these amendments.
    pub fn value(&self, table: &Table, object: ObjectId, property: PropertyId) -> Value {
        let amended = self.0.get(&(object, property)).copied();
        amended.unwrap_or_else(|| table.value(object, property))
    }
}

/// The object of this name, which stands under `key` in a configuration.
///
/// # Errors
/// A name that the table does not have.
pub(crate) fn known(table: &Table, key: &str, name: &str) -> Result<ObjectId, GameError> {
    Target::resolve(table, name).map(|target| target.object).map_err(|unknown| {
        let nearest: Vec<String> = unknown.nearest.iter().map(|n| format!("\"{n}\"")).collect();
        GameError::BadSetting(format!(
            "{key} has \"{name}\", which is not in the table; the nearest are {}",
            nearest.join(", ")
        ))
    })
}

/// The property that a question asks after, and whether it asks for the contrary.
fn property(table: &Table, question: &str) -> Result<(PropertyId, bool), GameError> {
    match table.read(question) {
        Reading::Asks { claim: Claim::Has(literal), negated, degree: Degree::Typically } => {
            Ok((literal.property, literal.opposite != negated))
        }
        _ => Err(GameError::BadSetting(format!(
            "world.answers has \"{question}\", which asks after no property that the table knows; write a question such as \"Is it alive?\""
        ))),
    }
}

/// How likely each of some secrets is, in their order: by name as given, 1 for the others.
///
/// # Errors
/// A name that is none of theirs, a weight below 0, two of one secret, or nothing left that can be
/// drawn.
pub(super) fn weights(
    table: &Table,
    targets: &[Target],
    given: &BTreeMap<String, f64>,
) -> Result<Vec<f64>, GameError> {
    let mut weights = vec![1.0; targets.len()];
    let mut named: Vec<Option<&str>> = vec![None; targets.len()];
    for (name, &weight) in given {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(GameError::BadSetting(format!(
                "world.weights says {} for \"{name}\"; it is how likely the word is beside 1 for the others, 0 or more",
                shown(weight)
            )));
        }
        let object = known(table, "world.weights", name)?;
        let place = targets.iter().position(|target| target.object == object);
        let names = targets.iter().map(|target| target.name.as_str());
        let place = place.ok_or_else(|| {
            GameError::BadSetting(format!("world.weights: {}", UnknownWord::among(name, names)))
        })?;
        if let Some(other) = named[place].replace(name)
            && weights[place] != weight
        {
            return Err(GameError::BadSetting(format!(
                "world.weights contradicts itself: \"{other}\" and \"{name}\" are the same word; leave one of them out"
            )));
        }
        weights[place] = weight;
    }
    if weights.iter().sum::<f64>() == 0.0 {
        return Err(GameError::BadSetting(
            "world.weights leaves no word that can be drawn; give one of them more than 0"
                .to_string(),
        ));
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WorldConfig, make_one};
    use archer_world::Start;

    fn world(json: &str) -> Result<WorldConfig, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    fn game(json: &str) -> Box<dyn crate::GuessingGame> {
        world(json).unwrap().guessing().unwrap().unwrap()
    }

    #[test]
    fn secrets_are_drawn_as_often_as_they_weigh() {
        let json = r#"{"words": "subset", "weights": {"dog": 8, "Scissors": 3, "pen": 0}}"#;
        let mut world = game(json);
        assert_eq!(
            world.about().weights,
            Some(vec![1.0, 8.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 3.0])
        );
        let mut drawn = [0f64; 10];
        for seed in 0..9000 {
            world.start(&Start { task: None, seed });
            drawn[world.task().unwrap()] += 1.0 / 9000.0;
        }
        assert!((drawn[1] - 8.0 / 18.0).abs() < 0.02, "{drawn:?}");
        assert!((drawn[9] - 3.0 / 18.0).abs() < 0.02 && drawn[8] == 0.0, "{drawn:?}");
        // What is best where some are likelier is not computed; the plain world's is no longer it.
        assert_eq!(world.about().best, None);
        assert_eq!(game(r#"{"words": "subset"}"#).about().weights, None);
    }

    #[test]
    fn an_answer_differs_in_all_its_wordings_and_for_its_object_alone() {
        let json = r#"{"words": "subset",
            "answers": {"Is it alive?": {"computer": "yes"}, "Is it not an animal?": {"dog": "yes"}}}"#;
        let mut world = game(json);
        for (word, question, reply) in [
            ("computer", "Is it alive?", "Yes."),
            ("computer", "Is it not alive?", "No."),
            ("computer", "Is it a computer?", "Yes."),
            ("piano", "Is it alive?", "No."),
            ("dog", "Is it an animal?", "No."),
            ("dog", "Is it alive?", "Yes."),
        ] {
            world.start_word(word, 1).unwrap();
            assert_eq!(world.act(question).reply, reply, "{word}: {question}");
        }
        // Those who plan by the pool plan for this world.
        let pool = world.question_pool();
        let question = &pool.questions()[pool.find("Is it alive?").unwrap()];
        let computer = world.names().iter().position(|name| name == "computer").unwrap();
        assert_eq!(question.answers[computer].text(), "Yes.");
        assert!(world.about().best.is_some());
    }

    #[test]
    fn further_words_of_the_table_can_be_secrets() {
        let world = game(r#"{"words": "subset", "extra": ["Cat"], "weights": {"cat": 2}}"#);
        assert_eq!((world.names().len(), world.names()[10].as_str()), (11, "cat"));
        assert_eq!(world.about().weights.unwrap()[10], 2.0);
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence() {
        for (json, parts) in [
            (r#"{"weights": {"dgo": 2}}"#, &["world.weights", "\"dgo\"", "\"dog\""][..]),
            (
                r#"{"words": "subset", "weights": {"cat": 2}}"#,
                &["world.weights", "\"cat\"", "not in this world"],
            ),
            (r#"{"weights": {"dog": 8, "Dog": 2}}"#, &["world.weights", "\"Dog\" and \"dog\""]),
            (
                r#"{"answers": {"Is it alive?": {"dog": "no"}, "Is it not alive?": {"dog": "no"}}}"#,
                &["world.answers", "\"dog\"", "\"Is it alive?\" and \"Is it not alive?\""],
            ),
            (r#"{"weights": {"dog": -1}}"#, &["-1", "\"dog\"", "0 or more"]),
            (r#"{"answers": {"Is it a zorb?": {"dog": "yes"}}}"#, &["zorb", "Is it alive?"]),
            (r#"{"answers": {"Is it a cat?": {"dog": "yes"}}}"#, &["Is it a cat?", "no property"]),
            (
                r#"{"answers": {"Is it alive?": {"zorb": "yes"}}}"#,
                &["world.answers", "zorb", "not in the table", "nearest"],
            ),
            (r#"{"answers": {"Is it alive?": {"dog": "sometimes"}}}"#, &["sometimes", "yes or no"]),
            (r#"{"extra": ["dog"]}"#, &["dog", "twice"]),
            (r#"{"extra": ["unobtainium"]}"#, &["world.extra", "unobtainium", "not in the table"]),
            (r#"{"name": "bandit", "weights": {"1": 2}}"#, &["bandit", "weights"]),
            (r#"{"name": "guess_my_city", "extra": ["dog"]}"#, &["guess_my_city", "extra"]),
        ] {
            let error = make_one(&world(json).unwrap()).err().unwrap_or_else(|| panic!("{json}"));
            let error = error.to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
        let alone: Vec<String> = (0..157).map(|i| crate::words::words()[i].name().into()).collect();
        let none: BTreeMap<String, f64> = alone.into_iter().map(|name| (name, 0.0)).collect();
        let config = WorldConfig { weights: none, ..WorldConfig::default() };
        assert!(make_one(&config).err().unwrap().to_string().contains("no word"));
    }
}
