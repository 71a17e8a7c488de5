//! `archer train`: asks the trainer for one slice of work after the other, writes down what each
//! brought, and keeps everything safe in between.

mod history;
mod hook;
mod keeper;
mod limits;
mod member;
mod opening;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use archer::config::Config;
use archer::ranks::Ranks;
use archer::train::{Phase, Progress, Trainer};
use archer_world::About;
use pollster::block_on;

use crate::args;
use crate::clock::{self, Stopwatch, spoken};
use crate::comparison;
use crate::device::Opened;
use crate::dry_run;
use crate::error::{Error, cannot_read};
use crate::experiment::{self, Experiment};
use crate::log::Line;
use crate::model;
use crate::number::signed;
use crate::output;
use crate::progress::Screen;
use crate::ranks::{Company, refuse_several};
use crate::report::{self, Row, Summary};
use crate::run_dir::{self, Kind};
use crate::shell::{program, quoted_path};
use crate::signals::{PATIENCE, Stop};
use crate::worlds;
pub use history::History;
use keeper::Shared;
use limits::Limits;
use member::Lead;
use opening::check_is_the_same;
pub use opening::{Asked, asked, begin_training, does_not_go_with_resume};

/// Trains, or goes on with training, to the end or to a signal.
pub fn run(args: &args::Train) -> Result<(), Error> {
    if args.dry_run {
        refuse_several()?;
        return dry_run::run(&opening::new_experiment(args)?, &args.running);
    }
    let Some(company) = Company::join()? else { return lead(args, None) };
    let ranks = company.ranks();
    match ranks.rank() {
        0 => lead(args, Some(ranks).filter(|ranks| ranks.size() > 1))?,
        _ => member::follow(args, ranks).inspect_err(|_| thread::sleep(LAST_WORD))?,
    }
    company.leave();
    Ok(())
}

/// How long a rank with an error waits before it ends. The launcher then ends the others, and rank 0 has told
/// the error by then.
const LAST_WORD: Duration = Duration::from_secs(3);

/// Trains as the one process that speaks and writes.
fn lead(args: &args::Train, ranks: Option<&Arc<dyn Ranks>>) -> Result<(), Error> {
    let screen = Screen::new(args.running.quiet);
    // A launcher that ends its processes waits for no step.
    let stop = listen_for(&screen, if ranks.is_some() { Duration::ZERO } else { PATIENCE });
    let mut session = match asked(args)? {
        Asked::Nothing(root) => {
            check_is_the_same(args, &root, &screen)?;
            nothing_left(&root, &screen);
            if let Some(ranks) = ranks {
                Lead::dismiss(ranks.as_ref());
            }
            return Ok(());
        }
        asked => Session::open(args, asked, screen, &stop, None)?,
    };
    if let Some(ranks) = ranks {
        session.lead = Some(Lead::begin(ranks, &mut session.trainer)?);
        session.keeper.hold().is_shared = true;
        let (size, threads) = (ranks.size(), session.device.threads);
        let each = if threads == 1 { "1 thread".into() } else { format!("{threads} threads") };
        session.screen.say(&format!("{size} processes share the work, rank 0 with {each}"));
    }
    run_session(session, args.running.final_games, &stop)
}

/// Says that a run is finished.
pub fn nothing_left(root: &Path, screen: &Screen) {
    screen.say(&format!("{} has come to its end: nothing is left to do", root.display()));
}

/// Listens for the wish to stop, before there is anything to save.
pub fn listen(screen: &Screen) -> Stop {
    listen_for(screen, PATIENCE)
}

fn listen_for(screen: &Screen, patience: Duration) -> Stop {
    let stop = Stop::listen(screen.speaker(), patience);
    stop.leave_by(|| {
        Some(Error::Stopped("stopped before anything was begun: nothing has changed".into()))
    });
    stop
}

fn run_session(mut session: Session, final_games: usize, stop: &Stop) -> Result<(), Error> {
    let outcome = session.work(final_games, stop).and_then(|ending| session.tell(&ending));
    stop.work_is_done();
    session.screen.finish();
    outcome
}

/// Trains what was made of other flags than `archer train` has.
pub fn run_experiment(experiment: Experiment, args: &args::Train) -> Result<(), Error> {
    let screen = Screen::new(args.running.quiet);
    let stop = listen(&screen);
    run_listening(experiment, args, screen, &stop)
}

