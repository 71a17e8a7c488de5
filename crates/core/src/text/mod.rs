//! Words ↔ tokens, and nowhere else in the core.

mod bpe_trainer;
pub mod byte_bpe;
#[cfg(not(target_family = "wasm"))]
pub mod hugging_face;
pub mod official;
pub mod prompt;
pub mod settings;
pub mod tokenizer;
mod words;

pub use tokenizer::Tokenizer;
