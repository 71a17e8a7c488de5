//! Rules between two settings, each of which would be right without the other.

use super::ranges::{MOST_DRAWN, MOST_MEMORY, MOST_ROWS, fault, within};
use super::{
    ActorModelConfig, AdvantageBaseline, Algorithm, Config, CriticKind, Level, Numerics,
    WarmupTargets,
};
use crate::error::Error;

/// Checks every rule.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    rows(config)?;
    memory(config)?;
    lengths(config)?;
    config.warm_start.check_use()?;
    critic(config)?;
    adapters(config)?;
    algorithm(config)?;
    numerics(config)
}

/// The transitions of a gradient step are drawn at once, and so are the fresh actions of all critic
/// steps of an iteration, and those of one actor step.
fn rows(config: &Config) -> Result<(), Error> {
    let rows = config.batch_size.saturating_mul(config.grad_accum_steps);
    let want = format_args!("at most {MOST_ROWS} over batch_size = {}", config.batch_size);
    within("grad_accum_steps", config.grad_accum_steps, rows <= MOST_ROWS, want)?;
    if !config.algorithm.has_critic() {
        return Ok(());
    }
    let (key, samples) = match config.algorithm {
        Algorithm::Chai => ("chai.samples", config.chai.samples),
        _ => ("critic_samples", config.critic_samples),
    };
    let drawn = rows.saturating_mul(config.epochs).saturating_mul(samples);
    let want = format_args!(
        "at most {MOST_DRAWN} over batch_size = {}, grad_accum_steps = {} and {key} = {samples}: so many actions are drawn at once",
        config.batch_size, config.grad_accum_steps
    );
    within("epochs", config.epochs, drawn <= MOST_DRAWN, want)?;
    let drawn = rows.saturating_mul(config.actor_samples);
    let want = format_args!(
        "at most {MOST_DRAWN} over batch_size = {} and grad_accum_steps = {}: so many actions are drawn at once",
        config.batch_size, config.grad_accum_steps
    );
    within("actor_samples", config.actor_samples, drawn <= MOST_DRAWN, want)
}

/// What fresh networks take must be there: a size alone says little.
fn memory(config: &Config) -> Result<(), Error> {
    let (parameters, bytes) = (config.parameters(), config.network_bytes());
    // A folder's networks are there already, and its files are as large as they are.
    if bytes <= MOST_MEMORY || !config.actor.is_empty() {
        return Ok(());
    }
    let ActorModelConfig { layers, width, .. } = config.actor_model;
    let (critic_layers, critic_width) = (config.critic_model.layers, config.critic_model.width);
    Err(Error::Config(format!(
        "actor_model.width = {width} and layers = {layers} with critic_model.width = {critic_width} and layers = {critic_layers} make networks of {parameters} parameters, which take about {} GiB with gradients and optimisers: at most {} GiB are allowed, so make them smaller",
        bytes.div_ceil(1 << 30),
        MOST_MEMORY >> 30
    )))
}

fn lengths(config: &Config) -> Result<(), Error> {
    let (positions, longest) = (config.actor_model.positions, config.max_new_tokens);
    let open = positions == 0 || longest == 0;
    let want =
        "larger than max_new_tokens by more than 8, to hold an observation beside the action";
    within("actor_model.positions", positions, open || positions > longest + 8, want)
}

fn critic(config: &Config) -> Result<(), Error> {
    let critic = &config.critic_model;
    // A model folder may bring a critic of its own kind; these keys then do nothing to it.
    let causal_only =
        config.reply_coef > 0.0 || config.actor_samples > 1 || config.critic_samples > 1;
    if causal_only && critic.kind == CriticKind::Encoder {
        return Err(fault(
            "critic_model.kind",
            "\"encoder\"",
            "\"causal\" for reply_coef above 0 and for more than 1 in actor_samples or critic_samples",
        ));
    }
    if config.advantage_baseline == AdvantageBaseline::Samples
        && config.algorithm == Algorithm::Archer
        && config.actor_samples < 2
    {
        return Err(fault(
            "advantage_baseline",
            "\"samples\"",
            "\"value\" unless actor_samples is at least 2",
        ));
    }
    if !config.critic.is_empty() && config.actor.is_empty() {
        return Err(fault(
            "critic",
            format_args!("{:?}", config.critic),
            "empty where actor is: a folder's critic judges a folder's actor",
        ));
    }
    match critic.from_actor {
        true => from_actor(config),
        false => Ok(()),
    }
}

