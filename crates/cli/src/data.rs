//! `archer data`: games of a scripted player or of an agent, one JSON object a line.
//!
//! The form is that of [`archer_world::record`]; `--form lines` writes the one that the field's data
//! sets of questions have, so that the file feeds other programs too:
//! `{"lines": ["Is it an animal? Yes.", …], "correct": true, "word": ["cat"]}`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use archer::agent::Agent;
use archer::train::rollout;
use archer_games::asker::{draws, play};
use archer_games::guessing::demonstrator::demonstrator;
use archer_world::{Game, Settings, Start, Worlds};
use pollster::block_on;
use serde::Serialize;

use crate::args;
use crate::device;
use crate::error::{Error, cannot_write};
use crate::experiment;
use crate::files::{self, PendingFile};
use crate::model;
use crate::number::{percent, plural, signed};
use crate::players;
use crate::progress::Screen;
use crate::signals::Stop;
use crate::worlds;

/// Games that are played before they are written.
const AT_A_TIME: usize = 64;

/// Plays the games and writes the file, whole or not at all. A signal keeps the games that are whole
/// in a file of another name.
pub fn run(args: &args::Data) -> Result<(), Error> {
    files::check_free(&args.out, args.force)?;
    let source = Source::of(args)?;
    let names = names(args, &source.settings)?;
    let stop = Stop::listen(Screen::new(true).speaker(), Duration::ZERO);
    let order = Order { games: args.games, seed: args.seed, out: &args.out, kept: Vec::new() };
    let told = play_all(order, &source, names.as_deref(), &stop, &mut Screen::new(true))?;
    let _ = writeln!(io::stderr(), "{told}");
    Ok(())
}

/// Games of an agent in its world, sampled, in the file `out`, and a sentence about them. Those that a run of
/// this command has played before it was stopped are not played again.
pub fn of_agent(
    agent: Agent,
    settings: &Settings,
    (games, seed, out): (usize, u64, &Path),
    stop: &Stop,
    screen: &mut Screen,
) -> Result<String, Error> {
    let worlds = worlds::make(settings)?;
    let partial = files::beside(out, PARTIAL);
    let mut kept = match partial.is_file() {
        true => worlds::games(&partial, worlds.as_ref())?,
        false => Vec::new(),
    };
    kept.truncate(games);
    let (title, who) = ("the teacher".to_string(), Who::Agent(Box::new(agent)));
    let source = Source { title, settings: settings.clone(), worlds, who };
    let told = play_all(Order { games, seed, out, kept }, &source, None, stop, screen)?;
    // Its games are in the file that is whole.
    let _ = fs::remove_file(&partial);
    Ok(told)
}

/// What is to be played, and written where.
struct Order<'a> {
    games: usize,
    seed: u64,
    out: &'a Path,
    /// The first of the games, where they were played before.
    kept: Vec<Game>,
}

/// What stands after the name of a file whose games were stopped.
const PARTIAL: &str = "partial";

/// Plays the games, writes them, and tells of them.
fn play_all(
    order: Order<'_>,
    source: &Source,
    names: Option<&[Vec<String>]>,
    stop: &Stop,
    screen: &mut Screen,
) -> Result<String, Error> {
    let written = Arc::new(Mutex::new(Written::begin(&order)?));
    let kept = written.clone();
    stop.leave_by(move || Some(hold(&kept).keep_what_is_whole()));
    let mut work = || {
        hold(&written).append(&order.kept, names)?;
        let mut draws = draws(order.seed).skip(order.kept.len());
        let mut done = order.kept.len();
        while done < order.games {
            screen.advance("games", done, order.games);
            if stop.requested() {
                return Err(hold(&written).keep_what_is_whole());
            }
            let starts: Vec<Start> =
                draws.by_ref().take((order.games - done).min(AT_A_TIME)).collect();
            done += starts.len();
            let games = source.games(&starts)?;
            hold(&written).append(&games, names)?;
        }
        hold(&written).finish(source)
    };
    let outcome = work();
    // Nobody else holds the file any more: what is not finished is removed with it.
    stop.work_is_done();
    screen.finish();
    outcome
}

/// The file, which a signal may finish on another thread.
fn hold(written: &Mutex<Written>) -> MutexGuard<'_, Written> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is written so far: whole games.
struct Written {
    out: PathBuf,
    file: Option<PendingFile>,
    asked: usize,
    games: usize,
    won: usize,
    turns: usize,
}

impl Written {
    fn begin(order: &Order<'_>) -> Result<Written, Error> {
        let out = order.out.to_path_buf();
        let file = Some(PendingFile::create(&out).map_err(|e| cannot_write(&out, &e))?);
        Ok(Written { out, file, asked: order.games, games: 0, won: 0, turns: 0 })
    }

