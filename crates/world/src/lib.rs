//! What a text world is: the contract between archer and any task that it learns.
//!
//! A [`World`] plays one game for one player. It returns only what it says back; a [`Transcript`]
//! joins opening, utterances and replies into the text that the agent reads. The trainer holds
//! [`Worlds`], which opens [`Batch`]es of games that are played side by side and may be waited for.
//! A Rust world becomes one by [`Local`]; processes, sockets and JavaScript have a body of their own.
//!
//! This crate knows no tensor, no file, no clock and no game.
//!
//! ```
//! use archer_world::{About, End, Opening, Start, Turn, World};
//!
//! /// Say the door's word.
//! struct Door;
//!
//! impl World for Door {
//!     fn about(&self) -> About {
//!         About { best: Some(1.0), worst: Some(0.0), ..About::new("door", 1) }
//!     }
//!
//!     fn start(&mut self, _: &Start) -> Opening {
//!         Opening::choosing("You stand before a door.\n", ["open", "knock"])
//!     }
//!
//!     fn act(&mut self, said: &str) -> Turn {
//!         let opened = said == "open";
//!         let reply = if opened { "It opens." } else { "Nobody answers." };
//!         Turn::new(reply, f32::from(opened)).ending(if opened { End::Won } else { End::Over })
//!     }
//! }
//! ```

pub mod error;
pub mod world;

pub mod transcript;

pub mod worlds;

pub mod record;
pub mod teaching;

pub mod messages;

pub mod contract;
pub mod origin;

pub mod client;
pub mod serve;

pub use error::WorldError;
pub use record::{Exchange, Game};
pub use teaching::{Discount, Teaching};
pub use transcript::{Chat, Style, Transcript};
pub use world::{About, Choices, End, Opening, Start, Turn, World};
pub use worlds::{Batch, Elsewhere, Local, Restyled, Said, Wait, Worlds};

/// The settings of a world: names and plain values, which only the world itself understands.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// The README's examples, which are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
