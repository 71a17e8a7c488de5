//! The frozen model under adapters, as one safetensors file inside a file of ours.
//!
//! Matrices of 16 bits stand in it as any program has them. A matrix of fewer bits is a tensor of bytes,
//! `[rows, bytes of a row]`, and the file's metadata say under `archer_packed` which blocks it is made of, by
//! their names in GGUF. So such a model is computed with as it lies, and nothing is rounded twice.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::Device;
use bytes::Bytes;
use safetensors::tensor::{Dtype, Metadata, TensorView};

use super::stored::{Stored, Type};
use super::weights::{self, NamedBytes};
use super::{actor_weights, made_of};
use crate::checkpoint::packed::Precision;
use crate::config::Held;
use crate::error::Error;
use crate::finite;
use crate::nn::causal_lm::CausalLm;
use crate::nn::packed::{BLOCK, Kind, Packed, Part, Values};
use crate::nn::params;

/// The section of a file of ours that holds the model.
pub const SECTION: &str = "base/model.safetensors";

/// The key of the metadata that says how packed matrices are stored: a JSON object of names and kinds.
const PACKED: &str = "archer_packed";

/// What files call the blocks that safetensors has no type for.
const NAMES: [(Kind, &str); 3] =
    [(Kind::Q8, "Q8_0"), (Kind::Q4, "Q4_0"), (Kind::Q4Shifted, "Q4_1")];

/// A tensor of a file: its name, type, shape there and bytes.
type Written = (String, Dtype, Vec<usize>, Bytes);

/// Writes the frozen weights of a model: as they lie, or rounded to so many bits. A matrix that takes no
/// more bits already stays as it lies, and one whose rows are no multiple of 32 stays in 32 bits.
///
/// # Errors
/// If the device fails, or a weight is not finite.
pub async fn write(lm: &CausalLm, precision: Option<Precision>) -> Result<Vec<u8>, Error> {
    let (mut tensors, mut kinds) = (Vec::<Written>::new(), BTreeMap::new());
    for Part { name, shape, values } in lm.parts() {
        let packed = match values {
            Values::Packed(matrix) => Some(repacked(matrix, precision)),
            Values::Floats(values) => {
                let values = params::read(vec![values]).await?.remove(0);
                finite::check_tensor("the model", &name, &values)?;
                let kind = precision.and_then(kind_of).filter(|_| shape.len() == 2);
                let packed = kind.and_then(|kind| Packed::of(kind, [shape[0], shape[1]], &values));
                if packed.is_none() {
                    let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
                    tensors.push((name.clone(), Dtype::F32, shape, bytes.into()));
                }
                packed
            }
        };
        let Some(packed) = packed else { continue };
        let [rows, columns] = packed.shape();
        let (dtype, row) = match packed.kind() {
            Kind::Bf16 => (Dtype::BF16, columns),
            Kind::F16 => (Dtype::F16, columns),
            kind => {
                let (_, called) = NAMES.iter().find(|(one, _)| *one == kind).expect("all named");
                kinds.insert(name.clone(), *called);
                (Dtype::U8, columns / BLOCK * kind.bytes())
            }
        };
        tensors.push((name, dtype, vec![rows, row], packed.bytes().clone()));
    }
    let unwritten = |error: &dyn std::fmt::Display| {
        Error::Model(format!("the weights of the language model cannot be written: {error}"))
    };
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, shape, bytes) in &tensors {
        let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| unwritten(&e))?;
        views.push((name.as_str(), view));
    }
    // One key alone: the order of several is drawn, and equal models are to have equal files.
    let about = HashMap::from([(
        PACKED.to_string(),
        serde_json::to_string(&kinds).expect("JSON can be written"),
    )]);
    safetensors::serialize(views, Some(about)).map_err(|error| unwritten(&error))
}

