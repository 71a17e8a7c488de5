//! Positions with three men, and how they move.

/// A square: eight times its rank, from White's side, and its file.
pub(super) type Square = u8;

/// Steps along ranks, files and diagonals: of a king one, of a queen any number.
const STEPS: [(i8, i8); 8] = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];

fn stepped(square: Square, (up, right): (i8, i8)) -> Option<Square> {
    let (rank, file) = ((square / 8) as i8 + up, (square % 8) as i8 + right);
    ((0..8).contains(&rank) && (0..8).contains(&file)).then_some((rank * 8 + file) as Square)
}

fn neighbours(square: Square) -> impl Iterator<Item = Square> {
    STEPS.iter().filter_map(move |step| stepped(square, *step))
}

fn touch(one: Square, other: Square) -> bool {
    (one / 8).abs_diff(other / 8) <= 1 && (one % 8).abs_diff(other % 8) <= 1
}

/// Where the men stand. Whose move it is, is known from where a position is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Position {
    pub king: Square,
    pub queen: Square,
    /// Black's king.
    pub lone: Square,
}

/// A move of White.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    King(Square),
    Queen(Square),
}

impl Move {
    pub fn spelled(self) -> String {
        let (man, to) = match self {
            Move::King(to) => ('K', to),
            Move::Queen(to) => ('Q', to),
        };
        format!("{man}{}{}", char::from(b'a' + to % 8), char::from(b'1' + to / 8))
    }
}

/// What Black can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// The position after a move of the king, White to move.
    To(Position),
    /// It takes the queen.
    Capture,
}

impl Position {
    /// Whether three men can stand so with Black to move.
    pub fn is_legal(self) -> bool {
        let Position { king, queen, lone } = self;
        king != queen && queen != lone && !touch(king, lone)
    }

    /// Whether the queen attacks a square. Black's king is never in the way: it is what moves there.
    fn attacks(self, square: Square) -> bool {
        let (ranks, files) = (
            (square / 8) as i8 - (self.queen / 8) as i8,
            (square % 8) as i8 - (self.queen % 8) as i8,
        );
        let straight = ranks == 0 || files == 0 || ranks.abs() == files.abs();
        if square == self.queen || !straight {
            return false;
        }
        let step = (ranks.signum(), files.signum());
        let mut at = self.queen;
        loop {
            at = stepped(at, step).expect("on the way to a square");
            if at == square {
                return true;
            }
            if at == self.king {
                return false;
            }
        }
    }

    /// Whether Black's king is in check.
    pub fn checks(self) -> bool {
        self.attacks(self.lone)
    }

    /// White's legal moves.
    pub fn moves(self) -> Vec<Move> {
        let free = |to: &Square| *to != self.queen && !touch(*to, self.lone);
        let mut moves: Vec<Move> = neighbours(self.king).filter(free).map(Move::King).collect();
        for step in STEPS {
            let mut at = self.queen;
            while let Some(to) = stepped(at, step).filter(|to| *to != self.king && *to != self.lone)
            {
                moves.push(Move::Queen(to));
                at = to;
            }
        }
        moves
    }

    /// The position after a move, Black to move.
    pub fn after(self, step: Move) -> Position {
        match step {
            Move::King(king) => Position { king, ..self },
            Move::Queen(queen) => Position { queen, ..self },
        }
    }

    /// Black's legal moves.
    pub fn escapes(self) -> Vec<Escape> {
        let safe = |to: &Square| !touch(*to, self.king) && !self.attacks(*to);
        let escape = |to: Square| match to == self.queen {
            true => Escape::Capture,
            false => Escape::To(Position { lone: to, ..self }),
        };
        neighbours(self.lone).filter(safe).map(escape).collect()
    }

    /// The board in FEN, from the eighth rank down, with a blank between signs.
    pub fn shown(self) -> String {
        let mut signs: Vec<String> = Vec::new();
        for rank in (0..8).rev() {
            let mut empty = 0;
            for square in rank * 8..rank * 8 + 8 {
                let man = match square {
                    square if square == self.king => "K",
                    square if square == self.queen => "Q",
                    square if square == self.lone => "k",
                    _ => {
                        empty += 1;
                        continue;
                    }
                };
                if empty > 0 {
                    signs.push(empty.to_string());
                    empty = 0;
                }
                signs.push(man.to_string());
            }
            if empty > 0 {
                signs.push(empty.to_string());
            }
            if rank > 0 {
                signs.push("/".to_string());
            }
        }
        signs.join(" ")
    }

    /// The position that was shown, if one was.
    pub fn parsed(text: &str) -> Option<Position> {
        let (mut king, mut queen, mut lone) = (None, None, None);
        for (down, rank) in text.trim().split('/').enumerate() {
            let mut file = 0;
            for sign in rank.split_whitespace() {
                let square = 8 * 7_u8.checked_sub(down as u8)? + file;
                match sign {
                    "K" => king = Some(square),
                    "Q" => queen = Some(square),
                    "k" => lone = Some(square),
                    empty => file += empty.parse::<u8>().ok().filter(|n| *n <= 8)? - 1,
                }
                file += 1;
            }
        }
        Some(Position { king: king?, queen: queen?, lone: lone? })
    }

    /// The same position, turned and mirrored so that Black's king stands in one corner of the board:
    /// on the files a to d, and not above the diagonal from a1.
    pub fn canonical(self) -> Position {
        let mirrored = |square: Square| square ^ 7;
        let turned = |square: Square| square ^ 56;
        let swapped = |square: Square| square % 8 * 8 + square / 8;
        let mut position = self;
        if position.lone % 8 > 3 {
            position = position.mapped(mirrored);
        }
        if position.lone / 8 > 3 {
            position = position.mapped(turned);
        }
        if position.lone / 8 > position.lone % 8 {
            position = position.mapped(swapped);
        }
        position
    }

    fn mapped(self, map: impl Fn(Square) -> Square) -> Position {
        Position { king: map(self.king), queen: map(self.queen), lone: map(self.lone) }
    }
}
