//! Every word that can be typed, and every word of help.
//!
//! Only names and types are settled here; what they mean together is settled by the commands.

mod compare;
#[cfg(test)]
mod documents;
mod tools;

use std::path::PathBuf;
use std::str::FromStr;

use archer::checkpoint::packed::Precision;
use archer_games::{OracleName, Rules, WordList};
use archer_world::Settings;
use clap::{Args, Parser, Subcommand};

use crate::error::Error;
use crate::{experiment, version, worlds};

pub use compare::{By, Compare};
pub use tools::{
    Bench, Completions, Doctor, Document, Holding, Inspect, Man, Parity, Reference, Score, Serve,
};

/// Train language-model agents for multi-turn tasks by ArCHer, and play with them.
#[derive(Debug, Parser)]
#[command(
    name = "archer",
    version,
    long_version = version::long(),
    after_help = "Without a command: train --preset quickstart, a few minutes on two cores.\n\
                  In the workspace, write `cargo run --release --` for `archer`."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent: a warm start by imitation, then reinforcement by ArCHer or a baseline
    Train(Train),
    /// Train by several algorithms from several seeds, and draw and tabulate how they compare
    Compare(Compare),
    /// Train a small student of an agent that has learned, to play and to value as it does
    Distill(Distill),
    /// Measure an agent: mean return with its 95 % interval, win rate, turns
    Eval(Eval),
    /// Watch an agent play, answer its questions, or play its world yourself
    Play(Play),
    /// Write a run or a model as the one file that a page loads
    Export(Export),
    /// Write games of a scripted player or an agent, one a line, as training data
    Data(Data),
    /// Print the best mean return there is in a world: exact where it is known, else a bound
    Optimum(Optimum),
    /// Serve a world to agents in any language: JSON lines on standard input and output, or OpenEnv
    Env(Env),
    /// Serve an agent to programs in any language: HTTP and a WebSocket, many games at once
    Serve(Serve),
    /// Compare with the reference, number by number, on fixtures that it produced
    Parity(Parity),
    /// Time generation, learning and the oracle in fixed shapes
    Bench(Bench),
    /// Show which devices work here, which one auto takes, and why the others do not work
    Doctor(Doctor),
    /// Say what a model, a run, a checkpoint or a file of games is, without loading or starting anything
    Inspect(Inspect),
    /// Print log-probabilities and values of given utterances, one JSON object for each
    Score(Score),
    /// Print a page that is made of the code: all keys of a configuration, or all metrics
    Reference(Reference),
    /// Print the script by which a shell completes the command line
    Completions(Completions),
    /// Write the manual's pages, one for each command
    Man(Man),
}

/// Flags of `archer train`.
#[derive(Debug, Default, Args)]
pub struct Train {
    /// The world: the name of one that archer ships, a command in quotes such as "python3 world.py", or
    /// the address of an OpenEnv server such as ws://127.0.0.1:8000/ws [default:
    /// the configuration's]
    #[arg(long, value_name = "NAME|COMMAND|URL")]
    pub world: Option<String>,
    /// Games to imitate before learning, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub demonstrations: Option<PathBuf>,
    /// The most processes of a world that plays one game at a time
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub world_processes: Option<usize>,
    /// Start from a preset: quickstart (10 words, minutes), twenty-questions (157 words, an hour), or
    /// new-world (any world, small models) [default: new-world with --world, else quickstart]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Start from a configuration file in TOML, over the preset where both are given
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What learns after the warm start: archer, filtered_bc, chai, iql, reinforce, ppo, or bc for the
    /// warm start alone [default: the configuration's]
    #[arg(long, value_name = "NAME")]
    pub algorithm: Option<String>,
    /// Play each iteration's games with the policy of K iterations before, while learning goes on; the
    /// same as --set play_lag=K
    #[arg(long, value_name = "K")]
    pub async_play: Option<usize>,
    /// Go on with the run in this folder, or in a file that a page exported (into a new folder);
    /// --set iterations=… may extend it. With auto the folder is that of --out: the run begins, goes
    /// on, or is left alone once it is finished, so that one command can be repeated
    #[arg(long, value_name = "DIR|FILE|auto")]
    pub resume: Option<PathBuf>,
    /// Train nothing and write nothing: print the whole configuration, the parameters, the memory and
    /// the time that the run would take
    #[arg(long, conflicts_with = "resume")]
    pub dry_run: bool,
    #[command(flatten)]
    pub running: Running,
}

