//! Reinforcement learning without a network: what happened, what it was worth, and the losses.

pub mod losses;
pub mod metrics;
pub mod replay_buffer;
pub mod returns;
pub mod text;
pub mod transition;
