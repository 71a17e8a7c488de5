//! `archer parity`: what the reference computed, and what this program computes from the same.
//!
//! The folder holds models, texts and the reference's numbers (`tests/parity/README.md` says which).
//! Every number is put beside the one that the core's own functions give, those that training calls;
//! nothing is computed here. What cannot be compared is listed as skipped, with the reason.

mod actor;
mod bench;
mod critic;
mod fixtures;
mod forward;
mod ledger;
mod models;
mod text;
mod trace;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::output;
use crate::progress::Screen;
use bench::Bench;
use fixtures::Fixtures;
use ledger::{Check, Ledger};

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

/// Compares everything and prints it.
pub fn run(args: &args::Parity) -> Result<(), Error> {
    let fixtures = Fixtures::open(&args.fixtures)?;
    let device = device::open(&args.device)?;
    let screen = Screen::new(args.json);
    screen.say(&format!("comparing {} on {}", args.fixtures.display(), device.name));
    let bench = Bench::load(fixtures, &device)?;
    let mut ledger = Ledger::default();
    models::run(&bench, &mut ledger)?;
    for (file, page) in PAGES {
        match bench.fixtures.has(file) {
            true => page(&bench, &mut ledger)?,
            false => ledger.skip(file, "the folder has no such file"),
        }
    }
    leave_out(&bench, &mut ledger);
    match args.json {
        true => output::json(&ledger)?,
        false => output::line(&text(&ledger))?,
    }
    match ledger.failed {
        0 => Ok(()),
        failed => Err(Error::Failure(format!(
            "{failed} of {} comparisons failed",
            failed + ledger.passed
        ))),
    }
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

/// The comparisons for a person.
fn text(ledger: &Ledger) -> String {
    let rows: Vec<Vec<String>> = ledger.checks.iter().map(row).collect();
    let heading = ["quantity", "reference", "ours", "largest difference", "allowed", ""];
    let mut text = output::table(&heading, &rows, 1);
    for skip in &ledger.skipped {
        text.push_str(&format!("\nskipped {}: {}", skip.name, skip.reason));
    }
    let (passed, failed, skipped) = (ledger.passed, ledger.failed, ledger.skipped.len());
    text.push_str(&format!("\n\n{passed} passed, {failed} failed, {skipped} skipped"));
    text
}

fn row(check: &Check) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.7}"));
    vec![
        check.name.clone(),
        number(check.reference),
        number(check.ours),
        format!("{:.1e}", check.max_abs_diff),
        format!("{:.1e}", check.tolerance),
        if check.pass { "pass" } else { "FAIL" }.to_string(),
    ]
}
