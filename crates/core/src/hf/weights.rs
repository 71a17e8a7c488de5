//! `model.safetensors`: tensors by name, in one file or in several named by an index.
//!
//! A file that is something else is named; a network is filled from tensors under the names of this
//! crate (`names.rs` brings those of other programs to them). A tensor that is missing, of another
//! shape or belongs to nothing is named, with the file it stands in.

use std::collections::{BTreeMap, HashSet};

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
pub use bytes::Bytes;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

use super::Format;
#[cfg(feature = "llama")]
use super::base;
#[cfg(all(feature = "llama", not(target_family = "wasm")))]
use super::gguf;
use super::shapes::Named;
use super::stored::{Stored, Type};
#[cfg(feature = "llama")]
use crate::config::Held;
use crate::error::Error;
use crate::finite;
use crate::foreign;
use crate::nn::layers::transposed;
#[cfg(feature = "llama")]
use crate::nn::packed::Loaded;
use crate::nn::params;

/// The name of a model's weights where they are one file.
pub const SINGLE: &str = "model.safetensors";
/// The name of the index where they are several.
pub const INDEX: &str = "model.safetensors.index.json";

/// What stands before the names of files of a model that is elsewhere: the shell, which owns the disk,
/// finds the folder that `adapter_config.json` names.
pub const BASE: &str = "base/";

/// The SHA-256 of some files, one after another in the order of their names, as hexadecimal digits; empty
/// in a program that knows no adapters.
pub fn sha256(files: &[NamedBytes]) -> String {
    #[cfg(feature = "llama")]
    {
        use sha2::{Digest, Sha256};
        let mut named: Vec<&NamedBytes> = files.iter().collect();
        named.sort_unstable_by_key(|(name, _)| name);
        let mut sum = Sha256::new();
        named.iter().for_each(|(_, bytes)| sum.update(bytes));
        sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
    #[cfg(not(feature = "llama"))]
    {
        let _ = files;
        String::new()
    }
}

/// The name of a model's weights where they stand in a GGUF.
pub const GGUF: &str = "model.gguf";

/// A file's name and its bytes.
pub type NamedBytes = (String, Bytes);

/// Where a model folder's files come from: the bytes of a path, or `None` where there is no such file.
///
/// # Errors
/// If it is there and cannot be read.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<Option<Bytes>, Error>;

/// The weight files of a model folder: the single file, or else those that the index names.
///
/// `file` gives the bytes of a path; `folder` stands before each name (`""` or `critic/`).
///
/// # Errors
/// If there is neither, a file cannot be read, or one that the index names is missing.
pub fn files(file: Files<'_>, folder: &str) -> Result<Vec<NamedBytes>, Error> {
    let single = format!("{folder}{SINGLE}");
    if let Some(bytes) = file(&single)? {
        return Ok(vec![(single, bytes)]);
    }
    let index = format!("{folder}{INDEX}");
    let Some(bytes) = file(&index)? else {
        let gguf = format!("{folder}{GGUF}");
        if let Some(bytes) = file(&gguf)? {
            return Ok(vec![(gguf, bytes)]);
        }
        return Err(Error::Model(format!(
            "the model folder has no file {single} (and no {index} that names several)"
        )));
    };
    let places = places(&index, &bytes)?;
    let mut names: Vec<&String> = places.values().collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Vec::new();
    for name in names {
        let path = format!("{folder}{name}");
        let bytes = file(&path)?.ok_or_else(|| {
            Error::Model(format!("{index} names the file {path}, which is not in the model folder"))
        })?;
        found.push((path, bytes));
    }
    check_places(&index, folder, &places, &found)?;
    Ok(found)
}

/// Which tensor an index says stands in which file.
fn places(index: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>, Error> {
    let fault = |text: String| Error::Model(format!("{index}: {text}"));
    let value: Value = foreign::json(index, bytes)?;
    let map = value["weight_map"].as_object().ok_or_else(|| {
        fault("it has no weight_map, which says in which file each tensor stands".into())
    })?;
    map.iter()
        .map(|(tensor, place)| match place.as_str() {
            // A name, not a path: an index must not reach out of its folder.
            Some(name) if !name.is_empty() && !name.contains(['/', '\\']) => {
                Ok((tensor.clone(), name.to_string()))
            }
            _ => Err(fault(format!("weight_map names no file of this folder for {tensor}"))),
        })
        .collect()
}

fn check_places(
    index: &str,
    folder: &str,
    places: &BTreeMap<String, String>,
    files: &[NamedBytes],
) -> Result<(), Error> {
    for (name, bytes) in files {
        let tensors = parse(name, bytes)?;
        let mut here = places.iter().filter(|(_, place)| format!("{folder}{place}") == *name);
        if let Some((tensor, _)) = here.find(|(tensor, _)| tensors.tensor(tensor).is_err()) {
            return Err(Error::Model(format!(
                "{name}: the tensor {tensor} is missing, which {index} places there"
            )));
        }
    }
    Ok(())
}

fn parse<'a>(name: &str, bytes: &'a [u8]) -> Result<SafeTensors<'a>, Error> {
    foreign::weights(name, bytes)?;
    SafeTensors::deserialize(bytes).map_err(|error| {
        Error::Model(format!(
            "{name}: this is no whole safetensors file ({error}): it is damaged or cut; copy or download it again"
        ))
    })
}

