//! How each task was played: which are mastered, and which are lost.

use std::collections::BTreeMap;

use archer::train::evaluate::Outcome;
use archer_world::{Settings, Worlds};
use serde::Serialize;

use crate::number::{percent, plural, signed};
use crate::output;
use crate::worlds;

/// Rows that are shown where not all are asked for.
const WORST: usize = 5;

/// The games of one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskRow {
    /// Its number.
    pub task: usize,
    /// What the world calls it, where it has names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Games played of it.
    pub games: usize,
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// Share of them won.
    pub win_rate: f64,
    /// Mean number of turns.
    pub mean_turns: f64,
}

/// A row for each task that was played, in the order of their numbers; none where tasks have no
/// numbers.
pub fn rows(played: &[(Option<usize>, Outcome)], names: &[String]) -> Vec<TaskRow> {
    let mut tasks: BTreeMap<usize, Vec<&Outcome>> = BTreeMap::new();
    for (task, outcome) in played {
        if let Some(task) = task {
            tasks.entry(*task).or_default().push(outcome);
        }
    }
    let row = |(task, games): (usize, Vec<&Outcome>)| {
        let mean = |of: fn(&Outcome) -> f64| {
            games.iter().map(|game| of(game)).sum::<f64>() / games.len() as f64
        };
        TaskRow {
            task,
            name: names.get(task).cloned(),
            games: games.len(),
            mean_return: mean(|game| game.total_reward),
            win_rate: mean(|game| if game.won { 1.0 } else { 0.0 }),
            mean_turns: mean(|game| game.turns as f64),
        }
    };
    tasks.into_iter().map(row).collect()
}

/// What the world calls its tasks; nothing where it has no names for them.
pub fn names(settings: &Settings, worlds: &dyn Worlds) -> Vec<String> {
    let game = worlds::as_questions(settings).and_then(|world| world.guessing().ok().flatten());
    match game {
        Some(game) => game.names(),
        // What would have won a task tells which it is.
        None => worlds.teaching().map(|teaching| teaching.winning_utterances()).unwrap_or_default(),
    }
}

/// The table: every task in order, or where not `all` the worst; nothing of a single task.
pub fn table(rows: &[TaskRow], turn: &str, all: bool) -> Option<String> {
    if rows.len() < 2 {
        return None;
    }
    let mut shown: Vec<&TaskRow> = rows.iter().collect();
    if !all {
        shown.sort_by(|a, b| a.mean_return.total_cmp(&b.mean_return).then(a.task.cmp(&b.task)));
        shown.truncate(WORST);
    }
    let title = match all || rows.len() <= WORST {
        true => "task".to_string(),
        false => format!("worst {WORST} of {} tasks", rows.len()),
    };
    let cells: Vec<Vec<String>> = shown
        .into_iter()
        .map(|row| {
            let name = row.name.clone().unwrap_or_else(|| format!("task {}", row.task));
            let numbers = [signed(row.mean_return, 2), percent(row.win_rate)];
            let [mean, won] = numbers;
            vec![name, row.games.to_string(), mean, won, signed(row.mean_turns, 2)]
        })
        .collect();
    let heading = [title.as_str(), "games", "mean return", "won", &plural(turn)];
    Some(output::table(&heading, &cells, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(total_reward: f64, won: bool, turns: usize) -> Outcome {
        Outcome { total_reward, turns, won, invalid: 0, repeated: 0, task: None, course: 0 }
    }

    #[test]
    fn the_games_of_a_task_are_one_row() {
        let played = [
            (Some(2), outcome(-4.0, false, 4)),
            (Some(0), outcome(-1.0, true, 2)),
            (Some(2), outcome(-1.0, true, 2)),
            (None, outcome(9.0, true, 1)),
        ];
        let rows = rows(&played, &["cat".to_string()]);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].name.as_deref(), rows[0].games), (Some("cat"), 1));
        let worst = TaskRow {
            task: 2,
            name: None,
            games: 2,
            mean_return: -2.5,
            win_rate: 0.5,
            mean_turns: 3.0,
        };
        assert_eq!(rows[1], worst);
        let text = table(&rows, "question", false).unwrap();
        assert!(text.starts_with("task    games  mean return"), "{text}");
        assert!(text.find("task 2").unwrap() < text.find("cat").unwrap(), "{text}");
        let text = table(&rows, "question", true).unwrap();
        assert!(text.find("cat").unwrap() < text.find("task 2").unwrap(), "{text}");
        assert_eq!(table(&rows[..1], "question", true), None);
    }
}
