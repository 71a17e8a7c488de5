//! `archer distill` through the binary: a student comes near its teacher, a run is one run however
//! often it was stopped, and what cannot be meant is refused.

use crate::common;

use std::fs;
use std::path::Path;

use common::{TINY, assert_same_run, ended, folder, metrics, root, run, signal, started};
use serde_json::Value;

/// A student of half its teacher's width.
const HALF: &str = r#"
iterations = 40
rollout_size = 64
eval_freq = 0
lm_lr = 3e-3
critic_lr = 3e-3

[actor_model]
layers = 2
width = 24
heads = 3

[critic_model]
layers = 2
width = 24
heads = 3
"#;

fn quickstart() -> String {
    root().join("pkg/models/quickstart.archer").display().to_string()
}

fn number(line: &Value, name: &str) -> f64 {
    line[name].as_f64().unwrap_or_else(|| panic!("{name} in {line}"))
}

/// Who played how well at the end of a run: the mean return of each by name.
fn returns(run: &Path) -> Vec<(String, f64)> {
    let text = fs::read_to_string(run.join("comparison.json")).unwrap();
    let rows: Value = serde_json::from_str(&text).unwrap();
    let row = |row: &Value| (row["who"].as_str().unwrap().into(), number(row, "mean_return"));
    rows.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_student_of_half_the_width_comes_near_its_teacher() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("half.toml"), HALF).unwrap();
    let quickstart = quickstart();
    let distill =
        ["distill", "--teacher", &quickstart, "--config", "half.toml", "--device", "flex"];
    let done = run(folder, &[&distill[..], &["--final-games", "100", "--out", "run"]].concat());
    let done = done.success();

    let lines = metrics(&folder.join("run"));
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    // What the student would say and what it values both come near the teacher's.
    assert!(number(first, "distill.kl") > 1.0, "{first}");
    assert!(number(last, "distill.kl") < 0.25, "{last}");
    assert!(number(last, "q1.loss") < 0.3 * number(first, "q1.loss"), "{last}");
    assert!(number(last, "v1.loss") < 0.1 * number(first, "v1.loss"), "{last}");
    let shares: Vec<f64> = lines.iter().map(|line| number(line, "distill.student_share")).collect();
    assert_eq!((shares[0], shares[39]), (0.0, 1.0));
    assert!(shares.is_sorted());

    let returns = returns(&folder.join("run"));
    let [("random asker", random), ("teacher", teacher), ("student", student)] =
        [0, 1, 2].map(|i| (returns[i].0.as_str(), returns[i].1))
    else {
        panic!("{returns:?}");
    };
    assert!(random < -15.0 && teacher > -3.5, "{returns:?}");
    assert!(student > teacher - 1.5, "{returns:?}");
    assert!(done.stdout.contains("The student loses"), "{}", done.stdout);
    let report = fs::read_to_string(folder.join("run/report.md")).unwrap();
    assert!(report.contains("The student loses") && report.contains("plots/divergence.svg"));
    // The student knows its world and plays by itself.
    let eval = ["eval", "--model", "run/model", "--games", "100", "--seed", "7", "--json"];
    let again = run(folder, &eval).success().json_lines().remove(0);
    assert_eq!(number(&again, "mean_return"), student);
}

/// Such a teacher knows nothing; how a run goes does not depend on it.
const TEACHER: &str = "[critic_model]\nkind = \"causal\"\n[warm_start]\nsteps = 8\n";

