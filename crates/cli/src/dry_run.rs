//! `archer train --dry-run`: what a run would be, without running it and without writing anything.
//!
//! What is printed is a configuration file; what was found out stands in its comments. Time and memory
//! are measured: some steps of the run are done on a copy that is thrown away.

use archer::config::{Algorithm, Config};
use archer::train::{Phase, Trainer};
use pollster::block_on;

use crate::args;
use crate::bench::memory;
use crate::clock::{Stopwatch, spoken};
use crate::device;
use crate::error::Error;
use crate::experiment::{self, Experiment};
use crate::number::thousands;
use crate::output;
use crate::progress::Screen;
use crate::run_dir;
use crate::train::begin_training;

/// Seconds after which no further probe is begun.
const PATIENCE: f64 = 20.0;
/// Games of a probe, unless an iteration has fewer.
const GAMES: usize = 32;
/// Seconds of gradient steps from which on their time is known.
const TOLD: f64 = 0.5;
/// Bytes of a remembered transition beside its text.
const TRANSITION: f64 = 160.0;

/// Finds out and prints.
pub fn run(experiment: &Experiment, args: &args::Running) -> Result<(), Error> {
    let device = device::open_for(&args.compute)?;
    if let Some(out) = &args.out {
        run_dir::refuse_occupied(out)?;
    }
    let screen = Screen::new(args.quiet);
    screen.say(&format!("trying {} on {}; nothing is written", experiment.name, device.name));
    memory::forget_peak();
    let mut trainer = begin_training(experiment.config.clone(), None, &device)?;
    trainer.set_threads(device.threads);
    let config = trainer.config().clone();
    let (actor, critic, tokens) = trainer.sizes();
    let replay = replay_mib(&trainer);
    let probe = Probe::of(&mut trainer)?;
    let lines = [
        format!("device: {}, {} threads", device.name, device.threads),
        format!(
            "parameters: {} in the actor, {} in the critic, {tokens} tokens in the vocabulary",
            thousands(actor as f64),
            thousands(critic as f64)
        ),
        memory_line(replay),
        probe.line(&config, args.final_games),
    ];
    output::line(&format!("# The run {}, tried and not run.", experiment.name))?;
    for line in lines {
        output::line(&format!("# {line}"))?;
    }
    output::line("")?;
    output::line(experiment::to_text(&config)?.trim_end())
}

fn memory_line(replay: f64) -> String {
    match memory::peak_mib() {
        Some(peak) => format!(
            "memory: {peak:.0} MiB at the most in the trial (measured: networks, optimisers and a step of full size), and at most {replay:.0} MiB more once the replay buffer is full (computed)"
        ),
        None => format!(
            "memory: not measured, for this system does not tell it; the replay buffer takes at most {replay:.0} MiB of it (computed)"
        ),
    }
}

/// The most that remembered transitions take, in MiB: each as long as the actor can read.
fn replay_mib(trainer: &Trainer) -> f64 {
    let config = trainer.config();
    if !config.algorithm.remembers() || config.algorithm.is_offline() {
        return 0.0;
    }
    let turns = trainer.worlds().about().max_turns as f64;
    let played = config.iterations as f64 * config.rollout_size as f64 * turns;
    let each = 4.0 * config.actor_model.positions as f64 + TRANSITION;
    played.min(config.capacity as f64) * each / 1024.0 / 1024.0
}

/// What some steps took, in seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Probe {
    /// The whole trial.
    spent: f64,
    /// A gradient step of the warm start.
    warm_step: Option<f64>,
    /// Parts of an iteration, where there was time to tell them apart.
    iteration: Option<Iteration>,
}

/// What an iteration takes, in seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Iteration {
    game: f64,
    critic_step: f64,
    actor_step: f64,
}

impl Probe {
    fn of(trainer: &mut Trainer) -> Result<Probe, Error> {
        let watch = Stopwatch::start();
        let trial = trainer.clone();
        let warm_step = warm_step(trainer)?;
        let iteration = match trial.config().algorithm {
            Algorithm::Bc => None,
            _ => iteration(&trial, &watch)?,
        };
        Ok(Probe { spent: watch.seconds(), warm_step, iteration })
    }

    /// The expected time in a sentence.
    fn line(&self, config: &Config, final_games: usize) -> String {
        let learns = config.algorithm != Algorithm::Bc && config.iterations > 0;
        let total = match (self.warm(config), self.learning(config, final_games)) {
            (Some(warm), Some(learning)) if learns => Some((warm, learning)),
            (Some(warm), _) if !learns => Some((warm, 0.0)),
            _ => None,
        };
        let spent = spoken(self.spent.ceil());
        match total {
            Some((warm, learning)) => format!(
                "time: about {} here ({} of warm start, {} of learning and measuring), as a trial of {spent} says; games get shorter or longer as the agent learns",
                spoken(warm + learning),
                spoken(warm),
                spoken(learning)
            ),
            None => {
                let warm = self.warm(config).filter(|warm| *warm > 0.0);
                let warm = warm.map_or(String::new(), |warm| {
                    format!("; the warm start takes about {}", spoken(warm))
                });
                format!(
                    "time: not known, for a trial of {spent} was too short to tell an iteration's parts apart{warm}"
                )
            }
        }
    }

