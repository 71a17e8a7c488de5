//! The commands that tell of things, through the front door: inspect, score, reference, completions,
//! man, the version, a dry run, and what an evaluation says beside its mean.

use crate::common;

use std::fs;
use std::path::Path;
use std::process::Command;

use archer::agent::Agent;
use archer::checkpoint::Sections;
use archer::train::Trainer;
use archer::train::evaluate::starts;
use archer::train::rollout;
use archer_world::{Settings, Worlds};
use burn::tensor::Device;
use common::{Done, TINY, folder, root, run};
use pollster::block_on;
use serde_json::{Value, json};

/// The quickstart's model as it is shipped.
fn shipped() -> String {
    root().join("pkg/models/quickstart.archer").display().to_string()
}

fn json_of(done: Done) -> Value {
    done.success().json_lines().remove(0)
}

/// The names of what lies in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Trains a tiny run into `out`.
fn train(folder: &Path, out: &str, more: &[&str]) -> Done {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "10"];
    run(folder, &[&args[..], &["--quiet", "--out", out], more].concat())
}

#[test]
fn the_version_says_what_the_program_was_built_from() {
    let folder = folder();
    let short = run(folder.path(), &["-V"]).success().stdout;
    assert_eq!(short.lines().count(), 1, "{short}");
    let long = run(folder.path(), &["--version"]).success().stdout;
    assert!(long.starts_with(short.trim_end()), "{long}");
    let line = |name: &str| {
        let found = long.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name} in {long}")).to_string()
    };
    assert!(line("features").starts_with("flex"), "{long}");
    assert!(line("target").contains('-'), "{long}");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).env("TZ", "UTC").current_dir(root()).output();
        let text = String::from_utf8(output.ok()?.stdout).ok()?.trim().to_string();
        Some(text).filter(|text| !text.is_empty())
    };
    let told =
        ["ARCHER_COMMIT", "SOURCE_DATE_EPOCH"].iter().any(|name| std::env::var(name).is_ok());
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| !told) else { return };
    assert!(line("commit").starts_with(&commit), "{long} is not {commit}");
    let day = git(&["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d"]);
    assert_eq!(Some(line("date")), day);
}

