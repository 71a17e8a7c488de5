//! The promise that every version reads the files of all versions before it, on `tests/files`: each folder
//! there holds what one version wrote, and is never changed.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Done, folder, root, run};

/// The folders of the versions.
fn versions() -> Vec<PathBuf> {
    let all = entries(&root().join("tests/files"));
    let found: Vec<PathBuf> = all.into_iter().filter(|path| path.is_dir()).collect();
    assert!(!found.is_empty(), "tests/files holds the files of some version");
    found
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The files of every version whose names end so.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let all = versions().into_iter().flat_map(|version| entries(&version));
    let ends = |path: &PathBuf| endings.iter().any(|end| path.to_string_lossy().ends_with(end));
    let found: Vec<PathBuf> = all.filter(ends).collect();
    assert!(!found.is_empty(), "there is no file of {endings:?}");
    found
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `archer inspect` says of a file or folder.
fn inspected(place: &Path, path: &Path) -> serde_json::Value {
    run(place, &["inspect", text(path), "--json"]).success().json_lines().remove(0)
}

/// Plays a game with a model.
fn plays(place: &Path, model: &Path) {
    let eval = ["eval", "--model", text(model), "--games", "1", "--device", "flex", "--json"];
    let evaluation = run(place, &eval).success().json_lines().remove(0);
    assert_eq!(evaluation["games"], 1, "{}", model.display());
}

/// Lets a run do one iteration more than it has done.
fn goes_on(place: &Path, from: &Path, done: u64, more: &[&str]) -> Done {
    let iterations = format!("iterations={}", done + 1);
    let train = ["train", "--resume", text(from), "--set", &iterations, "--final-games", "0"];
    run(place, &[&train[..], &["--device", "flex"][..], more].concat()).success()
}

/// Iterations that were done.
fn iterations(described: &serde_json::Value) -> u64 {
    described["iteration"][0].as_u64().unwrap()
}

#[test]
fn models_and_checkpoints_are_described_play_and_go_on() {
    let folder = folder();
    for (number, file) in files(&[".archer", ".checkpoint"]).iter().enumerate() {
        let described = inspected(folder.path(), file);
        assert!(described["format"].as_str().unwrap().starts_with("ARCHERCK version "));
        plays(folder.path(), file);
        // Imitation has no iterations, and a run of it that is over is over.
        if described["algorithm"] != "bc" {
            let out = format!("on-{number}");
            goes_on(folder.path(), file, iterations(&described), &["--out", &out]);
            let after = inspected(folder.path(), &folder.path().join(out));
            assert_eq!(iterations(&after), iterations(&described) + 1, "{}", file.display());
        } else {
            let refused = run(folder.path(), &["train", "--resume", text(file)]);
            let said = &refused.stderr;
            assert_eq!(refused.code, 2, "{said}");
            assert!(said.contains("begin a new run with more warm_start.steps"), "{said}");
        }
    }
}

#[test]
fn the_containers_of_both_versions_are_there() {
    let folder = folder();
    let formats: Vec<String> = files(&[".archer"])
        .iter()
        .map(|file| inspected(folder.path(), file)["format"].to_string())
        .collect();
    for version in ["\"ARCHERCK version 1\"", "\"ARCHERCK version 2\""] {
        assert!(formats.iter().any(|format| format == version), "{version} is not in {formats:?}");
    }
}

#[test]
fn runs_are_described_and_go_on_where_they_were() {
    for (number, version) in versions().iter().enumerate() {
        let folder = folder();
        let copy = folder.path().join(format!("run-{number}"));
        copied(&version.join("run"), &copy);
        let described = inspected(folder.path(), &copy);
        plays(folder.path(), &copy.join("model"));
        goes_on(folder.path(), &copy, iterations(&described), &[]);
        let after = inspected(folder.path(), &copy);
        assert_eq!(iterations(&after), iterations(&described) + 1, "{}", version.display());
        assert!(after["lines"].as_u64() > described["lines"].as_u64(), "its log goes on");
    }
}

#[test]
fn games_and_configurations_are_read() {
    let folder = folder();
    for file in files(&[".jsonl"]) {
        let described = inspected(folder.path(), &file);
        assert_eq!(described["what"], "a file of games", "{}", file.display());
    }
    for file in files(&[".toml"]) {
        run(folder.path(), &["train", "--config", text(&file), "--dry-run"]).success();
    }
}

/// Copies a folder with all that is in it.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in entries(from) {
        let name = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copied(&path, &name),
            false => drop(fs::copy(&path, &name).unwrap()),
        }
    }
}
