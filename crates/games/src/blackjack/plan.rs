//! When to hit: exact, by dynamic programming from high totals to low ones.

use super::{Config, Outcome, RANKS, points};

/// What cards are worth together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Total {
    /// With every ace as 1.
    hard: usize,
    ace: bool,
}

impl Total {
    /// With one card more.
    pub fn with(self, points: usize) -> Self {
        Total { hard: self.hard + points, ace: self.ace || points == 1 }
    }

    /// The value: one ace counts 11 where that is not too much.
    pub fn value(self) -> usize {
        if self.ace && self.hard <= 11 { self.hard + 10 } else { self.hard }
    }
}

const MOST: usize = 21;

/// What a hand is worth in each situation: the player's total and the points of the dealer's card.
pub(super) struct Plan {
    /// `stand[d][v]`: standing with value `v` where the dealer shows `d` points.
    stand: Vec<[f64; MOST + 1]>,
    /// `best[d][ace][hard]`: the better of hitting and standing.
    best: Vec<[[f64; MOST + 1]; 2]>,
    loss: f64,
}

/// Each rank's points; the mean over them is that over a card.
fn mean_over_card(value: impl Fn(usize) -> f64) -> f64 {
    (0..RANKS.len()).map(|rank| value(points(rank))).sum::<f64>() / RANKS.len() as f64
}

impl Plan {
    pub fn new(config: &Config) -> Self {
        let loss = config.worth(Outcome::Loss);
        let none = || vec![[0.0; MOST + 1]; 11];
        let mut plan = Plan { stand: none(), best: vec![[[0.0; MOST + 1]; 2]; 11], loss };
        for dealer in 1..=10 {
            let first = Total::default().with(dealer);
            for value in 0..=MOST {
                // The second card is unseen, so it is a card like any other.
                plan.stand[dealer][value] =
                    mean_over_card(|card| stand_value(config, value, first.with(card)));
            }
            for hard in (2..=MOST).rev() {
                for ace in [true, false] {
                    let total = Total { hard, ace };
                    let better = plan.hit(total, dealer).max(plan.stand[dealer][total.value()]);
                    plan.best[dealer][usize::from(ace)][hard] = better;
                }
            }
        }
        plan
    }

    fn hit(&self, total: Total, dealer: usize) -> f64 {
        mean_over_card(|card| match total.with(card) {
            Total { hard, .. } if hard > MOST => self.loss,
            Total { hard, ace } => self.best[dealer][usize::from(ace)][hard],
        })
    }

    /// Whether hitting is better than standing; where both are worth as much, one stands.
    pub fn hits(&self, total: Total, dealer: usize) -> bool {
        self.hit(total, dealer) > self.stand[dealer][total.value()]
    }

    /// The best mean worth of a hand before it is dealt.
    pub fn hand_value(&self) -> f64 {
        mean_over_card(|first| {
            mean_over_card(|second| {
                let Total { hard, ace } = Total::default().with(first).with(second);
                mean_over_card(|dealer| self.best[dealer][usize::from(ace)][hard])
            })
        })
    }
}

/// What standing with `player` is worth against a dealer who has this and draws to 17.
fn stand_value(config: &Config, player: usize, dealer: Total) -> f64 {
    let value = dealer.value();
    if value < 17 {
        return mean_over_card(|card| stand_value(config, player, dealer.with(card)));
    }
    config.worth(match value {
        value if value > MOST || value < player => Outcome::Win,
        value if value == player => Outcome::Draw,
        _ => Outcome::Loss,
    })
}
