//! Turns the text of a question into word numbers, without allocating.
//!
//! A [`Vocabulary`] knows every word that occurs in the data, its plural or third person, and the
//! one-word synonyms of `phrases.txt`; all forms of a word share one number, so that "Do they have
//! leaves" and "Does it have a leaf" become the same numbers. Words outside the vocabulary become
//! [`UNKNOWN`], which no question of the table contains. The words that carry grammar have fixed
//! numbers, given here as constants.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::inflection::{NO_PLURAL, fold, plural};
use crate::letters;

/// The number of a word; forms and synonyms of a word share it.
pub type WordId = u16;

/// A word that the table does not contain.
pub const UNKNOWN: WordId = 0;
/// A word that says nothing ("the", "please"): left out when text is split.
const DROPPED: WordId = 1;
/// "a", "an".
pub const ART: WordId = 2;
/// "is", "are".
pub const IS: WordId = 3;
/// The infinitive "be".
pub const BE: WordId = 4;
/// "was", "were".
pub const WAS: WordId = 5;
/// "do", "does", "will".
pub const DO: WordId = 6;
/// "can".
pub const CAN: WordId = 7;
/// "would", "could", "might", "may".
pub const WOULD: WordId = 8;
/// "has", "have".
pub const HAVE: WordId = 9;
/// "it", "they": the object.
pub const IT: WordId = 10;
/// "you", "people", "someone"; not "a person", which may be what is guessed.
pub const PEOPLE: WordId = 11;
/// "not", "never", "non".
pub const NOT: WordId = 12;
/// "n't": a negation drawn into its verb.
pub const NT: WordId = 13;
/// "that", "which", "who".
pub const THAT: WordId = 14;
pub const THERE: WordId = 15;
/// "something", "thing", "object", "item".
pub const THING: WordId = 16;
pub const EVER: WordId = 17;
pub const SOMETIMES: WordId = 18;
pub const ALWAYS: WordId = 19;
pub const WITH: WordId = 20;
pub const THAN: WordId = 21;
pub const AS: WordId = 22;
pub const TO: WordId = 23;
pub const GOT: WordId = 24;
/// "this", "these". The numbers between are taken by the frames of [`super::reader`].
pub const THIS: WordId = 31;

/// Words of the grammar by number.
const GRAMMAR: &[(WordId, &str)] = &[
    (ART, "a an"),
    (IS, "is are am"),
    (BE, "be"),
    (WAS, "was were"),
    (DO, "do does did will"),
    (CAN, "can"),
    (WOULD, "would could might may"),
    (HAVE, "has have had having"),
    (IT, "it they them"),
    (THIS, "this these those"),
    (PEOPLE, "you people i we someone somebody anyone anybody everyone folks me us"),
    (NOT, "not never non no"),
    (THAT, "that which who"),
    (THERE, "there"),
    (THING, "something thing things object objects item items"),
    (EVER, "ever"),
    (SOMETIMES, "sometimes occasionally"),
    (ALWAYS, "always"),
    (WITH, "with"),
    (THAN, "than"),
    (AS, "as"),
    (TO, "to"),
    (GOT, "got"),
];

/// The first number for words of the data.
const FIRST_FREE: WordId = 32;

/// Contractions as (written, first word, second word).
const CONTRACTIONS: &[(&str, WordId, WordId)] = &[
    ("isn't", IS, NT),
    ("isnt", IS, NT),
    ("ain't", IS, NT),
    ("aren't", IS, NT),
    ("arent", IS, NT),
    ("wasn't", WAS, NT),
    ("wasnt", WAS, NT),
    ("weren't", WAS, NT),
    ("doesn't", DO, NT),
    ("doesnt", DO, NT),
    ("don't", DO, NT),
    ("dont", DO, NT),
    ("won't", DO, NT),
    ("didn't", DO, NT),
    ("can't", CAN, NT),
    ("cant", CAN, NT),
    ("cannot", CAN, NOT),
    ("couldn't", WOULD, NT),
    ("couldnt", WOULD, NT),
    ("wouldn't", WOULD, NT),
    ("wouldnt", WOULD, NT),
    ("hasn't", HAVE, NT),
    ("hasnt", HAVE, NT),
    ("haven't", HAVE, NT),
    ("havent", HAVE, NT),
    ("it's", IT, IS),
    ("its", IT, IS),
    ("they're", IT, IS),
    ("this's", IT, IS),
    ("that's", THAT, IS),
    ("thats", THAT, IS),
    ("it'd", IT, WOULD),
    ("it'll", IT, DO),
    ("it've", IT, HAVE),
    ("they've", IT, HAVE),
    ("you've", PEOPLE, HAVE),
    ("you're", PEOPLE, IS),
    ("you'd", PEOPLE, WOULD),
    ("there's", THERE, IS),
];

