//! Products of few rows by the instructions that widen bytes, which a compiler finds badly by itself.
//!
//! AVX-512 holds sixteen floats in a register, AVX2 in two. The sums are those of the plain loop, lane by
//! lane, but for halves of a block that are added apart.

use std::arch::x86_64::{__m128i, __m256, __m256i, __m512};

use pulp::x86::{V3, V4};
use pulp::{Simd, WithSimd, cast};

use super::{BLOCK, Kind, Packed, from_f16, two};
use crate::{LANES, Lanes};

/// The product of `N` rows; whether there were the instructions for it.
pub fn few<const N: usize>(x: &[f32], weight: Packed<'_>, out: &mut [f32]) -> bool {
    if let Some(wide) = V4::try_new() {
        Simd::vectorize(wide, Few::<V4, N> { wide, x, weight, out });
        return true;
    }
    if let Some(wide) = V3::try_new() {
        Simd::vectorize(wide, Few::<V3, N> { wide, x, weight, out });
        return true;
    }
    false
}

/// Writes all weights, row by row; whether there were the instructions for it.
pub fn unpack(weight: Packed<'_>, out: &mut [f32]) -> bool {
    if let Some(wide) = V4::try_new() {
        Simd::vectorize(wide, Unpack { wide, weight, out });
        return true;
    }
    if let Some(wide) = V3::try_new() {
        Simd::vectorize(wide, Unpack { wide, weight, out });
        return true;
    }
    false
}

struct Unpack<'a, W> {
    wide: W,
    weight: Packed<'a>,
    out: &'a mut [f32],
}

impl<W: Wide> WithSimd for Unpack<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Unpack { wide, weight, out } = self;
        match weight.kind {
            Kind::Bf16 => blocks::<W, Bf16>(wide, weight, out),
            Kind::F16 => blocks::<W, F16>(wide, weight, out),
            Kind::Q8 => blocks::<W, Q8>(wide, weight, out),
            Kind::Q4 => blocks::<W, Q4>(wide, weight, out),
            Kind::Q4Shifted => blocks::<W, Q4Shifted>(wide, weight, out),
        }
    }
}

#[inline(always)]
fn blocks<W: Wide, B: Block>(wide: W, weight: Packed<'_>, out: &mut [f32]) {
    let (all, _) = out.as_chunks_mut::<BLOCK>();
    for (block, out) in weight.bytes.chunks_exact(weight.kind.bytes()).zip(all) {
        let [low, high] = B::unpacked(wide, block);
        out[..LANES].copy_from_slice(&wide.array(low));
        out[LANES..].copy_from_slice(&wide.array(high));
    }
}

struct Few<'a, W, const N: usize> {
    wide: W,
    x: &'a [f32],
    weight: Packed<'a>,
    out: &'a mut [f32],
}

impl<W: Wide, const N: usize> WithSimd for Few<'_, W, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Few { wide, x, weight, out } = self;
        match weight.kind {
            Kind::Bf16 => rows::<W, Bf16, N>(wide, x, weight, out),
            Kind::F16 => rows::<W, F16, N>(wide, x, weight, out),
            Kind::Q8 => rows::<W, Q8, N>(wide, x, weight, out),
            Kind::Q4 => rows::<W, Q4, N>(wide, x, weight, out),
            Kind::Q4Shifted => rows::<W, Q4Shifted, N>(wide, x, weight, out),
        }
    }
}

#[inline(always)]
fn rows<W: Wide, B: Block, const N: usize>(
    wide: W,
    x: &[f32],
    weight: Packed<'_>,
    out: &mut [f32],
) {
    let ([rows, columns], bytes) = (weight.shape(), weight.kind.bytes());
    let x: [&[[f32; BLOCK]]; N] =
        std::array::from_fn(|row| x[row * columns..][..columns].as_chunks::<BLOCK>().0);
    for (row, blocks) in weight.bytes.chunks_exact(columns / BLOCK * bytes).enumerate() {
        let mut sums = [[wide.splat(0.0); 2]; N];
        for (block, bytes) in blocks.chunks_exact(bytes).enumerate() {
            let [low, high] = B::unpacked(wide, bytes);
            for n in 0..N {
                let (x_low, x_high) = x[n][block].split_at(LANES);
                sums[n][0] = wide.madd(low, wide.load(x_low), sums[n][0]);
                sums[n][1] = wide.madd(high, wide.load(x_high), sums[n][1]);
            }
        }
        for n in 0..N {
            out[n * rows + row] = wide.sum(wide.add(sums[n][0], sums[n][1]));
        }
    }
}