/// The tensors of a file under their names, without a copy of one where they lie as they are used.
fn tensors_of(file: &str, bytes: &Bytes) -> Result<Vec<(String, Stored)>, Error> {
    #[cfg(all(feature = "llama", not(target_family = "wasm")))]
    if file.ends_with(GGUF) {
        return gguf::tensors(file, bytes);
    }
    let views = parse(file, bytes)?.tensors();
    #[cfg(feature = "llama")]
    let packed = match SafeTensors::read_metadata(bytes) {
        Ok((_, metadata)) => base::packed_kinds(file, &metadata)?,
        Err(_) => BTreeMap::new(),
    };
    let tensor = |(name, view): (String, TensorView<'_>)| {
        let (shape, bytes) = (view.shape().to_vec(), bytes.slice_ref(view.data()));
        #[cfg(feature = "llama")]
        if let Some(&kind) = packed.get(&name) {
            let found = (view.dtype(), &shape[..]);
            return base::unwrapped((file, &name), kind, found, bytes).map(|found| (name, found));
        }
        Ok((name, Stored { shape, kind: Type::Plain(view.dtype()), bytes }))
    };
    views.into_iter().map(tensor).collect()
}

/// The tensors of one or several files under their names.
pub struct Weights<'a> {
    tensors: BTreeMap<String, (&'a str, Stored)>,
    /// Where to look for what is missing.
    place: String,
}

