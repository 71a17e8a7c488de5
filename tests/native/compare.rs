//! `archer compare` through the front door: what it leaves, and that nothing is done twice.

use crate::common;

use std::fs;
use std::path::Path;

use common::{TINY, folder, metrics, run};
use serde_json::Value;

const RUNS: [&str; 6] = ["archer-1", "archer-2", "ppo-1", "ppo-2", "bc-1", "bc-2"];

fn arguments<'a>(folder: &Path, out: &'a str) -> Vec<&'a str> {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let what = ["compare", "--config", "tiny.toml", "--algorithms", "archer,ppo,bc"];
    let how = ["--seeds", "1,2", "--set", "ppo:ppo.epochs=1", "--final-games", "20"];
    [&what[..], &how, &["--device", "flex", "--out", out]].concat()
}

fn log(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join("all").join(name).join("metrics.jsonl")).unwrap()
}

#[test]
fn a_comparison_leaves_a_table_two_charts_and_the_way_back_to_them() {
    let folder = folder();
    let path = folder.path();
    let args = arguments(path, "all");
    let done = run(path, &args).success();
    for part in ["algorithm", "ArCHer", "PPO", "behaviour cloning", "optimum", "−2.80"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert!(done.stderr.contains("run 6 of 6: bc, seed 2"), "{}", done.stderr);

    // Each run is an ordinary one, and what is for one algorithm is told to that one alone.
    for name in RUNS {
        let root = path.join("all").join(name);
        assert!(root.join("report.md").is_file() && root.join("model/config.json").is_file());
        let config = fs::read_to_string(root.join("config.toml")).unwrap();
        let epochs: toml::Table = config.parse().unwrap();
        let epochs = epochs["ppo"]["epochs"].as_integer().unwrap();
        assert_eq!(epochs, if name.starts_with("ppo") { 1 } else { 4 }, "{name}");
    }

    let text = fs::read(path.join("all/comparison.json")).unwrap();
    let told: Value = serde_json::from_slice(&text).unwrap();
    assert!(told["command"].as_str().unwrap().contains("--algorithms archer,ppo,bc --seeds 1,2"));
    assert_eq!(told["optimum_return"], -2.8);
    let algorithms = told["algorithms"].as_array().unwrap();
    for algorithm in algorithms {
        let seeds = algorithm["seeds"].as_array().unwrap();
        let finals: Vec<f64> =
            seeds.iter().map(|seed| seed["final"]["mean_return"].as_f64().unwrap()).collect();
        let iqm = algorithm["final"]["iqm"].as_f64().unwrap();
        assert!((iqm - (finals[0] + finals[1]) / 2.0).abs() < 1e-9, "{algorithm}");
        // Two runs that end alike tell no interval.
        if algorithm["final"]["ci95"].is_null() {
            assert_eq!(finals[0], finals[1], "{algorithm}");
        } else {
            let [low, high] = [0, 1].map(|i| algorithm["final"]["ci95"][i].as_f64().unwrap());
            assert!(low <= iqm && iqm <= high, "{algorithm}");
        }
        assert_eq!(seeds[0]["final"]["games"], 20);
    }
    let games = |algorithm: &Value| -> Vec<f64> {
        let curve = algorithm["by_games"].as_array().unwrap();
        curve.iter().map(|point| point["x"].as_f64().unwrap()).collect()
    };
    // Evaluated after the warm start and every second iteration of eight games.
    assert_eq!(games(&algorithms[0]), [0.0, 16.0, 32.0]);
    assert_eq!(games(&algorithms[1]), [0.0, 16.0, 32.0]);
    assert_eq!(games(&algorithms[2]), [0.0]);

    for chart in ["return_by_games.svg", "return_by_seconds.svg"] {
        let svg = fs::read_to_string(path.join("all").join(chart)).unwrap();
        for part in ["ArCHer", "PPO", "behaviour cloning", "optimum −2.80", "2 seeds"] {
            assert!(svg.contains(part), "{chart}: {part}");
        }
    }
    let page = fs::read_to_string(path.join("all/comparison.md")).unwrap();
    for part in ["| ArCHer |", "return_by_games.svg", "archer compare", "archer train --config"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let command = page.split('`').find(|part| part.starts_with("archer train --config"));
    assert!(command.unwrap().contains("all/archer-1/config.toml"));

    nothing_is_done_twice(path, &args, &text);
}

/// Finished runs stay as they are, a missing one is run, and other settings are refused.
fn nothing_is_done_twice(path: &Path, args: &[&str], told: &[u8]) {
    let before = RUNS.map(|name| log(path, name));
    let again = [args, &["--json"]].concat();
    let done = run(path, &again).success();
    assert_eq!(done.stderr.matches("it is finished").count(), 6, "{}", done.stderr);
    assert_eq!(RUNS.map(|name| log(path, name)), before);
    assert_eq!(fs::read(path.join("all/comparison.json")).unwrap(), told);
    let told: Value = serde_json::from_slice(told).unwrap();
    assert_eq!(done.json_lines()[0], told);

    // One that had begun and left nothing to go on from begins again.
    let root = path.join("all/ppo-2");
    let whole = metrics(&root);
    let config = fs::read(root.join("config.toml")).unwrap();
    fs::remove_dir_all(&root).unwrap();
    fs::create_dir_all(root.join("checkpoints")).unwrap();
    fs::write(root.join("config.toml"), config).unwrap();
    fs::write(root.join("metrics.jsonl"), "").unwrap();
    let done = run(path, args).success();
    assert_eq!(done.stderr.matches("it is finished").count(), 5, "{}", done.stderr);
    assert_eq!(metrics(&root), whole);

    ranked_by_games(path, args);

    let other = [args, &["--set", "gamma=0.5"]].concat();
    let done = run(path, &other);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("archer-1 holds a run with other settings"), "{}", done.stderr);
    fs::create_dir_all(path.join("taken/ppo-1")).unwrap();
    let done = run(path, &arguments(path, "taken"));
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("ppo-1 is there and is no run"), "{}", done.stderr);
}

