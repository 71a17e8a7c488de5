//! The only file that draws.
//!
//! In a terminal: a bar for the phase, with the time left, and below it the last metrics, while
//! what is worth keeping scrolls by above. Elsewhere: a plain line now and then. All of it goes to
//! standard error, so that standard output holds results alone; a closed standard error is not
//! worth ending a training run for, and is ignored.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::{Stopwatch, spoken};
use crate::log::{Line, WARM_START};
use crate::number::{brief, interval, percent, plural, signed};

/// Seconds between two plain lines.
const PLAIN_EVERY: f64 = 10.0;

/// Where progress is shown.
pub struct Screen(Mode);

enum Mode {
    Quiet,
    Plain(Plain),
    Bars(Bars),
}

/// Says things above the bars, whatever the mode.
pub struct Speaker(Option<MultiProgress>);

impl Speaker {
    /// Says something that stays on the screen.
    pub fn say(&self, text: &str) {
        match &self.0 {
            Some(bars) if bars.println(text).is_ok() => {}
            _ => plain(text),
        }
    }

    /// Takes the bars away; what was said stays.
    pub fn finish(&self) {
        if let Some(bars) = &self.0 {
            let _ = bars.clear();
        }
    }
}

/// One line now and then.
struct Plain {
    since_line: Stopwatch,
    since_phase: Stopwatch,
    done_at_start: usize,
    phase: &'static str,
    first: bool,
}

/// A bar and a line of metrics below it.
struct Bars {
    all: MultiProgress,
    bar: ProgressBar,
    metrics: ProgressBar,
    phase: &'static str,
}

/// Whether the terminal can only show one line after the other.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

impl Screen {
    /// Bars in a terminal that can move its cursor, plain lines elsewhere, nothing where `quiet`.
    pub fn new(quiet: bool) -> Screen {
        Screen(if quiet {
            Mode::Quiet
        } else if io::stderr().is_terminal() && !is_dumb() {
            Mode::Bars(Bars::new())
        } else {
            Mode::Plain(Plain::new())
        })
    }

    /// Says something that stays on the screen.
    pub fn say(&self, text: &str) {
        if !matches!(self.0, Mode::Quiet) {
            self.speaker().say(text);
        }
    }

    /// A voice that other threads can have.
    pub fn speaker(&self) -> Speaker {
        match &self.0 {
            Mode::Bars(bars) => Speaker(Some(bars.all.clone())),
            _ => Speaker(None),
        }
    }

    /// Says something that must be known even where progress is not wanted.
    pub fn warn(&self, text: &str) {
        self.speaker().say(&format!("warning: {text}"));
    }

    /// Shows that `done` of `total` parts of `phase` are done.
    pub fn advance(&mut self, phase: &'static str, done: usize, total: usize) {
        match &mut self.0 {
            Mode::Quiet => {}
            Mode::Plain(plain) => plain.advance(phase, done, total, None),
            Mode::Bars(bars) => bars.advance(phase, done, total),
        }
    }

    /// The same, with what the last slice measured.
    pub fn report(&mut self, phase: &'static str, done: usize, total: usize, line: &Line) {
        if let Some(evaluation) = &line.evaluation {
            let when = match line.phase == WARM_START {
                true => "after the warm start".to_string(),
                false => format!("iteration {}", line.step),
            };
            self.say(&format!(
                "{when}: greedy return {}{}, win rate {}, {} {}",
                signed(evaluation.mean_return, 2),
                match interval(evaluation.return_ci95, ", ") {
                    unknown if unknown.is_empty() => unknown,
                    known => format!(" [{known}]"),
                },
                percent(evaluation.win_rate),
                signed(evaluation.mean_turns, 1),
                plural(&evaluation.turn),
            ));
        }
        match &mut self.0 {
            Mode::Quiet => {}
            Mode::Plain(plain) => plain.advance(phase, done, total, Some(line)),
            Mode::Bars(bars) => {
                bars.advance(phase, done, total);
                let text = metrics_text(line);
                if !text.is_empty() {
                    bars.metrics.set_message(text);
                }
            }
        }
    }

    /// Takes the bars away; what was said stays.
    pub fn finish(&self) {
        if let Mode::Bars(bars) = &self.0 {
            bars.bar.finish_and_clear();
            bars.metrics.finish_and_clear();
        }
    }
}

impl Plain {
    fn new() -> Plain {
        Plain {
            since_line: Stopwatch::start(),
            since_phase: Stopwatch::start(),
            done_at_start: 0,
            phase: "",
            first: true,
        }
    }

    fn advance(&mut self, phase: &'static str, done: usize, total: usize, line: Option<&Line>) {
        if self.phase != phase {
            self.phase = phase;
            self.since_phase = Stopwatch::start();
            self.done_at_start = done;
            self.first = true;
        }
        let due = self.first || done == total || self.since_line.seconds() >= PLAIN_EVERY;
        if !due {
            return;
        }
        self.first = false;
        self.since_line = Stopwatch::start();
        let mut text = format!("{phase} {done}/{total}");
        let progressed = done.saturating_sub(self.done_at_start);
        if progressed > 0 && done < total {
            let each = self.since_phase.seconds() / progressed as f64;
            text.push_str(&format!(", {} left", spoken(each * (total - done) as f64)));
        }
        let metrics = line.map(metrics_text).unwrap_or_default();
        if !metrics.is_empty() {
            text.push_str(" · ");
            text.push_str(&metrics);
        }
        plain(&text);
    }
}

impl Bars {
    fn new() -> Bars {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = all.add(ProgressBar::new(0));
        let style = "{prefix:<10} {wide_bar:.cyan/black} {pos}/{len}  {elapsed_precise}  {msg}";
        bar.set_style(style_of(style).progress_chars("━╸─"));
        let metrics = all.add(ProgressBar::new(0));
        metrics.set_style(style_of("           {wide_msg:.dim}"));
        Bars { all, bar, metrics, phase: "" }
    }

    fn advance(&mut self, phase: &'static str, done: usize, total: usize) {
        if self.phase != phase {
            self.phase = phase;
            self.bar.reset();
            self.bar.set_prefix(phase);
            self.bar.set_message("");
            self.metrics.set_message("");
            // The elapsed time goes on between slices, which may take half a minute each.
            self.bar.enable_steady_tick(Duration::from_millis(500));
            self.bar.set_length(total as u64);
            self.bar.set_position(done as u64);
            self.bar.reset_eta();
            return;
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        let left = self.bar.eta().as_secs_f64();
        if done < total && left > 0.0 {
            self.bar.set_message(format!("{} left", spoken(left)));
        }
    }
}

/// The last metrics in one line, whichever the slice has.
fn metrics_text(line: &Line) -> String {
    let mut parts = Vec::new();
    let mut add = |label: &str, value: Option<f64>, show: fn(f64) -> String| {
        if let Some(value) = value {
            parts.push(format!("{label} {}", show(value)));
        }
    };
    add("loss", line.metric("bc.loss"), brief);
    add("return", line.metric("rollout.return.mean"), |value| signed(value, 2));
    add("wins", line.metric("rollout.win_rate"), percent);
    let mean = |a: &str, b: &str| Some((line.metric(a)? + line.metric(b)?) / 2.0);
    add("Q loss", mean("q1.loss", "q2.loss"), brief);
    add("V loss", mean("v1.loss", "v2.loss"), brief);
    add("entropy", line.metric("rollout.entropy"), brief);
    if line.games > 0 && line.evaluation.is_none() {
        parts.push(format!("{} games/s", brief(line.timing.games_per_second)));
    }
    parts.join(" · ")
}

fn style_of(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}

fn plain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
