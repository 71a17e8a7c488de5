//! `archer export` through the binary: the one file that travels between the terminal and a page.

mod common;

use std::fs;

use common::{TINY, folder, run, weights};

#[test]
fn a_file_is_measured_gone_on_with_and_never_overwritten() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("tiny.toml"), TINY.replace("iterations = 4", "iterations = 2")).unwrap();
    let train = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    run(folder, &[&train[..], &["--out", "short"]].concat()).success();
    run(folder, &[&train[..], &["--out", "long", "--set", "iterations=4"]].concat()).success();

    run(folder, &["export", "--model", "short", "--out", "play.archer"]).success();
    run(folder, &["export", "--model", "short", "--out", "run.archer", "--training"]).success();
    let size = |file: &str| fs::metadata(folder.join(file)).unwrap().len();
    assert!(2 * size("play.archer") < size("run.archer"), "{}", size("play.archer"));
    let again = run(folder, &["export", "--model", "short", "--out", "play.archer"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);

    // The file plays as the folder does, and goes on where its run ended, bit for bit.
    let eval = |model: &str| {
        run(folder, &["eval", "--model", model, "--games", "20", "--json"]).success().stdout
    };
    assert_eq!(eval("play.archer"), eval("short/model"));
    let resume = ["train", "--resume", "run.archer", "--final-games", "0", "--out", "on"];
    let done = run(folder, &resume);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("--set iterations=4"), "{}", done.stderr);
    run(folder, &[&resume[..], &["--set", "iterations=4"]].concat()).success();
    assert!(weights(&folder.join("on")) == weights(&folder.join("long")));

    // Without optimisers and replay it learns on all the same, and says so.
    let bare = ["train", "--resume", "play.archer", "--set", "iterations=3", "--final-games", "0"];
    let done = run(folder, &[&bare[..], &["--out", "bare"]].concat()).success();
    assert!(done.stderr.contains("no optimisers"), "{}", done.stderr);
}
