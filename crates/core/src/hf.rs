//! Hugging Face's layout: names, transposes and configurations of model files.
//!
//! The networks' fields already carry the file's names where Rust allows; the few that differ are
//! translated here, and the linear layers that PyTorch stores as [out, in] are turned. Each
//! layout of causal models has a file of its own here. Files are bytes: the shells own the disk.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use safetensors::tensor::{Dtype, TensorView};

#[cfg(feature = "llama")]
pub mod base;
#[cfg(all(feature = "llama", not(target_family = "wasm")))]
pub mod chat;
pub mod config;
mod config_file;
#[cfg(all(feature = "llama", not(target_family = "wasm")))]
pub mod gguf;
mod gpt2;
mod leftover;
#[cfg(feature = "llama")]
mod llama;
mod names;
#[cfg(feature = "llama")]
pub mod peft;
pub mod shapes;
mod stored;
#[cfg(test)]
mod tests;
pub mod weights;

pub use self::config::{
    CriticShape, actor_config, encoder_config, read_actor_config, read_critic_config,
    read_encoder_config, read_specials,
};
use self::shapes::Named;
use self::weights::{NamedBytes, Weights};
use crate::config::Held;
use crate::error::Error;
use crate::finite;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::{CausalLm, CausalLmConfig, Layout};
use crate::nn::critic::{Critic, DoubleCritic};
#[cfg(feature = "llama")]
use crate::nn::fused;
use crate::nn::layers::transposed;
use crate::nn::params::{self, ParamInfo};
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;

