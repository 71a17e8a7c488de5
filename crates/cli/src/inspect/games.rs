//! A file of games.

use std::collections::BTreeSet;
use std::path::Path;

use archer::train::intervals::mean_with_interval;
use archer_world::record::read_games;
use archer_world::{About, Game};
use serde_json::{Value, json};

use super::{Facts, size};
use crate::error::Error;
use crate::input;

/// What a file is.
pub fn facts(path: &Path) -> Result<Facts, Error> {
    let games = games(path)?;
    let returns: Vec<f64> = games.iter().map(Game::total_reward).collect();
    let turns: usize = games.iter().map(|game| game.turns.len()).sum();
    let tasks: BTreeSet<usize> = games.iter().filter_map(|game| game.task).collect();
    let (mean, ci95) = mean_with_interval(&returns, returns.len());
    let ends = |end| games.iter().filter(|game| game.end == end).count();
    let mut facts = Facts::of("a file of games");
    facts.put("bytes", size(path)?);
    facts.put("world", games.first().and_then(|game| game.world.clone()));
    facts.put("games", games.len());
    facts.put("turns", turns);
    facts.put("tasks", if tasks.is_empty() { Value::Null } else { json!(tasks.len()) });
    facts.put("mean_return", mean);
    facts.put("return_ci95", if ci95[0].is_finite() { json!(ci95) } else { Value::Null });
    facts.put(
        "ends",
        json!({
            "won": ends(Some(archer_world::End::Won)),
            "over": ends(Some(archer_world::End::Over)),
            "cut": ends(Some(archer_world::End::Cut)),
            "left": ends(None),
        }),
    );
    facts.put("openings", games.iter().all(|game| game.opening.is_some()));
    facts.put("used", "by train --demonstrations FILE, and by --algorithm iql with iql.games=FILE");
    Ok(facts)
}

/// The games of a file, of whatever world they are.
pub fn games(path: &Path) -> Result<Vec<Game>, Error> {
    let text = input::text(path, input::GAMES)?;
    let about = About::new(world(&text).unwrap_or_default(), 1);
    read_games(&text, &about).map_err(|e| Error::Usage(format!("{}: {e}", path.display())))
}

/// The name that the first game gives its world.
fn world(text: &str) -> Option<String> {
    let first: Value = match text.trim_start().starts_with('[') {
        true => archer_input::json_text::<Vec<Value>>(text).ok()?.into_iter().next()?,
        false => {
            archer_input::json_text(text.lines().find(|line| !line.trim().is_empty())?).ok()?
        }
    };
    Some(first.get("world")?.as_str()?.to_string())
}
