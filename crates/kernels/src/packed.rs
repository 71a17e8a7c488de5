//! Matrices whose weights take 16, 8 or 4 bits, and products with them.
//!
//! A row is cut into blocks of 32 weights, each as GGUF files have them (ggml's `block_q8_0` and its
//! relatives), so that such a file is computed with as it lies. A product of few rows is bound by the
//! bytes that it reads: each block is unpacked in registers and multiplied there. For more rows, panels
//! of the matrix are unpacked into the processor's cache and multiplied as any matrix is.

use crate::LANES;
use crate::product::{Matrix, product as dense};
use crate::simd::{Kernel, dispatch, fold, madd};
use crate::team;

/// Weights of a block.
pub const BLOCK: usize = 32;

/// How a block of 32 weights is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The upper halves of 32-bit floats.
    Bf16,
    /// 16-bit floats.
    F16,
    /// A 16-bit scale and 32 whole numbers of 8 bits: `w = scale · q`.
    Q8,
    /// A 16-bit scale and 32 whole numbers of 4 bits: `w = scale · (q − 8)`.
    Q4,
    /// A 16-bit scale, a 16-bit shift and 32 whole numbers of 4 bits: `w = scale · q + shift`.
    Q4Shifted,
}

impl Kind {
    /// Bytes of a block.
    pub fn bytes(self) -> usize {
        match self {
            Kind::Bf16 | Kind::F16 => 2 * BLOCK,
            Kind::Q8 => 2 + BLOCK,
            Kind::Q4 => 2 + BLOCK / 2,
            Kind::Q4Shifted => 4 + BLOCK / 2,
        }
    }
}

/// A packed matrix, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    kind: Kind,
    rows: usize,
    columns: usize,
    bytes: &'a [u8],
}

impl<'a> Packed<'a> {
    /// A matrix of these blocks.
    ///
    /// # Panics
    /// If a row is no number of blocks, or the bytes are not those of all rows.
    pub fn new(kind: Kind, [rows, columns]: [usize; 2], bytes: &'a [u8]) -> Self {
        assert!(
            columns.is_multiple_of(BLOCK),
            "rows of {columns} weights are no blocks of {BLOCK}"
        );
        let wanted = rows.checked_mul(columns / BLOCK * kind.bytes());
        assert_eq!(wanted, Some(bytes.len()), "the bytes of {rows} rows of {columns}");
        Self { kind, rows, columns, bytes }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// Some rows that follow each other.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn rows(&self, begin: usize, count: usize) -> Packed<'a> {
        let row = self.columns / BLOCK * self.kind.bytes();
        Packed { rows: count, bytes: &self.bytes[begin * row..][..count * row], ..*self }
    }

    /// Writes its weights, row by row.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn unpack(&self, out: &mut [f32]) {
        assert_eq!(out.len(), self.rows * self.columns);
        #[cfg(target_arch = "x86_64")]
        if x86::unpack(*self, out) {
            return;
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        if wasm::unpack(*self, out) {
            return;
        }
        dispatch(Unpack { of: *self, out });
    }
}

/// The blocks of some weights, whose number is a multiple of 32: each rounded to the nearest that the
/// kind can say.
///
/// # Panics
/// If they are no number of blocks.
pub fn pack(kind: Kind, values: &[f32]) -> Vec<u8> {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    assert!(rest.is_empty(), "{} weights are no blocks of {BLOCK}", values.len());
    let mut out = Vec::with_capacity(blocks.len() * kind.bytes());
    blocks.iter().for_each(|block| pack_block(kind, block, &mut out));
    out
}

