//! The operations that a small network spends its time on, each in as few passes as it takes.
//!
//! On the CPU a matrix product is fast and everything between two products is not: burn computes a
//! layer norm, a GELU or a softmax by many small operations, each of which reads and writes memory.
//! Here they are single operations with a backward pass of their own, on the CPU backend's tensors
//! (`op`). Each function computes the same by burn's operations where the device is another, or
//! where the feature `flex` is off; the tests hold the two against each other.

#[cfg(feature = "flex")]
mod attention;
#[cfg(feature = "flex")]
mod elementwise;
#[cfg(feature = "flex")]
mod layer_norm;
#[cfg(feature = "flex")]
mod linear;
#[cfg(all(feature = "flex", feature = "llama"))]
mod llama;
#[cfg(feature = "flex")]
mod log_prob;
#[cfg(feature = "flex")]
pub(super) mod op;
#[cfg(all(feature = "flex", feature = "llama"))]
mod packed;

mod scores;
#[cfg(all(test, feature = "flex"))]
mod tests;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "flex")]
use archer_kernels::cached::Cache;
pub use archer_kernels::elementwise::AdamStep;
pub use archer_kernels::heads::Heads;
pub use archer_kernels::linear::Activation;
use archer_kernels::visible::Visible;
#[cfg(feature = "flex")]
use burn::backend::Flex;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::{relu, sigmoid, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};

pub use self::scores::{Rows, log_prob, scores};
use super::layers::{SHUT, join_heads, split_heads};
#[cfg(feature = "llama")]
use super::packed::Packed;
#[cfg(feature = "llama")]
use super::rope::Rotation;

/// Whether this device computes in the thread that asks, by the kernels of this module.
pub fn computes_here(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return op::fits(device);
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Layer normalisation over the last axis.
pub fn layer_norm<const D: usize>(layer: &LayerNorm, epsilon: f64, x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(beta) = layer.beta.as_ref().filter(|_| op::fits_tensor(&x)) {
        let tracked = x.device().is_autodiff();
        let inputs =
            [x.into_dispatch(), layer.gamma.val().into_dispatch(), beta.val().into_dispatch()];
        return op::apply(layer_norm::LayerNorm { epsilon: epsilon as f32 }, inputs, tracked);
    }
    let _ = epsilon; // burn's layer has its own
    layer.forward(x)
}

/// `activation(x W + b)`.
pub fn linear<const D: usize>(layer: &Linear, activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match &layer.bias {
        Some(bias) => linear_of(layer.weight.val(), bias.val(), activation, x),
        None => plain_activation(activation, layer.forward(x)),
    }
}

/// The same with weights `[d_in, d_out]` and a bias `[d_out]` that belong to no layer.
pub fn linear_of<const D: usize>(
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
    x: Tensor<D>,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        let inputs = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        return op::apply(linear::Linear { activation }, inputs, tracked);
    }
    plain_activation(activation, burn::tensor::module::linear(x, weight, Some(bias)))
}

/// `x W + b + residual`.
pub fn linear_add<const D: usize>(layer: &Linear, x: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(bias) = layer.bias.as_ref().filter(|_| op::fits_tensor(&x)) {
        let tracked = x.device().is_autodiff();
        let inputs = [
            x.into_dispatch(),
            layer.weight.val().into_dispatch(),
            bias.val().into_dispatch(),
            residual.into_dispatch(),
        ];
        return op::apply(linear::LinearAdd, inputs, tracked);
    }
    layer.forward(x) + residual
}

/// `x / √(mean x² + ε) · γ` over the last axis.
#[cfg(feature = "llama")]
pub fn rms_norm<const D: usize>(gamma: Tensor<1>, epsilon: f64, x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        let inputs = [x.into_dispatch(), gamma.into_dispatch()];
        return op::apply(llama::RmsNorm { epsilon: epsilon as f32 }, inputs, tracked);
    }
    let mean = x.clone().square().mean_dim(D - 1);
    x * mean.add_scalar(epsilon).sqrt().recip() * gamma.unsqueeze()
}

/// `silu(gate) · up`.
#[cfg(feature = "llama")]
pub fn gated<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&gate) {
        let tracked = gate.device().is_autodiff();
        return op::apply(llama::Gated, [gate.into_dispatch(), up.into_dispatch()], tracked);
    }
    burn::tensor::activation::silu(gate) * up
}