/// Trains as [`run_experiment`] does, with a `stop` that listens already.
pub fn run_listening(
    experiment: Experiment,
    args: &args::Train,
    screen: Screen,
    stop: &Stop,
) -> Result<(), Error> {
    let session = Session::start(experiment, args, screen, stop, None)?;
    run_session(session, args.running.final_games, stop)
}

/// The same as the part `title` of something larger, which tells of it and listens for the wish to stop.
pub fn run_silently(args: &args::Train, stop: &Stop, title: &str) -> Result<(), Error> {
    let (screen, part_of) = (Screen::new(args.running.quiet), Some(title.to_string()));
    let mut session = Session::open(args, asked(args)?, screen, stop, part_of)?;
    let outcome = session.work(args.running.final_games, stop);
    stop.work_is_done();
    session.screen.finish();
    outcome.map(|_| ())
}

/// How a run came to the end of a command.
enum Ending {
    /// It is finished, and these were compared.
    Finished(Vec<Row>),
    /// Its time was up; a sentence says where it stands.
    Paused(String),
}

/// A training run in progress.
struct Session {
    device: Opened,
    trainer: Trainer,
    keeper: Shared,
    screen: Screen,
    limits: Limits,
    /// The line to the other ranks, where there are some.
    lead: Option<Lead>,
}

impl Session {
    /// Works to the end and writes down what came of it.
    fn work(&mut self, final_games: usize, stop: &Stop) -> Result<Ending, Error> {
        let finished = self.learn(stop)?;
        if let Some(lead) = &self.lead {
            lead.end();
        }
        if finished && !self.limits.time_is_up() {
            return self.conclude(final_games, stop).map(Ending::Finished);
        }
        let minutes = spoken(self.limits.seconds());
        let keeper = self.keeper.hold();
        Ok(Ending::Paused(format!(
            "The time of --max-minutes is up after {minutes}, at {}; everything is saved. Go on with:\n  {}",
            place(self.trainer.progress()),
            keeper.way_back()
        )))
    }

    /// Works until the trainer has finished or has reached the return that is asked for, and says
    /// whether it has: the time may be up before.
    fn learn(&mut self, stop: &Stop) -> Result<bool, Error> {
        self.keeper.hold().write_warm_start()?;
        loop {
            if self.is_good_enough() {
                break;
            }
            if stop.requested() {
                return Err(self.stopped());
            }
            let before = self.trainer.progress();
            if before.phase == Phase::Finished {
                break;
            }
            if self.limits.time_is_up() {
                self.keeper.hold().save()?;
                return Ok(false);
            }
            self.step(before)?;
        }
        self.keeper.hold().save()?;
        self.settle_on_best()?;
        Ok(true)
    }

    /// Takes one step and writes down what it brought.
    fn step(&mut self, before: Progress) -> Result<(), Error> {
        self.screen.advance(phase_title(before.phase), before.done, before.total);
        self.keeper.hold().before_step(&self.trainer);
        if let Some(lead) = &self.lead {
            lead.step();
        }
        let watch = Stopwatch::start();
        let report = block_on(self.trainer.step()).map_err(|e| self.with_way_back(e.into()))?;
        let line = Line::new(&report, watch.seconds(), clock::seconds_since_1970());
        self.screen.report(phase_title(before.phase), line.step, before.total, &line);
        let kept = self.keeper.hold().keep(line, &self.trainer);
        kept.map_err(|e| self.with_way_back(e))?;
        let after = self.trainer.progress();
        if before.phase == Phase::WarmStart && after.phase != Phase::WarmStart {
            let mut keeper = self.keeper.hold();
            keeper.save()?;
            keeper.write_warm_start()?;
        }
        Ok(())
    }

    /// Whether the last evaluation reaches the return that is asked for.
    fn is_good_enough(&self) -> bool {
        let keeper = self.keeper.hold();
        let last = keeper.history.last().and_then(|line| line.evaluation.as_ref());
        let Some((asked, evaluation)) = last.and_then(|e| Some((self.limits.reached(e)?, e)))
        else {
            return false;
        };
        self.screen.say(&format!(
            "the return of {} reaches the {} of --until-return: training ends at {}",
            signed(evaluation.mean_return, 2),
            signed(asked, 2),
            place(self.trainer.progress())
        ));
        true
    }

