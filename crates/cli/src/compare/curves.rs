//! What several seeds say together: interquartile means, bootstrap intervals, curves.
//!
//! The interquartile mean leaves out the lowest and the highest quarter, so that one run that broke
//! or got lucky does not decide; the interval tells what another draw of seeds might have given.
//! Both as Agarwal et al. recommend for a handful of runs (NeurIPS 2021, arXiv:2108.13264).

use archer::rng;
use serde::Serialize;

/// Draws of the bootstrap.
const RESAMPLES: usize = 2000;

/// What some seeds say together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Interquartile mean.
    pub iqm: f64,
    /// Its 95 % interval by the percentile bootstrap over seeds; none of a single seed, nor where all
    /// seeds gave the same: what did not vary tells nothing of how it might.
    pub ci95: Option<[f64; 2]>,
}

impl Estimate {
    /// The estimate from one value of each seed, of which there must be one.
    pub fn of(values: &[f64]) -> Self {
        let iqm = interquartile_mean(values);
        if values.windows(2).all(|pair| pair[0] == pair[1]) {
            return Self { iqm, ci95: None };
        }
        // Always the same draws, so that the same runs give the same figure.
        let mut rng = rng::stream(0, "bootstrap", 0);
        let mut means: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let drawn = values.iter().map(|_| values[rng::below(&mut rng, values.len())]);
                interquartile_mean(&drawn.collect::<Vec<_>>())
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
        Self { iqm, ci95: Some([at(0.025), at(0.975)]) }
    }
}

/// The mean of the middle half. Where a quarter of the values is no whole number, those at its edge
/// count in part: of three, the middle one wholly and the others by a quarter each.
///
/// # Panics
/// If there is no value.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    assert!(!values.is_empty(), "a mean of nothing");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, last) = (sorted.len() as f64 / 4.0, 0.75 * sorted.len() as f64);
    let (mut sum, mut weights) = (0.0, 0.0);
    for (i, value) in sorted.iter().enumerate() {
        // The part of [i, i + 1] that lies in the middle half.
        let weight = ((i + 1) as f64).min(last) - (i as f64).max(first);
        if weight > 0.0 {
            sum += weight * value;
            weights += weight;
        }
    }
    sum / weights
}

/// A point of a curve over several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Games, or seconds.
    pub x: f64,
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// One curve from that of each seed: all were measured after the same iterations, and each such
/// place becomes a point, at the mean of where the seeds stood then.
pub fn together(seeds: &[Vec<(f64, f64)>]) -> Vec<Point> {
    let measured = seeds.iter().map(Vec::len).min().unwrap_or(0);
    let point = |n: usize| {
        let values: Vec<f64> = seeds.iter().map(|seed| seed[n].1).collect();
        let x = seeds.iter().map(|seed| seed[n].0).sum::<f64>() / seeds.len() as f64;
        Point { x, estimate: Estimate::of(&values) }
    };
    (0..measured).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_half_decides() {
        assert_eq!(interquartile_mean(&[5.0]), 5.0);
        assert_eq!(interquartile_mean(&[4.0, 2.0]), 3.0);
        // 0.25 · 0 + 1 · 3 + 0.25 · 12 over 1.5.
        assert_eq!(interquartile_mean(&[12.0, 0.0, 3.0]), 4.0);
        assert_eq!(interquartile_mean(&[-100.0, 1.0, 2.0, 900.0]), 1.5);
        assert_eq!(interquartile_mean(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0]), 3.5);
    }

    #[test]
    fn an_interval_holds_the_mean_and_lies_within_the_values() {
        let values = [-3.0, -2.0, -4.0, -3.5, -2.5];
        let Estimate { iqm, ci95: Some([low, high]) } = Estimate::of(&values) else {
            panic!("five seeds have an interval")
        };
        assert!(-4.0 <= low && low < iqm && iqm < high && high <= -2.0, "{low} {iqm} {high}");
        assert_eq!(Estimate::of(&values), Estimate::of(&values));
        assert_eq!(Estimate::of(&[-3.0; 3]).ci95, None);
        assert_eq!(Estimate::of(&[-3.0]).ci95, None);
    }

    #[test]
    fn seeds_meet_at_the_mean_of_where_they_stood() {
        let seeds = [vec![(0.0, -10.0), (10.0, -6.0)], vec![(2.0, -8.0), (12.0, -4.0)]];
        let points = together(&seeds);
        let means: Vec<(f64, f64)> = points.iter().map(|p| (p.x, p.estimate.iqm)).collect();
        assert_eq!(means, [(1.0, -9.0), (11.0, -5.0)]);
        assert!(together(&[vec![], vec![]]).is_empty());
    }
}