/// `x W`, with weights `[d_in, d_out]`.
#[cfg(feature = "llama")]
pub fn product<const D: usize>(x: Tensor<D>, weight: Tensor<2>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        return op::apply(llama::Product, [x.into_dispatch(), weight.into_dispatch()], tracked);
    }
    burn::tensor::module::linear(x, weight, None)
}

/// `x W` with constant weights, which are without autodiff.
#[cfg(feature = "llama")]
pub fn frozen_product<const D: usize>(x: Tensor<D>, weight: &Tensor<2>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        let op = llama::FrozenProduct { weight: op::raw(weight.clone().into_dispatch()) };
        return op::apply(op, [x.into_dispatch()], tracked);
    }
    let weight = weight.clone();
    let weight = if x.device().is_autodiff() { weight.autodiff() } else { weight };
    burn::tensor::module::linear(x, weight, None)
}

/// `x · wᵀ` with packed weights, `[d_out, d_in]`.
#[cfg(feature = "llama")]
pub fn packed_product<const D: usize>(x: Tensor<D>, weight: &Packed) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&x) {
        let tracked = x.device().is_autodiff();
        let op = packed::PackedProduct { weight: weight.clone() };
        return op::apply(op, [x.into_dispatch()], tracked);
    }
    let weight = dense(weight, &x.device());
    burn::tensor::module::linear(x, weight.transpose(), None)
}

/// Packed weights as a constant beside what is computed on this device.
#[cfg(feature = "llama")]
fn dense(weight: &Packed, device: &Device) -> Tensor<2> {
    let weight = weight.dense(&device.clone().inner());
    if device.is_autodiff() { weight.autodiff() } else { weight }
}

/// The rows of some tokens, `[batch, time]` to `[batch, time, width]`, of a packed table.
#[cfg(feature = "llama")]
pub fn packed_rows(table: &Packed, tokens: Tensor<2, Int>) -> Tensor<3> {
    let device = tokens.device();
    #[cfg(feature = "flex")]
    if op::fits(&device) {
        let [batch, time] = tokens.dims();
        let rows = op::whole_numbers(tokens);
        let rows = TensorData::new(table.rows(rows.into_iter()), [batch, time, table.shape()[1]]);
        let rows = Tensor::from_data(rows, &device.clone().inner());
        return if device.is_autodiff() { rows.autodiff() } else { rows };
    }
    burn::tensor::module::embedding(dense(table, &device), tokens)
}

/// Queries and keys turned by their positions, and values, side by side: `[batch, time, (queries + 2 · keys) ·
/// d]`.
///
/// # Shapes
/// - `q`: `[batch, time, queries · d]`, `k`, `v`: `[batch, time, keys · d]`
#[cfg(feature = "llama")]
pub fn turned(rotation: &Rotation, heads: Heads, [q, k, v]: [Tensor<3>; 3]) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&q) {
        let tracked = q.device().is_autodiff();
        let plain = |angles: &Tensor<4>| {
            let angles = angles.clone();
            op::raw(if angles.is_autodiff() { angles.inner() } else { angles }.into_dispatch())
        };
        let op = llama::Turned { heads, angles: [plain(&rotation.cos), plain(&rotation.sin)] };
        let inputs = [q.into_dispatch(), k.into_dispatch(), v.into_dispatch()];
        return op::apply(op, inputs, tracked);
    }
    let turn = |x: Tensor<3>, number: usize| {
        let [batch, time, width] = x.dims();
        rotation.turn(x.reshape([batch, time, number, heads.d])).reshape([batch, time, width])
    };
    Tensor::cat(vec![turn(q, heads.queries), turn(k, heads.keys), v], 2)
}

fn plain_activation<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::None => x,
        Activation::Relu => relu(x),
        Activation::GeluTanh => gelu_tanh(x),
        Activation::GeluErf => gelu_erf(x),
    }
}

/// GELU in its tanh form, `x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
///
/// Written as `x · sigmoid(2 u)`, which is the same number: burn's own form takes a power and a
/// tanh by the C library and costs four times as much on the CPU.
fn gelu_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    const TWICE_ROOT: f64 = 1.595_769_121_605_730_7; // 2 √(2/π)
    let square = x.clone() * x.clone();
    let u = x.clone() * square.mul_scalar(0.044_715 * TWICE_ROOT).add_scalar(TWICE_ROOT);
    x * sigmoid(u)
}

