//! The opening of a question and what it leaves over.
//!
//! "Is it", "can you", "has it got", "it has", "are they not": there are many openings and few
//! [frames](FRAME_BE). A [`Clause`] is the frame with the words that follow, from which articles,
//! negations and adverbs of degree have been taken and noted. Together they are the key under which
//! a question is known.

use super::reader::Degree;
use super::words::{
    ALWAYS, ART, BE, CAN, DO, EVER, GOT, HAVE, IS, IT, MAX_WORDS, NOT, NT, PEOPLE, SOMETIMES, THAT,
    THERE, THING, THIS, TO, Tokens, WAS, WITH, WOULD, WordId,
};

// Frames take the place of the opening. Their numbers belong to no word.

/// "is it …"
pub const FRAME_BE: WordId = 25;
/// "was it …"
pub const FRAME_WAS: WordId = 26;
/// "does it …", "can it …", "it …"
pub const FRAME_DO: WordId = 27;
/// "can it be …"
pub const FRAME_CAN_BE: WordId = 28;
/// "can you …", "do people …"
pub const FRAME_YOU: WordId = 29;
/// "is there …"
pub const FRAME_THERE: WordId = 30;

/// A frame and the words that fill it, without articles, negations and adverbs of degree.
#[derive(Clone)]
pub struct Clause {
    /// The frame, then the words.
    pub ids: [WordId; MAX_WORDS + 2],
    /// For each of `ids`, the place among the tokens that it came from.
    at: [u8; MAX_WORDS + 2],
    /// The number of `ids`.
    pub len: usize,
    /// Whether the first word stood behind an article.
    pub article: bool,
    /// Whether the contrary is asked.
    pub negated: bool,
    /// How often it must hold.
    pub degree: Degree,
    /// In the frame "can you": whether the object is mentioned.
    pub object_named: bool,
}

impl Clause {
    /// Takes the words behind an opening; `offset` is the place of the first among the tokens.
    pub fn new(frame: WordId, words: &[WordId], offset: usize) -> Self {
        let mut clause = Clause {
            ids: [0; MAX_WORDS + 2],
            at: [0; MAX_WORDS + 2],
            len: 1,
            article: false,
            negated: false,
            degree: Degree::Typically,
            object_named: false,
        };
        clause.ids[0] = frame;
        for (i, &word) in words.iter().enumerate() {
            match word {
                ART if clause.len == 1 => clause.article = true,
                ART => {}
                NOT | NT => clause.negated = !clause.negated,
                // "Was it ever alive?" asks no more than "Was it once alive?".
                EVER if frame == FRAME_WAS => {}
                EVER | SOMETIMES => clause.degree = Degree::Ever,
                ALWAYS => clause.degree = Degree::Always,
                IT if frame == FRAME_YOU => clause.object_named = true,
                THING if frame == FRAME_YOU && i > 0 => clause.object_named = true,
                _ => clause.push(word, offset + i),
            }
        }
        clause
    }

    fn push(&mut self, word: WordId, at: usize) {
        self.ids[self.len] = word;
        self.at[self.len] = at as u8;
        self.len += 1;
    }

    /// Reads the opening of a whole question.
    pub fn of_question(ids: &[WordId]) -> Self {
        // "Isn't it alive?" expects a yes and asks the same as "Is it alive?"; "Is it not alive?"
        // and "It isn't alive?" ask for the contrary.
        let skip = usize::from(ids.len() > 2 && ids[1] == NT);
        let verb = ids.first().copied().unwrap_or(0);
        let second = 1 + skip;
        // Where the words after the subject start: "it", "the object", "this thing".
        let after_subject = match (ids.get(second), ids.get(second + 1)) {
            (Some(&(THIS | THAT)), Some(&THING)) => second + 2,
            _ => second + 1,
        };
        let subject = matches!(ids.get(second), Some(&(IT | THING | THAT | THIS)));
        let from = |frame, start: usize| Clause::new(frame, ids.get(start..).unwrap_or(&[]), start);
        let be = |i: usize| if ids.get(i) == Some(&NOT) { i + 1 } else { i };
        match verb {
            IS if subject => from(FRAME_BE, after_subject),
            WAS if subject => from(FRAME_WAS, after_subject),
            IS if ids.get(1) == Some(&THERE) => from(FRAME_THERE, 2),
            DO | CAN | WOULD if subject => {
                let after = after_subject;
                let infinitive = be(after);
                if ids.get(infinitive) == Some(&BE) {
                    let frame = if verb == CAN { FRAME_CAN_BE } else { FRAME_BE };
                    let mut clause = from(frame, infinitive + 1);
                    clause.negated ^= infinitive > after;
                    clause
                } else {
                    from(FRAME_DO, after)
                }
            }
            DO | CAN | WOULD if ids.get(second) == Some(&PEOPLE) => from(FRAME_YOU, second + 1),
            HAVE if subject => {
                let start = after_subject + usize::from(ids.get(after_subject) == Some(&GOT));
                from(FRAME_DO, start).with_first(HAVE)
            }
            IT | THIS | THING if ids.len() > 1 => match ids[1] {
                IS => from(FRAME_BE, 2),
                WAS => from(FRAME_WAS, 2),
                CAN | DO | WOULD => {
                    let infinitive = be(if ids.get(2) == Some(&NT) { 3 } else { 2 });
                    let frame = match (ids.get(infinitive) == Some(&BE), ids[1]) {
                        (true, CAN) => FRAME_CAN_BE,
                        (true, _) => FRAME_BE,
                        _ => FRAME_DO,
                    };
                    let mut clause = from(frame, infinitive + usize::from(frame != FRAME_DO));
                    clause.negated ^= infinitive > 2;
                    clause
                }
                HAVE if ids.get(2) == Some(&GOT) => from(FRAME_DO, 3).with_first(HAVE),
                _ if verb != THING => from(FRAME_DO, 1),
                _ => from(FRAME_BE, 0),
            },
            PEOPLE if ids.len() > 1 => {
                let modal = matches!(ids[1], CAN | DO | WOULD);
                from(FRAME_YOU, 1 + usize::from(modal))
            }
            HAVE => from(FRAME_DO, 0),
            DO | CAN => from(FRAME_DO, 1),
            _ => from(FRAME_BE, 0),
        }
    }