fn pack_block(kind: Kind, block: &[f32; BLOCK], out: &mut Vec<u8>) {
    let largest = block.iter().fold(0.0f32, |most, w| most.max(w.abs()));
    match kind {
        Kind::Bf16 => block.iter().for_each(|&w| out.extend(to_bf16(w).to_le_bytes())),
        Kind::F16 => block.iter().for_each(|&w| out.extend(to_f16(w).to_le_bytes())),
        Kind::Q8 => {
            let scale = to_f16(largest / 127.0);
            out.extend(scale.to_le_bytes());
            let each = inverse(from_f16(scale));
            let whole = |w: &f32| (w * each).round().clamp(-127.0, 127.0) as i8 as u8;
            out.extend(block.iter().map(whole));
        }
        Kind::Q4 => {
            // The largest weight, with its sign, becomes −8, the one number that has no opposite.
            let far =
                block.iter().copied().fold(0.0f32, |m, w| if w.abs() > m.abs() { w } else { m });
            let scale = to_f16(far / -8.0);
            out.extend(scale.to_le_bytes());
            let each = inverse(from_f16(scale));
            nibbles(block, |w| w * each + 8.0, out);
        }
        Kind::Q4Shifted => {
            let least = block.iter().copied().fold(f32::INFINITY, f32::min);
            let most = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let (scale, shift) = (to_f16((most - least) / 15.0), to_f16(least));
            out.extend(scale.to_le_bytes());
            out.extend(shift.to_le_bytes());
            let (each, shift) = (inverse(from_f16(scale)), from_f16(shift));
            nibbles(block, |w| (w - shift) * each, out);
        }
    }
}

fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

/// Numbers of four bits: the first half of a block in the low halves of the bytes.
fn nibbles(block: &[f32; BLOCK], number: impl Fn(f32) -> f32, out: &mut Vec<u8>) {
    let whole = |w: f32| number(w).round().clamp(0.0, 15.0) as u8;
    out.extend((0..BLOCK / 2).map(|i| whole(block[i]) | whole(block[i + BLOCK / 2]) << 4));
}

/// The upper half of a float, rounded to the nearest, ties to even.
fn to_bf16(w: f32) -> u16 {
    let bits = w.to_bits();
    if w.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    let odd = (bits >> 16) & 1;
    ((bits + 0x7fff + odd) >> 16) as u16
}

/// A 16-bit float, rounded to the nearest, ties to even; beyond its range infinite.
fn to_f16(w: f32) -> u16 {
    let (sign, magnitude) = ((w.to_bits() >> 16) as u16 & 0x8000, w.abs());
    if w.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude >= 65_520.0 {
        return sign | 0x7c00;
    }
    // Adding a number whose last place is that of the result rounds to it.
    let exponent = ((magnitude.to_bits() >> 23) as i32 - 127).max(-14);
    let round = f32::from_bits(((exponent + 13 + 127) as u32) << 23);
    let rounded = (magnitude + round) - round;
    let steps = (rounded * f32::from_bits(((10 - exponent + 127) as u32) << 23)) as u16;
    // Below the smallest normal number the exponent's field is 0 and nothing is implied.
    sign | ((((exponent + 14) as u16) << 10) + steps)
}

/// A 16-bit float.
#[inline(always)]
fn from_f16(bits: u16) -> f32 {
    // Its exponent and fraction in their places, and 2^112 that the exponents' offsets differ by.
    let magnitude = f32::from_bits((u32::from(bits) & 0x7fff) << 13) * f32::from_bits(239 << 23);
    let magnitude = if bits & 0x7c00 == 0x7c00 { f32::INFINITY } else { magnitude };
    f32::from_bits(magnitude.to_bits() | (u32::from(bits) & 0x8000) << 16)
}

/// How the bytes of a block become weights.
trait Unpacked {
    const BYTES: usize;
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]);
}

struct Bf16;
struct F16;
struct Q8;
struct Q4;
struct Q4Shifted;

#[inline(always)]
fn two(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

impl Unpacked for Bf16 {
    const BYTES: usize = 2 * BLOCK;
    #[inline(always)]
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]) {
        let block: &[u8; 2 * BLOCK] = block.try_into().expect("the bytes of a block");
        for i in 0..BLOCK {
            out[i] = f32::from_bits(u32::from(two(block, 2 * i)) << 16);
        }
    }
}