#[test]
fn a_stopped_student_goes_on_bit_for_bit_without_its_teachers_folder() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    fs::write(folder.join("teacher.toml"), TEACHER).unwrap();
    for (kind, other) in [("causal", "encoder"), ("encoder", "causal")] {
        let teacher = format!("teacher-{kind}");
        let kind = format!("critic_model.kind={kind}");
        let train = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
        let small = ["--set", "iterations=1", "--set", &kind, "--out", &teacher];
        run(folder, &[&train[..], &small].concat()).success();
        let other = format!("critic_model.kind={other}");
        let model = format!("{teacher}/model");
        let distill = [
            &["distill", "--teacher", &model, "--final-games", "0", "--device", "flex"][..],
            &["--set", "rollout_size=8", "--set", "batch_size=8", "--set", "grad_accum_steps=2"],
            &["--set", "epochs=2", "--set", "actor_epochs=2", "--set", "eval_size=4"],
            &["--set", "actor_model.width=8", "--set", "actor_model.layers=1"],
            &["--set", "critic_model.width=8", "--set", "critic_model.layers=1", "--set", &other],
        ]
        .concat();
        let (long, short) = (format!("long-{teacher}"), format!("short-{teacher}"));
        run(folder, &[&distill[..], &["--set", "iterations=4", "--out", &long]].concat()).success();
        // The rate of learning falls over all iterations, so the short run is told of all of them.
        let stopped = [&distill[..], &["--set", "iterations=4", "--set", "save_freq=2"]].concat();
        let stopped = [&stopped[..], &["--out", &short]].concat();
        run(folder, &stopped).success();
        let old = folder.join(&short).join("checkpoints");
        fs::rename(old.join("latest.old"), old.join("latest")).unwrap();
        fs::remove_dir_all(folder.join(&teacher)).unwrap();
        let on = ["distill", "--resume", &short, "--final-games", "0", "--device", "flex"];
        run(folder, &on).success();
        assert_same_run(&folder.join(&short), &folder.join(&long));
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_way_out() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let train = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let less = ["--set", "iterations=1", "--set", "warm_start.steps=8"];
    let other = [&train[..], &less, &["--set", "tokenizer.vocab_size=290", "--out", "other"]];
    run(folder, &other.concat()).success();
    let bare = [&train[..], &["--algorithm", "bc", "--set", "warm_start.steps=8", "--out", "bare"]];
    run(folder, &bare.concat()).success();
    let quickstart = quickstart();
    for (args, parts) in [
        (&["--teacher", "nowhere"][..], &["nowhere", "no model folder"][..]),
        (&["--teacher", "bare/model"], &["no critic"]),
        (&["--teacher", &quickstart, "--student", "other/model"], &["another tokenizer"]),
        (
            &["--teacher", &quickstart, "--set", "actor_model.width=256"],
            &["parameters", "distill.max_parameters = 1500000"],
        ),
        (&["--teacher", &quickstart, "--set", "distill.temperature=0"], &["distill.temperature"]),
        (&["--resume", "nowhere"], &["nowhere", "no run"]),
        (&[], &["--teacher"]),
    ] {
        let done = run(folder, &[&["distill", "--device", "flex"], args].concat());
        assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{args:?}: {}", done.stderr);
        }
    }
    let lone = run(folder, &["train", "--set", "algorithm=distill"]);
    assert!(lone.code == 2 && lone.stderr.contains("archer distill --teacher"), "{}", lone.stderr);
    // A student that is no smaller than its teacher is allowed, and said to be so.
    let large = ["--set", "iterations=1", "--set", "rollout_size=4", "--set", "epochs=1"];
    let large = [&["distill", "--teacher", "other/model", "--final-games", "0"], &large[..]];
    let large = [&large.concat()[..], &["--set", "actor_epochs=1", "--out", "large"]].concat();
    let done = run(folder, &large).success();
    assert!(done.stderr.contains("more than the"), "{}", done.stderr);
}

/// What makes a student of another vocabulary in seconds.
const QUICK: [&str; 8] = [
    "--set",
    "warm_start.steps=600",
    "--set",
    "warm_start.lr=3e-3",
    "--set",
    "epochs=8",
    "--set",
    "iterations=2",
];

