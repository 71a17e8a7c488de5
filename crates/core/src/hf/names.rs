//! One form of the names that checkpoints of the same network give its tensors.
//!
//! An encoder stands under `roberta.` or `bert.`, old layer norms say
//! `gamma` and `beta`. Programs that wrap a model put a word of theirs before every name.

use super::weights::Weights;
use crate::error::Error;

/// What programs put before the names of a model that they wrap: torch.compile, data parallel training,
/// peft, models that hold a model.
const WRAPPERS: [&str; 5] =
    ["_orig_mod.", "module.", "base_model.model.", "pretrained_model.", "model."];

/// The weights without the words of wrappers before their names, with a notice where there were others
/// than the layout's `own`.
///
/// # Errors
/// If two tensors then have one name.
pub fn unwrapped<'a>(
    weights: Weights<'a>,
    own: &str,
    notices: &mut Vec<String>,
) -> Result<Weights<'a>, Error> {
    let before = |name: &str| name[..name.len() - bare(name).len()].to_string();
    let wrapped = weights.names().find(|name| !["", own].contains(&before(name).as_str()));
    if let Some(first) = wrapped {
        let prefix = before(first);
        notices.push(format!(
            "{}: the prefix {} is taken off the names of tensors, such as {first}",
            weights.file_of(first),
            prefix.trim_end_matches('.')
        ));
    }
    weights.renamed(|name| bare(name).to_string())
}

/// A name without all words of wrappers before it.
fn bare(mut name: &str) -> &str {
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = rest;
    }
    name
}

/// The name of an encoder's tensor as this crate writes it, from any of the field's: under
/// `roberta.` or `bert.` where it stands in a larger model, with layer norms of the old names.
pub(super) fn encoder_name(name: &str) -> String {
    let bare = name.strip_prefix("roberta.").or_else(|| name.strip_prefix("bert."));
    let bare = bare.unwrap_or(name);
    let bare = match bare.strip_suffix("LayerNorm.gamma") {
        Some(layer) => format!("{layer}LayerNorm.weight"),
        None => match bare.strip_suffix("LayerNorm.beta") {
            Some(layer) => format!("{layer}LayerNorm.bias"),
            None => bare.to_string(),
        },
    };
    let is_body = ["embeddings.", "encoder.", "pooler."].iter().any(|part| bare.starts_with(part));
    if is_body { format!("base_lm.{bare}") } else { bare }
}
