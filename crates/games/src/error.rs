//! What can go wrong when a world is asked for: a setting that it does not have, a word that it
//! does not know. Each message names the value that was given and what would have been accepted.
//! A wrong call (a step in a finished game, a task that does not exist) is a bug and panics.

use std::fmt;

use archer_world::contract::shortened;

use crate::letters;

/// A world cannot be made as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum GameError {
    /// There is no world of this name.
    UnknownWorld(String),
    /// There are no rules of this name.
    UnknownRules(String),
    /// A word is not in the list it was looked up in.
    UnknownWord(UnknownWord),
    /// A word stands twice in a list of secret words.
    DoubleWord(String),
    /// A list of secret words is empty.
    NoWords,
    /// A setting is out of its range or does not belong to this world; the text says which and
    /// what is accepted.
    BadSetting(String),
}

impl fmt::Display for GameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GameError::UnknownWorld(name) => write!(
                f,
                "there is no world named \"{name}\"; choose one of {}",
                crate::names().join(", ")
            ),
            GameError::UnknownRules(name) => {
                write!(f, "there are no rules named \"{name}\"; choose fixed or official")
            }
            GameError::UnknownWord(unknown) => unknown.fmt(f),
            GameError::DoubleWord(name) => write!(
                f,
                "the word \"{name}\" stands twice in the list of words; remove one of them"
            ),
            GameError::NoWords => {
                write!(f, "the list of words is empty; a game needs at least one word")
            }
            GameError::BadSetting(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for GameError {}

impl From<GameError> for archer_world::WorldError {
    fn from(error: GameError) -> Self {
        archer_world::WorldError::Settings(error.to_string())
    }
}

impl From<UnknownWord> for GameError {
    fn from(unknown: UnknownWord) -> Self {
        GameError::UnknownWord(unknown)
    }
}

/// A word that a world does not have, with the ones it has that are spelled most like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// The word as it was given.
    pub word: String,
    /// Up to three names that the world has, the most alike first; never empty unless the world
    /// has no words.
    pub nearest: Vec<String>,
}

impl UnknownWord {
    /// Picks the nearest of `known` names to `word`.
    pub fn among<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        // What is much longer than any name is near to none; its beginning decides.
        let known: Vec<(String, &str)> =
            known.into_iter().map(|name| (letters::lower(name), name)).collect();
        let longest = known.iter().map(|(lower, _)| lower.chars().count()).max().unwrap_or(0);
        let beginning: String = word.trim().chars().take(2 * longest).collect();
        let lower = letters::lower(&beginning);
        let mut by_distance: Vec<(usize, &str)> =
            known.iter().map(|(known, name)| (edit_distance(&lower, known), *name)).collect();
        let mut nearest = Vec::new();
        while nearest.len() < 3
            && let Some(best) = (0..by_distance.len()).min_by_key(|&i| by_distance[i])
        {
            nearest.push(by_distance.remove(best).1.to_string());
        }
        UnknownWord { word: word.to_string(), nearest }
    }
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<String> = self.nearest.iter().map(|n| format!("\"{n}\"")).collect();
        write!(
            f,
            "the word \"{}\" is not in this world's list; the nearest are {}",
            shortened(&self.word),
            quoted.join(", ")
        )
    }
}

impl std::error::Error for UnknownWord {}

/// The number of letters to insert, remove or replace to turn `a` into `b` (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances_by_hand() {
        for (a, b, distance) in [
            ("", "", 0),
            ("cat", "cat", 0),
            ("", "cat", 3),
            ("cat", "cart", 1),
            ("cta", "cat", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} -> {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} -> {a}");
        }
    }

    /// Of a megabyte that is no word, only the beginning is compared and shown.
    #[test]
    fn an_endless_word_is_told_in_few_letters() {
        let unknown = UnknownWord::among(&"dog".repeat(400_000), ["cat", "dog"]);
        assert_eq!(unknown.nearest, ["dog", "cat"]);
        assert!(unknown.to_string().len() < 200, "{unknown}");
    }

    #[test]
    fn an_unknown_word_names_its_neighbours() {
        let unknown = UnknownWord::among("Dogg", ["cat", "dog", "horse", "frog"]);
        assert_eq!(unknown.nearest, ["dog", "frog", "cat"]);
        assert_eq!(
            unknown.to_string(),
            "the word \"Dogg\" is not in this world's list; the nearest are \"dog\", \"frog\", \"cat\""
        );
    }
}