    fn warm(&self, config: &Config) -> Option<f64> {
        match config.warm_start.steps {
            0 => Some(0.0),
            steps => Some(self.warm_step? * steps as f64),
        }
    }

    fn learning(&self, config: &Config, final_games: usize) -> Option<f64> {
        let Iteration { game, critic_step, actor_step } = self.iteration?;
        let rounds = config.iterations as f64;
        let actor = (rounds - config.warmup_iter as f64).max(0.0);
        let evaluations = match config.eval_freq {
            0 => 1,
            every => config.iterations.div_ceil(every),
        };
        // Two models play the comparison at the end: that of the warm start and the trained one.
        let games = config.rollout_size as f64 * rounds
            + (evaluations * config.eval_size) as f64
            + 2.0 * final_games as f64;
        Some(
            games * game
                + rounds * config.epochs as f64 * critic_step
                + actor * config.actor_epochs as f64 * actor_step,
        )
    }
}

/// What a step of the warm start takes: the second slice of two, for the first plays the games.
fn warm_step(trainer: &mut Trainer) -> Result<Option<f64>, Error> {
    let mut took = None;
    for slice in 0..2 {
        let before = trainer.progress();
        // The last slice ends by an evaluation, which is no part of a step.
        let last = slice > 0 && before.total - before.done <= before.done;
        if before.phase != Phase::WarmStart || last {
            break;
        }
        let watch = Stopwatch::start();
        let report = block_on(trainer.step())?;
        took = Some(watch.seconds() / (report.step - before.done) as f64);
    }
    Ok(took)
}

/// What the parts of an iteration take. Games with a step of each kind come first; further steps are then
/// added until they take longer than all else, so that what the clock cannot tell apart decides nothing.
fn iteration(trial: &Trainer, watch: &Stopwatch) -> Result<Option<Iteration>, Error> {
    let config = trial.config();
    let games = config.rollout_size.clamp(1, GAMES);
    let took = |epochs, actor_epochs| -> Result<f64, Error> {
        let mut trial = trial.trial(games, epochs, actor_epochs);
        let watch = Stopwatch::start();
        block_on(trial.step())?;
        Ok(watch.seconds())
    };
    // The first of a process is slower than all others.
    took(1, 1)?;
    if watch.seconds() > PATIENCE {
        return Ok(None);
    }
    let base = took(1, 1)?.min(took(1, 1)?);
    let step = |most: usize, took: &dyn Fn(usize) -> Result<f64, Error>| {
        let mut steps = 1;
        loop {
            let more = (took(steps)? - base).max(0.0);
            let told = more > base.max(TOLD) || steps >= most;
            if told || watch.seconds() > PATIENCE {
                return Ok::<Option<f64>, Error>(told.then_some(more / steps as f64));
            }
            steps = (4 * steps).min(most);
        }
    };
    let critic_step = step(config.epochs.max(1), &|steps| took(1 + steps, 1))?;
    let actor_step = step(config.actor_epochs.max(1), &|steps| took(1, 1 + steps))?;
    Ok(critic_step.zip(actor_step).map(|(critic_step, actor_step)| Iteration {
        game: (base - critic_step - actor_step).max(0.0) / games as f64,
        critic_step,
        actor_step,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_the_sum_of_its_parts() {
        let iteration = Iteration { game: 0.1, critic_step: 0.01, actor_step: 0.02 };
        let probe = Probe { spent: 3.2, warm_step: Some(0.5), iteration: Some(iteration) };
        let mut config = Config {
            iterations: 10,
            rollout_size: 4,
            eval_size: 5,
            eval_freq: 5,
            epochs: 7,
            actor_epochs: 3,
            warmup_iter: 2,
            ..Config::default()
        };
        config.warm_start.steps = 20;
        // 10 × 4 games, 2 × 5 and 2 × 20 more; 70 critic steps; 8 × 3 actor steps.
        let learning = probe.learning(&config, 20).unwrap();
        assert!((learning - (9.0 + 0.7 + 0.48)).abs() < 1e-9, "{learning}");
        assert_eq!(probe.warm(&config), Some(10.0));
        assert!(probe.line(&config, 20).contains("about 20 s here"), "{}", probe.line(&config, 20));
        let unknown = Probe { iteration: None, ..probe };
        assert!(unknown.line(&config, 20).contains("not known"));
        let imitation = Config { algorithm: Algorithm::Bc, ..config };
        assert!(unknown.line(&imitation, 20).contains("about 10 s here"));
    }
}
