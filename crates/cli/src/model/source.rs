//! Where the files of a model come from: a folder, or one GGUF that holds what a folder would.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use archer::checkpoint::{self, Sections};
use archer::hf::weights::Bytes;
use archer::hf::{base, gguf, weights};
use archer::train::Trainer;

use crate::error::{Error, cannot_read};
use crate::input;

/// The files of a model.
pub enum Source {
    /// A folder in Hugging Face layout.
    Folder(PathBuf),
    /// What a GGUF holds, by the names of a folder's files.
    Gguf(gguf::Folder),
    /// A file of ours, of which the model under its adapters is read.
    Archer(Sections),
}

impl Source {
    /// A file is read whole; of a folder nothing is read yet.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if is_archer(path) {
            let sections = sections(path)?;
            return match Trainer::holds_base(&sections) {
                true => Ok(Source::Archer(sections)),
                false => Err(Error::Usage(format!(
                    "{} holds no language model under adapters, so nothing can be read from it here: name a model folder, a GGUF, or the file of such a model",
                    path.display()
                ))),
            };
        }
        if !is_gguf(path) {
            return Ok(Source::Folder(path.to_path_buf()));
        }
        let bytes = fs::read(path).map_err(|error| cannot_read(path, &error))?;
        Ok(Source::Gguf(gguf::folder(&path.display().to_string(), &bytes.into())?))
    }

    /// The bytes of a file, or `None` where there is none.
    pub fn get(&self, name: &str) -> Result<Option<Bytes>, archer::Error> {
        match self {
            Source::Folder(folder) => file(&folder.join(name)),
            Source::Gguf(files) => Ok(files.get(name).cloned()),
            Source::Archer(sections) => {
                let section = match name {
                    "config.json" => "actor_config",
                    "tokenizer.json" => "tokenizer",
                    weights::SINGLE => base::SECTION,
                    _ => return Ok(None),
                };
                Ok(sections.shared(section).cloned())
            }
        }
    }
}

/// Whether a path is a GGUF, by its first bytes.
pub fn is_gguf(path: &Path) -> bool {
    begins_with(path, gguf::MAGIC)
}

/// Whether a path is a file of ours, likewise.
pub fn is_archer(path: &Path) -> bool {
    begins_with(path, checkpoint::MAGIC)
}

fn begins_with(path: &Path, magic: &[u8]) -> bool {
    let mut first = vec![0; magic.len()];
    // Nothing but a file is opened: a pipe would be waited for.
    path.is_file()
        && fs::File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok()
        && first == magic
}

/// The sections of a file of ours.
pub fn sections(path: &Path) -> Result<Sections, Error> {
    let bytes = fs::read(path).map_err(|error| cannot_read(path, &error))?;
    Sections::from_shared(&bytes.into()).map_err(|error| super::named(path, error))
}

/// Where the model is that the adapters in a folder belong to, where it holds adapters alone. PEFT names it
/// as it was typed: beside the folder, or where the program runs.
pub fn base_of(model: &Source) -> Result<Option<(PathBuf, Source)>, Error> {
    const CONFIG: &str = "adapter_config.json";
    const NAME: &str = "base_model_name_or_path";
    let Source::Folder(folder) = model else { return Ok(None) };
    let has = |name: &str| folder.join(name).exists();
    if !has(CONFIG) || has(weights::SINGLE) || has(weights::INDEX) {
        return Ok(None);
    }
    let config: serde_json::Value = input::json(&folder.join(CONFIG), input::MODEL_TEXT)?;
    let shown = folder.display();
    let Some(name) = config[NAME].as_str().filter(|name| !name.is_empty()) else {
        return Err(Error::Failure(format!(
            "{shown}: {CONFIG} names no model under {NAME}: write the folder of the model there that the adapters belong to"
        )));
    };
    let places = [folder.join(name), PathBuf::from(name)];
    let found = places
        .into_iter()
        .find(|place| place.join("config.json").is_file() || is_gguf(place) || is_archer(place));
    match found {
        Some(place) => {
            let source = Source::open(&place)?;
            Ok(Some((place, source)))
        }
        None => Err(Error::Failure(format!(
            "{shown}: {CONFIG} names the model {name}, and there is no folder of that name with a config.json, neither there nor here: write the folder of the model under {NAME}"
        ))),
    }
}

/// The bytes of a file of a folder, or `None` where there is none. One that is there and cannot be read
/// is not taken for missing, and nothing but a file is opened: a pipe would be waited for.
pub fn file(path: &Path) -> Result<Option<Bytes>, archer::Error> {
    let fault = |what: &str| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Err(archer::Error::Model(format!("{name} {what}")))
    };
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => fault("may not be read; check its permissions"),
        _ => fault(&format!("could not be read: {error}")),
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => fault("is a folder, where a file of this name should be"),
        Ok(found) if !found.is_file() => {
            fault("is a pipe or a device, where a file of this name should be")
        }
        Ok(_) => fs::read(path).map(|bytes| Some(bytes.into())).or_else(|error| unreadable(&error)),
        Err(error) if is_absent(&error) && fs::symlink_metadata(path).is_ok() => {
            fault("is a symbolic link to nothing; copy the file itself")
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => unreadable(&error),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
