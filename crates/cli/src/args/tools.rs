//! Flags of the commands that inspect, score and document, instead of training or playing.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use archer::config::Held;
use clap::{Args, ValueEnum};

use super::{at_least_one, threads};

/// Flags of `archer inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// A model folder, an exported file, a run's folder, a checkpoint, a file of games, or a
    /// safetensors file
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Flags of `archer score`.
#[derive(Debug, Args)]
pub struct Score {
    /// Folder of the model, as a run leaves it in <run>/model, or an exported file
    #[arg(long, value_name = "DIR|FILE")]
    pub model: PathBuf,
    /// Games whose utterances are scored, in either form that archer writes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "said"])]
    pub games: Option<PathBuf>,
    /// What the agent reads before it speaks: the whole text, with its line ends written \n, and for a
    /// model that reads chats with the frame around its messages
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub text: String,
    /// An utterance after that text; several are scored beside each other
    #[arg(
        long,
        value_name = "UTTERANCE",
        allow_hyphen_values = true,
        required_unless_present = "games"
    )]
    pub said: Vec<String>,
    /// A choice that the world lists there; the probability is then that among all of them
    #[arg(
        long = "choice",
        value_name = "UTTERANCE",
        allow_hyphen_values = true,
        conflicts_with = "games"
    )]
    pub choices: Vec<String>,
    #[command(flatten)]
    pub compute: super::Compute,
    #[command(flatten)]
    pub holding: Holding,
}

/// Flags of `archer serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Folder of the model, as a run leaves it in <run>/model, or an exported file
    #[arg(long, value_name = "DIR|FILE")]
    pub model: PathBuf,
    /// The address to listen at; 0.0.0.0 lets other machines use the agent, without a password
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = host)]
    pub host: IpAddr,
    /// The port to listen at; 0 for one that is free, which is printed
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// The most games at once
    #[arg(long, value_name = "N", default_value_t = 1024, allow_negative_numbers = true, value_parser = at_least_one)]
    pub max_games: usize,
    /// Minutes after which a game that nobody asks for is dropped
    #[arg(long, value_name = "MINUTES", default_value_t = 60.0, allow_negative_numbers = true, value_parser = super::minutes)]
    pub idle_minutes: f64,
    #[command(flatten)]
    pub compute: super::Compute,
    #[command(flatten)]
    pub holding: Holding,
}

fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse().map_err(|_| "it must be an IP address, such as 127.0.0.1".to_string()),
    }
}

/// Flags of `archer reference`.
#[derive(Debug, Args)]
pub struct Reference {
    /// What to print
    #[arg(value_name = "WHAT", value_enum)]
    pub what: Document,
}

/// The documents that are made of the code itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// Every key of a configuration, as a page: docs/configuration.md
    Configuration,
    /// The same as a JSON schema for editors: docs/configuration.schema.json
    Schema,
    /// Every number in metrics.jsonl, as a page: docs/metrics.md
    Metrics,
}

/// Flags of `archer completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell to print them for
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Flags of `archer man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Folder to write the pages into, one for each command; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Replace pages that exist
    #[arg(long)]
    pub force: bool,
}

/// Flags of `archer parity`.
#[derive(Debug, Args)]
pub struct Parity {
    /// Folder of fixtures: models, texts and the reference's numbers
    #[arg(long, value_name = "DIR")]
    pub fixtures: PathBuf,
    /// Where to compute: auto, flex (CPU), ndarray, wgpu, cuda, cuda:1, remote:ADDRESS
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Flags of `archer bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// Time this case alone: gen, actor, critic, iter, iter_encoder, env, replay, decode, decode_batch or
    /// lora_step [default: all but the last three, and iter and iter_encoder only with --model]
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
    /// Size of the networks: S, M, G (GPT-2 small, minutes a case) or all [default: S and M]
    #[arg(long, value_name = "SIZE")]
    pub size: Option<String>,
    /// Threads that share the work [default: all cores of a CPU]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = threads)]
    pub threads: Option<usize>,
    /// Timed runs of each case, after one that is not timed
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true, value_parser = at_least_one)]
    pub runs: usize,
    /// Folder of a model: in GPT-2's layout for iter and iter_encoder, in Llama's for decode, decode_batch
    /// and lora_step
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub holding: Holding,
    /// Where to compute: auto, flex (CPU), ndarray, wgpu, cuda, cuda:1, remote:ADDRESS
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show the result, but no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Flags of `archer doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How a language model that is not trained is held.
#[derive(Debug, Clone, Default, Args)]
pub struct Holding {
    /// How the weights of a language model are held: stored (as in its file), f32, bf16, q8 or q4
    /// [default: as they were when it was trained]
    #[arg(long, value_name = "HOW", value_parser = held)]
    pub weights: Option<Held>,
}

fn held(text: &str) -> Result<Held, String> {
    let known = serde_json::from_value(text.into());
    known.map_err(|_| "it must be stored, f32, bf16, q8 or q4".to_string())
}
