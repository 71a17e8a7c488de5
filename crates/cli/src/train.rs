//! `archer train`: asks the trainer for one slice of work after the other, writes down what each
//! brought, and keeps everything safe in between.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use archer::config::{Algorithm, Config};
use archer::train::{Phase, Progress, Trainer};
use archer_world::About;
use pollster::block_on;

use crate::args;
use crate::clock::{self, Stopwatch};
use crate::comparison;
use crate::device::{self, Opened};
use crate::dry_run;
use crate::error::{Error, cannot_read};
use crate::experiment::{self, Experiment, Request};
use crate::log::{LEARN, Line};
use crate::model;
use crate::number::thousands;
use crate::output;
use crate::plots;
use crate::progress::{Screen, Speaker};
use crate::report::{self, Row, Summary};
use crate::run_dir::{self, Kind, RunDir};
use crate::worlds;

/// Trains, or goes on with training, to the end or to a Ctrl-C.
pub fn run(args: &args::Train) -> Result<(), Error> {
    if args.dry_run {
        return dry_run::run(&resolve(args)?, &args.running);
    }
    run_session(Session::open(args)?, args.running.final_games)
}

fn run_session(mut session: Session, final_games: usize) -> Result<(), Error> {
    let stop = Stop::listen(session.screen.speaker());
    let outcome = session.work(final_games, &stop).and_then(|rows| session.tell(&rows));
    session.screen.finish();
    outcome
}

/// Trains what was made of other flags than `archer train` has.
pub fn run_experiment(experiment: Experiment, args: &args::Train) -> Result<(), Error> {
    run_session(
        Session::start(experiment, args, Screen::new(args.running.quiet))?,
        args.running.final_games,
    )
}

/// The same as a part of something larger, which tells of it and listens for the wish to stop.
pub fn run_silently(args: &args::Train, stop: &Stop) -> Result<(), Error> {
    let mut session = Session::open(args)?;
    let outcome = session.work(args.running.final_games, stop);
    session.screen.finish();
    outcome.map(|_| ())
}

/// What the flags mean together.
fn resolve(args: &args::Train) -> Result<Experiment, Error> {
    let mut set = args.running.set.clone();
    set.extend(args.world_processes.map(|n| format!("world.processes={n}")));
    experiment::resolve(&Request {
        preset: args.preset.as_deref(),
        config: args.config.as_deref(),
        world: args.world.as_deref(),
        demonstrations: args.demonstrations.as_deref(),
        set: &set,
        algorithm: args.algorithm.as_deref(),
        seed: args.running.seed,
    })
}

/// A training run in progress.
struct Session {
    name: String,
    device: Opened,
    trainer: Trainer,
    run: RunDir,
    screen: Screen,
    lines: Vec<Line>,
    /// The best greedy mean return so far.
    best: f64,
}

impl Session {
    /// Opens the run that is asked for.
    fn open(args: &args::Train) -> Result<Session, Error> {
        let screen = Screen::new(args.running.quiet);
        match &args.resume {
            None => Session::begin(args, screen),
            Some(file) if file.is_file() => Session::resume_file(args, file, screen),
            Some(root) => Session::resume(args, root, screen),
        }
    }

    /// Works to the end and writes down what came of it.
    fn work(&mut self, final_games: usize, stop: &Stop) -> Result<Vec<Row>, Error> {
        self.learn(stop)?;
        self.conclude(final_games, stop)
    }

    /// Starts a new run.
    fn begin(args: &args::Train, screen: Screen) -> Result<Session, Error> {
        let experiment = resolve(args)?;
        Session::start(experiment, args, screen)
    }

