//! The gradient step, written once: whatever is learned, it is learned here.
//!
//! ```text
//! g   = Σ_parts ∇ loss(part)            each part on a fork of the module, in parallel, added in order
//! g   ← g · min(1, max_grad_norm / ‖g‖)
//! θ   ← Adam(θ, g, lr)
//! ```
//!
//! A part's loss is its share of the step's loss: gradients are added, not averaged.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::Error;
use crate::nn::optim::{Adam, accumulate, clip_global_norm};
use crate::nn::params;
#[cfg(feature = "llama")]
use crate::nn::recompute;
use crate::parallel;
#[cfg(not(target_family = "wasm"))]
use crate::ranks;
use crate::ranks::{Shown, Workers};
use crate::yielding::yield_now;

/// How a gradient step is taken.
#[derive(Debug, Clone, Copy)]
pub struct StepSettings<'a> {
    /// Adam's learning rate.
    pub lr: f64,
    /// Bound on the global gradient norm; 0 for none.
    pub max_grad_norm: f64,
    /// Who shares the parts.
    pub workers: Workers<'a>,
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
/// # Errors
/// If the device fails while gradients are sent to other ranks.
///
/// # Panics
/// If there is no part.
pub(crate) async fn gradient_step<M: Module + Sync, P: Send, S: Shown>(
    module: &M,
    adam: &mut Adam,
    parts: Vec<P>,
    settings: StepSettings<'_>,
    loss: impl Fn(&M, P) -> (Tensor<1>, S) + Sync,
) -> Result<Stepped<M, S>, Error> {
    let on_part = |part| async {
        yield_now().await;
        let module = params::fork(module);
        differentiated(&module, || loss(&module, part)).await
    };
    let (sum, seen) = sum_of_parts(module, parts, settings.workers, on_part).await?;
    let (grads, grad_norm) = clip_global_norm(sum, settings.max_grad_norm);
    let module = adam.step(module.clone(), grads, settings.lr);
    Ok(Stepped { module, seen, grad_norm })
}

/// The sum of the parts' gradients, in the parts' order, and what each part showed.
async fn sum_of_parts<M: Module + Sync, P: Send, S: Shown, F>(
    #[cfg_attr(target_family = "wasm", allow(unused_variables))] module: &M,
    parts: Vec<P>,
    workers: Workers<'_>,
    on_part: impl Fn(P) -> F + Sync,
) -> Result<(Vec<Tensor<1>>, Vec<S>), Error>
where
    F: Future<Output = (Vec<Tensor<1>>, S)>,
{
    #[cfg(not(target_family = "wasm"))]
    if let Some(ranks) = workers.ranks {
        let parameters = params::tensors(module);
        let sizes: Vec<usize> = parameters.iter().map(|tensor| tensor.dims()[0]).collect();
        let device = parameters.first().expect("a network has parameters").device();
        let gradients = (&sizes[..], &device);
        return ranks::sum_of_parts(workers.threads, ranks, parts, gradients, on_part).await;
    }
    // Added as they come, so that a step of many parts holds the gradients of a few.
    let add = |(sum, mut all_seen): (Option<Vec<Tensor<1>>>, Vec<S>), (grads, seen)| {
        all_seen.push(seen);
        (Some(accumulate(sum, grads)), all_seen)
    };
    let none = (None, Vec::with_capacity(parts.len()));
    let (sum, seen) = parallel::fold(workers.threads, parts, on_part, none, add).await;
    Ok((sum.expect("a part"), seen))
}
