//! The best letters to say: exact, by branch and bound over the sets of words that are possible.
//!
//! A letter parts the words by the places where they have it. Where one word is left, its letters are
//! known and cost nothing, so a set and the misses left are all that matters.

use std::collections::HashMap;

use super::Word;

/// Words that are possible, as their numbers in rising order.
pub(super) type Words = Vec<u16>;

/// A search that remembers what it found.
pub(super) struct Search {
    words: &'static [Word],
    /// The cost and the best letter of sets that were solved.
    solved: HashMap<(Words, usize), (u32, u8)>,
    /// Sets whose cost is known to be at least this.
    at_least: HashMap<(Words, usize), u32>,
}

/// A letter that tells something: how many words lack it, and the sets into which it parts the others.
struct Split {
    letter: u8,
    without: Words,
    with: Vec<Words>,
}

/// The places of a word that have a letter, as bits.
pub(super) fn places(word: &Word, letter: u8) -> u8 {
    word.iter().rev().fold(0, |bits, other| bits << 1 | u8::from(*other == letter))
}

impl Search {
    pub fn new(words: &'static [Word]) -> Self {
        Self { words, solved: HashMap::new(), at_least: HashMap::new() }
    }

    pub fn all(&self) -> Words {
        (0..self.words.len() as u16).collect()
    }

    /// The letters that tell words of a set apart, those that fewest lack first.
    fn splits(&self, set: &[u16]) -> Vec<Split> {
        let mut splits = Vec::new();
        for letter in b'a'..=b'z' {
            let mut parts: Vec<Words> = vec![Words::new(); 32];
            for &word in set {
                parts[usize::from(places(&self.words[usize::from(word)], letter))].push(word);
            }
            if parts.iter().any(|part| part.len() == set.len()) {
                continue;
            }
            let without = std::mem::take(&mut parts[0]);
            parts.retain(|part| !part.is_empty());
            splits.push(Split { letter, without, with: parts });
        }
        // Of as many misses, the one that tells words apart best.
        let largest = |split: &Split| split.with.iter().map(Vec::len).max();
        splits.sort_by_key(|split| (split.without.len(), largest(split), split.letter));
        splits
    }

    /// The misses over all words of a set and the best letter, or nothing where there are not fewer
    /// than `limit`. `left` misses, at least 1, are left.
    fn solve(&mut self, set: &[u16], left: usize, limit: u32) -> Option<(u32, u8)> {
        if set.len() == 1 {
            return (limit > 0).then_some((0, 0));
        }
        let key = (set.to_vec(), left);
        if let Some(found) = self.solved.get(&key) {
            return (found.0 < limit).then_some(*found);
        }
        if self.at_least.get(&key).is_some_and(|least| *least >= limit) {
            return None;
        }
        let mut best: Option<(u32, u8)> = None;
        for split in self.splits(set) {
            let below = best.map_or(limit, |(cost, _)| cost);
            if split.without.len() as u32 >= below {
                break;
            }
            if let Some(cost) = self.cost(&split, left, below) {
                best = Some((cost, split.letter));
            }
        }
        match best {
            Some(found) => drop(self.solved.insert(key, found)),
            None => drop(self.at_least.insert(key, limit)),
        }
        best
    }

    fn cost(&mut self, split: &Split, left: usize, limit: u32) -> Option<u32> {
        let mut cost = split.without.len() as u32;
        for part in &split.with {
            cost += self.solve(part, left, limit.checked_sub(cost)?)?.0;
        }
        if left > 1 && !split.without.is_empty() {
            cost += self.solve(&split.without, left - 1, limit.checked_sub(cost)?)?.0;
        }
        (cost < limit).then_some(cost)
    }

    /// The least misses over all words.
    pub fn optimum(&mut self, left: usize) -> u32 {
        self.solve(&self.all(), left, u32::MAX).expect("no limit").0
    }

    /// The best letter for a set of two words or more.
    pub fn best_letter(&mut self, set: &[u16], left: usize) -> Option<u8> {
        self.solve(set, left, u32::MAX).map(|(_, letter)| letter)
    }

    /// The letter of those that tell something which fewest words of a set lack.
    pub fn greedy_letter(&self, set: &[u16]) -> Option<u8> {
        self.splits(set).first().map(|split| split.letter)
    }

    /// The misses over all words of a set if letters are chosen so.
    pub fn greedy(&self, set: &[u16], left: usize) -> u32 {
        let splits = self.splits(set);
        let Some(split) = splits.first() else { return 0 };
        let with: u32 = split.with.iter().map(|part| self.greedy(part, left)).sum();
        let without = match left {
            1 => 0,
            _ => self.greedy(&split.without, left - 1),
        };
        split.without.len() as u32 + with + without
    }

    /// Misses over all words that no player avoids: those of the first letter that tells something.
    pub fn bound(&self) -> u32 {
        self.splits(&self.all()).first().map_or(0, |split| split.without.len() as u32)
    }
}
