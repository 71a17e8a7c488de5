//! What the server refuses: by name, without a change, and before anything grows.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{serve, shipped};
use crate::common::{Done, folder, run, wait_until};

/// Requests that are refused in game 1, which has said nothing: method, path, body, status, code, and a
/// part of the sentence.
const FAULTS: [(&str, &str, &str, u16, &str, &str); 34] = [
    ("GET", "/", "", 404, "unknown_path", "openapi.json"),
    ("GET", "/games", "", 405, "wrong_method", "POST"),
    ("PUT", "/games/1", "", 405, "wrong_method", "GET or DELETE"),
    ("GET", "/games/1/say", "", 405, "wrong_method", "POST"),
    ("OPTIONS", "/games", "", 405, "wrong_method", "POST"),
    ("GET", "/games/99", "", 404, "unknown_game", "no game 99"),
    ("DELETE", "/games/99", "", 404, "unknown_game", "no game 99"),
    ("POST", "/games/99/say", "{}", 404, "unknown_game", "no game 99"),
    ("POST", "/games/-1/say", "{}", 404, "unknown_path", ""),
    ("POST", "/games/99999999999999999999/say", "{}", 404, "unknown_path", ""),
    ("POST", "/games", "", 400, "usage", "missing field `opening`"),
    ("POST", "/games", "{", 400, "bad_json", "cut off"),
    ("POST", "/games", "{\"opening\": NaN}", 400, "bad_json", "finite"),
    ("POST", "/games", "\u{0}", 400, "bad_json", "zero byte"),
    ("POST", "/games", "[]", 400, "usage", "no JSON object"),
    ("POST", "/games", "{\"opening\": 7}", 400, "usage", "invalid type: integer `7`"),
    ("POST", "/games", "{\"opening\": \"a\", \"sed\": 1}", 400, "usage", "unknown field `sed`"),
    ("POST", "/games", "{\"opening\": \"a\", \"seed\": -1}", 400, "usage", "expected u64"),
    ("POST", "/games", "{\"opening\": \"a\", \"method\": \"say\"}", 400, "usage", "leave it out"),
    ("POST", "/games", "{\"opening\": \"a\", \"game\": 3}", 400, "usage", "unknown field `game`"),
    ("POST", "/games", "{\"opening\": \"a\", \"choices\": [\"\"]}", 400, "usage", "cannot write"),
    ("POST", "/games", "{\"opening\": \"a\", \"choices\": \"b\"}", 400, "usage", "a sequence"),
    ("POST", "/games/1/say", "{\"game\": 2}", 400, "usage", "leave it out"),
    ("POST", "/games/1/say", "{\"temperature\": 2}", 400, "usage", "\"sample\": true"),
    ("POST", "/games/1/say", "{\"sample\": true, \"temperature\": 0}", 400, "usage", "at least"),
    ("POST", "/games/1/say", "{\"sample\": true, \"temperature\": -1}", 400, "usage", "at least"),
    ("POST", "/games/1/say", "{\"alternatives\": 257}", 400, "usage", "at most 256"),
    ("POST", "/games/1/hear", "{\"reply\": \"No.\"}", 409, "conflict", "say first"),
    ("POST", "/games/1/hear", "{}", 400, "usage", "missing field `reply`"),
    ("POST", "/games/1/hear", "{\"reply\": \"a\", \"end\": \"lost\"}", 400, "usage", "`cut`"),
    ("POST", "/games/1/inspect", "{\"samples\": 1000}", 400, "usage", "at most 256"),
    ("POST", "/batch", "{\"requests\": {}}", 400, "usage", "a sequence"),
    ("POST", "/batch", "{}", 400, "usage", "missing field `requests`"),
    ("GET", "/socket", "", 426, "not_a_socket", "ws://"),
];

