//! A model folder, a file of ours or a GGUF, read into an agent.

mod source;

use std::path::Path;

use archer::agent::{Agent, Base, Reading};
use archer::config::{Config, Held};
use archer::hf::weights;
use archer::nn::causal_lm::CausalLm;
use archer::train::Trainer;
use burn::tensor::Device;
use pollster::block_on;

use crate::error::{Error, notice, quoted};
use crate::progress::Screen;
use crate::run_dir::{self, Kind};
use crate::worlds;
use source::Source;
pub use source::sections;

/// Loads the agent that lies in the folder `path`, in Hugging Face layout, or in the file `path`, ours or a
/// GGUF.
pub fn load(path: &Path, device: &Device) -> Result<Agent, Error> {
    load_as(path, None, device)
}

/// The same with the weights of a language model held like this.
pub fn load_as(path: &Path, held: Option<Held>, device: &Device) -> Result<Agent, Error> {
    let agent = match path.is_file() && !source::is_gguf(path) {
        true => with_place(open_file(path, device)?.agent(), path),
        false => load_to_train(path, None, Reading { seed: 0, held }, device)?,
    };
    if held.is_some() && agent.actor.config().has_adapters() && source::is_archer(path) {
        return Err(Error::Usage(format!(
            "--weights is for a model folder or a GGUF, and {} holds weights as they were trained with or exported: leave it out",
            path.display()
        )));
    }
    match held.is_some() && !agent.actor.config().has_adapters() {
        true => Err(Error::Usage(format!(
            "--weights is for language models in Llama's layout, and {} is one in the layout of {}: leave it out",
            path.display(),
            agent.actor.config().layout.name()
        ))),
        false => Ok(agent),
    }
}

/// An agent out of a file, whose adapters may belong to a model in the file itself.
fn with_place(agent: Agent, path: &Path) -> Agent {
    match agent.base.place.is_empty() && !agent.base.sha256.is_empty() {
        true => {
            let base = Base { place: path.display().to_string(), ..agent.base.clone() };
            agent.with_base(base)
        }
        false => agent,
    }
}

/// The agent that a run begins with: that of a file of ours with its adapters, or a model.
pub fn load_to_begin(path: &Path, config: &Config, device: &Device) -> Result<Agent, Error> {
    let critic = config.algorithm.has_critic() && !config.critic.is_empty();
    let critic = critic.then(|| Path::new(&config.critic));
    match (source::is_archer(path), critic) {
        (false, critic) => load_to_train(path, critic, reading(config), device),
        (true, None) => load(path, device),
        (true, Some(critic)) => Err(Error::Usage(format!(
            "{} is a file that has its own critic or none, so critic = {} does not go with it: leave critic out, or name a model folder as actor",
            path.display(),
            critic.display()
        ))),
    }
}