/// How the 32 weights of a block are read. These are types and not functions: what is passed as a function, and
/// every closure, is compiled for any processor, and then each instruction is a call.
trait Block {
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2];
}

struct Bf16;
struct F16;
struct Q8;
struct Q4;
struct Q4Shifted;

impl Block for Bf16 {
    #[inline(always)]
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2] {
        [wide.bf16(&block[..BLOCK]), wide.bf16(&block[BLOCK..])]
    }
}

impl Block for F16 {
    #[inline(always)]
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2] {
        [wide.f16(&block[..BLOCK]), wide.f16(&block[BLOCK..])]
    }
}

impl Block for Q8 {
    #[inline(always)]
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2] {
        let scale = wide.splat(from_f16(two(block, 0)));
        let (low, high) = (sixteen(block, 2), sixteen(block, 2 + LANES));
        [wide.mul(wide.signed(low), scale), wide.mul(wide.signed(high), scale)]
    }
}

impl Block for Q4 {
    #[inline(always)]
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2] {
        let scale = wide.splat(from_f16(two(block, 0)));
        let eight = wide.splat(-8.0);
        let [low, high] = wide.nibbles(sixteen(block, 2));
        [wide.mul(wide.add(low, eight), scale), wide.mul(wide.add(high, eight), scale)]
    }
}

impl Block for Q4Shifted {
    #[inline(always)]
    fn unpacked<W: Wide>(wide: W, block: &[u8]) -> [W::Floats; 2] {
        let scale = wide.splat(from_f16(two(block, 0)));
        let shift = wide.splat(from_f16(two(block, 2)));
        let [low, high] = wide.nibbles(sixteen(block, 4));
        [wide.madd(low, scale, shift), wide.madd(high, scale, shift)]
    }
}

#[inline(always)]
fn sixteen(block: &[u8], at: usize) -> [u8; LANES] {
    block[at..at + LANES].try_into().expect("as many as lanes")
}

/// Sixteen floats, and how bytes become some.
trait Wide: Copy {
    type Floats: Copy;