/// Reads the model of a section, whose shape the section `config` says, as it lies. Gives the SHA-256 of
/// its file too.
///
/// # Errors
/// If the two do not belong together, or a tensor is none that can be read; the error names it.
pub fn read(
    (config, shape): (&str, &[u8]),
    file: &Bytes,
    device: &Device,
) -> Result<(CausalLm, String), Error> {
    let files: [NamedBytes; 1] = [(SECTION.to_string(), file.clone())];
    let (shape, weights) = actor_weights((config, shape), &files, &mut Vec::new())?;
    if !shape.has_adapters() {
        return Err(Error::Model(format!(
            "{config} describes a model in the layout of {}, which has no adapters here",
            shape.layout.name()
        )));
    }
    let lm = made_of(&shape, &weights, Held::Stored, device)?;
    Ok((lm, weights::sha256(&files)))
}

/// How the frozen matrices of a model are written where nothing is asked for: by the one that has most
/// weights.
pub fn precision_of(lm: &CausalLm) -> Precision {
    let parts = lm.parts();
    let largest = parts.iter().max_by_key(|part| part.shape.iter().product::<usize>());
    match largest.map(|part| &part.values) {
        Some(Values::Packed(matrix)) => match matrix.kind() {
            Kind::Bf16 => Precision::Bf16,
            Kind::F16 => Precision::F16,
            Kind::Q8 => Precision::Q8,
            Kind::Q4 | Kind::Q4Shifted => Precision::Q4,
        },
        _ => Precision::F32,
    }
}

/// The tensors that the metadata of a file call packed, by their names.
///
/// # Errors
/// If they name a kind of blocks, or a tensor, that there is not.
pub(super) fn packed_kinds(
    file: &str,
    metadata: &Metadata,
) -> Result<BTreeMap<String, Kind>, Error> {
    let fault = |what: String| Error::Model(format!("{file}: {what}"));
    let text = metadata.metadata().as_ref().and_then(|about| about.get(PACKED));
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    let named: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| fault(format!("its metadata {PACKED} cannot be read: {error}")))?;
    let kinds = named.into_iter().map(|(name, called)| {
        let known = NAMES.iter().find(|(_, one)| *one == called);
        let (kind, _) = known.ok_or_else(|| {
            let all = NAMES.map(|(_, name)| name).join(", ");
            fault(format!(
                "the tensor {name} is packed as {called}, of which only {all} can be read"
            ))
        })?;
        match metadata.info(&name) {
            Some(_) => Ok((name, *kind)),
            None => Err(fault(format!("the tensor {name} is missing, which {PACKED} names"))),
        }
    });
    kinds.collect()
}

/// A tensor of bytes as the packed matrix that it is.
///
/// # Errors
/// If its shape is not that of rows of blocks.
pub(super) fn unwrapped(
    (file, name): (&str, &str),
    kind: Kind,
    (dtype, shape): (Dtype, &[usize]),
    bytes: Bytes,
) -> Result<Stored, Error> {
    match (dtype, shape) {
        (Dtype::U8, &[rows, row]) if row.is_multiple_of(kind.bytes()) => {
            let shape = vec![rows, row / kind.bytes() * BLOCK];
            Ok(Stored { shape, kind: Type::Packed(kind), bytes })
        }
        _ => Err(Error::Model(format!(
            "{file}: the tensor {name} is packed, and so its type must be U8 and its rows blocks of {} bytes; it is of type {dtype:?} and has shape {shape:?}",
            kind.bytes()
        ))),
    }
}

/// The blocks of a precision; none where weights take 32 bits.
fn kind_of(precision: Precision) -> Option<Kind> {
    match precision {
        Precision::F32 => None,
        Precision::F16 => Some(Kind::F16),
        Precision::Bf16 => Some(Kind::Bf16),
        Precision::Q8 => Some(Kind::Q8),
        Precision::Q4 => Some(Kind::Q4Shifted),
    }
}

/// A packed matrix in fewer bits, where that is asked for.
fn repacked(matrix: Packed, precision: Option<Precision>) -> Packed {
    match precision.and_then(kind_of) {
        Some(kind) if kind.bytes() < matrix.kind().bytes() => {
            Packed::of(kind, matrix.shape(), &matrix.unpack()).unwrap_or(matrix)
        }
        _ => matrix,
    }
}
