//! A run that goes on and is told otherwise: what may change, and how it is written down.

use archer::config::{Algorithm, Config};
use archer::train::{Phase, Progress};
use archer_world::Settings;
use toml::{Table, Value};

use super::{Layers, amend, get, list_keys};
use crate::error::Error;
use crate::train::place;
use crate::worlds;

/// The settings of a world but for where it is: one outside may have moved.
fn world_itself(world: &Settings) -> Settings {
    const WHERE: [&str; 5] = ["command", "url", "processes", "sessions", "timeout_seconds"];
    match archer_guests::is_guest(world) {
        true => {
            world.clone().into_iter().filter(|(key, _)| !WHERE.contains(&key.as_str())).collect()
        }
        false => world.clone(),
    }
}

/// The configuration of a run with `--set` over it, to go on by: what its networks, its world and its
/// past hang on stays as it is, so that the run remains one run.
pub fn extend(old: &Config, set: &[String]) -> Result<Config, archer::Error> {
    let refused = |text: String| archer::Error::Config(text);
    let new = amend(old, set).map_err(|error| refused(error.plain()))?;
    let same_world = world_itself(&worlds::resolved(&old.world)?) == world_itself(&new.world);
    let fixed = [
        ("algorithm", old.algorithm == new.algorithm),
        ("seed", old.seed == new.seed),
        // A model under adapters may have moved; that it is the same one is checked by its bytes.
        ("actor", old.actor == new.actor || old.lora.is_on()),
        ("lora", old.lora == new.lora),
        ("chat", old.chat == new.chat),
        ("critic", old.critic == new.critic),
        ("numerics", old.numerics == new.numerics),
        ("level", old.level == new.level),
        ("world", same_world),
        ("tokenizer", old.tokenizer == new.tokenizer),
        ("actor_model", old.actor_model == new.actor_model),
        ("critic_model", old.critic_model == new.critic_model),
        ("warm_start", old.warm_start == new.warm_start),
        ("iql.games", old.iql.games == new.iql.games),
        ("distill.teacher", old.distill.teacher == new.distill.teacher),
    ];
    match fixed.iter().find(|(_, same)| !same) {
        None => Ok(new),
        Some((key, _)) => Err(refused(format!(
            "--set: {key} cannot change in a run that goes on; start a new run for it"
        ))),
    }
}

/// The keys in which two configurations differ, each with its value in the one and in the other.
fn differences(one: &Config, other: &Config) -> Result<Vec<(String, String, String)>, Error> {
    let flat = |config: &Config| -> Result<(Table, Vec<String>), Error> {
        let (table, mut keys) = (Layers::over(config)?.table, Vec::new());
        list_keys("", &table, &mut keys);
        Ok((table, keys))
    };
    let ((one, mut keys), (other, more)) = (flat(one)?, flat(other)?);
    keys.extend(more);
    keys.sort();
    keys.dedup();
    let shown = |table: &Table, key: &str| get(table, key).map_or("unset".into(), Value::to_string);
    let both = keys.into_iter().map(|key| {
        let (one, other) = (shown(&one, &key), shown(&other, &key));
        (key, one, other)
    });
    Ok(both.filter(|(_, one, other)| one != other).collect())
}

/// What a run at its end has done, and how to do more; goes on after "has".
pub fn done(config: &Config, at: Progress) -> String {
    match config.algorithm {
        Algorithm::Bc => format!(
            "imitated for its {} steps; begin a new run with more warm_start.steps",
            at.done
        ),
        _ => format!(
            "done its {} iterations; let it do more with --set iterations={}",
            at.done,
            2 * at.done.max(1)
        ),
    }
}

/// What a run is told otherwise from where it stands, as sentences for its folder.
///
/// A run that is at its end does not learn by what it is told now, and must not say that it did.
pub fn changed_keys(before: &Config, now: &Config, at: Progress) -> Result<Vec<String>, Error> {
    // A file from before a world had a key does not differ by it.
    let before = Config { world: worlds::resolved(&before.world)?, ..before.clone() };
    let changed = differences(&before, now)?;
    match (changed.first(), at.phase) {
        (None, _) => Ok(Vec::new()),
        (Some((key, _, value)), Phase::Finished) => Err(Error::Usage(format!(
            "--set {key}={value} would change nothing: the run has {}, or leave it out",
            done(now, at)
        ))),
        _ => {
            let sentence = |(key, old, new): &(String, String, String)| {
                format!("{key} = {old} until {}, then {new}", place(at))
            };
            Ok(changed.iter().map(sentence).collect())
        }
    }
}

/// What to say where more or fewer iterations give the learning rates another course.
pub fn other_rates(before: &Config, now: &Config) -> Option<String> {
    let moved = before.iterations != now.iterations && now.lr_final != 1.0;
    moved.then(|| {
        format!(
            "the learning rates fall to lr_final = {} of themselves over all iterations: with {} instead of {} they fall otherwise from here on, so the run is not the one that {} from the beginning would have been",
            now.lr_final, now.iterations, before.iterations, now.iterations
        )
    })
}
