//! Llama's layout in files: its `config.json` under the names of its relatives, and its tensors.
//!
//! A configuration comes in two forms. The older has `rope_theta`, `rope_scaling` and `torch_dtype`, the
//! newer `rope_parameters` and `dtype`; both are read, and the newer is written.

use serde_json::{Map, Value, json};

use super::config_file::ConfigFile;
use super::shapes::Tensors;
use super::weights::Weights;
use crate::error::Error;
use crate::nn::causal_lm::{CausalLmConfig, Layout};
use crate::nn::llama::{Biases, Family, LlamaLayout};
use crate::nn::rope::{Rope, Scaling};

/// The `model_type` of each relative, and the architecture that its files name.
pub const FAMILIES: [(Family, &str, &str); 4] = [
    (Family::Llama, "llama", "LlamaForCausalLM"),
    (Family::Qwen2, "qwen2", "Qwen2ForCausalLM"),
    (Family::Qwen3, "qwen3", "Qwen3ForCausalLM"),
    (Family::Mistral, "mistral", "MistralForCausalLM"),
];

/// The relative of this `model_type`.
pub fn family(model_type: &str) -> Option<Family> {
    FAMILIES.iter().find(|(_, name, _)| *name == model_type).map(|(family, ..)| *family)
}

/// The word before the names of all tensors but the output layer's.
pub(super) const OWN: &str = "model.";

/// The θ of files that do not say it.
const THETA: f64 = 10_000.0;

/// Reads the configuration of one of the relatives.
///
/// # Errors
/// If it lacks a size, or asks for what cannot be computed; the error names the key.
pub(super) fn read(config: &ConfigFile<'_>) -> Result<CausalLmConfig, Error> {
    config.is_one_of(&FAMILIES.map(|(_, name, _)| name))?;
    let family = family(config.model_type()).expect("it is one of them");
    config.choice("hidden_act", &["silu", "swish"])?;
    config.nothing_else()?;
    config.share("attention_dropout")?; // drops nothing where nothing is trained
    if config.size_or("pretraining_tp", 1)? != 1 {
        return config.wrong("pretraining_tp", "1: the other sums in another order");
    }
    let (width, heads) = (config.size("hidden_size")?, config.size("num_attention_heads")?);
    let head_dim = match config.has("head_dim") {
        true => config.size("head_dim")?,
        false => {
            config.check_heads(("hidden_size", width), ("num_attention_heads", heads))?;
            width / heads
        }
    };
    let kv_heads = config.size_or("num_key_value_heads", heads)?;
    if !heads.is_multiple_of(kv_heads) {
        return config.fault(format!(
            "num_attention_heads = {heads} is no multiple of num_key_value_heads = {kv_heads}"
        ));
    }
    if head_dim % 2 == 1 {
        return config.fault(format!(
            "a head has {head_dim} floats, an odd number: positions turn pairs of them"
        ));
    }
    let positions = config.size("max_position_embeddings")?;
    let attention = config.flag("attention_bias")?.unwrap_or(false);
    let layout = LlamaLayout {
        family,
        kv_heads,
        head_dim,
        feed_forward: config.size("intermediate_size")?,
        rope: rope(config, positions)?,
        biases: match family {
            Family::Llama | Family::Qwen3 => Biases {
                inputs: attention,
                output: attention,
                feed_forward: config.flag("mlp_bias")?.unwrap_or(false),
            },
            Family::Qwen2 => Biases { inputs: true, ..Biases::default() },
            Family::Mistral => Biases::default(),
        },
        head_norms: family == Family::Qwen3,
        tied: config.flag("tie_word_embeddings")?.unwrap_or(false),
    };
    let positions = positions.min(window(config, family)?.unwrap_or(positions));
    Ok(CausalLmConfig {
        layers: config.layers("num_hidden_layers")?,
        width,
        heads,
        positions,
        vocab_size: config.size("vocab_size")?,
        norm_epsilon: config.epsilon("rms_norm_eps", 1e-6)?,
        layout: Layout::Llama(layout),
    })
}

/// Tokens that each token sees, where that is limited: texts up to that length are read as without.
fn window(config: &ConfigFile<'_>, family: Family) -> Result<Option<usize>, Error> {
    if let Some(kind) =
        config.texts("layer_types")?.into_iter().find(|&kind| kind != "full_attention")
    {
        if kind != "sliding_attention" {
            return config
                .fault(format!("layer_types names {kind}; only full_attention can be computed"));
        }
        return config.size("sliding_window").map(Some);
    }
    let used = config.flag("use_sliding_window")?.unwrap_or(family == Family::Mistral);
    match used && config.has("sliding_window") {
        true => config.size("sliding_window").map(Some),
        false => Ok(None),
    }
}