/// On what to compute.
#[derive(Debug, Clone, Args)]
pub struct Compute {
    /// Where to compute: auto, flex (CPU), ndarray, wgpu, cuda, cuda:1, remote:ADDRESS; for a run that
    /// several processes share, cuda:RANK is a GPU for each process of a machine
    #[arg(long, value_name = "DEVICE", default_value = Compute::AUTO)]
    pub device: String,
    /// Threads that share the work on a CPU; the result is the same with any number [default: all
    /// cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = threads)]
    pub threads: Option<usize>,
}

impl Compute {
    /// The device where none is named.
    pub const AUTO: &str = "auto";
}

impl Default for Compute {
    fn default() -> Self {
        Self { device: Self::AUTO.to_string(), threads: None }
    }
}

/// Flags of whatever is a run.
#[derive(Debug, Clone, Default, Args)]
pub struct Running {
    /// Change one key of the configuration, as in --set iterations=50 or --set actor_model.width=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub compute: Compute,
    /// The seed of all chance; on the CPU the same seed gives the same run, bit for bit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Folder for the run, new or empty [default: runs/<name>-<seed>-<n>, where the name is that of
    /// --config, else that of the preset or of the file that is gone on with]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Games of the comparison at the end, for each agent; 0 for no comparison
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true, value_parser = measured_games)]
    pub final_games: usize,
    /// End the training once an evaluation returns at least this, with the lower end of its 95 %
    /// interval
    #[arg(long, value_name = "RETURN", allow_negative_numbers = true, value_parser = finite)]
    pub until_return: Option<f64>,
    /// Save and end after so many minutes, once the step in progress is done
    #[arg(long, value_name = "MINUTES", allow_negative_numbers = true, value_parser = minutes)]
    pub max_minutes: Option<f64>,
    /// A command that a shell runs after each checkpoint, with the run's folder in ARCHER_RUN and the
    /// file in ARCHER_CHECKPOINT; training waits for its end
    #[arg(long, value_name = "COMMAND")]
    pub on_checkpoint: Option<String>,
    /// Show warnings and the result, but no progress
    #[arg(long, short)]
    pub quiet: bool,
}

impl Train {
    /// The first flag that only a new run can have, if one was typed.
    pub fn of_a_new_run(&self) -> Option<&'static str> {
        let typed = [
            ("--world", self.world.is_some()),
            ("--demonstrations", self.demonstrations.is_some()),
            ("--preset", self.preset.is_some()),
            ("--config", self.config.is_some()),
            ("--algorithm", self.algorithm.is_some()),
            ("--async-play", self.async_play.is_some()),
            ("--seed", self.running.seed.is_some()),
        ];
        typed.into_iter().find(|(_, typed)| *typed).map(|(flag, _)| flag)
    }

    /// What is meant by no command at all.
    pub fn quickstart() -> Train {
        Train {
            preset: Some("quickstart".to_string()),
            running: Running { final_games: 1000, ..Running::default() },
            ..Train::default()
        }
    }
}

/// Flags of `archer distill`.
#[derive(Debug, Args)]
pub struct Distill {
    /// Whom to learn from: a run's folder, a model's, an exported file, or a checkpoint such as
    /// <run>/checkpoints/best
    #[arg(long, value_name = "DIR|FILE", required_unless_present = "resume")]
    pub teacher: Option<PathBuf>,
    /// The world, where it is another than the teacher's, or one that a file must not start by itself
    #[arg(long, value_name = "NAME|COMMAND|URL")]
    pub world: Option<String>,
    /// Go on with a student that was made before, from its model folder, instead of a fresh one
    #[arg(long, value_name = "DIR")]
    pub student: Option<PathBuf>,
    /// Give the student a vocabulary of its own, of so many tokens, where its teacher's is too large: it
    /// then learns from the texts of games that the teacher plays
    #[arg(long, value_name = "N", conflicts_with_all = ["student", "resume"])]
    pub tokens: Option<usize>,
    /// With --tokens, the games that the teacher plays, sampled; they are kept in OUT.games.jsonl
    /// [default: 3000]
    #[arg(long, value_name = "N", requires = "tokens", allow_negative_numbers = true, value_parser = written_games)]
    pub games: Option<usize>,
    /// A configuration file in TOML, over the teacher's and over the preset of distillation
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Go on with the run in this folder; the teacher is in its checkpoint. With auto the folder is
    /// that of --out: the run begins, goes on, or is left alone once it is finished
    #[arg(long, value_name = "DIR|auto")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub running: Running,
}

