//! Ragged tokens become rectangles: padding on the right, masks, and where to look.
//!
//! Rows are padded to the longest of their own micro-batch, so the callers sort by length first.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::nn::critic::Texts;
use crate::nn::fused::Mask;

/// Observations and actions laid out for one forward of the actor.
#[derive(Debug, Clone)]
pub struct ActorBatch {
    /// `[batch, time]`, observation then action (without its last token), padded on the right.
    pub tokens: Tensor<2, Int>,
    /// `[batch, time]`, 0 to time − 1.
    pub positions: Tensor<2, Int>,
    /// `batch · actions`: for each token of each action, the row of the flattened hidden states
    /// that predicts it.
    pub predictors: Vec<usize>,
    /// `batch · actions`: those tokens, 0 on padding.
    pub targets: Vec<u32>,
    /// `[batch, actions]`: 1 on real tokens of the action.
    pub mask: Tensor<2>,
}

impl ActorBatch {
    /// Lays out pairs of observation and action; the observations were cut to size before.
    ///
    /// # Panics
    /// If an observation or an action is empty.
    pub fn new(pairs: &[(&[u32], &[u32])], device: &Device) -> Self {
        let time = pairs.iter().map(|(o, a)| o.len() + a.len() - 1).max().expect("a pair");
        let actions = pairs.iter().map(|(_, a)| a.len()).max().expect("a pair");
        let rows = pairs.len();
        let mut tokens = vec![0i32; rows * time];
        let mut predictors = vec![0usize; rows * actions];
        let mut targets = vec![0u32; rows * actions];
        let mut mask = vec![0f32; rows * actions];
        for (row, (observation, action)) in pairs.iter().enumerate() {
            assert!(
                !observation.is_empty() && !action.is_empty(),
                "an empty text has no probability"
            );
            let fed = observation.iter().chain(&action[..action.len() - 1]);
            for (column, &token) in fed.enumerate() {
                tokens[row * time + column] = token as i32;
            }
            for (i, &token) in action.iter().enumerate() {
                predictors[row * actions + i] = row * time + observation.len() - 1 + i;
                targets[row * actions + i] = token;
                mask[row * actions + i] = 1.0;
            }
        }
        let positions: Vec<i32> = (0..rows).flat_map(|_| 0..time as i32).collect();
        Self {
            tokens: grid(tokens, [rows, time], device),
            positions: grid(positions, [rows, time], device),
            predictors,
            targets,
            mask: Tensor::from_data(TensorData::new(mask, [rows, actions]), device),
        }
    }
}

/// Lays out sequences for the critic: padded on the right, the padding shut out.
pub fn texts(sequences: &[Vec<u32>], pad: u32, device: &Device) -> Texts {
    let rows = sequences.len();
    let time = sequences.iter().map(Vec::len).max().expect("a sequence");
    let mut tokens = vec![pad as i32; rows * time];
    for (row, sequence) in sequences.iter().enumerate() {
        for (column, &token) in sequence.iter().enumerate() {
            tokens[row * time + column] = token as i32;
        }
    }
    Texts {
        tokens: grid(tokens, [rows, time], device),
        mask: Mask::new([rows, 1, time], |row, _, open| open.push(0..sequences[row].len())),
    }
}

/// The order of rows by length, so that neighbours can share a small rectangle; stable.
pub fn by_length(lengths: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&row| lengths[row]);
    order
}

fn grid(values: Vec<i32>, shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
        tensor.into_data().iter::<i64>().collect()
    }

    #[test]
    fn each_action_token_is_predicted_from_the_token_before_it() {
        let device = Device::flex();
        let batch = ActorBatch::new(&[(&[10, 11], &[20, 21, 22]), (&[12, 13, 14], &[23])], &device);
        assert_eq!(ints(batch.tokens), [10, 11, 20, 21, 12, 13, 14, 0]);
        assert_eq!(batch.predictors, [1, 2, 3, 6, 0, 0]);
        assert_eq!(batch.targets, [20, 21, 22, 23, 0, 0]);
        assert_eq!(
            batch.mask.into_data().iter::<f32>().collect::<Vec<_>>(),
            [1., 1., 1., 1., 0., 0.]
        );
    }

    #[test]
    fn padding_of_the_critic_is_shut_out() {
        let texts = texts(&[vec![0, 5, 2], vec![0, 2]], 1, &Device::flex());
        assert_eq!(ints(texts.tokens), [0, 5, 2, 0, 2, 1]);
        let open = |row, key| texts.mask.is_open(row, 0, key);
        assert!(open(0, 2) && open(1, 1) && !open(1, 2));
    }

    #[test]
    fn sorting_by_length_is_stable() {
        assert_eq!(by_length(&[3, 1, 3, 2]), [1, 3, 0, 2]);
    }
}
