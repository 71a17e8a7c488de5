//! `archer compare`: several algorithms, several seeds, one table and two charts.
//!
//! Each pair of algorithm and seed is an ordinary run in a folder of its own below `--out`, so that
//! anything may interrupt the whole: the same command goes on with what was begun, leaves what is
//! finished, and starts what is missing. What is told comes from the runs' own files alone.

mod curves;
mod reach;
mod summary;

use std::path::{Path, PathBuf};

use archer::config::{Algorithm, Config};

use crate::args;
use crate::device;
use crate::error::{Error, cannot_write};
use crate::experiment::{self, Request, did_you_mean};
use crate::files;
use crate::input;
use crate::output;
use crate::progress::Screen;
use crate::run_dir::{self, Place};
use crate::shell::{self, quoted, quoted_path};
use crate::signals::{PATIENCE, Stop};
use crate::train;
use crate::worlds;
use summary::{Ranking, Summary};

/// The table of all runs, as numbers.
const JSON: &str = "comparison.json";

/// One run of the comparison.
struct Run {
    algorithm: Algorithm,
    seed: u64,
    root: PathBuf,
    /// What it is told, complete.
    config: Config,
    /// Its part of `--set`.
    set: Vec<String>,
}

/// Runs what is missing and tells how all compare.
pub fn run(args: &args::Compare) -> Result<(), Error> {
    let screen = Screen::new(args.quiet);
    let runs = plan(args, &screen)?;
    // A device that is not there is told before anything is begun.
    let device = device::open_for(&args.compute)?.name;
    let stop = Stop::listen(screen.speaker(), PATIENCE);
    for (n, run) in runs.iter().enumerate() {
        let title = format!("{}, seed {}", run.algorithm.name(), run.seed);
        screen.say(&format!("run {} of {}: {title}, in {}", n + 1, runs.len(), run.root.display()));
        run.bring_to_its_end(args, &screen, &stop, &title).map_err(|error| match error {
            Error::Failure(text) => Error::Failure(format!(
                "{title}: {text}; the runs before it are kept, and the same command goes on"
            )),
            other => other,
        })?;
    }
    let ranking = match args.by {
        args::By::Return => Ranking::Return,
        args::By::Games => Ranking::Games(args.reach.clone()),
    };
    let summary = Summary::of(&runs, command(args), device, &ranking)?;
    let write = |name: &str, text: &str| {
        let path = args.out.join(name);
        files::write_atomic(&path, text.as_bytes()).map_err(|e| cannot_write(&path, &e))
    };
    for (name, svg) in summary.charts() {
        write(name, &svg)?;
    }
    write(JSON, &summary.json()?)?;
    write("comparison.md", &summary.markdown())?;
    match args.json {
        true => output::json(&summary),
        false => {
            output::line(&format!("\n{}\n", summary.table()))?;
            let out = args.out.display();
            output::line(&format!("The table and the curves are in {out}: see comparison.md."))
        }
    }
}

/// The runs that are asked for, each with its configuration, checked before anything is begun.
fn plan(args: &args::Compare, screen: &Screen) -> Result<Vec<Run>, Error> {
    let algorithms = args.algorithms.iter().map(|name| algorithm(name));
    let algorithms = distinct(algorithms.collect::<Result<Vec<_>, _>>()?, "--algorithms", |one| {
        one.name().into()
    })?;
    let seeds = distinct(args.seeds.clone(), "--seeds", u64::to_string)?;
    args.set.iter().try_for_each(|assignment| refuse_flag(assignment))?;
    if args.by == args::By::Return && !args.reach.is_empty() {
        return Err(Error::Usage("--reach does nothing without --by games: add that".into()));
    }
    if let Some(target) = args.reach.iter().find(|target| !target.is_finite()) {
        return Err(Error::Usage(format!("--reach {target} is no return: name a number")));
    }
    refuse_smaller(&args.out, &algorithms, &seeds)?;
    for assignment in &args.set {
        if let Some((name, _)) = owner(assignment)
            && !algorithms.contains(&algorithm(name)?)
        {
            // One command line serves several lists of algorithms; what is set for others waits.
            screen
                .say(&format!("--set {assignment} does nothing: {name} is not among --algorithms"));
        }
    }
    let mut runs = Vec::new();
    for &algorithm in &algorithms {
        let set: Vec<String> = args
            .set
            .iter()
            .filter_map(|assignment| match owner(assignment) {
                None => Some(assignment.clone()),
                Some((name, rest)) => (name == algorithm.name()).then(|| rest.to_string()),
            })
            .collect();
        for &seed in &seeds {
            let request = Request {
                preset: args.preset.as_deref(),
                config: args.config.as_deref(),
                world: args.world.as_deref(),
                demonstrations: args.demonstrations.as_deref(),
                set: &set,
                algorithm: Some(algorithm.name()),
                seed: Some(seed),
            };
            let config = experiment::resolve(&request)?.config;
            let root = args.out.join(format!("{}-{seed}", algorithm.name()));
            runs.push(Run { algorithm, seed, root, config, set: set.clone() });
        }
    }
    runs.iter().try_for_each(Run::check_folder)?;
    Ok(runs)
}