/// FNV-1a: short keys, and no need to guard against chosen collisions in a table of our own.
#[derive(Clone)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        // The table of the standard library takes its control bits from the top.
        self.0 ^ (self.0 << 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, word: u16) {
        self.0 = (self.0 ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3);
    }
}

/// A map with the quick hash.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// Most words a question may have.
pub const MAX_WORDS: usize = 40;
/// Most bytes a question may have.
pub const MAX_BYTES: usize = 256;

/// A question as word numbers, each with the bytes that it was read from.
#[derive(Clone)]
pub struct Tokens {
    text: [u8; MAX_BYTES],
    ids: [WordId; MAX_WORDS],
    spans: [(u16, u16); MAX_WORDS],
    len: usize,
    /// Whether a tag that expects a no was left out at the end: "It can't fly, can it?".
    pub tag: bool,
}

impl Tokens {
    fn new() -> Self {
        Tokens {
            text: [0; MAX_BYTES],
            ids: [0; MAX_WORDS],
            spans: [(0, 0); MAX_WORDS],
            len: 0,
            tag: false,
        }
    }

    /// The word numbers in order.
    pub fn ids(&self) -> &[WordId] {
        &self.ids[..self.len]
    }

    /// The lower-case text that word `i` was read from.
    pub fn text(&self, i: usize) -> &str {
        let (start, end) = self.spans[i];
        std::str::from_utf8(&self.text[start as usize..end as usize]).unwrap_or("")
    }

    /// The words at these places, in this order; `None` when there are too many.
    pub fn picked(&self, places: &[usize]) -> Option<Tokens> {
        let mut picked = Tokens { text: self.text, ..Tokens::new() };
        for &place in places {
            picked.push(*self.ids().get(place)?, self.spans[place])?;
        }
        Some(picked)
    }

    fn push(&mut self, id: WordId, span: (u16, u16)) -> Option<()> {
        *self.ids.get_mut(self.len)? = id;
        self.spans[self.len] = span;
        self.len += 1;
        Some(())
    }

    /// Replaces `count` words from `at` by `new`, which may be longer; `None` when it gets too long.
    pub fn replace(&mut self, at: usize, count: usize, new: &[WordId]) -> Option<()> {
        let (tail, len) = (at + count, self.len - count + new.len());
        if len > MAX_WORDS {
            return None;
        }
        let span = (self.spans[at].0, self.spans[tail - 1].1);
        self.ids.copy_within(tail..self.len, at + new.len());
        self.spans.copy_within(tail..self.len, at + new.len());
        self.ids[at..at + new.len()].copy_from_slice(new);
        self.spans[at..at + new.len()].fill(span);
        self.len = len;
        Some(())
    }
}

/// All words of the data, with their forms and synonyms.
pub struct Vocabulary {
    words: Map<Box<str>, (WordId, WordId)>,
    next: WordId,
}

impl Vocabulary {
    /// A vocabulary with the words of the grammar alone.
    pub fn new() -> Self {
        let mut words = Map::default();
        for (id, forms) in GRAMMAR {
            words.extend(forms.split(' ').map(|form| (Box::from(form), (*id, DROPPED))));
        }
        words.extend(CONTRACTIONS.iter().map(|&(form, a, b)| (Box::from(form), (a, b))));
        Vocabulary { words, next: FIRST_FREE }
    }

    /// Leaves `word` out of everything read from here on.
    pub fn drop_word(&mut self, word: &str) {
        self.words.insert(word.into(), (DROPPED, DROPPED));
    }

    /// Reads `word` and its plural as `id` from here on.
    pub fn add_synonym(&mut self, word: &str, id: WordId) {
        self.words.insert(word.into(), (id, DROPPED));
        self.words.entry(plural(word).into()).or_insert((id, DROPPED));
    }