    /// Starts a new run of this experiment.
    fn start(experiment: Experiment, args: &args::Train, screen: Screen) -> Result<Session, Error> {
        let device = device::open_for(&args.running.compute)?;
        let run =
            RunDir::create(args.running.out.as_deref(), &experiment.name, &experiment.config)?;
        screen.say(&format!(
            "training {} with seed {} on {}, into {}",
            experiment.name,
            experiment.config.seed,
            device.name,
            run.root().display()
        ));
        let mut trainer = begin_training(experiment.config, Some(run.root()), &device)
            .inspect_err(|_| {
                // Nothing has been learned yet, so there is nothing to keep.
                run.discard();
            })?;
        trainer.set_threads(device.threads);
        if let Some(warning) = larger_than_teacher(&trainer) {
            screen.warn(&warning);
        }
        // With the sizes that were fitted to the world.
        run.write_config(trainer.config())?;
        let (name, best) = (run.name(), f64::NEG_INFINITY);
        Ok(Session { name, device, trainer, run, screen, lines: Vec::new(), best })
    }

    /// Goes on with the run in `root`.
    fn resume(args: &args::Train, root: &Path, screen: Screen) -> Result<Session, Error> {
        if args.running.out.is_some() {
            return Err(Error::Usage(
                "--out does not go with --resume DIR: a run stays in its folder".to_string(),
            ));
        }
        if !run_dir::is_run(root) {
            return Err(Error::Usage(format!(
                "{} holds no run to go on with: there is no checkpoints/latest in it",
                root.display()
            )));
        }
        let device = device::open_for(&args.running.compute)?;
        let mut trainer = load_checkpoint(root, &device, &args.running.set, &screen)?;
        trainer.set_threads(device.threads);
        let progress = trainer.progress();
        let (run, lines) =
            RunDir::reopen(root, |line| stands(line, progress.phase, progress.done))?;
        run.write_config(trainer.config())?;
        screen.say(&format!(
            "going on with {} on {}, from {}",
            root.display(),
            device.name,
            place(progress)
        ));
        let (name, best) = (run.name(), best_return(&lines));
        Ok(Session { name, device, trainer, run, screen, lines, best })
    }

    /// Goes on, in a new folder, with the run in a file that a page or `archer export` wrote.
    fn resume_file(args: &args::Train, file: &Path, screen: Screen) -> Result<Session, Error> {
        let bytes = std::fs::read(file).map_err(|e| cannot_read(file, &e))?;
        let device = device::open_for(&args.running.compute)?;
        let change = |old: &Config| experiment::extend(old, &args.running.set);
        let mut trainer = Trainer::resume_with(&bytes, &worlds::of_file, &device.device, change)
            .map_err(|error| model::named(file, error))?;
        trainer.set_threads(device.threads);
        let progress = trainer.progress();
        if progress.phase == Phase::Finished {
            return Err(Error::Usage(format!(
                "the run in {} has done its {} iterations; let it do more with --set iterations={}",
                file.display(),
                progress.total,
                2 * progress.total.max(1)
            )));
        }
        let stem = file.file_stem().map_or("run".into(), |stem| stem.to_string_lossy());
        let run = RunDir::create(args.running.out.as_deref(), &stem, trainer.config())?;
        screen.say(&format!(
            "going on with {} on {}, from {}, into {}",
            file.display(),
            device.name,
            place(progress),
            run.root().display()
        ));
        if Trainer::is_export(&bytes)? {
            screen
                .warn("the file holds no optimisers and no replay: the networks learn on without");
        }
        let (name, best) = (run.name(), f64::NEG_INFINITY);
        Ok(Session { name, device, trainer, run, screen, lines: Vec::new(), best })
    }

    /// Works until the trainer has finished.
    fn learn(&mut self, stop: &Stop) -> Result<(), Error> {
        loop {
            let before = self.trainer.progress();
            if before.phase == Phase::Finished {
                break;
            }
            self.screen.advance(phase_title(before.phase), before.done, before.total);
            let watch = Stopwatch::start();
            let report = block_on(self.trainer.step()).map_err(|e| self.with_way_back(e.into()))?;
            let line = Line::new(&report, watch.seconds(), clock::seconds_since_1970());
            let after = self.trainer.progress();
            self.screen.report(phase_title(before.phase), line.step, before.total, &line);
            self.keep(line).map_err(|e| self.with_way_back(e))?;
            if before.phase == Phase::WarmStart && after.phase != Phase::WarmStart {
                let files = block_on(self.trainer.agent().files())?;
                self.run.write_model(&self.run.warm_start(), &files)?;
                self.save()?;
            }
            if stop.requested() {
                return Err(self.stopped());
            }
        }
        self.save()?;
        self.settle_on_best()
    }

