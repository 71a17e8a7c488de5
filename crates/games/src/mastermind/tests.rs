use serde_json::{Value, json};

use super::code::Pegs;
use super::*;
use crate::catalogue::testing::{
    keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
};
use crate::catalogue::{mean_return, play};

fn pegs(code: &str, guess: &str) -> (u8, u8) {
    let codes = Codes { length: 4, digits: 6, repeats: true };
    let Pegs { black, white } = codes.parsed(code).unwrap().answer(&codes.parsed(guess).unwrap());
    (black, white)
}

#[test]
fn the_contract_is_kept() {
    for value in [
        json!({"length": 3}),
        json!({"length": 2, "digits": 5, "repeats": true}),
        json!({"length": 1, "digits": 2, "max_turns": 1, "choices": false}),
    ] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn pegs_are_counted_once() {
    assert_eq!(pegs("1 2 3 4", "1 2 3 4"), (4, 0));
    assert_eq!(pegs("1 2 3 4", "4 3 2 1"), (0, 4));
    assert_eq!(pegs("1 1 2 2", "1 3 1 1"), (1, 1));
    assert_eq!(pegs("5 5 5 5", "5 6 6 5"), (2, 0));
    assert_eq!(pegs("1 2 3 4", "5 6 5 6"), (0, 0));
}

#[test]
fn codes_are_numbered_in_order() {
    for repeats in [true, false] {
        let codes = Codes { length: 3, digits: 5, repeats };
        assert_eq!(codes.count(), if repeats { 125 } else { 60 });
        for (number, code) in codes.all().enumerate() {
            assert_eq!(codes.number(&code), number);
            assert_eq!(codes.parsed(&code.to_string()), Some(code));
        }
    }
}

#[test]
fn a_game_line_by_line() {
    let worlds = worlds(&settings(json!({"length": 3, "digits": 4}))).unwrap();
    let codes = Codes { length: 3, digits: 4, repeats: false };
    let task = codes.number(&codes.parsed("3 1 4").unwrap());
    let said = ["1 2 3", "1 1 2", "3 4", "3 4 1", "3 1 4"];
    let (lines, game) = transcript(&*worlds, Start { task: Some(task), seed: 0 }, &said);
    assert_eq!(
        lines,
        [
            "Find the code: 3 digits from 1 to 4, all different.\n",
            "0 black, 2 white.",
            "That is no code.",
            "That is no code.",
            "1 black, 2 white.",
            "Right."
        ]
    );
    assert_eq!((game.total_reward(), game.won(), game.task), (-4.0, true, Some(task)));
    assert_eq!(game.choices.unwrap().len(), 24);
}

#[test]
fn the_optimum_of_the_default_and_its_player() {
    let settings = settings(json!({}));
    let best = optimum(&settings).unwrap().exact.unwrap();
    assert_eq!(best, Codes { length: 4, digits: 6, repeats: false }.answers().optimum(20));
    let mut player = player(&settings, "optimal").unwrap();
    let mean = mean_over_tasks(&*worlds(&settings).unwrap(), &mut *player);
    assert!((mean - best).abs() < 1e-9, "{mean} {best}");
}

#[test]
#[ignore = "takes minutes even with optimization: cargo test --release -- --ignored"]
fn the_optimum_with_repeats_is_searched() {
    let codes = Codes { length: 4, digits: 6, repeats: true };
    assert_eq!(codes.answers().optimum(20), -4_329.0 / 1_296.0);
}

#[test]
fn scripted_players_stay_below_the_optimum() {
    let settings = settings(json!({"length": 3}));
    let best = optimum(&settings).unwrap().exact.unwrap();
    let worlds = worlds(&settings).unwrap();
    for name in ["information-gain", "consistent"] {
        let mut player = player(&settings, name).unwrap();
        let mean = mean_over_tasks(&*worlds, &mut *player);
        assert!(mean <= best && mean > best - 0.5, "{name}: {mean} {best}");
    }
}

#[test]
fn where_the_optimum_is_not_searched_there_is_a_bound() {
    let optimum_of = |value: Value| optimum(&settings(value)).unwrap();
    let repeats = optimum_of(json!({"repeats": true}));
    // The optimum of this game is known from the literature: 5,625 guesses for 1,296 codes.
    assert_eq!(repeats.exact, Some((1_296.0 - 5_625.0) / 1_296.0));
    let hard = optimum_of(json!({"digits": 8, "max_turns": 30}));
    assert!(hard.exact.is_none() && hard.scripted.unwrap() < hard.bound.unwrap(), "{hard:?}");
    let large = optimum_of(json!({"length": 6, "digits": 12, "repeats": true, "max_turns": 50}));
    assert!((large.exact, large.scripted) == (None, None) && large.bound.unwrap() < -3.0);
}

#[test]
fn the_consistent_player_breaks_long_codes() {
    let settings = settings(json!({"length": 6, "digits": 8, "max_turns": 50}));
    let starts: Vec<Start> = (0..3).map(|seed| Start { task: None, seed }).collect();
    let mut player = player(&settings, "consistent").unwrap();
    let games = play(&*worlds(&settings).unwrap(), &mut *player, &starts).unwrap();
    assert!(games.iter().all(|game| game.won()) && mean_return(&games) > -12.0);
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"length": 7}), ["length = 7", "from 1 to 6"]),
        (json!({"digits": 13}), ["digits = 13", "from 2 to 12"]),
        (json!({"digits": 3}), ["digits = 3", "needs as many digits"]),
        (json!({"max_turns": 0}), ["max_turns = 0", "from 1 to 100"]),
        (json!({"length": 6, "digits": 12, "choices": true}), ["choices = true", "665280 codes"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
