use serde_json::{Value, json};

use super::*;
use crate::catalogue::testing::{
    keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
};
use crate::catalogue::{mean_return, play};

fn exact(value: Value) -> f64 {
    optimum(&settings(value)).unwrap().exact.unwrap()
}

#[test]
fn the_contract_is_kept() {
    for value in [
        json!({}),
        json!({"slippery": true}),
        json!({"map": "gymnasium", "step_cost": 0.25}),
        json!({"choices": false, "max_turns": 2, "holes": 0}),
    ] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn two_games_on_the_lake_of_gymnasium() {
    let worlds = worlds(&settings(json!({"map": "gymnasium", "step_cost": 0.25}))).unwrap();
    let said = ["up", "down", "jump", "down", "right", "right", "down", "right"];
    let (lines, game) = transcript(&*worlds, Start::default(), &said);
    let start = "P . . .\n. H . H\n. . . H\nH . . G";
    assert_eq!(lines[0], format!("{start}\n"));
    assert_eq!(lines[1], start);
    assert_eq!(lines[2], ". . . .\nP H . H\n. . . H\nH . . G");
    assert_eq!((&lines[3], game.turns[2].invalid), (&lines[2], true));
    assert_eq!(lines[8], ". . . .\n. H . H\n. . . H\nH . . P");
    assert_eq!((game.end, game.total_reward()), (Some(End::Won), 1.0 - 8.0 * 0.25));
    let (lines, game) = transcript(&*worlds, Start::default(), &["right", "down"]);
    assert_eq!(lines[2], ". . . .\n. P . H\n. . . H\nH . . G");
    assert_eq!((game.end, game.total_reward()), (Some(End::Over), -0.5));
}

#[test]
fn lakes_have_so_many_holes_and_a_way() {
    // 14 cells can be a hole. One hole never bars the way; two do beside the start or the goal.
    assert_eq!(Lake::all(0).len(), 1);
    assert_eq!(Lake::all(1).len(), 14);
    assert_eq!(Lake::all(2).len(), 14 * 13 / 2 - 2);
    // 364 sets of three: 12 hold the one pair and 12 the other. Three more shut in the start with
    // a cell or two beside it, and as many the goal.
    assert_eq!(Lake::all(3).len(), 364 - 12 - 12 - 3 - 3);
}

#[test]
fn the_optimum_without_slipping_is_certain() {
    assert_eq!(exact(json!({})), 1.0);
    assert_eq!(exact(json!({"map": "gymnasium", "max_turns": 5})), 0.0);
    assert_eq!(exact(json!({"map": "gymnasium", "max_turns": 6})), 1.0);
    // Six steps lead to the goal.
    assert_eq!(exact(json!({"map": "gymnasium", "step_cost": 0.125})), 0.25);
}

#[test]
fn the_optimum_on_slippery_ice() {
    let gymnasium = exact(json!({"map": "gymnasium", "slippery": true}));
    assert!((gymnasium - 0.74).abs() < 0.005, "{gymnasium}");
    // With no limit that matters the goal of that lake is reached 14 times of 17.
    let patient = exact(json!({"map": "gymnasium", "slippery": true, "max_turns": 1000}));
    assert!((patient - 14.0 / 17.0).abs() < 1e-6, "{patient}");
    let random = exact(json!({"slippery": true}));
    assert!(random > gymnasium && random < 1.0, "{random}");
}

#[test]
fn the_optimal_player_reaches_the_optimum() {
    for value in [json!({}), json!({"max_turns": 6}), json!({"step_cost": 0.03125})] {
        let settings = settings(value);
        let best = optimum(&settings).unwrap().exact.unwrap();
        let mut player = player(&settings, "optimal").unwrap();
        let mean = mean_over_tasks(&*worlds(&settings).unwrap(), &mut *player);
        assert!((mean - best).abs() < 1e-9, "{settings:?}: {mean} {best}");
    }
}

#[test]
fn the_optimal_player_takes_the_shortest_way() {
    let settings = settings(json!({"map": "gymnasium"}));
    let mut player = player(&settings, "optimal").unwrap();
    let games = play(&*worlds(&settings).unwrap(), &mut *player, &[Start::default()]).unwrap();
    assert_eq!((games[0].turns.len(), games[0].won()), (6, true));
}

#[test]
fn the_optimal_player_comes_near_the_optimum_on_slippery_ice() {
    let settings = settings(json!({"map": "gymnasium", "slippery": true}));
    let starts: Vec<Start> = (0..2000).map(|seed| Start { task: None, seed }).collect();
    let mut player = player(&settings, "optimal").unwrap();
    let games = play(&*worlds(&settings).unwrap(), &mut *player, &starts).unwrap();
    // Three standard errors of 2,000 games are 0.03.
    let (mean, best) = (mean_return(&games), optimum(&settings).unwrap().exact.unwrap());
    assert!((mean - best).abs() < 0.03, "{mean} {best}");
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"holes": 9}), ["holes = 9", "from 0 to 8"]),
        (json!({"step_cost": -0.5}), ["step_cost = -0.5", "from 0 to 1"]),
        (json!({"max_turns": 1001}), ["max_turns = 1001", "from 1 to 1000"]),
        (json!({"map": "8x8"}), ["map = \"8x8\"", "gymnasium"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