    /// Puts the model of the best evaluation in the place of the last one, where that is asked for. The
    /// checkpoints stay as they are.
    fn settle_on_best(&self) -> Result<(), Error> {
        let best = run_dir::checkpoint_path(self.run.root(), Kind::Best);
        if !self.trainer.config().keep_best || !best.is_file() {
            return Ok(());
        }
        let bytes = std::fs::read(&best).map_err(|e| cannot_read(&best, &e))?;
        let worlds = self.trainer.worlds().clone();
        let made = |_: &Config, _: Option<&About>| Ok(worlds.clone());
        let trainer = Trainer::resume(&bytes, &made, &self.device.device)
            .map_err(|error| model::named(&best, error))?;
        let files = block_on(trainer.agent().files())?;
        self.run.write_model(&self.run.model(), &files)
    }

    /// Writes down a slice, and the checkpoints that are due after it.
    fn keep(&mut self, line: Line) -> Result<(), Error> {
        self.run.append(&line)?;
        let every = self.trainer.config().save_freq;
        let due = line.phase == LEARN && every > 0 && line.step.is_multiple_of(every);
        let reached = line.evaluation.as_ref().map(|evaluation| evaluation.mean_return);
        self.lines.push(line);
        if let Some(reached) = reached
            && reached > self.best
        {
            self.best = reached;
            let bytes = block_on(self.trainer.checkpoint())?;
            self.run.save_checkpoint(Kind::Best, &bytes)?;
        }
        if due { self.save() } else { Ok(()) }
    }

    /// Saves all that is needed to go on, to play, and to see how it goes.
    fn save(&self) -> Result<(), Error> {
        let bytes = block_on(self.trainer.checkpoint())?;
        self.run.save_checkpoint(Kind::Latest, &bytes)?;
        let files = block_on(self.trainer.agent().files())?;
        self.run.write_model(&self.run.model(), &files)?;
        for (name, svg) in self.plots() {
            self.run.write(&format!("plots/{name}"), svg.as_bytes())?;
        }
        Ok(())
    }

    fn plots(&self) -> Vec<(&'static str, String)> {
        let title = format!("{}, seed {}", self.name, self.trainer.config().seed);
        plots::draw(&title, &self.lines, self.optimum())
    }

    /// Saves, and says how to go on.
    fn stopped(&self) -> Error {
        self.screen.finish();
        if let Err(error) = self.save() {
            return error;
        }
        Error::Stopped(format!(
            "stopped at {}, everything is saved; go on with: {}",
            place(self.trainer.progress()),
            self.way_back()
        ))
    }

    /// Compares what was learned with where it began and with what is possible, and writes it down;
    /// the report comes last, so that a run which has one is at its end.
    fn conclude(&mut self, games: usize, stop: &Stop) -> Result<Vec<Row>, Error> {
        let rows = self.compare(games, stop)?;
        let optimum = self.optimum();
        let next = self.next_commands();
        let plots: Vec<&str> = self.plots().into_iter().map(|(name, _)| name).collect();
        let summary = Summary {
            name: &self.name,
            device: &self.device.name,
            config: self.trainer.config(),
            lines: &self.lines,
            rows: &rows,
            optimum,
            plots: &plots,
            next: &next,
        };
        self.run.write_comparison(&rows)?;
        self.run.write(run_dir::REPORT, report::markdown(&summary).as_bytes())?;
        Ok(rows)
    }

    /// Prints the table and what to do next.
    fn tell(&self, rows: &[Row]) -> Result<(), Error> {
        self.screen.finish();
        if !rows.is_empty() {
            output::line(&format!("\n{}\n", report::table(rows, self.optimum())))?;
            if let Some(loss) = report::loss(rows) {
                output::line(&format!("{loss}\n"))?;
            }
        }
        let root = self.run.root().display();
        output::line(&format!("The model, the curves and a report are in {root}."))?;
        for (command, purpose) in self.next_commands() {
            output::line(&format!("  {command}\n      {purpose}"))?;
        }
        Ok(())
    }

