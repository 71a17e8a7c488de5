//! What the world of Guess My City knows, and how it is asked.
//!
//! The atlas is a [`Table`] like that of Twenty Questions, read by the same reader: each city is an
//! object, its continent, country, neighbours, languages, size and landmark are properties, whose
//! questions are written from templates, and `questions.txt` adds the others. A property named
//! "what …" holds for nobody: it stands for a question with a free answer, a [`Topic`].

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::OnceLock;

use archer_input::shown;

use super::cities::{City, cities, countries};
use crate::data::{self, Source};
use crate::knowledge::{Claim, ObjectId, Reading, Sources, Table, Value};
use crate::letters;

/// The least inhabitants of each class of size, by the name of its property.
const SIZES: [(&str, u32); 4] = [
    ("over 10 million", 10_000_000),
    ("over 5 million", 5_000_000),
    ("over 3 million", 3_000_000),
    ("over 1 million", 1_000_000),
];

/// A question with a free answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// "Asia."
    Continent,
    /// "Brazil."
    Country,
    /// "Portuguese."
    Language,
    /// "The southern hemisphere."
    Hemisphere,
    /// "Bolivia and Chile."
    Neighbors,
    /// "Tropical."
    Climate,
    /// "About 3 million people."
    Size,
    /// "The Eiffel Tower."
    Landmark,
    /// The city itself, which the world will not say.
    Name,
}

/// The topics by the names of their properties.
const TOPICS: [(&str, Topic); 9] = [
    ("what continent", Topic::Continent),
    ("what country", Topic::Country),
    ("what language", Topic::Language),
    ("what hemisphere", Topic::Hemisphere),
    ("what neighbors", Topic::Neighbors),
    ("what climate", Topic::Climate),
    ("what size", Topic::Size),
    ("what landmark", Topic::Landmark),
    ("what name", Topic::Name),
];

/// What was understood of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked {
    /// Yes or no is the answer.
    Whether(Reading),
    /// Some words are the answer.
    What(Topic),
    /// It was not understood.
    Nothing,
}

/// The table of the cities; object number `i` is city number `i`.
///
/// # Panics
/// If the embedded data has a mistake, which the tests of this crate exclude.
pub fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        build().unwrap_or_else(|error| panic!("embedded data of the cities: {error}"))
    })
}

fn build() -> Result<Table, crate::knowledge::DataError> {
    let (file, questions) = data::source("cities/questions.txt");
    let properties = format!("{questions}\n{}", written_questions());
    let phrases = format!(
        "{}\n{}",
        crate::knowledge::embedded().phrases.1,
        data::source("cities/phrases.txt").1
    );
    let objects: String = cities().iter().map(object).collect();
    let of = |text| -> Source<'_> { ("cities/cities.txt", text) };
    Table::parse(&Sources {
        properties: (file, &properties),
        kinds: of("city <\n"),
        phrases: ("cities/phrases.txt", &phrases),
        references: of(""),
        heard: of(""),
        amounts: of(""),
        objects: &[of(&objects)],
    })
}

