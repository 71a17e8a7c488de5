//! What came of a comparison: its numbers, the table, the charts, and how to have them again.

use archer::config::Algorithm;
use archer::train::evaluate::Evaluation;
use serde::Serialize;

use super::Run;
use super::curves::{Estimate, Point, interquartile_mean, together};
use super::reach::{self, Reach};
use crate::chart::{self, Chart, Level, Series};
use crate::clock::spoken;
use crate::error::Error;
use crate::log::{LEARN, Line};
use crate::number::{percent, signed, thousands, with_interval};
use crate::output;
use crate::report::markdown_table;
use crate::run_dir;

const GAMES: &str = "return_by_games.svg";
const SECONDS: &str = "return_by_seconds.svg";

/// Everything that is told; as JSON, the content of `comparison.json`.
#[derive(Serialize)]
pub struct Summary {
    /// What was typed.
    command: String,
    version: &'static str,
    device: String,
    /// The best mean return there is, where it is known.
    optimum_return: Option<f64>,
    algorithms: Vec<Outcome>,
    #[serde(skip)]
    by_games: bool,
}

/// What the table ranks by.
pub enum Ranking {
    /// The return at the end.
    Return,
    /// The games until these returns were reached; with none named, until some between the beginning
    /// and the best.
    Games(Vec<f64>),
}

/// The runs that a `comparison.json` tells of, algorithm and seed each; `None` if it is none.
pub fn runs_in(value: &serde_json::Value) -> Option<Vec<(String, u64)>> {
    let mut runs = Vec::new();
    for outcome in value["algorithms"].as_array()? {
        let algorithm = outcome["algorithm"].as_str()?;
        for seed in outcome["seeds"].as_array()? {
            runs.push((algorithm.to_string(), seed["seed"].as_u64()?));
        }
    }
    Some(runs)
}

/// What came of one algorithm.
#[derive(Serialize)]
struct Outcome {
    algorithm: &'static str,
    title: &'static str,
    seeds: Vec<Seed>,
    /// The games that were needed to reach a return, for each that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reach: Vec<Reach>,
    /// The final mean return over seeds.
    #[serde(rename = "final")]
    last: Estimate,
    /// The mean return of greedy play during training, over the games learned from.
    by_games: Vec<Point>,
    /// The same over the seconds that the runs took until then, on average; warm start and
    /// evaluations included.
    by_seconds: Vec<Point>,
}

/// What came of one run.
#[derive(Serialize)]
struct Seed {
    seed: u64,
    /// Its folder, beside this file.
    run: String,
    /// The command that makes it again.
    command: String,
    /// Games learned from, and seconds that the run took.
    games: u64,
    seconds: f64,
    #[serde(rename = "final")]
    last: Evaluation,
    #[serde(skip)]
    by_games: Vec<(f64, f64)>,
    #[serde(skip)]
    by_seconds: Vec<(f64, f64)>,
}

impl Summary {
    /// Reads what the runs have left.
    pub fn of(
        runs: &[Run],
        command: String,
        device: String,
        ranking: &Ranking,
    ) -> Result<Summary, Error> {
        let mut algorithms: Vec<Outcome> = Vec::new();
        for of_one in runs.chunk_by(|a, b| a.algorithm == b.algorithm) {
            let seeds = of_one.iter().map(Seed::of).collect::<Result<Vec<_>, _>>()?;
            algorithms.push(Outcome::of(of_one[0].algorithm, seeds));
        }
        let mut evaluations =
            algorithms.iter().flat_map(|outcome| &outcome.seeds).map(|seed| &seed.last);
        let optimum_return = evaluations.find_map(|evaluation| evaluation.optimum_return);
        let version = env!("CARGO_PKG_VERSION");
        let by_games = matches!(ranking, Ranking::Games(_));
        if let Ranking::Games(targets) = ranking {
            let targets = match targets.is_empty() {
                true => reach::between(begun(&algorithms), best(&algorithms)),
                false => targets.clone(),
            };
            algorithms.iter_mut().for_each(|outcome| outcome.see_reach(&targets));
        }
        Ok(Summary { command, version, device, optimum_return, algorithms, by_games })
    }

