//! A model folder, read into an agent.

use std::fs;
use std::path::Path;

use archer::agent::Agent;
use archer::nn::sampling::Sampler;
use burn::tensor::Device;

use crate::error::Error;

/// Loads the agent that lies in `folder`, in Hugging Face layout.
pub fn load(folder: &Path, device: &Device) -> Result<Agent, Error> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Error::Usage(format!(
            "there is no model folder {shown}; a run leaves its model in <run>/model"
        )));
    }
    if crate::run_dir::is_run(folder) {
        return Err(Error::Usage(format!(
            "{shown} is a run and not a model; its model is {shown}/model"
        )));
    }
    // A file that cannot be read is as good as absent to the core, which names what it misses.
    let read = |name: &str| fs::read(folder.join(name)).ok();
    Agent::from_files(&read, device).map_err(|error| match error.into() {
        Error::Usage(text) => Error::Usage(format!("{shown}: {text}")),
        Error::Failure(text) => Error::Failure(format!("{shown}: {text}")),
        other => other,
    })
}

/// How an agent speaks: its likeliest words, or drawn as in its training where `sample`.
pub fn sampler(agent: &Agent, sample: bool) -> Sampler {
    match sample {
        true => Sampler { temperature: agent.about.temperature, ..Sampler::greedy() },
        false => Sampler::greedy(),
    }
}
