//! One page for each algorithm; what two of them share is in [`common`].

pub mod archer;
pub mod bc;
pub mod common;
