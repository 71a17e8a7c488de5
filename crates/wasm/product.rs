//! Matrix products for the browser's CPU module, as a module of their own on that one's memory.
//!
//! Built twice by `build.rs`: with multiply-add in one instruction (relaxed SIMD), which not every
//! browser has, and without. `src/product.rs` loads the one that fits. It holds no data and keeps
//! everything in registers, for the memory with the stack in it belongs to the other module.
#![no_std]

use core::arch::wasm32::*;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unreachable()
}

/// Columns of a tile: four vectors of four, of which two rows fill half of a processor's registers.
/// With more of them engines put the sums away at each step, at half the speed.
const WIDTH: usize = 16;
/// Terms that are summed before the sums are put down.
const DEPTH: usize = 256;
/// Rows that go over one panel of columns before the next.
const BLOCK: usize = 256;
/// For so few rows it is not worth while to turn columns into a panel.
const FEW: usize = 4;

/// A place in a matrix, and the floats from there to the next row and to the next column.
#[derive(Clone, Copy)]
struct Matrix {
    at: *const f32,
    row: usize,
    column: usize,
}

impl Matrix {
    /// The place some rows and columns on.
    #[inline(always)]
    unsafe fn from(self, row: usize, column: usize) -> Self {
        unsafe { Self { at: self.at.add(row * self.row + column * self.column), ..self } }
    }

    fn turned(self) -> Self {
        Self { at: self.at, row: self.column, column: self.row }
    }
}

/// The product of `a`, `[m, k]`, and `b`, `[k, n]`, into `out`, row by row.
///
/// # Safety
/// Both lie in memory as their steps say; `out` has `m · n` floats and `scratch` 4,096, which
/// nobody else looks at meanwhile.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "numbers are all that one module can hand another")]
pub unsafe extern "C" fn product(
    m: usize,
    n: usize,
    k: usize,
    out: *mut f32,
    a: *const f32,
    a_row: usize,
    a_column: usize,
    b: *const f32,
    b_row: usize,
    b_column: usize,
    scratch: *mut f32,
) {
    let mut a = Matrix { at: a, row: a_row, column: a_column };
    let mut b = Matrix { at: b, row: b_row, column: b_column };
    let (mut m, mut n) = (m, n);
    // A single column is as well a single row, which has more to do side by side.
    if n == 1 {
        (a, b, m, n) = (b.turned(), a.turned(), 1, m);
    }
    unsafe {
        if m <= FEW && a.column == 1 && b.row == 1 {
            for i in 0..m {
                dots(n, k, out.add(i * n), a.from(i, 0).at, b);
            }
        } else {
            tiles([m, n, k], out, a, b, scratch);
        }
    }
}

/// One row of a product, where the columns of `b` lie in order: four at a time.
unsafe fn dots(n: usize, k: usize, out: *mut f32, a: *const f32, b: Matrix) {
    unsafe {
        let mut j = 0;
        while j < n {
            // What is left over is done one by one, each four times side by side.
            let whole = n - j >= 4;
            let step = if whole { b.column } else { 0 };
            let sums = four_dots(k, a, b.from(0, j).at, step);
            if whole {
                v128_store(out.add(j).cast(), sums);
            } else {
                *out.add(j) = f32x4_extract_lane::<0>(sums);
            }
            j += if whole { 4 } else { 1 };
        }
    }
}

#[inline(always)]
unsafe fn four_dots(k: usize, a: *const f32, b: *const f32, step: usize) -> v128 {
    unsafe {
        let mut sums = [f32x4_splat(0.0); 4];
        let mut p = 0;
        while p + 4 <= k {
            let x = v128_load(a.add(p).cast());
            for r in 0..4 {
                sums[r] = madd(x, v128_load(b.add(r * step + p).cast()), sums[r]);
            }
            p += 4;
        }
        let mut sum = add_lanes(sums);
        while p < k {
            let b = b.add(p);
            let y = f32x4(*b, *b.add(step), *b.add(2 * step), *b.add(3 * step));
            sum = madd(f32x4_splat(*a.add(p)), y, sum);
            p += 1;
        }
        sum
    }
}

