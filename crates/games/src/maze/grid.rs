//! The grid of the maze, its places and the sentences about them.

use std::sync::OnceLock;

/// Rows from above, columns from the left; `1` is a wall.
const GRID: [&str; 10] = [
    "1111111111111",
    "1000001000001",
    "1110111110111",
    "1110111110111",
    "1110111110111",
    "1110000000111",
    "1111110111111",
    "1111110111111",
    "1111110111111",
    "1111111111111",
];

const GOAL: Place = Place { row: 8, column: 6 };

/// What can be said, and where it leads.
pub(super) struct Move {
    pub said: &'static str,
    down: isize,
    right: isize,
}

pub(super) const MOVES: [Move; 4] = [
    Move { said: "move left", down: 0, right: -1 },
    Move { said: "move right", down: 0, right: 1 },
    Move { said: "move up", down: -1, right: 0 },
    Move { said: "move down", down: 1, right: 0 },
];

/// The directions in the order in which walls are named, by their place in [`MOVES`].
const NAMED_WALLS: [(usize, &str); 4] =
    [(1, "to your right"), (0, "to your left"), (2, "above you"), (3, "below you")];

/// A free cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub row: usize,
    pub column: usize,
}

impl Place {
    pub fn is_goal(self) -> bool {
        self == GOAL
    }

    /// Where a move leads: a wall keeps the walker in place.
    pub fn after(self, step: &Move) -> Place {
        let next = Place {
            row: self.row.wrapping_add_signed(step.down),
            column: self.column.wrapping_add_signed(step.right),
        };
        if next.is_free() { next } else { self }
    }

    fn is_free(self) -> bool {
        GRID[self.row].as_bytes()[self.column] == b'0'
    }

    /// For each move whether it leads into a wall.
    pub fn walls(self) -> [bool; 4] {
        std::array::from_fn(|step| self.after(&MOVES[step]) == self)
    }

    /// The sentence about the walls beside a place.
    pub fn walls_sentence(self) -> String {
        let walls = self.walls();
        let named = NAMED_WALLS.iter().filter(|(step, _)| walls[*step]).map(|(_, name)| *name);
        match named.collect::<Vec<_>>()[..] {
            [] => "There are no walls near you.".to_string(),
            [wall] => format!("There is a wall {wall}."),
            ref walls => format!("There are walls {}.", walls.join(", ")),
        }
    }

    /// All that is told about a place.
    pub fn described(self) -> String {
        format!(
            "The goal is at position {}. Your current position is at position {}. {}",
            GOAL.spelled(),
            self.spelled(),
            self.walls_sentence()
        )
    }

    /// Row and column, with a blank between digits as in the reference: `1, 1 1`.
    fn spelled(self) -> String {
        format!("{}, {}", spaced(self.row), spaced(self.column))
    }
}

fn spaced(number: usize) -> String {
    let digits: Vec<String> = number.to_string().chars().map(String::from).collect();
    digits.join(" ")
}

/// The free cells but the goal, row by row: where games start.
pub(super) fn starts() -> &'static [Place] {
    static STARTS: OnceLock<Vec<Place>> = OnceLock::new();
    STARTS.get_or_init(|| {
        let places = (0..GRID.len())
            .flat_map(|row| (0..GRID[row].len()).map(move |column| Place { row, column }));
        places.filter(|place| place.is_free() && !place.is_goal()).collect()
    })
}
