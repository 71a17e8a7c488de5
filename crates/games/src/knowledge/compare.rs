//! Comparisons of size and weight: with any object of the table, with a few other things
//! (`references.txt`), and with numbers ("Does it weigh more than 5 pounds?").
//!
//! A size is one length in centimetres that says how big people feel a thing to be: about its
//! longest side for compact things, less for long thin ones. A weight is in kilograms.

use super::clause::Clause;
use super::words::{AS, Map, PEOPLE, THAN, Tokens, Vocabulary, WordId};
use super::{ObjectId, Value};
use crate::decimal::decimal;

/// Size in centimetres and weight in kilograms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Centimetres.
    pub size: f32,
    /// Kilograms.
    pub weight: f32,
}

impl Measures {
    /// Reads "46cm 4kg"; metres, kilometres, millimetres, grams and tons are understood too.
    pub fn parse(text: &str) -> Option<Self> {
        let (size, weight) = text.split_once(' ')?;
        match (amount(size)?, amount(weight.trim())?) {
            ((Measure::Size, size), (Measure::Weight, weight)) => Some(Measures { size, weight }),
            _ => None,
        }
    }

    /// One of the two: the weight, or what stands for every other measure.
    pub fn get(&self, measure: Measure) -> f32 {
        match measure {
            Measure::Weight => self.weight,
            _ => self.size,
        }
    }
}

/// Reads one measure with its unit: "46cm".
pub(super) fn amount(text: &str) -> Option<(Measure, f32)> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f32 =
        decimal(&text[..unit]).map(|number| number as f32).filter(|&number| number > 0.0)?;
    let (measure, factor) = unit_of(&text[unit..])?;
    Some((measure, number * factor))
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Size in centimetres.
    Size,
    /// Weight in kilograms.
    Weight,
    /// The longest side in centimetres.
    Length,
    /// The height in centimetres.
    Height,
    /// What it costs, in dollars.
    Price,
    /// How fast it gets, in kilometres an hour.
    Speed,
    /// How many it has of some part, by the place of the part in `amounts.txt`.
    Count(u8),
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Bigger, heavier.
    More,
    /// Smaller, lighter.
    Less,
    /// Much bigger, much heavier: about twice or more.
    MuchMore,
    /// Much smaller, much lighter: about half or less.
    MuchLess,
    /// "As big as", at least.
    AtLeast,
    /// "As small as", at most.
    AtMost,
    /// "The size of", "the same weight as".
    Same,
}

/// A comparison with an amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub measure: Measure,
    /// How.
    pub relation: Relation,
    /// Centimetres or kilograms.
    pub amount: f32,
}

impl Comparison {
    /// Whether `measures` compare so. Within 15 % people disagree, which gives [`Value::Sometimes`].
    pub fn value(&self, measures: &Measures) -> Value {
        const BAND: f32 = 0.14; // logarithm of 1.15
        const MUCH: f32 = std::f32::consts::LN_2;
        let ratio = (measures.get(self.measure) / self.amount).ln();
        // The share of people who would say that it is more, between the two ends of the band.
        let more = ((ratio + BAND) / (2.0 * BAND)).clamp(0.0, 1.0);
        let equal = ratio.abs() < 1e-4;
        match self.relation {
            Relation::More | Relation::Less if equal => Value::No,
            Relation::AtLeast | Relation::AtMost if equal => Value::Yes,
            Relation::MuchMore => Value::of((ratio / MUCH - 0.5) * 2.0),
            Relation::MuchLess => Value::of((-ratio / MUCH - 0.5) * 2.0),
            Relation::More | Relation::AtLeast => Value::of(more),
            Relation::Less | Relation::AtMost => Value::of(1.0 - more),
            Relation::Same => Value::of(2.0 - ratio.abs() / (2.0 * BAND)),
        }
    }
}

