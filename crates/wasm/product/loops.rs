//! The loops of a matrix product, in 128-bit vectors of WebAssembly.

use core::arch::wasm32::*;

/// Columns of a tile: four vectors of four, of which two rows fill half of a processor's registers.
/// With more of them engines put the sums away at each step, at half the speed.
const WIDTH: usize = 16;
/// Terms that are summed before the sums are put down.
const DEPTH: usize = 256;
/// Rows that go over one panel of columns before the next.
const BLOCK: usize = 256;
/// For so few rows it is not worth while to lay out a panel of columns.
const FEW: usize = 4;

/// Floats that [`product`] needs besides: a panel of columns and a block of rows.
pub const SCRATCH: usize = (WIDTH + BLOCK) * DEPTH;

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
/// Both lie in memory as their steps say; `out` has `m · n` floats and `scratch` [`DEPTH`] times
/// [`WIDTH`] and [`BLOCK`] together, which nobody else looks at meanwhile.
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
        if m > FEW {
            return tiles([m, n, k], out, a, b, scratch);
        }
        for i in 0..m {
            let (out, a) = (out.add(i * n), a.from(i, 0));
            if a.column == 1 && b.row == 1 {
                dots(n, k, out, a.at, b);
            } else {
                row(n, k, out, a, b);
            }
        }
    }
}

/// One row of a product, by the rows of `b`: each is read from end to end.
unsafe fn row(n: usize, k: usize, out: *mut f32, a: Matrix, b: Matrix) {
    unsafe {
        for j in 0..n {
            *out.add(j) = 0.0;
        }
        let mut p = 0;
        while p < k {
            let whole = p + 4 <= k && b.column == 1;
            let (x, y) = (a.from(0, p), b.from(p, 0));
            let mut j = 0;
            if whole {
                let x = Four::splat(x);
                while j + 4 <= n {
                    let to: *mut v128 = out.add(j).cast();
                    v128_store(to, x.times(y.from(0, j), v128_load(to)));
                    j += 4;
                }
            }
            let terms = if whole { 4 } else { 1 };
            while j < n {
                for q in 0..terms {
                    *out.add(j) += *x.from(0, q).at * *y.from(q, j).at;
                }
                j += 1;
            }
            p += terms;
        }
    }
}

/// Four floats that lie in a row, each four times.
#[derive(Clone, Copy)]
struct Four(v128, v128, v128, v128);

impl Four {
    #[inline(always)]
    unsafe fn splat(a: Matrix) -> Self {
        let at = |q| unsafe { v128_load32_splat(a.from(0, q).at.cast()) };
        Self(at(0), at(1), at(2), at(3))
    }

