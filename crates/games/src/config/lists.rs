//! Which secret words a configuration names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::WorldConfig;
use crate::error::GameError;
use crate::knowledge::Table;
use crate::twenty_questions::change;
use crate::words;

/// A list of secret words with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WordList {
    /// All 157.
    #[default]
    All,
    /// The ten of the small game.
    Subset,
    /// The objects of the file that `knowledge` names.
    Own,
}

impl WordList {
    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            WordList::All => "all",
            WordList::Subset => "subset",
            WordList::Own => "own",
        }
    }
}

impl FromStr for WordList {
    type Err = GameError;

    fn from_str(name: &str) -> Result<Self, GameError> {
        let lists = [WordList::All, WordList::Subset, WordList::Own];
        lists.into_iter().find(|list| list.name() == name).ok_or_else(|| {
            GameError::BadSetting(format!(
                "there is no word list named \"{name}\"; choose all, subset or own"
            ))
        })
    }
}

/// Which secret words Twenty Questions draws from: a list by its name, or names that the table knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Words {
    /// A list that has a name.
    Named(WordList),
    /// These.
    These(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Words::Named(WordList::default())
    }
}

impl From<WordList> for Words {
    fn from(list: WordList) -> Self {
        Words::Named(list)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`all`, `subset`, `own` or a list of words")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Words, E> {
                let name = serde::de::value::StrDeserializer::new(name);
                WordList::deserialize(name).map(Words::Named)
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element()? {
                    words.push(word);
                }
                Ok(Words::These(words))
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// The most secret words of a world.
pub const MOST_WORDS: usize = 5000;

impl WorldConfig {
    /// The names of the secret words.
    pub(super) fn secrets(&self, table: &Table) -> Result<Vec<String>, GameError> {
        let of =
            |words: Vec<words::Word>| words.iter().map(|word| word.name().to_string()).collect();
        let mut names: Vec<String> = match &self.words {
            Words::Named(WordList::All) => of(words::words().to_vec()),
            Words::Named(WordList::Subset) => of(words::subset()),
            Words::Named(WordList::Own) if self.knowledge.is_empty() => {
                return Err(GameError::BadSetting(
                    "world.words = \"own\" are the objects of a file of one's own: name it with \
                     world.knowledge"
                        .to_string(),
                ));
            }
            Words::Named(WordList::Own) => {
                table.own().iter().map(|id| table.objects()[id.0].name.clone()).collect()
            }
            Words::These(names) => {
                for name in names {
                    change::known(table, "world.words", name)?;
                }
                names.clone()
            }
        };
        for name in &self.extra {
            change::known(table, "world.extra", name)?;
            names.push(name.clone());
        }
        match names.len() {
            0..=MOST_WORDS => Ok(names),
            many => Err(GameError::BadSetting(format!(
                "world.words has {many} words; a game has at most {MOST_WORDS}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "own")]
    use crate::knowledge::provide;
    use crate::make_one;

    fn world(json: &str) -> Result<WorldConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn names(json: &str) -> Result<Vec<String>, String> {
        let game = world(json)?.guessing().map_err(|error| error.to_string())?;
        Ok(game.expect("a game of questions").names())
    }

    #[test]
    fn words_are_a_list_by_name_or_names() {
        assert_eq!(names("{}").unwrap().len(), 157);
        assert_eq!(names(r#"{"words": "subset"}"#).unwrap().len(), 10);
        assert_eq!(names(r#"{"words": ["Cat", "tv"]}"#).unwrap(), ["cat", "television"]);
        let config = world(r#"{"words": ["cat"]}"#).unwrap();
        assert_eq!(WorldConfig::of(&config.settings()), Ok(config));
        for list in [WordList::All, WordList::Subset, WordList::Own] {
            assert_eq!(list.name().parse(), Ok(list));
        }
    }

    #[cfg(feature = "own")]
    #[test]
    fn the_objects_of_ones_own_file_are_words_with_their_facts() {
        let text = "cordless\n  Is it cordless?\n\n= tool\n\
                    angle grinder | also: grinder | size: 30cm 2kg\n  + cordless\n\
                    hammer\n  + cordless\n";
        provide("lists.txt", text).unwrap();
        let own = r#"{"knowledge": "lists.txt", "words": "own"}"#;
        assert_eq!(names(own).unwrap(), ["angle grinder", "hammer"]);
        let mut game = world(own).unwrap().guessing().unwrap().unwrap();
        for (thing, question, reply) in [
            ("angle grinder", "Is it cordless?", "Yes."),
            ("hammer", "Is it a tool?", "Yes."),
            ("hammer", "Is it bigger than a grinder?", "No."),
            ("grinder", "Is it a grinder?", "Yes."),
        ] {
            game.start_word(thing, 1).unwrap();
            let turn = game.act(question);
            assert_eq!(turn.reply, reply, "{thing}: {question}");
            assert_eq!(turn.won(), question == "Is it a grinder?", "{thing}: {question}");
        }
        assert!(game.question_pool().find("Is it an angle grinder?").is_some());
        // The table's own words have the new property too, and those of other worlds do not.
        let mixed = r#"{"knowledge": "lists.txt", "words": ["saw", "grinder"]}"#;
        assert_eq!(names(mixed).unwrap(), ["saw", "angle grinder"]);
        let plain = make_one(&WorldConfig::default()).unwrap();
        assert_eq!(plain.about().tasks, Some(157));
        assert!(crate::knowledge::table().property("cordless").is_none());
    }

    #[test]
    fn words_that_cannot_be_are_refused_in_a_sentence() {
        for (json, parts) in [
            (r#"{"words": "some"}"#, &["some", "`subset`"][..]),
            (r#"{"words": 7}"#, &["7", "a list of words"]),
            (r#"{"words": ["dgo"]}"#, &["world.words", "\"dgo\"", "\"dog\""]),
            (r#"{"words": ["dog", "Dog"]}"#, &["Dog", "twice"]),
            (r#"{"words": []}"#, &["empty"]),
            (r#"{"words": "own"}"#, &["world.words", "world.knowledge"]),
            (r#"{"knowledge": "absent.txt"}"#, &["world.knowledge", "absent.txt", "terminal"]),
        ] {
            let error = names(json).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
        let many = Words::These(vec!["cat".into(); MOST_WORDS + 1]);
        let error = make_one(&WorldConfig { words: many, ..Default::default() }).err().unwrap();
        assert!(error.to_string().contains("5001 words"), "{error}");
    }
}
