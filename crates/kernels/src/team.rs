//! Threads that share one large product.
//!
//! A product with a large matrix is bound by the bytes that one core can read, so others read their part of
//! it. Each number is summed as it would be by one thread. A thread that does its own share of some work
//! beside others works alone.

use std::cell::Cell;
#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(not(target_family = "wasm"))]
static MEMBERS: AtomicUsize = AtomicUsize::new(1);

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Bytes of a matrix from which on others help.
#[cfg(not(target_family = "wasm"))]
const LEAST: usize = 1 << 20;

/// Lets so many threads share a large product; 1 at first.
pub fn set_members(members: usize) {
    #[cfg(not(target_family = "wasm"))]
    MEMBERS.store(members.max(1), Ordering::Relaxed);
    #[cfg(target_family = "wasm")]
    let _ = members;
}

/// Runs a job whose products nobody shares, since the other threads have jobs of their own.
pub fn alone<T>(job: impl FnOnce() -> T) -> T {
    let before = ALONE.replace(true);
    let done = job();
    ALONE.set(before);
    done
}

/// How many threads share a product with a matrix of so many bytes.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn members(bytes: usize) -> usize {
    match bytes >= LEAST && !ALONE.get() {
        true => MEMBERS.load(Ordering::Relaxed),
        false => 1,
    }
}

/// The same where there is one thread.
#[cfg(target_family = "wasm")]
pub(crate) fn members(_: usize) -> usize {
    1
}

/// Runs a job on each of some parts, by as many threads as there are parts.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn share<P: Send>(parts: Vec<P>, job: impl Fn(P) + Sync) {
    rayon::scope(|scope| {
        for part in parts {
            let job = &job;
            scope.spawn(move |_| job(part));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::{self, Kind, Packed};
    use crate::product::{Matrix, product};

    #[test]
    fn what_is_shared_is_the_same_bit_for_bit() {
        // A product of 576 terms is summed in parts, by the size of a panel.
        let (rows, columns) = (1100, 576);
        let floats = |count: usize, salt: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * 7919 + salt) % 2003) as f32 / 1001.0 - 1.0).collect()
        };
        let (x, weight) = (floats(40 * columns, 1), floats(4 * rows * columns, 2));
        let q8 = packed::pack(Kind::Q8, &weight);
        let all = |n: usize| {
            let of = |steps| Matrix::new(&weight, [columns, rows], steps);
            let row = Matrix::new(&x, [n, columns], [columns, 1]);
            let q8 = Packed::new(Kind::Q8, [4 * rows, columns], &q8);
            let dense = [[rows, 1], [1, columns]].map(|steps| product(row, of(steps)));
            (dense, packed::product(&x[..n * columns], q8))
        };
        for n in [1, 3, 5, 40] {
            let one = alone(|| all(n));
            set_members(3);
            let three = all(n);
            set_members(1);
            assert!(one == three, "{n} rows");
        }
    }
}
