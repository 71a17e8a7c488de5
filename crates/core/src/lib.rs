//! archer: language-model agents that learn multi-turn tasks by ArCHer.
//!
//! The core that learns, deaf and blind: bytes, text and a seed go in; text, numbers and bytes
//! come out. It never knows the screen, the file system, the network or the clock, and waits for
//! the device only where an action is chosen or metrics are told. The same code trains natively
//! and in a browser; a shell asks [`train::Trainer`] for one step after another.

pub mod choices;
pub mod config;
pub mod error;
pub mod parallel;
pub mod rng;
pub mod yielding;

pub mod text;

pub mod nn;

pub mod rl;

pub mod algorithms;

pub mod agent;
pub mod checkpoint;
pub mod hf;
pub mod judge;
pub mod train;

pub use agent::Agent;
pub use archer_world::{Local, Settings, World, Worlds};
pub use burn::tensor::Device;
pub use config::Config;
pub use error::Error;
pub use train::evaluate::{Evaluation, evaluate};
pub use train::{Phase, Progress, Report, Trainer};