    fn compare(&mut self, games: usize, stop: &Stop) -> Result<Vec<Row>, Error> {
        if games == 0 {
            return Ok(Vec::new());
        }
        let config = self.trainer.config();
        let players = comparison::players(&self.run, config, self.trainer.teacher());
        let mut rows = Vec::new();
        for (done, player) in players.iter().enumerate() {
            if stop.requested() {
                return Err(Error::Stopped(format!(
                    "stopped before the comparison was done, everything is saved; repeat it with: {}",
                    self.way_back()
                )));
            }
            self.screen.advance("comparison", done, players.len());
            let worlds = self.trainer.worlds().as_ref();
            let evaluation = match player.measure(worlds, config, games, &self.device) {
                // Nobody plays at random where nothing is listed.
                Err(Error::Usage(_)) if player.is_scripted() => continue,
                measured => measured?,
            };
            rows.push(Row { who: player.name.to_string(), evaluation });
        }
        Ok(rows)
    }

    fn optimum(&self) -> Option<f64> {
        let evaluated = self.lines.iter().rev().filter_map(|line| line.evaluation.as_ref());
        evaluated.map(|evaluation| evaluation.optimum_return).next().flatten()
    }

    fn way_back(&self) -> String {
        format!("{} train --resume {}", program(), self.run.root().display())
    }

    /// An error on the way, with how to go on once it is mended.
    fn with_way_back(&self, error: Error) -> Error {
        match error {
            Error::Failure(text) if run_dir::is_run(self.run.root()) => Error::Failure(format!(
                "{text}; what was learned until the last checkpoint is safe, go on with: {}",
                self.way_back()
            )),
            other => other,
        }
    }

    fn next_commands(&self) -> Vec<(String, String)> {
        let (program, model) = (program(), self.run.model());
        let model = model.display();
        let mut next = Vec::new();
        let world = &self.trainer.config().world;
        let playing = match worlds::is_named(world, "twenty_questions") {
            true => "think of one of its words and let it ask you",
            false => "watch it play, or play its world yourself with --me",
        };
        let named = match experiment::reached(world) {
            Some(reached) => format!(" --world {reached}"),
            None => String::new(),
        };
        next.push((format!("{program} play --model {model}{named}"), playing.to_string()));
        next.push((
            format!(
                "{program} eval --model {model}{named} --games 1000 --seed {} --json",
                comparison::SEED
            ),
            "measure it again".to_string(),
        ));
        if world.get("words").is_some_and(|words| words == "subset") {
            next.push((
                format!("{program} train --preset twenty-questions"),
                "the whole game with 157 words; takes an hour".to_string(),
            ));
        }
        next
    }
}

/// What a phase is called on the screen.
fn phase_title(phase: Phase) -> &'static str {
    match phase {
        Phase::WarmStart => "warm start",
        Phase::Learn => "learning",
        Phase::Finished => "finished",
    }
}

/// Where a run stands, for a sentence.
fn place(progress: Progress) -> String {
    let unit = match progress.phase {
        Phase::WarmStart => "step",
        Phase::Learn | Phase::Finished => "iteration",
    };
    format!("{unit} {} of {} ({})", progress.done, progress.total, phase_title(progress.phase))
}

/// Makes the trainer of a new run, from a model folder where the configuration names one. The log of a
/// world in a process stands in the folder `root`.
pub fn begin_training(
    config: Config,
    root: Option<&Path>,
    device: &Opened,
) -> Result<Trainer, Error> {
    if !config.algorithm.is_offline() {
        return new_trainer(config, root, device);
    }
    let file = PathBuf::from(&config.iql.games);
    let mut trainer = new_trainer(config, root, device)?;
    let games = worlds::games(&file, trainer.worlds().about())?;
    block_on(trainer.set_games(&games))?;
    Ok(trainer)
}

