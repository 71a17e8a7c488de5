//! Reads a question: from text to a [`Reading`], or to none.
//!
//! Three steps, none of which allocates. The text is split into word numbers and phrases are
//! replaced ([`super::words`], `phrases.txt`). The opening ("is it", "can you", "has it got") gives
//! the frame. Frame and remaining words without articles are then the key of a known question, or
//! they are the name of an object, a comparison, a question about spelling, or a kind with a clause
//! ("an animal that can fly"). Anything else stays unread: the reader never takes the words it
//! knows and leaves out the others.

use std::sync::OnceLock;

use super::alike::Alike;
use super::amounts::Amounts;
use super::clause::{Clause, FRAME_BE, FRAME_CAN_BE, FRAME_DO};
use super::compare::{Comparison, Comparisons};
use super::spelling::Spelling;
use super::words::{
    ALWAYS, ART, CAN, DO, EVER, HAVE, IS, IT, MAX_WORDS, Map, NOT, NT, PEOPLE, Phrases, SOMETIMES,
    THAT, THING, THIS, Tokens, Vocabulary, WAS, WITH, WOULD, WordId,
};
use super::{ObjectId, PropertyId};

/// What a question asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// The question was understood.
    Asks {
        /// What is claimed of the object.
        claim: Claim,
        /// The question asks for the contrary ("Is it not alive?").
        negated: bool,
        /// How often the claim must hold.
        degree: Degree,
    },
    /// The question was not understood.
    Invalid,
}

/// What a question says of the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// It has a property.
    Has(Literal),
    /// It has two properties at once ("Is it an animal that can fly?").
    HasBoth(Literal, Literal),
    /// It is a certain object.
    Is(ObjectId),
    /// It is bigger, smaller, heavier or lighter than something.
    Compares(Comparison),
    /// Its name is spelled in a certain way.
    Spells(Spelling),
    /// Two questions in one.
    Two(Joint, [Part<Simple>; 2]),
}

/// What stands between two questions in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// "Is it big and heavy?"
    And,
    /// "Is it red or green?"
    Or,
    /// "Is it 10 to 20 cm long?": one question, although it makes two claims.
    To,
}

/// A claim that is half of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Simple {
    /// See [`Claim::Has`].
    Has(Literal),
    /// See [`Claim::Is`].
    Is(ObjectId),
    /// See [`Claim::Compares`].
    Compares(Comparison),
    /// See [`Claim::Spells`].
    Spells(Spelling),
}

/// A claim and how it is asked after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<C = Claim> {
    /// What is claimed of the object.
    pub claim: C,
    /// The contrary is asked.
    pub negated: bool,
    /// How often the claim must hold.
    pub degree: Degree,
}

impl Part {
    /// The reading of a question that has no other part.
    pub(super) fn alone(self) -> Reading {
        let Part { claim, negated, degree } = self;
        Reading::Asks { claim, negated, degree }
    }

    /// The same as half of a question, where it can be.
    pub(super) fn simple(self) -> Option<Part<Simple>> {
        let claim = match self.claim {
            Claim::Has(literal) => Simple::Has(literal),
            Claim::Is(object) => Simple::Is(object),
            Claim::Compares(comparison) => Simple::Compares(comparison),
            Claim::Spells(spelling) => Simple::Spells(spelling),
            Claim::HasBoth(..) | Claim::Two(..) => return None,
        };
        Some(Part { claim, negated: self.negated, degree: self.degree })
    }
}

impl Part<Simple> {
    /// A comparison as half of a question.
    fn of(comparison: Comparison) -> Self {
        let claim = Simple::Compares(comparison);
        Part { claim, negated: false, degree: Degree::Typically }
    }
}

/// A property or its contrary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// The property.
    pub property: PropertyId,
    /// Whether the contrary is meant ("Is it dead?").
    pub opposite: bool,
}

/// How often a claim must hold for a "Yes.".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Degree {
    /// As a rule.
    Typically,
    /// At least sometimes ("Is it ever white?").
    Ever,
    /// Without exception ("Is it always white?").
    Always,
}

