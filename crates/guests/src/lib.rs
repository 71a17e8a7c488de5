//! Worlds that live outside: in a process or behind a socket, and our worlds for others.
//!
//! [`open`] makes a [`Worlds`](archer_world::Worlds) of a command or of an address, as its settings
//! say. [`Lines`] and [`serve_openenv`] are the other ends: they serve any `Worlds` to programs that
//! speak JSON lines or OpenEnv.
//!
//! | door | ours as player | ours as world |
//! |---|---|---|
//! | JSON lines, many games a line ([`archer_world::messages`]) | `command` | [`Lines`], [`serve_lines`] |
//! | JSON lines, one game (`reset`, `step`) | `command` | served by the caller of [`Lines`] |
//! | OpenEnv over WebSocket | `url` | [`serve_openenv`] |
//!
//! A world is never trusted: what it sends is bounded before it is kept, every answer has a time
//! limit, and each fault is one sentence that names the world, what it did and what to do.

mod fault;
#[doc(hidden)]
pub mod fuzzing;
mod observation;
mod openenv;
mod process;
mod serve;
mod settings;

pub use archer_input::LONGEST_LINE;
pub use archer_world::serve::MOST_GAMES;
pub use process::without_launcher;
pub use serve::lines::{Lines, serve_lines};
pub use serve::openenv::{OpenEnvOptions, OpenEnvServer, serve_openenv};
pub use settings::{GuestSettings, Sink, is_guest, open, open_with, reached_by};

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
