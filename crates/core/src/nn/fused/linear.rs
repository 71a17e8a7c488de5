//! A dense layer with what follows it: bias, activation and the residual, in one pass over the
//! product.

use burn::backend::TensorMetadata;
use burn::tensor::Shape;

use super::Activation;
use super::op::{Op, Raw, in_order, matmul, rows, tensor, values, values_mut, whole};
use super::simd::{Kernel, dispatch, exp, madd};

/// `activation(x W + b)`; inputs `x` `[…, d_in]`, `W` `[d_in, d_out]`, `b` `[d_out]`.
#[derive(Debug)]
pub struct Linear {
    pub activation: Activation,
}

/// `x W + b + residual`; inputs as before and the residual, `[…, d_out]`.
#[derive(Debug)]
pub struct LinearAdd;

/// Input, weights, shape of the input, and before an activation what it is applied to.
#[derive(Debug, Clone)]
pub struct Kept {
    x: Raw,
    weight: Raw,
    shape: Shape,
    before: Option<(Activation, Raw)>,
}

impl Op<3> for Linear {
    type Kept = Kept;

    fn forward(self, [x, weight, bias]: [Raw; 3], keep: bool) -> (Raw, Option<Kept>) {
        let (flat, shape, out) = flatten(&x, &weight);
        let bias = in_order(bias);
        let mut z = matmul(flat.clone(), weight.clone());
        let (activation, bias) = (self.activation, values(&bias));
        let apart = keep && activation != Activation::None;
        let mut y = vec![0.0; if apart { values(&z).len() } else { 0 }];
        let into = apart.then_some(&mut y[..]);
        dispatch(Activate { z: values_mut(&mut z), bias, y: into, activation });
        let (y, before) = match apart {
            true => (tensor(y, out), Some((activation, z))),
            false => (z.reshape(out), None),
        };
        (y, keep.then(|| Kept { x: flat, weight, shape, before }))
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 3]) -> [Option<Raw>; 3] {
        let d_out = kept.weight.shape()[1];
        let (grad, dbias) = match &kept.before {
            None => {
                let grad = in_order(grad);
                let mut dbias = vec![0.0; d_out];
                dispatch(SumRows { rows: values(&grad), sum: &mut dbias });
                (grad, dbias)
            }
            Some((activation, z)) => {
                let mut grad = whole(grad);
                let mut dbias = vec![0.0; d_out];
                dispatch(Slope {
                    z: values(z),
                    grad: values_mut(&mut grad),
                    dbias: &mut dbias,
                    activation: *activation,
                });
                (grad, dbias)
            }
        };
        let [dx, dweight] = products(&kept, &grad, [wanted[0], wanted[1]]);
        [dx, dweight, Some(tensor(dbias, [d_out]))]
    }
}

impl Op<4> for LinearAdd {
    type Kept = Kept;

    fn forward(self, [x, weight, bias, residual]: [Raw; 4], keep: bool) -> (Raw, Option<Kept>) {
        let (flat, shape, out) = flatten(&x, &weight);
        let mut y = matmul(flat.clone(), weight.clone());
        let [bias, residual] = [bias, residual].map(in_order);
        let (bias, residual) = (values(&bias), values(&residual));
        dispatch(AddRows { y: values_mut(&mut y), bias, residual });
        (y.reshape(out), keep.then(|| Kept { x: flat, weight, shape, before: None }))
    }

    fn backward(kept: Kept, grad: Raw, wanted: [bool; 4]) -> [Option<Raw>; 4] {
        let residual = grad.clone();
        let [dx, dweight, dbias] =
            <Linear as Op<3>>::backward(kept, grad, [wanted[0], wanted[1], wanted[2]]);
        [dx, dweight, dbias, Some(residual)]
    }
}

/// The input as a matrix, its shape, and the output's.
fn flatten(x: &Raw, weight: &Raw) -> (Raw, Shape, Shape) {
    let shape = x.shape();
    let last = shape.num_dims() - 1;
    let flat = rows(x, shape.num_elements() / shape[last]);
    let mut out = shape.clone();
    out[last] = weight.shape()[1];
    (flat, shape, out)
}

/// The gradients of input and weights from that of the product.
fn products(kept: &Kept, grad: &Raw, wanted: [bool; 2]) -> [Option<Raw>; 2] {
    let n = kept.x.shape()[0];
    let grad = rows(grad, n);
    let dx = wanted[0].then(|| {
        let dx = matmul(grad.clone(), kept.weight.transpose(0, 1));
        dx.reshape(kept.shape.clone())
    });
    let dweight = wanted[1].then(|| matmul(kept.x.transpose(0, 1), grad.clone()));
    [dx, dweight]
}

/// Adds a bias to each row of `z` and applies the activation, into `y` where there is one.
struct Activate<'a> {
    z: &'a mut [f32],
    bias: &'a [f32],
    y: Option<&'a mut [f32]>,
    activation: Activation,
}