/// Refuses to set what a flag of its own says.
fn refuse_flag(assignment: &str) -> Result<(), Error> {
    let rest = owner(assignment).map_or(assignment, |(_, rest)| rest);
    let key = rest.split_once('=').map_or(rest, |(key, _)| key).trim();
    let flags = [("seed", "--seeds"), ("algorithm", "--algorithms")];
    match flags.into_iter().find(|(known, _)| *known == key) {
        None => Ok(()),
        Some((key, flag)) => Err(Error::Usage(format!(
            "--set {assignment}: the {key} of each run comes from {flag}; name it there"
        ))),
    }
}

/// Refuses to write a table in the place of one that tells of more runs.
fn refuse_smaller(out: &Path, algorithms: &[Algorithm], seeds: &[u64]) -> Result<(), Error> {
    let path = out.join(JSON);
    if !path.is_file() {
        return Ok(());
    }
    let there = input::json(&path, input::RECORD).ok();
    let there = there.as_ref().and_then(summary::runs_in).ok_or_else(|| {
        Error::Usage(format!(
            "{} is no table of a comparison: move it away, or choose another --out",
            path.display()
        ))
    })?;
    let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let left_out = there
        .iter()
        .find(|(algorithm, seed)| !names.contains(&algorithm.as_str()) || !seeds.contains(seed));
    match left_out {
        None => Ok(()),
        Some((algorithm, seed)) => Err(Error::Usage(format!(
            "{} tells of {algorithm} with seed {seed} too: name all of its runs (finished ones are not repeated), or choose another --out",
            path.display()
        ))),
    }
}

/// The algorithm of this name.
fn algorithm(name: &str) -> Result<Algorithm, Error> {
    let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
    found.ok_or_else(|| {
        let names = Algorithm::ALL.map(Algorithm::name);
        Error::Usage(format!(
            "there is no algorithm {name}{}; choose from {}",
            did_you_mean(name, &names),
            names.join(", ")
        ))
    })
}

/// The algorithm that an assignment is for, and the assignment without it.
fn owner(assignment: &str) -> Option<(&str, &str)> {
    let (key, _) = assignment.split_once('=')?;
    let at = key.find(':')?;
    Some((assignment[..at].trim(), &assignment[at + 1..]))
}

fn distinct<T: PartialEq>(
    list: Vec<T>,
    flag: &str,
    name: impl Fn(&T) -> String,
) -> Result<Vec<T>, Error> {
    match (1..list.len()).find(|&i| list[..i].contains(&list[i])) {
        None => Ok(list),
        Some(i) => Err(Error::Usage(format!("{flag} names {} twice", name(&list[i])))),
    }
}

/// The command that makes the same again, to be typed in a shell.
fn command(args: &args::Compare) -> String {
    let mut words = vec![shell::program().to_string(), "compare".to_string()];
    let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), quoted(&value)]);
    if let Some(world) = &args.world {
        flag("world", world.clone());
    }
    if let Some(file) = &args.demonstrations {
        flag("demonstrations", file.display().to_string());
    }
    if let Some(preset) = &args.preset {
        flag("preset", preset.clone());
    }
    if let Some(config) = &args.config {
        flag("config", config.display().to_string());
    }
    flag("algorithms", args.algorithms.join(","));
    flag("seeds", args.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
    args.set.iter().for_each(|assignment| flag("set", assignment.clone()));
    if args.compute.device != args::Compute::AUTO {
        flag("device", args.compute.device.clone());
    }
    flag("final-games", args.final_games.to_string());
    if args.by == args::By::Games {
        flag("by", "games".into());
    }
    if !args.reach.is_empty() {
        flag("reach", args.reach.iter().map(f64::to_string).collect::<Vec<_>>().join(","));
    }
    flag("out", args.out.display().to_string());
    words.join(" ")
}

