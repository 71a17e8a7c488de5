//! A person's own file: objects, facts and questions over the embedded table.
//!
//! The file has the form of the table's own: first questions in the form of `properties.txt`, if there
//! are any, then objects in the form of `objects/*.txt` from the first `= kind` on. An object that the
//! table knows, by any of its names, is changed: its kind and, if given, its size and further names are
//! those of the file, and what the file says of a property counts more. Other objects are new.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::compile::{Sources, compile};
use super::format::{self, DataError, ObjectRecord, Place, PropertyRecord};
use super::{ObjectId, Table, embedded};

/// The most bytes of such a file.
pub const MAX_OWN_BYTES: usize = 10 << 20;
/// The most objects in it.
pub const MAX_OWN_OBJECTS: usize = 2000;
/// The most questions about properties of its own.
pub const MAX_OWN_PROPERTIES: usize = 500;
/// The most words in its names and questions: words are numbered in 16 bits, together with the table's.
const MAX_OWN_WORDS: usize = 40_000;

/// What such a file says.
struct Own<'a> {
    properties: Vec<PropertyRecord<'a>>,
    objects: Vec<ObjectRecord<'a>>,
}

/// Reads such a file, by name and text.
fn read<'a>((file, text): (&'a str, &'a str)) -> Result<Own<'a>, DataError> {
    let begin = Place { file, line: 1 };
    if text.len() > MAX_OWN_BYTES {
        let bytes = text.len();
        return Err(begin.error(format_args!(
            "the file has {bytes} bytes, and at most {MAX_OWN_BYTES} are read"
        )));
    }
    let (questions, objects) = text.split_at(objects_from(text));
    let properties = format::properties(file, questions)?;
    let objects = format::objects_after(questions.lines().count(), file, objects)?;
    if objects.is_empty() {
        return Err(begin.error(
            "there is no object here: they stand below a line such as \"= tool\", each with its size",
        ));
    }
    too_many(&objects, MAX_OWN_OBJECTS, "objects", |record| record.place)?;
    too_many(&properties, MAX_OWN_PROPERTIES, "questions", |record| record.place)?;
    for record in &properties {
        if record.parent.is_some() || !record.nouns.is_empty() || !record.entries.is_empty() {
            return Err(record.place.error(format_args!(
                "\"{}\" is written as a kind, and a file of one's own adds none: only questions",
                record.name
            )));
        }
    }
    check_words(&properties, &objects)?;
    Ok(Own { properties, objects })
}

/// Where the first line begins that opens a kind of objects.
fn objects_from(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('=') {
            break;
        }
        at += line.len();
    }
    at
}

fn too_many<'a, T>(
    records: &[T],
    most: usize,
    what: &str,
    place: impl Fn(&T) -> Place<'a>,
) -> Result<(), DataError> {
    match records.get(most) {
        Some(record) => {
            Err(place(record).error(format_args!("there are more than {most} {what} in this file")))
        }
        None => Ok(()),
    }
}

/// Refuses names that cannot be found again, and more words than can be numbered.
fn check_words(
    properties: &[PropertyRecord<'_>],
    objects: &[ObjectRecord<'_>],
) -> Result<(), DataError> {
    let mut words = 0;
    let mut count = |text: &str, place: Place<'_>| {
        words += text.split_whitespace().count();
        match words > MAX_OWN_WORDS {
            true => Err(place.error(format_args!(
                "the names and questions up to here have more than {MAX_OWN_WORDS} words"
            ))),
            false => Ok(()),
        }
    };
    for record in objects {
        let names = std::iter::once(&record.name).chain(&record.aliases).chain(&record.plural);
        for name in names {
            let written = name.chars().any(char::is_alphanumeric);
            if !written || **name != name.to_lowercase() {
                return Err(record.place.error(format_args!(
                    "\"{name}\" is no name: write it in lower case, such as \"claw hammer\""
                )));
            }
            count(name, record.place)?;
        }
    }
    for wording in properties.iter().flat_map(|record| &record.wordings) {
        count(wording.text, wording.place)?;
    }
    Ok(())
}

impl<'a> Own<'a> {
    /// Changes the objects that the table knows and adds the others: where each of the file's is then.
    fn lay_over(&self, records: &mut Vec<ObjectRecord<'a>>) -> Result<Vec<ObjectId>, DataError> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, record) in records.iter().enumerate() {
            for name in std::iter::once(&record.name).chain(&record.aliases) {
                places.entry(name).or_insert(i);
            }
        }
        let mut own = Vec::with_capacity(self.objects.len());
        for object in &self.objects {
            let id = match places.get(object.name) {
                Some(&known) => {
                    change(&mut records[known], object);
                    known
                }
                None if object.size.is_empty() => return Err(format::without_size(object)),
                None => {
                    records.push(object.clone());
                    records.len() - 1
                }
            };
            if own.contains(&ObjectId(id)) {
                return Err(object.place.error(format_args!("\"{}\" is there twice", object.name)));
            }
            own.push(ObjectId(id));
        }
        Ok(own)
    }
}