/// The sums of four vectors, side by side.
#[inline(always)]
fn add_lanes([a, b, c, d]: [v128; 4]) -> v128 {
    let halves =
        |a, b| f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (low, high) = (halves(a, b), halves(c, d));
    f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(low, high), i32x4_shuffle::<2, 3, 6, 7>(low, high))
}

unsafe fn tiles([m, n, k]: [usize; 3], out: *mut f32, a: Matrix, b: Matrix, scratch: *mut f32) {
    unsafe {
        for p in (0..k).step_by(DEPTH) {
            let depth = (k - p).min(DEPTH);
            for i in (0..m).step_by(BLOCK) {
                let rows = (m - i).min(BLOCK);
                for j in (0..n).step_by(WIDTH) {
                    let width = (n - j).min(WIDTH);
                    let b = b.from(p, j);
                    let (panel, step) = match width == WIDTH && b.column == 1 {
                        true => (b.at, b.row),
                        false => (pack(b, depth, width, scratch), WIDTH),
                    };
                    let out = Out { at: out.add(i * n + j), row: n, width, more: p > 0 };
                    column(rows, out, a.from(i, p), panel, step, depth);
                }
            }
        }
    }
}

/// Where a tile is put down.
#[derive(Clone, Copy)]
struct Out {
    at: *mut f32,
    row: usize,
    width: usize,
    /// Whether it is added to what is there.
    more: bool,
}

/// Some rows of a product, as wide as a panel.
#[inline(always)]
unsafe fn column(rows: usize, out: Out, a: Matrix, panel: *const f32, step: usize, depth: usize) {
    unsafe {
        let mut i = 0;
        while i + 2 <= rows {
            let [first, second] = tile::<2>(a.from(i, 0), panel, step, depth);
            put(first, out.at.add(i * out.row), out);
            put(second, out.at.add((i + 1) * out.row), out);
            i += 2;
        }
        if i < rows {
            let [last] = tile::<1>(a.from(i, 0), panel, step, depth);
            put(last, out.at.add(i * out.row), out);
        }
    }
}

#[inline(always)]
unsafe fn tile<const ROWS: usize>(
    a: Matrix,
    panel: *const f32,
    step: usize,
    depth: usize,
) -> [[v128; 4]; ROWS] {
    unsafe {
        let mut sums = [[f32x4_splat(0.0); 4]; ROWS];
        let (mut x, mut y) = (a.at, panel);
        for _ in 0..depth {
            let b = [0, 4, 8, 12].map(|c| v128_load(y.add(c).cast()));
            for r in 0..ROWS {
                let a = v128_load32_splat(x.add(r * a.row).cast());
                for c in 0..4 {
                    sums[r][c] = madd(a, b[c], sums[r][c]);
                }
            }
            x = x.add(a.column);
            y = y.add(step);
        }
        sums
    }
}

#[inline(always)]
unsafe fn put(sums: [v128; 4], at: *mut f32, out: Out) {
    unsafe {
        if out.width < WIDTH {
            return put_some(sums, at, out);
        }
        for c in 0..4 {
            let at: *mut v128 = at.add(4 * c).cast();
            v128_store(at, if out.more { f32x4_add(*at, sums[c]) } else { sums[c] });
        }
    }
}

#[inline(always)]
unsafe fn put_some([mut now, second, third, fourth]: [v128; 4], at: *mut f32, out: Out) {
    unsafe {
        for l in 0..out.width {
            match l {
                4 => now = second,
                8 => now = third,
                12 => now = fourth,
                _ => {}
            }
            let (at, sum) = (at.add(l), f32x4_extract_lane::<0>(now));
            *at = if out.more { *at + sum } else { sum };
            now = i32x4_shuffle::<1, 2, 3, 0>(now, now);
        }
    }
}

/// Copies some columns side by side, filled up with zeros.
unsafe fn pack(b: Matrix, depth: usize, width: usize, to: *mut f32) -> *const f32 {
    unsafe {
        for l in 0..WIDTH {
            for p in 0..depth {
                *to.add(p * WIDTH + l) = if l < width { *b.from(p, l).at } else { 0.0 };
            }
        }
    }
    to
}

/// `a · b + c`.
#[inline(always)]
fn madd(a: v128, b: v128, c: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return f32x4_relaxed_madd(a, b, c);
    #[cfg(not(target_feature = "relaxed-simd"))]
    return f32x4_add(c, f32x4_mul(a, b));
}
