//! Questions with numbers: how long, tall, fast or dear a thing is, and how many parts it has.
//!
//! Sizes and weights are known of every object ([`super::compare`]). What else can be counted stands
//! in `amounts.txt`, for kinds and objects. "Is it more than 2 metres tall?", "Does it cost under
//! $20?", "Can it go faster than a car?", "Has it got at least four wheels?".

use super::clause::Clause;
use super::compare::{Comparison, Measure, Measures, Relation, number, unit_of};
use super::words::{AS, DO, GOT, HAVE, IS, Map, PEOPLE, THAN, Tokens, Vocabulary, WordId};
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
    /// "between"
    Ranges,
    /// The first word of "at least" and "at most", and what says nothing here.
    Filler,
}

/// What a number is said of, before its unit.
#[derive(Clone, Copy)]
struct Head {
    measure: Option<Measure>,
    relation: Option<Relation>,
    /// The number counts parts.
    counts: bool,
    /// "between"
    ranges: bool,
    /// The number of words that say so.
    end: usize,
}

/// A number that was said, in the unit of its measure.
struct Quantity {
    measure: Measure,
    relation: Relation,
    amount: f32,
    /// The other end of a range.
    to: Option<f32>,
}

/// A unit of length that is driven in an hour is one of speed; the unit ends before the last number.
fn per_hour(unit: Measure, factor: f32, next: usize, texts: &[&str]) -> (Measure, f32, usize) {
    let words = match (text(texts, next), text(texts, next + 1)) {
        ("per", "hour" | "h") => 2,
        ("h" | "hour" | "hr", _) => 1,
        _ => 0,
    };
    match (unit, words) {
        (Measure::Size, 1..) => (Measure::Speed, factor / 100_000.0, next + words),
        _ => (unit, factor, next),
    }
}

/// "hundred", and "hundreds".
fn scale(text: &str) -> Option<f32> {
    Some(match text.strip_suffix('s').unwrap_or(text) {
        "k" => 1000.0,
        "dozen" => 12.0,
        "hundred" => 100.0,
        "thousand" => 1000.0,
        "million" => 1e6,
        _ => return None,
    })
}

