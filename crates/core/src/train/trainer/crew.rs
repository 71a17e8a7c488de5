//! Who shares a run's work.

use std::sync::Arc;

use super::Trainer;
#[cfg(not(target_family = "wasm"))]
use crate::error::Error;
#[cfg(not(target_family = "wasm"))]
use crate::nn::params;
use crate::ranks::Ranks;
#[cfg(not(target_family = "wasm"))]
use crate::ranks::gathered;

impl Trainer {
    /// Lets so many threads share the work, on a device that is a CPU. The results do not depend
    /// on it.
    pub fn set_threads(&mut self, threads: usize) {
        self.crew.threads = threads.max(1);
    }

    /// Shares the work with other processes that hold the same run and take the same steps. The results
    /// do not depend on it.
    pub fn set_ranks(&mut self, ranks: Arc<dyn Ranks>) {
        self.crew.ranks = (ranks.size() > 1).then_some(ranks);
    }

    /// Checks that all ranks hold the same networks: processors of different kinds may round
    /// differently, and then the ranks drift apart.
    ///
    /// # Errors
    /// If they do not, or the device fails.
    #[cfg(not(target_family = "wasm"))]
    pub(super) async fn check_ranks_agree(&self) -> Result<(), Error> {
        let Some(ranks) = self.crew.ranks.as_deref() else { return Ok(()) };
        let critics = self.learner.critics.as_ref();
        let networks = [params::tensors(&self.learner.policy)];
        let networks = networks.into_iter().chain(critics.map(|c| params::tensors(&c.online)));
        let mut own = crc32fast::Hasher::new();
        for values in params::read(networks.flatten().collect()).await? {
            values.iter().for_each(|value| own.update(&value.to_le_bytes()));
        }
        let all: Vec<u32> = gathered(ranks, &own.finalize());
        match all.iter().position(|other| *other != all[0]) {
            None => Ok(()),
            Some(rank) => Err(Error::Device(format!(
                "rank {rank} holds other networks than rank 0 after the same steps: run the ranks on processors of one kind, with one build of archer"
            ))),
        }
    }
}
