//! A run that is stopped, killed, limited or repeated by a scheduler: nothing is lost, and what goes on is
//! the run that would have been.
use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use archer::checkpoint::Sections;
use common::{
    TINY, assert_same_run, ended, folder, lines_with, metrics, run, signal, started, wait_until,
};

/// The arguments of a tiny run into `out`.
fn tiny<'a>(folder: &Path, out: &'a str) -> Vec<&'a str> {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    vec!["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0", "--out", out]
}

/// Of a run whose warm start takes a second or two.
fn long_warm_start<'a>(folder: &Path, out: &'a str) -> Vec<&'a str> {
    [&tiny(folder, out)[..], &["--set", "warm_start.steps=400", "--set", "iterations=1"]].concat()
}

/// Starts a run into `out` and returns once its log has three lines of this kind.
fn start(folder: &Path, args: &[&str], out: &str, mark: &str) -> Child {
    let log = folder.join(out).join("metrics.jsonl");
    started(folder, args, || lines_with(&log, mark) >= 3)
}

fn resume(folder: &Path, out: &str) {
    run(folder, &["train", "--resume", out, "--final-games", "0"]).success();
}

/// Checks that the last checkpoints of two runs are the same in everything but in what was typed of
/// saving.
fn assert_same_checkpoint(one: &Path, other: &Path) {
    let read = |root: &Path| fs::read(root.join("checkpoints/latest")).unwrap();
    let (one, other) = (read(one), read(other));
    let [one, other] = [&one, &other].map(|bytes| Sections::from_bytes(bytes).unwrap());
    for name in ["tokenizer", "actor", "critic", "target", "actor_adam", "critic_adam", "replay"] {
        assert!(one.get(name).unwrap() == other.get(name).unwrap(), "{name} differs");
    }
}

#[test]
fn every_signal_saves_in_the_warm_start() {
    let folder = folder();
    let path = folder.path();
    run(path, &long_warm_start(path, "whole")).success();
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let out = &name[1..];
        let child = start(path, &long_warm_start(path, out), out, "bc.loss");
        signal(&child, name);
        let done = ended(child);
        assert_eq!(done.code, code, "{name}: {}", done.stderr);
        for part in ["stopped at step", "(warm start), everything is saved", "--resume"] {
            assert!(done.stderr.contains(part), "{name}: {}", done.stderr);
        }
        assert!(metrics(&path.join(out)).len() < 51, "{name}: it did not stop early");
        resume(path, out);
        assert_same_run(&path.join("whole"), &path.join(out));
        assert_same_checkpoint(&path.join("whole"), &path.join(out));
    }
}

/// As `nohup` means it: a signal that was ignored when the program began stays ignored.
#[test]
fn a_hangup_that_is_ignored_stays_so() {
    let folder = folder();
    let path = folder.path();
    let args = long_warm_start(path, "run");
    let script = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_archer")]).args(&args).current_dir(path);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let log = path.join("run/metrics.jsonl");
    wait_until("the warm start", || lines_with(&log, "bc.loss") >= 3);
    signal(&child, "-HUP");
    let done = ended(child);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(path.join("run/report.md").is_file());
}

/// A world that answers as long as there is no file `hang`, and then never again: the binary itself,
/// behind a script.
fn world(folder: &Path) -> String {
    let script = folder.join("world.sh");
    let text = format!(
        "#!/bin/sh\nwhile read -r line; do\n  [ -e '{}' ] && exec sleep 600\n  printf '%s\\n' \"$line\"\ndone | '{}' env --name maze --max-turns 6\n",
        folder.join("hang").display(),
        env!("CARGO_BIN_EXE_archer")
    );
    fs::write(&script, text).unwrap();
    format!("sh {}", script.display())
}

/// Processes whose command speaks of a folder.
fn processes_of(folder: &Path) -> Vec<PathBuf> {
    let about = folder.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |path: &PathBuf| {
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&about)
    };
    entries.map(|entry| entry.path()).filter(of).collect()
}

