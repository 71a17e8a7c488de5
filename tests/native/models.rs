//! Model folders and files from elsewhere through the binary: one check of all that is in them, before
//! anything is reserved; what is refused is named, what is set aside is told, and nothing is read otherwise.

use crate::common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use archer::checkpoint::Sections;
use archer::hf::weights::Weights;
use common::{Done, TINY, folder, model_copy, root, run};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

/// A tensor's shape and values.
type Tensor = (Vec<usize>, Vec<f32>);

fn tensors(file: &Path) -> BTreeMap<String, Tensor> {
    let files = [("f".to_string(), fs::read(file).unwrap().into())];
    let weights = Weights::new(&files).unwrap();
    weights.names().map(|name| (name.to_string(), weights.values(name).unwrap())).collect()
}

fn write_tensors(file: &Path, tensors: &BTreeMap<String, Tensor>) {
    let bytes: BTreeMap<&String, (&[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (name, (&shape[..], values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        })
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
    });
    fs::write(file, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn read_json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn write_json(file: &Path, value: &Value) {
    fs::write(file, value.to_string()).unwrap();
}

/// Sets some values in a JSON file, each by its pointer; an absent key is added.
fn set(file: &Path, changes: &[(&str, Value)]) {
    let mut root = read_json(file);
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = root.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(place) if parent.is_array() => parent[place] = value.clone(),
            _ => parent[key] = value.clone(),
        }
    }
    write_json(file, &root);
}

/// Greedy games of a model, or what is said instead.
fn eval(folder: &Path, model: &str, more: &[&str]) -> Done {
    let eval = ["eval", "--model", model, "--games", "4", "--device", "flex", "--json"];
    run(folder, &[&eval[..], more].concat())
}

