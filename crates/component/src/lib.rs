//! archer-component: the session as a WebAssembly component, for hosts without JavaScript.
//!
//! `wit/archer.wit` is the interface, and says all that a host needs. Here stands only what it takes to
//! reach the crate `archer-session` by it, in which everything is decided and tested natively. The one
//! thing that the component imports is a world (`host`): no clock, no files, no chance.
#![cfg(target_family = "wasm")]

mod agent;
mod bindings;
mod convert;
mod host;
mod memory;
mod product;
mod talk;

/// What the component exports.
struct Component;

impl bindings::Agents for Component {
    type Agent = agent::Agent;
    type Talk = talk::Talk;

    fn reserve(bytes: u64) -> Result<(), bindings::Error> {
        memory::reserve(usize::try_from(bytes).unwrap_or(usize::MAX)).map_err(convert::error)
    }
}
