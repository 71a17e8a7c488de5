//! The file of a language model: frozen weights of few bits and the adapters beside them, from the terminal
//! into a page's session and back.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use archer::Device;
use archer::checkpoint::Sections;
use archer_session::guest::{self, Answering, Declared, Host};
use archer_session::session::Request;
use archer_session::{Fault, Session};
use pollster::block_on;
use serde_json::{Value, json};

use crate::adapters::{greedy, llama, train};
use crate::common::{self, Done, folder, run, weights};

const BASE: &str = "base/model.safetensors";
const TEXT: &str = "Questions:\n";
const SAID: &str = "Is it red?";

/// A run of adapters on a model, whose folder is then taken away where `alone`.
fn trained(place: &Path, more: &[&str], alone: bool) {
    llama(place, "base", 7);
    train(place, "base", "run", more).success();
    if alone {
        fs::rename(place.join("base"), place.join("elsewhere")).unwrap();
    }
}

fn export(place: &Path, model: &str, out: &str, more: &[&str]) -> Done {
    let export = ["export", "--model", model, "--out", out, "--device", "flex"];
    run(place, &[&export[..], more].concat())
}

fn score(place: &Path, model: &str) -> f64 {
    let args = ["score", "--model", model, "--text", "Questions:\\n", "--said", SAID];
    let done = run(place, &[&args[..], &["--device", "flex"]].concat());
    done.success().json_lines()[0]["log_prob"].as_f64().unwrap()
}

fn sections(file: &Path) -> Sections {
    Sections::from_bytes(&fs::read(file).unwrap()).unwrap()
}

/// Checks that two files hold one and the same model; how much of a run is behind them may differ.
fn assert_same(one: &[u8], other: &[u8]) {
    let [one, other] = [one, other].map(|file| Sections::from_bytes(file).unwrap());
    let names = |all: &Sections| all.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for ((name, bytes), (_, there)) in one.iter().zip(other.iter()) {
        assert!(name == "state" || bytes == there, "{name}");
    }
}

#[test]
fn a_file_holds_the_model_and_plays_without_its_folder() {
    let folder = folder();
    let path = folder.path();
    trained(path, &[], false);
    let whole = score(path, "run/model");
    let mut sizes = HashMap::new();
    for precision in ["f32", "bf16", "f16", "q8", "q4"] {
        let out = format!("{precision}.archer");
        export(path, "run", &out, &["--precision", precision, "--check", "4"]).success();
        sizes.insert(precision, fs::metadata(path.join(&out)).unwrap().len());
    }
    assert!(sizes["q4"] < sizes["q8"] && sizes["q8"] < sizes["f16"] && sizes["f16"] < sizes["f32"]);
    // Eight bits are the default, and what has fewer already keeps them.
    export(path, "run", "default.archer", &[]).success();
    let same = |one: &str, other: &str| {
        assert_same(&fs::read(path.join(one)).unwrap(), &fs::read(path.join(other)).unwrap());
    };
    same("default.archer", "q8.archer");
    fs::rename(path.join("base"), path.join("elsewhere")).unwrap();
    for (precision, most) in [("f32", 1e-6), ("bf16", 0.1), ("f16", 0.1), ("q8", 0.1), ("q4", 2.0)]
    {
        let file = format!("{precision}.archer");
        let gap = (score(path, &file) - whole).abs();
        assert!(gap <= most, "{precision}: {gap}");
        let again = format!("again-{file}");
        export(path, &file, &again, &["--precision", precision]).success();
        same(&file, &again);
        export(path, &file, "larger.archer", &["--precision", "f32", "--force"]).success();
        let base = |file: &str| sections(&path.join(file)).get(BASE).unwrap().to_vec();
        assert!(base(&file) == base("larger.archer"), "{precision}");
    }
    // The folder that is made of it is whole, and computes what the file does.
    export(path, "q8.archer", "whole", &["--folder"]).success();
    assert!(path.join("whole/model.safetensors").is_file());
    assert!((score(path, "whole") - score(path, "q8.archer")).abs() < 1e-4);
    let told = run(path, &["inspect", "q8.archer", "--json"]).success().json_lines().remove(0);
    assert_eq!((&told["precision"], &told["base"]["held"]), (&json!("q8"), &json!("in the file")));

    let untrained = export(path, "elsewhere", "x.archer", &[]);
    assert!(
        untrained.code == 2 && untrained.stderr.contains("iterations=0"),
        "{}",
        untrained.stderr
    );
    let gpt2 = export(path, "words", "x.archer", &["--precision", "q4"]);
    assert!(gpt2.code == 2 && gpt2.stderr.contains("choose f32, f16 or q8"), "{}", gpt2.stderr);
    let held = run(path, &["eval", "--model", "q8.archer", "--weights", "q4", "--games", "1"]);
    assert!(held.code == 2 && held.stderr.contains("--weights"), "{}", held.stderr);
}

