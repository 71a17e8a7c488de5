//! A run's folder: where everything that a training run leaves behind lies.
//!
//! ```text
//! config.toml             the whole resolved configuration
//! metrics.jsonl           one line per slice of work
//! tensorboard/            the same numbers as event files
//! checkpoints/latest      everything needed to go on, bit for bit
//! checkpoints/latest.old  the one before, for the day when `latest` is damaged
//! checkpoints/best        the one with the best greedy evaluation
//! warm_start/, model/     the models before and after learning, in Hugging Face layout
//! comparison.json         who played how well at the end
//! world.log               what a world in a process wrote to its standard error
//! plots/*.svg, report.md  what came of it
//! lock                    locked while a run is being written, and never replaced
//! ```
//!
//! Files are written beside their place and renamed into it; nothing that was there is overwritten
//! by a new run, and nothing that somebody else put there is removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use archer::config::Config;

use crate::error::{Error, cannot_write};
use crate::files;
use crate::input;
use crate::log::Line;
use crate::model;
use crate::progress::Screen;
use crate::report::Row;
use crate::shell::quoted_path;
use crate::tensorboard::EventWriter;

/// Where the folders of runs lie that were given no other.
const RUNS: &str = "runs";
/// What is written when a run has come to its end.
pub const REPORT: &str = "report.md";
const COMPARISON: &str = "comparison.json";
/// How a line of `config.toml` begins that tells what the run was told before.
const CHANGE: &str = "# changed: ";
const CONFIG: &str = "config.toml";
const LOG: &str = "metrics.jsonl";
const LOCK: &str = "lock";
/// What a world in a process wrote to its standard error.
const WORLD_LOG: &str = "world.log";

/// An open run folder.
pub struct RunDir {
    root: PathBuf,
    log: File,
    events: EventWriter<File>,
    _lock: Lock,
}

/// The right to write into a run's folder, until it is dropped.
pub struct Lock {
    // A system without locks gives the right to everybody.
    _file: File,
}

/// What is in the place of a run's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing, or an empty folder.
    Free,
    /// What a run leaves that ended before anything was saved: it can begin again there.
    Beginning,
    /// A run that can be gone on with.
    Run,
    /// Something else, which nothing may be written over.
    Taken,
}

/// Which checkpoint.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// The newest, to go on from.
    Latest,
    /// The one whose evaluation was best.
    Best,
}

/// A run's folder that was opened again.
pub struct Reopened {
    /// The folder.
    pub run: RunDir,
    /// The lines of its log that stand.
    pub lines: Vec<Line>,
    /// What was wrong with the log, a sentence each.
    pub faults: Vec<String>,
}

impl RunDir {
    /// Makes the folder of a new run: `out`, which must be new, empty or a beginning of which nothing
    /// was saved, or else `runs/<name>-<seed>-<n>` with the first `n` that is free.
    pub fn create(out: Option<&Path>, name: &str, config: &Config) -> Result<RunDir, Error> {
        let root = match out {
            Some(out) => {
                refuse_occupied(out)?;
                fs::create_dir_all(out).map_err(|e| cannot_write(out, &e))?;
                out.to_path_buf()
            }
            None => first_free(Path::new(RUNS), &format!("{name}-{}", config.seed))?,
        };
        let lock = lock(&root)?;
        // Another run may have begun between the look and the lock.
        refuse_occupied(&root)?;
        remove_beginning(&root);
        make_folders(&root)?;
        let log = open_log(&root)?;
        let events = new_events(&root, &[])?;
        let run = RunDir { root, log, events, _lock: lock };
        run.write_config(config, &[])?;
        Ok(run)
    }

    /// Opens the folder of an interrupted run, which `lock` locks.
    ///
    /// `keep` decides which lines of its log still stand; the others, which came after the
    /// checkpoint that the run goes on from, are dropped, so that one run stays one curve. What is no
    /// line of a log is dropped too, with a sentence for each, and the log is kept beside as it was.
    pub fn reopen(
        root: &Path,
        lock: Lock,
        keep: impl Fn(&Line) -> bool,
    ) -> Result<Reopened, Error> {
        remove_unfinished(root);
        let path = root.join(LOG);
        let Read { lines: all, mut faults } = read_log(&path)?;
        if !faults.is_empty() {
            let aside = files::beside(&path, "damaged");
            fs::copy(&path, &aside).map_err(|e| cannot_write(&aside, &e))?;
            faults.push(format!("{} keeps the log as it was", aside.display()));
        }
        let mut text = String::new();
        let mut lines = Vec::new();
        for (raw, line) in all {
            if keep(&line) {
                // The text as it was, since a number read and written again may differ in its
                // last digit.
                text.push_str(&raw);
                text.push('\n');
                lines.push(line);
            }
        }
        files::write_atomic(&path, text.as_bytes()).map_err(|e| cannot_write(&path, &e))?;
        make_folders(root)?;
        let log = open_log(root)?;
        let events = new_events(root, &lines)?;
        let run = RunDir { root: root.to_path_buf(), log, events, _lock: lock };
        Ok(Reopened { run, lines, faults })
    }