/// A step that cannot end, since its world does not answer, is given up: what was before it is saved
/// within seconds, and no process is left behind.
#[test]
fn a_step_that_hangs_is_given_up_and_no_process_stays() {
    let folder = folder();
    let path = folder.path();
    let world = world(path);
    let args = |out| {
        let args = ["train", "--world", &world, "--set", "iterations=8", "--set", "rollout_size=8"];
        let more = ["--set", "eval_size=10", "--set", "save_freq=0", "--set", "eval_freq=4"];
        let quick = ["--seed", "3", "--device", "flex", "--final-games", "0", "--out", out];
        [&args[..], &more, &quick].concat().into_iter().map(str::to_string).collect::<Vec<_>>()
    };
    let words = args("run");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let child = start(path, &words, "run", "\"learn\"");
    fs::write(path.join("hang"), "").unwrap();
    let begun = Instant::now();
    // Slurm sends its signal to each process, and its daemons send it again.
    signal(&child, "-TERM");
    thread::sleep(Duration::from_millis(150));
    signal(&child, "-TERM");
    let done = ended(child);
    assert_eq!(done.code, 143, "{}", done.stderr);
    assert!(done.stderr.contains("everything is saved; go on with"), "{}", done.stderr);
    // A world may be silent for longer than that before its time is up.
    assert!(begun.elapsed().as_secs() < 25, "it took {:?}", begun.elapsed());
    wait_until("the end of the world's processes", || processes_of(path).is_empty());

    fs::remove_file(path.join("hang")).unwrap();
    resume(path, "run");
    let words = args("whole");
    run(path, &words.iter().map(String::as_str).collect::<Vec<_>>()).success();
    assert_same_run(&path.join("whole"), &path.join("run"));
}

/// Ctrl-C after a signal does not wait for the step.
#[test]
fn a_second_signal_leaves_at_once() {
    let folder = folder();
    let path = folder.path();
    let world = world(path);
    let args = ["train", "--world", &world, "--device", "flex", "--out", "run"];
    let small = ["rollout_size=8", "eval_size=10"].map(|key| ["--set", key]).concat();
    let child = start(path, &[&args[..], &small].concat(), "run", "\"learn\"");
    fs::write(path.join("hang"), "").unwrap();
    signal(&child, "-TERM");
    signal(&child, "-INT");
    let begun = Instant::now();
    let done = ended(child);
    assert!(begun.elapsed() < Duration::from_secs(4), "it took {:?}", begun.elapsed());
    assert!([130, 143].contains(&done.code), "{}: {}", done.code, done.stderr);
    wait_until("the end of the world's processes", || processes_of(path).is_empty());
}

#[test]
fn games_that_are_whole_are_kept_when_they_are_stopped() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("games.jsonl"), "{}\n").unwrap();
    let args = ["data", "--games", "500000", "--out", "games.jsonl", "--force"];
    let temporary = path.join("games.jsonl.tmp");
    let length = || fs::metadata(&temporary).map_or(0, |file| file.len());
    let child = started(path, &args, || length() > 0);
    signal(&child, "-TERM");
    let done = ended(child);
    assert_eq!(done.code, 143, "{}", done.stderr);
    let text = fs::read_to_string(path.join("games.jsonl.partial")).unwrap();
    let games = text.lines().count();
    let said = format!("stopped after {games} of 500000 games, which are in games.jsonl.partial");
    assert!(text.ends_with('\n') && done.stderr.contains(&said), "{}", done.stderr);
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    // What was there is replaced by the whole, or not at all.
    assert_eq!(fs::read_to_string(path.join("games.jsonl")).unwrap(), "{}\n");
    assert!(!temporary.exists());
}

