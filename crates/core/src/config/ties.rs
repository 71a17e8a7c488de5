//! Rules between two settings, each of which would be right without the other.

use super::ranges::{fault, within};
use super::{AdvantageBaseline, Algorithm, Config, CriticKind, Level, Numerics, WarmupTargets};
use crate::error::Error;

/// Checks every rule.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    rows(config)?;
    lengths(config)?;
    config.warm_start.check_use()?;
    critic(config)?;
    algorithm(config)?;
    numerics(config)
}

/// The transitions of a gradient step are drawn at once.
fn rows(config: &Config) -> Result<(), Error> {
    let rows = config.batch_size.saturating_mul(config.grad_accum_steps);
    let most = super::ranges::MOST_ITEMS;
    let want = format_args!("at most {most} over batch_size = {}", config.batch_size);
    within("grad_accum_steps", config.grad_accum_steps, rows <= most, want)
}

fn lengths(config: &Config) -> Result<(), Error> {
    let (positions, longest) = (config.actor_model.positions, config.max_new_tokens);
    let open = positions == 0 || longest == 0;
    let want =
        "larger than max_new_tokens by more than 8, to hold an observation beside the action";
    within("actor_model.positions", positions, open || positions > longest + 8, want)
}

fn critic(config: &Config) -> Result<(), Error> {
    let (actor, critic) = (&config.actor_model, &config.critic_model);
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
    let alike = critic.kind == CriticKind::Causal
        && (critic.layers, critic.width, critic.heads, critic.positions)
            == (actor.layers, actor.width, actor.heads, actor.positions);
    if critic.from_actor && !alike {
        return Err(fault(
            "critic_model.from_actor",
            "true",
            "false unless critic_model.kind is \"causal\" and the shapes of both models are equal",
        ));
    }
    if !config.critic.is_empty() && config.actor.is_empty() {
        return Err(fault(
            "critic",
            format_args!("{:?}", config.critic),
            "empty where actor is: a folder's critic judges a folder's actor",
        ));
    }
    if !config.critic.is_empty() && critic.from_actor {
        return Err(fault("critic_model.from_actor", "true", "false where critic is given"));
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
        || config.advantage_baseline == AdvantageBaseline::Samples
        || config.warmup_targets == WarmupTargets::MonteCarlo
        || (config.critic.is_empty() && config.critic_model.kind == CriticKind::Causal);
    within(
        "numerics",
        "\"compat\"",
        config.numerics != Numerics::Compat || !ours,
        "\"fixed\" where entropy_coef, kl_coef, repeat_penalty, normalize_advantage, advantage_baseline, utterance_tries, lessons.steps, actor_average, warmup_targets or critic_model.kind is set to what the reference has not",
    )
}
