//! What the world of Twenty Questions knows: objects, yes/no properties, and how people ask.
//!
//! The knowledge is text that a person can read and edit, in `data/`: properties with their
//! questions, a tree of kinds that hand properties down, objects with what is particular to them,
//! and phrases that mean the same. [`table`] parses it once; [`Table::read`] understands a
//! question and [`Table::answer`] answers what was understood. Who plays, and what an answer is
//! worth, is no business of this module.

mod reader;

mod alike;
mod amounts;
mod clause;
mod compare;
mod inflection;
mod loose;
mod spelling;
mod words;

mod compile;
mod facts;
mod format;
mod heard;
#[cfg(feature = "own")]
mod own;

use std::sync::OnceLock;

pub use compare::{Comparison, Measure, Measures, Relation};
pub use compile::Sources;
pub use format::DataError;
pub(crate) use format::Place;
pub use loose::Hearing;
#[cfg(feature = "own")]
pub use own::{MAX_OWN_BYTES, MAX_OWN_OBJECTS, MAX_OWN_PROPERTIES, own_table, provide};
pub use reader::{Claim, Degree, Joint, Literal, Part, Reading, Simple};
pub use spelling::{Letter, Spelling};

use crate::data;
use heard::Heard;
use reader::Reader;
pub(crate) use words::Map;

/// The files of the embedded table, unpacked on first use.
pub fn embedded() -> &'static Sources<'static> {
    static SOURCES: OnceLock<Sources<'static>> = OnceLock::new();
    SOURCES.get_or_init(|| Sources {
        properties: data::source("properties.txt"),
        kinds: data::source("kinds.txt"),
        phrases: data::source("phrases.txt"),
        references: data::source("references.txt"),
        heard: if cfg!(feature = "heard") { data::source("heard.txt") } else { ("heard.txt", "") },
        amounts: data::source("amounts.txt"),
        objects: data::sources("objects/"),
    })
}

/// The embedded table, parsed on first use.
///
/// # Panics
/// If the embedded data has a mistake, which the tests of this crate exclude.
pub fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        Table::parse(embedded()).unwrap_or_else(|error| panic!("embedded data: {error}"))
    })
}

/// The noun phrase that a question of the form of a guess names, in lower case and without article.
///
/// "Could it be a tennis racket?" gives "tennis racket" and "cat?" gives "cat"; "Is it made of
/// paper?", "Is it bigger than a cat?" and "Is it not a cat?" give nothing. The phrase need not
/// name an object of the table; [`Table::object`] tells, and knows plurals and aliases.
pub fn guess_phrase(question: &str) -> Option<String> {
    table().guess_phrase(question)
}

/// The place of an object in [`Table::objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub usize);

/// The place of a property in [`Table::properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyId(pub usize);

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It depends; the weight of yes lies in (0, 1).
    Sometimes(f32),
}

impl Value {
    /// The value whose weight of yes is `weight`.
    pub fn of(weight: f32) -> Self {
        match weight {
            _ if weight >= 1.0 => Value::Yes,
            _ if weight > 0.0 => Value::Sometimes(weight),
            _ => Value::No,
        }
    }

    /// The weight of yes, from 0 to 1.
    pub fn weight(self) -> f32 {
        match self {
            Value::Yes => 1.0,
            Value::No => 0.0,
            Value::Sometimes(weight) => weight,
        }
    }

    /// Whether yes is at least as likely as no.
    pub fn is_mostly_yes(self) -> bool {
        self.weight() >= 0.5
    }

    /// How much people disagree about it: 4w(1 − w) of the weight w of yes, which is 0 for what is
    /// certain and 1 where half say yes.
    pub fn dispute(self) -> f32 {
        let weight = self.weight();
        4.0 * weight * (1.0 - weight)
    }

    /// The value of the contrary.
    pub fn negated(self) -> Self {
        match self {
            Value::Yes => Value::No,
            Value::No => Value::Yes,
            Value::Sometimes(weight) => Value::Sometimes(1.0 - weight),
        }
    }

    fn to_byte(self) -> u8 {
        match self {
            Value::Yes => u8::MAX,
            Value::No => 0,
            Value::Sometimes(weight) => ((weight * 100.0).round() as u8).clamp(1, 99),
        }
    }

    fn from_byte(byte: u8) -> Self {
        match byte {
            u8::MAX => Value::Yes,
            0 => Value::No,
            percent => Value::Sometimes(f32::from(percent) / 100.0),
        }
    }
}

/// How the name of an object stands in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NounForm {
    /// "a cat"
    Count,
    /// "spinach"
    Mass,
    /// "a pair of pants"
    Pair,
    /// "the sun"
    Unique,
}

/// Something to be guessed.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The name, in lower case.
    pub name: String,
    /// Other names for the same.
    pub aliases: Vec<String>,
    /// The plural of the name.
    pub plural: String,
    /// The lowest kind it belongs to.
    pub category: String,
    /// How its name stands in a sentence.
    pub noun: NounForm,
    /// Size and weight.
    pub measures: Measures,
}

