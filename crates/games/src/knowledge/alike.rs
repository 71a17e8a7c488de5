//! Other wordings of the questions that are known: what is tried on a question that stays unread
//! ([`super::loose`]) is done to the known ones as well, so that both meet in the middle.
//!
//! "Would you put it on when it is cold?" and the known "Do you wear it when it is cold?" are both
//! "is it worn when it is cold". Only words are changed that are changed in a question, so this needs
//! no data of its own.

use super::PropertyId;
use super::clause::{Clause, FRAME_DO, FRAME_YOU};
use super::loose::THOROUGHLY;
use super::reader::{Claim, Known, Reader};
use super::words::{HAVE, IT, Map, PEOPLE, Phrases, WordId};

/// Most times that an opening is put in other words.
pub(super) const MAX_REPHRASED: usize = 4;

/// The known questions by their other wordings.
pub(super) type Alike = Map<Box<[WordId]>, Known>;
/// The property of a wording that two questions share which differ.
const TWO: PropertyId = PropertyId(usize::MAX);

impl Reader {
    /// What is known of a frame and its words under some other wording.
    fn known_alike(&self, key: &[WordId]) -> Option<Known> {
        let alike = self.alike.get_or_init(|| self.other_wordings());
        alike.get(key).copied().filter(|known| known.literal.property != TWO)
    }

    /// What a clause claims if it is another wording of a known question.
    pub(super) fn alike(&self, clause: &Clause) -> Option<Claim> {
        if !THOROUGHLY {
            return None;
        }
        let known = self.known_alike(clause.key())?;
        (clause.object_named || !known.object_named).then_some(Claim::Has(known.literal))
    }

    fn other_wordings(&self) -> Alike {
        let mut alike = Alike::default();
        for (key, known) in &self.questions {
            // Without its object "Do you need a bow?" is another question.
            if key[0] == FRAME_YOU && !known.object_named {
                continue;
            }
            let mut key = replaced(&self.loose, key);
            let mut known = *known;
            for _ in 0..=MAX_REPHRASED {
                // A frame alone asks nothing, and "Is it you?" is not "Is it human?".
                if key.len() < 2 || key[1..] == [PEOPLE] {
                    break;
                }
                known.object_named &= key[0] == FRAME_YOU;
                if let Some(other) = alike.insert(key.as_slice().into(), known)
                    && other.literal != known.literal
                {
                    known.literal.property = TWO;
                    alike.insert(key.as_slice().into(), known);
                }
                let Some(next) = self.rephrased(&key) else { break };
                key = next;
            }
        }
        alike
    }

    /// The key in the next equivalent wording; `None` after the last.
    fn rephrased(&self, key: &[WordId]) -> Option<Vec<WordId>> {
        if let Some(shorter) = self.without_inside(key) {
            return Some(key[..shorter].to_vec());
        }
        let (count, new) = self.frames.longest(key.iter().copied())?;
        Some([new, &key[count..]].concat())
    }

    /// Where "in it" begins in "does it have seeds in it": what a thing has is in it or on it.
    pub(super) fn without_inside(&self, key: &[WordId]) -> Option<usize> {
        let inside = |word: &WordId| self.inside.contains(word);
        match key {
            [FRAME_DO, HAVE, _, .., place, IT] if inside(place) => Some(key.len() - 2),
            [FRAME_DO, HAVE, _, .., place] if inside(place) => Some(key.len() - 1),
            _ => None,
        }
    }
}

/// A key with every phrase in it replaced.
fn replaced(phrases: &Phrases, key: &[WordId]) -> Vec<WordId> {
    let mut new = Vec::with_capacity(key.len());
    let mut at = 0;
    while at < key.len() {
        match phrases.longest(key[at..].iter().copied()) {
            Some((count, words)) => {
                new.extend_from_slice(words);
                at += count;
            }
            None => {
                new.push(key[at]);
                at += 1;
            }
        }
    }
    new
}
