//! The best way to walk: exact, whether or not the walker sees its place.
//!
//! Moves are certain, so all that a walker can know is the set of places where it may be: a belief.
//! The first belief is every start that looks like the first sentence. With the place told, beliefs
//! hold one place and the plan is that of shortest paths.

use std::collections::{BTreeMap, HashMap};

use super::Observed;
use super::grid::{MOVES, Place, starts};

/// Places that are possible, in their order; a place to which two starts lead is there twice, for it
/// is twice as likely.
pub(super) type Belief = Vec<Place>;

/// What to do in each belief that can arise.
pub(super) struct Plan {
    observed: Observed,
    numbers: HashMap<Belief, usize>,
    beliefs: Vec<Belief>,
    /// For each belief and move the beliefs that may follow; places that reach the goal are gone.
    next: Vec<[Vec<usize>; 4]>,
    first: Vec<usize>,
    /// `costs[t][b]`: the points lost from belief `b` on with `t` moves left, summed over its places.
    /// The last row holds for any more moves.
    costs: Vec<Vec<u32>>,
    moves: usize,
}

impl Plan {
    /// The plan for games of so many moves.
    pub fn new(observed: Observed, moves: usize) -> Self {
        let mut plan = Plan {
            observed,
            numbers: HashMap::new(),
            beliefs: Vec::new(),
            next: Vec::new(),
            first: Vec::new(),
            costs: Vec::new(),
            moves,
        };
        plan.first = plan.numbered(starts().to_vec());
        let mut done = 0;
        while done < plan.beliefs.len() {
            let next = std::array::from_fn(|step| {
                let belief = &plan.beliefs[done];
                let moved = belief.iter().map(|place| place.after(&MOVES[step]));
                let going_on = moved.filter(|place| !place.is_goal()).collect();
                plan.numbered(going_on)
            });
            plan.next.push(next);
            done += 1;
        }
        plan.solve();
        plan
    }

    /// The beliefs into which what is told next parts these places.
    fn numbered(&mut self, mut places: Belief) -> Vec<usize> {
        places.sort_unstable();
        let mut parts: BTreeMap<String, Belief> = BTreeMap::new();
        for place in places {
            parts.entry(self.told(place)).or_default().push(place);
        }
        parts.into_values().map(|belief| self.number(belief)).collect()
    }

    fn told(&self, place: Place) -> String {
        match self.observed {
            Observed::Full => place.described(),
            Observed::Partial => place.walls_sentence(),
        }
    }

    fn number(&mut self, belief: Belief) -> usize {
        if let Some(number) = self.numbers.get(&belief) {
            return *number;
        }
        self.numbers.insert(belief.clone(), self.beliefs.len());
        self.beliefs.push(belief);
        self.beliefs.len() - 1
    }

    /// Fills `costs`, one more move left at a time, until more moves change nothing.
    fn solve(&mut self) {
        // Without a move left, the next utterance fails and costs a point in each place.
        let none_left = self.beliefs.iter().map(|belief| belief.len() as u32).collect();
        self.costs.push(none_left);
        while self.costs.len() <= self.moves {
            let later = &self.costs[self.costs.len() - 1];
            let best = |belief| (0..4).map(|step| self.cost(later, belief, step)).min();
            let row: Vec<u32> =
                (0..self.beliefs.len()).map(|belief| best(belief).expect("four moves")).collect();
            if row == *later {
                return;
            }
            self.costs.push(row);
        }
    }

    /// What a move costs: a point for each place from which it does not reach the goal, and the rest.
    fn cost(&self, later: &[u32], belief: usize, step: usize) -> u32 {
        let following = self.next[belief][step].iter();
        following.map(|&next| self.beliefs[next].len() as u32 + later[next]).sum()
    }

    /// The best mean return over the starts.
    pub fn mean_return(&self) -> f64 {
        let costs = self.costs.last().expect("a row for no moves");
        let cost: u32 = self.first.iter().map(|&belief| costs[belief]).sum();
        -f64::from(cost) / starts().len() as f64
    }

    /// The number of different beliefs.
    pub fn beliefs(&self) -> usize {
        self.beliefs.len()
    }

    /// The moves of the longest game that the plan can lead to.
    pub fn longest(&self) -> usize {
        let depth = |&belief: &usize| self.depth(belief, self.moves);
        self.first.iter().map(depth).max().unwrap_or(0)
    }

    fn depth(&self, belief: usize, left: usize) -> usize {
        if left == 0 {
            return 0;
        }
        let next = &self.next[belief][self.best_move(belief, left)];
        1 + next.iter().map(|&next| self.depth(next, left - 1)).max().unwrap_or(0)
    }

    /// The best move, as a place in [`MOVES`], where what was said and told so far is this.
    pub fn advise<'a>(
        &self,
        first: &str,
        exchanges: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> usize {
        let mut belief: Belief = starts().to_vec();
        belief.retain(|place| self.told(*place) == first);
        let mut moves = 0;
        for (said, reply) in exchanges {
            let step = MOVES.iter().find(|step| step.said == said);
            belief = match step {
                Some(step) => belief.iter().map(|place| place.after(step)).collect(),
                None => belief,
            };
            belief.retain(|place| !place.is_goal() && self.told(*place) == reply);
            moves += 1;
        }
        belief.sort_unstable();
        // A belief of which the plan has not heard follows from moves that are none.
        self.numbers.get(&belief).map_or(0, |&number| self.best_move(number, self.moves - moves))
    }

    /// Whether each reply tells the place.
    pub fn sees_place(&self) -> bool {
        self.observed == Observed::Full
    }

    /// The best move after so many where the place is told.
    pub fn advise_at(&self, told: &str, moves: usize) -> usize {
        let belief: Belief =
            starts().iter().copied().filter(|place| self.told(*place) == told).collect();
        self.numbers.get(&belief).map_or(0, |&number| self.best_move(number, self.moves - moves))
    }

    fn best_move(&self, belief: usize, left: usize) -> usize {
        let later = &self.costs[left.saturating_sub(1).min(self.costs.len() - 1)];
        let best = (0..4).min_by_key(|&step| self.cost(later, belief, step));
        best.expect("four moves")
    }
}
