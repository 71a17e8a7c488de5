//! Where chance comes from.
//!
//! Every draw of a run descends from its one seed. A generator is named by what it is for and by
//! a counter, so that adding a draw in one place never shifts the draws of another, and a game's
//! draws do not depend on which other games stand beside it in the batch.

use rand::{Rng, SeedableRng};
pub use rand_chacha::ChaCha8Rng;

/// The generator for use number `index` of `purpose` in the run with this `seed`.
pub fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    // FNV-1a over the purpose: stable over platforms and releases, unlike the standard hasher.
    let tag = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&tag.to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// A uniform draw from [0, 1) with 53 bits.
pub fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A uniform draw from `0..n`; `n` must not be 0.
pub fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    // Lemire's multiply-shift; the bias is below n / 2^64.
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// Puts some things into a uniformly drawn order.
pub fn shuffle<T>(rng: &mut ChaCha8Rng, things: &mut [T]) {
    for last in (1..things.len()).rev() {
        things.swap(last, below(rng, last + 1));
    }
}

/// A draw from the standard normal distribution (Box and Muller).
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(rng)).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let all = [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)];
        for (i, x) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|y| x != y));
        }
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
    }

    #[test]
    fn every_order_is_equally_likely() {
        let mut rng = stream(1, "orders", 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut things = [0, 1, 2];
            shuffle(&mut rng, &mut things);
            *counts.entry(things).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|n| (880..1_120).contains(n)), "{counts:?}");
    }

    #[test]
    fn draws_have_the_moments_they_should() {
        let mut rng = stream(1, "moments", 0);
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let var = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.03 && (var - 1.0).abs() < 0.05, "mean {mean}, variance {var}");
        let thirds = (0..n).filter(|_| below(&mut rng, 3) == 0).count() as f64 / n as f64;
        assert!((thirds - 1.0 / 3.0).abs() < 0.02);
    }
}
