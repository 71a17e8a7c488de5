//! OpenEnv: our player against our server, and against servers that misbehave.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use archer_guests::{OpenEnvOptions, OpenEnvServer, serve_openenv};
use archer_world::{End, Local, Said, Start};
use common::toy::Corridor;
use common::{fault, open, refusal, try_first};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

fn served(sessions: usize) -> (OpenEnvServer, String) {
    let options = OpenEnvOptions { sessions, ..OpenEnvOptions::default() };
    let worlds = Arc::new(Local::new(Corridor::default));
    let server = serve_openenv(worlds, ([127, 0, 0, 1], 0).into(), options).unwrap();
    let url = format!("ws://{}/ws", server.address());
    (server, url)
}

fn settings(url: &str) -> Value {
    json!({"url": url, "sessions": 3, "max_turns": 6, "tasks": 4, "memory": 0,
           "observation_field": "prompt", "timeout_seconds": 60})
}

#[test]
fn our_player_and_our_server_play_the_same_game_as_without_them() {
    let (server, url) = served(64);
    let outside = open(settings(&url)).unwrap();
    assert_eq!(outside.about().name, "corridor");
    assert_eq!(outside.capacity(), Some(3));
    let game = try_first(&*outside).unwrap();
    assert_eq!(game, try_first(&Local::new(Corridor::default)).unwrap());

    let mut batch = pollster::block_on(outside.open(3)).unwrap();
    let starts = [0, 1, 2].map(|task| Start { task: Some(task), seed: 9 });
    let openings = pollster::block_on(batch.start(&starts)).unwrap();
    assert_eq!(openings[2].text, "You are at 2.\n");
    let mut ends = Vec::new();
    for _ in 0..6 {
        let turns = pollster::block_on(batch.act(&[Said { game: 0, text: "jump" }])).unwrap();
        assert!(turns[0].invalid && turns[0].reply == "You are at 0.");
        ends.push(turns[0].end);
    }
    assert_eq!(ends.last(), Some(&Some(End::Cut)));
    assert!(pollster::block_on(outside.open(1)).is_err(), "all three sessions are in use");
    drop(batch);
    try_first(&*outside).unwrap();
    drop(outside);
    server.stop();
}

#[test]
fn a_server_that_is_full_lowers_the_number_of_games() {
    let (server, url) = served(2);
    let worlds = open(settings(&url)).unwrap();
    assert_eq!(worlds.capacity(), Some(2));
    let sentence = refusal(settings(&url));
    assert!(sentence.contains("CAPACITY_REACHED"), "{sentence}");
    let mut batch = pollster::block_on(worlds.open(1)).unwrap();
    pollster::block_on(batch.start(&[Start::default()])).unwrap();
    server.stop();
    let error = pollster::block_on(batch.act(&[Said { game: 0, text: "right" }])).unwrap_err();
    assert!(error.to_string().contains("closed the connection"), "{error}");
}

