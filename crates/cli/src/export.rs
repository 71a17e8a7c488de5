//! `archer export`: a run or a model as the one file that a page loads.

use std::path::Path;

use archer::train::Trainer;
use burn::tensor::Device;
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::{Error, cannot_write};
use crate::files;
use crate::model::{self, Found};
use crate::output;

/// Writes the file and says how large it is.
pub fn run(args: &args::Export) -> Result<(), Error> {
    let out = &args.out;
    if out.exists() && !args.force {
        return Err(Error::Usage(format!(
            "{} exists: choose another --out, or replace it with --force",
            out.display()
        )));
    }
    let device = device::open(&args.device)?.device;
    let trainer = open(&args.model, args.best, &device)?;
    let bytes = match args.training {
        true => block_on(trainer.checkpoint())?,
        false => block_on(trainer.export())?,
    };
    files::write_atomic(out, &bytes).map_err(|e| cannot_write(out, &e))?;
    output::line(&format!("{} holds the model, {} bytes.", out.display(), bytes.len()))
}

/// The trainer of a run folder, a model folder, or a file that was exported before.
fn open(path: &Path, best: bool, device: &Device) -> Result<Trainer, Error> {
    let Found { agent, config, trainer } = model::find(path, best, device)?;
    if let Some(trainer) = trainer {
        return Ok(trainer);
    }
    if agent.critic.is_none() {
        return Err(Error::Usage(format!(
            "{} has no critic, without which a page can show and learn nothing; export a model that was trained by ArCHer",
            path.display()
        )));
    }
    Ok(Trainer::from_agent(config, agent, device)?)
}
