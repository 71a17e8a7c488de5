//! Loops over 32-bit floats by the widest vectors that the processor has.
//!
//! A kernel is plain safe Rust over arrays of [`LANES`] floats that the compiler turns into vector
//! instructions. Built for the oldest processor it would use the smallest vectors, so [`dispatch`]
//! looks once at run time and enters a copy of the kernel compiled for what is there. Sums are
//! taken lane by lane in a fixed order: one machine gives the same bits each time.

use crate::LANES;

/// One vector's worth of floats.
pub type Lanes = [f32; LANES];

/// A loop that can be compiled for several processors.
pub trait Kernel {
    /// What it returns.
    type Output;

    /// Runs it; `FMA` says that the processor multiplies and adds in one instruction. Must be
    /// `#[inline(always)]`, with all that it calls, to be compiled for the processor it runs on.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs a kernel compiled for the processor at hand.
#[cfg(not(target_family = "wasm"))]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    struct Vectorized<K>(K);
    impl<K: Kernel> pulp::WithSimd for Vectorized<K> {
        type Output = K::Output;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
            self.0.run::<true>()
        }
    }
    match pulp::Arch::new() {
        pulp::Arch::Scalar => kernel.run::<false>(),
        arch => arch.dispatch(Vectorized(kernel)),
    }
}

/// Runs a kernel; in a browser what is there was settled when the module was built.
#[cfg(target_family = "wasm")]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<false>()
}

/// `a · b + c`.
#[inline(always)]
pub fn madd<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` to within two units in the last place, for |x| up to 87; beyond it `e^±87`.
///
/// `x = n ln 2 + r` with a whole `n`, so that `e^x = 2^n e^r`, and a polynomial for the small `r`
/// (the coefficients are those of the Cephes library).
#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding this rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const COEFFICIENTS: [f32; 5] =
        [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5];
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 87.0 { 87.0 } else { x };
    let shifted = madd::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = madd::<FMA>(n, -0.693_359_4, x);
    let r = madd::<FMA>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    for c in COEFFICIENTS {
        p = madd::<FMA>(p, r, c);
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    (madd::<FMA>(p, r * r, r) + 1.0) * power
}

/// The sum of some floats.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in whole {
        for l in 0..LANES {
            lanes[l] += chunk[l];
        }
    }
    fold(lanes) + rest.iter().sum::<f32>()
}

/// The sum of a vector, by halves.
#[inline(always)]
pub fn fold(mut lanes: Lanes) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The greatest of some floats.
#[inline(always)]
pub fn max(values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in whole {
        for l in 0..LANES {
            lanes[l] = if chunk[l] > lanes[l] { chunk[l] } else { lanes[l] };
        }
    }
    let all = lanes.iter().chain(rest);
    all.fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Exp<'a>(&'a mut [f32]);

    impl Kernel for Exp<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FMA: bool>(self) {
            self.0.iter_mut().for_each(|x| *x = exp::<FMA>(*x));
        }
    }

    #[test]
    fn powers_of_e_are_exact_to_the_last_places() {
        let inputs: Vec<f32> = (-8700..=8700).map(|i| i as f32 / 100.0).collect();
        let check = |values: &[f32]| {
            for (x, got) in inputs.iter().zip(values) {
                let want = f64::from(*x).exp();
                let error = (f64::from(*got) - want).abs() / want;
                assert!(error < 2.5e-7, "e^{x}: {got} is not {want}");
            }
        };
        let mut values = inputs.clone();
        dispatch(Exp(&mut values));
        check(&values);
        let mut values = inputs.clone();
        Exp(&mut values).run::<false>();
        check(&values);
        let mut far = [-1e9, 1e9];
        dispatch(Exp(&mut far));
        assert!(far[0] < 1e-37 && far[1].is_finite());
    }

    #[test]
    fn sums_and_maxima_take_every_value() {
        for n in [0, 1, 15, 16, 17, 40] {
            let values: Vec<f32> = (0..n).map(|i| ((i * 7) % 11) as f32 - 4.0).collect();
            assert_eq!(sum(&values), values.iter().sum::<f32>());
            let want = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max(&values), want);
        }
    }
}