impl Object {
    /// The name with what stands before it: "a cat", "an apple", "spinach", "a pair of pants".
    pub fn with_article(&self) -> String {
        match self.noun {
            NounForm::Count => format!("{} {}", article(&self.name), self.name),
            NounForm::Mass => self.name.clone(),
            NounForm::Pair => format!("a pair of {}", self.plural),
            NounForm::Unique => format!("the {}", self.name),
        }
    }

    /// The question that guesses this object: "Is it a cat?".
    pub fn guess_question(&self) -> String {
        format!("Is it {}?", self.with_article())
    }
}

/// "a" or "an", by the sound of the first letters.
fn article(noun: &str) -> &'static str {
    let silent_h = noun.starts_with("hour") || noun.starts_with("honest");
    let sounds_like_you =
        ["uni", "ukulele", "use", "eu", "one"].iter().any(|start| noun.starts_with(start));
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    if silent_h || vowel && !sounds_like_you { "an" } else { "a" }
}

/// A yes/no question with its wordings.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// A short name, as the data calls it.
    pub name: String,
    /// The canonical question.
    pub question: String,
    /// Other questions with the same answer.
    pub paraphrases: Vec<String>,
    /// Questions with the contrary answer.
    pub opposites: Vec<String>,
    /// Whether it is a kind of the tree ("Is it an animal?").
    pub kind: bool,
}

/// Objects, properties and values, and a reader for questions about them.
pub struct Table {
    objects: Vec<Object>,
    properties: Vec<Property>,
    /// One byte a value, the row of each object in the order of the properties.
    values: Vec<u8>,
    /// Properties beyond these, which are understood and not asked; numbered behind them.
    heard: Vec<Heard>,
    reader: Reader,
    by_name: Map<Box<str>, ObjectId>,
    /// The objects that a person's own file adds or changes, in its order.
    own: Vec<ObjectId>,
    disputes: OnceLock<Vec<f32>>,
}

impl Table {
    /// Builds a table from its sources.
    ///
    /// # Errors
    /// The first mistake found, with file and line: an unknown name, a contradiction, a duplicate.
    pub fn parse(sources: &Sources<'_>) -> Result<Self, DataError> {
        compile::compile(sources, |_, _| Ok(Vec::new()))
    }

    /// The objects that a person's own file adds or changes, in its order; none of the embedded table.
    pub fn own(&self) -> &[ObjectId] {
        &self.own
    }

    /// The objects, in the order of the data.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The properties, kinds first.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The object with this name, alias or plural.
    pub fn object(&self, name: &str) -> Option<ObjectId> {
        self.by_name.get(name).copied().or_else(|| {
            let key = self.reader.known_name_key(name)?;
            self.reader.names.get(&key).copied()
        })
    }

    /// The property with this name.
    pub fn property(&self, name: &str) -> Option<PropertyId> {
        self.properties.iter().position(|property| property.name == name).map(PropertyId)
    }

    /// Whether an object has a property.
    ///
    /// # Panics
    /// If either is not of this table.
    pub fn value(&self, object: ObjectId, property: PropertyId) -> Value {
        if let Some(heard) = property.0.checked_sub(self.properties.len()) {
            assert!(heard < self.heard.len(), "property {} is not of this table", property.0);
            return Value::from_byte(self.heard[heard].values[object.0]);
        }
        Value::from_byte(self.values[object.0 * self.properties.len() + property.0])
    }

    /// Reads a question, and mends an error of typing where it is not read as it stands.
    pub fn hear(&self, question: &str) -> Hearing {
        self.reader.hear(question)
    }

    /// The object that a question guesses which is not read as it stands: "is it a bannana", "lol is it
    /// a dog".
    pub fn guessed_loosely(&self, question: &str) -> Option<ObjectId> {
        if self.reader.understand(question).is_some() {
            return None;
        }
        match self.hear(question).reading {
            Reading::Asks {
                claim: Claim::Is(object),
                negated: false,
                degree: Degree::Typically,
            } => Some(object),
            _ => None,
        }
    }