impl Unpacked for F16 {
    const BYTES: usize = 2 * BLOCK;
    #[inline(always)]
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]) {
        let block: &[u8; 2 * BLOCK] = block.try_into().expect("the bytes of a block");
        for i in 0..BLOCK {
            out[i] = from_f16(two(block, 2 * i));
        }
    }
}

impl Unpacked for Q8 {
    const BYTES: usize = 2 + BLOCK;
    #[inline(always)]
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]) {
        let block: &[u8; 2 + BLOCK] = block.try_into().expect("the bytes of a block");
        let scale = from_f16(two(block, 0));
        for i in 0..BLOCK {
            out[i] = f32::from(block[2 + i] as i8) * scale;
        }
    }
}

impl Unpacked for Q4 {
    const BYTES: usize = 2 + BLOCK / 2;
    #[inline(always)]
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]) {
        let block: &[u8; 2 + BLOCK / 2] = block.try_into().expect("the bytes of a block");
        let scale = from_f16(two(block, 0));
        for i in 0..BLOCK / 2 {
            let byte = block[2 + i];
            out[i] = (f32::from(byte & 15) - 8.0) * scale;
            out[i + BLOCK / 2] = (f32::from(byte >> 4) - 8.0) * scale;
        }
    }
}

impl Unpacked for Q4Shifted {
    const BYTES: usize = 4 + BLOCK / 2;
    #[inline(always)]
    fn unpack<const FMA: bool>(block: &[u8], out: &mut [f32; BLOCK]) {
        let block: &[u8; 4 + BLOCK / 2] = block.try_into().expect("the bytes of a block");
        let (scale, shift) = (from_f16(two(block, 0)), from_f16(two(block, 2)));
        for i in 0..BLOCK / 2 {
            let byte = block[4 + i];
            out[i] = madd::<FMA>(f32::from(byte & 15), scale, shift);
            out[i + BLOCK / 2] = madd::<FMA>(f32::from(byte >> 4), scale, shift);
        }
    }
}

/// Calls a function of a kind of block for the kind at hand.
macro_rules! by_kind {
    ($kind:expr, $function:ident::<$($size:ident),*>($($argument:expr),*)) => {
        match $kind {
            Kind::Bf16 => $function::<Bf16, $($size),*>($($argument),*),
            Kind::F16 => $function::<F16, $($size),*>($($argument),*),
            Kind::Q8 => $function::<Q8, $($size),*>($($argument),*),
            Kind::Q4 => $function::<Q4, $($size),*>($($argument),*),
            Kind::Q4Shifted => $function::<Q4Shifted, $($size),*>($($argument),*),
        }
    };
}

struct Unpack<'a> {
    of: Packed<'a>,
    out: &'a mut [f32],
}

impl Kernel for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        by_kind!(self.of.kind, unpack_all::<FMA>(self.of.bytes, self.out))
    }
}

#[inline(always)]
fn unpack_all<B: Unpacked, const FMA: bool>(bytes: &[u8], out: &mut [f32]) {
    let (blocks, _) = out.as_chunks_mut::<BLOCK>();
    for (block, out) in bytes.chunks_exact(B::BYTES).zip(blocks) {
        B::unpack::<FMA>(block, out);
    }
}

/// Rows of `x` up to which each block is multiplied as it is unpacked.
const FEW: usize = 4;

/// Weights of a panel: half a MiB of floats, which a processor's second cache holds.
const PANEL: usize = 128 * 1024;

