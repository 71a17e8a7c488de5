//! The gradient step, written once: whatever is learned, it is learned here.
//!
//! ```text
//! g   = Σ_parts ∇ loss(part)            each part on a fork of the module, in parallel
//! g   ← g · min(1, max_grad_norm / ‖g‖)
//! θ   ← Adam(θ, g, lr)
//! ```
//!
//! A part's loss is its share of the step's loss: gradients are added, not averaged.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::nn::optim::{Adam, accumulate, clip_global_norm};
use crate::nn::params;
#[cfg(feature = "llama")]
use crate::nn::recompute;
use crate::parallel;
use crate::yielding::yield_now;

/// How a gradient step is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSettings {
    /// Adam's learning rate.
    pub lr: f64,
    /// Bound on the global gradient norm; 0 for none.
    pub max_grad_norm: f64,
    /// Threads that share the parts.
    pub threads: usize,
}

/// What a gradient step leaves.
pub(crate) struct Stepped<M, S> {
    /// The module after the step.
    pub(crate) module: M,
    /// What each part showed, in the order of the parts.
    pub(crate) seen: Vec<S>,
    /// Global norm of the gradient before it was clipped, `[1]`, on the device.
    pub(crate) grad_norm: Tensor<1>,
}

/// The gradient of a loss, and what it showed.
#[cfg(feature = "llama")]
async fn differentiated<M: Module, S>(
    module: &M,
    loss: impl FnOnce() -> (Tensor<1>, S),
) -> (Vec<Tensor<1>>, S) {
    let ((loss, seen), tape) = recompute::recorded(loss);
    yield_now().await;
    (params::gradients(module, &tape.backward(&loss)), seen)
}

/// The same where no model is passed over.
#[cfg(not(feature = "llama"))]
async fn differentiated<M: Module, S>(
    module: &M,
    loss: impl FnOnce() -> (Tensor<1>, S),
) -> (Vec<Tensor<1>>, S) {
    let (loss, seen) = loss();
    yield_now().await;
    (params::gradients(module, &[loss.backward()]), seen)
}

/// One gradient step of `module`. `loss` gives a part's share of the step's loss, `[1]`, on a fork
/// of the module, and what the part showed.
///
/// # Panics
/// If there is no part.
pub(crate) async fn gradient_step<M: Module + Sync, P: Send, S: Send>(
    module: &M,
    adam: &mut Adam,
    parts: Vec<P>,
    settings: StepSettings,
    loss: impl Fn(&M, P) -> (Tensor<1>, S) + Sync,
) -> Stepped<M, S> {
    let on_part = |part| async {
        yield_now().await;
        let module = params::fork(module);
        differentiated(&module, || loss(&module, part)).await
    };
    // Added as they come, so that a step of many parts holds the gradients of a few.
    let add = |(sum, mut all_seen): (Option<Vec<Tensor<1>>>, Vec<S>), (grads, seen)| {
        all_seen.push(seen);
        (Some(accumulate(sum, grads)), all_seen)
    };
    let none = (None, Vec::with_capacity(parts.len()));
    let (sum, all_seen) = parallel::fold(settings.threads, parts, on_part, none, add).await;
    let (grads, grad_norm) = clip_global_norm(sum.expect("a part"), settings.max_grad_norm);
    let module = adam.step(module.clone(), grads, settings.lr);
    Stepped { module, seen: all_seen, grad_norm }
}