    /// The ways to read what follows a noun: "that can fly", "you eat", "with legs", "found at home".
    pub fn of_relative(ids: &[WordId], offset: usize) -> [Option<Self>; 2] {
        let skip = usize::from(ids.first() == Some(&THAT));
        let (words, offset) = (&ids[skip..], offset + skip);
        let from = |frame, start: usize| {
            Clause::new(frame, words.get(start..).unwrap_or(&[]), offset + start)
        };
        let modal = matches!(words.get(1), Some(&(CAN | DO | WOULD)));
        match words.first() {
            Some(&IS) => [Some(from(FRAME_BE, 1)), None],
            Some(&WAS) => [Some(from(FRAME_WAS, 1)), None],
            Some(&CAN) if words.get(1) == Some(&BE) => [Some(from(FRAME_CAN_BE, 2)), None],
            Some(&WOULD) if words.get(1) == Some(&BE) => [Some(from(FRAME_BE, 2)), None],
            Some(&(CAN | DO | WOULD)) => [Some(from(FRAME_DO, 1)), None],
            Some(&PEOPLE) => [Some(from(FRAME_YOU, 1 + usize::from(modal)).naming_object()), None],
            Some(&TO) => [Some(from(FRAME_YOU, 1).naming_object()), None],
            Some(&WITH) => [Some(from(FRAME_DO, 1).with_first(HAVE)), None],
            Some(_) => [Some(from(FRAME_DO, 0)), Some(from(FRAME_BE, 0))],
            None => [None, None],
        }
    }

    fn with_first(mut self, word: WordId) -> Self {
        self.ids.copy_within(1..self.len, 2);
        self.at.copy_within(1..self.len, 2);
        self.ids[1] = word;
        self.len += 1;
        self
    }

    /// The same with its first `count` words, the frame among them, put in other words; `None` when
    /// it gets too long.
    pub fn rephrased(&self, count: usize, new: &[WordId]) -> Option<Self> {
        let mut clause = self.clone();
        let len = self.len - count + new.len();
        if len > clause.ids.len() {
            return None;
        }
        clause.ids[..new.len()].copy_from_slice(new);
        clause.ids[new.len()..len].copy_from_slice(&self.ids[count..self.len]);
        clause.at[new.len()..len].copy_from_slice(&self.at[count..self.len]);
        clause.len = len;
        Some(clause)
    }

    /// "It can't fly, can it?" is answered as "It can fly." is: no, it cannot.
    pub fn settle_tag(&mut self, tokens: &Tokens) {
        self.negated &= !tokens.tag;
    }

    /// The same without its last word.
    pub fn without_last(self) -> Self {
        let len = self.len - 1;
        self.shortened(len)
    }

    /// The first so many of frame and words.
    pub fn shortened(mut self, len: usize) -> Self {
        self.len = len;
        self
    }

    fn naming_object(mut self) -> Self {
        self.object_named = true;
        self
    }

    /// The same words in another frame.
    pub fn in_frame(mut self, frame: WordId) -> Self {
        self.ids[0] = frame;
        self
    }

    /// Frame and words.
    pub fn key(&self) -> &[WordId] {
        &self.ids[..self.len]
    }

    /// The words without the frame.
    pub fn words(&self) -> &[WordId] {
        &self.ids[1..self.len]
    }

    /// The place among the tokens of word `i` of [`words`](Self::words).
    pub fn place(&self, i: usize) -> usize {
        self.at[i + 1] as usize
    }

    /// The text of word `i` of [`words`](Self::words).
    pub fn text<'t>(&self, tokens: &'t Tokens, i: usize) -> &'t str {
        tokens.text(self.place(i))
    }
}
