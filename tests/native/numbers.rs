//! Numbers through the front door: what is not finite stops and loses nothing, what is out of range is
//! refused in one sentence, and how many threads there are changes no byte.

use crate::common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Done, TINY, folder, run, run_with_input};
use serde_json::{Value, json};

/// The arguments of a tiny run into `out`, whose configuration is written into the folder.
fn tiny<'a>(folder: &Path, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--out", out, "-q"];
    [&args[..], &["--final-games", "0"], more].concat()
}

/// Checks that a command failed with this code, and with one sentence that holds these parts.
fn says(done: &Done, code: i32, parts: &[&str]) {
    assert_eq!(done.code, code, "{} {}", done.stdout, done.stderr);
    let said: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(said.len(), 1, "{}", done.stderr);
    for part in parts {
        assert!(said[0].contains(part), "{part}: {}", done.stderr);
    }
}

/// Every file of a run as it was, but what only says when something happened.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in ["checkpoints/latest", "model/model.safetensors", "config.toml"] {
        files.push((name.to_string(), fs::read(root.join(name)).unwrap()));
    }
    files
}

/// In the warm start, in the critic and in the actor: the first number that is not finite ends the run,
/// and what was saved before stays.
#[test]
fn what_diverges_stops_and_the_last_checkpoint_stays() {
    let folder = folder();
    let path = folder.path();
    let steep = ["--set", "max_grad_norm=0"];
    let warm = ["--set", "warm_start.lr=1", "--set", "warm_start.steps=400"];
    let scaled = ["--set", "warm_start.reply_coef=1000000"];
    let done = run(path, &tiny(path, "warm", &[&steep[..], &warm, &scaled].concat()));
    // A step of Adam is bounded, so this may also stay finite; then it says nothing of the kind.
    if done.code != 0 {
        says(&done, 1, &["of the warm start", "warm_start.lr"]);
    }

    for algorithm in ["archer", "ppo", "reinforce", "chai", "filtered_bc"] {
        let first =
            ["--algorithm", algorithm, "--set", "iterations=2", "--set", "world.max_turns=3"];
        run(path, &tiny(path, algorithm, &first)).success();
    }
    let data = ["data", "--games", "30", "--words", "subset", "--out", "games.jsonl"];
    run(path, &data).success();
    let offline = ["--algorithm", "iql", "--set", "iql.games=games.jsonl", "--set", "iterations=2"];
    run(path, &tiny(path, "iql", &offline)).success();
    let teacher = ["distill", "--teacher", "archer", "--out", "distill", "--device", "flex", "-q"];
    let small = ["--set", "iterations=2", "--set", "epochs=1", "--set", "actor_epochs=1"];
    let quick = ["--set", "rollout_size=4", "--set", "eval_size=4", "--final-games", "0"];
    run(path, &[&teacher[..], &small, &quick].concat()).success();
    // Weights so large that scores are beyond all numbers, in the actor and in the critic.
    for (algorithm, section) in [
        ("archer", "actor"),
        ("archer", "critic"),
        ("ppo", "actor"),
        ("reinforce", "actor"),
        ("chai", "critic"),
        ("filtered_bc", "actor"),
        ("iql", "actor"),
        ("iql", "critic"),
        ("distill", "actor"),
        ("distill", "critic"),
    ] {
        let root = path.join("broken");
        copy(&path.join(algorithm), &root);
        let latest = root.join("checkpoints/latest");
        let bytes = fs::read(&latest).unwrap();
        fs::write(&latest, with_weights(&bytes, section, 1e30)).unwrap();
        fs::remove_file(root.join("report.md")).unwrap();
        let before = files(&root);
        let on =
            ["train", "--resume", "broken", "--set", "iterations=4", "--final-games", "0", "-q"];
        let done = run(path, &on);
        says(&done, 1, &["in iteration 3", "go on with"]);
        let named = ["critic_lr", "lm_lr", "log-probability"];
        assert!(named.iter().any(|it| done.stderr.contains(it)), "{algorithm}: {}", done.stderr);
        // The configuration says what was asked for; nothing else changed.
        assert_eq!(files(&root)[..2], before[..2], "{algorithm} {section}");
        fs::remove_dir_all(&root).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), &target).unwrap()),
        }
    }
}

