//! The tokenizer in a header as `tokenizer.json` and `tokenizer_config.json`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Folder;
use super::header::{Header, Item};
use crate::error::Error;
use crate::hf::config::pretty;

/// Kinds of tokens that are found in a text as they are: control tokens, and those that somebody added.
const CONTROL: f64 = 3.0;
const ADDED: f64 = 4.0;

/// GPT-4's split into words, as Llama 3 has it.
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Llama 3's pattern with digits one by one, as Qwen 2 has it.
const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Both files.
pub fn files(header: &Header<'_>) -> Result<Folder, Error> {
    let model = header.text("tokenizer.ggml.model")?;
    if model != "gpt2" {
        return header.fault(format!(
            "tokenizer.ggml.model is {model}; only gpt2, a BPE of bytes, can be read out of such a file: take the model as a Hugging Face folder"
        ));
    }
    let tokens = texts(header, "tokenizer.ggml.tokens")?;
    let merges = texts(header, "tokenizer.ggml.merges")?;
    let kinds = match header.has("tokenizer.ggml.token_type") {
        true => header.list("tokenizer.ggml.token_type")?,
        false => &[],
    };
    let mut added = Vec::new();
    for (id, (token, kind)) in tokens.iter().zip(kinds).enumerate() {
        if matches!(kind, Item::Number(kind) if [CONTROL, ADDED].contains(kind)) {
            added.push(json!({
                "id": id, "content": token, "special": *kind == Item::Number(CONTROL),
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            }));
        }
    }
    let distinct: BTreeSet<&str> = tokens.iter().copied().collect();
    if distinct.len() != tokens.len() {
        return header.fault("tokenizer.ggml.tokens has the same token twice".into());
    }
    let vocab: Map<String, Value> =
        tokens.iter().enumerate().map(|(id, token)| (token.to_string(), id.into())).collect();
    let pairs = merges.iter().map(|merge| {
        let pair = merge.split_once(' ');
        pair.map(|(a, b)| json!([a, b]))
            .ok_or_else(|| header.error(format!("the merge {merge:?} is no pair of tokens")))
    });
    let merges: Vec<Value> = pairs.collect::<Result<_, _>>()?;
    let before = match header.has("tokenizer.ggml.pre") {
        true => header.text("tokenizer.ggml.pre")?,
        false => "gpt-2",
    };
    let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
    let split = |pattern: &str| {
        json!({"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            bytes(false),
        ]})
    };
    let (normalizer, before, whole_first) = match before {
        "gpt-2" | "default" => (Value::Null, bytes(true), false),
        "smollm" => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            let both = json!({"type": "Sequence", "pretokenizers": [digits, bytes(true)]});
            (Value::Null, both, false)
        }
        "llama-bpe" | "llama3" | "llama-v3" => (Value::Null, split(LLAMA_3), true),
        "qwen2" => (json!({"type": "NFC"}), split(QWEN_2), false),
        other => {
            return header.fault(format!(
                "tokenizer.ggml.pre is {other}; gpt-2, smollm, llama-bpe and qwen2 can be read: take the model as a Hugging Face folder"
            ));
        }
    };
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": before,
        "post_processor": null,
        "decoder": bytes(true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": whole_first, "vocab": vocab, "merges": merges,
        },
    });
    let mut config = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    if header.has("tokenizer.chat_template") {
        config["chat_template"] = header.text("tokenizer.chat_template")?.into();
    }
    for (key, ours) in [
        ("bos_token_id", "bos_token"),
        ("eos_token_id", "eos_token"),
        ("padding_token_id", "pad_token"),
    ] {
        let key = format!("tokenizer.ggml.{key}");
        if header.has(&key)
            && let Some(token) = tokens.get(header.number(&key)? as usize)
        {
            config[ours] = (*token).into();
        }
    }
    let written = serde_json::to_vec(&file).expect("JSON can be written");
    Ok(Folder::from([
        ("tokenizer.json".to_string(), written.into()),
        ("tokenizer_config.json".to_string(), pretty(&config).into()),
    ]))
}

fn texts<'a>(header: &'a Header<'_>, key: &str) -> Result<Vec<&'a str>, Error> {
    let texts = header.list(key)?.iter().map(|item| match item {
        Item::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts
        .collect::<Option<_>>()
        .map_or_else(|| header.fault(format!("{key} must be a list of texts")), Ok)
}