impl Distill {
    /// The first flag that only a new run can have, if one was typed.
    pub fn of_a_new_run(&self) -> Option<&'static str> {
        let typed = [
            ("--teacher", self.teacher.is_some()),
            ("--student", self.student.is_some()),
            ("--world", self.world.is_some()),
            ("--config", self.config.is_some()),
            ("--seed", self.running.seed.is_some()),
        ];
        typed.into_iter().find(|(_, typed)| *typed).map(|(flag, _)| flag)
    }
}

/// Flags of `archer eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// Folder of the model, as a run leaves it in <run>/model, or an exported file
    #[arg(long, value_name = "DIR|FILE", required_unless_present = "asker")]
    pub model: Option<PathBuf>,
    /// Measure a scripted player instead of a model: random wherever choices are listed, and those of
    /// the world
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "sample", "device", "threads"])]
    pub asker: Option<String>,
    /// Games to play; every task gets as many as any other, or as many as it weighs
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true, value_parser = at_least_one)]
    pub games: usize,
    /// The seed of all chance in the games
    #[arg(long, value_name = "S", default_value_t = 7, allow_negative_numbers = true)]
    pub seed: u64,
    /// Let the agent sample its questions as in training, instead of taking the likeliest
    #[arg(long)]
    pub sample: bool,
    /// The world: the name of one that archer ships, a command in quotes such as "python3 world.py", or
    /// the address of an OpenEnv server such as ws://127.0.0.1:8000/ws [default:
    /// the model's own, or twenty_questions]
    #[arg(long, value_name = "NAME|COMMAND|URL")]
    pub world: Option<String>,
    /// A world that archer ships, by its name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "world"])]
    pub name: Option<String>,
    /// Rules of the world: fixed, or official (the reference's, faults included) [default: the
    /// model's own]
    #[arg(long, value_name = "RULES", value_parser = Rules::from_str)]
    pub rules: Option<Rules>,
    /// Words of the world: all 157, the subset of 10, or your own [default: the model's own]
    #[arg(long, value_name = "LIST", value_parser = WordList::from_str)]
    pub words: Option<WordList>,
    #[command(flatten)]
    pub people: People,
    /// Change one key of the world, as in --set world.weights.dog=8
    #[arg(long, value_name = "world.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub compute: Compute,
    #[command(flatten)]
    pub holding: Holding,
    /// Measure this model too, on the same games, and print the difference with its 95 % interval
    #[arg(long, value_name = "DIR|FILE")]
    pub against: Option<PathBuf>,
    /// Write the games into this file, one JSON object a line, in the form that archer reads
    #[arg(long, value_name = "FILE")]
    pub save_games: Option<PathBuf>,
    /// Replace the file of --save-games if it exists
    #[arg(long, requires = "save_games")]
    pub force: bool,
    /// Print a row for every task, where a world has several, instead of the worst alone
    #[arg(long)]
    pub tasks: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show the result, but no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Flags of `archer play`.
