//! `archer parity` on the figures in `tests/parity`, and runs that start from folders in Hugging
//! Face layout, made of the same figures.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Done, folder, root, run};
use serde_json::Value;

fn fixtures() -> PathBuf {
    root().join("tests/parity")
}

fn compare(folder: &Path, fixtures: &Path) -> (Done, Value) {
    let fixtures = fixtures.display().to_string();
    let done = run(folder, &["parity", "--fixtures", &fixtures, "--device", "flex", "--json"]);
    let printed = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", done.stdout, done.stderr));
    (done, printed)
}

/// What may be left out: what is not a number, and tensors whose checksums stand in for them.
const MAY_SKIP: [&str; 4] =
    ["env", "README.md", "actor_step.safetensors", "critic_step.safetensors/target_after"];

/// A check of each kind that there must be.
const MUST_HAVE: [&str; 30] = [
    "tokens/texts/actor_ids",
    "tokens/ragged/observation.critic_mask",
    "forward/even/critic.q1",
    "forward/ragged/target_critic.v2",
    "forward/critic_edge/critic.q1",
    "forward/even/log_prob.action.each_alone",
    "forward/ragged/log_prob.action.each_alone",
    "forward/ragged/log_prob.pi_action.official_batch",
    "forward/actor/sample0.logits",
    "critic_step/even/q1.loss",
    "critic_step/ragged/target_for_q1",
    "critic_step/even/target_q2.std",
    "critic_step/even/grad_norm",
    "critic_step/even/grads.critic1.0.weight",
    "critic_step/ragged/after.elements",
    "critic_step/even/optimiser.after.critic1.0.weight",
    "critic_step/even/target_after.sums",
    "actor_step/ragged/pg.loss",
    "actor_step/ragged/each_alone_averaged.pg_loss",
    "actor_step/even/after.elements",
    "bc/ragged/loss",
    "bc/ragged/each_alone_averaged.loss",
    "token_level/even/values.loss",
    "token_level/ragged/grads.elements",
    "generation/alone/new_ids",
    "generation/batched_left_padding/new_ids",
    "returns/0/mc_returns",
    "replay_buffer/1/slots_observation",
    "update_trace/yaml_defaults.ragged_then_even/critic.elements",
    "update_trace/trainer_defaults.even/1.clips.4.total_norm",
];

