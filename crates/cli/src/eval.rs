//! `archer eval`: how well a model, or a scripted player, plays.

use std::path::Path;

use archer::train::evaluate::{AT_A_TIME, Evaluation, Outcome, evaluate, starts};
use archer_world::{Settings, Worlds};
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::experiment;
use crate::model;
use crate::number::{interval, percent, plural, signed};
use crate::output;
use crate::players;
use crate::progress::Screen;
use crate::worlds;

/// Measures and prints.
pub fn run(args: &args::Eval) -> Result<(), Error> {
    let evaluation = match (&args.model, &args.asker) {
        (Some(folder), _) => of_model(args, folder)?,
        (None, Some(name)) => {
            let world = amended(&Settings::new(), args)?;
            of_player(name, &world, worlds::make(&world)?.as_ref(), args.games, args.seed)?
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
    if agent.about.world.is_empty() && args.world.is_none() {
        return Err(Error::Usage(format!(
            "{} does not say which world it plays: name one with --world",
            folder.display()
        )));
    }
    if let (None, Some(why)) = (&args.world, worlds::refused(&agent.about.world)) {
        return Err(Error::Usage(format!("{}: {why}", folder.display())));
    }
    let worlds = worlds::make(&amended(&agent.about.world, args)?)?;
    Screen::new(false).say(&format!("playing {} games on {}", args.games, device.name));
    let sampler = agent.about.sampler(args.sample);
    let player = agent.player(&sampler, device.threads);
    Ok(block_on(evaluate(player, worlds.as_ref(), args.games, args.seed))?)
}

/// The world with the flags' changes.
fn amended(world: &Settings, args: &args::Eval) -> Result<Settings, Error> {
    let flags = args::World {
        world: args.world.clone(),
        name: args.name.clone(),
        words: args.words,
        rules: args.rules,
        max_turns: None,
        people: args.people.clone(),
        set: args.set.clone(),
    };
    match (&flags.world, &flags.name) {
        (None, None) => experiment::world(world, &flags.assignments()),
        _ => flags.settings(),
    }
}

/// Measures a scripted player on the same games that a model with this seed would play.
pub fn of_player(
    name: &str,
    settings: &Settings,
    worlds: &dyn Worlds,
    games: usize,
    seed: u64,
) -> Result<Evaluation, Error> {
    let mut outcomes = Vec::new();
    for starts in starts(worlds.about(), games, seed).chunks(AT_A_TIME) {
        let played = players::play(name, settings, worlds, starts)?;
        outcomes.extend(played.iter().map(Outcome::from));
    }
    Ok(Evaluation::of(worlds.about(), &outcomes))
}

/// The evaluation for a person.
fn text(evaluation: &Evaluation) -> String {
    let e = evaluation;
    let more = &e.more;
    let plain = |value: f64, ci: [f64; 2]| (signed(value, 2), ci, interval(ci, " to "));
    let share = |value: f64, ci: [f64; 2]| {
        (percent(value), ci, format!("{} to {}", percent(ci[0]), percent(ci[1])))
    };
    let turns = plural(&e.turn);
    let mut rows: Vec<Vec<String>> = [
        ("mean return", plain(e.mean_return, e.return_ci95)),
        ("win rate", share(e.win_rate, more.win_rate)),
        (&turns, plain(e.mean_turns, more.turns)),
        ("unreadable", share(e.invalid_rate, more.invalid_rate)),
        ("repeated", share(e.repeat_rate, more.repeat_rate)),
    ]
    .into_iter()
    .map(|(name, (value, ci, interval))| {
        // One game tells nothing of the others.
        let shown = e.independent > 1 && ci[0].is_finite();
        vec![name.to_string(), value, if shown { interval } else { String::new() }]
    })
    .collect();
    if let Some(optimum) = e.optimum_return {
        rows.push(vec!["optimum".to_string(), signed(optimum, 2), String::new()]);
    }
    let rules = match e.rules.as_str() {
        "" => String::new(),
        rules => format!(", {rules} rules"),
    };
    let table = output::table(&["", "mean", "95 % interval"], &rows, 1);
    let remark = e.remark().map(|remark| format!("\n\n{remark}")).unwrap_or_default();
    format!("{}{rules}, {} games\n\n{table}{remark}", e.environment, e.games)
}
