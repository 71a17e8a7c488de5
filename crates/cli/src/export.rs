//! `archer export`: a run or a model as the one file that a page loads, or as a folder that other
//! programs read.

use std::path::Path;

use archer::agent::{Agent, Card};
use archer::checkpoint::packed::Precision;
use archer::nn::sampling::Sampler;
use archer::train::Trainer;
use archer::train::evaluate::{Evaluation, evaluate};
use archer::train::trainer::Origin;
use burn::tensor::Device;
use pollster::block_on;

use crate::args;
use crate::comparison;
use crate::device::{self, Opened};
use crate::error::{Error, cannot_write, notice};
use crate::files;
use crate::input;
use crate::model::{self, Found};
use crate::number::{signed, thousands, with_interval};
use crate::output;
use crate::worlds;

/// What a precision may cost in return before a person should think again.
const LOSS: f64 = 0.1;

/// Writes the file and says how large it is, and what it cost.
pub fn run(args: &args::Export) -> Result<(), Error> {
    let out = &args.out;
    match args.folder {
        false => files::check_free(out, args.force)?,
        true => files::check_free_folder(out, args.force, |out| out.join("archer.json").is_file())?,
    }
    let device = device::open_for(&args.compute)?;
    if args.folder {
        return write_folder(args, &device.device);
    }
    let mut trainer = open(&args.model, args.best, &device.device)?;
    let origin = trainer.origin().clone();
    trainer.set_origin(Origin {
        licence: args.licence.clone().unwrap_or(origin.licence),
        commit: args.commit.clone().unwrap_or(origin.commit),
    });
    if let Err(error) = trainer.fits_a_page() {
        let why = format!("{}: a page cannot read this model: {error}", args.model.display());
        match args.training {
            // Whoever goes on with it here has what a page lacks.
            true => notice(&why),
            false => {
                return Err(Error::Failure(format!(
                    "{why}; export it as a folder with --folder, which the terminal and other programs read"
                )));
            }
        }
    }
    let precision = precision(args, &trainer)?;
    let bytes = match args.training {
        true => {
            trainer.carry_base();
            block_on(trainer.checkpoint())?
        }
        false => block_on(trainer.export_as(precision))?,
    };
    let check = match args.check {
        0 => None,
        games => Some(check(&trainer, &bytes, games, &device)?),
    };
    files::write_atomic(out, &bytes).map_err(|e| cannot_write(out, &e))?;
    let (actor, critic, _) = trainer.sizes();
    let (of, parameters) = match trainer.has_adapters() {
        true => ("the model and what was learned beside it", trainer.agent().parameters()),
        false => ("the model", actor + critic),
    };
    output::line(&format!(
        "{} holds {of}, {} bytes: {} parameters at {}.",
        out.display(),
        bytes.len(),
        thousands(parameters as f64),
        match (args.training, trainer.has_adapters()) {
            (true, _) => "the bits that they have".to_string(),
            (false, true) => format!("{precision} or fewer bits"),
            (false, false) => precision.to_string(),
        }
    ))?;
    match check {
        None => Ok(()),
        Some(told) => output::line(&told),
    }
}

/// The precision that is asked for, or the one that suits the model.
fn precision(args: &args::Export, trainer: &Trainer) -> Result<Precision, Error> {
    match (args.precision, trainer.has_adapters()) {
        (None, false) => Ok(Precision::F32),
        // A weight of a language model that has fewer bits keeps them.
        (None, true) => Ok(Precision::Q8),
        (Some(precision), adapters) if adapters || precision.is_for_all() => Ok(precision),
        (Some(precision), _) => Err(Error::Usage(format!(
            "--precision {precision} is for a language model under adapters, and {} is none: choose f32, f16 or q8",
            args.model.display()
        ))),
    }
}

