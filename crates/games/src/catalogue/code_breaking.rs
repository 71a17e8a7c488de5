//! Games of breaking a code: one of many secrets, each equally likely, and guesses that are answered.
//!
//! A guess is one of the secrets. Its answer depends on guess and secret alone; the answer of the
//! secret itself ends the game. Each other guess costs a point. [`Answers`] is the table of a game;
//! [`Answers::optimum`] solves it exactly, [`Answers::bound`] bounds it, and
//! [`Answers::most_informative`] is a good guess at once.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

/// A set of secrets, as their numbers in rising order.
type Secrets = Vec<u16>;

/// What each guess is answered for each secret.
pub struct Answers {
    secrets: usize,
    /// The answer of guess `g` to secret `s` at `g * secrets + s`.
    table: Vec<u8>,
    /// Answers are below this.
    kinds: usize,
    /// The answer of a guess that is right.
    right: u8,
    /// First guesses of which one is best; others are like one of them but for names.
    openings: Vec<usize>,
}

impl Answers {
    /// The most secrets.
    pub const MOST: usize = 1 << 13;

    /// The table of a game of `secrets` secrets, at least 1 and at most [`Self::MOST`], in which
    /// `answer` gives the answer of a guess to a secret.
    ///
    /// # Panics
    /// If there are too many secrets, or a guess other than the secret is answered like it.
    pub fn new(secrets: usize, answer: impl Fn(usize, usize) -> u8) -> Self {
        assert!((1..=Self::MOST).contains(&secrets), "{secrets} secrets");
        let mut table = Vec::with_capacity(secrets * secrets);
        for guess in 0..secrets {
            table.extend((0..secrets).map(|secret| answer(guess, secret)));
        }
        // The fewer kinds of answers there are, the better a bound that counts them.
        let mut names = HashMap::new();
        for answer in &mut table {
            let next = names.len() as u8;
            *answer = *names.entry(*answer).or_insert(next);
        }
        let (right, kinds) = (table[0], names.len());
        for (place, &answer) in table.iter().enumerate() {
            assert_eq!(
                answer == right,
                place / secrets == place % secrets,
                "only a secret is right"
            );
        }
        Self { secrets, table, kinds, right, openings: (0..secrets).collect() }
    }

    /// The same game, where one of these guesses is as good a beginning as any other: renaming digits
    /// or places turns each other guess into one of them.
    pub fn with_openings(self, openings: Vec<usize>) -> Self {
        Self { openings, ..self }
    }

    /// The answer of a guess to a secret, as a number that stands for it.
    pub fn answer(&self, guess: usize, secret: usize) -> u8 {
        self.table[guess * self.secrets + secret]
    }

    /// All secrets.
    pub fn all(&self) -> Vec<u16> {
        (0..self.secrets as u16).collect()
    }

    /// How many secrets each answer to a guess would leave.
    fn sizes(&self, secrets: &[u16], guess: usize, sizes: &mut Vec<u32>) {
        sizes.clear();
        sizes.resize(self.kinds, 0);
        let row = &self.table[guess * self.secrets..][..self.secrets];
        for &secret in secrets {
            sizes[usize::from(row[usize::from(secret)])] += 1;
        }
    }

    /// The sets into which the answers to a guess part the secrets, without that of the guess itself.
    fn parts(&self, secrets: &[u16], guess: usize) -> Vec<Secrets> {
        let mut parts = vec![Secrets::new(); self.kinds];
        for &secret in secrets {
            parts[usize::from(self.answer(guess, usize::from(secret)))].push(secret);
        }
        parts[usize::from(self.right)].clear();
        parts.retain(|part| !part.is_empty());
        parts
    }

    fn every_guess(&self) -> Vec<usize> {
        (0..self.secrets).collect()
    }

    /// How a guess parts the secrets, whatever the answers are: for each secret the number of its set,
    /// counted as they come, and 255 for the guess itself.
    fn parting(&self, secrets: &[u16], guess: usize) -> Vec<u8> {
        let mut numbers = [0_u8; 256];
        let mut count = 0;
        let number = |&secret: &u16| {
            let answer = self.answer(guess, usize::from(secret));
            let number = &mut numbers[usize::from(answer)];
            if *number == 0 {
                count += 1;
                *number = count;
            }
            if answer == self.right { 255 } else { *number }
        };
        secrets.iter().map(number).collect()
    }

