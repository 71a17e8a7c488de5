//! Adapters of low rank as PEFT's two files, `adapter_config.json` and `adapter_model.safetensors`.
//!
//! What would make another function of an adapter than the one that is computed here is refused by name.

use burn::tensor::Device;
use serde_json::{Value, json};

use super::config::pretty;
use super::config_file::ConfigFile;
use super::weights::{NamedBytes, Weights};
use super::{Format, write};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::llama::{Lora, TARGETS};
use crate::rng;

/// The name of the file that says what the adapters are.
pub const CONFIG: &str = "adapter_config.json";
/// The name of the file that holds them.
pub const WEIGHTS: &str = "adapter_model.safetensors";
/// The largest rank that is read.
const MOST_RANK: usize = 4096;

/// Reads an `adapter_config.json`.
///
/// # Errors
/// If it is of another kind of adapter, or asks for what is not computed here; the error names the key.
pub fn read_config(file: &str, bytes: &[u8]) -> Result<Lora, Error> {
    let config = ConfigFile::read(file, bytes)?;
    config.choice("peft_type", &["LORA"])?;
    config.choice("bias", &["none"])?;
    for key in [
        "fan_in_fan_out",
        "use_dora",
        "use_rslora",
        "use_qalora",
        "use_bdlora",
        "lora_bias",
        "ensure_weight_tying",
    ] {
        config.flag_is(key, false)?;
    }
    for key in [
        "rank_pattern",
        "alpha_pattern",
        "modules_to_save",
        "exclude_modules",
        "layers_to_transform",
        "layers_pattern",
        "layer_replication",
        "target_parameters",
        "trainable_token_indices",
        "alora_invocation_tokens",
        "eva_config",
        "corda_config",
        "kasa_config",
        "lora_ga_config",
        "monteclora_config",
        "velora_config",
        "arrow_config",
    ] {
        config.is_empty(key)?;
    }
    config.share("lora_dropout")?; // drops nothing where nothing is trained
    read_part(&config)
}

/// The keys that say what is computed.
fn read_part(config: &ConfigFile<'_>) -> Result<Lora, Error> {
    let rank = config.size("r")?;
    if rank > MOST_RANK {
        return config.wrong("r", &format!("at most {MOST_RANK}"));
    }
    let alpha = config.positive("lora_alpha")?.unwrap_or(8.0);
    let mut targets: Vec<String> = match config.text_of("target_modules") {
        Some("all-linear") => TARGETS.map(str::to_string).to_vec(),
        Some(_) => {
            return config.wrong("target_modules", "a list of names: patterns are not read here");
        }
        None => config.texts("target_modules")?.into_iter().map(str::to_string).collect(),
    };
    targets.sort_by_key(|name| TARGETS.iter().position(|known| known == name));
    if let Some(other) = targets.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        return config.fault(format!(
            "target_modules names {other}, which has no adapter here; {} have",
            TARGETS.join(", ")
        ));
    }
    if targets.is_empty() {
        return config.fault("target_modules names nothing that has an adapter".into());
    }
    Ok(Lora { rank, alpha, targets })
}

/// What a critic's `config.json` says of its adapters; `None` where it is a whole critic.
///
/// # Errors
/// As [`read_config`].
pub fn read_critic_config(file: &str, bytes: &[u8]) -> Result<Option<Lora>, Error> {
    let config = ConfigFile::read(file, bytes)?;
    match config.has(CRITIC) {
        true => read_part(&config.part(CRITIC)?).map(Some),
        false => Ok(None),
    }
}

/// The key of a critic's `config.json` under which its adapters stand.
pub(super) const CRITIC: &str = "adapter";

/// What that key holds.
pub(super) fn of_critic(lora: &Lora) -> Value {
    json!({ "r": lora.rank, "lora_alpha": lora.alpha, "target_modules": lora.targets })
}

/// The `adapter_config.json` of some adapters; `base` says where the model that they belong to is.
pub fn config(lora: &Lora, base: &str) -> Vec<u8> {
    pretty(&json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "target_modules": lora.targets,
        "bias": "none",
        "fan_in_fan_out": false,
        "use_dora": false,
        "use_rslora": false,
        "inference_mode": true,
    }))
}

/// A model with the adapters of a file, its own weights frozen.
///
/// # Errors
/// If it has a layout without adapters, or the file holds those of another model; the error names a
/// tensor.
pub fn read(
    lm: CausalLm,
    lora: &Lora,
    files: &[NamedBytes],
    device: &Device,
) -> Result<CausalLm, Error> {
    let weights = Weights::new(files)?;
    // What is drawn here is replaced at once.
    let adapted = lm.adapted(lora, &mut rng::stream(0, "adapter", 0), device);
    let adapted = adapted.ok_or_else(|| {
        Error::Model(format!(
            "{}: a model of GPT-2's layout has no adapters here; train it as a whole",
            weights.file_of("")
        ))
    })?;
    weights.fill(adapted, Format::Adapter, |_| false)
}

/// The `adapter_model.safetensors` of a model's adapters.
///
/// # Errors
/// If the device fails.
pub async fn write_adapters(lm: &CausalLm) -> Result<Vec<u8>, Error> {
    write(lm, Format::Adapter).await
}
