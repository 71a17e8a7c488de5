//! How a run begins or goes on: what is asked for, the folder, the trainer.

use std::path::{Path, PathBuf};

use archer::config::{Algorithm, Config};
use archer::train::{LoadBase, MakeWorlds, Phase, Trainer};
use archer_world::About;
use pollster::block_on;

use super::hook::Hook;
use super::keeper::{Keeper, Shared};
use super::limits::Limits;
use super::{Session, place};
use crate::args;
use crate::device::{self, Opened};
use crate::error::{Error, cannot_read};
use crate::experiment::{self, Experiment, Request};
use crate::log::{LEARN, Line};
use crate::model;
use crate::number::thousands;
use crate::progress::Screen;
use crate::run_dir::{self, Place, Reopened, RunDir};
use crate::shell::quoted_path;
use crate::signals::Stop;
use crate::worlds;

/// What `--resume` takes for "begin, go on, or do nothing, as the folder of `--out` is".
const AUTO: &str = "auto";

/// What a command that trains comes to.
pub enum Asked {
    /// A new run.
    Begin,
    /// The run in this folder, or in this file, goes on.
    Resume(PathBuf),
    /// The run in this folder has come to its end.
    Nothing(PathBuf),
}

/// What is asked for. Nothing is changed yet.
pub fn asked(args: &args::Train) -> Result<Asked, Error> {
    let running = &args.running;
    match (&args.resume, &running.out) {
        (None, _) => Ok(Asked::Begin),
        (Some(auto), None) if auto.as_os_str() == AUTO => Err(Error::Usage(
            "--resume auto takes --out DIR, the folder in which the run begins or goes on".into(),
        )),
        (Some(auto), Some(out)) if auto.as_os_str() == AUTO => match run_dir::place(out) {
            Ok(Place::Run) if run_dir::is_finished(out) && !extends(out, &running.set)? => {
                Ok(Asked::Nothing(out.clone()))
            }
            Ok(Place::Run) => Ok(Asked::Resume(out.clone())),
            // Whatever else is there, beginning looks at it again.
            _ => Ok(Asked::Begin),
        },
        (Some(root), _) => match args.of_a_new_run() {
            None => Ok(Asked::Resume(root.clone())),
            Some(flag) => Err(does_not_go_with_resume(flag, root)),
        },
    }
}

/// The error of a flag that only a new run can have.
pub fn does_not_go_with_resume(flag: &str, root: &Path) -> Error {
    Error::Usage(format!(
        "{flag} does not go with --resume {}: a run that goes on is what it was; change single keys with --set",
        quoted_path(root)
    ))
}

/// Whether a finished run has more to do under these assignments.
fn extends(root: &Path, set: &[String]) -> Result<bool, Error> {
    let old = config_of(root)?;
    Ok(experiment::extend(&old, set)?.iterations > old.iterations)
}

/// What a run was told, by its folder.
fn config_of(root: &Path) -> Result<Config, Error> {
    let path = root.join("config.toml");
    let told = experiment::resolve(&Request { config: Some(&path), ..Request::default() })?;
    Ok(told.config)
}

