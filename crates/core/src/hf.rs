//! Hugging Face's layout: names, transposes and configurations of model files.
//!
//! The networks' fields already carry the file's names where Rust allows; the few that differ are
//! translated here, and the linear layers that PyTorch stores as [out, in] are turned. GPT-2's are
//! stored as [in, out] like burn's. Files are bytes: the shells own the disk.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::CausalLmConfig;
use crate::nn::critic::{Critic, DoubleCritic};
use crate::nn::encoder::EncoderConfig;
use crate::nn::params::{self, ParamInfo};
use crate::rng::ChaCha8Rng;
use crate::text::Tokenizer;

/// How a network's parameters stand in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GPT-2: linear weights [in, out].
    Gpt2,
    /// RoBERTa, BERT and the critic's heads: linear weights [out, in].
    Encoder,
    /// The causal critic: GPT-2's body, and heads as in PyTorch.
    CausalCritic,
}

impl Format {
    /// The name in the file of a parameter with this path of fields.
    fn file_name(self, path: &str) -> String {
        let parts = path.split('.').map(|part| match part {
            "gamma" => "weight",
            "beta" => "bias",
            "self_" => "self",
            "layer_norm" => "LayerNorm",
            "layer_0" => "0",
            "layer_2" => "2",
            "layer_4" => "4",
            part => part,
        });
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether the file holds the transpose of a parameter.
    fn is_turned(self, info: &ParamInfo) -> bool {
        info.shape.len() == 2
            && match self {
                Format::Gpt2 => false,
                Format::Encoder => !info.name.contains("embeddings"),
                Format::CausalCritic => !info.name.starts_with("base_lm"),
            }
    }

    fn file_shape(self, info: &ParamInfo) -> Vec<usize> {
        let mut shape = info.shape.clone();
        if self.is_turned(info) {
            shape.reverse();
        }
        shape
    }
}

/// Writes a network as `model.safetensors`, 32-bit floats in alphabetical order of names.
///
/// # Errors
/// If the device fails.
pub async fn write<M: Module>(module: &M, format: Format) -> Result<Vec<u8>, Error> {
    let infos = params::infos(module);
    let values = params::read(params::tensors(module)).await?;
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = infos
        .iter()
        .zip(values)
        .map(|(info, values)| {
            let values = if format.is_turned(info) {
                turn(&values, info.shape[0], info.shape[1])
            } else {
                values
            };
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (format.file_name(&info.name), format.file_shape(info), bytes)
        })
        .collect();
    let views: BTreeMap<String, TensorView<'_>> = bytes
        .iter()
        .map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes)
                .expect("as many bytes as elements");
            (name.clone(), view)
        })
        .collect();
    let about = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize(views, Some(about))
        .map_err(|error| Error::Model(format!("the weights cannot be written: {error}")))
}

/// Fills a network from a `model.safetensors`.
///
/// Tensors may be 32-bit, 16-bit or bfloat16; `prefix` stands before every name in the file.
/// Buffers that are no parameters (`position_ids`, causal masks, an output layer tied to the
/// embedding) are passed over.
///
/// # Errors
/// If the file is none, or a tensor is missing, too many or of another shape; the error names it.
pub fn read<M: Module>(
    module: M,
    format: Format,
    file: &str,
    bytes: &[u8],
    prefix: &str,
) -> Result<M, Error> {
    let fault = |text: String| Error::Model(format!("{file}: {text}"));
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|error| fault(format!("this is no whole safetensors file ({error})")))?;
    let infos = params::infos(&module);
    let device = params::tensors(&module)[0].device();
    let mut known: Vec<String> = Vec::with_capacity(infos.len());
    let mut new = Vec::with_capacity(infos.len());
    for info in &infos {
        let name = format!("{prefix}{}", format.file_name(&info.name));
        let view =
            tensors.tensor(&name).map_err(|_| fault(format!("the tensor {name} is missing")))?;
        let shape = format.file_shape(info);
        if view.shape() != shape {
            return Err(fault(format!(
                "the tensor {name} has shape {:?} where the configuration asks for {shape:?}",
                view.shape()
            )));
        }
        let values = floats(&view).ok_or_else(|| {
            fault(format!(
                "the tensor {name} is of type {:?}; only F32, F16 and BF16 can be read",
                view.dtype()
            ))
        })?;
        let values =
            if format.is_turned(info) { turn(&values, shape[0], shape[1]) } else { values };
        let size = values.len();
        new.push(Tensor::<1>::from_data(TensorData::new(values, [size]), &device));
        known.push(name);
    }
    let buffer = |name: &str| {
        name.ends_with("position_ids")
            || name.ends_with(".attn.bias")
            || name.ends_with(".attn.masked_bias")
            || name == "lm_head.weight"
    };
    let mut names = tensors.names();
    names.sort_unstable();
    match names.into_iter().find(|&name| !known.iter().any(|known| known == name) && !buffer(name))
    {
        Some(extra) => {
            Err(fault(format!("the tensor {extra} belongs to no part of the configured model")))
        }
        None => Ok(params::replace(module, new)),
    }
}

fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    let pairs = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    match view.dtype() {
        Dtype::F32 => Some(
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        ),
        Dtype::F16 => Some(pairs.map(|bits| burn::tensor::f16::from_bits(bits).to_f32()).collect()),
        Dtype::BF16 => {
            Some(pairs.map(|bits| burn::tensor::bf16::from_bits(bits).to_f32()).collect())
        }
        _ => None,
    }
}

/// The transpose of a row-major matrix.
fn turn(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect()
}

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
    let shape = CausalLmConfig {
        layers: config.size("n_layer")?,
        width: config.size("n_embd")?,
        heads: config.size("n_head")?,
        positions: config.size("n_positions")?,
        vocab_size: config.size("vocab_size")?,
        layer_norm_epsilon: config.number("layer_norm_epsilon", 1e-5),
    };
    config.check_heads("n_embd", shape.width, "n_head", shape.heads)?;
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
        "pad_token_id": pad,
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

/// The `config.json` of a critic of either kind.
pub fn critic_config(critic: &Critic, tokenizer: &Tokenizer) -> Vec<u8> {
    match critic {
        Critic::Encoder(critic) => {
            encoder_config(critic.config(), tokenizer.start, tokenizer.pad, tokenizer.end)
        }
        Critic::Causal(critic) => gpt2_config(critic.config(), tokenizer.end),
    }
}