/// The rotations, from either form of the file.
fn rope(config: &ConfigFile<'_>, positions: usize) -> Result<Rope, Error> {
    let newer = config.has("rope_parameters");
    let part = config.part(if newer { "rope_parameters" } else { "rope_scaling" })?;
    let theta = match part.positive("rope_theta")? {
        Some(theta) => theta,
        None => config.positive("rope_theta")?.unwrap_or(THETA),
    };
    if theta <= 1.0 {
        return config.fault(format!("rope_theta = {theta} must be above 1"));
    }
    if part
        .positive("partial_rotary_factor")?
        .or(config.positive("partial_rotary_factor")?)
        .unwrap_or(1.0)
        != 1.0
    {
        return part.wrong("partial_rotary_factor", "1: only whole heads are turned here");
    }
    let kind = part.text("rope_type")?.or(part.text("type")?).unwrap_or("default");
    let scaling = match kind {
        "default" => Scaling::None,
        "linear" => Scaling::Linear { factor: part.positive_there("factor")? },
        "llama3" => {
            let [low, high] =
                ["low_freq_factor", "high_freq_factor"].map(|key| part.positive_there(key));
            let (low, high) = (low?, high?);
            if low >= high {
                return part.fault(format!(
                    "low_freq_factor = {low} must be below high_freq_factor = {high}"
                ));
            }
            let factor = part.positive_there("factor")?;
            let original = part.positive_there("original_max_position_embeddings")?;
            Scaling::Llama3 { factor, low, high, original }
        }
        "yarn" => yarn(&part, positions)?,
        _ => {
            return part.fault(format!(
                "rope_type = {kind} cannot be computed; default, linear, llama3 and yarn can"
            ));
        }
    };
    Ok(Rope { theta, scaling })
}

fn yarn(part: &ConfigFile<'_>, positions: usize) -> Result<Scaling, Error> {
    let original = part.positive("original_max_position_embeddings")?.unwrap_or(positions as f64);
    let factor = part.positive("factor")?.unwrap_or(positions as f64 / original);
    // The temperature of the paper's equation 22, for a text that is longer by `factor`.
    let scale = |weight: f64| if factor <= 1.0 { 1.0 } else { 0.1 * weight * factor.ln() + 1.0 };
    let attention = match part.positive("attention_factor")? {
        Some(attention) => attention,
        None => match (part.positive("mscale")?, part.positive("mscale_all_dim")?) {
            (Some(some), Some(all)) => scale(some) / scale(all),
            _ => scale(1.0),
        },
    };
    Ok(Scaling::Yarn {
        factor,
        fast: part.positive("beta_fast")?.unwrap_or(32.0),
        slow: part.positive("beta_slow")?.unwrap_or(1.0),
        original,
        attention,
        whole: part.flag("truncate")?.unwrap_or(true),
    })
}

/// The configuration of a model of this shape, whose texts end with this token.
pub(super) fn config(shape: &CausalLmConfig, layout: &LlamaLayout, end: u32) -> Value {
    let of = FAMILIES.iter().find(|(family, ..)| *family == layout.family);
    let (family, model_type, architecture) = *of.expect("all are listed");
    let mut config = json!({
        "architectures": [architecture],
        "model_type": model_type,
        "hidden_act": "silu",
        "num_hidden_layers": shape.layers,
        "hidden_size": shape.width,
        "intermediate_size": layout.feed_forward,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": layout.kv_heads,
        "head_dim": layout.head_dim,
        "max_position_embeddings": shape.positions,
        "vocab_size": shape.vocab_size,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_parameters": rope_parameters(&layout.rope),
        // Read by the programs that know the older form alone.
        "rope_theta": layout.rope.theta,
        "bos_token_id": end,
        "eos_token_id": end,
        "tie_word_embeddings": layout.tied,
        "attention_dropout": 0.0,
        "dtype": "float32",
    });
    match family {
        Family::Llama => {
            config["attention_bias"] = layout.biases.inputs.into();
            config["mlp_bias"] = layout.biases.feed_forward.into();
        }
        Family::Qwen3 => config["attention_bias"] = layout.biases.inputs.into(),
        Family::Mistral => config["sliding_window"] = Value::Null,
        Family::Qwen2 => {}
    }
    config
}

