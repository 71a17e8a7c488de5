//! Agreement of the table with people.
//!
//! The ratings are not part of the project: 1,000 words on 218 questions, each from 1 (no) to 5
//! (yes), published by Palatucci, Pomerleau and Mitchell. Where `ARCHER_HUMAN_RATINGS` names the
//! file (`{"words": […], "questions": […], "ratings": ["15…", …]}`), the clear ones (1 or 5) are
//! compared with the table; else there is nothing to test. With `--nocapture` the test prints what
//! people see otherwise, so that it can be looked at.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "this test reads a file that only its caller has, and tells what it found"
)]

use std::collections::BTreeMap;

use archer_games::knowledge::{ObjectId, PropertyId, table};

/// Words of the ratings that mean something else than the object of that name.
const OTHER_SENSE: &[&str] = &[
    "iron", // the metal
];

struct Ratings {
    words: Vec<String>,
    questions: Vec<String>,
    /// One digit a question for each word.
    digits: Vec<String>,
}

fn ratings() -> Option<Ratings> {
    let path = std::env::var_os("ARCHER_HUMAN_RATINGS")?;
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let json: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let list = |key: &str| -> Vec<String> {
        let values =
            json[key].as_array().unwrap_or_else(|| panic!("{path:?} has no list \"{key}\""));
        values.iter().filter_map(|value| value.as_str().map(str::to_string)).collect()
    };
    Some(Ratings { words: list("words"), questions: list("questions"), digits: list("ratings") })
}

/// Pairs of a question of the ratings and a property of ours.
fn mapping() -> Vec<(&'static str, PropertyId)> {
    let lines = include_str!("data/human_ratings_mapping.txt").lines();
    lines
        .filter_map(|line| line.rsplit_once(" = "))
        .map(|(question, name)| {
            let property = table().property(name.trim());
            (question, property.unwrap_or_else(|| panic!("no property \"{name}\"")))
        })
        .collect()
}

#[test]
fn the_mapping_is_wide_enough() {
    let questions: std::collections::HashSet<&str> =
        mapping().iter().map(|&(question, _)| question).collect();
    assert!(questions.len() >= 120, "{} questions", questions.len());
}

#[test]
fn the_table_agrees_with_people() {
    let Some(ratings) = ratings() else {
        eprintln!("ARCHER_HUMAN_RATINGS names no file: agreement with people was not tested");
        return;
    };
    let table = table();
    let columns: Vec<(usize, PropertyId)> = mapping()
        .into_iter()
        .map(|(question, property)| {
            let column = ratings.questions.iter().position(|other| other == question);
            (column.unwrap_or_else(|| panic!("the ratings lack \"{question}\"")), property)
        })
        .collect();
    let (mut cells, mut agreeing) = (0, 0);
    let mut objects = std::collections::HashSet::new();
    let mut otherwise: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (word, digits) in ratings.words.iter().zip(&ratings.digits) {
        let named = (0..table.objects().len()).find(|&i| {
            let object = &table.objects()[i];
            object.name == *word || object.plural == *word || object.aliases.contains(word)
        });
        let Some(object) = named.filter(|_| !OTHER_SENSE.contains(&word.as_str())) else {
            continue;
        };
        objects.insert(object);
        for &(column, property) in &columns {
            let people_say_yes = match digits.as_bytes()[column] {
                b'1' => false,
                b'5' => true,
                _ => continue,
            };
            cells += 1;
            if table.value(ObjectId(object), property).is_mostly_yes() == people_say_yes {
                agreeing += 1;
            } else {
                let name = &table.properties()[property.0].name;
                let said = if people_say_yes { "yes" } else { "no" };
                otherwise.entry(name).or_default().push(format!("{word}: {said}"));
            }
        }
    }
    for (property, words) in &otherwise {
        println!("{property} — people say: {}", words.join(", "));
    }
    let share = f64::from(agreeing) / f64::from(cells);
    println!(
        "{} objects, {} questions, {cells} clear cells, {:.2} % agree",
        objects.len(),
        columns.len(),
        100.0 * share
    );
    assert!(share >= 0.97, "only {:.2} % agree", 100.0 * share);
    let document = include_str!("../../../docs/environments/twenty_questions.md");
    for figure in [
        format!("{} objects and {} questions", objects.len(), columns.len()),
        format!("{cells} clear ratings"),
        format!("{:.2} % agree", 100.0 * share),
    ] {
        assert!(document.contains(&figure), "the document of the world should say {figure}");
    }
}
