//! Questions with numbers: how long, tall, fast or dear a thing is, and how many parts it has.
//!
//! Sizes and weights are known of every object ([`super::compare`]). What else can be counted stands
//! in `amounts.txt`, for kinds and objects. "Is it more than 2 metres tall?", "Does it cost under
//! $20?", "Can it go faster than a car?", "Has it got at least four wheels?".

use super::clause::Clause;
use super::compare::{Comparison, Measure, Measures, Relation, number, unit_of};
use super::words::{AS, GOT, HAVE, Map, THAN, Tokens, Vocabulary, WordId};
use super::{ObjectId, Value};

/// The least and the greatest amount; equal where one number says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    pub least: f32,
    pub most: f32,
    /// Whether it was written for the object, and does not only follow from what it is.
    pub known: bool,
}

impl Amount {
    /// One number that was written.
    pub fn exactly(number: f32) -> Self {
        Amount { least: number, most: number, known: true }
    }

    /// Whether it compares so; nothing where bounds that only follow do not decide.
    fn value(self, comparison: &Comparison) -> Option<Value> {
        let counted = matches!(comparison.measure, Measure::Count(_));
        if self.least == self.most && !counted && self.least > 0.0 {
            let measures = Measures { size: self.least, weight: self.least };
            return Some(Comparison { measure: Measure::Size, ..*comparison }.value(&measures));
        }
        let than = comparison.amount;
        let (all, none) = match comparison.relation {
            Relation::More | Relation::MuchMore => (self.least > than, self.most <= than),
            Relation::Less | Relation::MuchLess => (self.most < than, self.least >= than),
            Relation::AtLeast => (self.least >= than, self.most < than),
            Relation::AtMost => (self.most <= than, self.least > than),
            Relation::Same => {
                (self.least == than && self.most == than, self.least > than || self.most < than)
            }
        };
        match (all, none) {
            (true, _) => Some(Value::Yes),
            (_, true) => Some(Value::No),
            _ => self.known.then_some(Value::Sometimes(0.5)),
        }
    }
}

/// What `amounts.txt` tells: for each measure one row of the objects; the later one counts.
#[derive(Default)]
pub(super) struct Amounts {
    rows: Vec<(Measure, Vec<Option<Amount>>)>,
    /// The words of the parts that are counted.
    parts: Vec<(Box<[WordId]>, Measure)>,
    /// What words say, by their numbers.
    words: Vec<Option<Word>>,
}

/// What a word says in such a question.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// "taller": what is compared, and how.
    Compares(Measure, Relation),
    /// "weigh", "tall", "expensive".
    Names(Measure),
    /// "over", "under", "exactly".
    Relates(Relation),
    /// The first word of "at least" and "at most", and what says nothing here.
    Filler,
}

const WORDS: &[(&str, Word)] = {
    use Measure::{Height, Length, Price, Size, Speed, Weight};
    use Relation::{AtLeast, AtMost, Less, More, Same};
    use Word::{Compares, Filler, Names, Relates};
    &[
        ("bigger", Compares(Size, More)),
        ("smaller", Compares(Size, Less)),
        ("heavier", Compares(Weight, More)),
        ("lighter", Compares(Weight, Less)),
        ("taller", Compares(Height, More)),
        ("higher", Compares(Height, More)),
        ("deeper", Compares(Height, More)),
        ("deep", Names(Height)),
        ("shorter", Compares(Height, Less)),
        ("longer", Compares(Length, More)),
        ("wider", Compares(Length, More)),
        ("narrower", Compares(Length, Less)),
        ("faster", Compares(Speed, More)),
        ("quicker", Compares(Speed, More)),
        ("slower", Compares(Speed, Less)),
        ("cheaper", Compares(Price, Less)),
        ("pricier", Compares(Price, More)),
        ("dearer", Compares(Price, More)),
        ("costlier", Compares(Price, More)),
        ("weigh", Names(Weight)),
        ("weight", Names(Weight)),
        ("heavy", Names(Weight)),
        ("cost", Names(Price)),
        ("price", Names(Price)),
        ("expensive", Names(Price)),
        ("worth", Names(Price)),
        ("tall", Names(Height)),
        ("high", Names(Height)),
        ("height", Names(Height)),
        ("long", Names(Length)),
        ("length", Names(Length)),
        ("wide", Names(Length)),
        ("fast", Names(Speed)),
        ("speed", Names(Speed)),
        ("reach", Names(Speed)),
        ("travel", Names(Speed)),
        ("more", Relates(More)),
        ("over", Relates(More)),
        ("above", Relates(More)),
        ("exceed", Relates(More)),
        ("fewer", Relates(Less)),
        ("less", Relates(Less)),
        ("under", Relates(Less)),
        ("below", Relates(Less)),
        ("least", Relates(AtLeast)),
        ("most", Relates(AtMost)),
        ("exactly", Relates(Same)),
        ("only", Relates(Same)),
        ("about", Relates(Same)),
        ("around", Relates(Same)),
        ("at", Filler),
        ("in", Filler),
        ("of", Filler),
        ("than", Filler),
        ("measure", Filler),
        ("go", Filler),
        ("run", Filler),
        ("move", Filler),
        ("drive", Filler),
        ("fly", Filler),
        ("total", Filler),
    ]
};