/// Whether a file of this name in a model folder is one that archer writes there. Others are
/// somebody's own and stay when the folder is written again.
pub fn is_model_file(name: &str) -> bool {
    let name = name.strip_prefix("critic/").unwrap_or(name);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = name.strip_prefix("model-").and_then(|rest| rest.strip_suffix(".safetensors"));
    let is_part = part
        .and_then(|part| part.split_once("-of-"))
        .is_some_and(|(number, of)| digits(number) && digits(of));
    let known = [
        "adapter_config.json",
        "adapter_model.safetensors",
        "archer.json",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    is_part || known.contains(&name)
}

/// A model from wherever it lies.
pub struct Found {
    /// Who plays.
    pub agent: Agent,
    /// What it was trained by; of a model folder only the world and how it speaks are known, and the
    /// rest is the default.
    pub config: Config,
    /// The run that it belongs to, unless it is a model folder.
    pub trainer: Option<Trainer>,
}

/// The model of a run's folder (its newest checkpoint that is whole, or the best), of a model's, or of a
/// file that was exported or is a checkpoint.
pub fn find(path: &Path, best: bool, device: &Device) -> Result<Found, Error> {
    let is_ours = path.is_file() && !source::is_gguf(path);
    let trainer = match (is_ours, run_dir::is_run(path)) {
        (true, _) => Some(open_file(path, device)?),
        (_, true) if best => Some(open_file(&run_dir::checkpoint_path(path, Kind::Best), device)?),
        (_, true) => Some(newest(path, device)?),
        _ => None,
    };
    if let Some(trainer) = trainer {
        let (agent, config) = (trainer.agent(), trainer.config().clone());
        return Ok(Found { agent, config, trainer: Some(trainer) });
    }
    let agent = load(path, device)?;
    let about = &agent.about;
    let config = Config {
        world: about.world.clone(),
        max_new_tokens: about.max_new_tokens,
        temperature: about.temperature,
        top_k: about.top_k,
        top_p: about.top_p,
        utterance_tries: about.utterance_tries,
        ..Config::default()
    };
    Ok(Found { agent, config, trainer: None })
}

/// The run in the newest checkpoint of a folder that is whole, with a warning where that is not the last.
fn newest(root: &Path, device: &Device) -> Result<Trainer, Error> {
    let (screen, mut faults) = (Screen::new(false), Vec::<String>::new());
    let paths = run_dir::checkpoints(root);
    for path in paths.iter().filter(|path| path.is_file()) {
        match open_file(path, device) {
            Ok(trainer) => {
                faults.iter().for_each(|fault| screen.warn(fault));
                if *path != paths[0] {
                    screen.warn(&format!("the model is that of {}", path.display()));
                }
                return Ok(trainer);
            }
            Err(Error::Failure(fault)) => faults.push(fault),
            Err(other) => return Err(other),
        }
    }
    Err(Error::Failure(format!(
        "{}; no checkpoint in {} is whole",
        faults.join("; "),
        root.display()
    )))
}

/// The run in a file, which checks itself by its example.
fn open_file(file: &Path, device: &Device) -> Result<Trainer, Error> {
    let sections = source::sections(file)?;
    let base = |config: &Config| base(config, device);
    let opened = Trainer::resume_from(&sections, (&worlds::of_file, &base), device, unchanged)
        .and_then(|trainer| block_on(trainer.check_example_of(&sections)).map(|()| trainer));
    opened.map_err(|error| named(file, error))
}

/// The configuration of a file as it stands.
pub fn unchanged(config: &Config) -> Result<Config, archer::Error> {
    Ok(config.clone())
}

/// An error of the core with the path that it is about.
pub fn named(path: &Path, error: archer::Error) -> Error {
    let shown = path.display();
    match error.into() {
        Error::Usage(text) => Error::Usage(format!("{shown}: {text}")),
        Error::Failure(text) => Error::Failure(format!("{shown}: {text}")),
        other => other,
    }
}

/// The same with the critic of another folder, for a run with this seed: what a published encoder
/// lacks of a critic is drawn from it.
pub fn load_to_train(
    folder: &Path,
    critic: Option<&Path>,
    reading: Reading,
    device: &Device,
) -> Result<Agent, Error> {
    let model = Source::open(folder)?;
    if let Source::Folder(folder) = &model {
        check(folder, "model")?;
    }
    if let Some(critic) = critic {
        check(critic, "critic")?;
    }
    let base = source::base_of(&model)?;
    let read = |name: &str| {
        let (of_critic, of_base) = (name.strip_prefix("critic/"), name.strip_prefix(weights::BASE));
        match (critic, of_critic, &base, of_base) {
            (Some(critic), Some(name), ..) => source::file(&critic.join(name)),
            (.., Some((_, base)), Some(name)) => base.get(name),
            _ => model.get(name),
        }
    };
    let shown = match critic {
        Some(critic) => format!("{} with the critic {}", folder.display(), critic.display()),
        None => folder.display().to_string(),
    };
    let agent = Agent::from_files_as(&read, reading, device);
    let agent = agent.map_err(|error| match error.into() {
        Error::Usage(text) => Error::Usage(format!("{shown}: {text}")),
        Error::Failure(text) => Error::Failure(format!("{shown}: {text}")),
        other => other,
    })?;
    agent.notices.iter().for_each(|text| notice(&format!("{shown}: {text}")));
    let place = base.as_ref().map_or(folder, |(place, _)| place).display().to_string();
    let base = Base { place, ..agent.base.clone() };
    Ok(agent.with_base(base))
}

/// How the model that a run begins with is read.
pub fn reading(config: &Config) -> Reading {
    // As they were when the adapters of a folder were trained, where nothing is asked for.
    let held = Some(config.lora.weights).filter(|held| *held != Held::Stored);
    Reading { seed: config.seed, held }
}

/// The model that the adapters of a run belong to.
pub fn base(config: &Config, device: &Device) -> Result<(CausalLm, Base), archer::Error> {
    let agent = load_to_train(Path::new(&config.actor), None, reading(config), device)
        .map_err(|error| archer::Error::Checkpoint(error.plain()))?;
    Ok((agent.actor, agent.base))
}

/// Whether a folder can hold what is looked for in it.
fn check(folder: &Path, what: &str) -> Result<(), Error> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Error::Usage(format!(
            "there is no {what} folder {shown}; a run leaves its model in <run>/model"
        )));
    }
    if crate::run_dir::is_run(folder) {
        return Err(Error::Usage(format!(
            "{shown} is a run and not a model; its model is {}",
            quoted(&folder.join("model"))
        )));
    }
    if let Some(text) = weights_of_another_format(folder) {
        return Err(Error::Failure(format!("{shown}: {text}")));
    }
    if what == "critic" && !folder.join("config.json").is_file() {
        return Err(Error::Usage(format!(
            "the critic folder {shown} holds no config.json, which says what its weights are"
        )));
    }
    Ok(())
}

/// What is wrong with a folder whose weights are there in another format alone.
fn weights_of_another_format(folder: &Path) -> Option<String> {
    const OTHERS: [(&str, &str); 3] = [
        (
            "pytorch_model.bin",
            "a Python pickle: save the model as safetensors (save_pretrained does)",
        ),
        (
            "pytorch_model.bin.index.json",
            "the index of Python pickles: save the model as safetensors (save_pretrained does)",
        ),
        ("tf_model.h5", "an HDF5 file: save the model as safetensors (save_pretrained does)"),
    ];
    let has = |name: &str| folder.join(name).exists();
    if has(weights::SINGLE) || has(weights::INDEX) || has("adapter_config.json") {
        return None;
    }
    let (name, what) = OTHERS.into_iter().find(|(name, _)| has(name))?;
    Some(format!("there is no {}, and {name} is {what}", weights::SINGLE))
}
