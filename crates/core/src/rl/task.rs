//! Which task a game was, as something to name at each of its states.
//!
//! Once a game is over its task (the secret word, say) is known, so every state of a recorded game
//! can be asked for it. A model that answers well holds the posterior over tasks given the replies
//! so far, which is what a good question depends on and a return tells only faintly. The answer is
//! read off the hidden state by a linear layer that is thrown away after the warm start: playing
//! needs no task, and learning from play is given none.

use burn::nn::Linear;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::forest::rows_of;

/// Where states end in a flattened grid of tokens, and the task of the game each belongs to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskRows {
    rows: Vec<usize>,
    tasks: Vec<i32>,
}

impl TaskRows {
    /// Adds the state whose last token has row `row` in a game of task number `task`.
    pub fn push(&mut self, row: usize, task: usize) {
        self.rows.push(row);
        self.tasks.push(task as i32);
    }

    /// Sum of the tasks' negative log-probabilities, `[1]`, from the hidden states of the grid,
    /// `[rows, time, width]`, by a layer from `width` to the number of tasks; 0 where there is no
    /// state.
    pub fn loss(&self, head: &Linear, hidden: Tensor<3>) -> Tensor<1> {
        let device = hidden.device();
        let n = self.rows.len();
        if n == 0 {
            return Tensor::zeros([1], &device);
        }
        let tasks = TensorData::new(self.tasks.clone(), [n, 1]);
        let tasks = Tensor::<2, Int>::from_data(tasks, &device);
        let scores = head.forward(rows_of(hidden, &self.rows)); // [n, tasks]
        log_softmax(scores, 1).gather(1, tasks).sum().neg()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layers::linear;
    use crate::rng::stream;
    use burn::tensor::Device;

    /// By hand: hidden states that are unit vectors read single rows of the layer's weight.
    #[test]
    fn the_loss_is_that_of_a_softmax_over_the_tasks() {
        let device = Device::flex();
        let head = linear(&mut stream(1, "task", 0), 2, 3, 1.0, &device);
        let hidden = Tensor::<3>::from_floats([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]], &device);
        let mut rows = TaskRows::default();
        assert_eq!(rows.loss(&head, hidden.clone()).into_scalar::<f32>(), 0.0);
        rows.push(0, 2);
        rows.push(1, 0);
        let weight = head.weight.val().into_data();
        let weight = weight.as_slice::<f32>().unwrap();
        let nll = |row: &[f32], task: usize| {
            row.iter().map(|score| score.exp()).sum::<f32>().ln() - row[task]
        };
        let want = nll(&weight[..3], 2) + nll(&weight[3..], 0);
        let got = rows.loss(&head, hidden).into_scalar::<f32>();
        assert!((got - want).abs() < 1e-5, "{got} is not {want}");
    }
}