impl Amounts {
    /// A reader of such questions; it reads none before something is told of some measure.
    pub fn learn_words(&mut self, vocabulary: &mut Vocabulary) {
        for &(word, says) in WORDS {
            let word = usize::from(vocabulary.intern(word));
            self.words.resize(self.words.len().max(word + 1), None);
            self.words[word] = Some(says);
        }
    }

    /// Names a measure whose row is `row`; a part that is counted by its words.
    pub fn tell(
        &mut self,
        measure: Measure,
        part: Option<Box<[WordId]>>,
        row: Vec<Option<Amount>>,
    ) {
        self.rows.push((measure, row));
        if let Some(part) = part {
            self.parts.push((part, measure));
        }
    }

    /// The number of parts that are counted.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Whether an object compares so; nothing where it is not known.
    pub fn value(
        &self,
        object: ObjectId,
        measures: &Measures,
        comparison: &Comparison,
    ) -> Option<Value> {
        match comparison.measure {
            Measure::Size | Measure::Weight => Some(comparison.value(measures)),
            measure => self.amount(object, measures, measure)?.value(comparison),
        }
    }

    fn amount(&self, object: ObjectId, measures: &Measures, measure: Measure) -> Option<Amount> {
        let told = |measure| {
            let row = self.rows.iter().rev().find(|(of, _)| *of == measure);
            row.and_then(|(_, row)| row[object.0])
        };
        match measure {
            Measure::Size => Some(Amount::exactly(measures.size)),
            Measure::Weight => Some(Amount::exactly(measures.weight)),
            // Of a thing that does not stand, people say "shorter" of its length.
            Measure::Height => Some(
                told(measure)
                    .or_else(|| told(Measure::Length))
                    .unwrap_or(Amount::exactly(measures.size)),
            ),
            Measure::Length => Some(told(measure).unwrap_or(Amount::exactly(measures.size))),
            _ => told(measure),
        }
    }

