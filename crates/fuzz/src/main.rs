//! For development: alters what comes from outside at random, and feeds it to everything that reads it.
//!
//! Each input follows from a seed and a number, so that whatever is found can be made again. A worker
//! process reads inputs, and its parent watches it: a panic, an abort, an input that takes more than
//! ten seconds of computing or more memory than 256 MiB and 64 times its size is a finding, which is
//! saved with the sentence that it ended by.
//!
//! `make fuzz MINUTES=10` runs all targets; `tests/fuzz/corpus` holds what inputs are made of.

mod corpus;
mod mutate;
mod parent;
mod targets;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Says how much memory is in use, and refuses to give more than is allowed.
#[global_allocator]
static MEMORY: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

/// Alters inputs at random and feeds them to everything that reads from outside.
#[derive(Debug, Parser)]
#[command(name = "archer-fuzz")]
pub struct Args {
    /// Targets by name, all of them without; the names are listed with --list
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// List the targets
    #[arg(long)]
    pub list: bool,
    /// Minutes in all, shared by the targets
    #[arg(long, value_name = "M", default_value_t = 10.0)]
    pub minutes: f64,
    /// The most inputs for a target
    #[arg(long, value_name = "N", default_value_t = u64::MAX)]
    pub inputs: u64,
    /// What the inputs follow from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The number of the first input of each target
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: u64,
    /// The folder of inputs to begin with, one folder in it for each target
    #[arg(long, value_name = "DIR", default_value = "tests/fuzz/corpus")]
    pub corpus: PathBuf,
    /// Where findings are saved
    #[arg(long, value_name = "DIR", default_value = "target/fuzz")]
    pub out: PathBuf,
    /// Read this file by the one target that is named, and nothing else
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// Work for a parent, which asks by standard input
    #[arg(long, hide = true)]
    pub worker: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.worker {
        true => worker::run(&args).map(|()| true),
        false => parent::run(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::from(2)
        }
    }
}
