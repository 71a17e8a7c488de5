//! A strong player for lists of any length: it asks what it expects to learn most from.
//!
//! It keeps a probability for each word. Where the answers may be wrong it is told how they come
//! about, and no answer rules a word out for good.

use super::Asker;
use crate::posterior::{Channel, Noise, Posterior, entropy};
use crate::question_pool::{PoolQuestion, QuestionPool};
use crate::twenty_questions::Answer;

/// Asks the question with the greatest expected information, and guesses as soon as one word is
/// as likely as all others together, or the last turn has come.
pub struct InformationGainAsker {
    pool: QuestionPool,
    channel: Channel,
    /// For people's answers: the chances of each answer to each property about each word, and their
    /// entropy in nats.
    known: Vec<Vec<([f64; Answer::COUNT], f64)>>,
    max_turns: usize,
}

impl InformationGainAsker {
    /// A player that reckons with answers as they come in the pool's world: it trusts every answer of
    /// the table, and doubts those of people.
    pub fn new(pool: QuestionPool) -> Self {
        let channel = pool.channel();
        let known = match channel {
            Channel::Table(_) => Vec::new(),
            Channel::People(_) => {
                let of = |question: &PoolQuestion, word| {
                    let chances = channel.chances(question, word);
                    (chances, entropy(&chances))
                };
                let words = 0..pool.words();
                let row = |question| words.clone().map(|word| of(question, word)).collect();
                pool.properties().iter().map(row).collect()
            }
        };
        InformationGainAsker { pool, channel, known, max_turns: usize::MAX }
    }

    /// A player that takes each answer about a property to be false or vague so often.
    ///
    /// # Panics
    /// Where a probability is out of its range: an oracle that lies as often as not says nothing.
    pub fn noisy(pool: QuestionPool, noise: Noise) -> Self {
        let Noise { flip, sometimes } = noise;
        let valid = (0.0..0.5).contains(&flip) && sometimes >= 0.0 && flip + sometimes < 1.0;
        assert!(valid, "{noise:?} leaves nothing to learn");
        Self::new(pool.heard_by(Channel::Table(noise)))
    }

    /// The same player in games of so many turns: where people answer, it guesses in the last.
    pub fn within(self, max_turns: usize) -> Self {
        InformationGainAsker { max_turns, ..self }
    }

    /// The property that tells most of what is not told yet and its information, in nats.
    fn best_heard(&self, posterior: &Posterior, history: &[(String, String)]) -> (usize, f64) {
        let mut best = (0, 0.0);
        let asked: Vec<_> = history.iter().map(|(question, _)| self.pool.find(question)).collect();
        for (index, row) in self.known.iter().enumerate() {
            if asked.contains(&Some(index)) {
                continue;
            }
            let (mut heard, mut chance) = ([0.0; Answer::COUNT], 0.0);
            for (share, (answers, own)) in posterior.chances().iter().zip(row) {
                heard.iter_mut().zip(answers).for_each(|(sum, answer)| *sum += share * answer);
                chance += share * own;
            }
            let gain = entropy(&heard) - chance;
            if gain > best.1 + NEARLY {
                best = (index, gain);
            }
        }
        best
    }
}

/// Sums of shares may fall a little short.
const NEARLY: f64 = 1e-9;

impl Asker for InformationGainAsker {
    fn start(&mut self, _seed: u64) {}

    fn ask(&mut self, history: &[(String, String)]) -> String {
        let posterior = Posterior::after(&self.pool, self.channel, history);
        let index = match self.channel {
            Channel::Table(noise) => best_question(&self.pool, posterior.chances(), noise),
            Channel::People(_) => {
                let word = posterior.likeliest();
                let (guess, chance) = (self.pool.guess_of(word), posterior.chances()[word]);
                let told = entropy(&[chance, 1.0 - chance]);
                let last = history.len() + 1 >= self.max_turns;
                let (property, gain) = self.best_heard(&posterior, history);
                match last || chance >= 0.5 - NEARLY || told + NEARLY >= gain {
                    true => guess,
                    false => property,
                }
            }
        };
        self.pool.questions()[index].text.clone()
    }
}

/// The index of the question to ask: a guess of a word that is as likely as all others together,
/// else the most informative question, a guess before a property where they are equal.
pub(super) fn best_question(pool: &QuestionPool, posterior: &[f64], noise: Noise) -> usize {
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
    let mut share = [0.0; Answer::COUNT];
    for (&answer, &probability) in question.answers.iter().zip(posterior) {
        share[answer as usize] += probability;
    }
    let [yes, no, sometimes, _, invalid] = share;
    let right = 1.0 - noise.flip - noise.sometimes;
    let heard_yes = yes * right + no * noise.flip;
    let heard_no = no * right + yes * noise.flip;
    let heard_sometimes = sometimes + (yes + no) * noise.sometimes;
    let chance = (yes + no) * entropy(&[right, noise.flip, noise.sometimes]);
    entropy(&[heard_yes, heard_no, heard_sometimes, invalid]) - chance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(answers: &[Answer]) -> PoolQuestion {
        PoolQuestion::new("", None, answers.to_vec())
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
}
