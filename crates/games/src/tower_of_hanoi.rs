//! The tower of Hanoi: move all disks from peg A to peg C, never a larger one onto a smaller one.
//!
//! The board is a screen: each reply shows it whole, and only the present one is read.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Transcript, Turn, World, WorldError,
    Worlds,
};
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};

const NAME: &str = "tower_of_hanoi";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "move a tower of disks to another peg",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// Where games start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// With all disks on peg A: one task.
    #[default]
    Tower,
    /// With the disks on any pegs, but not all on peg C: a task for each way.
    Any,
}

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The number of disks, 1 to 7.
    pub disks: usize,
    /// The moves of a game, 1 to 1,000; where it is absent, twice what the best player needs for a
    /// whole tower: 14 for three disks.
    pub max_turns: Option<usize>,
    /// Where games start: `tower` or `any`.
    pub starts: Starts,
    /// Whether the legal moves are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { disks: 3, max_turns: None, starts: Starts::Tower, choices: true }
    }
}

impl Config {
    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "disks", config.disks, 1..=7)?;
        within(NAME, "max_turns", config.max_turns(), 1..=1_000)?;
        Ok(config)
    }

    fn max_turns(&self) -> usize {
        self.max_turns.unwrap_or((2 << self.disks.min(7)) - 2)
    }

    /// The boards in which games start.
    fn boards(&self) -> Vec<Board> {
        match self.starts {
            Starts::Tower => vec![Board::of_number(0, self.disks)],
            Starts::Any => {
                let all = (0..3_usize.pow(self.disks as u32))
                    .map(|number| Board::of_number(number, self.disks));
                all.filter(|board| !board.is_solved()).collect()
            }
        }
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = Plan::new(config.disks).mean_return(&config);
    let boards: Arc<[Board]> = config.boards().into();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Hanoi {
        best,
        config: config.clone(),
        boards: boards.clone(),
        game: None,
    });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let plan = Plan::new(config.disks);
    let boards = plan.distances.len();
    let note = format!("shortest paths through the {boards} boards, found from the solved one");
    Ok(Optimum::exact(plan.mean_return(&config), note))
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    match name {
        "optimal" => Ok(Box::new(OptimalPlayer { plan: Plan::new(config.disks) })),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "optimal")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

const PEGS: [char; 3] = ['A', 'B', 'C'];

/// Every move, from a peg to another.
const MOVES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];

/// For each disk, the smallest first, its peg.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Board(Vec<usize>);

impl Board {
    /// The boards are numbered: the pegs are the digits of a number to the base 3.
    fn of_number(number: usize, disks: usize) -> Self {
        Board((0..disks as u32).map(|disk| number / 3_usize.pow(disk) % 3).collect())
    }

    fn number(&self) -> usize {
        self.0.iter().rev().fold(0, |number, peg| number * 3 + peg)
    }

    fn is_solved(&self) -> bool {
        self.0.iter().all(|&peg| peg == 2)
    }

    fn top(&self, peg: usize) -> Option<usize> {
        self.0.iter().position(|&other| other == peg)
    }

    fn after(&self, (from, to): (usize, usize)) -> Option<Board> {
        let disk = self.top(from)?;
        if self.top(to).is_some_and(|smaller| smaller < disk) {
            return None;
        }
        let mut board = self.clone();
        board.0[disk] = to;
        Some(board)
    }

    /// A line for each peg with its disks from below; the largest has the highest number.
    fn shown(&self) -> String {
        let mut text = String::new();
        for (peg, name) in PEGS.iter().enumerate() {
            let _ = write!(text, "{}{name}:", if peg == 0 { "" } else { "\n" });
            for disk in (0..self.0.len()).rev().filter(|&disk| self.0[disk] == peg) {
                let _ = write!(text, " {}", disk + 1);
            }
        }
        text
    }

    /// The board that was shown, and nothing where a text shows none.
    fn parsed(text: &str) -> Option<Board> {
        let mut disks = Vec::new();
        for (peg, name) in PEGS.iter().enumerate() {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")[..]))?;
            for disk in line.split_whitespace() {
                disks.push((disk.parse::<usize>().ok()?, peg));
            }
        }
        disks.sort_unstable();
        Some(Board(disks.into_iter().map(|(_, peg)| peg).collect()))
    }
}

fn spelled((from, to): (usize, usize)) -> String {
    format!("{} {}", PEGS[from], PEGS[to])
}

struct Hanoi {
    config: Config,
    best: f64,
    boards: Arc<[Board]>,
    game: Option<Game>,
}

struct Game {
    task: usize,
    board: Board,
    moves: usize,
}

impl Hanoi {
    fn choices(&self, board: &Board) -> Option<Choices> {
        let legal = MOVES.iter().filter(|step| board.after(**step).is_some());
        self.config.choices.then(|| legal.map(|step| spelled(*step)).collect())
    }
}

