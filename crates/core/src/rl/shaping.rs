//! Shaping: what an answer tells is paid when it is told.
//!
//! ```text
//! r' = r + γ Φ(s') − Φ(s)        Φ(s) = −c · log2 N(s), and 0 where the game is over
//! ```
//!
//! N counts the secrets that the answers so far still allow. A question that halves them then earns
//! `c` at once instead of by a game that ends a turn sooner, and a repeated one earns nothing.
//! Any Φ leaves the best policy what it was, and advantages too (Ng, Harada and Russell, ICML 1999):
//! Q and V of a state both sink by Φ(s). A fine on repeated utterances may come on top; it is no
//! potential, but a best player repeats nothing.
//!
//! What a question will tell is chance as long as the secret is. The form of expectation pays what it
//! tells on average, the entropy of the answers that the remaining secrets would give:
//!
//! ```text
//! r' = r + c · H(answer | answers so far)      = r + E[Φ(s') − Φ(s)] where the secrets are equally likely
//! ```
//!
//! It is the same in the mean over a game that is played to its end (all but for the discount and for
//! games cut short, whose missing bits stay unpaid), and Q has that much less chance to average out.
//! Only what is learned from is shaped; returns that
//! are told are the plain game's.

use std::collections::HashSet;

use archer_env::question_pool::QuestionPool;
use archer_env::{Answer, make_guessing};

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

    /// Changes a finished game's rewards and the returns that follow from them.
    pub fn shape(&self, game: &mut Trajectory) {
        let mut possible = vec![true; self.pool.as_ref().map_or(1, QuestionPool::words)];
        let mut asked = HashSet::new();
        let mut before = self.potential(&possible);
        for (turn, line) in game.transitions.iter_mut().zip(&game.lines) {
            let told = self.pool.as_ref().map_or(0.0, |pool| entropy(pool, &line.0, &possible));
            if let Some(pool) = &self.pool {
                let allows = pool.consistent(std::slice::from_ref(line));
                possible.iter_mut().zip(allows).for_each(|(possible, allows)| *possible &= allows);
            }
            let over = turn.terminated || (turn.truncated && !self.bootstrap_truncated);
            let after = if over { 0.0 } else { self.potential(&possible) };
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

    fn potential(&self, possible: &[bool]) -> f64 {
        // None is left where an answer was noise.
        let left = possible.iter().filter(|possible| **possible).count().max(1);
        -self.coef * (left as f64).log2()
    }
}

/// Bits that a question tells on average about secrets that are equally likely among the possible;
/// 0 for what is no question of the pool.
fn entropy(pool: &QuestionPool, question: &str, possible: &[bool]) -> f64 {
    let Some(index) = pool.find(question) else { return 0.0 };
    let answers = &pool.questions()[index].answers;
    let mut counts: Vec<(Answer, f64)> = Vec::new();
    for (&answer, _) in answers.iter().zip(possible).filter(|(_, possible)| **possible) {
        match counts.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, count)) => *count += 1.0,
            None => counts.push((answer, 1.0)),
        }
    }
    let all: f64 = counts.iter().map(|(_, count)| count).sum();
    counts.iter().map(|(_, count)| count / all * (all / count).log2()).sum()
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
        shaping(1.0, 1.0).shape(&mut played);
        let rewards: Vec<f32> = played.transitions.iter().map(|turn| turn.reward).collect();
        assert_eq!(rewards, [0.0, -1.0, 0.0, 0.0]);
        // The whole return has moved by Φ of the first state alone, lost games' too.
        assert_eq!(played.transitions[0].mc_return, -3.0 + 2.0);
        let mut lost = game(&lines[..2], false);
        shaping(1.0, 1.0).shape(&mut lost);
        assert_eq!(lost.transitions[0].mc_return, -2.0 + 2.0);
        // A fine alone falls on the repetition alone.
        let mut fined = game(&lines, true);
        Shaping { repeat_penalty: 0.5, ..shaping(0.0, 1.0) }.shape(&mut fined);
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
        Shaping { form: ShapingForm::Expectation, ..shaping(1.0, 1.0) }.shape(&mut played);
        let third = 1f32 / 3.0;
        let of_four = 0.25 * 2.0 + 0.75 * (4f32 / 3.0).log2();
        let of_three = third * 3f32.log2() + 2.0 * third * 1.5f32.log2();
        let want = [of_four - 1.0, -1.0, of_three - 1.0, -1.0, 0.0, 0.0];
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
        shaping(0.5, 0.9).shape(&mut shaped);
        let moved = shaped.transitions[0].mc_return - plain.transitions[0].mc_return;
        assert!((moved - 0.5 * 2.0).abs() < 1e-5, "{moved}");
    }
}
