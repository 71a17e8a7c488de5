//! Which charts a run is told in, drawn from the lines of its log.

use archer::train::evaluate::Evaluation;

use crate::chart::{self, Chart, Level, Series};
use crate::log::{LEARN, Line, WARM_START};
use crate::number::signed;

/// The charts that can be drawn from `lines`, by file name. The first shows what the run is about:
/// the return, with the `optimum` where it is known and the level that the warm start reached.
pub fn draw(title: &str, lines: &[&Line], optimum: Option<f64>) -> Vec<(&'static str, String)> {
    let learning = Learning::of(lines);
    let charts = [
        ("return.svg", learning.returns(title, optimum)),
        ("losses.svg", learning.losses()),
        ("advantage.svg", learning.advantage()),
        ("entropy.svg", learning.entropy()),
        ("divergence.svg", learning.divergence()),
        ("questions.svg", learning.questions()),
        ("warm_start.svg", warm_start(lines)),
    ];
    charts.into_iter().filter_map(|(name, chart)| Some((name, chart.svg()?))).collect()
}

/// The lines of the learning phase, over the games that had been played by then, or over the
/// iterations where all games were given at the beginning.
struct Learning<'a> {
    /// The evaluation with which the warm start ended.
    start: Option<&'a Evaluation>,
    lines: Vec<(f64, &'a Line)>,
    /// What the lines stand over.
    axis: &'static str,
}

impl<'a> Learning<'a> {
    fn of(lines: &[&'a Line]) -> Self {
        let lines = || lines.iter().copied();
        let start = lines().rfind(|line| line.phase == WARM_START);
        let learning = || lines().filter(|line| line.phase == LEARN);
        let plays = learning().next().is_none() || learning().any(|line| line.games > 0);
        let place = |line: &Line| if plays { line.games_total as f64 } else { line.step as f64 };
        Learning {
            start: start.and_then(|line| line.evaluation.as_ref()),
            lines: learning().map(|line| (place(line), line)).collect(),
            axis: if plays { "games played while learning" } else { "iterations" },
        }
    }

    fn returns(&self, title: &str, optimum: Option<f64>) -> Chart {
        let later =
            || self.lines.iter().filter_map(|(x, line)| Some((*x, line.evaluation.as_ref()?)));
        let evaluated = || self.start.map(|start| (0.0, start)).into_iter().chain(later());
        let mut levels = Vec::new();
        if let Some(value) = optimum {
            let label = format!("optimum {}", signed(value, 2));
            levels.push(Level { label, color: chart::GREEN, value });
        }
        if let Some(start) = self.start {
            let value = start.mean_return;
            let label = format!("warm start {}", signed(value, 2));
            levels.push(Level { label, color: chart::GREY, value });
        }
        let greedy = Series {
            label: "greedy evaluation, with its 95 % interval".to_string(),
            color: chart::BLUE,
            points: evaluated().map(|(x, e)| (x, e.mean_return)).collect(),
            band: evaluated()
                .map(|(x, e)| (x, e.return_ci95[0], e.return_ci95[1]))
                .filter(|(_, low, _)| low.is_finite())
                .collect(),
            thick: true,
        };
        let sampled = self.series("sampled games", "rollout.return.mean", chart::ORANGE);
        Chart {
            levels,
            ..self.chart(title, "mean return of a game (points)", vec![sampled, greedy])
        }
    }

    fn losses(&self) -> Chart {
        let series = vec![
            self.series("Q1", "q1.loss", chart::BLUE),
            self.series("Q2", "q2.loss", chart::PURPLE),
            self.series("V1", "v1.loss", chart::ORANGE),
            self.series("V2", "v2.loss", chart::GREEN),
        ];
        self.chart("Losses of the critic", "mean squared error (return²)", series)
    }

    fn advantage(&self) -> Chart {
        let mut series =
            self.series("mean, with one standard deviation", "advantages.mean", chart::BLUE);
        let spread =
            |line: &Line| Some((line.metric("advantages.mean")?, line.metric("advantages.std")?));
        series.band = self
            .lines
            .iter()
            .filter_map(|(x, line)| {
                let (mean, std) = spread(line)?;
                Some((*x, mean - std, mean + std))
            })
            .collect();
        series.thick = true;
        self.chart("Advantage of fresh actions", "min Q − min V (return)", vec![series])
    }

    fn entropy(&self) -> Chart {
        let series = vec![
            self.series("while playing", "rollout.entropy", chart::ORANGE),
            self.series("while learning", "actor.entropy", chart::BLUE),
        ];
        self.chart("Entropy of the policy", "nats per token", series)
    }

    fn divergence(&self) -> Chart {
        let mut series = self.series("KL(teacher ‖ student)", "distill.kl", chart::BLUE);
        series.thick = true;
        self.chart("Divergence of the student", "nats per token", vec![series])
    }

    fn questions(&self) -> Chart {
        let mut series = vec![
            self.series("unreadable", "rollout.invalid_rate", chart::ORANGE),
            self.series("asked before in the same game", "rollout.repeat_rate", chart::BLUE),
        ];
        for point in series.iter_mut().flat_map(|series| &mut series.points) {
            point.1 *= 100.0;
        }
        self.chart("Wasted questions", "share of questions (%)", series)
    }

    fn series(&self, label: &str, metric: &str, color: plotters::style::RGBColor) -> Series {
        let points = self.lines.iter().filter_map(|(x, line)| Some((*x, line.metric(metric)?)));
        Series {
            label: label.to_string(),
            color,
            points: points.collect(),
            band: Vec::new(),
            thick: false,
        }
    }

    fn chart(&self, title: &str, y_label: &str, series: Vec<Series>) -> Chart {
        Chart {
            title: title.to_string(),
            x_label: self.axis.to_string(),
            y_label: y_label.to_string(),
            series,
            levels: Vec::new(),
            log_x: false,
        }
    }
}

fn warm_start(lines: &[&Line]) -> Chart {
    let steps = lines.iter().filter(|line| line.phase == WARM_START);
    let points = steps.filter_map(|line| Some((line.step as f64, line.metric("bc.loss")?)));
    Chart {
        title: "Loss of the warm start".to_string(),
        x_label: "gradient steps".to_string(),
        y_label: "negative log-probability (nats per utterance)".to_string(),
        series: vec![Series {
            label: "behaviour cloning".to_string(),
            color: chart::BLUE,
            points: points.collect(),
            band: Vec::new(),
            thick: true,
        }],
        levels: Vec::new(),
        log_x: false,
    }
}
