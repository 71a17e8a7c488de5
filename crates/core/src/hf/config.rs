//! The `config.json` beside the weights: a network's shape under the names of the field.
//!
//! Only what changes the numbers is read. A key of another type, a value out of range and what this
//! crate cannot compute are refused by name, rather than taken for absent or computed wrongly.

use serde_json::{Value, json};

use super::config_file::ConfigFile;
use super::gpt2;
#[cfg(feature = "llama")]
use super::{llama, peft};
use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::{CausalLmConfig, Layout};
use crate::nn::encoder::EncoderConfig;
use crate::text::tokenizer::Specials;

/// What a critic's `config.json` in a model folder says of its kind: a name that no other program takes
/// for a model of its own.
pub const CRITIC: &str = "archer_critic";
/// The key under which a critic's folder names the layout of its body.
const BODY: &str = "body_model_type";

/// The `config.json` of a causal model of this shape, in its layout.
pub fn actor_config(config: &CausalLmConfig, end_of_text: u32, stops: &[u32]) -> Vec<u8> {
    let mut file = actor(config, end_of_text);
    if !stops.is_empty() {
        file["eos_token_id"] = json!([&[end_of_text], stops].concat());
    }
    pretty(&file)
}

fn actor(config: &CausalLmConfig, end_of_text: u32) -> Value {
    match &config.layout {
        Layout::Gpt2 => gpt2::config(config, end_of_text),
        #[cfg(feature = "llama")]
        Layout::Llama(layout) => llama::config(config, layout, end_of_text),
    }
}

/// The same for the body of a critic in a model folder, under a name of its own: it is no language
/// model, and a program that reads such models must not take it for one.
pub fn causal_critic_config(critic: &CausalCritic, end_of_text: u32) -> Vec<u8> {
    pretty(&as_critic(causal_critic(critic, end_of_text), "ArcherCausalCritic"))
}

/// The configuration of a causal critic in a file of archer's own.
pub fn causal_critic_in_a_file(critic: &CausalCritic, end_of_text: u32) -> Vec<u8> {
    pretty(&causal_critic(critic, end_of_text))
}

/// The body's configuration, with its adapters where it has some.
fn causal_critic(critic: &CausalCritic, end_of_text: u32) -> Value {
    #[allow(unused_mut, reason = "only layouts with adapters say more")]
    let mut config = actor(critic.config(), end_of_text);
    #[cfg(feature = "llama")]
    if let Some(lora) = critic.body().lora() {
        config[peft::CRITIC] = peft::of_critic(lora);
    }
    config
}

/// RoBERTa's (or BERT's) configuration for the body of a critic in a model folder likewise.
pub fn encoder_critic_config(config: &EncoderConfig, start: u32, pad: u32, end: u32) -> Vec<u8> {
    pretty(&as_critic(encoder(config, start, pad, end), "ArcherEncoderCritic"))
}

fn as_critic(mut config: Value, architecture: &str) -> Value {
    config[BODY] = config["model_type"].take();
    config["model_type"] = CRITIC.into();
    config["architectures"] = json!([architecture]);
    config
}

/// Reads the `config.json` of a causal language model.
///
/// # Errors
/// If it is no JSON, of another model, lacks a size, or asks for what cannot be computed; the error
/// names the key.
pub fn read_actor_config(file: &str, bytes: &[u8]) -> Result<CausalLmConfig, Error> {
    read_actor(&ConfigFile::read(file, bytes)?)
}

fn read_actor(config: &ConfigFile<'_>) -> Result<CausalLmConfig, Error> {
    #[cfg(feature = "llama")]
    if llama::family(config.model_type()).is_some() {
        return llama::read(config);
    }
    #[cfg(feature = "llama")]
    config.is_one_of(&CAUSAL)?;
    gpt2::read(config)
}

/// The `model_type` of each causal model that can be read.
#[cfg(feature = "llama")]
const CAUSAL: [&str; 5] = ["gpt2", "llama", "mistral", "qwen2", "qwen3"];

/// Whether a `config.json` says that its output layer is a matrix of its own.
///
/// # Errors
/// If it is no JSON, or the key is neither true nor false.
pub fn is_untied(file: &str, bytes: &[u8]) -> Result<bool, Error> {
    let config = ConfigFile::read(file, bytes)?;
    Ok(config.flag("tie_word_embeddings")? == Some(false))
}