/// `x · wᵀ`, `[n, columns]` to `[n, rows]`, row by row.
///
/// The order in which a number is summed depends on `n`, and on no number of threads.
///
/// # Panics
/// If `x` is no number of rows.
pub fn product(x: &[f32], weight: Packed<'_>) -> Vec<f32> {
    let [rows, columns] = weight.shape();
    let n = rows_of(x, columns);
    let mut out = vec![0.0; n * rows];
    if n <= FEW {
        let out = &mut out[..];
        match n {
            0 => {}
            1 => few_rows::<1>(x, weight, out),
            2 => few_rows::<2>(x, weight, out),
            3 => few_rows::<3>(x, weight, out),
            _ => few_rows::<4>(x, weight, out),
        }
    } else {
        by_panels(Matrix::new(x, [n, columns], [columns, 1]), weight, &mut out);
    }
    out
}

/// `dy · w`, `[n, rows]` to `[n, columns]`: the gradient of `x` from that of the [`product`], by one thread.
///
/// # Panics
/// If `dy` is no number of rows.
pub fn product_back(dy: &[f32], weight: Packed<'_>) -> Vec<f32> {
    let [rows, columns] = weight.shape();
    let n = rows_of(dy, rows);
    let mut out = vec![0.0; n * columns];
    if n > 0 {
        for_each_panel(weight, |begin, panel, some| {
            let dy = Matrix::new(&dy[begin..], [n, some], [rows, 1]);
            let part = multiply(dy, Matrix::new(panel, [some, columns], [columns, 1]));
            crate::elementwise::add(&mut out, &part);
        });
    }
    out
}

/// The product of many rows, panel by panel; where the matrix is large, by several threads.
fn by_panels(x: Matrix<'_>, weight: Packed<'_>, out: &mut [f32]) {
    let rows = weight.rows;
    for (begin, part) in shared_panels(x, weight) {
        let some = part.len() / x.shape()[0];
        for (out, part) in out.chunks_exact_mut(rows).zip(part.chunks_exact(some)) {
            out[begin..][..some].copy_from_slice(part);
        }
    }
}

/// The first row of each panel, and its product.
#[cfg(not(target_family = "wasm"))]
fn shared_panels(x: Matrix<'_>, weight: Packed<'_>) -> Vec<(usize, Vec<f32>)> {
    let members = team::members(weight.bytes.len());
    if members == 1 {
        return panels(x, weight, 0);
    }
    // Whole panels: a product may sum otherwise where a panel has another size.
    let each = weight.rows.div_ceil(members).next_multiple_of(panel_rows(weight));
    let begins: Vec<usize> = (0..weight.rows).step_by(each).collect();
    let mut parts = vec![Vec::new(); begins.len()];
    let work = begins.iter().copied().zip(&mut parts).collect();
    team::share(work, |(begin, part): (usize, &mut Vec<(usize, Vec<f32>)>)| {
        let some = weight.rows(begin, each.min(weight.rows - begin));
        *part = team::alone(|| panels(x, some, begin));
    });
    parts.into_iter().flatten().collect()
}

#[cfg(target_family = "wasm")]
fn shared_panels(x: Matrix<'_>, weight: Packed<'_>) -> Vec<(usize, Vec<f32>)> {
    panels(x, weight, 0)
}

/// The same of a part of a matrix, which begins at the row `first` of the whole.
fn panels(x: Matrix<'_>, weight: Packed<'_>, first: usize) -> Vec<(usize, Vec<f32>)> {
    let mut all = Vec::new();
    for_each_panel(weight, |begin, panel, some| {
        let turned = Matrix::new(panel, [weight.columns, some], [1, weight.columns]);
        all.push((first + begin, multiply(x, turned)));
    });
    all
}

fn rows_of(values: &[f32], width: usize) -> usize {
    let n = values.len() / width.max(1);
    assert_eq!(values.len(), n * width, "rows of {width}");
    n
}

/// Rows of a panel.
fn panel_rows(weight: Packed<'_>) -> usize {
    (PANEL / weight.columns.max(1)).max(1)
}

