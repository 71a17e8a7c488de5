//! `archer eval`: how well a model, or a scripted asker, plays.

use std::path::Path;

use archer::config::Config;
use archer::train::evaluate::{Evaluation, Outcome, evaluate, starts};
use archer_games::WorldConfig;
use archer_games::asker;
use archer_world::Settings;
use pollster::block_on;

use crate::args;
use crate::askers;
use crate::device;
use crate::error::Error;
use crate::experiment;
use crate::model;
use crate::number::{percent, signed};
use crate::output;
use crate::progress::Screen;
use crate::worlds;

/// Measures and prints.
pub fn run(args: &args::Eval) -> Result<(), Error> {
    let evaluation = match (&args.model, &args.asker) {
        (Some(folder), _) => of_model(args, folder)?,
        (None, Some(name)) => {
            let world = worlds::questions(&amended(&Settings::new(), args)?)?;
            of_asker(name, &world, args.games, args.seed)?
        }
        (None, None) => {
            return Err(Error::Usage("whom to measure? give --model DIR or --asker NAME".into()));
        }
    };
    match args.json {
        true => output::json(&evaluation),
        false => output::line(&text(&evaluation)),
    }
}

fn of_model(args: &args::Eval, folder: &Path) -> Result<Evaluation, Error> {
    let device = device::open_for(&args.compute)?;
    let agent = model::load(folder, &device.device)?;
    let world = worlds::make(&amended(&agent.about.world, args)?)?;
    Screen::new(false).say(&format!("playing {} games on {}", args.games, device.name));
    let sampler = agent.about.sampler(args.sample);
    let player = agent.player(&sampler, device.threads);
    Ok(block_on(evaluate(player, world.as_ref(), args.games, args.seed))?)
}

/// The world with the flags' changes.
fn amended(world: &Settings, args: &args::Eval) -> Result<Settings, Error> {
    let mut world = worlds::questions(world)?;
    world.rules = args.rules.unwrap_or(world.rules);
    world.words = args.words.unwrap_or(world.words);
    world.name = args.name.unwrap_or(world.name);
    args.people.amend(&mut world);
    if let Some(other) = args.set.iter().find(|set| !set.trim_start().starts_with("world.")) {
        return Err(Error::Usage(format!(
            "--set {other}: only keys of the world can change here, as in --set world.weights.dog=8"
        )));
    }
    let config = Config { world: world.settings(), ..Config::default() };
    Ok(experiment::amend(&config, &args.set)?.world)
}

/// Measures a scripted asker on the same games that a model with this seed would play.
pub fn of_asker(
    name: &str,
    world: &WorldConfig,
    games: usize,
    seed: u64,
) -> Result<Evaluation, Error> {
    let mut game = askers::world(world)?;
    let mut asker = askers::make(name, game.as_ref(), world)?;
    let about = game.about();
    let starts = starts(&about, games, seed);
    let played = asker::play(asker.as_mut(), game.as_mut(), starts);
    let outcomes: Vec<Outcome> = played.iter().map(Outcome::from).collect();
    Ok(Evaluation::of(&about, &outcomes))
}

/// The evaluation for a person.
fn text(evaluation: &Evaluation) -> String {
    let e = evaluation;
    let more = &e.more;
    let plain = |value: f64, ci: [f64; 2]| [signed(value, 2), signed(ci[0], 2), signed(ci[1], 2)];
    let share = |value: f64, ci: [f64; 2]| [percent(value), percent(ci[0]), percent(ci[1])];
    let mut rows: Vec<Vec<String>> = [
        ("mean return", plain(e.mean_return, e.return_ci95)),
        ("win rate", share(e.win_rate, more.win_rate)),
        ("questions", plain(e.mean_questions, more.questions)),
        ("unreadable", share(e.invalid_rate, more.invalid_rate)),
        ("repeated", share(e.repeat_rate, more.repeat_rate)),
    ]
    .into_iter()
    .map(|(name, [value, low, high])| vec![name.to_string(), value, format!("{low} to {high}")])
    .collect();
    if let Some(optimum) = e.optimum_return {
        rows.push(vec!["optimum".to_string(), signed(optimum, 2), String::new()]);
    }
    let rules = match e.rules.as_str() {
        "" => String::new(),
        rules => format!(", {rules} rules"),
    };
    let table = output::table(&["", "mean", "95 % interval"], &rows, 1);
    format!("{}{rules}, {} games\n\n{table}", e.environment, e.games)
}
