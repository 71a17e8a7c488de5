//! The worlds that are shipped as examples keep the contract, and other people's packages understand
//! us.

mod common;
#[path = "../../../examples/worlds/rust/src/corridor.rs"]
mod corridor;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use archer_guests::{OpenEnvOptions, serve_openenv};
use archer_world::contract::Checked;
use archer_world::{Batch, Choices, End, Local, Said, Start, Worlds};
use common::toy::Corridor;
use common::{has_packages, in_python, open, python, script, shipped, try_first};
use serde_json::json;

/// Plays games of 20 seeds, what is said being drawn from the choices, and gives the best return.
fn best_of(worlds: &dyn Worlds) -> f32 {
    let mut best = f32::NEG_INFINITY;
    let mut batch = pollster::block_on(worlds.open(1)).unwrap();
    for seed in 0..20u64 {
        let start = [Start { task: None, seed }];
        let opening = pollster::block_on(batch.start(&start)).unwrap().remove(0);
        let (mut choices, mut total) = (opening.choices, 0.0);
        for number in 0.. {
            let listed: &Choices = choices.as_ref().expect("the examples list choices");
            let drawn =
                (seed.wrapping_mul(31) + number * 7 + number * number) as usize % listed.len();
            let said = [Said { game: 0, text: &listed[drawn] }];
            let turn = pollster::block_on(batch.act(&said)).unwrap().remove(0);
            total += turn.reward;
            if turn.end.is_some() {
                break;
            }
            choices = turn.choices;
        }
        best = best.max(total);
    }
    best
}

fn keeps_the_contract(worlds: &dyn Worlds, name: &str) {
    assert_eq!(worlds.about().name, name);
    let game = try_first(worlds).unwrap();
    assert!(game.end.is_some() && game.choices.is_some());
    let best = best_of(worlds);
    assert!(best <= 1.0 && best > f32::NEG_INFINITY, "{best}");
}

#[test]
fn countdown_has_24_puzzles_that_can_be_solved() {
    let worlds = open(in_python(&shipped("countdown.py"), &[])).unwrap();
    keeps_the_contract(&*worlds, "countdown");
    for task in 0..24 {
        assert!(solved(&*worlds, task), "puzzle {task}");
    }
}

/// Whether two moves that are listed solve a puzzle: all pairs are tried.
fn solved(worlds: &dyn Worlds, task: usize) -> bool {
    let mut batch = pollster::block_on(worlds.open(1)).unwrap();
    let start = [Start { task: Some(task), seed: 0 }];
    let first = pollster::block_on(batch.start(&start)).unwrap().remove(0).choices.unwrap();
    for one in &first {
        let mut tried = HashSet::new();
        loop {
            pollster::block_on(batch.start(&start)).unwrap();
            let said = [Said { game: 0, text: one }];
            let turn = pollster::block_on(batch.act(&said)).unwrap().remove(0);
            if turn.won() {
                return true;
            }
            let second = turn.choices.unwrap();
            let Some(other) = second.iter().find(|other| !tried.contains(*other)) else { break };
            let said = [Said { game: 0, text: other }];
            if pollster::block_on(batch.act(&said)).unwrap()[0].won() {
                return true;
            }
            tried.insert(other.clone());
        }
    }
    false
}

#[test]
fn the_door_is_a_world_of_the_simple_form() {
    let worlds = open(in_python(&shipped("door.py"), &[])).unwrap();
    keeps_the_contract(&*worlds, "door");
    assert_eq!(worlds.capacity(), Some(16));
}

#[test]
fn gymnasium_and_textarena_are_worlds() {
    for (script, name, package) in [
        ("frozen_lake.py", "frozen_lake", "gymnasium"),
        ("textarena_guess_number.py", "guess_number", "textarena"),
        ("textarena_frozen_lake.py", "textarena_frozen_lake", "textarena"),
    ] {
        if has_packages("gymnasium_and_textarena_are_worlds", package) {
            let worlds = open(in_python(&shipped(script), &[])).unwrap();
            keeps_the_contract(&*worlds, name);
        }
    }
}

#[test]
fn textarena_ends_its_games_within_the_turns_that_are_announced() {
    let test = "textarena_ends_its_games_within_the_turns_that_are_announced";
    if !has_packages(test, "textarena") {
        return;
    }
    // The largest number that is left; back and forth on the ice.
    let numbers = |_: &str, listed: &Choices| listed.last().cloned();
    let ice = |shown: &str, listed: &Choices| {
        let rows: Vec<&[u8]> = shown.trim().split('\n').map(str::as_bytes).collect();
        let find = |row: &&[u8]| row.iter().position(|field| *field == b'P');
        let (y, x) = rows.iter().enumerate().find_map(|(y, row)| Some((y, find(row)?)))?;
        let free = |way: &str| match way {
            "up" => rows[y - 1][x] == b'.',
            "down" => rows[y + 1][x] == b'.',
            "left" => rows[y][x - 1] == b'.',
            _ => rows[y][x + 1] == b'.',
        };
        listed.iter().find(|way| free(way)).cloned()
    };
    lasts(&shipped("textarena_guess_number.py"), 11, numbers);
    lasts(&shipped("textarena_frozen_lake.py"), 101, ice);
}

