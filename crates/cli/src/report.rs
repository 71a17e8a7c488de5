//! What came of a run: the table at its end and `report.md`.
//!
//! The table compares on equal games: every row plays each secret word as often as the others, and
//! greedily, so that the difference between two rows is the difference between two players.

use archer::config::Config;
use archer::rl::metrics::describe;
use archer::train::evaluate::Evaluation;
use serde::{Deserialize, Serialize};

use crate::clock::spoken;
use crate::comparison;
use crate::log::{LEARN, Line};
use crate::number::{brief, interval, percent, plural, signed, thousands};
use crate::output;
use crate::train::History;

/// One row of the comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Who played.
    pub who: String,
    /// How well.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// Everything that the report is written from.
pub struct Summary<'a> {
    pub name: &'a str,
    pub device: &'a str,
    pub config: &'a Config,
    pub history: &'a History,
    /// What was told otherwise from some place on, as sentences.
    pub changes: &'a [String],
    pub rows: &'a [Row],
    pub optimum: Option<f64>,
    /// The files of the curves, the most telling first.
    pub plots: &'a [&'static str],
    /// What to type next: (the command, what it does).
    pub next: &'a [(String, String)],
}

/// The rows as cells, the optimum last.
fn cells(rows: &[Row], optimum: Option<f64>) -> Vec<Vec<String>> {
    let mut cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let e = &row.evaluation;
            vec![
                row.who.clone(),
                signed(e.mean_return, 2),
                interval(e.return_ci95, " to "),
                percent(e.win_rate),
                signed(e.mean_turns, 2),
            ]
        })
        .collect();
    if let Some(optimum) = optimum {
        let unknown = || String::new();
        cells.push(vec!["optimum".into(), signed(optimum, 2), unknown(), unknown(), unknown()]);
    }
    cells
}

/// The heading of the table, its turns called as the world calls them.
fn heading(rows: &[Row]) -> [String; 5] {
    let turn = rows.first().map_or("turn", |row| &row.evaluation.turn);
    let turns = plural(turn);
    ["agent", "mean return", "95 % interval", "win rate", &turns].map(str::to_string)
}

/// The comparison for a terminal.
pub fn table(rows: &[Row], optimum: Option<f64>) -> String {
    let heading = heading(rows);
    output::table(&heading.each_ref().map(String::as_str), &cells(rows, optimum), 1)
}

/// What a student lost of its teacher's return, where both have played.
pub fn loss(rows: &[Row]) -> Option<String> {
    let teacher = rows.iter().find(|row| row.who == comparison::TEACHER)?;
    let student = rows.last()?;
    let (gain, [low, high]) = student.evaluation.gain_over(&teacher.evaluation)?;
    let games = thousands(student.evaluation.games as f64);
    let spread = match low.is_finite() {
        true => format!("95 % interval {} to {}", signed(-high, 2), signed(-low, 2)),
        false => "alike in every game".to_string(),
    };
    Some(format!(
        "The student loses {} of its teacher's return ({spread}, game by game over the same {games}).",
        signed(-gain, 2),
    ))
}

/// The whole report in Markdown.
pub fn markdown(summary: &Summary<'_>) -> String {
    let config = summary.config;
    let learned = summary.history.last().filter(|line| line.phase == LEARN);
    let iterations = learned.map_or(0, |line| line.step);
    let games = match config.algorithm.is_offline() {
        true => learned.map_or(0, |line| line.games_total),
        false => summary.history.games(),
    };
    let mut text = format!(
        "# {}, seed {}\n\n\
         archer {} on {}: {} iterations, {} games learned from, {}.\n\
         The whole configuration is in `config.toml`, every number in `metrics.jsonl`; \
         `tensorboard --logdir tensorboard` draws them.\n",
        summary.name,
        config.seed,
        env!("CARGO_PKG_VERSION"),
        summary.device,
        thousands(iterations as f64),
        thousands(games as f64),
        spoken(summary.history.seconds()),
    );
    if !summary.changes.is_empty() {
        text.push_str("\nThe configuration changed on the way:\n\n");
        summary.changes.iter().for_each(|change| text.push_str(&format!("- {change}\n")));
    }
    if !summary.rows.is_empty() {
        let played = summary.rows[0].evaluation.games;
        text.push_str(&format!(
            "\n## Comparison\n\nGreedy play, {} games each, every task as often as {}.\n\n{}\n",
            thousands(played as f64),
            match config.world.get("weights").is_none() {
                true => "any other",
                false => "it weighs",
            },
            markdown_table(
                &heading(summary.rows).each_ref().map(String::as_str),
                &cells(summary.rows, summary.optimum)
            ),
        ));
        if let Some(loss) = loss(summary.rows) {
            text.push_str(&format!("\n{loss}\n"));
        }
    }
    text.push_str("\n## Curves\n\n");
    for (n, plot) in summary.plots.iter().enumerate() {
        // The first is the one to look at; the others are a click away.
        let (mark, end) = if n == 0 { ("!", "\n\n") } else { ("- ", "\n") };
        let name = plot.trim_end_matches(".svg").replace('_', " ");
        text.push_str(&format!("{mark}[{name}](plots/{plot}){end}"));
    }
    if let Some(last) = learned {
        text.push_str(&format!("\n## The last iteration ({})\n\n{}\n", last.step, metrics(last)));
    }
    text.push_str("\n## Next\n\n");
    for (command, purpose) in summary.next {
        text.push_str(&format!("- `{command}`: {purpose}\n"));
    }
    text
}

/// The metrics of a line with what they mean.
fn metrics(line: &Line) -> String {
    let rows: Vec<Vec<String>> = line
        .metrics
        .iter()
        .map(|(name, value)| {
            let info = describe(name);
            let value = value.map_or("not a number".to_string(), brief);
            let unit = info.map_or("", |info| info.unit);
            vec![
                format!("`{name}`"),
                format!("{value} {unit}").trim_end().to_string(),
                info.map_or("", |info| info.meaning).to_string(),
                info.map_or("", |info| info.healthy).to_string(),
            ]
        })
        .collect();
    markdown_table(&["metric", "value", "meaning", "in a healthy run"], &rows)
}

/// A table in Markdown.
pub fn markdown_table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        // A bar inside a cell would end it.
        let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let mut lines = vec![line(&mut heading.iter().copied())];
    lines.push(format!("|{}", "---|".repeat(heading.len())));
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}
