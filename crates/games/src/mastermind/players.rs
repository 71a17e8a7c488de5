//! Scripted players of Mastermind.

use archer_world::{Choices, Transcript};
use rand_chacha::ChaCha8Rng;

use super::code::{Codes, Pegs};
use crate::catalogue::code_breaking::{Answers, Solver};
use crate::catalogue::{Player, draw, player_chance};

/// Guesses any code that agrees with all answers so far, each as likely.
pub(super) struct ConsistentPlayer {
    codes: Codes,
    chance: ChaCha8Rng,
    /// The numbers of the codes that agree with the first `heard` answers; all before any.
    left: Vec<u32>,
    heard: usize,
}

impl ConsistentPlayer {
    pub fn new(codes: Codes) -> Self {
        Self { codes, chance: player_chance(0), left: Vec::new(), heard: 0 }
    }
}

impl Player for ConsistentPlayer {
    fn start(&mut self, seed: u64) {
        self.chance = player_chance(seed);
        self.left.clear();
        self.heard = 0;
    }

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let codes = self.codes;
        for (said, reply) in &game.exchanges()[self.heard..] {
            self.heard += 1;
            let (Some(guess), Some(pegs)) = (codes.parsed(said), Pegs::parsed(reply)) else {
                continue;
            };
            let agrees = |number: &u32| codes.code(*number as usize).answer(&guess) == pegs;
            match self.left.is_empty() {
                true => self.left = (0..codes.count() as u32).filter(agrees).collect(),
                false => self.left.retain(agrees),
            }
        }
        let number = match self.left.is_empty() {
            true => draw(&mut self.chance, codes.count()),
            false => self.left[draw(&mut self.chance, self.left.len())] as usize,
        };
        codes.code(number).to_string()
    }
}

/// The numbers of the codes that agree with a game.
fn agreeing(codes: Codes, answers: &Answers, game: &Transcript) -> Vec<u16> {
    let mut left = answers.all();
    for (said, reply) in game.exchanges() {
        let (Some(guess), Some(pegs)) = (codes.parsed(said), Pegs::parsed(reply)) else { continue };
        left.retain(|number| codes.code(usize::from(*number)).answer(&guess) == pegs);
    }
    left
}

/// Guesses what tells most about the code.
pub(super) struct InformativePlayer {
    codes: Codes,
    answers: Answers,
}

impl InformativePlayer {
    pub fn new(codes: Codes, answers: Answers) -> Self {
        Self { codes, answers }
    }
}

impl Player for InformativePlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let left = agreeing(self.codes, &self.answers, game);
        self.codes.code(self.answers.most_informative(&left)).to_string()
    }
}

/// Plays by the exact solution.
pub(super) struct OptimalPlayer {
    codes: Codes,
    turns: usize,
    solver: Solver<Answers>,
}

impl OptimalPlayer {
    pub fn new(codes: Codes, turns: usize) -> Self {
        Self { codes, turns, solver: Solver::new(codes.answers(), turns) }
    }
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let turns = self.turns - game.exchanges().len();
        let left = agreeing(self.codes, self.solver.answers(), game);
        self.codes.code(self.solver.best_guess(&left, turns)).to_string()
    }
}
