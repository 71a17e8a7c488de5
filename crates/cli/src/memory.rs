//! Memory that was freed stays with the process.
//!
//! A step of learning takes and frees the same large blocks again and again. By default the C
//! library gives such a block back to the system when it is freed and takes it anew, page by page,
//! each of them cleared by the kernel: a tenth of a step's time, and a quarter of a generation's.

use std::hint::black_box;

/// Lets glibc keep what is freed, up to 64 MiB at the end of its heap.
///
/// It maps blocks of their own for sizes above a threshold, which rises to the largest such block
/// that was ever freed, up to 32 MiB; twice that much free memory is kept. So one block is taken at
/// once and freed untouched. Other C libraries have rules of their own, and this does nothing there.
pub fn keep_freed() {
    const LARGEST: usize = 32 << 20;
    // With what the library writes before a block, and pages that are filled up, not above it.
    drop(black_box(Vec::<u8>::with_capacity(LARGEST - (64 << 10))));
}