/// The questions that follow from the list of cities and countries.
fn written_questions() -> String {
    let mut text = String::new();
    let mut add = |name: &str, questions: &mut dyn Iterator<Item = String>| {
        let _ = writeln!(text, "{name}");
        for question in questions {
            let _ = writeln!(text, "  {question}");
        }
    };
    for continent in all(&mut cities().iter().flat_map(|c| c.continents().iter().copied())) {
        let forms = [
            format!("Is it in {continent}?"),
            format!("Is it located on the continent of {continent}?"),
            format!("Is {continent} the continent?"),
            format!("Is the continent {continent}?"),
            format!("Is it somewhere on {continent}?"),
            format!("Is its country in {continent}?"),
        ];
        let kin = kin_of_continent(continent).map(adjective_questions);
        add(continent, &mut forms.into_iter().chain(kin.into_iter().flatten()));
    }
    // A city that is a country is asked for by a guess.
    for country in countries().iter().filter(|country| !is_city_state(country.name)) {
        let places = country.names().flat_map(|name| {
            [
                format!("Is it in {name}?"),
                format!("Is {name} the country?"),
                format!("Is the country {name}?"),
                format!("Is it a city of {name}?"),
            ]
        });
        // "English" is said of a language too; "Is it an English city?" is not.
        let adjectives = country.adjectives.iter().flat_map(|name| adjective_questions(name));
        add(&format!("in {}", country.name), &mut places.chain(adjectives));
    }
    for other in all(&mut countries().iter().flat_map(|c| c.borders.iter().copied())) {
        let known = countries().iter().find(|country| country.name == other);
        let names = known.map_or_else(|| vec![other], |country| country.names().collect());
        let mut forms = names.into_iter().flat_map(|name| {
            [
                format!("Does its country border {name}?"),
                format!("Does it border {name}?"),
                format!("Is its country next to {name}?"),
                format!("Is it in a country that borders {name}?"),
                format!("Is its country a neighbor of {name}?"),
                format!("Does its country share a border with {name}?"),
                format!("Is {name} a neighboring country?"),
            ]
        });
        add(&format!("borders {other}"), &mut forms);
    }
    for language in all(&mut cities().iter().flat_map(|c| c.languages().iter().copied())) {
        let forms = [
            format!("Is {language} spoken there?"),
            format!("Do people speak {language} there?"),
            format!("Do people speak {language}?"),
            format!("Do they speak {language} there?"),
            format!("Do they speak {language}?"),
            format!("Is {language} the language?"),
            format!("Is the language {language}?"),
            format!("Is {language} the main language?"),
            format!("Is the main language {language}?"),
            format!("Is {language} an official language?"),
            format!("Is the official language {language}?"),
            format!("Is it a {language}-speaking city?"),
            format!("Is it {language}-speaking?"),
            format!("Is it in a {language}-speaking country?"),
        ];
        add(&format!("speaks {language}"), &mut forms.into_iter());
    }
    for city in cities() {
        let famous = city.record.famous.trim_start_matches("its ");
        let forms = [
            format!("Is it famous for {famous}?"),
            format!("Is it known for {famous}?"),
            format!("Does it have {famous}?"),
            format!("Is it home to {famous}?"),
            format!("Is {famous} there?"),
        ];
        add(&format!("known for {}", city.record.name), &mut forms.into_iter());
    }
    text
}

fn adjective_questions(name: &str) -> Vec<String> {
    let article = if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    vec![
        format!("Is it {article} {name} city?"),
        format!("Is it in {article} {name} country?"),
        format!("Are you {name}?"),
    ]
}

/// What the things of a continent are called, where it is one word.
fn kin_of_continent(continent: &str) -> Option<&'static str> {
    Some(match continent {
        "Asia" => "Asian",
        "Europe" => "European",
        "Africa" => "African",
        "South America" => "South American",
        "North America" => "North American",
        _ => return None,
    })
}

/// Whether a country is one of the cities.
fn is_city_state(country: &str) -> bool {
    cities().iter().any(|city| city.record.name == country)
}