/// A fresh critic of the kind and shape that a `config.json` describes.
///
/// # Errors
/// As [`read_gpt2_config`] and [`read_encoder_config`].
pub fn critic_like(
    file: &str,
    bytes: &[u8],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<Critic, Error> {
    let is_causal =
        serde_json::from_slice::<Value>(bytes).is_ok_and(|config| config["model_type"] == "gpt2");
    if is_causal {
        let shape = read_gpt2_config(file, bytes)?;
        return Ok(Critic::Causal(CausalCritic::new(&shape, rng, device)));
    }
    let shape = read_encoder_config(file, bytes)?;
    Ok(Critic::Encoder(DoubleCritic::new(&shape, rng, device)))
}

/// Writes a critic's `model.safetensors`.
///
/// # Errors
/// If the device fails.
pub async fn write_critic(critic: &Critic) -> Result<Vec<u8>, Error> {
    match critic {
        Critic::Encoder(critic) => write(critic, Format::Encoder).await,
        Critic::Causal(critic) => write(critic, Format::CausalCritic).await,
    }
}

/// Fills a critic from its `model.safetensors`.
///
/// # Errors
/// As [`read`].
pub fn read_critic(critic: Critic, file: &str, bytes: &[u8]) -> Result<Critic, Error> {
    Ok(match critic {
        Critic::Encoder(critic) => Critic::Encoder(read(critic, Format::Encoder, file, bytes, "")?),
        Critic::Causal(critic) => {
            Critic::Causal(read(critic, Format::CausalCritic, file, bytes, "")?)
        }
    })
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
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::Model(format!("{file} is no JSON: {error}")))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::causal_lm::CausalLm;
    use crate::rng::stream;

    fn actor(seed: u64) -> CausalLm {
        let config = CausalLmConfig {
            layers: 2,
            width: 8,
            heads: 2,
            positions: 16,
            vocab_size: 20,
            layer_norm_epsilon: 1e-5,
        };
        config.init(&mut stream(seed, "actor", 0), &Device::flex())
    }

    fn critic(seed: u64) -> DoubleCritic {
        let config = EncoderConfig {
            layers: 1,
            width: 8,
            heads: 2,
            feed_forward: 12,
            positions: 16,
            first_position: 2,
            vocab_size: 20,
            token_types: 1,
            layer_norm_epsilon: 1e-5,
        };
        DoubleCritic::new(&config, &mut stream(seed, "critic", 0), &Device::flex())
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        pollster::block_on(future)
    }

    #[test]
    fn what_was_written_reads_back_to_the_same_bytes() {
        let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
        let again = read(actor(2), Format::Gpt2, "f", &bytes, "").unwrap();
        assert_eq!(wait(write(&again, Format::Gpt2)).unwrap(), bytes);
        let bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
        let again = read(critic(2), Format::Encoder, "f", &bytes, "").unwrap();
        assert_eq!(wait(write(&again, Format::Encoder)).unwrap(), bytes);
    }

    #[test]
    fn names_and_shapes_are_those_of_the_field() {
        let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("transformer.h.1.attn.c_attn.weight").unwrap().shape(), [8, 24]);
        assert_eq!(file.tensor("transformer.ln_f.bias").unwrap().shape(), [8]);
        assert_eq!(file.names().len(), 2 + 2 * 12 + 2);
        let bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
        assert_eq!(shape("base_lm.encoder.layer.0.attention.self.query.weight"), [8, 8]);
        assert_eq!(shape("base_lm.encoder.layer.0.intermediate.dense.weight"), [12, 8]);
        assert_eq!(shape("base_lm.embeddings.LayerNorm.weight"), [8]);
        assert_eq!(shape("base_lm.embeddings.position_embeddings.weight"), [18, 8]);
        assert_eq!(shape("critic1.0.weight"), [8, 16]);
        assert_eq!(shape("v_critic2.4.weight"), [1, 8]);
    }

    #[test]
    fn a_missing_extra_or_misshapen_tensor_is_named() {
        let critic_bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
        let message = |result: Result<CausalLm, Error>| result.unwrap_err().to_string();
        let error = message(read(actor(1), Format::Gpt2, "model.safetensors", &critic_bytes, ""));
        assert!(error.contains("transformer.wte.weight is missing"), "{error}");
        let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
        let error = message(read(
            actor(1),
            Format::Gpt2,
            "model.safetensors",
            &bytes[..bytes.len() - 1],
            "",
        ));
        assert!(
            error.contains("model.safetensors") && error.contains("safetensors file"),
            "{error}"
        );
        let small = CausalLmConfig { layers: 1, ..actor(1).config().clone() };
        let small = small.init(&mut stream(1, "actor", 0), &Device::flex());
        let error = message(read(small, Format::Gpt2, "f", &bytes, ""));
        assert!(
            error.contains("transformer.h.1") && error.contains("belongs to no part"),
            "{error}"
        );
        let wide = CausalLmConfig { vocab_size: 21, ..actor(1).config().clone() };
        let wide = wide.init(&mut stream(1, "actor", 0), &Device::flex());
        let error = message(read(wide, Format::Gpt2, "f", &bytes, ""));
        assert!(error.contains("[20, 8]") && error.contains("[21, 8]"), "{error}");
    }

    #[test]
    fn configurations_survive_the_file() {
        let config = actor(1).config().clone();
        assert_eq!(read_gpt2_config("f", &gpt2_config(&config, 2)).unwrap(), config);
        let config = critic(1).config().clone();
        assert_eq!(read_encoder_config("f", &encoder_config(&config, 0, 1, 2)).unwrap(), config);
        let error = read_gpt2_config("config.json", b"{\"model_type\": \"llama\"}")
            .unwrap_err()
            .to_string();
        assert!(error.contains("llama") && error.contains("gpt2"), "{error}");
    }
}
