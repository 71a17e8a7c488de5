//! A strong player for lists of any length: it asks what it expects to learn most from.
//!
//! It keeps a probability for each word. Where the answers may be wrong it is told how they come
//! about, and no answer rules a word out for good.

use super::Asker;
use crate::knowledge::Map;
use crate::posterior::{Channel, Noise, Posterior, entropy};
use crate::question_pool::{PoolQuestion, QuestionPool};
use crate::twenty_questions::Answer;

/// Asks the question with the greatest expected information, and guesses as soon as one word is
/// as likely as all others together, or the last turn has come.
pub struct InformationGainAsker {
    pool: QuestionPool,
    channel: Channel,
    /// Of each property, where people answer; empty elsewhere.
    known: Vec<Heard>,
    max_turns: usize,
    /// What it asks after short histories of people's answers, as far as they came up: many games begin
    /// alike.
    openings: Map<Vec<(String, String)>, usize>,
}

impl InformationGainAsker {
    /// A player that reckons with answers as they come in the pool's world: it trusts every answer of
    /// the table, and doubts those of people.
    pub fn new(pool: QuestionPool) -> Self {
        let channel = pool.channel();
        let known = match channel {
            Channel::Table(_) => Vec::new(),
            Channel::People(_) => {
                pool.properties().iter().map(|question| Heard::of(question, channel)).collect()
            }
        };
        InformationGainAsker {
            pool,
            channel,
            known,
            max_turns: usize::MAX,
            openings: Map::default(),
        }
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
        InformationGainAsker { max_turns, openings: Map::default(), ..self }
    }

    /// The question to ask where people answer.
    fn best_of_people(&self, history: &[(String, String)]) -> usize {
        let posterior = Posterior::after(&self.pool, self.channel, history);
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

    /// The property that tells most of what is not told yet and its information, in nats.
    fn best_heard(&self, posterior: &Posterior, history: &[(String, String)]) -> (usize, f64) {
        let mut best = (0, 0.0);
        let asked: Vec<_> = history.iter().map(|(question, _)| self.pool.find(question)).collect();
        for (index, heard) in self.known.iter().enumerate() {
            if asked.contains(&Some(index)) {
                continue;
            }
            let gain = heard.information(posterior.chances());
            if gain > best.1 + NEARLY {
                best = (index, gain);
            }
        }
        best
    }
}

/// Turns of a history for which the question is kept, and how many such are.
const OPENING: usize = 4;
const MOST_OPENINGS: usize = 20_000;

/// What people answer to one question about each word.
struct Heard {
    /// For each answer, in the order of [`Answer`], its chance where each word is the secret; empty for an
    /// answer that no word has.
    chances: [Vec<f64>; Answer::COUNT],
    /// The entropy of the answer where each word is the secret, in nats.
    entropy: Vec<f64>,
}

impl Heard {
    fn of(question: &PoolQuestion, channel: Channel) -> Self {
        let words = 0..question.answers.len();
        let rows: Vec<_> = words.map(|word| channel.chances(question, word)).collect();
        let chances = std::array::from_fn(|answer| {
            let column: Vec<f64> = rows.iter().map(|row| row[answer]).collect();
            if column.iter().any(|&chance| chance > 0.0) { column } else { Vec::new() }
        });
        Heard { chances, entropy: rows.iter().map(|row| entropy(row)).collect() }
    }

    /// The expected information of the answer, in nats: its entropy less what of it is chance.
    fn information(&self, posterior: &[f64]) -> f64 {
        let heard: [f64; Answer::COUNT] =
            std::array::from_fn(|answer| dot(posterior, &self.chances[answer]));
        entropy(&heard) - dot(posterior, &self.entropy)
    }
}

/// The sum of products, in eight sums side by side, which the compiler makes vectors of. 0 for an empty
/// list.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const SIDE_BY_SIDE: usize = 8;
    let (a_parts, b_parts) = (a.chunks_exact(SIDE_BY_SIDE), b.chunks_exact(SIDE_BY_SIDE));
    let rest = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(a, b)| a * b).sum::<f64>();
    let mut sums = [0.0; SIDE_BY_SIDE];
    for (a, b) in a_parts.zip(b_parts) {
        for lane in 0..SIDE_BY_SIDE {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Sums of shares may fall a little short.
const NEARLY: f64 = 1e-9;

impl Asker for InformationGainAsker {
    fn start(&mut self, _seed: u64) {}

    fn ask(&mut self, history: &[(String, String)]) -> String {
        let index = match (self.channel, self.openings.get(history)) {
            (_, Some(&known)) => known,
            (Channel::Table(noise), None) => {
                let posterior = Posterior::after(&self.pool, self.channel, history);
                best_question(&self.pool, posterior.chances(), noise)
            }
            (Channel::People(_), None) => {
                let index = self.best_of_people(history);
                if history.len() <= OPENING && self.openings.len() < MOST_OPENINGS {
                    self.openings.insert(history.to_vec(), index);
                }
                index
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
