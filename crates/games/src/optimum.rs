//! The best that any player can do at Twenty Questions, by dynamic programming.
//!
//! A player narrows the words that are still possible. A question about a property splits them
//! and costs each of them a point; a guess costs every word but the guessed one a point, and
//! leaves one fewer. The cost of a set of words is the sum over its words; the mean return is its
//! negative, divided by their number.
//!
//! [`perfect_split_optimum`] lets the player split a set as he likes: a bound, whatever the
//! oracle knows. [`Solver`] has only the splits of a pool of questions, and gives the best
//! question in every situation.

use std::collections::HashMap;

use crate::question_pool::QuestionPool;
use crate::twenty_questions::Answer;

/// The most words that a [`Solver`] takes.
pub const MAX_SOLVER_WORDS: usize = 16;

/// The best mean return over `words` equally likely words, where a question can split a set of
/// words into any parts, one for each of `answers` possible answers, and a game is lost after
/// `max_turns` questions.
///
/// ```
/// use archer_games::optimum::perfect_split_optimum;
///
/// assert_eq!(perfect_split_optimum(10, 20, 2), -2.8);
/// ```
///
/// # Panics
/// Where there is no word or no turn, or `answers` is not 2 or 3.
pub fn perfect_split_optimum(words: usize, max_turns: usize, answers: usize) -> f64 {
    assert!(words >= 1 && max_turns >= 1, "an optimum over no words or no turns");
    let costs = perfect_costs(words, max_turns, answers);
    -f64::from(costs[costs.len() - 1][words]) / words as f64
}

/// The best mean return over `words` equally likely words where one question can tell all of them
/// apart, as questions with free answers do, and a game is lost after `max_turns` questions.
///
/// The first turn is then that question, which costs every word a point, or a guess, which is worth
/// as much for three words and more for fewer.
///
/// ```
/// use archer_games::optimum::free_answer_optimum;
///
/// assert_eq!(free_answer_optimum(91, 20), -1.0);
/// ```
///
/// # Panics
/// Where there is no word or no turn.
pub fn free_answer_optimum(words: usize, max_turns: usize) -> f64 {
    assert!(words >= 1 && max_turns >= 1, "an optimum over no words or no turns");
    let n = words as f64;
    match (words, max_turns) {
        // Two words are guessed one after the other, and a single turn is best used to guess.
        (1 | 2, _) | (_, 1) => -(n - 1.0) / n,
        _ => -1.0,
    }
}

/// The least cost of 0 to `words` words (inner) with 0 to `max_turns` turns left (outer).
///
/// No more turns than words are ever of use, so the rows end there.
fn perfect_costs(words: usize, max_turns: usize, answers: usize) -> Vec<Vec<u32>> {
    assert!((2..=3).contains(&answers), "{answers} answers; a question has 2 or 3");
    // Without turns nothing is left to pay: each question was paid when it was asked.
    let mut costs = vec![vec![0; words + 1]];
    for _ in 0..max_turns.min(words) {
        let after = &costs[costs.len() - 1];
        let in_two = best_sums(after, after);
        let in_parts = if answers == 3 { best_sums(&in_two, after) } else { in_two };
        let row = (0..=words).map(|n| match n {
            0 | 1 => 0,
            _ => (n as u32 + in_parts[n]).min(n as u32 - 1 + after[n - 1]),
        });
        let row = row.collect();
        costs.push(row);
    }
    costs
}

/// Sorts a few numbers; what the library sorts with is made for many, and a page fetches it.
fn sort(numbers: &mut [u32]) {
    for end in 1..numbers.len() {
        for i in (1..=end).rev() {
            if numbers[i - 1] > numbers[i] {
                numbers.swap(i - 1, i);
            }
        }
    }
}

/// For each n the least `a[i] + b[n - i]`.
fn best_sums(a: &[u32], b: &[u32]) -> Vec<u32> {
    let sum = |n: usize| (0..=n).map(|i| a[i] + b[n - i]).min().unwrap_or(0);
    (0..a.len()).map(sum).collect()
}

/// The exact optimum over a pool of questions, for up to 16 words.
///
/// A set of words is a bit mask: bit i is word i of the pool's list.
pub struct Solver {
    words: usize,
    max_turns: usize,
    splits: Vec<Split>,
    /// The guess of each word, in order; its parts are those of the other words.
    guesses: Vec<Split>,
    /// For each number of turns and words a cost that none is below, to stop a search there.
    bound: Vec<Vec<u32>>,
    solved: HashMap<(u32, usize), Solution>,
}

