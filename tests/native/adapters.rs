//! Adapters of low rank on a model in Llama's layout: what is trained, what files hold, and what is
//! refused.

use crate::common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Done, TINY, assert_same_run, folder, run};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

const WIDTH: usize = 32;
const INNER: usize = 64;
const ROWS: usize = 300;

/// The names and shapes of a model's tensors.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = vec![("model.embed_tokens.weight".to_string(), vec![ROWS, WIDTH])];
    for (name, shape) in [
        ("input_layernorm", vec![WIDTH]),
        ("self_attn.q_proj", vec![WIDTH, WIDTH]),
        ("self_attn.k_proj", vec![WIDTH / 2, WIDTH]),
        ("self_attn.v_proj", vec![WIDTH / 2, WIDTH]),
        ("self_attn.o_proj", vec![WIDTH, WIDTH]),
        ("post_attention_layernorm", vec![WIDTH]),
        ("mlp.gate_proj", vec![INNER, WIDTH]),
        ("mlp.up_proj", vec![INNER, WIDTH]),
        ("mlp.down_proj", vec![WIDTH, INNER]),
    ] {
        all.push((format!("model.layers.0.{name}.weight"), shape));
    }
    all.push(("model.norm.weight".to_string(), vec![WIDTH]));
    all
}

/// Writes a random model in Llama's layout into a folder, with a tokenizer that a run of ours trained.
pub fn llama(place: &Path, name: &str, seed: u64) {
    let root = place.join(name);
    fs::create_dir_all(&root).unwrap();
    if !place.join("words/model").is_dir() {
        fs::write(place.join("tiny.toml"), TINY).unwrap();
        let args = ["train", "--config", "tiny.toml", "--set", "iterations=1", "--out", "words"];
        run(place, &[&args[..], &["--final-games", "0"]].concat()).success();
    }
    fs::copy(place.join("words/model/tokenizer.json"), root.join("tokenizer.json")).unwrap();
    let config = json!({
        "model_type": "llama", "num_hidden_layers": 1, "hidden_size": WIDTH, "num_attention_heads": 2,
        "num_key_value_heads": 1, "intermediate_size": INNER, "vocab_size": ROWS,
        "max_position_embeddings": 160, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        "rope_theta": 10000.0, "eos_token_id": 0,
    });
    fs::write(root.join("config.json"), config.to_string()).unwrap();
    let mut state = seed;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.8
    };
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors()
        .into_iter()
        .map(|(name, shape)| {
            let size = shape.iter().product::<usize>();
            let norm = shape.len() == 1;
            let values = (0..size).map(|_| if norm { 1.0 } else { draw() });
            let bytes = values.flat_map(f32::to_le_bytes).collect();
            (name, shape, bytes)
        })
        .collect();
    let views: BTreeMap<&str, TensorView<'_>> = bytes
        .iter()
        .map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        })
        .collect();
    fs::write(root.join("model.safetensors"), safetensors::serialize(views, None).unwrap())
        .unwrap();
}

/// Trains adapters on the model `actor` into `out`.
pub fn train(place: &Path, actor: &str, out: &str, more: &[&str]) -> Done {
    let actor = format!("actor={actor}");
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let set = [
        "--set",
        &actor,
        "--set",
        "lora.rank=4",
        "--set",
        "critic_model.kind=causal",
        "--set",
        "critic_model.from_actor=true",
    ];
    run(place, &[&args[..], &["--out", out], &set, more].concat())
}

fn names(file: &Path) -> Vec<String> {
    let bytes = fs::read(file).unwrap();
    let mut names: Vec<String> =
        SafeTensors::deserialize(&bytes).unwrap().names().into_iter().map(str::to_string).collect();
    names.sort_unstable();
    names
}

/// What greedy play of a model returns over some games.
pub fn greedy(place: &Path, model: &str) -> Value {
    let args =
        ["eval", "--model", model, "--games", "40", "--seed", "5", "--device", "flex", "--json"];
    let done = run(place, &args).success();
    serde_json::from_str::<Value>(&done.stdout).unwrap()["mean_return"].clone()
}

