//! Where a learner meets a world: playing, measuring, and the trainer that does both in slices.

pub mod evaluate;
pub mod intervals;
pub mod recorded;
pub mod rollout;
pub mod trainer;
pub mod warm_start;

pub use trainer::{Described, LoadBase, MakeWorlds, Phase, Progress, Report, Trainer};
