//! Single passes over all of a network's parameters.

use super::AdamStep;
use super::op::{Raw, in_order, values, values_mut, whole};
use super::simd::{Kernel, dispatch, madd};

/// Moves a parameter and its two moments by one step of Adam.
pub fn adam(step: AdamStep, [theta, m, v]: [Raw; 3], grad: Raw) -> [Raw; 3] {
    let grad = in_order(grad);
    let [mut theta, mut m, mut v] = [theta, m, v].map(whole);
    dispatch(Adam {
        step,
        theta: values_mut(&mut theta),
        m: values_mut(&mut m),
        v: values_mut(&mut v),
        grad: values(&grad),
    });
    [theta, m, v]
}

/// `x · a + y · b`.
pub fn mix(a: Raw, b: Raw, [x, y]: [f32; 2]) -> Raw {
    let (mut a, b) = (whole(a), in_order(b));
    dispatch(Mix { a: values_mut(&mut a), b: values(&b), x, y });
    a
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
