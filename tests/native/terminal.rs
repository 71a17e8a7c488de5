//! The terminal's manners: what it says to a person who mistypes, and the commands that need no
//! training.

use crate::common;

use std::fs;

use common::{folder, root, run, run_with_input};
use serde_json::Value;

/// A command that cannot be carried out: arguments, exit code, parts of what is said. Files that
/// the arguments name are made by `prepare`.
type Mistake = (&'static [&'static str], i32, &'static [&'static str]);

const MISTAKES: [Mistake; 76] = [
    // Commands and flags.
    (&["tran"], 2, &["tran", "train"]),
    (&["train", "--sed", "3"], 2, &["--sed", "--seed"]),
    (&["train", "--seed", "-1"], 2, &["--seed"]),
    (&["train", "--seed", "many"], 2, &["many", "--seed"]),
    (&["train", "--seed", "18446744073709551615"], 2, &["too large"]),
    (&["train", "--out"], 2, &["--out"]),
    (&["train", "--resume", "x", "--seed", "3"], 2, &["--resume", "--seed"]),
    (&["eval"], 2, &["--model"]),
    (&["play"], 2, &["--model"]),
    (&["data", "--games", "3"], 2, &["--out"]),
    (&["data", "--games", "0", "--out", "x.jsonl"], 2, &["1 or more"]),
    (&["data", "--games", "some", "--out", "x.jsonl"], 2, &["1 or more"]),
    // Presets, keys and values.
    (
        &["train", "--preset", "quikstart"],
        2,
        &["no preset quikstart", "did you mean quickstart?", "twenty-questions"],
    ),
    (&["train", "--set", "iteratons=3"], 2, &["no key iteratons", "did you mean iterations?"]),
    (&["train", "--set", "warm_start.stps=3"], 2, &["did you mean warm_start.steps?"]),
    (&["train", "--set", "iterations"], 2, &["no value", "--set key=value"]),
    (&["train", "--set", "iterations=ten"], 2, &["iterations", "a whole number"]),
    (&["train", "--set", "gamma=1.5"], 2, &["gamma = 1.5", "at most 1"]),
    (&["train", "--set", "level=word"], 2, &["utterance", "token"]),
    (&["train", "--set", "world.words=some"], 2, &["all", "subset"]),
    (&["train", "--set", "world.rules=unofficial"], 2, &["fixed", "official"]),
    (&["train", "--set", "world.max_turns=0"], 2, &["at least 1 turn"]),
    (&["train", "--algorithm", "archr"], 2, &["archr", "archer"]),
    (&["train", "--set", "world.name=bandit"], 2, &["the world bandit has no"]),
    (
        &["train", "--set", "actor_samples=1", "--set", "advantage_baseline=samples"],
        2,
        &["advantage_baseline", "actor_samples is at least 2"],
    ),
    (&["train", "--set", "utterance_tries=0"], 2, &["utterance_tries = 0", "at least 1"]),
    (
        &["train", "--set", "warm_start.games=0"],
        2,
        &["lists no choices and there are no demonstrations", "--demonstrations"],
    ),
    (&["train", "--world", "maez"], 2, &["did you mean maze?", "python3 my_world.py"]),
    (&["train", "--world", "maze", "--set", "world.observed=half"], 2, &["observed", "half"]),
    (&["train", "--world", "wss://there/ws"], 2, &["wss", "TLS"]),
    (&["train", "--world", "./absent_world"], 1, &["absent_world"]),
    (
        &["train", "--config", "asides.toml"],
        2,
        &["warm_start.context_only_games = 5", "reply_coef, task_coef and fact_coef are 0"],
    ),
    (
        &["train", "--config", "asides.toml", "--set", "warm_start.reply_coef=1"],
        2,
        &["warm_start.context_only_games = 5", "the world bandit"],
    ),
    (
        &[
            "train",
            "--config",
            "asides.toml",
            "--set",
            "warm_start.context_only_games=0",
            "--set",
            "lessons.steps=1",
            "--set",
            "lessons.guess_coef=5",
        ],
        2,
        &["lessons.guess_coef = 5", "the world bandit"],
    ),
    (
        &["train", "--set", "warm_start.context_only_steps=5"],
        2,
        &["warm_start.context_only_steps = 5", "context_only_games is 0"],
    ),
    (&["train", "--set", "world.weight.dog=2"], 2, &["did you mean world.weights.dog?"]),
    (&["train", "--set", "actor=absent"], 2, &["no model folder absent"]),
    // Algorithms.
    (&["train", "--algorithm", "dqn"], 2, &["dqn", "filtered_bc", "reinforce"]),
    (&["train", "--algorithm", "iql"], 2, &["iql.games=FILE", "archer data"]),
    (&["train", "--algorithm", "iql", "--set", "iql.games=absent.jsonl"], 2, &["absent.jsonl"]),
    (
        &["train", "--algorithm", "iql", "--set", "iql.games=empty.jsonl"],
        2,
        &["empty.jsonl", "no game in it"],
    ),
    (
        &["train", "--algorithm", "iql", "--set", "iql.games=wrong.toml"],
        2,
        &["wrong.toml", "line 1 is no game"],
    ),
    (&["train", "--set", "chai.samples=0"], 2, &["chai.samples = 0", "at least 1"]),
    (&["train", "--set", "filtered_bc.share=0"], 2, &["filtered_bc.share", "above 0"]),
    (&["train", "--set", "iql.expectile=1"], 2, &["iql.expectile = 1", "below 1"]),
    (&["train", "--set", "ppo.clip_ratio=1"], 2, &["ppo.clip_ratio", "below 1"]),
    (&["train", "--algorithm", "ppo", "--set", "level=token"], 2, &["level", "utterance"]),
    (&["train", "--algorithm", "chai", "--set", "numerics=compat"], 2, &["numerics", "archer"]),
    // Comparisons.
    (&["compare", "--algorithms", "ppo", "--out", "x"], 2, &["--seeds"]),
    (
        &["compare", "--algorithms", "pppo", "--seeds", "1", "--out", "x"],
        2,
        &["no algorithm pppo", "did you mean ppo?"],
    ),
    (&["compare", "--algorithms", "ppo,ppo", "--seeds", "1", "--out", "x"], 2, &["twice"]),
    (&["compare", "--algorithms", "ppo", "--seeds", "1,one", "--out", "x"], 2, &["one"]),
    (&["compare", "--algorithms", "ppo,iql", "--seeds", "1", "--out", "x"], 2, &["iql.games"]),
    // Devices.
    (&["train", "--device", "flux"], 2, &["no device flux", "did you mean flex?"]),
    (&["train", "--device", "tpu"], 2, &["choose auto"]),
    (&["train", "--device", "flex:1"], 2, &["leave out the :1"]),
    // Files.
    (&["train", "--config", "absent.toml"], 2, &["no file absent.toml"]),
    (&["train", "--config", "broken.toml"], 2, &["broken.toml, line 2", "not valid TOML"]),
    (&["train", "--config", "wrong.toml"], 2, &["wrong.toml", "iterations", "a whole number"]),
    (&["train", "--config", "unknown.toml"], 2, &["unknown.toml", "did you mean lm_lr?"]),
    (&["train", "--config", "nested.toml"], 2, &["world.word", "did you mean world.words?"]),
    (&["train", "--config", "binary.toml"], 1, &["binary.toml", "UTF-16"]),
    (&["train", "--config", "full"], 2, &["full is a folder"]),
    (&["train", "--out", "full"], 2, &["full is not empty", "nothing is overwritten"]),
    (&["train", "--out", "broken.toml"], 2, &["broken.toml is a file"]),
    (&["train", "--out", "broken.toml/run"], 1, &["a part of that path is a file"]),
    (&["train", "--resume", "full"], 2, &["holds no run", "checkpoints/latest"]),
    (&["train", "--resume", "absent"], 2, &["holds no run"]),
    (&["eval", "--model", "absent"], 2, &["no model folder absent", "<run>/model"]),
    (&["play", "--model", "absent"], 2, &["no model folder absent"]),
    (&["data", "--games", "3", "--out", "broken.toml"], 2, &["broken.toml exists", "--force"]),
    (&["data", "--games", "3", "--out", "absent/x.jsonl"], 1, &["its folder does not exist"]),
    (
        &["data", "--games", "3", "--out", "x.jsonl", "--asker", "randon"],
        2,
        &["did you mean random?"],
    ),
    (
        &["data", "--games", "3", "--out", "x.jsonl", "--preset", "quikstart"],
        2,
        &["did you mean quickstart?"],
    ),
    (
        &["data", "--games", "3", "--out", "x.jsonl", "--preset", "quickstart", "--words", "all"],
        2,
        &["--preset", "--words"],
    ),
    (&["env", "--name", "chess"], 2, &["chess", "twenty_questions"]),
];