/// One way to split the words: the index of a question in the pool, and the words of each answer.
#[derive(Clone, Copy)]
struct Split {
    question: usize,
    parts: [u32; 4],
}

impl Split {
    fn answers(&self) -> usize {
        self.parts.iter().filter(|&&part| part != 0).count()
    }
}

/// What is best in one situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solution {
    /// The sum over the words of the points still to pay.
    pub cost: u32,
    /// The index of the question to ask, in the pool.
    pub question: usize,
}

impl Solver {
    /// A solver over a pool, for games of `max_turns` questions.
    ///
    /// # Panics
    /// Where the pool has more than 16 words, or there is no turn.
    pub fn new(pool: &QuestionPool, max_turns: usize) -> Self {
        let words = pool.words();
        assert!(words <= MAX_SOLVER_WORDS, "{words} words; a solver takes up to 16");
        assert!(max_turns >= 1, "an optimum over no turns");
        let split =
            |question: usize| Split { question, parts: parts(&pool.questions()[question].answers) };
        let mut seen = Vec::new();
        let mut splits: Vec<Split> = (0..pool.properties().len()).map(split).collect();
        splits.retain(|split| {
            let mut parts = split.parts;
            sort(&mut parts);
            let new = !seen.contains(&parts);
            seen.push(parts);
            new
        });
        let guesses: Vec<Split> = (0..words)
            .map(|word| {
                let mut guess = split(pool.guess_of(word));
                guess.parts = guess.parts.map(|part| part & !(1 << word));
                guess
            })
            .collect();
        let bound = if guesses.iter().any(|guess| guess.answers() > 1) {
            // Such a guess also tells other words apart, which the bound does not reckon with.
            vec![vec![0; words + 1]; words + 1]
        } else {
            let answers = splits.iter().map(Split::answers).max().unwrap_or(2);
            perfect_costs(words, max_turns, answers.min(3))
        };
        Solver { words, max_turns, splits, guesses, bound, solved: HashMap::new() }
    }

    /// The best mean return with every word equally likely.
    pub fn mean_return(&mut self) -> f64 {
        let all = (1_u32 << self.words) - 1;
        -f64::from(self.solve(all, self.max_turns).cost) / self.words as f64
    }

    /// The best question where the words of `set` are possible and `turns` questions are left.
    ///
    /// # Panics
    /// Where `set` is empty or has a word that the pool has not, or no turn is left.
    pub fn solve(&mut self, set: u32, turns: usize) -> Solution {
        assert!(set != 0 && set >> self.words == 0 && turns >= 1, "no such situation: {set:b}");
        let n = set.count_ones();
        // With a turn for each word, all can be guessed; more turns change nothing.
        let turns = turns.min(n as usize);
        if let Some(&solution) = self.solved.get(&(set, turns)) {
            return solution;
        }
        let mut best = Solution { cost: u32::MAX, question: 0 };
        let bound = self.bound[turns][n as usize];
        for choice in 0..self.guesses.len() + self.splits.len() {
            let (split, paid) = match choice.checked_sub(self.guesses.len()) {
                None if set >> choice & 1 == 0 => continue,
                None => (self.guesses[choice], n - 1),
                Some(property) => (self.splits[property], n),
            };
            let parts = split.parts.map(|part| part & set);
            if parts.contains(&set) {
                continue;
            }
            let cost = paid + parts.iter().map(|&part| self.cost(part, turns - 1)).sum::<u32>();
            if cost < best.cost {
                best = Solution { cost, question: split.question };
            }
            if best.cost == bound {
                break;
            }
        }
        self.solved.insert((set, turns), best);
        best
    }

    fn cost(&mut self, set: u32, turns: usize) -> u32 {
        if set == 0 || turns == 0 { 0 } else { self.solve(set, turns).cost }
    }
}