fn change<'a>(record: &mut ObjectRecord<'a>, by: &ObjectRecord<'a>) {
    record.kind = by.kind;
    record.place = by.place;
    if !by.size.is_empty() {
        record.size = by.size;
    }
    record.plural = by.plural.or(record.plural);
    record.noun = by.noun.or(record.noun);
    let known = record.aliases.clone();
    let is_new = |name: &&&str| !known.contains(name) && **name != record.name;
    record.aliases.extend(by.aliases.iter().filter(is_new));
    record.over.clone_from(&by.entries);
}

impl Table {
    /// The table of these sources with a person's own file over them, which is given by name and text.
    ///
    /// # Errors
    /// As of [`Table::parse`], and a file that is too large.
    pub fn parse_with<'a>(
        sources: &Sources<'a>,
        file: (&'a str, &'a str),
    ) -> Result<Self, DataError> {
        let own = read(file)?;
        compile(sources, |properties, objects| {
            properties.extend(own.properties.iter().cloned());
            own.lay_over(objects)
        })
    }
}

/// A table that was provided, with the text that it was made of.
struct Provided {
    text: String,
    table: &'static Table,
}

/// The tables of persons' own files by the names under which settings ask for them. This crate opens no
/// files, so whoever does provides them; they last as long as the program, as the embedded table does.
static PROVIDED: Mutex<BTreeMap<String, Provided>> = Mutex::new(BTreeMap::new());

/// Makes the embedded table with a person's own file over it, for settings that name the file as
/// `world.knowledge`. The text is at most [`MAX_OWN_BYTES`] long, with at most [`MAX_OWN_PROPERTIES`]
/// questions and [`MAX_OWN_OBJECTS`] objects. What was provided under a name before is replaced.
///
/// # Errors
/// The first mistake found, with the file's name and the line.
///
/// ```
/// use archer_games::knowledge::provide;
///
/// let text = "cordless\n  Is it cordless?\n\n= tool\nangle grinder | size: 30cm 2kg\n  + cordless\n";
/// let table = provide("workshop.txt", text).unwrap();
/// assert_eq!(table.objects()[table.own()[0].0].name, "angle grinder");
/// let fault = provide("workshop.txt", "= tool\nangle grinder\n").err().unwrap();
/// assert_eq!(fault.to_string(), "workshop.txt:2: \"angle grinder\" has no size");
/// ```
pub fn provide(name: &str, text: &str) -> Result<&'static Table, DataError> {
    let mut provided = PROVIDED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = provided.get(name).filter(|known| known.text == text) {
        return Ok(known.table);
    }
    let table: &'static Table = Box::leak(Box::new(Table::parse_with(embedded(), (name, text))?));
    provided.insert(name.to_string(), Provided { text: text.to_string(), table });
    Ok(table)
}