/// Units of a measure with their plurals but for a final "s", and their worth in the unit of [`Measure`].
const UNITS: &[(&str, Measure, f32)] = {
    use Measure::{Price, Size, Speed, Weight};
    &[
        ("mm millimeter", Size, 0.1),
        ("cm centimeter centimetre", Size, 1.0),
        ("m meter metre", Size, 100.0),
        ("km kilometer kilometre", Size, 100_000.0),
        ("inch inche in", Size, 2.54),
        ("foot feet ft", Size, 30.48),
        ("yard yd", Size, 91.44),
        ("mile", Size, 160_934.0),
        ("mg milligram", Weight, 1e-6),
        ("g gram gramme gm", Weight, 0.001),
        ("kg kilo kilogram kilogramme", Weight, 1.0),
        ("t ton tonne", Weight, 1000.0),
        ("ounce oz", Weight, 0.02835),
        ("pound lb", Weight, 0.4536),
        ("stone", Weight, 6.35),
        ("cent", Price, 0.01),
        ("dollar buck usd", Price, 1.0),
        ("euro eur", Price, 1.1),
        ("quid gbp", Price, 1.3),
        ("grand", Price, 1000.0),
        ("mph", Speed, 1.609),
        ("kmh kph", Speed, 1.0),
    ]
};

/// The measure that a unit measures and its worth in the unit of [`Measure`].
pub(super) fn unit_of(unit: &str) -> Option<(Measure, f32)> {
    let one = if unit.len() > 2 { unit.strip_suffix('s').unwrap_or(unit) } else { unit };
    let found = UNITS.iter().find(|(names, ..)| names.split(' ').any(|name| name == one));
    found.map(|&(_, measure, worth)| (measure, worth))
}

/// A number in digits, or in words as far as people use them in comparisons.
pub(super) fn number(text: &str) -> Option<f32> {
    const WORDS: &[(&str, f32)] = &[
        ("a", 1.0),
        ("an", 1.0),
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("four", 4.0),
        ("five", 5.0),
        ("six", 6.0),
        ("seven", 7.0),
        ("eight", 8.0),
        ("nine", 9.0),
        ("ten", 10.0),
        ("eleven", 11.0),
        ("twelve", 12.0),
        ("fifteen", 15.0),
        ("twenty", 20.0),
        ("thirty", 30.0),
        ("forty", 40.0),
        ("fifty", 50.0),
        ("sixty", 60.0),
        ("eighty", 80.0),
        ("hundred", 100.0),
        ("thousand", 1000.0),
    ];
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if text.bytes().all(digits) && text.len() <= 8 {
        decimal(text).map(|number| number as f32).filter(|&number| number > 0.0)
    } else {
        WORDS.iter().find(|(word, _)| *word == text).map(|&(_, number)| number)
    }
}

/// The words of comparisons, and what may be compared with.
pub(super) struct Comparisons {
    bigger: WordId,
    smaller: WordId,
    heavier: WordId,
    lighter: WordId,
    big: WordId,
    small: WordId,
    heavy: WordId,
    light: WordId,
    much: WordId,
    same: WordId,
    size: WordId,
    weight: WordId,
    of: WordId,
    /// Measures of the objects in order, and behind them of things that are no objects.
    pub measures: Vec<Measures>,
    /// The places of the latter, by the words of their names.
    pub references: Map<Box<[WordId]>, ObjectId>,
}

impl Comparisons {
    pub fn new(vocabulary: &mut Vocabulary) -> Self {
        let mut id = |word| vocabulary.intern(word);
        Comparisons {
            bigger: id("bigger"),
            smaller: id("smaller"),
            heavier: id("heavier"),
            lighter: id("lighter"),
            big: id("big"),
            small: id("small"),
            heavy: id("heavy"),
            light: id("light"),
            much: id("much"),
            same: id("same"),
            size: id("size"),
            weight: id("weight"),
            of: id("of"),
            measures: Vec::new(),
            references: Map::default(),
        }
    }

    /// Reads "bigger than a cat", "as heavy as a car", "the size of a thumb", "heavier than 2 kg".
    pub fn read(
        &self,
        clause: &Clause,
        tokens: &Tokens,
        names: &Map<Box<[WordId]>, ObjectId>,
    ) -> Option<Comparison> {
        let words = clause.words();
        let (measure, relation, start) = self.relation(words)?;
        let amount = self
            .thing(&words[start..], names)
            .map(|measures| measures.get(measure))
            .or_else(|| self.quantity(clause, tokens, start, measure))?;
        Some(Comparison { measure, relation, amount })
    }

