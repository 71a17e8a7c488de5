//! Training through the front door: a tiny run, what it leaves, and that it can be stopped, resumed
//! and damaged without being lost.
//!
//! Most runs here are too short to learn anything; what they show holds for runs of any length.
//! One world is learned in earnest, because it takes seconds.

use crate::common;

use std::fs;
use std::path::Path;

use common::{BANDIT, Done, TINY, assert_same_run, folder, metrics, run, run_with_input, weights};
use serde_json::Value;

/// Both forms of the policy gradient must find a digit that pays far more than a random one, whose
/// mean is 0.34: the reward of an utterance reaches the utterance.
#[test]
fn both_levels_learn_the_bandit() {
    let folder = folder();
    fs::write(folder.path().join("bandit.toml"), BANDIT).unwrap();
    for level in ["utterance", "token"] {
        let level = format!("level={level}");
        let args = ["train", "--config", "bandit.toml", "--set", &level, "--device", "flex"];
        let more = ["--out", &level, "--final-games", "0"];
        run(folder.path(), &[&args[..], &more].concat()).success();
        let model = format!("{level}/model");
        let games = ["eval", "--model", &model, "--games", "200", "--sample", "--json"];
        let done = run(folder.path(), &games).success();
        let result: Value = serde_json::from_str(&done.stdout).unwrap();
        let mean = result["mean_return"].as_f64().unwrap();
        assert!(mean > 0.6, "{level}: {mean}");
    }
}

/// Trains a tiny run into `out` and expects it to succeed.
fn train(folder: &Path, out: &str, more: &[&str]) -> Done {
    run(folder, &[&tiny(folder, out)[..], &["--final-games", "20"], more].concat()).success()
}

/// The arguments of a tiny run into `out`, whose configuration is written into the folder.
fn tiny<'a>(folder: &Path, out: &'a str) -> [&'a str; 7] {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    ["train", "--config", "tiny.toml", "--device", "flex", "--out", out]
}

#[test]
fn a_run_leaves_everything_and_its_model_can_be_measured_and_played() {
    let folder = folder();
    let done = train(folder.path(), "run", &[]);
    for row in ["random asker", "warm start", "ArCHer", "optimum", "95 % interval", "archer play"] {
        assert!(done.stdout.contains(row), "{row}: {}", done.stdout);
    }
    let root = folder.path().join("run");
    for file in [
        "config.toml",
        "metrics.jsonl",
        "report.md",
        "comparison.json",
        "checkpoints/latest",
        "checkpoints/latest.old",
        "checkpoints/best",
        "plots/return.svg",
        "plots/losses.svg",
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/critic/model.safetensors",
        "warm_start/model.safetensors",
    ] {
        assert!(root.join(file).is_file(), "{file} is missing");
    }
    let events = fs::read_dir(root.join("tensorboard")).unwrap().count();
    assert_eq!(events, 1);

    // The whole resolved configuration: it alone repeats the run.
    fs::copy(root.join("config.toml"), folder.path().join("again.toml")).unwrap();
    let again = ["train", "--config", "again.toml", "--out", "again", "--final-games", "0", "-q"];
    let done = run(folder.path(), &again).success();
    assert_eq!(done.stderr, "");
    assert_same_run(&root, &folder.path().join("again"));

    // Every iteration has its line, with the metrics and the evaluations that were due.
    let lines = metrics(&root);
    let learning: Vec<&Value> = lines.iter().filter(|line| line["phase"] == "learn").collect();
    let steps: Vec<u64> = learning.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [1, 2, 3, 4]);
    for line in &learning {
        assert!(line["q1.loss"].is_f64() && line["rollout.return.mean"].is_f64(), "{line}");
        assert_eq!(line["games"], 8);
    }
    let evaluated = |line: &Value| line["evaluation"]["mean_return"].is_f64();
    let evaluated: Vec<bool> = learning.iter().map(|line| evaluated(line)).collect();
    assert_eq!(evaluated, [false, true, false, true]);

    let measure = ["eval", "--model", "run/model", "--games", "20", "--seed", "7", "--json"];
    let one = run(folder.path(), &measure).success().json_lines().remove(0);
    let keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    for key in common::EVALUATION_KEYS {
        assert!(keys.contains(&key), "{key} is missing in {one}");
    }
    assert_eq!(keys.len(), 10);
    assert_eq!(run(folder.path(), &measure).success().json_lines().remove(0), one);
    let official = [&measure[..], &["--rules", "official"]].concat();
    assert_eq!(run(folder.path(), &official).success().json_lines()[0]["rules"], "official");

    play(folder.path());
    a_model_that_does_not_fit_is_refused(folder.path());
}

