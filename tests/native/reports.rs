//! What a run and a comparison say of themselves: that it is what was run, what was measured, and no more
//! than chance allows.

use crate::common;

use std::fs;
use std::path::Path;

use common::{Done, TINY, folder, run};
use serde_json::{Value, json};

fn says(done: &Done, code: i32, parts: &[&str]) {
    assert_eq!(done.code, code, "{} {}", done.stdout, done.stderr);
    for part in parts {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn compare(folder: &Path, algorithms: &str, games: &str, more: &[&str]) -> Done {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let what = ["compare", "--config", "tiny.toml", "--algorithms", algorithms, "--seeds", "1,2"];
    let how = ["--final-games", games, "--device", "flex", "--out", "all", "--set", "iterations=1"];
    run(folder, &[&what[..], &how, more].concat())
}

/// A finished comparison is measured again by as many games as are asked for, its table is not replaced
/// by one of fewer runs, and what flags say is not set.
#[test]
fn a_comparison_says_what_it_measured() {
    let folder = folder();
    let path = folder.path();
    compare(path, "ppo,bc", "10", &[]).success();
    let games = || {
        let told = json_of(&path.join("all/comparison.json"));
        let algorithms = told["algorithms"].as_array().unwrap().clone();
        let seeds = algorithms.iter().flat_map(|one| one["seeds"].as_array().unwrap().clone());
        seeds.map(|seed| seed["final"]["games"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(games(), [10; 4]);
    let log = |run: &str| fs::read(path.join("all").join(run).join("metrics.jsonl")).unwrap();
    let before = log("ppo-1");
    let done = compare(path, "ppo,bc", "30", &[]).success();
    assert!(!done.stderr.contains("it is finished"), "{}", done.stderr);
    assert_eq!((games(), log("ppo-1")), (vec![30; 4], before), "nothing is learned again");
    let page = fs::read_to_string(path.join("all/comparison.md")).unwrap();
    assert!(page.contains("30 games"), "{page}");
    let done = compare(path, "ppo,bc", "30", &[]).success();
    assert_eq!(done.stderr.matches("it is finished").count(), 4, "{}", done.stderr);

    let table = fs::read(path.join("all/comparison.json")).unwrap();
    let fewer = compare(path, "bc", "30", &[]);
    says(&fewer, 2, &["comparison.json tells of ppo with seed 1 too", "--out"]);
    assert_eq!(fs::read(path.join("all/comparison.json")).unwrap(), table);
    // More is no loss.
    compare(path, "reinforce,bc,ppo", "30", &[]).success();
    assert_eq!(games(), [30; 6]);
    for (set, flag) in [
        ("seed=5", "--seeds"),
        ("ppo:seed=5", "--seeds"),
        ("algorithm=bc", "--algorithms"),
        ("bc: algorithm =ppo", "--algorithms"),
    ] {
        says(&compare(path, "ppo,bc", "30", &["--set", set]), 2, &["--set", flag]);
    }
}

/// Sizes that were left to the world do not make another run of the same command.
#[test]
fn a_comparison_in_a_new_world_goes_on() {
    let folder = folder();
    let path = folder.path();
    let what = ["compare", "--world", "tower_of_hanoi", "--algorithms", "ppo", "--seeds", "1"];
    let how = ["--final-games", "4", "--device", "flex", "--out", "all"];
    let sets = ["--set", "iterations=1", "--set", "rollout_size=4", "--set", "eval_size=4"];
    let args = [&what[..], &how, &sets, &["--set", "warm_start.steps=8"]].concat();
    run(path, &args).success();
    let done = run(path, &args).success();
    assert!(done.stderr.contains("it is finished"), "{}", done.stderr);
}

/// What a run is told on its way stands in its folder; what would change nothing is refused; and its
/// measurement stays until there is another.
#[test]
fn a_run_says_what_it_was_told() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--out", "run", "-q"];
    let more = ["--final-games", "10", "--set", "iterations=2", "--set", "lr_final=0.5"];
    run(path, &[&args[..], &more].concat()).success();
    let read = |name: &str| fs::read_to_string(path.join("run").join(name)).unwrap();
    let (config, rows) = (read("config.toml"), read("comparison.json"));
    assert!(read("report.md").contains(": 2 iterations"), "{}", read("report.md"));

    // At its end it learns nothing more, so it is told nothing more.
    let on = ["train", "--resume", "run", "-q"];
    let none = run(path, &[&on[..], &["--set", "gamma=0.5"]].concat());
    says(&none, 2, &["--set gamma=0.5 would change nothing", "--set iterations=4"]);
    assert_eq!(read("config.toml"), config);
    run(path, &[&on[..], &["--final-games", "0"]].concat()).success();
    assert_eq!((read("config.toml"), read("comparison.json")), (config, rows.clone()));
    assert!(read("report.md").contains("## Comparison"), "{}", read("report.md"));

    // On its way it is told two things, and says which; the other course of the rates is said at once.
    let longer = ["--set", "iterations=3", "--set", "gamma=0.5", "--final-games", "11"];
    let done = run(path, &[&on[..], &longer].concat()).success();
    assert!(done.stderr.contains("lr_final = 0.5"), "{}", done.stderr);
    assert_ne!(read("comparison.json"), rows);
    let told = "gamma = 0.95 until iteration 2 of 3";
    for name in ["config.toml", "report.md"] {
        assert!(read(name).contains(told), "{name}: {}", read(name));
    }
    let toml: toml::Table = read("config.toml").parse().unwrap();
    assert_eq!((toml["gamma"].as_float(), toml["iterations"].as_integer()), (Some(0.5), Some(3)));
    let again = ["--set", "iterations=4", "--set", "gamma=0.6", "--final-games", "0"];
    run(path, &[&on[..], &again].concat()).success();
    assert_eq!(read("config.toml").matches("# changed: gamma").count(), 2);
}

/// Behaviour cloning has no iterations, whatever the configuration says of them.
#[test]
fn a_report_counts_the_iterations_that_were_done() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--algorithm", "bc", "--out", "run", "-q"];
    run(path, &[&args[..], &["--final-games", "0"]].concat()).success();
    let report = fs::read_to_string(path.join("run/report.md")).unwrap();
    assert!(report.contains(": 0 iterations"), "{report}");
}

fn interval(folder: &Path, asker: &str, games: &str) -> (Value, String) {
    let args = ["eval", "--asker", asker, "--words", "subset", "--games", games];
    let json = run(folder, &[&args[..], &["--json"]].concat()).success().json_lines().remove(0);
    (json["return_ci95"].clone(), run(folder, &args).success().stdout)
}

/// The optimal player draws nothing: ten words are ten games, however often they are played.
#[test]
fn without_chance_many_games_are_no_more_than_their_tasks() {
    let folder = folder();
    let path = folder.path();
    let (one, text) = interval(path, "optimal", "1");
    assert_eq!(one, Value::Null);
    assert!(text.contains("one game has no interval"), "{text}");
    let (ten, _) = interval(path, "optimal", "10");
    let (many, text) = interval(path, "optimal", "100000");
    assert!(text.contains("100000 games are those of 10 tasks"), "{text}");
    for end in 0..2 {
        let (ten, many) = (ten[end].as_f64().unwrap(), many[end].as_f64().unwrap());
        assert!((ten - many).abs() < 1e-9, "{ten} {many}");
    }
    assert!(ten[1].as_f64().unwrap() - ten[0].as_f64().unwrap() > 0.5, "{ten}");
    // A random player draws: more games tell more.
    let width = |games: &str| {
        let (ci, text) = interval(path, "random", games);
        assert!(!text.contains("games are those of"), "{text}");
        ci[1].as_f64().unwrap() - ci[0].as_f64().unwrap()
    };
    let (few, many) = (width("100"), width("10000"));
    assert!(many < 0.2 * few && many > 0.05 * few, "{few} {many}");
    // Always the same return: nothing varies.
    let args =
        ["eval", "--name", "tower_of_hanoi", "--asker", "optimal", "--games", "50", "--json"];
    let result = run(path, &args).success().json_lines().remove(0);
    assert_eq!(result["return_ci95"], Value::Null);
}

/// Games that others recorded are held to the world that they are for, and the line is named.
#[test]
fn recorded_games_are_of_this_world() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let learn = |games: &str| {
        fs::write(path.join("games.jsonl"), games).unwrap();
        let args = ["train", "--config", "tiny.toml", "--algorithm", "iql", "--out", "run", "-q"];
        let file =
            ["--set", "iql.games=games.jsonl", "--set", "iterations=1", "--final-games", "0"];
        let done = run(path, &[&args[..], &file, &["--device", "flex"]].concat());
        fs::remove_dir_all(path.join("run")).ok();
        done
    };
    // What is read: two question marks, one list of all, a mark at the start, both forms.
    for games in [
        "{\"lines\":[\"Is it a pen? or a piano? No.\"],\"correct\":false}\n",
        "[{\"lines\":[\"Is it a pen? No.\"],\"correct\":false,\"word\":[\"Cat\"]}]\n",
        "\u{feff}{\"lines\":[\"Is it a pen? No.\",\"Is it a cat? Yes.\"],\"correct\":true}\n",
        "{\"opening\":\"Questions:\\n\",\"turns\":[{\"said\":\"Is it a pen?\",\"reply\":\"No.\",\"reward\":-1}]}",
    ] {
        learn(games).success();
    }
    let long = json!({ "lines": vec!["Is it a pen? No."; 25_000], "correct": false }).to_string();
    let other =
        json!({ "turns": [{ "said": "left", "reply": "wall", "reward": -1.0 }] }).to_string();
    let said_no = json!({ "turns": [{ "said": "Is it a cat?", "reply": "No", "reward": 0.0 }], "end": "won" });
    let task =
        json!({ "task": 10, "turns": [{ "said": "Is it?", "reply": "No.", "reward": -1.0 }] });
    let huge = json!({ "turns": [{ "said": "Is it?", "reply": "No.", "reward": 1e39 }] });
    for (games, parts) in [
        ("{\"lines\":[\"Is it a pen No.\"],\"correct\":false}", &["line 1", "Is it a pen No."][..]),
        (
            "{\"lines\":[\"Is it a pen No.\"],\"correct\":false,\"rewards\":[-1]}",
            &["line 1", "it a pen No."],
        ),
        (
            "{\"lines\":[\"Is it a cat? No.\"],\"correct\":true}",
            &["line 1", "marked correct", "No."],
        ),
        ("{\"lines\":[\"Is it a cat? no\"],\"correct\":true}", &["line 1", "marked correct"]),
        ("{\"conversation\":[\"Is it a pen? No.\"],\"done\":true}", &["line 1", "conversation"]),
        ("{\"world\":\"maze\",\"turns\":[]}", &["line 1", "maze"]),
        (&other, &["line 1", "wall", "Invalid Question."]),
        (&said_no.to_string(), &["line 1", "it is won", "No"]),
        (&task.to_string(), &["line 1", "its task is 10"]),
        (&huge.to_string(), &["line 1", "reward"]),
        (&format!("\n{long}\n"), &["line 2", "25000 turns", "at most 1000"]),
    ] {
        let done = learn(games);
        says(&done, 2, &["games.jsonl"]);
        says(&done, 2, parts);
    }
}

/// Games of which nothing fits into the model are refused, to imitate as well as to learn from.
#[test]
fn games_that_do_not_fit_are_refused() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let long = format!("{} No.", "Is it a pen?".repeat(200));
    let games = json!({ "lines": vec![long; 3], "correct": false }).to_string();
    fs::write(path.join("games.jsonl"), games).unwrap();
    let args = ["train", "--config", "tiny.toml", "--out", "run", "--device", "flex", "-q"];
    let shown = ["--demonstrations", "games.jsonl"];
    let given = ["--algorithm", "iql", "--set", "iql.games=games.jsonl"];
    for more in [&shown[..], &given] {
        let done = run(path, &[&args[..], more].concat());
        says(&done, 2, &["actor_model.positions", "raise"]);
        fs::remove_dir_all(path.join("run")).ok();
    }
}