#[test]
fn a_student_of_another_vocabulary_learns_from_its_teachers_games() {
    let folder = folder();
    let folder = folder.path();
    let quickstart = quickstart();
    let distill = ["distill", "--teacher", &quickstart, "--tokens", "300", "--device", "flex"];
    let sizes = ["actor_model", "critic_model"].map(|of| format!("{of}.width=48"));
    let sizes: Vec<&str> = sizes.iter().flat_map(|set| ["--set", set]).collect();
    let small = ["--set", "prior.iterations=2", "--games", "2000", "--final-games", "100"];
    let run_of =
        |out| run(folder, &[&distill, &QUICK[..], &sizes, &small, &["--out", out]].concat());
    run_of("run").success();
    let games = fs::read_to_string(folder.join("run.games.jsonl")).unwrap();
    assert_eq!(games.lines().count(), 2000);
    // It reads by a vocabulary of its own, plays nearly as its teacher does, and has a critic.
    let inspected = run(folder, &["inspect", "run/model", "--json"]).success();
    assert!(inspected.stdout.contains("300"), "{}", inspected.stdout);
    let eval = ["eval", "--model", "run/model", "--games", "100", "--seed", "7", "--json"];
    let played = run(folder, &eval).success().json_lines().remove(0);
    assert!(number(&played, "mean_return") > -4.5, "{played}");
    let critic = metrics(&folder.join("run"));
    let critic: Vec<f64> = critic.iter().filter_map(|line| line["q1.loss"].as_f64()).collect();
    assert!(critic.len() == 2 && critic[1] < critic[0], "{critic:?}");
    // The games are not played again, and a folder that holds a run is left alone.
    fs::rename(folder.join("run"), folder.join("before")).unwrap();
    let short = ["--set", "warm_start.steps=8", "--set", "iterations=0", "--final-games", "0"];
    let short = [&distill[..], &["--games", "2000", "--out", "run"], &short].concat();
    let again = run(folder, &short).success();
    assert!(again.stderr.contains("2000 games are in run.games.jsonl"), "{}", again.stderr);
    assert_eq!(run(folder, &short).code, 2);
}

#[test]
fn a_teacher_that_is_stopped_goes_on_with_its_games() {
    let folder = folder();
    let folder = folder.path();
    let quickstart = quickstart();
    let distill = ["distill", "--teacher", &quickstart, "--tokens", "300", "--device", "flex"];
    let play = [&distill[..], &["--games", "262144", "--out", "run"]].concat();
    let temporary = || {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let sizes = names.map(|entry| entry.metadata().map_or(0, |found| found.len()));
        sizes.max().unwrap_or(0) > 100_000
    };
    let child = started(folder, &play, temporary);
    signal(&child, "-INT");
    let done = ended(child);
    assert_eq!(done.code, 130, "{}", done.stderr);
    assert!(done.stderr.contains("which are in run.games.jsonl.partial"), "{}", done.stderr);
    assert!(!folder.join("run").exists() && !folder.join("run.games.jsonl").exists());
    let kept = fs::read_to_string(folder.join("run.games.jsonl.partial")).unwrap();
    let kept = kept.lines().count();
    // More than were kept: the first of them are not played again, and all are those of one sitting.
    let all = (kept + 40).to_string();
    let small =
        ["--set", "warm_start.steps=8", "--set", "iterations=0", "--set", "prior.iterations=0"];
    let rest = ["--final-games", "0", "--games", &all, "--out", "run"];
    run(folder, &[&distill[..], &small, &rest].concat()).success();
    let data =
        ["data", "--model", &quickstart, "--seed", "1", "--games", &all, "--out", "once.jsonl"];
    run(folder, &data).success();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(read("run.games.jsonl") == read("once.jsonl"));
    assert!(!folder.join("run.games.jsonl.partial").exists());
    let other = run(folder, &[&distill[..], &["--games", "7", "--out", "run"]].concat());
    assert!(other.code == 2 && other.stderr.contains("holds a run"), "{}", other.stderr);
    fs::remove_dir_all(folder.join("run")).unwrap();
    let other = run(folder, &[&distill[..], &["--games", "7", "--out", "run"]].concat());
    assert!(other.code == 2 && other.stderr.contains("--games"), "{}", other.stderr);
}
