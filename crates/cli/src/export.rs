//! `archer export`: a run or a model as the one file that a page loads.

use std::fs;
use std::path::Path;

use archer::config::Config;
use archer::train::Trainer;
use burn::tensor::Device;
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::{Error, cannot_read, cannot_write};
use crate::files;
use crate::model;
use crate::output;
use crate::run_dir::{self, Kind};

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
    let file = match (path.is_file(), run_dir::is_run(path)) {
        (true, _) => Some(path.to_path_buf()),
        (_, true) => {
            let kind = if best { Kind::Best } else { Kind::Latest };
            Some(run_dir::checkpoint_path(path, kind))
        }
        _ => None,
    };
    if let Some(file) = file {
        let bytes = fs::read(&file).map_err(|e| cannot_read(&file, &e))?;
        return Trainer::resume(&bytes, device).map_err(|error| model::named(&file, error));
    }
    let agent = model::load(path, device)?;
    if agent.critic.is_none() {
        return Err(Error::Usage(format!(
            "{} has no critic, without which a page can show and learn nothing; export a model that was trained by ArCHer",
            path.display()
        )));
    }
    // A model folder tells its world and how it speaks; the rest of a run it does not know.
    let about = &agent.about;
    let config = Config {
        world: about.world.clone(),
        max_new_tokens: about.max_new_tokens,
        temperature: about.temperature,
        ..Config::default()
    };
    Ok(Trainer::from_agent(config, agent, device)?)
}
