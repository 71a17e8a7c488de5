//! `archer distill`: a small student of a teacher that was trained before.
//!
//! An ordinary run whose algorithm is `distill`: what is decided here is only its configuration,
//! which is the teacher's own, with `crates/cli/presets/distill.toml` and what was typed over it.
//! With `--tokens` the student reads by another vocabulary, and learns from texts (`words.rs`).

mod words;

use std::path::Path;

use burn::tensor::Device;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::experiment::{self, Experiment, Request};
use crate::model;
use crate::progress::Screen;
use crate::train::{self, Asked};
use crate::worlds;

/// What every student is told, unless it is told otherwise.
const DEFAULTS: &str = include_str!("../presets/distill.toml");

/// Trains a student, or goes on with it, to the end or to a signal.
pub fn run(args: &args::Distill) -> Result<(), Error> {
    let mut like = args::Train {
        resume: args.resume.clone(),
        running: args.running.clone(),
        ..args::Train::default()
    };
    match train::asked(&like)? {
        Asked::Begin => {}
        Asked::Nothing(root) => {
            train::nothing_left(&root, &Screen::new(args.running.quiet));
            return Ok(());
        }
        Asked::Resume(root) => {
            let auto = args.resume.as_ref() != Some(&root);
            if let (false, Some(flag)) = (auto, args.of_a_new_run()) {
                return Err(train::does_not_go_with_resume(flag, &root));
            }
            // Whoever the teacher was, the checkpoint holds it.
            (like.resume, like.running.seed) = (Some(root), None);
            like.running.out = like.running.out.filter(|_| !auto);
            return train::run(&like);
        }
    }
    let teacher = args.teacher.as_ref().ok_or_else(|| {
        Error::Usage("--teacher is missing: name the model from which a new student learns".into())
    })?;
    let device = device::open_for(&args.running.compute)?.device;
    if let Some(tokens) = args.tokens {
        return words::run(args, &like, teacher, tokens, &device);
    }
    let experiment = experiment(args, teacher, &device)?;
    train::run_experiment(experiment, &like)
}

/// The configuration of a student of this teacher.
fn experiment(args: &args::Distill, teacher: &Path, device: &Device) -> Result<Experiment, Error> {
    let found = model::find(teacher, false, device)?;
    let mut base = found.config;
    if let (None, Some(why)) = (&args.world, worlds::refused(&base.world)) {
        return Err(Error::Usage(format!("{}: {why}", teacher.display())));
    }
    // A student may meet whatever its teacher could read.
    base.actor_model.positions = found.agent.actor.config().positions;
    if let Some(critic) = &found.agent.critic {
        base.critic_model.positions = critic.positions();
    }
    base.distill.teacher = teacher.display().to_string();
    // A student's games are the plain ones, also where it goes on by itself.
    if let Some(noise) = base.world.get_mut("rollout_noise") {
        *noise = 0.0.into();
    }
    let mut set: Vec<String> = Vec::new();
    set.extend(args.student.as_ref().map(|folder| format!("actor={}", folder.display())));
    set.extend(args.running.set.iter().cloned());
    let request = Request {
        config: args.config.as_deref(),
        world: args.world.as_deref(),
        set: &set,
        seed: args.running.seed,
        ..Request::default()
    };
    experiment::resolve_over(&base, ("distill", DEFAULTS), &request)
}
