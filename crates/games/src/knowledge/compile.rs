//! Makes the table out of the records: inheritance, implications, sizes, names and questions.
//!
//! Every mistake that can be found without knowing the world is found here and named with its file
//! and line: an unknown property or kind, a contradiction, a name that two objects share, a
//! question that two properties share, two objects that nothing tells apart.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::amounts::Amounts;
use super::clause::Clause;
use super::compare::{Comparison, Comparisons, Measure, Measures, Relation, amount};
use super::facts::Facts;
use super::format::{
    self, Anchor, DataError, ObjectRecord, PhraseRecord, Place, PropertyRecord, Rule, TOLD,
};
use super::heard::{Things, learn_amounts, learn_heard};
use super::inflection::plural;
use super::reader::{Known, Literal, Reader};
use super::spelling;
use super::words::{Map, Phrases, Vocabulary, WordId};
use super::{NounForm, Object, ObjectId, Property, PropertyId, Table};
use crate::data::Source;

/// The files that make up a table.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Questions.
    pub properties: Source<'a>,
    /// The tree of kinds and what they hand down.
    pub kinds: Source<'a>,
    /// Synonyms.
    pub phrases: Source<'a>,
    /// Further things to compare sizes with.
    pub references: Source<'a>,
    /// Wordings and properties that are understood and not asked; read with the feature `heard`.
    pub heard: Source<'a>,
    /// Numbers: lengths, prices, how many parts.
    pub amounts: Source<'a>,
    /// The objects.
    pub objects: &'a [Source<'a>],
}

/// Places in a list by name.
pub(super) type Index<'a> = Map<&'a str, usize>;

/// Compiles the sources; `over` may change the records, first of properties and then of objects, and says
/// which objects it has added or changed.
pub(super) fn compile<'a>(
    sources: &Sources<'a>,
    over: impl FnOnce(
        &mut Vec<PropertyRecord<'a>>,
        &mut Vec<ObjectRecord<'a>>,
    ) -> Result<Vec<ObjectId>, DataError>,
) -> Result<Table, DataError> {
    let mut plain = format::properties(sources.properties.0, sources.properties.1)?;
    let kinds = format::properties(sources.kinds.0, sources.kinds.1)?;
    let phrases = format::phrases(sources.phrases.0, sources.phrases.1)?;
    let references = format::references(sources.references.0, sources.references.1)?;
    let mut records = Vec::new();
    for (file, text) in sources.objects {
        records.extend(format::objects(file, text)?);
    }
    let own = over(&mut plain, &mut records)?;

    let asked: Vec<&PropertyRecord<'_>> =
        kinds.iter().chain(&plain).filter(|r| !r.wordings.is_empty()).collect();
    let index = index_of(asked.iter().map(|record| (record.name, record.place)))?;
    let kind_index = index_of(kinds.iter().map(|record| (record.name, record.place)))?;
    if let Some(silent) = plain.iter().find(|record| record.wordings.is_empty()) {
        return Err(silent.place.error(format_args!("\"{}\" has no question", silent.name)));
    }

    let mut reader = reader(&phrases)?;
    learn_names(&mut reader, &records, &references)?;
    let properties = learn_questions(&mut reader, &asked)?;
    let rules = rules(&reader, &asked)?;
    let facts = Facts { kinds: &kinds, kind_index, asked: &asked, index, rules };

    let mut values = Vec::with_capacity(records.len() * asked.len());
    let mut rows: HashMap<Vec<u8>, &str> = HashMap::new();
    for (i, record) in records.iter().enumerate() {
        let row = facts.row(record, &reader.comparisons.measures[i])?;
        if TOLD && let Some(other) = rows.insert(row.clone(), record.name) {
            return Err(record
                .place
                .error(format_args!("nothing tells \"{}\" from \"{other}\"", record.name)));
        }
        values.extend(row);
    }
    let things = Things { records: &records, facts: &facts, values: &values };
    let heard = learn_heard(&mut reader, sources.heard.0, sources.heard.1, &things)?;
    reader.amounts = learn_amounts(&mut reader, sources.amounts.0, sources.amounts.1, &things)?;
    let objects: Vec<Object> = records.iter().map(object).collect();
    let by_name = by_name(&records);
    Ok(Table {
        objects,
        properties,
        values,
        heard,
        reader,
        by_name,
        own,
        disputes: OnceLock::new(),
    })
}

fn index_of<'a>(names: impl Iterator<Item = (&'a str, Place<'a>)>) -> Result<Index<'a>, DataError> {
    let mut index = Index::default();
    for (i, (name, place)) in names.enumerate() {
        if index.insert(name, i).is_some() {
            return Err(place.error(format_args!("\"{name}\" is there twice")));
        }
    }
    Ok(index)
}