#[test]
fn what_is_wrong_is_refused_by_name_and_changes_nothing() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    assert_eq!(server.start(&json!([]), 1), 1);
    let before = server.ask("GET", "/games/1", json!({}));
    for (method, path, body, status, code, part) in FAULTS {
        let (got, answer) = server.call(method, path, body);
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            got == status && error["code"] == code && message.contains(part),
            "{method} {path} {body}: {got} {answer}"
        );
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
    assert_eq!(server.ask("GET", "/games/1", json!({})), before);
    let (_, head, _) = server.raw(
        format!("PUT /games/1 HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.place)
            .as_bytes(),
    );
    assert!(head.contains("\r\nAllow: GET, DELETE"), "{head}");
    // What is no request, or may be read as two different ones.
    let host = format!("Host: {}\r\n", server.place);
    for (request, status) in [
        ("nonsense\r\n\r\n".to_string(), 400),
        ("GET /health HTTP/1.1\r\n\r\n".to_string(), 400),
        (format!("GET /health HTTP/1.1\r\n{host}{host}\r\n"), 400),
        (
            format!(
                "POST /games HTTP/1.1\r\n{host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
            ),
            400,
        ),
        (
            format!(
                "POST /games HTTP/1.1\r\n{host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}"
            ),
            400,
        ),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(20 << 10)), 431),
        (format!("POST /games HTTP/1.1\r\n{host}Content-Length: 2000000\r\n\r\n"), 413),
    ] {
        let (got, _, body) = server.raw(request.as_bytes());
        assert!(got == status && body.contains("\"error\""), "{request:.80}: {got} {body}");
    }
}

#[test]
fn pages_of_other_origins_and_names_of_other_machines_are_refused() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &[]);
    let port = server.place.rsplit_once(':').unwrap().1;
    let get = |host: &str, more: &str| {
        let request =
            format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n");
        server.raw(request.as_bytes())
    };
    let own = format!("localhost:{port}");
    for (host, more, status, code) in [
        (own.clone(), String::new(), 200, ""),
        (format!("127.0.0.1:{port}"), format!("Origin: http://127.0.0.1:{port}\r\n"), 200, ""),
        (own.clone(), format!("Origin: http://{own}\r\n"), 200, ""),
        ("example.org".into(), String::new(), 403, "foreign_host"),
        (
            format!("example.org:{port}"),
            format!("Origin: http://example.org:{port}\r\n"),
            403,
            "foreign_host",
        ),
        (own.clone(), "Origin: http://example.org\r\n".into(), 403, "foreign_origin"),
        (own.clone(), "Origin: http://localhost:1\r\n".into(), 403, "foreign_origin"),
        (own.clone(), "Origin: null\r\n".into(), 403, "foreign_origin"),
    ] {
        let (got, head, body) = get(&host, &more);
        assert!(got == status && body.contains(code), "{host} {more}: {got} {body}");
        assert!(!head.contains("Access-Control"), "{head}");
    }
    // Other machines are a thing to ask for, and it is told what that means.
    let mut open = serve(folder.path(), &shipped(), &["--host", "0.0.0.0"]);
    let port = open.place.rsplit_once(':').unwrap().1.to_string();
    open.place = format!("127.0.0.1:{port}");
    let request = "GET /health HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n";
    assert_eq!(open.raw(request.as_bytes()).0, 200);
    let mut child = open.child.take().unwrap();
    child.kill().unwrap();
    let done: Done = child.wait_with_output().unwrap().into();
    assert!(
        done.stderr.contains("warning: ") && done.stderr.contains("no password"),
        "{}",
        done.stderr
    );
    for (args, part) in [
        (["--host", "example.org"], "IP address"),
        (["--port", "70000"], "70000"),
        (["--max-games", "0"], "1 or more"),
        (["--idle-minutes", "-1"], "0 or more"),
    ] {
        let model = shipped();
        let refused = run(folder.path(), &[&["serve", "--model", &model][..], &args].concat());
        assert!(refused.code == 2 && refused.stderr.contains(part), "{}", refused.stderr);
    }
    let missing = run(folder.path(), &["serve", "--model", "nowhere"]);
    assert!(
        missing.code == 2 && missing.stderr.contains("no model folder nowhere"),
        "{}",
        missing.stderr
    );
    let taken = serve(folder.path(), &shipped(), &[]);
    let port = taken.place.rsplit_once(':').unwrap().1;
    let refused = run(folder.path(), &["serve", "--model", &shipped(), "--port", port]);
    assert!(refused.code == 1 && refused.stderr.contains("another --port"), "{}", refused.stderr);
}

