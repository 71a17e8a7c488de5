//! The process that reads inputs, and may die of one.
//!
//! It writes lines to its parent: the number of inputs that are done, and what it found. The number of
//! the present input stands in a file, so that the parent knows which one it was.

use std::any::Any;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::corpus::Corpus;
use crate::targets::{self, Target};
use crate::{Args, MEMORY};

/// The memory that any input may take, in bytes, beside so much for each of its bytes.
const MEMORY_OF_ANY: usize = 256 << 20;
const MEMORY_OF_A_BYTE: usize = 64;

/// The computing that an input may take, and the time of the clock, in seconds.
const LONGEST: u64 = 10;
const LONGEST_WAIT: u64 = 120;

/// Inputs between two lines to the parent.
const REPORTED: u64 = 256;

/// How a worker ends that has found an input that takes too long.
pub const TOO_LONG: i32 = 3;

/// Reads inputs until the time is over.
///
/// # Errors
/// If there is no such target or corpus.
pub fn run(args: &Args) -> Result<(), String> {
    let name = args.targets.first().ok_or("a worker has a target")?;
    let target = find(name)?;
    let panicked = Arc::new(Mutex::new(String::new()));
    let place = panicked.clone();
    std::panic::set_hook(Box::new(move |info| {
        let at = info.location().map(|at| at.to_string()).unwrap_or_default();
        *place.lock().expect("no panic while it is held") =
            format!("{at}: {}", said(info.payload()));
    }));
    if let Some(file) = &args.replay {
        let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        return read(target, &bytes, &panicked).map_err(|what| format!("panic: {what}"));
    }
    let corpus = Corpus::read(target, &args.corpus, args.seed)?;
    let mut present = File::create(args.out.join(format!("{name}.present")))
        .map_err(|error| format!("{}: {error}", args.out.display()))?;
    let begun = Arc::new(AtomicU64::new(u64::MAX));
    watch(begun.clone());
    let (start, limit) = (Instant::now(), Duration::from_secs_f64(60.0 * args.minutes));
    let (mut number, mut slowest) = (args.from, Duration::ZERO);
    while number < args.inputs && start.elapsed() < limit {
        let input = corpus.input(number);
        write_number(&mut present, number);
        begun.store(computed_millis(), Ordering::Relaxed);
        let clock = Instant::now();
        let free = MEMORY_OF_ANY + MEMORY_OF_A_BYTE * input.len();
        let _ = MEMORY.set_limit(MEMORY.allocated() + free);
        let done = read(target, &input, &panicked);
        let _ = MEMORY.set_limit(usize::MAX);
        begun.store(u64::MAX, Ordering::Relaxed);
        slowest = slowest.max(clock.elapsed());
        if let Err(what) = done {
            tell(&json!({"found": number, "what": what}));
        }
        number += 1;
        if number % REPORTED == 0 {
            tell(&json!({"done": number, "slowest": slowest.as_secs_f64()}));
        }
    }
    tell(&json!({"done": number, "slowest": slowest.as_secs_f64(), "end": true}));
    Ok(())
}

/// The target of a name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<Target, String> {
    let all = targets::all();
    let found = all.iter().chain([&targets::FAULTY]).find(|target| target.name == name).copied();
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|target| target.name).collect();
        format!("there is no target {name}: choose {}", names.join(", "))
    })
}

/// Reads one input; where it panics, says where and why.
fn read(target: Target, input: &[u8], panicked: &Mutex<String>) -> Result<(), String> {
    let done = catch_unwind(AssertUnwindSafe(|| (target.read)(input)));
    done.map_err(|_| panicked.lock().map(|what| what.clone()).unwrap_or_default())
}

fn said(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// One line to the parent. Without a parent there is nobody to work for.
fn tell(line: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

fn write_number(file: &mut File, number: u64) {
    use std::io::{Seek, SeekFrom};
    let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&number.to_le_bytes()));
    written.expect("a file that was made can be written");
}

/// Ends the process where an input takes too long.
fn watch(begun: Arc<AtomicU64>) {
    thread::spawn(move || {
        let (mut last, mut since) = (u64::MAX, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(500));
            let present = begun.load(Ordering::Relaxed);
            if present != last {
                (last, since) = (present, Instant::now());
            }
            let busy = present != u64::MAX;
            let computed = computed_millis().saturating_sub(present) / 1000;
            if busy && (computed >= LONGEST || since.elapsed().as_secs() >= LONGEST_WAIT) {
                std::process::exit(TOO_LONG);
            }
        }
    });
}

/// The time that this process has computed, in milliseconds; other processes do not count.
#[cfg(unix)]
fn computed_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    1000 * time.tv_sec as u64 + time.tv_nsec as u64 / 1_000_000
}

#[cfg(not(unix))]
fn computed_millis() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}