    /// The guess whose answer tells most about the secret, by its entropy. Of equals, one that may be
    /// right; of those, the first.
    ///
    /// # Panics
    /// If there is no secret.
    pub fn most_informative(&self, secrets: &[u16]) -> usize {
        assert!(!secrets.is_empty(), "no secret is possible");
        if secrets.len() <= 2 {
            return usize::from(secrets[0]);
        }
        // Entropies from sums in different orders differ in their last digits.
        const EQUAL: f64 = 1e-9;
        let log: Vec<f64> =
            (0..=secrets.len()).map(|n| n as f64 * (n.max(1) as f64).ln()).collect();
        let mut sizes = Vec::new();
        let mut best = (f64::MAX, false, 0);
        for guess in 0..self.secrets {
            self.sizes(secrets, guess, &mut sizes);
            let unknown: f64 = sizes.iter().map(|&size| log[size as usize]).sum();
            let possible = sizes[usize::from(self.right)] > 0;
            let better = unknown < best.0 - EQUAL;
            if better || (possible && !best.1 && unknown < best.0 + EQUAL) {
                best = (unknown, possible, guess);
            }
        }
        best.2
    }

    /// The mean return of the player that always makes the most informative guess, in games of
    /// `turns` guesses.
    pub fn informative_return(&self, turns: usize) -> f64 {
        let cost = self.informative_cost(&self.all(), turns);
        -(cost as f64) / self.secrets as f64
    }

    fn informative_cost(&self, secrets: &[u16], turns: usize) -> u32 {
        if turns == 0 {
            return 0;
        }
        let guess = self.most_informative(secrets);
        let parts = self.parts(secrets, guess);
        let cost = |part: &Secrets| part.len() as u32 + self.informative_cost(part, turns - 1);
        parts.iter().map(cost).sum()
    }

    /// A mean return that no player exceeds in games of `turns` guesses: the best first guess, if all
    /// later ones told as much as there are answers.
    pub fn bound(&self, turns: usize) -> f64 {
        let least = self.least_costs(turns);
        let secrets = self.all();
        let mut sizes = Vec::new();
        let costs = self.openings.iter().map(|&guess| {
            self.sizes(&secrets, guess, &mut sizes);
            self.least_cost(&sizes, &least[turns - 1])
        });
        -f64::from(costs.min().expect("a guess")) / self.secrets as f64
    }

    /// `least[t][n]`: points that are lost at least with `n` secrets possible and `t` guesses left,
    /// summed over them. One is right at once; each answer tells one other apart at best, and so on.
    fn least_costs(&self, turns: usize) -> Vec<Vec<u32>> {
        let branches = self.kinds as u64 - 1;
        let row = |left: usize| {
            let (mut row, mut cost) = (vec![0], 0);
            let (mut depth, mut room) = (0, 1_u64);
            for _ in 0..self.secrets {
                if room == 0 {
                    depth += 1;
                    room = branches.saturating_pow(depth).max(1);
                }
                room -= 1;
                cost += depth.min(left as u32);
                row.push(cost);
            }
            row
        };
        (0..=turns).map(row).collect()
    }

    /// Points lost at least by a guess that parts the secrets into sets of these sizes.
    fn least_cost(&self, sizes: &[u32], later: &[u32]) -> u32 {
        let wrong =
            sizes.iter().enumerate().filter(|(answer, _)| *answer != usize::from(self.right));
        wrong.map(|(_, &size)| size + later[size as usize]).sum()
    }

    /// The best mean return in games of `turns` guesses, exactly. The time it takes grows fast with
    /// the secrets: seconds for some hundreds.
    pub fn optimum(&self, turns: usize) -> f64 {
        let mut solver = Solver::new(self, turns);
        let cost = solver.solve(&self.all(), turns, u32::MAX).expect("no limit").0;
        -f64::from(cost) / self.secrets as f64
    }
}

/// An exact search by branch and bound that remembers what it solved. It holds or borrows its game.
pub struct Solver<A> {
    answers: A,
    least: Vec<Vec<u32>>,
    /// The cost and the best guess of sets that were solved.
    solved: HashMap<(Secrets, usize), (u32, usize)>,
    /// Sets whose cost is known to be at least this.
    at_least: HashMap<(Secrets, usize), u32>,
}

impl<A: Borrow<Answers>> Solver<A> {
    /// A solver of games of `turns` guesses.
    pub fn new(answers: A, turns: usize) -> Self {
        let least = answers.borrow().least_costs(turns);
        Self { answers, least, solved: HashMap::new(), at_least: HashMap::new() }
    }

    /// The game that it solves.
    pub fn answers(&self) -> &Answers {
        self.answers.borrow()
    }

    /// The best guess where these secrets are possible and `turns` guesses are left.
    ///
    /// # Panics
    /// If no secret is possible.
    pub fn best_guess(&mut self, secrets: &[u16], turns: usize) -> usize {
        self.solve(secrets, turns, u32::MAX).expect("no limit").1
    }

