//! Scores of the vocabulary by the rows of a table, and log-probabilities of chosen tokens.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

#[cfg(feature = "flex")]
use super::{log_prob as kernel, op};
#[cfg(feature = "llama")]
use crate::nn::packed::Packed;

/// Rows by which hidden states are scored, `[vocab, width]`.
#[derive(Debug, Clone)]
pub enum Rows {
    /// 32-bit floats, on the device where they are used.
    Dense(Tensor<2>),
    /// Frozen ones of few bits.
    #[cfg(feature = "llama")]
    Packed(Packed),
}

impl Rows {
    /// Some of the rows, for what is computed on this device.
    pub fn select(&self, rows: &[u32], device: &Device) -> Rows {
        match self {
            Rows::Dense(table) => {
                let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
                let rows = Tensor::<1, Int>::from_ints(rows.as_slice(), device);
                Rows::Dense(table.clone().select(0, rows))
            }
            #[cfg(feature = "llama")]
            Rows::Packed(table) => Rows::Packed(table.select(rows)),
        }
    }

    #[cfg(feature = "llama")]
    fn dense(self, device: &Device) -> Tensor<2> {
        match self {
            Rows::Dense(table) => table,
            Rows::Packed(table) => super::dense(&table, device),
        }
    }

    #[cfg(not(feature = "llama"))]
    fn dense(self, _: &Device) -> Tensor<2> {
        let Rows::Dense(table) = self;
        table
    }
}

/// `x · tableᵀ`.
///
/// # Shapes
/// - `x`: `[n, width]`, `table`: `[vocab, width]`; output: `[n, vocab]`
pub fn scores(x: Tensor<2>, table: Rows) -> Tensor<2> {
    #[cfg(feature = "llama")]
    if let Rows::Packed(table) = &table {
        return super::packed_product(x, table);
    }
    let table = table.dense(&x.device());
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        return op::apply(
            super::linear::Scores,
            [x.into_dispatch(), table.into_dispatch()],
            tracked,
        );
    }
    x.matmul(table.transpose())
}

/// `log softmax(hidden · tableᵀ)` at one token for each row, `[n]`.
///
/// # Shapes
/// - `hidden`: `[n, width]`, `table`: `[vocab, width]`, `targets`: `n`
pub fn log_prob(hidden: Tensor<2>, table: Rows, targets: &[u32]) -> Tensor<1> {
    assert_eq!(hidden.dims()[0], targets.len(), "a token for each row");
    #[cfg(all(feature = "flex", feature = "llama"))]
    if let Rows::Packed(table) = &table
        && op::fits_tensor(&hidden)
    {
        let tracked = hidden.device().is_autodiff();
        let op = kernel::FrozenLogProb { targets: targets.into(), table: table.clone() };
        return op::apply(op, [hidden.into_dispatch()], tracked);
    }
    let table = table.dense(&hidden.device());
    #[cfg(feature = "flex")]
    if op::fits_tensor(&hidden) {
        let tracked = hidden.device().is_autodiff();
        let op = kernel::LogProb { targets: targets.into() };
        return op::apply(op, [hidden.into_dispatch(), table.into_dispatch()], tracked);
    }
    plain_log_prob(hidden, table, targets)
}

pub(super) fn plain_log_prob(hidden: Tensor<2>, table: Tensor<2>, targets: &[u32]) -> Tensor<1> {
    let device = hidden.device();
    let scores = hidden.matmul(table.transpose()); // [n, vocab]
    let n = targets.len();
    let targets: Vec<i32> = targets.iter().map(|&token| token as i32).collect();
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [n, 1]), &device);
    log_softmax(scores, 1).gather(1, targets).squeeze_dim(1)
}