    /// How much people disagree about a property, from 0, where every object surely has it or has it
    /// not, to 1, where half would say yes of any object: the mean of [`Value::dispute`] over the
    /// objects.
    ///
    /// # Panics
    /// If it is not of this table.
    pub fn dispute(&self, property: PropertyId) -> f32 {
        if let Some(heard) = property.0.checked_sub(self.properties.len()) {
            let values = &self.heard[heard].values;
            let sum: f32 = values.iter().map(|value| Value::from_byte(*value).dispute()).sum();
            return sum / values.len() as f32;
        }
        let count = self.properties.len();
        let disputes = self.disputes.get_or_init(|| {
            let mut sums = vec![0.0; count];
            for row in self.values.chunks(count) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += Value::from_byte(*value).dispute();
                }
            }
            sums.iter().map(|sum| sum / self.objects.len() as f32).collect()
        });
        disputes[property.0]
    }

    /// Reads a question.
    pub fn read(&self, question: &str) -> Reading {
        self.reader.read(question)
    }

    /// The noun phrase that a question guesses; see [`guess_phrase`].
    pub fn guess_phrase(&self, question: &str) -> Option<String> {
        self.reader.guess_phrase(question)
    }

    /// Answers a question that was read; `None` if it was not understood.
    ///
    /// # Panics
    /// If the object is not of this table.
    pub fn answer(&self, object: ObjectId, reading: &Reading) -> Option<Value> {
        self.answer_by(object, reading, |_| None)
    }

    /// The same where some properties hold otherwise: `amended` gives their values.
    ///
    /// # Panics
    /// If the object is not of this table.
    pub fn answer_by(
        &self,
        object: ObjectId,
        reading: &Reading,
        amended: impl Fn(PropertyId) -> Option<Value>,
    ) -> Option<Value> {
        let Reading::Asks { claim, negated, degree } = *reading else {
            return None;
        };
        let has = |literal: Literal| {
            let value = amended(literal.property);
            let value = value.unwrap_or_else(|| self.value(object, literal.property));
            if literal.opposite { value.negated() } else { value }
        };
        let value = match claim {
            Claim::HasBoth(first, second) => Value::of(has(first).weight() * has(second).weight()),
            Claim::Two(joint, parts) => self.both(object, joint, parts, has)?,
            Claim::Has(literal) => has(literal),
            Claim::Is(named) => self.simple(object, Simple::Is(named), has)?,
            Claim::Compares(comparison) => {
                self.simple(object, Simple::Compares(comparison), has)?
            }
            Claim::Spells(spelling) => self.simple(object, Simple::Spells(spelling), has)?,
        };
        Some(settled(value, negated, degree))
    }

    fn simple(
        &self,
        object: ObjectId,
        claim: Simple,
        has: impl Fn(Literal) -> Value,
    ) -> Option<Value> {
        let truth = |holds| if holds { Value::Yes } else { Value::No };
        let this = &self.objects[object.0];
        Some(match claim {
            Simple::Has(literal) => has(literal),
            Simple::Is(named) => truth(named == object),
            Simple::Compares(comparison) => {
                self.reader.amounts.value(object, &this.measures, &comparison)?
            }
            Simple::Spells(spelling) => truth(spelling.holds(&this.name)),
        })
    }

    /// The answer to two questions in one: that of both where they agree. Where only one holds, "fur or
    /// feathers?" is answered by a yes and "big and heavy?" by none; nor is "man-made or natural?",
    /// to which the answer is yes of nearly everything, and which asks which of the two it is.
    fn both(
        &self,
        object: ObjectId,
        joint: Joint,
        [first, second]: [Part<Simple>; 2],
        has: impl Fn(Literal) -> Value,
    ) -> Option<Value> {
        let value = |part: Part<Simple>| {
            let value = self.simple(object, part.claim, &has)?;
            Some(settled(value, part.negated, part.degree))
        };
        let (one, other) = (value(first)?, value(second)?);
        let (less, more) = match one.weight() < other.weight() {
            true => (one, other),
            false => (other, one),
        };
        if one.is_mostly_yes() == other.is_mostly_yes() {
            return Some(if joint == Joint::Or { more } else { less });
        }
        if joint == Joint::To {
            return Some(less);
        }
        if let (Simple::Has(one), Simple::Has(other)) = (first.claim, second.claim)
            && one.property == other.property
        {
            return None;
        }
        let at = |object: ObjectId, part: Part<Simple>| {
            let has = |literal: Literal| {
                let value = self.value(object, literal.property);
                if literal.opposite { value.negated() } else { value }
            };
            self.simple(object, part.claim, has)
                .is_some_and(|value| settled(value, part.negated, part.degree).is_mostly_yes())
        };
        // Two guesses are no question.
        if let (Simple::Is(_), _) | (_, Simple::Is(_)) = (first.claim, second.claim) {
            return None;
        }
        const NEARLY: f32 = 0.75;
        let objects = (0..self.objects.len()).map(ObjectId);
        let told = joint == Joint::Or
            && (objects.filter(|&o| at(o, first) || at(o, second)).count() as f32)
                < NEARLY * self.objects.len() as f32;
        told.then_some(more)
    }
}

/// A value under the degree and the sense in which it is asked after.
fn settled(value: Value, negated: bool, degree: Degree) -> Value {
    let value = match (value, degree) {
        (Value::Sometimes(_), Degree::Ever) => Value::Yes,
        (Value::Sometimes(_), Degree::Always) => Value::No,
        _ => value,
    };
    if negated { value.negated() } else { value }
}