impl<'a> Weights<'a> {
    /// Reads some files, without copying a weight.
    ///
    /// # Errors
    /// If one is no safetensors file, or two hold the same tensor.
    pub fn new(files: &'a [NamedBytes]) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        for (file, bytes) in files {
            for (name, view) in tensors_of(file, bytes)? {
                if let Some((other, _)) = tensors.insert(name.clone(), (file.as_str(), view)) {
                    return Err(Error::Model(format!(
                        "the tensor {name} stands in {other} and in {file}"
                    )));
                }
            }
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        Ok(Self { tensors, place: names.join(", ") })
    }

    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The names of all tensors, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Gives a tensor another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(tensor) = self.tensors.remove(from) {
            self.tensors.insert(to.to_string(), tensor);
        }
    }

    /// Whether two tensors have the same values, of whatever type.
    pub fn same(&self, one: &str, other: &str) -> bool {
        match (self.tensors.get(one), self.tensors.get(other)) {
            (Some((_, one)), Some((_, other))) => {
                one.shape == other.shape
                    && (one.kind == other.kind && one.bytes == other.bytes
                        || one.floats().is_some_and(|values| other.floats() == Some(values)))
            }
            _ => false,
        }
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) {
        self.tensors.remove(name);
    }

    /// The file that holds a tensor, or all of them where none does.
    pub fn file_of(&self, name: &str) -> &str {
        self.tensors.get(name).map_or(&self.place, |(file, _)| file)
    }

    /// Refuses tensors that these names and shapes do not fit, before anything is made of them. What
    /// `may_lack` says so of may be missing.
    ///
    /// # Errors
    /// If a tensor is missing, too many or of another shape; the error names it.
    pub fn check(&self, wanted: &[Named], may_lack: impl Fn(&str) -> bool) -> Result<(), Error> {
        for (name, shape) in wanted {
            match self.tensors.get(name) {
                Some((_, view)) if view.shape == *shape => {}
                Some((file, view)) => return Err(misshapen(file, name, &view.shape, shape)),
                None if may_lack(name) => {}
                None => return Err(self.missing(name)),
            }
        }
        let known: HashSet<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        match self.tensors.iter().find(|(name, _)| !known.contains(name.as_str())) {
            Some((name, (file, _))) => Err(surplus(file, name)),
            None => Ok(()),
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::Model(format!("{}: the tensor {name} is missing", self.place))
    }

    /// The number of blocks whose tensors' names begin with `before` and a number.
    pub fn blocks(&self, before: &str) -> usize {
        let numbers = self
            .tensors
            .keys()
            .filter_map(|name| name.strip_prefix(before)?.split('.').next()?.parse::<usize>().ok());
        numbers.max().map_or(0, |last| last.saturating_add(1))
    }

    /// The shape of a tensor and its values as they are, row by row, whatever their type.
    ///
    /// # Errors
    /// If there is none of this name, or its type is none that can be read.
    pub fn numbers(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), Error> {
        let (file, view) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let bytes = &view.bytes[..];
        let values: Vec<f64> = match view.kind {
            Type::Plain(Dtype::BOOL | Dtype::U8) => {
                bytes.iter().map(|&byte| f64::from(byte)).collect()
            }
            Type::Plain(Dtype::I64) => wide(bytes).map(|b| i64::from_le_bytes(b) as f64).collect(),
            Type::Plain(Dtype::F64) => wide(bytes).map(f64::from_le_bytes).collect(),
            Type::Plain(Dtype::I32) => {
                bytes.as_chunks().0.iter().map(|&b| f64::from(i32::from_le_bytes(b))).collect()
            }
            _ => {
                let floats = view.floats().ok_or_else(|| unreadable(file, name, view))?;
                floats.into_iter().map(f64::from).collect()
            }
        };
        Ok((view.shape.clone(), values))
    }

    /// The whole numbers of a tensor of 64-bit integers, row by row; `None` if there is no such one.
    pub fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let (_, view) = self.tensors.get(name)?;
        let eight = |b: &[u8]| b.try_into().ok().map(i64::from_le_bytes);
        (view.kind == Type::Plain(Dtype::I64))
            .then(|| view.bytes.chunks_exact(8).map_while(eight).collect())
    }

    /// Whether the name of some tensor begins like this.
    pub fn has_part(&self, prefix: &str) -> bool {
        self.tensors.keys().any(|name| name.starts_with(prefix))
    }

    /// The same tensors under other names.
    ///
    /// # Errors
    /// If two come to have one name.
    pub fn renamed(self, name: impl Fn(&str) -> String) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        for (old, tensor) in self.tensors {
            let new = name(&old);
            let file = tensor.0;
            if tensors.insert(new.clone(), tensor).is_some() {
                return Err(Error::Model(format!(
                    "{file}: two tensors have the name {new}, one of them as {old}: it holds more than one model"
                )));
            }
        }
        Ok(Self { tensors, ..self })
    }

    /// Only the tensors whose names begin with `prefix`.
    pub fn only(mut self, prefix: &str) -> Self {
        self.tensors.retain(|name, _| name.starts_with(prefix));
        self
    }

    /// The tensors whose names begin with `prefix`, without it.
    pub fn part(&self, prefix: &str) -> Self {
        let named = self.tensors.iter().filter_map(|(name, (file, view))| {
            let name = name.strip_prefix(prefix)?;
            Some((name.to_string(), (*file, view.clone())))
        });
        Self { tensors: named.collect(), place: self.place.clone() }
    }

    /// The shape of a tensor and its values, row by row.
    ///
    /// # Errors
    /// If there is none of this name, its type is none that can be read, or a value is not finite.
    pub fn values(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), Error> {
        let (file, view) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let values = view.floats().ok_or_else(|| unreadable(file, name, view))?;
        finite::check_tensor(file, name, &values)?;
        Ok((view.shape.clone(), values))
    }

    /// A tensor as the weights of a frozen model that are held like this.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    #[cfg(feature = "llama")]
    pub fn loaded(&self, name: &str, held: Held) -> Result<Loaded, Error> {
        let (file, stored) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let check = |values: &[f32]| finite::check_tensor(file, name, values);
        stored.loaded(held, check)?.ok_or_else(|| unreadable(file, name, stored))
    }

    /// Fills a network. What is missing stays as it is where `may_lack` says so of its name.
    ///
    /// # Errors
    /// If a tensor is missing, too many or of another shape; the error names it.
    pub fn fill<M: Module>(
        &self,
        module: M,
        format: Format,
        may_lack: impl Fn(&str) -> bool,
    ) -> Result<M, Error> {
        let infos = params::infos(&module);
        let old = params::tensors(&module);
        let mut known = Vec::with_capacity(infos.len());
        let mut new = Vec::with_capacity(infos.len());
        for (info, old) in infos.iter().zip(old) {
            let name = format.file_name(&info.name);
            if !self.has(&name) && may_lack(&name) {
                new.push(old);
                continue;
            }
            let shape = format.file_shape(info);
            let (found, values) = self.values(&name)?;
            if found != shape {
                return Err(misshapen(self.tensors[&name].0, &name, &found, &shape));
            }
            let values = if format.is_turned(info) {
                transposed(&values, shape[0], shape[1])
            } else {
                values
            };
            let size = values.len();
            new.push(Tensor::<1>::from_data(TensorData::new(values, [size]), &old.device()));
            known.push(name);
        }
        known.sort_unstable();
        match self.tensors.iter().find(|(name, _)| known.binary_search(name).is_err()) {
            Some((name, (file, _))) => Err(surplus(file, name)),
            None => Ok(params::replace(module, new)),
        }
    }
}

fn misshapen(file: &str, name: &str, found: &[usize], wanted: &[usize]) -> Error {
    Error::Model(format!(
        "{file}: the tensor {name} has shape {found:?} where the configuration asks for {wanted:?}"
    ))
}

fn surplus(file: &str, name: &str) -> Error {
    Error::Model(format!("{file}: the tensor {name} belongs to no part of the configured model"))
}

fn unreadable(file: &str, name: &str, view: &Stored) -> Error {
    Error::Model(format!(
        "{file}: the tensor {name} is of type {}; only F32, F16 and BF16 can be read",
        view.kind.name()
    ))
}

/// Values of eight bytes each.
fn wide(bytes: &[u8]) -> impl Iterator<Item = [u8; 8]> {
    bytes.as_chunks().0.iter().copied()
}