#[test]
fn shells_and_manuals_know_every_command() {
    let folder = folder();
    let help = run(folder.path(), &["--help"]).success().stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What follows on further lines stands deeper.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"inspect") && commands.contains(&"train"), "{help}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(folder.path(), &["completions", shell]).success().stdout;
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
    assert_eq!(run(folder.path(), &["completions", "tcsh"]).code, 2);
    let done = run(folder.path(), &["man", "pages"]).success();
    let pages = names(&folder.path().join("pages"));
    assert_eq!(pages.len(), commands.len() + 1, "{}", done.stdout);
    for command in &commands {
        let page = fs::read_to_string(folder.path().join(format!("pages/archer-{command}.1")));
        assert!(page.unwrap().contains(".TH"), "{command}");
    }
    let again = run(folder.path(), &["man", "pages"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    run(folder.path(), &["man", "pages", "--force"]).success();
}

#[test]
fn the_documents_are_those_that_the_code_prints() {
    let folder = folder();
    for (what, file) in [
        ("configuration", "docs/configuration.md"),
        ("schema", "docs/configuration.schema.json"),
        ("metrics", "docs/metrics.md"),
    ] {
        let printed = run(folder.path(), &["reference", what]).success().stdout;
        let stands = fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(
            printed == stands,
            "{file} is not what the code says: write it anew with `archer reference {what} > {file}`"
        );
    }
}

/// Whether a schema has every key of a table; of alternatives one must have all.
fn knows(about: &Value, table: &toml::Table) -> bool {
    if let Some(alternatives) = about["anyOf"].as_array().filter(|_| about["properties"].is_null())
    {
        return alternatives.iter().any(|about| knows(about, table));
    }
    table.iter().all(|(key, value)| match (&about["properties"][key], value) {
        (Value::Null, _) => false,
        (about, toml::Value::Table(group)) => knows(about, group),
        _ => true,
    })
}

/// Every preset and every file of `configs` names the schema, and has only keys that the schema has.
#[test]
fn the_schema_knows_every_key_of_the_presets() {
    let schema = fs::read_to_string(root().join("docs/configuration.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for (folder, up) in [("configs", "../"), ("crates/cli/presets", "../../../")] {
        for name in names(&root().join(folder)) {
            let text = fs::read_to_string(root().join(folder).join(&name)).unwrap();
            let schema_line = format!("#:schema {up}docs/configuration.schema.json\n");
            assert!(text.starts_with(&schema_line), "{name}");
            assert!(
                knows(&schema, &text.parse().unwrap()),
                "{name} has a key that the schema has not"
            );
        }
    }
    let of = |text: &str| knows(&schema, &text.parse().unwrap());
    assert!(of("[world]\nname = \"maze\"\nobserved = \"full\"") && of("seed = 1"));
    assert!(!of("[world]\nobserved = \"full\"\nwords = \"all\"") && !of("sed = 1"));
    assert!(!of("[warm_start]\nguess_rate = 0.1"), "that is its former place");
}

#[test]
fn a_dry_run_prints_the_run_and_writes_nothing() {
    let folder = folder();
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--seed", "5"];
    let more = ["--set", "iterations=2", "--final-games", "0", "--quiet"];
    let dry = run(folder.path(), &[&args[..], &more, &["--dry-run"]].concat()).success().stdout;
    assert_eq!(names(folder.path()), ["tiny.toml"]);
    run(folder.path(), &[&args[..], &more, &["--out", "run"]].concat()).success();
    // What it prints is the file that the run leaves.
    let printed: toml::Table = dry.parse().unwrap();
    let left = fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    assert_eq!(printed, left.parse::<toml::Table>().unwrap());
    let told = json_of(run(folder.path(), &["inspect", "run", "--json"]));
    let comment = |part: &str| {
        let found = dry.lines().find(|line| line.starts_with(&format!("# {part}: ")));
        found.unwrap_or_else(|| panic!("no {part} in {dry}")).to_string()
    };
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let parameters = comment("parameters");
    let numbers: Vec<String> = parameters.split(',').map(digits).collect();
    let of = |name: &str| told[name]["parameters"].to_string();
    assert_eq!(numbers, [of("actor"), of("critic"), told["tokenizer"]["tokens"].to_string()]);
    assert!(comment("time").contains("about "), "{dry}");
    assert!(!cfg!(target_os = "linux") || comment("memory").contains("measured"), "{dry}");

    let occupied = run(folder.path(), &[&args[..], &["--dry-run", "--out", "run"]].concat());
    assert_eq!(occupied.code, 2);
    assert_eq!(run(folder.path(), &["train", "--dry-run", "--resume", "run"]).code, 2);
}

#[test]
fn an_evaluation_keeps_its_games_and_tells_the_tasks_apart() {
    let folder = folder();
    let model = shipped();
    let eval = ["eval", "--model", &model, "--games", "25", "--seed", "3", "--quiet"];
    let saved = ["--save-games", "games.jsonl", "--tasks", "--json"];
    let told = json_of(run(folder.path(), &[&eval[..], &saved].concat()));
    let tasks = told["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 10);
    let sum = |of: &dyn Fn(&Value) -> f64| tasks.iter().map(of).sum::<f64>();
    let games = |task: &Value| task["games"].as_f64().unwrap();
    assert_eq!(sum(&games), 25.0);
    let mean = sum(&|task| games(task) * task["mean_return"].as_f64().unwrap()) / 25.0;
    assert!((mean - told["mean_return"].as_f64().unwrap()).abs() < 1e-9);
    assert!(tasks.iter().all(|task| !task["name"].as_str().unwrap().is_empty()));

    // The games are those that were measured, and archer reads them.
    let file = json_of(run(folder.path(), &["inspect", "games.jsonl", "--json"]));
    assert_eq!((&file["games"], &file["tasks"]), (&json!(25), &json!(10)));
    let mean = |value: &Value| value["mean_return"].as_f64().unwrap();
    assert!((mean(&file) - mean(&told)).abs() < 1e-9, "{file} {told}");
    let show = ["--set", "warm_start.demonstrations=games.jsonl", "--set", "iterations=0"];
    train(folder.path(), "shown", &show).success();

    // Without --tasks the form is the older one; a person sees the worst.
    let short = json_of(run(folder.path(), &[&eval[..], &["--json"]].concat()));
    assert!(short.get("tasks").is_none() && mean(&short) == mean(&told));
    let text = run(folder.path(), &eval).success().stdout;
    assert!(text.contains("worst 5 of 10 tasks"), "{text}");
    let loud: Vec<&str> = eval.iter().copied().filter(|arg| *arg != "--quiet").collect();
    let progress = run(folder.path(), &loud).success().stderr;
    assert!(progress.contains("evaluation 25/25"), "{progress}");

    let before = fs::read(folder.path().join("games.jsonl")).unwrap();
    let again = run(folder.path(), &[&eval[..], &["--save-games", "games.jsonl"]].concat());
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(fs::read(folder.path().join("games.jsonl")).unwrap(), before);
}

#[test]
fn two_players_are_held_against_each_other_game_by_game() {
    let folder = folder();
    let model = shipped();
    let itself = ["eval", "--model", &model, "--against", &model, "--games", "20", "--json"];
    let told = json_of(run(folder.path(), &itself));
    assert_eq!((&told["gain"], &told["gain_ci95"]), (&json!(0.0), &Value::Null));
    assert_eq!(told["against"]["mean_return"], told["mean_return"]);

    // A random asker against a trained model: the gain is the difference of the means.
    let asker = ["eval", "--asker", "random", "--words", "subset", "--against", &model];
    let told = json_of(run(folder.path(), &[&asker[..], &["--games", "40", "--json"]].concat()));
    let number = |value: &Value| value.as_f64().unwrap();
    let means = number(&told["mean_return"]) - number(&told["against"]["mean_return"]);
    assert!((number(&told["gain"]) - means).abs() < 1e-9 && means < -10.0, "{told}");
    let [low, high] = [0, 1].map(|end| number(&told["gain_ci95"][end]));
    assert!(low < means && means < high && high < 0.0, "{told}");
    let text = run(folder.path(), &[&asker[..], &["--games", "40"]].concat()).success().stdout;
    assert!(text.contains("worse") && text.contains("game by game"), "{text}");
}

#[test]
fn inspect_tells_what_each_thing_is() {
    let folder = folder();
    let folder = folder.path();
    let of = |path: &str| json_of(run(folder, &["inspect", path, "--json"]));
    let what = |told: &Value| told["what"].as_str().unwrap().to_string();

    let told = of(&shipped());
    assert!(what(&told).starts_with("an exported model"), "{told}");
    assert_eq!(told["licence"], Value::Null, "it was shipped before files had one");
    let whole = root().join("pkg/models/twenty-questions.archer").display().to_string();
    let (large, origin) = (of(&whole), "MIT OR Apache-2.0");
    assert_eq!((&large["licence"], &large["precision"]), (&json!(origin), &json!("q8")));
    assert_eq!(large["commit"].as_str().unwrap().len(), 40);
    let parameters = told["actor"]["parameters"].as_u64().unwrap()
        + told["critic"]["parameters"].as_u64().unwrap();
    assert_eq!(parameters, 204_484, "as docs/model-file.md has it");
    assert_eq!((&told["world"]["words"], &told["precision"]), (&json!("subset"), &json!("f32")));
    assert_eq!(told["bytes"], fs::metadata(shipped()).unwrap().len());

    train(folder, "run", &[]).success();
    let told = of("run");
    assert!(what(&told).contains("finished run"), "{told}");
    assert_eq!((&told["iteration"], &told["warm_start_step"]), (&json!([4, 4]), &json!([16, 16])));
    let log = common::metrics(&folder.join("run"));
    let last = log.iter().rev().find(|line| line["evaluation"].is_object()).unwrap();
    assert_eq!(told["last_evaluation"]["mean_return"], last["evaluation"]["mean_return"]);
    assert!(told["compared"]["ArCHer"].is_f64(), "{told}");
    assert_eq!(told["changed"]["actor_model.width"], 16);
    assert!(told["resumes"].as_str().unwrap().contains("train --resume run"), "{told}");

    let checkpoint = of("run/checkpoints/latest");
    assert!(what(&checkpoint).starts_with("a checkpoint"), "{checkpoint}");
    assert_eq!(checkpoint["actor"], told["actor"]);
    assert!(checkpoint["sections"]["replay"].as_u64().unwrap() > 0);

    // Folder, weights and packed file count the same parameters.
    let model = of("run/model");
    assert!(what(&model).starts_with("a model folder"), "{model}");
    assert_eq!(model["actor"]["parameters"], told["actor"]["parameters"]);
    assert_eq!(model["critic"]["parameters"], told["critic"]["parameters"]);
    assert_eq!(model["world"]["name"], "twenty_questions");
    let weights = of("run/model/model.safetensors");
    assert_eq!(
        (&weights["parameters"], &weights["precision"]),
        (&told["actor"]["parameters"], &json!(["F32"]))
    );
    let export = ["export", "--model", "run", "--precision", "q8", "--out", "small.archer"];
    run(folder, &export).success();
    let packed = of("small.archer");
    assert_eq!((&packed["actor"], &packed["precision"]), (&told["actor"], &json!("q8")));

    run(folder, &["data", "--games", "9", "--out", "games.jsonl", "--seed", "5"]).success();
    let games = of("games.jsonl");
    assert_eq!((&games["games"], &games["world"]), (&json!(9), &json!("twenty_questions")));

    // The text for a person has a row for each fact.
    let text = run(folder, &["inspect", "run"]).success().stdout;
    assert!(text.lines().any(|line| line.starts_with("world.words") && line.ends_with("subset")));
}

#[test]
fn inspect_refuses_what_it_does_not_know_and_starts_nothing() {
    let folder = folder();
    let folder = folder.path();
    // A model of a world outside: its command would leave a trace.
    let bytes = fs::read(shipped()).unwrap();
    let sections = Sections::from_bytes(&bytes).unwrap();
    let mut state: Value = serde_json::from_slice(sections.get("state").unwrap()).unwrap();
    state["config"]["world"] = json!({ "command": ["touch", "trace"] });
    state["opening"] = json!("\u{1b}[31mred\u{7}\n");
    let mut altered = Sections::new();
    for name in ["actor_config", "tokenizer", "actor", "critic_config", "critic", "example"] {
        altered.push(name, sections.get(name).unwrap().to_vec());
    }
    altered.push("state", serde_json::to_vec(&state).unwrap());
    let altered = altered.to_bytes();
    fs::write(folder.join("outside.archer"), &altered).unwrap();
    let done = run(folder, &["inspect", "outside.archer"]).success();
    assert!(
        done.stdout.contains("touch") && done.stdout.contains("not started"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains('\u{1b}') && !done.stdout.contains('\u{7}'), "{}", done.stdout);
    assert_eq!(names(folder), ["outside.archer"]);

    fs::write(folder.join("cut.archer"), &altered[..altered.len() / 2]).unwrap();
    fs::write(folder.join("text"), "hello").unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("games.jsonl"), "{\"turns\": 3}\n").unwrap();
    let mut header = 1_000_000u64.to_le_bytes().to_vec();
    header.extend(b"{}");
    fs::write(folder.join("short.safetensors"), header).unwrap();
    fs::create_dir(folder.join("nothing")).unwrap();
    for (path, code, part) in [
        ("absent", 2, "absent"),
        ("cut.archer", 1, "cut.archer: the checkpoint is damaged"),
        ("text", 2, "nothing that archer reads"),
        ("empty", 2, "nothing that archer reads"),
        ("games.jsonl", 2, "line 1"),
        ("short.safetensors", 2, "longer than the file"),
        ("nothing", 2, "neither a run"),
    ] {
        let done = run(folder, &["inspect", path]);
        assert_eq!(done.code, code, "{path}: {}", done.stderr);
        assert!(done.stderr.contains(part), "{path}: {}", done.stderr);
        assert_eq!(done.stderr.trim_end().lines().count(), 1, "{path}: {}", done.stderr);
    }
}

/// The agent of the shipped file and its world.
fn agent() -> (Agent, std::sync::Arc<dyn Worlds>) {
    let bytes = fs::read(shipped()).unwrap();
    let make = |config: &archer::config::Config, _: Option<&archer_world::About>| {
        archer_games::worlds(&config.world)
    };
    let trainer = Trainer::resume(&bytes, &make, &Device::flex()).unwrap();
    let settings: &Settings = &trainer.config().world;
    (trainer.agent(), archer_games::worlds(settings).unwrap())
}

#[test]
fn a_score_is_what_play_itself_found() {
    let folder = folder();
    let (agent, worlds) = agent();
    let sampler = agent.about.sampler(true);
    let starts = starts(worlds.about(), 30, 5);
    let played =
        block_on(rollout::play(agent.player(&sampler, 1), worlds.as_ref(), &starts, 1.0)).unwrap();
    let name = &worlds.about().name;
    let records: Vec<_> =
        played.iter().map(|game| rollout::record(game, name, &agent.tokenizer)).collect();
    let lines: String =
        records.iter().map(|game| serde_json::to_string(game).unwrap() + "\n").collect();
    fs::write(folder.path().join("games.jsonl"), lines).unwrap();
    let model = shipped();
    let args = ["score", "--model", &model, "--games", "games.jsonl", "--device", "flex"];
    let mut scored = run(folder.path(), &args).success().json_lines().into_iter();
    let (mut held, mut all) = (0, 0);
    for (number, game) in played.iter().enumerate() {
        for (turn, transition) in game.transitions.iter().enumerate() {
            let told = scored.next().expect("a line for each turn");
            assert_eq!((&told["game"], &told["turn"]), (&json!(number + 1), &json!(turn + 1)));
            assert_eq!(told["said"], json!(game.lines[turn].0));
            all += 1;
            let tokens = told["tokens"].as_array().unwrap();
            let ids: Vec<u64> = tokens.iter().map(|token| token["id"].as_u64().unwrap()).collect();
            let sampled: Vec<u64> = transition.action.iter().map(|&id| u64::from(id)).collect();
            let sum: f64 = tokens.iter().map(|token| token["log_prob"].as_f64().unwrap()).sum();
            let log_prob = told["log_prob"].as_f64().unwrap();
            assert!((sum - log_prob).abs() < 1e-5, "{told}");
            assert!(["q1", "q2", "v1", "v2"].iter().all(|name| told[name].is_f64()), "{told}");
            // The words may have been sampled in other tokens than text is cut into.
            if ids == sampled {
                held += 1;
                let gap = (log_prob - f64::from(transition.log_prob)).abs();
                assert!(gap < 1e-3, "{told} and {} in play", transition.log_prob);
            }
        }
    }
    assert!(scored.next().is_none());
    assert!(held * 10 > all * 9 && held > 50, "{held} of {all} are comparable");
}

/// A model file holds what its networks thought of one utterance where it was made.
#[test]
fn a_score_is_what_the_file_says_of_its_example() {
    let folder = folder();
    let sections = Sections::from_bytes(&fs::read(shipped()).unwrap()).unwrap();
    let example: Value = serde_json::from_slice(sections.get("example").unwrap()).unwrap();
    let text = example["observation"].as_str().unwrap().replace('\n', "\\n");
    let said = example["utterance"].as_str().unwrap();
    let model = shipped();
    let args =
        ["score", "--model", &model, "--text", &text, "--said", said, "--said", "Is it red?"];
    let lines = run(folder.path(), &args).success().json_lines();
    assert_eq!(lines.len(), 2);
    let number = |value: &Value| value.as_f64().unwrap();
    for (told, expected) in [
        (&lines[0]["log_prob"], &example["log_prob"]),
        (&lines[0]["q1"], &example["q"][0]),
        (&lines[0]["q2"], &example["q"][1]),
        (&lines[0]["v1"], &example["v"][0]),
        (&lines[0]["v2"], &example["v"][1]),
    ] {
        assert!((number(told) - number(expected)).abs() < 1e-3, "{} {example}", lines[0]);
    }

    // Where the world lists what can be said, the probabilities of all of it are 1 together.
    let choices = ["Is it red?", "Is it big?", "Is it alive?"];
    let mut args = vec!["score", "--model", &model, "--text", &text];
    choices.iter().for_each(|choice| args.extend(["--choice", choice, "--said", choice]));
    let among = run(folder.path(), &args).success().json_lines();
    let sum: f64 = among.iter().map(|line| number(&line["log_prob"]).exp()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{sum}: {among:?}");
    let other = run(folder.path(), &[&args[..], &["--said", "Is it round?"]].concat());
    assert!(other.code == 2 && other.stderr.contains("not among the choices"), "{}", other.stderr);
    // What the model has no places for is told.
    assert!(lines[0].get("tokens_left_out").is_none(), "{}", lines[0]);
    let long = "Is it red? No.\\n".repeat(400);
    let args = ["score", "--model", &model, "--text", &long, "--said", said];
    let cut = run(folder.path(), &args).success().json_lines().remove(0);
    assert!(number(&cut["tokens_left_out"]) > 100.0, "{cut}");

    // A world may begin without a word: an utterance then follows the end of a line.
    let said_after = |text: &str| {
        let args = ["score", "--model", &model, "--text", text, "--said", said];
        run(folder.path(), &args).success().json_lines().remove(0)
    };
    assert_eq!(said_after(""), said_after("\\n"));

    fs::write(folder.path().join("long.jsonl"), format!(
        "{{\"opening\":\"Questions:\\n\",\"turns\":[{{\"said\":\"{}\",\"reply\":\"No.\",\"reward\":-1}}]}}\n",
        "very ".repeat(400)
    )).unwrap();
    for (more, part) in [
        (&[][..], "--said"),
        (&["--games", "absent.jsonl"], "absent.jsonl"),
        (&["--games", "long.jsonl"], "long.jsonl: game 1"),
        (&["--said", "x", "--games", "long.jsonl"], "--games"),
    ] {
        let done = run(folder.path(), &[&["score", "--model", &model][..], more].concat());
        assert_eq!(done.code, 2, "{more:?}: {}", done.stderr);
        assert!(done.stderr.contains(part), "{more:?}: {}", done.stderr);
    }
}

#[test]
fn the_doctor_says_what_auto_takes_and_why() {
    let folder = folder();
    let told = json_of(run(folder.path(), &["doctor", "--json"]));
    let taken = told["auto"]["device"].as_str().unwrap();
    let text = run(folder.path(), &["doctor"]).success().stdout;
    assert!(text.contains(&format!("--device auto takes {taken}")), "{text}");
    if cfg!(not(any(feature = "cuda", feature = "wgpu"))) {
        assert_eq!(taken, "flex");
        let passed: Vec<&str> = told["auto"]["passed_over"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["device"].as_str().unwrap())
            .collect();
        assert_eq!(passed, ["cuda", "wgpu"]);
    }
    // A program that plays a card is never taken.
    for device in told["devices"].as_array().unwrap() {
        for adapter in device["adapters"].as_array().into_iter().flatten() {
            assert!(adapter["kind"] != "software" || taken != "wgpu" || text.contains("card"));
        }
    }
}

/// What `docs/run-folder.md` says may be deleted of a run that shall go on.
#[test]
fn a_run_goes_on_from_what_may_not_be_deleted() {
    let folder = folder();
    let path = folder.path().join("run");
    train(folder.path(), "run", &[]).success();
    for name in names(&path) {
        let path = path.join(&name);
        match name.as_str() {
            "checkpoints" | "config.toml" | "metrics.jsonl" => {}
            _ if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            _ => fs::remove_file(path).unwrap(),
        }
    }
    for name in names(&path.join("checkpoints")).iter().filter(|name| *name != "latest") {
        fs::remove_file(path.join("checkpoints").join(name)).unwrap();
    }
    let resume = ["train", "--resume", "run", "--set", "iterations=5", "--final-games", "0"];
    run(folder.path(), &resume).success();
    assert!(path.join("model/model.safetensors").is_file() && path.join("report.md").is_file());
}

#[test]
fn runs_report_what_the_page_of_metrics_says_of_them() {
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().trim_matches('`').to_string()).collect()
    };
    let rows: Vec<Vec<String>> = page.lines().map(cells).filter(|cells| cells.len() > 4).collect();
    let row = |name: &str| rows.iter().find(|row| row[1] == name);
    let folder = folder();
    let data = ["data", "--games", "20", "--words", "subset", "--out", "games.jsonl"];
    run(folder.path(), &data).success();
    let offline = ["--set", "iql.games=games.jsonl"];
    for algorithm in ["archer", "chai", "filtered_bc", "iql", "ppo", "reinforce"] {
        let more = if algorithm == "iql" { &offline[..] } else { &[] };
        let flags = [&["--algorithm", algorithm, "--set", "kl_coef=0.1"], more].concat();
        train(folder.path(), algorithm, &flags).success();
        for line in common::metrics(&folder.path().join(algorithm)) {
            for (name, value) in line.as_object().unwrap() {
                let row = row(name).unwrap_or_else(|| panic!("the page has no {name}"));
                let metric = name.contains('.');
                let who = if line["phase"] == "learn" { algorithm } else { "the warm start" };
                assert!(!metric || row[3].contains(who), "{name} of {algorithm}: {row:?}");
                let parts = value.as_object().filter(|_| name == "evaluation");
                for part in parts.into_iter().flat_map(|parts| parts.keys()) {
                    let field = format!("evaluation.{part}");
                    assert!(page.contains(&format!("`{field}`")), "the page has no {field}");
                }
            }
        }
    }
}

/// All sources as one text, with the line breaks inside of sentences taken out.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(path).unwrap();
            let mut lines = source.lines().map(str::trim_start);
            for line in &mut lines {
                text.push_str(line.strip_suffix('\\').unwrap_or(line));
            }
        }
    }
}

#[test]
fn the_sentences_that_are_explained_are_those_of_the_code() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let mut code = String::new();
    sources(&root().join("crates"), &mut code);
    let quoted = page.lines().filter_map(|line| line.strip_prefix("**`")?.split_once("`**"));
    let mut explained = 0;
    for (sentence, _) in quoted {
        explained += 1;
        for part in sentence.split('…').map(str::trim).filter(|part| part.len() > 3) {
            assert!(code.contains(part), "no sentence of the code has {part:?}");
        }
    }
    assert!(explained > 15, "{explained}");
}
