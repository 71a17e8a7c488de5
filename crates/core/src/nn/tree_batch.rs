//! Games as trees: one trunk of text, and short branches that leave it at the states.
//!
//! The states of a game are prefixes of one text, so a causal network that reads the text once has
//! read them all. An utterance that was not said there (a fresh action of the policy) hangs on its
//! state as a branch: its tokens attend to the state before them and to each other, never to what
//! the game went on with. Twenty turns then cost one pass instead of twenty.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::nn::fused::Mask;
pub use crate::nn::fused::rows_at as rows_of;

/// A game to lay out.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    /// The text.
    pub trunk: &'a [u32],
    /// Where each branch leaves the trunk (the length of its state), and its tokens, if any.
    pub branches: Vec<(usize, &'a [u32])>,
}

/// Several trees laid out for one forward.
#[derive(Debug, Clone)]
pub struct TreeBatch {
    /// `[trees, time]`: trunk, then branches, then padding.
    pub tokens: Tensor<2, Int>,
    /// `[trees, time]`: the place of each token in its own text.
    pub positions: Tensor<2, Int>,
    /// Where each token may look.
    pub mask: Mask,
    /// For each tree and branch, the row of the flattened `[trees · time]` where it begins.
    pub starts: Vec<Vec<usize>>,
    /// Columns.
    pub time: usize,
}

impl TreeBatch {
    /// Lays out some trees.
    ///
    /// # Panics
    /// If there is none, a trunk is empty, or a branch leaves where there is no trunk.
    pub fn new(trees: &[Tree<'_>], device: &Device) -> Self {
        let size = |tree: &Tree<'_>| {
            tree.trunk.len() + tree.branches.iter().map(|(_, branch)| branch.len()).sum::<usize>()
        };
        let time = trees.iter().map(size).max().expect("a tree");
        let rows = trees.len();
        let mut tokens = vec![0i32; rows * time];
        let mut positions = vec![0i32; rows * time];
        // What each token sees of the trunk and of its branch; nothing where there is padding.
        let mut sees = vec![[0..0, 0..0]; rows * time];
        let mut starts = Vec::with_capacity(rows);
        for (row, tree) in trees.iter().enumerate() {
            let first = row * time;
            for (column, &token) in tree.trunk.iter().enumerate() {
                tokens[first + column] = token as i32;
                positions[first + column] = column as i32;
                sees[first + column][0] = 0..column + 1;
            }
            let mut column = tree.trunk.len();
            let mut begins = Vec::with_capacity(tree.branches.len());
            for &(state, branch) in &tree.branches {
                assert!(
                    (1..=tree.trunk.len()).contains(&state),
                    "a branch needs a state to hang on"
                );
                begins.push(first + column);
                for (i, &token) in branch.iter().enumerate() {
                    tokens[first + column + i] = token as i32;
                    positions[first + column + i] = (state + i) as i32;
                    sees[first + column + i] = [0..state, column..column + i + 1];
                }
                column += branch.len();
            }
            starts.push(begins);
        }
        let grid = |values| Tensor::from_data(TensorData::new(values, [rows, time]), device);
        Self {
            tokens: grid(tokens),
            positions: grid(positions),
            mask: Mask::new([rows, time, time], |tree, column, open| {
                open.extend(sees[tree * time + column].iter().cloned());
            }),
            starts,
            time,
        }
    }

    /// The flattened row of a place in the trunk of tree number `tree`.
    pub fn trunk(&self, tree: usize, column: usize) -> usize {
        tree * self.time + column
    }

    /// The flattened row of the last token of a branch that leaves at `state` and is `length` long:
    /// of the state itself where the branch is empty.
    pub fn tip(&self, tree: usize, branch: usize, state: usize, length: usize) -> usize {
        match length {
            0 => self.trunk(tree, state - 1),
            _ => self.starts[tree][branch] + length - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::rng::stream;

    /// A branch must be read exactly as if its text stood alone.
    #[test]
    fn a_branch_is_read_as_a_text_of_its_own() {
        let device = Device::flex();
        let shape = CausalLmConfig {
            layers: 2,
            width: 16,
            heads: 2,
            positions: 12,
            vocab_size: 30,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let lm = shape.init(&mut stream(5, "forest", 0), &device);
        let trunk = [3, 4, 5, 6, 7, 8];
        let trees = [
            Tree { trunk: &trunk, branches: vec![(2, &[9, 10]), (2, &[]), (5, &[11, 12, 13])] },
            Tree { trunk: &trunk[..4], branches: vec![(4, &[14])] },
        ];
        let batch = TreeBatch::new(&trees, &device);
        let hidden = lm.forward_masked(batch.tokens.clone(), batch.positions.clone(), &batch.mask);
        for (tree, branch, state, tokens) in
            [(0, 0, 2, &[9, 10][..]), (0, 1, 2, &[]), (0, 2, 5, &[11, 12, 13]), (1, 0, 4, &[14])]
        {
            let text: Vec<i32> =
                trunk[..state].iter().chain(tokens).map(|&token| token as i32).collect();
            let n = text.len();
            let alone = lm.forward(
                Tensor::<1, Int>::from_ints(text.as_slice(), &device).reshape([1, n]),
                Tensor::arange(0..n as i64, &device).reshape([1, n]),
            );
            let tip = batch.tip(tree, branch, state, tokens.len());
            let gap = (rows_of(alone, &[n - 1]) - rows_of(hidden.clone(), &[tip])).abs().max();
            assert!(gap.into_scalar::<f32>() < 1e-5);
        }
    }
}
