//! 95 % intervals of means and shares: what other games of the same kind might have given.
//!
//! An interval speaks of chance, so it takes at least two games that chance has made, and returns
//! that are not all alike; elsewhere there is none, which is then not a number. Games that were
//! played over and over count once: whoever plays without chance in a world without chance plays
//! each task in one way, and a thousand games of ten tasks tell no more than ten.

use std::collections::HashMap;

/// No interval.
pub const NONE: [f64; 2] = [f64::NAN; 2];

/// The mean of some values and its interval `mean ± t s / √independent` by Student's t, of which
/// `independent` values are independent of each other.
pub fn mean_with_interval(values: &[f64], independent: usize) -> (f64, [f64; 2]) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    if independent < 2 || values.windows(2).all(|pair| pair[0] == pair[1]) {
        return (mean, NONE);
    }
    // The deviation of the tasks, each played equally often, has their number less 1.
    let free = (independent - 1) as f64;
    let variance = squares / n * (1.0 + 1.0 / free);
    let half = student(independent - 1) * (variance / independent as f64).sqrt();
    (mean, [mean - half, mean + half])
}

/// The 97.5 % quantile of Student's t with so many degrees of freedom, at least 1: exact up to
/// three, else by Cornish and Fisher's expansion, whose error is below 0.01 from there on.
fn student(free: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    match free {
        0 | 1 => 12.706_204_736,
        2 => 4.302_652_730,
        3 => 3.182_446_305,
        _ => {
            let (n, z2) = (free as f64, Z * Z);
            let first = (z2 + 1.0) / 4.0;
            let second = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
            let third = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
            Z * (1.0 + first / n + second / n.powi(2) + third / n.powi(3))
        }
    }
}

/// Wilson's interval of a share: `n` of `of`, of which only the share `independent` counts because
/// the others repeat it.
pub fn wilson(n: usize, of: usize, independent: f64) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (share, of, z) = (n as f64 / of as f64, of as f64 * independent, 1.96f64);
    let middle = (share + z * z / (2.0 * of)) / (1.0 + z * z / of);
    let half =
        z * (share * (1.0 - share) / of + z * z / (4.0 * of * of)).sqrt() / (1.0 + z * z / of);
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

/// How many of some games are independent of each other, from the task and the course of each: all
/// of them, unless those of a task are all alike wherever it was played more than once. Where tasks
/// have no numbers, chance has drawn each game, unless all are one.
pub fn independent(games: &[(Option<usize>, u64)]) -> usize {
    let mut seen: HashMap<Option<usize>, u64> = HashMap::new();
    let alike = games.iter().all(|(task, course)| seen.entry(*task).or_insert(*course) == course);
    if alike { seen.len() } else { games.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_by_hand() {
        let (mean, [low, high]) = mean_with_interval(&[-2.0, -4.0], 2);
        assert_eq!(mean, -3.0);
        // s = √2, s / √n = 1
        assert!((low + 15.706).abs() < 1e-3 && (high - 9.706).abs() < 1e-3, "{low} {high}");
        let [low, high] = wilson(10, 10, 1.0);
        assert!((low - 0.7225).abs() < 1e-3 && high == 1.0, "{low} {high}");
    }

    /// Of the tables: 3.182, 2.571, 2.228, 2.042, 1.984 and 1.96.
    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        for (free, want) in [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (100, 1.984)] {
            assert!((student(free) - want).abs() < 0.01, "{free}: {}", student(free));
        }
        assert!((student(1_000_000) - 1.96).abs() < 1e-3);
    }

    #[test]
    fn where_chance_made_nothing_there_is_no_interval() {
        assert!(mean_with_interval(&[-4.0], 1).1[0].is_nan());
        assert!(mean_with_interval(&[-4.0; 100], 10).1[0].is_nan());
        assert!(mean_with_interval(&[-4.0, -3.0], 1).1[0].is_nan());
    }

    /// Two tasks, each a thousand times, tell what two games tell.
    #[test]
    fn games_played_over_and_over_count_once() {
        let once = mean_with_interval(&[-2.0, -4.0], 2);
        let values: Vec<f64> = (0..2000).map(|n| if n % 2 == 0 { -2.0 } else { -4.0 }).collect();
        let often = mean_with_interval(&values, 2);
        assert_eq!(once.0, often.0);
        assert!((once.1[0] - often.1[0]).abs() < 1e-9, "{once:?} {often:?}");
        let (once, often) = (wilson(1, 2, 1.0), wilson(1000, 2000, 0.001));
        assert!((once[0] - often[0]).abs() < 1e-9);
    }

    #[test]
    fn games_are_independent_where_chance_had_a_part() {
        let (a, b) = (Some(0), Some(1));
        assert_eq!(independent(&[(a, 7), (b, 8), (a, 7), (b, 8)]), 2);
        assert_eq!(independent(&[(a, 7), (b, 8), (a, 9), (b, 8)]), 4, "one went another way");
        assert_eq!(independent(&[(a, 7), (b, 8)]), 2);
        assert_eq!(independent(&[(None, 7), (None, 8), (None, 7)]), 3, "drawn by chance");
        assert_eq!(independent(&[(None, 7); 5]), 1);
    }
}