/// Saving by the clock changes nothing that is computed, and saves the warm start from a kill.
#[test]
fn the_warm_start_is_saved_by_time() {
    let folder = folder();
    let path = folder.path();
    let never = ["--set", "save_minutes=0"];
    run(path, &[&long_warm_start(path, "whole")[..], &never].concat()).success();
    let often = ["--set", "save_minutes=0.0001"];
    let args = [&long_warm_start(path, "killed")[..], &often].concat();
    let latest = path.join("killed/checkpoints/latest");
    let mut child = started(path, &args, || latest.is_file());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines_with(&path.join("killed/metrics.jsonl"), "\"learn\""), 0, "it came too late");
    resume(path, "killed");
    run(path, &[&long_warm_start(path, "often")[..], &often].concat()).success();
    for other in ["killed", "often"] {
        assert_same_run(&path.join("whole"), &path.join(other));
        assert_same_checkpoint(&path.join("whole"), &path.join(other));
    }
}

#[test]
fn what_ended_before_it_was_saved_begins_again() {
    let folder = folder();
    let path = folder.path();
    let args = |out| [&long_warm_start(path, out)[..], &["--set", "save_minutes=0"]].concat();
    let mut child = start(path, &args("run"), "run", "bc.loss");
    child.kill().unwrap();
    child.wait().unwrap();
    let done = run(path, &["train", "--resume", "run"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("begin again with the command that began it"), "{}", done.stderr);

    // A file of somebody's own is not removed with it.
    fs::write(path.join("run/notes.txt"), "mine").unwrap();
    let done = run(path, &args("run"));
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("run is not empty"), "{}", done.stderr);
    assert_eq!(fs::read_to_string(path.join("run/notes.txt")).unwrap(), "mine");
    fs::remove_file(path.join("run/notes.txt")).unwrap();

    run(path, &args("run")).success();
    run(path, &args("whole")).success();
    assert_same_run(&path.join("whole"), &path.join("run"));
}