    fn relation(&self, words: &[WordId]) -> Option<(Measure, Relation, usize)> {
        let is = |word: WordId| move |other: &WordId| *other == word;
        match words {
            [much, rest @ ..] if *much == self.much => {
                let (measure, relation, start) = self.relation(rest)?;
                let relation = match relation {
                    Relation::More => Relation::MuchMore,
                    Relation::Less => Relation::MuchLess,
                    _ => return None,
                };
                Some((measure, relation, start + 1))
            }
            [word, than, _, ..] if is(THAN)(than) => {
                let compared = [
                    (self.bigger, Measure::Size, Relation::More),
                    (self.smaller, Measure::Size, Relation::Less),
                    (self.heavier, Measure::Weight, Relation::More),
                    (self.lighter, Measure::Weight, Relation::Less),
                ];
                let (_, measure, relation) = compared.into_iter().find(|(id, ..)| id == word)?;
                Some((measure, relation, 2))
            }
            [first, word, last, _, ..] if is(AS)(first) && is(AS)(last) => {
                let compared = [
                    (self.big, Measure::Size, Relation::AtLeast),
                    (self.small, Measure::Size, Relation::AtMost),
                    (self.heavy, Measure::Weight, Relation::AtLeast),
                    (self.light, Measure::Weight, Relation::AtMost),
                ];
                let (_, measure, relation) = compared.into_iter().find(|(id, ..)| id == word)?;
                Some((measure, relation, 3))
            }
            [same, word, last, _, ..] if is(self.same)(same) && is(AS)(last) => {
                Some((self.measure(*word)?, Relation::Same, 3))
            }
            [word, of, _, ..] if is(self.of)(of) => Some((self.measure(*word)?, Relation::Same, 2)),
            _ => None,
        }
    }

    fn measure(&self, word: WordId) -> Option<Measure> {
        match word {
            _ if word == self.size => Some(Measure::Size),
            _ if word == self.weight => Some(Measure::Weight),
            _ => None,
        }
    }

    /// The measures of an object or of another thing, by the words of its name.
    pub fn thing(
        &self,
        words: &[WordId],
        names: &Map<Box<[WordId]>, ObjectId>,
    ) -> Option<Measures> {
        let thing = names.get(words).or_else(|| self.references.get(words));
        thing.map(|thing| self.measures[thing.0])
    }

    fn quantity(
        &self,
        clause: &Clause,
        tokens: &Tokens,
        start: usize,
        measure: Measure,
    ) -> Option<f32> {
        let count = clause.words().len();
        let (value, unit) = match count - start {
            // The article of "a foot" is no word of the clause.
            1 if clause.words()[start] != PEOPLE => (1.0, start),
            2 => (number(clause.text(tokens, start))?, start + 1),
            _ => return None,
        };
        let (measured, factor) = unit_of(clause.text(tokens, unit))?;
        (measured == measure).then_some(value * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_read_with_units() {
        let close = |text, size: f32, weight: f32| {
            let read = Measures::parse(text).unwrap();
            assert!(
                (read.size - size).abs() < 1e-3 && (read.weight - weight).abs() < 1e-5,
                "{read:?}"
            );
        };
        close("46cm 4kg", 46.0, 4.0);
        close("3mm 2g", 0.3, 0.002);
        close("12m 1.5t", 1200.0, 1500.0);
        for wrong in ["46cm", "4kg 46cm", "cm kg", "0cm 1kg", "3parsec 1kg"] {
            assert_eq!(Measures::parse(wrong), None);
        }
    }

    #[test]
    fn near_things_are_a_matter_of_opinion() {
        let compare = |relation, size| {
            let comparison = Comparison { measure: Measure::Size, relation, amount: 100.0 };
            comparison.value(&Measures { size, weight: 1.0 })
        };
        assert_eq!(compare(Relation::More, 120.0), Value::Yes);
        assert_eq!(compare(Relation::More, 80.0), Value::No);
        assert!(matches!(compare(Relation::More, 105.0), Value::Sometimes(w) if w > 0.5));
        assert!(matches!(compare(Relation::Less, 105.0), Value::Sometimes(w) if w < 0.5));
        assert_eq!(compare(Relation::More, 100.0), Value::No);
        assert_eq!(compare(Relation::MuchMore, 200.0), Value::Yes);
        assert_eq!(compare(Relation::MuchMore, 120.0), Value::No);
        assert_eq!(compare(Relation::MuchLess, 50.0), Value::Yes);
        assert_eq!(compare(Relation::AtLeast, 100.0), Value::Yes);
        assert_eq!(compare(Relation::Same, 110.0), Value::Yes);
        assert_eq!(compare(Relation::Same, 200.0), Value::No);
    }
}