/// A checkpoint in which all weights of a section are one number.
fn with_weights(bytes: &[u8], section: &str, weight: f32) -> Vec<u8> {
    use archer::checkpoint::Sections;
    let old = Sections::from_bytes(bytes).unwrap();
    let mut new = Sections::new();
    for name in SECTIONS {
        let Ok(bytes) = old.get(name) else { continue };
        let bytes = match name == section {
            true => bytes.chunks_exact(4).flat_map(|_| weight.to_le_bytes()).collect(),
            false => bytes.to_vec(),
        };
        new.push(name, bytes);
    }
    new.to_bytes()
}

const SECTIONS: [&str; 20] = [
    "state",
    "actor_config",
    "tokenizer",
    "critic_tokenizer",
    "actor",
    "critic_config",
    "critic",
    "example",
    "actor_adam",
    "lesson_adam",
    "critic_adam",
    "target",
    "average",
    "reference",
    "teacher_config",
    "teacher",
    "teacher_critic_config",
    "teacher_critic",
    "replay",
    "unused",
];

/// A weight that is no number is refused by its name, whatever file it stands in.
#[test]
fn weights_that_are_no_numbers_are_refused_by_name() {
    let folder = folder();
    let path = folder.path();
    run(path, &tiny(path, "run", &[])).success();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (file, name) in [
            ("model/model.safetensors", "ln_f.weight"),
            ("model/critic/model.safetensors", "v_critic"),
        ] {
            let file = path.join("run").join(file);
            let good = fs::read(&file).unwrap();
            let mut bytes = good.clone();
            let place = place_of(&bytes, name);
            bytes[place..place + 4].copy_from_slice(&bad.to_le_bytes());
            fs::write(&file, bytes).unwrap();
            let eval = ["eval", "--model", "run/model", "--games", "2"];
            says(&run(path, &eval), 1, &["run/model", name, &bad.to_string()]);
            fs::write(&file, good).unwrap();
        }
        let latest = fs::read(path.join("run/checkpoints/latest")).unwrap();
        fs::write(path.join("bad.archer"), with_weights(&latest, "critic", bad)).unwrap();
        let eval = ["eval", "--model", "bad.archer", "--games", "2"];
        says(&run(path, &eval), 1, &["bad.archer", "the tensor", &bad.to_string()]);
    }
    run(path, &["eval", "--model", "run/model", "--games", "2"]).success();
}

/// Where the first float of a tensor stands in a safetensors file.
fn place_of(bytes: &[u8], part: &str) -> usize {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensors = header.as_object().unwrap();
    let (_, about) = tensors.iter().find(|(name, _)| name.contains(part)).unwrap();
    8 + length + about["data_offsets"][0].as_u64().unwrap() as usize
}

/// A world that pays what no number holds ends the run by name: a single reward, or a sum.
#[test]
fn rewards_beyond_all_numbers_stop() {
    let folder = folder();
    let path = folder.path();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_string());
    for (reward, turns, parts) in [
        ("1e39", 1, ["the reward of turn 1 was inf", "finite"]),
        ("float('nan')", 1, ["", ""]),
        ("3e38", 3, ["a reward lies between", "3e38"]),
        ("1e30", 3, ["a reward lies between", "larger units"]),
    ] {
        let world = WORLD.replace("REWARD", reward).replace("TURNS", &turns.to_string());
        fs::write(path.join("world.py"), world).unwrap();
        let command = format!("{python} world.py");
        let args = ["train", "--world", &command, "--out", "run", "-q", "--final-games", "0"];
        let small = ["--set", "iterations=3", "--set", "rollout_size=8", "--set", "eval_size=8"];
        let done = run(path, &[&args[..], &small].concat());
        says(&done, 1, &parts);
        fs::remove_dir_all(path.join("run")).ok();
    }
}

/// A world of JSON lines in which every turn is worth the same.
const WORLD: &str = r#"
import json, sys
turns = {}

def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return {"name": "payer", "max_turns": TURNS, "protocol": 1}
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        turns[game] = 0
        return {"game": game, "text": "Pay.\n", "choices": ["a", "b"]}
    if cmd == "close":
        return {"game": game}
    turns[game] += 1
    if turns[game] >= TURNS:
        return {"game": game, "reply": "ok", "reward": REWARD, "end": "over"}
    return {"game": game, "reply": "ok", "reward": REWARD, "choices": ["a", "b"]}

