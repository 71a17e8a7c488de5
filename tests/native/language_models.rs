//! Language models in Llama's layout: weights of few bits, and chats.

use std::fs;
use std::path::Path;
use std::process::Command;

use archer::Device;
use archer::agent::Agent;
use archer::nn::sampling::Sampler;
use archer::train::rollout;
use archer_world::{Start, Style, Transcript};
use serde_json::{Value, json};

use crate::adapters::{greedy, llama, train};
use crate::common::{self, assert_same_run, folder, python, run};

/// The log-probability of an utterance with the weights held in some way.
fn score(place: &Path, model: &str, weights: &str) -> f64 {
    let args = ["score", "--model", model, "--text", "Questions:\\n", "--said", "Is it red?"];
    let done = run(place, &[&args[..], &["--weights", weights, "--device", "flex"]].concat());
    done.success().json_lines()[0]["log_prob"].as_f64().unwrap()
}

#[test]
fn weights_of_few_bits_say_nearly_the_same() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let whole = score(path, "base", "f32");
    assert_eq!(score(path, "base", "stored"), whole);
    for (weights, most) in [("bf16", 0.1), ("q8", 0.1), ("q4", 2.0)] {
        let gap = (score(path, "base", weights) - whole).abs();
        assert!(gap > 1e-7 && gap < most, "{weights}: {gap}");
    }
    for (model, weights, part) in
        [("base", "q3", "q8"), ("words/model", "q8", "in the layout of GPT-2")]
    {
        let refused = run(path, &["eval", "--model", model, "--weights", weights]);
        assert!(refused.code == 2 && refused.stderr.contains(part), "{}", refused.stderr);
    }
    // What is no number stays none when it is rounded.
    let file = path.join("base/model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    // The first weight of the token table.
    bytes[8 + header..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, bytes).unwrap();
    for weights in ["f32", "bf16", "q8", "q4"] {
        let broken = run(path, &["eval", "--model", "base", "--weights", weights]);
        assert!(broken.code == 1 && broken.stderr.contains("NaN"), "{weights}: {}", broken.stderr);
    }
}

#[test]
fn adapters_are_trained_on_weights_of_few_bits_and_play_on_them() {
    let folder = folder();
    let path = folder.path();
    llama(path, "base", 7);
    let q8 = ["--set", "lora.weights=q8"];
    train(path, "base", "unbroken", &q8).success();
    train(path, "base", "run", &[&q8[..], &["--set", "iterations=2"]].concat()).success();
    run(path, &["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0"])
        .success();
    assert_same_run(&path.join("unbroken"), &path.join("run"));
    let about = fs::read(path.join("run/model/archer.json")).unwrap();
    let about: Value = serde_json::from_slice(&about).unwrap();
    assert_eq!(about["base_weights"], "q8");
    assert_eq!(greedy(path, "run/model"), greedy(path, "run/checkpoints/latest"));
    // The folder says how its base is held; whoever wants it otherwise says so.
    let default =
        ["score", "--model", "run/model", "--text", "Questions:\\n", "--said", "Is it red?"];
    let default = run(path, &default).success().json_lines()[0]["log_prob"].as_f64().unwrap();
    assert_eq!(default, score(path, "run/model", "q8"));
    assert_ne!(default, score(path, "run/model", "f32"));
    // All of a model is trained in 32 bits, whatever its file has.
    let args = ["train", "--config", "tiny.toml", "--device", "flex", "--final-games", "0"];
    let whole = ["--set", "actor=base", "--set", "iterations=1", "--out", "whole"];
    run(path, &[&args[..], &whole].concat()).success();
    assert!(path.join("whole/model/model.safetensors").is_file());
}

/// A template in the usual form, with the special tokens that our own tokenizers have.
const TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + ']\n' + message['content'] + eos_token + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]\n' }}{% endif %}";

/// A model with a chat template.
pub fn chat_model(path: &Path) {
    llama(path, "base", 7);
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
        "chat_template": TEMPLATE,
    });
    fs::write(path.join("base/tokenizer_config.json"), config.to_string()).unwrap();
}