    /// The numbers as JSON.
    pub fn json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::Failure(format!("the comparison cannot be written: {e}")))?;
        Ok(text + "\n")
    }

    /// The table for a terminal, after that of the games needed where they are ranked by.
    pub fn table(&self) -> String {
        let finals = output::table(&HEADING, &self.cells(), 1);
        match self.by_games {
            true => {
                format!("{}\n\n{finals}", output::table(&REACH_HEADING, &self.reach_cells(), 2))
            }
            false => finals,
        }
    }

    /// For each return who reached it with how many games, the fewest first.
    fn reach_cells(&self) -> Vec<Vec<String>> {
        let targets = self.algorithms.first().map_or(0, |outcome| outcome.reach.len());
        let mut cells = Vec::new();
        for target in 0..targets {
            let mut ranked: Vec<(&Outcome, &Reach)> =
                self.algorithms.iter().map(|outcome| (outcome, &outcome.reach[target])).collect();
            let games = |reach: &Reach| reach.games.unwrap_or(f64::INFINITY);
            ranked.sort_by(|(_, a), (_, b)| games(a).total_cmp(&games(b)));
            cells.extend(ranked.into_iter().map(|(outcome, reach)| outcome.reach_cells(reach)));
        }
        cells
    }

    /// The best first, the optimum above all.
    fn cells(&self) -> Vec<Vec<String>> {
        let mut ranked: Vec<&Outcome> = self.algorithms.iter().collect();
        ranked.sort_by(|a, b| b.last.iqm.total_cmp(&a.last.iqm));
        let mut cells: Vec<Vec<String>> = ranked.into_iter().map(Outcome::cells).collect();
        if let Some(optimum) = self.optimum_return {
            let mut row = vec![String::new(); HEADING.len()];
            (row[0], row[1]) = ("optimum".to_string(), signed(optimum, 2));
            cells.insert(0, row);
        }
        cells
    }

    /// The whole of it in Markdown.
    pub fn markdown(&self) -> String {
        let seeds: Vec<&Seed> = self.algorithms.iter().flat_map(|o| &o.seeds).collect();
        let last = seeds.first().map(|seed| &seed.last);
        let (world, games) = last.map_or(("", 0), |last| (&last.environment, last.games));
        let mut text = format!(
            "# Comparison on {world}\n\n\
             archer {} on {}. Greedy play at the end of each run, {} games, every task as often as any \
             other or as often as it weighs; interquartile mean over the seeds and its 95 % \
             interval by the bootstrap over them. Numbers and curves: `comparison.json`.\n\n{}\n\n",
            self.version,
            self.device,
            thousands(games as f64),
            markdown_table(&HEADING, &self.cells()),
        );
        if self.by_games {
            text.push_str(&format!(
                "Games until greedy play reached a return and stayed there, by the evaluations in \
                 training: median over the seeds, its 95 % interval by the bootstrap over them, and \
                 the median of the seconds until then.\n\n{}\n\n",
                markdown_table(&REACH_HEADING, &self.reach_cells())
            ));
        }
        for (name, title) in [(GAMES, "Return by games"), (SECONDS, "Return by seconds")] {
            text.push_str(&format!("![{title}]({name})\n\n"));
        }
        text.push_str(
            "Seconds count the whole run, warm start and evaluations included, and are those of a \
             machine that may have done other work beside it.\n\n## How to have it again\n\n",
        );
        text.push_str(&format!("```sh\n{}\n```\n\n", self.command));
        let rows: Vec<Vec<String>> = seeds.into_iter().map(Seed::cells).collect();
        text.push_str(&markdown_table(&["run", "final return", "games", "time", "alone"], &rows));
        text.push('\n');
        text
    }

    /// The charts that can be drawn, by file name.
    pub fn charts(&self) -> Vec<(&'static str, String)> {
        let charts = [
            (
                GAMES,
                Chart {
                    log_x: self.by_games,
                    ..self.chart("Return by games", "games learned from", |o| &o.by_games)
                },
            ),
            (SECONDS, self.chart("Return by time", "seconds of the run", |o| &o.by_seconds)),
        ];
        charts.into_iter().filter_map(|(name, chart)| Some((name, chart.svg()?))).collect()
    }

    fn chart(&self, title: &str, x_label: &str, curve: fn(&Outcome) -> &Vec<Point>) -> Chart {
        let (mut series, mut levels) = (Vec::new(), Vec::new());
        if let Some(value) = self.optimum_return {
            let label = format!("optimum {}", signed(value, 2));
            levels.push(Level { label, color: chart::GREY, value });
        }
        let seeds = self.algorithms.iter().map(|outcome| outcome.seeds.len()).max().unwrap_or(0);
        for (outcome, color) in self.algorithms.iter().zip(chart::COLORS.into_iter().cycle()) {
            let points = curve(outcome);
            let moves = points.first().zip(points.last()).is_some_and(|(a, b)| a.x < b.x);
            if !moves {
                // It does not play to learn, or does not learn: one level for all of the axis.
                let value = points.last().map_or(outcome.last.iqm, |point| point.estimate.iqm);
                let label = format!("{} {}", outcome.title, signed(value, 2));
                levels.push(Level { label, color, value });
                continue;
            }
            let band = points.iter().filter_map(|p| {
                let [low, high] = p.estimate.ci95?;
                Some((p.x, low, high))
            });
            series.push(Series {
                label: outcome.title.to_string(),
                color,
                points: points.iter().map(|p| (p.x, p.estimate.iqm)).collect(),
                band: band.collect(),
                thick: true,
            });
        }
        let over = match seeds {
            1 => "one seed".to_string(),
            n => format!("interquartile mean of {n} seeds, 95 % interval"),
        };
        Chart {
            title: format!("{title}: {over}"),
            x_label: x_label.to_string(),
            y_label: "mean return of greedy play (points)".to_string(),
            series,
            levels,
            log_x: false,
        }
    }
}