    fn splat(self, value: f32) -> Self::Floats;
    fn load(self, values: &[f32]) -> Self::Floats;
    fn signed(self, bytes: [u8; LANES]) -> Self::Floats;
    fn unsigned(self, bytes: [u8; LANES]) -> Self::Floats;
    fn bf16(self, bytes: &[u8]) -> Self::Floats;
    fn f16(self, bytes: &[u8]) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a · b + c`.
    fn madd(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    fn array(self, a: Self::Floats) -> Lanes;

    #[inline(always)]
    fn sum(self, a: Self::Floats) -> f32 {
        crate::simd::fold(self.array(a))
    }

    /// The low halves of some bytes, and the high ones.
    #[inline(always)]
    fn nibbles(self, bytes: [u8; LANES]) -> [Self::Floats; 2] {
        let all = u128::from_le_bytes(bytes);
        const LOW: u128 = u128::from_le_bytes([15; LANES]);
        let (low, high) = (all & LOW, all >> 4 & LOW);
        [self.unsigned(low.to_le_bytes()), self.unsigned(high.to_le_bytes())]
    }
}

impl Wide for V4 {
    type Floats = __m512;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        self.avx512f._mm512_set1_ps(value)
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m512 {
        let values: [f32; LANES] = values.try_into().expect("as many as lanes");
        cast(values)
    }

    #[inline(always)]
    fn signed(self, bytes: [u8; LANES]) -> __m512 {
        let bytes: __m128i = cast(bytes);
        self.avx512f._mm512_cvtepi32_ps(self.avx512f._mm512_cvtepi8_epi32(bytes))
    }

    #[inline(always)]
    fn unsigned(self, bytes: [u8; LANES]) -> __m512 {
        let bytes: __m128i = cast(bytes);
        self.avx512f._mm512_cvtepi32_ps(self.avx512f._mm512_cvtepu8_epi32(bytes))
    }

    #[inline(always)]
    fn bf16(self, bytes: &[u8]) -> __m512 {
        let bytes: [u8; 2 * LANES] = bytes.try_into().expect("two for each lane");
        let wide = self.avx512f._mm512_cvtepu16_epi32(cast(bytes));
        cast(self.avx512f._mm512_slli_epi32::<16>(wide))
    }

    #[inline(always)]
    fn f16(self, bytes: &[u8]) -> __m512 {
        let bytes: [u8; 2 * LANES] = bytes.try_into().expect("two for each lane");
        self.avx512f._mm512_cvtph_ps(cast(bytes))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        self.avx512f._mm512_mul_ps(a, b)
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        self.avx512f._mm512_add_ps(a, b)
    }

    #[inline(always)]
    fn madd(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        self.avx512f._mm512_fmadd_ps(a, b, c)
    }

    #[inline(always)]
    fn array(self, a: __m512) -> Lanes {
        cast(a)
    }
}

impl Wide for V3 {
    type Floats = [__m256; 2];

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        [self.avx._mm256_set1_ps(value); 2]
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> [__m256; 2] {
        let values: [f32; LANES] = values.try_into().expect("as many as lanes");
        cast(values)
    }

    #[inline(always)]
    fn signed(self, bytes: [u8; LANES]) -> [__m256; 2] {
        let [low, high] = halves(bytes);
        [
            self.avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepi8_epi32(low)),
            self.avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepi8_epi32(high)),
        ]
    }

    #[inline(always)]
    fn unsigned(self, bytes: [u8; LANES]) -> [__m256; 2] {
        let [low, high] = halves(bytes);
        [
            self.avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepu8_epi32(low)),
            self.avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepu8_epi32(high)),
        ]
    }

    #[inline(always)]
    fn bf16(self, bytes: &[u8]) -> [__m256; 2] {
        let bytes: [u8; 2 * LANES] = bytes.try_into().expect("two for each lane");
        let [low, high]: [__m128i; 2] = cast(bytes);
        let low: __m256i = self.avx2._mm256_slli_epi32::<16>(self.avx2._mm256_cvtepu16_epi32(low));
        let high: __m256i =
            self.avx2._mm256_slli_epi32::<16>(self.avx2._mm256_cvtepu16_epi32(high));
        [cast(low), cast(high)]
    }

    #[inline(always)]
    fn f16(self, bytes: &[u8]) -> [__m256; 2] {
        let floats: [f32; LANES] = std::array::from_fn(|lane| from_f16(two(bytes, 2 * lane)));
        cast(floats)
    }

    #[inline(always)]
    fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_mul_ps(a[0], b[0]), self.avx._mm256_mul_ps(a[1], b[1])]
    }

    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_add_ps(a[0], b[0]), self.avx._mm256_add_ps(a[1], b[1])]
    }

    #[inline(always)]
    fn madd(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        [self.fma._mm256_fmadd_ps(a[0], b[0], c[0]), self.fma._mm256_fmadd_ps(a[1], b[1], c[1])]
    }

    #[inline(always)]
    fn array(self, a: [__m256; 2]) -> Lanes {
        cast(a)
    }
}

/// Eight bytes each, in the lower halves of two registers.
#[inline(always)]
fn halves(bytes: [u8; LANES]) -> [__m128i; 2] {
    let all = u128::from_le_bytes(bytes);
    [cast(all), cast(all >> 64)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::{Few as Plain, pack};
    use crate::simd::Kernel;

    /// Whatever the processor at hand takes by itself, both forms give what the plain loop gives.
    #[test]
    fn both_widths_compute_what_the_plain_loop_does() {
        let (rows, columns) = (5, 96);
        let values: Vec<f32> =
            (0..rows * columns).map(|i| ((i * 7919) % 2003) as f32 / 1001.0 - 1.0).collect();
        let x: Vec<f32> = (0..2 * columns).map(|i| ((i * 31) % 97) as f32 / 48.0 - 1.0).collect();
        for kind in [Kind::Bf16, Kind::F16, Kind::Q8, Kind::Q4, Kind::Q4Shifted] {
            let bytes = pack(kind, &values);
            let weight = Packed::new(kind, [rows, columns], &bytes);
            let mut plain = vec![0.0; 2 * rows];
            Plain::<2> { x: &x, weight, out: &mut plain }.run::<false>();
            let mut plain_weights = vec![0.0; rows * columns];
            crate::packed::Unpack { of: weight, out: &mut plain_weights }.run::<false>();
            let check = |out: &[f32], weights: &[f32]| {
                assert!(out.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-4), "{kind:?}");
                let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
                assert!(weights.iter().zip(&plain_weights).all(near), "{kind:?}");
            };
            let (mut out, mut weights) = (vec![0.0; 2 * rows], vec![0.0; rows * columns]);
            if let Some(wide) = V3::try_new() {
                Simd::vectorize(wide, Few::<V3, 2> { wide, x: &x, weight, out: &mut out });
                Simd::vectorize(wide, Unpack { wide, weight, out: &mut weights });
                check(&out, &weights);
            }
            if let Some(wide) = V4::try_new() {
                Simd::vectorize(wide, Few::<V4, 2> { wide, x: &x, weight, out: &mut out });
                Simd::vectorize(wide, Unpack { wide, weight, out: &mut weights });
                check(&out, &weights);
            }
        }
    }
}
