//! A safetensors file, by its header.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Facts, size};
use crate::error::{Error, cannot_read};
use crate::input;

/// The longest header that the format allows, in bytes.
const LONGEST: u64 = 100_000_000;

/// What a tensor's header says.
#[derive(Debug, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
}

/// The tensors of a file by name.
pub struct Header(BTreeMap<String, Tensor>);

/// Whether a file that begins so can be safetensors: the length of its header, then JSON.
pub fn is_safetensors(start: &[u8]) -> bool {
    let Some((length, rest)) = start.split_first_chunk::<8>() else { return false };
    (2..=LONGEST).contains(&u64::from_le_bytes(*length)) && rest.first() == Some(&b'{')
}

/// What a file is.
pub fn facts(path: &Path) -> Result<Facts, Error> {
    let header = Header::read(path)?;
    let mut facts = Facts::of("weights in a safetensors file");
    facts.put("bytes", size(path)?);
    facts.put("parameters", header.scalars());
    facts.put("precision", json!(header.kinds()));
    let tensors: Map<String, Value> = header
        .0
        .iter()
        .map(|(name, tensor)| (name.clone(), json!(format!("{} {:?}", tensor.dtype, tensor.shape))))
        .collect();
    facts.put("tensors", tensors);
    facts.put("resumes", "no: a run begins from a model folder, by train --set actor=DIR");
    Ok(facts)
}

/// The weight files of a folder: the one, or the parts that an index names.
pub fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let one = folder.join("model.safetensors");
    if one.is_file() {
        return Ok(vec![one]);
    }
    let index = folder.join("model.safetensors.index.json");
    if !index.is_file() {
        return Ok(Vec::new());
    }
    let wrong = |why: String| Error::Failure(format!("{}: {why}", index.display()));
    let json: Value = input::json(&index, input::MODEL_TEXT)?;
    let map = json["weight_map"].as_object().ok_or_else(|| wrong("it has no weight_map".into()))?;
    let mut names: Vec<&str> = map.values().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // A name with parts could lead out of the folder.
    if let Some(name) = names.iter().find(|name| name.contains(['/', '\\'])) {
        return Err(wrong(format!("{name} is not the name of a file beside it")));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

impl Header {
    /// Reads the header of a file and nothing after it.
    pub fn read(path: &Path) -> Result<Header, Error> {
        let wrong =
            |why: &str| Error::Usage(format!("{} is no safetensors file: {why}", path.display()));
        let failed = |e: std::io::Error| cannot_read(path, &e);
        let mut file = File::open(path).map_err(failed)?;
        let mut start = Vec::new();
        (&mut file).take(8).read_to_end(&mut start).map_err(failed)?;
        let length: [u8; 8] =
            start.try_into().map_err(|_| wrong("it ends inside the length of its header"))?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST || length > size(path)?.saturating_sub(8) {
            return Err(wrong("its header is longer than the file, or than the format allows"));
        }
        let mut json = Vec::new();
        (&mut file).take(length).read_to_end(&mut json).map_err(failed)?;
        let mut json: Map<String, Value> = archer_input::json_line(&json)
            .map_err(|fault| wrong(&format!("its header {fault}")))?;
        json.remove("__metadata__");
        let tensors = json.into_iter().map(|(name, about)| {
            let tensor = serde_json::from_value(about)
                .map_err(|e| wrong(&format!("its tensor {name} cannot be read: {e}")))?;
            Ok((name, tensor))
        });
        Ok(Header(tensors.collect::<Result<_, Error>>()?))
    }

    /// Scalars in all tensors.
    pub fn scalars(&self) -> u64 {
        let each = self.0.values().map(|tensor| {
            tensor.shape.iter().fold(1u64, |product, size| product.saturating_mul(*size))
        });
        each.fold(0, u64::saturating_add)
    }

    /// The types of the values.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self.0.values().map(|tensor| tensor.dtype.clone()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}
