//! A run that several processes compute together: what rank 0 tells the others, and what these do.
//!
//! Rank 0 alone writes the folder, prints, and decides when a step is taken. The others receive its checkpoint, which is the whole
//! run, and then take a step whenever rank 0 does.

use std::sync::Arc;
use std::time::Duration;

use archer::config::Config;
use archer::ranks::Ranks;
use archer::train::Trainer;
use archer_world::About;
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::model;
use crate::ranks::send_to_all;
use crate::signals;
use crate::worlds;

/// What rank 0 says before each step.
const STEP: &[u8] = b"step";
/// What it says when there is none to come.
const END: &[u8] = b"end";

/// Rank 0's line to the others.
pub struct Lead(Arc<dyn Ranks>);

impl Lead {
    /// Gives the others the run as it stands, and shares its work with them from now on.
    ///
    /// # Errors
    /// If one of them cannot take part.
    pub fn begin(ranks: &Arc<dyn Ranks>, trainer: &mut Trainer) -> Result<Lead, Error> {
        send_to_all(ranks.as_ref(), &block_on(trainer.checkpoint())?);
        let faults = ranks.gather(&[]);
        if let Some(rank) = faults.iter().position(|fault| !fault.is_empty()) {
            let fault = String::from_utf8_lossy(&faults[rank]);
            return Err(Error::Failure(format!("rank {rank} cannot take part: {fault}")));
        }
        trainer.set_ranks(ranks.clone());
        Ok(Lead(ranks.clone()))
    }

    /// Tells the others that there is nothing to do.
    pub fn dismiss(ranks: &dyn Ranks) {
        send_to_all(ranks, &[]);
    }

    /// A step is taken now.
    pub fn step(&self) {
        send_to_all(self.0.as_ref(), STEP);
    }

    /// No step is to come.
    pub fn end(&self) {
        send_to_all(self.0.as_ref(), END);
    }
}

/// How long a rank goes on after a signal: as long as rank 0 may take to give up its step and to save.
/// A rank that ends before makes the launcher end rank 0, too.
const OUTLASTS: Duration = Duration::from_secs(25);

/// The work of every other rank: from the checkpoint that it receives to the last step.
pub fn follow(args: &args::Train, ranks: &Arc<dyn Ranks>) -> Result<(), Error> {
    signals::outlast(OUTLASTS);
    let bytes = send_to_all(ranks.as_ref(), &[]);
    if bytes.is_empty() {
        return Ok(());
    }
    let own = received(args, &bytes);
    drop(bytes);
    // Rank 0 tells what is wrong here.
    let fault = own.as_ref().err().map(|error| error.to_string());
    ranks.gather(fault.unwrap_or_default().trim_start_matches("error: ").as_bytes());
    let mut trainer = own?;
    trainer.set_ranks(ranks.clone());
    while send_to_all(ranks.as_ref(), &[]) == STEP {
        block_on(trainer.step())?;
    }
    Ok(())
}

/// The run of a checkpoint that was received.
fn received(args: &args::Train, bytes: &[u8]) -> Result<Trainer, Error> {
    let device = device::open_for(&args.running.compute)?;
    let make = |config: &Config, _: Option<&About>| worlds::of(config, None);
    let base = |config: &Config| model::base(config, &device.device);
    let from = (&make as _, &base as _);
    let mut trainer = Trainer::resume_on(bytes, from, &device.device, model::unchanged)?;
    trainer.set_threads(device.threads);
    Ok(trainer)
}