fn rope_parameters(rope: &Rope) -> Value {
    let mut all = Map::from_iter([("rope_theta".to_string(), rope.theta.into())]);
    let mut set = |kind: &str, numbers: &[(&str, f64)]| {
        all.insert("rope_type".into(), kind.into());
        all.extend(numbers.iter().map(|(name, number)| (name.to_string(), (*number).into())));
    };
    const ORIGINAL: &str = "original_max_position_embeddings";
    match rope.scaling {
        Scaling::None => set("default", &[]),
        Scaling::Linear { factor } => set("linear", &[("factor", factor)]),
        Scaling::Llama3 { factor, low, high, original } => {
            set(
                "llama3",
                &[("factor", factor), ("low_freq_factor", low), ("high_freq_factor", high)],
            );
            all.insert(ORIGINAL.into(), (original as u64).into());
        }
        Scaling::Yarn { factor, fast, slow, original, attention, whole } => {
            set(
                "yarn",
                &[
                    ("factor", factor),
                    ("beta_fast", fast),
                    ("beta_slow", slow),
                    ("attention_factor", attention),
                ],
            );
            all.insert(ORIGINAL.into(), (original as u64).into());
            all.insert("truncate".into(), whole.into());
        }
    }
    Value::Object(all)
}

/// The tensors of a model of this shape, each name behind `prefix`.
pub(super) fn tensors(prefix: &str, shape: &CausalLmConfig, layout: &LlamaLayout) -> Tensors {
    let (width, inner, mut all) = (shape.width, layout.feed_forward, Tensors::default());
    let [queries, keys] =
        [shape.heads, layout.kv_heads].map(|heads| heads.saturating_mul(layout.head_dim));
    let Biases { inputs, output, feed_forward } = layout.biases;
    all.push(format!("{prefix}model.embed_tokens.weight"), &[shape.vocab_size, width]);
    for layer in 0..shape.layers {
        let block = format!("{prefix}model.layers.{layer}");
        let mut product = |name: &str, from: usize, to: usize, bias: bool| {
            all.push(format!("{block}.{name}.weight"), &[to, from]);
            if bias {
                all.push(format!("{block}.{name}.bias"), &[to]);
            }
        };
        product("self_attn.q_proj", width, queries, inputs);
        product("self_attn.k_proj", width, keys, inputs);
        product("self_attn.v_proj", width, keys, inputs);
        product("self_attn.o_proj", queries, width, output);
        product("mlp.gate_proj", width, inner, feed_forward);
        product("mlp.up_proj", width, inner, feed_forward);
        product("mlp.down_proj", inner, width, feed_forward);
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            all.push(format!("{block}.{norm}.weight"), &[width]);
        }
        for norm in ["q_norm", "k_norm"].iter().filter(|_| layout.head_norms) {
            all.push(format!("{block}.self_attn.{norm}.weight"), &[layout.head_dim]);
        }
    }
    all.push(format!("{prefix}model.norm.weight"), &[width]);
    if !layout.tied {
        all.push(format!("{prefix}lm_head.weight"), &[shape.vocab_size, width]);
    }
    all
}

/// Whether the file holds the transpose of this matrix: all but the tables of tokens.
pub(super) fn is_turned(name: &str) -> bool {
    name.contains("model.layers.")
}

/// The name of a tensor as this crate writes it, from what is left of it without the words before it.
pub(super) fn name(name: &str) -> String {
    let is_body = ["embed_tokens.", "layers.", "norm."].iter().any(|part| name.starts_with(part));
    if is_body { format!("model.{name}") } else { name.to_string() }
}

/// Checks an output layer against the token table that it is tied to, and takes it off where it is the
/// same: files of tied models may hold it twice.
///
/// # Errors
/// If it is another.
pub(super) fn without_tied_head(weights: &mut Weights<'_>) -> Result<(), Error> {
    const HEAD: &str = "lm_head.weight";
    const TABLE: &str = "model.embed_tokens.weight";
    if !weights.has(HEAD) {
        return Ok(());
    }
    if !weights.has(TABLE) {
        weights.rename(HEAD, TABLE);
        return Ok(());
    }
    if !weights.same(HEAD, TABLE) {
        return Err(Error::Model(format!(
            "{}: {HEAD} is another matrix than {TABLE}, and tie_word_embeddings is true; set it to false if the output layer is a matrix of its own",
            weights.file_of(HEAD)
        )));
    }
    weights.remove(HEAD);
    Ok(())
}

/// Takes off what a file may hold of the rotations, which the configuration says too.
pub(super) fn without_rotations(weights: &mut Weights<'_>) {
    let is_rotation = |name: &&str| name.ends_with(".rotary_emb.inv_freq");
    let names: Vec<String> = weights.names().filter(is_rotation).map(str::to_string).collect();
    names.iter().for_each(|name| weights.remove(name));
}
