//! How many exchanges a second a process allows. It is measured by hand:
//! `cargo test --release -p archer-guests --test speed -- --ignored --nocapture`
//!
//! 413,000 exchanges a second were measured with Python 3.11 on two cores, 134,000 without `--release`.
//! At least 50,000 are to be had.

mod common;

use std::time::Instant;

use archer_world::{Said, Start};
use common::{helper, in_python, open, script};
use serde_json::json;

/// Games side by side.
const GAMES: usize = 64;

/// Starts of games, or turns in one game, which never ends.
const ROUNDS: usize = 2000;

#[test]
#[ignore = "it measures and checks nothing"]
fn exchanges_of_64_games_with_a_world_that_does_nothing() {
    let worlds = open(in_python(&script("idle.py"), &[])).unwrap();
    let mut batch = pollster::block_on(worlds.open(GAMES)).unwrap();
    pollster::block_on(batch.start(&[Start::default(); GAMES])).unwrap();
    let said: Vec<Said> = (0..GAMES).map(|game| Said { game, text: "Is it an animal?" }).collect();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        pollster::block_on(batch.act(&said)).unwrap();
    }
    report("Python", begun);
}

#[test]
#[ignore = "it measures and checks nothing"]
fn starts_of_64_games_with_our_own_server() {
    let worlds = open(json!({"command": [helper(), "lines"]})).unwrap();
    let mut batch = pollster::block_on(worlds.open(GAMES)).unwrap();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        pollster::block_on(batch.start(&[Start::default(); GAMES])).unwrap();
    }
    report("our server", begun);
}

fn report(who: &str, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{who}: {:.0} exchanges per second", (GAMES * ROUNDS) as f64 / seconds);
}
