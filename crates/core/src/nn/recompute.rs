//! Gradient checkpointing by blocks: less memory for a second forward pass (Chen et al., arXiv:1604.06174).
//!
//! A backward pass needs what each block computed on the way, which for a language model takes more memory
//! than its weights. Instead the forward pass runs without autodiff and keeps the input of each block but
//! the last. The loss goes back to the last block's input; then each block, from the last to the first, is
//! computed once more with autodiff and gone back through by itself. The sums are the same in the same
//! order, so the numbers are too.
//!
//! Whoever takes a gradient step opens a [`Tape`], on which the models of that thread leave what they
//! passed over: the losses between know nothing of it.

use std::cell::RefCell;

use burn::tensor::{Gradients, Int, Tensor};

use super::causal_lm::{CausalLm, Places};
use super::fused::Mask;

thread_local! {
    static TAPE: RefCell<Option<Vec<Passed>>> = const { RefCell::new(None) };
}

/// What models passed over while a loss was computed.
pub struct Tape(Vec<Passed>);

/// One forward pass of a model up to its last block.
pub(super) struct Passed {
    pub lm: CausalLm,
    /// `[batch, time]`.
    pub tokens: Tensor<2, Int>,
    pub places: Places,
    pub mask: Mask,
    /// The input of each block but the last, without autodiff.
    pub inputs: Vec<Tensor<3>>,
    /// The input of the last, where the loss's own backward pass ends.
    pub end: Tensor<3>,
}

/// Runs a loss, and gives what models passed over for it.
pub fn recorded<T>(loss: impl FnOnce() -> T) -> (T, Tape) {
    TAPE.with(|tape| *tape.borrow_mut() = Some(Vec::new()));
    let value = loss();
    let passed = TAPE.with(|tape| tape.borrow_mut().take()).unwrap_or_default();
    (value, Tape(passed))
}

/// Whether a loss is being computed whose gradient knows of the tape.
pub(super) fn is_recording() -> bool {
    TAPE.with(|tape| tape.borrow().is_some())
}

pub(super) fn record(passed: Passed) {
    TAPE.with(|tape| {
        if let Some(tape) = tape.borrow_mut().as_mut() {
            tape.push(passed);
        }
    });
}

impl Tape {
    /// The backward pass of a loss and of all that was passed over for it: gradients whose sum is that of
    /// the loss.
    pub fn backward(self, loss: &Tensor<1>) -> Vec<Gradients> {
        let first = loss.backward();
        let ends: Vec<_> = self.0.iter().map(|passed| passed.end.grad(&first)).collect();
        let mut all = vec![first];
        for (passed, end) in self.0.into_iter().zip(ends) {
            // A pass that the loss does not read has none.
            if let Some(end) = end {
                passed.backward(end, &mut all);
            }
        }
        all
    }
}

impl Passed {
    fn backward(self, mut grad: Tensor<3>, all: &mut Vec<Gradients>) {
        let Passed { lm, tokens, places, mask, inputs, .. } = self;
        for (block, input) in inputs.into_iter().enumerate().rev() {
            let input = input.autodiff().require_grad();
            let output = lm.through(block, input.clone(), &places, &mask);
            let grads = (output * grad.autodiff()).sum().backward();
            grad = input.grad(&grads).expect("each block adds to its input");
            all.push(grads);
        }
        if lm.trains_embeddings() {
            let embedded = lm.embedded(tokens, &places);
            all.push((embedded * grad.autodiff()).sum().backward());
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::nn::llama::{Biases, Family, LlamaLayout, Lora};
    use crate::nn::params;
    use crate::nn::rope::{Rope, Scaling};
    use crate::rng::stream;

    fn shape(layout: Layout) -> CausalLmConfig {
        CausalLmConfig {
            layers: 3,
            width: 16,
            heads: 2,
            positions: 12,
            vocab_size: 20,
            norm_epsilon: 1e-5,
            layout,
        }
    }

    fn llama() -> Layout {
        Layout::Llama(LlamaLayout {
            family: Family::Llama,
            kv_heads: 1,
            head_dim: 8,
            feed_forward: 24,
            rope: Rope { theta: 100.0, scaling: Scaling::None },
            biases: Biases::default(),
            head_norms: false,
            tied: true,
        })
    }

    /// The gradient of a loss over two texts, and how many backward passes it took.
    fn gradient(lm: &CausalLm) -> (Vec<Vec<f32>>, usize) {
        let device = lm.device();
        let lm = params::fork(lm);
        let tokens = Tensor::<2, Int>::from_ints([[1, 7, 3, 3, 9], [4, 2, 0, 19, 5]], &device);
        let positions = Tensor::<2, Int>::from_ints([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]], &device);
        let mask = Mask::causal(5);
        let (loss, tape) = recorded(|| {
            let lists = [&[1, 3, 5, 8][..], &[0][..]];
            let [some, one] = lm.hidden_at(tokens, positions, &mask, lists);
            lm.log_prob(some, &[3, 9, 2, 5]).sum() - lm.log_prob(one, &[7]).sum()
        });
        let passes = tape.backward(&loss);
        let flat = params::gradients(&lm, &passes);
        let flat = flat.into_iter().map(|grad| grad.into_data().iter().collect()).collect();
        (flat, passes.len())
    }

    #[test]
    fn a_gradient_is_the_same_bit_for_bit() {
        let device = Device::flex().autodiff();
        let rng = &mut stream(5, "recompute", 0);
        let whole = |layout, rng: &mut _| shape(layout).init(rng, &device);
        let lora = Lora { rank: 2, alpha: 4.0, targets: vec!["q_proj".into(), "down_proj".into()] };
        let adapted = whole(llama(), rng).adapted(&lora, rng, &device).expect("it has adapters");
        // B begins as zeros, by which A would have no gradient.
        let some = params::tensors(&adapted).into_iter().map(|tensor| tensor.add_scalar(0.1));
        let adapted = params::replace(adapted.clone(), some.collect());
        for (lm, back) in [(whole(Layout::Gpt2, rng), 4), (whole(llama(), rng), 4), (adapted, 3)] {
            let (kept, one) = gradient(&lm);
            let (again, passes) = gradient(&lm.recomputed(true));
            // The loss's own, two blocks, and the token table where it is trained.
            assert_eq!((one, passes), (1, back));
            assert!(kept.iter().all(|grad| grad.iter().any(|value| *value != 0.0)));
            assert_eq!(kept, again);
        }
    }
}
