//! The algorithms beside ArCHer, through the front door: each learns what a toy world asks, and each
//! run goes on bit for bit.

use crate::common;

use std::fs;
use std::path::Path;

use common::{BANDIT, TINY, assert_same_run, folder, metrics, run};
use serde_json::{Value, json};

/// Writes a configuration and trains by it into a folder named after the algorithm.
fn train(folder: &Path, config: &str, algorithm: &str, out: &str, more: &[&str]) {
    fs::write(folder.join("config.toml"), config).unwrap();
    let args = ["train", "--config", "config.toml", "--algorithm", algorithm, "--out", out];
    let quick = ["--device", "flex", "--final-games", "0", "--quiet"];
    run(folder, &[&args[..], &quick, more].concat()).success();
}

/// The mean return of a model, sampled as in training.
fn sampled_return(folder: &Path, out: &str) -> f64 {
    let model = format!("{out}/model");
    let games = ["eval", "--model", &model, "--games", "200", "--sample", "--json"];
    run(folder, &games).success().json_lines()[0]["mean_return"].as_f64().unwrap()
}

/// A random digit pays 0.34 on average, and so does the actor after its warm start, who babbles.
#[test]
fn each_baseline_finds_the_digit_that_pays() {
    let folder = folder();
    for (algorithm, more) in [
        ("filtered_bc", &["warmup_iter=1"][..]),
        ("chai", &["critic_model.kind=causal", "chai.samples=10", "iterations=20"]),
        ("chai", &["critic_model.kind=encoder", "chai.samples=10", "iterations=20"]),
        ("reinforce", &["normalize_advantage=true", "iterations=150"]),
        ("reinforce", &["level=token", "iterations=150"]),
        ("ppo", &["iterations=30", "ppo.value_coef=0.1"]),
    ] {
        let out = format!("{algorithm}-{}", more[0]);
        let set: Vec<&str> = more.iter().flat_map(|pair| ["--set", pair]).collect();
        train(folder.path(), BANDIT, algorithm, &out, &set);
        let mean = sampled_return(folder.path(), &out);
        assert!(mean > 0.6, "{algorithm} with {more:?}: {mean}");
    }
}

/// Offline: the games of a player who says each digit equally often teach which of them pays, and
/// the player who comes of it says that one.
#[test]
fn games_of_a_random_player_teach_offline_which_digit_pays() {
    let folder = folder();
    let pay = [0.3, 0.1, 0.6, 0.0, 0.2, 0.5, 0.1, 1.0, 0.4, 0.2];
    let games: String = (0..200)
        .map(|n| {
            let (digit, pay) = (n % 10, pay[n % 10]);
            let line = format!("{digit} {pay:.1}");
            format!("{}\n", json!({ "lines": [line], "correct": digit == 7, "rewards": [pay] }))
        })
        .collect();
    fs::write(folder.path().join("games.jsonl"), games).unwrap();
    let file = ["--set", "iql.games=games.jsonl", "--set", "iql.beta=10"];
    for kind in ["encoder", "causal"] {
        let kind_of = format!("critic_model.kind={kind}");
        let more = [&file[..], &["--set", &kind_of]].concat();
        train(folder.path(), BANDIT, "iql", kind, &more);
        let mean = sampled_return(folder.path(), kind);
        assert!(mean > 0.6, "{kind}: {mean}");
        // Nothing was played: the games of the file are what was learned from.
        let lines = metrics(&folder.path().join(kind));
        let learned: Vec<&Value> = lines.iter().filter(|line| line["phase"] == "learn").collect();
        assert!(learned.iter().all(|line| line["games"] == 0 && line["games_total"] == 200));
    }
}

/// Imitation alone: a player who guesses the ten words at random teaches more than a random asker
/// does, who asks anything.
#[test]
fn imitation_of_a_guesser_beats_a_random_asker() {
    let folder = folder();
    let config = TINY
        .replace("games = 40", "games = 400\nguess_rate = 1.0\nlr = 3e-3")
        .replace("steps = 16", "steps = 200")
        .replace("max_turns = 4", "max_turns = 12");
    train(folder.path(), &config, "bc", "bc", &[]);
    let asker = ["eval", "--asker", "random", "--words", "subset", "--games", "200", "--json"];
    let random = run(folder.path(), &asker).success().json_lines().remove(0);
    // Twelve turns are all the imitator has; whoever has twenty and does not win loses twenty.
    let random = random["mean_return"].as_f64().unwrap().max(-12.0);
    let mean = sampled_return(folder.path(), "bc");
    assert!(mean > random + 1.0, "{mean} is not above {random}");
}

