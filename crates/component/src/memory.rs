//! Memory that is there before it is needed: where an allocation fails in the middle of some work, there
//! is no way back, so it is asked for before.

use std::hint::black_box;

use archer_session::Fault;

/// Bytes that a piece of work may take beside what is held already: the largest that was measured for
/// networks of the three sizes and for the models that are shipped is half of it (docs/embedding.md).
pub const PIECE: usize = 8 << 20;

/// Makes sure that so many bytes can be had in one piece. What was once given is never handed back to
/// the host, so they are there afterwards.
///
/// # Errors
/// If the host gives no more.
pub fn reserve(bytes: usize) -> Result<(), Fault> {
    let mut space = Vec::<u8>::new();
    let there = space.try_reserve_exact(bytes);
    // Otherwise the compiler sees that nobody uses it, and asks for nothing.
    black_box(space.as_ptr());
    there.map_err(|_| Fault {
        code: "out-of-memory",
        message: format!("the host gives no {bytes} bytes more of memory"),
        hint: "Grant the component more memory, or ask for fewer games in an iteration.",
    })
}
