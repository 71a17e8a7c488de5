//! Starts workers, watches them, and keeps what they found.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::Args;
use crate::corpus::Corpus;
use crate::targets::{self, Target};
use crate::worker::{TOO_LONG, find};

/// Inputs that are kept for one place in the code.
const KEPT: u64 = 3;

/// Ends of workers after which a target is given up.
const MOST_ENDS: usize = 100;

/// What came of a target.
#[derive(Debug, Default)]
struct Outcome {
    inputs: u64,
    seconds: f64,
    slowest: f64,
    /// Findings by what they are, with how often.
    found: BTreeMap<String, u64>,
}

/// Runs the targets one after the other and prints what came of each; whether nothing was found.
///
/// # Errors
/// If a target or its corpus is not there, or a folder cannot be made.
pub fn run(args: &Args) -> Result<bool, String> {
    if args.list {
        targets::all().iter().for_each(|target| println!("{:18} {}", target.name, target.about));
        return Ok(true);
    }
    let targets: Vec<Target> = match args.targets.is_empty() {
        true => targets::all(),
        false => args.targets.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    };
    if args.replay.is_some() {
        let [target] = targets[..] else { return Err("--replay goes with one --target".into()) };
        let status = command(args, target)?.status().map_err(|error| error.to_string())?;
        println!("{}: {status}", target.name);
        return Ok(status.success());
    }
    let findings = args.out.join("findings");
    fs::create_dir_all(&findings).map_err(|error| format!("{}: {error}", findings.display()))?;
    println!("target                inputs   a second   slowest (s)   findings");
    let mut clean = true;
    for target in &targets {
        let corpus = Corpus::read(*target, &args.corpus, args.seed)?;
        let outcome = fuzz(args, *target, &corpus, args.minutes / targets.len() as f64)?;
        clean &= outcome.found.is_empty();
        println!(
            "{:18} {:9}   {:8.0}   {:11.3}   {:8}",
            target.name,
            outcome.inputs,
            outcome.inputs as f64 / outcome.seconds.max(1e-9),
            outcome.slowest,
            outcome.found.values().sum::<u64>()
        );
        outcome.found.iter().for_each(|(what, count)| println!("    {count} × {what}"));
    }
    if !clean {
        println!("the inputs are in {}; read one again with --replay", findings.display());
    }
    Ok(clean)
}

fn command(args: &Args, target: Target) -> Result<Command, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("--worker").args(["--target", target.name]);
    command.arg("--corpus").arg(&args.corpus).arg("--out").arg(&args.out);
    if let Some(file) = &args.replay {
        command.arg("--replay").arg(file);
    }
    command.args(["--seed", &args.seed.to_string()]);
    Ok(command)
}

/// Runs one target for so many minutes, in as many workers as it costs.
fn fuzz(args: &Args, target: Target, corpus: &Corpus, minutes: f64) -> Result<Outcome, String> {
    let start = Instant::now();
    let mut outcome = Outcome::default();
    let (mut from, mut ends) = (args.from, 0);
    let last = args.from.saturating_add(args.inputs);
    loop {
        let left = minutes - start.elapsed().as_secs_f64() / 60.0;
        if left <= 0.0 || from >= last || ends == MOST_ENDS {
            break;
        }
        let mut command = command(args, target)?;
        command.args(["--from", &from.to_string(), "--inputs", &last.to_string()]);
        command.args(["--minutes", &left.to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let worker = command.spawn().map_err(|error| format!("a worker: {error}"))?;
        let (done, status, said) = listen(worker, args, target, corpus, &mut outcome)?;
        if status.success() {
            from = done;
            break;
        }
        // It died of the input that it was reading.
        ends += 1;
        let number = present(&args.out, target).unwrap_or(done);
        keep(args, target, corpus, number, &why(status, &said), &mut outcome)?;
        from = number + 1;
    }
    outcome.inputs = from - args.from;
    outcome.seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}

/// Hears a worker to its end: how many inputs are done, how it ended, and its last words.
fn listen(
    mut worker: Child,
    args: &Args,
    target: Target,
    corpus: &Corpus,
    outcome: &mut Outcome,
) -> Result<(u64, ExitStatus, String), String> {
    let output = worker.stdout.take().expect("it is piped");
    let errors = worker.stderr.take().expect("it is piped");
    let last_words = std::thread::spawn(move || {
        let mut said = String::new();
        let _ = errors.take(1 << 16).read_to_string(&mut said);
        said
    });
    let mut done = args.from;
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { break };
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        done = line["done"].as_u64().unwrap_or(done);
        outcome.slowest = outcome.slowest.max(line["slowest"].as_f64().unwrap_or(0.0));
        if let Some(number) = line["found"].as_u64() {
            let what = format!("panic: {}", line["what"].as_str().unwrap_or_default());
            keep(args, target, corpus, number, &what, outcome)?;
        }
    }
    let status = worker.wait().map_err(|error| format!("a worker: {error}"))?;
    Ok((done, status, last_words.join().unwrap_or_default()))
}

/// Why a worker ended.
fn why(status: ExitStatus, said: &str) -> String {
    match status.code() {
        Some(TOO_LONG) => "it takes more than ten seconds".into(),
        _ if said.contains("memory allocation of") => "it takes too much memory".into(),
        _ => format!("abort: {status}: {}", said.trim().lines().last().unwrap_or_default()),
    }
}

/// The number of the input that a worker read last.
fn present(out: &Path, target: Target) -> Option<u64> {
    let bytes = fs::read(out.join(format!("{}.present", target.name))).ok()?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Saves an input with the sentence that it ended by; of one place a few suffice.
fn keep(
    args: &Args,
    target: Target,
    corpus: &Corpus,
    number: u64,
    what: &str,
    outcome: &mut Outcome,
) -> Result<(), String> {
    // The place alone, without what the input put into the sentence.
    let place: String = what.splitn(4, ':').take(3).collect::<Vec<_>>().join(":");
    let count = outcome.found.entry(place).or_default();
    *count += 1;
    if *count > KEPT {
        return Ok(());
    }
    let path = args.out.join("findings").join(format!("{}-{}-{number}", target.name, args.seed));
    let failed = |error| format!("{}: {error}", path.display());
    fs::write(&path, corpus.input(number)).map_err(failed)?;
    fs::write(path.with_extension("txt"), format!("{what}\n")).map_err(failed)
}
