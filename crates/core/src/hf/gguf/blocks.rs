//! Where the values of a tensor lie, many of them in blocks of 32 that share a scale.

use bytes::Bytes;
use safetensors::tensor::Dtype;

use super::header::{Header, Tensor};
use crate::error::Error;
use crate::hf::stored::{Stored, Type};
use crate::nn::packed::{BLOCK, Kind};

/// A type that can be read: ggml's number, its name, what it is, values of a block, bytes of one.
const KINDS: [(u32, &str, Type, usize, usize); 6] = [
    (0, "F32", Type::Plain(Dtype::F32), 1, 4),
    (1, "F16", Type::Plain(Dtype::F16), 1, 2),
    (2, "Q4_0", Type::Packed(Kind::Q4), BLOCK, 18),
    (3, "Q4_1", Type::Packed(Kind::Q4Shifted), BLOCK, 20),
    (8, "Q8_0", Type::Packed(Kind::Q8), BLOCK, 34),
    (30, "BF16", Type::Plain(Dtype::BF16), 1, 2),
];

/// What others are called.
const OTHERS: [(u32, &str); 16] = [
    (6, "Q5_0"),
    (7, "Q5_1"),
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (23, "IQ4_XS"),
    (39, "MXFP4"),
];

/// A tensor where it lies.
///
/// # Errors
/// If its type is none that can be read, or its bytes are not there.
pub fn stored(header: &Header<'_>, tensor: &Tensor, bytes: &Bytes) -> Result<Stored, Error> {
    let Some(&(_, name, kind, values, size)) = KINDS.iter().find(|(kind, ..)| *kind == tensor.kind)
    else {
        let known = KINDS.map(|(_, name, ..)| name).join(", ");
        let other = OTHERS.iter().find(|(kind, _)| *kind == tensor.kind);
        let other =
            other.map_or_else(|| format!("number {}", tensor.kind), |(_, name)| name.to_string());
        return header.fault(format!(
            "the tensor {} is of the type {other}; {known} can be read: take another file of the model",
            tensor.name
        ));
    };
    let row = tensor.shape[tensor.shape.len() - 1];
    if !row.is_multiple_of(values) {
        return header.fault(format!(
            "the tensor {} has rows of {row} values, which are no blocks of {values}",
            tensor.name
        ));
    }
    let count = tensor.shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side));
    let length = count.and_then(|count| (count / values).checked_mul(size));
    let end = length.and_then(|length| length.checked_add(tensor.begin));
    let Some(end) = end.filter(|&end| end <= bytes.len()) else {
        return header.fault(format!(
            "the file is cut: the tensor {} of shape {:?} and type {name} is not whole",
            tensor.name, tensor.shape
        ));
    };
    Ok(Stored { shape: tensor.shape.clone(), kind, bytes: bytes.slice(tensor.begin..end) })
}