    /// Appends games; `names` are the accepted names of each task, for the older form.
    fn append(&mut self, games: &[Game], names: Option<&[Vec<String>]>) -> Result<(), Error> {
        let failed = |error: io::Error| cannot_write(&self.out, &error);
        let Some(file) = &mut self.file else { return Ok(()) };
        for game in games {
            let line = match names {
                None => serde_json::to_string(game),
                Some(names) => serde_json::to_string(&Lines::of(game, names)),
            };
            let line = line.map_err(|e| failed(e.into()))?;
            file.write_all(line.as_bytes()).map_err(failed)?;
            file.write_all(b"\n").map_err(failed)?;
            self.games += 1;
            self.won += usize::from(game.won());
            self.turns += game.turns.len();
        }
        Ok(())
    }

    /// Gives the file its name, and tells of the games in it.
    fn finish(&mut self, source: &Source) -> Result<String, Error> {
        if let Some(file) = self.file.take() {
            file.commit().map_err(|e| cannot_write(&self.out, &e))?;
        }
        let games = self.games as f64;
        Ok(format!(
            "{} games of {} in {}: {} won, {} {} a game",
            self.games,
            source.title,
            self.out.display(),
            percent(self.won as f64 / games),
            signed(self.turns as f64 / games, 1),
            plural(&source.worlds.about().turn),
        ))
    }

    /// Keeps the games so far beside the place of the file, which stays as it is: half of what was asked
    /// for must not pass for the whole.
    fn keep_what_is_whole(&mut self) -> Error {
        let (games, asked) = (self.games, self.asked);
        match self.file.take().filter(|_| games > 0).map(|file| file.commit_as(PARTIAL)) {
            None => Error::Stopped("stopped before a game was written: there is no file".into()),
            Some(Err(error)) => cannot_write(&self.out, &error),
            Some(Ok(partial)) => Error::Stopped(format!(
                "stopped after {games} of {asked} games, which are in {}",
                partial.display()
            )),
        }
    }
}

/// Who plays, and where.
struct Source {
    title: String,
    settings: Settings,
    worlds: Arc<dyn Worlds>,
    who: Who,
}

enum Who {
    /// A scripted player by its name.
    Scripted(String),
    /// The player that a preset imitates.
    Demonstrator,
    /// An agent, sampling.
    Agent(Box<Agent>),
}

impl Source {
    fn of(args: &args::Data) -> Result<Source, Error> {
        let (title, settings, who) = if let Some(preset) = &args.preset {
            let world = experiment::preset(preset)?.world;
            let settings = experiment::world(&world, &args.world.assignments())?;
            (format!("the player that {preset} imitates"), settings, Who::Demonstrator)
        } else if let Some(model) = &args.model {
            let agent = model::load(model, &device::open("auto")?.device)?;
            let own = args.world.world.is_none() && args.world.name.is_none();
            if let (true, Some(why)) = (own, worlds::refused(&agent.about.world)) {
                return Err(Error::Usage(format!("{}: {why}", model.display())));
            }
            let settings = match own {
                true => experiment::world(&agent.about.world, &args.world.assignments())?,
                false => args.world.settings()?,
            };
            (format!("the agent in {}", model.display()), settings, Who::Agent(Box::new(agent)))
        } else {
            let settings = args.world.settings()?;
            let name = args.asker.clone().unwrap_or_else(|| players::usual(&settings).to_string());
            (format!("the player {name}"), settings, Who::Scripted(name))
        };
        let worlds = worlds::make(&settings)?;
        Ok(Source { title, settings, worlds, who })
    }

    fn games(&self, starts: &[Start]) -> Result<Vec<Game>, Error> {
        let worlds = self.worlds.as_ref();
        match &self.who {
            Who::Scripted(name) => players::play(name, &self.settings, worlds, starts),
            Who::Demonstrator => {
                let config = worlds::questions(&self.settings)?;
                let mut world = archer_games::make_one(&config)?;
                let mut asker = demonstrator(&config);
                Ok(play(asker.as_mut(), world.as_mut(), starts.iter().copied()))
            }
            Who::Agent(agent) => {
                let sampler = agent.about.sampler(true);
                let player = agent.player(&sampler, 1);
                Ok(block_on(rollout::records(player, worlds, starts))?)
            }
        }
    }
}

/// The accepted names of each task, where the older form is asked for, which has them.
fn names(args: &args::Data, settings: &Settings) -> Result<Option<Vec<Vec<String>>>, Error> {
    if args.form == args::Form::Turns {
        return Ok(None);
    }
    let game = worlds::as_questions(settings).map(|world| world.guessing()).transpose()?.flatten();
    let game = game.ok_or_else(|| {
        Error::Usage(
            "--form lines is for worlds of questions, whose lines are a question and its answer; leave it out"
                .into(),
        )
    })?;
    Ok(Some((0..game.names().len()).map(|task| game.aliases(task)).collect()))
}

/// A game in the older form.
#[derive(Serialize)]
struct Lines<'a> {
    lines: Vec<String>,
    correct: bool,
    word: &'a [String],
}

impl<'a> Lines<'a> {
    fn of(game: &Game, names: &'a [Vec<String>]) -> Self {
        let lines = game.turns.iter().map(|turn| format!("{} {}", turn.said, turn.reply));
        let word = game.task.map_or(&[][..], |task| &names[task]);
        Self { lines: lines.collect(), correct: game.won(), word }
    }
}
