//! `archer eval`: how well a model, or a scripted player, plays; task by task, and against another.

mod tasks;

use std::io::Write;
use std::path::Path;

use archer::agent::Agent;
use archer::train::evaluate::{Evaluation, Outcome, starts};
use archer::train::rollout;
use archer_world::{Game, Settings, Start, Worlds};
use pollster::block_on;
use serde::Serialize;

use self::tasks::TaskRow;
use crate::args;
use crate::device::{self, Opened};
use crate::error::{Error, cannot_write};
use crate::experiment;
use crate::files::PendingFile;
use crate::model;
use crate::number::{interval, percent, plural, signed};
use crate::output;
use crate::players;
use crate::progress::Screen;
use crate::worlds;

/// Games that each thread plays side by side before progress is shown.
const AT_A_TIME: usize = 64;

/// What `--json` prints.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<&'a [TaskRow]>,
    #[serde(flatten)]
    against: Option<Difference<'a>>,
}

/// Another player on the same games.
#[derive(Serialize)]
struct Difference<'a> {
    against: &'a Evaluation,
    /// How much more the first returned, mean over the games.
    gain: f64,
    /// Its 95 % interval, game by game; null for a single game.
    gain_ci95: Option<[f64; 2]>,
}

/// Measures and prints.
pub fn run(args: &args::Eval) -> Result<(), Error> {
    if let Some(file) = args.save_games.as_ref().filter(|file| file.exists() && !args.force) {
        return Err(Error::Usage(format!(
            "{} exists: choose another file for --save-games, or replace it with --force",
            file.display()
        )));
    }
    let mut session = Session::open(args)?;
    let played = session.play(args)?;
    let other = args.against.as_deref().map(|model| session.play_model(model, args)).transpose()?;
    session.screen.finish();
    if let Some(file) = &args.save_games {
        save(file, &played)?;
    }
    let about = session.worlds.about();
    let evaluation = played.evaluation(session.worlds.as_ref());
    let other = other.map(|other| other.evaluation(session.worlds.as_ref()));
    let against = other.as_ref().map(|other| difference(&evaluation, other));
    let names = tasks::names(&session.settings, session.worlds.as_ref());
    let rows = tasks::rows(&played.by_task(), &names);
    if args.json {
        let tasks = args.tasks.then_some(&rows[..]);
        return output::json(&Written { evaluation: &evaluation, tasks, against });
    }
    output::line(&text(&evaluation))?;
    if let Some(table) = tasks::table(&rows, &about.turn, args.tasks) {
        output::line(&format!("\n{table}"))?;
    }
    match (against, &args.against) {
        (Some(against), Some(model)) => output::line(&told(&against, model)),
        _ => Ok(()),
    }
}

/// What came of some games, and the games themselves where they are saved.
#[derive(Default)]
struct Played {
    outcomes: Vec<Outcome>,
    games: Vec<Game>,
}

impl Played {
    fn evaluation(&self, worlds: &dyn Worlds) -> Evaluation {
        Evaluation::of(worlds.about(), &self.outcomes)
    }

    fn by_task(&self) -> Vec<(Option<usize>, Outcome)> {
        self.outcomes.iter().map(|outcome| (outcome.task, *outcome)).collect()
    }
}

/// The world that is played in, and the games that everybody plays there.
struct Session {
    settings: Settings,
    worlds: std::sync::Arc<dyn Worlds>,
    starts: Vec<Start>,
    /// The first model, which may say what is played.
    agent: Option<Agent>,
    device: Option<Opened>,
    screen: Screen,
}

impl Session {
    fn open(args: &args::Eval) -> Result<Session, Error> {
        let models = args.model.is_some() || args.against.is_some();
        let device = models.then(|| device::open_for(&args.compute)).transpose()?;
        let agent = match (&args.model, &device) {
            (Some(folder), Some(device)) => {
                Some(model::load_as(folder, args.holding.weights, &device.device)?)
            }
            _ => None,
        };
        let own = match (&agent, &args.model) {
            (Some(agent), Some(folder)) => world_of(agent, folder, args)?,
            _ => Settings::new(),
        };
        let settings = amended(&own, args)?;
        let worlds = worlds::make(&settings)?;
        let starts = starts(worlds.about(), args.games, args.seed);
        let screen = Screen::new(args.quiet);
        Ok(Session { settings, worlds, starts, agent, device, screen })
    }

