use archer_world::End;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::testing::{
    keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
};

fn optimum_of(value: Value) -> Optimum {
    optimum(&settings(value)).unwrap()
}

fn task_at(row: usize, column: usize) -> Start {
    let task = grid::starts().iter().position(|place| (place.row, place.column) == (row, column));
    Start { task: Some(task.unwrap()), seed: 0 }
}

#[test]
fn the_contract_is_kept() {
    for value in [
        json!({}),
        json!({"observed": "partial"}),
        json!({"choices": false, "max_turns": 1}),
        json!({"observed": "partial", "max_turns": 5}),
    ] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn a_game_from_the_upper_right_corner() {
    let worlds = worlds(&settings(json!({}))).unwrap();
    let said = ["move up", "go left", "move left", "move left", "move down", "move down"];
    let said = [&said[..], &["move down", "move down", "move left"]].concat();
    let rest = ["move left", "move left", "move down", "move down", "move down"];
    let (lines, game) = transcript(&*worlds, task_at(1, 11), &[&said[..], &rest].concat());
    let corner = "The goal is at position 8, 6. Your current position is at position 1, 1 1. There are walls to your right, above you, below you.";
    assert_eq!(lines[0], format!("{corner}\n"));
    assert_eq!((&lines[1], &lines[2]), (&corner.to_string(), &corner.to_string()));
    assert_eq!(
        lines[3],
        "The goal is at position 8, 6. Your current position is at position 1, 1 0. There are walls above you, below you."
    );
    assert_eq!(
        lines[8],
        "The goal is at position 8, 6. Your current position is at position 5, 9. There are walls to your right, below you."
    );
    assert_eq!(lines[14], "Success");
    let rewards: Vec<f32> = game.turns.iter().map(|turn| turn.reward).collect();
    let steps = [-1.0; 11];
    assert_eq!(rewards, [&[-1.0, -4.0][..], &steps, &[0.0]].concat());
    assert!(game.won() && game.turns[1].invalid);
}

#[test]
fn sentences_about_walls() {
    let at = |row, column| Place { row, column }.walls_sentence();
    assert_eq!(at(5, 6), "There is a wall above you.");
    assert_eq!(at(6, 6), "There are walls to your right, to your left.");
    assert_eq!(at(1, 1), "There are walls to your left, above you, below you.");
    assert_eq!(at(1, 9), "There is a wall above you.");
}

#[test]
fn after_the_last_move_the_next_utterance_fails() {
    let worlds = worlds(&settings(json!({"max_turns": 2}))).unwrap();
    let (lines, game) = transcript(&*worlds, task_at(1, 1), &["move up", "hello", "hello"]);
    assert_eq!(lines[3], "Failure");
    assert_eq!((game.end, game.total_reward()), (Some(End::Cut), -6.0));
}

#[test]
fn the_optimum_with_the_place_told_is_that_of_shortest_paths() {
    assert_eq!(grid::starts().len(), 25);
    let told = optimum_of(json!({}));
    assert_eq!(told.exact, Some(-6.84));
    assert_eq!(worlds(&settings(json!({}))).unwrap().about().best, Some(-6.84));
}

#[test]
fn the_optimum_with_walls_alone() {
    let walls = optimum_of(json!({"observed": "partial"}));
    assert_eq!(walls.exact, Some(-7.24));
    // No game of the best player is longer than what an agent reads of it.
    let plan = Plan::new(Observed::Partial, 100);
    assert_eq!((plan.beliefs(), plan.longest()), (44, 13));
    assert!(plan.longest() <= Config::MEMORY);
}

#[test]
fn the_optimal_player_reaches_the_optimum_under_any_limit() {
    for observed in ["full", "partial"] {
        for moves in [1, 2, 3, 7, 12, 100] {
            let settings = settings(json!({"observed": observed, "max_turns": moves}));
            let best = optimum(&settings).unwrap().exact.unwrap();
            let mut player = player(&settings, "optimal").unwrap();
            let mean = mean_over_tasks(&*worlds(&settings).unwrap(), &mut *player);
            assert!((mean - best).abs() < 1e-9, "{observed} {moves}: {mean} {best}");
        }
    }
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"max_turns": 0}), ["max_turns = 0", "from 1 to 1000"]),
        (json!({"max_turns": 1001}), ["max_turns = 1001", "from 1 to 1000"]),
        (json!({"observed": "some"}), ["observed = \"some\"", "partial"]),
        (json!({"choices": "yes"}), ["choices = \"yes\"", "boolean"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