    /// Reads the words of a clause whose subject is the object.
    pub fn read(
        &self,
        clause: &Clause,
        tokens: &Tokens,
        measures: &[Measures],
        names: &Map<Box<[WordId]>, ObjectId>,
        references: &Map<Box<[WordId]>, ObjectId>,
    ) -> Option<Comparison> {
        if self.rows.is_empty() {
            return None;
        }
        let words = clause.words();
        let (mut measure, mut relation, mut counts) = (None, None, false);
        let mut at = 0;
        while at < words.len() {
            match words[at] {
                HAVE if at == 0 => counts = true,
                GOT | AS | THAN => {}
                word => match self.word(word) {
                    Some(Word::Compares(compared, how)) if measure.is_none() => {
                        (measure, relation) = (Some(compared), Some(how));
                    }
                    Some(Word::Names(named)) if measure.is_none() => measure = Some(named),
                    Some(Word::Relates(how)) => {
                        // "only more than" is no relation, "no more than" is read elsewhere.
                        if relation.replace(how).is_some() {
                            return None;
                        }
                    }
                    Some(Word::Filler) => {}
                    _ => break,
                },
            }
            at += 1;
        }
        let rest = &words[at..];
        if rest.is_empty() || at == 0 && !self.is_quantity(clause, tokens) {
            return None;
        }
        let compared = |measure, amount| Comparison {
            measure,
            relation: relation.unwrap_or(Relation::Same),
            amount,
        };
        // "faster than a car"
        if let (Some(measure), Some(_), false) = (measure, relation, counts) {
            if let Some(&object) = names.get(rest) {
                let amount = self.amount(object, &measures[object.0], measure)?;
                return Some(compared(measure, (amount.least + amount.most) / 2.0));
            }
            if let (Measure::Height | Measure::Length, Some(of)) = (measure, references.get(rest)) {
                return Some(compared(measure, measures[of.0].size));
            }
        }
        let (count, mut next) = self.number(clause, tokens, at);
        if counts {
            let said = words.get(next..)?;
            let (_, part) = self.parts.iter().rev().find(|(part, _)| **part == *said)?;
            return (next > at).then(|| compared(*part, count));
        }
        let text = |i: usize| (i < words.len()).then(|| clause.text(tokens, i));
        let (mut unit, factor) = unit_of(text(next)?)?;
        next += 1;
        let per_hour = match (text(next), text(next + 1)) {
            (Some("per"), Some("hour" | "h")) => 2,
            (Some("h" | "hour" | "hr"), _) => 1,
            _ => 0,
        };
        let mut amount = count * factor;
        if per_hour > 0 && unit == Measure::Size {
            (unit, amount) = (Measure::Speed, amount / 100_000.0);
            next += per_hour;
        }
        while let Some(said) = words.get(next).and_then(|word| self.word(*word)) {
            match said {
                Word::Names(named) if measure.is_none_or(|measure| measure == named) => {
                    measure = Some(named);
                }
                Word::Filler => {}
                _ => return None,
            }
            next += 1;
        }
        if next < words.len() {
            return None;
        }
        let measure = match (measure, unit) {
            (None, unit) => unit,
            (Some(Measure::Length | Measure::Height | Measure::Size), Measure::Size) => measure?,
            (Some(Measure::Price), Measure::Weight) if text(next - 1)?.starts_with("pound") => {
                amount = count * 1.3;
                Measure::Price
            }
            (Some(measure), unit) if measure == unit => measure,
            _ => return None,
        };
        Some(compared(measure, amount))
    }

    fn word(&self, word: WordId) -> Option<Word> {
        *self.words.get(usize::from(word))?
    }

    /// Whether a clause begins with a number: "2 metres tall".
    fn is_quantity(&self, clause: &Clause, tokens: &Tokens) -> bool {
        self.number(clause, tokens, 0).1 > 0
    }

    /// The number that begins at a word ("2", "two hundred", "half", "one and a half"), and where it
    /// ends; 1 where there is none, as in "over a foot".
    fn number(&self, clause: &Clause, tokens: &Tokens, start: usize) -> (f32, usize) {
        let count = clause.words().len();
        let mut at = start;
        let mut total: Option<f32> = None;
        while at < count {
            let text = clause.text(tokens, at);
            let last = at + 1 == count;
            total = Some(match (text, total) {
                _ if last && unit_of(text).is_some() => break,
                ("half", Some(total)) => total + 0.5,
                ("half", None) => 0.5,
                ("quarter", None) => 0.25,
                ("and" | "of", Some(total)) if !last => total,
                ("couple" | "pair", None) => 2.0,
                ("dozen", total) => total.unwrap_or(1.0) * 12.0,
                ("hundred" | "thousand" | "million" | "k", total) => {
                    let scale = match text {
                        "hundred" => 100.0,
                        "million" => 1e6,
                        _ => 1000.0,
                    };
                    total.unwrap_or(1.0) * scale
                }
                (text, total) => match (number(text), total) {
                    (Some(number), None) => number,
                    (Some(number), Some(total)) if total > number => total + number,
                    _ => break,
                },
            });
            at += 1;
        }
        (total.unwrap_or(1.0), at)
    }
}