const WORDS: &[(&str, Word)] = {
    use Measure::{Height, Length, Price, Size, Speed, Weight};
    use Relation::{AtLeast, AtMost, Less, More, Same};
    use Word::{Compares, Filler, Names, Ranges, Relates};
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
        ("across", Names(Length)),
        ("diameter", Names(Length)),
        ("between", Ranges),
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
        ("top", Filler),
        ("lot", Filler),
        ("much", Filler),
        ("for", Filler),
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

    /// Reads the words of a clause whose subject is the object; a second comparison is the other end
    /// of a range.
    pub fn read(
        &self,
        clause: &Clause,
        tokens: &Tokens,
        measures: &[Measures],
        names: &Map<Box<[WordId]>, ObjectId>,
        references: &Map<Box<[WordId]>, ObjectId>,
    ) -> Option<(Comparison, Option<Comparison>)> {
        if self.rows.is_empty() {
            return None;
        }
        let words = clause.words();
        let head = self.head(words)?;
        let rest = &words[head.end..];
        let texts: Vec<&str> = (0..words.len()).map(|i| clause.text(tokens, i)).collect();
        if rest.is_empty() || head.end == 0 && !is_quantity(&texts, clause.article) {
            return None;
        }
        // "faster than a car"
        if let (Some(measure), Some(relation), false) = (head.measure, head.relation, head.counts) {
            if let Some(&object) = names.get(rest) {
                let amount = self.amount(object, &measures[object.0], measure)?;
                let amount = (amount.least + amount.most) / 2.0;
                return Some((Comparison { measure, relation, amount }, None));
            }
            if let (Measure::Height | Measure::Length, Some(of)) = (measure, references.get(rest)) {
                let amount = measures[of.0].size;
                return Some((Comparison { measure, relation, amount }, None));
            }
        }
        let said = self.said(words, &texts, head)?;
        let compared = |relation, amount| Comparison { measure: said.measure, relation, amount };
        match said.to {
            Some(to) => Some((
                compared(Relation::AtLeast, said.amount),
                Some(compared(Relation::AtMost, to)),
            )),
            None => Some((compared(said.relation, said.amount), None)),
        }
    }

    /// What stands before the number: what is compared, and how.
    fn head(&self, words: &[WordId]) -> Option<Head> {
        let mut head = Head { measure: None, relation: None, counts: false, ranges: false, end: 0 };
        for (at, &word) in words.iter().enumerate() {
            head.end = at;
            match word {
                HAVE if at == 0 => head.counts = true,
                // "Is its weight over 2 kg?" has the letters of "it is weight".
                IS if at == 0 => {}
                DO | GOT | AS | THAN => {}
                word => match self.word(word) {
                    Some(Word::Compares(compared, how)) if head.measure.is_none() => {
                        (head.measure, head.relation) = (Some(compared), Some(how));
                    }
                    Some(Word::Names(named)) if head.measure.is_none() => {
                        head.measure = Some(named);
                    }
                    Some(Word::Relates(how)) => {
                        // "only more than" is no relation, "no more than" is read elsewhere.
                        if head.relation.replace(how).is_some() {
                            return None;
                        }
                    }
                    Some(Word::Ranges) => head.ranges = true,
                    Some(Word::Filler) => {}
                    _ => return Some(head),
                },
            }
        }
        head.end = words.len();
        Some(head)
    }

    /// The number, its unit or part, and what stands behind.
    fn said(&self, words: &[WordId], texts: &[&str], head: Head) -> Option<Quantity> {
        let text = |i: usize| text(texts, i);
        let (count, mut next) = read_number(texts, head.end, head.ranges);
        let many = text(head.end).ends_with('s');
        // "between 10 and 30", "10 to 30", "10-30", "100 grams to 5 kilos"
        let own = unit_of(text(next)).filter(|_| head.ranges && text(next + 1) == "and");
        let joined = next + usize::from(own.is_some());
        let second = joined + usize::from(next > head.end && matches!(text(joined), "and" | "to"));
        let (to, after) = read_number(texts, second, true);
        let to = (next > head.end && after > second && (to > count || own.is_some())).then_some(to);
        if to.is_some() {
            next = after;
        }
        if head.ranges != to.is_some() && (head.ranges || head.relation.is_some()) {
            return None;
        }
        let mut end = words.len();
        // "4 or more legs", "4 legs or more"
        let or = if text(next) == "or" { next } else { end.saturating_sub(2) };
        let relation = match self.or_more(words, texts, or) {
            Some(relation) if head.relation.is_none() && to.is_none() => {
                if or == next {
                    next += 2
                } else {
                    end = or
                }
                Some(relation)
            }
            Some(_) => return None,
            // "dozens of keys"
            None if many => head.relation.or(Some(Relation::AtLeast)),
            None => head.relation,
        };
        if head.counts {
            let named = words.get(next..end)?;
            let (part, measure) = self.parts.iter().rev().find(|(part, _)| **part == *named)?;
            // What holds twenty people holds ten.
            let least = if **part == [PEOPLE] { Relation::AtLeast } else { Relation::Same };
            let relation = relation.unwrap_or(least);
            let said = Quantity { measure: *measure, relation, amount: count, to };
            return (next > head.end).then_some(said);
        }
        let (unit, factor, mut next) = match (unit_of(text(next)), head.measure) {
            (Some((unit, factor)), _) => per_hour(unit, factor, next + 1, texts),
            // "more than 5k"
            (None, Some(Measure::Price)) if next > head.end => (Measure::Price, 1.0, next),
            _ => return None,
        };
        let mut rest = 0.0;
        if text(next) == "and" && text(next + 1) == "half" {
            (rest, next) = (0.5 * factor, next + 2);
        } else if let (small, end) = read_number(texts, next, true)
            && end > next
        {
            // "5 feet 2", "5 feet 2 inches"
            let inch = text(next - 1).starts_with('f').then_some((2.54, end));
            let smaller = unit_of(text(end)).map(|(_, worth)| (worth, end + 1));
            let (smaller, end) = smaller.or(inch)?;
            (rest, next) = (small * smaller, end);
        }
        let pounds = text(next.saturating_sub(1)).starts_with("pound");
        let mut measure = head.measure;
        for &word in words.get(next..end)? {
            match self.word(word)? {
                Word::Names(named)
                    if measure.is_none_or(|measure| {
                        measure == named || measure == Measure::Size && unit == Measure::Size
                    }) =>
                {
                    measure = Some(named);
                }
                Word::Filler => {}
                _ => return None,
            }
        }
        let (measure, factor) = match (measure, unit) {
            (None, unit) => (unit, factor),
            (
                Some(measure @ (Measure::Length | Measure::Height | Measure::Size)),
                Measure::Size,
            ) => (measure, factor),
            (Some(Measure::Price), _) if pounds => (Measure::Price, 1.3),
            (Some(measure), unit) if measure == unit => (measure, factor),
            _ => return None,
        };
        // What goes 100 miles an hour goes 50.
        let fast = measure == Measure::Speed && relation.is_none();
        let relation = relation.unwrap_or(if fast { Relation::AtLeast } else { Relation::Same });
        let to = to.map(|to| to * factor);
        let least = own.map_or(factor, |(_, factor)| factor);
        Some(Quantity { measure, relation, amount: count * least + rest, to })
    }

    /// "or more" and "or less" at a place.
    fn or_more(&self, words: &[WordId], texts: &[&str], at: usize) -> Option<Relation> {
        match self.word(*words.get(at + 1).filter(|_| texts[at] == "or")?)? {
            Word::Relates(Relation::More) | Word::Compares(_, Relation::More) => {
                Some(Relation::AtLeast)
            }
            Word::Relates(Relation::Less) | Word::Compares(_, Relation::Less) => {
                Some(Relation::AtMost)
            }
            _ => None,
        }
    }

    fn word(&self, word: WordId) -> Option<Word> {
        *self.words.get(usize::from(word))?
    }
}

