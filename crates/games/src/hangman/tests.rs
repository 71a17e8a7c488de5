use serde_json::json;

use super::*;
use crate::catalogue::testing::{
    keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
};

fn exact(words: usize, misses: usize) -> f64 {
    let settings = settings(json!({"words": words, "misses": misses}));
    optimum(&settings).unwrap().exact.unwrap()
}

#[test]
fn the_contract_is_kept() {
    for value in [
        json!({"words": 30}),
        json!({"words": 2, "misses": 1, "choices": false}),
        json!({"words": 30, "misses": 20}),
    ] {
        keeps_the_contract(&ENTRY, value);
    }
}

#[test]
fn two_games_line_by_line() {
    let worlds = worlds(&settings(json!({"words": 10, "misses": 3}))).unwrap();
    // The third word is "sissy".
    let start = Start { task: Some(2), seed: 0 };
    let (lines, game) = transcript(&*worlds, start, &["s", "a", "s", "y", "i"]);
    assert_eq!(
        lines,
        [
            "_ _ _ _ _ with 3 misses left.\n",
            "s _ s s _ with 3 misses left.",
            "s _ s s _ with 2 misses left.",
            "s _ s s _ with 1 misses left.",
            "s _ s s y with 1 misses left.",
            "s i s s y with 1 misses left."
        ]
    );
    assert_eq!((game.total_reward(), game.won()), (-2.0, true));
    assert_eq!(game.turns[3].choices.as_ref().unwrap().len(), 23);
    let (_, game) = transcript(&*worlds, start, &["S", "sissy", "é"]);
    assert_eq!((game.total_reward(), game.end), (-3.0, Some(End::Over)));
    assert!(game.turns.iter().all(|turn| turn.invalid));
}

#[test]
fn the_optimum_of_few_words_is_plain() {
    // "cigar" and "rebut" share the letter r in different places, so it tells them apart for nothing.
    assert_eq!(exact(2, 6), 0.0);
    // An s is in "sissy" alone: saying r first misses one word of three.
    assert_eq!(exact(3, 6), -1.0 / 3.0);
}

#[test]
fn the_optimum_that_is_written_down_is_the_one_that_is_found() {
    let found = Config::default().search().optimum(6);
    assert_eq!(exact(100, 6), -f64::from(found) / 100.0);
}

#[test]
#[ignore = "takes long without optimization: cargo test --release -- --ignored"]
fn the_optimum_of_two_hundred_words() {
    let config = Config { words: 200, ..Config::default() };
    assert_eq!(exact(200, 6), -f64::from(config.search().optimum(6)) / 200.0);
}

#[test]
fn the_search_agrees_with_one_that_leaves_nothing_out() {
    fn least(words: &[&Word], left: usize) -> u32 {
        if words.len() <= 1 || left == 0 {
            return 0;
        }
        let cost = |letter: u8| {
            let mut parts = std::collections::BTreeMap::<u8, Vec<&Word>>::new();
            words.iter().for_each(|word| parts.entry(places(word, letter)).or_default().push(word));
            if parts.len() == 1 {
                return u32::MAX;
            }
            let costs = parts.iter().map(|(places, part)| match places {
                0 => part.len() as u32 + least(part, left - 1),
                _ => least(part, left),
            });
            costs.sum()
        };
        (b'a'..=b'z').map(cost).min().unwrap()
    }
    for misses in [1, 2, 6] {
        let words: Vec<&Word> = word_list()[..6].iter().collect();
        assert_eq!(exact(6, misses), -f64::from(least(&words, misses)) / 6.0);
    }
}

#[test]
fn the_players_reach_what_is_computed() {
    for value in [json!({}), json!({"words": 60, "misses": 2})] {
        let settings = settings(value);
        let worlds = worlds(&settings).unwrap();
        let config = Config::read(&settings).unwrap();
        let search = config.search();
        let greedy = config.mean_return(search.greedy(&search.all(), config.misses));
        let best = optimum(&settings).unwrap().exact.unwrap();
        for (name, expected) in [("optimal", best), ("greedy", greedy)] {
            let mut player = player(&settings, name).unwrap();
            let mean = mean_over_tasks(&*worlds, &mut *player);
            assert!((mean - expected).abs() < 1e-9, "{name} {settings:?}: {mean} {expected}");
        }
        assert!(greedy <= best);
    }
}

#[test]
fn where_the_optimum_is_not_searched_there_is_a_bound() {
    let found = optimum(&settings(json!({"words": 2315}))).unwrap();
    assert!(found.exact.is_none() && found.scripted < found.bound, "{found:?}");
}

#[test]
fn bad_settings_are_named() {
    for (value, parts) in [
        (json!({"words": 1}), ["words = 1", "from 2 to 2315"]),
        (json!({"misses": 0}), ["misses = 0", "from 1 to 20"]),
    ] {
        let refused = refusal(&ENTRY, value);
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}
