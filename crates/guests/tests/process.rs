//! Worlds in processes: both forms, and every fault ends in one sentence.

mod common;

use std::sync::{Arc, Mutex};

use archer_world::{End, Said, Start, Worlds};
use common::{fault, helper, in_python, open, refusal, script, settings, try_first};
use serde_json::json;

fn start(seed: u64) -> Start {
    Start { task: None, seed }
}

fn many(odd: &str) -> serde_json::Value {
    in_python(&script("many.py"), &[odd])
}

fn simple(odd: &str) -> serde_json::Value {
    in_python(&script("simple.py"), &[odd])
}

#[test]
fn our_player_and_our_server_play_the_same_game_as_without_them() {
    let outside = open(json!({"command": [helper(), "lines"]})).unwrap();
    let inside = archer_world::Local::new(common::toy::Corridor::default);
    assert_eq!(outside.about(), inside.about());
    assert_eq!(outside.capacity(), None);
    let game = try_first(&*outside).unwrap();
    assert_eq!(game, try_first(&inside).unwrap());
    assert_eq!((game.end, game.task, game.turns.len()), (Some(End::Won), Some(3), 1));
}

#[test]
fn many_games_are_played_by_one_process_and_closed_after_it() {
    let worlds = open(many("none")).unwrap();
    assert_eq!((worlds.about().name.as_str(), worlds.about().max_turns), ("faulty", 3));
    for _ in 0..3 {
        let mut batch = pollster::block_on(worlds.open(300)).unwrap();
        let starts: Vec<Start> = (0..300).map(start).collect();
        let openings = pollster::block_on(batch.start(&starts)).unwrap();
        assert_eq!(openings.len(), 300);
        for turn in 1..=2 {
            let said: Vec<Said> = (0..300).map(|game| Said { game, text: "on" }).collect();
            let turns = pollster::block_on(batch.act(&said)).unwrap();
            assert!(turns.iter().all(|one| one.reply == format!("turn {turn}")));
            assert!(turns.iter().all(|one| one.won() == (turn == 2)));
        }
    }
}

#[test]
fn a_batch_far_beyond_the_room_of_a_pipe_does_not_stall() {
    let worlds = open(many("none")).unwrap();
    let mut batch = pollster::block_on(worlds.open(400)).unwrap();
    let starts: Vec<Start> = (0..400).map(start).collect();
    pollster::block_on(batch.start(&starts)).unwrap();
    let long = "word ".repeat(4000);
    let said: Vec<Said> = (0..400).map(|game| Said { game, text: &long }).collect();
    assert_eq!(pollster::block_on(batch.act(&said)).unwrap().len(), 400);
}

#[test]
fn batches_on_several_threads_have_processes_of_their_own() {
    let worlds = open(many("none")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| try_first(&*worlds).unwrap());
        }
    });
}

#[test]
fn each_fault_of_a_world_is_one_sentence_that_names_it() {
    for (odd, parts) in [
        (
            "die",
            &["ended before it answered", "ValueError: the dice are gone", "exit status: 1"][..],
        ),
        ("noise", &["not JSON", "Loading the model", "standard error"]),
        ("wrong game", &["answered act of game 0 with game 1"]),
        ("no game", &["without a field \"game\""]),
        ("no reply", &["missing field `reply`", "reply, reward"]),
        ("bad end", &["victory", "\"cut\""]),
        ("nan", &["NaN or Infinity"]),
        ("text", &["invalid type: string \"one\""]),
        ("huge", &["a reward is a finite number"]),
        ("long", &["a line of more than 16777216 bytes"]),
        ("long reply", &["a text has at most 1048576 bytes"]),
        ("refuse", &["refused to act game 0 (\"not today\")"]),
        ("short", &["answered 1 requests of a batch with 0"]),
        ("endless", &["ends within the announced 3 turns"]),
        ("drift", &["the same seed", "Go 1", "Go 2"]),
        // Whether the second line is there before the next request or after it is a matter of luck.
        ("twice", &[": answer "]),
        ("flood", &[": answer "]),
        ("long game", &["answered act of game 0 with game \"777", "7…: "]),
        ("long name", &["name has 1048576 bytes"]),
        ("opening", &["begins with some text"]),
        ("empty", &["choices hold at least one"]),
        ("equal", &["\"a\" was listed twice"]),
        ("protocol", &["speaks protocol 2"]),
        ("no protocol", &["did not say its protocol"]),
        ("no max_turns", &["missing field `max_turns`"]),
    ] {
        let sentence = fault(many(odd));
        assert!(sentence.contains("world"), "{odd}: {sentence}");
        assert!(sentence.len() < 2000, "{odd}: {}", sentence.len());
        for part in parts {
            assert!(sentence.contains(part), "{odd}: {sentence}");
        }
    }
}

#[test]
fn one_choice_may_begin_as_another() {
    let game = try_first(&*open(many("prefix")).unwrap()).unwrap();
    assert_eq!(game.turns[0].said, "move on");
}

