//! The losses of ArCHer as pure functions of tensors, each small enough to check by hand.
//!
//! Nothing here knows a network, an optimiser or a word. Time stands in the names: `_t` is now,
//! `_tp1` the turn after. What must carry no gradient is detached here, so a caller cannot forget.
//! Equations are those of the paper (arXiv:2402.19446) as the reference code has them: plain mean
//! squared errors without a half, two independent pairs (Q1, V1) and (Q2, V2), and the minimum
//! over the pairs in the advantage alone.

use burn::tensor::Tensor;

/// Mean squared error of `prediction` towards `target`, which carries no gradient.
///
/// # Shapes
/// - both: `[batch]`; output: `[1]`
pub fn squared_error(prediction: Tensor<1>, target: Tensor<1>) -> Tensor<1> {
    (prediction - target.detach()).square().mean()
}

/// The regression target of Q: `r_t + gamma · (1 − done) · V'(s_tp1)`.
///
/// `not_done` is 1 where the game goes on and 0 where nothing of value follows.
///
/// # Shapes
/// - all and output: `[batch]`
pub fn bellman_target(
    r_t: Tensor<1>,
    not_done: Tensor<1>,
    gamma: f64,
    target_v_tp1: Tensor<1>,
) -> Tensor<1> {
    r_t + not_done * target_v_tp1.mul_scalar(gamma)
}

/// A pair of values, one of each critic, `[batch]`; or a pair of losses, `[1]`.
pub type Pair = (Tensor<1>, Tensor<1>);

/// [`bellman_target`] of each critic.
pub fn bellman_targets(
    r_t: Tensor<1>,
    not_done: Tensor<1>,
    gamma: f64,
    target_v_tp1: Pair,
) -> Pair {
    (
        bellman_target(r_t.clone(), not_done.clone(), gamma, target_v_tp1.0),
        bellman_target(r_t, not_done, gamma, target_v_tp1.1),
    )
}

/// [`squared_error`] of each critic.
pub fn squared_errors(prediction: Pair, target: Pair) -> Pair {
    (squared_error(prediction.0, target.0), squared_error(prediction.1, target.1))
}

/// The four losses of the double critic, each `[1]`.
#[derive(Debug, Clone)]
pub struct CriticLosses {
    /// Of Q1 and Q2.
    pub q: Pair,
    /// Of V1 and V2.
    pub v: Pair,
}

impl CriticLosses {
    /// `L_critic = L_Q1 + L_Q2 + L_V1 + L_V2`.
    pub fn total(&self) -> Tensor<1> {
        let (q, v) = (self.q.clone(), self.v.clone());
        q.0 + q.1 + v.0 + v.1
    }
}

/// Expectile regression of a value towards `target`, which carries no gradient:
/// `L = mean( |expectile − 1{target < value}| · (target − value)² )`, IQL's equation 5
/// (arXiv:2110.06169).
///
/// `expectile` lies in (0, 1): 0.5 is half the squared error, above it the value leans towards the
/// best of its targets.
///
/// # Shapes
/// - both: `[batch]`; output: `[1]`
pub fn expectile_error(value: Tensor<1>, target: Tensor<1>, expectile: f64) -> Tensor<1> {
    let ahead = target.detach() - value;
    // 1 − expectile where the value is above its target, else expectile.
    let above = ahead.clone().detach().lower_elem(0.0).float();
    let weight = above.mul_scalar(1.0 - 2.0 * expectile).add_scalar(expectile);
    (weight * ahead.square()).mean()
}

/// [`expectile_error`] of each critic.
pub fn expectile_errors(value: Pair, target: Pair, expectile: f64) -> Pair {
    (expectile_error(value.0, target.0, expectile), expectile_error(value.1, target.1, expectile))
}

/// How much an action is imitated by its advantage: `min(exp(beta · A), max)`, without gradient;
/// advantage-weighted regression, arXiv:1910.00177. A `max` of 0 bounds nothing.
///
/// # Shapes
/// - `advantage` and output: `[batch]`
pub fn advantage_weight(advantage: Tensor<1>, beta: f64, max: f64) -> Tensor<1> {
    let weight = advantage.detach().mul_scalar(beta).exp();
    if max > 0.0 { weight.clamp_max(max) } else { weight }
}

