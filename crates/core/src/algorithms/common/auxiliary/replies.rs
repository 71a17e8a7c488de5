//! What the world replies, as something to predict.
//!
//! A model that foresees the reply to an utterance knows which tasks are still possible and what
//! was asked before, which is what a value function has to know, and it learns this from every
//! reply instead of from returns alone. Imitation and the causal critic may take this loss beside
//! their own; the pass over the game is the one they make anyway.

use burn::tensor::Tensor;

use crate::nn::causal_lm::CausalLm;

/// Where the world's replies stand in a flattened grid of tokens, and their tokens.
///
/// A reply follows directly on the utterance's last token, which is also where the actor predicts
/// the terminator: the reply is therefore predicted given that the utterance has ended. It is
/// predicted among the tokens that these replies are made of. Among the whole vocabulary, the first
/// steps would move every embedding (which the scores share) away from the replies', all along one
/// direction. The differences between utterances would be small against it for a thousand steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyRows {
    predictors: Vec<usize>,
    targets: Vec<u32>,
}

impl ReplyRows {
    /// Adds the reply that stands from `begin` to `end` in `text`, whose first token has row `row`.
    pub fn push(&mut self, text: &[u32], row: usize, begin: usize, end: usize) {
        self.predictors.extend((begin..end).map(|column| row + column - 1));
        self.targets.extend_from_slice(&text[begin..end]);
    }

    /// The rows whose hidden states predict the replies' tokens.
    pub fn predictors(&self) -> &[usize] {
        &self.predictors
    }

    /// Sum of the replies' negative log-probabilities, `[1]`, from the hidden states of the
    /// [`predictors`](Self::predictors), `[n, width]`; 0 where there is none.
    pub fn loss(&self, lm: &CausalLm, hidden: Tensor<2>) -> Tensor<1> {
        if self.targets.is_empty() {
            return Tensor::zeros([1], &hidden.device());
        }
        let mut choice = self.targets.clone();
        choice.sort_unstable();
        choice.dedup();
        let place = |token| choice.binary_search(token).expect("it is one of them") as u32;
        let places: Vec<u32> = self.targets.iter().map(place).collect();
        lm.log_prob_among(hidden, &choice, &places).sum().neg()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::causal_lm::{CausalLmConfig, Layout};
    use crate::nn::fused::rows_at;
    use crate::rng::stream;
    use burn::tensor::{Device, Int};

    /// The sum must be that of a softmax over the tokens of the replies, token by token.
    #[test]
    fn a_reply_is_predicted_among_the_tokens_of_replies() {
        let device = Device::flex();
        let shape = CausalLmConfig {
            layers: 1,
            width: 8,
            heads: 2,
            positions: 8,
            vocab_size: 6,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        };
        let lm = shape.init(&mut stream(3, "replies", 0), &device);
        let text = [1u32, 2, 3, 4, 5];
        let ids: Vec<i32> = text.iter().map(|&token| token as i32).collect();
        let tokens = Tensor::<1, Int>::from_ints(ids.as_slice(), &device).reshape([1, 5]);
        let hidden = lm.forward(tokens, Tensor::arange(0..5, &device).reshape([1, 5]));
        let mut rows = ReplyRows::default();
        let none = hidden.clone().reshape([5, 8]);
        assert_eq!(rows.loss(&lm, none).into_scalar::<f32>(), 0.0);
        rows.push(&text, 0, 3, 5);
        let logits = lm.logits(hidden.clone().reshape([5, 8])).into_data();
        let logits = logits.as_slice::<f32>().unwrap();
        let mut want = 0.0;
        for (predictor, target) in [(2, 4), (3, 5)] {
            let row = &logits[predictor * 6..][..6];
            let total: f32 = row[4..].iter().map(|score| score.exp()).sum();
            want -= (row[target].exp() / total).ln();
        }
        let hidden = rows_at(hidden, rows.predictors());
        let got = rows.loss(&lm, hidden).into_scalar::<f32>();
        assert!((got - want).abs() < 1e-5, "{got} is not {want}");
    }
}