    /// Removes what [`create`](Self::create) made, for a run that could not begin.
    pub fn discard(&self) {
        discard(&self.root);
        if self.root.parent() == Some(Path::new(RUNS)) {
            let _ = fs::remove_dir(RUNS);
        }
    }

    /// What it is called: the name of its folder.
    pub fn name(&self) -> String {
        let root = fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        root.file_name().map_or("run".to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the model after learning.
    pub fn model(&self) -> PathBuf {
        self.root.join("model")
    }

    /// The folder of the model before learning.
    pub fn warm_start(&self) -> PathBuf {
        self.root.join("warm_start")
    }

    /// Writes down what the run was told; `changes` are sentences on what it was told before.
    pub fn write_config(&self, config: &Config, changes: &[String]) -> Result<(), Error> {
        let mut text: String = changes.iter().map(|change| format!("{CHANGE}{change}\n")).collect();
        text.push_str(&crate::experiment::to_text(config)?);
        self.write(CONFIG, text.as_bytes())
    }

    /// What the run was told otherwise before, as [`write_config`](Self::write_config) has written it.
    pub fn changes(&self) -> Result<Vec<String>, Error> {
        let path = self.root.join(CONFIG);
        let text = match path.exists() {
            true => input::text(&path, input::CONFIG)?,
            false => String::new(),
        };
        let changes = text.lines().filter_map(|line| line.strip_prefix(CHANGE));
        Ok(changes.map(str::to_string).collect())
    }

    /// Writes down who played how well at the end.
    pub fn write_comparison(&self, rows: &[Row]) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(rows)
            .map_err(|e| Error::Failure(format!("the comparison cannot be written: {e}")))?;
        self.write(COMPARISON, (text + "\n").as_bytes())
    }

    /// Appends one line to the log and its numbers to the TensorBoard file.
    pub fn append(&mut self, line: &Line) -> Result<(), Error> {
        let mut text = serde_json::to_string(line)
            .map_err(|e| Error::Failure(format!("a line of metrics cannot be written: {e}")))?;
        text.push('\n');
        let failed = |e: io::Error| cannot_write(&self.root.join(LOG), &e);
        self.log.write_all(text.as_bytes()).map_err(failed)?;
        let failed = |e: io::Error| cannot_write(&self.root.join("tensorboard"), &e);
        put_scalars(&mut self.events, line).map_err(failed)
    }

    /// Writes a checkpoint; the `latest` that was there stays as `latest.old`.
    pub fn save_checkpoint(&self, kind: Kind, bytes: &[u8]) -> Result<(), Error> {
        let path = checkpoint_path(&self.root, kind);
        let saved = match kind {
            Kind::Best => files::write_atomic(&path, bytes),
            Kind::Latest => files::write_atomic_keeping_old(&path, bytes),
        };
        saved.map_err(|e| cannot_write(&path, &e))
    }

    /// Writes a model folder whole.
    pub fn write_model(&self, folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        files::write_folder_atomic(folder, files, model::is_model_file)
            .map_err(|e| cannot_write(folder, &e))
    }

    /// Takes the report of an end away that is none any more, since the run goes on.
    pub fn set_report_aside(&self) -> Result<(), Error> {
        let report = self.root.join(REPORT);
        match fs::rename(&report, files::beside(&report, "old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot_write(&report, &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes one file, by its path relative to the run's folder.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.root.join(name);
        files::write_atomic(&path, bytes).map_err(|e| cannot_write(&path, &e))
    }
}

/// Makes the folders of a run that are not there: a person may have deleted some.
fn make_folders(root: &Path) -> Result<(), Error> {
    for folder in ["checkpoints", "plots", "tensorboard"] {
        let path = root.join(folder);
        fs::create_dir_all(&path).map_err(|e| cannot_write(&path, &e))?;
    }
    Ok(())
}

/// Whether a run has come to its end.
pub fn is_finished(root: &Path) -> bool {
    root.join(REPORT).is_file()
}

/// The lines of a run's log. What is no line of one is left out, with a warning.
pub fn lines(root: &Path) -> Result<Vec<Line>, Error> {
    let Read { lines, faults } = read_log(&root.join(LOG))?;
    let screen = Screen::new(false);
    faults.iter().for_each(|fault| screen.warn(fault));
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Who played how well at the end of a run, in the order of [`RunDir::write_comparison`].
pub fn comparison(root: &Path) -> Result<Vec<Row>, Error> {
    input::json(&root.join(COMPARISON), input::RECORD)
}

/// What is in the place of a run's folder.
pub fn place(root: &Path) -> io::Result<Place> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => return Err(error),
    };
    if is_run(root) {
        return Ok(Place::Run);
    }
    let (mut empty, mut begun) = (true, false);
    for entry in entries {
        let entry = entry?;
        empty = false;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        begun |= kind.is_file() && [LOCK, LOG].contains(&name.as_str());
        let left = match name.as_str() {
            LOCK | LOG | CONFIG | WORLD_LOG => kind.is_file(),
            "checkpoints" | "plots" => kind.is_dir() && holds_only(&entry.path(), is_unfinished)?,
            "tensorboard" => kind.is_dir() && holds_only(&entry.path(), is_events)?,
            other => kind.is_file() && is_unfinished(other),
        };
        if !left {
            return Ok(Place::Taken);
        }
    }
    Ok(match (empty, begun) {
        (true, _) => Place::Free,
        (false, true) => Place::Beginning,
        (false, false) => Place::Taken,
    })
}

fn holds_only(folder: &Path, known: impl Fn(&str) -> bool) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !(entry.file_type()?.is_file() && known(&entry.file_name().to_string_lossy())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file was not finished, by its name.
fn is_unfinished(name: &str) -> bool {
    let of = name.strip_suffix(".tmp");
    let ours = [LOG, CONFIG, COMPARISON, REPORT, "latest", "best"];
    of.is_some_and(|of| ours.contains(&of) || of.ends_with(".svg"))
}

/// Removes what a kill left of files that were being written. The run writes them anew, but perhaps not
/// before it is stopped again.
fn remove_unfinished(root: &Path) {
    for folder in [root.to_path_buf(), root.join("checkpoints"), root.join("plots")] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && is_unfinished(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    for folder in ["model", "warm_start"] {
        let _ = fs::remove_dir_all(files::beside(&root.join(folder), "tmp"));
    }
}

/// Whether a TensorBoard file is one of ours, by its name.
fn is_events(name: &str) -> bool {
    let name = name.strip_suffix(".tmp").unwrap_or(name);
    name.starts_with("events.out.tfevents.") && name.ends_with(".archer")
}

/// Takes the right to write into a run's folder.
///
/// # Errors
/// If somebody else has it, or nothing may be written there.
pub fn lock(root: &Path) -> Result<Lock, Error> {
    let path = root.join(LOCK);
    let options = OpenOptions::new().create(true).append(true).open(&path);
    let file = options.map_err(|e| cannot_write(&path, &e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Failure(format!(
            "another archer is writing to {}; wait until it has ended",
            root.display()
        ))),
        _ => Ok(Lock { _file: file }),
    }
}

/// Removes what a run left that ended before anything was saved; all of it is known to be ours.
fn remove_beginning(root: &Path) {
    for file in [CONFIG, LOG, WORLD_LOG] {
        let _ = fs::remove_file(root.join(file));
    }
    for folder in ["checkpoints", "plots", "tensorboard"] {
        let _ = fs::remove_dir_all(root.join(folder));
    }
}

/// Removes a beginning with its folder, unless the world had something to say in its log.
pub fn discard(root: &Path) {
    let said = fs::metadata(root.join(WORLD_LOG)).is_ok_and(|log| log.len() > 0);
    if said || !matches!(place(root), Ok(Place::Beginning)) {
        return;
    }
    remove_beginning(root);
    let lock = root.join(LOCK);
    let _ = fs::remove_file(&lock);
    if fs::remove_dir(root).is_err() && root.is_dir() {
        // The thread that begins the run wrote into it meanwhile: with the lock it is known as ours.
        let _ = OpenOptions::new().create(true).append(true).open(lock);
    }
}

/// The checkpoints that a run can go on from, in the order in which they are tried: the newest, the one
/// before it, and the best.
pub fn checkpoints(root: &Path) -> [PathBuf; 3] {
    let latest = checkpoint_path(root, Kind::Latest);
    let old = files::beside(&latest, "old");
    [latest, old, checkpoint_path(root, Kind::Best)]
}

/// Takes a damaged `latest` out of the way, so that the next one does not push it into the place
/// of the last good one.
pub fn set_damaged_aside(root: &Path) -> Result<(), Error> {
    let latest = checkpoint_path(root, Kind::Latest);
    let aside = files::beside(&latest, "damaged");
    fs::rename(&latest, &aside).map_err(|e| cannot_write(&aside, &e))
}

/// Whether a folder holds a run that can be gone on with.
pub fn is_run(root: &Path) -> bool {
    checkpoints(root).iter().any(|path| path.is_file())
}

/// Where a run's checkpoint lies.
pub fn checkpoint_path(root: &Path, kind: Kind) -> PathBuf {
    root.join("checkpoints").join(match kind {
        Kind::Latest => "latest",
        Kind::Best => "best",
    })
}

/// Refuses a folder in which something could be overwritten.
pub fn refuse_occupied(out: &Path) -> Result<(), Error> {
    let shown = out.display();
    match place(out) {
        Ok(Place::Free | Place::Beginning) => Ok(()),
        Ok(Place::Run) => Err(Error::Usage(format!(
            "{shown} already holds a run: go on with it by --resume {}, or choose another --out",
            quoted_path(out)
        ))),
        Ok(Place::Taken) => Err(Error::Usage(format!(
            "{shown} is not empty: choose a new folder for --out, so that nothing is overwritten"
        ))),
        Err(_) if out.is_file() => {
            Err(Error::Usage(format!("{shown} is a file: choose a new folder for --out")))
        }
        Err(error) => Err(cannot_write(out, &error)),
    }
}

fn first_free(parent: &Path, stem: &str) -> Result<PathBuf, Error> {
    fs::create_dir_all(parent).map_err(|e| cannot_write(parent, &e))?;
    let mut n = 1;
    loop {
        let path = parent.join(format!("{stem}-{n}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
            Err(error) => return Err(cannot_write(&path, &error)),
        }
    }
}

/// Opens the log for appending.
fn open_log(root: &Path) -> Result<File, Error> {
    let path = root.join(LOG);
    let options = OpenOptions::new().create(true).append(true).open(&path);
    options.map_err(|e| cannot_write(&path, &e))
}

/// What a log holds.
struct Read {
    /// Its lines with their own text.
    lines: Vec<(String, Line)>,
    /// A sentence for each line that is none. A crash can leave half a line at the end, which is no
    /// fault of the file.
    faults: Vec<String>,
}

fn read_log(path: &Path) -> Result<Read, Error> {
    let bytes = input::bytes(path, input::RECORD)?;
    let mut read = Read { lines: Vec::new(), faults: Vec::new() };
    let mut rest = &bytes[..];
    let mut number = 0;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (raw, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        number += 1;
        match archer_input::json_line(raw) {
            // What was read as JSON is UTF-8.
            Ok(line) => read.lines.push((String::from_utf8_lossy(raw).into_owned(), line)),
            Err(_) if end.is_none() => {}
            Err(error) => read.faults.push(format!(
                "{}, line {number}, is no line of a log and is left out: it {error}",
                path.display()
            )),
        }
    }
    Ok(read)
}

/// Starts a fresh event file that holds `lines`, and removes those of ours from before.
fn new_events(root: &Path, lines: &[Line]) -> Result<EventWriter<File>, Error> {
    let folder = root.join("tensorboard");
    let make = || -> io::Result<EventWriter<File>> {
        fs::create_dir_all(&folder)?;
        let now = crate::clock::seconds_since_1970();
        let path = folder.join(format!("events.out.tfevents.{}.archer", now as u64));
        let pending = files::beside(&path, "tmp");
        let mut events = EventWriter::new(File::create(&pending)?, now)?;
        for line in lines {
            put_scalars(&mut events, line)?;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (old, ours) = (entry.path(), is_events(&entry.file_name().to_string_lossy()));
            if ours && old != pending && entry.file_type()?.is_file() {
                fs::remove_file(&old)?;
            }
        }
        fs::rename(&pending, &path)?;
        Ok(events)
    };
    make().map_err(|e| cannot_write(&folder, &e))
}

fn put_scalars(events: &mut EventWriter<File>, line: &Line) -> io::Result<()> {
    let scalars = line.scalars();
    let scalars = scalars.iter().map(|(tag, value)| (tag.as_str(), *value));
    events.scalars(line.step as u64, line.timing.at, scalars)?;
    match line.evaluation_scalars() {
        Some((iteration, scalars)) => events.scalars(iteration, line.timing.at, scalars),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