impl Run {
    /// Refuses a folder that holds something else than this run.
    fn check_folder(&self) -> Result<(), Error> {
        let shown = self.root.display();
        let path = self.root.join("config.toml");
        if !path.is_file() {
            let begun = matches!(run_dir::place(&self.root), Ok(Place::Beginning));
            return match begun || !self.root.exists() {
                true => Ok(()),
                false => Err(Error::Usage(format!(
                    "{shown} is there and is no run: choose another --out"
                ))),
            };
        }
        let there = experiment::resolve(&Request { config: Some(&path), ..Request::default() })
            .map_err(|error| Error::Usage(format!("{}; choose another --out", error.plain())))?;
        match self.is_same(there.config) {
            true => Ok(()),
            false => Err(Error::Usage(format!(
                "{shown} holds a run with other settings than are asked for now: choose another --out, \
                 or ask for the same"
            ))),
        }
    }

    /// Whether a run that was told this is the one that is asked for. What the world or a model folder
    /// decides, such as sizes that were left open, stands in the run's configuration alone.
    fn is_same(&self, mut there: Config) -> bool {
        let asked = &self.config;
        if asked.max_new_tokens == 0 {
            there.max_new_tokens = 0;
        }
        if asked.actor_model.positions == 0 {
            there.actor_model.positions = 0;
        }
        if asked.critic_model.positions == 0 {
            there.critic_model.positions = 0;
        }
        let teaches = worlds::as_questions(&asked.world).is_some();
        if asked.warm_start.demonstrations.is_empty() && !teaches && there.warm_start.steps == 0 {
            // There was nobody to imitate.
            there.warm_start.steps = asked.warm_start.steps;
        }
        if there.chat == asked.chat.filled_from(&there.chat) {
            // The model filled in what was left open.
            there.chat = asked.chat.clone();
        }
        if !asked.actor.is_empty() {
            there.actor_model = asked.actor_model.clone();
            there.critic_model = asked.critic_model.clone();
            there.tokenizer = asked.tokenizer.clone();
            there.reply_coef = asked.reply_coef;
            there.actor_samples = asked.actor_samples;
            there.critic_samples = asked.critic_samples;
            there.advantage_baseline = asked.advantage_baseline;
        }
        there == *asked
    }

    /// Whether there is nothing left to do for it: it is at its end, and measured as is asked for.
    fn is_done(&self, final_games: usize) -> Result<bool, Error> {
        if !run_dir::is_finished(&self.root) {
            return Ok(false);
        }
        let measured = run_dir::comparison(&self.root)?.pop().map(|row| row.evaluation.games);
        Ok(final_games == 0 || measured == Some(final_games))
    }

    /// Runs it, or what is left of it to run.
    fn bring_to_its_end(
        &self,
        args: &args::Compare,
        screen: &Screen,
        stop: &Stop,
        title: &str,
    ) -> Result<(), Error> {
        if self.is_done(args.final_games)? {
            screen.say("it is finished");
            return Ok(());
        }
        let begun = args::Running {
            compute: args.compute.clone(),
            final_games: args.final_games,
            quiet: args.quiet,
            ..args::Running::default()
        };
        if run_dir::is_run(&self.root) {
            let resume = Some(self.root.clone());
            let on = args::Train { resume, running: begun, ..args::Train::default() };
            return train::run_silently(&on, stop, title);
        }
        let begun = args::Train {
            world: args.world.clone(),
            demonstrations: args.demonstrations.clone(),
            preset: args.preset.clone(),
            config: args.config.clone(),
            algorithm: Some(self.algorithm.name().to_string()),
            running: args::Running {
                set: self.set.clone(),
                seed: Some(self.seed),
                out: Some(self.root.clone()),
                ..begun
            },
            ..args::Train::default()
        };
        train::run_silently(&begun, stop, title)
    }

    /// The command that makes this run alone again, below `root`.
    fn command(&self) -> String {
        let config = quoted_path(&self.root.join("config.toml"));
        format!("{} train --config {config}", shell::program())
    }

    /// The name of its folder.
    fn folder(&self) -> String {
        let name = self.root.file_name().unwrap_or_default();
        Path::new(name).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_may_be_for_one_algorithm() {
        assert_eq!(owner("ppo:lm_lr=1e-4"), Some(("ppo", "lm_lr=1e-4")));
        assert_eq!(owner("lm_lr=1e-4"), None);
        // What comes after the sign is a value.
        assert_eq!(owner("actor=c:/models"), None);
    }
}
