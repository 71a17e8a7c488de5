use archer_world::contract;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::testing::{keeps_the_contract, refusal, settings};
use crate::catalogue::{mean_return, play};

fn optimum_of(value: Value) -> Optimum {
    optimum(&settings(value)).unwrap()
}

#[test]
fn the_contract_is_kept() {
    for value in [json!({"words": 200, "choices": true}), json!({"words": 400, "max_turns": 1})] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn a_word_that_is_not_in_the_list_costs_a_point_and_tells_nothing() {
    let worlds = worlds(&settings(json!({"words": 200}))).unwrap();
    let said = |turn: usize, _: Option<&Choices>| match turn {
        1 => "z z z z z".to_string(),
        2 => "cigar".to_string(),
        _ => "c i g a r".to_string(),
    };
    let game = pollster::block_on(contract::try_world(&*worlds, 3, said)).unwrap();
    assert_eq!(game.opening.as_deref(), Some("Wordle:\n"));
    assert_eq!((game.turns.len(), game.end, game.total_reward()), (6, Some(End::Over), -6.0));
    let replies: Vec<&str> = game.turns.iter().map(|turn| &turn.reply[..]).collect();
    assert_eq!((replies[1], replies[2]), ("", ""));
    assert!(game.turns[1].invalid && game.turns[2].invalid && !game.turns[3].invalid);
    // The same guess is answered alike, for only words that agree are left.
    assert!(replies[3..].iter().all(|reply| *reply == replies[0]));
}

#[test]
fn the_last_word_that_agrees_wins() {
    let settings = settings(json!({"words": 200}));
    let worlds = worlds(&settings).unwrap();
    let mut player = player(&settings, "information-gain").unwrap();
    let starts: Vec<Start> = (0..200).map(|seed| Start { task: None, seed }).collect();
    let games = play(&*worlds, &mut *player, &starts).unwrap();
    for game in &games {
        let last = game.turns.last().unwrap();
        assert_eq!((last.reply.as_str(), last.reward), ("g g g g g", 0.0));
        assert!(game.turns[..game.turns.len() - 1].iter().all(|turn| turn.reward == -1.0));
    }
    // Three standard errors of 200 games are about 0.13.
    let scripted = Vocabulary::first(200).answers().informative_return(6);
    assert!((mean_return(&games) - scripted).abs() < 0.13, "{} {scripted}", mean_return(&games));
}

/// The optimum that is written down, held against a search.
fn search(words: usize) {
    let known = optimum_of(json!({"words": words}));
    let answers = Vocabulary::first(words).answers();
    let searched = answers.optimum(6);
    assert_eq!(known.exact, Some(searched));
    assert!(answers.informative_return(6) <= searched && searched <= answers.bound(6));
}

#[test]
fn the_optimum_of_two_hundred_words() {
    search(200);
}

#[test]
#[ignore = "takes a minute without optimization: cargo test --release -- --ignored"]
fn the_optimum_of_larger_lists() {
    search(400);
    search(800);
}

#[test]
fn the_optimal_player_reaches_the_optimum() {
    let settings = settings(json!({"words": 200}));
    let mut player = player(&settings, "optimal").unwrap();
    let starts: Vec<Start> = (0..200).map(|seed| Start { task: None, seed }).collect();
    let games = play(&*worlds(&settings).unwrap(), &mut *player, &starts).unwrap();
    // Three standard errors of 200 games are about 0.13.
    let (mean, best) = (mean_return(&games), optimum(&settings).unwrap().exact.unwrap());
    assert!((mean - best).abs() < 0.13, "{mean} {best}");
}

#[test]
fn where_the_optimum_is_not_searched_there_is_a_bound() {
    for value in [json!({"words": 400, "max_turns": 5}), json!({"words": 200, "max_turns": 3})] {
        let settings = settings(value);
        let found = optimum(&settings).unwrap();
        assert!(found.exact.is_none() && found.scripted <= found.bound, "{found:?}");
        let refused = player(&settings, "optimal").err().unwrap().to_string();
        assert!(refused.contains("searched optimum"), "{refused}");
    }
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"words": 100}), ["words = 100", "200, 400, 800 or 2315"]),
        (json!({"max_turns": 21}), ["max_turns = 21", "from 1 to 20"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