/// A reader that knows the synonyms and no question yet.
fn reader(phrases: &[PhraseRecord<'_>]) -> Result<Reader, DataError> {
    let mut vocabulary = Vocabulary::new();
    let one_word = |text: &str| !text.contains([' ', '\'']);
    // Single words first: the words of longer phrases are read through them.
    for phrase in phrases
        .iter()
        .filter(|p| p.anchor == Anchor::Anywhere && one_word(p.from) && one_word(p.to))
    {
        if phrase.to.is_empty() {
            vocabulary.drop_word(phrase.from);
        } else {
            let id = vocabulary.intern(phrase.to);
            vocabulary.add_synonym(phrase.from, id);
        }
    }
    let [mut anywhere, mut at_start, mut at_end, mut loose, mut frames]: [Phrases; 5] =
        Default::default();
    for phrase in phrases {
        if phrase.anchor == Anchor::Anywhere && one_word(phrase.from) && one_word(phrase.to) {
            continue;
        }
        if phrase.anchor == Anchor::Known {
            vocabulary.intern(phrase.from);
            continue;
        }
        let mut ids = |text: &str| -> Result<Vec<WordId>, DataError> {
            vocabulary.intern_all(text);
            let tokens = vocabulary
                .split(text)
                .ok_or_else(|| phrase.place.error("this phrase is too long"))?;
            Ok(tokens.ids().to_vec())
        };
        let (from, to) = (ids(phrase.from)?, ids(phrase.to)?);
        let new = match phrase.anchor {
            Anchor::Anywhere => anywhere.insert(from.into_iter(), &to),
            Anchor::Start => at_start.insert(from.into_iter(), &to),
            Anchor::End => at_end.insert(from.into_iter().rev(), &to),
            Anchor::Known => true,
            Anchor::Loose => loose.insert(from.into_iter(), &to),
            Anchor::Frame => {
                let (from, to) = (Clause::of_question(&from), Clause::of_question(&to));
                frames.insert(from.key().iter().copied(), to.key())
            }
        };
        if !new {
            return Err(phrase.place.error(format_args!("\"{}\" is there twice", phrase.from)));
        }
    }
    let comparisons = Comparisons::new(&mut vocabulary);
    let spelling = spelling::Words::new(&mut vocabulary);
    let (and, or) = (vocabulary.intern("and"), vocabulary.intern("or"));
    let mut id = |word| vocabulary.intern(word);
    let inside = [id("in"), id("on")];
    let antonyms = [[id("short"), id("long")], [id("small"), id("big")]];
    Ok(Reader {
        vocabulary,
        anywhere,
        at_start,
        at_end,
        loose,
        frames,
        and,
        or,
        questions: Map::default(),
        names: Map::default(),
        comparisons,
        amounts: Amounts::default(),
        spelling,
        inside,
        antonyms,
        alike: std::sync::OnceLock::new(),
    })
}

fn learn_names(
    reader: &mut Reader,
    records: &[ObjectRecord<'_>],
    references: &[ObjectRecord<'_>],
) -> Result<(), DataError> {
    let measures = |record: &ObjectRecord<'_>| {
        Measures::parse(record.size).ok_or_else(|| {
            record.place.error(format_args!(
                "\"{}\" is no size and weight such as \"46cm 4kg\"",
                record.size
            ))
        })
    };
    for (i, record) in records.iter().enumerate() {
        reader.comparisons.measures.push(measures(record)?);
        for name in std::iter::once(&record.name).chain(&record.aliases) {
            let key =
                reader.name_key(name).ok_or_else(|| record.place.error("this name is too long"))?;
            if let Some(other) = reader.names.insert(key, ObjectId(i)).filter(|other| other.0 != i)
            {
                let other = records[other.0].name;
                return Err(record.place.error(format_args!("\"{name}\" names \"{other}\" too")));
            }
        }
    }
    // Irregular plurals only: the regular ones share their words with the singular.
    for (i, record) in records.iter().enumerate() {
        let many = record.plural.map_or_else(|| plural(record.name), str::to_string);
        let key =
            reader.name_key(&many).ok_or_else(|| record.place.error("this plural is too long"))?;
        reader.names.entry(key).or_insert(ObjectId(i));
    }
    for record in references {
        let measures = measures(record)?;
        for name in std::iter::once(&record.name).chain(&record.aliases) {
            let key =
                reader.name_key(name).ok_or_else(|| record.place.error("this name is too long"))?;
            let id = ObjectId(reader.comparisons.measures.len());
            if reader.names.contains_key(&key)
                || reader.comparisons.references.insert(key, id).is_some()
            {
                return Err(record.place.error(format_args!("\"{name}\" is there already")));
            }
        }
        reader.comparisons.measures.push(measures);
    }
    Ok(())
}

/// Further ways to ask for a kind by its noun and plural.
fn kind_questions(noun: &str) -> [String; 5] {
    let many = plural(noun);
    [
        format!("Is it {} {noun}?", super::article(noun)),
        format!("Is it one of the {many}?"),
        format!("Does it belong to the {many}?"),
        format!("Is it in the {noun} family?"),
        format!("Does it fall into the {noun} category?"),
    ]
}

fn learn_questions(
    reader: &mut Reader,
    asked: &[&PropertyRecord<'_>],
) -> Result<Vec<Property>, DataError> {
    let mut properties = Vec::with_capacity(asked.len());
    for (i, record) in asked.iter().enumerate() {
        let kind = record.parent.is_some();
        let known = |opposite| Known {
            literal: Literal { property: PropertyId(i), opposite },
            article: false,
            object_named: false,
            kind: kind && !opposite,
            narrows: record.rule.is_none(),
        };
        let mut property = Property {
            name: record.name.to_string(),
            question: record.wordings[0].text.to_string(),
            paraphrases: Vec::new(),
            opposites: Vec::new(),
            kind,
        };
        for wording in &record.wordings {
            reader.learn(wording.text, known(wording.opposite)).map_err(|earlier| {
                let owner = earlier.map(|literal| asked[literal.property.0].name);
                wording.place.error(match owner {
                    Some(owner) => format!("\"{}\" already asks for \"{owner}\"", wording.text),
                    None => format!("\"{}\" cannot be read as a question", wording.text),
                })
            })?;
            if wording.opposite {
                property.opposites.push(wording.text.to_string());
            } else if wording.text != property.question {
                property.paraphrases.push(wording.text.to_string());
            }
        }
        properties.push(property);
    }
    // After all written questions, so that those come first.
    for (i, record) in asked.iter().enumerate() {
        let literal = Literal { property: PropertyId(i), opposite: false };
        for question in record.nouns.iter().flat_map(|noun| kind_questions(noun)) {
            let known = Known {
                literal,
                article: true,
                object_named: false,
                kind: true,
                narrows: record.rule.is_none(),
            };
            if reader.learn_if_new(&question, known) {
                properties[i].paraphrases.push(question);
            }
        }
    }
    Ok(properties)
}

/// The comparisons behind properties such as `= size > golf ball`.
fn rules(
    reader: &Reader,
    asked: &[&PropertyRecord<'_>],
) -> Result<Vec<Option<Comparison>>, DataError> {
    let rule = |rule: &Rule<'_>| {
        let measure = if rule.measure == "size" { Measure::Size } else { Measure::Weight };
        let relation = if rule.more { Relation::More } else { Relation::Less };
        let number = amount(rule.than).filter(|(measured, _)| *measured == measure);
        let thing = || {
            let key = reader.known_name_key(rule.than)?;
            Some(reader.comparisons.thing(&key, &reader.names)?.get(measure))
        };
        let amount = number.map(|(_, amount)| amount).or_else(thing);
        let amount = amount.ok_or_else(|| {
            rule.place.error(format_args!("\"{}\" has no {}", rule.than, rule.measure))
        })?;
        Ok(Comparison { measure, relation, amount })
    };
    asked.iter().map(|record| record.rule.as_ref().map(rule).transpose()).collect()
}

fn object(record: &ObjectRecord<'_>) -> Object {
    Object {
        name: record.name.to_string(),
        aliases: record.aliases.iter().map(|alias| alias.to_string()).collect(),
        plural: record.plural.map_or_else(|| plural(record.name), str::to_string),
        category: record.kind.to_string(),
        noun: match record.noun {
            Some("mass") => NounForm::Mass,
            Some("pair") => NounForm::Pair,
            Some(_) => NounForm::Unique,
            None => NounForm::Count,
        },
        measures: Measures::parse(record.size).unwrap_or(Measures { size: 1.0, weight: 1.0 }),
    }
}

/// Names, aliases and plurals as they are written; names win over plurals.
fn by_name(records: &[ObjectRecord<'_>]) -> Map<Box<str>, ObjectId> {
    let mut names = Map::default();
    for (i, record) in records.iter().enumerate() {
        for name in std::iter::once(&record.name).chain(&record.aliases) {
            names.insert(Box::from(*name), ObjectId(i));
        }
    }
    for (i, record) in records.iter().enumerate() {
        let many = record.plural.map_or_else(|| plural(record.name), str::to_string);
        names.entry(many.into()).or_insert(ObjectId(i));
    }
    names
}