/// PPO's clipped surrogate over tokens, summed: `−Σ min( ρ A, clip(ρ, 1 ± epsilon) A )` with
/// `ρ = π / π_old`, equation 7 of arXiv:1707.06347; and the number of tokens at which the clip
/// bound, without gradient. Each `[1]`.
///
/// # Shapes
/// - `log_prob`, `old`, `advantage`, `mask` (1 on tokens that count): `[batch, time]`; only the first
///   carries a gradient
pub fn clipped_surrogate(
    log_prob: Tensor<2>,
    old: Tensor<2>,
    advantage: Tensor<2>,
    mask: Tensor<2>,
    epsilon: f64,
) -> (Tensor<1>, Tensor<1>) {
    let ratio = ((log_prob - old.detach()) * mask.clone()).exp();
    let clipped = ratio.clone().clamp(1.0 - epsilon, 1.0 + epsilon);
    let advantage = advantage.detach();
    let bound = (ratio.clone() * advantage.clone() - clipped.clone() * advantage.clone())
        .detach()
        .greater_elem(0.0)
        .float();
    let least = (ratio * advantage.clone()).min_pair(clipped * advantage);
    let bound = (bound * mask.clone().detach()).sum();
    ((least * mask).sum().neg(), bound)
}

/// `A(s, a) = min(Q1, Q2) − min(V1, V2)`, without gradient, `[batch]`.
pub fn advantage(q: Pair, v: Pair) -> Tensor<1> {
    (q.0.min_pair(q.1) - v.0.min_pair(v.1)).detach()
}

/// Each value less the mean of the others in its group of `samples` neighbours: a baseline that
/// needs no critic and, not depending on the value itself, leaves the policy gradient unbiased
/// (leave-one-out, arXiv:2402.14740). Each group then sums to 0. `samples` of 1 changes nothing.
///
/// # Shapes
/// - input and output: `[groups · samples]`
pub fn leave_one_out(values: Tensor<1>, samples: usize) -> Tensor<1> {
    if samples < 2 {
        return values;
    }
    let rows = values.dims()[0];
    let groups = values.reshape([rows / samples, samples]);
    let mean = groups.clone().mean_dim(1); // [groups, 1]
    (groups - mean).mul_scalar(samples as f64 / (samples - 1) as f64).reshape([rows])
}

/// Utterance-level policy gradient: `−mean_b( log π(a|s) · A )`, `[1]`.
///
/// # Shapes
/// - `log_prob` (the sum over an utterance's tokens), `advantage`: `[batch]`
pub fn policy_gradient(log_prob: Tensor<1>, advantage: Tensor<1>) -> Tensor<1> {
    (log_prob * advantage.detach()).mean().neg()
}

/// Policy and value loss of the token-level form.
#[derive(Debug, Clone)]
pub struct TokenLevel {
    /// `−mean_b Σ_t (A − b_t) · log π_t · mask`, `[1]`.
    pub policy: Tensor<1>,
    /// `mean over all cells of ((A − b_t) · mask)²`, `[1]`; padding counts in the denominator, as
    /// in the reference.
    pub value: Tensor<1>,
    /// `(A − b_t) · mask` without gradient, `[batch, time]`.
    pub residual: Tensor<2>,
}

/// Token-level form: a learned baseline `b_t` for each token takes up what can be known of the
/// utterance's advantage before the token is written.
///
/// # Shapes
/// - `log_prob`, `baseline`, `mask` (1 on tokens of the utterance): `[batch, time]`
/// - `advantage`: `[batch]`
pub fn token_level(
    log_prob: Tensor<2>,
    baseline: Tensor<2>,
    mask: Tensor<2>,
    advantage: Tensor<1>,
) -> TokenLevel {
    let difference = (advantage.detach().unsqueeze_dim::<2>(1) - baseline) * mask; // [batch, time]
    let residual = difference.clone().detach();
    let policy = (residual.clone() * log_prob).sum_dim(1).mean().neg();
    TokenLevel { policy, value: difference.square().mean(), residual }
}