impl Kernel for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Activate { z, bias, y, activation } = self;
        match activation {
            Activation::None => activate(z, bias, y, |z| z),
            Activation::GeluTanh => activate(z, bias, y, gelu_tanh::<FMA>),
            Activation::GeluErf => activate(z, bias, y, gelu_erf::<FMA>),
        }
    }
}

#[inline(always)]
fn activate(z: &mut [f32], bias: &[f32], y: Option<&mut [f32]>, f: impl Fn(f32) -> f32) {
    let width = bias.len();
    match y {
        None => {
            for row in z.chunks_exact_mut(width) {
                for (z, bias) in row.iter_mut().zip(bias) {
                    *z = f(*z + bias);
                }
            }
        }
        Some(y) => {
            for (row, y) in z.chunks_exact_mut(width).zip(y.chunks_exact_mut(width)) {
                for ((z, bias), y) in row.iter_mut().zip(bias).zip(y) {
                    *z += bias;
                    *y = f(*z);
                }
            }
        }
    }
}

/// Multiplies a gradient by the activation's slope and sums its rows.
struct Slope<'a> {
    z: &'a [f32],
    grad: &'a mut [f32],
    dbias: &'a mut [f32],
    activation: Activation,
}

impl Kernel for Slope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Slope { z, grad, dbias, activation } = self;
        match activation {
            Activation::None => slope(z, grad, dbias, |_| 1.0),
            Activation::GeluTanh => slope(z, grad, dbias, gelu_tanh_slope::<FMA>),
            Activation::GeluErf => slope(z, grad, dbias, gelu_erf_slope::<FMA>),
        }
    }
}

#[inline(always)]
fn slope(z: &[f32], grad: &mut [f32], dbias: &mut [f32], f: impl Fn(f32) -> f32) {
    let width = dbias.len();
    for (z, grad) in z.chunks_exact(width).zip(grad.chunks_exact_mut(width)) {
        for ((z, grad), dbias) in z.iter().zip(grad).zip(dbias.iter_mut()) {
            *grad *= f(*z);
            *dbias += *grad;
        }
    }
}

struct SumRows<'a> {
    rows: &'a [f32],
    sum: &'a mut [f32],
}

impl Kernel for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for row in self.rows.chunks_exact(self.sum.len()) {
            for (sum, x) in self.sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

struct AddRows<'a> {
    y: &'a mut [f32],
    bias: &'a [f32],
    residual: &'a [f32],
}

impl Kernel for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let width = self.bias.len();
        let rows = self.y.chunks_exact_mut(width).zip(self.residual.chunks_exact(width));
        for (y, residual) in rows {
            for ((y, bias), residual) in y.iter_mut().zip(self.bias).zip(residual) {
                *y += bias + residual;
            }
        }
    }
}

const TWICE_ROOT: f32 = 1.595_769; // 2 √(2/π)
const CUBIC: f32 = 0.044_715 * TWICE_ROOT;

/// `x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`, which is `x · sigmoid` of twice that argument.
#[inline(always)]
fn gelu_tanh<const FMA: bool>(x: f32) -> f32 {
    x * sigmoid::<FMA>(x * madd::<FMA>(CUBIC, x * x, TWICE_ROOT))
}

#[inline(always)]
fn gelu_tanh_slope<const FMA: bool>(x: f32) -> f32 {
    let square = x * x;
    let s = sigmoid::<FMA>(x * madd::<FMA>(CUBIC, square, TWICE_ROOT));
    let inner = madd::<FMA>(3.0 * CUBIC, square, TWICE_ROOT);
    madd::<FMA>(x * inner, s * (1.0 - s), s)
}

#[inline(always)]
fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-x))
}

/// `x Φ(x)`.
#[inline(always)]
fn gelu_erf<const FMA: bool>(x: f32) -> f32 {
    x * normal::<FMA>(x).0
}

/// `Φ(x) + x φ(x)`.
#[inline(always)]
fn gelu_erf_slope<const FMA: bool>(x: f32) -> f32 {
    let (below, density) = normal::<FMA>(x);
    madd::<FMA>(x, density, below)
}

/// The standard normal distribution: how much lies below `x`, and its density there.
///
/// The tail is `φ` times a polynomial in `1 / (1 + p |x| / √2)`, right to 1.5e-7 (Abramowitz and
/// Stegun, 7.1.26).
#[inline(always)]
fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    const P: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
    const TAIL: [f32; 4] = [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let bell = exp::<FMA>(-0.5 * x * x);
    let t = 1.0 / madd::<FMA>(P, x.abs(), 1.0);
    let mut p = 1.061_405_4;
    for c in TAIL {
        p = madd::<FMA>(p, t, c);
    }
    let tail = 0.5 * p * t * bell;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (below, bell * 0.398_942_3)
}
