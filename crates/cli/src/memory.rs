//! Memory that was freed stays with the process; and how much there is.
//!
//! A step of learning takes and frees the same large blocks again and again. By default the C
//! library gives such a block back to the system when it is freed and takes it anew, page by page,
//! each of them cleared by the kernel; and a thread that ends its work gives back all that it held.
//! On two threads that was a fifth of a step's time, and a quarter of a generation's.

/// Lets glibc keep what is freed: one heap for all threads, no blocks mapped apart from it, and
/// nothing given back before a gigabyte lies free at its end.
///
/// Threads wait for each other at the heap's door, but not long: small blocks do not come by there,
/// and a large one is taken once for thousands of operations on it. With musl the program has
/// another allocator (`main.rs`). Other C libraries have rules of their own. This does nothing there.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library is told by a function of its own")]
pub fn keep_freed() {
    const KEPT: i32 = 1 << 30;
    for (option, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_MAX, 0), (libc::M_TRIM_THRESHOLD, KEPT)]
    {
        // SAFETY: it takes two numbers and changes how later blocks are found; one that it does not
        // know it refuses, and then things stay as they were.
        unsafe { libc::mallopt(option, value) };
    }
}

/// Nothing, where the C library is another.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed() {}

/// The bytes of memory that this machine has, where the system says it.
#[cfg(all(target_os = "linux", any(target_env = "gnu", target_env = "musl")))]
#[allow(unsafe_code, reason = "the C library is asked by a function of its own")]
pub fn there_is() -> Option<u64> {
    // SAFETY: it takes a number and gives one, below 0 where it does not know.
    let [pages, size] = [libc::_SC_PHYS_PAGES, libc::_SC_PAGESIZE]
        .map(|name| u64::try_from(unsafe { libc::sysconf(name) }).ok());
    pages?.checked_mul(size?)
}

/// Nothing is known, where the C library is another.
#[cfg(not(all(target_os = "linux", any(target_env = "gnu", target_env = "musl"))))]
pub fn there_is() -> Option<u64> {
    None
}
