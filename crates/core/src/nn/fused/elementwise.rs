//! Single passes over all of a network's parameters.

use archer_kernels::elementwise::{self, AdamStep};

use super::op::{Raw, in_order, values, values_mut, whole};

/// Moves a parameter and its two moments by one step of Adam.
pub fn adam(step: AdamStep, [theta, m, v]: [Raw; 3], grad: Raw) -> [Raw; 3] {
    let grad = in_order(grad);
    let [mut theta, mut m, mut v] = [theta, m, v].map(whole);
    let state = [&mut theta, &mut m, &mut v].map(values_mut);
    elementwise::adam(step, state, values(&grad));
    [theta, m, v]
}

/// `x · a + y · b`.
pub fn mix(a: Raw, b: Raw, [x, y]: [f32; 2]) -> Raw {
    let (mut a, b) = (whole(a), in_order(b));
    elementwise::mix(values_mut(&mut a), values(&b), [x, y]);
    a
}
