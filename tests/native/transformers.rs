//! What archer writes, read by Python's transformers: the same tokens of any text, the same words greedily,
//! and no critic that is taken for a language model.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use archer::Device;
use archer::agent::Agent;
use archer::nn::sampling::Sampler;
use archer::rng;
use common::{TINY, folder, python, root, run, run_with_input};
use pollster::block_on;
use serde_json::{Value, json};

/// Texts that archer's and other people's tokenizers cut in many ways.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "\n",
    "Questions:\nIs it an animal? Yes.\nIs it a dog? No.\n",
    "Is it  alive?\tNo.\r\n\n",
    "it's we've I'll 'S can't'nt",
    "<s>Is it</s><pad> <mask> <s",
    "naïve café ÀÉÎ ﬁ ß İ",
    "日本語とemoji 🦀👨‍👩‍👧 and Ⅷ ½",
    "a\u{300} zero\u{200b}width\u{a0}nbsp\u{2028}line",
    "\u{0}\u{1}\u{7f}\u{feff}\u{fffd}",
    "1234 12.5e-3 ---___*** ?!?! ...",
    "A much longer text, which no single merge of a small vocabulary has ever seen: 0123456789.",
    "Yes.\nNo.\nYes.\nNo.\nSometimes.\n",
];

/// Texts that a model goes on from.
const BEGINNINGS: [&str; 4] = [
    "Questions:\n",
    "Questions:\nIs it an animal? Yes.\n",
    "Questions:\nIs it alive? No.\nIs it heavy? Yes.\nIs it a car? No.\n",
    "Is it a dog?",
];

/// The folders that archer writes, by all ways that it has.
fn written(folder: &Path) -> Vec<PathBuf> {
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    let train = ["train", "--config", "tiny.toml", "--final-games", "0", "--quiet"];
    run(folder, &[&train[..], &["--out", "causal", "--set", "critic_model.kind=causal"]].concat())
        .success();
    run(
        folder,
        &[&train[..], &["--out", "encoder", "--set", "critic_model.kind=encoder"]].concat(),
    )
    .success();
    let export = ["export", "--model", "encoder", "--out"];
    run(folder, &[&export[..], &["model.archer", "--licence", "MIT"]].concat()).success();
    let unfold = ["export", "--model", "model.archer", "--folder", "--out", "my export"];
    run(folder, &unfold).success();
    let distill = ["distill", "--teacher", "causal", "--out", "student", "--quiet"];
    let small = ["--final-games", "0", "--set", "iterations=1", "--set", "rollout_size=8"];
    let batch = ["--set", "batch_size=8", "--set", "epochs=1", "--set", "eval_freq=0"];
    run(folder, &[&distill[..], &small, &batch].concat()).success();
    let mut all: Vec<PathBuf> =
        ["causal/warm_start", "causal/model", "encoder/model", "my export", "student/model"]
            .map(|name| folder.join(name))
            .into();
    all.push(root().join("models/twenty-questions"));
    all
}

fn agent(folder: &Path) -> Agent {
    let file = |name: &str| Ok(fs::read(folder.join(name)).ok().map(Into::into));
    Agent::from_files(&file, &Device::flex()).unwrap()
}

#[test]
fn transformers_reads_every_folder_that_archer_writes() {
    let there = Command::new(python()).args(["-c", "import transformers"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: transformers_reads_every_folder, for transformers is not on this machine"
        );
        return;
    }
    let place = folder();
    let folders = written(place.path());
    let asked = json!({"folders": folders, "texts": TEXTS, "continue": BEGINNINGS}).to_string();
    let script = root().join("tests/native/read_by_transformers.py");
    let told = common::run_program(
        Command::new(python()).arg(script).current_dir(place.path()),
        asked.as_bytes(),
    )
    .success()
    .json_lines();
    assert_eq!(told.len(), folders.len());
    for (folder, told) in folders.iter().zip(&told) {
        let (agent, shown) = (agent(folder), folder.display());
        for (text, ids) in TEXTS.iter().zip(told["ids"].as_array().unwrap()) {
            assert_eq!(*ids, json!(agent.tokenizer.encode(text)), "{shown}: {text:?}");
        }
        let refused = told["critic"]["refused"].as_str();
        let refused = refused.unwrap_or_else(|| panic!("{shown}: {}", told["critic"]));
        assert!(refused.contains("archer_critic"), "{shown}: {refused}");
        let Value::Array(continued) = &told["continued"] else {
            println!("skipped: the texts of {shown}, for PyTorch is not on this machine");
            continue;
        };
        for (beginning, theirs) in BEGINNINGS.iter().zip(continued) {
            let mut rng = rng::stream(1, "greedy", 0);
            let ours = block_on(agent.say(beginning, &Sampler::greedy(), &mut rng)).unwrap();
            let theirs = theirs.as_str().unwrap().split('\n').next().unwrap();
            assert_eq!(theirs.trim(), ours.trim(), "{shown}: after {beginning:?}");
        }
        println!("{shown}: the texts are the same, such as {}", continued[1]);
    }
    // What the card says of licence and world.
    let card = fs::read_to_string(place.path().join("my export/README.md")).unwrap();
    assert!(card.starts_with("---\n") && card.contains("\nlicense: mit\n"), "{card}");
    assert!(card.contains("twenty_questions") && card.contains("4 iterations of archer"), "{card}");
    // It is read again with all that was written beside the weights.
    let again = run_with_input(
        place.path(),
        &["eval", "--model", "my export", "--games", "5", "--json"],
        b"",
    );
    assert!(!again.success().stderr.contains("note:"));
}
