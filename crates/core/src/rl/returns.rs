//! Monte Carlo returns.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_by_hand() {
        assert_eq!(discounted_returns(&[-1.0, -1.0, 0.0], 0.5), [-1.5, -1.0, 0.0]);
        assert_eq!(discounted_returns(&[-1.0, 2.0], 1.0), [1.0, 2.0]);
        assert!(discounted_returns(&[], 0.9).is_empty());
    }
}