    /// The number of `word`, a new one if needed.
    pub fn intern(&mut self, word: &str) -> WordId {
        if let Some(&(id, _)) = self.words.get(word) {
            return id;
        }
        let base = fold(word);
        let id = match self.words.get(base.as_str()) {
            Some(&(id, _)) => id,
            None => {
                self.next += 1;
                self.next - 1
            }
        };
        self.words.entry(word.into()).or_insert((id, DROPPED));
        let many = plural(&base);
        if !NO_PLURAL.contains(&many.as_str()) {
            self.words.entry(many.into()).or_insert((id, DROPPED));
        }
        self.words.entry(base.into()).or_insert((id, DROPPED));
        id
    }

    /// Gives every word of `text` a number.
    pub fn intern_all(&mut self, text: &str) {
        for word in letters::lower(text).split(|c: char| !c.is_alphanumeric() && c != '\'') {
            if !word.is_empty() && !self.words.contains_key(word) {
                self.intern(word.trim_end_matches("'s"));
            }
        }
    }

    /// Splits a question; `None` if it is longer than any question that could be read.
    pub fn split(&self, question: &str) -> Option<Tokens> {
        let mut tokens = Tokens::new();
        let mut end = 0;
        let mut start = 0;
        // A byte beyond the last closes the last word.
        let digit = |at: usize| question.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let decimal = |at: usize| at > 0 && digit(at - 1) && digit(at + 1);
        for (at, byte) in question.bytes().chain([b' ']).enumerate() {
            let point = byte == b'.' && decimal(at);
            let letter = byte.is_ascii_alphanumeric() || byte == b'\'' || point;
            if letter {
                *tokens.text.get_mut(end)? = byte.to_ascii_lowercase();
                end += 1;
            } else if byte == 0xE2 || byte == 0x80 {
                // The first two bytes of typographic quotation marks, of which the last byte tells.
            } else if byte == 0x99 && end > start {
                *tokens.text.get_mut(end)? = b'\'';
                end += 1;
            } else if end > start {
                self.push_word(&mut tokens, start, end)?;
                start = end;
            }
            if byte == b'&' {
                tokens.text.get_mut(end..end + 3)?.copy_from_slice(b"and");
                self.push_word(&mut tokens, end, end + 3)?;
                (start, end) = (end + 3, end + 3);
            }
        }
        Some(tokens)
    }

    /// "yellowish" and "reddish" as the colour that they are a shade of.
    fn shade(&self, word: &str) -> Option<&(WordId, WordId)> {
        let stem = word.strip_suffix("ish").filter(|stem| stem.len() > 2)?;
        let halved = || self.words.get(&stem[..stem.len() - 1]);
        self.words.get(stem).or_else(halved)
    }

    /// Whether a word, in whatever case, has a number.
    pub fn knows(&self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        self.words.contains_key(word.as_str()) || self.shade(&word).is_some()
    }

    /// The known words that one slip makes `word` of, the likelier slips first: two letters turned
    /// round, a letter left out, a letter too many, a letter beside the right one, a blank left out.
    pub fn one_edit_away(&self, word: &str) -> Vec<String> {
        let word = word.to_ascii_lowercase();
        let letters = word.as_bytes();
        let mut near = Vec::new();
        let mut offer = |bytes: Vec<u8>| {
            let Ok(word) = String::from_utf8(bytes) else { return };
            if self.words.get(word.as_str()).is_some_and(|&(id, _)| id != DROPPED)
                && !near.contains(&word)
            {
                near.push(word);
            }
        };
        for i in 1..letters.len() {
            let mut turned = letters.to_vec();
            turned.swap(i - 1, i);
            offer(turned);
        }
        for i in 1..=letters.len() {
            for letter in b'a'..=b'z' {
                offer([&letters[..i], &[letter], &letters[i..]].concat());
            }
        }
        if letters.len() < 4 {
            return near;
        }
        for i in 1..letters.len() {
            offer([&letters[..i], &letters[i + 1..]].concat());
        }
        for i in 1..letters.len() {
            for letter in (b'a'..=b'z').filter(|&letter| confused(letters[i], letter)) {
                offer([&letters[..i], &[letter], &letters[i + 1..]].concat());
            }
        }
        for i in 2..letters.len() - 1 {
            let (first, second) = word.split_at(i);
            if self.words.contains_key(first) && self.words.contains_key(second) {
                near.push(format!("{first} {second}"));
            }
        }
        near
    }