/// RoBERTa's (or BERT's) `config.json` for an encoder of this shape.
pub fn encoder_config(config: &EncoderConfig, start: u32, pad: u32, end: u32) -> Vec<u8> {
    pretty(&encoder(config, start, pad, end))
}

fn encoder(config: &EncoderConfig, start: u32, pad: u32, end: u32) -> Value {
    let roberta = config.first_position > 0;
    json!({
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
    })
}

/// Reads RoBERTa's or BERT's `config.json`.
///
/// # Errors
/// If it is no JSON, of another model, lacks a size, or asks for what cannot be computed; the error
/// names the key.
pub fn read_encoder_config(file: &str, bytes: &[u8]) -> Result<EncoderConfig, Error> {
    read_encoder(&ConfigFile::read(file, bytes)?)
}

fn read_encoder(config: &ConfigFile<'_>) -> Result<EncoderConfig, Error> {
    config.is_one_of(&["roberta", "bert"])?;
    config.choice("hidden_act", &["gelu"])?;
    config.choice("position_embedding_type", &["absolute"])?;
    config.flag_is("is_decoder", false)?;
    config.flag_is("add_cross_attention", false)?;
    config.nothing_else()?;
    for key in ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"] {
        config.share(key)?;
    }
    let pad = config.id("pad_token_id")?;
    let first_position = match config.model_type() == "roberta" {
        true => pad.unwrap_or(1) as usize + 1,
        false => 0,
    };
    let rows = config.size("max_position_embeddings")?;
    if rows <= first_position {
        return config.fault(format!(
            "max_position_embeddings = {rows} leaves no room for a token: RoBERTa counts from pad_token_id + 1 = {first_position}"
        ));
    }
    let shape = EncoderConfig {
        layers: config.layers("num_hidden_layers")?,
        width: config.size("hidden_size")?,
        heads: config.size("num_attention_heads")?,
        feed_forward: config.size("intermediate_size")?,
        positions: rows - first_position,
        first_position,
        vocab_size: config.size("vocab_size")?,
        token_types: config.size("type_vocab_size")?,
        layer_norm_epsilon: config.epsilon("layer_norm_eps", 1e-12)?,
    };
    config.check_heads(("hidden_size", shape.width), ("num_attention_heads", shape.heads))?;
    Ok(shape)
}

/// The shape of a critic's body, of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum CriticShape {
    /// A causal body, which reads a whole game.
    Causal(CausalLmConfig),
    /// A RoBERTa or BERT, which reads state and action apart.
    Encoder(EncoderConfig),
}

/// Reads a critic's `config.json`: as archer writes it, a published encoder's, or a causal model's as
/// older model folders have it.
///
/// # Errors
/// As [`read_actor_config`] and [`read_encoder_config`].
pub fn read_critic_config(file: &str, bytes: &[u8]) -> Result<CriticShape, Error> {
    let mut config = ConfigFile::read(file, bytes)?;
    if config.model_type() == CRITIC {
        config.take_model_type_from(BODY);
    }
    match config.model_type() {
        known if is_causal(known) => read_actor(&config).map(CriticShape::Causal),
        _ => read_encoder(&config).map(CriticShape::Encoder),
    }
}

/// Whether this `model_type` is that of a causal model which can be read.
fn is_causal(model_type: &str) -> bool {
    #[cfg(feature = "llama")]
    return CAUSAL.contains(&model_type);
    #[cfg(not(feature = "llama"))]
    return model_type == "gpt2";
}

/// The special tokens that a `config.json` or a `generation_config.json` names by their ids.
///
/// # Errors
/// If it is no JSON object, or an id is none.
pub fn read_specials(file: &str, bytes: &[u8]) -> Result<Specials, Error> {
    let config = ConfigFile::read(file, bytes)?;
    config.id_below_vocabulary("eos_token_id")?;
    Ok(Specials {
        start: config.id("bos_token_id")?,
        pad: config.id("pad_token_id")?,
        end: config.id("eos_token_id")?,
        end_names: Vec::new(),
        stops: config.ids("eos_token_id")?,
    })
}

pub(crate) fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(value).expect("JSON can be written");
    text.push('\n');
    text.into_bytes()
}
