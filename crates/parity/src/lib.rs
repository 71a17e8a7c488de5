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
mod language_models;
mod ledger;
mod models;
mod report;
mod text;
mod trace;

use std::pin::Pin;

use bench::Bench;
use burn::tensor::Device;
use ledger::Ledger;

pub use error::Error;
pub use fixtures::Fixtures;
pub use report::{Check, Report, Skip};

/// Compares one file's numbers.
type Page = for<'a> fn(&'a Bench, &'a mut Ledger) -> Comparison<'a>;

/// A comparison under way.
type Comparison<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// The files that hold numbers, and who compares them.
const PAGES: [(&str, Page); 10] = [
    ("tokens.json", |bench, ledger| Box::pin(text::tokens(bench, ledger))),
    ("returns.json", |bench, ledger| Box::pin(async { text::returns(bench, ledger) })),
    ("replay_buffer.json", |bench, ledger| Box::pin(async { text::replay_buffer(bench, ledger) })),
    ("forward.json", |bench, ledger| Box::pin(forward::run(bench, ledger))),
    ("critic_step.json", |bench, ledger| Box::pin(critic::run(bench, ledger))),
    ("actor_step.json", |bench, ledger| Box::pin(actor::run(bench, ledger))),
    ("bc.json", |bench, ledger| Box::pin(actor::cloning(bench, ledger))),
    ("token_level.json", |bench, ledger| Box::pin(actor::token_level(bench, ledger))),
    ("generation.json", |bench, ledger| Box::pin(text::generation(bench, ledger))),
    ("update_trace.json", |bench, ledger| Box::pin(trace::run(bench, ledger))),
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

/// Compares every number in a folder with what the core computes on `device`.
///
/// `threads` is how many threads of this process may share the work.
///
/// # Errors
/// If a file cannot be read or does not hold what it should, or the device fails. A number that
/// differs is no error.
pub async fn compare(fixtures: Fixtures, device: &Device, threads: usize) -> Result<Report, Error> {
    let mut ledger = Ledger::default();
    if !fixtures.has("batches.json") {
        language_models::run(&fixtures, device, &mut ledger).await?;
        return Ok(ledger.report);
    }
    let bench = Bench::load(fixtures, device, threads)?;
    models::run(&bench, &mut ledger).await?;
    for (file, page) in PAGES {
        match bench.fixtures.has(file) {
            true => page(&bench, &mut ledger).await?,
            false => ledger.skip(file, "the folder has no such file"),
        }
    }
    leave_out(&bench, &mut ledger);
    Ok(ledger.report)
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
