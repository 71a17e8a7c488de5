//! `archer parity`: the reference's numbers beside ours, on a folder of fixtures.

use archer_parity::{Check, Fixtures, Report};
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::output;
use crate::progress::Screen;

/// Compares everything and prints it.
pub fn run(args: &args::Parity) -> Result<(), Error> {
    let fixtures = Fixtures::open(&args.fixtures)?;
    let device = device::open(&args.device)?;
    let screen = Screen::new(args.json);
    screen.say(&format!("comparing {} on {}", args.fixtures.display(), device.name));
    let report = block_on(archer_parity::compare(fixtures, &device.device, device.threads))?;
    match args.json {
        true => output::json(&report)?,
        false => output::line(&text(&report))?,
    }
    match report.failed {
        0 => Ok(()),
        failed => Err(Error::Failure(format!(
            "{failed} of {} comparisons failed",
            failed + report.passed
        ))),
    }
}

/// The comparisons for a person.
fn text(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report.checks.iter().map(row).collect();
    let heading = ["quantity", "reference", "ours", "largest difference", "allowed", ""];
    let mut text = output::table(&heading, &rows, 1);
    for skip in &report.skipped {
        text.push_str(&format!("\nskipped {}: {}", skip.name, skip.reason));
    }
    let (passed, failed, skipped) = (report.passed, report.failed, report.skipped.len());
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