#[test]
fn adapters_are_all_that_is_trained_and_all_that_is_kept() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let before = fs::read(path.join("base/model.safetensors")).unwrap();
    train(path, "base", "run", &[]).success();
    assert!(fs::read(path.join("base/model.safetensors")).unwrap() == before);

    let model = path.join("run/model");
    assert!(!model.join("model.safetensors").exists());
    let place = "base_model.model.model.layers.0.self_attn";
    let adapters = ["q_proj.lora_A", "q_proj.lora_B", "v_proj.lora_A", "v_proj.lora_B"]
        .map(|name| format!("{place}.{name}.weight"));
    assert_eq!(names(&model.join("adapter_model.safetensors")), adapters);
    let config: Value =
        serde_json::from_slice(&fs::read(model.join("adapter_config.json")).unwrap()).unwrap();
    assert_eq!(
        [&config["peft_type"], &config["base_model_name_or_path"], &config["r"]],
        [&json!("LORA"), &json!("base"), &json!(4)]
    );
    // The critic: adapters of its own on the same model, and four heads.
    let critic = names(&model.join("critic/model.safetensors"));
    let heads = |name: &&String| name.contains("critic1.") || name.contains("critic2.");
    assert_eq!(critic.iter().filter(heads).count(), 4 * 6);
    assert_eq!(critic.iter().filter(|name| name.contains("lora_")).count(), 4, "{critic:?}");
    assert_eq!(critic.len(), 4 * 6 + 4);

    // The folder plays, from wherever it is asked, and the checkpoint plays the same.
    let inside = run(&path.join("run"), &["eval", "--model", "model", "--games", "4"]);
    assert_eq!(inside.code, 1, "{}", inside.stderr);
    assert!(inside.stderr.contains("names the model base"), "{}", inside.stderr);
    assert_eq!(greedy(path, "run/model"), greedy(path, "run/checkpoints/latest"));
    // A folder that is exported holds whole weights, so it plays without the base model.
    let before = greedy(path, "run/model");
    run(path, &["export", "--model", "run", "--folder", "--out", "whole"]).success();
    fs::rename(path.join("base"), path.join("elsewhere")).unwrap();
    assert_eq!(greedy(path, "whole"), before);
    assert!(path.join("whole/model.safetensors").is_file());
    let plain = run(path, &["eval", "--model", "run/model", "--games", "4"]);
    assert_eq!(plain.code, 1, "{}", plain.stderr);
    assert!(plain.stderr.contains("base"), "{}", plain.stderr);
}

#[test]
fn a_run_of_adapters_goes_on_bit_for_bit_on_the_same_model_alone() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    train(path, "base", "unbroken", &[]).success();
    train(path, "base", "run", &["--set", "iterations=2"]).success();
    let resume = ["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0"];
    fs::rename(path.join("base"), path.join("right")).unwrap();
    llama(path, "base", 8);
    let other = run(path, &resume);
    assert_eq!(other.code, 1, "{}", other.stderr);
    assert!(
        other.stderr.contains("another model than base") && other.stderr.contains("SHA-256"),
        "{}",
        other.stderr
    );
    fs::remove_dir_all(path.join("base")).unwrap();
    let none = run(path, &resume);
    assert!(none.code != 0 && none.stderr.contains("base"), "{}", none.stderr);
    // It may have moved.
    let moved = [&resume[..], &["--set", "actor=right"]].concat();
    run(path, &moved).success();
    assert_same_run(&path.join("unbroken"), &path.join("run"));
    let other =
        run(path, &["train", "--resume", "run", "--set", "lora.rank=2", "--set", "iterations=5"]);
    assert!(other.code == 2 && other.stderr.contains("lora cannot change"), "{}", other.stderr);
}

#[test]
fn adapters_that_cannot_be_are_refused_by_name() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let told = |actor: &str, more: &[&str], code: i32, what: &str| {
        let done = train(path, actor, "out", more);
        assert!(done.code == code && done.stderr.contains(what), "{what}: {}", done.stderr);
        assert!(!path.join("out").exists(), "{what}");
    };
    told("words/model", &[], 2, "in the layout of GPT-2, which has no adapters");
    told("", &[], 2, "lora.rank = 4 is out of range");
    told("base", &["--set", "lora.targets=[\"c_attn\"]"], 2, "lora.targets");
    told("base", &["--set", "lora.targets=[]"], 2, "lora.targets");
    told("base", &["--set", "lora.alpha=0"], 2, "lora.alpha");
    told("base", &["--set", "lora.rank=100000"], 2, "lora.rank");
    told("base", &["--set", "lora.rank=0", "--set", "lora.weights=q4"], 2, "lora.weights");
    told("base", &["--set", "warm_start.temperature=0.5"], 2, "warm_start.temperature");

    llama(path, "other", 8);
    train(path, "base", "run", &["--set", "iterations=1"]).success();
    let config = path.join("run/model/adapter_config.json");
    let whole: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    for (key, value, what) in [
        ("peft_type", json!("IA3"), "peft_type"),
        ("use_dora", json!(true), "use_dora"),
        ("use_rslora", json!(true), "use_rslora"),
        ("r", json!(0), "r = 0"),
        ("r", json!(8), "shape"),
        ("bias", json!("all"), "bias"),
        ("rank_pattern", json!({"q_proj": 2}), "rank_pattern"),
        ("modules_to_save", json!(["lm_head"]), "modules_to_save"),
        ("target_modules", json!(["c_attn"]), "c_attn"),
        ("target_modules", json!("q.*"), "target_modules"),
        ("target_modules", json!(["q_proj"]), "v_proj"),
        ("base_model_name_or_path", json!("nowhere"), "nowhere"),
        ("base_model_name_or_path", json!("other"), "SHA-256"),
    ] {
        let mut changed = whole.clone();
        changed[key] = value;
        fs::write(&config, changed.to_string()).unwrap();
        let done = run(path, &["eval", "--model", "run/model", "--games", "2"]);
        assert!(done.code == 1 && done.stderr.contains(what), "{what}: {}", done.stderr);
    }
}

