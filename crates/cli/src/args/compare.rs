//! Flags of the command that compares algorithms.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Compute, measured_games};

/// Flags of `archer compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// The world: the name of one that archer ships, a command in quotes such as "python3 world.py", or
    /// the address of an OpenEnv server such as ws://127.0.0.1:8000/ws [default:
    /// the configuration's]
    #[arg(long, value_name = "NAME|COMMAND|URL")]
    pub world: Option<String>,
    /// Games to imitate before learning, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub demonstrations: Option<PathBuf>,
    /// Start from a preset: quickstart (10 words, minutes), twenty-questions (157 words, an hour), or
    /// new-world (any world, small models) [default: new-world with --world, else quickstart]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Start from a configuration file in TOML, over the preset where both are given
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What learns, with commas between: archer, filtered_bc, chai, iql, reinforce, ppo, bc
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    pub algorithms: Vec<String>,
    /// The seeds that each of them is run with, with commas between
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', required = true)]
    pub seeds: Vec<u64>,
    /// Change one key of the configuration for all, or for one algorithm, as in
    /// --set iterations=50 or --set ppo:lm_lr=1e-4
    #[arg(long, value_name = "[ALGORITHM:]KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for the runs and what comes of them; where it holds them already, they are gone on
    /// with, and finished ones are not repeated
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub compute: Compute,
    /// Games by which each agent is measured at the end of its run; 0 for the last evaluation of its
    /// training
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true, value_parser = measured_games)]
    pub final_games: usize,
    /// What the table ranks by: the return at the end, or the games that were needed to reach the
    /// returns of --reach and to stay there
    #[arg(long, value_name = "WHAT", default_value = "return")]
    pub by: By,
    /// Mean returns of greedy play, with commas between, for --by games [default: three between where
    /// learning began and the best that was reached]
    #[arg(long, value_name = "RETURNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub reach: Vec<f64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show warnings and the result, but no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// What a comparison ranks by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The return at the end of the runs.
    Return,
    /// The games until a return was reached.
    Games,
}
