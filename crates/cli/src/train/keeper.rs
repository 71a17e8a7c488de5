//! What must not be lost of a run: its log, its checkpoints, its model, and the state after its last whole
//! step.
//!
//! The thread that learns and the one that listens for signals share a keeper behind a lock. Whoever holds
//! the lock writes; so a signal in the middle of a step saves what the step before left.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archer::train::{Phase, Progress, Trainer};
use pollster::block_on;

use super::history::History;
use super::hook::Hook;
use super::place;
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::log::{LEARN, Line};
use crate::plots;
use crate::run_dir::{self, Kind, RunDir};
use crate::shell::{program, quoted_path};

/// Scalars up to which a run's networks are held twice while it takes a step. Beyond, a signal waits for
/// the end of the step: the memory is worth more than the wait.
const HELD_TWICE: usize = 50_000_000;

/// A checkpoint by time is due no sooner than after so many times what the last one took.
const RARELY: f64 = 20.0;

/// A keeper that two threads share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Keeper>>);

impl Shared {
    /// Shares a keeper.
    pub fn new(keeper: Keeper) -> Shared {
        Shared(Arc::new(Mutex::new(keeper)))
    }

    /// The keeper, once nobody else has it.
    pub fn hold(&self) -> MutexGuard<'_, Keeper> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keeper of a run.
pub struct Keeper {
    /// What the run is called.
    pub name: String,
    /// Where everything lies.
    pub run: RunDir,
    /// What its log says so far.
    pub history: History,
    /// What the run was told otherwise before, as sentences.
    pub changes: Vec<String>,
    /// Whether something was learned since it was opened.
    pub learned: bool,
    /// The run after its last whole step; none while one that is too large to be held twice takes a step.
    whole: Option<Trainer>,
    /// Where the run stood when it was saved last.
    saved: Option<Progress>,
    since_save: Stopwatch,
    /// Seconds that the last checkpoint took.
    cost: f64,
    hook: Option<Hook>,
    /// What the run is a part of, in a sentence about its end.
    part_of: Option<String>,
    /// Whether all is learned and saved, and the players are being compared.
    comparing: bool,
    /// Whether other processes share the run. A step cannot end once the launcher has stopped them.
    pub is_shared: bool,
}

impl Keeper {
    /// The keeper of a run that stands where `trainer` does.
    pub fn new(
        run: RunDir,
        trainer: &Trainer,
        lines: Vec<Line>,
        hook: Option<Hook>,
        part_of: Option<String>,
    ) -> Keeper {
        Keeper {
            name: run.name(),
            run,
            history: History::of(lines),
            changes: Vec::new(),
            learned: false,
            whole: Some(trainer.clone()),
            saved: None,
            since_save: Stopwatch::start(),
            cost: 0.0,
            hook,
            part_of,
            comparing: false,
            is_shared: false,
        }
    }

    /// A step of `trainer` is about to be taken.
    pub fn before_step(&mut self, trainer: &Trainer) {
        let (actor, critic, _) = trainer.sizes();
        if actor + critic > HELD_TWICE {
            self.whole = None;
        }
    }

    /// Writes down what a step measured, with the checkpoints that are due after it.
    pub fn keep(&mut self, line: Line, trainer: &Trainer) -> Result<(), Error> {
        self.run.set_report_aside()?;
        self.run.append(&line)?;
        self.whole = Some(trainer.clone());
        self.learned = true;
        let due = self.is_due(&line, trainer);
        if self.history.push(line) {
            let bytes = block_on(trainer.checkpoint())?;
            self.run.save_checkpoint(Kind::Best, &bytes)?;
            self.call_hook(Kind::Best);
        }
        if due { self.save() } else { Ok(()) }
    }

    fn is_due(&self, line: &Line, trainer: &Trainer) -> bool {
        let config = trainer.config();
        let every = config.save_freq;
        let by_count = line.phase == LEARN && every > 0 && line.step.is_multiple_of(every);
        let seconds = (60.0 * config.save_minutes).max(RARELY * self.cost);
        by_count || config.save_minutes > 0.0 && self.since_save.seconds() >= seconds
    }

    /// Saves all that is needed to go on, to play, and to see how it goes, unless that is done.
    pub fn save(&mut self) -> Result<(), Error> {
        let Some(trainer) = &self.whole else { return Ok(()) };
        let now = trainer.progress();
        if self.saved == Some(now) {
            return Ok(());
        }
        let watch = Stopwatch::start();
        let bytes = block_on(trainer.checkpoint())?;
        self.run.save_checkpoint(Kind::Latest, &bytes)?;
        let evaluated = self.history.last().and_then(|line| line.evaluation.as_ref());
        let files = block_on(trainer.model_files(evaluated))?;
        self.run.write_model(&self.run.model(), &files)?;
        for (name, svg) in self.plots(trainer) {
            self.run.write(&format!("plots/{name}"), svg.as_bytes())?;
        }
        (self.saved, self.cost) = (Some(now), watch.seconds());
        self.call_hook(Kind::Latest);
        self.since_save = Stopwatch::start();
        Ok(())
    }

    /// Writes the model with which learning begins, where that is missing.
    pub fn write_warm_start(&self) -> Result<(), Error> {
        let Some(trainer) = &self.whole else { return Ok(()) };
        let begins = trainer.progress().phase != Phase::WarmStart && trainer.experience().0 == 0;
        if trainer.config().warm_start.steps == 0 || !begins || self.run.warm_start().is_dir() {
            return Ok(());
        }
        let files = block_on(trainer.model_files(None))?;
        self.run.write_model(&self.run.warm_start(), &files)
    }

    /// The curves of the run.
    pub fn plots(&self, trainer: &Trainer) -> Vec<(&'static str, String)> {
        let title = format!("{}, seed {}", self.name, trainer.config().seed);
        plots::draw(&title, &self.history.lines(), self.history.optimum())
    }

    /// What is typed to go on.
    pub fn way_back(&self) -> String {
        format!("{} train --resume {}", program(), quoted_path(self.run.root()))
    }

    /// Says that everything is learned and saved.
    pub fn compares(&mut self) {
        self.comparing = true;
    }

    /// Saves, and says where the run stopped and how to go on; `None` where a step must end first.
    pub fn stopped(&mut self) -> Option<Error> {
        if self.comparing {
            return Some(Error::Stopped(match &self.part_of {
                Some(part) => stopped_part(part),
                None => format!(
                    "stopped before the comparison was done, everything is saved; repeat it with: {}",
                    self.way_back()
                ),
            }));
        }
        if self.whole.is_none() && self.is_shared {
            return Some(Error::Stopped(format!(
                "stopped in a step, and the run is too large to be held twice; go on from its last checkpoint with: {}",
                self.way_back()
            )));
        }
        let stands = self.whole.as_ref()?.progress();
        if let Err(error) = self.save() {
            return Some(error);
        }
        Some(Error::Stopped(match &self.part_of {
            Some(part) => stopped_part(part),
            None => format!(
                "stopped at {}, everything is saved; go on with: {}",
                place(stands),
                self.way_back()
            ),
        }))
    }

    fn call_hook(&mut self, kind: Kind) {
        let path: PathBuf = run_dir::checkpoint_path(self.run.root(), kind);
        if let Some(hook) = &mut self.hook {
            hook.call(self.run.root(), &path);
        }
    }
}

fn stopped_part(part: &str) -> String {
    format!("stopped in the run {part}, everything is saved; the same command goes on with it")
}