#[test]
fn a_model_that_was_held_in_few_bits_is_exported_as_it_lies() {
    let folder = folder();
    let path = folder.path();
    trained(path, &["--set", "lora.weights=q4"], true);
    fs::rename(path.join("elsewhere"), path.join("base")).unwrap();
    export(path, "run", "out.archer", &[]).success();
    assert_eq!(score(path, "out.archer"), score(path, "run/model"));
    assert_eq!(greedy(path, "out.archer"), greedy(path, "run/model"));
}

#[test]
fn a_run_goes_on_from_a_file_and_its_checkpoints_name_the_file() {
    let folder = folder();
    let path = folder.path();
    trained(path, &["--set", "iterations=2"], false);
    train(path, "base", "unbroken", &[]).success();
    export(path, "run", "run.archer", &["--training"]).success();
    export(path, "run", "play.archer", &[]).success();
    fs::rename(path.join("base"), path.join("elsewhere")).unwrap();
    // With all that training needs it goes on bit for bit.
    let resume = ["--final-games", "0", "--device", "flex", "--set"];
    let on = |from: &str, more: &[&str]| {
        run(path, &[&["train", "--resume", from], &resume[..], more].concat()).success()
    };
    on("run.archer", &["iterations=4", "--out", "on"]);
    assert!(weights(&path.join("on")) == weights(&path.join("unbroken")));
    let latest = sections(&path.join("on/checkpoints/latest"));
    assert!(latest.get(BASE).is_err(), "each checkpoint holds the model");
    on("on", &["iterations=5"]);
    assert_eq!(greedy(path, "on/model"), greedy(path, "on/checkpoints/latest"));
    // Without, it learns on from the adapters.
    on("play.archer", &["iterations=3", "--out", "bare"]);
    on("bare", &["iterations=4"]);
    let config = fs::read_to_string(path.join("bare/config.toml")).unwrap();
    assert!(config.contains("actor = \"play.archer\""), "{config}");
    // A run of its own begins with the adapters of the file.
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let begin = ["--set", "actor=play.archer", "--set", "warm_start.steps=0", "--out", "own"];
    run(path, &[&args[..], &begin, &["--set", "iterations=1"]].concat()).success();
    assert_eq!(greedy(path, "own/model"), greedy(path, "own/checkpoints/latest"));
}

/// What a file of altered sections is refused with.
fn refused(place: &Path, altered: &Sections) -> String {
    fs::write(place.join("altered.archer"), altered.to_bytes()).unwrap();
    let done = run(place, &["eval", "--model", "altered.archer", "--games", "1"]);
    assert_eq!(done.code, 1, "{}{}", done.stdout, done.stderr);
    done.stderr
}

/// The sections of a file with one of them changed, or left out.
fn altered(whole: &Sections, name: &str, change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>) -> Sections {
    let mut all = Sections::new();
    for (section, bytes) in whole.iter() {
        let bytes = match section == name {
            true => change(bytes.to_vec()),
            false => Some(bytes.to_vec()),
        };
        if let Some(bytes) = bytes {
            all.push(section, bytes);
        }
    }
    all
}

