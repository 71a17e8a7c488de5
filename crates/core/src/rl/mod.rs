//! Reinforcement learning without a network: what happened, what it was worth, and the losses.

pub mod losses;
pub mod metrics;
pub mod replay_buffer;
pub mod returns;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod sent;
pub mod text;
pub mod transition;
