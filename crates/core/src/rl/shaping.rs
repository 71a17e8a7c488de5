//! Shaping: what an answer tells is paid when it is told.
//!
//! ```text
//! r' = r + γ Φ(s') − Φ(s)        Φ(s) = −c · H(secret | answers so far), and 0 where the game is over
//! ```
//!
//! Where answers are true, H is the logarithm of the number of secrets that they still allow; where
//! an answer may be false, it speaks against a secret and does not rule it out. A question that halves
//! them then earns `c` at once instead of by a game that ends a turn sooner, and a repeated one earns
//! nothing.
//! Any Φ leaves the best policy what it was, and advantages too (Ng, Harada and Russell, ICML 1999):
//! Q and V of a state both sink by Φ(s). A fine on repeated utterances may come on top; it is no
//! potential, but a best player repeats nothing.
//!
//! What a question will tell is chance as long as the secret is. The form of expectation pays what it
//! tells on average, the information that its answer has about the secret:
//!
//! ```text
//! r' = r + c · I(answer; secret | answers so far)      = r + E[Φ(s') − Φ(s)] at γ = 1
//! ```
//!
//! It is the same in the mean over a game that is played to its end (all but for the discount and
//! for games cut short, whose missing bits stay unpaid), and Q has that much less chance to average
//! out. Only what is learned from is shaped; returns that are told are the plain game's.

use std::collections::HashSet;

use archer_games::question_pool::QuestionPool;
use archer_games::{Answer, make_guessing};

use super::transition::Trajectory;
use crate::config::{Config, ShapingForm};
use crate::error::Error;

/// Pays games for what their answers told.
#[derive(Debug, Clone)]
pub struct Shaping {
    /// The questions whose answers are known for every secret; none in a world without secrets.
    pub pool: Option<QuestionPool>,
    /// What is paid for bits.
    pub form: ShapingForm,
    /// Points of reward for each bit.
    pub coef: f64,
    /// Points taken off for an utterance that repeats an earlier one, but for case.
    pub repeat_penalty: f64,
    /// Discount for one turn.
    pub gamma: f64,
    /// Whether values go on past a limit of turns, so that the game is not over there.
    pub bootstrap_truncated: bool,
}

impl Shaping {
    /// What a configuration has of it, if anything.
    ///
    /// # Errors
    /// If bits are to be paid in a world that has no secret to ask for.
    pub fn of(config: &Config) -> Result<Option<Self>, Error> {
        let &Config { shaping_coef: coef, shaping_form: form, repeat_penalty, gamma, .. } = config;
        let bootstrap_truncated = config.bootstrap_truncated;
        if coef == 0.0 && repeat_penalty == 0.0 {
            return Ok(None);
        }
        let world = make_guessing(&config.world)?;
        if coef > 0.0 && world.is_none() {
            return Err(Error::Config(format!(
                "shaping_coef = {coef} is out of range: it must be 0 in the world {}, which has no secret to ask for",
                config.world.name
            )));
        }
        let pool = world.filter(|_| coef > 0.0).map(|world| world.question_pool());
        Ok(Some(Self { pool, form, coef, repeat_penalty, gamma, bootstrap_truncated }))
    }

    /// Changes a finished game's rewards and the returns that follow from them; `noise` is the
    /// probability that a yes or no in it, to anything but a guess, was false.
    pub fn shape(&self, game: &mut Trajectory, noise: f64) {
        let words = self.pool.as_ref().map_or(1, QuestionPool::words);
        let mut chances = vec![1.0 / words as f64; words];
        let mut asked = HashSet::new();
        let mut before = self.potential(&chances);
        for (turn, line) in game.transitions.iter_mut().zip(&game.lines) {
            let told = self.pool.as_ref().map_or(0.0, |pool| told(pool, &line.0, &chances, noise));
            if let Some(pool) = &self.pool {
                hear(pool, line, &mut chances, noise);
            }
            let over = turn.terminated || (turn.truncated && !self.bootstrap_truncated);
            let after = if over { 0.0 } else { self.potential(&chances) };
            let repeated = !asked.insert(line.0.trim().to_lowercase());
            let fine = if repeated { self.repeat_penalty } else { 0.0 };
            let paid = match self.form {
                ShapingForm::Potential => self.gamma * after - before,
                ShapingForm::Expectation => self.coef * told,
            };
            turn.reward += (paid - fine) as f32;
            before = after;
        }
        game.close(self.gamma);
    }

