//! What is known beyond the properties that players ask after: further wordings and properties
//! (`heard.txt`), and amounts (`amounts.txt`).
//!
//! The questions of the properties are what an agent is taught to ask; these here are only understood.
//! So they change no pool of questions, and need no line at each object: `@` lists who has them.
//!
//! ```text
//! edible                             a property that gets further wordings
//!   Is it food?
//! -                                  a property of its own
//!   Does it (bark|woof)?             several questions in one line
//!   @ dog, *dog family 0.3, -cat     an object, a kind or property (with a star), none of it
//!
//! wheels | wheels                    a part; objects without the property have none
//!   4: car, truck                    a number, or "2-4", or "~100-1000" where it is only a guess
//! ```

use super::amounts::{Amount, Amounts};
use super::compare::Measure;
use super::facts::Facts;
use super::format::{DataError, ObjectRecord, Place, lines, names};
use super::inflection::plural;
use super::reader::{Known, Literal, Reader};
use super::{PropertyId, Value};
use crate::decimal::decimal;

/// A property that is heard and not asked.
pub(super) struct Heard {
    /// One byte for each object, in order.
    pub values: Vec<u8>,
}

/// What the objects are, for the lists behind `@` and numbers.
pub(super) struct Things<'a> {
    pub records: &'a [ObjectRecord<'a>],
    pub facts: &'a Facts<'a>,
    /// Row by row, as in the table.
    pub values: &'a [u8],
}

/// One entry of a list: who is meant, and how much of it.
struct Item<'a> {
    name: &'a str,
    /// A kind or a property, not an object.
    many: bool,
    weight: f32,
    place: Place<'a>,
}

fn items<'a>(list: &'a str, place: Place<'a>) -> impl Iterator<Item = Item<'a>> {
    names(list).map(move |said| {
        let (name, none) = said.strip_prefix('-').map_or((said, false), |name| (name, true));
        let (name, many) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
        let weighed = name.rsplit_once(' ').and_then(|(name, w)| Some((name, decimal(w)? as f32)));
        let (name, weight) = weighed.unwrap_or((name, 1.0));
        Item { name, many, weight: if none { 0.0 } else { weight }, place }
    })
}

impl Things<'_> {
    /// The objects that an entry means, each with its weight.
    fn meant(&self, item: &Item<'_>) -> Result<Vec<(usize, f32)>, DataError> {
        let unknown = |what| item.place.error(format_args!("there is no {what} \"{}\"", item.name));
        if !item.many {
            let is = |record: &ObjectRecord<'_>| record.name == item.name;
            let object = self.records.iter().position(is).ok_or_else(|| unknown("object"))?;
            return Ok(vec![(object, item.weight)]);
        }
        let count = self.facts.asked.len();
        if let Some(&property) = self.facts.index.get(item.name) {
            let value = |object: usize| Value::from_byte(self.values[object * count + property]);
            let has = |object: &usize| value(*object) != Value::No;
            let weight = |object: usize| (object, value(object).weight() * item.weight);
            return Ok((0..self.records.len()).filter(has).map(weight).collect());
        }
        if !self.facts.kind_index.contains_key(item.name) {
            return Err(unknown("kind or property"));
        }
        let mut found = Vec::new();
        for (object, record) in self.records.iter().enumerate() {
            let line = self.facts.lineage(record.kind, record.place)?;
            if line.iter().any(|kind| kind.name == item.name) {
                found.push((object, item.weight));
            }
        }
        Ok(found)
    }
}

/// All questions of a line: a question, a use behind "=", or users behind ":".
fn questions(line: &str) -> Vec<String> {
    if let Some((act, acting)) = line.strip_prefix('=').and_then(|use_| use_.split_once('/')) {
        let (act, acting) = (act.trim(), acting.trim());
        return vec![
            format!("Do you {act} with it?"),
            format!("Do you use it for {acting}?"),
            format!("Do you use it to {act}?"),
            format!("Is it used to {act}?"),
            format!("Is it used for {acting}?"),
            format!("Does it {act}?"),
        ];
    }
    if let Some(users) = line.strip_prefix(':') {
        let users = names(users).map(|user| (user, plural(user)));
        let asked = users.flat_map(|(user, many)| {
            [
                format!("Does a {user} use it?"),
                format!("Does a {user} need it?"),
                format!("Does a {user} have it?"),
                format!("Does a {user} work with it?"),
                format!("Is it used by {many}?"),
                format!("Is it for {many}?"),
            ]
        });
        return asked.collect();
    }
    spelled_out(line).into_iter().map(plainly).collect()
}

/// Of a subject of its own, "would" is read as "does": "Would a plumber use it?".
fn plainly(question: String) -> String {
    let subjects = ["it ", "you ", "people ", "most people "];
    match question.strip_prefix("Would ") {
        Some(rest) if !subjects.iter().any(|subject| rest.starts_with(subject)) => {
            format!("Do {rest}")
        }
        _ => question,
    }
}