/// The bytes with one text in the place of another of the same length.
fn replaced(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at =
        bytes.windows(from.len()).position(|part| part == from.as_bytes()).expect("it is there");
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn files_whose_parts_do_not_belong_together_are_refused_by_what_is_wrong() {
    let folder = folder();
    let path = folder.path();
    trained(path, &["--set", "iterations=1"], true);
    fs::rename(path.join("elsewhere"), path.join("base")).unwrap();
    export(path, "run", "whole.archer", &[]).success();
    let whole = sections(&path.join("whole.archer"));
    let tell = |name: &str, change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>, part: &str| {
        let told = refused(path, &altered(&whole, name, change));
        assert!(told.contains(part) && told.lines().count() == 1, "{part}: {told}");
    };
    tell(BASE, &|_| None, "has no section base/model.safetensors");
    let last = |mut bytes: Vec<u8>| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        Some(bytes)
    };
    tell(BASE, &last, "belong to another model");
    tell(BASE, &|bytes| Some(bytes[..bytes.len() - 9].to_vec()), "no whole safetensors file");
    tell(BASE, &|bytes| Some(replaced(bytes, "Q8_0", "Q9_9")), "packed as Q9_9");
    tell(BASE, &|bytes| Some(replaced(bytes, "Q8_0", "Q4_0")), "blocks of 18 bytes");
    let named = "embed_tokens.weight\\\":\\\"Q8_0";
    let other = "embed_tokens.weighs\\\":\\\"Q8_0";
    tell(BASE, &|bytes| Some(replaced(bytes, named, other)), "which archer_packed names");
    let large = |bytes: Vec<u8>| {
        let mut config: Value = serde_json::from_slice(&bytes).unwrap();
        config["vocab_size"] = json!(90_000_000);
        Some(config.to_string().into_bytes())
    };
    tell("actor_config", &large, "embed_tokens.weight has shape");
    let deep = |bytes: Vec<u8>| {
        let mut config: Value = serde_json::from_slice(&bytes).unwrap();
        config["num_hidden_layers"] = json!(2);
        Some(config.to_string().into_bytes())
    };
    tell("actor_config", &deep, "num_hidden_layers = 2");
    tell("actor", &|bytes| Some(bytes[4..].to_vec()), "another size");
}

/// A world of a page: what is said earns a thousandth of its length, and three turns are a game.
#[derive(Default)]
struct Chatter(std::cell::RefCell<HashMap<u64, usize>>);

