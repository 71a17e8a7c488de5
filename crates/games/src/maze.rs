//! The maze of LMRL-Gym: walk to the goal, seeing one's place or only the walls beside it.
//!
//! The grid, the sentences and the points are those of the reference. `max_turns` counts moves; the
//! utterance after the last of them is answered by `Failure`, whatever it says, so that a game has
//! one turn more.

mod belief;
mod grid;
mod player;

use std::sync::Arc;

use archer_world::{About, End, Local, Opening, Settings, Start, Turn, World, WorldError, Worlds};
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use belief::Plan;
use grid::{MOVES, Place};
use player::OptimalPlayer;

const NAME: &str = "maze";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "walk through a maze to its goal",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// What the player is told after each move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// The place of the goal, the own place and the walls beside it. Only the present one is read.
    #[default]
    Full,
    /// The walls alone. The first sentence and the last 20 exchanges are read: the 40 entries of the
    /// reference, which counts a move and its reply as one each.
    Partial,
}

/// The settings of the maze.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the player is told: `full` or `partial`.
    pub observed: Observed,
    /// The moves of a game, 1 to 1,000. The utterance after the last ends it.
    pub max_turns: usize,
    /// Whether the four moves are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { observed: Observed::Full, max_turns: 100, choices: true }
    }
}

impl Config {
    /// The most exchanges that a player with partial observation reads.
    pub const MEMORY: usize = 20;

    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "max_turns", config.max_turns, 1..=1_000)?;
        Ok(config)
    }
}

/// The maze as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = Plan::new(config.observed, config.max_turns).mean_return();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Maze { best, config: config.clone(), game: None });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let plan = Plan::new(config.observed, config.max_turns);
    let note = match config.observed {
        Observed::Full => "shortest paths from all 25 starts, each equally likely".to_string(),
        Observed::Partial => format!(
            "dynamic programming over the {} sets of cells that walls and moves can leave possible; the longest game of the best player has {} moves",
            plan.beliefs(),
            plan.longest()
        ),
    };
    Ok(Optimum::exact(plan.mean_return(), note))
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    match name {
        "optimal" => Ok(Box::new(OptimalPlayer::new(Plan::new(config.observed, config.max_turns)))),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "optimal")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

/// A game in the maze.
struct Maze {
    config: Config,
    best: f64,
    game: Option<Walk>,
}

struct Walk {
    task: usize,
    place: Place,
    moves: usize,
}

impl Maze {
    fn described(&self, place: Place) -> String {
        match self.config.observed {
            Observed::Full => place.described(),
            Observed::Partial => place.walls_sentence(),
        }
    }

    fn choices(&self) -> Option<Vec<String>> {
        self.config.choices.then(|| MOVES.iter().map(|step| step.said.to_string()).collect())
    }
}

impl World for Maze {
    fn about(&self) -> About {
        let memory = match self.config.observed {
            Observed::Full => 0,
            Observed::Partial => Config::MEMORY,
        };
        About {
            tasks: Some(grid::starts().len()),
            memory: Some(memory),
            best: Some(self.best),
            worst: Some(-4.0 * self.config.max_turns as f64 - 1.0),
            turn: "move".to_string(),
            ..About::new(NAME, self.config.max_turns + 1)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let starts = grid::starts();
        let task = start.task.unwrap_or_else(|| draw(&mut world_chance(start.seed), starts.len()));
        let place = starts[task];
        self.game = Some(Walk { task, place, moves: 0 });
        Opening { text: format!("{}\n", self.described(place)), choices: self.choices() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let game = self.game.as_mut().expect("a game is in play");
        if game.moves == self.config.max_turns {
            return Turn::new("Failure", -1.0).ending(End::Cut);
        }
        let step = MOVES.iter().find(|step| step.said == said.trim());
        game.moves += 1;
        if let Some(step) = step {
            game.place = game.place.after(step);
        }
        let place = game.place;
        if place.is_goal() {
            return Turn::new("Success", 0.0).ending(End::Won);
        }
        let turn = Turn::new(self.described(place), if step.is_some() { -1.0 } else { -4.0 });
        Turn { invalid: step.is_none(), choices: self.choices(), ..turn }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.task)
    }
}

#[cfg(test)]
mod tests;
