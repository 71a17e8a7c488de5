//! The few layers both networks are built of, filled from our own generator.
//!
//! burn's layers draw from the device's generator, which is shared and cannot be saved; here every
//! weight comes from a named stream of the run's seed, so the same seed gives the same network on
//! every backend. The layers themselves are burn's.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

use crate::rng::{self, ChaCha8Rng};

/// Standard deviation of fresh weights at this width: the field's 0.02 belongs to a width of 768,
/// and what a layer passes on grows with the root of its width. A network of width 64 that began
/// with 0.02 would barely pass on anything.
pub fn init_std(width: usize) -> f64 {
    0.02 * (768.0 / width as f64).sqrt()
}

/// Normal draws with mean 0 and standard deviation `std`.
pub fn normals(rng: &mut ChaCha8Rng, n: usize, std: f64) -> Vec<f32> {
    (0..n).map(|_| (rng::normal(rng) * std) as f32).collect()
}

/// The transpose of a matrix, row by row.
pub fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    // By blocks, so that a line of the cache that was fetched is used whole.
    const SIDE: usize = 32;
    let mut out = vec![0.0; values.len()];
    for top in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for row in top..rows.min(top + SIDE) {
                for column in left..columns.min(left + SIDE) {
                    out[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    out
}

/// A table of these values.
fn table(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Param<Tensor<2>> {
    Param::from_data(TensorData::new(values, shape), device)
}

/// A vector of one value.
fn constant(value: f32, width: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_data(TensorData::new(vec![value; width], [width]), device)
}

/// `x W + b` with normal weights `[d_in, d_out]` of standard deviation `std` and no bias at first.
pub fn linear(
    rng: &mut ChaCha8Rng,
    d_in: usize,
    d_out: usize,
    std: f64,
    device: &Device,
) -> Linear {
    linear_of(normals(rng, d_in * d_out, std), d_in, d_out, device)
}

/// `x W + b` with these weights `[d_in, d_out]` and no bias at first.
pub fn linear_of(weight: Vec<f32>, d_in: usize, d_out: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(d_in, d_out).init(device);
    layer.weight = table(weight, [d_in, d_out], device);
    layer.bias = Some(constant(0.0, d_out, device));
    layer
}

/// `x W + b` with PyTorch's default initialisation: both uniform in ±1/√d_in.
pub fn linear_uniform(rng: &mut ChaCha8Rng, d_in: usize, d_out: usize, device: &Device) -> Linear {
    let bound = 1.0 / (d_in as f64).sqrt();
    let mut draw = |n: usize| -> Vec<f32> {
        (0..n).map(|_| ((rng::unit(rng) * 2.0 - 1.0) * bound) as f32).collect()
    };
    let weight = TensorData::new(draw(d_in * d_out), [d_in, d_out]);
    let bias = TensorData::new(draw(d_out), [d_out]);
    let mut layer = LinearConfig::new(d_in, d_out).init(device);
    layer.weight = Param::from_data(weight, device);
    layer.bias = Some(Param::from_data(bias, device));
    layer
}

/// A table of `n` normal vectors of standard deviation `std`.
pub fn embedding(
    rng: &mut ChaCha8Rng,
    n: usize,
    width: usize,
    std: f64,
    device: &Device,
) -> Embedding {
    embedding_of(normals(rng, n * width, std), n, width, device)
}

/// A table of these vectors, `[n, width]`.
pub fn embedding_of(values: Vec<f32>, n: usize, width: usize, device: &Device) -> Embedding {
    let mut layer = EmbeddingConfig::new(n, width).init(device);
    layer.weight = table(values, [n, width], device);
    layer
}

/// Layer normalisation over the last axis with the given epsilon.
pub fn layer_norm(width: usize, epsilon: f64, device: &Device) -> LayerNorm {
    let mut layer = LayerNormConfig::new(width).with_epsilon(epsilon).init(device);
    layer.gamma = constant(1.0, width, device);
    layer.beta = Some(constant(0.0, width, device));
    layer
}

/// `layers` of some blocks, evenly spread from the first to the last.
///
/// # Panics
/// If there are fewer blocks, or none are asked for.
pub fn spread<B: Clone>(blocks: Vec<B>, layers: usize) -> Vec<B> {
    assert!((1..=blocks.len()).contains(&layers), "{layers} of {} blocks", blocks.len());
    let gaps = (layers - 1).max(1);
    let kept = |n: usize| (n * (blocks.len() - 1) + gaps / 2) / gaps;
    (0..layers).map(|n| blocks[kept(n)].clone()).collect()
}

/// `[batch, time, heads · d]` to `[batch, heads, time, d]`.
pub fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, time, width] = x.dims();
    x.reshape([batch, time, heads, width / heads]).swap_dims(1, 2)
}

/// `[batch, heads, time, d]` to `[batch, time, heads · d]`.
pub fn join_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, time, d] = x.dims();
    x.swap_dims(1, 2).reshape([batch, time, heads * d])
}

/// What is added to an attention score to shut a position out. Finite, so that a row without any
/// open position (padding) stays finite too.
pub const SHUT: f32 = -1e9;