const REACH_HEADING: [&str; 6] =
    ["return", "algorithm", "games (median)", "95 % interval", "seeds", "time (median)"];

/// Where greedy play stood when learning began, over all runs.
fn begun(algorithms: &[Outcome]) -> f64 {
    let first = |seed: &Seed| seed.by_games.first().map(|(_, value)| *value);
    let seeds = algorithms.iter().flat_map(|outcome| &outcome.seeds);
    let values: Vec<f64> = seeds.filter_map(first).collect();
    if values.is_empty() { best(algorithms) } else { interquartile_mean(&values) }
}

/// The best of the algorithms at its end.
fn best(algorithms: &[Outcome]) -> f64 {
    algorithms.iter().map(|outcome| outcome.last.iqm).fold(f64::NEG_INFINITY, f64::max)
}

const HEADING: [&str; 7] =
    ["algorithm", "return (IQM)", "95 % interval", "win rate", "seeds", "games", "time of a run"];

impl Outcome {
    fn of(algorithm: Algorithm, seeds: Vec<Seed>) -> Self {
        let finals: Vec<f64> = seeds.iter().map(|seed| seed.last.mean_return).collect();
        let curves = |of: fn(&Seed) -> &Vec<(f64, f64)>| {
            together(&seeds.iter().map(|seed| of(seed).clone()).collect::<Vec<_>>())
        };
        Self {
            algorithm: algorithm.name(),
            title: algorithm.title(),
            reach: Vec::new(),
            last: Estimate::of(&finals),
            by_games: curves(|seed| &seed.by_games),
            by_seconds: curves(|seed| &seed.by_seconds),
            seeds,
        }
    }

    fn see_reach(&mut self, targets: &[f64]) {
        let curves = |of: fn(&Seed) -> &Vec<(f64, f64)>| -> Vec<&[(f64, f64)]> {
            self.seeds.iter().map(|seed| of(seed).as_slice()).collect()
        };
        let (games, seconds) = (curves(|seed| &seed.by_games), curves(|seed| &seed.by_seconds));
        self.reach = targets.iter().map(|target| Reach::of(*target, &games, &seconds)).collect();
    }

    fn reach_cells(&self, reach: &Reach) -> Vec<String> {
        let most = self.seeds.iter().map(|seed| seed.games).max().unwrap_or(0) as f64;
        let beyond = || format!("over {}", thousands(most));
        let shown = |games: Option<f64>| games.map_or_else(beyond, thousands);
        let interval = reach.games_ci95.map(|ends| ends.map(shown));
        vec![
            signed(reach.target, 2),
            self.title.to_string(),
            shown(reach.games),
            interval.map_or("–".into(), |[low, high]| format!("{low} to {high}")),
            format!("{} of {}", reach.reached, reach.seeds),
            reach.seconds.map_or("–".into(), spoken),
        ]
    }

    fn cells(&self) -> Vec<String> {
        let n = self.seeds.len() as f64;
        let mean = |of: fn(&Seed) -> f64| self.seeds.iter().map(of).sum::<f64>() / n;
        let interval = self.last.ci95.map(|ends| ends.map(|end| signed(end, 2)));
        vec![
            self.title.to_string(),
            signed(self.last.iqm, 2),
            interval.map_or("–".to_string(), |[low, high]| format!("{low} to {high}")),
            percent(mean(|seed| seed.last.win_rate)),
            self.seeds.len().to_string(),
            thousands(mean(|seed| seed.games as f64)),
            spoken(mean(|seed| seed.seconds)),
        ]
    }
}

impl Seed {
    fn of(run: &Run) -> Result<Self, Error> {
        let lines = run_dir::lines(&run.root)?;
        let (mut by_games, mut by_seconds, mut seconds) = (Vec::new(), Vec::new(), 0.0);
        for line in &lines {
            seconds += line.timing.seconds;
            if let Some(evaluation) = &line.evaluation {
                by_games.push((line.games_total as f64, evaluation.mean_return));
                by_seconds.push((seconds, evaluation.mean_return));
            }
        }
        let measured = run_dir::comparison(&run.root)?.pop().map(|row| row.evaluation);
        let last = measured.or_else(|| lines.iter().rev().find_map(|line| line.evaluation.clone()));
        let last = last.ok_or_else(|| {
            Error::Failure(format!(
                "{} was never measured: remove it, and give --final-games 1 or more",
                run.root.display()
            ))
        })?;
        if run.algorithm.is_offline() {
            // What it was given counts from the beginning; the level that it started from has no
            // place on that axis.
            by_games.retain(|(games, _)| *games > 0.0);
        }
        let learned = lines.iter().rfind(|line: &&Line| line.phase == LEARN);
        Ok(Self {
            seed: run.seed,
            run: run.folder(),
            command: run.command(),
            games: learned.map_or(0, |line| line.games_total),
            seconds,
            last,
            by_games,
            by_seconds,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            format!("[{}]({}/report.md)", self.run, self.run),
            with_interval(self.last.mean_return, self.last.return_ci95),
            thousands(self.games as f64),
            spoken(self.seconds),
            format!("`{}`", self.command),
        ]
    }
}