    /// Adds the products with four rows of four floats to a sum.
    #[inline(always)]
    unsafe fn times(self, b: Matrix, sum: v128) -> v128 {
        let at = |q| unsafe { v128_load(b.from(q, 0).at.cast()) };
        let sum = madd(self.0, at(0), sum);
        let sum = madd(self.1, at(1), sum);
        let sum = madd(self.2, at(2), sum);
        madd(self.3, at(3), sum)
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

/// Many rows. What is read often is laid out side by side in `scratch` first, a panel of `b` and a
/// block of an `a` that lies column by column: in their own places the floats are whole rows apart,
/// and a processor's first cache has room for few of the same distance.
unsafe fn tiles([m, n, k]: [usize; 3], out: *mut f32, a: Matrix, b: Matrix, scratch: *mut f32) {
    unsafe {
        let (panel, block) = (scratch, scratch.add(DEPTH * WIDTH));
        for p in (0..k).step_by(DEPTH) {
            let depth = (k - p).min(DEPTH);
            for i in (0..m).step_by(BLOCK) {
                let rows = (m - i).min(BLOCK);
                let a = match a.column {
                    1 => Pairs { a: a.from(i, p), next: 2 * a.row },
                    _ => pack_rows(a.from(i, p), rows, depth, block),
                };
                for j in (0..n).step_by(WIDTH) {
                    let width = (n - j).min(WIDTH);
                    pack(b.from(p, j), depth, width, panel);
                    let out = Out { at: out.add(i * n + j), row: n, width, more: p > 0 };
                    column(rows, out, a, panel, depth);
                }
            }
        }
    }
}

/// Rows two by two: how floats of a pair lie, and how far the next pair is.
#[derive(Clone, Copy)]
struct Pairs {
    a: Matrix,
    next: usize,
}

/// Lays out rows that lie column by column: pair by pair, the two of a pair side by side.
unsafe fn pack_rows(a: Matrix, rows: usize, depth: usize, to: *mut f32) -> Pairs {
    unsafe {
        let mut i = 0;
        while i + 8 <= rows && a.row == 1 {
            // Eight lie in one piece, of which a cache holds few at this distance: all at once.
            let to = to.add(i * depth);
            for p in 0..depth {
                let x: *const v128 = a.from(i, p).at.cast();
                let (low, high) = (v128_load(x), v128_load(x.add(1)));
                let at = |pair: usize| to.add(2 * (pair * depth + p)).cast();
                v128_store64_lane::<0>(low, at(0));
                v128_store64_lane::<1>(low, at(1));
                v128_store64_lane::<0>(high, at(2));
                v128_store64_lane::<1>(high, at(3));
            }
            i += 8;
        }
        while i < rows {
            let to = to.add(i / 2 * 2 * depth + i % 2);
            for p in 0..depth {
                *to.add(2 * p) = *a.from(i, p).at;
            }
            i += 1;
        }
        Pairs { a: Matrix { at: to, row: 1, column: 2 }, next: 2 * depth }
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
unsafe fn column(rows: usize, out: Out, pairs: Pairs, panel: *const f32, depth: usize) {
    unsafe {
        let Pairs { mut a, next } = pairs;
        let mut i = 0;
        while i + 2 <= rows {
            let [first, second] = tile::<2>(a, panel, depth);
            put(first, out.at.add(i * out.row), out);
            put(second, out.at.add((i + 1) * out.row), out);
            a.at = a.at.add(next);
            i += 2;
        }
        if i < rows {
            let [last] = tile::<1>(a, panel, depth);
            put(last, out.at.add(i * out.row), out);
        }
    }
}

#[inline(always)]
unsafe fn tile<const ROWS: usize>(a: Matrix, panel: *const f32, depth: usize) -> [[v128; 4]; ROWS] {
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
            y = y.add(WIDTH);
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
            v128_store(at, if out.more { f32x4_add(v128_load(at), sums[c]) } else { sums[c] });
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

/// Lays out some columns, at most [`WIDTH`], filled up with zeros, row by row.
unsafe fn pack(b: Matrix, depth: usize, width: usize, to: *mut f32) {
    unsafe {
        if width == WIDTH && b.column == 1 {
            for p in 0..depth {
                for c in [0, 4, 8, 12] {
                    let four = v128_load(b.from(p, c).at.cast());
                    v128_store(to.add(p * WIDTH + c).cast(), four);
                }
            }
            return;
        }
        // Columns that lie in one piece are turned four by four.
        let turned = if width == WIDTH && b.row == 1 { depth / 4 * 4 } else { 0 };
        for l in (0..WIDTH).step_by(4) {
            for p in (0..turned).step_by(4) {
                let [x, y, z, w] = [0, 1, 2, 3].map(|c| v128_load(b.from(p, l + c).at.cast()));
                let low = |a, b| i32x4_shuffle::<0, 4, 1, 5>(a, b);
                let high = |a, b| i32x4_shuffle::<2, 6, 3, 7>(a, b);
                let (xz, yw) = ((low(x, z), high(x, z)), (low(y, w), high(y, w)));
                let rows = [low(xz.0, yw.0), high(xz.0, yw.0), low(xz.1, yw.1), high(xz.1, yw.1)];
                for q in 0..4 {
                    v128_store(to.add((p + q) * WIDTH + l).cast(), rows[q]);
                }
            }
        }
        for l in 0..WIDTH {
            for p in turned..depth {
                *to.add(p * WIDTH + l) = if l < width { *b.from(p, l).at } else { 0.0 };
            }
        }
    }
}

/// `a · b + c`.
#[inline(always)]
fn madd(a: v128, b: v128, c: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return f32x4_relaxed_madd(a, b, c);
    #[cfg(not(target_feature = "relaxed-simd"))]
    return f32x4_add(c, f32x4_mul(a, b));
}