fn got(server: &OpenEnvServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn documents_are_served_beside_the_socket() {
    let (server, _) = served(1);
    let body = |path: &str| {
        let answer = got(&server, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        serde_json::from_str::<Value>(body).unwrap()
    };
    assert_eq!(body("/health"), json!({"status": "healthy"}));
    assert_eq!(body("/metadata")["name"], "corridor");
    assert_eq!(body("/schema")["action"]["required"], json!(["message"]));
    assert!(got(&server, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(got(&server, "POST /health HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(got(&server, "GET /ws HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 426"));
    assert!(got(&server, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn our_server_refuses_what_cannot_be_by_its_code() {
    let (_server, url) = served(1);
    let (mut socket, _) = tungstenite::connect(url).unwrap();
    let mut ask = |text: &str| -> Value {
        socket.send(Message::text(text)).unwrap();
        serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap()
    };
    for (text, code) in [
        ("nonsense", "INVALID_JSON"),
        (r#"{"type":"dance"}"#, "UNKNOWN_TYPE"),
        (r#"[1]"#, "UNKNOWN_TYPE"),
        (r#"{"type":"step","data":{"message":"right"}}"#, "EXECUTION_ERROR"),
        (r#"{"type":"step","data":{"said":"right"}}"#, "VALIDATION_ERROR"),
        (r#"{"type":"step","data":{"message":"a\nb"}}"#, "VALIDATION_ERROR"),
        (r#"{"type":"step","data":{"message":"a","more":1}}"#, "VALIDATION_ERROR"),
        (r#"{"type":"reset","data":{"seed":-1}}"#, "VALIDATION_ERROR"),
        (r#"{"type":"reset","data":{"task":4}}"#, "VALIDATION_ERROR"),
        (r#"{"type":"reset","data":7}"#, "VALIDATION_ERROR"),
    ] {
        let answer = ask(text);
        assert_eq!(
            (&answer["type"], &answer["data"]["code"]),
            (&json!("error"), &json!(code)),
            "{text}"
        );
    }
    let answer = ask(r#"{"type":"reset","data":{"seed":6,"episode_id":"one"}}"#);
    assert_eq!(answer["data"]["observation"]["prompt"], "You are at 2.\n");
    let answer = ask(r#"{"type":"step","data":{"message":"left"}}"#);
    assert_eq!(answer["data"]["reward"], json!(-0.125));
    assert_eq!(
        answer["data"]["metadata"],
        json!({"truncated": false, "won": false, "invalid": false})
    );
    assert_eq!(ask(r#"{"type":"state"}"#)["data"], json!({"episode_id": "one", "step_count": 1}));
}

/// A server that answers documents with 404 and each socket by a function.
fn fake(serve: impl Fn(WebSocket<TcpStream>) + Send + Sync + 'static) -> Value {
    let serve = Arc::new(serve);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || answer(stream, &*serve));
        }
    });
    json!({"url": format!("ws://{address}/ws"), "sessions": 1, "action_field": "message",
           "observation_field": "text", "timeout_seconds": 60})
}

fn answer(mut stream: TcpStream, serve: &impl Fn(WebSocket<TcpStream>)) {
    let mut begin = [0; 7];
    while stream.peek(&mut begin).is_ok_and(|seen| seen > 0 && seen < begin.len()) {}
    if &begin == b"GET /ws" {
        if let Ok(socket) = tungstenite::accept(stream) {
            serve(socket);
        }
        return;
    }
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        asked.push(byte[0]);
    }
    let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/// A server that answers `state` and `reset`, and a step with this message.
fn stepping(answer: Message) -> Value {
    fake(move |mut socket| {
        let opening = json!({"observation": {"text": "Go."}, "reward": null, "done": false});
        while let Ok(Message::Text(text)) = socket.read() {
            let asked: Value = serde_json::from_str(&text).unwrap();
            let sent = match asked["type"].as_str() {
                Some("state") => Message::text(r#"{"type":"state","data":{}}"#),
                Some("reset") => {
                    Message::text(json!({"type": "observation", "data": opening}).to_string())
                }
                Some("step") => answer.clone(),
                _ => return,
            };
            if socket.send(sent).is_err() {
                return;
            }
        }
    })
}

fn step(data: Value) -> Value {
    stepping(Message::text(json!({"type": "observation", "data": data}).to_string()))
}

#[test]
fn rewards_and_ends_are_read_in_all_their_forms() {
    for (data, reward, end) in [
        (json!({"observation": {"text": "a"}, "reward": true, "done": true}), 1.0, End::Won),
        (json!({"observation": {"text": "a"}, "reward": null, "done": true}), 0.0, End::Over),
        (json!({"observation": {"text": "a"}, "done": true, "reward": 2}), 2.0, End::Won),
        (
            json!({"observation": {"text": "a", "metadata": {"truncated": true}}, "reward": 1, "done": true}),
            1.0,
            End::Cut,
        ),
        (
            json!({"observation": {"text": "a"}, "done": true, "info": {"TimeLimit.truncated": true}}),
            0.0,
            End::Cut,
        ),
        (
            json!({"observation": {"text": "a"}, "done": true, "metadata": {"won": true}}),
            0.0,
            End::Won,
        ),
    ] {
        let game = try_first(&*open(step(data.clone())).unwrap()).unwrap();
        assert_eq!((game.turns[0].reward, game.end), (reward, Some(end)), "{data}");
    }
}

#[test]
fn each_fault_of_a_server_is_one_sentence() {
    let message = |text: &str| stepping(Message::text(text));
    let binary = stepping(Message::binary(vec![1, 2, 3]));
    let close = stepping(Message::Close(None));
    let long = stepping(Message::text("x".repeat(17 << 20)));
    let error = r#"{"type":"error","data":{"message":"no such field","code":"VALIDATION_ERROR"}}"#;
    for (settings, part) in [
        (binary, "sent binary data"),
        (close, "closed the connection"),
        (long, "more than 16777216 bytes"),
        (message("Loading"), "that is not JSON"),
        (message(error), "VALIDATION_ERROR (\"no such field\"): set action_field"),
        (message(r#"{"type":"state","data":{}}"#), "answered a step with"),
        (message(r#"{"type":"observation","data":{"reward":NaN}}"#), "NaN or Infinity"),
        (step(json!({"reward": 1})), "without an observation"),
        (step(json!({"observation": {"board": []}})), "field \"text\" holds no text"),
        (step(json!({"observation": {"text": "a"}, "reward": "one"})), "sent the reward \"one\""),
        (step(json!({"observation": {"text": "a"}, "done": "no"})), "the field done as \"no\""),
        (step(json!({"observation": {"text": "a", "choices": 3}})), "no list of texts"),
        (step(json!({"observation": {"text": "a", "choices": []}})), "choices hold at least one"),
    ] {
        let sentence = fault(settings);
        assert!(sentence.contains(part), "{part}: {sentence}");
        assert!(sentence.starts_with("the world openenv "), "{sentence}");
    }
}

#[test]
fn a_server_that_is_silent_meets_its_time_limit() {
    let mut settings = fake(|mut socket| while socket.read().is_ok() {});
    settings["timeout_seconds"] = json!(0.3);
    let sentence = refusal(settings);
    assert!(sentence.contains("did not answer within 0.3 seconds"), "{sentence}");
}

#[test]
fn a_server_that_cannot_be_reached_or_wants_tls_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sentence = refusal(json!({"url": format!("ws://{nobody}/ws")}));
    assert!(
        sentence.contains("cannot be reached") && sentence.contains("start the server"),
        "{sentence}"
    );
    assert!(refusal(json!({"url": "wss://host/ws"})).contains("TLS"));
    let (server, _) = served(1);
    let sentence = refusal(json!({"url": format!("ws://{}/other", server.address())}));
    assert!(sentence.contains("status 404") && sentence.contains("/ws"), "{sentence}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // What a server of TLS says to a client that does not speak it.
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 70]);
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let sentence = refusal(json!({"url": format!("ws://{address}/ws")}));
    assert!(sentence.contains("TLS"), "{sentence}");
}

#[test]
fn fields_that_cannot_be_found_are_asked_for_by_name() {
    let mut settings = stepping(Message::Close(None));
    settings.as_object_mut().unwrap().remove("action_field");
    let sentence = refusal(settings);
    assert!(
        sentence.contains("GET /schema failed") && sentence.contains("set action_field"),
        "{sentence}"
    );
    let mut settings = stepping(Message::Close(None));
    settings.as_object_mut().unwrap().remove("observation_field");
    assert_eq!(open(settings).unwrap().about().max_turns, 100);
    let (_server, url) = served(4);
    let worlds = open(json!({"url": url, "sessions": 1})).unwrap();
    assert_eq!(try_first(&*worlds).unwrap().end, Some(End::Won));
}
