//! `archer doctor`: what works on this machine, and what it would take for the rest to.

use serde::Serialize;

use crate::args;
use crate::device::{self, Choice, Finding};
use crate::error::Error;
use crate::output;
use crate::version::{self, Build};

/// What the doctor found.
#[derive(Serialize)]
struct Findings {
    #[serde(flatten)]
    build: Build,
    system: String,
    /// Threads that run at the same time.
    cores: usize,
    /// Of the machine, where the system tells it.
    memory_gib: Option<f64>,
    devices: Vec<Finding>,
    /// What `--device auto` takes.
    auto: Choice,
}

/// Examines the machine and prints the findings.
pub fn run(args: &args::Doctor) -> Result<(), Error> {
    let findings = Findings {
        build: version::build(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_gib: memory_gib(),
        devices: device::survey(),
        auto: device::choice(),
    };
    if args.json {
        return output::json(&findings);
    }
    output::line(&format!("archer {} on {}", findings.build.version, findings.system))?;
    output::line(&format!("{} cores{}", findings.cores, memory_text(findings.memory_gib)))?;
    output::line("")?;
    let rows: Vec<Vec<String>> = findings.devices.iter().map(row).collect();
    output::line(&output::table(&["device", "works", "runs on"], &rows, 3))?;
    output::line("")?;
    for finding in &findings.devices {
        if let Some(reason) = &finding.reason {
            output::line(&format!("{}: {reason}", finding.device))?;
        }
        for adapter in &finding.adapters {
            output::line(&format!("{} sees {adapter}", finding.device))?;
        }
    }
    output::line("")?;
    output::line(&auto(&findings.auto))
}

/// What `auto` takes and why, in a sentence.
fn auto(choice: &Choice) -> String {
    let Some(device) = &choice.device else {
        return "auto finds no device that works".to_string();
    };
    let reasons = choice.passed_over.iter().map(|one| format!("{}: {}", one.device, one.reason));
    let reasons: Vec<String> = reasons.collect();
    match reasons.is_empty() {
        true => format!("--device auto takes {device}, which comes first"),
        false => format!("--device auto takes {device} ({})", reasons.join("; ")),
    }
}

fn row(finding: &Finding) -> Vec<String> {
    let works = match finding.works {
        Some(true) if finding.is_software() => "in software",
        Some(true) => "yes",
        Some(false) if !finding.built => "not in this build",
        Some(false) => "no",
        None => "with an address",
    };
    vec![finding.device.to_string(), works.to_string(), finding.about.to_string()]
}

fn memory_text(gib: Option<f64>) -> String {
    gib.map(|gib| format!(", {gib:.1} GiB of memory")).unwrap_or_default()
}

/// Linux says it in a file; elsewhere it would take a library for one line of output.
fn memory_gib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kib / 1024.0 / 1024.0 * 10.0).round() / 10.0)
}
