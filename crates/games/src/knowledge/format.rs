//! Reads the plain text files in `data/` into records, each with the line that it came from.
//!
//! All files share one layout: a `#` starts a comment, a line that begins in the first column opens
//! a block, the indented lines below belong to it. What the records mean together (inheritance,
//! contradictions, unknown names) is the business of [`super::compile`]; here is only their shape.

use std::fmt;

use crate::decimal::decimal;

/// What is wrong with the data, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// The file, relative to `data/`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the offending name.
    pub message: String,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for DataError {}

/// A place in the data, kept with each record so that later checks can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub file: &'a str,
    pub line: usize,
}

/// Whether mistakes are told. A page reads no data but the embedded ones, whose mistakes this crate's tests
/// exclude, and has no place for the sentences and what makes them.
pub(super) const TOLD: bool = cfg!(any(feature = "own", not(target_family = "wasm")));

impl Place<'_> {
    /// A mistake here.
    ///
    /// # Panics
    /// Where mistakes are not told.
    #[inline]
    pub fn error(&self, message: impl fmt::Display) -> DataError {
        if !TOLD {
            damaged();
        }
        DataError { file: self.file.to_string(), line: self.line, message: message.to_string() }
    }
}

#[cold]
#[inline(never)]
fn damaged() -> ! {
    panic!("the embedded data has a mistake")
}

/// One `+`, `-` or `~` entry: the property's name and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub said: Said,
    pub place: Place<'a>,
}

/// What a line says of a property. The weight of `~` is the share of cases in which it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Said {
    Yes,
    No,
    Sometimes(f32),
}

/// A question with the line it stands on. An opposite question has the contrary answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Wording<'a> {
    pub text: &'a str,
    pub opposite: bool,
    pub place: Place<'a>,
}

/// A rule that computes a property from a measure: `= size > golf ball`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<'a> {
    pub measure: &'a str,
    pub more: bool,
    pub than: &'a str,
    pub place: Place<'a>,
}

/// A block of `properties.txt` or `kinds.txt`.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyRecord<'a> {
    pub name: &'a str,
    /// The kind above this one; only in `kinds.txt`.
    pub parent: Option<&'a str>,
    /// The nouns that name a kind; only in `kinds.txt`.
    pub nouns: Vec<&'a str>,
    /// The canonical question first, then paraphrases.
    pub wordings: Vec<Wording<'a>>,
    /// `> other`: what has this property has the others.
    pub implies: Vec<(&'a str, Place<'a>)>,
    pub rule: Option<Rule<'a>>,
    /// What a kind hands down; only in `kinds.txt`.
    pub entries: Vec<Entry<'a>>,
    pub place: Place<'a>,
}

/// A block of `objects/*.txt`.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRecord<'a> {
    pub name: &'a str,
    pub aliases: Vec<&'a str>,
    pub plural: Option<&'a str>,
    /// `mass`, `pair` or `the`; absent for a noun that takes "a".
    pub noun: Option<&'a str>,
    pub size: &'a str,
    pub kind: &'a str,
    pub entries: Vec<Entry<'a>>,
    /// What another file says of it beside, which counts more.
    pub over: Vec<Entry<'a>>,
    pub place: Place<'a>,
}

/// A line of `phrases.txt`: words that are read as other words.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseRecord<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub anchor: Anchor,
    pub place: Place<'a>,
}

/// Where in a question a phrase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Anywhere,
    Start,
    End,
    /// Anywhere, where the question is not read without.
    Loose,
    /// Nowhere: words that are right as they stand, although one slip makes another of them.
    Known,
    /// As the opening, where the question is not read without.
    Frame,
}

/// The lines that say something: number, whether indented, text without comment and outer space.
pub(super) fn lines<'a>(
    file: &'a str,
    text: &'a str,
) -> impl Iterator<Item = (Place<'a>, bool, &'a str)> {
    lines_after(0, file, text)
}

/// The same of a part of a file that so many lines stand before.
fn lines_after<'a>(
    before: usize,
    file: &'a str,
    text: &'a str,
) -> impl Iterator<Item = (Place<'a>, bool, &'a str)> {
    text.lines().enumerate().filter_map(move |(i, raw)| {
        let said = raw.split('#').next().unwrap_or("").trim_end();
        let place = Place { file, line: before + i + 1 };
        let indented = said.starts_with([' ', '\t']);
        Some((place, indented, said.trim_start())).filter(|(_, _, said)| !said.is_empty())
    })
}

