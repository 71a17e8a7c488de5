//! The work of `bench/embedding.py` done natively on one thread, as one JSON object: what the component's
//! figures stand beside.

use std::time::Instant;

use archer_session::Session;
use archer_session::session::Request;
use archer_session::session::talk::Talk;
use burn::tensor::Device;
use pollster::block_on;
use serde_json::{Value, json};

fn main() {
    const USAGE: &str = "model-file games turns opening";
    let mut args = std::env::args().skip(1);
    let file = std::fs::read(args.next().expect(USAGE)).expect("a model file");
    let mut number = || -> u64 { args.next().and_then(|text| text.parse().ok()).expect(USAGE) };
    let (games, turns) = (number(), number() as usize);
    let opening = args.next().expect(USAGE);
    let begin = Instant::now();
    let mut session = block_on(Session::load(file, Device::flex())).expect("a whole file");
    let load_ms = begin.elapsed().as_secs_f64() * 1e3;
    play(&mut session, 0, turns, &opening);
    let (mut tokens, mut said) = (0, Vec::new());
    let (begin, computed) = (Instant::now(), processor_seconds());
    for seed in 1..=games {
        let (more, texts) = play(&mut session, seed, turns, &opening);
        tokens += more;
        said.extend(texts);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let processor = processor_seconds() - computed;
    let told = json!({"loadMs": load_ms, "tokens": tokens, "seconds": seconds, "processor": processor,
        "said": said});
    println!("{told}");
}

/// Seconds that this thread has computed; those of a busy machine in which it waited do not count.
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = told.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.expect("Linux tells") / 1e9
}

/// A sampled game in which every reply is "No.": the tokens that were written, and the utterances.
fn play(session: &mut Session, seed: u64, turns: usize, opening: &str) -> (usize, Vec<String>) {
    let (mut tokens, mut said) = (0, Vec::new());
    let mut talk = Talk { opening: format!("{opening}\n"), ..Talk::default() };
    for _ in 0..turns {
        let request =
            Request::Say { talk: talk.clone(), sample: true, seed, score: false, alternatives: 0 };
        let reply = block_on(session.call(request, |_| tokens += 1)).expect("a reply");
        let reply: Value = serde_json::to_value(reply).expect("a reply is JSON");
        let text = reply["text"].as_str().expect("an utterance").to_string();
        said.push(text.clone());
        talk.exchanges.push((text, "No.".to_string()));
    }
    (tokens, said)
}