/// All questions of a line with alternatives: "Does it (bark|woof)?".
fn spelled_out(line: &str) -> Vec<String> {
    let Some((before, rest)) = line.split_once('(') else { return vec![line.to_string()] };
    let Some((inside, after)) = rest.split_once(')') else { return vec![line.to_string()] };
    inside.split('|').flat_map(|choice| spelled_out(&format!("{before}{choice}{after}"))).collect()
}

/// Teaches the reader `heard.txt`; returns its own properties in order.
pub(super) fn learn_heard(
    reader: &mut Reader,
    file: &str,
    text: &str,
    things: &Things<'_>,
) -> Result<Vec<Heard>, DataError> {
    let mut heard: Vec<Heard> = Vec::new();
    // Without its texts the reader of them is left out, too.
    if !cfg!(feature = "heard") {
        return Ok(heard);
    }
    let mut literal = None;
    for (place, indented, said) in lines(file, text) {
        if !indented {
            let mut own = || {
                heard.push(Heard { values: vec![0; things.records.len()] });
                things.facts.asked.len() + heard.len() - 1
            };
            let property =
                match said {
                    "-" => own(),
                    name => *things.facts.index.get(name).ok_or_else(|| {
                        place.error(format_args!("there is no property \"{name}\""))
                    })?,
                };
            literal = Some(Literal { property: PropertyId(property), opposite: false });
            continue;
        }
        let literal =
            literal.ok_or_else(|| place.error("an indented line before the first name"))?;
        if let Some(list) = said.strip_prefix('@') {
            let own = literal.property.0 >= things.facts.asked.len();
            let Some(last) = heard.last_mut().filter(|_| own) else {
                return Err(place.error("who has this property stands with the objects"));
            };
            // An object that is named counts for more than what it belongs to, in whatever order.
            let (many, named): (Vec<_>, Vec<_>) = items(list, place).partition(|item| item.many);
            for item in many.into_iter().chain(named) {
                for (object, weight) in things.meant(&item)? {
                    last.values[object] = Value::of(weight).to_byte();
                }
            }
            continue;
        }
        let (text, opposite) = said.strip_prefix('!').map_or((said, false), |text| (text, true));
        for question in questions(text.trim_start()) {
            let known = Known {
                literal: Literal { opposite, ..literal },
                article: false,
                object_named: false,
                kind: false,
                narrows: false,
            };
            // What is read already keeps its meaning: lines with alternatives say some things twice.
            reader.learn_loose(&question, known);
        }
    }
    Ok(heard)
}

/// Teaches the reader `amounts.txt`.
pub(super) fn learn_amounts(
    reader: &mut Reader,
    file: &str,
    text: &str,
    things: &Things<'_>,
) -> Result<Amounts, DataError> {
    let mut amounts = Amounts::default();
    let mut current: Option<(Measure, Option<Box<[super::words::WordId]>>)> = None;
    let mut row: Vec<Option<Amount>> = Vec::new();
    let count = things.facts.asked.len();
    for (place, indented, said) in lines(file, text) {
        if !indented {
            if let Some((measure, part)) = current.take() {
                amounts.tell(measure, part, std::mem::take(&mut row));
            }
            row = vec![None; things.records.len()];
            let (name, needs) =
                said.split_once('|').map_or((said, ""), |(a, b)| (a.trim(), b.trim()));
            let measure = match name {
                "length" => Measure::Length,
                "height" => Measure::Height,
                "price" => Measure::Price,
                "speed" => Measure::Speed,
                _ => Measure::Count(amounts.parts() as u8),
            };
            let mut part = None;
            if matches!(measure, Measure::Count(_)) {
                part = reader.name_key(name);
                let property = things.facts.index.get(needs);
                if property.is_none() && needs != "none" {
                    return Err(place.error(format_args!("there is no property \"{needs}\"")));
                }
                for (object, amount) in row.iter_mut().enumerate() {
                    let lacks = property.is_none_or(|p| things.values[object * count + p] == 0);
                    *amount = lacks.then(|| Amount::exactly(0.0));
                }
            }
            current = Some((measure, part));
            continue;
        }
        let amount = said.split_once(':').and_then(|(number, list)| {
            let (number, known) =
                number.strip_prefix('~').map_or((number, true), |number| (number, false));
            let (least, most) = number.split_once('-').unwrap_or((number, number));
            let [least, most] = [least, most].map(|n| decimal(n).map(|n| n as f32));
            let amount = Amount { least: least?, most: most?, known };
            Some((amount, list))
        });
        let Some((amount, list)) = amount.filter(|_| current.is_some()) else {
            return Err(
                place.error(format_args!("\"{said}\" is no amount such as \"4: car, truck\""))
            );
        };
        for item in items(list, place) {
            for (object, weight) in things.meant(&item)? {
                if weight >= 0.5 {
                    row[object] = Some(amount);
                }
            }
        }
    }
    if let Some((measure, part)) = current {
        amounts.tell(measure, part, row);
        amounts.learn_words(&mut reader.vocabulary);
    }
    Ok(amounts)
}