#[test]
fn each_baseline_goes_on_as_if_nothing_had_been() {
    let folder = folder();
    let data = ["data", "--games", "30", "--words", "subset", "--out", "games.jsonl"];
    run(folder.path(), &data).success();
    for (algorithm, more) in [
        ("filtered_bc", &[][..]),
        ("chai", &[]),
        ("chai", &["critic_model.kind=causal"]),
        ("iql", &["iql.games=games.jsonl"]),
        ("iql", &["iql.games=games.jsonl", "critic_model.kind=causal", "capacity=10"]),
        ("reinforce", &["kl_coef=0.1", "entropy_coef=0.01"]),
        ("ppo", &["kl_coef=0.1", "entropy_coef=0.01"]),
    ] {
        let set: Vec<&str> = more.iter().flat_map(|pair| ["--set", pair]).collect();
        let name = format!("{algorithm}-{}", more.len());
        let (whole, half) = (format!("{name}-whole"), format!("{name}-half"));
        train(folder.path(), TINY, algorithm, &whole, &set);
        let short = [&set[..], &["--set", "iterations=2"]].concat();
        train(folder.path(), TINY, algorithm, &half, &short);
        if algorithm == "iql" {
            // The checkpoint has the games; the file may be gone.
            fs::rename(folder.path().join("games.jsonl"), folder.path().join("moved")).unwrap();
        }
        let resume = ["train", "--resume", &half, "--set", "iterations=4", "--final-games", "0"];
        run(folder.path(), &resume).success();
        if algorithm == "iql" {
            fs::rename(folder.path().join("moved"), folder.path().join("games.jsonl")).unwrap();
        }
        assert_same_run(&folder.path().join(&whole), &folder.path().join(&half));
    }
}

/// What was learned leaves as every agent does: as a folder to be measured, and as one file.
#[test]
fn a_model_plays_as_its_algorithm_does() {
    let folder = folder();
    train(folder.path(), TINY, "chai", "chai", &[]);
    train(folder.path(), TINY, "reinforce", "reinforce", &[]);
    let critic = |out: &str| folder.path().join(out).join("model/critic").exists();
    assert!(critic("chai") && !critic("reinforce"));
    for (out, samples) in [("chai", Value::from(5)), ("reinforce", Value::Null)] {
        let about = fs::read(folder.path().join(out).join("model/archer.json")).unwrap();
        let about: Value = serde_json::from_slice(&about).unwrap();
        assert_eq!(about["samples"], samples);
        let model = format!("{out}/model");
        let measure = |model: &str| -> Value {
            let args = ["eval", "--model", model, "--games", "20", "--json"];
            run(folder.path(), &args).success().json_lines().remove(0)
        };
        let file = format!("{out}.archer");
        run(folder.path(), &["export", "--model", out, "--out", &file]).success();
        assert_eq!(measure(&file), measure(&model), "{out}");
        if out == "chai" {
            // Who does not know how it speaks refuses it, instead of taking the actor alone.
            for (args, part) in [
                (["export", "--model", &model, "--out", "x.archer"], "export the run's folder"),
                (["distill", "--teacher", &model, "--out", "student"], "among 5 utterances"),
            ] {
                let done = run(folder.path(), &args);
                assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
                assert!(done.stderr.contains(part), "{args:?}: {}", done.stderr);
            }
        }
        // A critic that draws its utterances measures the same games the same way again.
        assert_eq!(measure(&model), measure(&model), "{out}");
        let args = ["play", "--model", &model];
        let done = common::run_with_input(folder.path(), &args, b"n\nn\nn\nn\nq\n").success();
        assert!(done.stdout.contains(" 3. "), "{}", done.stdout);
    }
}

#[test]
fn what_cannot_be_done_says_what_to_do() {
    let folder = folder();
    let path = folder.path();
    // A memory that is shorter than a game has none to imitate.
    fs::write(path.join("config.toml"), TINY).unwrap();
    let args = ["train", "--config", "config.toml", "--algorithm", "filtered_bc", "--out", "short"];
    let short = ["--set", "capacity=1", "--set", "iterations=2", "--device", "flex", "--quiet"];
    let done = run(path, &[&args[..], &short].concat());
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("capacity = 1 holds no whole game"), "{}", done.stderr);

    // Who lets a critic choose needs it.
    train(path, TINY, "chai", "chai", &["--set", "iterations=1"]);
    fs::remove_dir_all(path.join("chai/model/critic")).unwrap();
    let done = run(path, &["eval", "--model", "chai/model", "--games", "1"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("critic/config.json"), "{}", done.stderr);

    // A run does not change what it learns from.
    let data = ["data", "--games", "9", "--words", "subset", "--out", "games.jsonl"];
    run(path, &data).success();
    let file = format!("iql.games={}", path.join("games.jsonl").display());
    train(path, TINY, "iql", "iql", &["--set", &file]);
    let done = run(path, &["train", "--resume", "iql", "--set", "iql.games=others.jsonl"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("iql.games cannot change"), "{}", done.stderr);

    // What travels holds no path, and so goes on by playing.
    run(path, &["export", "--model", "iql", "--out", "iql.archer"]).success();
    let (bytes, here) = (fs::read(path.join("iql.archer")).unwrap(), path.display().to_string());
    assert!(!bytes.windows(here.len()).any(|part| part == here.as_bytes()), "{here} travels");
    let on = ["train", "--resume", "iql.archer", "--set", "iterations=5", "--out", "on"];
    run(path, &[&on[..], &["--final-games", "0"]].concat()).success();
    let last = metrics(&path.join("on")).pop().unwrap();
    assert!(last["games"].as_u64().unwrap() > 0, "{last}");
}
