//! How many questions a second the table answers on one core, per sort of question.
//!
//! Rollouts must never wait for the oracle: 500,000 answers a second are the least.

use archer_games::knowledge::table;
use archer_games::oracle::{Oracle, TableOracle};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Sorts of questions, each with a list to take in turn.
fn questions() -> Vec<(&'static str, Vec<String>)> {
    let table = table();
    let properties = table.properties();
    let odd = include_str!("../tests/data/odd_questions.txt")
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(|question| question.trim().to_string());
    let kinds: Vec<(&'static str, Vec<String>)> = vec![
        ("canonical", properties.iter().map(|p| p.question.clone()).collect()),
        ("paraphrase", properties.iter().flat_map(|p| p.paraphrases.clone()).collect()),
        ("guess", table.objects().iter().map(|o| o.guess_question()).collect()),
        (
            "comparison",
            table
                .objects()
                .iter()
                .map(|o| format!("Is it bigger than {}?", o.with_article()))
                .collect(),
        ),
        ("odd", odd.collect()),
    ];
    let mixed = (0..1000).map(|i| {
        let (_, list) = &kinds[i % kinds.len()];
        list[(i * 37) % list.len()].clone()
    });
    let mixed = mixed.collect();
    kinds.into_iter().chain([("mixed", mixed)]).collect()
}

fn answers(criterion: &mut Criterion) {
    let names: Vec<&str> = table().objects().iter().map(|object| object.name.as_str()).collect();
    let mut group = criterion.benchmark_group("oracle");
    group.throughput(Throughput::Elements(1));
    for (name, list) in questions() {
        let mut oracle = TableOracle::default();
        let mut i = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                i += 1;
                oracle.answer(names[i % names.len()], &list[i % list.len()])
            });
        });
    }
    group.finish();
}

criterion_group!(benches, answers);
criterion_main!(benches);
