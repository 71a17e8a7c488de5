//! Games of a demonstrator that a run learns from beside its own.

use crate::common;

use std::fs;

use common::{TINY, assert_same_run, folder, metrics, run};
use serde_json::Value;

const PRIOR: [&str; 4] = ["--set", "prior.games=20", "--set", "prior.iterations=2"];

/// The first iterations play nothing and learn; the later ones play, and the memory that they draw from
/// beside their own games is there again after a resume.
#[test]
fn demonstrated_games_are_learned_from_before_and_beside_the_runs_own() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let begin = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let train = |out: &str, more: &[&str]| {
        run(path, &[&begin[..], &["--out", out], &PRIOR, more].concat()).success();
        path.join(out)
    };
    for kind in ["critic_model.kind=causal", "critic_model.kind=encoder"] {
        let whole = format!("whole-{kind}");
        let root = train(&whole, &["--set", kind]);
        let learned: Vec<Value> = metrics(&root);
        let learned: Vec<&Value> = learned.iter().filter(|line| line["phase"] == "learn").collect();
        let games: Vec<u64> =
            learned.iter().map(|line| line["games_total"].as_u64().unwrap()).collect();
        assert_eq!(games, [0, 0, 8, 16], "{kind}");
        for line in &learned {
            assert!(line["q1.loss"].as_f64().is_some_and(f64::is_finite), "{line}");
        }
        // Its own memory holds its own games alone.
        assert_eq!(learned[1]["replay.size"], 0.0, "{}", learned[1]);

        let half = format!("half-{kind}");
        let stopped = train(&half, &["--set", kind, "--set", "iterations=2"]);
        let resume = ["train", "--resume", &half, "--set", "iterations=4", "--final-games", "0"];
        run(path, &resume).success();
        assert_same_run(&root, &stopped);
    }

    let without = [&begin[..], &["--out", "none", "--set", "prior.iterations=2"]].concat();
    let refused = run(path, &without);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("prior.iterations = 2"), "{}", refused.stderr);
    // Who learns from what was just played has no use for them, and is not stopped by them.
    let ppo = run(path, &[&begin[..], &["--out", "ppo", "--algorithm", "ppo"], &PRIOR].concat());
    assert_eq!(metrics(&path.join("ppo")).last().unwrap()["games_total"], 32, "{}", ppo.stderr);
}
