//! Matrix products by the loops of the browser's small module, which are faster than burn's here.
#![allow(unsafe_code, reason = "the loops take pointers")]

use std::cell::RefCell;

use archer_kernels::product::{Matrix, multiply_by};

#[path = "../../wasm/product/loops.rs"]
mod loops;

/// Lets them multiply from now on.
pub fn start() {
    multiply_by(multiply);
}

fn multiply(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
    thread_local! {
        static SPACE: RefCell<Vec<f32>> = RefCell::new(vec![0.0; loops::SCRATCH]);
    }
    let ([m, k], [inner, n]) = (a.shape(), b.shape());
    assert!(k == inner && out.len() == m * n);
    let (from, with) = (a.values().as_ptr(), b.values().as_ptr());
    let ([a_row, a_column], [b_row, b_column]) = (a.steps(), b.steps());
    SPACE.with_borrow_mut(|space| {
        let (out, space) = (out.as_mut_ptr(), space.as_mut_ptr());
        // SAFETY: `Matrix::new` has seen that the floats reach to the last row and column, `out` is as
        // long as the product, and nobody else holds the space.
        unsafe { loops::product(m, n, k, out, from, a_row, a_column, with, b_row, b_column, space) }
    });
}