/// Plays games of a script, whose longest lasts so many turns.
fn lasts(script: &str, turns: usize, say: impl Fn(&str, &Choices) -> Option<String>) {
    let worlds = open(in_python(script, &[])).unwrap();
    assert_eq!(worlds.about().max_turns, turns);
    let mut batch = pollster::block_on(Checked::open(&*worlds, 1)).unwrap();
    let longest = (0..5).map(|seed| {
        let start = [Start { task: None, seed }];
        let opening = pollster::block_on(batch.start(&start)).unwrap().remove(0);
        let (mut shown, mut choices) = (opening.text, opening.choices.unwrap());
        for number in 1.. {
            let text = say(&shown, &choices).expect("there is a way");
            let said = [Said { game: 0, text: &text }];
            let turn = pollster::block_on(batch.act(&said)).unwrap().remove(0);
            if turn.end.is_some() {
                return number;
            }
            (shown, choices) = (turn.reply, turn.choices.unwrap());
        }
        unreachable!("games end")
    });
    assert_eq!(longest.max(), Some(turns));
}

#[test]
fn the_way_over_the_ice_is_won() {
    if !has_packages("the_way_over_the_ice_is_won", "gymnasium") {
        return;
    }
    let worlds = open(in_python(&shipped("frozen_lake.py"), &[])).unwrap();
    let mut batch = pollster::block_on(worlds.open(1)).unwrap();
    let opening = pollster::block_on(batch.start(&[Start::default()])).unwrap().remove(0);
    assert_eq!(opening.text, "@FFF\nFHFH\nFFFH\nHFFG\n");
    let mut last = None;
    for text in ["down", "down", "right", "right", "down", "right"] {
        last = pollster::block_on(batch.act(&[Said { game: 0, text }])).unwrap().pop();
    }
    assert!(last.unwrap().won());
}

#[test]
fn a_world_in_rust_is_a_world() {
    let worlds = Local::new(corridor::Corridor::default);
    keeps_the_contract(&worlds, "corridor");
    let mut batch = pollster::block_on(worlds.open(1)).unwrap();
    let mut sum = 0.0;
    for task in 0..worlds.about().tasks.unwrap() {
        pollster::block_on(batch.start(&[Start { task: Some(task), seed: 0 }])).unwrap();
        let mut over = false;
        while !over {
            let said = [Said { game: 0, text: "right" }];
            let turn = pollster::block_on(batch.act(&said)).unwrap().remove(0);
            sum += f64::from(turn.reward);
            over = turn.end.is_some();
        }
    }
    let best = worlds.about().best.unwrap();
    assert!((sum / 6.0 - best).abs() < 1e-6, "{sum} {best}");
}

#[test]
fn a_world_in_node_is_a_world() {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("a_world_in_node_is_a_world is skipped: there is no node");
        return;
    }
    let worlds = open(json!({"command": ["node", shipped("node_world.mjs")]})).unwrap();
    keeps_the_contract(&*worlds, "door");
}

/// A server of somebody else's, which is killed with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_made_with_openenv_is_a_world() {
    if !has_packages("a_server_made_with_openenv_is_a_world", "openenv, uvicorn") {
        return;
    }
    let mut command = Command::new(python());
    command.args([&shipped("openenv_server.py"), "0"]).stderr(Stdio::piped());
    let mut server = Server(command.spawn().unwrap());
    // It prints the port that it took.
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.split("http://127.0.0.1:").nth(1)?;
        port.split(' ').next().map(str::to_string)
    });
    let url = format!("ws://127.0.0.1:{}/ws", port.expect("it says where it listens"));
    let worlds = open(json!({"url": url, "sessions": 20})).unwrap();
    assert_eq!(worlds.capacity(), Some(16), "the server takes 16");
    keeps_the_contract(&*worlds, "Door");
    let mut batch = pollster::block_on(worlds.open(16)).unwrap();
    let starts: Vec<Start> = (0..16).map(|seed| Start { task: None, seed }).collect();
    pollster::block_on(batch.start(&starts)).unwrap();
    let said: Vec<Said> = (0..16).map(|game| Said { game, text: "green key" }).collect();
    let turns = pollster::block_on(batch.act(&said)).unwrap();
    for (seed, turn) in turns.iter().enumerate() {
        let opens = seed % 3 == 1;
        assert_eq!(turn.end, Some(if opens { End::Won } else { End::Over }));
        assert_eq!(turn.reply, if opens { "It opens." } else { "It does not turn." });
    }
}

#[test]
fn the_client_of_openenv_plays_our_worlds() {
    if !has_packages("the_client_of_openenv_plays_our_worlds", "openenv") {
        return;
    }
    let options = OpenEnvOptions { sessions: 1, ..OpenEnvOptions::default() };
    let worlds = Arc::new(Local::new(Corridor::default));
    let server = serve_openenv(worlds, ([127, 0, 0, 1], 0).into(), options).unwrap();
    let mut client = Command::new(python());
    client.args([script("openenv_client.py"), format!("http://{}", server.address())]);
    let output = client.output().unwrap();
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(said, "played\n", "{errors}");
}
