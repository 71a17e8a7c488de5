//! King and queen against king: mate in as few moves as possible against the best defence.
//!
//! The agent has White and says moves as chess players write them: `Kd5`, `Qe7`. The board is a
//! screen: each reply is the position after Black's move, the first field of its FEN with a blank
//! between signs. A move costs a point and the mating one nothing; a draw costs all points of the
//! moves that are left, as if Black were never mated.

mod board;
mod table;

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Transcript, Turn, World, WorldError,
    Worlds,
};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use board::{Escape, Move, Position};
use table::Table;

const NAME: &str = "queen_endgame";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "mate with king and queen against the best defence of a king",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// The settings of the endgame.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// White's moves in a game, 1 to 200. Ten are always enough.
    pub max_turns: usize,
    /// Whether the legal moves are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_turns: 30, choices: true }
    }
}

impl Config {
    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "max_turns", config.max_turns, 1..=200)?;
        Ok(config)
    }

    /// The best mean return over all positions.
    fn best(&self) -> f64 {
        let starts = Table::get().starts();
        let cost = |position: &Position| match Table::get().mate_in(*position) {
            moves if moves <= self.max_turns => moves - 1,
            _ => self.max_turns,
        };
        -(starts.iter().map(cost).sum::<usize>() as f64) / starts.len() as f64
    }
}

/// The endgame as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = config.best();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Endgame { best, config: config.clone(), game: None });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let starts = Table::get().starts().len();
    let note = format!(
        "retrograde analysis; the mean is over the {starts} positions in which White can be to move"
    );
    Ok(Optimum::exact(config.best(), note))
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    match name {
        "optimal" => Ok(Box::new(OptimalPlayer)),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "optimal")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct Endgame {
    config: Config,
    best: f64,
    game: Option<Game>,
}

struct Game {
    task: usize,
    position: Position,
    moves: usize,
    chance: ChaCha8Rng,
}

impl Endgame {
    fn choices(&self, position: Position) -> Option<Choices> {
        let legal = || position.moves().into_iter().map(Move::spelled).collect();
        self.config.choices.then(legal)
    }
}

impl World for Endgame {
    fn about(&self) -> About {
        About {
            tasks: Some(Table::get().starts().len()),
            memory: Some(0),
            best: Some(self.best),
            worst: Some(-(self.config.max_turns as f64)),
            turn: "move".to_string(),
            ..About::new(NAME, self.config.max_turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let starts = Table::get().starts();
        let mut chance = world_chance(start.seed);
        let task = start.task.unwrap_or_else(|| draw(&mut chance, starts.len()));
        let position = starts[task];
        self.game = Some(Game { task, position, moves: 0, chance });
        Opening { text: format!("{}\n", position.shown()), choices: self.choices(position) }
    }

    fn act(&mut self, said: &str) -> Turn {
        let most = self.config.max_turns;
        let game = self.game.as_mut().expect("a game is in play");
        let left = (most - game.moves) as f32;
        game.moves += 1;
        let said = said.trim().trim_end_matches(['+', '#']);
        let step = game.position.moves().into_iter().find(|step| step.spelled() == said);
        if let Some(step) = step {
            let moved = game.position.after(step);
            match moved.escapes()[..] {
                [] if moved.checks() => return Turn::new("Checkmate.", 0.0).ending(End::Won),
                [] => return Turn::new("Stalemate.", -left).ending(End::Over),
                ref escapes => match Table::get().best_defence(escapes, &mut game.chance) {
                    Escape::Capture => {
                        return Turn::new("The queen is lost.", -left).ending(End::Over);
                    }
                    Escape::To(position) => game.position = position,
                },
            }
        }
        let (position, over) = (game.position, game.moves == most);
        let turn = Turn { invalid: step.is_none(), ..Turn::new(position.shown(), -1.0) };
        match over {
            true => turn.ending(End::Cut),
            false => Turn { choices: self.choices(position), ..turn },
        }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.task)
    }
}

struct OptimalPlayer;

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let position = Position::parsed(&game.text()).expect("each reply shows the board");
        Table::get().best_move(position).spelled()
    }
}

#[cfg(test)]
mod tests;
