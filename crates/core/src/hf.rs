//! Hugging Face's layout: names, transposes and configurations of model files.
//!
//! The networks' fields already carry the file's names where Rust allows; the few that differ are
//! translated here, and the linear layers that PyTorch stores as [out, in] are turned. GPT-2's are
//! stored as [in, out] like burn's. Files are bytes: the shells own the disk.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

mod config;
#[cfg(test)]
mod tests;
pub mod weights;

pub use self::config::{encoder_config, gpt2_config, read_encoder_config, read_gpt2_config};
use self::weights::{NamedBytes, Weights};
use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::{Critic, DoubleCritic};
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

/// A tensor of a file: its shape there and its values, row by row.
pub type Laid = (Vec<usize>, Vec<f32>);

/// Flat tensors, one for each parameter of a network, as they would stand in its file: weights,
/// gradients or anything else that is shaped like them, by name.
///
/// # Errors
/// If the device fails.
pub async fn laid_out<M: Module>(
    module: &M,
    tensors: Vec<Tensor<1>>,
    format: Format,
) -> Result<BTreeMap<String, Laid>, Error> {
    let values = params::read(tensors).await?;
    let laid = params::infos(module).into_iter().zip(values).map(|(info, values)| {
        let values = if format.is_turned(&info) {
            turn(&values, info.shape[0], info.shape[1])
        } else {
            values
        };
        (format.file_name(&info.name), (format.file_shape(&info), values))
    });
    Ok(laid.collect())
}

/// The way back: flat tensors in the network's order from tensors as they stand in its file.
///
/// # Errors
/// If one is missing, too many or of another shape; the error names it.
pub fn taken_up<M: Module>(
    module: &M,
    format: Format,
    weights: &Weights<'_>,
) -> Result<Vec<Tensor<1>>, Error> {
    weights.fill(module.clone(), format, |_| false).map(|filled| params::tensors(&filled))
}

/// Writes a network as `model.safetensors`, 32-bit floats in alphabetical order of names.
///
/// # Errors
/// If the device fails.
pub async fn write<M: Module>(module: &M, format: Format) -> Result<Vec<u8>, Error> {
    let laid = laid_out(module, params::tensors(module), format).await?;
    let bytes: BTreeMap<&String, (&Vec<usize>, Vec<u8>)> = laid
        .iter()
        .map(|(name, (shape, values))| {
            (name, (shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        })
        .collect();
    let views: BTreeMap<&String, TensorView<'_>> = bytes
        .iter()
        .map(|(&name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes)
                .expect("as many bytes as elements");
            (name, view)
        })
        .collect();
    let about = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize(views, Some(about))
        .map_err(|error| Error::Model(format!("the weights cannot be written: {error}")))
}

/// Fills a language model from weights that any maker of GPT-2 files may have named.
///
/// # Errors
/// If a file is damaged, or a tensor is missing, too many or of another shape.
pub fn read_actor(actor: CausalLm, files: &[NamedBytes]) -> Result<CausalLm, Error> {
    Weights::new(files)?.renamed(weights::gpt2_name).fill(actor, Format::Gpt2, |_| false)
}

/// Fills a critic.
///
/// Weights of an encoder alone, as it is published, fill the body; the heads then stay as they
/// were made, and the pooler too where the checkpoint has none (a language model's has not).
///
/// # Errors
/// If a file is damaged, or a tensor is missing, too many or of another shape.
pub fn read_critic(critic: Critic, files: &[NamedBytes]) -> Result<Critic, Error> {
    let weights = Weights::new(files)?;
    match critic {
        Critic::Encoder(critic) => read_encoder_critic(critic, weights).map(Critic::Encoder),
        Critic::Causal(critic) => {
            weights.fill(critic, Format::CausalCritic, |_| false).map(Critic::Causal)
        }
    }
}

fn read_encoder_critic(critic: DoubleCritic, weights: Weights<'_>) -> Result<DoubleCritic, Error> {
    const HEADS: [&str; 4] = ["critic1.", "critic2.", "v_critic1.", "v_critic2."];
    let is_head = |name: &str| HEADS.iter().any(|head| name.starts_with(head));
    if weights.has_part("base_lm.") || HEADS.iter().any(|head| weights.has_part(head)) {
        return weights.fill(critic, Format::Encoder, |_| false);
    }
    // What stands in a language model's file beside the encoder: its output layers.
    let body = weights.renamed(weights::encoder_name).only("base_lm.");
    body.fill(critic, Format::Encoder, |name| is_head(name) || name.starts_with("base_lm.pooler."))
}

/// The transpose of a row-major matrix.
fn turn(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect()
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
        archer_input::json::<Value>(bytes).is_ok_and(|config| config["model_type"] == "gpt2");
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
