//! Products of few rows by the vectors of WebAssembly. The compiler does not find the instructions that widen
//! bytes by itself, and a product of one row is five times as fast with them.
//!
//! Sums have the order of the plain loop: the same bits.

use std::arch::wasm32::{
    f32x4, f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub,
    i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_extend_high_i16x8,
    i32x4_extend_low_i16x8, i64x2, u8x16_shr, u8x16_splat, v128, v128_and,
};

use super::{BLOCK, Kind, Packed, from_f16, two};
use crate::LANES;
use crate::simd::fold;

/// Floats of a vector.
const WIDTH: usize = 4;

/// The weights of a block.
type Weights = [v128; BLOCK / WIDTH];

/// The product of `N` rows; whether there were the instructions for it.
pub fn few<const N: usize>(x: &[f32], weight: Packed<'_>, out: &mut [f32]) -> bool {
    match weight.kind {
        Kind::Q8 => rows::<N>(q8, x, weight, out),
        Kind::Q4 => rows::<N>(q4, x, weight, out),
        Kind::Q4Shifted => rows::<N>(q4_shifted, x, weight, out),
        Kind::Bf16 | Kind::F16 => return false,
    }
    true
}

/// Writes all weights, row by row; whether there were the instructions for it.
pub fn unpack(weight: Packed<'_>, out: &mut [f32]) -> bool {
    match weight.kind {
        Kind::Q8 => write(q8, weight, out),
        Kind::Q4 => write(q4, weight, out),
        Kind::Q4Shifted => write(q4_shifted, weight, out),
        Kind::Bf16 | Kind::F16 => return false,
    }
    true
}

#[inline(always)]
fn rows<const N: usize>(
    unpacked: impl Fn(&[u8]) -> Weights,
    x: &[f32],
    weight: Packed<'_>,
    out: &mut [f32],
) {
    let [rows, columns] = weight.shape();
    let bytes = weight.kind.bytes();
    let x: [&[[f32; BLOCK]]; N] =
        std::array::from_fn(|row| x[row * columns..][..columns].as_chunks::<BLOCK>().0);
    for (row, blocks) in weight.bytes.chunks_exact(columns / BLOCK * bytes).enumerate() {
        let mut sums = [[f32x4_splat(0.0); LANES / WIDTH]; N];
        for (block, bytes) in blocks.chunks_exact(bytes).enumerate() {
            let w = unpacked(bytes);
            for n in 0..N {
                let x = &x[n][block];
                for l in 0..LANES / WIDTH {
                    let low = f32x4_add(f32x4_mul(w[l], read(x, WIDTH * l)), sums[n][l]);
                    let high = f32x4_mul(w[l + LANES / WIDTH], read(x, LANES + WIDTH * l));
                    sums[n][l] = f32x4_add(high, low);
                }
            }
        }
        for n in 0..N {
            let mut lanes = [0.0; LANES];
            for l in 0..LANES / WIDTH {
                put(&mut lanes, WIDTH * l, sums[n][l]);
            }
            out[n * rows + row] = fold(lanes);
        }
    }
}

#[inline(always)]
fn write(unpacked: impl Fn(&[u8]) -> Weights, weight: Packed<'_>, out: &mut [f32]) {
    let (all, _) = out.as_chunks_mut::<BLOCK>();
    for (bytes, out) in weight.bytes.chunks_exact(weight.kind.bytes()).zip(all) {
        let w = unpacked(bytes);
        for l in 0..BLOCK / WIDTH {
            put(out, WIDTH * l, w[l]);
        }
    }
}

#[inline(always)]
fn read(x: &[f32; BLOCK], at: usize) -> v128 {
    f32x4(x[at], x[at + 1], x[at + 2], x[at + 3])
}

#[inline(always)]
fn put<const L: usize>(out: &mut [f32; L], at: usize, v: v128) {
    out[at] = f32x4_extract_lane::<0>(v);
    out[at + 1] = f32x4_extract_lane::<1>(v);
    out[at + 2] = f32x4_extract_lane::<2>(v);
    out[at + 3] = f32x4_extract_lane::<3>(v);
}

/// Sixteen bytes.
#[inline(always)]
fn sixteen(bytes: &[u8], at: usize) -> v128 {
    let half = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    i64x2(half(at), half(at + 8))
}

/// Whole numbers of eight bits as floats.
#[inline(always)]
fn floats(bytes: v128) -> [v128; 4] {
    let (low, high) = (i16x8_extend_low_i8x16(bytes), i16x8_extend_high_i8x16(bytes));
    [
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_high_i16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(high)),
        f32x4_convert_i32x4(i32x4_extend_high_i16x8(high)),
    ]
}

/// The numbers of both halves, each by `weight`.
#[inline(always)]
fn both(halves: [v128; 2], weight: impl Fn(v128) -> v128) -> Weights {
    let [low, high] = halves.map(floats);
    [low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]].map(weight)
}

/// The halves of sixteen bytes, whose numbers have four bits.
#[inline(always)]
fn nibbles(bytes: v128) -> [v128; 2] {
    [v128_and(bytes, u8x16_splat(15)), u8x16_shr(bytes, 4)]
}

#[inline(always)]
fn q8(block: &[u8]) -> Weights {
    let block: &[u8; 2 + BLOCK] = block.try_into().expect("the bytes of a block");
    let scale = f32x4_splat(from_f16(two(block, 0)));
    both([sixteen(block, 2), sixteen(block, 18)], |q| f32x4_mul(q, scale))
}

#[inline(always)]
fn q4(block: &[u8]) -> Weights {
    let block: &[u8; 2 + BLOCK / 2] = block.try_into().expect("the bytes of a block");
    let (scale, eight) = (f32x4_splat(from_f16(two(block, 0))), f32x4_splat(8.0));
    both(nibbles(sixteen(block, 2)), |q| f32x4_mul(f32x4_sub(q, eight), scale))
}

#[inline(always)]
fn q4_shifted(block: &[u8]) -> Weights {
    let block: &[u8; 4 + BLOCK / 2] = block.try_into().expect("the bytes of a block");
    let (scale, shift) =
        (f32x4_splat(from_f16(two(block, 0))), f32x4_splat(from_f16(two(block, 2))));
    both(nibbles(sixteen(block, 4)), |q| f32x4_add(f32x4_mul(q, scale), shift))
}