/// The experiment that the flags of a new run make.
pub fn new_experiment(args: &args::Train) -> Result<Experiment, Error> {
    let mut set = args.running.set.clone();
    set.extend(args.world_processes.map(|n| format!("world.processes={n}")));
    set.extend(args.async_play.map(|lag| format!("play_lag={lag}")));
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

impl Session {
    /// Opens the run that is asked for.
    pub(super) fn open(
        args: &args::Train,
        asked: Asked,
        screen: Screen,
        stop: &Stop,
        part_of: Option<String>,
    ) -> Result<Session, Error> {
        match asked {
            Asked::Resume(file) if file.is_file() => {
                Session::resume_file(args, &file, screen, stop)
            }
            Asked::Resume(root) => Session::resume(args, &root, screen, stop, part_of),
            Asked::Begin | Asked::Nothing(_) => Session::begin(args, screen, stop, part_of),
        }
    }

    /// A session whose run stands where its trainer does. From here on a signal saves.
    fn new(
        args: &args::Train,
        (device, screen): (Opened, Screen),
        trainer: Trainer,
        (run, lines): (RunDir, Vec<Line>),
        stop: &Stop,
        part_of: Option<String>,
    ) -> Session {
        let limits = Limits::of(&args.running);
        let command = args.running.on_checkpoint.as_deref();
        let hook = command.map(|command| Hook::new(command, screen.speaker()));
        let keeper = Shared::new(Keeper::new(run, &trainer, lines, hook, part_of));
        let saving = keeper.clone();
        stop.leave_by(move || saving.hold().stopped());
        Session { device, trainer, keeper, screen, limits, lead: None }
    }

    /// Starts a new run.
    fn begin(
        args: &args::Train,
        screen: Screen,
        stop: &Stop,
        part_of: Option<String>,
    ) -> Result<Session, Error> {
        Session::start(new_experiment(args)?, args, screen, stop, part_of)
    }

    /// Starts a new run of this experiment.
    pub(super) fn start(
        experiment: Experiment,
        args: &args::Train,
        screen: Screen,
        stop: &Stop,
        part_of: Option<String>,
    ) -> Result<Session, Error> {
        let device = device::open_for(&args.running.compute)?;
        let run =
            RunDir::create(args.running.out.as_deref(), &experiment.name, &experiment.config)?;
        let root = run.root().to_path_buf();
        stop.leave_by(move || {
            run_dir::discard(&root);
            Some(Error::Stopped("stopped before anything was learned: nothing is saved".into()))
        });
        let mut trainer = begin_training(experiment.config, Some(run.root()), &device)
            .inspect_err(|_| {
                // Nothing has been learned yet, so there is nothing to keep.
                run.discard();
            })?;
        trainer.set_threads(device.threads);
        screen.say(&format!(
            "training {} with seed {} on {}, into {}",
            experiment.name,
            trainer.config().seed,
            device.name,
            run.root().display()
        ));
        if let Some(warning) = larger_than_teacher(&trainer) {
            screen.warn(&warning);
        }
        // With the sizes that were fitted to the world.
        run.write_config(trainer.config(), &[])?;
        Ok(Session::new(args, (device, screen), trainer, (run, Vec::new()), stop, part_of))
    }

    /// Goes on with the run in `root`.
    fn resume(
        args: &args::Train,
        root: &Path,
        screen: Screen,
        stop: &Stop,
        part_of: Option<String>,
    ) -> Result<Session, Error> {
        let auto = args.resume.as_deref() == Some(Path::new(AUTO));
        if args.running.out.is_some() && !auto {
            return Err(Error::Usage(
                "--out does not go with --resume DIR: a run stays in its folder".to_string(),
            ));
        }
        if !run_dir::is_run(root) {
            return Err(nothing_to_resume(root));
        }
        if auto {
            check_is_the_same(args, root, &screen)?;
        }
        let lock = run_dir::lock(root)?;
        stop.leave_by(|| {
            Some(Error::Stopped("stopped before the run went on: it is as it was".into()))
        });
        let device = device::open_for(&args.running.compute)?;
        let (mut trainer, before) = load_checkpoint(root, &device, &args.running.set, &screen)?;
        trainer.set_threads(device.threads);
        block_on(trainer.meet_world())?;
        let progress = trainer.progress();
        let changed = experiment::changed_keys(&before, trainer.config(), progress)?;
        if let Some(warning) = experiment::other_rates(&before, trainer.config()) {
            screen.warn(&warning);
        }
        let Reopened { run, lines, faults } =
            RunDir::reopen(root, lock, |line| stands(line, progress.phase, progress.done))?;
        faults.iter().for_each(|fault| screen.warn(fault));
        let mut changes = run.changes()?;
        changes.extend(changed);
        run.write_config(trainer.config(), &changes)?;
        screen.say(&format!(
            "going on with {} on {}, from {}",
            root.display(),
            device.name,
            place(progress)
        ));
        let session = Session::new(args, (device, screen), trainer, (run, lines), stop, part_of);
        session.keeper.hold().changes = changes;
        Ok(session)
    }

    /// Goes on, in a new folder, with the run in a file that a page or `archer export` wrote.
    fn resume_file(
        args: &args::Train,
        file: &Path,
        screen: Screen,
        stop: &Stop,
    ) -> Result<Session, Error> {
        let sections = model::sections(file)?;
        let device = device::open_for(&args.running.compute)?;
        let holds_base = Trainer::holds_base(&sections);
        let change = |old: &Config| {
            let mut config = experiment::extend(old, &args.running.set)?;
            if holds_base && !config.actor.is_empty() {
                return Err(archer::Error::Config(format!(
                    "actor = \"{}\" is out of range: it must not be set where the file itself holds the model",
                    config.actor
                )));
            }
            if holds_base {
                // From here on checkpoints hold adapters alone, and say where their model is.
                config.actor = file.display().to_string();
            }
            Ok(config)
        };
        let base = |config: &Config| model::base(config, &device.device);
        let from = (&worlds::of_file as MakeWorlds<'_>, &base as LoadBase<'_>);
        let mut trainer = Trainer::resume_from(&sections, from, &device.device, change)
            .map_err(|error| model::named(file, error))?;
        trainer.set_threads(device.threads);
        let progress = trainer.progress();
        if progress.phase == Phase::Finished {
            return Err(Error::Usage(format!(
                "the run in {} has {}",
                file.display(),
                experiment::done(trainer.config(), progress)
            )));
        }
        block_on(trainer.meet_world())?;
        let stem = file.file_stem().map_or("run".into(), |stem| stem.to_string_lossy());
        let run = RunDir::create(args.running.out.as_deref(), &stem, trainer.config())?;
        screen.say(&format!(
            "going on with {} on {}, from {}, into {}",
            file.display(),
            device.name,
            place(progress),
            run.root().display()
        ));
        if Trainer::is_export_of(&sections)? {
            screen
                .warn("the file holds no optimisers and no replay: the networks learn on without");
        }
        Ok(Session::new(args, (device, screen), trainer, (run, Vec::new()), stop, None))
    }
}

/// Makes the trainer of a new run, from a model folder where the configuration names one. The log of a
/// world in a process stands in the folder `root`.
pub fn begin_training(
    config: Config,
    root: Option<&Path>,
    device: &Opened,
) -> Result<Trainer, Error> {
    let offline = config.algorithm.is_offline();
    let file = PathBuf::from(&config.iql.games);
    let mut trainer = new_trainer(config, root, device)?;
    // A signal that comes while the world is busy saves without it.
    block_on(trainer.meet_world())?;
    if !offline {
        return Ok(trainer);
    }
    let games = worlds::games(&file, trainer.worlds().as_ref())?;
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
    let agent = model::load_to_begin(Path::new(&config.actor), &config, &device.device)?;
    Ok(Trainer::from_agent(config, worlds, agent, &device.device)?)
}

/// Loads the newest checkpoint that is whole, with `set` over its configuration; also gives the
/// configuration as it was.
fn load_checkpoint(
    root: &Path,
    device: &Opened,
    set: &[String],
    screen: &Screen,
) -> Result<(Trainer, Config), Error> {
    let mut before = None;
    let (mut faults, paths) = (Vec::<String>::new(), run_dir::checkpoints(root));
    for path in &paths {
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(path).map_err(|e| cannot_read(path, &e))?;
        let change = |old: &Config| {
            before = Some(old.clone());
            experiment::extend(old, set)
        };
        let make = |config: &Config, _: Option<&About>| worlds::of(config, Some(root));
        let base = |config: &Config| model::base(config, &device.device);
        match Trainer::resume_on(&bytes, (&make, &base), &device.device, change) {
            Ok(trainer) => {
                let shown = path.display();
                faults.iter().for_each(|fault| screen.warn(fault));
                if *path != paths[0] {
                    screen.warn(&format!(
                        "{} is not to be had: going on from {shown}, which may be older",
                        paths[0].display()
                    ));
                }
                if paths[0].is_file() && *path != paths[0] {
                    run_dir::set_damaged_aside(root)?;
                }
                let before = before.unwrap_or_else(|| trainer.config().clone());
                return Ok((trainer, before));
            }
            Err(fault) if fault.is_usage() => return Err(fault.into()),
            // Not a word against the checkpoint.
            Err(archer::Error::World(fault)) => {
                return Err(Error::Failure(format!(
                    "{fault}; the checkpoint {} is whole: give the same command again once the world can be reached",
                    path.display()
                )));
            }
            Err(fault) => faults.push(format!("{}: {fault}", path.display())),
        }
    }
    Err(Error::Failure(format!(
        "{}; no checkpoint is left to go on from, so start again with a new --out",
        faults.join("; ")
    )))
}

/// Why there is nothing to go on with.
fn nothing_to_resume(root: &Path) -> Error {
    let shown = root.display();
    Error::Usage(match run_dir::place(root) {
        Ok(Place::Free) if !root.exists() => {
            format!(
                "{shown} holds no run to go on with, for there is no such folder; check the path"
            )
        }
        Ok(Place::Beginning) => format!(
            "the run in {shown} was ended before its first checkpoint: begin again with the command that began it, into the same --out"
        ),
        _ => format!(
            "{shown} holds no run to go on with: there is no checkpoints/latest and no checkpoints/best in it"
        ),
    })
}

/// Refuses to go on with a run that was begun by another command than this one, and warns of what stays
/// as it was although this command says otherwise.
pub fn check_is_the_same(args: &args::Train, root: &Path, screen: &Screen) -> Result<(), Error> {
    let mut typed = new_experiment(args)?.config;
    let old = experiment::extend(&config_of(root)?, &args.running.set)?;
    // The model filled in what was left open.
    typed.chat = typed.chat.filled_from(&old.chat);
    let mut stay = Vec::new();
    for difference in experiment::differences(&old, &typed) {
        let group = difference.key.split('.').next().unwrap_or_default();
        if ["algorithm", "seed", "actor", "critic", "world"].contains(&group) {
            return Err(Error::Usage(format!(
                "{} holds a run with {}, and this command asks for {}: give the command that began it, or another --out",
                root.display(),
                difference.here,
                difference.there
            )));
        }
        stay.push(difference.here);
    }
    if !stay.is_empty() {
        screen.warn(&format!(
            "the run goes on as it was begun, with {}; change single keys with --set",
            stay.join(", ")
        ));
    }
    Ok(())
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
