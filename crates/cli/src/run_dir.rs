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
//! ```
//!
//! Files are written beside their place and renamed into it; nothing that was there is overwritten
//! by a new run. While a run is being written, its log is locked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use archer::config::Config;

use crate::error::{Error, cannot_read, cannot_write};
use crate::files;
use crate::log::Line;
use crate::report::Row;
use crate::tensorboard::EventWriter;

/// Where the folders of runs lie that were given no other.
const RUNS: &str = "runs";
/// What is written when a run has come to its end.
pub const REPORT: &str = "report.md";
const COMPARISON: &str = "comparison.json";

/// An open run folder.
pub struct RunDir {
    root: PathBuf,
    log: File,
    events: EventWriter<File>,
}

/// Which checkpoint.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// The newest, to go on from.
    Latest,
    /// The one whose evaluation was best.
    Best,
}

impl RunDir {
    /// Makes the folder of a new run: `out`, which must be new or empty, or else
    /// `runs/<name>-<seed>-<n>` with the first `n` that is free.
    pub fn create(out: Option<&Path>, name: &str, config: &Config) -> Result<RunDir, Error> {
        let root = match out {
            Some(out) => {
                refuse_occupied(out)?;
                fs::create_dir_all(out).map_err(|e| cannot_write(out, &e))?;
                out.to_path_buf()
            }
            None => first_free(Path::new(RUNS), &format!("{name}-{}", config.seed))?,
        };
        make_folders(&root)?;
        let log = open_log(&root)?;
        let events = new_events(&root, &[])?;
        let run = RunDir { root, log, events };
        run.write_config(config)?;
        Ok(run)
    }

    /// Opens the folder of an interrupted run.
    ///
    /// `keep` decides which lines of its log still stand; the others, which came after the
    /// checkpoint that the run goes on from, are dropped, so that one run stays one curve.
    pub fn reopen(root: &Path, keep: impl Fn(&Line) -> bool) -> Result<(RunDir, Vec<Line>), Error> {
        let path = root.join("metrics.jsonl");
        // Whoever is still writing holds the lock of the log that is about to be replaced.
        drop(open_log(root)?);
        let mut text = String::new();
        let mut lines = Vec::new();
        for (raw, line) in read_log(&path)? {
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
        Ok((RunDir { root: root.to_path_buf(), log, events }, lines))
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

    /// Writes down what the run was told.
    pub fn write_config(&self, config: &Config) -> Result<(), Error> {
        self.write("config.toml", crate::experiment::to_text(config)?.as_bytes())
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
        let failed = |e: io::Error| cannot_write(&self.root.join("metrics.jsonl"), &e);
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
        files::write_folder_atomic(folder, files).map_err(|e| cannot_write(folder, &e))
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

/// The lines of a run's log.
pub fn lines(root: &Path) -> Result<Vec<Line>, Error> {
    let lines = read_log(&root.join("metrics.jsonl"))?;
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Who played how well at the end of a run, in the order of [`RunDir::write_comparison`].
pub fn comparison(root: &Path) -> Result<Vec<Row>, Error> {
    let path = root.join(COMPARISON);
    let text = fs::read_to_string(&path).map_err(|e| cannot_read(&path, &e))?;
    serde_json::from_str(&text)
        .map_err(|e| Error::Failure(format!("{} cannot be read: {e}", path.display())))
}

/// Removes a run that has nothing to go on from, and of its folder only what a run puts there.
pub fn start_over(root: &Path) -> Result<(), Error> {
    // Whoever is still writing holds the lock.
    drop(open_log(root)?);
    discard(root);
    Ok(())
}

fn discard(root: &Path) {
    // Only what was made here goes; a folder that holds anything else stays.
    for file in ["config.toml", "metrics.jsonl"] {
        let _ = fs::remove_file(root.join(file));
    }
    for folder in ["checkpoints", "plots", "tensorboard"] {
        let _ = fs::remove_dir_all(root.join(folder));
    }
    let _ = fs::remove_dir(root);
}

/// The checkpoints that a run can go on from, the newest first, by path.
pub fn checkpoints(root: &Path) -> [PathBuf; 2] {
    let latest = checkpoint_path(root, Kind::Latest);
    let old = files::beside(&latest, "old");
    [latest, old]
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
    let occupied = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(_) if out.is_file() => {
            return Err(Error::Usage(format!("{shown} is a file: choose a new folder for --out")));
        }
        Err(error) => return Err(cannot_write(out, &error)),
    };
    match occupied {
        false => Ok(()),
        true if is_run(out) => Err(Error::Usage(format!(
            "{shown} already holds a run: go on with it by --resume {shown}, or choose another --out"
        ))),
        true => Err(Error::Usage(format!(
            "{shown} is not empty: choose a new folder for --out, so that nothing is overwritten"
        ))),
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

/// Opens the log for appending and locks it, where the file system knows locks.
fn open_log(root: &Path) -> Result<File, Error> {
    let path = root.join("metrics.jsonl");
    let options = OpenOptions::new().create(true).append(true).open(&path);
    let log = options.map_err(|e| cannot_write(&path, &e))?;
    match log.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Failure(format!(
            "another archer is writing to {}; wait until it has ended",
            root.display()
        ))),
        _ => Ok(log),
    }
}

/// The lines of a log with their own text, up to the first that is not whole: a crash can leave
/// half a line at the end.
fn read_log(path: &Path) -> Result<Vec<(String, Line)>, Error> {
    let file = File::open(path).map_err(|e| cannot_read(path, &e))?;
    let mut lines = Vec::new();
    for raw in BufReader::new(file).lines() {
        let raw = raw.map_err(|e| cannot_read(path, &e))?;
        match serde_json::from_str(&raw) {
            Ok(line) => lines.push((raw, line)),
            Err(_) => break,
        }
    }
    Ok(lines)
}

/// Starts a fresh event file that holds `lines`, and removes those of before.
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
            let old = entry?.path();
            if old != pending {
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
