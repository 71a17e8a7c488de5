//! What a configuration cannot ask for, though each key is right by itself.

use archer::config::Config;

use crate::error::Error;
use crate::memory;
use crate::number::thousands;

/// Refuses to set a shape that a model folder has already.
pub fn shapes(config: &Config, set: &[String]) -> Result<(), Error> {
    let shape = |assignment: &&String| {
        let key = assignment.trim_start();
        key.starts_with("actor_model.") || key.starts_with("tokenizer.")
    };
    match set.iter().find(shape).filter(|_| !config.actor.is_empty()) {
        None => Ok(()),
        Some(assignment) => Err(Error::Usage(format!(
            "--set {assignment} would change nothing: actor and tokenizer are those of the folder {}; leave it out, or leave actor empty",
            config.actor
        ))),
    }
}

/// Refuses fresh networks that this machine cannot hold: the system would end the process without a
/// word.
pub fn giants(config: &Config) -> Result<(), Error> {
    const GIB: u64 = 1 << 30;
    let (needed, there) = (config.network_bytes(), memory::there_is());
    match there.filter(|there| config.actor.is_empty() && needed > *there) {
        None => Ok(()),
        Some(there) => Err(Error::Usage(format!(
            "actor_model.width = {} and critic_model.width = {} make networks of {} parameters, which take about {} GiB with gradients and optimisers, and this machine has {} GiB: make them smaller",
            config.actor_model.width,
            config.critic_model.width,
            thousands(config.parameters() as f64),
            needed.div_ceil(GIB),
            there / GIB
        ))),
    }
}
