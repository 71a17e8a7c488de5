//! The work of `tests/wasm/bench/run.js` done natively on one thread, as one JSON object: what the
//! browser's figures stand beside.

use std::time::{Duration, Instant};

use page::Page;
use pollster::block_on;
use serde_json::{Value, json};

#[path = "../../../tests/native/learner/page.rs"]
mod page;

fn main() {
    const USAGE: &str = "model-file games together iterations";
    let mut args = std::env::args().skip(1);
    let file = std::fs::read(args.next().expect(USAGE)).expect("a model file");
    let mut number = || args.next().and_then(|text| text.parse().ok()).expect(USAGE);
    let (games, together, iterations): (u64, u64, u64) = (number(), number(), number());
    let begin = Instant::now();
    let mut session = block_on(Page::load(&file)).expect("the shipped model is whole");
    let game = call(&mut session, json!({"method": "play", "seed": 1}), &mut 0);
    call(&mut session, json!({"method": "ask", "game": game, "sample": true}), &mut 0);
    let first_ms = begin.elapsed().as_secs_f64() * 1e3;
    play(&mut session, some(games));
    let tokens_per_second = play(&mut session, games);
    alone(&mut session, some(games));
    let alone_per_second = alone(&mut session, games);
    evaluate(&mut session, some(together));
    let questions_per_second = evaluate(&mut session, together);
    let tune = json!({"iterations": iterations + some(iterations), "set": {"warmup_iter": 0}});
    call(&mut session, json!({"method": "tune", "tune": tune}), &mut 0);
    for _ in 0..some(iterations) {
        call(&mut session, json!({"method": "step"}), &mut 0);
    }
    let begin = Instant::now();
    for _ in 0..iterations {
        call(&mut session, json!({"method": "step"}), &mut 0);
    }
    let iterations_per_minute = 60.0 * iterations as f64 / begin.elapsed().as_secs_f64();
    let told = json!({"firstQuestionMs": first_ms, "tokensPerSecond": tokens_per_second,
        "aloneQuestionsPerSecond": alone_per_second, "questionsPerSecond": questions_per_second, "iterationsPerMinute": iterations_per_minute});
    println!("{told}");
}

/// As much as warms up for the whole.
fn some(n: u64) -> u64 {
    n.div_ceil(5)
}

/// Tokens in a second of asking, one game at a time.
fn play(session: &mut Page, games: u64) -> f64 {
    let (mut tokens, mut time) = (0, Duration::ZERO);
    for seed in 1..=games {
        let mut game = call(session, json!({"method": "play", "seed": seed}), &mut 0);
        for turn in 1..=5 {
            let begin = Instant::now();
            let ask = json!({"method": "ask", "game": game, "sample": true});
            game = call(session, ask, &mut tokens);
            time += begin.elapsed();
            if turn < 5 {
                let answer = json!({"method": "answer", "game": game, "answer": "no"});
                game = call(session, answer, &mut 0);
            }
        }
    }
    tokens as f64 / time.as_secs_f64()
}

/// Games that are asked for at a time where the agent plays by itself.
const AT_A_TIME: u64 = 10;

/// Questions in a second of games that the agent plays by itself, one after the other.
fn alone(session: &mut Page, games: u64) -> f64 {
    let (mut questions, begin) = (0, Instant::now());
    for done in (0..games).step_by(AT_A_TIME as usize) {
        let some = AT_A_TIME.min(games - done);
        let ask = json!({"method": "playGames", "games": some, "seed": 1 + done, "sample": true,
            "kept": false, "oneByOne": true});
        let told = call(session, ask, &mut 0);
        let games = told.as_array().expect("games").iter();
        questions +=
            games.map(|game| game["turns"].as_array().expect("a game").len()).sum::<usize>();
    }
    questions as f64 / begin.elapsed().as_secs_f64()
}

/// Questions in a second of games that are played side by side.
fn evaluate(session: &mut Page, games: u64) -> f64 {
    let begin = Instant::now();
    let ask =
        json!({"method": "evaluate", "games": games, "seed": 7, "sample": true, "kept": false});
    let told = call(session, ask, &mut 0);
    let questions = games as f64 * told["meanTurns"].as_f64().expect("questions of a game");
    questions / begin.elapsed().as_secs_f64()
}

fn call(session: &mut Page, request: Value, tokens: &mut usize) -> Value {
    block_on(session.call(request, |_| *tokens += 1)).expect("a reply")
}
