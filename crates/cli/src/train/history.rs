//! What the curves and the report need of a run's log, in memory that does not grow with the run.

use archer::train::evaluate::Evaluation;

use crate::log::{LEARN, Line};

/// Lines of one kind that are kept at most. A chart has about as many points in its width.
const MOST: usize = 1000;

/// A log as far as it is drawn and told: sums over all lines, the best evaluation, and lines at equal
/// distances.
///
/// It follows from the lines and their order alone. So a run that goes on draws what it would have drawn.
#[derive(Default)]
pub struct History {
    /// Apart by phase, and by whether a line has an evaluation: those are fewer and tell more.
    kinds: [Thinned; 4],
    /// How many lines there were.
    count: usize,
    last: Option<Line>,
    best: Option<Evaluation>,
    optimum: Option<f64>,
    games: u64,
    seconds: f64,
}

impl History {
    /// The history of such lines.
    pub fn of(lines: Vec<Line>) -> History {
        let mut history = History::default();
        for line in lines {
            history.push(line);
        }
        history
    }

    /// Adds a line; whether its evaluation is better than every one before it.
    pub fn push(&mut self, line: Line) -> bool {
        let learns = line.phase == LEARN;
        self.seconds += line.timing.seconds;
        self.games += if learns { line.games as u64 } else { 0 };
        let improved = line.evaluation.as_ref().is_some_and(|evaluation| {
            let best = self.best.as_ref().map_or(f64::NEG_INFINITY, |best| best.mean_return);
            evaluation.mean_return > best
        });
        if improved {
            self.best = line.evaluation.clone();
        }
        if let Some(evaluation) = &line.evaluation {
            self.optimum = evaluation.optimum_return;
        }
        let kind = usize::from(learns) + 2 * usize::from(line.evaluation.is_some());
        self.kinds[kind].push(self.count, drawn(&line));
        self.count += 1;
        self.last = Some(line);
        improved
    }

    /// The lines that are kept, in their order. Up to 1,000 of a kind these are all; the last one of each
    /// kind is always among them.
    pub fn lines(&self) -> Vec<&Line> {
        let mut lines: Vec<&(usize, Line)> = self.kinds.iter().flat_map(Thinned::lines).collect();
        lines.sort_by_key(|(place, _)| *place);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The last line.
    pub fn last(&self) -> Option<&Line> {
        self.last.as_ref()
    }

    /// The evaluation with the highest mean return, the first of equal ones.
    pub fn best(&self) -> Option<&Evaluation> {
        self.best.as_ref()
    }

    /// The best return there is, where the last evaluation knows it.
    pub fn optimum(&self) -> Option<f64> {
        self.optimum
    }

    /// Games played to learn from, over all lines of the learning phase.
    pub fn games(&self) -> u64 {
        self.games
    }

    /// Seconds that all lines took.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// A line without the return of each single game, which no curve shows.
fn drawn(line: &Line) -> Line {
    let mut line = line.clone();
    if let Some(evaluation) = &mut line.evaluation {
        evaluation.returns = Vec::new();
    }
    line
}

/// Lines at equal distances, with their places in the log, and the last one.
struct Thinned {
    lines: Vec<(usize, Line)>,
    newest: Option<(usize, Line)>,
    /// Every so many are kept.
    every: usize,
    /// How many there were.
    count: usize,
}

impl Default for Thinned {
    fn default() -> Thinned {
        Thinned { lines: Vec::new(), newest: None, every: 1, count: 0 }
    }
}

impl Thinned {
    fn push(&mut self, place: usize, line: Line) {
        if self.lines.len() == MOST {
            let mut n = 0;
            self.lines.retain(|_| {
                n += 1;
                n % 2 == 1
            });
            self.every *= 2;
        }
        self.newest = match self.count.is_multiple_of(self.every) {
            true => {
                self.lines.push((place, line));
                None
            }
            false => Some((place, line)),
        };
        self.count += 1;
    }

    fn lines(&self) -> impl Iterator<Item = &(usize, Line)> {
        self.lines.iter().chain(&self.newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::WARM_START;

    fn line(phase: &str, step: usize) -> Line {
        let text = format!(
            r#"{{"phase":"{phase}","step":{step},"games":2,"games_total":{},"tokens":0,
                "timing":{{"at":0,"seconds":0.5,"games_per_second":0,"tokens_per_second":0}}}}"#,
            2 * step
        );
        serde_json::from_str(&text).unwrap()
    }

    fn steps(history: &History) -> Vec<usize> {
        history.lines().iter().map(|line| line.step).collect()
    }

    #[test]
    fn a_thousand_lines_are_all_kept() {
        let history = History::of((1..=1000).map(|step| line(LEARN, step)).collect());
        assert_eq!(steps(&history), (1..=1000).collect::<Vec<_>>());
    }

    #[test]
    fn more_lines_are_kept_at_equal_distances_with_the_last() {
        let history = History::of((1..=10_000).map(|step| line(LEARN, step)).collect());
        let mut expected: Vec<usize> = (1..=10_000).step_by(16).collect();
        expected.push(10_000);
        assert_eq!(steps(&history), expected);
        assert_eq!((history.games(), history.seconds()), (20_000, 5000.0));
        assert_eq!(history.last().unwrap().step, 10_000);
    }

    #[test]
    fn the_phases_are_thinned_apart_and_stay_in_order() {
        let warm = (1..=3).map(|step| line(WARM_START, step));
        let history = History::of(warm.chain((1..=1001).map(|step| line(LEARN, step))).collect());
        let lines = history.lines();
        assert_eq!(lines.iter().filter(|line| line.phase == WARM_START).count(), 3);
        assert_eq!(lines[3].step, 1);
        assert_eq!(lines.last().unwrap().step, 1001);
        assert_eq!(history.games(), 2002, "those of the warm start do not count");
    }
}
