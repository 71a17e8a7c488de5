use serde_json::{Value, json};

use super::*;
use crate::catalogue::testing::{keeps_the_contract, refusal, settings, transcript};
use crate::catalogue::{mean_return, play};

fn plan(value: Value) -> Plan {
    Plan::new(&Config::read(&settings(value)).unwrap())
}

fn hand(cards: &[&str]) -> Total {
    let rank = |card: &&str| RANKS.iter().position(|rank| rank == card).unwrap();
    total(&cards.iter().map(rank).collect::<Vec<_>>())
}

#[test]
fn the_contract_is_kept() {
    for value in [json!({}), json!({"pay": "points"}), json!({"choices": false, "hands": 1})] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn totals_count_one_ace_as_eleven_where_it_fits() {
    for (cards, value) in [
        (&["A", "K"][..], 21),
        (&["A", "A"], 12),
        (&["A", "6", "9"], 16),
        (&["10", "J", "2"], 22),
        (&["A"; 21], 21),
    ] {
        assert_eq!(hand(cards).value(), value, "{cards:?}");
    }
}

#[test]
fn a_game_is_told_hand_by_hand() {
    let worlds = worlds(&settings(json!({"hands": 2, "pay": "points"}))).unwrap();
    let (lines, game) = transcript(&*worlds, Start { task: None, seed: 5 }, &["stand", "fold"]);
    let said = ["You win with", "You draw with", "You lose with"];
    assert!(said.iter().any(|said| lines[1].starts_with(said)), "{lines:?}");
    assert!(lines[1].contains(" Hand 2 of 2. You have "), "{lines:?}");
    assert!(lines[2].starts_with("You said neither hit nor stand and lose. You won "));
    assert_eq!((game.turns[1].reward, game.turns[1].invalid), (-1.0, true));
}

#[test]
fn the_best_player_hits_and_stands_as_tables_say() {
    let plan = plan(json!({"pay": "points"}));
    for (cards, dealer, hits) in [
        (&["10", "6"][..], 10, true),
        (&["10", "6"], 6, false),
        (&["10", "2"], 3, true),
        (&["10", "2"], 4, false),
        (&["A", "7"], 9, true),
        (&["A", "7"], 8, false),
        (&["10", "7"], 1, false),
        (&["A", "6"], 7, true),
    ] {
        assert_eq!(plan.hits(hand(cards), dealer), hits, "{cards:?} against {dealer}");
    }
}

#[test]
fn the_optimal_player_comes_near_the_optimum() {
    for value in [json!({}), json!({"pay": "points"})] {
        let settings = settings(value);
        let starts: Vec<Start> = (0..2000).map(|seed| Start { task: None, seed }).collect();
        let mut player = player(&settings, "optimal").unwrap();
        let games = play(&*worlds(&settings).unwrap(), &mut *player, &starts).unwrap();
        let (mean, best) = (mean_return(&games), optimum(&settings).unwrap().exact.unwrap());
        // 10,000 hands: three standard errors are 0.015 of a hand's share, or 0.15 points a game.
        let near = if best > 0.0 { 0.015 } else { 0.15 };
        assert!((mean - best).abs() < near, "{mean} {best}");
    }
}

#[test]
fn the_optimum_of_a_hand() {
    let share = optimum(&settings(json!({}))).unwrap().exact.unwrap();
    let points = optimum(&settings(json!({"pay": "points", "hands": 1}))).unwrap().exact.unwrap();
    // Each hand loses 4.66 % of a stake: a known figure for these rules, without a bonus for naturals.
    assert!((points + 0.046_556).abs() < 1e-6, "{points}");
    assert!((share - 0.431_630).abs() < 1e-6, "{share}");
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"hands": 0}), ["hands = 0", "from 1 to 50"]),
        (json!({"hands": 51}), ["hands = 51", "from 1 to 50"]),
        (json!({"pay": "chips"}), ["pay = \"chips\"", "points"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