    fn push_word(&self, tokens: &mut Tokens, start: usize, end: usize) -> Option<()> {
        let word = std::str::from_utf8(&tokens.text[start..end]).ok()?.trim_matches('\'');
        let found = self
            .words
            .get(word)
            .or_else(|| self.words.get(word.strip_suffix("'s")?))
            .or_else(|| self.shade(word));
        let span = (start as u16, end as u16);
        let (first, second) = found.copied().unwrap_or((UNKNOWN, DROPPED));
        if first != DROPPED {
            tokens.push(first, span)?;
        }
        if second != DROPPED {
            tokens.push(second, span)?;
        }
        Some(())
    }
}

/// Whether people type one letter for the other: vowels, letters that sound alike, and neighbours on
/// the keyboard.
fn confused(a: u8, b: u8) -> bool {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    const ALIKE: [&[u8]; 4] = [b"aeiouy", b"cks", b"szc", b"fv"];
    let place = |letter: u8| {
        ROWS.iter().enumerate().find_map(|(row, letters)| {
            letters.iter().position(|&other| other == letter).map(|column| (row, column))
        })
    };
    let near = match (place(a), place(b)) {
        (Some((row, column)), Some((other, place))) => {
            row.abs_diff(other) <= 1 && column.abs_diff(place) <= 1
        }
        _ => false,
    };
    a != b && (near || ALIKE.iter().any(|alike| alike.contains(&a) && alike.contains(&b)))
}

/// Phrases by their words: a tree in which each step down is one more word.
#[derive(Default)]
pub struct Phrases {
    /// The node behind each first word, or 0: most words begin no phrase, and this tells at once.
    first: Vec<u16>,
    next: Map<(u16, WordId), u16>,
    /// What stands for the phrase that ends at a node.
    replacement: Vec<Option<Box<[WordId]>>>,
    nodes: u16,
}

impl Phrases {
    /// Adds a phrase; `false` if it is there already.
    pub fn insert(&mut self, from: impl Iterator<Item = WordId>, to: &[WordId]) -> bool {
        let mut node = 0;
        for word in from {
            let fresh = self.nodes + 1;
            let reached = if node == 0 {
                let word = usize::from(word);
                self.first.resize(self.first.len().max(word + 1), 0);
                if self.first[word] == 0 {
                    self.first[word] = fresh;
                }
                self.first[word]
            } else {
                *self.next.entry((node, word)).or_insert(fresh)
            };
            self.nodes = self.nodes.max(reached);
            node = reached;
        }
        let node = usize::from(node);
        self.replacement.resize(self.replacement.len().max(node + 1), None);
        self.replacement[node].replace(to.into()).is_none()
    }

    /// The longest phrase at the head of `words`: its length and what stands for it.
    pub fn longest(&self, mut words: impl Iterator<Item = WordId>) -> Option<(usize, &[WordId])> {
        let first = usize::from(words.next()?);
        let mut node = *self.first.get(first).filter(|&&node| node != 0)?;
        let mut best = None;
        let mut length = 1;
        loop {
            if let Some(Some(to)) = self.replacement.get(usize::from(node)) {
                best = Some((length, &**to));
            }
            let Some(&reached) = words.next().and_then(|word| self.next.get(&(node, word))) else {
                return best;
            };
            node = reached;
            length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_share_a_number() {
        let mut vocabulary = Vocabulary::new();
        vocabulary.intern_all("Does it have leaves?");
        let read = |text: &str| vocabulary.split(text).unwrap().ids().to_vec();
        assert_eq!(read("Do they have a leaf"), [&[DO, IT, HAVE, ART][..], &read("leaf")].concat());
        assert_eq!(read("it’s"), [IT, IS]);
        assert_eq!(read("ISN'T it!?"), [IS, NT, IT]);
        assert_eq!(read("zorb"), [UNKNOWN]);
        assert!(vocabulary.split(&"very ".repeat(100)).is_none());
    }

    #[test]
    fn the_longest_phrase_wins() {
        let mut phrases = Phrases::default();
        assert!(phrases.insert([40, 41].into_iter(), &[50]));
        assert!(phrases.insert([40].into_iter(), &[]));
        assert!(!phrases.insert([40].into_iter(), &[]));
        assert_eq!(phrases.longest([40, 41, 42].into_iter()), Some((2, &[50][..])));
        assert_eq!(phrases.longest([40, 42].into_iter()), Some((1, &[][..])));
        assert_eq!(phrases.longest([42].into_iter()), None);
    }
}