pub(super) fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Reads the list behind `+`, `-` or `~`.
fn entries<'a>(mark: char, list: &'a str, place: Place<'a>) -> Result<Vec<Entry<'a>>, DataError> {
    names(list)
        .map(|item| {
            let (name, said) = match mark {
                '+' => (item, Said::Yes),
                '-' => (item, Said::No),
                _ => {
                    let (name, weight) = item.rsplit_once(' ').unwrap_or((item, ""));
                    let weight = decimal(weight).map(|weight| weight as f32).ok_or_else(|| {
                        place.error(format_args!("\"{item}\" needs a weight, as in \"black 0.3\""))
                    })?;
                    if !(weight > 0.0 && weight < 1.0) {
                        return Err(place.error(format_args!(
                            "the weight of \"{name}\" must lie between 0 and 1"
                        )));
                    }
                    (name.trim_end(), Said::Sometimes(weight))
                }
            };
            Ok(Entry { name, said, place })
        })
        .collect()
}

fn rule<'a>(text: &'a str, place: Place<'a>) -> Result<Rule<'a>, DataError> {
    let mut parts = text.splitn(3, ' ').map(str::trim);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(measure @ ("size" | "weight")), Some(sign @ (">" | "<")), Some(than)) => {
            Ok(Rule { measure, more: sign == ">", than, place })
        }
        _ => {
            Err(place.error(format_args!("\"{text}\" is not a rule such as \"size > golf ball\"")))
        }
    }
}

/// Reads `properties.txt`, or `kinds.txt` where blocks open with `name < parent`.
pub fn properties<'a>(file: &'a str, text: &'a str) -> Result<Vec<PropertyRecord<'a>>, DataError> {
    let mut records: Vec<PropertyRecord<'a>> = Vec::new();
    for (place, indented, said) in lines(file, text) {
        if !indented {
            let (name, parent) = match said.split_once('<') {
                Some((name, parent)) => (name.trim(), Some(parent.trim())),
                None => (said, None),
            };
            records.push(PropertyRecord {
                name,
                parent,
                nouns: Vec::new(),
                wordings: Vec::new(),
                implies: Vec::new(),
                rule: None,
                entries: Vec::new(),
                place,
            });
            continue;
        }
        let record = records
            .last_mut()
            .ok_or_else(|| place.error("an indented line before the first name"))?;
        let (mark, rest) = said.split_at(said.chars().next().map_or(0, char::len_utf8));
        let rest = rest.trim_start();
        match mark {
            "+" | "-" | "~" => {
                record.entries.extend(entries(mark.chars().next().unwrap_or('+'), rest, place)?)
            }
            ">" => record.implies.extend(names(rest).map(|name| (name, place))),
            "=" => record.rule = Some(rule(rest, place)?),
            ":" => record.nouns.extend(names(rest)),
            _ if said.ends_with('?') => record.wordings.push(Wording {
                text: said.trim_start_matches('!').trim_start(),
                opposite: said.starts_with('!'),
                place,
            }),
            _ => {
                return Err(
                    place.error(format_args!("\"{said}\" is neither a question nor a list"))
                );
            }
        }
    }
    Ok(records)
}

/// Reads one of `objects/*.txt`: `= kind` opens a section, `name | field: value` a block.
pub fn objects<'a>(file: &'a str, text: &'a str) -> Result<Vec<ObjectRecord<'a>>, DataError> {
    let records = objects_after(0, file, text)?;
    match records.iter().find(|record| record.size.is_empty()) {
        Some(record) => Err(without_size(record)),
        None => Ok(records),
    }
}

/// The mistake of an object that says no size.
pub fn without_size(record: &ObjectRecord<'_>) -> DataError {
    record.place.error(format_args!("\"{}\" has no size", record.name))
}

/// The objects of a part of a file that so many lines stand before; their sizes may be missing.
pub fn objects_after<'a>(
    before: usize,
    file: &'a str,
    text: &'a str,
) -> Result<Vec<ObjectRecord<'a>>, DataError> {
    let mut records: Vec<ObjectRecord<'a>> = Vec::new();
    let mut kind = None;
    for (place, indented, said) in lines_after(before, file, text) {
        if let (false, Some(name)) = (indented, said.strip_prefix('=')) {
            kind = Some(name.trim());
        } else if !indented {
            let kind = kind.ok_or_else(|| place.error("an object before the first \"= kind\""))?;
            records.push(object(said, kind, place)?);
        } else {
            let record = records
                .last_mut()
                .ok_or_else(|| place.error("an indented line before the first object"))?;
            let mark = said.chars().next().unwrap_or(' ');
            if !matches!(mark, '+' | '-' | '~') {
                return Err(place.error(format_args!("\"{said}\" does not start with +, - or ~")));
            }
            record.entries.extend(entries(mark, &said[1..], place)?);
        }
    }
    Ok(records)
}

