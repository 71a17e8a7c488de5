//! GPT-2's layout in files: its `config.json`, its tensors and their names.

use serde_json::{Value, json};

use super::config_file::ConfigFile;
use super::shapes::Tensors;
use super::weights::Weights;
use crate::error::Error;
use crate::nn::causal_lm::{CausalLmConfig, Layout};

/// The `config.json` of a model of this shape, whose texts begin and end with this token.
pub(super) fn config(config: &CausalLmConfig, end_of_text: u32) -> Value {
    json!({
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "n_layer": config.layers,
        "n_embd": config.width,
        "n_head": config.heads,
        "n_positions": config.positions,
        "n_ctx": config.positions,
        "vocab_size": config.vocab_size,
        "layer_norm_epsilon": config.norm_epsilon,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "tie_word_embeddings": true,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "torch_dtype": "float32",
    })
}

/// Reads its configuration.
///
/// # Errors
/// If it lacks a size, or asks for what cannot be computed; the error names the key.
pub(super) fn read(config: &ConfigFile<'_>) -> Result<CausalLmConfig, Error> {
    config.is_one_of(&["gpt2"])?;
    config.choice("activation_function", &["gelu_new", "gelu_pytorch_tanh"])?;
    config.flag_is("scale_attn_weights", true)?;
    config.flag_is("scale_attn_by_inverse_layer_idx", false)?;
    config.flag("reorder_and_upcast_attn")?; // the order of a sum in half precision, and no other function
    config.flag_is("add_cross_attention", false)?;
    config.flag("tie_word_embeddings")?; // the weights tell
    config.nothing_else()?;
    for key in ["resid_pdrop", "embd_pdrop", "attn_pdrop"] {
        config.share(key)?; // drops nothing where nothing is trained
    }
    let shape = CausalLmConfig {
        layers: config.layers("n_layer")?,
        width: config.size("n_embd")?,
        heads: config.size("n_head")?,
        positions: config.size("n_positions")?,
        vocab_size: config.size("vocab_size")?,
        norm_epsilon: config.epsilon("layer_norm_epsilon", 1e-5)?,
        layout: Layout::Gpt2,
    };
    config.check_heads(("n_embd", shape.width), ("n_head", shape.heads))?;
    if config.has("n_ctx") {
        config.size("n_ctx")?;
    }
    if config.has("n_inner") {
        let inner = config.size("n_inner")?;
        if inner != 4 * shape.width {
            return config.fault(format!(
                "n_inner = {inner} is not supported; it must be 4 n_embd = {}",
                4 * shape.width
            ));
        }
    }
    Ok(shape)
}

/// The tensors of such a model, each name behind `prefix`.
pub(super) fn tensors(prefix: &str, config: &CausalLmConfig) -> Tensors {
    let (width, mut all) = (config.width, Tensors::default());
    let root = format!("{prefix}transformer");
    all.push(format!("{root}.wte.weight"), &[config.vocab_size, width]);
    all.push(format!("{root}.wpe.weight"), &[config.positions, width]);
    for layer in 0..config.layers {
        let block = format!("{root}.h.{layer}");
        all.norm(format!("{block}.ln_1"), width);
        all.turned(format!("{block}.attn.c_attn"), [width, 3 * width]);
        all.turned(format!("{block}.attn.c_proj"), [width, width]);
        all.norm(format!("{block}.ln_2"), width);
        all.turned(format!("{block}.mlp.c_fc"), [width, 4 * width]);
        all.turned(format!("{block}.mlp.c_proj"), [4 * width, width]);
    }
    all.norm(format!("{root}.ln_f"), width);
    all
}

/// The name of a tensor as this crate writes it: the first published files leave
/// `transformer.` out.
pub(super) fn name(name: &str) -> String {
    let is_bare = ["wte.", "wpe.", "h.", "ln_f."].iter().any(|part| name.starts_with(part));
    if is_bare { format!("transformer.{name}") } else { name.to_string() }
}

/// Checks an output layer against the token embedding, and takes it off where it is the same. `untied`
/// says that there must be one.
///
/// # Errors
/// If it is another: then what the file computes is not what would be computed here.
pub fn without_tied_head(weights: &mut Weights<'_>, untied: bool) -> Result<(), Error> {
    const HEAD: &str = "lm_head.weight";
    const TABLE: &str = "transformer.wte.weight";
    if !weights.has(HEAD) && untied {
        return Err(Error::Model(format!(
            "{}: tie_word_embeddings is false, and the tensor {HEAD} is missing; set it to true if the output layer is the embedding",
            weights.file_of(HEAD)
        )));
    }
    if !weights.has(HEAD) {
        return Ok(());
    }
    if !weights.has(TABLE) {
        // A writer that writes tensors in shared memory once may keep either name.
        weights.rename(HEAD, TABLE);
        return Ok(());
    }
    if weights.values(HEAD)? != weights.values(TABLE)? {
        return Err(Error::Model(format!(
            "{}: {HEAD} is another matrix than {TABLE}: an output layer of its own cannot be computed here; take a model whose output layer is tied to its embedding",
            weights.file_of(HEAD)
        )));
    }
    weights.remove(HEAD);
    Ok(())
}
