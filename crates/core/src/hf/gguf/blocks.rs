//! The values of a tensor, many of them in blocks of 32 that share a scale.

use half::{bf16, f16};

use super::header::{Header, Tensor};
use crate::error::Error;

/// Values of a block.
const BLOCK: usize = 32;

/// A type that can be read: ggml's number, its name, values of a block, bytes of one.
const KINDS: [(u32, &str, usize, usize); 6] = [
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", BLOCK, 18),
    (3, "Q4_1", BLOCK, 20),
    (8, "Q8_0", BLOCK, 34),
    (30, "BF16", 1, 2),
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

/// The values of a tensor, row by row.
///
/// # Errors
/// If its type is none that can be read, or its bytes are not there.
pub fn values(header: &Header<'_>, tensor: &Tensor, bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let Some(&(kind, name, values, size)) = KINDS.iter().find(|(kind, ..)| *kind == tensor.kind)
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
    let bytes = &bytes[tensor.begin..end];
    let half = |bytes: &[u8]| f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
    let mut all = Vec::with_capacity(count.unwrap_or(0));
    for block in bytes.chunks_exact(size) {
        match kind {
            0 => all.push(f32::from_le_bytes([block[0], block[1], block[2], block[3]])),
            1 => all.push(half(block)),
            30 => all.push(bf16::from_le_bytes([block[0], block[1]]).to_f32()),
            8 => {
                let scale = half(block);
                all.extend(block[2..].iter().map(|&byte| f32::from(byte as i8) * scale));
            }
            2 => nibbles(&block[2..], &mut all, half(block), -8.0 * half(block)),
            _ => nibbles(&block[4..], &mut all, half(block), half(&block[2..])),
        }
    }
    Ok(all)
}

/// Numbers of four bits, `scale · number + shift`: first those in the low halves of all bytes, then those
/// in the high.
fn nibbles(bytes: &[u8], all: &mut Vec<f32>, scale: f32, shift: f32) {
    all.extend(bytes.iter().map(|byte| f32::from(byte & 15) * scale + shift));
    all.extend(bytes.iter().map(|byte| f32::from(byte >> 4) * scale + shift));
}
