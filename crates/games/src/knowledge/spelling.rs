//! Questions about the name of the object: its letters and its words.
//!
//! "Does it start with B?", "Does it end in a vowel?", "Does its name have more than five letters?",
//! "Is it two words?". Only the name itself counts, not its aliases.

use super::clause::Clause;
use super::compare::number;
use super::words::{ART, HAVE, IT, THAN, Tokens, Vocabulary, WITH, WordId};

/// A claim about the name of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// It starts with a letter (lower case), or with a vowel.
    Starts(Letter),
    /// It ends with one.
    Ends(Letter),
    /// It contains a letter.
    Contains(u8),
    /// It has so many letters, spaces not counted.
    Letters(std::cmp::Ordering, usize),
    /// It has so many words.
    Words(usize),
}

/// A letter or a class of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// One letter, lower case.
    One(u8),
    /// a, e, i, o or u.
    Vowel,
    /// Any other letter.
    Consonant,
}

impl Letter {
    fn fits(self, letter: Option<u8>) -> bool {
        let vowel = letter.is_some_and(|letter| b"aeiou".contains(&letter));
        match self {
            Letter::One(one) => letter == Some(one),
            Letter::Vowel => vowel,
            Letter::Consonant => letter.is_some() && !vowel,
        }
    }
}

impl Spelling {
    /// Whether `name` (lower case) is spelled so.
    pub fn holds(&self, name: &str) -> bool {
        let mut letters = name.bytes().filter(u8::is_ascii_alphabetic);
        match *self {
            Spelling::Starts(letter) => letter.fits(letters.next()),
            Spelling::Ends(letter) => letter.fits(letters.next_back()),
            Spelling::Contains(letter) => letters.any(|other| other == letter),
            Spelling::Letters(order, count) => letters.count().cmp(&count) == order,
            Spelling::Words(count) => name.split([' ', '-']).count() == count,
        }
    }
}

/// The words of such questions, and two classes of small words that the reader needs.
pub(super) struct Words {
    start: WordId,
    end: WordId,
    contain: WordId,
    letter: WordId,
    inside: WordId,
    name: WordId,
    vowel: WordId,
    consonant: WordId,
    more: WordId,
    fewer: WordId,
    word: WordId,
    /// Words that open a clause behind a noun: "an animal found in Africa".
    pub participles: Vec<WordId>,
    /// Words that tell a description from a name: "a thing for cutting", "a toy on wheels".
    pub prepositions: Vec<WordId>,
}

impl Words {
    pub fn new(vocabulary: &mut Vocabulary) -> Self {
        let participles =
            ["used", "made", "found", "kept", "worn", "living", "eaten", "shaped", "seen"];
        let prepositions =
            ["in", "on", "for", "from", "at", "by", "like", "or", "and", "bigger", "smaller"];
        let mut id = |word| vocabulary.intern(word);
        Words {
            start: id("start"),
            end: id("end"),
            contain: id("contain"),
            letter: id("letter"),
            inside: id("in"),
            name: id("name"),
            vowel: id("vowel"),
            consonant: id("consonant"),
            more: id("more"),
            fewer: id("fewer"),
            word: id("word"),
            participles: participles.into_iter().map(&mut id).collect(),
            prepositions: prepositions.into_iter().map(&mut id).collect(),
        }
    }

    /// Reads the words of a clause whose subject is the object.
    pub fn read(&self, clause: &Clause, tokens: &Tokens) -> Option<Spelling> {
        let words = clause.words();
        let text = |i: usize| clause.text(tokens, i);
        let count = |i: usize| number(text(i)).map(|number| number as usize);
        let is = |i: usize, word: WordId| words.get(i) == Some(&word);
        let last = words.len() - 1;
        // Articles are no words of a clause, so that the letter A is missing at its end.
        let letter_a = tokens.ids().last() == Some(&ART);
        let joined = is(1, WITH) || is(1, self.inside);
        let room = last + usize::from(letter_a);
        if (is(0, self.start) || is(0, self.end))
            && joined
            && (room == 2 || room == 3 && is(2, self.letter))
        {
            let letter = match words[last] {
                _ if letter_a => Letter::One(b'a'),
                word if word == self.vowel => Letter::Vowel,
                word if word == self.consonant => Letter::Consonant,
                _ => Letter::One(single(text(last))?),
            };
            let start = is(0, self.start);
            return Some(if start { Spelling::Starts(letter) } else { Spelling::Ends(letter) });
        }
        let has = is(0, HAVE) || is(0, self.contain);
        let in_name =
            (is(last, self.name) || is(last, IT)) && last > 0 && is(last - 1, self.inside);
        let end = if in_name { last.saturating_sub(2) } else { last };
        if has && letter_a && (last == 1 && is(1, self.letter) || last == 0 && is(0, self.contain))
        {
            return Some(Spelling::Contains(b'a'));
        }
        if has && (end == 2 && is(1, self.letter) || end == 1 && (in_name || is(0, self.contain))) {
            return single(text(end)).map(Spelling::Contains);
        }
        use std::cmp::Ordering;
        match words {
            [_, _, letter] if has && *letter == self.letter => {
                Some(Spelling::Letters(Ordering::Equal, count(1)?))
            }
            [_, order, than, _, letter] if has && *than == THAN && *letter == self.letter => {
                let order = match *order {
                    word if word == self.more => Ordering::Greater,
                    word if word == self.fewer => Ordering::Less,
                    _ => return None,
                };
                Some(Spelling::Letters(order, count(3)?))
            }
            [_, word] if *word == self.word => Some(Spelling::Words(count(0)?)),
            _ => None,
        }
    }
}

/// The letter that a text is.
fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [letter] if letter.is_ascii_lowercase() => Some(*letter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn names_are_spelled() {
        assert!(Spelling::Starts(Letter::One(b't')).holds("tennis racket"));
        assert!(!Spelling::Starts(Letter::Vowel).holds("tennis racket"));
        assert!(Spelling::Ends(Letter::Consonant).holds("tennis racket"));
        assert!(Spelling::Contains(b'k').holds("tennis racket"));
        assert!(Spelling::Letters(Ordering::Equal, 12).holds("tennis racket"));
        assert!(Spelling::Letters(Ordering::Less, 4).holds("cat"));
        assert!(Spelling::Words(2).holds("tennis racket"));
    }
}
