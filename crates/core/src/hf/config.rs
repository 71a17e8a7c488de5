//! The `config.json` beside the weights: a network's shape under the names of the field.
//!
//! Only what changes the numbers is read, and what this crate cannot compute is refused with the
//! key that asks for it, rather than computed wrongly.

use serde_json::{Value, json};

use crate::error::Error;
use crate::nn::causal_lm::CausalLmConfig;
use crate::nn::encoder::EncoderConfig;

/// GPT-2's `config.json` for a model of this shape.
pub fn gpt2_config(config: &CausalLmConfig, end_of_text: u32) -> Vec<u8> {
    pretty(&json!({
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "n_layer": config.layers,
        "n_embd": config.width,
        "n_head": config.heads,
        "n_positions": config.positions,
        "n_ctx": config.positions,
        "vocab_size": config.vocab_size,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "tie_word_embeddings": true,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "torch_dtype": "float32",
    }))
}

/// Reads GPT-2's `config.json`.
///
/// # Errors
/// If it is no JSON, of another model, or lacks a size; the error names the key.
pub fn read_gpt2_config(file: &str, bytes: &[u8]) -> Result<CausalLmConfig, Error> {
    let config = ConfigFile::read(file, bytes, &["gpt2"])?;
    config.check_activation("activation_function", &["gelu_new", "gelu_pytorch_tanh"])?;
    config.check_flag("scale_attn_by_inverse_layer_idx", false)?;
    config.check_flag("tie_word_embeddings", true)?;
    config.check_flag("scale_attn_weights", true)?;
    let shape = CausalLmConfig {
        layers: config.size("n_layer")?,
        width: config.size("n_embd")?,
        heads: config.size("n_head")?,
        positions: config.size("n_positions")?,
        vocab_size: config.size("vocab_size")?,
        layer_norm_epsilon: config.number("layer_norm_epsilon", 1e-5),
    };
    config.check_heads("n_embd", shape.width, "n_head", shape.heads)?;
    match config.value["n_inner"].as_u64() {
        Some(inner) if inner as usize != 4 * shape.width => {
            return config
                .fault(format!("n_inner = {inner} is not supported; it must be 4 n_embd"));
        }
        _ => {}
    }
    Ok(shape)
}

/// RoBERTa's (or BERT's) `config.json` for an encoder of this shape.
pub fn encoder_config(config: &EncoderConfig, start: u32, pad: u32, end: u32) -> Vec<u8> {
    let roberta = config.first_position > 0;
    pretty(&json!({
        "architectures": [if roberta { "RobertaModel" } else { "BertModel" }],
        "model_type": if roberta { "roberta" } else { "bert" },
        "hidden_act": "gelu",
        "num_hidden_layers": config.layers,
        "hidden_size": config.width,
        "num_attention_heads": config.heads,
        "intermediate_size": config.feed_forward,
        "max_position_embeddings": config.positions + config.first_position,
        "vocab_size": config.vocab_size,
        "type_vocab_size": config.token_types,
        "layer_norm_eps": config.layer_norm_epsilon,
        "bos_token_id": start,
        // RoBERTa counts positions from the one after the padding's.
        "pad_token_id": if roberta { config.first_position as u32 - 1 } else { pad },
        "eos_token_id": end,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "torch_dtype": "float32",
    }))
}

/// Reads RoBERTa's or BERT's `config.json`.
///
/// # Errors
/// If it is no JSON, of another model, or lacks a size; the error names the key.
pub fn read_encoder_config(file: &str, bytes: &[u8]) -> Result<EncoderConfig, Error> {
    let config = ConfigFile::read(file, bytes, &["roberta", "bert"])?;
    config.check_activation("hidden_act", &["gelu"])?;
    config.check_activation("position_embedding_type", &["absolute"])?;
    let first_position = if config.value["model_type"] == "roberta" {
        config.size("pad_token_id").unwrap_or(1) + 1
    } else {
        0
    };
    let rows = config.size("max_position_embeddings")?;
    if rows <= first_position {
        return Err(Error::Model(format!(
            "{file}: max_position_embeddings = {rows} leaves no room for a token"
        )));
    }
    let shape = EncoderConfig {
        layers: config.size("num_hidden_layers")?,
        width: config.size("hidden_size")?,
        heads: config.size("num_attention_heads")?,
        feed_forward: config.size("intermediate_size")?,
        positions: rows - first_position,
        first_position,
        vocab_size: config.size("vocab_size")?,
        token_types: config.size("type_vocab_size")?,
        layer_norm_epsilon: config.number("layer_norm_eps", 1e-12),
    };
    config.check_heads("hidden_size", shape.width, "num_attention_heads", shape.heads)?;
    Ok(shape)
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(value).expect("JSON can be written");
    text.push('\n');
    text.into_bytes()
}

/// A `config.json` that is being read.
struct ConfigFile<'a> {
    file: &'a str,
    value: Value,
}

impl<'a> ConfigFile<'a> {
    fn read(file: &'a str, bytes: &[u8], models: &[&str]) -> Result<Self, Error> {
        let value: Value =
            archer_input::json(bytes).map_err(|fault| Error::Model(format!("{file} {fault}")))?;
        let config = Self { file, value };
        let model = config.value["model_type"].as_str().unwrap_or("none");
        if !models.contains(&model) {
            return config.fault(format!(
                "model_type is {model}; only {} can be read",
                models.join(" and ")
            ));
        }
        Ok(config)
    }

    fn fault<T>(&self, text: String) -> Result<T, Error> {
        Err(Error::Model(format!("{}: {text}", self.file)))
    }

    fn size(&self, key: &str) -> Result<usize, Error> {
        match self.value[key].as_u64() {
            Some(size) if size > 0 => Ok(size as usize),
            _ => self.fault(format!("the key {key} must be a whole number above 0")),
        }
    }

    fn number(&self, key: &str, default: f64) -> f64 {
        self.value[key].as_f64().unwrap_or(default)
    }

    fn check_activation(&self, key: &str, known: &[&str]) -> Result<(), Error> {
        match self.value[key].as_str() {
            Some(name) if !known.contains(&name) => {
                self.fault(format!("{key} is {name}; only {} can be computed", known.join(" and ")))
            }
            _ => Ok(()),
        }
    }

    fn check_flag(&self, key: &str, want: bool) -> Result<(), Error> {
        match self.value[key].as_bool() {
            Some(flag) if flag != want => self.fault(format!("{key} = {flag} is not supported")),
            _ => Ok(()),
        }
    }

    fn check_heads(
        &self,
        width_key: &str,
        width: usize,
        heads_key: &str,
        heads: usize,
    ) -> Result<(), Error> {
        if width.is_multiple_of(heads) {
            return Ok(());
        }
        self.fault(format!("{width_key} = {width} is no multiple of {heads_key} = {heads}"))
    }
}
