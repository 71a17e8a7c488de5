//! What the reference computed, and what archer computes from the same.
//!
//! A folder holds models, texts and the reference's numbers (`tests/parity/README.md` says which).
//! Every number is put beside the one that the core's own functions give, those that training calls;
//! nothing is computed here. What cannot be compared is listed as skipped, with the reason.

mod actor;
mod bench;
mod critic;
mod error;
mod fixtures;
mod forward;
mod ledger;
mod models;
mod text;
mod trace;

use bench::Bench;
use burn::tensor::Device;

pub use error::Error;
pub use fixtures::Fixtures;
pub use ledger::{Check, Ledger, Skip};

/// Compares one file's numbers.
type Page = fn(&Bench, &mut Ledger) -> Result<(), Error>;

/// The files that hold numbers, and who compares them.
const PAGES: [(&str, Page); 10] = [
    ("tokens.json", text::tokens),
    ("returns.json", text::returns),
    ("replay_buffer.json", text::replay_buffer),
    ("forward.json", forward::run),
    ("critic_step.json", critic::run),
    ("actor_step.json", actor::run),
    ("bc.json", actor::cloning),
    ("token_level.json", actor::token_level),
    ("generation.json", text::generation),
    ("update_trace.json", trace::run),
];

/// Files that those speak of, or that only say how the others came about.
const BESIDE: [&str; 12] = [
    "README.md",
    "meta.json",
    "actor",
    "critic",
    "batches.json",
    "critic.safetensors",
    "target_critic.safetensors",
    "forward.safetensors",
    "critic_step.safetensors",
    "actor_step.safetensors",
    "token_level.safetensors",
    "env",
];

/// Compares everything in the folder with what the core computes on `device`, with so many threads.
///
/// # Errors
/// If a file cannot be read or does not hold what it should, or the device fails.
pub fn compare(fixtures: Fixtures, device: &Device, threads: usize) -> Result<Ledger, Error> {
    let bench = Bench::load(fixtures, device, threads)?;
    let mut ledger = Ledger::default();
    models::run(&bench, &mut ledger)?;
    for (file, page) in PAGES {
        match bench.fixtures.has(file) {
            true => page(&bench, &mut ledger)?,
            false => ledger.skip(file, "the folder has no such file"),
        }
    }
    leave_out(&bench, &mut ledger);
    Ok(ledger)
}

/// Names what of the folder was not compared.
fn leave_out(bench: &Bench, ledger: &mut Ledger) {
    for name in bench.fixtures.names() {
        let reason = match name.as_str() {
            "env" => {
                "rules of a world, without a number: archer env --rules official plays them, and \
                 tests/native/env_server.rs compares every row"
            }
            "quirks.json" => {
                "what the reference's objects were seen to do, as sentences; docs/differences.md \
                 goes through them"
            }
            name if BESIDE.contains(&name) || PAGES.iter().any(|(page, _)| *page == name) => {
                continue;
            }
            _ => "a file that this command does not know",
        };
        ledger.skip(name, reason);
    }
}
