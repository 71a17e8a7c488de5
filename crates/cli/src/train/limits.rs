//! When a run ends before its last iteration: at a return that was reached, or when its time is up.

use archer::train::evaluate::Evaluation;

use crate::args::Running;
use crate::clock::Stopwatch;

/// The limits of one command. The time counts from its start.
pub struct Limits {
    until_return: Option<f64>,
    max_minutes: Option<f64>,
    since: Stopwatch,
}

impl Limits {
    /// The limits that were typed.
    pub fn of(running: &Running) -> Limits {
        let Running { until_return, max_minutes, .. } = *running;
        Limits { until_return, max_minutes, since: Stopwatch::start() }
    }

    /// The return that was asked for, if an evaluation reaches it: the lower end of its 95 % interval
    /// does, so that one lucky evaluation among many does not end a run. An evaluation without an
    /// interval counts by its mean.
    pub fn reached(&self, evaluation: &Evaluation) -> Option<f64> {
        let [low, _] = evaluation.return_ci95;
        let sure = if low.is_finite() { low } else { evaluation.mean_return };
        self.until_return.filter(|&asked| sure >= asked)
    }

    /// Whether the time is up.
    pub fn time_is_up(&self) -> bool {
        self.max_minutes.is_some_and(|minutes| self.since.seconds() >= 60.0 * minutes)
    }

    /// Seconds since the command began.
    pub fn seconds(&self) -> f64 {
        self.since.seconds()
    }
}

#[cfg(test)]
mod tests {
    use archer::train::evaluate::{Evaluation, Outcome};
    use archer_world::About;

    use super::*;

    fn evaluation(returns: &[f64]) -> Evaluation {
        let outcome = |&total_reward: &f64| Outcome {
            total_reward,
            turns: 1,
            won: false,
            invalid: 0,
            repeated: 0,
            task: None,
            // Each of them another game.
            course: total_reward.to_bits(),
        };
        let outcomes: Vec<Outcome> = returns.iter().map(outcome).collect();
        Evaluation::of(&About::new("door", 1), &outcomes)
    }

    #[test]
    fn the_lower_end_of_the_interval_must_reach_the_return() {
        let until =
            |asked| Limits::of(&Running { until_return: Some(asked), ..Running::default() });
        // Mean −3, interval −15.7 to 9.7: two games tell little.
        let uncertain = evaluation(&[-2.0, -4.0]);
        assert_eq!(until(-3.0).reached(&uncertain), None);
        assert_eq!(until(-15.0).reached(&uncertain), None);
        assert_eq!(until(-16.0).reached(&uncertain), Some(-16.0));
        assert_eq!(until(-3.0).reached(&evaluation(&[-3.0])), Some(-3.0));
        assert_eq!(Limits::of(&Running::default()).reached(&uncertain), None);
    }

    #[test]
    fn time_is_up_when_it_was_given_and_is_over() {
        let minutes = |max_minutes| Limits::of(&Running { max_minutes, ..Running::default() });
        assert!(minutes(Some(0.0)).time_is_up());
        assert!(!minutes(Some(1e6)).time_is_up() && !minutes(None).time_is_up());
    }
}
