//! The harness on a reader that has faults, and on the real ones for a moment.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn fuzz(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_archer-fuzz"));
    command.current_dir(root).args(args).output().expect("the binary starts")
}

#[test]
fn faults_are_found_named_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus/faulty");
    fs::create_dir_all(&corpus).unwrap();
    for (name, input) in [("1", "panic"), ("2", "abort"), ("3", "memory"), ("4", "right")] {
        fs::write(corpus.join(name), input).unwrap();
    }
    let [corpus, out] =
        ["corpus", "out"].map(|name| folder.path().join(name).display().to_string());
    let args = ["--target", "faulty", "--corpus", &corpus, "--out", &out, "--inputs", "50"];
    let done = fuzz(&args);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    for part in ["panic: crates/fuzz/src/targets.rs:", "abort: ", "it takes too much memory"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let saved = |number: usize| {
        let path = Path::new(&out).join(format!("findings/faulty-1-{number}"));
        (
            fs::read_to_string(&path).unwrap(),
            fs::read_to_string(path.with_extension("txt")).unwrap(),
        )
    };
    assert_eq!([saved(0).0, saved(1).0, saved(2).0], ["panic", "abort", "memory"]);
    assert!(saved(0).1.contains("as it was told"), "{}", saved(0).1);
    // What is not faulty is read to the end, and the numbers go on behind each fault.
    assert!(said.contains(" 50 "), "{said}");
}

#[test]
fn every_target_reads_its_corpus_and_some_inputs_made_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let done = fuzz(&["--inputs", "60", "--minutes", "20", "--out", &out]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let targets = String::from_utf8_lossy(&fuzz(&["--list"]).stdout).into_owned();
    for target in targets.lines().filter_map(|line| line.split_whitespace().next()) {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(target));
        assert!(line.is_some_and(|line| line.contains(" 60 ")), "{target}: {said}");
    }
}
