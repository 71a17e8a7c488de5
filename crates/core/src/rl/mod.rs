//! Reinforcement learning without a network: what happened, what it was worth, and the losses.

pub mod batch;
pub mod forest;
pub mod losses;
pub mod metrics;
pub mod replay_buffer;
pub mod replies;
pub mod returns;
pub mod task;
pub mod transition;