/// Checks that a model is refused in one sentence, with all of `parts` in it.
fn refused(folder: &Path, model: &str, parts: &[&str]) {
    let done = eval(folder, model, &[]);
    let (code, text) = (done.code, &done.stderr);
    assert!(code == 1 || code == 2, "{code}: {parts:?}: {text}");
    assert!(!text.contains("panicked") && text.lines().count() == 1, "{parts:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

const FILES: [&str; 5] = [
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "critic/model.safetensors",
    "critic/config.json",
];

#[test]
fn a_file_that_is_something_else_is_named_with_the_remedy() {
    let place = folder();
    let place = place.path();
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548105171\n";
    let archer = fs::read(root().join("pkg/models/quickstart.archer")).unwrap();
    let kinds: [(&[u8], &str); 8] = [
        (lfs, "git lfs pull"),
        (b"PK\x03\x04\x14\x00\x00\x00archive/data.pkl", "zip archive"),
        (b"\x80\x02}q\x00X\x01\x00", "pickle"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "HTML"),
        (b"GGUF\x03\x00\x00\x00", "GGUF"),
        (b"\x1f\x8b\x08\x00\x00\x00", "unpack it"),
        (&archer, ".archer file"),
        (b"", "is empty"),
    ];
    let model = model_copy(place, "model");
    for file in FILES {
        let path = model.join(file);
        let whole = fs::read(&path).unwrap();
        for (bytes, part) in kinds {
            fs::write(&path, bytes).unwrap();
            refused(place, "model", &["model: ", file, part]);
        }
        // Cut anywhere, it is no whole file.
        for share in [3, 2] {
            fs::write(&path, &whole[..whole.len() / share]).unwrap();
            refused(place, "model", &[file]);
        }
        fs::write(&path, &whole).unwrap();
    }
    // A mark before the text is no fault, and UTF-16 has a name.
    let path = model.join("config.json");
    let text = fs::read(&path).unwrap();
    fs::write(&path, [b"\xef\xbb\xbf", &text[..]].concat()).unwrap();
    eval(place, "model", &[]).success();
    let wide: Vec<u8> = text.iter().flat_map(|&byte| [byte, 0]).collect();
    fs::write(&path, [b"\xff\xfe", &wide[..]].concat()).unwrap();
    refused(place, "model", &["config.json", "UTF-16"]);
    // The weights themselves in the place of a model.
    fs::write(&path, text).unwrap();
    refused(place, "model/model.safetensors", &["safetensors", "name the folder"]);
}

#[test]
fn what_cannot_be_read_is_not_called_missing() {
    let place = folder();
    let place = place.path();
    for file in FILES {
        let model = model_copy(place, "model");
        fs::remove_file(model.join(file)).unwrap();
        if file != "critic/config.json" {
            refused(place, "model", &[file]);
        }
        fs::create_dir(model.join(file)).unwrap();
        let name = file.rsplit('/').next().unwrap();
        refused(place, "model", &[name, "is a folder"]);
        fs::remove_dir_all(&model).unwrap();
    }
    let model = model_copy(place, "model");
    fs::rename(model.join("model.safetensors"), model.join("pytorch_model.bin")).unwrap();
    refused(place, "model", &["pytorch_model.bin", "pickle", "save_pretrained"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", model.join("model.safetensors")).unwrap();
        fs::remove_file(model.join("pytorch_model.bin")).unwrap();
        refused(place, "model", &["model.safetensors", "symbolic link to nothing"]);
    }
    fs::create_dir_all(place.join("my run/checkpoints")).unwrap();
    fs::write(place.join("my run/checkpoints/latest"), "").unwrap();
    let done = run(place, &["train", "--set", "actor=my run", "--out", "x", "--quiet"]);
    assert!(done.code == 2 && done.stderr.contains("'my run/model'"), "{}", done.stderr);
}

#[test]
fn a_key_of_another_type_or_range_is_refused_by_name() {
    let place = folder();
    let place = place.path();
    let model = model_copy(place, "model");
    let whole = fs::read(model.join("config.json")).unwrap();
    for (key, value) in [
        ("layer_norm_epsilon", json!("0.5")),
        ("layer_norm_epsilon", json!(-1)),
        ("n_inner", json!("256")),
        ("scale_attn_by_inverse_layer_idx", json!(1)),
        ("activation_function", json!(3)),
        ("tie_word_embeddings", json!("true")),
        ("n_head", json!("4")),
        ("n_layer", json!(100_000)),
        ("n_layer", json!(1_000_000)),
        ("n_layer", json!(1u64 << 63)),
        ("n_layer", json!(5)),
        ("n_embd", json!(1u64 << 40)),
        ("eos_token_id", json!("</s>")),
        ("eos_token_id", json!(90_000)),
    ] {
        set(&model.join("config.json"), &[(&format!("/{key}"), value)]);
        refused(place, "model", &["config.json", key]);
        fs::write(model.join("config.json"), &whole).unwrap();
    }
    for (key, value, part) in [
        ("vocab_size", json!(90_000_000), "[90000000, 128]"),
        ("n_positions", json!(90_000_000), "[90000000, 128]"),
        ("n_embd", json!(40_000_000), "40000000"),
    ] {
        set(&model.join("config.json"), &[(&format!("/{key}"), value)]);
        refused(place, "model", &[part]);
        fs::write(model.join("config.json"), &whole).unwrap();
    }
    let critic = model.join("critic/config.json");
    let whole = fs::read(&critic).unwrap();
    for (key, value) in [("layer_norm_epsilon", json!([])), ("n_layer", json!(1_000_000))] {
        set(&critic, &[(&format!("/{key}"), value)]);
        refused(place, "model", &["critic/config.json", key]);
        fs::write(&critic, &whole).unwrap();
    }
}

#[test]
fn every_tensor_is_accounted_for() {
    let place = folder();
    let place = place.path();
    let model = model_copy(place, "model");
    let file = model.join("model.safetensors");
    let whole = tensors(&file);
    let plain = eval(place, "model", &[]).success().stdout;
    let wte = whole["transformer.wte.weight"].clone();
    let write = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        let mut all = whole.clone();
        change(&mut all);
        write_tensors(&file, &all);
    };
    // Equal: the same function. Another: refused, whatever config.json says.
    write(&|all| drop(all.insert("lm_head.weight".into(), wte.clone())));
    assert_eq!(eval(place, "model", &[]).success().stdout, plain);
    let mut other = wte.clone();
    other.1[0] += 1.0;
    let config = fs::read(model.join("config.json")).unwrap();
    for tied in [json!(true), json!(false), Value::Null] {
        set(&model.join("config.json"), &[("/tie_word_embeddings", tied)]);
        write(&|all| drop(all.insert("lm_head.weight".into(), other.clone())));
        refused(place, "model", &["lm_head.weight", "another matrix"]);
        write(&|all| drop(all.insert("lm_head.weight".into(), (vec![1, 7], vec![0.0; 7]))));
        refused(place, "model", &["lm_head.weight", "another matrix"]);
    }
    fs::write(model.join("config.json"), config).unwrap();
    for (name, tensor, part) in [
        ("transformer.h.0.attn.bias", (vec![1, 1, 384, 384], vec![1.0; 384 * 384]), "mask"),
        ("transformer.position_ids", (vec![2], vec![1.0, 0.0]), "position_ids"),
        ("transformer.h.4.ln_1.weight", (vec![128], vec![1.0; 128]), "transformer.h.4.ln_1"),
        ("score.weight", (vec![1], vec![1.0]), "score.weight"),
    ] {
        write(&|all| drop(all.insert(name.into(), tensor.clone())));
        refused(place, "model", &["model.safetensors", part]);
    }
    for (prefix, bare) in [("_orig_mod.", false), ("module.", true), ("base_model.model.", false)] {
        write(&|all| {
            let named = std::mem::take(all).into_iter().map(|(name, tensor)| {
                let name = if bare { name.replace("transformer.", "") } else { name };
                (format!("{prefix}{name}"), tensor)
            });
            *all = named.collect();
            all.insert("v_head.summary.weight".into(), (vec![1, 128], vec![1.0; 128]));
        });
        let done = eval(place, "model", &[]).success();
        assert_eq!(done.stdout, plain);
        for part in ["note: ", prefix.trim_end_matches('.'), "v_head.summary.weight"] {
            assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
        }
    }
}

/// The model of [`model_copy`] as a stranger's: without archer.json, so that its tokenizer may be another.
fn stranger(place: &Path, name: &str) -> std::path::PathBuf {
    let model = model_copy(place, name);
    fs::remove_file(model.join("archer.json")).unwrap();
    model
}

const PLAY: [&str; 4] = ["--world", "twenty_questions", "--seed", "3"];

#[test]
fn what_a_tokenizer_file_says_of_batches_and_training_changes_nothing() {
    let place = folder();
    let place = place.path();
    let model = stranger(place, "model");
    let plain = eval(place, "model", &PLAY).success();
    assert!(!plain.stderr.contains("set aside"), "{}", plain.stderr);
    let pad = json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"});
    let cut =
        json!({"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0});
    for file in ["tokenizer.json", "critic/tokenizer.json"] {
        let path = model.join(file);
        let whole = fs::read(&path).unwrap();
        set(
            &path,
            &[
                ("/padding", pad.clone()),
                ("/truncation", cut.clone()),
                ("/model/dropout", json!(0.5)),
            ],
        );
        let done = eval(place, "model", &PLAY).success();
        assert_eq!(done.stdout, plain.stdout);
        for key in [file, "padding", "truncation", "dropout"] {
            assert!(done.stderr.contains(key), "{key}: {}", done.stderr);
        }
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_broken_tokenizer_is_an_error_and_no_panic() {
    let place = folder();
    let place = place.path();
    let model = stranger(place, "model");
    let path = model.join("tokenizer.json");
    let whole = fs::read(&path).unwrap();
    let decoder = whole.windows(9).rposition(|part| part == b"\"decoder\"").unwrap();
    for more in [12, 20, 45, 90] {
        fs::write(&path, &whole[..decoder + more]).unwrap();
        refused(place, "model", &["tokenizer.json"]);
    }
    fs::write(&path, &whole).unwrap();
    for (pointer, value) in [
        ("/decoder", json!({"type": 7})),
        ("/model/vocab/!", json!(4_000_000_000u32)),
        ("/model/vocab/!", json!(-5)),
        ("/model/merges/0", json!("x")),
        ("/added_tokens/0", json!(null)),
    ] {
        set(&path, &[(pointer, value)]);
        refused(place, "model", &["tokenizer.json"]);
        fs::write(&path, &whole).unwrap();
    }
    // The token that ends a text has another name: config.json says which it is.
    let renamed = String::from_utf8(whole).unwrap().replace("\"</s>\"", "\"[EOS]\"");
    fs::write(&path, &renamed).unwrap();
    fs::write(model.join("critic/tokenizer.json"), renamed).unwrap();
    eval(place, "model", &PLAY).success();
    set(&model.join("config.json"), &[("/eos_token_id", Value::Null)]);
    fs::remove_file(model.join("generation_config.json")).unwrap();
    let done = eval(place, "model", &PLAY);
    assert!(done.code == 1 && done.stderr.contains("eos_token_id"), "{}", done.stderr);
    let named = json!({"eos_token": {"content": "[EOS]", "__type": "AddedToken"}});
    write_json(&model.join("special_tokens_map.json"), &named);
    eval(place, "model", &PLAY).success();
}

/// A model with more rows than tokens, of which the spare ones would be the likeliest by far.
fn with_spare_rows(model: &Path, spare: usize) {
    let file = model.join("model.safetensors");
    let mut all = tensors(&file);
    let (shape, values) = all.get_mut("transformer.wte.weight").unwrap();
    let strong: Vec<f32> = values[..128].iter().map(|value| value * 50.0).collect();
    (0..spare).for_each(|row| {
        let sign = if row % 2 == 0 { 1.0 } else { -1.0 };
        values.extend(strong.iter().map(|value| value * sign));
    });
    shape[0] += spare;
    let rows = shape[0];
    write_tensors(&file, &all);
    set(&model.join("config.json"), &[("/vocab_size", json!(rows))]);
}

#[test]
fn rows_without_a_token_are_never_said_and_cost_no_probability() {
    let place = folder();
    let place = place.path();
    stranger(place, "plain");
    with_spare_rows(&stranger(place, "spare"), 477);
    for how in [&["--sample"][..], &[]] {
        let [plain, spare] =
            ["plain", "spare"].map(|model| eval(place, model, &[&PLAY[..], how].concat()));
        assert_eq!(plain.success().stdout, spare.success().stdout);
    }
    // An id beyond the count of tokens, and one that only an added token has: sizes go by the largest.
    for (name, change) in [("moved", false), ("added", true)] {
        let model = stranger(place, name);
        for file in ["tokenizer.json", "critic/tokenizer.json"] {
            let path = model.join(file);
            match change {
                false => set(&path, &[("/model/vocab/ĠNo.Ċ", json!(1100))]),
                true => {
                    let mut root = read_json(&path);
                    let mut token = root["added_tokens"][0].clone();
                    (token["id"], token["content"]) = (json!(1100), json!("<x>"));
                    root["added_tokens"].as_array_mut().unwrap().push(token);
                    write_json(&path, &root);
                }
            }
        }
        let done = eval(place, name, &PLAY);
        let told = done.code == 1 && done.stderr.contains("1100") && done.stderr.contains("1024");
        assert!(told, "{}", done.stderr);
        with_spare_rows(&model, 477);
        fs::remove_dir_all(model.join("critic")).unwrap();
        eval(place, name, &[&PLAY[..], &["--sample"]].concat()).success();
    }
    // The same mask where it learns: what was drawn has the probability that learning computes.
    let small = "layers = 1\nwidth = 16\nheads = 2\npositions = 160";
    let tiny = TINY.replace(small, "layers = 3\nwidth = 128\nheads = 4\npositions = 384");
    fs::write(place.join("tiny.toml"), tiny).unwrap();
    for algorithm in ["archer", "ppo"] {
        let set = format!("algorithm={algorithm}");
        let train = ["train", "--config", "tiny.toml", "--device", "flex", "--quiet", "--out"];
        let how = ["--set", "actor=spare", "--set", "warm_start.steps=0", "--set", "iterations=1"];
        let less = ["--final-games", "0", "--set", "warmup_iter=0", "--set", &set];
        run(place, &[&train[..], &[algorithm], &how, &less].concat()).success();
        let lines = common::metrics(&place.join(algorithm));
        let gaps = lines.iter().filter_map(|line| line["actor.log_prob_gap"].as_f64());
        let most = gaps.fold(-1.0, f64::max);
        assert!((0.0..1e-3).contains(&most), "{algorithm}: {most}");
    }
}

#[test]
fn a_file_whose_sizes_are_lies_is_refused_at_once() {
    let place = folder();
    let place = place.path();
    let whole = fs::read(root().join("pkg/models/quickstart.archer")).unwrap();
    let whole = Sections::from_bytes(&whole).unwrap();
    let names =
        ["state", "actor_config", "tokenizer", "actor", "critic_config", "critic", "example"];
    let found = |name: &str| whole.get(name).or(whole.get(&format!("{name}_packed"))).unwrap();
    let written = |name: &str| match whole.get(name) {
        Ok(_) => name.to_string(),
        Err(_) => format!("{name}_packed"),
    };
    let without = |left_out: &str, change: &dyn Fn(&str, &mut Value)| {
        let mut sections = Sections::new();
        for name in names.into_iter().filter(|name| *name != left_out) {
            let mut bytes = found(name).to_vec();
            if name.ends_with("_config") {
                let mut config: Value = serde_json::from_slice(&bytes).unwrap();
                change(name, &mut config);
                bytes = config.to_string().into_bytes();
            }
            sections.push(&written(name), bytes);
        }
        fs::write(place.join("model.archer"), sections.to_bytes()).unwrap();
    };
    without("", &|_, _| ());
    eval(place, "model.archer", &[]).success();
    for (of, key, value, part) in [
        ("actor_config", "n_layer", json!(1_000_000), "n_layer"),
        ("actor_config", "n_layer", json!(999), "scalars"),
        ("actor_config", "n_embd", json!(48_000_000), "scalars"),
        ("actor_config", "vocab_size", json!(90_000_000), "scalars"),
        ("critic_config", "n_layer", json!(1_000_000), "n_layer"),
        ("critic_config", "n_positions", json!(90_000_000), "scalars"),
    ] {
        without("", &|name, config| {
            if name == of {
                config[key] = value.clone();
            }
        });
        refused(place, "model.archer", &["model.archer", part]);
    }
    // A critic's algorithm without a critic, wherever such a file is read.
    without("critic_config", &|_, _| ());
    refused(place, "model.archer", &["critic_config"]);
    let resume = ["train", "--resume", "model.archer", "--out", "on", "--set", "iterations=99"];
    let done = run(place, &resume);
    assert!(done.code == 1 && done.stderr.contains("critic_config"), "{}", done.stderr);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

/// A folder with a BERT of random weights that reads by word pieces.
fn bert(folder: &Path) {
    let critic = folder.join("bert");
    fs::create_dir_all(&critic).unwrap();
    let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "is", "it", "a", "an", "ani", "##mal", "?", ".", "yes",
        "no",
    ];
    let vocab: serde_json::Map<String, Value> =
        words.iter().enumerate().map(|(id, word)| (word.to_string(), json!(id))).collect();
    let (width, rows) = (8, words.len());
    write_json(
        &critic.join("tokenizer.json"),
        &json!({"version": "1.0", "truncation": {"direction": "Right", "max_length": 2,
            "strategy": "LongestFirst", "stride": 0}, "padding": null, "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab}}),
    );
    let config = json!({"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 1,
        "hidden_size": width, "num_attention_heads": 2, "intermediate_size": 16,
        "max_position_embeddings": 64, "vocab_size": rows, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "pad_token_id": 0});
    write_json(&critic.join("config.json"), &config);
    let mut all: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut add = |name: String, shape: Vec<usize>| {
        let size = shape.iter().product::<usize>();
        let is_norm = name.contains("LayerNorm.weight");
        let seed = all.len() as f32;
        let value = |n: usize| (0.7 * n as f32 + seed).sin() * 0.3;
        let values = (0..size).map(|n| if is_norm { 1.0 } else { value(n) }).collect();
        all.insert(name, (shape, values));
    };
    for (name, rows) in [("word", rows), ("position", 64), ("token_type", 2)] {
        add(format!("bert.embeddings.{name}_embeddings.weight"), vec![rows, width]);
    }
    let layer = "bert.encoder.layer.0";
    for (name, outputs, inputs) in [
        (format!("{layer}.attention.self.query"), width, width),
        (format!("{layer}.attention.self.key"), width, width),
        (format!("{layer}.attention.self.value"), width, width),
        (format!("{layer}.attention.output.dense"), width, width),
        (format!("{layer}.intermediate.dense"), 16, width),
        (format!("{layer}.output.dense"), width, 16),
        ("bert.pooler.dense".to_string(), width, width),
        ("cls.predictions.decoder".to_string(), rows, width),
    ] {
        add(format!("{name}.weight"), vec![outputs, inputs]);
        add(format!("{name}.bias"), vec![outputs]);
    }
    for name in [
        "bert.embeddings.LayerNorm".to_string(),
        format!("{layer}.attention.output.LayerNorm"),
        format!("{layer}.output.LayerNorm"),
    ] {
        add(format!("{name}.weight"), vec![width]);
        add(format!("{name}.bias"), vec![width]);
    }
    write_tensors(&critic.join("model.safetensors"), &all);
}

#[test]
fn a_run_whose_critic_reads_by_word_pieces_is_saved_resumed_and_played() {
    let place = folder();
    let place = place.path();
    fs::write(place.join("tiny.toml"), TINY).unwrap();
    let train =
        ["train", "--config", "tiny.toml", "--final-games", "0", "--quiet", "--device", "flex"];
    run(place, &[&train[..], &["--out", "start", "--set", "iterations=1"]].concat()).success();
    bert(place);
    let with =
        ["--set", "actor=start/model", "--set", "critic=bert", "--set", "warm_start.steps=0"];
    let first = [&train[..], &with, &["--out", "run", "--set", "iterations=2"]].concat();
    let done = run(place, &first).success();
    for part in ["truncation", "cls.predictions"] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    run(place, &[&train[..], &with, &["--out", "whole", "--set", "iterations=4"]].concat())
        .success();
    let on = ["train", "--resume", "run", "--set", "iterations=4", "--final-games", "0", "--quiet"];
    run(place, &on).success();
    let weights = |run: &str| common::weights(&place.join(run));
    assert!(weights("run") == weights("whole"), "the resumed run is another");
    let played = eval(place, "run/model", &[]).success().stdout;
    // A page reads no word pieces: no file is written for it, and the sentence says why and what else.
    let done = run(place, &["export", "--model", "run", "--out", "x.archer"]);
    assert!(done.code == 1 && !place.join("x.archer").exists(), "{}", done.stderr);
    for part in ["page", "BPE", "--folder"] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    run(place, &["export", "--model", "run", "--folder", "--out", "folder"]).success();
    assert_eq!(eval(place, "folder", &[]).success().stdout, played);
    run(place, &["export", "--model", "run", "--training", "--out", "y.archer"]).success();
    assert_eq!(eval(place, "y.archer", &[]).success().stdout, played);
}

#[test]
fn what_a_page_would_refuse_is_not_exported_and_the_reason_is_told() {
    let place = folder();
    let place = place.path();
    let model = stranger(place, "model");
    let path = model.join("tokenizer.json");
    let whole = fs::read(&path).unwrap();
    for (pointer, value, part) in [
        ("/model/unk_token", json!("<unk>"), "unk_token"),
        ("/added_tokens/4/lstrip", json!(true), "strip blanks"),
        ("/added_tokens/4/rstrip", json!(true), "strip blanks"),
        ("/added_tokens/4/single_word", json!(true), "stand alone"),
        ("/model/byte_fallback", json!(true), "byte_fallback"),
        ("/model/fuse_unk", json!(true), "fuse_unk"),
        ("/normalizer", json!({"type": "NFC"}), "normalizer"),
    ] {
        set(&path, &[(pointer, value)]);
        eval(place, "model", &PLAY).success();
        let done = run(place, &["export", "--model", "model", "--out", "x.archer"]);
        assert!(done.code == 1 && !place.join("x.archer").exists(), "{pointer}: {}", done.stderr);
        for part in [part, "--folder", "a page cannot read"] {
            assert!(done.stderr.contains(part), "{pointer}: {part}: {}", done.stderr);
        }
        fs::write(&path, &whole).unwrap();
    }
    run(place, &["export", "--model", "model", "--out", "x.archer"]).success();
}