fn style(folder: &Path) -> Style {
    let about = fs::read(folder.join("archer.json")).unwrap();
    let about: Value = serde_json::from_slice(&about).unwrap();
    serde_json::from_value(about["style"].clone()).unwrap()
}

#[test]
fn a_model_with_a_chat_template_plays_by_messages() {
    let folder = folder();
    let path = folder.path();
    chat_model(path);
    train(path, "base", "unbroken", &[]).success();
    let config = fs::read_to_string(path.join("unbroken/config.toml")).unwrap();
    assert!(config.contains("stop = \"</s>\""), "{config}");
    train(path, "base", "run", &["--set", "iterations=2"]).success();
    run(path, &["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0"])
        .success();
    assert_same_run(&path.join("unbroken"), &path.join("run"));
    assert_eq!(greedy(path, "run/model"), greedy(path, "run/checkpoints/latest"));
    let mut game = Transcript::new(style(&path.join("run/model")), None, "Questions:\n");
    game.push("Is it red?", "No.");
    let framed =
        "<s>[user]\nQuestions:</s>\n[assistant]\nIs it red?</s>\n[user]\nNo.</s>\n[assistant]\n";
    assert_eq!(game.text(), framed);
    // Whoever wants the world's plain text says so.
    let plain = ["--set", "iterations=1", "--set", "chat.use_template=false"];
    train(path, "base", "plain", &plain).success();
    assert!(matches!(style(&path.join("plain/model")), Style::Lines { .. }));
    // A template that cannot be used is told, and the model plays without.
    let odd = json!({"chat_template": "{{ messages[0].content }}"}).to_string();
    fs::write(path.join("base/tokenizer_config.json"), odd).unwrap();
    let told = run(path, &["score", "--model", "base", "--text", "A", "--said", "b"]).success();
    assert!(told.stderr.contains("chat template is set aside"), "{}", told.stderr);
}

/// Whoever plays an agent's games, it reads them as it was trained to.
#[test]
fn what_an_agent_reads_of_any_world_is_framed() {
    let folder = folder();
    let path = folder.path();
    chat_model(path);
    let file = |name: &str| Ok(fs::read(path.join("base").join(name)).ok().map(Into::into));
    let agent = Agent::from_files(&file, &Device::flex()).unwrap();
    let named = json!({"name": "bandit"});
    let worlds = archer_games::worlds(named.as_object().unwrap()).unwrap();
    let sampler = Sampler::greedy();
    let starts = [Start::default()];
    let player = agent.player(&sampler, 1);
    let games = pollster::block_on(rollout::play(player, worlds.as_ref(), &starts, 1.0)).unwrap();
    let read = agent.tokenizer.decode(&games[0].transitions[0].observation);
    assert!(read.starts_with("[user]\n") && read.ends_with("[assistant]\n"), "{read:?}");
}

/// transformers frames the same messages alike.
#[test]
fn transformers_writes_the_same_chat() {
    let there = Command::new(python()).args(["-c", "import transformers, jinja2"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: transformers_writes_the_same_chat, for transformers is not on this machine"
        );
        return;
    }
    let folder = folder();
    let path = folder.path();
    chat_model(path);
    train(path, "base", "run", &["--set", "iterations=1"]).success();
    let mut game = Transcript::new(style(&path.join("run/model")), None, "Questions:");
    game.push("Is it red?", "No.");
    game.push("Is it big?", "Yes.");
    let messages: Vec<Value> = ["Questions:", "Is it red?", "No.", "Is it big?", "Yes."]
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let role = if n % 2 == 0 { "user" } else { "assistant" };
            json!({"role": role, "content": text})
        })
        .collect();
    let script = "import json, sys\nfrom transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('base')\nm = json.load(sys.stdin)\nprint(json.dumps({'text': t.apply_chat_template(m, tokenize=False, add_generation_prompt=True)}))";
    let told = common::run_program(
        Command::new(python()).args(["-c", script]).current_dir(path).env("HF_HUB_OFFLINE", "1"),
        json!(messages).to_string().as_bytes(),
    );
    assert_eq!(told.success().json_lines()[0]["text"], game.text());
}
