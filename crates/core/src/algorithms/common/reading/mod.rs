//! How a critic reads what was remembered.

pub mod games;
pub mod pairs;
