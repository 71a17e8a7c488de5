//! What the answers of a game say about each word: Bayes' rule over the rates of whoever answers.

use crate::people::Rates;
use crate::question_pool::{PoolQuestion, QuestionPool};
use crate::twenty_questions::Answer;

/// How often an answer about a property is not what the table says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Noise {
    /// Probability that Yes is said for No and No for Yes, from 0 to below 0.5.
    pub flip: f64,
    /// Probability that "Sometimes." is said for either, from 0 to below 1.
    pub sometimes: f64,
}

/// How answers come of what holds. Guesses are answered truly in all cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Channel {
    /// The table's answers with noise, which is drawn anew for every answer.
    Table(Noise),
    /// The answers of people, who say the same to the same question.
    People(Rates),
}

impl Default for Channel {
    fn default() -> Self {
        Channel::Table(Noise::default())
    }
}

impl Channel {
    /// The probability of each answer to a question about word number `word`, in the order of
    /// [`Answer`].
    pub fn chances(self, question: &PoolQuestion, word: usize) -> [f64; Answer::COUNT] {
        let truth = question.answers[word];
        match self {
            Channel::People(rates) if question.guess.is_none() && truth != Answer::Invalid => {
                rates.chances(question.values[word], question.dispute)
            }
            Channel::Table(Noise { flip, sometimes })
                if question.guess.is_none() && truth != Answer::Sometimes =>
            {
                let mut chances = [flip, flip, sometimes, 0.0, 0.0];
                chances[truth as usize] = 1.0 - flip - sometimes;
                chances
            }
            _ => {
                let mut chances = [0.0; Answer::COUNT];
                chances[truth as usize] = 1.0;
                chances
            }
        }
    }
}

/// The probability of each word of a list.
#[derive(Debug, Clone)]
pub struct Posterior {
    channel: Channel,
    chances: Vec<f64>,
    /// Which words were guessed.
    guessed: Vec<bool>,
    asked: Vec<String>,
}

impl Posterior {
    /// So many words, each as likely.
    ///
    /// # Panics
    /// Where there are none.
    pub fn new(words: usize, channel: Channel) -> Self {
        assert!(words > 0, "a posterior over no words");
        let chances = vec![1.0 / words as f64; words];
        Posterior { channel, chances, guessed: vec![false; words], asked: Vec::new() }
    }

    /// The words of a pool after a history of (question, answer) pairs. What is no question of the pool,
    /// and what is no answer, says nothing.
    pub fn after(pool: &QuestionPool, channel: Channel, history: &[(String, String)]) -> Self {
        let mut posterior = Self::new(pool.words(), channel);
        for (question, answer) in history {
            posterior.hear_line(pool, question, answer);
        }
        posterior
    }

    /// Takes the next line of a history into account.
    pub fn hear_line(&mut self, pool: &QuestionPool, question: &str, answer: &str) {
        if let (Some(index), Some(answer)) = (pool.find(question), Answer::from_text(answer)) {
            self.hear(&pool.questions()[index], answer);
        }
    }

    /// Takes an answer into account. A guess was wrong, or there would be nothing left to find out.
    pub fn hear(&mut self, question: &PoolQuestion, answer: Answer) {
        if answer == Answer::Invalid || !self.is_news(question) {
            return;
        }
        self.asked.push(question.text.clone());
        let mut weights = self.chances.clone();
        // What is never said there says nothing where it is said all the same: that somebody does not
        // know whether it is the thing guessed, or anything where the table answers.
        let says = match (question.guess, self.channel) {
            (Some(_), _) => matches!(answer, Answer::Yes | Answer::No),
            (None, Channel::Table(_)) => answer != Answer::Unknown,
            (None, Channel::People(_)) => true,
        };
        for (word, weight) in weights.iter_mut().enumerate().filter(|_| says) {
            *weight *= self.channel.chances(question, word)[answer as usize];
        }
        if let Some(word) = question.guess {
            weights[word] = 0.0;
            self.guessed[word] = true;
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            // The answers allow no word at all; believe only that no guess was right.
            weights = self.guessed.iter().map(|&guessed| f64::from(!guessed)).collect();
        }
        let total: f64 = weights.iter().sum();
        let even = 1.0 / weights.len() as f64;
        let share = |weight: &f64| if total > 0.0 { weight / total } else { even };
        self.chances = weights.iter().map(share).collect();
    }

    /// The probability of each word; they add up to 1.
    pub fn chances(&self) -> &[f64] {
        &self.chances
    }

    /// The likeliest word, the first where several are as likely.
    pub fn likeliest(&self) -> usize {
        let chances = &self.chances;
        (0..chances.len())
            .fold(0, |best, word| if chances[word] > chances[best] { word } else { best })
    }

    /// What is not known of the secret, in bits.
    pub fn entropy(&self) -> f64 {
        entropy(&self.chances) / std::f64::consts::LN_2
    }

    /// The bits that the answer to a question tells of the secret, on average.
    pub fn information(&self, question: &PoolQuestion) -> f64 {
        if !self.is_news(question) {
            return 0.0;
        }
        let (mut heard, mut chance) = ([0.0; Answer::COUNT], 0.0);
        for (word, &share) in self.chances.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let answers = self.channel.chances(question, word);
            heard.iter_mut().zip(answers).for_each(|(sum, answer)| *sum += share * answer);
            chance += share * entropy(&answers);
        }
        (entropy(&heard) - chance) / std::f64::consts::LN_2
    }

    /// Whether an answer to a question can say anything: people say the same to it again.
    fn is_news(&self, question: &PoolQuestion) -> bool {
        matches!(self.channel, Channel::Table(_)) || !self.asked.contains(&question.text)
    }
}

