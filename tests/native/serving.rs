//! `archer serve` over its sockets: what it says is what the other commands say, alone or in a batch; what
//! is wrong is refused by name and changes nothing; and nothing grows without a bound.

use crate::common;

mod refusals;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use common::{Done, archer, folder, python, root, run, run_program};
use serde_json::{Value, json};

/// The quickstart's model as it is shipped.
fn shipped() -> String {
    root().join("pkg/models/quickstart.archer").display().to_string()
}

/// A server that runs.
struct Server {
    child: Option<Child>,
    place: String,
}

/// Starts a server at a free port and waits until it listens.
fn serve(folder: &Path, model: &str, more: &[&str]) -> Server {
    let args = ["serve", "--model", model, "--port", "0", "--device", "flex"];
    let mut command = archer(folder, &[&args[..], more].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let place = line.split_once("http://").and_then(|(_, rest)| rest.split_once(';'));
    let Some((place, _)) = place else {
        let done: Done = child.wait_with_output().unwrap().into();
        panic!("it serves nothing: {line}{}", done.stderr);
    };
    Server { place: place.to_string(), child: Some(child) }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    /// Sends bytes on a connection of their own, and gives the status, the head and the body that come back.
    fn raw(&self, request: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.place).unwrap();
        // A server that refuses may end the connection before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_string(), body.to_string())
    }

    /// Calls a route.
    fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (place, length) = (&self.place, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {place}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let (status, _, answer) = self.raw(&[head.as_bytes(), body.as_bytes()].concat());
        (status, serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}")))
    }

    /// The answer of a route that carries out what it is asked.
    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, &body.to_string());
        assert!(status < 300, "{method} {path} {body}: {answer}");
        answer
    }

    fn start(&self, exchanges: &Value, seed: u64) -> u64 {
        let body = json!({"opening": "Questions:", "exchanges": exchanges, "seed": seed});
        self.ask("POST", "/games", body)["id"].as_u64().unwrap()
    }

    fn say(&self, game: u64, how: Value) -> Value {
        self.ask("POST", &format!("/games/{game}/say"), how)
    }

    /// The answers to a batch, all of which are results.
    fn batch(&self, requests: Vec<Value>) -> Vec<Value> {
        let answers = self.ask("POST", "/batch", json!({"requests": requests}));
        let answers = answers["answers"].as_array().unwrap().iter();
        answers.map(|answer| answer.get("result").expect("a result").clone()).collect()
    }
}

/// Games at different points.
fn beginnings() -> Vec<Value> {
    let exchange = |n: usize| {
        let reply = ["No.", "Yes."][n / 2 % 2];
        let said = [
            "Is it alive?",
            "Is it heavy?",
            "Is it soft?",
            "Is it made of metal?",
            "Is it a tool?",
        ][n % 5];
        json!({"said": said, "reply": reply})
    };
    (0..24).map(|n| (0..n % 5).map(|k| exchange(n + k)).collect()).collect()
}

/// What two utterances have in common, but for the order in which numbers are summed.
fn assert_same(one: &Value, other: &Value) {
    assert_eq!(one["text"], other["text"]);
    let [a, b] = [one, other].map(|said| said["log_prob"].as_f64().unwrap());
    assert!((a - b).abs() < 1e-4, "{one} {other}");
}