/// A critic that begins with the actor's body has its shape. Presets ask for that, so the key that
/// stands against it is named, with both ways out.
fn from_actor(config: &Config) -> Result<(), Error> {
    let (actor, critic) = (&config.actor_model, &config.critic_model);
    let why = "critic_model.from_actor = true lets the critic begin with the actor's body";
    let otherwise = "or add --set critic_model.from_actor=false";
    if !config.critic.is_empty() {
        return Err(Error::Config(format!(
            "critic = {:?} does not go with this configuration, in which {why}: leave it out, {otherwise}",
            config.critic
        )));
    }
    if critic.kind != CriticKind::Causal {
        return Err(Error::Config(format!(
            "critic_model.kind = \"encoder\" does not go with this configuration, in which {why}: leave it \"causal\", {otherwise}"
        )));
    }
    if !config.actor.is_empty() {
        // The folder says the shape.
        return Ok(());
    }
    for (key, of_critic, of_actor) in [
        ("layers", critic.layers, actor.layers),
        ("width", critic.width, actor.width),
        ("heads", critic.heads, actor.heads),
        ("positions", critic.positions, actor.positions),
    ] {
        if of_critic != of_actor {
            return Err(Error::Config(format!(
                "actor_model.{key} = {of_actor} and critic_model.{key} = {of_critic} differ, and {why}: set both alike, {otherwise}"
            )));
        }
    }
    Ok(())
}

/// A run from nothing has no model whose weights could stay as they are.
pub(super) fn fresh(config: &Config) -> Result<(), Error> {
    match config.lora.is_on() {
        false => Ok(()),
        true => Err(Error::Config(format!(
            "lora.rank = {} is out of range: it must be 0 where actor names no model folder, for a fresh model has nothing to keep",
            config.lora.rank
        ))),
    }
}

/// Adapters are those of a model in a folder, whose weights stay as they are.
fn adapters(config: &Config) -> Result<(), Error> {
    if !config.lora.is_on() {
        return Ok(());
    }
    if config.warm_start.temperature != 1.0 {
        return Err(Error::Config(format!(
            "warm_start.temperature = {} is out of range: it must be 1 with lora.rank above 0, for it would change weights that are frozen",
            config.warm_start.temperature
        )));
    }
    Ok(())
}

/// What only some algorithms can be told.
fn algorithm(config: &Config) -> Result<(), Error> {
    let fault = |text: String| Err(Error::Config(text));
    let name = config.algorithm.name();
    if config.numerics == Numerics::Compat && config.algorithm != Algorithm::Archer {
        return fault(format!(
            "numerics = \"compat\" is for algorithm = \"archer\": leave it \"fixed\" for {name}"
        ));
    }
    let has_levels =
        matches!(config.algorithm, Algorithm::Archer | Algorithm::Bc | Algorithm::Reinforce);
    if config.level == Level::Token && !has_levels {
        return fault(format!(
            "level = \"token\" adds a baseline to the policy gradient of archer and reinforce: leave it \"utterance\" for {name}"
        ));
    }
    if config.play_lag > 0 && !config.algorithm.learns_from_older_policies() {
        return fault(format!(
            "play_lag = {} is out of range: it must be 0 for {name}, which learns from games of the policy as it is",
            config.play_lag
        ));
    }
    if config.algorithm == Algorithm::Distill && config.distill.teacher.is_empty() {
        return fault(
            "algorithm = \"distill\" learns from a teacher: use archer distill --teacher DIR, or name one with distill.teacher=DIR"
                .into(),
        );
    }
    if config.algorithm == Algorithm::Iql && config.iql.games.is_empty() {
        return fault(
            "algorithm = \"iql\" learns from a file of games: name one with iql.games=FILE, for example one that archer data has written"
                .into(),
        );
    }
    Ok(())
}

/// What the reference has not, its numerics cannot have.
fn numerics(config: &Config) -> Result<(), Error> {
    let ours = config.entropy_coef > 0.0
        || config.kl_coef > 0.0
        || config.repeat_penalty > 0.0
        || config.normalize_advantage
        || config.utterance_tries > 1
        || config.lessons.steps > 0
        || config.actor_average > 0.0
        || config.play_lag > 0
        || config.advantage_baseline == AdvantageBaseline::Samples
        || config.warmup_targets == WarmupTargets::MonteCarlo
        || (config.critic.is_empty() && config.critic_model.kind == CriticKind::Causal);
    within(
        "numerics",
        "\"compat\"",
        config.numerics != Numerics::Compat || !ours,
        "\"fixed\" where entropy_coef, kl_coef, repeat_penalty, normalize_advantage, advantage_baseline, utterance_tries, lessons.steps, actor_average, play_lag, warmup_targets or critic_model.kind is set to what the reference has not",
    )
}
