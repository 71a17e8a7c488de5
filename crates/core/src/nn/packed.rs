//! Frozen matrices whose weights take 16, 8 or 4 bits.
//!
//! What they are in memory and how they are multiplied is the kernels' affair ([`archer_kernels::packed`]);
//! here a matrix is one thing that copies of a network share.

use archer_kernels::packed as kernels;
pub use archer_kernels::packed::{BLOCK, Kind};
use burn::tensor::{Device, Tensor, TensorData};
use bytes::Bytes;

/// A packed matrix, `[rows, columns]`, whose rows are the outputs of a product.
#[derive(Debug, Clone)]
pub struct Packed {
    kind: Kind,
    shape: [usize; 2],
    bytes: Bytes,
}

/// What gives a tensor by its name and its shape in a file.
pub type Load<'a, E> = dyn FnMut(&str, &[usize]) -> Result<Loaded, E> + 'a;

/// A tensor of a frozen model as a file has it.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name in the file.
    pub name: String,
    /// Its sizes there, the slowest first.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Values,
}

/// The values of a frozen tensor, row by row.
#[derive(Debug, Clone)]
pub enum Values {
    /// 32-bit floats, flat.
    Floats(Tensor<1>),
    /// Fewer bits.
    Packed(Packed),
}

/// A matrix as it comes from a file, row by row.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// 32-bit floats.
    Floats(Vec<f32>),
    /// Fewer bits.
    Packed(Packed),
}

impl Packed {
    /// A matrix of these blocks.
    ///
    /// # Panics
    /// If the bytes are not those of its rows.
    pub fn new(kind: Kind, shape: [usize; 2], bytes: Bytes) -> Self {
        kernels::Packed::new(kind, shape, &bytes);
        Self { kind, shape, bytes }
    }

    /// These weights, row by row, rounded to what the kind can say; `None` where a row is no number of
    /// blocks.
    pub fn of(kind: Kind, shape: [usize; 2], values: &[f32]) -> Option<Self> {
        let whole = shape[1].is_multiple_of(BLOCK);
        whole.then(|| Self { kind, shape, bytes: kernels::pack(kind, values).into() })
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// How its blocks are stored.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its blocks, row by row.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The matrix for a kernel.
    pub fn view(&self) -> kernels::Packed<'_> {
        kernels::Packed::new(self.kind, self.shape, &self.bytes)
    }

    /// Its weights, row by row.
    pub fn unpack(&self) -> Vec<f32> {
        let mut all = vec![0.0; self.shape[0] * self.shape[1]];
        self.view().unpack(&mut all);
        all
    }

    /// Some of its rows.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[u32]) -> Self {
        let row = self.shape[1] / BLOCK * self.kind.bytes();
        let mut bytes = Vec::with_capacity(rows.len() * row);
        for &place in rows {
            bytes.extend_from_slice(&self.bytes[place as usize * row..][..row]);
        }
        Self { kind: self.kind, shape: [rows.len(), self.shape[1]], bytes: bytes.into() }
    }

    /// The weights of some rows, one after another.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn rows(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let columns = self.shape[1];
        let mut all = Vec::with_capacity(rows.len() * columns);
        for row in rows {
            let begin = all.len();
            all.resize(begin + columns, 0.0);
            self.view().rows(row, 1).unpack(&mut all[begin..]);
        }
        all
    }

    /// As a tensor of 32-bit floats.
    pub fn dense(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.unpack(), self.shape), device)
    }
}