#[test]
fn a_mistake_gets_one_clear_answer_and_costs_nothing() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("broken.toml"), "seed = 1\niterations = = 3\n").unwrap();
    fs::write(path.join("wrong.toml"), "iterations = \"many\"\n").unwrap();
    fs::write(path.join("unknown.toml"), "lmlr = 0.1\n").unwrap();
    fs::write(path.join("nested.toml"), "[world]\nword = \"subset\"\n").unwrap();
    let asides = "[world]\nname = \"bandit\"\n[warm_start]\ngames = 9\naside_games = 5\n";
    fs::write(path.join("asides.toml"), asides).unwrap();
    fs::write(path.join("binary.toml"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(path.join("empty.jsonl"), "\n").unwrap();
    fs::create_dir(path.join("full")).unwrap();
    fs::write(path.join("full/precious.txt"), "mine").unwrap();
    let before = listing(path);

    for (args, code, parts) in MISTAKES {
        let done = run(path, args);
        let said = &done.stderr;
        assert_eq!(done.code, code, "{args:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{args:?} should speak of {part:?}: {said}");
        }
        assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{args:?}: {said}");
        assert_eq!(done.stdout, "", "{args:?}");
        assert_eq!(listing(path), before, "{args:?} left something behind");
    }
    assert_eq!(fs::read_to_string(path.join("full/precious.txt")).unwrap(), "mine");
}

