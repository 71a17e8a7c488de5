//! `archer export` through the binary: the one file that travels between the terminal and a page.

use crate::common;

use std::fs;

use archer::checkpoint::Sections;
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

    // The other way round, a file as a folder; only a model's folder is ever replaced.
    let export = ["export", "--model", "play.archer", "--folder", "--out"];
    run(folder, &[&export[..], &["again"]].concat()).success();
    let [actor, _] = weights(&folder.join("short"));
    assert!(actor == fs::read(folder.join("again/model.safetensors")).unwrap());
    for (out, part) in [("again", "--force"), ("short", "--force")] {
        let done = run(folder, &[&export[..], &[out]].concat());
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    run(folder, &[&export[..], &["again", "--force"]].concat()).success();
    let done = run(folder, &[&export[..], &["short", "--force"]].concat());
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("no model folder"), "{}", done.stderr);

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

/// The quickstart's model as it is shipped.
fn quickstart() -> Vec<u8> {
    fs::read(common::root().join("pkg/models/quickstart.archer")).unwrap()
}

fn export(folder: &std::path::Path, model: &str, out: &str, more: &[&str]) -> common::Done {
    let export = ["export", "--model", model, "--out", out, "--device", "flex"];
    run(folder, &[&export[..], more].concat())
}

#[test]
fn each_precision_plays_as_the_model_does_and_takes_its_share_of_bytes() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("model.archer"), quickstart()).unwrap();
    let size = |file: &str| fs::metadata(folder.join(file)).unwrap().len() as f64;
    let origin = ["--licence", "MIT", "--commit", "0123abc"];
    let eval = |model: &str| {
        let eval = ["eval", "--model", model, "--games", "50", "--json"];
        let line = run(folder, &eval).success().json_lines().remove(0);
        line["mean_return"].as_f64().unwrap()
    };
    let whole = eval("model.archer");
    for (precision, share) in [("f32", 1.05), ("f16", 0.62), ("q8", 0.42)] {
        let out = format!("{precision}.archer");
        let how = [&["--precision", precision, "--check", "50"][..], &origin].concat();
        let done = export(folder, "model.archer", &out, &how).success();
        assert!(done.stdout.contains("a loss of"), "{}", done.stdout);
        assert!(size(&out) < share * size("model.archer"), "{precision}: {}", size(&out));
        assert!((eval(&out) - whole).abs() <= 0.1, "{precision} loses too much");
        // What is read and written again is the same file; where it comes from travels with it.
        let again = format!("again-{out}");
        let how = ["--precision", precision];
        export(folder, &out, &again, &how).success();
        assert!(fs::read(folder.join(&again)).unwrap() == fs::read(folder.join(&out)).unwrap());
        let text = fs::read(folder.join(&out)).unwrap();
        let holds = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
        let header = format!("\"precision\":\"{precision}\"");
        for word in [header.as_str(), "\"licence\":\"MIT\"", "\"commit\":\"0123abc\""] {
            assert!(holds(word.as_bytes()), "{out} does not say {word}");
        }
    }
    for (how, part) in [
        (&["--precision", "q4"][..], "choose f32, f16 or q8"),
        (&["--precision", "q8", "--training"], "cannot be used with"),
    ] {
        let done = export(folder, "model.archer", "x.archer", how);
        assert!(done.code == 2 && done.stderr.contains(part), "{}", done.stderr);
    }
}

#[test]
fn a_damaged_a_newer_and_a_wrong_file_are_refused_by_what_is_wrong() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("model.archer"), quickstart()).unwrap();
    export(folder, "model.archer", "q8.archer", &["--precision", "q8"]).success();
    let whole = fs::read(folder.join("q8.archer")).unwrap();
    let refused = |name: &str, bytes: Vec<u8>, part: &str| {
        fs::write(folder.join(name), bytes).unwrap();
        for command in [&["eval", "--games", "1"][..], &["export", "--out", "out.archer"]] {
            let done = run(folder, &[command, &["--model", name]].concat());
            assert_eq!(done.code, 1, "{}", done.stderr);
            assert!(done.stderr.contains(name) && done.stderr.contains(part), "{}", done.stderr);
        }
    };
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    refused("flipped.archer", flipped, "checksum");
    refused("cut.archer", whole[..middle].to_vec(), "checksum");
    let mut newer = whole.clone();
    newer[8] = 77;
    refused("newer.archer", newer, "version 77");
    // Whole by its checksum, and yet not what was exported: one byte of a weight is another.
    let sections = Sections::from_bytes(&whole).unwrap();
    let mut altered = Sections::new();
    for name in [
        "state",
        "actor_config",
        "tokenizer",
        "actor_packed",
        "critic_config",
        "critic_packed",
        "example",
    ] {
        let mut bytes = sections.get(name).unwrap().to_vec();
        if name == "actor_packed" {
            // The scale of a block of the token embedding.
            bytes[4 + 1 + 8 + 1 + 3] ^= 2;
        }
        altered.push(name, bytes);
    }
    let altered = altered.to_bytes();
    refused("altered.archer", altered.clone(), "does not compute here");
    refused("altered.archer", altered, "get the file again");
    let mut older = whole.clone();
    older[8] = 0;
    refused("older.archer", older, "damaged");
}