#[test]
fn nothing_grows_without_a_bound() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &["--max-games", "3"]);
    let longest = server.ask("GET", "/model", json!({}))["longest_game"].as_u64().unwrap() as usize;
    let refused = |(status, answer): (u16, Value), code: &str| {
        assert!(status >= 400 && answer["error"]["code"] == code, "{status} {answer}");
    };
    // Games.
    let games: Vec<u64> = (0..3).map(|seed| server.start(&json!([]), seed)).collect();
    let start = json!({"opening": "Questions:"}).to_string();
    refused(server.call("POST", "/games", &start), "too_many_games");
    server.ask("DELETE", &format!("/games/{}", games[0]), json!({}));
    // Texts of a game, at once and little by little; choices.
    let long = |bytes: usize| json!({"opening": "x".repeat(bytes)}).to_string();
    refused(server.call("POST", "/games", &long(longest + 1)), "too_long");
    let many: Vec<Value> =
        (0..longest / 64 + 1).map(|_| json!({"said": "", "reply": ""})).collect();
    let many = json!({"opening": "", "exchanges": many}).to_string();
    refused(server.call("POST", "/games", &many), "too_long");
    let choices: Vec<String> = (0..5000).map(|n| format!("Is it {n}?")).collect();
    let choices = json!({"opening": "", "choices": choices}).to_string();
    refused(server.call("POST", "/games", &choices), "too_long");
    let game = games[1];
    let path = |call: &str| format!("/games/{game}/{call}");
    let reply = json!({"reply": "y".repeat(longest / 4)});
    let mut heard = 0;
    let full = loop {
        let said = server.say(game, json!({}));
        assert!(heard == 0 || said["tokens_left_out"].as_u64().unwrap() > 0, "{said}");
        let (status, answer) = server.call("POST", &path("hear"), &reply.to_string());
        if status != 200 {
            break answer;
        }
        heard += 1;
    };
    assert!(heard == 3 && full["error"]["code"] == "too_long", "{heard} {full}");
    assert_eq!(
        server.ask("GET", &format!("/games/{game}"), json!({}))["exchanges"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    // Bodies, with and without their length; batches; what a batch reads.
    refused(server.call("POST", "/games", &long((1 << 20) + 1)), "too_long");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    let head = format!(
        "POST /games HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.place
    );
    assert_eq!(server.raw(format!("{head}{chunk}{chunk}").as_bytes()).0, 413);
    let health: Vec<Value> = (0..257).map(|_| json!({"method": "close", "game": 0})).collect();
    refused(server.call("POST", "/batch", &json!({"requests": health}).to_string()), "too_long");
    let read: Vec<Value> = (0..17).map(|_| json!({"method": "game", "game": game})).collect();
    refused(server.call("POST", "/batch", &json!({"requests": read}).to_string()), "too_long");
    // Depth: no stack overflows.
    let deep = format!("{{\"opening\": {}", "[".repeat(500_000));
    refused(server.call("POST", "/games", &deep), "bad_json");
    // Connections.
    let held: Vec<TcpStream> =
        (0..140).map(|_| TcpStream::connect(&server.place).unwrap()).collect();
    let mut last = held.last().unwrap();
    let mut answer = String::new();
    let _ = last.read_to_string(&mut answer);
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("too_many_connections"),
        "{answer}"
    );
    drop(held);
    wait_until("a free connection", || {
        let mut stream = TcpStream::connect(&server.place).unwrap();
        let request =
            format!("GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.place);
        let _ = stream.write_all(request.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.starts_with("HTTP/1.1 200")
    });
}

#[test]
fn games_that_nobody_asks_for_are_dropped() {
    let folder = folder();
    let server = serve(folder.path(), &shipped(), &["--idle-minutes", "0.001"]);
    let game = server.start(&json!([]), 1);
    wait_until("the end of an idle game", || server.ask("GET", "/health", json!({}))["games"] == 0);
    let (status, answer) = server.call("GET", &format!("/games/{game}"), "");
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("unknown_game")));
}
