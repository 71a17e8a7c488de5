//! The words of Wordle and the colours between two of them.

use std::sync::OnceLock;

use crate::catalogue::code_breaking::Answers;

const LETTERS: usize = 5;

type Word = [u8; LETTERS];

/// All words, in the order of the list.
pub(super) fn words() -> &'static [Word] {
    static WORDS: OnceLock<Vec<Word>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lines = include_str!("words.txt").lines();
        lines.map(|line| line.as_bytes().try_into().expect("words of five letters")).collect()
    })
}

/// What a guess is answered: for each letter 0 where it is not in the word, 1 where it is elsewhere,
/// 2 where it is in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colours([u8; LETTERS]);

const NAMES: [char; 3] = ['b', 'y', 'g'];

impl Colours {
    fn of(guess: &Word, hidden: &Word) -> Self {
        Colours(std::array::from_fn(|place| match guess[place] {
            letter if letter == hidden[place] => 2,
            letter if hidden.contains(&letter) => 1,
            _ => 0,
        }))
    }

    /// The answer as it is told: `b y g b b`.
    pub fn told(self) -> String {
        self.0.map(|colour| NAMES[usize::from(colour)].to_string()).join(" ")
    }

    /// The colours that were told, if this tells any.
    pub fn parsed(text: &str) -> Option<Self> {
        let colour = |name: char| NAMES.iter().position(|other| *other == name);
        let colours = text.split(' ').map(|name| Some(colour(name.parse().ok()?)? as u8));
        Some(Colours(colours.collect::<Option<Vec<u8>>>()?.try_into().ok()?))
    }

    /// The colours as a number below 243.
    fn number(self) -> u8 {
        self.0.iter().fold(0, |number, colour| number * 3 + colour)
    }
}

/// The first so many words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vocabulary(&'static [Word]);

impl Vocabulary {
    /// # Panics
    /// If there are not as many.
    pub fn first(count: usize) -> Self {
        Vocabulary(&words()[..count])
    }

    /// The word that was said, letters with blanks between.
    pub fn parsed(self, said: &str) -> Option<usize> {
        let letters: Option<Vec<u8>> = said
            .trim()
            .split(' ')
            .map(|letter| <[u8; 1]>::try_from(letter.as_bytes()).ok().map(|[letter]| letter))
            .collect();
        let letters = letters?;
        self.0.iter().position(|word| word[..] == letters[..])
    }

    pub fn spelled(self, word: usize) -> String {
        self.0[word].map(|letter| char::from(letter).to_string()).join(" ")
    }

    pub fn all_spelled(self) -> Vec<String> {
        (0..self.0.len()).map(|word| self.spelled(word)).collect()
    }

    /// What a guess is answered where a word is hidden.
    pub fn colours(self, guess: usize, hidden: usize) -> Colours {
        Colours::of(&self.0[guess], &self.0[hidden])
    }

    /// The table of all answers.
    pub fn answers(self) -> Answers {
        Answers::new(self.0.len(), |guess, hidden| self.colours(guess, hidden).number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(guess: &str, hidden: &str) -> String {
        let word = |text: &str| text.as_bytes().try_into().unwrap();
        Colours::of(&word(guess), &word(hidden)).told()
    }

    #[test]
    fn yellow_is_any_letter_of_the_word() {
        assert_eq!(colours("crane", "react"), "y y g b y");
        assert_eq!(colours("crane", "crane"), "g g g g g");
        // The second s is yellow, although the word has only one, which was placed.
        assert_eq!(colours("sissy", "serve"), "g b y y b");
    }

    #[test]
    fn the_list_has_different_words_of_small_letters() {
        let mut sorted = words().to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((sorted.len(), words().len()), (2_315, 2_315));
        assert!(words().iter().flatten().all(u8::is_ascii_lowercase));
    }

    #[test]
    fn what_was_told_is_read_again() {
        let all = Vocabulary::first(50);
        for word in 0..50 {
            let told = all.colours(3, word);
            assert_eq!(Colours::parsed(&told.told()), Some(told));
            assert_eq!(all.parsed(&format!(" {} ", all.spelled(word))), Some(word));
        }
        for text in ["", "g", "g g g g", "g g g g x", "ggggg"] {
            assert_eq!(Colours::parsed(text), None, "{text:?}");
        }
        for text in ["cigar", "c i g a", "c  i g a r", "C I G A R", "é i g a r", "z y m i c"] {
            assert_eq!(all.parsed(text), None, "{text:?}");
        }
    }
}
