//! Our side of the messages: what is answered, and what is refused.

mod common;

use archer_guests::{LONGEST_LINE, Lines, MOST_GAMES, serve_lines};
use archer_world::Local;
use common::toy::Corridor;
use serde_json::{Value, json};

fn asked(lines: &mut Lines<'_>, request: Value) -> Value {
    serde_json::from_str(&lines.answer(request.to_string().as_bytes())).unwrap()
}

fn start(game: u64) -> Value {
    json!({"cmd": "start", "game": game, "seed": 2})
}

#[test]
fn games_are_played_side_by_side() {
    let worlds = Local::new(Corridor::default);
    let mut lines = Lines::new(&worlds);
    let about = asked(&mut lines, json!({"cmd": "about"}));
    assert_eq!((&about["name"], &about["protocol"]), (&json!("corridor"), &json!(1)));
    let act = |game: u64, said: &str| json!({"cmd": "act", "game": game, "said": said});
    let answers = asked(&mut lines, json!({"cmd": "batch", "of": [start(7), start(9)]}));
    assert_eq!(answers["of"][1]["text"], "You are at 2.\n");
    assert_eq!(answers["of"][1]["task"], 2);
    let of = [act(9, "right"), act(8, "right"), act(7, "left"), act(9, "right"), act(9, "right")];
    let answers = asked(&mut lines, json!({"cmd": "batch", "of": of}));
    assert_eq!(answers["of"][0]["reply"], "You are at 3.");
    assert_eq!(answers["of"][1]["error"], "game 8 is not open: start it");
    assert_eq!(answers["of"][2]["choices"], json!(["left", "right"]));
    assert_eq!(answers["of"][3]["end"], "won");
    assert_eq!(answers["of"][4]["error"], "game 9 is over: start it again");
    // A carriage return is a character like another: an untrained model says all of them.
    assert!(asked(&mut lines, act(7, "le\rft"))["error"].is_null());
    assert_eq!(asked(&mut lines, json!({"cmd": "close", "game": 9})), json!({"game": 9}));
    assert!(asked(&mut lines, act(9, "right"))["error"].is_string());
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let worlds = Local::new(Corridor::default);
    let mut lines = Lines::new(&worlds);
    asked(&mut lines, start(1));
    for (request, part) in [
        (json!([1]), "cannot be carried out"),
        (json!({"cmd": "dance"}), "unknown variant `dance`"),
        (json!({"game": 1}), "cmd"),
        (json!({"cmd": "start", "game": 1}), "seed"),
        (json!({"cmd": "start", "game": 1, "seed": 1, "task": 4}), "give one from 0 to 3"),
        (json!({"cmd": "act", "game": 1, "said": "a\nb"}), "one line"),
        (json!({"cmd": "act", "game": 1}), "said"),
        (json!({"cmd": "batch", "of": vec![start(1); MOST_GAMES + 1]}), "at most 4096"),
    ] {
        let answer = asked(&mut lines, request);
        assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
    let nested = json!({"cmd": "batch", "of": [{"cmd": "batch", "of": []}]});
    assert!(asked(&mut lines, nested)["of"][0]["error"].is_string());
    assert!(lines.answer(b"\xff").contains("0xFF in column 1, which is not UTF-8"));
    let turn = asked(&mut lines, json!({"cmd": "act", "game": 1, "said": "right"}));
    assert_eq!(turn["reply"], "You are at 3.");
}

#[test]
fn open_games_are_bounded() {
    let worlds = Local::new(Corridor::default);
    let mut lines = Lines::new(&worlds);
    for game in 0..MOST_GAMES as u64 {
        assert!(asked(&mut lines, start(game))["error"].is_null());
    }
    let answer = asked(&mut lines, start(9999));
    assert_eq!(answer["error"], "4096 games are open: close one");
    assert!(asked(&mut lines, start(0))["error"].is_null());
}

#[test]
fn each_line_gets_one_line_back_however_long_it_is() {
    let worlds = Local::new(Corridor::default);
    let mut input = vec![b'x'; LONGEST_LINE + 1];
    input.extend_from_slice(b"\n{\"cmd\":\"close\",\"game\":1}\n{\"cmd\":\"close\",\"game\":2}");
    let mut output = Vec::new();
    serve_lines(&worlds, input.as_slice(), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].contains("more than 16777216 bytes"), "{}", lines[0]);
    assert_eq!(lines[1..], ["{\"game\":1}", "{\"game\":2}"]);
}