/// A known question: whose it is, and whether it was written with an article.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub literal: Literal,
    pub article: bool,
    /// Whether it mentions the object ("Can you eat it?"), so that a question must do so too.
    pub object_named: bool,
    /// Whether the property is a kind, which adjectives and clauses may narrow.
    pub kind: bool,
    /// Whether the property may stand before a kind ("a red fruit"); not so "a small animal", whose
    /// smallness is that of animals.
    pub narrows: bool,
}

/// Everything that reading needs; built once by [`super::compile`].
pub(super) struct Reader {
    pub vocabulary: Vocabulary,
    /// Phrases that are replaced wherever they stand, at the start, and (reversed) at the end.
    pub anywhere: Phrases,
    pub at_start: Phrases,
    pub at_end: Phrases,
    /// The same where a question stays unread, and openings that mean the same as others.
    pub loose: Phrases,
    pub frames: Phrases,
    pub and: WordId,
    pub or: WordId,
    /// Known questions by frame and words.
    pub questions: Map<Box<[WordId]>, Known>,
    /// Names, aliases and plurals of the objects by their words.
    pub names: Map<Box<[WordId]>, ObjectId>,
    pub comparisons: Comparisons,
    pub amounts: Amounts,
    pub spelling: super::spelling::Words,
    /// "in", "on": where in a thing its parts are.
    pub inside: [WordId; 2],
    /// How a part is that is not long, not big.
    pub antonyms: [[WordId; 2]; 2],
    /// Made when first needed.
    pub alike: OnceLock<Alike>,
}

impl Reader {
    /// Reads a question.
    pub fn read(&self, question: &str) -> Reading {
        self.understand(question)
            .or_else(|| self.read_loosely(question))
            .unwrap_or(Reading::Invalid)
    }

    /// Reads a question as it stands.
    pub fn understand(&self, question: &str) -> Option<Reading> {
        let tokens = self.tokens(question)?;
        let mut clause = Clause::of_question(tokens.ids());
        clause.settle_tag(&tokens);
        let (claim, clause) = self.claim(clause, &tokens, true)?;
        Some(Reading::Asks { claim, negated: clause.negated, degree: clause.degree })
    }

    /// Splits a question into words and replaces phrases.
    fn tokens(&self, question: &str) -> Option<Tokens> {
        let mut tokens = self.vocabulary.split(question)?;
        self.replace(&self.anywhere, &mut tokens)?;
        self.trim(&mut tokens)?;
        Some(tokens)
    }

    /// Replaces phrases wherever they stand.
    pub fn replace(&self, phrases: &Phrases, tokens: &mut Tokens) -> Option<()> {
        let mut at = 0;
        while at < tokens.ids().len() {
            match phrases.longest(tokens.ids()[at..].iter().copied()) {
                Some((count, new)) => {
                    tokens.replace(at, count, new)?;
                    at += new.len();
                }
                None => at += 1,
            }
        }
        Some(())
    }

    /// Leaves out what says nothing at the start and at the end.
    pub fn trim(&self, tokens: &mut Tokens) -> Option<()> {
        while let Some((count, new)) = self.at_start.longest(tokens.ids().iter().copied()) {
            tokens.replace(0, count, new)?;
        }
        while let Some((count, new)) = self.at_end.longest(tokens.ids().iter().rev().copied()) {
            if count == tokens.ids().len() {
                break;
            }
            let at = tokens.ids().len() - count;
            // Behind a statement with a negation, "can it?" expects a no.
            let opens = |id: &WordId| matches!(*id, IS | DO | CAN | WOULD | HAVE | WAS);
            let subject = |id: &WordId| matches!(*id, IT | PEOPLE);
            let ids = tokens.ids();
            let statement = ids.first().is_some_and(|id| matches!(*id, IT | THIS | PEOPLE));
            tokens.tag |= statement
                && count == 2
                && ids.get(at).is_some_and(opens)
                && ids.get(at + 1).is_some_and(subject);
            tokens.replace(at, count, new)?;
        }
        Some(())
    }