fn object<'a>(
    said: &'a str,
    kind: &'a str,
    place: Place<'a>,
) -> Result<ObjectRecord<'a>, DataError> {
    let mut fields = said.split('|').map(str::trim);
    let mut record = ObjectRecord {
        name: fields.next().unwrap_or(""),
        aliases: Vec::new(),
        plural: None,
        noun: None,
        size: "",
        kind,
        entries: Vec::new(),
        over: Vec::new(),
        place,
    };
    for field in fields {
        match field.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("also", value)) => record.aliases.extend(names(value)),
            Some(("plural", value)) => record.plural = Some(value),
            Some(("noun", value @ ("mass" | "pair" | "the"))) => record.noun = Some(value),
            Some(("size", value)) => record.size = value,
            _ => return Err(place.error(format_args!("\"{field}\" is not a field of an object"))),
        }
    }
    Ok(record)
}

/// Reads `references.txt`: things to compare with that are no objects, `name | size: 30cm`.
pub fn references<'a>(file: &'a str, text: &'a str) -> Result<Vec<ObjectRecord<'a>>, DataError> {
    lines(file, text).map(|(place, _, said)| object(said, "", place)).collect()
}

/// Reads `phrases.txt`: `from = to`, perhaps behind `loose:` or `frame:`, or lists behind `drop:`,
/// `start:` and `end:`.
pub fn phrases<'a>(file: &'a str, text: &'a str) -> Result<Vec<PhraseRecord<'a>>, DataError> {
    let mut records = Vec::new();
    for (place, _, said) in lines(file, text) {
        let listed = [
            ("drop:", Anchor::Anywhere),
            ("start:", Anchor::Start),
            ("end:", Anchor::End),
            ("known:", Anchor::Known),
        ]
        .iter()
        .find_map(|&(mark, anchor)| Some((said.strip_prefix(mark)?, anchor)));
        if let Some((list, anchor)) = listed {
            records.extend(names(list).map(|from| PhraseRecord { from, to: "", anchor, place }));
        } else if let Some((from, to)) = said.split_once('=') {
            let (from, anchor) = [("loose:", Anchor::Loose), ("frame:", Anchor::Frame)]
                .iter()
                .find_map(|&(mark, anchor)| Some((from.strip_prefix(mark)?, anchor)))
                .unwrap_or((from, Anchor::Anywhere));
            let to = to.trim();
            records.extend(names(from).map(|from| PhraseRecord { from, to, anchor, place }));
        } else {
            return Err(place.error(format_args!("\"{said}\" is no phrase")));
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_with_their_lines() {
        let text = "# animals\n= pet\ncat | also: kitty | size: 46cm 4kg\n  + tail, claws # sharp\n  ~ black 0.3\n";
        let read = objects("a.txt", text).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].name, read[0].kind, &read[0].aliases), ("cat", "pet", &vec!["kitty"]));
        let said: Vec<_> = read[0].entries.iter().map(|e| (e.name, e.said, e.place.line)).collect();
        assert_eq!(
            said,
            [("tail", Said::Yes, 4), ("claws", Said::Yes, 4), ("black", Said::Sometimes(0.3), 5)]
        );
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let message = |text| objects("a.txt", text).unwrap_err().to_string();
        assert!(message("cat | size: 1cm").starts_with("a.txt:1: an object before"));
        assert!(message("= pet\n\ncat").starts_with("a.txt:3: \"cat\" has no size"));
        assert!(message("= pet\ncat | size: 1cm\n  ~ black").contains("needs a weight"));
        assert!(message("= pet\ncat | size: 1cm\n  ~ black 1.5").contains("between 0 and 1"));
        assert!(message("= pet\ncat | size: 1cm\n  black").starts_with("a.txt:3:"));
        assert!(
            properties("p.txt", "tail\n  has a tail")
                .unwrap_err()
                .to_string()
                .starts_with("p.txt:2:")
        );
    }

    #[test]
    fn opposites_and_rules() {
        let read = properties(
            "p.txt",
            "big < thing\n  Is it big?\n  ! Is it small?\n  = size > bed\n  > heavy\n",
        )
        .unwrap();
        assert_eq!(read[0].parent, Some("thing"));
        assert!(read[0].wordings[1].opposite && read[0].wordings[1].text == "Is it small?");
        assert_eq!(
            read[0].rule.as_ref().map(|r| (r.measure, r.more, r.than)),
            Some(("size", true, "bed"))
        );
        assert_eq!(read[0].implies[0].0, "heavy");
    }
}
