//! Memory that is there before it is needed: where an allocation fails in the middle of some work, there
//! is no way back, so it is asked for before.

use std::hint::black_box;

use archer::checkpoint::packed::section;
use archer::checkpoint::survey::{Survey, survey};
use archer_session::Fault;

/// Bytes for loading a file, beside the file itself: its weights are unpacked and checked. Those of fewer bits
/// become four times as many bytes.
///
/// # Errors
/// If the file is none, cut, altered or of another version.
pub fn for_loading(mut file: &[u8]) -> Result<usize, Fault> {
    let length = file.len() as u64;
    let Survey { sections, .. } = survey(&mut file, length, &|_| false)?;
    let packed = ["actor", "critic"].map(section);
    let bytes = sections.iter().map(|(name, bytes)| match packed.contains(name) {
        true => bytes.saturating_mul(6),
        false => bytes.saturating_mul(2),
    });
    let bytes = bytes.fold(3 << 19, u64::saturating_add);
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Bytes for a piece of talking by networks of so many scalars, beside what is held.
pub fn for_talking(scalars: usize) -> usize {
    (1 << 20) + scalars
}

/// Bytes for a piece of learning, beside what is held: one turn of all games, or one batch.
pub fn for_learning(scalars: usize) -> usize {
    (4 << 20) + scalars.saturating_mul(16)
}

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
