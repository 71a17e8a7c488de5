//! How many moves White needs in each position, by retrograde analysis.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;

use super::board::{Escape, Move, Position};
use crate::catalogue::draw;

/// What a table says of positions that are not reached or not won.
const UNKNOWN: u8 = u8::MAX;

/// White's moves to mate, with either side to move. It is computed once, on positions that differ by
/// more than turning and mirroring the board.
pub(super) struct Table {
    white: Vec<u8>,
    black: Vec<u8>,
    starts: Vec<Position>,
}

fn place(position: Position) -> usize {
    let Position { king, queen, lone } = position.canonical();
    (usize::from(king) * 64 + usize::from(queen)) * 64 + usize::from(lone)
}

fn all() -> impl Iterator<Item = Position> {
    let squares = || 0..64_u8;
    squares().flat_map(move |king| {
        squares().flat_map(move |queen| squares().map(move |lone| Position { king, queen, lone }))
    })
}

impl Table {
    /// The table.
    pub fn get() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Table::solve)
    }

    fn solve() -> Table {
        let none = || vec![UNKNOWN; 64 * 64 * 64];
        let starts = all().filter(|position| position.is_legal() && !position.checks()).collect();
        let mut table = Table { white: none(), black: none(), starts };
        let mut black: Vec<Position> =
            all().filter(|p| p.is_legal() && p.canonical() == *p).collect();
        let mut white: Vec<Position> = black.iter().copied().filter(|p| !p.checks()).collect();
        for moves in 0.. {
            let before = (white.len(), black.len());
            // Black is mated, or each of its moves leads to where White needs no more than so many.
            let lost: Vec<Position> =
                black.iter().copied().filter(|position| table.is_lost(*position)).collect();
            lost.iter().for_each(|position| table.black[place(*position)] = moves);
            black.retain(|position| table.black[place(*position)] == UNKNOWN);
            let won: Vec<Position> =
                white.iter().copied().filter(|position| table.is_won(*position)).collect();
            won.iter().for_each(|position| table.white[place(*position)] = moves + 1);
            white.retain(|position| table.white[place(*position)] == UNKNOWN);
            if before == (white.len(), black.len()) {
                break;
            }
        }
        table
    }

    fn is_lost(&self, position: Position) -> bool {
        let escapes = position.escapes();
        let fails = |escape: &Escape| self.left(*escape) != UNKNOWN;
        escapes.iter().all(fails) && (!escapes.is_empty() || position.checks())
    }

    fn is_won(&self, position: Position) -> bool {
        let moves = position.moves();
        moves.iter().any(|step| self.black[place(position.after(*step))] != UNKNOWN)
    }

    /// The moves that White needs after a move of Black's.
    fn left(&self, escape: Escape) -> u8 {
        match escape {
            Escape::To(position) => self.white[place(position)],
            Escape::Capture => UNKNOWN,
        }
    }

    /// Every position that is possible with White to move, in one order.
    pub fn starts(&self) -> &[Position] {
        &self.starts
    }

    /// The moves that White needs, White to move.
    pub fn mate_in(&self, position: Position) -> usize {
        usize::from(self.white[place(position)])
    }

    /// A move of White's after which it needs the fewest.
    pub fn best_move(&self, position: Position) -> Move {
        let moves = position.moves();
        let best = moves.into_iter().min_by_key(|step| self.black[place(position.after(*step))]);
        best.expect("a queen can always move")
    }

    /// The move of Black's after which White needs most; of equals, any.
    ///
    /// # Panics
    /// If there is none.
    pub fn best_defence(&self, escapes: &[Escape], chance: &mut ChaCha8Rng) -> Escape {
        let most = escapes.iter().map(|escape| self.left(*escape)).max();
        let best = escapes.iter().copied().filter(|escape| Some(self.left(*escape)) == most);
        let best: Vec<Escape> = best.collect();
        best[draw(chance, best.len())]
    }
}