impl Host for Chatter {
    fn ask(&self, message: String) -> Answering {
        let message: Value = serde_json::from_str(&message).unwrap();
        let turns = &mut *self.0.borrow_mut();
        let of = message["of"].as_array().unwrap().iter().map(|request| {
            let game = request["game"].as_u64().unwrap();
            match request["cmd"].as_str().unwrap() {
                "start" => {
                    turns.insert(game, 0);
                    json!({"game": game, "text": TEXT})
                }
                "act" => {
                    let turn = turns.get_mut(&game).unwrap();
                    *turn += 1;
                    let end = if *turn == 3 { json!("over") } else { Value::Null };
                    let length = request["said"].as_str().unwrap().len();
                    json!({"game": game, "reply": "No.", "reward": length as f64 / 1000.0, "end": end})
                }
                _ => json!({"game": game}),
            }
        });
        let answer = json!({"of": of.collect::<Vec<_>>()}).to_string();
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn teach(&self, _: String) -> Result<String, String> {
        Err("it teaches nothing".into())
    }
}

fn load(file: Vec<u8>) -> Session {
    block_on(Session::load(file, Device::flex())).unwrap()
}

fn call(session: &mut Session, request: Value) -> Value {
    let request: Request = serde_json::from_value(request).unwrap();
    let reply: Result<_, Fault> = block_on(session.call(request, |_| ()));
    serde_json::to_value(reply.unwrap()).unwrap()
}

/// The log-probability of an utterance.
fn scored(session: &mut Session) -> f64 {
    let request = json!({"method": "score", "talk": {"opening": TEXT}, "said": [SAID]});
    call(session, request)[0].as_f64().unwrap()
}

#[test]
fn a_page_speaks_learns_keeps_and_goes_back() {
    let folder = folder();
    let path = folder.path();
    trained(path, &[], false);
    export(path, "run", "page.archer", &[]).success();
    let file = fs::read(path.join("page.archer")).unwrap();
    let session = &mut load(file.clone());
    assert!((scored(session) - score(path, "page.archer")).abs() < 1e-5);
    let info = call(session, json!({"method": "info"}));
    assert_eq!((&info["resumable"], &info["changed"]), (&json!(false), &json!(false)));
    let inspect = json!({"method": "inspect", "talk": {"opening": TEXT}, "said": SAID, "samples": 2, "also": []});
    assert!(call(session, inspect)["said"]["q1"].is_number());
    // Nothing that was not changed is another file.
    assert_same(&file, &block_on(session.export(false)).unwrap());

    // By the settings of the model's own world, so that the terminal knows it again.
    let declared = json!({"name": "chatter", "max_turns": 3, "settings": info["settings"]});
    let declared: Declared = serde_json::from_value(declared).unwrap();
    let world = guest::register(declared, Rc::new(Chatter::default())).unwrap();
    let evaluate = json!({"method": "evaluate", "games": 4, "seed": 7, "sample": false, "kept": false, "world": world});
    let mean = call(session, evaluate.clone())["meanReturn"].as_f64().unwrap();
    assert!(mean >= 0.0);
    let set = json!({"lm_lr": 0.01, "warmup_iter": 0, "actor_average": 0.0, "kl_coef": 0.0});
    let tune = json!({"iterations": 3, "games": 4, "world": world, "set": set});
    call(session, json!({"method": "tune", "tune": tune}));
    let before = scored(session);
    call(session, json!({"method": "step"}));
    let learned = scored(session);
    assert!((learned - before).abs() > 1e-3, "{before} to {learned}");
    call(session, json!({"method": "keep"}));
    // The whole run, with the model in it, goes on elsewhere to the same numbers.
    let other = &mut load(block_on(session.export(true)).unwrap());
    assert_eq!(scored(other), learned);
    let on = json!({"method": "tune", "tune": {"iterations": 1, "resume": true, "world": world}});
    call(other, on);
    let steps = [session as &mut Session, other].map(|one| call(one, json!({"method": "step"})));
    assert_eq!(steps[0]["metrics"], steps[1]["metrics"]);
    call(session, json!({"method": "rollback"}));
    assert_eq!(scored(session), learned);
    // What is exported is the same model with other adapters, and the terminal reads it.
    let out = block_on(session.export(false)).unwrap();
    fs::rename(path.join("base"), path.join("elsewhere")).unwrap();
    fs::write(path.join("back.archer"), &out).unwrap();
    let base = |file: &str| sections(&path.join(file)).get(BASE).unwrap().to_vec();
    assert!(base("back.archer") == base("page.archer"));
    assert!((score(path, "back.archer") - learned).abs() < 1e-5);
    common::run(path, &["export", "--model", "back.archer", "--folder", "--out", "back"]).success();
    assert!((score(path, "back") - learned).abs() < 1e-4);
    // A checkpoint of a run names its model and does not hold it.
    let checkpoint = fs::read(path.join("run/checkpoints/latest")).unwrap();
    let fault = block_on(Session::load(checkpoint, Device::flex())).err().unwrap();
    assert!(fault.message.contains("archer export"), "{}", fault.message);
}

/// PPO trains no critic, and a page learns by ArCHer: its critic is then adapters on the same model.
#[test]
fn a_model_without_a_critic_is_given_one_in_a_page() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let args = ["train", "--config", "tiny.toml", "--algorithm", "ppo", "--out", "run"];
    let set = ["--set", "actor=base", "--set", "lora.rank=4", "--set", "iterations=1"];
    run(path, &[&args[..], &set, &["--device", "flex", "--final-games", "0"]].concat()).success();
    export(path, "run", "page.archer", &[]).success();
    let session = &mut load(fs::read(path.join("page.archer")).unwrap());
    let before = call(session, json!({"method": "info"}));
    assert_eq!(before["parameters"]["critic"], 0);
    let declared: Declared =
        serde_json::from_value(json!({"name": "chatter", "max_turns": 3})).unwrap();
    let world = guest::register(declared, Rc::new(Chatter::default())).unwrap();
    let tune = json!({"iterations": 1, "games": 4, "world": world});
    call(session, json!({"method": "tune", "tune": tune}));
    let learned = call(session, json!({"method": "step"}));
    assert!(learned["metrics"].as_object().unwrap().len() > 5, "{learned}");
    let out = Sections::from_bytes(&block_on(session.export(false)).unwrap()).unwrap();
    let shape: Value = serde_json::from_slice(out.get("critic_config").unwrap()).unwrap();
    assert_eq!(shape["adapter"]["r"], 4, "{shape}");
}
