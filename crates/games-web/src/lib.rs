//! archer-games-web: the guessing games as a module that a browser fetches where one is played.
//!
//! A page plays with a person by [`games::Request`]; a learner in another module plays and is taught
//! by the messages of `archer-world`. The module has no tensor and no learner: it hands an agent's
//! texts in and out.

pub mod fault;
pub mod games;
pub mod host;
pub mod play;
mod ready;

#[cfg(target_family = "wasm")]
mod door;

pub use fault::Fault;
pub use games::{Games, Reply, Request};

/// 3 kB gzipped less than the standard library's, and as fast.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
