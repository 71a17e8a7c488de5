//! The frozen lake: walk over ice to the goal without falling into a hole.
//!
//! The board is a screen of four lines: `P` is the player, `.` ice, `H` a hole, `G` the goal. The
//! goal is worth 1 and ends the game; a hole ends it without a reward. Without slipping and within the
//! default limit the best return is 1 on every map, so it counts how often the goal is reached; a
//! `step_cost` makes short ways better than long ones.

mod lake;
mod plan;

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
use lake::{Cell, DIRECTIONS, GOAL, Lake, START, moved};
use plan::Plan;

const NAME: &str = "frozen_lake";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "walk over ice to the goal without falling into a hole",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// Which lakes are walked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Map {
    /// Every lake with so many holes and a way to the goal; each is a task.
    #[default]
    Random,
    /// The one lake of four by four cells that Gymnasium has.
    Gymnasium,
}

/// The settings of the lake.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which lakes: `random` or `gymnasium`.
    pub map: Map,
    /// The holes of a random lake, 0 to 8; Gymnasium's has 4.
    pub holes: usize,
    /// Whether the ice is slippery: a step goes where it is meant, or to either side of that, each
    /// with probability 1/3.
    pub slippery: bool,
    /// The steps of a game, 1 to 1,000.
    pub max_turns: usize,
    /// What each step costs, 0 to 1.
    pub step_cost: f32,
    /// Whether the four directions are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            map: Map::Random,
            holes: 3,
            slippery: false,
            max_turns: 100,
            step_cost: 0.0,
            choices: true,
        }
    }
}

impl Config {
    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "holes", config.holes, 0..=8)?;
        within(NAME, "max_turns", config.max_turns, 1..=1_000)?;
        within(NAME, "step_cost", config.step_cost, 0.0..=1.0)?;
        Ok(config)
    }

    fn lakes(&self) -> Vec<Lake> {
        match self.map {
            Map::Random => Lake::all(self.holes),
            Map::Gymnasium => vec![Lake::gymnasium()],
        }
    }
}

/// The lake as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = plan::mean_return(&config);
    let lakes: Arc<[Lake]> = config.lakes().into();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || FrozenLake {
        best,
        config: config.clone(),
        lakes: lakes.clone(),
        game: None,
    });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let lakes = config.lakes().len();
    let note = format!("value iteration over the steps left, on {lakes} lakes");
    Ok(Optimum::exact(plan::mean_return(&config), note))
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    match name {
        "optimal" => Ok(Box::new(OptimalPlayer { config, plan: None })),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "optimal")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct FrozenLake {
    config: Config,
    best: f64,
    lakes: Arc<[Lake]>,
    game: Option<Game>,
}

struct Game {
    task: usize,
    cell: Cell,
    steps: usize,
    chance: ChaCha8Rng,
}

impl FrozenLake {
    fn choices(&self) -> Option<Choices> {
        self.config.choices.then(|| DIRECTIONS.iter().map(|name| name.to_string()).collect())
    }
}

impl World for FrozenLake {
    fn about(&self) -> About {
        let cost = f64::from(self.config.step_cost) * self.config.max_turns as f64;
        About {
            tasks: Some(self.lakes.len()),
            memory: Some(0),
            best: Some(self.best),
            worst: Some(0.0 - cost),
            turn: "step".to_string(),
            ..About::new(NAME, self.config.max_turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let mut chance = world_chance(start.seed);
        let task = start.task.unwrap_or_else(|| draw(&mut chance, self.lakes.len()));
        self.game = Some(Game { task, cell: START, steps: 0, chance });
        let text = format!("{}\n", self.lakes[task].shown(START));
        Opening { text, choices: self.choices() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let choices = self.choices();
        let game = self.game.as_mut().expect("a game is in play");
        let lake = &self.lakes[game.task];
        game.steps += 1;
        let direction = DIRECTIONS.iter().position(|name| *name == said.trim());
        if let Some(direction) = direction {
            // The directions stand in a circle, so the two to the sides are one before and one after.
            let aside = if self.config.slippery { draw(&mut game.chance, 3) + 3 } else { 4 };
            game.cell = moved(game.cell, (direction + aside) % 4);
        }
        let cost = self.config.step_cost;
        if game.cell == GOAL {
            return Turn::new(lake.shown(game.cell), 1.0 - cost).ending(End::Won);
        }
        let turn = Turn::new(lake.shown(game.cell), 0.0 - cost);
        if lake.is_hole(game.cell) {
            return turn.ending(End::Over);
        }
        let turn = Turn { invalid: direction.is_none(), ..turn };
        match game.steps == self.config.max_turns {
            true => turn.ending(End::Cut),
            false => Turn { choices, ..turn },
        }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.task)
    }
}

struct OptimalPlayer {
    config: Config,
    /// The plan for the lake that was seen last.
    plan: Option<(Lake, Plan)>,
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let text = game.text();
        let (lake, cell) = Lake::parsed(&text).expect("each reply shows the lake");
        if self.plan.as_ref().is_none_or(|(seen, _)| *seen != lake) {
            self.plan = Some((lake.clone(), Plan::new(&lake, &self.config)));
        }
        let (_, plan) = self.plan.as_ref().expect("planned just now");
        let left = self.config.max_turns - game.exchanges().len();
        DIRECTIONS[plan.best_direction(cell, left)].to_string()
    }
}

#[cfg(test)]
mod tests;