    /// Puts the model of the best evaluation in the place of the last one, where that is asked for. The
    /// checkpoints stay as they are.
    fn settle_on_best(&self) -> Result<(), Error> {
        let keeper = self.keeper.hold();
        let best = run_dir::checkpoint_path(keeper.run.root(), Kind::Best);
        if !self.trainer.config().keep_best || !best.is_file() {
            return Ok(());
        }
        let bytes = std::fs::read(&best).map_err(|e| cannot_read(&best, &e))?;
        let worlds = self.trainer.worlds().clone();
        let made = |_: &Config, _: Option<&About>| Ok(worlds.clone());
        let device = &self.device.device;
        let base = |config: &Config| model::base(config, device);
        let trainer = Trainer::resume_on(&bytes, (&made, &base), device, model::unchanged)
            .map_err(|error| model::named(&best, error))?;
        let files = block_on(trainer.model_files(keeper.history.best()))?;
        keeper.run.write_model(&keeper.run.model(), &files)
    }

    /// Saves, and says how to go on. Between two steps there is always something whole.
    fn stopped(&self) -> Error {
        self.screen.finish();
        let stopped = self.keeper.hold().stopped();
        stopped.unwrap_or_else(|| Error::Stopped("stopped".into()))
    }

    /// Compares what was learned with where it began and with what is possible, and writes it down;
    /// the report comes last, so that a run which has one is at its end.
    fn conclude(&mut self, games: usize, stop: &Stop) -> Result<Vec<Row>, Error> {
        // A measurement of what stands as it was is kept where no other is asked for.
        let keep = {
            let mut keeper = self.keeper.hold();
            keeper.compares();
            games == 0 && !keeper.learned && run_dir::is_finished(keeper.run.root())
        };
        let rows = match keep {
            true => run_dir::comparison(self.keeper.hold().run.root()).unwrap_or_default(),
            false => self.compare(games, stop)?,
        };
        let next = self.next_commands();
        let keeper = self.keeper.hold();
        let plots: Vec<&str> =
            keeper.plots(&self.trainer).into_iter().map(|(name, _)| name).collect();
        let summary = Summary {
            name: &keeper.name,
            device: &self.device.name,
            config: self.trainer.config(),
            history: &keeper.history,
            changes: &keeper.changes,
            rows: &rows,
            optimum: keeper.history.optimum(),
            plots: &plots,
            next: &next,
        };
        if !keep {
            keeper.run.write_comparison(&rows)?;
        }
        keeper.run.write(run_dir::REPORT, report::markdown(&summary).as_bytes())?;
        Ok(rows)
    }

    /// Prints the table and what to do next, or how to go on.
    fn tell(&self, ending: &Ending) -> Result<(), Error> {
        self.screen.finish();
        let rows = match ending {
            Ending::Finished(rows) => rows,
            Ending::Paused(told) => return output::line(told),
        };
        let (root, optimum) = {
            let keeper = self.keeper.hold();
            (keeper.run.root().to_path_buf(), keeper.history.optimum())
        };
        if !rows.is_empty() {
            output::line(&format!("\n{}\n", report::table(rows, optimum)))?;
            if let Some(loss) = report::loss(rows) {
                output::line(&format!("{loss}\n"))?;
            }
        }
        output::line(&format!("The model, the curves and a report are in {}.", root.display()))?;
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
        let players = {
            let keeper = self.keeper.hold();
            comparison::players(&keeper.run, config, self.trainer.teacher())
        };
        let mut rows = Vec::new();
        for (done, player) in players.iter().enumerate() {
            if stop.requested() {
                return Err(self.stopped());
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

    /// An error on the way, with how to go on once it is mended.
    fn with_way_back(&self, error: Error) -> Error {
        let keeper = self.keeper.hold();
        match error {
            Error::Failure(text) if run_dir::is_run(keeper.run.root()) => Error::Failure(format!(
                "{text}; what was learned until the last checkpoint is safe, go on with: {}",
                keeper.way_back()
            )),
            other => other,
        }
    }

    fn next_commands(&self) -> Vec<(String, String)> {
        let (program, model) = (program(), self.keeper.hold().run.model());
        let model = quoted_path(&model);
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
pub fn place(progress: Progress) -> String {
    let unit = match progress.phase {
        Phase::WarmStart => "step",
        Phase::Learn | Phase::Finished => "iteration",
    };
    format!("{unit} {} of {} ({})", progress.done, progress.total, phase_title(progress.phase))
}