    /// The cost and the best guess, or nothing where the cost is not below `limit`.
    fn solve(&mut self, secrets: &[u16], turns: usize, limit: u32) -> Option<(u32, usize)> {
        let first = usize::from(*secrets.first().expect("a secret is possible"));
        let count = secrets.len() as u32;
        // One guess left: each other secret costs its point. Of two, the one or the other is right.
        if count <= 2 || turns == 1 {
            let cost = count - 1;
            return (cost < limit).then_some((cost, first));
        }
        let key = (secrets.to_vec(), turns);
        if let Some(found) = self.solved.get(&key) {
            return (found.0 < limit).then_some(*found);
        }
        let floor = self.at_least.get(&key).copied().unwrap_or(0);
        if floor.max(self.least[turns][secrets.len()]) >= limit {
            return None;
        }
        let mut best: Option<(u32, usize)> = None;
        for (least, guess) in self.candidates(secrets, turns) {
            let below = best.map_or(limit, |(cost, _)| cost);
            if least >= below {
                break;
            }
            if let Some(cost) = self.cost(secrets, guess, turns, least, below) {
                best = Some((cost, guess));
            }
        }
        match best {
            Some(found) => drop(self.solved.insert(key, found)),
            None => drop(self.at_least.insert(key, limit)),
        }
        best
    }

    /// Guesses with what they cost at least, the most promising first. Of guesses that part the
    /// secrets alike there is one.
    fn candidates(&self, secrets: &[u16], turns: usize) -> Vec<(u32, usize)> {
        let later = &self.least[turns - 1];
        let whole = secrets.len() == self.answers.borrow().secrets;
        let guesses = if whole {
            self.answers.borrow().openings.clone()
        } else {
            self.answers.borrow().every_guess()
        };
        let (mut sizes, mut seen) = (Vec::new(), HashSet::new());
        let mut candidates = Vec::new();
        for guess in guesses {
            self.answers.borrow().sizes(secrets, guess, &mut sizes);
            // A guess whose answer is known tells nothing.
            let tells = sizes.iter().filter(|size| **size > 0).count() > 1;
            if tells && seen.insert(self.answers.borrow().parting(secrets, guess)) {
                candidates.push((self.answers.borrow().least_cost(&sizes, later), guess));
            }
        }
        candidates.sort_unstable();
        candidates
    }

    /// The cost of a guess, or nothing where it is not below `limit`; `least` is its bound.
    fn cost(
        &mut self,
        secrets: &[u16],
        guess: usize,
        turns: usize,
        least: u32,
        limit: u32,
    ) -> Option<u32> {
        let mut cost = least;
        let mut parts = self.answers.borrow().parts(secrets, guess);
        // Small sets are solved at once, and may already show that the guess is too dear.
        parts.sort_by_key(Vec::len);
        for part in parts {
            let expected = self.least[turns - 1][part.len()];
            let room = limit - (cost - expected);
            cost += self.solve(&part, turns - 1, room)?.0 - expected;
        }
        (cost < limit).then_some(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of which a guess tells whether it is right, too low or too high.
    fn numbers(count: usize) -> Answers {
        Answers::new(count, |guess, secret| guess.cmp(&secret) as i8 as u8 & 3)
    }

    #[test]
    fn guessing_numbers_is_solved_as_by_halving() {
        assert_eq!(numbers(7).optimum(10), -10.0 / 7.0);
        assert_eq!(numbers(20).optimum(10), -2.7);
        assert_eq!(numbers(20).optimum(2), -(2.0 + 17.0 * 2.0) / 20.0);
        assert_eq!(numbers(20).optimum(1), -19.0 / 20.0);
        assert_eq!(numbers(1).optimum(3), 0.0);
    }

    #[test]
    fn no_player_exceeds_the_optimum_nor_the_optimum_the_bound() {
        // Answers without a pattern.
        let jumbled = |guess: usize, secret: usize| match guess == secret {
            true => 0,
            false => 1 + ((guess * 31 + secret * 17) * (guess ^ secret) % 7 % 3) as u8,
        };
        for turns in 1..6 {
            let answers = Answers::new(40, jumbled);
            let (best, bound) = (answers.optimum(turns), answers.bound(turns));
            let informative = answers.informative_return(turns);
            assert!(informative <= best && best <= bound, "{informative} {best} {bound}");
        }
    }

    #[test]
    fn the_search_agrees_with_one_that_leaves_nothing_out() {
        fn cost(answers: &Answers, secrets: &[u16], turns: usize) -> u32 {
            if turns == 0 {
                return 0;
            }
            let guesses = 0..answers.secrets;
            let costs = guesses.map(|guess| {
                let parts = answers.parts(secrets, guess);
                parts.iter().map(|part| part.len() as u32 + cost(answers, part, turns - 1)).sum()
            });
            costs.min().unwrap()
        }
        let answers = Answers::new(9, |guess, secret| match guess == secret {
            true => 0,
            false => 1 + ((guess * 5 + secret * 3) % 4 % 2) as u8,
        });
        for turns in 1..5 {
            let whole = cost(&answers, &answers.all(), turns);
            assert_eq!(answers.optimum(turns), -f64::from(whole) / 9.0);
        }
    }
}
