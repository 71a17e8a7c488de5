//! What a game was worth from each of its points on: Monte Carlo returns, and estimates that lean on
//! a value function.

/// The discounted sum of rewards from each turn to the end, `G_t = r_t + gamma · G_{t+1}`.
///
/// Summed in double precision; as long as `rewards`.
pub fn discounted_returns(rewards: &[f32], gamma: f64) -> Vec<f32> {
    let mut value = 0.0f64;
    let mut returns: Vec<f32> = rewards
        .iter()
        .rev()
        .map(|&reward| {
            value = f64::from(reward) + gamma * value;
            value as f32
        })
        .collect();
    returns.reverse();
    returns
}

/// Generalised advantage estimates, `A_t = δ_t + discount_t · lambda · A_{t+1}` with
/// `δ_t = r_t + discount_t · V_{t+1} − V_t` (arXiv:1506.02438); nothing of value follows the end.
///
/// `discounts[t]` is that of the step from `t` to `t + 1`, so that steps of different kinds may have
/// different ones. All are equally long; the returns that the values are to learn are `A_t + V_t`.
pub fn generalised_advantages(
    rewards: &[f32],
    values: &[f32],
    discounts: &[f32],
    lambda: f64,
) -> Vec<f32> {
    let (mut next_value, mut next_advantage) = (0.0f64, 0.0f64);
    let mut advantages = vec![0.0; rewards.len()];
    for t in (0..rewards.len()).rev() {
        let (value, discount) = (f64::from(values[t]), f64::from(discounts[t]));
        let delta = f64::from(rewards[t]) + discount * next_value - value;
        next_advantage = delta + discount * lambda * next_advantage;
        next_value = value;
        advantages[t] = next_advantage as f32;
    }
    advantages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_by_hand() {
        assert_eq!(discounted_returns(&[-1.0, -1.0, 0.0], 0.5), [-1.5, -1.0, 0.0]);
        assert_eq!(discounted_returns(&[-1.0, 2.0], 1.0), [1.0, 2.0]);
        assert!(discounted_returns(&[], 0.9).is_empty());
    }

    /// Two tokens of one turn and one of the next: δ = 0 + 1·2 − 1, −1 + 0.5·4 − 2, 3 − 4.
    #[test]
    fn generalised_advantages_by_hand() {
        let estimate = |lambda| {
            generalised_advantages(&[0.0, -1.0, 3.0], &[1.0, 2.0, 4.0], &[1.0, 0.5, 0.5], lambda)
        };
        assert_eq!(estimate(0.0), [1.0, -1.0, -1.0]);
        // With lambda 1 they are the returns (0.5, 0.5, 3) less the values.
        assert_eq!(estimate(1.0), [-0.5, -1.5, -1.0]);
        assert_eq!(estimate(0.5), [0.375, -1.25, -1.0]);
    }
}