/// Every model of `tests/parity-lm`, in each quantity that there is of it.
#[test]
fn models_of_other_layouts_compute_what_transformers_and_peft_do() {
    let folder = folder();
    let (done, printed) = compare(folder.path(), &root().join("tests/parity-lm"));
    let checks = printed["checks"].as_array().unwrap();
    let failed: Vec<&Value> = checks.iter().filter(|check| check["pass"] != true).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!((done.code, printed["skipped"].as_array().unwrap().len()), (0, 0), "{printed}");
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    let models =
        ["llama_tied", "llama_linear", "llama3", "llama_yarn_biases", "qwen2", "qwen3", "mistral"];
    for model in models {
        for part in [
            "0/logits",
            "1/log_prob",
            "2/greedy",
            "adapter/file",
            "0/lora.logits",
            "grad/base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight",
            "losses",
            "after/base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight",
            "merged.logits",
        ] {
            let name = format!("{model}/{part}");
            assert!(names.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn every_number_of_the_reference_is_met() {
    let folder = folder();
    let (done, printed) = compare(folder.path(), &fixtures());
    let failed: Vec<&Value> = printed["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["pass"] != true)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!((done.code, &printed["failed"]), (0, &Value::from(0)), "{}", done.stderr);
    let names: Vec<&str> = printed["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(printed["passed"], names.len());
    for name in MUST_HAVE {
        assert!(names.contains(&name), "nothing compares {name}");
    }
    for skip in printed["skipped"].as_array().unwrap() {
        let name = skip["name"].as_str().unwrap();
        assert!(MAY_SKIP.contains(&name), "{skip}");
    }
}

/// A folder with the models and one file of numbers, after `change`.
fn tampered(folder: &Path, file: &str, change: impl Fn(String) -> String) -> PathBuf {
    let copy = folder.join("fixtures");
    for part in ["actor", "critic"] {
        fs::create_dir_all(copy.join(part)).unwrap();
        for entry in fs::read_dir(fixtures().join(part)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.join(part).join(entry.file_name())).unwrap();
        }
    }
    for name in ["batches.json", "critic.safetensors", "target_critic.safetensors"] {
        fs::copy(fixtures().join(name), copy.join(name)).unwrap();
    }
    let text = fs::read_to_string(fixtures().join(file)).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "nothing was changed");
    fs::write(copy.join(file), changed).unwrap();
    copy
}

#[test]
fn a_number_that_was_changed_is_found() {
    let folder = folder();
    let copy = tampered(folder.path(), "bc.json", |text| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let loss = value["even"]["f64"]["loss"].as_f64().unwrap();
        value["even"]["f64"]["loss"] = Value::from(loss + 1e-4);
        value.to_string()
    });
    let (done, printed) = compare(folder.path(), &copy);
    assert_eq!((done.code, &printed["failed"]), (1, &Value::from(1)));
    let checks = printed["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["pass"] == false).unwrap();
    assert_eq!(failed["name"], "bc/even/loss");
    assert!(done.stderr.contains("1 of "), "{}", done.stderr);
    // What is not there is named.
    let skipped = printed["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|skip| skip["name"] == "update_trace.json"), "{skipped:?}");
}

#[test]
fn a_file_of_another_form_is_named_with_the_place() {
    let folder = folder();
    let copy = tampered(folder.path(), "bc.json", |text| text.replace("\"grad_norm\"", "\"norm\""));
    let copy = copy.display().to_string();
    let done = run(folder.path(), &["parity", "--fixtures", &copy, "--device", "flex"]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("bc.json: even.f64.grad_norm is missing"), "{}", done.stderr);
}

#[test]
fn a_folder_without_fixtures_is_a_mistake_of_usage() {
    let folder = folder();
    let done = run(folder.path(), &["parity", "--fixtures", "absent"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("no folder absent"), "{}", done.stderr);
    let done = run(folder.path(), &["parity", "--fixtures", "."]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("neither batches.json nor meta.json"), "{}", done.stderr);
}

/// A folder with the fixtures' critic as it would be published: weights, shape and tokenizer.
fn critic_folder(folder: &Path) -> String {
    let critic = folder.join("critic");
    fs::create_dir_all(&critic).unwrap();
    for (from, to) in [
        ("critic/config.json", "config.json"),
        ("critic/tokenizer.json", "tokenizer.json"),
        ("critic.safetensors", "model.safetensors"),
    ] {
        fs::copy(fixtures().join(from), critic.join(to)).unwrap();
    }
    critic.display().to_string()
}

/// Settings of a run that is over in seconds.
const SMALL: [&str; 13] = [
    "warm_start.steps=0",
    "world.words=subset",
    "world.max_turns=3",
    "iterations=2",
    "warmup_iter=1",
    "rollout_size=2",
    "eval_size=2",
    "eval_freq=0",
    "epochs=2",
    "actor_epochs=1",
    "batch_size=2",
    "grad_accum_steps=2",
    "max_new_tokens=6",
];

fn train(folder: &Path, out: &str, more: &[String]) -> Done {
    let mut args = vec!["train".to_string(), "--config".to_string(), "run.toml".to_string()];
    args.extend(["--out", out, "--device", "flex", "--final-games", "0", "-q"].map(String::from));
    for setting in SMALL.iter().map(|text| text.to_string()).chain(more.iter().cloned()) {
        args.extend(["--set".to_string(), setting]);
    }
    fs::write(folder.join("run.toml"), "").unwrap();
    run(folder, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_run_starts_from_an_actor_and_a_critic_with_tokenizers_of_their_own() {
    for numerics in ["fixed", "compat"] {
        let folder = folder();
        let path = folder.path();
        let critic = critic_folder(path);
        let actor = fixtures().join("actor").display().to_string();
        let start =
            [format!("actor={actor}"), format!("critic={critic}"), format!("numerics={numerics}")];
        train(path, "whole", &start).success();
        // What comes out is a folder that goes in again, both tokenizers in it.
        let words = |path: &Path| -> Value {
            let text = fs::read(path.join("tokenizer.json")).unwrap();
            serde_json::from_slice::<Value>(&text).unwrap()["model"]["vocab"].take()
        };
        let model = path.join("whole/model");
        let kept = |inside: &str| words(&model.join(inside)) == words(&fixtures().join(inside));
        assert!(words(&model) == words(&fixtures().join("actor")), "another actor's tokenizer");
        assert!(kept("critic"), "another critic's tokenizer");
        let again = [format!("actor={}", model.display()), format!("numerics={numerics}")];
        train(path, "again", &again).success();
        // Stopped half way and resumed it comes to the same weights.
        let half = [&start[..], &["iterations=1".to_string()]].concat();
        train(path, "halved", &half).success();
        let resume = ["train", "--resume", "halved", "--set", "iterations=2", "--device", "flex"];
        run(path, &[&resume[..], &["--final-games", "0", "-q"]].concat()).success();
        for weights in ["model.safetensors", "critic/model.safetensors"] {
            let bytes = |run: &str| fs::read(path.join(run).join("model").join(weights)).unwrap();
            assert!(bytes("whole") == bytes("halved"), "{numerics}: {weights} differ");
        }
    }
}

#[test]
fn a_critic_folder_that_is_none_says_so() {
    let folder = folder();
    let path = folder.path();
    let actor = format!("actor={}", fixtures().join("actor").display());
    for (critic, parts) in [
        ("critic=absent", ["no critic folder absent", "absent"]),
        ("critic=.", ["holds no config.json", "critic folder"]),
    ] {
        let done = train(path, "out", &[actor.clone(), critic.to_string()]);
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(parts.iter().all(|part| done.stderr.contains(part)), "{}", done.stderr);
    }
    let critic = critic_folder(path);
    let done = train(path, "out", &[format!("critic={critic}")]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("critic = "), "{}", done.stderr);
    fs::remove_file(path.join("critic/model.safetensors")).unwrap();
    let done = train(path, "out", &[actor, format!("critic={critic}")]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("critic/model.safetensors"), "{}", done.stderr);
}

/// The reference's experiments stand in `configs/` and want the folders that they start from.
#[test]
fn the_references_experiments_fail_clearly_without_their_models() {
    let folder = folder();
    let archer = ["archer_20q", "archer_20q_subset", "archer_city"];
    for name in archer.into_iter().chain(["chai_20q", "filtered_bc_20q"]) {
        let file = root().join(format!("configs/{name}.toml")).display().to_string();
        let done = run(folder.path(), &["train", "--config", &file]);
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains("no model folder gpt2"), "{}", done.stderr);
        let set = ["--set", "actor=elsewhere", "--set", "critic=there"];
        let done = run(folder.path(), &[&["train", "--config", &file][..], &set].concat());
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.contains("no model folder elsewhere"), "{}", done.stderr);
    }
}
