//! `archer env` through its pipe: transcripts, faults, and the reference's own games.

use crate::common;

use common::{folder, root, run_with_input};
use serde_json::{Value, json};

/// Sends lines to a server and returns its replies.
fn serve(args: &[&str], lines: &[String]) -> Vec<Value> {
    let args = [&["env"], args].concat();
    let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let done = run_with_input(folder().path(), &args, input.as_bytes()).success();
    assert_eq!(done.stderr, "");
    done.json_lines()
}

fn lines(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}

#[test]
fn a_game_of_twenty_questions() {
    let sent = lines(&[
        json!({"cmd": "reset", "word": "cat", "seed": 7}),
        json!({"cmd": "step", "action": "Is it an animal?"}),
        json!({"cmd": "step", "action": "Is it a cat?"}),
        json!({"cmd": "reset", "word": null, "seed": 7}),
    ]);
    let replies = serve(&["--name", "twenty_questions"], &sent);
    assert_eq!(
        replies,
        [
            json!({"observation": "Questions:\n"}),
            json!({"observation": "Questions:\nIs it an animal? Yes.\n", "reward": -1.0,
                   "terminated": false, "truncated": false, "answer": "Yes."}),
            json!({"observation": "Questions:\nIs it an animal? Yes.\nIs it a cat? Yes.\n",
                   "reward": 0.0, "terminated": true, "truncated": false, "answer": "Yes."}),
            json!({"observation": "Questions:\n"}),
        ]
    );
}

#[test]
fn the_oracle_can_be_replaced_and_the_limit_is_kept() {
    let sent = lines(&[
        json!({"cmd": "reset", "word": "dog"}),
        json!({"cmd": "step", "action": "Is it alive?", "oracle_answer": "no, not at all"}),
        json!({"cmd": "step", "action": "Is it a cat?", "oracle_answer": null}),
    ]);
    let replies = serve(&["--words", "subset", "--max-turns", "2"], &sent);
    assert_eq!(replies[1]["answer"], "No.");
    assert_eq!(
        (&replies[2]["terminated"], &replies[2]["truncated"]),
        (&json!(false), &json!(true))
    );
}

#[test]
fn a_toy_world_is_served_too() {
    let sent = lines(&[json!({"cmd": "reset", "seed": 1}), json!({"cmd": "step", "action": "1"})]);
    let replies = serve(&["--name", "bandit"], &sent);
    assert!(replies[0]["observation"].is_string());
    assert_eq!(replies[1]["terminated"], true);
}

#[test]
fn the_seed_draws_the_word() {
    let word_of = |seed: u64| -> Vec<Value> {
        let mut sent = vec![json!({"cmd": "reset", "seed": seed})];
        let names = ["football", "dog", "banana", "truck", "piano", "chair", "pen", "computer"];
        sent.extend(names.map(|name| json!({"cmd": "step", "action": format!("Is it a {name}?")})));
        serve(&["--words", "subset"], &lines(&sent))
    };
    assert_eq!(word_of(3), word_of(3));
    let games: Vec<Vec<Value>> = (0..6).map(word_of).collect();
    assert!(games.iter().any(|game| *game != games[0]), "six seeds drew the same word");
}

