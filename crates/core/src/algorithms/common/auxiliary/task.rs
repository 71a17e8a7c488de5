//! Which task a game was, as something to name at each of its states.
//!
//! Once a game is over its task (what was to be found, say) is known, so every state of a recorded game
//! can be asked for it. A model that answers well holds the posterior over tasks given the replies
//! so far, on which a good utterance depends and a return tells only faintly. Where a task
//! has facts (what the world would reply to each of some utterances) these can be asked for too:
//! they are many, each is shared by many tasks, and so they are learned sooner. The answers are read
//! off the hidden state by a linear layer that is thrown away after the warm start: playing needs no
//! task, and learning from play is given none.

use std::sync::Arc;

use burn::nn::Linear;
use burn::tensor::activation::{log_softmax, softplus};
use burn::tensor::{Int, Tensor, TensorData};

/// A task as something to name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownTask {
    /// Its number.
    pub task: usize,
    /// 1 for each fact that is true of it, 0 for each that is not; as many for every task.
    pub facts: Arc<[f32]>,
}

/// Where states end in a flattened grid of tokens, and the task of the game each belongs to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskRows {
    rows: Vec<usize>,
    tasks: Vec<i32>,
    facts: Vec<f32>,
}

impl TaskRows {
    /// Adds the state whose last token has row `row` in a game of this task.
    pub fn push(&mut self, row: usize, known: &KnownTask) {
        self.rows.push(row);
        self.tasks.push(known.task as i32);
        self.facts.extend_from_slice(&known.facts);
    }

    /// The rows of the grid at which the tasks are named.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Two sums over the states, `[1]` each: the tasks' negative log-probabilities, and the facts',
    /// mean over the facts of a state. `hidden` are those of the [`rows`](Self::rows), `[n, width]`,
    /// the layer goes from `width` to tasks and then facts; 0 where there is no state or no fact.
    pub fn loss(&self, head: &Linear, hidden: Tensor<2>) -> [Tensor<1>; 2] {
        let device = hidden.device();
        let n = self.rows.len();
        if n == 0 {
            return [Tensor::zeros([1], &device), Tensor::zeros([1], &device)];
        }
        let scores = head.forward(hidden); // [n, tasks + facts]
        let facts = self.facts.len() / n;
        let tasks = scores.dims()[1] - facts;
        let task = TensorData::new(self.tasks.clone(), [n, 1]);
        let task = Tensor::<2, Int>::from_data(task, &device);
        let named = log_softmax(scores.clone().narrow(1, 0, tasks), 1).gather(1, task).sum().neg();
        if facts == 0 {
            return [named, Tensor::zeros([1], &device)];
        }
        let truth = TensorData::new(self.facts.clone(), [n, facts]);
        let truth = Tensor::<2>::from_data(truth, &device);
        let scores = scores.narrow(1, tasks, facts);
        // −log σ(±x) = softplus(x) − x where the fact is true, softplus(x) where it is not.
        let each = softplus(scores.clone(), 1.0) - scores * truth;
        [named, each.sum().div_scalar(facts as f64)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::fused::rows_at;
    use crate::nn::layers::linear;
    use crate::rng::stream;
    use burn::tensor::Device;

    /// By hand: hidden states that are unit vectors read single rows of the layer's weight.
    #[test]
    fn the_losses_are_those_of_a_softmax_over_tasks_and_of_facts_one_by_one() {
        let device = Device::flex();
        // Three tasks and two facts.
        let head = linear(&mut stream(1, "task", 0), 2, 5, 1.0, &device);
        let hidden = Tensor::<3>::from_floats([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]], &device);
        let mut rows = TaskRows::default();
        let losses = |rows: &TaskRows| {
            let hidden = rows_at(hidden.clone(), rows.rows());
            rows.loss(&head, hidden).map(|loss| loss.into_scalar::<f32>())
        };
        assert_eq!(losses(&rows), [0.0, 0.0]);
        rows.push(0, &KnownTask { task: 2, facts: [1.0, 0.0].into() });
        rows.push(1, &KnownTask { task: 0, facts: [0.0, 0.0].into() });
        let weight = head.weight.val().into_data();
        let weight = weight.as_slice::<f32>().unwrap();
        let nll = |row: &[f32], task: usize| {
            row.iter().map(|score| score.exp()).sum::<f32>().ln() - row[task]
        };
        let [named, facts] = losses(&rows);
        let want = nll(&weight[..3], 2) + nll(&weight[5..8], 0);
        assert!((named - want).abs() < 1e-5, "{named} is not {want}");
        let chance = |score: f32| 1.0 / (1.0 + (-score).exp());
        let is = [1.0 - chance(weight[3]), chance(weight[4]), chance(weight[8]), chance(weight[9])];
        let want = is.map(|wrong| -(1.0 - wrong).ln()).iter().sum::<f32>() / 2.0;
        assert!((facts - want).abs() < 1e-5, "{facts} is not {want}");
    }
}
