//! Writing so that nothing is lost: beside the place, flushed to the disk, then renamed into it.
//!
//! Whoever looks at the path at any moment, a crash included, sees the old content or the new one
//! and never a part. A file that was not finished is removed again.

use std::fs::{self, File, FileType};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

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

    /// The same under a name that was not foreseen: the target's with `.suffix` after it, which is given
    /// back. A file of that name is replaced.
    pub fn commit_as(mut self, suffix: &str) -> io::Result<PathBuf> {
        self.target = beside(&self.target, suffix);
        let target = self.target.clone();
        self.commit()?;
        Ok(target)
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

/// Writes a folder of files at once, replacing an older one only when it is complete. What somebody
/// else put into the older one stays: all but the names that `ours` knows.
///
/// `files` are paths relative to the folder, with `/` between their parts; so are the names.
pub fn write_folder_atomic(
    folder: &Path,
    files: &[(String, Vec<u8>)],
    ours: impl Fn(&str) -> bool,
) -> io::Result<()> {
    let temporary = beside(folder, "tmp");
    let outgoing = beside(folder, "old");
    let is_new = |name: &str| files.iter().any(|(file, _)| file == name);
    let replaced = |name: &str| is_new(name) || ours(name);
    settle(folder, &outgoing, &replaced)?;
    remove_folder(&temporary)?;
    let written = write_all(&temporary, files);
    if written.is_err() {
        let _ = fs::remove_dir_all(&temporary);
        return written;
    }
    if folder.exists() {
        fs::rename(folder, &outgoing)?;
    }
    fs::rename(&temporary, folder)?;
    sync_folder(folder)?;
    settle(folder, &outgoing, &replaced)
}

/// Removes a folder that was replaced, when all of it that is not `replaced` is in its successor; gives
/// it its name back where there is none, as after a crash.
fn settle(folder: &Path, outgoing: &Path, replaced: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let Ok(kind) = fs::symlink_metadata(outgoing) else { return Ok(()) };
    if !folder.exists() {
        return fs::rename(outgoing, folder);
    }
    // Behind a link lies a folder of somebody's, of which nothing is taken.
    if kind.is_dir() {
        move_others(outgoing, folder, "", replaced)?;
    }
    remove_folder(outgoing)
}

/// Moves what is not `replaced` from one folder into another, unless the name is taken there.
fn move_others(
    from: &Path,
    into: &Path,
    prefix: &str,
    replaced: &dyn Fn(&str) -> bool,
) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let place = into.join(entry.file_name());
        if replaced(&name) {
            continue;
        }
        match fs::symlink_metadata(&place) {
            Err(_) => fs::rename(entry.path(), &place)?,
            Ok(there) if there.is_dir() && entry.file_type()?.is_dir() => {
                move_others(&entry.path(), &place, &format!("{name}/"), replaced)?;
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Refuses to write a file where something is, so that nothing is overwritten: with `force` a plain
/// file may be replaced, and only that.
pub fn check_free(path: &Path, force: bool) -> Result<(), Error> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    let shown = path.display();
    match (kind(there.file_type()), force) {
        (None, true) => Ok(()),
        (None, false) => Err(Error::Usage(format!(
            "{shown} exists: choose another --out, or replace it with --force"
        ))),
        (Some(kind), _) => Err(Error::Usage(format!(
            "{shown} is {kind}, which is never replaced: choose another --out"
        ))),
    }
}

/// The same for a folder that `is_ours` knows for one that may be replaced.
pub fn check_free_folder(
    path: &Path,
    force: bool,
    is_ours: impl Fn(&Path) -> bool,
) -> Result<(), Error> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    let shown = path.display();
    let refused = |why: &str| Err(Error::Usage(format!("{shown} {why}")));
    match kind(there.file_type()) {
        None => refused("is a file, and a folder is to be written: choose another --out"),
        Some(FOLDER) if !force => {
            refused("exists: choose another --out, or replace it with --force")
        }
        Some(FOLDER) if is_ours(path) => Ok(()),
        Some(FOLDER) => {
            refused("is no model folder, so --force does not replace it: choose another --out")
        }
        Some(kind) => refused(&format!("is {kind}, which is never replaced: choose another --out")),
    }
}

const FOLDER: &str = "a folder";

/// What is in the place of a file, where it is none.
fn kind(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some(FOLDER);
    }
    if kind.is_symlink() {
        return Some("a symbolic link");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
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

    fn named(names: &[&str]) -> Vec<(String, Vec<u8>)> {
        names.iter().map(|n| (n.to_string(), n.as_bytes().to_vec())).collect()
    }

    fn ours(name: &str) -> bool {
        ["config.json", "critic/weights"].contains(&name)
    }

    #[test]
    fn a_folder_is_replaced_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        let first = named(&["config.json", "critic/config.json"]);
        write_folder_atomic(&model, &first, ours).unwrap();
        write_folder_atomic(&model, &named(&["critic/weights"]), ours).unwrap();
        assert_eq!(fs::read(model.join("critic/weights")).unwrap(), b"critic/weights");
        assert!(!model.join("config.json").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_somebody_else_put_into_a_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        let files = named(&["config.json", "critic/weights"]);
        write_folder_atomic(&model, &files, ours).unwrap();
        fs::write(model.join("notes.txt"), "mine").unwrap();
        fs::write(model.join("critic/notes.txt"), "mine too").unwrap();
        fs::create_dir(model.join("figures")).unwrap();
        fs::write(model.join("figures/one.svg"), "<svg/>").unwrap();
        write_folder_atomic(&model, &files, ours).unwrap();
        // As a crash leaves it between the two renamings, and after them.
        fs::rename(&model, beside(&model, "old")).unwrap();
        write_folder_atomic(&model, &files, ours).unwrap();
        fs::create_dir(beside(&model, "old")).unwrap();
        fs::write(beside(&model, "old").join("later.txt"), "kept").unwrap();
        write_folder_atomic(&model, &files, ours).unwrap();
        for (name, text) in [
            ("notes.txt", "mine"),
            ("critic/notes.txt", "mine too"),
            ("figures/one.svg", "<svg/>"),
            ("later.txt", "kept"),
            ("config.json", "config.json"),
        ] {
            assert_eq!(fs::read_to_string(model.join(name)).unwrap(), text, "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_a_plain_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        check_free(&path, false).unwrap();
        fs::write(&path, "").unwrap();
        check_free(&path, true).unwrap();
        let said = |path: &Path, force| check_free(path, force).unwrap_err().to_string();
        assert!(said(&path, false).contains("--force"));
        assert!(said(folder.path(), true).contains("is a folder, which is never replaced"));
        assert!(check_free_folder(&path, true, |_| true).is_err());
        check_free_folder(folder.path(), true, |_| true).unwrap();
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            assert!(said(&link, true).contains("is a symbolic link, which is never replaced"));
            assert!(said(Path::new("/dev/null"), true).contains("is a device"));
        }
    }
}
