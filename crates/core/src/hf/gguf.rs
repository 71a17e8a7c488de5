//! GGUF, the one file that llama.cpp reads, as the files of a model folder.
//!
//! A header of keys and values describes the model and holds its tokenizer; tensors follow, many of them in
//! blocks of few bits. Configuration and tokenizer come out as a folder would hold them, so that one reader
//! checks them; tensors stay where they lie. Sizes are held against the file before anything is reserved.
//! The layout of the file is that of GGUF's specification, version 3 (ggml, docs/gguf.md).

mod blocks;
mod header;
mod tokenizer;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::header::{Header, Tensor};
use super::config::pretty;
use super::stored::Stored;
use super::weights::GGUF;
use crate::error::Error;

/// What such a file begins with.
pub const MAGIC: &[u8] = b"GGUF";

/// The files of a model folder, by name.
pub type Folder = BTreeMap<String, Bytes>;

/// The model in a file: `config.json`, `tokenizer.json`, `tokenizer_config.json`, and itself for its
/// weights. `file` is its name for errors.
///
/// # Errors
/// If it is damaged, of another version, or holds a model, a tokenizer or a quantisation that cannot be
/// read; the error names the key or the tensor.
pub fn folder(file: &str, bytes: &Bytes) -> Result<Folder, Error> {
    let header = Header::read(file, bytes)?;
    let (config, _) = config(&header, &architecture(&header)?)?;
    let mut folder = tokenizer::files(&header)?;
    folder.insert("config.json".into(), pretty(&config).into());
    folder.insert(GGUF.into(), bytes.clone());
    Ok(folder)
}

/// The tensors of a file under the names of the field, each where it lies in the file unless its rows
/// stand in another order there.
///
/// # Errors
/// As [`folder`].
pub(super) fn tensors(file: &str, bytes: &Bytes) -> Result<Vec<(String, Stored)>, Error> {
    let header = Header::read(file, bytes)?;
    let model = architecture(&header)?;
    let (_, heads) = config(&header, &model)?;
    weights(&header, bytes, &model, heads)
}

fn architecture(header: &Header<'_>) -> Result<String, Error> {
    let model = header.text("general.architecture")?;
    match ["llama", "qwen2", "qwen3"].contains(&model) {
        true => Ok(model.to_string()),
        false => header.fault(format!(
            "general.architecture is {model}; only llama, qwen2 and qwen3 can be read"
        )),
    }
}

/// The `config.json`, and the heads of queries and of keys.
fn config(header: &Header<'_>, model: &str) -> Result<(Value, [usize; 2]), Error> {
    let of = |key: &str| format!("{model}.{key}");
    let size = |key: &str| header.size(&of(key));
    let (width, heads) = (size("embedding_length")?, size("attention.head_count")?);
    let keys = match header.has(&of("attention.head_count_kv")) {
        true => size("attention.head_count_kv")?,
        false => heads,
    };
    for key in ["expert_count", "attention.sliding_window", "rope.scaling.yarn_log_multiplier"] {
        if header.has(&of(key)) && header.number(&of(key))? != 0.0 {
            return header.fault(format!("{} asks for what is not computed here", of(key)));
        }
    }
    if header.tensor("rope_freqs.weight").is_some() {
        return header.fault(
            "the tensor rope_freqs.weight changes the rotations in a way that its header does not say: take the model as a Hugging Face folder".into(),
        );
    }
    let mut config = json!({
        "model_type": model,
        "hidden_act": "silu",
        "num_hidden_layers": size("block_count")?,
        "hidden_size": width,
        "intermediate_size": size("feed_forward_length")?,
        "num_attention_heads": heads,
        "num_key_value_heads": keys,
        "max_position_embeddings": size("context_length")?,
        "vocab_size": header.rows("token_embd.weight")?,
        "rms_norm_eps": header.number(&of("attention.layer_norm_rms_epsilon"))?,
        "tie_word_embeddings": header.tensor("output.weight").is_none(),
        "rope_parameters": rope(header, &of)?,
        "attention_bias": model == "llama" && header.tensor("blk.0.attn_q.bias").is_some(),
        "mlp_bias": header.tensor("blk.0.ffn_gate.bias").is_some(),
    });
    let d = match header.has(&of("attention.key_length")) {
        true => size("attention.key_length")?,
        false => width / heads.max(1),
    };
    config["head_dim"] = d.into();
    if header.has(&of("rope.dimension_count")) && size("rope.dimension_count")? != d {
        return header.fault(format!(
            "{} is no {d}: only whole heads are turned here",
            of("rope.dimension_count")
        ));
    }
    for (key, ours) in [
        ("bos_token_id", "bos_token_id"),
        ("eos_token_id", "eos_token_id"),
        ("padding_token_id", "pad_token_id"),
    ] {
        let key = format!("tokenizer.ggml.{key}");
        if header.has(&key) {
            config[ours] = (header.number(&key)? as u64).into();
        }
    }
    Ok((config, [heads, keys]))
}

