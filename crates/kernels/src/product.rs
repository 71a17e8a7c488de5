//! Matrix products, where there is something better for them than burn's.
//!
//! Natively burn's own kernels are called without burn, whose tensors clear the memory of a product
//! and then copy it before anything is multiplied. In a browser the best instructions for products
//! stand in a module of their own, of which one can ask whether the browser has them. So who
//! multiplies there is said once, at the start, by [`multiply_by`]; until somebody has said it,
//! [`product`] has none, and burn's is taken.

use std::sync::OnceLock;

#[cfg(not(target_family = "wasm"))]
use crate::team;

/// A matrix whose floats lie in even steps.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    shape: [usize; 2],
    steps: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A matrix that begins where `values` do.
    ///
    /// # Panics
    /// If they end before it does.
    pub fn new(values: &'a [f32], shape: [usize; 2], steps: [usize; 2]) -> Self {
        if shape.iter().all(|&count| count > 0) {
            let along = |axis: usize| (shape[axis] - 1).checked_mul(steps[axis]);
            let last = along(0).zip(along(1)).and_then(|(down, right)| down.checked_add(right));
            let there = last.is_some_and(|last| last < values.len());
            assert!(there, "a matrix {shape:?} of {} floats", values.len());
        }
        Self { values, shape, steps }
    }

    /// Its floats, from the first on.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Floats from a row to the next, and from a column to the next.
    pub fn steps(&self) -> [usize; 2] {
        self.steps
    }
}

/// Writes the product of two matrices, row by row.
pub type Multiply = fn(Matrix<'_>, Matrix<'_>, &mut [f32]);

static MULTIPLY: OnceLock<Multiply> = OnceLock::new();

/// Says who multiplies from now on; only the first word counts.
pub fn multiply_by(multiply: Multiply) {
    let _ = MULTIPLY.set(multiply);
}

/// The product of two matrices, row by row, where somebody multiplies. Natively a row is summed in the
/// same order however many there are, unless the whole product has 256 numbers or fewer; in a browser
/// up to four rows are summed in another order than more.
///
/// # Panics
/// If the matrices do not fit each other.
pub fn product(a: Matrix<'_>, b: Matrix<'_>) -> Option<Vec<f32>> {
    assert_eq!(a.shape[1], b.shape[0], "matrices {:?} and {:?}", a.shape, b.shape);
    match MULTIPLY.get() {
        Some(multiply) => {
            let mut out = vec![0.0; a.shape[0] * b.shape[1]];
            multiply(a, b, &mut out);
            Some(out)
        }
        None => native(a, b),
    }
}

#[cfg(target_family = "wasm")]
fn native(_: Matrix<'_>, _: Matrix<'_>) -> Option<Vec<f32>> {
    None
}

/// The product by the kernels for the processor at hand.
#[cfg(not(target_family = "wasm"))]
#[allow(unsafe_code, reason = "the kernels take pointers, and write to memory that nobody cleared")]
fn native(a: Matrix<'_>, b: Matrix<'_>) -> Option<Vec<f32>> {
    let ([rows, depth], columns) = (a.shape, b.shape[1]);
    if rows * columns == 0 || depth == 0 {
        return Some(vec![0.0; rows * columns]);
    }
    // Alone a row would be summed in another order: it goes twice, from the same memory.
    let (rows_done, row_step) = if rows == 1 { (2, 0) } else { (rows, a.steps[0]) };
    let parallelism = match team::members(depth * columns * size_of::<f32>()) {
        1 => gemm::Parallelism::None,
        members => gemm::Parallelism::Rayon(members),
    };
    let room = rows_done.checked_mul(columns).expect("a product that memory can hold");
    let mut out = Vec::<f32>::with_capacity(room);
    // SAFETY: `Matrix::new` has seen that the floats reach to the last row and column, and there is
    // room for all that is written. Every float of it is, as none is read before.
    unsafe {
        gemm::gemm(
            rows_done,
            columns,
            depth,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            a.values.as_ptr(),
            a.steps[1] as isize,
            row_step as isize,
            b.values.as_ptr(),
            b.steps[1] as isize,
            b.steps[0] as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
        out.set_len(rows * columns);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
        let at = |m: &Matrix<'_>, row, column| m.values()[row * m.steps[0] + column * m.steps[1]];
        for (place, out) in out.iter_mut().enumerate() {
            let (row, column) = (place / b.shape[1], place % b.shape[1]);
            *out = (0..a.shape[1]).map(|p| at(&a, row, p) * at(&b, p, column)).sum();
        }
    }

    /// Matrices of all orders of memory, of some shapes with rests.
    #[test]
    fn the_processors_kernels_multiply() {
        for [rows, depth, columns] in
            [[1, 128, 384], [2, 3, 2], [7, 5, 9], [33, 48, 1], [64, 128, 96], [3, 0, 2], [0, 4, 4]]
        {
            let floats = |n: usize, salt: usize| -> Vec<f32> {
                (0..n).map(|i| ((i * 37 + salt) % 23) as f32 / 8.0 - 1.0).collect()
            };
            let (a, b) = (floats(rows * depth, 3), floats(depth * columns, 7));
            let layouts = |rows, columns| [[columns, 1], [1, rows]];
            for steps_a in layouts(rows, depth) {
                for steps_b in layouts(depth, columns) {
                    let a = Matrix::new(&a, [rows, depth], steps_a);
                    let b = Matrix::new(&b, [depth, columns], steps_b);
                    let found = native(a, b).unwrap();
                    let mut want = vec![0.0; rows * columns];
                    plainly(a, b, &mut want);
                    assert_eq!(found.len(), want.len());
                    for (found, want) in found.iter().zip(&want) {
                        assert!((found - want).abs() < 1e-4, "{found} is not {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn who_was_named_first_multiplies() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let a = Matrix::new(&values, [2, 3], [3, 1]);
        let turned = Matrix::new(&values, [3, 2], [1, 3]);
        multiply_by(plainly);
        multiply_by(|_, _, _| unreachable!("somebody else was named before"));
        assert_eq!(product(a, turned), Some(vec![14.0, 32.0, 32.0, 77.0]));
    }

    #[test]
    #[should_panic(expected = "a matrix [2, 3] of 5 floats")]
    fn a_matrix_does_not_reach_beyond_its_floats() {
        Matrix::new(&[0.0; 5], [2, 3], [3, 1]);
    }
}
