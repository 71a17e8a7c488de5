//! What was read of a text, kept for the next text that begins alike.
//!
//! A game is read again at every turn, and most of it was read before. A decoder of one row leaves here
//! what it has computed ([`Decoder::keep_prefix`]), and the next one computes only what follows the part
//! that both texts share ([`Decoder::after_prefix`]): a text that has grown is read on, and one whose end was
//! taken back is read from there. What is computed is the same, but for the order of some sums.

use std::ops::Range;

use super::causal_lm::CausalLm;
use super::generate::{Decoder, Row};

/// Bytes that are kept at most.
const MOST_KEPT: usize = 128 << 20;

/// The tokens that were read last, with their keys and values; nothing at first. It belongs to one model.
#[derive(Default)]
pub struct PrefixCache {
    tokens: Vec<u32>,
    row: Option<Row>,
}

impl PrefixCache {
    /// Tokens at the beginning of `text` that need not be read. The last one is read in any case, for its
    /// scores are asked for.
    fn shared(&self, text: &[u32]) -> usize {
        let alike = self.tokens.iter().zip(text).take_while(|(kept, token)| kept == token).count();
        alike.min(text.len().saturating_sub(1))
    }
}

impl<'a> Decoder<'a> {
    /// A decoder that has read one text, which must have a token. What `prefix` holds of it is not computed
    /// again; `prefix` is empty afterwards.
    ///
    /// # Panics
    /// If the text is empty.
    pub fn after_prefix(model: &'a CausalLm, prefix: &mut PrefixCache, text: &[u32]) -> Self {
        let prefix = std::mem::take(prefix);
        let shared = prefix.shared(text);
        let mut decoder = match prefix.row {
            Some(mut row) if shared > 0 => {
                row.columns = first(&row.columns, shared);
                row.cache.truncate(row.columns.last().expect("a column for each token").end);
                Decoder::of_row(model, Row { read: shared, ..row })
            }
            _ => Decoder::new(model, 1),
        };
        decoder.read(&[text[shared..].to_vec()]);
        decoder
    }

    /// Leaves what its only row has read of `text` in `prefix`, if that is not too large to be held while nobody
    /// speaks.
    pub fn keep_prefix(self, prefix: &mut PrefixCache, text: &[u32]) {
        let each = self.model().cached_bytes();
        let row = self.into_row();
        if row.cache.len() * each > MOST_KEPT {
            return;
        }
        *prefix = PrefixCache { tokens: text[..row.read].to_vec(), row: Some(row) };
    }
}

/// The columns of the first `n` tokens.
fn first(columns: &[Range<usize>], n: usize) -> Vec<Range<usize>> {
    let mut left = n;
    let mut taken = Vec::with_capacity(columns.len());
    for range in columns {
        let some = left.min(range.len());
        if some == 0 {
            break;
        }
        taken.push(range.start..range.start + some);
        left -= some;
    }
    taken
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use pollster::block_on;

    use super::*;
    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::nn::sampling::Sampler;
    use crate::rng;

    #[test]
    fn the_first_tokens_stand_in_the_first_columns() {
        let columns = [0..2, 4..5, 6..9];
        assert_eq!(first(&columns, 3), [0..2, 4..5]);
        assert_eq!(first(&columns, 4), [0..2, 4..5, 6..7]);
        assert_eq!(first(&columns, 6), columns);
    }

    #[test]
    fn the_last_token_is_always_read() {
        let kept =
            |tokens: &[u32]| PrefixCache { tokens: tokens.to_vec(), ..PrefixCache::default() };
        assert_eq!(kept(&[1, 2, 3]).shared(&[1, 2, 3, 4]), 3);
        assert_eq!(kept(&[1, 2, 3]).shared(&[1, 2, 3]), 2);
        assert_eq!(kept(&[1, 2, 3]).shared(&[1, 9, 3, 4]), 1);
        assert_eq!(kept(&[]).shared(&[1, 9]), 0);
    }

    /// With a kernel for the heads and without.
    #[test]
    fn a_text_that_is_read_on_is_answered_as_one_that_is_read_afresh() {
        for heads in [3, 2] {
            let (width, layers, positions, vocab_size) = (48, 2, 64, 50);
            let (layout, norm_epsilon) = (Layout::Gpt2, 1e-5);
            let shape = CausalLmConfig {
                layers,
                width,
                heads,
                positions,
                vocab_size,
                norm_epsilon,
                layout,
            };
            let model = shape.init(&mut rng::stream(1, "actor", 0), &Device::flex());
            let mut prefix = PrefixCache::default();
            let answered = |prefix: &mut PrefixCache, text: &[u32]| {
                let mut decoder = Decoder::after_prefix(&model, prefix, text);
                let rngs = &mut [rng::stream(2, "draws", 0)];
                let said = block_on(decoder.generate(&Sampler::greedy(), rngs, 4, |_| false));
                let said = said.unwrap().remove(0);
                decoder.keep_prefix(prefix, &[text, said.body()].concat());
                said
            };
            let mut text: Vec<u32> = (0..9).collect();
            for turn in 0..4 {
                let said = answered(&mut prefix, &text);
                let fresh = answered(&mut PrefixCache::default(), &text);
                assert_eq!(said.tokens, fresh.tokens, "heads {heads}, turn {turn}");
                assert!((said.log_prob - fresh.log_prob).abs() < 1e-4);
                match turn {
                    1 => text.truncate(7),
                    _ => text.extend([said.body(), &[turn]].concat()),
                }
            }
        }
    }
}