#[derive(Debug, Args)]
pub struct Play {
    /// Folder of the model, as a run leaves it in <run>/model, or an exported file
    #[arg(long, value_name = "DIR|FILE", required_unless_present_any = ["me", "list"])]
    pub model: Option<PathBuf>,
    /// The world: the name of one that archer ships, a command in quotes such as "python3 world.py", or
    /// the address of an OpenEnv server such as ws://127.0.0.1:8000/ws [default:
    /// the model's own]
    #[arg(long, value_name = "NAME|COMMAND|URL", required_unless_present = "model")]
    pub world: Option<String>,
    /// Play the world yourself; the model's agent watches
    #[arg(long)]
    pub me: bool,
    /// Print the words of the world that can be thought of, and play nothing
    #[arg(long)]
    pub list: bool,
    /// Let the agent sample what it says, so that no two games need be alike
    #[arg(long)]
    pub sample: bool,
    /// The seed of the sampling and of the games
    #[arg(long, value_name = "S", default_value_t = 7, allow_negative_numbers = true)]
    pub seed: u64,
    /// Where to compute: auto, flex (CPU), ndarray, wgpu, cuda, cuda:1, remote:ADDRESS
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: String,
    #[command(flatten)]
    pub holding: Holding,
}

/// Flags of `archer export`.
#[derive(Debug, Args)]
pub struct Export {
    /// A run's folder, a model's, or a file that was exported before
    #[arg(long, value_name = "DIR|FILE")]
    pub model: PathBuf,
    /// File to write, or with --folder the folder
    #[arg(long, value_name = "FILE|DIR")]
    pub out: PathBuf,
    /// Write a model folder in Hugging Face layout, which other programs read, instead of a file
    #[arg(long, conflicts_with_all = ["training", "precision", "check"])]
    pub folder: bool,
    /// Of a run, take the checkpoint with the best evaluation instead of the newest
    #[arg(long)]
    pub best: bool,
    /// Put in all that `train --resume` needs to go on: optimisers, target network, replay
    #[arg(long, conflicts_with = "precision")]
    pub training: bool,
    /// Bits of a weight: f32 as they are, f16 for half the size, q8 for about a quarter; for a
    /// language model under adapters also bf16 and q4 [default: f32, for a language model q8]
    #[arg(long, value_name = "NAME", value_parser = Precision::from_str)]
    pub precision: Option<Precision>,
    /// Games that are played, greedily and on the same seeds, by the model and by the file, to
    /// measure what the precision costs; 0 for none
    #[arg(long, value_name = "GAMES", default_value_t = 0, allow_negative_numbers = true, value_parser = measured_games)]
    pub check: usize,
    /// The terms under which the file may be used, written into it [default: those that the model
    /// came with, if any]
    #[arg(long, value_name = "SPDX")]
    pub licence: Option<String>,
    /// The revision of the sources that made the model, written into the file [default: likewise]
    #[arg(long, value_name = "REVISION")]
    pub commit: Option<String>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub compute: Compute,
}

/// Flags of `archer data`.
#[derive(Debug, Args)]
pub struct Data {
    /// Games to play
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = written_games)]
    pub games: usize,
    /// File to write, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Who plays: a scripted player of the world [default: mediocre in a world of questions, else
    /// random]
    #[arg(long, value_name = "NAME")]
    pub asker: Option<String>,
    /// Let this model's agent play, sampling as in training, instead of a scripted player
    #[arg(long, value_name = "DIR|FILE", conflicts_with_all = ["asker", "preset"])]
    pub model: Option<PathBuf>,
    /// The world of a preset, and the asker that its warm start imitates: games for an offline
    /// algorithm that begins there
    #[arg(long, value_name = "NAME", conflicts_with_all = ["asker", "world", "name", "words", "rules"])]
    pub preset: Option<String>,
    #[command(flatten)]
    pub world: World,
    /// What a line holds: turns (opening, turns with rewards, end), or lines (questions with their
    /// answers, as the field's data sets have them)
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Turns)]
    pub form: Form,
    /// The seed of all chance
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// What a line of a file of games holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// The opening, the turns with their rewards, and the end.
    Turns,
    /// Questions with their answers.
    Lines,
}