/// How a network's parameters stand in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A causal model: linear weights as its layout has them.
    Actor,
    /// The adapters of a causal model as PEFT's files have them.
    #[cfg(feature = "llama")]
    Adapter,
    /// RoBERTa, BERT and the critic's heads: linear weights [out, in].
    Encoder,
    /// The causal critic: a causal model's body, and heads as in PyTorch.
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
            "lora_a" => "lora_A.weight",
            "lora_b" => "lora_B.weight",
            part => part,
        });
        let name = parts.collect::<Vec<_>>().join(".");
        match self {
            #[cfg(feature = "llama")]
            Format::Adapter => format!("base_model.model.{name}"),
            _ => name,
        }
    }

    /// Whether the file holds the transpose of a parameter.
    fn is_turned(self, info: &ParamInfo) -> bool {
        info.shape.len() == 2
            && match self {
                #[cfg(feature = "llama")]
                Format::Adapter => true,
                Format::Actor => is_turned_in_body(&info.name),
                Format::Encoder => !info.name.contains("embeddings"),
                Format::CausalCritic => {
                    !info.name.starts_with("base_lm") || is_turned_in_body(&info.name)
                }
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

/// Whether the file of a causal model holds the transpose of this matrix.
fn is_turned_in_body(name: &str) -> bool {
    #[cfg(feature = "llama")]
    return llama::is_turned(name);
    #[cfg(not(feature = "llama"))]
    {
        let _ = name;
        false
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
            transposed(&values, info.shape[0], info.shape[1])
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
    for (name, (_, values)) in &laid {
        finite::check_tensor("the model", name, values)?;
    }
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

/// The shape of an actor and its weights under this crate's names, checked by their headers against its
/// `config.json` before anything is made of them; what is set aside is told by notices.
///
/// # Errors
/// If a file is damaged or something else, a key cannot be used, or a tensor is missing, too many, of
/// another shape, or makes another model of it.
pub fn actor_weights<'a>(
    (config, bytes): (&str, &[u8]),
    files: &'a [NamedBytes],
    notices: &mut Vec<String>,
) -> Result<(CausalLmConfig, Weights<'a>), Error> {
    let shape = read_actor_config(config, bytes)?;
    let untied = config::is_untied(config, bytes)?;
    let weights = checked_actor(config, &shape, untied, files, notices)?;
    Ok((shape, weights))
}

fn checked_actor<'a>(
    config: &str,
    shape: &CausalLmConfig,
    untied: bool,
    files: &'a [NamedBytes],
    notices: &mut Vec<String>,
) -> Result<Weights<'a>, Error> {
    let own = match &shape.layout {
        Layout::Gpt2 => "",
        #[cfg(feature = "llama")]
        Layout::Llama(_) => llama::OWN,
    };
    let mut weights = names::unwrapped(Weights::new(files)?, own, notices)?;
    leftover::without_value_head(&mut weights, notices)?;
    let mut weights = match &shape.layout {
        Layout::Gpt2 => {
            let mut weights = weights.renamed(gpt2::name)?;
            check_blocks(&weights, "transformer.h.", (config, "n_layer", shape.layers))?;
            gpt2::without_tied_head(&mut weights, untied)?;
            weights
        }
        #[cfg(feature = "llama")]
        Layout::Llama(layout) => {
            let mut weights = weights.renamed(llama::name)?;
            let blocks = (config, "num_hidden_layers", shape.layers);
            check_blocks(&weights, "model.layers.", blocks)?;
            llama::without_rotations(&mut weights);
            if layout.tied {
                llama::without_tied_head(&mut weights)?;
            }
            weights
        }
    };
    leftover::without_buffers(&mut weights, shape.positions)?;
    weights.check(&shapes::of_actor(shape), |_| false)?;
    Ok(weights)
}

/// Refuses weights that hold more or fewer blocks than a key of the configuration says.
fn check_blocks(
    weights: &Weights<'_>,
    before: &str,
    (config, key, layers): (&str, &str, usize),
) -> Result<(), Error> {
    let found = weights.blocks(before);
    if found == layers {
        return Ok(());
    }
    let one = format!("{before}{}.", layers.max(1));
    let surplus = weights.names().find(|name| name.starts_with(&one));
    Err(Error::Model(match surplus {
        Some(name) => format!(
            "{}: the tensor {name} belongs to no part of the configured model: {config} says {key} = {layers}, and the weights are of {found} blocks",
            weights.file_of(name)
        ),
        None => format!(
            "{config}: {key} = {layers}, but {} holds tensors of {found} blocks: the two do not belong together",
            weights.file_of("")
        ),
    }))
}

/// A language model of weights that were [checked](actor_weights): frozen and held like this, where its layout
/// can have adapters; else with all of them trained.
///
/// # Errors
/// If a tensor is of no type that can be read, or a weight is not finite.
pub fn made_of(
    shape: &CausalLmConfig,
    weights: &Weights<'_>,
    held: Held,
    device: &Device,
) -> Result<CausalLm, Error> {
    #[cfg(feature = "llama")]
    {
        let device = device.clone().inner();
        // Elsewhere packed weights would be unpacked for each product.
        let held = match held {
            Held::Stored if !fused::computes_here(&device) => Held::F32,
            held => held,
        };
        let mut load = |name: &str, _: &[usize]| weights.loaded(name, held);
        if let Some(frozen) = shape.of_parts(&device, &mut load)? {
            return Ok(frozen);
        }
    }
    let _ = held;
    // Small models are drawn in no time.
    let blank = shape.init(&mut rng::stream(0, "blank", 0), device);
    weights.fill(blank, Format::Actor, |_| false)
}

/// Fills a language model from weights that any maker of such files may have named.
///
/// # Errors
/// As [`actor_weights`].
pub fn read_actor(actor: CausalLm, files: &[NamedBytes]) -> Result<CausalLm, Error> {
    let shape = actor.config().clone();
    let weights = checked_actor("the configuration", &shape, false, files, &mut Vec::new())?;
    weights.fill(actor, Format::Actor, |_| false)
}

/// The weights of a critic of this shape, or of an encoder alone, checked like those of an actor.
///
/// # Errors
/// As [`actor_weights`].
pub fn critic_weights<'a>(
    config: &str,
    shape: &CriticShape,
    files: &'a [NamedBytes],
    notices: &mut Vec<String>,
) -> Result<Weights<'a>, Error> {
    let mut weights = names::unwrapped(Weights::new(files)?, "", notices)?;
    let wanted = shapes::of_critic(shape);
    let whole = is_critic(&weights);
    let (positions, blocks) = match shape {
        CriticShape::Causal(body) => {
            if !weights.has_part("base_lm.") {
                return Err(Error::Model(format!(
                    "{}: these are the weights of no critic: {config} describes a language model, and a critic of that kind is made by archer alone, with heads beside its body (base_lm, critic1); leave the folder out, and a fresh critic is made",
                    weights.file_of("")
                )));
            }
            let (blocks, key) = match &body.layout {
                Layout::Gpt2 => ("base_lm.transformer.h.", "n_layer"),
                #[cfg(feature = "llama")]
                Layout::Llama(_) => ("base_lm.model.layers.", "num_hidden_layers"),
            };
            (body.positions, (blocks, (config, key, body.layers)))
        }
        CriticShape::Encoder(body) => {
            if !whole {
                weights = weights.renamed(names::encoder_name)?;
                leftover::without_encoder_heads(&mut weights, notices);
            }
            (body.positions, ("base_lm.encoder.layer.", (config, "num_hidden_layers", body.layers)))
        }
    };
    check_blocks(&weights, blocks.0, blocks.1)?;
    leftover::without_buffers(&mut weights, positions)?;
    let may_lack = may_lack(&weights);
    weights.check(&wanted, |name| !whole && may_lack(name))?;
    Ok(weights)
}