/// An agent that tries again says nothing twice, in its training games and in every door's: the
/// folder says how often it tries.
#[test]
fn what_was_said_before_is_said_another_way() {
    let folder = folder();
    let repeat_rate = |out: &str, more: &[&str]| {
        let causal = ["--set", "critic_model.kind=causal", "--set", "world.max_turns=8"];
        train(folder.path(), out, &[&causal, more].concat());
        let model = format!("{out}/model");
        let rates = [&[][..], &["--sample"]].map(|how| {
            let eval = ["eval", "--model", &model, "--games", "20", "--json"];
            let eval = [&eval[..], how].concat();
            let result = run(folder.path(), &eval).success().json_lines().remove(0);
            result["repeat_rate"].as_f64().unwrap()
        });
        let trained = metrics(&folder.path().join(out));
        let trained = trained.iter().filter_map(|line| line["rollout.repeat_rate"].as_f64());
        (rates, trained.fold(0.0, f64::max))
    };
    let ([greedy, _], _) = repeat_rate("once", &[]);
    assert!(greedy > 0.5, "{greedy}");
    let tries = ["--set", "utterance_tries=9", "--set", "actor_samples=3"];
    let others = ["--set", "advantage_baseline=samples", "--set", "warm_start.temperature=0.5"];
    let rates = repeat_rate("often", &[tries, others].concat());
    assert_eq!(rates, ([0.0, 0.0], 0.0));
    let done =
        run_with_input(folder.path(), &["play", "--model", "often/model"], &b"n\n".repeat(8));
    let asked: Vec<&str> = done.stdout.lines().filter(|line| line.contains(". ")).collect();
    let apart: std::collections::HashSet<&str> = asked
        .iter()
        .filter_map(|line| line.trim().split_once(". "))
        .map(|(_, said)| said)
        .collect();
    assert!(asked.len() >= 8 && apart.len() == asked.len(), "{}", done.stdout);
}

/// Where the table answers, only nonsense goes unanswered, so that an agent from there that hears "don't know"
/// might go on with more of it.
#[test]
fn what_a_person_does_not_know_ends_in_no_nonsense() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pkg/models/twenty-questions.archer");
    let answers = b"d\nn\nd\nn\nn\ns\nn\nn\n";
    let done = run_with_input(folder().path(), &["play", "--model", model], answers);
    let asked: Vec<&str> =
        done.stdout.lines().filter_map(|line| Some(line.trim().split_once(". ")?.1)).collect();
    assert!(asked.len() >= 8, "{}", done.stdout);
    for question in asked {
        assert!(question.split(' ').count() > 2, "{question} in {}", done.stdout);
    }
}

/// The agent has learned from people's answers; a person who asks in its place is told the truth.
#[test]
fn a_person_who_asks_hears_the_table_also_where_people_answer_the_agent() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/twenty-questions");
    let questions =
        "Is it alive?\nIs it heavy?\nIs it soft?\nIs it made of metal?\nIs it a tool?\n";
    let asked = questions.repeat(4);
    let done =
        run_with_input(folder().path(), &["play", "--me", "--model", model], asked.as_bytes());
    let told = |reply: &str| done.stdout.matches(reply).count();
    assert!(told("Yes.") + told("No.") >= 20, "{}", done.stdout);
    assert!(told("know") == 0 && told("Sometimes.") == 0, "{}", done.stdout);
}

/// Plays through a pipe: answers in every form, an undo, a word that means nothing, and the end of
/// the input.
fn play(folder: &Path) {
    let play = ["play", "--model", "run/model"];
    let done = run_with_input(folder, &play, b"n\nno\nu\n?\nzorblax\nd\ns\n").success();
    assert!(done.stdout.contains("Think of one of these: football, dog"), "{}", done.stdout);
    assert!(done.stdout.contains(" 1. ") && done.stdout.contains(" 3. "), "{}", done.stdout);
    assert!(done.stdout.contains("Please answer y, n"), "{}", done.stdout);
    assert_eq!(done.stderr, "");
    let done = run_with_input(folder, &play, b"n\nn\nn\nn\na unicorn\nn\n").success();
    assert!(done.stdout.contains("4 questions and not found"), "{}", done.stdout);
    assert!(
        done.stdout.contains("a unicorn") && done.stdout.contains("Goodbye"),
        "{}",
        done.stdout
    );
    let done = run_with_input(folder, &play, b"q\n").success();
    assert!(done.stdout.contains("Goodbye"));
}

