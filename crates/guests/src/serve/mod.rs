//! Our worlds for others.

pub(crate) mod lines;
pub(crate) mod openenv;
mod session;