for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"#;

/// Keys and flags that would take memory or time without limit: refused at once, by name.
#[test]
fn no_typed_number_reserves_anything() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    for set in [
        "rollout_size=1000000000",
        "eval_size=1000000000000",
        "batch_size=10000000",
        "grad_accum_steps=1000000",
        "epochs=1000000000",
        "capacity=9223372036854775807",
        "actor_samples=100000",
        "critic_samples=100000",
        "utterance_tries=1000000",
        "max_new_tokens=1000000000",
        "iterations=9223372036854775807",
        "actor_model.layers=4294967296",
        "actor_model.width=1099511627776",
        "actor_model.heads=1099511627776",
        "actor_model.positions=9223372036854775807",
        "critic_model.layers=100000",
        "critic_model.width=1048576",
        "critic_model.positions=9223372036854775807",
        "tokenizer.vocab_size=9223372036854775807",
        "tokenizer.max_token_length=1000000",
        "warm_start.games=1000000000",
        "warm_start.batch_size=1000000000",
        "warm_start.context_only_games=1000000000",
        "lessons.steps=1000000000",
        "chai.samples=1000000",
        "ppo.epochs=1000000000",
        "ppo.minibatches=1000000000",
        "world.max_turns=1000000000000",
        "temperature=1e-300",
        "warm_start.temperature=1e-300",
        "distill.temperature=1e-300",
        "reply_coef=1e38",
        "kl_coef=1e308",
        "repeat_penalty=1e300",
        "iql.beta=1e300",
        "lm_lr=2",
        "gamma=nan",
        "kl_coef=inf",
    ] {
        let begun = Instant::now();
        let key = set.split('=').next().unwrap();
        let name = key.strip_prefix("world.").unwrap_or(key);
        says(&run(path, &tiny(path, "run", &["--set", set])), 2, &[name]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{set}");
        assert!(!path.join("run").exists(), "{set}");
    }
    // Each is fine alone, and together they are too much.
    for (sets, parts) in [
        (&["actor_model.width=16384", "actor_model.layers=100"][..], ["actor_model.width", "GiB"]),
        (&["critic_model.width=16384", "critic_model.layers=200"], ["critic_model.width", "GiB"]),
        (&["epochs=60000", "batch_size=16000"], ["epochs = 60000", "batch_size = 16000"]),
        (&["batch_size=16000", "grad_accum_steps=60000"], ["grad_accum_steps", "batch_size"]),
    ] {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        says(&run(path, &tiny(path, "run", &sets)), 2, &parts);
    }
    for args in [
        &["eval", "--asker", "random", "--games", "1000000000"][..],
        &["data", "--games", "1000000000000", "--out", "x.jsonl"],
        &["train", "--final-games", "1000000000"],
        &["train", "--threads", "1000000000"],
        &["export", "--model", "x", "--out", "y", "--check", "1000000000000"],
    ] {
        let done = run(path, args);
        assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains("at most"), "{args:?}: {}", done.stderr);
    }
}

/// Any number of threads gives the same bytes: checkpoints with their replay, models and metrics.
#[test]
fn threads_change_no_byte() {
    let folder = folder();
    let path = folder.path();
    let causal = ["--set", "critic_model.kind=causal", "--set", "rollout_size=21"];
    // Widths whose products are small are where a row is summed in another order.
    for (algorithm, more) in [
        ("archer", &["--set", "actor_samples=2", "--set", "grad_accum_steps=3"][..]),
        ("ppo", &["--set", "actor_model.width=48", "--set", "entropy_coef=0.01"]),
    ] {
        let mut first = None;
        for threads in ["1", "2", "3", "4"] {
            let out = format!("{algorithm}-{threads}");
            let how = ["--algorithm", algorithm, "--threads", threads];
            run(path, &tiny(path, &out, &[&causal[..], more, &how].concat())).success();
            let root = path.join(&out);
            let left = (files(&root), common::metrics(&root));
            match &first {
                None => first = Some(left),
                Some(first) => {
                    assert_eq!(first.1, left.1, "{out}");
                    assert!(first.0 == left.0, "{out}: the files differ");
                }
            }
        }
    }
    let model = "archer-1/model";
    let measured = ["1", "2", "3", "4"].map(|threads| {
        let args = ["eval", "--model", model, "--games", "57", "--sample", "--json"];
        run(path, &[&args[..], &["--threads", threads]].concat()).success().stdout
    });
    assert!(measured.iter().all(|other| other == &measured[0]), "{measured:?}");
}

