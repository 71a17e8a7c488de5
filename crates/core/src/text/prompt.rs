//! How tokens are laid out for the two networks.
//!
//! The actor reads the observation and writes the action after it; the critic reads observation
//! and action apart, each between its own start and end tokens. What does not fit loses its oldest
//! tokens first, for both in the same way at rollout and at training, so that positions agree.

/// The newest tokens of `tokens` that fit into `limit`.
pub fn newest(tokens: &[u32], limit: usize) -> &[u32] {
    &tokens[tokens.len().saturating_sub(limit)..]
}

/// Tokens of observation that an actor with so many `positions` may read beside an action.
pub fn observation_limit(positions: usize, max_new_tokens: usize) -> usize {
    positions.saturating_sub(max_new_tokens).max(1)
}

/// A critic's sequence: `start`, the newest tokens that fit, `end`; at most `positions` long.
pub fn critic_sequence(tokens: &[u32], start: u32, end: u32, positions: usize) -> Vec<u32> {
    let kept = newest(tokens, positions.saturating_sub(2));
    let mut sequence = Vec::with_capacity(kept.len() + 2);
    sequence.push(start);
    sequence.extend_from_slice(kept);
    sequence.push(end);
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_tokens_go_first() {
        assert_eq!(newest(&[1, 2, 3, 4], 3), [2, 3, 4]);
        assert_eq!(newest(&[1, 2], 3), [1, 2]);
        assert_eq!(critic_sequence(&[5, 6, 7], 0, 2, 4), [0, 6, 7, 2]);
        assert_eq!(critic_sequence(&[], 0, 2, 4), [0, 2]);
    }
}