#[test]
fn one_command_begins_goes_on_and_leaves_a_finished_run_alone() {
    let folder = folder();
    let path = folder.path();
    let iterations = ["--set", "iterations=20", "--seed", "4"];
    run(path, &[&tiny(path, "whole")[..], &iterations].concat()).success();
    let args = [&tiny(path, "run")[..], &iterations, &["--resume", "auto"]].concat();
    let mut child = start(path, &args, "run", "\"learn\"");
    child.kill().unwrap();
    child.wait().unwrap();
    let done = run(path, &args).success();
    assert!(done.stderr.contains("going on with run"), "{}", done.stderr);
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    assert_same_run(&path.join("whole"), &path.join("run"));

    let read = |name: &str| fs::read(path.join("run").join(name)).unwrap();
    let before = ["metrics.jsonl", "checkpoints/latest", "report.md"].map(read);
    let done = run(path, &args).success();
    assert!(done.stderr.contains("nothing is left to do"), "{}", done.stderr);
    assert!(["metrics.jsonl", "checkpoints/latest", "report.md"].map(read) == before);

    // It is one run: another one is refused, and more of it is not.
    let other = [&tiny(path, "run")[..], &["--resume", "auto", "--seed", "5"]].concat();
    for finished in [true, false] {
        let done = run(path, &other);
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains("holds a run with seed = 4"), "{}", done.stderr);
        if finished {
            fs::remove_file(path.join("run/report.md")).unwrap();
        }
    }
    let more = [&args[..], &["--set", "iterations=22"]].concat();
    run(path, &more).success();
    assert_eq!(lines_with(&path.join("run/metrics.jsonl"), "\"learn\""), 22);
    let done = run(path, &["train", "--resume", "auto"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("--out DIR"), "{}", done.stderr);
    let done = run(path, &["train", "--resume", "run", "--preset", "quickstart"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("--preset does not go with --resume run"), "{}", done.stderr);
}

/// Of two that go on with one run at once, one does and the other is told why not.
#[test]
fn two_cannot_go_on_with_one_run() {
    let folder = folder();
    let path = folder.path();
    run(path, &tiny(path, "run")).success();
    for round in 1..=6 {
        let iterations = format!("iterations={}", 4 + 2 * round);
        let args = ["train", "--resume", "run", "--final-games", "0", "--set", &iterations];
        // The one that comes second may have ended before anybody looks.
        let both = [(); 2].map(|()| {
            let mut command = common::archer(path, &args);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let done = both.map(ended);
        assert!(done.iter().any(|done| done.code == 0), "{} {}", done[0].stderr, done[1].stderr);
        for loser in done.iter().filter(|done| done.code != 0) {
            assert_eq!(loser.code, 1, "{}", loser.stderr);
            assert!(loser.stderr.contains("another archer is writing"), "{}", loser.stderr);
        }
    }
    assert_eq!(lines_with(&path.join("run/metrics.jsonl"), "\"learn\""), 16);
}

#[test]
fn a_run_ends_at_its_return_and_at_its_time() {
    let folder = folder();
    let path = folder.path();
    // Every return is at least this, so that the first evaluation ends the training.
    let low = [&tiny(path, "low")[..], &["--until-return", "-100"]].concat();
    let done = run(path, &low).success();
    assert!(done.stderr.contains("reaches the −100.00 of --until-return"), "{}", done.stderr);
    assert_eq!(lines_with(&path.join("low/metrics.jsonl"), "\"learn\""), 0);
    assert!(path.join("low/report.md").is_file());
    let high = [&tiny(path, "high")[..], &["--until-return", "100"]].concat();
    run(path, &high).success();
    resume(path, "low");
    assert_same_run(&path.join("high"), &path.join("low"));

    let short = [&tiny(path, "short")[..], &["--max-minutes", "0"]].concat();
    let done = run(path, &short).success();
    for part in ["The time of --max-minutes is up", "step 0 of 16", "train --resume short"] {
        assert!(done.stdout.contains(part), "{}", done.stdout);
    }
    assert!(!path.join("short/report.md").exists());
    resume(path, "short");
    assert_same_run(&path.join("high"), &path.join("short"));
    for (flag, value) in
        [("--max-minutes", "-1"), ("--max-minutes", "nan"), ("--until-return", "x")]
    {
        let done = run(path, &[&tiny(path, "no")[..], &[flag, value]].concat());
        assert_eq!(done.code, 2, "{flag} {value}: {}", done.stderr);
        assert!(done.stderr.contains(flag) && !path.join("no").exists(), "{}", done.stderr);
    }
}

#[test]
fn a_command_follows_each_checkpoint() {
    let folder = folder();
    let path = folder.path();
    let note = "echo \"$ARCHER_RUN $ARCHER_CHECKPOINT\" >> notes; test -s \"$ARCHER_CHECKPOINT\"";
    let done = run(path, &[&tiny(path, "run")[..], &["--on-checkpoint", note]].concat()).success();
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    let notes = fs::read_to_string(path.join("notes")).unwrap();
    let root = path.canonicalize().unwrap().join("run");
    let latest = format!("{} {}", root.display(), root.join("checkpoints/latest").display());
    // After the warm start and at iterations 2 and 4.
    assert_eq!(notes.lines().filter(|line| **line == latest).count(), 3, "{notes}");
    assert!(notes.lines().any(|line| line.ends_with("checkpoints/best")), "{notes}");

    let failing = [&tiny(path, "failing")[..], &["--on-checkpoint", "echo out; exit 3"]].concat();
    let done = run(path, &failing).success();
    assert_eq!(done.stderr.matches("the command of --on-checkpoint ended with").count(), 1);
    assert!(!done.stdout.contains("out\n"), "{}", done.stdout);
    assert_same_run(&path.join("run"), &path.join("failing"));
}

/// `srun` says how many processes there are in a way of its own; this program has no MPI, or an `eval` is
/// for one.
#[test]
fn one_of_several_processes_of_slurm_is_refused() {
    let by = |pmix: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_archer"));
        command.args(["eval", "--model", "nowhere"]).env("SLURM_STEP_NUM_TASKS", "2");
        if pmix {
            command.env("PMIX_RANK", "0");
        }
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, told) = by(true);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("a launcher has started 2 processes"), "{told}");
    // Without PMIx they are processes that know nothing of each other.
    assert!(by(false).1.contains("nowhere"));
}
