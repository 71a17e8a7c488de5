//! Single passes over flat lists of floats, all of one length.

use crate::simd::{Kernel, dispatch, madd};

/// What a step of Adam does with one parameter and its memory.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Learning rate over the correction of the first moment.
    pub rate: f32,
    /// Share of the first moment that stays, and share of the gradient that it takes.
    pub first: [f32; 2],
    /// The same of the second and the gradient's square.
    pub second: [f32; 2],
    /// One over the root of the second moment's correction.
    pub scale_2: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
}

/// Moves parameters and their two moments, `[θ, m, v]`, by one step of Adam.
pub fn adam(step: AdamStep, [theta, m, v]: [&mut [f32]; 3], grad: &[f32]) {
    dispatch(Adam { step, theta, m, v, grad });
}

/// `x · a + y · b`, in place of `a`.
pub fn mix(a: &mut [f32], b: &[f32], [x, y]: [f32; 2]) {
    dispatch(Mix { a, b, x, y });
}

/// Adds `more` to `sum`.
pub fn add(sum: &mut [f32], more: &[f32]) {
    dispatch(Add { sum, more });
}

struct Adam<'a> {
    step: AdamStep,
    theta: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    grad: &'a [f32],
}

impl Kernel for Adam<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let AdamStep { rate, first: [stay_1, take_1], second: [stay_2, take_2], .. } = self.step;
        let AdamStep { scale_2, epsilon, .. } = self.step;
        let moments = self.m.iter_mut().zip(self.v.iter_mut());
        for ((theta, grad), (m, v)) in self.theta.iter_mut().zip(self.grad).zip(moments) {
            *m = madd::<FMA>(*m, stay_1, grad * take_1);
            *v = madd::<FMA>(*v, stay_2, grad * grad * take_2);
            *theta -= rate * *m / madd::<FMA>(v.sqrt(), scale_2, epsilon);
        }
    }
}

struct Mix<'a> {
    a: &'a mut [f32],
    b: &'a [f32],
    x: f32,
    y: f32,
}

impl Kernel for Mix<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (a, b) in self.a.iter_mut().zip(self.b) {
            *a = madd::<FMA>(*a, self.x, b * self.y);
        }
    }
}

struct Add<'a> {
    sum: &'a mut [f32],
    more: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (sum, more) in self.sum.iter_mut().zip(self.more) {
            *sum += more;
        }
    }
}
