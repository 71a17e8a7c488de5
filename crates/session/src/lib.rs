//! archer-session: a loaded model as a shell without a terminal holds it.
//!
//! [`session`] is a loaded model that can be asked to play, to look inside itself and to learn, by the
//! core's own `Trainer::step`. [`guest`] is a world on the other side of the shell, asked by messages.
//! [`drive`] lets long work be held up and given up. All of it is plain Rust and knows no JavaScript.
//! There is no clock here: whoever calls measures time.

pub mod drive;
pub mod fault;
pub mod guest;
pub mod session;

pub use fault::Fault;
pub use session::Session;