#[test]
fn the_agent_says_what_the_other_commands_say() {
    let folder = folder();
    let path = folder.path();
    let model = shipped();
    let eval = ["eval", "--model", &model, "--games", "20", "--device", "flex", "--quiet"];
    run(path, &[&eval[..], &["--save-games", "games.jsonl"]].concat()).success();
    let games = std::fs::read_to_string(path.join("games.jsonl")).unwrap();
    let server = serve(path, &model, &[]);
    let mut turns = 0;
    for line in games.lines() {
        let played: Value = serde_json::from_str(line).unwrap();
        let opening = json!({"opening": played["opening"]});
        let game = server.ask("POST", "/games", opening)["id"].as_u64().unwrap();
        for turn in played["turns"].as_array().unwrap() {
            let said = server.say(game, json!({}));
            assert_eq!(said["text"], turn["said"], "{played}");
            let heard = json!({"reply": turn["reply"], "reward": turn["reward"]});
            server.ask("POST", &format!("/games/{game}/hear"), heard);
            turns += 1;
        }
        let shown = server.ask("GET", &format!("/games/{game}"), json!({}));
        assert_eq!(
            shown["exchanges"].as_array().unwrap().len(),
            played["turns"].as_array().unwrap().len()
        );
    }
    assert!(turns > 40, "{turns}");

    // The numbers are those of `archer score`.
    let game = server.start(&json!([]), 1);
    let said = server.say(game, json!({"alternatives": 64}));
    let text = said["text"].as_str().unwrap();
    let judged = server.ask("POST", &format!("/games/{game}/inspect"), json!({}));
    let score = ["score", "--model", &model, "--device", "flex", "--text", "Questions:\\n"];
    let scored = run(path, &[&score[..], &["--said", text]].concat()).success().json_lines();
    let near = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-4;
    assert!(near(&scored[0]["log_prob"], &said["log_prob"]), "{said} {scored:?}");
    for (here, there) in [("q1", "q1"), ("q2", "q2")] {
        assert!(near(&scored[0][there], &judged["said"][here]), "{judged} {scored:?}");
    }
    assert!(near(&scored[0]["v1"], &judged["v1"]) && near(&scored[0]["v2"], &judged["v2"]));
    let alternatives = said["alternatives"].as_array().unwrap();
    assert!(!alternatives.is_empty() && alternatives.len() <= 64, "{said}");
    let likely: Vec<f64> =
        alternatives.iter().map(|one| one["log_prob"].as_f64().unwrap()).collect();
    assert!(likely.is_sorted_by(|a, b| a >= b), "{said}");
    let advantage = |one: &Value| one["advantage"].as_f64().unwrap();
    let others = judged["alternatives"].as_array().unwrap();
    assert!(others.is_sorted_by(|a, b| advantage(a) >= advantage(b)) && others.len() > 1);
    let worth = |a: &str, b: &str, of: &Value| of[a].as_f64().unwrap().min(of[b].as_f64().unwrap());
    let gap = worth("q1", "q2", &judged["said"]) - worth("v1", "v2", &judged);
    assert!((gap - advantage(&judged["said"])).abs() < 1e-5, "{judged}");
}

#[test]
fn games_said_together_are_the_games_said_alone() {
    let folder = folder();
    let model = root().join("models/twenty-questions").display().to_string();
    for how in [json!({}), json!({"sample": true}), json!({"sample": true, "temperature": 1.7})] {
        let with = |game: u64| {
            let mut call = how.clone();
            call["method"] = "say".into();
            call["game"] = game.into();
            call
        };
        // A server of its own, so that nothing is left of the games before.
        let server = serve(folder.path(), &model, &[]);
        let games = |server: &Server| -> Vec<u64> {
            (7..).zip(beginnings()).map(|(seed, game)| server.start(&game, seed)).collect()
        };
        let together = server.batch(games(&server).into_iter().map(with).collect());
        let alone = serve(folder.path(), &model, &["--threads", "1"]);
        let one_by_one: Vec<Value> =
            games(&alone).into_iter().map(|game| alone.say(game, how.clone())).collect();
        // From as many connections at the same time.
        let apart = games(&server);
        let at_once: Vec<Value> = thread::scope(|scope| {
            let say = |game: u64| {
                let (server, how) = (&server, how.clone());
                scope.spawn(move || server.say(game, how))
            };
            let said: Vec<_> = apart.into_iter().map(say).collect();
            said.into_iter().map(|said| said.join().unwrap()).collect()
        });
        for ((one, other), third) in together.iter().zip(&one_by_one).zip(&at_once) {
            assert_same(one, other);
            assert_same(one, third);
        }
        let texts: std::collections::BTreeSet<String> =
            together.iter().map(|said| said["text"].to_string()).collect();
        assert!(texts.len() > 3, "{texts:?}");
    }
}

