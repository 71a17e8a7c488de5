//! The only place that looks at the clock.
//!
//! The core has none, so that the same run gives the same numbers; what took how long is measured
//! here, between the slices of work.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The time of day, in seconds since 1970; 0 on a machine whose clock stands before it.
pub fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A stopwatch.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// A span of time as a person would say it: `48 s`, `3 min 20 s`, `2 h 5 min`.
pub fn spoken(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_two_units_at_most() {
        assert_eq!(spoken(0.4), "0 s");
        assert_eq!(spoken(59.6), "1 min 0 s");
        assert_eq!(spoken(200.0), "3 min 20 s");
        assert_eq!(spoken(7500.0), "2 h 5 min");
    }
}
