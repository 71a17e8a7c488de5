//! A student of another vocabulary: its teacher's distributions are over other tokens, so it learns from the
//! texts and the rewards of games that the teacher plays. They are played once and kept beside the run.

use std::path::Path;

use archer::config::Config;
use burn::tensor::Device;

use crate::args;
use crate::data;
use crate::error::Error;
use crate::experiment::{self, Experiment, Request};
use crate::files;
use crate::input;
use crate::model::{self, Found};
use crate::progress::Screen;
use crate::run_dir;
use crate::signals::Stop;
use crate::train;
use crate::worlds;

/// The defaults of such a student.
const DEFAULTS: &str = include_str!("../../presets/distill-words.toml");

/// Games that a teacher plays where no number is asked for.
const GAMES: usize = 3000;

/// Plays the teacher's games, or finds them played, and trains the student on them.
pub fn run(
    args: &args::Distill,
    like: &args::Train,
    teacher: &Path,
    tokens: usize,
    device: &Device,
) -> Result<(), Error> {
    let out = args.running.out.as_deref().ok_or_else(|| {
        Error::Usage(
            "--tokens wants --out DIR as well: the teacher's games are kept beside the run, in DIR.games.jsonl"
                .into(),
        )
    })?;
    let found = model::find(teacher, false, device)?;
    if let (None, Some(why)) = (&args.world, worlds::refused(&found.config.world)) {
        return Err(Error::Usage(format!("{}: {why}", teacher.display())));
    }
    let games = args.games.unwrap_or(GAMES);
    let file = files::beside(out, "games.jsonl");
    // Checked before anything is played.
    let experiment = experiment(args, &found, (games, &file), tokens)?;
    run_dir::refuse_occupied(out)?;
    let mut screen = Screen::new(args.running.quiet);
    let stop = train::listen(&screen);
    play(found, &experiment.config, (games, &file), &stop, &mut screen)?;
    train::run_listening(experiment, like, screen, &stop)
}

/// Lets the teacher play what is not played yet.
fn play(
    found: Found,
    config: &Config,
    (games, file): (usize, &Path),
    stop: &Stop,
    screen: &mut Screen,
) -> Result<(), Error> {
    if !file.exists() {
        let of = (games, config.seed, file);
        let told = data::of_agent(found.agent, &config.world, of, stop, screen)?;
        screen.say(&told);
        return Ok(());
    }
    let lines = input::text(file, input::GAMES)?;
    let there = lines.lines().filter(|line| !line.trim().is_empty()).count();
    if there != games {
        return Err(Error::Usage(format!(
            "{} holds {there} games, and {games} are asked for: give --games {there} to learn from these, or another --out",
            file.display()
        )));
    }
    screen.say(&format!("the teacher's {games} games are in {}", file.display()));
    Ok(())
}

/// The configuration of the student.
fn experiment(
    args: &args::Distill,
    found: &Found,
    (games, file): (usize, &Path),
    tokens: usize,
) -> Result<Experiment, Error> {
    let mut base = Config { gamma: found.config.gamma, ..Config::default() };
    base.world = found.config.world.clone();
    base.utterance_tries = found.config.utterance_tries;
    base.seed = found.config.seed;
    let mut set = vec![
        format!("tokenizer.vocab_size={tokens}"),
        format!("warm_start.games={games}"),
        format!("prior.games={games}"),
    ];
    set.extend(args.running.set.iter().cloned());
    let request = Request {
        config: args.config.as_deref(),
        world: args.world.as_deref(),
        demonstrations: Some(file),
        set: &set,
        seed: args.running.seed,
        ..Request::default()
    };
    experiment::resolve_over(&base, ("distill", DEFAULTS), &request)
}
