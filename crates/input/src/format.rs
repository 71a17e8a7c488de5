//! What a file is, by its first bytes.

use std::fmt;

/// A kind of file that people have where another is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// What git keeps in the place of a large file.
    LfsPointer,
    /// A page of the web, or an error in the form of one.
    Html,
    /// Any other XML, such as the error of a file server.
    Xml,
    /// Packed by gzip.
    Gzip,
    /// Packed by zip, as PyTorch's own files are.
    Zip,
    /// Packed by zstd.
    Zstd,
    /// Packed by xz.
    Xz,
    /// Packed by bzip2.
    Bzip2,
    /// Packed by 7-Zip.
    SevenZip,
    /// Several files in one, by tar.
    Tar,
    /// Python's own objects, as older PyTorch files are.
    Pickle,
    /// Weights for llama.cpp.
    Gguf,
    /// Weights as this project reads them.
    Safetensors,
    /// This project's container: an exported model or a checkpoint.
    Archer,
    /// A table of Parquet.
    Parquet,
    /// A table of Arrow.
    Arrow,
    /// An array of NumPy.
    Numpy,
    /// Arrays of HDF5, as Keras writes them.
    Hdf5,
    /// A database of SQLite.
    Sqlite,
    /// A PDF.
    Pdf,
    /// A picture.
    Picture,
    /// A program.
    Program,
}

/// Where which bytes stand in a file of which kind.
const MARKS: [(usize, &[u8], Format); 27] = [
    (0, b"version https://git-lfs.", Format::LfsPointer),
    (0, b"\x1f\x8b", Format::Gzip),
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"PK\x05\x06", Format::Zip),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    (0, b"\xfd7zXZ\x00", Format::Xz),
    (4, b"1AY&SY", Format::Bzip2),
    (0, b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (257, b"ustar", Format::Tar),
    (0, b"\x80\x02", Format::Pickle),
    (0, b"\x80\x03", Format::Pickle),
    (0, b"\x80\x04", Format::Pickle),
    (0, b"\x80\x05", Format::Pickle),
    (0, b"GGUF", Format::Gguf),
    (0, b"ARCHERCK", Format::Archer),
    (0, b"PAR1", Format::Parquet),
    (0, b"ARROW1", Format::Arrow),
    (0, b"\x93NUMPY", Format::Numpy),
    (0, b"\x89HDF\r\n", Format::Hdf5),
    (0, b"SQLite format 3\0", Format::Sqlite),
    (0, b"%PDF-", Format::Pdf),
    (0, b"\x89PNG\r\n", Format::Picture),
    (0, b"\xff\xd8\xff", Format::Picture),
    (0, b"GIF8", Format::Picture),
    (0, b"\x7fELF", Format::Program),
    (0, b"\0asm", Format::Program),
    (0, b"MZ\x90\0", Format::Program),
];

impl Format {
    /// What a file with these bytes is, where it is one of these kinds. The first 512 bytes suffice.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        // First, because the length before a header may look like the mark of another kind.
        if is_safetensors(bytes) {
            return Some(Format::Safetensors);
        }
        let marked = MARKS
            .iter()
            .find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
        if let Some((_, _, format)) = marked {
            return Some(*format);
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let begins = |word: &str| {
            text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
        };
        match text.first() {
            Some(b'<') if ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins) => {
                Some(Format::Html)
            }
            Some(b'<') if begins("<?xml") => Some(Format::Xml),
            _ => None,
        }
    }

    /// What to do about a file of this kind where another is wanted.
    pub fn remedy(self) -> &'static str {
        match self {
            Format::LfsPointer => "fetch the file itself with git lfs pull",
            Format::Html | Format::Xml => "download the file itself, not a page about it",
            Format::Gzip => "unpack it with gunzip",
            Format::Zip => "unpack it, or save a PyTorch model as safetensors",
            Format::Zstd => "unpack it with unzstd",
            Format::Xz => "unpack it with unxz",
            Format::Bzip2 => "unpack it with bunzip2",
            Format::SevenZip => "unpack it with 7z x",
            Format::Tar => "unpack it with tar -x",
            Format::Pickle => "save weights as safetensors, and data as JSON",
            Format::Gguf => "take the model's safetensors files instead",
            Format::Safetensors => {
                "it holds weights: name the folder that holds it, with its config.json and tokenizer.json"
            }
            Format::Archer => "give it where a model is asked for, as in --model",
            Format::Parquet | Format::Arrow | Format::Sqlite => "write it out as JSON Lines",
            Format::Numpy | Format::Hdf5 => "save weights as safetensors, and data as JSON",
            Format::Pdf | Format::Picture | Format::Program => "check the path",
        }
    }
}

/// With the article before it: "a zip archive".
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::LfsPointer => "a git-LFS pointer",
            Format::Html => "an HTML page",
            Format::Xml => "an XML document",
            Format::Gzip => "a gzip file",
            Format::Zip => "a zip archive",
            Format::Zstd => "a zstd file",
            Format::Xz => "an xz file",
            Format::Bzip2 => "a bzip2 file",
            Format::SevenZip => "a 7-Zip file",
            Format::Tar => "a tar file",
            Format::Pickle => "a Python pickle",
            Format::Gguf => "a GGUF file",
            Format::Safetensors => "a safetensors file",
            Format::Archer => "an .archer file (a model or a checkpoint)",
            Format::Parquet => "a Parquet file",
            Format::Arrow => "an Arrow file",
            Format::Numpy => "a NumPy array",
            Format::Hdf5 => "an HDF5 file",
            Format::Sqlite => "an SQLite database",
            Format::Pdf => "a PDF",
            Format::Picture => "a picture",
            Format::Program => "a program",
        })
    }
}

/// A length of eight bytes, and a JSON object of about that length.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    // The length is below 2^40 in any file that there is, so that its last bytes are zero.
    length[5..] == [0, 0, 0] && rest.starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let mut tar = vec![b'x'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, format) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0"[..], Format::LfsPointer),
            (b"\x1f\x8b\x08", Format::Gzip),
            (b"PK\x03\x04\x14", Format::Zip),
            (b"\x80\x04\x95", Format::Pickle),
            (b"GGUF\x03", Format::Gguf),
            (b"\x1f\x8b\0\0\0\0\0\0{\"__metadata__\":", Format::Safetensors),
            (b"\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":1}", Format::Safetensors),
            (b"ARCHERCK\x02", Format::Archer),
            (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", Format::Html),
            (b"<html lang=en>", Format::Html),
            (b"<?xml version=\"1.0\"?><Error>", Format::Xml),
            (&tar, Format::Tar),
        ] {
            assert_eq!(Format::of(bytes), Some(format));
        }
    }

    #[test]
    fn texts_are_of_none_of_these_kinds() {
        for text in ["", "{", "{}", "[world]\nname = \"maze\"\n", "version = 1", "<", "PK", "<h"] {
            assert_eq!(Format::of(text.as_bytes()), None, "{text}");
        }
    }
}
