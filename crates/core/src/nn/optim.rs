//! Adam, the global-norm clip and the Polyak average, on a network's flat parameters.
//!
//! Adam as PyTorch has it (epsilon added to the root of the corrected second moment, no weight
//! decay). Ours rather than burn's, because its state must travel as named flat tensors in a
//! checkpoint that a browser can write without a blocking read, and because the clip is over one
//! whole network, which burn's per-parameter clip is not.

use burn::module::Module;
use burn::tensor::Tensor;

use super::fused::{self, AdamStep};
use super::params;

/// Adam's memory of one network; Kingma and Ba, arXiv:1412.6980, algorithm 1.
#[derive(Debug, Clone)]
pub struct Adam {
    /// Steps taken.
    pub time: u32,
    /// Running mean of the gradients; empty before the first step.
    pub moment_1: Vec<Tensor<1>>,
    /// Running mean of their squares.
    pub moment_2: Vec<Tensor<1>>,
}

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

impl Adam {
    /// No step taken yet.
    pub fn new() -> Self {
        Self { time: 0, moment_1: Vec::new(), moment_2: Vec::new() }
    }

    /// `θ ← θ − lr · m̂ / (√v̂ + ε)` for every parameter.
    pub fn step<M: Module>(&mut self, module: M, grads: Vec<Tensor<1>>, lr: f64) -> M {
        if self.moment_1.is_empty() {
            self.moment_1 = grads.iter().map(Tensor::zeros_like).collect();
            self.moment_2 = self.moment_1.clone();
        }
        self.time += 1;
        let correct_1 = 1.0 - BETA_1.powi(self.time as i32);
        let correct_2 = (1.0 - BETA_2.powi(self.time as i32)).sqrt();
        let step = AdamStep {
            rate: (lr / correct_1) as f32,
            first: [BETA_1, 1.0 - BETA_1].map(|share| share as f32),
            second: [BETA_2, 1.0 - BETA_2].map(|share| share as f32),
            scale_2: (1.0 / correct_2) as f32,
            epsilon: EPSILON as f32,
        };
        let old = params::tensors(&module);
        let mut new = Vec::with_capacity(old.len());
        for (i, (theta, grad)) in old.into_iter().zip(grads).enumerate() {
            // Taken out of the list, so that they can change in place.
            let (m, v) = (take(&mut self.moment_1[i]), take(&mut self.moment_2[i]));
            let [theta, m, v] = fused::adam(step, [theta, m, v], grad);
            new.push(theta);
            (self.moment_1[i], self.moment_2[i]) = (m, v);
        }
        params::replace(module, new)
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self::new()
    }
}

fn take(tensor: &mut Tensor<1>) -> Tensor<1> {
    let device = tensor.device();
    std::mem::replace(tensor, Tensor::empty([0], &device))
}

/// The global norm of some gradients, `[1]`, left on the device.
pub fn global_norm(grads: &[Tensor<1>]) -> Tensor<1> {
    let squares = grads.iter().map(|grad| grad.clone().square().sum()).collect();
    Tensor::cat(squares, 0).sum().sqrt()
}

/// Scales gradients so that their global norm is at most `max_norm`, as PyTorch's
/// `clip_grad_norm_` does, and returns the norm before, `[1]`. A bound of 0 leaves them alone.
pub fn clip_global_norm(grads: Vec<Tensor<1>>, max_norm: f64) -> (Vec<Tensor<1>>, Tensor<1>) {
    let norm = global_norm(&grads);
    if max_norm == 0.0 {
        return (grads, norm);
    }
    // Kept on the device: reading the norm here would make every step wait for it.
    let scale = norm.clone().add_scalar(1e-6).recip().mul_scalar(max_norm).clamp_max(1.0); // [1]
    (grads.into_iter().map(|grad| grad.mul(scale.clone())).collect(), norm)
}

/// Adds gradients to those gathered so far.
pub fn accumulate(sum: Option<Vec<Tensor<1>>>, grads: Vec<Tensor<1>>) -> Vec<Tensor<1>> {
    match sum {
        Some(sum) => sum.into_iter().zip(grads).map(|(sum, grad)| sum + grad).collect(),
        None => grads,
    }
}

/// The Polyak average `target ← (1 − tau) · target + tau · online`.
pub fn polyak<M: Module>(target: M, online: &M, tau: f64) -> M {
    let mixed = params::tensors(&target)
        .into_iter()
        .zip(params::tensors(online))
        .map(|(target, online)| fused::mix_of(target, online, [1.0 - tau, tau].map(|x| x as f32)))
        .collect();
    params::replace(target, mixed)
}