impl World for Hanoi {
    fn about(&self) -> About {
        let turns = self.config.max_turns();
        About {
            tasks: Some(self.boards.len()),
            memory: Some(0),
            best: Some(self.best),
            worst: Some(-(turns as f64)),
            turn: "move".to_string(),
            ..About::new(NAME, turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let count = self.boards.len();
        let task = start.task.unwrap_or_else(|| draw(&mut world_chance(start.seed), count));
        let board = self.boards[task].clone();
        let opening =
            Opening { text: format!("{}\n", board.shown()), choices: self.choices(&board) };
        self.game = Some(Game { task, board, moves: 0 });
        opening
    }

    fn act(&mut self, said: &str) -> Turn {
        let game = self.game.as_mut().expect("a game is in play");
        game.moves += 1;
        let step = MOVES.iter().find(|step| spelled(**step) == said.trim());
        let moved = step.and_then(|step| game.board.after(*step));
        let invalid = moved.is_none();
        if let Some(board) = moved {
            game.board = board;
        }
        if game.board.is_solved() {
            return Turn::new(game.board.shown(), 0.0).ending(End::Won);
        }
        let turn = Turn { invalid, ..Turn::new(game.board.shown(), -1.0) };
        if game.moves == self.config.max_turns() {
            return turn.ending(End::Cut);
        }
        let choices = self.game.as_ref().and_then(|game| self.choices(&game.board));
        Turn { choices, ..turn }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.task)
    }
}

/// How many moves each board is from the solved one.
struct Plan {
    disks: usize,
    distances: Vec<usize>,
}

impl Plan {
    fn new(disks: usize) -> Self {
        let solved = Board(vec![2; disks]);
        let mut distances = vec![usize::MAX; 3_usize.pow(disks as u32)];
        distances[solved.number()] = 0;
        let mut queue = VecDeque::from([solved]);
        // A move can be taken back, so distances are the same in both directions.
        while let Some(board) = queue.pop_front() {
            let distance = distances[board.number()];
            for next in MOVES.iter().filter_map(|step| board.after(*step)) {
                if distances[next.number()] == usize::MAX {
                    distances[next.number()] = distance + 1;
                    queue.push_back(next);
                }
            }
        }
        Plan { disks, distances }
    }

    fn mean_return(&self, config: &Config) -> f64 {
        let boards = config.boards();
        let cost = |board: &Board| match self.distances[board.number()] {
            distance if distance <= config.max_turns() => distance - 1,
            _ => config.max_turns(),
        };
        -(boards.iter().map(cost).sum::<usize>() as f64) / boards.len() as f64
    }

    fn best_move(&self, board: &Board) -> (usize, usize) {
        let distance = |step: &(usize, usize)| Some(self.distances[board.after(*step)?.number()]);
        let legal = MOVES.iter().filter(|step| board.after(**step).is_some());
        *legal.min_by_key(|step| distance(step)).expect("some move is always legal")
    }
}

struct OptimalPlayer {
    plan: Plan,
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let board = Board::parsed(&game.text());
        let board = board.filter(|board| board.0.len() == self.plan.disks);
        spelled(self.plan.best_move(&board.expect("each reply shows the board")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::testing::{
        keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
    };

    #[test]
    fn the_contract_is_kept() {
        for value in [
            json!({}),
            json!({"disks": 1}),
            json!({"disks": 4, "starts": "any"}),
            json!({"choices": false, "max_turns": 2}),
        ] {
            keeps_the_contract(&ENTRY, value);
        }
    }

    #[test]
    fn a_game_of_two_disks() {
        let worlds = worlds(&settings(json!({"disks": 2}))).unwrap();
        let said = ["A C", "A C", "C A", "A B", "A C", "B C"];
        let (lines, game) = transcript(&*worlds, Start::default(), &said);
        assert_eq!(
            lines,
            [
                "A: 2 1\nB:\nC:\n",
                "A: 2\nB:\nC: 1",
                // A larger disk does not go onto a smaller one.
                "A: 2\nB:\nC: 1",
                "A: 2 1\nB:\nC:",
                "A: 2\nB: 1\nC:",
                "A:\nB: 1\nC: 2",
                "A:\nB:\nC: 2 1"
            ]
        );
        assert_eq!((game.total_reward(), game.won(), game.turns[1].invalid), (-5.0, true, true));
        assert_eq!(game.choices.unwrap(), ["A B", "A C"]);
        assert_eq!(game.turns[0].choices.clone().unwrap(), ["A B", "C A", "C B"]);
    }

    #[test]
    fn the_optimum_of_a_whole_tower_is_known() {
        for disks in 1..=7_u32 {
            let optimum = optimum(&settings(json!({"disks": disks}))).unwrap();
            assert_eq!(optimum.exact, Some(f64::from(2 - 2_i32.pow(disks))));
        }
        assert_eq!(Config::default().max_turns(), 14);
    }

    #[test]
    fn the_optimal_player_reaches_the_optimum() {
        for value in [
            json!({}),
            json!({"max_turns": 6}),
            json!({"starts": "any"}),
            json!({"disks": 4, "starts": "any", "max_turns": 9}),
        ] {
            let settings = settings(value);
            let best = optimum(&settings).unwrap().exact.unwrap();
            let mut player = player(&settings, "optimal").unwrap();
            let mean = mean_over_tasks(&*worlds(&settings).unwrap(), &mut *player);
            assert!((mean - best).abs() < 1e-9, "{settings:?}: {mean} {best}");
        }
    }

    #[test]
    fn bad_settings_are_named() {
        for (value, parts) in [
            (json!({"disks": 0}), ["disks = 0", "from 1 to 7"]),
            (json!({"disks": 8}), ["disks = 8", "from 1 to 7"]),
            (json!({"max_turns": 0}), ["max_turns = 0", "from 1 to 1000"]),
            (json!({"starts": "all"}), ["starts = \"all\"", "any"]),
        ] {
            let refused = refusal(&ENTRY, value);
            assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
        }
    }
}
