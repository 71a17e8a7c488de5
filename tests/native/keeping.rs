//! What is not ours is not removed, what is damaged is told and costs no more than itself, and only plain
//! files are replaced.

use crate::common;

use std::fs;
use std::path::Path;

use common::{TINY, assert_same_run, folder, metrics, run};

/// Trains a tiny run into `out`.
fn train(folder: &Path, out: &str, more: &[&str]) {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    run(folder, &[&args[..], &["--out", out], more].concat()).success();
}

#[test]
fn a_run_with_nothing_but_its_best_goes_on_from_there() {
    let folder = folder();
    let path = folder.path();
    train(path, "run", &["--set", "eval_freq=1"]);
    train(path, "whole", &["--set", "eval_freq=1"]);
    for name in ["latest", "latest.old"] {
        fs::remove_file(path.join("run/checkpoints").join(name)).unwrap();
    }
    run(path, &["export", "--model", "run", "--out", "best.archer"]).success();
    let done = run(path, &["train", "--resume", "run", "--final-games", "0"]).success();
    assert!(done.stderr.contains("going on from run/checkpoints/best"), "{}", done.stderr);
    assert_same_run(&path.join("whole"), &path.join("run"));
}

#[test]
fn what_somebody_put_into_a_run_stays_there() {
    let folder = folder();
    let path = folder.path();
    train(path, "run", &[]);
    let root = path.join("run");
    let own = [
        "tensorboard/events.out.tfevents.7.another",
        "tensorboard/notes.txt",
        "model/notes.txt",
        "model/critic/notes.txt",
        "model/adapter.safetensors",
        "plots/mine.svg",
        "notes.txt",
    ];
    for name in own {
        fs::write(root.join(name), name).unwrap();
    }
    let more = ["--set", "iterations=6", "--final-games", "0"];
    run(path, &[&["train", "--resume", "run"][..], &more].concat()).success();
    for name in own {
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), name);
    }
    // Ours is there once.
    let events = fs::read_dir(root.join("tensorboard")).unwrap().flatten();
    assert_eq!(events.filter(|e| e.file_name().to_string_lossy().ends_with(".archer")).count(), 1);
    let force = ["export", "--model", "run", "--folder", "--out", "run/model", "--force"];
    run(path, &force).success();
    assert_eq!(fs::read_to_string(root.join("model/notes.txt")).unwrap(), "model/notes.txt");
}

#[test]
fn a_damaged_line_of_the_log_costs_no_other() {
    let folder = folder();
    let path = folder.path();
    train(path, "run", &[]);
    let log = path.join("run/metrics.jsonl");
    let whole = metrics(&path.join("run"));
    let text = fs::read(&log).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for bad in [&b"not a line\n"[..], b"\xff\xfe\n", b"\n", b"{}\n", b"{\"phase\":\"learn\",\n"] {
        let damaged = [&lines[..2].concat()[..], bad, &lines[2..].concat()].concat();
        fs::write(&log, &damaged).unwrap();
        let done = run(path, &["train", "--resume", "run", "--final-games", "0"]).success();
        assert!(
            done.stderr.contains("metrics.jsonl, line 3, is no line of a log"),
            "{}",
            done.stderr
        );
        assert_eq!(metrics(&path.join("run")), whole);
        assert_eq!(fs::read(path.join("run/metrics.jsonl.damaged")).unwrap(), damaged);
    }
    // Half a line at the end is what a crash leaves, and no fault.
    fs::write(&log, [&text[..], b"{\"phase\":\"le"].concat()).unwrap();
    let done = run(path, &["train", "--resume", "run", "--final-games", "0"]).success();
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    assert_eq!(metrics(&path.join("run")), whole);
}