/// Adapters learn on from the folder of a run, with their critic, and belong to the model still.
#[test]
fn adapters_of_a_folder_learn_on_and_are_resumed() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    train(path, "base", "first", &["--set", "iterations=1"]).success();
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let on = ["--set", "actor=first/model", "--set", "warm_start.steps=0"];
    run(path, &[&args[..], &on, &["--out", "unbroken"]].concat()).success();
    let part = [&args[..], &on, &["--out", "run", "--set", "iterations=2"]].concat();
    run(path, &part).success();
    run(path, &["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0"])
        .success();
    assert_same_run(&path.join("unbroken"), &path.join("run"));
    let config: Value =
        serde_json::from_slice(&fs::read(path.join("run/model/adapter_config.json")).unwrap())
            .unwrap();
    assert_eq!(config["base_model_name_or_path"], "base");
    assert!(names(&path.join("run/model/critic/model.safetensors")).len() == 4 * 6 + 4);
    // The folder of the first run is not needed to play.
    fs::remove_dir_all(path.join("first")).unwrap();
    greedy(path, "run/model");
}

/// In a world that nobody shows how to play, a model learns from reward alone, and nothing need be said of
/// that.
#[test]
fn a_model_begins_in_a_world_without_demonstrations() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let world = format!(
        "{} {}",
        common::python(),
        common::root().join("examples/worlds/door.py").display()
    );
    let args =
        ["train", "--preset", "new-world", "--world", &world, "--out", "run", "--final-games", "0"];
    let small = [
        "actor=base",
        "lora.rank=2",
        "iterations=1",
        "rollout_size=4",
        "eval_size=4",
        "max_new_tokens=16",
    ];
    let small: Vec<&str> = small.iter().flat_map(|set| ["--set", set]).collect();
    run(path, &[&args[..], &small].concat()).success();
    assert!(path.join("run/model/adapter_model.safetensors").is_file());
    // A critic of its own reads as many tokens as the model does: the preset leaves that open.
    let by_archer = ["--algorithm", "archer", "--set", "epochs=1", "--out", "judged"];
    run(path, &[&args[..5], &args[7..], &small, &by_archer].concat()).success();
    let config = std::fs::read_to_string(path.join("judged/config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    assert_eq!(config["critic_model"]["positions"], config["actor_model"]["positions"]);
}

/// The GGUF of the fuzzing corpus plays as the folder that `export --folder` makes of it, and adapters
/// can be trained on it.
#[test]
fn a_gguf_plays_is_exported_and_is_trained_on() {
    let folder = folder();
    let path = folder.path();
    let file = common::root().join("tests/fuzz/corpus/gguf/tiny.gguf");
    fs::copy(file, path.join("tiny.gguf")).unwrap();
    fs::write(path.join("tiny.toml"), TINY).unwrap();
    let play = |model: &str| {
        let args =
            ["eval", "--model", model, "--world", "bandit", "--games", "20", "--device", "flex"];
        let done = run(path, &[&args[..], &["--json"]].concat()).success();
        serde_json::from_str::<Value>(&done.stdout).unwrap()["mean_return"].clone()
    };
    run(path, &["export", "--model", "tiny.gguf", "--folder", "--out", "whole"]).success();
    assert_eq!(play("tiny.gguf"), play("whole"));
    let more = ["--world", "bandit", "--set", "max_new_tokens=4", "--set", "warm_start.steps=4"];
    let done = train(path, "tiny.gguf", "run", &more);
    done.success();
    assert_eq!(play("run/model"), play("run/checkpoints/latest"));

    let bytes = fs::read(path.join("tiny.gguf")).unwrap();
    fs::write(path.join("cut.gguf"), &bytes[..bytes.len() - 400]).unwrap();
    let cut = run(path, &["eval", "--model", "cut.gguf", "--world", "bandit", "--games", "2"]);
    assert!(cut.code == 1 && cut.stderr.contains("the file is cut"), "{}", cut.stderr);
}