/// The same runs, ranked by the games that they needed: nothing is run again.
fn ranked_by_games(path: &Path, args: &[&str]) {
    let by_games = [args, &["--by", "games", "--reach", "-30,5"]].concat();
    let done = run(path, &by_games).success();
    assert_eq!(done.stderr.matches("it is finished").count(), 6, "{}", done.stderr);
    for part in ["games (median)", "−30.00", "2 of 2", "over 32", "0 of 2"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    let told = fs::read_to_string(path.join("all/comparison.json")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let reach = &told["algorithms"][0]["reach"];
    // Everything is above −30 from the start, nothing comes to 5.
    assert_eq!((&reach[0]["games"], &reach[0]["reached"]), (&0.0.into(), &2.into()), "{reach}");
    assert_eq!((&reach[1]["games"], &reach[1]["reached"]), (&Value::Null, &0.into()), "{reach}");
    assert!(told["command"].as_str().unwrap().contains("--by games --reach"), "{told}");
    let page = fs::read_to_string(path.join("all/comparison.md")).unwrap();
    assert!(page.contains("| −30.00 |") && page.contains("stayed there"), "{page}");

    let useless = run(path, &[args, &["--reach", "-3"]].concat());
    assert_eq!(useless.code, 2, "{}", useless.stderr);
    assert!(useless.stderr.contains("add that"), "{}", useless.stderr);
}

/// A comparison that was stopped in the middle of a run goes on in that run.
#[cfg(unix)]
#[test]
fn a_comparison_that_was_stopped_goes_on() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let folder = folder();
    let path = folder.path();
    let long = ["--set", "iterations=20", "--set", "eval_freq=5"];
    let args = [&arguments(path, "all")[..], &long].concat();
    let mut command = common::archer(path, &args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let text = || fs::read_to_string(path.join("all/archer-2/metrics.jsonl")).unwrap_or_default();
    while text().lines().filter(|line| line.contains("\"learn\"")).count() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(begun.elapsed() < Duration::from_secs(300), "it does not begin to learn");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let done: common::Done = child.wait_with_output().unwrap().into();
    assert_eq!(done.code, 130, "{}", done.stderr);
    assert!(done.stderr.contains("stopped in the run archer, seed 2"), "{}", done.stderr);
    assert!(metrics(&path.join("all/archer-2")).len() < 22, "it did not stop early");
    assert!(!path.join("all/ppo-1").exists() && !path.join("all/comparison.md").exists());

    let finished = log(path, "archer-1");
    let done = run(path, &args).success();
    assert!(done.stderr.contains("going on with all/archer-2"), "{}", done.stderr);
    assert_eq!(log(path, "archer-1"), finished);
    let lines = metrics(&path.join("all/archer-2"));
    assert_eq!(lines.iter().filter(|line| line["phase"] == "learn").count(), 20);
}