    fn play(&mut self, args: &args::Eval) -> Result<Played, Error> {
        match (self.agent.take(), &args.asker) {
            (Some(agent), _) => self.play_agent(&agent, args),
            (None, Some(name)) => {
                let worlds = self.worlds.as_ref();
                let mut played = Played::default();
                for starts in self.starts.chunks(AT_A_TIME) {
                    let games = players::play(name, &self.settings, worlds, starts)?;
                    played.outcomes.extend(games.iter().map(Outcome::from));
                    if args.save_games.is_some() {
                        played.games.extend(games);
                    }
                }
                Ok(played)
            }
            (None, None) => {
                Err(Error::Usage("whom to measure? give --model DIR or --asker NAME".into()))
            }
        }
    }

    /// Lets another model play the same games.
    fn play_model(&mut self, folder: &Path, args: &args::Eval) -> Result<Played, Error> {
        let device = self.device.as_ref().expect("a model was named, so a device is open");
        let agent = model::load_as(folder, args.holding.weights, &device.device)?;
        self.play_agent(&agent, args)
    }

    fn play_agent(&mut self, agent: &Agent, args: &args::Eval) -> Result<Played, Error> {
        let device = self.device.as_ref().expect("a model was named, so a device is open");
        let total = self.starts.len();
        self.screen.say(&format!("playing {total} games on {}", device.name));
        let sampler = agent.about.sampler(args.sample);
        let player = agent.player(&sampler, device.threads);
        let world = &self.worlds.about().name;
        let mut played = Played::default();
        for starts in self.starts.chunks(AT_A_TIME * device.threads) {
            self.screen.advance("evaluation", played.outcomes.len(), total);
            let games = block_on(rollout::play(player, self.worlds.as_ref(), starts, 1.0))?;
            played.outcomes.extend(games.iter().map(Outcome::from));
            if args.save_games.is_some() {
                let record = |game| rollout::record(game, world, &agent.tokenizer);
                played.games.extend(games.iter().map(record));
            }
        }
        self.screen.advance("evaluation", total, total);
        Ok(played)
    }
}

/// The world that a model plays, unless another is named.
fn world_of(agent: &Agent, folder: &Path, args: &args::Eval) -> Result<Settings, Error> {
    if agent.about.world.is_empty() && args.world.is_none() {
        return Err(Error::Usage(format!(
            "{} does not say which world it plays: name one with --world",
            folder.display()
        )));
    }
    if let (None, Some(why)) = (&args.world, worlds::refused(&agent.about.world)) {
        return Err(Error::Usage(format!("{}: {why}", folder.display())));
    }
    Ok(agent.about.world.clone())
}

/// Writes the games, whole or not at all.
fn save(file: &Path, played: &Played) -> Result<(), Error> {
    let failed = |error: std::io::Error| cannot_write(file, &error);
    let mut pending = PendingFile::create(file).map_err(failed)?;
    for game in &played.games {
        serde_json::to_writer(&mut pending, game).map_err(|e| failed(e.into()))?;
        pending.write_all(b"\n").map_err(failed)?;
    }
    pending.commit().map_err(failed)
}

/// What two players of the same games differ by.
fn difference<'a>(evaluation: &Evaluation, against: &'a Evaluation) -> Difference<'a> {
    let (gain, ci95) = evaluation.gain_over(against).expect("both have played the same games");
    Difference { against, gain, gain_ci95: ci95[0].is_finite().then_some(ci95) }
}

/// The difference for a person.
fn told(difference: &Difference<'_>, model: &Path) -> String {
    let Difference { against, gain, gain_ci95 } = difference;
    let verdict = match gain_ci95 {
        Some([low, _]) if *low > 0.0 => "better",
        Some([_, high]) if *high < 0.0 => "worse",
        _ => "not told apart",
    };
    let bounds = match gain_ci95 {
        Some(ci95) => format!(" (95 % interval {}, game by game)", interval(*ci95, " to ")),
        None => String::new(),
    };
    format!(
        "\nOn the same games {} returns {}: a difference of {}{bounds}, {verdict}.",
        model.display(),
        signed(against.mean_return, 2),
        signed(*gain, 3),
    )
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
