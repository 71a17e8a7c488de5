//! Attention over what may be looked at, and nothing else.
//!
//! Queries, keys and values come as one matrix, as a dense layer leaves them, and the output goes
//! out as the next dense layer wants it: no heads are split, transposed or joined in memory.

use std::sync::Arc;

use archer_kernels::Lanes;
use archer_kernels::attention::{self, Grouped, Shape};
use archer_kernels::groups::Asked;
use archer_kernels::heads::Heads;
use archer_kernels::visible::Visible;
use burn::backend::TensorMetadata;

use super::op::{Op, Raw, in_order, tensor, values};

/// Softmax attention; the input holds the heads of each token side by side, `[batch, time, …]`, the output is
/// `[batch, time, queries · d]`, or of some queries alone `[n, queries · d]`. A query that may look at nothing gets zeros.
#[derive(Debug)]
pub struct Attention {
    pub visible: Arc<Visible>,
    pub heads: Heads,
    /// Rows of the flattened `[batch · time]` whose queries are answered, in ascending order; all
    /// where there are none.
    pub rows: Option<Arc<[usize]>>,
}

/// Input, heads, queries with what they see, and the probabilities of that: text by text, head by
/// head, group by group.
#[derive(Debug, Clone)]
pub struct Kept {
    qkv: Raw,
    heads: Heads,
    asked: Arc<Asked>,
    probabilities: Arc<Vec<Grouped<Lanes>>>,
}

impl Op<1> for Attention {
    type Kept = Kept;

    fn forward(self, [qkv]: [Raw; 1], keep: bool) -> (Raw, Option<Kept>) {
        let qkv = in_order(qkv);
        let shape = shape_of(&qkv, self.heads);
        let asked = Asked::new(self.rows.as_deref(), shape.batch, shape.time, &self.visible);
        let mut probabilities = Vec::new();
        let out =
            attention::forward(shape, values(&qkv), &asked, keep.then_some(&mut probabilities));
        let out = match self.rows {
            None => tensor(out, [shape.batch, shape.time, self.heads.width()]),
            Some(rows) => tensor(out, [rows.len(), self.heads.width()]),
        };
        let kept = keep.then(|| Kept {
            qkv,
            heads: self.heads,
            asked: Arc::new(asked),
            probabilities: Arc::new(probabilities),
        });
        (out, kept)
    }

    fn backward(kept: Kept, grad: Raw, _: [bool; 1]) -> [Option<Raw>; 1] {
        let grad = in_order(grad);
        let shape = shape_of(&kept.qkv, kept.heads);
        let out = attention::backward(
            shape,
            values(&kept.qkv),
            &kept.asked,
            &kept.probabilities,
            values(&grad),
        );
        [Some(tensor(out, [shape.batch, shape.time, kept.heads.row()]))]
    }
}

fn shape_of(qkv: &Raw, heads: Heads) -> Shape {
    let shape = qkv.shape();
    Shape { batch: shape[0], time: shape[1], heads }
}
