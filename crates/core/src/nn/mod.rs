//! The networks: an actor that writes, a critic that judges. Tokens here are numbers.

pub mod batch;
pub mod causal_critic;
pub mod causal_lm;
pub mod critic;
pub mod encoder;
pub mod fused;
pub mod generate;
pub mod kv_cache;
pub mod layers;
pub mod optim;
pub mod params;
mod previous_token_heads;
pub mod sampling;
pub mod tree_batch;
