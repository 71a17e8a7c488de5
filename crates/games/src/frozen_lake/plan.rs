//! The best walk over a lake by value iteration: one step left, two steps left, and so on.

use super::Config;
use super::lake::{CELLS, Cell, GOAL, Lake, START, moved};

/// What a cell is worth, and how long a game lasts from there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Worth {
    /// The best mean return.
    value: f64,
    /// The mean number of steps, the fewest of those that reach it.
    steps: f64,
}

impl Worth {
    /// Whether it is better; of equal returns the sooner one is.
    fn exceeds(self, other: Worth) -> bool {
        // Sums in different orders differ in their last digits.
        const EQUAL: f64 = 1e-12;
        let gain = self.value - other.value;
        gain > EQUAL || (gain > -EQUAL && self.steps < other.steps - EQUAL)
    }
}

/// The worth of each cell of a lake for each number of steps left.
pub(super) struct Plan {
    lake: Lake,
    slippery: bool,
    step_cost: f64,
    /// `worths[t][c]`: that of cell `c` with `t` steps left; the last row holds for any more.
    worths: Vec<[Worth; CELLS]>,
}

impl Plan {
    pub fn new(lake: &Lake, config: &Config) -> Self {
        let mut plan = Plan {
            lake: lake.clone(),
            slippery: config.slippery,
            step_cost: f64::from(config.step_cost),
            worths: vec![[Worth::default(); CELLS]],
        };
        for left in 0..config.max_turns {
            let row: [Worth; CELLS] = std::array::from_fn(|cell| match plan.is_over(cell) {
                true => Worth::default(),
                false => plan.worth(cell, plan.best_direction(cell, left + 1), left),
            });
            if row == plan.worths[left] {
                break;
            }
            plan.worths.push(row);
        }
        plan
    }

    fn is_over(&self, cell: Cell) -> bool {
        cell == GOAL || self.lake.is_hole(cell)
    }

    /// The worth of a step in a direction after which `left` steps are left.
    fn worth(&self, cell: Cell, direction: usize, left: usize) -> Worth {
        let later = &self.worths[left.min(self.worths.len() - 1)];
        let ways = if self.slippery { 3..=5 } else { 4..=4 };
        let share = 1.0 / (ways.end() - ways.start() + 1) as f64;
        let mut worth = Worth { value: -self.step_cost, steps: 1.0 };
        for aside in ways {
            let next = moved(cell, (direction + aside) % 4);
            let value = if next == GOAL { 1.0 } else { later[next].value };
            worth.value += share * value;
            worth.steps += share * later[next].steps;
        }
        worth
    }

    /// The best direction with so many steps left, at least 1.
    pub fn best_direction(&self, cell: Cell, left: usize) -> usize {
        let worth = |direction: usize| self.worth(cell, direction, left - 1);
        (1..4).fold(0, |best, other| if worth(other).exceeds(worth(best)) { other } else { best })
    }

    fn start_value(&self) -> f64 {
        self.worths[self.worths.len() - 1][START].value
    }
}

/// The best mean return over the lakes of these settings.
pub(super) fn mean_return(config: &Config) -> f64 {
    let lakes = config.lakes();
    let total: f64 = lakes.iter().map(|lake| Plan::new(lake, config).start_value()).sum();
    total / lakes.len() as f64
}
