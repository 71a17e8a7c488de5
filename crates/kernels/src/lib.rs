//! The loops that a small network spends its time in, between two matrix products.
//!
//! Slices of floats in, slices of floats out: no tensor, no gradient, no randomness. What a loop
//! computes is written down here; how it enters a network and its backward pass is the core's
//! affair. They are a crate of their own because they are compiled as fast as can be everywhere,
//! also in the browser's module, in which all else is compiled as small as can be.

// Lanes are walked by number: several arrays side by side, which iterators would only hide.
#![allow(clippy::needless_range_loop)]

pub mod attention;
pub mod cached;
pub mod elementwise;
pub mod gated;
pub mod groups;
pub mod heads;
pub mod layer_norm;
pub mod linear;
pub mod log_prob;
pub mod packed;
pub mod product;
pub mod rms_norm;
pub mod rope;
mod simd;
pub mod team;
pub mod visible;

pub use simd::Lanes;

/// Floats that a kernel handles side by side, and keys in a block of a mask.
pub const LANES: usize = 16;

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
