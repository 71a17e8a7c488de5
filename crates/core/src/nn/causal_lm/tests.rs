//! What the actor says and what it never says.

use super::*;
use crate::nn::sampling::Sampler;
use crate::rng::stream;

#[test]
fn rows_that_are_no_tokens_have_no_probability_and_are_never_drawn() {
    let (device, shape) = (
        Device::flex(),
        CausalLmConfig {
            layers: 1,
            width: 8,
            heads: 2,
            positions: 8,
            vocab_size: 6,
            norm_epsilon: 1e-5,
            layout: Layout::Gpt2,
        },
    );
    let whole = shape.init(&mut stream(4, "test", 0), &device);
    let some = whole.clone().with_tokens(|row| [1, 2, 4].contains(&row));
    let hidden = Tensor::<2>::from_floats([[0.3, -2.0, 1.0, 0.5, 3.0, -1.0, 0.2, 0.7]], &device)
        .mul_scalar(9.0);
    let scores: Vec<f32> = whole.logits(hidden.clone()).into_data().iter().collect();
    let masked: Vec<f32> = some.logits(hidden.clone()).into_data().iter().collect();
    for (row, (score, masked)) in scores.iter().zip(&masked).enumerate() {
        match [1, 2, 4].contains(&row) {
            true => assert_eq!(masked, score),
            false => assert!(*masked < 0.9 * SHUT, "{masked}"),
        }
    }
    // By hand: the softmax over the three.
    let sum = [1, 2, 4].iter().map(|&row| f64::from(scores[row]).exp()).sum::<f64>();
    for token in [1u32, 2, 4] {
        let by_hand = f64::from(scores[token as usize]) - sum.ln();
        let told: f32 = some.log_prob(hidden.clone(), &[token]).into_data().iter().next().unwrap();
        assert!((f64::from(told) - by_hand).abs() < 1e-5, "{token}: {told}, {by_hand}");
    }
    for sampler in [
        Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 },
        Sampler { temperature: 50.0, top_k: 0, top_p: 1.0 },
        Sampler { temperature: 50.0, top_k: 5, top_p: 1.0 },
        Sampler { temperature: 50.0, top_k: 0, top_p: 0.999 },
        Sampler::greedy(),
    ] {
        let mut rng = stream(2, "test", 0);
        for draw in 0..500 {
            let first = sampler.choose(&masked, &mut rng);
            let other = sampler.choose_other(&masked, &mut rng, first.token, draw % 7);
            for choice in [first, other] {
                assert!([1, 2, 4].contains(&choice.token), "{sampler:?} drew {choice:?}");
                let told = some.log_prob(hidden.clone(), &[choice.token]);
                let told: f32 = told.into_data().iter().next().unwrap();
                assert!((told - choice.log_prob).abs() < 1e-4, "{told} {choice:?}");
            }
        }
    }
    // All rows: nothing is changed, bit for bit.
    let all: Vec<f32> =
        whole.clone().with_tokens(|_| true).logits(hidden).into_data().iter().collect();
    assert_eq!(all, scores);
}
