//! Who is measured at the end of a run: chance, the beginning, and what came of it.
//!
//! Everybody plays the same games: the seed is the one that `archer eval` has by default, so that
//! a row can be had again by itself.

use std::path::PathBuf;

use archer::agent::Agent;
use archer::config::{Algorithm, Config};
use archer::nn::sampling::Sampler;
use archer::train::evaluate::{Evaluation, evaluate};
use archer_world::Worlds;
use pollster::block_on;

use crate::device::Opened;
use crate::error::Error;
use crate::eval;
use crate::model;
use crate::players;
use crate::run_dir::RunDir;

/// The seed of the games.
pub const SEED: u64 = 7;

/// One who plays.
pub struct Player {
    /// What to call it.
    pub name: &'static str,
    who: Who,
}

enum Who {
    Scripted(&'static str),
    Model(PathBuf),
    Agent(Box<Agent>),
}

/// What the one is called from whom a student learned.
pub const TEACHER: &str = "teacher";

/// The players that a run with this configuration has, the weakest first.
pub fn players(run: &RunDir, config: &Config, teacher: Option<Agent>) -> Vec<Player> {
    let mut players = Vec::new();
    let name = if players::asks(&config.world) { "random asker" } else { "random player" };
    players.push(Player { name, who: Who::Scripted(players::RANDOM) });
    if run.warm_start().is_dir() {
        players.push(Player { name: "warm start", who: Who::Model(run.warm_start()) });
    }
    if let Some(teacher) = teacher {
        players.push(Player { name: TEACHER, who: Who::Agent(Box::new(teacher)) });
    }
    if config.algorithm != Algorithm::Bc {
        players.push(Player { name: config.algorithm.title(), who: Who::Model(run.model()) });
    }
    players
}

impl Player {
    /// Whether it plays by a rule and not by a model.
    pub fn is_scripted(&self) -> bool {
        matches!(self.who, Who::Scripted(_))
    }

    /// Lets the player play `games` games, a model greedily.
    pub fn measure(
        &self,
        worlds: &dyn Worlds,
        config: &Config,
        games: usize,
        device: &Opened,
    ) -> Result<Evaluation, Error> {
        let play = |agent: &Agent| {
            let greedy = Sampler::greedy();
            Ok(block_on(evaluate(agent.player(&greedy, device.threads), worlds, games, SEED))?)
        };
        match &self.who {
            Who::Scripted(name) => eval::of_player(name, &config.world, worlds, games, SEED),
            Who::Model(folder) => play(&model::load(folder, &device.device)?),
            Who::Agent(agent) => play(agent),
        }
    }
}