/// The table that was [provided](provide) under a name.
pub fn own_table(name: &str) -> Option<&'static Table> {
    let provided = PROVIDED.lock().unwrap_or_else(PoisonError::into_inner);
    provided.get(name).map(|provided| provided.table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::{PropertyId, Value};

    fn parsed(text: &str) -> Result<Table, String> {
        Table::parse_with(embedded(), ("mine.txt", text)).map_err(|error| error.to_string())
    }

    fn value(table: &Table, object: &str, property: &str) -> Value {
        let property = table.property(property).unwrap();
        table.value(table.object(object).unwrap(), PropertyId(property.0))
    }

    #[test]
    fn a_file_adds_things_and_changes_known_ones() {
        let text = "# mine\n\nnoisy at night\n  Does it wake you up?\n  ! Does it let you sleep?\n\n\
                    = animal\nroost cock | plural: roost cocks | size: 45cm 3kg\n  + noisy at night\n\
                    cat | also: house tiger\n  + noisy at night\n  - alive # stuffed\n  ~ white 0.9\n";
        let table = parsed(text).unwrap();
        let plain = crate::knowledge::table();
        assert_eq!(table.objects().len(), plain.objects().len() + 1);
        assert_eq!(table.properties().len(), plain.properties().len() + 1);
        assert_eq!(value(&table, "cat", "alive"), Value::No);
        assert_eq!(value(&table, "house tiger", "noisy at night"), Value::Yes);
        assert_eq!(value(&table, "dog", "noisy at night"), Value::No);
        assert_eq!(value(&table, "cat", "white"), Value::Sometimes(0.9));
        // Size and the other facts are as they were.
        let cat = |table: &Table| table.objects()[table.object("cat").unwrap().0].measures;
        assert_eq!(cat(&table), cat(plain));
        let cat = table.object("cat").unwrap();
        assert_eq!(table.own(), [table.object("roost cock").unwrap(), cat]);
        let reading = table.read("Does it let you sleep?");
        assert_eq!(table.answer(cat, &reading), Some(Value::No));
        assert_eq!(plain.own(), []);
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        for (text, message) in [
            ("", "mine.txt:1: there is no object here"),
            ("\n= tool\nzorb\n", "mine.txt:3: \"zorb\" has no size"),
            ("= tool\nzorb | size: big\n", "mine.txt:2: \"big\" is no size and weight"),
            ("= gadget\nzorb | size: 1cm 1g\n", "mine.txt:2: there is no kind \"gadget\""),
            ("= tool\nZorb | size: 1cm 1g\n", "mine.txt:2: \"Zorb\" is no name"),
            (
                "= tool\nzorb | size: 1cm 1g\n  + glows\n",
                "mine.txt:3: there is no property \"glows\"",
            ),
            ("= tool\nhammer\n  ~ heavy\n", "mine.txt:3: \"heavy\" needs a weight"),
            ("= tool\nhammer\nhammer\n", "mine.txt:3: \"hammer\" is there twice"),
            ("= tool\nzorb | also: hammer | size: 1cm 1g\n", "mine.txt:2: \"hammer\" names"),
            ("= pet mammal\nhammer\n  - animal\n", "mine.txt:2: \"hammer\" is \"mammal\" but not"),
            (
                "zorb < tool\n  Is it a zorb?\n= tool\nhammer\n",
                "mine.txt:1: \"zorb\" is written as a kind",
            ),
            ("zorb\n\n= tool\nhammer\n", "mine.txt:1: \"zorb\" has no question"),
            ("zorb\n  Is it alive?\n= tool\nhammer\n", "mine.txt:2: \"Is it alive?\" already asks"),
            ("alive\n  Is it zorby?\n= tool\nhammer\n", "mine.txt:1: \"alive\" is there twice"),
        ] {
            let error = parsed(text).err().unwrap_or_else(|| panic!("{text:?} was read"));
            assert!(error.starts_with(message), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_file_has_a_bounded_size() {
        let objects = |count: usize| {
            let one = |n: usize| format!("zorb {n}x | size: 1cm 1g\n");
            format!("= tool\n{}", (0..count).map(one).collect::<String>())
        };
        let error = parsed(&objects(MAX_OWN_OBJECTS + 1)).err().unwrap();
        assert!(error.starts_with("mine.txt:2002: there are more than 2000 objects"), "{error}");
        let error = parsed(&" ".repeat(MAX_OWN_BYTES + 1)).err().unwrap();
        assert!(error.contains("at most 10485760 are read"), "{error}");
        let long = format!("= tool\n{} | size: 1cm 1g\n", "zorb ".repeat(MAX_OWN_WORDS + 1));
        let error = parsed(&long).err().unwrap();
        assert!(error.contains("more than 40000 words"), "{error}");
        let questions: String =
            (0..=MAX_OWN_PROPERTIES).map(|n| format!("q{n}\n  Is it q{n}?\n")).collect();
        let error = parsed(&format!("{questions}= tool\nhammer\n")).err().unwrap();
        assert!(error.contains("more than 500 questions"), "{error}");
    }
}