/// Each name once, in the order of its first mention.
fn all(names: &mut dyn Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// A city as an object of the table.
///
/// Its number of inhabitants in thousands takes the place of a size, so that "Is it bigger than
/// Paris?" is answered by the comparison of sizes.
fn object(city: &City) -> String {
    let record = city.record;
    let mut also: Vec<String> = record.aliases.iter().map(|alias| alias.to_string()).collect();
    for name in record.names() {
        // What a guess may put round the name: "Is it in Lima?", "Is Lima the city?", "Lima, Peru?".
        also.extend([format!("in {name}"), format!("is {name} it"), format!("city of {name}")]);
        also.extend(city.country.names().map(|country| format!("{name} {country}")));
        also.extend(city.country.names().map(|country| format!("{name} in {country}")));
    }
    let mut text = format!(
        "= city\n{} | also: {} | noun: mass | size: {}cm 1kg\n",
        letters::lower(record.name),
        letters::lower(&also.join(", ")),
        shown(record.people as f32 / 1000.0)
    );
    for entry in &record.entries {
        let _ = writeln!(text, "  {entry}");
    }
    let mut has = |name: String| {
        let _ = writeln!(text, "  + {name}");
    };
    city.continents().iter().for_each(|name| has(name.to_string()));
    city.languages().iter().for_each(|name| has(format!("speaks {name}")));
    city.country.borders.iter().for_each(|name| has(format!("borders {name}")));
    if !is_city_state(city.country.name) {
        has(format!("in {}", city.country.name));
    }
    if city.country.borders.is_empty() {
        has("borders nobody".to_string());
    }
    if record.north > 0.0 {
        has("northern hemisphere".to_string());
    }
    if record.east > 0.0 {
        has("eastern hemisphere".to_string());
    }
    SIZES
        .iter()
        .filter(|(_, least)| record.people > *least)
        .for_each(|(name, _)| has(name.to_string()));
    has(record.climate.to_string());
    has(format!("known for {}", record.name));
    text
}

/// Reads a question.
pub fn read(question: &str) -> Asked {
    let table = table();
    let reading = table.read(&without_contractions(question));
    match reading {
        Reading::Invalid => Asked::Nothing,
        Reading::Asks { claim: Claim::Has(literal), negated, .. } => {
            let name = &table.properties()[literal.property.0].name;
            match TOPICS.iter().find(|(topic, _)| topic == name) {
                Some(_) if negated || literal.opposite => Asked::Nothing,
                Some(&(_, topic)) => Asked::What(topic),
                None => Asked::Whether(reading),
            }
        }
        // Sizes stand for inhabitants here: only a city can be compared with, no metre and no
        // pound.
        Reading::Asks { claim: Claim::Compares(comparison), .. } => {
            let of_a_city = |city: &City| city.record.people as f32 / 1000.0 == comparison.amount;
            match cities().iter().any(of_a_city) {
                true => Asked::Whether(reading),
                false => Asked::Nothing,
            }
        }
        Reading::Asks { .. } => Asked::Whether(reading),
    }
}

/// "What's it famous for?" with two words for "what's", which the reader of yes-or-no questions has
/// no need to know.
fn without_contractions(question: &str) -> Cow<'_, str> {
    if !question.contains(['\'', '’']) {
        return Cow::Borrowed(question);
    }
    let mut plain = letters::lower(question).replace('’', "'");
    for word in ["what", "where", "which", "how"] {
        plain = plain.replace(&format!("{word}'s "), &format!("{word} is "));
    }
    Cow::Owned(plain)
}

/// The truth about city number `city`.
pub fn holds(city: usize, reading: &Reading) -> Option<bool> {
    table().answer(ObjectId(city), reading).map(Value::is_mostly_yes)
}

/// The free answer of city number `city`, a few words and a full stop.
pub fn tell(city: usize, topic: Topic) -> String {
    let city = &cities()[city];
    let (record, country) = (city.record, city.country);
    match topic {
        Topic::Continent => sentence(&listed(city.continents())),
        Topic::Country => sentence(country.name),
        Topic::Language => sentence(&listed(city.languages())),
        Topic::Hemisphere if record.north > 0.0 => "The northern hemisphere.".to_string(),
        Topic::Hemisphere => "The southern hemisphere.".to_string(),
        Topic::Neighbors if country.borders.is_empty() => "None.".to_string(),
        Topic::Neighbors => sentence(&listed(&country.borders)),
        Topic::Climate => sentence(record.climate),
        Topic::Size => match (f64::from(record.people) / 1e6).round() as u32 {
            0 => "Fewer than 1 million people.".to_string(),
            millions => format!("About {millions} million people."),
        },
        Topic::Landmark => sentence(record.famous),
        Topic::Name => sentence(record.name),
    }
}

/// "a, b and c"
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The words with a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
