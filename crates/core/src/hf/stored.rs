//! A tensor as it stands in a file: its type, its shape and its bytes.

use bytes::Bytes;
use safetensors::tensor::Dtype;

#[cfg(feature = "llama")]
use crate::config::Held;
#[cfg(feature = "llama")]
use crate::nn::packed::{self, BLOCK, Kind, Loaded, Packed};

/// A tensor of a file.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its sizes, the slowest first.
    pub shape: Vec<usize>,
    /// What its bytes are.
    pub kind: Type,
    /// The bytes, row by row.
    pub bytes: Bytes,
}

/// What the bytes of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// Numbers of a type of safetensors.
    Plain(Dtype),
    /// Blocks of weights of few bits.
    #[cfg(feature = "llama")]
    Packed(packed::Kind),
}

impl Type {
    /// What files call it.
    pub fn name(self) -> String {
        match self {
            Type::Plain(dtype) => format!("{dtype:?}"),
            #[cfg(feature = "llama")]
            Type::Packed(kind) => format!("{kind:?}"),
        }
    }
}

impl Stored {
    /// Its values as 32-bit floats; `None` where they are none.
    pub fn floats(&self) -> Option<Vec<f32>> {
        let pairs = self.bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        match self.kind {
            Type::Plain(Dtype::F32) => {
                let fours = self.bytes.as_chunks().0.iter();
                Some(fours.map(|&four| f32::from_le_bytes(four)).collect())
            }
            Type::Plain(Dtype::F16) => {
                Some(pairs.map(|b| half::f16::from_bits(b).to_f32()).collect())
            }
            Type::Plain(Dtype::BF16) => {
                Some(pairs.map(|b| half::bf16::from_bits(b).to_f32()).collect())
            }
            Type::Plain(_) => None,
            #[cfg(feature = "llama")]
            Type::Packed(kind) => {
                let columns = self.shape.last().copied().unwrap_or(0);
                let rows = self.shape.iter().product::<usize>() / columns.max(1);
                Some(Packed::new(kind, [rows, columns], self.bytes.clone()).unpack())
            }
        }
    }

    /// As the weights of a frozen model: as they lie in the file where that is what is asked for, and
    /// rounded to fewer bits where that is. A vector, and a matrix whose rows are no number of blocks, come as
    /// 32-bit floats; `None` if the tensor holds no weights. `check` is given every weight of the file.
    ///
    /// # Errors
    /// Those of `check`.
    #[cfg(feature = "llama")]
    pub fn loaded<E>(
        &self,
        held: Held,
        check: impl Fn(&[f32]) -> Result<(), E>,
    ) -> Result<Option<Loaded>, E> {
        let packed_as = match held {
            Held::Stored | Held::F32 => None,
            Held::Bf16 => Some(Kind::Bf16),
            Held::Q8 => Some(Kind::Q8),
            Held::Q4 => Some(Kind::Q4Shifted),
        };
        let lies_as = match self.kind {
            Type::Packed(kind) => Some(kind),
            Type::Plain(Dtype::BF16) => Some(Kind::Bf16),
            Type::Plain(Dtype::F16) => Some(Kind::F16),
            Type::Plain(_) => None,
        };
        let shape = match self.shape[..] {
            [rows, columns] if columns.is_multiple_of(BLOCK) => Some([rows, columns]),
            _ => None,
        };
        let stays = held == Held::Stored || lies_as == packed_as;
        if let (Some(shape), Some(kind), true) = (shape, lies_as, stays) {
            let packed = Packed::new(kind, shape, self.bytes.clone());
            // Row by row: nothing of 32 bits is held of it.
            (0..shape[0]).try_for_each(|row| check(&packed.rows(std::iter::once(row))))?;
            return Ok(Some(Loaded::Packed(packed)));
        }
        let Some(floats) = self.floats() else { return Ok(None) };
        check(&floats)?;
        let packed = shape.zip(packed_as);
        let packed = packed.and_then(|(shape, kind)| Packed::of(kind, shape, &floats));
        Ok(Some(packed.map_or(Loaded::Floats(floats), Loaded::Packed)))
    }
}
