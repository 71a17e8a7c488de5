//! Who is measured at the end of a run: chance, the beginning, and what came of it.
//!
//! Everybody plays the same games: the seed is the one that `archer eval` has by default, so that
//! a row can be had again by itself.

use std::path::PathBuf;

use archer::agent::Agent;
use archer::config::{Algorithm, Config};
use archer::nn::sampling::Sampler;
use archer::train::evaluate::{Evaluation, evaluate};
use archer_world::{Settings, Worlds};
use pollster::block_on;

use crate::device::Opened;
use crate::error::Error;
use crate::eval;
use crate::model;
use crate::run_dir::RunDir;
use crate::worlds;

/// The seed of the games.
pub const SEED: u64 = 7;

/// One who plays.
pub struct Player {
    /// What to call it.
    pub name: &'static str,
    who: Who,
}

enum Who {
    Asker(&'static str),
    Model(PathBuf),
    Agent(Box<Agent>),
}

/// What the one is called from whom a student learned.
pub const TEACHER: &str = "teacher";

/// Whether scripted askers play the world of these settings.
fn has_askers(world: &Settings) -> bool {
    worlds::questions(world).is_ok_and(|world| matches!(world.guessing(), Ok(Some(_))))
}

/// The players that a run with this configuration has, the weakest first.
pub fn players(run: &RunDir, config: &Config, teacher: Option<Agent>) -> Vec<Player> {
    let mut players = Vec::new();
    if has_askers(&config.world) {
        players.push(Player { name: "random asker", who: Who::Asker("random") });
    }
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
            Who::Asker(name) => {
                eval::of_asker(name, &worlds::questions(&config.world)?, games, SEED)
            }
            Who::Model(folder) => play(&model::load(folder, &device.device)?),
            Who::Agent(agent) => play(agent),
        }
    }
}
