//! What is not finite stops: such a number is never learned from, never saved and never read.
//!
//! A step of training is judged by numbers that are read back in any case. The global norm of a
//! gradient is finite only where each of its entries is, and Adam's step along a finite gradient is
//! finite; so finite norms mean finite weights, and no weight is read to know it. Weights themselves
//! are looked at where they are read or written as bytes.

use crate::config::Config;
use crate::error::Error;
use crate::rl::metrics::Metrics;
use crate::rl::transition::Trajectory;

/// Holds the numbers of a slice of training to be finite.
///
/// # Errors
/// The first that is not, by name, with what could be changed.
pub(crate) fn check_metrics(metrics: &Metrics, config: &Config) -> Result<(), Error> {
    match metrics.iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((name, value)) => {
            let remedy = remedy(name, config);
            Err(Error::NotFinite(format!("{name} is {value}: {remedy}")))
        }
    }
}

/// What could be changed where this metric is not finite.
fn remedy(metric: &str, config: &Config) -> String {
    let (first, _) = metric.split_once('.').unwrap_or((metric, ""));
    match first {
        "rollout" => REWARDS.to_string(),
        "bc" => format!(
            "imitation has diverged; lower warm_start.lr = {} or the coefficients of warm_start",
            config.warm_start.lr
        ),
        "lessons" => format!(
            "the auxiliary steps have diverged; lower lessons.lr = {} or their coefficients",
            config.lessons.lr
        ),
        "q1" | "q2" | "v1" | "v2" | "target_q1" | "target_q2" | "target_v1" | "target_v2"
        | "critic" => format!(
            "the critic has diverged; lower critic_lr = {}, or the rewards where they are large",
            config.critic_lr
        ),
        "weights" => format!(
            "the weights of imitated utterances are too large; lower iql.beta = {} or set iql.max_weight",
            config.iql.beta
        ),
        _ => format!(
            "the actor has diverged; lower lm_lr = {}, or the coefficients of its loss",
            config.lm_lr
        ),
    }
}

const REWARDS: &str = "rewards add up to more than a 32-bit number holds; scale the world's rewards down to single digits";

/// Holds rewards and returns of some games to be finite.
///
/// # Errors
/// If one is not.
pub(crate) fn check_games(games: &[Trajectory]) -> Result<(), Error> {
    let turns = games.iter().flat_map(|game| &game.transitions);
    for turn in turns {
        for (what, value) in [("the reward", turn.reward), ("the return", turn.mc_return)] {
            if !value.is_finite() {
                let text = format!("{what} of a turn is {value}: {REWARDS}");
                return Err(Error::NotFinite(text));
            }
        }
    }
    Ok(())
}

/// Holds the values of a tensor to be finite; `place` says where they stand, such as a file.
///
/// # Errors
/// If one is not; the error names place, tensor and value.
pub fn check_tensor(place: &str, name: &str, values: &[f32]) -> Result<(), Error> {
    // A sum of products with 0 is 0 unless one is not finite: a loop without a branch.
    if values.iter().map(|value| value * 0.0).sum::<f32>() == 0.0 {
        return Ok(());
    }
    let bad = values.iter().enumerate().find(|(_, value)| !value.is_finite());
    let (at, value) = bad.map_or((0, f32::NAN), |(at, value)| (at, *value));
    Err(Error::Model(format!(
        "{place}: the tensor {name} holds {value} at place {at}: the model is broken; take another, or an earlier checkpoint of it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::transition::Transition;

    #[test]
    fn the_first_number_that_is_none_is_named_with_what_could_be_changed() {
        let config = Config { critic_lr: 0.5, ..Config::default() };
        let mut metrics = Metrics::new();
        metrics.push("rollout.turns", 3.0);
        assert_eq!(check_metrics(&metrics, &config), Ok(()));
        metrics.push("q1.loss", f64::INFINITY);
        metrics.push("actor.grad_norm", f64::NAN);
        let said = check_metrics(&metrics, &config).unwrap_err().to_string();
        assert!(said.starts_with("q1.loss is inf") && said.contains("critic_lr = 0.5"), "{said}");
    }

    #[test]
    fn weights_are_finite_or_named() {
        assert_eq!(check_tensor("a", "b", &[0.0, -1.0, f32::MAX, f32::MIN_POSITIVE]), Ok(()));
        assert_eq!(check_tensor("a", "b", &[]), Ok(()));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let said = check_tensor("file", "wte", &[1.0, bad, 2.0]).unwrap_err().to_string();
            assert!(said.starts_with(&format!("file: the tensor wte holds {bad} at place 1")));
        }
    }

    /// Two rewards that a 32-bit number holds, and their sum, which it does not.
    #[test]
    fn returns_are_finite_as_well_as_rewards() {
        let turn = |reward: f32| Transition {
            observation: [1].into(),
            action: [1].into(),
            reward,
            next_observation: [1].into(),
            terminated: false,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
        };
        let game = |rewards: [f32; 2]| {
            let transitions = rewards.map(turn).to_vec();
            let mut game = Trajectory { transitions, ..Trajectory::default() };
            game.close(1.0);
            [game]
        };
        assert_eq!(check_games(&game([1e38, -1e38])), Ok(()));
        let said = check_games(&game([3e38, 3e38])).unwrap_err().to_string();
        assert!(said.starts_with("the return of a turn is inf"), "{said}");
        let said = check_games(&game([1.0, f32::NAN])).unwrap_err().to_string();
        assert!(said.contains("NaN"), "{said}");
    }
}