#[test]
fn a_batch_is_carried_out_in_order_and_mixes_ways_of_speaking() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    let [one, other] = [1, 2].map(|seed| server.start(&json!([]), seed));
    let say = |game: u64| json!({"method": "say", "game": game});
    let hear = |game: u64| json!({"method": "hear", "game": game, "reply": "No."});
    let answers = server.batch(vec![
        say(one),
        json!({"method": "say", "game": other, "sample": true, "seed": 5}),
        hear(one),
        say(one),
        json!({"method": "inspect", "game": one, "samples": 0}),
        hear(other),
        json!({"method": "game", "game": one}),
        json!({"method": "close", "game": other}),
    ]);
    assert_eq!(answers[4]["said"]["text"], answers[3]["text"]);
    assert_eq!(answers[6]["exchanges"][0]["said"], answers[0]["text"]);
    assert_eq!(answers[7], json!({"game": other, "turns": 1}));
    // A seed of its own is a way to another utterance, and back to the same.
    let game = server.start(&json!([]), 9);
    let sampled = |seed: u64| {
        let game = server.start(&json!([]), 9);
        server.say(game, json!({"sample": true, "seed": seed}))["text"].clone()
    };
    assert_eq!(sampled(5), answers[1]["text"]);
    let drawn: std::collections::BTreeSet<String> =
        (0..8).map(|seed| sampled(seed).to_string()).collect();
    assert!(drawn.len() > 1, "{drawn:?}");
    // What can be said can be limited, and the end of a game is kept.
    let limited = json!({"choices": ["Is it a pen?"]});
    let said = server.say(game, limited);
    assert_eq!((&said["text"], said["log_prob"].as_f64()), (&json!("Is it a pen?"), Some(0.0)));
    let path = format!("/games/{game}/hear");
    server.ask("POST", &path, json!({"reply": "Yes.\n\n", "end": "won", "reward": 0.5}));
    let shown = server.ask("GET", &format!("/games/{game}"), json!({}));
    let exchange = json!({"said": "Is it a pen?", "reply": "Yes.", "reward": 0.5});
    assert_eq!((&shown["exchanges"][0], &shown["end"]), (&exchange, &json!("won")));
    let (status, late) = server.call("POST", &format!("/games/{game}/say"), "");
    assert_eq!((status, &late["error"]["code"]), (409, &json!("conflict")));
}

#[test]
fn a_connection_carries_one_request_after_another() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    let place = &server.place;
    let body = json!({"opening": "Questions:"}).to_string();
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let (length, host) = (body.len(), format!("Host: {place}\r\n"));
    // All at once: what follows a body is the next request.
    let requests = format!(
        "POST /games HTTP/1.1\r\n{host}Content-Length: {length}\r\n\r\n{body}\
         POST /games HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n{chunked}\
         GET /health?now HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(place).unwrap();
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let statuses: Vec<&str> =
        answers.split("HTTP/1.1 ").skip(1).filter_map(|part| part.split(' ').next()).collect();
    assert_eq!(statuses, ["201", "100", "201", "200"], "{answers}");
    assert!(answers.ends_with('}') && answers.contains("\"games\":2"), "{answers}");
}

