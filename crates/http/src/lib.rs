//! As much HTTP/1.1 and WebSocket as this project needs: a request to read, a document to get, a socket
//! to accept, and a server with a thread for each connection.
//!
//! A peer is never trusted: heads, bodies, messages and the number of connections are bounded, and a
//! [`Timed`] connection gives its peer so much time for each thing that it does, however many pieces it
//! comes in. What a request means is the business of whoever answers it.

mod message;
mod server;
mod socket;
mod timed;

pub use message::{Body, Request, get, read_body, write_answer};
pub use server::{Attend, Server};
pub use socket::accept;
pub use timed::Timed;

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