/// What to say of a student that is no smaller than its teacher; it is allowed.
fn larger_than_teacher(trainer: &Trainer) -> Option<String> {
    let teacher = trainer.teacher()?;
    let (actor, critic, _) = trainer.sizes();
    let (own, other) = (actor + critic, teacher.parameters());
    (own > other).then(|| {
        format!(
            "the student has {} parameters, more than the {} of its teacher",
            thousands(own as f64),
            thousands(other as f64)
        )
    })
}

fn new_trainer(config: Config, root: Option<&Path>, device: &Opened) -> Result<Trainer, Error> {
    let worlds = worlds::begin(&config, root)?;
    if config.algorithm == Algorithm::Distill {
        let teacher = model::find(Path::new(&config.distill.teacher), false, &device.device)?;
        let student = match config.actor.as_str() {
            "" => None,
            folder => Some(model::load(Path::new(folder), &device.device)?),
        };
        return Ok(Trainer::student(config, worlds, teacher.agent, student, &device.device)?);
    }
    if config.actor.is_empty() {
        return Ok(block_on(Trainer::new(config, worlds, &device.device))?);
    }
    let named = config.algorithm.has_critic() && !config.critic.is_empty();
    let critic = named.then(|| Path::new(&config.critic));
    let agent =
        model::load_to_train(Path::new(&config.actor), critic, config.seed, &device.device)?;
    Ok(Trainer::from_agent(config, worlds, agent, &device.device)?)
}

/// Loads the newest checkpoint that is whole, with `set` over its configuration.
fn load_checkpoint(
    root: &Path,
    device: &Opened,
    set: &[String],
    screen: &Screen,
) -> Result<Trainer, Error> {
    let mut faults = Vec::new();
    for path in run_dir::checkpoints(root) {
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| cannot_read(&path, &e))?;
        let change = |old: &Config| experiment::extend(old, set);
        let make = |config: &Config, _: Option<&About>| worlds::of(config, Some(root));
        match Trainer::resume_with(&bytes, &make, &device.device, change) {
            Ok(trainer) => {
                for fault in &faults {
                    screen.warn(&format!("{fault}; going on from the one before it"));
                }
                if !faults.is_empty() {
                    run_dir::set_damaged_aside(root)?;
                }
                return Ok(trainer);
            }
            Err(fault) if fault.is_usage() => return Err(fault.into()),
            Err(fault) => faults.push(format!("{}: {fault}", path.display())),
        }
    }
    Err(Error::Failure(format!(
        "{}; no checkpoint is left to go on from, so start again with a new --out",
        faults.join("; ")
    )))
}

/// Whether a line of the log came no later than the checkpoint at `done` of `phase`.
fn stands(line: &Line, phase: Phase, done: usize) -> bool {
    match (line.phase == LEARN, phase) {
        (false, Phase::WarmStart) => line.step <= done,
        (true, Phase::WarmStart) => false,
        (false, _) => true,
        (true, _) => line.step <= done,
    }
}

fn best_return(lines: &[Line]) -> f64 {
    let evaluated = lines.iter().filter_map(|line| line.evaluation.as_ref());
    evaluated.map(|evaluation| evaluation.mean_return).fold(f64::NEG_INFINITY, f64::max)
}

/// How the person calls this program.
pub fn program() -> &'static str {
    // Cargo sets this for the programs that `cargo run` starts.
    match std::env::var_os("CARGO") {
        Some(_) => "cargo run --release --",
        None => "archer",
    }
}

/// The wish to stop, by Ctrl-C.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on. The first signal asks for a stop after the slice, the second ends the
    /// process at once.
    pub fn listen(speaker: Speaker) -> Stop {
        let wish = Arc::new(AtomicBool::new(false));
        let flag = wish.clone();
        let handler = move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            speaker.say("stopping after this step, to save; press Ctrl-C again to leave at once");
        };
        // Without a handler Ctrl-C simply ends the process, which is no reason not to train.
        let _ = ctrlc::set_handler(handler);
        Stop(wish)
    }

    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
