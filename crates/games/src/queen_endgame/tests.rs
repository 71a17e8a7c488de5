use serde_json::json;

use super::*;
use crate::catalogue::testing::{keeps_the_contract, refusal, settings, transcript};
use crate::catalogue::{mean_return, play};

fn task(shown: &str) -> Start {
    let position = Position::parsed(shown).unwrap();
    let task = Table::get().starts().iter().position(|other| *other == position);
    Start { task: Some(task.unwrap()), seed: 0 }
}

#[test]
fn the_contract_is_kept() {
    for value in [json!({}), json!({"choices": false, "max_turns": 1})] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn mate_stalemate_and_a_lost_queen() {
    let worlds = worlds(&settings(json!({}))).unwrap();
    let end = |shown: &str, said: &[&str]| {
        let (lines, game) = transcript(&*worlds, task(shown), said);
        assert_eq!(lines[0], format!("{shown}\n"));
        (lines[1..].join(", "), game.total_reward(), game.end.unwrap())
    };
    let near = "7 k / 8 / 5 K 2 / 6 Q 1 / 8 / 8 / 8 / 8";
    assert_eq!(end(near, &["Qg7#"]), ("Checkmate.".to_string(), 0.0, End::Won));
    assert_eq!(end(near, &["Qg6"]), ("Stalemate.".to_string(), -30.0, End::Over));
    // Black has one move. What is no move leaves the position as it is.
    let moved = "8 / 5 K 1 k / 8 / 6 Q 1 / 8 / 8 / 8 / 8";
    let lines = format!("{moved}, {moved}, Checkmate.");
    assert_eq!(end(near, &["Kf7", "Kh8", "Qg7"]), (lines, -2.0, End::Won));
    let far = "7 k / 1 Q 6 / 8 / 8 / 8 / 8 / 8 / K 7";
    assert_eq!(end(far, &["Qg7+"]), ("The queen is lost.".to_string(), -30.0, End::Over));
}

#[test]
fn moves_are_those_of_chess() {
    let position = Position::parsed("k 7 / 8 / 8 / 8 / 8 / 8 / 1 Q 6 / K 7").unwrap();
    let moves: Vec<String> = position.moves().into_iter().map(Move::spelled).collect();
    // The king: a2 and b1; the queen: 6 up, 1 down, 6 right, 1 left, 2 and 7 along the diagonals.
    assert_eq!(moves.len(), 2 + 7 + 7 + 2 + 6, "{moves:?}");
    assert!(moves.contains(&"Kb1".to_string()) && moves.contains(&"Qh8".to_string()));
    assert!(!moves.contains(&"Ka8".to_string()) && !moves.contains(&"Qa1".to_string()));
    assert_eq!(position.shown(), "k 7 / 8 / 8 / 8 / 8 / 8 / 1 Q 6 / K 7");
    // Black: a7; b7 and b8 are attacked.
    assert_eq!(position.escapes().len(), 1);
}

#[test]
fn ten_moves_are_always_enough() {
    let table = Table::get();
    let most = table.starts().iter().map(|position| table.mate_in(*position)).max();
    assert_eq!((table.starts().len(), most), (144_508, Some(10)));
}

#[test]
fn the_optimal_player_needs_as_many_moves_as_the_table_says() {
    let settings = settings(json!({}));
    let worlds = worlds(&settings).unwrap();
    let mut player = player(&settings, "optimal").unwrap();
    let starts: Vec<Start> =
        (0..200).map(|n| Start { task: Some(n * 722), seed: n as u64 }).collect();
    let games = play(&*worlds, &mut *player, &starts).unwrap();
    for (game, start) in games.iter().zip(&starts) {
        let position = Table::get().starts()[start.task.unwrap()];
        assert!(game.won() && game.turns.len() == Table::get().mate_in(position), "{game:?}");
    }
    let best = optimum(&settings).unwrap().exact.unwrap();
    assert!((mean_return(&games) - best).abs() < 0.5, "{} {best}", mean_return(&games));
}

#[test]
fn the_optimum_is_the_mean_of_the_table() {
    let exact =
        |turns: usize| optimum(&settings(json!({"max_turns": turns}))).unwrap().exact.unwrap();
    assert_eq!(exact(10), exact(200));
    let table = Table::get();
    let mates = table.starts().iter().filter(|position| table.mate_in(**position) == 1).count();
    assert_eq!(exact(1), mates as f64 / 144_508.0 - 1.0);
    assert!((exact(30) + 4.616_658).abs() < 1e-6, "{}", exact(30));
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"max_turns": 0}), ["max_turns = 0", "from 1 to 200"]),
        (json!({"choices": 1}), ["choices = 1", "boolean"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