/// The exact form, `x · ½ (1 + erf(x / √2))`.
///
/// Written out rather than burn's: where a backend brings no derivative of its own, burn 0.22.1
/// differentiates the tanh form, and the critic's gradients are off by a thousandth.
fn gelu_erf<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let below = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf();
    x * below.add_scalar(1.0).mul_scalar(0.5)
}

/// What each token may look at: made once, without a device, and shared by all layers of a pass.
#[derive(Debug, Clone)]
pub struct Mask {
    visible: Arc<Visible>,
    /// The same as something to add to the scores, for devices that have no kernel of ours.
    bias: Arc<OnceLock<Tensor<4>>>,
}

impl Mask {
    /// A mask for so many texts, queries of each and keys, where 1 text or 1 query stands for all;
    /// `open` is asked for each query of each text and adds the ranges of keys that it may look at,
    /// in order and apart from each other.
    pub fn new(shape: [usize; 3], open: impl FnMut(usize, usize, &mut Vec<Range<usize>>)) -> Self {
        Self { visible: Arc::new(Visible::new(shape, open)), bias: Arc::default() }
    }

    /// Each token of a text sees itself and what stands before it.
    pub fn causal(time: usize) -> Self {
        Self::new([1, time, time], |_, query, open| open.push(0..query + 1))
    }

    /// Whether a query of a text may look at a key.
    pub fn is_open(&self, text: usize, query: usize, key: usize) -> bool {
        self.visible.of(text, query).iter().any(|block| block.contains(key))
    }

    /// 0 where a key is open and [`SHUT`] where it is not, `[texts, 1, queries, keys]`.
    fn bias(&self, device: &Device) -> Tensor<4> {
        let make = || {
            let [texts, queries, keys] = self.visible.shape();
            let bias = TensorData::new(self.visible.to_bias(SHUT), [texts, 1, queries, keys]);
            Tensor::from_data(bias, &device.clone().inner())
        };
        let bias = self.bias.get_or_init(make).clone();
        if device.is_autodiff() { bias.autodiff() } else { bias }
    }
}

/// Softmax attention of every token over those that it may look at.
///
/// What is computed for a token that may look at nothing means nothing.
///
/// # Shapes
/// - `qkv`: `[batch, time, (queries + 2 · keys) · d]`, the heads of a token side by side
/// - output: `[batch, time, queries · d]`
pub fn attention(qkv: Tensor<3>, mask: &Mask, heads: Heads) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if has_kernel(&qkv, heads) {
        return own_attention(qkv, mask, heads, None);
    }
    plain_attention(qkv, mask, heads)
}

/// Softmax attention of some tokens alone, `[n, queries · d]`: those at `rows` of the flattened `[batch ·
/// time]`, each named once, in ascending order.
pub fn attention_at(qkv: Tensor<3>, mask: &Mask, heads: Heads, rows: &[usize]) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if has_kernel(&qkv, heads) {
        return own_attention(qkv, mask, heads, Some(rows.into()));
    }
    rows_at(plain_attention(qkv, mask, heads), rows)
}

/// Rows of a flattened grid, `[batch, time, width]` to `[n, width]`; all of them in order are no copy.
pub fn rows_at(grid: Tensor<3>, rows: &[usize]) -> Tensor<2> {
    let [batch, time, width] = grid.dims();
    if rows.len() == batch * time && rows.iter().enumerate().all(|(place, &row)| place == row) {
        return grid.reshape([batch * time, width]);
    }
    if rows.is_empty() {
        return Tensor::zeros([0, width], &grid.device());
    }
    let index: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
    let index = Tensor::<1, Int>::from_ints(index.as_slice(), &grid.device());
    grid.reshape([batch * time, width]).select(0, index)
}

#[cfg(feature = "flex")]
fn has_kernel(qkv: &Tensor<3>, heads: Heads) -> bool {
    op::fits_tensor(qkv) && archer_kernels::attention::has_kernel(heads.d)
}

#[cfg(feature = "flex")]
fn own_attention<const D: usize>(
    qkv: Tensor<3>,
    mask: &Mask,
    heads: Heads,
    rows: Option<Arc<[usize]>>,
) -> Tensor<D> {
    let tracked = qkv.device().is_autodiff();
    let op = attention::Attention { visible: mask.visible.clone(), heads, rows };
    op::apply(op, [qkv.into_dispatch()], tracked)
}

