//! Lakes of four by four cells.

/// A cell: four times its row, from above, and its column.
pub(super) type Cell = usize;

const SIDE: usize = 4;
pub(super) const CELLS: usize = SIDE * SIDE;
pub(super) const START: Cell = 0;
pub(super) const GOAL: Cell = CELLS - 1;

/// The directions in a circle: to the sides of one are the one before and the one after.
pub(super) const DIRECTIONS: [&str; 4] = ["left", "down", "right", "up"];

/// Where a step in a direction leads: the edge keeps the walker in place.
pub(super) fn moved(cell: Cell, direction: usize) -> Cell {
    let (row, column) = (cell / SIDE, cell % SIDE);
    match direction {
        0 if column > 0 => cell - 1,
        1 if row + 1 < SIDE => cell + SIDE,
        2 if column + 1 < SIDE => cell + 1,
        3 if row > 0 => cell - SIDE,
        _ => cell,
    }
}

/// Where the holes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lake {
    holes: [bool; CELLS],
}

impl Lake {
    /// Every lake with so many holes that has a way from start to goal, in one order.
    pub fn all(holes: usize) -> Vec<Lake> {
        let bits = CELLS - 2;
        let placements = (0_u32..1 << bits).filter(|mask| mask.count_ones() as usize == holes);
        let lake = |mask: u32| Lake {
            holes: std::array::from_fn(|cell| {
                (1..=bits).contains(&cell) && mask >> (cell - 1) & 1 == 1
            }),
        };
        placements.map(lake).filter(Lake::has_way).collect()
    }

    /// The lake that Gymnasium calls `4x4`.
    pub fn gymnasium() -> Lake {
        Lake { holes: std::array::from_fn(|cell| [5, 7, 11, 12].contains(&cell)) }
    }

    pub fn is_hole(&self, cell: Cell) -> bool {
        self.holes[cell]
    }

    fn has_way(&self) -> bool {
        let mut reached = [false; CELLS];
        reached[START] = true;
        let mut open = vec![START];
        while let Some(cell) = open.pop() {
            for next in (0..4).map(|direction| moved(cell, direction)) {
                if !reached[next] && !self.holes[next] {
                    reached[next] = true;
                    open.push(next);
                }
            }
        }
        reached[GOAL]
    }

    /// Four lines: the player on the lake. A player in a hole or on the goal covers it.
    pub fn shown(&self, player: Cell) -> String {
        let sign = |cell: Cell| match cell {
            cell if cell == player => "P",
            GOAL => "G",
            cell if self.holes[cell] => "H",
            _ => ".",
        };
        let row =
            |row: usize| (0..SIDE).map(|column| sign(row * SIDE + column)).collect::<Vec<_>>();
        let rows: Vec<String> = (0..SIDE).map(|number| row(number).join(" ")).collect();
        rows.join("\n")
    }

    /// The lake that a text shows and the cell of the player, while the game goes on.
    pub fn parsed(text: &str) -> Option<(Lake, Cell)> {
        let signs: Vec<&str> = text.split_whitespace().collect();
        if signs.len() != CELLS {
            return None;
        }
        let player = signs.iter().position(|sign| *sign == "P")?;
        Some((Lake { holes: std::array::from_fn(|cell| signs[cell] == "H") }, player))
    }
}
