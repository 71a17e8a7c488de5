//! The work of `tests/wasm/bench/run.js` done natively on one thread, as one JSON object: what the
//! browser's figures stand beside.

use std::time::Instant;

use archer_wasm::session::Request;
use archer_wasm::{Session, device};
use pollster::block_on;
use serde_json::{Value, json};

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = || args.next().and_then(|text| text.parse().ok()).expect("games iterations");
    let (games, iterations): (u64, usize) = (number(), number() as usize);
    let file = include_bytes!("../../../pkg/models/quickstart.archer").to_vec();
    let begin = Instant::now();
    let device = block_on(device::open()).expect("a processor");
    let mut session = block_on(Session::load(file, device)).expect("the shipped model is whole");
    let mut tokens = 0;
    let game = call(&mut session, json!({"method": "play", "seed": 1}), &mut 0);
    call(&mut session, json!({"method": "ask", "game": game, "sample": true}), &mut 0);
    let first_ms = begin.elapsed().as_secs_f64() * 1e3;
    let begin = Instant::now();
    for seed in 1..=games {
        let mut game = call(&mut session, json!({"method": "play", "seed": seed}), &mut 0);
        for _ in 0..5 {
            let ask = json!({"method": "ask", "game": game, "sample": true});
            game = call(&mut session, ask, &mut tokens);
            if game["turns"].as_array().map(Vec::len) == Some(5) {
                break;
            }
            game = call(
                &mut session,
                json!({"method": "answer", "game": game, "answer": "no"}),
                &mut 0,
            );
        }
    }
    let tokens_per_second = tokens as f64 / begin.elapsed().as_secs_f64();
    let tune = json!({"iterations": iterations + 1, "set": {"warmup_iter": 0}});
    call(&mut session, json!({"method": "tune", "tune": tune}), &mut 0);
    call(&mut session, json!({"method": "step"}), &mut 0);
    let begin = Instant::now();
    for _ in 0..iterations {
        call(&mut session, json!({"method": "step"}), &mut 0);
    }
    let iterations_per_minute = 60.0 * iterations as f64 / begin.elapsed().as_secs_f64();
    let told = json!({"firstQuestionMs": first_ms, "tokensPerSecond": tokens_per_second,
        "iterationsPerMinute": iterations_per_minute});
    println!("{told}");
}

fn call(session: &mut Session, request: Value, tokens: &mut usize) -> Value {
    let request: Request = serde_json::from_value(request).expect("a request");
    let reply = block_on(session.call(request, |_| *tokens += 1)).expect("a reply");
    serde_json::to_value(reply).expect("a reply is data")
}