/// The policy's loss at either level.
#[derive(Debug, Clone)]
pub struct PolicyLoss {
    /// The policy gradient's, `[1]`.
    pub policy: Tensor<1>,
    /// The baseline's at the token level, `[1]`.
    pub baseline: Option<Tensor<1>>,
    /// The advantage that is left for an utterance's tokens, mean over them, without gradient,
    /// `[batch]`.
    pub residual: Tensor<1>,
}

impl PolicyLoss {
    /// The sum of both.
    pub fn total(&self) -> Tensor<1> {
        match &self.baseline {
            Some(baseline) => self.policy.clone() + baseline.clone(),
            None => self.policy.clone(),
        }
    }
}

/// L_π of some utterances: [`policy_gradient`], or [`token_level`] where there is a baseline.
///
/// # Shapes
/// - `log_prob`, `baseline`, `mask` (1 on tokens of the utterance): `[batch, time]`
/// - `advantage`: `[batch]`
pub fn policy_loss(
    log_prob: Tensor<2>,
    baseline: Option<Tensor<2>>,
    mask: Tensor<2>,
    advantage: Tensor<1>,
) -> PolicyLoss {
    let Some(baseline) = baseline else {
        let summed = log_prob.sum_dim(1).squeeze_dim::<1>(1); // [batch]
        let policy = policy_gradient(summed, advantage.clone());
        return PolicyLoss { policy, baseline: None, residual: advantage.detach() };
    };
    let loss = token_level(log_prob, baseline, mask.clone(), advantage);
    let residual = loss.residual.sum_dim(1) / mask.detach().sum_dim(1);
    PolicyLoss {
        policy: loss.policy,
        baseline: Some(loss.value),
        residual: residual.squeeze_dim(1),
    }
}

/// Divergence `KL(p ‖ q) = Σ_k p_k (log p_k − log q_k)` of distributions given by their
/// log-probabilities, `[rows]`; p carries no gradient.
///
/// # Shapes
/// - `log_p`, `log_q`: `[rows, choices]`
pub fn divergence(log_p: Tensor<2>, log_q: Tensor<2>) -> Tensor<1> {
    let log_p = log_p.detach();
    (log_p.clone().exp() * (log_p - log_q)).sum_dim(1).squeeze_dim(1)
}