/// The text of a word, or none behind the last.
fn text<'t>(texts: &[&'t str], at: usize) -> &'t str {
    texts.get(at).copied().unwrap_or("")
}

/// Whether a clause begins with a number ("2 metres tall") or with one unit ("a mile high").
fn is_quantity(texts: &[&str], article: bool) -> bool {
    let one = article && texts.len() > 1 && unit_of(texts[0]).is_some();
    one || read_number(texts, 0, false).1 > 0
}

/// The number that begins at a word ("2", "two hundred", "half", "one and a half"), and where it ends; 1
/// where there is none, as in "over a foot". In ranges "and" ends it: "between two and three".
fn read_number(texts: &[&str], start: usize, ranges: bool) -> (f32, usize) {
    let mut at = start;
    let mut total: Option<f32> = None;
    while at < texts.len() {
        let last = at + 1 == texts.len();
        total = Some(match (texts[at], total) {
            (text, _) if last && unit_of(text).is_some() => break,
            ("half", Some(total)) => total + 0.5,
            ("half", None) => 0.5,
            ("quarter", None) => 0.25,
            ("and", Some(_)) if ranges => break,
            ("and" | "of", Some(total)) if !last => total,
            ("couple" | "pair", None) => 2.0,
            ("few", None) => 3.0,
            (text, total) => match (scale(text), number(text), total) {
                (Some(scale), ..) => total.unwrap_or(1.0) * scale,
                (_, Some(number), None) => number,
                // "twenty five", "two hundred and ten", not "two one"
                (_, Some(number), Some(total))
                    if total > number && (total as u32).is_multiple_of(10) =>
                {
                    total + number
                }
                _ => break,
            },
        });
        at += 1;
    }
    (total.unwrap_or(1.0), at)
}
