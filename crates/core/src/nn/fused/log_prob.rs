//! Log-probabilities of chosen tokens from hidden states, without a softmax that is kept.
//!
//! The scores of the vocabulary are the largest thing that a small model computes. They are made
//! for some rows at a time; what stays of each row is its log-probability and the normaliser. The
//! backward pass makes the scores again, unless they were so few that they were kept.

use std::sync::Arc;

use archer_kernels::{elementwise, log_prob};
use burn::backend::TensorMetadata;

use super::op::{Op, Raw, in_order, matmul, tensor, values, values_mut, whole};
#[cfg(feature = "llama")]
use crate::nn::packed::Packed;

/// Rows by which hidden states are scored, `[vocab, width]`.
#[derive(Debug, Clone)]
pub enum Table {
    Dense(Raw),
    #[cfg(feature = "llama")]
    Packed(Packed),
}

impl Table {
    fn shape(&self) -> [usize; 2] {
        match self {
            Table::Dense(table) => [table.shape()[0], table.shape()[1]],
            #[cfg(feature = "llama")]
            Table::Packed(table) => table.shape(),
        }
    }

    /// `hidden · tableᵀ`.
    pub fn scores(&self, hidden: Raw) -> Raw {
        match self {
            Table::Dense(table) => matmul(hidden, table.transpose(0, 1)),
            #[cfg(feature = "llama")]
            Table::Packed(table) => super::packed::product(hidden, table),
        }
    }

    /// `scores · table`.
    pub fn back(&self, scores: Raw) -> Raw {
        match self {
            Table::Dense(table) => matmul(scores, table.clone()),
            #[cfg(feature = "llama")]
            Table::Packed(table) => super::packed::product_back(scores, table),
        }
    }
}

/// `log softmax(hidden · tableᵀ)` at one token for each row; inputs `hidden` `[n, width]` and
/// `table` `[vocab, width]`, output `[n]`.
#[derive(Debug)]
pub struct LogProb {
    /// The token of each row.
    pub targets: Arc<[u32]>,
}

/// The same where the table is no part of what is learned.
#[cfg(feature = "llama")]
#[derive(Debug)]
pub struct FrozenLogProb {
    pub targets: Arc<[u32]>,
    pub table: Packed,
}

/// What the backward pass needs.
#[derive(Debug, Clone)]
pub struct Kept {
    hidden: Raw,
    table: Table,
    targets: Arc<[u32]>,
    /// `log Σ e^score` of each row.
    normalisers: Arc<Vec<f32>>,
    /// The scores, part by part, where there was room.
    scores: Vec<Raw>,
}

/// Floats of scores that are kept for the backward pass: 16 MiB.
const ROOM: usize = 4 << 20;

/// Rows whose scores are made at a time.
fn part_rows(vocab: usize) -> usize {
    // Small enough for a processor's second cache, large enough for a good matrix product.
    (256 * 1024 / vocab.max(1)).clamp(256, 2048)
}

impl Op<2> for LogProb {
    type Kept = Kept;

    fn forward(self, [hidden, table]: [Raw; 2], keep: bool) -> (Raw, Option<Kept>) {
        forward(hidden, Table::Dense(table), self.targets, keep)
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
        backward(kept, grad, wanted)
    }
}

#[cfg(feature = "llama")]
impl Op<1> for FrozenLogProb {
    type Kept = Kept;

    fn forward(self, [hidden]: [Raw; 1], keep: bool) -> (Raw, Option<Kept>) {
        forward(hidden, Table::Packed(self.table), self.targets, keep)
    }

    fn backward(kept: Kept, grad: Raw, _: [bool; 1]) -> [Option<Raw>; 1] {
        let [dhidden, _] = backward(kept, grad, [true, false]);
        [dhidden]
    }
}

fn forward(hidden: Raw, table: Table, targets: Arc<[u32]>, keep: bool) -> (Raw, Option<Kept>) {
    let hidden = in_order(hidden);
    let (n, [vocab, _]) = (hidden.shape()[0], table.shape());
    let mut log_probs = vec![0.0; n];
    let mut normalisers = vec![0.0; n];
    let (part, room) = (part_rows(vocab), keep && n * vocab <= ROOM);
    let mut scores = Vec::new();
    for begin in (0..n).step_by(part) {
        let rows = part.min(n - begin);
        let made = table.scores(hidden.narrow(0, begin, rows));
        log_prob::forward(
            values(&made),
            &targets[begin..][..rows],
            &mut log_probs[begin..][..rows],
            &mut normalisers[begin..][..rows],
        );
        if room {
            scores.push(made);
        }
    }
    let normalisers = Arc::new(normalisers);
    let kept = keep.then(|| Kept { hidden, table, targets, normalisers, scores });
    (tensor(log_probs, [n]), kept)
}

fn backward(kept: Kept, grad: Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
    let grad = in_order(grad);
    let (n, [vocab, width]) = (kept.hidden.shape()[0], kept.table.shape());
    let part = part_rows(vocab);
    let mut dhidden = Vec::with_capacity(if wanted[0] { n * width } else { 0 });
    let mut dtable: Option<Raw> = None;
    let mut scores = kept.scores.into_iter();
    for begin in (0..n).step_by(part) {
        let rows = part.min(n - begin);
        let hidden = kept.hidden.narrow(0, begin, rows);
        let made = scores.next().unwrap_or_else(|| kept.table.scores(hidden.clone()));
        let mut made = whole(made);
        log_prob::backward(
            values_mut(&mut made),
            &kept.targets[begin..][..rows],
            &kept.normalisers[begin..][..rows],
            &values(&grad)[begin..][..rows],
        );
        if wanted[0] {
            dhidden.extend_from_slice(values(&kept.table.back(made.clone())));
        }
        if wanted[1] {
            let more = matmul(made.transpose(0, 1), hidden);
            match &mut dtable {
                None => dtable = Some(more),
                Some(sum) => elementwise::add(values_mut(sum), values(&more)),
            }
        }
    }
    [wanted[0].then(|| tensor(dhidden, [n, width])), dtable]
}
