//! Matrix products by a small module beside this one, on this one's memory.
//!
//! Browsers differ in the instruction that multiplies and adds at once (relaxed SIMD), and one that
//! does not know it refuses the whole module that it stands in. So the products alone are a module
//! (`product.rs` beside `src`), built with and without it, and what the browser takes is loaded.

use std::cell::RefCell;

use archer_kernels::product::{Matrix, multiply_by};
use wasm_bindgen::prelude::*;

const RELAXED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/product-relaxed.wasm"));
const PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/product-plain.wasm"));

/// Floats that the module needs besides: a panel of 16 columns and a block of 256 rows, both 256 deep.
const SCRATCH: usize = (16 + 256) * 256;

#[wasm_bindgen(inline_js = "
let multiply;
export function load_product(memory, build) {
    try {
        if (!WebAssembly.validate(build)) return false;
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(build), { env: { memory } });
        multiply = exports.product;
        return true;
    } catch {
        return false;
    }
}
export function product(m, n, k, out, a, aRow, aColumn, b, bRow, bColumn, scratch) {
    multiply(m, n, k, out, a, aRow, aColumn, b, bRow, bColumn, scratch);
}
")]
extern "C" {
    fn load_product(memory: JsValue, build: &[u8]) -> bool;

    #[allow(clippy::too_many_arguments, reason = "numbers are all that modules can hand over")]
    fn product(
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
    );
}

/// Loads the small module; to be called once. Says how products are taken: `relaxed` with
/// multiply-add in one instruction, `plain` without, `burn` by burn's library, where the browser
/// refuses both.
pub fn start() -> &'static str {
    let builds = [("relaxed", RELAXED), ("plain", PLAIN)];
    let taken = builds.iter().find(|(_, build)| load_product(wasm_bindgen::memory(), build));
    let Some((name, _)) = taken else { return "burn" };
    multiply_by(multiply);
    name
}

fn multiply(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
    thread_local! {
        static SPACE: RefCell<Vec<f32>> = RefCell::new(vec![0.0; SCRATCH]);
    }
    let ([m, k], [inner, n]) = (a.shape(), b.shape());
    // The small module writes where it is told to.
    assert!(k == inner && out.len() == m * n);
    let (from, with) = (a.values().as_ptr(), b.values().as_ptr());
    let ([a_row, a_column], [b_row, b_column]) = (a.steps(), b.steps());
    SPACE.with_borrow_mut(|space| {
        let (out, space) = (out.as_mut_ptr(), space.as_mut_ptr());
        product(m, n, k, out, from, a_row, a_column, with, b_row, b_column, space);
    });
}
