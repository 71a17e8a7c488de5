//! What follows the product of a dense layer: bias, activation and the residual, in one pass.
//!
//! Matrices are `[n, width]` row by row, where the width is that of the bias.

use crate::simd::{Kernel, dispatch, exp, madd};

/// What a dense layer's output goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// What is below zero becomes zero; what is no number stays none.
    Relu,
    /// GELU in its tanh form.
    GeluTanh,
    /// GELU by the error function.
    GeluErf,
}

/// Adds a bias to each row of `z` and applies the activation, into `y` where there is one.
pub fn activate(activation: Activation, z: &mut [f32], bias: &[f32], y: Option<&mut [f32]>) {
    dispatch(Activate { z, bias, y, activation });
}

/// Multiplies a gradient by the activation's slope at `z`, and adds its rows to `dbias`.
pub fn slope(activation: Activation, z: &[f32], grad: &mut [f32], dbias: &mut [f32]) {
    dispatch(Slope { z, grad, dbias, activation });
}

/// Adds each row to `sum`.
pub fn sum_rows(rows: &[f32], sum: &mut [f32]) {
    dispatch(SumRows { rows, sum });
}

/// Adds a bias and the rows of `residual` to the rows of `y`.
pub fn add_rows(y: &mut [f32], bias: &[f32], residual: &[f32]) {
    dispatch(AddRows { y, bias, residual });
}

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
            Activation::None => activate_rows(z, bias, y, |z| z),
            Activation::Relu => activate_rows(z, bias, y, |z| if z <= 0.0 { 0.0 } else { z }),
            Activation::GeluTanh => activate_rows(z, bias, y, gelu_tanh::<FMA>),
            Activation::GeluErf => activate_rows(z, bias, y, gelu_erf::<FMA>),
        }
    }
}

#[inline(always)]
fn activate_rows(z: &mut [f32], bias: &[f32], y: Option<&mut [f32]>, f: impl Fn(f32) -> f32) {
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
            Activation::None => slope_rows(z, grad, dbias, |_| 1.0),
            Activation::Relu => slope_rows(z, grad, dbias, |z| if z <= 0.0 { 0.0 } else { 1.0 }),
            Activation::GeluTanh => slope_rows(z, grad, dbias, gelu_tanh_slope::<FMA>),
            Activation::GeluErf => slope_rows(z, grad, dbias, gelu_erf_slope::<FMA>),
        }
    }
}

#[inline(always)]
fn slope_rows(z: &[f32], grad: &mut [f32], dbias: &mut [f32], f: impl Fn(f32) -> f32) {
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