const HEADS: [&str; 4] = ["critic1.", "critic2.", "v_critic1.", "v_critic2."];

/// Whether these are the weights of a critic and not of an encoder alone.
fn is_critic(weights: &Weights<'_>) -> bool {
    HEADS.iter().any(|head| weights.has_part(head))
        || weights.names().any(|name| name.starts_with("base_lm."))
}

/// What may be missing: nothing of a critic; of an encoder alone the heads, and the pooler, which a
/// language model's file has not.
fn may_lack(weights: &Weights<'_>) -> impl Fn(&str) -> bool + use<> {
    let whole = HEADS.iter().any(|head| weights.has_part(head));
    move |name| {
        !whole
            && (HEADS.iter().any(|head| name.starts_with(head))
                || name.starts_with("base_lm.pooler."))
    }
}

/// Fills a critic.
///
/// Weights of an encoder alone, as it is published, fill the body; the heads then stay as they
/// were made, and the pooler too where the checkpoint has none (a language model's has not).
///
/// # Errors
/// As [`critic_weights`].
pub fn read_critic(critic: Critic, files: &[NamedBytes]) -> Result<Critic, Error> {
    let shape = CriticShape::of(&critic);
    let weights = critic_weights("the configuration", &shape, files, &mut Vec::new())?;
    fill_critic(critic, &weights)
}

/// Fills a critic from weights that were [checked](critic_weights).
///
/// # Errors
/// If a tensor is missing, too many or of another shape.
pub fn fill_critic(critic: Critic, weights: &Weights<'_>) -> Result<Critic, Error> {
    match critic {
        Critic::Encoder(critic) => {
            weights.fill(critic, Format::Encoder, may_lack(weights)).map(Critic::Encoder)
        }
        Critic::Causal(critic) => {
            weights.fill(critic, Format::CausalCritic, |_| false).map(Critic::Causal)
        }
    }
}

impl CriticShape {
    /// The shape of this critic.
    pub fn of(critic: &Critic) -> Self {
        match critic {
            Critic::Encoder(critic) => CriticShape::Encoder(critic.config().clone()),
            Critic::Causal(critic) => CriticShape::Causal(critic.config().clone()),
        }
    }

    /// Rows of its token table.
    pub fn vocab_size(&self) -> usize {
        match self {
            CriticShape::Causal(shape) => shape.vocab_size,
            CriticShape::Encoder(shape) => shape.vocab_size,
        }
    }

    /// The tensors that such a critic has, heads included.
    pub fn tensors(&self) -> Vec<Named> {
        shapes::of_critic(self)
    }

    /// A fresh critic of this shape.
    pub fn init(&self, rng: &mut ChaCha8Rng, device: &Device) -> Critic {
        match self {
            CriticShape::Causal(shape) => Critic::Causal(CausalCritic::new(shape, rng, device)),
            CriticShape::Encoder(shape) => Critic::Encoder(DoubleCritic::new(shape, rng, device)),
        }
    }
}

/// The configuration of a critic of either kind, as a file of archer's own holds it.
pub fn critic_config(critic: &Critic, tokenizer: &Tokenizer) -> Vec<u8> {
    match critic {
        Critic::Encoder(critic) => {
            encoder_config(critic.config(), tokenizer.start, tokenizer.pad, tokenizer.end)
        }
        Critic::Causal(critic) => config::causal_critic_in_a_file(critic, tokenizer.end),
    }
}

/// The `config.json` of a critic of either kind in a model folder, which no other program takes for a
/// model that it knows.
pub fn critic_folder_config(critic: &Critic, tokenizer: &Tokenizer) -> Vec<u8> {
    match critic {
        Critic::Encoder(critic) => config::encoder_critic_config(
            critic.config(),
            tokenizer.start,
            tokenizer.pad,
            tokenizer.end,
        ),
        Critic::Causal(critic) => config::causal_critic_config(critic, tokenizer.end),
    }
}

/// A fresh critic of the kind and shape that a `config.json` describes.
///
/// # Errors
/// As [`read_critic_config`].
pub fn critic_like(
    file: &str,
    bytes: &[u8],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<Critic, Error> {
    Ok(read_critic_config(file, bytes)?.init(rng, device))
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
