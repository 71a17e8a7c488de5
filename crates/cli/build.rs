//! Tells the program what it was built from: the commit, its date, and the target.
//!
//! All of it comes from the sources and never from the clock, so that the same sources build the same
//! program. A published crate says its commit in a file that cargo adds, and no date; in another source
//! archive both are left out. A builder who knows better sets `ARCHER_COMMIT` and `SOURCE_DATE_EPOCH`
//! (seconds since 1970).

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What the program is built from.
const SOURCES: [&str; 3] = ["..", "../../Cargo.toml", "../../Cargo.lock"];

fn main() {
    let own = is_our_repository();
    let told = env::var("ARCHER_COMMIT").ok().filter(|text| !text.is_empty());
    let commit = told.or_else(|| if own { commit() } else { packaged_commit() });
    let epoch = env::var("SOURCE_DATE_EPOCH").ok();
    let epoch = epoch.or_else(|| if own { git(&["log", "-1", "--format=%ct"]) } else { None });
    let date = epoch.and_then(|seconds| seconds.trim().parse().ok()).map(date);
    for (name, value) in [
        ("ARCHER_BUILD_COMMIT", commit),
        ("ARCHER_BUILD_DATE", date),
        ("ARCHER_BUILD_TARGET", env::var("TARGET").ok()),
    ] {
        println!("cargo::rustc-env={name}={}", value.unwrap_or_default());
    }
    println!("cargo::rerun-if-env-changed=ARCHER_COMMIT");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    if !own {
        // What lies beside a published crate is the whole registry.
        println!("cargo::rerun-if-changed=build.rs");
        return;
    }
    // Any change of the sources may make them differ from the commit.
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Whether git knows these sources; a source archive may lie inside a repository of somebody else.
fn is_our_repository() -> bool {
    let packaged = Path::new(".cargo_vcs_info.json").exists();
    !packaged && git(&["ls-files", "--error-unmatch", "build.rs"]).is_some()
}

/// The commit that a crate was packaged from, as cargo writes it: `"sha1": "…"`, and `"dirty": true` where
/// the sources differed.
fn packaged_commit() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let commit = text.split("\"sha1\": \"").nth(1)?.get(..12)?;
    let changed = if text.contains("\"dirty\": true") { ", with changes" } else { "" };
    Some(format!("{commit}{changed}"))
}

/// The commit, and whether the sources differ from it.
fn commit() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    match git(&[&status[..], &SOURCES].concat()) {
        Some(_) => Some(format!("{commit}, with changes")),
        None => Some(commit),
    }
}

/// What git says, if it says something.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// A day as `2025-03-09`, of seconds since 1970.
fn date(seconds: i64) -> String {
    // The civil calendar in eras of 400 years, which are all equally long, counted from 1 March.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) =
        (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