fn rope(header: &Header<'_>, of: &dyn Fn(&str) -> String) -> Result<Value, Error> {
    let mut all = Map::new();
    let theta = of("rope.freq_base");
    let theta = if header.has(&theta) { header.number(&theta)? } else { 10_000.0 };
    all.insert("rope_theta".into(), theta.into());
    let kind = match header.has(&of("rope.scaling.type")) {
        true => header.text(&of("rope.scaling.type"))?,
        false => "none",
    };
    all.insert("rope_type".into(), if kind == "none" { "default" } else { kind }.into());
    for (key, ours) in [
        ("factor", "factor"),
        ("original_context_length", "original_max_position_embeddings"),
        ("attn_factor", "attention_factor"),
    ] {
        let key = of(&format!("rope.scaling.{key}"));
        if kind != "none" && header.has(&key) {
            all.insert(ours.into(), header.number(&key)?.into());
        }
    }
    Ok(Value::Object(all))
}

fn weights(
    header: &Header<'_>,
    bytes: &Bytes,
    model: &str,
    [heads, keys]: [usize; 2],
) -> Result<Vec<(String, Stored)>, Error> {
    let named = header.tensors().iter().map(|tensor| {
        let name = name(&tensor.name).ok_or_else(|| {
            header.error(format!("the tensor {} belongs to no part of such a model", tensor.name))
        })?;
        let stored = blocks::stored(header, tensor, bytes)?;
        // llama.cpp pairs neighbouring axes of a head where the field pairs halves.
        let turned = match tensor.name.rsplit('.').nth(1) {
            Some("attn_q") if model == "llama" => Some(heads),
            Some("attn_k") if model == "llama" => Some(keys),
            _ => None,
        };
        match turned {
            Some(heads) => Ok((name, halves(header, tensor, stored, heads)?)),
            None => Ok((name, stored)),
        }
    });
    named.collect()
}

/// Rows of each head in the order of the field: first of all pairs the first axis, then the second.
fn halves(
    header: &Header<'_>,
    tensor: &Tensor,
    stored: Stored,
    heads: usize,
) -> Result<Stored, Error> {
    let rows = tensor.shape[0];
    if heads == 0 || !rows.is_multiple_of(2 * heads) {
        return header
            .fault(format!("the tensor {} has {rows} rows for {heads} heads", tensor.name));
    }
    if !stored.bytes.len().is_multiple_of(rows) {
        return header
            .fault(format!("the tensor {} has rows that are no whole blocks", tensor.name));
    }
    let (d, width) = (rows / heads, stored.bytes.len() / rows);
    let mut turned = Vec::with_capacity(stored.bytes.len());
    for row in 0..rows {
        let (head, axis) = (row / d, row % d);
        let (half, pair) = (axis / (d / 2), axis % (d / 2));
        let from = head * d + 2 * pair + half;
        turned.extend_from_slice(&stored.bytes[from * width..][..width]);
    }
    Ok(Stored { bytes: turned.into(), ..stored })
}

/// The field's name of a tensor.
fn name(name: &str) -> Option<String> {
    match name {
        "token_embd.weight" => return Some("model.embed_tokens.weight".into()),
        "output_norm.weight" => return Some("model.norm.weight".into()),
        "output.weight" => return Some("lm_head.weight".into()),
        _ => {}
    }
    let (block, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    let block: usize = block.parse().ok()?;
    let (part, kind) = rest.rsplit_once('.')?;
    let part = match part {
        "attn_q" => "self_attn.q_proj",
        "attn_k" => "self_attn.k_proj",
        "attn_v" => "self_attn.v_proj",
        "attn_output" => "self_attn.o_proj",
        "attn_q_norm" => "self_attn.q_norm",
        "attn_k_norm" => "self_attn.k_norm",
        "attn_norm" => "input_layernorm",
        "ffn_norm" => "post_attention_layernorm",
        "ffn_gate" => "mlp.gate_proj",
        "ffn_up" => "mlp.up_proj",
        "ffn_down" => "mlp.down_proj",
        _ => return None,
    };
    Some(format!("model.layers.{block}.{part}.{kind}"))
}

#[cfg(test)]
mod tests;
