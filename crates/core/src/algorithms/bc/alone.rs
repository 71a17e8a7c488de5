//! Pairs of observation and action, each learned by itself: what a comparison with another
//! implementation looks at.

use burn::tensor::Tensor;

use super::{Demonstration, loss};
use crate::algorithms::common::Policy;
use crate::nn::optim::accumulate;
use crate::nn::params;

/// The mean loss of some pairs, `[1]`, and its gradients, flat, in the policy's order of parameters.
/// Nothing is credited but the tokens of the actions: the last of each stands for the terminator.
///
/// # Panics
/// If there is no pair, or one with an empty observation or action.
pub fn loss_and_gradients(
    policy: &Policy,
    pairs: &[(&[u32], &[u32])],
) -> (Tensor<1>, Vec<Tensor<1>>) {
    let share = 1.0 / pairs.len() as f64;
    let (mut losses, mut sum) = (Vec::new(), None);
    for (observation, action) in pairs {
        let (&last, said) = action.split_last().expect("an action with a token");
        let game = Demonstration {
            tokens: [*observation, said].concat(),
            utterances: vec![(observation.len(), said.len())],
            ..Demonstration::default()
        };
        let policy = params::fork(policy);
        let [loss, ..] = loss(&policy, &[&game], last, false);
        let loss = loss.mul_scalar(share);
        losses.push(loss.clone().inner());
        sum = Some(accumulate(sum, params::gradients(&policy, &[loss.backward()])));
    }
    (Tensor::cat(losses, 0).sum(), sum.expect("a pair"))
}
