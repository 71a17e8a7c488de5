//! The rules that every world passes. A new world's test is one call of [`check`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::environment::{Environment, Step};

/// Plays `env` with the actions that `act` chooses for each observation, and holds it to the
/// rules:
///
/// - an observation is never empty, and the same seed and the same actions give the same game,
///   whatever was played before;
/// - every reward is finite and no return is below [`worst_return`](Environment::worst_return);
/// - a game ends within [`max_turns`](Environment::max_turns), by `terminated` or `truncated` and
///   never both, and is truncated only at the limit;
/// - a win ends the game, and every task can be played;
/// - a step in a finished game panics, and so does a task that does not exist.
///
/// # Panics
/// Where a rule is broken, naming the rule.
pub fn check(env: &mut dyn Environment, mut act: impl FnMut(&str) -> String) {
    assert!(env.tasks() >= 1, "a world has at least one task");
    assert!(env.max_turns() >= 1, "a game has at least one turn");

    for seed in 0..4 {
        let first = env.reset(seed);
        let game = play(env, first, &mut act);
        // Another game in between must leave no trace.
        let other = env.reset(seed + 1);
        play(env, other, &mut act);
        let again = env.reset(seed);
        replay(env, &again, &game);
        refuses(|| {
            env.step("");
        });
    }

    for task in 0..env.tasks() {
        let seed = 100 + task as u64;
        let first = env.reset_to(task, seed);
        let game = play(env, first, &mut act);
        let again = env.reset_to(task, seed);
        replay(env, &again, &game);
    }
    let tasks = env.tasks();
    refuses(|| {
        env.reset_to(tasks, 0);
    });
    if let (Some(worst), Some(optimum)) = (env.worst_return(), env.optimum_return()) {
        assert!(worst <= optimum, "the worst return {worst} is above the optimum {optimum}");
    }
}

/// A game as it was played.
struct Played {
    first: String,
    turns: Vec<(String, Step)>,
}

fn play(env: &mut dyn Environment, first: String, act: &mut impl FnMut(&str) -> String) -> Played {
    assert!(!first.is_empty(), "the first observation is empty");
    let mut turns: Vec<(String, Step)> = Vec::new();
    let mut total = 0.0;
    loop {
        let seen = turns.last().map_or(first.as_str(), |(_, step)| &step.observation);
        let action = act(seen);
        let step = env.step(&action);
        assert!(!step.observation.is_empty(), "an observation is empty after {action:?}");
        assert!(step.reward.is_finite(), "the reward of {action:?} is {}", step.reward);
        assert!(
            !(step.terminated && step.truncated),
            "a game is terminated or truncated, not both"
        );
        assert!(step.done() || !step.won, "a win ends the game");
        total += f64::from(step.reward);
        let done = step.done();
        let truncated = step.truncated;
        turns.push((action, step));
        assert!(turns.len() <= env.max_turns(), "a game ends within {} turns", env.max_turns());
        assert!(
            !truncated || turns.len() == env.max_turns(),
            "a game is truncated at its limit only"
        );
        if done {
            break;
        }
        assert!(turns.len() < env.max_turns(), "a game at its limit is over");
    }
    if let Some(worst) = env.worst_return() {
        assert!(total >= worst - 1e-6, "a return of {total} is below the worst, {worst}");
    }
    Played { first, turns }
}

fn replay(env: &mut dyn Environment, first: &str, game: &Played) {
    assert_eq!(first, game.first, "the same seed gives the same first observation");
    for (action, step) in &game.turns {
        assert_eq!(&env.step(action), step, "the same seed and actions give the same game");
    }
}

/// Whether the call panics, as a caller's bug must.
fn refuses(call: impl FnOnce()) {
    let quiet = catch_unwind(AssertUnwindSafe(call));
    assert!(quiet.is_err(), "a step in a finished game and a task that does not exist must panic");
}