/// A world, and what can be set of it.
#[derive(Debug, Args)]
pub struct World {
    /// The world: the name of one that archer ships, a command in quotes such as "python3 world.py", or
    /// the address of an OpenEnv server such as ws://127.0.0.1:8000/ws [default:
    /// twenty_questions]
    #[arg(long, value_name = "NAME|COMMAND|URL")]
    pub world: Option<String>,
    /// A world that archer ships, by its name
    #[arg(long, value_name = "NAME", conflicts_with = "world")]
    pub name: Option<String>,
    /// Words of Twenty Questions: all 157, the subset of 10, or your own (those of world.knowledge)
    #[arg(long, value_name = "LIST", value_parser = WordList::from_str)]
    pub words: Option<WordList>,
    /// Rules of a world of questions: fixed, or official (the reference's, faults included)
    #[arg(long, value_name = "RULES", value_parser = Rules::from_str)]
    pub rules: Option<Rules>,
    /// Turns after which a game is over [default: the world's own]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub max_turns: Option<usize>,
    #[command(flatten)]
    pub people: People,
    /// Change one key of the world, as in --set world.numbers=50
    #[arg(long, value_name = "world.KEY=VALUE")]
    pub set: Vec<String>,
}

/// Flags of `archer optimum`.
#[derive(Debug, Args)]
pub struct Optimum {
    #[command(flatten)]
    pub world: World,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl World {
    /// The settings that are meant.
    pub fn settings(&self) -> Result<Settings, Error> {
        let base = match (&self.world, &self.name) {
            (Some(world), _) => worlds::named(world)?,
            (_, Some(name)) => Settings::from_iter([("name".to_string(), name.clone().into())]),
            (None, None) => Settings::new(),
        };
        experiment::world(&base, &self.assignments())
    }

    /// What is set by flags of their own, and by `--set`.
    pub fn assignments(&self) -> Vec<String> {
        let mut set = self.people.assignments();
        set.extend(self.words.map(|words| format!("world.words={}", words.name())));
        set.extend(self.rules.map(|rules| format!("world.rules={}", rules.name())));
        set.extend(self.max_turns.map(|turns| format!("world.max_turns={turns}")));
        set.extend(self.set.iter().cloned());
        set
    }
}

/// Flags that make the oracle of Twenty Questions answer more as people do.
#[derive(Debug, Clone, Default, Args)]
pub struct People {
    /// Who answers in Twenty Questions: table, or people, who do not always know, are vague or wrong
    #[arg(long, value_name = "ORACLE", value_parser = OracleName::from_str)]
    pub oracle: Option<OracleName>,
    /// Let "Sometimes." be an answer
    #[arg(long)]
    pub sometimes: bool,
    /// Probability, 0 to 1, that a Yes or No to a property is false
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub answer_noise: Option<f64>,
    /// Probability, 0 to 1, that a Yes or No to a property becomes "Sometimes.", with --sometimes
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub sometimes_noise: Option<f64>,
}

impl People {
    /// What is set by these flags.
    pub fn assignments(&self) -> Vec<String> {
        let oracle = self.oracle.map(|oracle| format!("world.oracle={}", oracle.name()));
        let sometimes = self.sometimes.then(|| "world.sometimes=true".to_string());
        let flips = self.answer_noise.map(|p| format!("world.answer_noise={p}"));
        let vague = self.sometimes_noise.map(|p| format!("world.sometimes_noise={p}"));
        [oracle, sometimes, flips, vague].into_iter().flatten().collect()
    }
}

/// Flags of `archer env`.
#[derive(Debug, Args)]
pub struct Env {
    #[command(flatten)]
    pub world: World,
    /// Serve OpenEnv over WebSocket at this address instead, such as 127.0.0.1:8000
    #[arg(long, value_name = "ADDRESS")]
    pub serve: Option<std::net::SocketAddr>,
}

/// A number within bounds.
fn counted(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let good = text.parse().ok().filter(|n| (least..=most).contains(n));
    good.ok_or_else(|| format!("it must be a whole number of {least} or more, at most {most}"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    counted(text, 1, 1_000_000)
}

fn written_games(text: &str) -> Result<usize, String> {
    counted(text, 1, 10_000_000)
}

fn measured_games(text: &str) -> Result<usize, String> {
    counted(text, 0, 1_000_000)
}

fn threads(text: &str) -> Result<usize, String> {
    counted(text, 1, 1024)
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "it must be a number".to_string())
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = finite(text).ok().filter(|minutes| (0.0..=525_600.0).contains(minutes));
    minutes.ok_or_else(|| "it must be a number of 0 or more, and at most 525600".to_string())
}