/// Behaviour cloning: `−mean_b Σ_t log π(a_t|s)`, `[1]`, of `utterances` utterances whose tokens
/// stand in one row.
///
/// # Shapes
/// - `log_prob`: `[tokens]`
pub fn behaviour_cloning(log_prob: Tensor<1>, utterances: usize) -> Tensor<1> {
    log_prob.sum().div_scalar(utterances as f64).neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::optim::polyak;
    use burn::tensor::{Device, TensorData};

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn row(values: &[f32]) -> Tensor<1> {
        Tensor::from_floats(values, &device())
    }

    fn close(tensor: Tensor<1>, want: &[f64]) {
        let got: Vec<f32> = tensor.into_data().iter::<f32>().collect();
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{got} is not {want}");
        }
    }

    #[test]
    fn leave_one_out_takes_off_the_mean_of_the_others() {
        let of = |samples| leave_one_out(row(&[1.0, 2.0, 6.0, 5.0, 5.0, 5.0]), samples);
        // 1 − (2 + 6) / 2, 2 − (1 + 6) / 2, 6 − (1 + 2) / 2; equal values are neither good nor bad.
        close(of(3), &[-3.0, -1.5, 4.5, 0.0, 0.0, 0.0]);
        close(of(2), &[-1.0, 1.0, 1.0, -1.0, 0.0, 0.0]);
        close(of(1), &[1.0, 2.0, 6.0, 5.0, 5.0, 5.0]);
    }

    /// One step by hand, with gamma = 0.9 and V' = 0.35, 0.40.
    #[test]
    fn the_dry_run_of_twenty_questions() {
        let (r, on) = (row(&[-1.0]), row(&[1.0]));
        let y1 = bellman_target(r.clone(), on.clone(), 0.9, row(&[0.35]));
        let y2 = bellman_target(r, on, 0.9, row(&[0.40]));
        close(y1.clone(), &[-0.685]);
        close(y2.clone(), &[-0.640]);
        let (q, v) = ((row(&[0.25]), row(&[0.30])), (row(&[0.15]), row(&[0.20])));
        let target_q = (row(&[0.45]), row(&[0.50]));
        let losses = CriticLosses {
            q: squared_errors(q.clone(), (y1, y2)),
            v: squared_errors(v.clone(), target_q),
        };
        close(losses.q.0.clone(), &[0.874_225]);
        close(losses.q.1.clone(), &[0.883_6]);
        close(losses.v.0.clone(), &[0.09]);
        close(losses.v.1.clone(), &[0.09]);
        close(losses.total(), &[1.937_825]);
        let a = advantage(q, v);
        close(a.clone(), &[0.10]);
        close(policy_gradient(row(&[-2.3]), a), &[0.23]);
    }

    #[test]
    fn the_polyak_step_of_the_dry_run() {
        let with = |value: f32| {
            let mut layer =
                burn::nn::LinearConfig::new(1, 1).with_bias(false).init(&Device::flex());
            layer.weight = burn::module::Param::from_data(
                TensorData::new(vec![value], [1, 1]),
                &Device::flex(),
            );
            layer
        };
        let target = polyak(with(0.45), &with(0.25), 0.1);
        close(target.weight.val().reshape([1]), &[0.43]);
    }

    #[test]
    fn nothing_of_value_follows_the_end() {
        let y = bellman_target(row(&[0.0, -1.0]), row(&[0.0, 1.0]), 0.95, row(&[-7.0, -7.0]));
        close(y, &[0.0, -7.65]);
    }

    #[test]
    fn the_advantage_takes_the_minimum_of_each_pair() {
        let a =
            advantage((row(&[1.0, 5.0]), row(&[2.0, 3.0])), (row(&[0.5, 1.0]), row(&[0.0, 4.0])));
        close(a, &[1.0, 2.0]);
    }

    /// d/dv mean (v − t)² = 2 (v − t) / n, and none for the target.
    #[test]
    fn squared_error_pulls_the_prediction_alone() {
        let (p, t) = (row(&[1.0, 4.0]).require_grad(), row(&[0.0, 6.0]).require_grad());
        let grads = squared_error(p.clone(), t.clone()).backward();
        close(p.grad(&grads).unwrap(), &[1.0, -2.0]);
        assert!(t.grad(&grads).is_none());
    }

    /// d/dlogp of −mean(logp · A) = −A / n.
    #[test]
    fn policy_gradient_pushes_by_the_advantage() {
        let log_prob = row(&[-1.0, -2.0]).require_grad();
        let grads = policy_gradient(log_prob.clone(), row(&[3.0, -1.0])).backward();
        close(log_prob.grad(&grads).unwrap(), &[-1.5, 0.5]);
    }

    /// Two utterances of two and one tokens: A = 2, −1; b = (0.5, 1), (1, ·); log π = (−1, −2), (−3, ·).
    #[test]
    fn token_level_by_hand() {
        let grid = |values: [f32; 4]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [2, 2]), &device())
        };
        let baseline = grid([0.5, 1.0, 1.0, 9.0]).require_grad();
        let log_prob = grid([-1.0, -2.0, -3.0, -9.0]).require_grad();
        let loss = token_level(
            log_prob.clone(),
            baseline.clone(),
            grid([1.0, 1.0, 1.0, 0.0]),
            row(&[2.0, -1.0]),
        );
        // residuals 1.5, 1, −2, 0; policy −((−1.5 − 2) + 6) / 2; value (2.25 + 1 + 4 + 0) / 4
        close(loss.residual.clone().reshape([4]), &[1.5, 1.0, -2.0, 0.0]);
        close(loss.policy.clone(), &[-1.25]);
        close(loss.value.clone(), &[1.8125]);
        let grads = (loss.policy + loss.value).backward();
        close(log_prob.grad(&grads).unwrap().reshape([4]), &[-0.75, -0.5, 1.0, 0.0]);
        close(baseline.grad(&grads).unwrap().reshape([4]), &[-0.75, -0.5, 1.0, 0.0]);
    }

    /// Targets 1 above and 2 below the value: 0.9 · 1 and 0.1 · 4, halved.
    #[test]
    fn an_expectile_leans_towards_the_better_targets() {
        let v = row(&[0.0, 0.0]).require_grad();
        let loss = expectile_error(v.clone(), row(&[1.0, -2.0]), 0.9);
        close(loss.clone(), &[0.65]);
        let grads = loss.backward();
        // −2 w (target − v) / n
        close(v.grad(&grads).unwrap(), &[-0.9, 0.2]);
        close(expectile_error(row(&[1.0]), row(&[4.0]), 0.5), &[4.5]);
        let pair = |a, b| (row(&[a]), row(&[b]));
        let losses = CriticLosses {
            q: squared_errors(pair(1.0, 2.0), pair(0.0, 0.0)),
            v: expectile_errors(pair(0.0, 0.0), pair(1.0, -1.0), 0.9),
        };
        close(losses.total(), &[1.0 + 4.0 + 0.9 + 0.1]);
    }

    #[test]
    fn an_advantage_weighs_exponentially_up_to_a_bound() {
        let ln = |x: f32| x.ln();
        let advantage = || row(&[0.0, ln(2.0), ln(30.0)]);
        close(advantage_weight(advantage(), 1.0, 20.0), &[1.0, 2.0, 20.0]);
        close(advantage_weight(advantage(), 2.0, 0.0).div_scalar(100.0), &[0.01, 0.04, 9.0]);
    }

    /// Ratios 1.5, 0.5, 1.5 and 1.1 at advantages 1, 1, −1 and 2, clipped to 1 ± 0.2; a cell of padding.
    #[test]
    fn the_clip_stops_what_has_gone_far_enough() {
        let grid = |values: [f32; 5]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [1, 5]), &device())
        };
        let ratios = [1.5f32, 0.5, 1.5, 1.1, 7.0].map(f32::ln);
        let log_prob = grid(ratios.map(|ratio| ratio - 1.0)).require_grad();
        let (loss, bound) = clipped_surrogate(
            log_prob.clone(),
            grid([-1.0; 5]),
            grid([1.0, 1.0, -1.0, 2.0, 3.0]),
            grid([1.0, 1.0, 1.0, 1.0, 0.0]),
            0.2,
        );
        // −(1.2 + 0.5 − 1.5 + 2.2); only the first is held back.
        close(loss.clone(), &[-2.4]);
        close(bound, &[1.0]);
        let grads = loss.backward();
        close(log_prob.grad(&grads).unwrap().reshape([5]), &[0.0, -0.5, 1.5, -2.2, 0.0]);
    }

    /// p = (1/2, 1/2) and q = (1/4, 3/4): ln 2 − ½ ln 3 + ½ ln (4/4); equal rows are 0 apart.
    #[test]
    fn a_divergence_by_hand() {
        let grid = |values: [f32; 4]| {
            let logs = values.map(f32::ln).to_vec();
            Tensor::<2>::from_data(TensorData::new(logs, [2, 2]), &device())
        };
        let (p, q) = (grid([0.5, 0.5, 0.2, 0.8]), grid([0.25, 0.75, 0.2, 0.8]).require_grad());
        let kl = divergence(p, q.clone());
        close(kl.clone(), &[0.5 * (4.0f64 / 3.0).ln(), 0.0]);
        // d/d log q = −p
        let grads = kl.sum().backward();
        close(q.grad(&grads).unwrap().reshape([4]), &[-0.5, -0.5, -0.2, -0.8]);
    }

    #[test]
    fn behaviour_cloning_is_the_mean_negative_log_probability() {
        // Two utterances, of two tokens and of one.
        close(behaviour_cloning(row(&[-1.0, -3.0, -2.0]), 2), &[3.0]);
    }
}