/// Every file and folder below `path`.
fn listing(path: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.display().to_string());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_device_that_was_not_built_says_how_to_build_it() {
    let folder = folder();
    let survey: Value = run(folder.path(), &["doctor", "--json"]).success().json_lines().remove(0);
    for device in survey["devices"].as_array().unwrap() {
        let name = device["device"].as_str().unwrap();
        if device["built"] == true {
            continue;
        }
        let hint = format!("rebuild with cargo run --release --features {name}");
        assert!(device["reason"].as_str().unwrap().contains(&hint), "{device}");
        let done = run(folder.path(), &["train", "--device", name]);
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains(&hint), "{}", done.stderr);
    }
}

#[test]
fn the_doctor_finds_the_cpu_well() {
    let folder = folder();
    let done = run(folder.path(), &["doctor"]).success();
    assert!(done.stdout.contains("flex") && done.stdout.contains("cores"), "{}", done.stdout);
    let survey: Value = run(folder.path(), &["doctor", "--json"]).success().json_lines().remove(0);
    assert!(survey["cores"].as_u64().unwrap() >= 1);
    let devices = survey["devices"].as_array().unwrap();
    let flex = devices.iter().find(|device| device["device"] == "flex").unwrap();
    assert_eq!((&flex["built"], &flex["works"]), (&Value::Bool(true), &Value::Bool(true)));
}

#[test]
fn help_names_every_command_and_flag() {
    let folder = folder();
    let help = run(folder.path(), &["--help"]).success().stdout;
    for command in ["train", "compare", "eval", "play", "data", "optimum", "env", "doctor"] {
        assert!(help.contains(command), "{help}");
        assert_eq!(run(folder.path(), &[command, "--help"]).code, 0);
    }
    let version = run(folder.path(), &["--version"]).success().stdout;
    assert!(version.starts_with("archer "), "{version}");
}

#[test]
fn data_are_games_in_the_fields_format() {
    let folder = folder();
    let plain = ["data", "--games", "3", "--out", "turns.jsonl"];
    run(folder.path(), &plain).success();
    let text = fs::read_to_string(folder.path().join("turns.jsonl")).unwrap();
    for line in text.lines() {
        let game: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&game["world"], &game["opening"]),
            (&"twenty_questions".into(), &"Questions:\n".into())
        );
        let last = game["turns"].as_array().unwrap().last().unwrap();
        assert!(last["said"].is_string() && last["reply"].is_string() && last["reward"].is_f64());
        assert!(["won", "cut"].contains(&game["end"].as_str().unwrap()) && game["task"].is_u64());
    }

    let args = ["data", "--games", "30", "--out", "games.jsonl", "--seed", "5", "--form", "lines"];
    let done = run(folder.path(), &args).success();
    assert_eq!(done.stdout, "");
    let text = fs::read_to_string(folder.path().join("games.jsonl")).unwrap();
    let games: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(games.len(), 30);
    for game in &games {
        let keys: Vec<&String> = game.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["correct", "lines", "word"]);
        let lines = game["lines"].as_array().unwrap();
        assert!((1..=20).contains(&lines.len()));
        for line in lines {
            let line = line.as_str().unwrap();
            assert!(line.contains("? ") && line.ends_with('.'), "{line}");
        }
        let won = game["correct"].as_bool().unwrap();
        assert!(won || lines.len() == 20, "a lost game has twenty questions: {game}");
        assert!(game["word"][0].is_string());
    }
    assert!(games.iter().any(|game| game["correct"] == true));

    // The same seed writes the same bytes, another seed others, and nothing goes without --force.
    let again = [&args[..], &["--force"]].concat();
    run(folder.path(), &again).success();
    assert_eq!(fs::read_to_string(folder.path().join("games.jsonl")).unwrap(), text);
    let other = ["data", "--games", "30", "--out", "other.jsonl", "--seed", "6"];
    run(folder.path(), &other).success();
    assert_ne!(fs::read_to_string(folder.path().join("other.jsonl")).unwrap(), text);
}

