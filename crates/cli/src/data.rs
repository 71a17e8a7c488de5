//! `archer data`: games of a scripted player or of an agent, one JSON object a line.
//!
//! The form is that of [`archer_world::record`]; `--form lines` writes the one that the field's data
//! sets of questions have, so that the file feeds other programs too:
//! `{"lines": ["Is it an animal? Yes.", …], "correct": true, "word": ["cat"]}`.

use std::io::{self, Write};

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
use crate::files::PendingFile;
use crate::model;
use crate::number::{percent, plural, signed};
use crate::players;
use crate::worlds;

/// Games that are played before they are written.
const AT_A_TIME: usize = 256;

/// Plays the games and writes the file, whole or not at all.
pub fn run(args: &args::Data) -> Result<(), Error> {
    if args.out.exists() && !args.force {
        return Err(Error::Usage(format!(
            "{} exists: choose another --out, or replace it with --force",
            args.out.display()
        )));
    }
    let failed = |error: io::Error| cannot_write(&args.out, &error);
    let source = Source::of(args)?;
    let names = names(args, &source.settings)?;
    let mut file = PendingFile::create(&args.out).map_err(failed)?;
    let (mut won, mut turns) = (0, 0);
    let (mut draws, mut left) = (draws(args.seed), args.games);
    while left > 0 {
        let starts: Vec<Start> = draws.by_ref().take(left.min(AT_A_TIME)).collect();
        left -= starts.len();
        for game in source.games(&starts)? {
            won += usize::from(game.won());
            turns += game.turns.len();
            let written = match &names {
                None => serde_json::to_writer(&mut file, &game),
                Some(names) => serde_json::to_writer(&mut file, &Lines::of(&game, names)),
            };
            written.map_err(|e| failed(e.into()))?;
            file.write_all(b"\n").map_err(failed)?;
        }
    }
    file.commit().map_err(failed)?;
    let games = args.games as f64;
    let _ = writeln!(
        io::stderr(),
        "{} games of {} in {}: {} won, {} {} a game",
        args.games,
        source.title,
        args.out.display(),
        percent(won as f64 / games),
        signed(turns as f64 / games, 1),
        plural(&source.worlds.about().turn),
    );
    Ok(())
}

/// Who plays, and where.
struct Source {
    title: String,
    settings: Settings,
    worlds: std::sync::Arc<dyn Worlds>,
    who: Who,
}

enum Who {
    /// A scripted player by its name.
    Scripted(String),
    /// The player that a preset imitates.
    Demonstrator,
    /// An agent, sampling.
    Agent(Box<archer::agent::Agent>),
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
