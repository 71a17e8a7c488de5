//! `archer`: the terminal, the disk and the clock round a core that knows none of them.
//!
//! What can be typed is in `args`, each command in the file of its name; here they are only put
//! together, and an error is printed, once, with its exit code: 2 where the command could not be
//! meant, 1 where it failed, 128 and the signal's number where it was stopped (`signals`).

mod args;
mod askers;
mod bench;
mod chart;
mod clock;
mod compare;
mod comparison;
mod data;
mod device;
mod distill;
mod doctor;
mod dry_run;
mod env;
mod error;
mod eval;
mod experiment;
mod export;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod input;
mod inspect;
mod log;
mod manual;
mod memory;
mod model;
mod number;
mod optimum;
mod output;
mod parity;
mod play;
mod players;
mod plots;
mod progress;
mod ranks;
mod reference;
mod report;
mod run_dir;
mod score;
mod serve;
mod shell;
mod signals;
mod tensorboard;
mod train;
mod version;
mod worlds;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use error::Error;

/// The program: reads what was typed, does it, and gives the exit code.
pub fn main() -> ExitCode {
    memory::keep_freed();
    // Help is as wide as the screen, and no wider than is pleasant to read.
    let width = output::width().min(100);
    let typed = Cli::command().term_width(width).try_get_matches();
    let cli = match typed.and_then(|typed| Cli::from_arg_matches(&typed)) {
        Ok(cli) => cli,
        // Another process says it.
        Err(error) if ranks::is_silent() => return ExitCode::from(error.exit_code() as u8),
        Err(error) => error.exit(),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, Error::BrokenPipe) && !ranks::is_silent() {
                let _ = writeln!(std::io::stderr(), "{error}");
            }
            ExitCode::from(error.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    if !matches!(cli.command, None | Some(Command::Train(_))) {
        ranks::refuse_several()?;
    }
    match cli.command {
        None => train::run(&args::Train::quickstart()),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Distill(args)) => distill::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Play(args)) => play::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Optimum(args)) => optimum::run(&args),
        Some(Command::Env(args)) => env::run(&args),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Parity(args)) => parity::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Score(args)) => score::run(&args),
        Some(Command::Reference(args)) => reference::run(&args),
        Some(Command::Completions(args)) => manual::completions(&args),
        Some(Command::Man(args)) => manual::man(&args),
    }
}