fn plain_attention(qkv: Tensor<3>, mask: &Mask, heads: Heads) -> Tensor<3> {
    let [q, k, v] = parts(qkv, heads);
    let bias = mask.bias(&q.device());
    mix(q, shared(k, heads), shared(v, heads), bias)
}

/// Queries, keys and values of some tokens, `[batch, heads, time, d]` each.
fn parts(qkv: Tensor<3>, heads: Heads) -> [Tensor<4>; 3] {
    let (width, narrow) = (heads.width(), heads.narrow());
    let part = |from: usize, width: usize, heads: usize| {
        split_heads(qkv.clone().narrow(2, from, width), heads)
    };
    [
        part(0, width, heads.queries),
        part(width, narrow, heads.keys),
        part(width + narrow, narrow, heads.keys),
    ]
}

/// Each head of keys or values as often as there are heads of queries that share it.
fn shared(x: Tensor<4>, heads: Heads) -> Tensor<4> {
    let sharing = heads.sharing();
    if sharing == 1 {
        return x;
    }
    let [batch, keys, time, d] = x.dims();
    let x: Tensor<5> = x.reshape([batch, keys, 1, time, d]);
    x.expand([batch, keys, sharing, time, d]).reshape([batch, keys * sharing, time, d])
}

/// Attention by burn's operations, `[batch, heads, time, d]` each, to `[batch, time, width]`.
fn mix(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, bias: Tensor<4>) -> Tensor<3> {
    let scale = 1.0 / (q.dims()[3] as f64).sqrt();
    let scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3)) + bias; // [batch, head, new, time]
    join_heads(softmax(scores, 3).matmul(v))
}

/// Columns by which a full cache grows.
const GROWTH: usize = 64;

/// Keys and values of one layer for a batch of texts that grow.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a model has one a layer")]
pub enum LayerCache {
    /// Where there is a kernel of ours.
    #[cfg(feature = "flex")]
    Own(Cache),
    /// Key and value, `[batch, heads of keys, room, d_head]`.
    Plain(Tensor<4>, Tensor<4>),
}