/// Unpacks some rows at a time: the first of them, their weights and how many they are.
fn for_each_panel(weight: Packed<'_>, mut job: impl FnMut(usize, &[f32], usize)) {
    let [rows, columns] = weight.shape();
    if columns == 0 {
        return;
    }
    let most = panel_rows(weight);
    let mut panel = vec![0.0; most.min(rows) * columns];
    for begin in (0..rows).step_by(most) {
        let some = most.min(rows - begin);
        let panel = &mut panel[..some * columns];
        weight.rows(begin, some).unpack(panel);
        job(begin, panel, some);
    }
}

fn multiply(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    dense(a, b).unwrap_or_else(|| plainly(a, b))
}

/// The product where nobody was named to multiply, as in a browser before its module is there.
fn plainly(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let ([rows, depth], [_, columns]) = (a.shape(), b.shape());
    let at = |m: &Matrix<'_>, row, column| m.values()[row * m.steps()[0] + column * m.steps()[1]];
    let one = |row, column| (0..depth).map(|p| at(&a, row, p) * at(&b, p, column)).sum();
    (0..rows * columns).map(|place| one(place / columns, place % columns)).collect()
}

/// The product of `N` rows, where the matrix is large by several threads.
fn few_rows<const N: usize>(x: &[f32], weight: Packed<'_>, out: &mut [f32]) {
    let members = team::members(weight.bytes.len());
    if members == 1 {
        return few_alone::<N>(x, weight, out);
    }
    #[cfg(not(target_family = "wasm"))]
    {
        let rows = weight.rows;
        let each = rows.div_ceil(members);
        let begins = (0..rows).step_by(each);
        let mut parts: Vec<Vec<f32>> =
            begins.clone().map(|begin| vec![0.0; N * each.min(rows - begin)]).collect();
        let work = begins.clone().zip(&mut parts).collect();
        team::share(work, |(begin, part): (usize, &mut Vec<f32>)| {
            few_alone::<N>(x, weight.rows(begin, part.len() / N), part);
        });
        for (begin, part) in begins.zip(&parts) {
            let some = part.len() / N;
            for (out, part) in out.chunks_exact_mut(rows).zip(part.chunks_exact(some)) {
                out[begin..][..some].copy_from_slice(part);
            }
        }
    }
}

/// The product of `N` rows, by the widest instructions that there are for these bytes.
fn few_alone<const N: usize>(x: &[f32], weight: Packed<'_>, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::few::<N>(x, weight, out) {
        return;
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if wasm::few::<N>(x, weight, out) {
        return;
    }
    dispatch(Few::<N> { x, weight, out });
}

/// The product of `N` rows.
struct Few<'a, const N: usize> {
    x: &'a [f32],
    weight: Packed<'a>,
    out: &'a mut [f32],
}

impl<const N: usize> Kernel for Few<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Few { x, weight, out } = self;
        by_kind!(weight.kind, few::<N, FMA>(x, weight, out))
    }
}

#[inline(always)]
fn few<B: Unpacked, const N: usize, const FMA: bool>(
    x: &[f32],
    weight: Packed<'_>,
    out: &mut [f32],
) {
    let [rows, columns] = weight.shape();
    let blocks = columns / BLOCK;
    let x: [&[[f32; BLOCK]]; N] =
        std::array::from_fn(|row| x[row * columns..][..columns].as_chunks::<BLOCK>().0);
    for (row, bytes) in weight.bytes.chunks_exact(blocks * B::BYTES).enumerate() {
        let mut sums = [[0.0f32; LANES]; N];
        for (block, bytes) in bytes.chunks_exact(B::BYTES).enumerate() {
            let mut w = [0.0; BLOCK];
            B::unpack::<FMA>(bytes, &mut w);
            for n in 0..N {
                let x = &x[n][block];
                for l in 0..LANES {
                    let low = madd::<FMA>(w[l], x[l], sums[n][l]);
                    sums[n][l] = madd::<FMA>(w[l + LANES], x[l + LANES], low);
                }
            }
        }
        for n in 0..N {
            out[n * rows + row] = fold(sums[n]);
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;
