//! What is in a container, without holding all of it: a file of gigabytes is read once, from the front,
//! and only the sections that are asked for are kept.

use std::io::{ErrorKind, Read};

use super::{MAGIC, Sections, VERSION, damaged, name_of};
use crate::error::Error;

/// Bytes that are read at a time of a section that is not kept.
const AT_A_TIME: usize = 1 << 16;

/// A container as its headers describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The version of the container.
    pub version: u32,
    /// The name and the length in bytes of each section, in their order.
    pub sections: Vec<(String, u64)>,
    /// The sections that were asked for.
    pub kept: Sections,
}

/// Surveys a container of `length` bytes and checks its checksum; keeps the sections that `keep` names.
///
/// # Errors
/// If it is cut, altered, of another version, no container at all, or cannot be read.
pub fn survey(
    source: &mut dyn Read,
    length: u64,
    keep: &dyn Fn(&str) -> bool,
) -> Result<Survey, Error> {
    let Some(body) = length.checked_sub(4) else {
        return Err(damaged("it is cut"));
    };
    let mut reader = Summing { source, left: body, sum: crc32fast::Hasher::new() };
    if reader.take(MAGIC.len() as u64)? != MAGIC {
        return Err(damaged("it does not begin as a checkpoint does"));
    }
    let version = reader.u32()?;
    if version > VERSION {
        return Err(Error::Version(format!(
            "the checkpoint is of version {version}; this program reads versions 1 to {VERSION}: use a newer version of archer"
        )));
    }
    let count = reader.u32()?;
    let (mut sections, mut kept) = (Vec::new(), Sections::new());
    for _ in 0..count {
        let name = u64::from(reader.take(1)?[0]);
        let name = name_of(&reader.take(name)?)?;
        let size = u64::from_le_bytes(reader.take(8)?.try_into().expect("eight bytes"));
        match keep(&name) {
            true => kept.push(&name, reader.take(size)?),
            false => reader.skip(size)?,
        }
        sections.push((name, size));
    }
    if reader.left > 0 {
        return Err(damaged("it is followed by more than it needs"));
    }
    let Summing { source, sum, .. } = reader;
    let mut expected = [0; 4];
    source.read_exact(&mut expected).map_err(unreadable)?;
    match sum.finalize() == u32::from_le_bytes(expected) {
        true => Ok(Survey { version, sections, kept }),
        false => Err(damaged("its checksum does not match its contents")),
    }
}

/// Bytes that are summed as they are read.
struct Summing<'a> {
    source: &'a mut dyn Read,
    /// Bytes before the checksum.
    left: u64,
    sum: crc32fast::Hasher,
}

impl Summing<'_> {
    /// The next bytes. Nothing is reserved for more than there are.
    fn take(&mut self, n: u64) -> Result<Vec<u8>, Error> {
        self.count(n)?;
        let mut bytes = Vec::new();
        self.source.take(n).read_to_end(&mut bytes).map_err(unreadable)?;
        if (bytes.len() as u64) < n {
            return Err(damaged("it ends too early"));
        }
        self.sum.update(&bytes);
        Ok(bytes)
    }

    fn skip(&mut self, mut n: u64) -> Result<(), Error> {
        self.count(n)?;
        let mut bytes = vec![0; AT_A_TIME];
        while n > 0 {
            let part = &mut bytes[..n.min(AT_A_TIME as u64) as usize];
            self.source.read_exact(part).map_err(unreadable)?;
            self.sum.update(part);
            n -= part.len() as u64;
        }
        Ok(())
    }

    fn count(&mut self, n: u64) -> Result<(), Error> {
        self.left = self.left.checked_sub(n).ok_or_else(|| damaged("it ends too early"))?;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }
}

fn unreadable(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => Error::Checkpoint(format!("the checkpoint could not be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections() -> Sections {
        let mut sections = Sections::new();
        sections.push("state", b"{}".to_vec());
        sections.push("weights", vec![7; 3 * AT_A_TIME + 1]);
        sections.push("empty", Vec::new());
        sections
    }

    fn read(bytes: &[u8]) -> Result<Survey, Error> {
        survey(&mut &*bytes, bytes.len() as u64, &|name| name == "state")
    }

    #[test]
    fn names_and_sizes_are_told_and_only_what_is_asked_for_is_kept() {
        let got = read(&sections().to_bytes()).unwrap();
        let names: Vec<(&str, u64)> =
            got.sections.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let large = 3 * AT_A_TIME as u64 + 1;
        assert_eq!(names, [("state", 2), ("weights", large), ("empty", 0)]);
        assert_eq!((got.version, got.kept.get("state").unwrap()), (VERSION, &b"{}"[..]));
        assert!(got.kept.get("weights").is_err());
    }

    #[test]
    fn what_the_whole_reader_refuses_is_refused_here() {
        let mut small = Sections::new();
        small.push("state", b"{}".to_vec());
        small.push("weights", vec![7; 9]);
        let bytes = small.to_bytes();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            assert!(read(&bytes).is_err(), "altered at {at}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
    }
}
