//! Matrix products, where the program has something better for them than burn's.
//!
//! In a browser the best instructions for products stand in a module of their own, of which one
//! can ask whether the browser has them. So who multiplies is said once, at the start, by
//! [`multiply_by`]; where nobody has said it, [`product`] has none, and burn's is taken.

use std::sync::OnceLock;

/// A matrix whose floats lie in even steps.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Floats from a row to the next, and from a column to the next.
    pub steps: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A matrix that begins where `values` do.
    ///
    /// # Panics
    /// If they end before it does.
    pub fn new(values: &'a [f32], shape: [usize; 2], steps: [usize; 2]) -> Self {
        let [rows, columns] = shape;
        if rows > 0 && columns > 0 {
            let last = (rows - 1) * steps[0] + (columns - 1) * steps[1];
            assert!(last < values.len(), "a matrix {shape:?} of {} floats", values.len());
        }
        Self { values, shape, steps }
    }

    /// Its floats, from the first on.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }
}

/// Writes the product of two matrices, row by row.
pub type Multiply = fn(Matrix<'_>, Matrix<'_>, &mut [f32]);

static MULTIPLY: OnceLock<Multiply> = OnceLock::new();

/// Says who multiplies from now on; only the first word counts.
pub fn multiply_by(multiply: Multiply) {
    let _ = MULTIPLY.set(multiply);
}

/// The product of two matrices, row by row, where somebody multiplies.
///
/// # Panics
/// If the matrices do not fit each other.
pub fn product(a: Matrix<'_>, b: Matrix<'_>) -> Option<Vec<f32>> {
    let multiply = MULTIPLY.get()?;
    assert_eq!(a.shape[1], b.shape[0], "matrices {:?} and {:?}", a.shape, b.shape);
    let mut out = vec![0.0; a.shape[0] * b.shape[1]];
    multiply(a, b, &mut out);
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

    #[test]
    fn who_was_named_first_multiplies() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let a = Matrix::new(&values, [2, 3], [3, 1]);
        let turned = Matrix::new(&values, [3, 2], [1, 3]);
        assert_eq!(product(a, turned), None);
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
