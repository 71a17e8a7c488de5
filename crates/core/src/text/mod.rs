//! Words ↔ tokens, and nowhere else in the core.

pub mod prompt;
pub mod tokenizer;

pub use tokenizer::Tokenizer;
