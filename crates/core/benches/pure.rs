//! The parts of the core that touch no network: they must never be what a run waits for.

use std::hint::black_box;
use std::sync::Arc;

use archer::nn::batch::{self, ActorBatch, by_length};
use archer::nn::tree_batch::{Tree, TreeBatch};
use archer::rl::replay_buffer::ReplayBuffer;
use archer::rl::returns::discounted_returns;
use archer::rl::transition::Transition;
use archer::rng::stream;
use archer::text::Tokenizer;
use burn::tensor::Device;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Tokens of a turn, question and answer together, and turns of a game.
const TURN: usize = 10;
const TURNS: usize = 20;

/// A game of twenty turns as transitions of one growing text.
fn game() -> Vec<Transition> {
    let text: Vec<u32> = (0..(TURNS + 1) * TURN).map(|i| 300 + (i * 7 % 200) as u32).collect();
    let states: Vec<Arc<[u32]>> = (1..=TURNS + 1).map(|n| text[..n * TURN].into()).collect();
    let turn = |n: usize| Transition {
        observation: states[n].clone().into(),
        action: text[(n + 1) * TURN..(n + 1) * TURN + 6].into(),
        reward: -1.0,
        next_observation: states[n + 1].clone().into(),
        terminated: n + 1 == TURNS,
        truncated: false,
        mc_return: 0.0,
        log_prob: 0.0,
        choices: None,
        task: None,
    };
    (0..TURNS).map(turn).collect()
}

fn returns(criterion: &mut Criterion) {
    let rewards = [-1.0f32; TURNS];
    let mut group = criterion.benchmark_group("returns");
    group.throughput(Throughput::Elements(TURNS as u64));
    group.bench_function("of a game", |b| b.iter(|| discounted_returns(black_box(&rewards), 0.95)));
    group.finish();
}

fn replay(criterion: &mut Criterion) {
    let mut buffer = ReplayBuffer::new(100_000);
    while buffer.len() < 100_000 {
        game().into_iter().for_each(|turn| buffer.insert(turn));
    }
    let mut rng = stream(1, "bench.replay", 0);
    let mut group = criterion.benchmark_group("replay of 100,000");
    group.throughput(Throughput::Elements(256));
    group.bench_function("256 draws", |b| b.iter(|| buffer.sample(256, &mut rng).len()));
    group.throughput(Throughput::Elements(TURNS as u64));
    group.bench_function("a game remembered", |b| {
        b.iter_batched(
            game,
            |game| game.into_iter().for_each(|turn| buffer.insert(turn)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn tokenizer(criterion: &mut Criterion) {
    let things = ["an animal", "a plant", "made of metal", "found indoors", "larger than a car"];
    let questions: Vec<String> =
        (0..100).map(|n| format!("Is it {}{}?", things[n % 5], n / 5)).collect();
    let tokenizer = Tokenizer::train(questions.iter().cloned(), 1024, 12).expect("questions");
    let text: String = questions.iter().take(TURNS).map(|text| format!("{text} Yes.\n")).collect();
    let tokens = tokenizer.encode(&text);
    let mut group = criterion.benchmark_group("tokenizer");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("a game to tokens", |b| b.iter(|| tokenizer.encode(black_box(&text))));
    group.bench_function("and back", |b| b.iter(|| tokenizer.decode(black_box(&tokens))));
    group.finish();
}

fn batching(criterion: &mut Criterion) {
    let (game, device) = (game(), Device::flex());
    let states: Vec<&[u32]> = game.iter().map(|turn| &turn.observation[..]).collect();
    let pairs: Vec<(&[u32], &[u32])> =
        game.iter().map(|turn| (&turn.observation[..], &turn.action[..])).collect();
    let rows: Vec<Vec<u32>> = states.iter().map(|state| state.to_vec()).collect();
    let trunk = &game[TURNS - 1].next_observation[..];
    let branches: Vec<(usize, &[u32])> =
        game.iter().map(|turn| (turn.observation.len(), &turn.action[..])).collect();
    let trees: Vec<Tree<'_>> =
        (0..16).map(|_| Tree { trunk, branches: branches.clone() }).collect();
    let mut group = criterion.benchmark_group("batching");
    group.throughput(Throughput::Elements(TURNS as u64));
    group.bench_function("rows of the actor", |b| b.iter(|| ActorBatch::new(&pairs, &device)));
    group.bench_function("rows of the critic", |b| b.iter(|| batch::texts(&rows, 0, &device)));
    let lengths: Vec<usize> = (0..1024).map(|i| i * 37 % 200).collect();
    group.bench_function("order of 1,024 rows", |b| b.iter(|| by_length(black_box(&lengths))));
    group.throughput(Throughput::Elements(16));
    group.bench_function("a forest of 16 games", |b| b.iter(|| TreeBatch::new(&trees, &device)));
    group.finish();
}

criterion_group!(benches, returns, replay, tokenizer, batching);
criterion_main!(benches);
