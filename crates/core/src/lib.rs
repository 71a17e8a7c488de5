//! archer: language-model agents that learn multi-turn tasks by reinforcement learning.
//!
//! This crate is the core. Bytes, text and a seed go in; text, numbers and bytes come out. It does not
//! touch the screen, the file system, the network or the clock, and it waits for the device only where
//! an action is chosen or metrics are reported, so the same code trains in a terminal and in a browser.
//!
//! A program makes a [`Config`], hands its world to [`train::Trainer`] as
//! [`Worlds`](archer_world::Worlds), and calls [`step`](train::Trainer::step) until the run is finished.
//! The core never makes a world and knows no game. `ARCHITECTURE.md` is the map.

pub mod choices;
pub mod config;
pub mod error;
pub mod finite;
pub mod foreign;
pub mod parallel;
pub mod ranks;
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

pub mod talk;

pub use agent::Agent;
pub use archer_world::{Local, Settings, World, Worlds};
pub use burn::tensor::Device;
pub use config::Config;
pub use error::Error;
pub use train::evaluate::{Evaluation, evaluate};
pub use train::{Phase, Progress, Report, Trainer};

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