/// Lines that cannot be carried out, after a game has begun, with a part of the answer.
const FAULTS: [(&str, &str); 17] = [
    ("", "empty where JSON belongs"),
    ("reset", "not JSON"),
    (r#"{"cmd":"reset""#, "JSON that is cut off"),
    ("[1,2]", "not a JSON object"),
    ("7", "not a JSON object"),
    (r#"{}"#, "no cmd"),
    (r#"{"cmd":"stop"}"#, "must be"),
    (r#"{"cmd":7}"#, "must be"),
    (r#"{"cmd":"reset","word":"dgo"}"#, "\"dog\""),
    (r#"{"cmd":"reset","word":7}"#, "a text in quotes"),
    (r#"{"cmd":"reset","seed":-1}"#, "whole number"),
    (r#"{"cmd":"reset","seed":"x"}"#, "whole number"),
    (r#"{"cmd":"reset","sed":1}"#, "no field \"sed\""),
    (r#"{"cmd":"step"}"#, "no action"),
    (r#"{"cmd":"step","action":["Is it alive?"]}"#, "a text in quotes"),
    (r#"{"cmd":"step","action":"Is it alive?","oracle":"yes"}"#, "no field \"oracle\""),
    (r#"{"cmd":"step","action":"Is it alive?","oracle_answer":true}"#, "a text in quotes"),
];

#[test]
fn a_fault_is_answered_and_changes_nothing() {
    for (fault, part) in FAULTS {
        let sent = [
            r#"{"cmd":"reset","word":"cat"}"#.to_string(),
            fault.to_string(),
            r#"{"cmd":"step","action":"Is it alive?"}"#.to_string(),
        ];
        let replies = serve(&[], &sent);
        assert_eq!(replies.len(), 3, "{fault}");
        let error =
            replies[1]["error"].as_str().unwrap_or_else(|| panic!("{fault}: {}", replies[1]));
        assert!(error.contains(part), "{fault}: {error}");
        assert_eq!(replies[2]["observation"], "Questions:\nIs it alive? Yes.\n", "{fault}");
    }
}

#[test]
fn a_step_needs_a_game_in_play() {
    let step = json!({"cmd": "step", "action": "Is it a cat?"});
    let sent = lines(&[step.clone(), json!({"cmd": "reset", "word": "cat"}), step.clone(), step]);
    let replies = serve(&[], &sent);
    assert!(replies[0]["error"].as_str().unwrap().contains("no game has begun"));
    assert_eq!(replies[2]["terminated"], true);
    assert!(replies[3]["error"].as_str().unwrap().contains("the game is over"));
}

#[test]
fn bytes_that_are_no_text_and_a_last_line_without_an_end_are_answered() {
    let input = b"\xff\xfe\n{\"cmd\":\"reset\",\"word\":\"cat\"}";
    let done = run_with_input(folder().path(), &["env"], input).success();
    let replies = done.json_lines();
    assert!(replies[0]["error"].as_str().unwrap().contains("UTF-8"));
    assert_eq!(replies[1], json!({"observation": "Questions:\n"}));
}

/// Rows that the reference's environment produced, read from the test data.
fn fixture(name: &str) -> Vec<Value> {
    let path = root().join("tests/parity/env").join(name);
    let text = std::fs::read_to_string(&path).expect("the fixtures are part of the repository");
    text.lines().map(|line| serde_json::from_str(line).expect("a fixture is JSON")).collect()
}

#[test]
fn official_rules_are_the_references_step_by_step() {
    let rows = fixture("twenty_questions_steps.jsonl");
    let mut sent = Vec::new();
    for row in &rows {
        sent.push(json!({"cmd": "reset", "word": row["aliases"][0]}));
        sent.push(json!({"cmd": "step", "action": row["question"],
                         "oracle_answer": row["oracle_answer"]}));
    }
    let replies = serve(&["--rules", "official"], &lines(&sent));
    for (row, reply) in rows.iter().zip(replies.chunks(2)) {
        assert_same(row, &reply[1]);
    }
}

#[test]
fn official_rules_are_the_references_game_by_game() {
    let episodes = fixture("twenty_questions_episodes.jsonl");
    assert!(episodes.len() > 3);
    for episode in &episodes {
        // One of them is a step before any reset, and nothing else; see a_step_needs_a_game_in_play.
        let Some(steps) = episode["steps"].as_array() else {
            assert!(episode["result"].is_null(), "{episode}");
            continue;
        };
        let mut sent = vec![json!({"cmd": "reset", "word": episode["aliases"][0]})];
        sent.extend(steps.iter().map(|step| {
            json!({"cmd": "step", "action": step["question"], "oracle_answer": step["oracle_answer"]})
        }));
        let turns = episode["max_conversation_length"].to_string();
        let replies = serve(&["--rules", "official", "--max-turns", &turns], &lines(&sent));
        assert_eq!(replies[0]["observation"], episode["reset"]);
        for (step, reply) in steps.iter().zip(&replies[1..]) {
            match step["result"].is_null() {
                // The reference answers a step after the end by nothing.
                true => assert!(reply["error"].is_string(), "{step} {reply}"),
                false => assert_same(&step["result"], reply),
            }
        }
    }
}

/// Compares what the reference returned with our reply; it knows one `done`, which a time limit
/// sets too.
fn assert_same(row: &Value, reply: &Value) {
    assert_eq!(reply["observation"], row["history"], "{row}");
    assert_eq!(reply["reward"].as_f64(), row["reward"].as_f64(), "{row}");
    let done = reply["terminated"] == json!(true);
    assert_eq!(json!(done), row["done"], "{row}");
    assert_eq!(reply["truncated"], json!(false), "{row}");
}