#[test]
fn agents_of_all_kinds_are_served() {
    let folder = folder();
    let path = folder.path();
    // One that reads chats, and has no critic.
    crate::language_models::chat_model(path);
    let server = serve(path, "base", &[]);
    let model = server.ask("GET", "/model", json!({}));
    assert_eq!((&model["style"], &model["parameters"]["critic"]), (&json!("chat"), &json!(0)));
    let game = server.start(&json!([{"said": "Is it red?", "reply": "No."}]), 1);
    let shown = server.ask("GET", &format!("/games/{game}"), json!({}));
    let framed = shown["text"].as_str().unwrap();
    assert!(framed.contains("[assistant]\nIs it red?</s>\n[user]\nNo.</s>\n"), "{framed}");
    let said = server.say(game, json!({"choices": ["Is it big?", "Is it red?"]}));
    assert!(["Is it big?", "Is it red?"].contains(&said["text"].as_str().unwrap()), "{said}");
    let (status, refused) = server.call("POST", &format!("/games/{game}/inspect"), "");
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("no_critic")));
}

/// A critic that reads utterances apart once panicked where there was none to read.
#[test]
fn a_state_is_judged_where_nothing_is_said() {
    let folder = folder();
    let encoder = root().join("tests/fuzz/corpus/model-file/tiny.archer").display().to_string();
    for model in [shipped(), encoder] {
        let server = serve(folder.path(), &model, &[]);
        let game = server.start(&json!([]), 1);
        let path = format!("/games/{game}/inspect");
        let judged = server.ask("POST", &path, json!({"samples": 0}));
        let with_one = server.ask("POST", &path, json!({"samples": 0, "also": ["Is it red?"]}));
        assert_eq!((&judged["said"], &judged["alternatives"]), (&Value::Null, &json!([])));
        let value = |judged: &Value| judged["v1"].as_f64().unwrap();
        assert!((value(&judged) - value(&with_one)).abs() < 1e-4, "{judged} {with_one}");
    }
}

#[test]
fn a_peer_of_other_make_finds_what_is_described() {
    let packages = "import websockets, jsonschema, openapi_spec_validator";
    let there = Command::new(python()).args(["-c", packages]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: a_peer_of_other_make_finds_what_is_described, for {} cannot {packages}",
            python()
        );
        return;
    }
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    let script = root().join("tests/native/serve_peer.py");
    let mut peer = Command::new(python());
    let done = run_program(peer.arg(script).arg(format!("http://{}", server.place)), b"");
    assert_eq!(done.success().stdout, "served\n");
}

#[test]
fn the_examples_say_the_same_in_three_languages() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    let place = format!("http://{}", server.place);
    let examples = root().join("examples/serve");
    let mut told = Vec::new();
    for (program, file) in
        [(python().as_str(), "talk.py"), ("node", "talk.mjs"), ("bash", "talk.sh")]
    {
        let mut command = Command::new(program);
        let done = run_program(
            command.arg(examples.join(file)).arg(&place),
            "No.\nYes.\n\"Sometimes\", I \\ think.\n".as_bytes(),
        );
        told.push(done.success().stdout);
    }
    assert_eq!(told[0].lines().count(), 5, "{told:?}");
    assert!(told[0].ends_with("?\n3 replies\n"), "{told:?}");
    assert!(told.iter().all(|said| *said == told[0]), "{told:?}");
    assert_eq!(server.ask("GET", "/health", json!({}))["games"], 0);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_a_client_that_waits_hears_so() {
    let folder = folder();
    for name in ["-INT", "-TERM", "-HUP"] {
        let mut server = serve(folder.path(), &shipped(), &[]);
        server.start(&json!([]), 1);
        // A connection that is kept, and one that has sent half of a request.
        let mut kept = TcpStream::connect(&server.place).unwrap();
        let mut half = TcpStream::connect(&server.place).unwrap();
        half.write_all(b"POST /games HTTP/1.1\r\n").unwrap();
        let child = server.child.take().unwrap();
        common::signal(&child, name);
        let done = common::ended(child);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{name}");
        let mut rest = Vec::new();
        let _ = kept.read_to_end(&mut rest);
        assert!(rest.is_empty());
        assert!(TcpStream::connect(&server.place).is_err(), "{name}");
    }
}