/// The entropy of a distribution, in nats.
pub(crate) fn entropy(probabilities: &[f64]) -> f64 {
    probabilities.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::PeopleConfig;
    use Answer::{Invalid, No, Sometimes, Unknown, Yes};

    fn question(text: &str, answers: &[Answer]) -> PoolQuestion {
        PoolQuestion::new(text, None, answers.to_vec())
    }

    fn people(unknown: f64, sometimes: f64, wrong: f64) -> Channel {
        Channel::People(Rates::new(PeopleConfig { unknown, sometimes, wrong }, 0.0))
    }

    fn close(chances: &[f64], want: &[f64]) {
        assert!(
            chances.len() == want.len()
                && chances.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-9),
            "{chances:?} for {want:?}"
        );
    }

    #[test]
    fn chances_of_answers_by_hand() {
        let noise = Channel::Table(Noise { flip: 0.1, sometimes: 0.2 });
        let property = question("", &[Yes, No, Sometimes, Invalid]);
        close(&noise.chances(&property, 0), &[0.7, 0.1, 0.2, 0.0, 0.0]);
        close(&noise.chances(&property, 1), &[0.1, 0.7, 0.2, 0.0, 0.0]);
        close(&noise.chances(&property, 2), &[0.0, 0.0, 1.0, 0.0, 0.0]);
        let people = people(0.1, 0.05, 0.03);
        close(&people.chances(&property, 0), &[0.82, 0.03, 0.05, 0.1, 0.0]);
        close(&people.chances(&property, 3), &[0.0, 0.0, 0.0, 0.0, 1.0]);
        let guess = PoolQuestion { guess: Some(0), ..property };
        close(&noise.chances(&guess, 0), &[1.0, 0.0, 0.0, 0.0, 0.0]);
        close(&people.chances(&guess, 1), &[0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    /// By hand: four words, and a yes that is right in 0.8 of all cases and wrong in 0.1.
    #[test]
    fn an_answer_of_people_weighs_and_rules_nothing_out() {
        let mut posterior = Posterior::new(4, people(0.05, 0.05, 0.1));
        let alive = question("alive?", &[Yes, Yes, No, No]);
        posterior.hear(&alive, Yes);
        let (most, least) = (4.0 / 9.0, 0.5 / 9.0);
        close(posterior.chances(), &[most, most, least, least]);
        // The same question is answered the same, which says nothing more.
        assert_eq!(posterior.information(&alive), 0.0);
        posterior.hear(&alive, Yes);
        close(posterior.chances(), &[most, most, least, least]);
        // Who does not know, whatever it is, says nothing; nor does what could not be read.
        posterior.hear(&question("big?", &[Yes, No, Yes, No]), Unknown);
        posterior.hear(&question("red?", &[Yes, No, Yes, No]), Invalid);
        close(posterior.chances(), &[most, most, least, least]);
        // A guess that is followed by anything was wrong.
        posterior.hear(&PoolQuestion::new("first?", Some(0), vec![Yes, No, No, No]), No);
        close(posterior.chances(), &[0.0, 0.8, 0.1, 0.1]);
        assert_eq!(posterior.likeliest(), 1);
        // So it was if the answer to it was vague.
        posterior.hear(&PoolQuestion::new("second?", Some(1), vec![No, Yes, No, No]), Unknown);
        close(posterior.chances(), &[0.0, 0.0, 0.5, 0.5]);
    }

    /// By hand: of what half say yes of, "I don't know." is said nine times as often as of what is
    /// certain.
    #[test]
    fn a_vague_answer_speaks_for_what_is_disputed() {
        let mut posterior = Posterior::new(2, people(0.04, 0.04, 0.01));
        posterior.hear(&question("soft?", &[Yes, Sometimes]), Unknown);
        close(posterior.chances(), &[0.1, 0.9]);
    }

    #[test]
    fn where_no_word_is_left_only_guesses_count() {
        let mut posterior = Posterior::new(2, Channel::default());
        posterior.hear(&PoolQuestion::new("first?", Some(0), vec![Yes, No]), No);
        posterior.hear(&question("alive?", &[Yes, Yes]), No);
        close(posterior.chances(), &[0.0, 1.0]);
    }

    #[test]
    fn information_in_bits_by_hand() {
        let half = question("half?", &[Yes, Yes, No, No]);
        let plain = Posterior::new(4, Channel::default());
        assert!((plain.information(&half) - 1.0).abs() < 1e-9 && plain.entropy() == 2.0);
        // A quarter of all answers tells nothing, the others all.
        let vague = Posterior::new(4, people(0.125, 0.125, 0.0));
        assert!((vague.information(&half) - 0.75).abs() < 1e-9);
        // A binary symmetric channel with error 0.11 carries half a bit.
        let wrong = Posterior::new(4, people(0.0, 0.0, 0.11));
        assert!((wrong.information(&half) - 0.5).abs() < 1e-3);
    }
}
