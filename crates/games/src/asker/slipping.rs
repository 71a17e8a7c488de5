//! A strong player whose games hold mistakes, for others to learn what to do after one.

use rand_chacha::ChaCha8Rng;

use super::{Asker, happens, player_chance};

/// Lets another player take some of the turns; those are not worth imitating.
///
/// An agent that imitates a strong player alone never reads what comes after a mistake, and its own
/// first mistake takes it there.
pub struct SlippingAsker<A, B> {
    strong: A,
    weak: B,
    rate: f64,
    chance: ChaCha8Rng,
    slipped: bool,
}

impl<A: Asker, B: Asker> SlippingAsker<A, B> {
    /// Plays as `strong` does; with probability `rate`, 0 to 1, `weak` takes a turn.
    pub fn new(strong: A, weak: B, rate: f64) -> Self {
        SlippingAsker { strong, weak, rate, chance: player_chance(0), slipped: false }
    }
}

impl<A: Asker, B: Asker> Asker for SlippingAsker<A, B> {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed ^ SLIPS);
        self.strong.start(seed);
        self.weak.start(seed);
    }

    fn ask(&mut self, history: &[(String, String)]) -> String {
        self.slipped = happens(&mut self.chance, self.rate);
        if self.slipped { self.weak.ask(history) } else { self.strong.ask(history) }
    }

    fn is_exemplary(&self) -> bool {
        !self.slipped
    }
}

/// Apart from what the weak player draws of the same seed.
const SLIPS: u64 = 0x5117;
