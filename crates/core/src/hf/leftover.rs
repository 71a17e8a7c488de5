//! What stands in a file beside a network's parameters, and when it may be passed over.
//!
//! Nothing is passed over unchecked: a causal mask must be one, positions must count from 0, an output
//! layer must be the embedding that it is tied to. What another program trained besides (a value head,
//! the head of a language model on an encoder) is left out with a notice; what is not known is refused.

use super::weights::Weights;
use crate::error::Error;

/// A mask that lets through from here on up to 0, as scores in 16 bits have it.
const SHUT: f64 = -1e4;

/// Takes off the buffers whose values are what they must be; `positions` is the number of places
/// that a mask must cover.
///
/// # Errors
/// If a buffer holds other values; the error names it.
pub fn without_buffers(weights: &mut Weights<'_>, positions: usize) -> Result<(), Error> {
    let names: Vec<String> = weights.names().map(str::to_string).collect();
    for name in names {
        let check = match buffer(&name) {
            Some(check) => check,
            None => continue,
        };
        let (shape, values) = weights.numbers(&name)?;
        if let Err(must) = check(&shape, &values, positions) {
            return Err(Error::Model(format!(
                "{}: the buffer {name} of shape {shape:?} must be {must}, and is not: what the model computes would not be what is computed here",
                weights.file_of(&name)
            )));
        }
        weights.remove(&name);
    }
    Ok(())
}

/// What a buffer must be; the text says it.
type Check = fn(&[usize], &[f64], usize) -> Result<(), &'static str>;

/// How the values of a tensor of this name are checked, if it is a buffer.
fn buffer(name: &str) -> Option<Check> {
    if name.ends_with(".attn.masked_bias") {
        return Some(|_, values, _| match values {
            [value] if *value <= SHUT => Ok(()),
            _ => Err("one number of at most -10000"),
        });
    }
    if name.ends_with(".attn.bias") {
        return Some(|shape, values, positions| match is_causal(shape, values, positions) {
            true => Ok(()),
            false => Err("a causal mask of ones and zeros over all positions"),
        });
    }
    if name == "position_ids" || name.ends_with(".position_ids") {
        return Some(|_, values, _| {
            let counts = values.iter().enumerate().all(|(place, value)| *value == place as f64);
            if counts { Ok(()) } else { Err("the numbers from 0 upwards") }
        });
    }
    if name == "token_type_ids" || name.ends_with(".token_type_ids") {
        return Some(|_, values, _| match values.iter().all(|value| *value == 0.0) {
            true => Ok(()),
            false => Err("zeros"),
        });
    }
    None
}

/// Whether these are the rows of a lower triangle of ones, at least so many.
fn is_causal(shape: &[usize], values: &[f64], positions: usize) -> bool {
    let side = shape.last().copied().unwrap_or(0);
    let square = side.checked_mul(side) == Some(values.len());
    let one = |at: usize| if at % side <= at / side { 1.0 } else { 0.0 };
    square && side >= positions && values.iter().enumerate().all(|(at, value)| *value == one(at))
}

/// Takes off a value head that another program trained, with a notice.
///
/// # Errors
/// If the file holds adapters, without which its other weights are not the model.
pub fn without_value_head(
    weights: &mut Weights<'_>,
    notices: &mut Vec<String>,
) -> Result<(), Error> {
    if let Some(adapter) = weights.names().find(|name| name.contains("lora_")) {
        return Err(Error::Model(format!(
            "{}: the tensor {adapter} belongs to LoRA adapters; merge them into the model first (merge_and_unload in peft), and save that",
            weights.file_of(adapter)
        )));
    }
    left_out(
        weights,
        notices,
        |name| name.starts_with("v_head."),
        "a value head of another program, in whose place a critic learns",
    );
    Ok(())
}

/// Takes off the heads that published encoders have, with a notice.
pub fn without_encoder_heads(weights: &mut Weights<'_>, notices: &mut Vec<String>) {
    const HEADS: [&str; 5] = ["lm_head.", "cls.", "classifier.", "qa_outputs.", "score."];
    let is_head = |name: &str| HEADS.iter().any(|head| name.starts_with(head));
    left_out(weights, notices, is_head, "a head on the encoder, which a critic does not use");
}

fn left_out(
    weights: &mut Weights<'_>,
    notices: &mut Vec<String>,
    is_out: impl Fn(&str) -> bool,
    what: &str,
) {
    let names: Vec<String> =
        weights.names().filter(|name| is_out(name)).map(str::to_string).collect();
    if let [first, rest @ ..] = &names[..] {
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        notices.push(format!("{}: {first}{more} is left out: {what}", weights.file_of(first)));
    }
    names.iter().for_each(|name| weights.remove(name));
}