    /// What a clause claims, and the clause in the form that was understood.
    pub fn claim(
        &self,
        clause: Clause,
        tokens: &Tokens,
        outermost: bool,
    ) -> Option<(Claim, Clause)> {
        if clause.len < 2 {
            return None;
        }
        if let Some(claim) = self.simple(&clause, tokens) {
            return Some((claim, clause));
        }
        match clause.ids[0] {
            FRAME_CAN_BE => {
                let mut clause = clause.in_frame(FRAME_BE);
                if clause.degree == Degree::Typically {
                    clause.degree = Degree::Ever;
                }
                self.claim(clause, tokens, outermost)
            }
            FRAME_BE if outermost => self.narrowed(clause, tokens),
            _ => None,
        }
    }

    /// Claims in one piece: a known question, a name, a comparison, a spelling.
    fn simple(&self, clause: &Clause, tokens: &Tokens) -> Option<Claim> {
        let frame = clause.ids[0];
        let known = self.questions.get(clause.key());
        let name = (frame == FRAME_BE).then(|| self.names.get(clause.words())).flatten();
        match (known, name) {
            (Some(known), _) if known.object_named && !clause.object_named => None,
            // "Is it orange?" asks for a colour, "Is it an orange?" for a fruit.
            (Some(known), Some(&object)) if clause.article && !known.article => {
                Some(Claim::Is(object))
            }
            (Some(known), _) => Some(Claim::Has(known.literal)),
            (None, Some(&object)) => Some(Claim::Is(object)),
            (None, None) if frame == FRAME_BE || frame == FRAME_DO => self
                .comparisons
                .read(clause, tokens, &self.names)
                .map(Claim::Compares)
                .or_else(|| {
                    let Comparisons { measures, references, .. } = &self.comparisons;
                    let names = &self.names;
                    let (from, to) =
                        self.amounts.read(clause, tokens, measures, names, references)?;
                    Some(match to {
                        Some(to) => Claim::Two(Joint::To, [Part::of(from), Part::of(to)]),
                        None => Claim::Compares(from),
                    })
                })
                .or_else(|| self.spelling.read(clause, tokens).map(Claim::Spells)),
            (None, None) => None,
        }
    }

    /// "Something you can eat", "an animal that can fly", "a red fruit".
    fn narrowed(&self, clause: Clause, tokens: &Tokens) -> Option<(Claim, Clause)> {
        let words = clause.words();
        let rest = |i: usize| {
            let start = clause.place(i);
            (&tokens.ids()[start..], start)
        };
        if words[0] == THING && words.len() > 1 {
            let (ids, start) = rest(1);
            return Clause::of_relative(ids, start).into_iter().flatten().find_map(|relative| {
                let (claim, mut relative) = self.claim(relative, tokens, false)?;
                // The outer clause has counted every negation, those behind the noun too.
                relative.negated = clause.negated;
                if relative.degree == Degree::Typically {
                    relative.degree = clause.degree;
                }
                Some((claim, relative))
            });
        }
        if words.len() > 1 && words[words.len() - 1] == THING {
            let clause = clause.without_last();
            return self.simple(&clause, tokens).map(|claim| (claim, clause));
        }
        let lookup = |words: &[WordId]| {
            let mut key = [0; MAX_WORDS + 2];
            key[0] = FRAME_BE;
            key[1..=words.len()].copy_from_slice(words);
            self.questions.get(&key[..=words.len()]).copied()
        };
        for i in (1..words.len()).rev() {
            let (head, tail) = words.split_at(i);
            let Some(first) = lookup(head) else { continue };
            // "a pet with claws": what takes an article is a noun.
            if !(first.kind || first.article && clause.article) {
                if let Some(kind) = lookup(tail).filter(|known| known.kind && first.narrows) {
                    return Some((Claim::HasBoth(first.literal, kind.literal), clause));
                }
                continue;
            }
            let (ids, start) = rest(i);
            let negations =
                ids.iter().any(|&id| matches!(id, NOT | NT | EVER | SOMETIMES | ALWAYS));
            if negations
                || !matches!(ids[0], THAT | WITH | PEOPLE | CAN) && !self.participle(ids[0])
            {
                continue;
            }
            let second = Clause::of_relative(ids, start).into_iter().flatten().find_map(
                |relative| match self.claim(relative, tokens, false)? {
                    (Claim::Has(literal), _) => Some(literal),
                    _ => None,
                },
            );
            if let Some(second) = second {
                return Some((Claim::HasBoth(first.literal, second), clause));
            }
        }
        None
    }

