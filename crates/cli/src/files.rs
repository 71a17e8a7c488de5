//! Writing so that nothing is lost: beside the place, flushed to the disk, then renamed into it.
//!
//! Whoever looks at the path at any moment, a crash included, sees the old content or the new one
//! and never a part. A file that was not finished is removed again.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that appears under its name only when it is [committed](Self::commit).
pub struct PendingFile {
    target: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Opens a temporary file in the folder of `target`.
    pub fn create(target: &Path) -> io::Result<PendingFile> {
        let temporary = beside(target, "tmp");
        let file = File::create(&temporary)?;
        Ok(PendingFile {
            target: target.to_path_buf(),
            temporary,
            writer: Some(BufWriter::new(file)),
        })
    }

    /// Flushes everything to the disk and gives the file its name, replacing an older one.
    pub fn commit(self) -> io::Result<()> {
        self.commit_after(|_| Ok(()))
    }

    /// The same, with `last_minute` done between the flush and the renaming.
    fn commit_after(mut self, last_minute: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let writer = self.writer.take().expect("a file is committed once");
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        last_minute(&self.target)?;
        fs::rename(&self.temporary, &self.target)?;
        sync_folder(&self.target)
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("not yet committed").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("not yet committed").flush()
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        // After a commit the name is gone and this does nothing.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a whole file at once, replacing an older one only when it is complete.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = PendingFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// The same, but the older file stays under the name with `.old` after it.
pub fn write_atomic_keeping_old(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = PendingFile::create(path)?;
    file.write_all(bytes)?;
    file.commit_after(|path| match path.exists() {
        true => fs::rename(path, beside(path, "old")),
        false => Ok(()),
    })
}

/// Writes a folder of files at once, replacing an older one only when it is complete.
///
/// `files` are paths relative to the folder, with `/` between their parts.
pub fn write_folder_atomic(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let temporary = beside(folder, "tmp");
    let outgoing = beside(folder, "old");
    remove_folder(&temporary)?;
    let written = write_all(&temporary, files);
    if written.is_err() {
        let _ = fs::remove_dir_all(&temporary);
        return written;
    }
    remove_folder(&outgoing)?;
    if folder.exists() {
        fs::rename(folder, &outgoing)?;
    }
    fs::rename(&temporary, folder)?;
    sync_folder(folder)?;
    remove_folder(&outgoing)
}

fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The path with `.suffix` after its whole name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes a rename in the folder of `path` last through a power cut, where the system can.
fn sync_folder(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(parent)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = parent;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, b"old").unwrap();

        let mut pending = PendingFile::create(&path).unwrap();
        pending.write_all(b"half of the n").unwrap();
        drop(pending);
        assert_eq!(fs::read(&path).unwrap(), b"old");

        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        write_atomic_keeping_old(&path, b"newer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(fs::read(folder.path().join("a.txt.old")).unwrap(), b"new");
    }

    #[test]
    fn keeping_the_old_one_needs_no_old_one() {
        let folder = tempfile::tempdir().unwrap();
        write_atomic_keeping_old(&folder.path().join("a"), b"first").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        let files = |names: &[&str]| -> Vec<(String, Vec<u8>)> {
            names.iter().map(|n| (n.to_string(), n.as_bytes().to_vec())).collect()
        };
        write_folder_atomic(&model, &files(&["config.json", "critic/config.json"])).unwrap();
        write_folder_atomic(&model, &files(&["critic/weights"])).unwrap();
        assert_eq!(fs::read(model.join("critic/weights")).unwrap(), b"critic/weights");
        assert!(!model.join("config.json").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
