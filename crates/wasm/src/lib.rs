//! archer-wasm: the browser's door to the core.
//!
//! The session that a page asks is the crate `archer-session`, which knows no JavaScript and is tested
//! natively.
//! `wasm_session` hands requests and replies over as JavaScript values, and is only built for wasm. There
//! is no clock here: whoever calls measures time. Two modules are built from this crate, one for
//! each backend; see the features in `Cargo.toml`.

pub mod device;

#[cfg(all(target_family = "wasm", not(feature = "webgpu")))]
mod product;
#[cfg(target_family = "wasm")]
pub mod wasm_session;

pub use archer_session::{Fault, Session, drive, fault, guest, session};