    /// Words that may open a clause right behind a noun: "an animal found in Africa".
    fn participle(&self, id: WordId) -> bool {
        self.spelling.participles.contains(&id)
    }

    /// Adds a wording of a property; `Err` with the earlier one if another property has it.
    pub fn learn(&mut self, question: &str, mut known: Known) -> Result<(), Option<Literal>> {
        self.vocabulary.intern_all(question);
        let tokens = self.tokens(question).ok_or(None)?;
        let clause = Clause::of_question(tokens.ids());
        if clause.len < 2 || clause.degree != Degree::Typically {
            return Err(None);
        }
        known.article = clause.article;
        known.object_named = clause.object_named;
        known.literal.opposite ^= clause.negated;
        match self.questions.insert(clause.key().into(), known) {
            Some(earlier) => Err(Some(earlier.literal)),
            None => Ok(()),
        }
    }

    /// Adds a wording that is understood and not asked, unless it is read already.
    pub fn learn_loose(&mut self, question: &str, known: Known) {
        self.vocabulary.intern_all(question);
        let known_before = matches!(
            self.understand(question),
            Some(Reading::Asks { degree: Degree::Typically, .. })
        );
        if !known_before {
            // A wording that cannot be a key is none: `every_line_is_heard` finds it.
            let _ = self.learn(question, known);
        }
    }

    /// Adds a wording unless there is one with the same words; tells whether it was new.
    pub fn learn_if_new(&mut self, question: &str, known: Known) -> bool {
        self.vocabulary.intern_all(question);
        let Some(tokens) = self.tokens(question) else {
            return false;
        };
        let clause = Clause::of_question(tokens.ids());
        if self.questions.contains_key(clause.key()) {
            return false;
        }
        self.questions.insert(clause.key().into(), known).is_none()
    }

    /// The words of a name.
    pub fn name_key(&mut self, name: &str) -> Option<Box<[WordId]>> {
        self.vocabulary.intern_all(name);
        self.known_name_key(name)
    }

    /// The words of a name if all of them are known.
    pub fn known_name_key(&self, name: &str) -> Option<Box<[WordId]>> {
        let tokens = self.vocabulary.split(name)?;
        let clause = Clause::new(FRAME_BE, tokens.ids(), 0);
        Some(clause.words().into())
    }

    /// See [`super::guess_phrase`].
    pub fn guess_phrase(&self, question: &str) -> Option<String> {
        let tokens = self.tokens(question)?;
        let mut clause = Clause::of_question(tokens.ids());
        if clause.ids[0] == FRAME_CAN_BE {
            clause = clause.in_frame(FRAME_BE);
        }
        let (words, asks_of_it) = (clause.words(), clause.ids[0] == FRAME_BE);
        if !asks_of_it || clause.negated || words.is_empty() || clause.degree != Degree::Typically {
            return None;
        }
        let known = self.questions.get(clause.key());
        let named = self.names.contains_key(words)
            && (clause.article || known.is_none_or(|known| known.article));
        // An unknown noun is told from a description by its article and by holding no small words.
        let noun = clause.article
            && words.len() <= 4
            && words.iter().all(|&id| id == PEOPLE || !self.small(id));
        (named || noun).then(|| {
            let texts: Vec<&str> = (0..words.len()).map(|i| clause.text(&tokens, i)).collect();
            texts.join(" ")
        })
    }

    /// Whether a word is one of those that tie phrases together, "of" excepted.
    fn small(&self, id: WordId) -> bool {
        (ART..FRAME_BE).contains(&id)
            || self.participle(id)
            || self.spelling.prepositions.contains(&id)
    }
}