#[test]
fn an_asker_is_measured_like_a_model() {
    let folder = folder();
    let measure = |asker: &str| -> Value {
        let args = ["eval", "--asker", asker, "--words", "subset", "--games", "200", "--json"];
        run(folder.path(), &args).success().json_lines().remove(0)
    };
    let optimal = measure("optimal");
    let mut found: Vec<&str> = optimal.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = common::EVALUATION_KEYS;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(optimal["games"], 200);
    assert_eq!(optimal["win_rate"], 1.0);
    assert!((optimal["mean_return"].as_f64().unwrap() + 2.8).abs() < 1e-9);
    assert_eq!(optimal["mean_return"], optimal["optimum_return"]);
    let random = measure("random");
    assert!(random["mean_return"].as_f64().unwrap() < -10.0);
    assert_eq!(measure("random"), random);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    // The server writes into a pipe whose other end is closed after the first line.
    let folder = folder();
    let mut command = common::archer(folder.path(), &["env"]);
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(b"{\"cmd\":\"reset\"}\n").unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    for _ in 0..10 {
        let _ = stdin.write_all(b"{\"cmd\":\"reset\"}\n");
    }
    drop(stdin);
    let done: common::Done = child.wait_with_output().unwrap().into();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

/// A disk that takes no more: the shell bounds the size of files, which a write past it is told
/// by an error.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let folder = folder();
    let script = format!(
        "trap '' XFSZ; ulimit -f 4; exec '{}' data --games 3000 --out games.jsonl",
        env!("CARGO_BIN_EXE_archer")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let done: common::Done = output.into();
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("the disk is full"), "{}", done.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_server_that_gets_nothing_ends_well() {
    let done = run_with_input(folder().path(), &["env"], b"").success();
    assert_eq!(done.stdout, "");
}

#[test]
fn every_experiment_of_the_repository_can_be_begun() {
    let presets = ["quickstart", "twenty-questions", "people", "new-world"];
    let mut found = Vec::new();
    let files = |folder| fs::read_dir(root().join(folder)).unwrap();
    for entry in files("configs").chain(files("crates/cli/presets")) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = name.strip_suffix(".toml").expect("configs are TOML files").to_string();
        // What can be begun gets as far as the device.
        let begin = |how: &str, what: &str| {
            // A student wants to know its teacher, and adapters their model.
            let whose: &[&str] = match &name[..] {
                "distill" => &["--set", "distill.teacher=model"],
                "lm" => &["--set", "actor=model"],
                _ => &[],
            };
            let args = [&["train", how, what, "--device", "none"], whose].concat();
            let done = run(folder().path(), &args);
            assert!(done.stderr.contains("no device none"), "{what}: {}", done.stderr);
        };
        begin("--config", &path.display().to_string());
        if presets.contains(&name.as_str()) {
            begin("--preset", &name);
        }
        found.push(name);
    }
    assert!(presets.iter().all(|preset| found.iter().any(|name| name == preset)), "{found:?}");
}

/// 100,000 exchanges of games that grow to 200 tokens.
#[cfg(target_os = "linux")]
#[test]
fn a_full_replay_buffer_is_small() {
    let args = ["bench", "--case", "replay", "--runs", "1", "--threads", "1", "--json"];
    let done = run(folder().path(), &args).success();
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let peak = report["cases"][0]["peak_rss_mib"].as_f64().expect("Linux tells the peak");
    assert!(peak < 200.0, "{peak} MiB");
}