impl LayerCache {
    /// Takes in the keys and values of new tokens of some rows behind the `used` that are there, and
    /// mixes the values for those queries of the new that are `asked`; without autodiff. The first
    /// time, and where it does not [take some](Self::takes_some), they are all rows in order.
    ///
    /// # Shapes
    /// - `qkv`: `[rows, new, (queries + 2 · keys) · d]`, `mask` for `used + new` keys; `asked`: places of
    ///   the flattened `[rows · new]`, in ascending order; output: `[asked, queries · d]`
    pub fn attend(
        cache: &mut Option<Self>,
        qkv: Tensor<3>,
        rows: &[usize],
        asked: &[usize],
        used: usize,
        mask: &Mask,
        heads: Heads,
    ) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if has_kernel(&qkv, heads) && !qkv.device().is_autodiff() {
            let qkv = op::in_order(op::raw(qkv.into_dispatch()));
            let mixed =
                Self::attend_here(cache, op::values(&qkv), [rows, asked], used, mask, heads);
            let width = heads.width();
            return Tensor::from_primitive::<Flex>(op::tensor(mixed, [asked.len(), width]));
        }
        let _ = rows;
        rows_at(Self::attend_plainly(cache, qkv, used, mask, heads), asked)
    }

    /// [`attend`](Self::attend) on plain floats: `qkv` is `[rows · new, (queries + 2 · keys) · d]` row by row, the
    /// result `[asked, queries · d]`.
    #[cfg(feature = "flex")]
    pub fn attend_here(
        cache: &mut Option<Self>,
        qkv: &[f32],
        [rows, asked]: [&[usize]; 2],
        used: usize,
        mask: &Mask,
        heads: Heads,
    ) -> Vec<f32> {
        let fresh = || Self::Own(Cache::new(rows.len(), heads));
        let Self::Own(cache) = cache.get_or_insert_with(fresh) else {
            unreachable!("a cache stays on its device");
        };
        let new = qkv.len() / (heads.row() * rows.len());
        cache.make_room(used + new, GROWTH);
        cache.attend(qkv, rows, asked, used, &mask.visible)
    }

    /// Whether it takes in some rows alone.
    pub fn takes_some(&self) -> bool {
        !matches!(self, Self::Plain(..))
    }

    fn attend_plainly(
        cache: &mut Option<Self>,
        qkv: Tensor<3>,
        used: usize,
        mask: &Mask,
        heads: Heads,
    ) -> Tensor<3> {
        let device = qkv.device();
        let [q, key, val] = parts(qkv, heads);
        let [batch, keys, new, d] = key.dims();
        let end = used + new;
        let grow = |old: Option<Tensor<4>>| {
            let room = old.as_ref().map_or(0, |old| old.dims()[2]);
            match old {
                Some(old) if room >= end => old,
                old => {
                    let more = (end - room).div_ceil(GROWTH) * GROWTH;
                    let zeros = Tensor::zeros([batch, keys, more, d], &device);
                    Tensor::cat(old.into_iter().chain([zeros]).collect(), 2)
                }
            }
        };
        // Taken out of its place, so that the handle is unique and the write happens in place.
        let old = match cache.take() {
            Some(Self::Plain(k, v)) => (Some(k), Some(v)),
            _ => (None, None),
        };
        let write = |old: Option<Tensor<4>>, new: Tensor<4>| {
            grow(old).slice_assign([0..batch, 0..keys, used..end, 0..d], new)
        };
        let (k, v) = (write(old.0, key), write(old.1, val));
        let in_use = |all: &Tensor<4>| shared(all.clone().narrow(2, 0, end), heads);
        let mixed = mix(q, in_use(&k), in_use(&v), mask.bias(&device));
        *cache = Some(Self::Plain(k, v));
        mixed
    }

    /// Keeps these rows of the batch, in this order, which share what was read so far where there
    /// is a kernel for it. Returns the first column at which they can go on.
    pub fn branch(&mut self, rows: &[usize]) -> usize {
        match self {
            #[cfg(feature = "flex")]
            Self::Own(cache) => cache.branch(rows),
            Self::Plain(..) => {
                self.keep(rows);
                0
            }
        }
    }

    /// Keeps these rows of the batch, in this order.
    pub fn keep(&mut self, rows: &[usize]) {
        match self {
            #[cfg(feature = "flex")]
            Self::Own(cache) => cache.keep(rows),
            Self::Plain(k, v) => {
                let index: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
                let index = Tensor::<1, Int>::from_ints(index.as_slice(), &k.device());
                *k = k.clone().select(0, index.clone());
                *v = v.clone().select(0, index);
            }
        }
    }
}

/// A step of Adam on one parameter: `[θ, m, v]` and the gradient, all flat, to the new `[θ, m, v]`.
pub fn adam(step: AdamStep, state: [Tensor<1>; 3], grad: Tensor<1>) -> [Tensor<1>; 3] {
    #[cfg(feature = "flex")]
    if state.iter().chain([&grad]).all(op::fits_tensor) {
        let raw = |tensor: Tensor<1>| op::raw(tensor.into_dispatch());
        return elementwise::adam(step, state.map(raw), raw(grad))
            .map(Tensor::from_primitive::<Flex>);
    }
    plain_adam(step, state, grad)
}

fn plain_adam(step: AdamStep, [theta, m, v]: [Tensor<1>; 3], grad: Tensor<1>) -> [Tensor<1>; 3] {
    let AdamStep { rate, first: [stay_1, take_1], second: [stay_2, take_2], .. } = step;
    let m = m.mul_scalar(stay_1) + grad.clone().mul_scalar(take_1);
    let v = v.mul_scalar(stay_2) + grad.square().mul_scalar(take_2);
    let root = v.clone().sqrt().mul_scalar(step.scale_2).add_scalar(step.epsilon);
    [theta - m.clone().div(root).mul_scalar(rate), m, v]
}

/// `x · a + y · b` of flat tensors.
pub fn mix_of(a: Tensor<1>, b: Tensor<1>, [x, y]: [f32; 2]) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if op::fits_tensor(&a) && op::fits_tensor(&b) {
        let raw = |tensor: Tensor<1>| op::raw(tensor.into_dispatch());
        return Tensor::from_primitive::<Flex>(elementwise::mix(raw(a), raw(b), [x, y]));
    }
    a.mul_scalar(x) + b.mul_scalar(y)
}
