//! The header of a GGUF file: its keys and values, and where its tensors are.

use std::collections::BTreeMap;

use crate::error::Error;

/// More axes than any tensor of these models has.
const MOST_AXES: u32 = 4;
/// Where tensors begin, unless the file says otherwise: at multiples of so many bytes.
const ALIGNMENT: usize = 32;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Of any kind of number, or true and false as 1 and 0.
    Number(f64),
    Text(String),
    List(Vec<Item>),
}

/// A tensor in the file.
#[derive(Debug)]
pub struct Tensor {
    pub name: String,
    /// The slowest axis first, as everywhere here.
    pub shape: Vec<usize>,
    /// ggml's number of its type.
    pub kind: u32,
    /// Where its bytes begin in the file.
    pub begin: usize,
}

/// What stands before the tensors.
pub struct Header<'a> {
    file: &'a str,
    items: BTreeMap<String, Item>,
    tensors: Vec<Tensor>,
}

impl<'a> Header<'a> {
    pub fn read(file: &'a str, bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader { file, bytes, at: 0 };
        if reader.take(4)? != super::MAGIC {
            return reader.fault("it is no GGUF file");
        }
        let version = reader.u32()?;
        if !(2..=3).contains(&version) {
            return reader
                .fault(format!("it is of version {version}; versions 2 and 3 can be read"));
        }
        let (tensors, items) = (reader.count(24)?, reader.count(12)?);
        let items = (0..items).map(|_| {
            let key = reader.text()?;
            let kind = reader.u32()?;
            Ok((key, reader.item(kind, 0)?))
        });
        let items: BTreeMap<String, Item> = items.collect::<Result<_, Error>>()?;
        let mut tensors: Vec<Tensor> =
            (0..tensors).map(|_| reader.tensor()).collect::<Result<_, Error>>()?;
        let alignment = match items.get("general.alignment") {
            Some(Item::Number(number)) if *number >= 1.0 && *number <= 65_536.0 => *number as usize,
            Some(_) => return reader.fault("general.alignment is no number of bytes"),
            None => ALIGNMENT,
        };
        let begin = reader.at.next_multiple_of(alignment);
        for tensor in &mut tensors {
            tensor.begin = tensor.begin.saturating_add(begin);
        }
        Ok(Self { file, items, tensors })
    }

    pub fn error(&self, text: String) -> Error {
        Error::Model(format!("{}: {text}", self.file))
    }

    pub fn fault<T>(&self, text: String) -> Result<T, Error> {
        Err(self.error(text))
    }

    pub fn has(&self, key: &str) -> bool {
        self.items.contains_key(key)
    }

    fn item(&self, key: &str) -> Result<&Item, Error> {
        self.items.get(key).ok_or_else(|| self.error(format!("the key {key} is missing")))
    }

    pub fn text(&self, key: &str) -> Result<&str, Error> {
        match self.item(key)? {
            Item::Text(text) => Ok(text),
            _ => self.fault(format!("{key} must be a text")),
        }
    }

    pub fn number(&self, key: &str) -> Result<f64, Error> {
        match self.item(key)? {
            Item::Number(number) if number.is_finite() => Ok(*number),
            _ => self.fault(format!("{key} must be a number")),
        }
    }

    /// A whole number above 0.
    pub fn size(&self, key: &str) -> Result<usize, Error> {
        let number = self.number(key)?;
        match number.fract() == 0.0 && (1.0..1e9).contains(&number) {
            true => Ok(number as usize),
            false => self.fault(format!("{key} = {number} must be a whole number above 0")),
        }
    }

    pub fn list(&self, key: &str) -> Result<&[Item], Error> {
        match self.item(key)? {
            Item::List(items) => Ok(items),
            _ => self.fault(format!("{key} must be a list")),
        }
    }

    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The rows of a matrix.
    pub fn rows(&self, name: &str) -> Result<usize, Error> {
        match self.tensor(name).and_then(|tensor| tensor.shape.first()) {
            Some(rows) => Ok(*rows),
            None => self.fault(format!("the tensor {name} is missing")),
        }
    }
}

/// Bytes that are read from the front.
struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn fault<T>(&self, text: impl std::fmt::Display) -> Result<T, Error> {
        Err(Error::Model(format!("{}: {text}", self.file)))
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return self.fault("the file is cut: it ends within its header");
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were taken"))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things of at least so many bytes each, which must be there.
    fn count(&mut self, least: usize) -> Result<usize, Error> {
        let count = self.u64()?;
        let left = (self.bytes.len() - self.at) as u64;
        match count.checked_mul(least as u64).is_some_and(|bytes| bytes <= left) {
            true => Ok(count as usize),
            false => self.fault(format!("the file is damaged: it is too short for {count} things")),
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_string()),
            Err(_) => self.fault("the file is damaged: a text in its header is no UTF-8"),
        }
    }

    fn item(&mut self, kind: u32, depth: usize) -> Result<Item, Error> {
        let number = match kind {
            0 | 7 => f64::from(self.array::<1>()?[0]),
            1 => f64::from(i8::from_le_bytes(self.array()?)),
            2 => f64::from(u16::from_le_bytes(self.array()?)),
            3 => f64::from(i16::from_le_bytes(self.array()?)),
            4 => f64::from(self.u32()?),
            5 => f64::from(i32::from_le_bytes(self.array()?)),
            6 => f64::from(f32::from_le_bytes(self.array()?)),
            8 => return self.text().map(Item::Text),
            9 if depth == 0 => {
                let kind = self.u32()?;
                let least = match kind {
                    0 | 1 | 7 => 1,
                    2 | 3 => 2,
                    4..=6 => 4,
                    _ => 8,
                };
                let count = self.count(least)?;
                let items = (0..count).map(|_| self.item(kind, depth + 1));
                return items.collect::<Result<_, _>>().map(Item::List);
            }
            10 => self.u64()? as f64,
            11 => i64::from_le_bytes(self.array()?) as f64,
            12 => f64::from_le_bytes(self.array()?),
            _ => return self.fault(format!("the file is damaged: a value of kind {kind}")),
        };
        Ok(Item::Number(number))
    }

    fn tensor(&mut self) -> Result<Tensor, Error> {
        let name = self.text()?;
        let axes = self.u32()?;
        if axes == 0 || axes > MOST_AXES {
            return self.fault(format!("the tensor {name} has {axes} axes"));
        }
        let mut shape = Vec::new();
        for _ in 0..axes {
            let size = self.u64()?;
            match usize::try_from(size).ok().filter(|size| (1..1 << 40).contains(size)) {
                Some(size) => shape.push(size),
                None => return self.fault(format!("the tensor {name} has an axis of {size}")),
            }
        }
        shape.reverse();
        let kind = self.u32()?;
        let begin = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        Ok(Tensor { name, shape, kind, begin })
    }
}
