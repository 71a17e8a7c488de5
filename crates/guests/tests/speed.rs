//! How many exchanges a second a process allows. It is measured by hand:
//! `cargo test --release -p archer-guests --test speed -- --ignored --nocapture`

mod common;

use std::time::Instant;

use archer_world::{Said, Start};
use common::{in_python, open, script};

#[test]
#[ignore = "it measures and checks nothing"]
fn exchanges_of_64_games_with_a_world_that_does_nothing() {
    const GAMES: usize = 64;
    const TURNS: usize = 2000;
    let worlds = open(in_python(&script("idle.py"), &[])).unwrap();
    let mut batch = pollster::block_on(worlds.open(GAMES)).unwrap();
    pollster::block_on(batch.start(&[Start::default(); GAMES])).unwrap();
    let said: Vec<Said> = (0..GAMES).map(|game| Said { game, text: "Is it an animal?" }).collect();
    let begun = Instant::now();
    for _ in 0..TURNS {
        pollster::block_on(batch.act(&said)).unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.0} exchanges per second", (GAMES * TURNS) as f64 / seconds);
}
