//! The two sets of rules, and how each reads the text of a turn.
//!
//! `official` reads as the reference does, bug for bug: answers by substring, a guess by the last
//! token of the question, so that seven of the 157 words can never be won. `fixed` reads what a
//! person would: an answer is its first word, and a question wins only where it names the object
//! as the thing guessed (see [`super::target`]).

use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::error::GameError;
use crate::letters::{self, is_letter};

/// Which rules a game follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// Every word can be won, a win needs a guess, a game cut at its limit is truncated.
    #[default]
    Fixed,
    /// The reference's rules, faults included; a game cut at its limit counts as ended.
    Official,
}

impl Rules {
    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Rules::Fixed => "fixed",
            Rules::Official => "official",
        }
    }
}

impl FromStr for Rules {
    type Err = GameError;

    fn from_str(name: &str) -> Result<Self, GameError> {
        match name {
            "fixed" => Ok(Rules::Fixed),
            "official" => Ok(Rules::Official),
            _ => Err(GameError::UnknownRules(name.to_string())),
        }
    }
}

/// An answer in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Only where the world's option for it is on, or people answer.
    Sometimes,
    /// Who answers does not know; only where people answer.
    Unknown,
    /// The oracle could not read the question.
    Invalid,
}

impl Answer {
    /// How many there are.
    pub const COUNT: usize = Answer::Invalid as usize + 1;

    /// All of them, in their order.
    pub const ALL: [Answer; Answer::COUNT] =
        [Answer::Yes, Answer::No, Answer::Sometimes, Answer::Unknown, Answer::Invalid];

    /// The answer as it stands in the history.
    pub fn text(self) -> &'static str {
        match self {
            Answer::Yes => "Yes.",
            Answer::No => "No.",
            Answer::Sometimes => "Sometimes.",
            Answer::Unknown => "I don't know.",
            Answer::Invalid => "Invalid Question.",
        }
    }

    /// The answer whose [text](Self::text) this is.
    pub fn from_text(text: &str) -> Option<Answer> {
        Self::ALL.into_iter().find(|answer| answer.text() == text)
    }

    /// Whether a recorded reply is one that the world gives: by its first word.
    pub(crate) fn is_one(reply: &str) -> bool {
        const WORDS: [&str; 4] = ["yes", "no", "sometimes", "invalid"];
        is_unknown(&letters::lower(reply))
            || first_word(reply)
                .is_some_and(|word| WORDS.iter().any(|it| word.eq_ignore_ascii_case(it)))
    }

    /// Reads an oracle's raw text.
    ///
    /// Official: a "yes" anywhere, else a "no" anywhere, so "eyes" is Yes and "unknown" is No.
    /// Fixed: the first word, or the words "I don't know".
    pub(crate) fn read(rules: Rules, raw: &str) -> Answer {
        let lower = letters::lower(raw);
        match rules {
            Rules::Official if lower.contains("yes") => Answer::Yes,
            Rules::Official if lower.contains("no") => Answer::No,
            Rules::Official => Answer::Invalid,
            Rules::Fixed if is_unknown(&lower) => Answer::Unknown,
            Rules::Fixed => match first_word(&lower) {
                Some("yes") => Answer::Yes,
                Some("no") => Answer::No,
                Some("sometimes") => Answer::Sometimes,
                _ => Answer::Invalid,
            },
        }
    }
}

/// Whether a text in lower case begins with the words of someone who does not know.
fn is_unknown(lower: &str) -> bool {
    let begin = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    ["i don't know", "i don’t know", "i do not know"].iter().any(|words| begin.starts_with(words))
}

fn first_word(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty())
}

/// What the official rules take for the guess: the question without its trailing non-letters,
/// after its last space, in lower case.
pub(super) fn official_last_token(question: &str) -> String {
    let trimmed = question.trim_end_matches(|c| !is_letter(c));
    let last = trimmed.rsplit(' ').next().unwrap_or("");
    letters::lower(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_answers_are_read_by_their_first_word() {
        for (raw, answer) in [
            ("Yes.", Answer::Yes),
            ("  yes, it is", Answer::Yes),
            ("NO!", Answer::No),
            ("\"No\"", Answer::No),
            ("Sometimes.", Answer::Sometimes),
            ("eyes", Answer::Invalid),
            ("I don't know", Answer::Unknown),
            ("“I don’t know.”", Answer::Unknown),
            ("I", Answer::Invalid),
            ("Invalid Question.", Answer::Invalid),
            ("", Answer::Invalid),
        ] {
            assert_eq!(Answer::read(Rules::Fixed, raw), answer, "{raw:?}");
        }
    }

    #[test]
    fn answers_and_rules_have_one_spelling_each() {
        for (place, answer) in Answer::ALL.into_iter().enumerate() {
            assert_eq!(answer as usize, place);
            assert_eq!(Answer::from_text(answer.text()), Some(answer));
            assert_eq!(Answer::read(Rules::Fixed, answer.text()), answer);
            assert!(Answer::is_one(answer.text()));
        }
        assert_eq!(Answer::from_text("yes"), None);
        assert_eq!("official".parse(), Ok(Rules::Official));
        let error = "Official".parse::<Rules>().unwrap_err().to_string();
        assert_eq!(error, "there are no rules named \"Official\"; choose fixed or official");
    }

    #[test]
    fn letters_are_those_of_the_reference() {
        for c in ['a', 'é', 'ª', 'ʰ', '猫'] {
            assert!(is_letter(c), "{c:?}");
        }
        for c in ['Ⅷ', 'ⓐ', '\u{301}', '9', '_', '?', '\u{200b}'] {
            assert!(!is_letter(c), "{c:?}");
        }
    }

    #[test]
    fn the_official_token_is_what_follows_the_last_space() {
        for (question, token) in [
            ("Is it a Cat?!", "cat"),
            ("Is it a\tcat", "a\tcat"),
            ("Is it a \"cat\"?", "\"cat"),
            ("cat 9", "cat"),
            ("?", ""),
        ] {
            assert_eq!(official_last_token(question), token, "{question:?}");
        }
    }
}