    fn potential(&self, chances: &[f64]) -> f64 {
        -self.coef * entropy(chances)
    }
}

/// `Σ −p log2 p`, in bits.
fn entropy(chances: &[f64]) -> f64 {
    chances.iter().filter(|chance| **chance > 0.0).map(|chance| -chance * chance.log2()).sum()
}

/// Weighs each secret by how likely it makes a line's answer. All are 0 where none is left, as after
/// a false answer that was taken for true.
fn hear(pool: &QuestionPool, line: &(String, String), chances: &mut [f64], noise: f64) {
    let is_guess = pool.find(&line.0).is_some_and(|index| pool.questions()[index].guess.is_some());
    let noise = if is_guess { 0.0 } else { noise };
    for (chance, allows) in chances.iter_mut().zip(pool.consistent(std::slice::from_ref(line))) {
        *chance *= if allows { 1.0 - noise } else { noise };
    }
    let all: f64 = chances.iter().sum();
    chances.iter_mut().filter(|_| all > 0.0).for_each(|chance| *chance /= all);
}

/// Bits that the answer to a question has about the secret, on average; 0 for what is no question of
/// the pool. What an answer may be false by is no news.
fn told(pool: &QuestionPool, question: &str, chances: &[f64], noise: f64) -> f64 {
    let Some(index) = pool.find(question) else { return 0.0 };
    let question = &pool.questions()[index];
    let noise = if question.guess.is_some() { 0.0 } else { noise };
    let of = |wanted: Answer| -> f64 {
        let said = question.answers.iter().zip(chances);
        said.filter(|(answer, _)| **answer == wanted).map(|(_, chance)| chance).sum()
    };
    let (yes, no) = (of(Answer::Yes), of(Answer::No));
    let mix = |a: f64, b: f64| a * (1.0 - noise) + b * noise;
    let heard = [mix(yes, no), mix(no, yes), of(Answer::Sometimes), of(Answer::Invalid)];
    entropy(&heard) - (yes + no) * entropy(&[noise, 1.0 - noise])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::transition::Transition;

    fn game(lines: &[(&str, &str, f32)], won: bool) -> Trajectory {
        let last = lines.len() - 1;
        let turn = |(i, &(_, _, reward)): (usize, &(&str, &str, f32))| Transition {
            observation: [1].into(),
            action: [2].into(),
            reward,
            next_observation: [3].into(),
            terminated: i == last && won,
            truncated: i == last && !won,
            mc_return: 0.0,
            log_prob: 0.0,
            task: None,
        };
        let text = |&(question, answer, _): &(&str, &str, f32)| (question.into(), answer.into());
        Trajectory {
            transitions: lines.iter().enumerate().map(turn).collect(),
            lines: lines.iter().map(text).collect(),
            won,
            ..Trajectory::default()
        }
    }

    fn shaping(coef: f64, gamma: f64) -> Shaping {
        let pool = QuestionPool::over(&["cat", "dog", "apple", "banana"], false).unwrap();
        let form = ShapingForm::Potential;
        Shaping {
            pool: Some(pool),
            form,
            coef,
            repeat_penalty: 0.0,
            gamma,
            bootstrap_truncated: false,
        }
    }

    /// By hand: four words, so −2, −1, −1 and 0 bits at c = 1.
    #[test]
    fn a_halving_question_earns_a_bit_and_a_repeated_one_nothing() {
        let lines = [
            ("Is it an animal?", "Yes.", -1.0),
            ("Is it an animal?", "Yes.", -1.0),
            ("Is it a dog?", "No.", -1.0),
            ("Is it a cat?", "Yes.", 0.0),
        ];
        let mut played = game(&lines, true);
        shaping(1.0, 1.0).shape(&mut played, 0.0);
        let rewards: Vec<f32> = played.transitions.iter().map(|turn| turn.reward).collect();
        assert_eq!(rewards, [0.0, -1.0, 0.0, 0.0]);
        // The whole return has moved by Φ of the first state alone, lost games' too.
        assert_eq!(played.transitions[0].mc_return, -3.0 + 2.0);
        let mut lost = game(&lines[..2], false);
        shaping(1.0, 1.0).shape(&mut lost, 0.0);
        assert_eq!(lost.transitions[0].mc_return, -2.0 + 2.0);
        // A fine alone falls on the repetition alone.
        let mut fined = game(&lines, true);
        Shaping { repeat_penalty: 0.5, ..shaping(0.0, 1.0) }.shape(&mut fined, 0.0);
        let rewards: Vec<f32> = fined.transitions.iter().map(|turn| turn.reward).collect();
        assert_eq!(rewards, [-1.0, -1.5, -1.0, 0.0]);
    }

    /// By hand: of four words, then three, two and one; a repeated question tells nothing.
    #[test]
    fn the_form_of_expectation_pays_the_entropy_of_the_answers() {
        let lines = [
            ("Is it an apple?", "No.", -1.0),
            ("Is it an apple?", "No.", -1.0),
            ("Is it an animal?", "Yes.", -1.0),
            ("Is it nice?", "Invalid Question.", -1.0),
            ("Is it a dog?", "No.", -1.0),
            ("Is it a cat?", "Yes.", 0.0),
        ];
        let mut played = game(&lines, true);
        Shaping { form: ShapingForm::Expectation, ..shaping(1.0, 1.0) }.shape(&mut played, 0.0);
        let third = 1f32 / 3.0;
        let of_four = 0.25 * 2.0 + 0.75 * (4f32 / 3.0).log2();
        let of_three = third * 3f32.log2() + 2.0 * third * 1.5f32.log2();
        let want = [of_four - 1.0, -1.0, of_three - 1.0, -1.0, 0.0, 0.0];
        for (turn, want) in played.transitions.iter().zip(want) {
            assert!((turn.reward - want).abs() < 1e-6, "{} for {want}", turn.reward);
        }
    }

    /// By hand: a quarter of two answers is false. Half of the secrets say yes, so a yes is as likely
    /// as a no, and either has 1 − H(1/4) bits; after it the chances stand 3 to 1.
    #[test]
    fn an_answer_that_may_be_false_tells_less_and_rules_nothing_out() {
        let lines = [
            ("Is it an animal?", "Yes.", -1.0),
            ("Is it a cat?", "No.", -1.0),
            ("Is it a dog?", "No.", -1.0),
            ("Is it an apple?", "Yes.", 0.0),
        ];
        let mut played = game(&lines, true);
        let form = ShapingForm::Expectation;
        Shaping { form, ..shaping(1.0, 1.0) }.shape(&mut played, 0.25);
        let h = |p: f32| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
        // Chances 3, 3, 1 and 1 of 8; then 3, 1 and 1 of 5; then two alike.
        let want = [1.0 - h(0.25) - 1.0, h(0.375) - 1.0, h(0.6) - 1.0, 1.0];
        for (turn, want) in played.transitions.iter().zip(want) {
            assert!((turn.reward - want).abs() < 1e-6, "{} for {want}", turn.reward);
        }
    }

    #[test]
    fn discounted_returns_move_by_the_first_potential_too() {
        let lines = [
            ("Is it an animal?", "No.", -1.0),
            ("What is the meaning of life?", "Invalid Question.", -1.0),
            ("Is it a banana?", "Yes.", 0.0),
        ];
        let mut plain = game(&lines, true);
        plain.close(0.9);
        let mut shaped = plain.clone();
        shaping(0.5, 0.9).shape(&mut shaped, 0.0);
        let moved = shaped.transitions[0].mc_return - plain.transitions[0].mc_return;
        assert!((moved - 0.5 * 2.0).abs() < 1e-5, "{moved}");
    }
}