/// Model folders with a fault: each is refused with the file's name.
fn a_model_that_does_not_fit_is_refused(folder: &Path) {
    let model = folder.join("run/model");
    let weights = fs::read(model.join("model.safetensors")).unwrap();
    let tokenizer = fs::read(model.join("tokenizer.json")).unwrap();
    let other_tokenizer = String::from_utf8(tokenizer.clone()).unwrap().replace("\"Ġ", "\"Ġx");
    let faults: [(&str, &[u8]); 5] = [
        ("model.safetensors", &weights[..weights.len() / 2]),
        ("model.safetensors", b""),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", other_tokenizer.as_bytes()),
        ("config.json", b"no json"),
    ];
    for (file, bytes) in faults {
        let good = fs::read(model.join(file)).unwrap();
        fs::write(model.join(file), bytes).unwrap();
        let done = run(folder, &["eval", "--model", "run/model", "--games", "1"]);
        assert_eq!(done.code, 1, "{file}: {}", done.stderr);
        assert!(done.stderr.contains(file), "{file}: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        fs::write(model.join(file), good).unwrap();
    }
    let done = run(folder, &["eval", "--model", "run"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("its model is run/model"), "{}", done.stderr);
}

#[test]
fn twenty_iterations_are_ten_and_ten_more() {
    let folder = folder();
    // With the first policy, the average of all and two of the past, which are more networks to keep.
    let more = ["eval_freq=10", "kl_coef=0.1", "actor_average=0.8", "play_lag=2"];
    let more = more.map(|key| ["--set", key]).concat();
    train(folder.path(), "whole", &[&["--set", "iterations=20"][..], &more].concat());
    train(folder.path(), "half", &[&["--set", "iterations=10"][..], &more].concat());
    let resume = ["train", "--resume", "half", "--set", "iterations=20", "--final-games", "0"];
    run(folder.path(), &resume).success();
    let (whole, half) = (folder.path().join("whole"), folder.path().join("half"));
    assert_same_run(&whole, &half);
    let config = |run: &Path| fs::read_to_string(run.join("config.toml")).unwrap();
    // The one that went on says so in a comment.
    let told = config(&half);
    assert!(told.starts_with("# changed: iterations = 10"), "{told}");
    let plain: Vec<&str> = told.lines().filter(|line| !line.starts_with("# changed")).collect();
    assert_eq!(config(&whole).lines().collect::<Vec<_>>(), plain);

    // What would make it another run is refused, and the run stays as it is.
    for (change, part) in [
        ("seed=9", "seed cannot change"),
        ("world.words=all", "world"),
        ("itrations=30", "did you mean"),
    ] {
        let done = run(folder.path(), &["train", "--resume", "half", "--set", change]);
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    assert_same_run(&whole, &half);
}

/// The policy of two iterations ago plays; with threads enough while learning goes on, with one thread
/// before. For what learns from its own games alone it is refused.
#[test]
fn a_policy_of_the_past_plays_on_any_number_of_threads() {
    let folder = folder();
    let set = ["--set", "iterations=5", "--set", "warmup_iter=0"];
    let lag = |threads| [&["--async-play", "2", "--threads", threads], &set[..]].concat();
    train(folder.path(), "one", &lag("1"));
    train(folder.path(), "four", &lag("4"));
    assert_same_run(&folder.path().join("one"), &folder.path().join("four"));
    train(folder.path(), "now", &set);
    let entropies = |run: &str| -> Vec<f64> {
        let log = fs::read_to_string(folder.path().join(run).join("metrics.jsonl")).unwrap();
        let lines =
            log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter_map(|line| line["rollout.entropy"].as_f64()).collect()
    };
    let (lagging, now) = (entropies("one"), entropies("now"));
    assert_eq!((lagging.len(), now.len()), (5, 5));
    // The first iteration has no past, and the second is played by the policy of the first.
    assert_eq!(lagging[0], now[0]);
    assert_ne!(lagging[1], now[1]);
    let done = run(folder.path(), &["train", "--algorithm", "ppo", "--async-play", "1"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("play_lag = 1 is out of range"), "{}", done.stderr);
}

/// Lessons teach what the world replies and what is true of its secrets, and hold what the agent
/// says; they are part of what a run is, but not of what travels.
#[test]
fn lessons_teach_the_world_and_hold_what_is_said() {
    let folder = folder();
    let more = [
        "warm_start.task_coef=1",
        "warm_start.fact_coef=1",
        "rollout_size=32",
        "rollout_noise=0.1",
        "lessons.steps=40",
        "eval_freq=3",
        "lessons.lr=3e-3",
        // The actor stands still otherwise: what changes is the lessons' doing.
        "warmup_iter=20",
    ];
    let more: Vec<&str> = more.iter().flat_map(|key| ["--set", key]).collect();
    train(folder.path(), "whole", &[&["--set", "iterations=6"][..], &more].concat());
    train(folder.path(), "half", &[&["--set", "iterations=3"][..], &more].concat());
    let resume = ["train", "--resume", "half", "--set", "iterations=6", "--final-games", "0"];
    run(folder.path(), &resume).success();
    let (whole, half) = (folder.path().join("whole"), folder.path().join("half"));
    assert_same_run(&whole, &half);

    let series = |run: &Path, key: &str| -> Vec<f64> {
        let losses = metrics(run).iter().filter_map(|line| line[key].as_f64()).collect::<Vec<_>>();
        assert_eq!(losses.len(), 6, "{key}");
        losses
    };
    for key in ["lessons.fact_loss", "lessons.reply_loss"] {
        let losses = series(&whole, key);
        assert!(losses[5] < 0.95 * losses[0], "{key}: {losses:?}");
    }
    assert!(series(&whole, "lessons.task_loss").iter().all(|loss| (0.0..4.0).contains(loss)));
    train(
        folder.path(),
        "free",
        &[&["--set", "iterations=6", "--set", "lessons.hold_coef=0"][..], &more].concat(),
    );
    let free = series(&folder.path().join("free"), "lessons.kl");
    let held = series(&whole, "lessons.kl");
    assert!(2.0 * held.iter().sum::<f64>() < free.iter().sum(), "{held:?} of {free:?}");

    let off = ["train", "--resume", "half", "--set", "lessons.steps=0"];
    let done = run(folder.path(), &off);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("lessons cannot be switched off"), "{}", done.stderr);
    run(folder.path(), &["export", "--model", "half", "--out", "half.archer"]).success();
    let bare = ["train", "--resume", "half.archer", "--set", "iterations=7"];
    for lessons in ["lessons.steps=0", "lessons.steps=2"] {
        let out = ["--set", lessons, "--final-games", "0", "--out", lessons];
        run(folder.path(), &[&bare[..], &out].concat()).success();
        let taught = metrics(&folder.path().join(lessons));
        assert_eq!(taught[0]["lessons.task_loss"].is_f64(), lessons.ends_with('2'));
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_it_used() {
    let folder = folder();
    train(folder.path(), "run", &["--seed", "5"]);
    let root = folder.path().join("run");
    let (before, after) = (metrics(&root), weights(&root));
    let latest = root.join("checkpoints/latest");
    let good = fs::read(&latest).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let resume = ["train", "--resume", "run", "--final-games", "0"];
    for bad in [&flipped[..], &good[..good.len() - 7], &[], b"not a checkpoint"] {
        fs::write(&latest, bad).unwrap();
        let done = run(folder.path(), &resume).success();
        assert!(
            done.stderr.contains("latest is not to be had") && done.stderr.contains("warning"),
            "{}",
            done.stderr
        );
        assert_eq!(metrics(&root), before);
        assert!(weights(&root) == after);
    }

    // With all of them gone there is nothing to go on from; the log is still there.
    fs::write(&latest, &flipped).unwrap();
    for name in ["latest.old", "best"] {
        fs::write(root.join("checkpoints").join(name), &flipped).unwrap();
    }
    let done = run(folder.path(), &resume);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("no checkpoint is left"), "{}", done.stderr);
    assert_eq!(metrics(&root), before);
}

#[test]
fn runs_get_folders_of_their_own() {
    let folder = folder();
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let args = [
        "train",
        "--config",
        "tiny.toml",
        "--seed",
        "3",
        "--algorithm",
        "bc",
        "--final-games",
        "10",
    ];
    for n in [1, 2] {
        let done = run(folder.path(), &args).success();
        assert!(done.stdout.contains(&format!("runs/tiny-3-{n}")), "{}", done.stdout);
        assert!(folder.path().join(format!("runs/tiny-3-{n}/model/config.json")).is_file());
    }
    // A second run into the same folder is refused.
    let done = run(folder.path(), &["train", "--config", "tiny.toml", "--out", "runs/tiny-3-1"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("already holds a run") && done.stderr.contains("--resume"));
}

#[cfg(unix)]
mod signals {
    use super::*;
    use common::{lines_with, signal, started};
    use std::process::{Child, Command};

    const ITERATIONS: [&str; 6] = ["--seed", "4", "--set", "iterations=20", "--final-games", "0"];

    /// Starts a run of twenty iterations and returns once it has learned for a few of them.
    fn start(folder: &Path) -> Child {
        start_until(folder, &ITERATIONS, "\"learn\"")
    }

    /// Starts a run and returns once three lines of its log hold `mark`.
    fn start_until(folder: &Path, more: &[&str], mark: &str) -> Child {
        let args = [&tiny(folder, "stopped")[..], more].concat();
        let log = folder.join("stopped/metrics.jsonl");
        started(folder, &args, || lines_with(&log, mark) >= 3)
    }

    /// The warm start has a layer of its own for the task, which must be there after a stop in it
    /// and gone when it is over.
    #[test]
    fn a_warm_start_that_was_stopped_half_way_goes_on() {
        let folder = folder();
        let steps = "warm_start.steps=200";
        let more = ["--set", steps, "--set", "warm_start.task_coef=1", "--set", "iterations=1"];
        let quick = ["--final-games", "0"];
        let child = start_until(folder.path(), &[&more[..], &quick].concat(), "bc.task_loss");
        signal(&child, "-INT");
        let done: Done = child.wait_with_output().unwrap().into();
        assert_eq!(done.code, 130, "{}", done.stderr);
        let stopped = folder.path().join("stopped");
        assert!(metrics(&stopped).len() < 25, "it did not stop early");
        run(folder.path(), &["train", "--resume", "stopped", "--final-games", "0"]).success();
        train(folder.path(), "whole", &more);
        assert_same_run(&folder.path().join("whole"), &stopped);
    }

    #[test]
    fn ctrl_c_saves_and_the_run_goes_on_as_if_nothing_had_been() {
        let folder = folder();
        let child = start(folder.path());
        signal(&child, "-INT");
        let done: Done = child.wait_with_output().unwrap().into();
        assert_eq!(done.code, 130, "{}", done.stderr);
        for part in ["stopped at iteration", "everything is saved", "archer train --resume stopped"]
        {
            assert!(done.stderr.contains(part), "{}", done.stderr);
        }
        let stopped = folder.path().join("stopped");
        assert!(metrics(&stopped).len() < 22, "it did not stop early");
        run(folder.path(), &["train", "--resume", "stopped", "--final-games", "0"]).success();
        train(folder.path(), "whole", &["--set", "iterations=20", "--seed", "4"]);
        assert_same_run(&folder.path().join("whole"), &stopped);
    }

    #[test]
    fn a_run_that_was_killed_goes_on_from_its_last_checkpoint() {
        let folder = folder();
        let mut child = start(folder.path());
        child.kill().unwrap();
        child.wait().unwrap();
        let stopped = folder.path().join("stopped");
        // A crash can leave half a line.
        let log = stopped.join("metrics.jsonl");
        let text = fs::read_to_string(&log).unwrap();
        fs::write(&log, text + "{\"phase\":\"learn\",\"st").unwrap();
        run(folder.path(), &["train", "--resume", "stopped", "--final-games", "0"]).success();
        train(folder.path(), "whole", &["--set", "iterations=20", "--seed", "4"]);
        assert_same_run(&folder.path().join("whole"), &stopped);
    }

    #[test]
    fn a_run_that_is_being_written_is_left_alone() {
        let folder = folder();
        let mut child = start(folder.path());
        let done = run(folder.path(), &["train", "--resume", "stopped"]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(done.code, 1);
        assert!(done.stderr.contains("another archer is writing"), "{}", done.stderr);
    }

    /// Folders that cannot be written: one without permission, and, for those whom permissions do
    /// not bind, one of the kernel's.
    #[test]
    fn a_read_only_folder_is_told_before_anything_is_computed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let closed = folder.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        let bound = fs::write(closed.join("probe"), "").is_err();
        let out = if bound { "closed/run" } else { "/proc/run" };
        let done = run(folder.path(), &["train", "--out", out]);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(done.stderr.contains(out), "{}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }

    /// A disk that fills up in the middle: what was saved before stays whole.
    #[test]
    fn a_disk_that_fills_up_costs_nothing_that_was_saved() {
        let folder = folder();
        train(folder.path(), "run", &[]);
        let root = folder.path().join("run");
        let (config, model) = (fs::read(root.join("config.toml")).unwrap(), weights(&root));
        let script = format!(
            "trap '' XFSZ; ulimit -f 8; exec '{}' train --resume run --set iterations=6 --final-games 0",
            env!("CARGO_BIN_EXE_archer")
        );
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output();
        let done: Done = output.unwrap().into();
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(done.stderr.contains("the disk is full"), "{}", done.stderr);
        assert_eq!(done.stderr.matches("error:").count(), 1, "{}", done.stderr);
        assert!(weights(&root) == model);
        let done = run(folder.path(), &["train", "--resume", "run", "--final-games", "0"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let _ = config;
    }
}
