//! Words ↔ tokens, and nowhere else in the core.

pub mod official;
pub mod prompt;
pub mod tokenizer;

pub use tokenizer::Tokenizer;
