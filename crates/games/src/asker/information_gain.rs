//! A strong player for lists of any length: it asks what it expects to learn most from.
//!
//! It keeps a probability for each word. Where the world's answers may be wrong it is told how
//! often, and no answer rules a word out for good; it then may well ask the same thing again.

use super::Asker;
use crate::question_pool::{PoolQuestion, QuestionPool};
use crate::twenty_questions::Answer;

/// Asks the question with the greatest expected information, and guesses as soon as one word is
/// as likely as all others together.
pub struct InformationGainAsker {
    pool: QuestionPool,
    noise: Noise,
}

/// How often an answer about a property is not what the table says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Noise {
    /// Probability that Yes is said for No and No for Yes, from 0 to below 0.5.
    pub flip: f64,
    /// Probability that "Sometimes." is said for either, from 0 to below 1.
    pub sometimes: f64,
}

impl InformationGainAsker {
    /// A player that trusts every answer.
    pub fn new(pool: QuestionPool) -> Self {
        Self::noisy(pool, Noise::default())
    }

    /// A player that takes each answer about a property to be false or vague so often.
    ///
    /// # Panics
    /// Where a probability is out of its range: an oracle that lies as often as not says nothing.
    pub fn noisy(pool: QuestionPool, noise: Noise) -> Self {
        let Noise { flip, sometimes } = noise;
        let valid = (0.0..0.5).contains(&flip) && sometimes >= 0.0 && flip + sometimes < 1.0;
        assert!(valid, "{noise:?} leaves nothing to learn");
        InformationGainAsker { pool, noise }
    }

    /// The probability of each word after a history.
    fn posterior(&self, history: &[(String, String)]) -> Vec<f64> {
        let mut weights = vec![1.0; self.pool.words()];
        let mut guessed = vec![false; self.pool.words()];
        for (question, answer) in history {
            let (Some(index), Some(answer)) = (self.pool.find(question), Answer::from_text(answer))
            else {
                continue;
            };
            if answer == Answer::Invalid {
                continue;
            }
            let question = &self.pool.questions()[index];
            for (weight, &truth) in weights.iter_mut().zip(&question.answers) {
                *weight *= likelihood(answer, truth, question, self.noise);
            }
            if let Some(word) = question.guess {
                // It was wrong, or there would be no turn after it.
                weights[word] = 0.0;
                guessed[word] = true;
            }
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            // The answers allow no word at all; believe only that no guess was right.
            weights = guessed.iter().map(|&g| if g { 0.0 } else { 1.0 }).collect();
        }
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return vec![1.0 / weights.len() as f64; weights.len()];
        }
        weights.iter().map(|weight| weight / total).collect()
    }
}

impl Asker for InformationGainAsker {
    fn start(&mut self, _seed: u64) {}

    fn ask(&mut self, history: &[(String, String)]) -> String {
        let posterior = self.posterior(history);
        let index = best_question(&self.pool, &posterior, self.noise);
        self.pool.questions()[index].text.clone()
    }
}

/// The probability of an answer where the truth is another or the same. Guesses are answered
/// truly, and so is what holds sometimes.
fn likelihood(answer: Answer, truth: Answer, question: &PoolQuestion, noise: Noise) -> f64 {
    let certain = question.guess.is_some() || truth == Answer::Sometimes;
    let Noise { flip, sometimes } = if certain { Noise::default() } else { noise };
    if answer == truth {
        1.0 - flip - sometimes
    } else if answer == Answer::Sometimes {
        sometimes
    } else {
        flip
    }
}

/// The index of the question to ask: a guess of a word that is as likely as all others together,
/// else the most informative question, a guess before a property where they are equal.
pub(super) fn best_question(pool: &QuestionPool, posterior: &[f64], noise: Noise) -> usize {
    // Sums of shares may fall a little short.
    const NEARLY: f64 = 1e-9;
    let likeliest = (0..posterior.len())
        .fold(0, |best, word| if posterior[word] > posterior[best] { word } else { best });
    let guess = pool.guess_of(likeliest);
    if posterior[likeliest] >= 0.5 - NEARLY {
        return guess;
    }
    let mut best = (guess, entropy(&[posterior[likeliest], 1.0 - posterior[likeliest]]));
    for (index, question) in pool.properties().iter().enumerate() {
        let gain = information(question, posterior, noise);
        if gain > best.1 + NEARLY {
            best = (index, gain);
        }
    }
    best.0
}

/// The expected information of a question about a property, in nats: the entropy of its answer
/// less what of it is noise.
fn information(question: &PoolQuestion, posterior: &[f64], noise: Noise) -> f64 {
    // In the order of `Answer`.
    let mut share = [0.0; 4];
    for (&answer, &probability) in question.answers.iter().zip(posterior) {
        share[answer as usize] += probability;
    }
    let [yes, no, sometimes, invalid] = share;
    let right = 1.0 - noise.flip - noise.sometimes;
    let heard_yes = yes * right + no * noise.flip;
    let heard_no = no * right + yes * noise.flip;
    let heard_sometimes = sometimes + (yes + no) * noise.sometimes;
    let chance = (yes + no) * entropy(&[right, noise.flip, noise.sometimes]);
    entropy(&[heard_yes, heard_no, heard_sometimes, invalid]) - chance
}

/// The entropy of a distribution, in nats.
fn entropy(probabilities: &[f64]) -> f64 {
    probabilities.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(answers: &[Answer]) -> PoolQuestion {
        PoolQuestion { text: String::new(), guess: None, answers: answers.to_vec() }
    }

    #[test]
    fn information_by_hand() {
        use Answer::{No, Sometimes, Yes};
        let bit = 2.0_f64.ln();
        let even = [0.25; 4];
        let flip = |flip| Noise { flip, sometimes: 0.0 };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(information(&question(&[Yes, Yes, No, No]), &even, flip(0.0)), bit);
        close(information(&question(&[Yes, Yes, Yes, Yes]), &even, flip(0.0)), 0.0);
        close(
            information(&question(&[Yes, No, Sometimes, Sometimes]), &even, flip(0.0)),
            1.5 * bit,
        );
        // A binary symmetric channel with error 0.11 carries half a bit.
        let noisy = information(&question(&[Yes, Yes, No, No]), &even, flip(0.11));
        assert!((noisy / bit - 0.5).abs() < 1e-3, "{noisy}");
        // A coin says nothing.
        close(information(&question(&[Yes, Yes, No, No]), &even, flip(0.5)), 0.0);
        // Where half of the answers are vague, the other half still tell.
        let vague = Noise { flip: 0.0, sometimes: 0.5 };
        close(information(&question(&[Yes, Yes, No, No]), &even, vague), 0.5 * bit);
    }

    #[test]
    fn likelihoods_by_hand() {
        use Answer::{No, Sometimes, Yes};
        let noise = Noise { flip: 0.1, sometimes: 0.2 };
        let property = question(&[]);
        for (answer, truth, p) in [
            (Yes, Yes, 0.7),
            (No, Yes, 0.1),
            (Yes, No, 0.1),
            (Sometimes, Yes, 0.2),
            (Sometimes, Sometimes, 1.0),
            (Yes, Sometimes, 0.0),
        ] {
            assert!((likelihood(answer, truth, &property, noise) - p).abs() < 1e-12);
        }
        let guess = PoolQuestion { guess: Some(0), ..property };
        assert_eq!(likelihood(No, Yes, &guess, noise), 0.0);
    }
}