#[test]
fn an_export_takes_the_checkpoint_before_a_damaged_one() {
    let folder = folder();
    let path = folder.path();
    train(path, "run", &["--set", "save_freq=1"]);
    let checkpoints = path.join("run/checkpoints");
    run(path, &["export", "--model", "run/checkpoints/latest.old", "--out", "old.archer"])
        .success();
    let latest = fs::read(checkpoints.join("latest")).unwrap();
    fs::write(checkpoints.join("latest"), &latest[..latest.len() / 2]).unwrap();
    let done = run(path, &["export", "--model", "run", "--out", "run.archer"]).success();
    for part in ["warning", "checkpoints/latest", "the model is that of run/checkpoints/latest.old"]
    {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    let read = |name: &str| fs::read(path.join(name)).unwrap();
    assert!(read("run.archer") == read("old.archer"));
    let student = ["distill", "--teacher", "run", "--out", "student", "--final-games", "0"];
    let small = ["iterations=1", "rollout_size=8", "eval_size=10", "epochs=1", "actor_epochs=1"];
    let small = small.map(|key| ["--set", key]).concat();
    let done = run(path, &[&student[..], &small].concat()).success();
    assert!(done.stderr.contains("the model is that of run/checkpoints/latest.old"));
    for name in ["latest.old", "best"] {
        fs::write(checkpoints.join(name), "no checkpoint").unwrap();
    }
    let done = run(path, &["export", "--model", "run", "--out", "none.archer"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("no checkpoint in run is whole"), "{}", done.stderr);
}

/// `--force` replaces a file and nothing else; what it refuses it names.
#[cfg(unix)]
#[test]
fn only_plain_files_are_replaced_by_force() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = folder();
    let path = folder.path();
    train(path, "run", &[]);
    fs::write(path.join("file"), "mine").unwrap();
    fs::create_dir(path.join("folder")).unwrap();
    symlink("file", path.join("link")).unwrap();
    symlink("nowhere", path.join("dangling")).unwrap();
    symlink("run/model", path.join("linked_model")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(path.join("pipe")).status();
    assert!(fifo.unwrap().success());
    let data = ["data", "--games", "2", "--force", "--out"];
    let export = ["export", "--model", "run", "--force", "--out"];
    let model = ["export", "--model", "run", "--folder", "--force", "--out"];
    for (command, out, said) in [
        (&data[..], "pipe", "pipe is a named pipe"),
        (&data, "link", "link is a symbolic link"),
        (&data, "dangling", "dangling is a symbolic link"),
        (&data, "folder", "folder is a folder"),
        (&data, "/dev/null", "/dev/null is a device"),
        (&export, "pipe", "pipe is a named pipe"),
        (&export, "link", "link is a symbolic link"),
        (&export, "dangling", "dangling is a symbolic link"),
        (&export, "folder", "folder is a folder"),
        (&export, "/dev/null", "/dev/null is a device"),
        (&model, "linked_model", "linked_model is a symbolic link"),
        (&model, "pipe", "pipe is a named pipe"),
        (&model, "file", "file is a file"),
        (&model, "folder", "folder is no model folder"),
    ] {
        let done = run(path, &[command, &[out]].concat());
        assert_eq!(done.code, 2, "{out}: {}", done.stderr);
        assert!(done.stderr.contains(said) && done.stderr.contains("--out"), "{}", done.stderr);
    }
    assert!(fs::symlink_metadata(path.join("pipe")).unwrap().file_type().is_fifo());
    assert!(path.join("link").is_symlink() && path.join("dangling").is_symlink());
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "mine");
    run(path, &["data", "--games", "2", "--force", "--out", "file"]).success();
}

#[test]
fn nothing_is_said_of_training_before_it_can_begin() {
    let folder = folder();
    let path = folder.path();
    for actor in ["nowhere", "empty"] {
        fs::create_dir_all(path.join("empty")).unwrap();
        let actor = format!("actor={actor}");
        let done = run(path, &["train", "--set", &actor, "--out", "run"]);
        assert_ne!(done.code, 0);
        assert!(!done.stderr.contains("training"), "{}", done.stderr);
        assert!(!path.join("run").exists());
    }
}

#[test]
fn a_command_that_is_shown_can_be_typed() {
    let folder = folder();
    let path = folder.path();
    train(path, "my run", &[]);
    let done = run(path, &["train", "--resume", "my run", "--final-games", "0"]).success();
    assert!(done.stdout.contains("play --model 'my run/model'"), "{}", done.stdout);
    let done = run(path, &["train", "--out", "my run"]);
    assert!(done.stderr.contains("--resume 'my run'"), "{}", done.stderr);
}