fn write_folder(args: &args::Export, device: &Device) -> Result<(), Error> {
    let Found { agent, trainer, .. } = model::find(&args.model, args.best, device)?;
    let mut card = match trainer {
        Some(trainer) => trainer.card(None),
        None => Card { licence: licence_of(&args.model), ..Card::default() },
    };
    card.licence = args.licence.clone().unwrap_or(card.licence);
    card.commit = args.commit.clone().unwrap_or(card.commit);
    let agent = agent.whole();
    let written = block_on(agent.files(&card))?;
    files::write_folder_atomic(&args.out, &written, model::is_model_file)
        .map_err(|e| cannot_write(&args.out, &e))?;
    let all = thousands(agent.parameters() as f64);
    output::line(&format!("{} holds the model: {all} parameters.", args.out.display()))
}

/// The terms that the card in a model folder names, if it has one that does.
fn licence_of(folder: &Path) -> String {
    let card = input::text(&folder.join("README.md"), input::MODEL_TEXT).unwrap_or_default();
    card.lines().find_map(|line| line.strip_prefix("- Licence: ")).unwrap_or_default().to_string()
}

/// Lets the model and what the file holds play the same games, and tells the difference.
fn check(trainer: &Trainer, file: &[u8], games: usize, device: &Opened) -> Result<String, Error> {
    if worlds::refused(&trainer.config().world).is_some() {
        return Err(Error::Usage(
            "--check plays the model's own world, and this one is outside archer, where export starts nothing: leave --check out, and measure with archer eval --world".into(),
        ));
    }
    let play = |agent: &Agent| {
        let sampler = Sampler::greedy();
        let player = agent.player(&sampler, device.threads);
        block_on(evaluate(player, trainer.worlds().as_ref(), games, comparison::SEED))
    };
    let read = Trainer::resume(file, &worlds::of_file, &device.device)?;
    block_on(read.check_example(file))?;
    let (before, after) = (play(&trainer.agent())?, play(&read.agent())?);
    let (gain, [low, high]) = after.gain_over(&before).expect("both have played the same games");
    let told = |e: &Evaluation| with_interval(e.mean_return, e.return_ci95);
    let advice = match -gain > LOSS {
        true => " That is much for a precision; take a higher one.",
        false => "",
    };
    let spread = match low.is_finite() {
        true => {
            format!("95 % interval {} to {}, game by game", signed(-high, 3), signed(-low, 3))
        }
        false => "the same in every game".to_string(),
    };
    Ok(format!(
        "Greedy play over {} games returns {} before and {} from the file: a loss of {} ({spread}).{advice}",
        thousands(games as f64),
        told(&before),
        told(&after),
        signed(-gain, 3),
    ))
}

/// The trainer of a run folder, a model folder, or a file that was exported before.
fn open(path: &Path, best: bool, device: &Device) -> Result<Trainer, Error> {
    let Found { agent, config, trainer } = model::find(path, best, device)?;
    if let Some(trainer) = trainer {
        return Ok(trainer);
    }
    if agent.about.samples > 1 {
        return Err(Error::Usage(format!(
            "the critic in {} chooses what is said, among {} utterances, and only the run's folder holds the configuration by which it goes on so; export the run's folder instead",
            path.display(),
            agent.about.samples
        )));
    }
    let untrained = agent.about.base_sha256.is_empty() && agent.critic.is_none();
    if agent.actor.config().has_adapters() && untrained {
        let shown = path.display();
        return Err(Error::Usage(format!(
            "{shown} is a language model that no run has begun with, so nobody knows its world: begin one, with --set iterations=0 to train nothing (archer train --preset new-world --world WORLD --set actor={shown} --set lora.rank=8 --set warm_start.steps=0 --set iterations=0 --final-games 0 --out RUN), and export RUN; or export {shown} as a folder with --folder"
        )));
    }
    if agent.critic.is_none() {
        return Err(Error::Usage(format!(
            "{} has no critic, without which a page can show and learn nothing: export it as a folder with --folder, or train with --algorithm archer, which has one",
            path.display()
        )));
    }
    if worlds::refused(&config.world).is_some() {
        return Err(Error::Usage(format!(
            "{} was trained in a world outside archer, where export starts nothing, and only the run's folder holds what a player reads first there: export the run's folder instead",
            path.display()
        )));
    }
    let worlds = worlds::of_file(&config, None)?;
    Ok(Trainer::from_agent(config, worlds, agent, device)?)
}
