//! The networks: an actor that writes, a critic that judges. Tokens here are numbers.

pub mod batch;
pub mod causal_critic;
pub mod causal_lm;
pub mod critic;
pub mod encoder;
pub mod fused;
pub mod generate;
mod gpt2;
pub mod kv_cache;
pub mod layers;
#[cfg(feature = "llama")]
pub mod llama;
pub mod optim;
#[cfg(feature = "llama")]
pub mod packed;
pub mod params;
pub mod prefix_cache;
#[cfg(feature = "llama")]
mod projection;
#[cfg(feature = "llama")]
pub mod recompute;
#[cfg(feature = "llama")]
pub mod rope;
pub mod sampling;
pub mod tree_batch;