#[test]
fn a_world_that_hangs_meets_its_time_limit() {
    let mut hanging = many("hang");
    hanging["timeout_seconds"] = json!(0.3);
    // The interpreter may take longer to start than the limit allows: both are the same sentence.
    let sentence = fault(hanging);
    assert!(sentence.contains("did not answer within 0.3 seconds"), "{sentence}");
    assert!(sentence.contains("timeout_seconds"), "{sentence}");
}

#[test]
fn a_command_that_cannot_be_run_is_named() {
    let sentence = refusal(json!({"command": "no-such-program-here --fast"}));
    assert!(sentence.contains("there is no program \"no-such-program-here\""), "{sentence}");
    let sentence = refusal(json!({"command": ["/bin/sh", "-c", "echo Oh dear >&2; exit 3"]}));
    assert!(sentence.contains("Oh dear") && sentence.contains("exit status: 3"), "{sentence}");
    let script = format!("exit 4\n{}", "# nothing\n".repeat(99));
    let sentence = refusal(json!({"command": ["/bin/sh", "-c", script]}));
    assert!(!sentence.contains('\n') && sentence.contains("exit status: 4"), "{sentence}");
    let sentence = refusal(json!({"command": "yes"}));
    assert!(sentence.contains("that is not JSON (") && sentence.contains("\"y\""), "{sentence}");
    let sentence = refusal(json!({"command": env!("CARGO_MANIFEST_DIR")}));
    assert!(sentence.contains("cannot be started"), "{sentence}");
}

#[test]
fn what_a_world_says_itself_cannot_be_set() {
    let mut settings = many("none");
    settings["max_turns"] = json!(9);
    assert!(refusal(settings).contains("max_turns is set, but the world faulty says it itself"));
    let mut settings = many("none");
    settings["name"] = json!("renamed");
    settings["memory"] = json!(0);
    let worlds = open(settings).unwrap();
    assert_eq!((worlds.about().name.as_str(), worlds.about().memory), ("renamed", Some(0)));
}

#[test]
fn a_world_of_one_game_is_run_once_for_each() {
    for odd in ["none", "dies"] {
        let mut value = simple(odd);
        value["processes"] = json!(4);
        let worlds = open(value).unwrap();
        let about = worlds.about();
        assert_eq!((about.name.as_str(), about.max_turns), ("simple", 100));
        assert_eq!(worlds.capacity(), Some(4));
        let mut batch = pollster::block_on(worlds.open(3)).unwrap();
        let openings = pollster::block_on(batch.start(&[start(0), start(1), start(2)])).unwrap();
        let texts: Vec<&str> = openings.iter().map(|opening| opening.text.as_str()).collect();
        assert_eq!(texts, ["You are at 0.\n", "You are at 1.\n", "You are at 2.\n"]);
        let said = [Said { game: 2, text: "right" }, Said { game: 0, text: "left" }];
        let turns = pollster::block_on(batch.act(&said)).unwrap();
        assert_eq!(
            (turns[0].reply.as_str(), turns[1].reply.as_str()),
            ("You are at 3.", "You are at 0.")
        );
        let error = pollster::block_on(worlds.open(2)).err().unwrap().to_string();
        assert!(error.contains("at most 4 games side by side, and 5 are wanted"), "{error}");
        drop(batch);
        pollster::block_on(worlds.open(4)).unwrap();
    }
}

#[test]
fn the_reply_of_a_simple_world_is_what_is_new() {
    for (odd, reply) in
        [("none", "You are at 2."), ("growing", "You are at 2."), ("answer", "Place 2.")]
    {
        let worlds = open(simple(odd)).unwrap();
        let game = try_first(&*worlds).unwrap();
        assert_eq!(game.turns[0].reply, reply, "{odd}");
        assert_eq!((game.turns.len(), game.end), (3, Some(End::Won)), "{odd}");
    }
    let game = try_first(&*open(simple("info")).unwrap()).unwrap();
    assert_eq!(game.end, Some(End::Over));
}

#[test]
fn a_simple_world_is_cut_at_its_most_turns_and_has_tasks_where_they_are_set() {
    let mut value = simple("none");
    value["max_turns"] = json!(2);
    value["tasks"] = json!(2);
    let game = try_first(&*open(value).unwrap()).unwrap();
    assert_eq!((game.turns.len(), game.end, game.task), (2, Some(End::Cut), Some(1)));
}

#[test]
fn each_fault_of_a_simple_world_is_one_sentence() {
    let sentence = fault(simple("no reward"));
    assert!(sentence.contains("answered a step without a reward"), "{sentence}");
    let sentence = fault(simple("no observation"));
    assert!(sentence.contains("missing field `observation`"), "{sentence}");
    let sentence =
        refusal(json!({"command": ["/bin/sh", "-c", "while read -r l; do echo '{}'; done"]}));
    assert!(sentence.contains("answered a reset with something else"), "{sentence}");
}

#[test]
fn standard_error_goes_where_it_is_sent() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = heard.clone();
    let sink: archer_guests::Sink =
        Arc::new(move |line: &str| into.lock().unwrap().push(line.to_string()));
    let worlds = archer_guests::open_with(&settings(many("none")), Some(sink)).unwrap();
    try_first(&*worlds).unwrap();
    drop(worlds);
    assert_eq!(heard.lock().unwrap().as_slice(), ["a note on standard error"]);
}
