//! archer-wasm: the browser's door to the core.
//!
//! [`session`] is plain Rust and knows no JavaScript: a loaded model that can be asked to play, to
//! look inside itself and to learn, by the core's own `Trainer::step`. It is tested natively.
//! [`drive`] lets long work be held up and given up.
//! `wasm_session` hands requests and replies over as JavaScript values, and is only built for wasm. There
//! is no clock here: whoever calls measures time. Two modules are built from this crate, one for
//! each backend; see the features in `Cargo.toml`.

pub mod device;
pub mod drive;
pub mod fault;
pub mod guest;
pub mod session;

#[cfg(all(target_family = "wasm", not(feature = "webgpu")))]
mod product;
#[cfg(target_family = "wasm")]
pub mod wasm_session;

pub use fault::Fault;
pub use session::Session;
