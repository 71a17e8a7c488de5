use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Who begins a run may still write into its folder while a signal discards it. What is left must be known as
/// ours, or the same command refuses the folder for ever.
#[test]
fn what_is_written_while_a_beginning_is_discarded_is_known_as_ours() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..200 {
        let root = folder.path().join(format!("run{round}"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join(LOCK), "").unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = fs::write(root.join(CONFIG), "");
                }
            });
            discard(&root);
            stop.store(true, Ordering::Relaxed);
        });
        assert!(matches!(place(&root), Ok(Place::Free | Place::Beginning)), "round {round}");
    }
}

#[test]
fn what_a_kill_left_half_written_is_removed_when_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    make_folders(root).unwrap();
    fs::write(root.join(LOG), "").unwrap();
    let left = [
        "comparison.json.tmp",
        "config.toml.tmp",
        "metrics.jsonl.tmp",
        "report.md.tmp",
        "checkpoints/latest.tmp",
        "plots/return.svg.tmp",
        "model.tmp/config.json",
    ];
    let others = ["notes.tmp", "plots/mine.tmp"];
    fs::create_dir(root.join("model.tmp")).unwrap();
    for name in left.iter().chain(&others) {
        fs::write(root.join(name), "half").unwrap();
    }
    drop(RunDir::reopen(root, lock(root).unwrap(), |_| true).unwrap());
    for name in left {
        assert!(!root.join(name).exists(), "{name} is left");
    }
    assert!(!root.join("model.tmp").exists());
    for name in others {
        assert!(root.join(name).exists(), "{name} is somebody's own");
    }
}
