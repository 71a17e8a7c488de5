//! The best walk over a lake by value iteration: one step left, two steps left, and so on.

use super::Config;
use super::lake::{CELLS, Cell, GOAL, Lake, START, moved};

/// The value of each cell of a lake for each number of steps left.
pub(super) struct Plan {
    lake: Lake,
    slippery: bool,
    step_cost: f64,
    /// `values[t][c]`: the best mean return from cell `c` with `t` steps left; the last row holds for
    /// any more, within rounding.
    values: Vec<[f64; CELLS]>,
}

impl Plan {
    pub fn new(lake: &Lake, config: &Config) -> Self {
        let step_cost = f64::from(config.step_cost);
        let mut plan = Plan {
            lake: lake.clone(),
            slippery: config.slippery,
            step_cost,
            values: vec![[0.0; CELLS]],
        };
        for left in 0..config.max_turns {
            let row: [f64; CELLS] = std::array::from_fn(|cell| match plan.is_over(cell) {
                true => 0.0,
                false => (0..4).map(|step| plan.value(cell, step, left)).fold(f64::MIN, f64::max),
            });
            if row == plan.values[left] {
                break;
            }
            plan.values.push(row);
        }
        plan
    }

    fn is_over(&self, cell: Cell) -> bool {
        cell == GOAL || self.lake.is_hole(cell)
    }

    /// The value of a step in a direction after which `left` steps are left.
    fn value(&self, cell: Cell, direction: usize, left: usize) -> f64 {
        let later = &self.values[left.min(self.values.len() - 1)];
        let reached = |direction: usize| match moved(cell, direction % 4) {
            GOAL => 1.0,
            next => later[next],
        };
        let value = match self.slippery {
            false => reached(direction),
            true => (3..=5).map(|aside| reached(direction + aside)).sum::<f64>() / 3.0,
        };
        value - self.step_cost
    }

    pub fn best_direction(&self, cell: Cell, left: usize) -> usize {
        let left = left.saturating_sub(1);
        let value = |direction: &usize| self.value(cell, *direction, left);
        (0..4).max_by(|one, other| value(one).total_cmp(&value(other))).expect("four directions")
    }

    fn start_value(&self) -> f64 {
        self.values[self.values.len() - 1][START]
    }
}

/// The best mean return over the lakes of these settings.
pub(super) fn mean_return(config: &Config) -> f64 {
    let lakes = config.lakes();
    let total: f64 = lakes.iter().map(|lake| Plan::new(lake, config).start_value()).sum();
    total / lakes.len() as f64
}