/// The words that give each answer, as bit masks.
fn parts(answers: &[Answer]) -> [u32; 4] {
    [Answer::Yes, Answer::No, Answer::Sometimes, Answer::Invalid].map(|answer| {
        let words = answers.iter().enumerate().filter(|&(_, &a)| a == answer);
        words.map(|(word, _)| 1 << word).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question_pool::PoolQuestion;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    #[test]
    fn perfect_splits_by_hand() {
        for (words, turns, answers, optimum) in [
            (1, 20, 2, 0.0),
            // Guess, guess: 0 and −1.
            (2, 20, 2, -0.5),
            // Guess thrice: 0, −1, −2; a split first costs all three a point.
            (3, 20, 2, -1.0),
            (4, 20, 2, -1.5),
            (10, 20, 2, -2.8),
            // One guess among two words: the other is lost, at −1.
            (2, 1, 2, -0.5),
            (10, 1, 2, -0.9),
            // A question in three parts, then a guess in each.
            (3, 2, 3, -1.0),
            (6, 20, 3, -1.5),
        ] {
            assert_eq!(perfect_split_optimum(words, turns, answers), optimum, "{words} {turns}");
        }
    }

    #[test]
    fn more_turns_than_words_change_nothing() {
        assert_eq!(perfect_split_optimum(10, 10, 2), perfect_split_optimum(10, 1000, 2));
    }

    /// A pool where property `p` holds for the words whose bit is set in `masks[p]`, and the guess
    /// of word `w` is answered Yes for those of `kin[w]`, where there are some.
    fn pool_with_kin(words: usize, masks: &[u32], kin: &[u32]) -> QuestionPool {
        let question = |text: String, guess: Option<usize>, mask: u32| {
            let answer = |word| [Answer::No, Answer::Yes][(mask >> word & 1) as usize];
            PoolQuestion::new(text, guess, (0..words).map(answer).collect())
        };
        let property = |(i, &mask): (usize, &u32)| question(format!("p{i}?"), None, mask);
        let guess = |word: usize| {
            let mask = 1 << word | kin.get(word).copied().unwrap_or(0);
            question(format!("w{word}?"), Some(word), mask)
        };
        QuestionPool::assemble(
            masks.iter().enumerate().map(property).collect(),
            (0..words).map(guess).collect(),
        )
    }

    fn pool(words: usize, masks: &[u32]) -> QuestionPool {
        pool_with_kin(words, masks, &[])
    }

    #[test]
    fn a_guess_that_tells_other_words_apart_is_worth_more() {
        // Word 0 is also the kind of word 1: its guess leaves nothing to ask but the right word.
        let kin = pool_with_kin(3, &[], &[0b010]);
        assert_eq!(Solver::new(&kin, 20).mean_return(), -2.0 / 3.0);
        assert_eq!(Solver::new(&pool(3, &[]), 20).mean_return(), -1.0);
    }

    #[test]
    fn without_properties_the_words_are_guessed_one_by_one() {
        // 0 + 1 + 2 + 3 + 4 points over five words.
        assert_eq!(Solver::new(&pool(5, &[]), 20).mean_return(), -2.0);
        // Three turns: the words not reached cost 3 points each.
        assert_eq!(Solver::new(&pool(5, &[]), 3).mean_return(), -9.0 / 5.0);
    }

    #[test]
    fn every_split_reaches_the_bound() {
        let words = 8;
        let masks: Vec<u32> = (1..1 << (words - 1)).collect();
        let mut solver = Solver::new(&pool(words, &masks), 20);
        assert_eq!(solver.mean_return(), perfect_split_optimum(words, 20, 2));
    }

    #[test]
    fn the_best_question_is_found() {
        // Only property 1 halves the eight words, and only 0 and 2 go on from there.
        let pool = pool(8, &[0b0011_0011, 0b0000_1111, 0b0101_0101]);
        let mut solver = Solver::new(&pool, 20);
        let best = solver.solve(0b1111_1111, 20);
        assert!(best.question < 3);
        // Two halvings cost 16, and two words are left: a point for one of each pair.
        assert_eq!(best.cost, 8 + 8 + 4);
        // One word is guessed.
        assert_eq!(solver.solve(0b0000_0100, 5).question, pool.guess_of(2));
    }

    /// The same cases in every run, and no file written where one fails.
    fn fixed_cases(cases: u32) -> ProptestConfig {
        ProptestConfig {
            cases,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    proptest! {
        #![proptest_config(fixed_cases(64))]

        #[test]
        fn a_pool_never_beats_the_bound_and_more_questions_never_hurt(
            words in 1_usize..8,
            masks in prop::collection::vec(any::<u32>(), 0..6),
            turns in 1_usize..9,
        ) {
            let some = Solver::new(&pool(words, &masks[..masks.len() / 2]), turns).mean_return();
            let all = Solver::new(&pool(words, &masks), turns).mean_return();
            let bound = perfect_split_optimum(words, turns, 2);
            prop_assert!(some <= all && all <= bound, "{some} {all} {bound}");
        }
    }
}