/// A model folder says the shape of what starts from it, in the run's configuration too; a fresh critic
/// that begins with the actor's body has the actor's.
#[test]
fn a_model_folder_says_the_shapes() {
    let folder = folder();
    let path = folder.path();
    let wide = ["--algorithm", "ppo", "--set", "actor_model.width=32", "--set", "iterations=1"];
    run(path, &tiny(path, "wide", &wide)).success();
    let args = ["train", "--preset", "quickstart", "--set", "actor=wide/model", "--out", "run"];
    let small = ["iterations=1", "warm_start.steps=8", "warm_start.games=40", "rollout_size=8"];
    let quick = ["eval_size=4", "epochs=1", "actor_epochs=1", "batch_size=8", "warmup_iter=0"];
    let sets: Vec<&str> = small.iter().chain(&quick).flat_map(|set| ["--set", set]).collect();
    let end = ["--device", "flex", "--final-games", "0", "-q"];
    run(path, &[&args[..], &sets, &end].concat()).success();
    let config: toml::Table =
        fs::read_to_string(path.join("run/config.toml")).unwrap().parse().unwrap();
    for model in ["actor_model", "critic_model"] {
        let shape = ["layers", "width", "heads", "positions"]
            .map(|key| config[model][key].as_integer().unwrap());
        assert_eq!(shape, [1, 32, 2, 160], "{model}");
    }
    // It goes on, too.
    let on = ["train", "--resume", "run", "--set", "iterations=2", "--final-games", "0", "-q"];
    run(path, &on).success();
    let typed = [&args[..], &sets, &["--set", "actor_model.layers=1"], &end].concat();
    says(&run(path, &typed), 2, &["actor_model.layers=1 would change nothing", "wide/model"]);
}

/// Who never set `critic_model.from_actor` is told which keys differ, and both ways out.
#[test]
fn a_preset_names_the_key_that_was_typed() {
    let folder = folder();
    let path = folder.path();
    for (sets, parts) in [
        (&["actor_model.width=96"][..], ["actor_model.width = 96", "critic_model.width = 48"]),
        (&["critic_model.layers=1"], ["actor_model.layers = 2", "critic_model.layers = 1"]),
        (
            &["critic_model.kind=encoder", "reply_coef=0", "actor_samples=1"],
            ["critic_model.kind = \"encoder\"", "critic_model.from_actor=false"],
        ),
    ] {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        says(&run(path, &[&["train", "--preset", "quickstart"][..], &sets].concat()), 2, &parts);
    }
}

/// The simple form of the world: an answer from outside counts for a guess, and a word of a megabyte is
/// refused as fast as any other.
#[test]
fn an_oracle_outside_answers_guesses_and_endless_words_are_refused() {
    let folder = folder();
    let steps = [
        json!({"cmd": "reset", "word": "cat"}),
        json!({"cmd": "step", "action": "Is it a cat?", "oracle_answer": "No."}),
        json!({"cmd": "step", "action": "Is it a cat?", "oracle_answer": "Yes."}),
        json!({"cmd": "reset", "word": "w".repeat(1_000_000)}),
        json!({"cmd": "reset", "word": "dög".repeat(300_000)}),
    ];
    let input: String = steps.iter().map(|step| format!("{step}\n")).collect();
    let begun = Instant::now();
    let done = run_with_input(folder.path(), &["env"], input.as_bytes()).success();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let said = done.json_lines();
    let turn = |n: usize| (&said[n]["answer"], &said[n]["reward"], &said[n]["terminated"]);
    assert_eq!(turn(1), (&json!("No."), &json!(-1.0), &json!(false)));
    assert_eq!(turn(2), (&json!("Yes."), &json!(0.0), &json!(true)));
    for refused in &said[3..] {
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains("nearest") && error.len() < 300, "{error}");
    }
}
