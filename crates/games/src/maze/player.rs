//! The player that follows the best plan.

use archer_world::{Choices, Transcript};

use super::belief::Plan;
use super::grid::MOVES;
use crate::catalogue::Player;

/// Walks by the best plan. It reads the whole game, of which an agent with partial observation reads
/// the last exchanges: its own games are shorter than that.
pub(super) struct OptimalPlayer {
    plan: Plan,
}

impl OptimalPlayer {
    pub fn new(plan: Plan) -> Self {
        Self { plan }
    }
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let exchanges = || game.exchanges().iter().map(|(said, reply)| (&said[..], &reply[..]));
        let text = game.text();
        let shown = text.lines().next().unwrap_or_default();
        let step = match self.plan.sees_place() {
            // What is shown says where the walker is, whatever came before.
            true => self.plan.advise_at(shown, exchanges().count()),
            false => self.plan.advise(shown, exchanges()),
        };
        MOVES[step].said.to_string()
    }
}
