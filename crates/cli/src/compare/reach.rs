//! How many games an algorithm needs to come to a return and to stay there.
//!
//! A run has reached a return at the first evaluation from which on no later one of the run lies below
//! it. A run that never does needs more games than it had, however many; it counts as such in the
//! median and in each draw of the bootstrap, so that an algorithm that fails on half of its seeds has
//! no median rather than a flattering one.

use archer::rng;
use serde::Serialize;

/// Draws of the bootstrap.
const RESAMPLES: usize = 2000;

/// Returns that are asked for where none is named.
const SHARES: [f64; 3] = [0.5, 0.75, 0.9];

/// What it took to come to a return.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reach {
    /// The mean return of greedy play that was to be reached.
    pub target: f64,
    /// Seeds that reached it, and all of them.
    pub reached: usize,
    pub seeds: usize,
    /// Median over the seeds of the games that were needed; none where half of them never reached it.
    pub games: Option<f64>,
    /// Its 95 % interval by the percentile bootstrap over seeds; an end that is none lies beyond the
    /// games of a run. None at all of a single seed.
    pub games_ci95: Option<[Option<f64>; 2]>,
    /// Median of the seconds of the run until then, warm start and evaluations included.
    pub seconds: Option<f64>,
}

impl Reach {
    /// What the runs of some seeds needed. Each curve has the returns in order, over games or seconds.
    pub fn of(target: f64, by_games: &[&[(f64, f64)]], by_seconds: &[&[(f64, f64)]]) -> Self {
        let needed: Vec<f64> = by_games.iter().map(|curve| needed(curve, target)).collect();
        let seconds: Vec<f64> =
            by_seconds.iter().map(|curve| self::needed(curve, target)).collect();
        Self {
            target,
            reached: needed.iter().filter(|games| games.is_finite()).count(),
            seeds: needed.len(),
            games: finite(median(&needed)),
            games_ci95: interval(&needed),
            seconds: finite(median(&seconds)),
        }
    }
}

/// Returns between where learning began and the best that was reached, for a comparison that names
/// none; rounded, so that they can be typed.
pub fn between(begun: f64, best: f64) -> Vec<f64> {
    let mut targets = SHARES.map(|share| rounded(begun + share * (best - begun))).to_vec();
    targets.dedup();
    targets
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Where a curve comes to a return and stays; infinite where it does not.
fn needed(curve: &[(f64, f64)], target: f64) -> f64 {
    let below = curve.iter().rposition(|(_, value)| *value < target);
    let first = below.map_or(0, |place| place + 1);
    curve.get(first).map_or(f64::INFINITY, |(x, _)| *x)
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The median of at least one value.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

fn interval(values: &[f64]) -> Option<[Option<f64>; 2]> {
    if values.len() < 2 {
        return None;
    }
    // Always the same draws, so that the same runs give the same figure.
    let mut rng = rng::stream(0, "bootstrap", 0);
    let mut draw = || values[rng::below(&mut rng, values.len())];
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| median(&(0..values.len()).map(|_| draw()).collect::<Vec<_>>()))
        .collect();
    medians.sort_by(f64::total_cmp);
    let at = |share: f64| finite(medians[(share * (RESAMPLES - 1) as f64).round() as usize]);
    Some([at(0.025), at(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_is_reached_where_it_is_kept() {
        let curve = [(0.0, -9.0), (64.0, -3.0), (128.0, -5.0), (192.0, -3.0), (256.0, -2.8)];
        assert_eq!(needed(&curve, -3.2), 192.0);
        assert_eq!(needed(&curve, -6.0), 64.0);
        assert_eq!(needed(&curve, -9.0), 0.0);
        assert_eq!(needed(&curve, -2.0), f64::INFINITY);
        assert_eq!(needed(&[], -2.0), f64::INFINITY);
    }

    #[test]
    fn who_never_reaches_it_counts() {
        let (fast, slow, never) =
            ([(0.0, -9.0), (10.0, -3.0)], [(0.0, -9.0), (30.0, -3.0)], [(0.0, -9.0), (30.0, -8.0)]);
        let reach = |curves: &[&[(f64, f64)]]| Reach::of(-4.0, curves, curves);
        let two = reach(&[&fast, &slow, &never]);
        assert_eq!(
            (two.reached, two.seeds, two.games, two.seconds),
            (2, 3, Some(30.0), Some(30.0))
        );
        let Some([low, high]) = two.games_ci95 else { panic!("three seeds have an interval") };
        assert_eq!((low, high), (Some(10.0), None));
        let one = reach(&[&fast, &never, &never]);
        assert_eq!((one.reached, one.games), (1, None));
        // Of two, one of which never comes there, the median is beyond.
        assert_eq!(reach(&[&fast, &never]).games, None);
        assert_eq!(reach(&[&fast]).games_ci95, None);
    }

    #[test]
    fn targets_lie_between_the_beginning_and_the_best() {
        assert_eq!(between(-9.0, -2.8), [-5.9, -4.4, -3.4]);
        assert_eq!(between(-3.0, -3.0), [-3.0]);
    }
}
