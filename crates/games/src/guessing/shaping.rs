//! Shaping: what an answer tells is paid when it is told.
//!
//! ```text
//! bonus = γ Φ(s') − Φ(s)        Φ(s) = −c · H(secret | answers so far), and 0 where the game is over
//! ```
//!
//! Where answers are true, H is the logarithm of the number of secrets that they still allow; where
//! an answer may be false, it speaks against a secret and does not rule it out. A question that halves
//! them earns `c` at once instead of by a game that ends a turn sooner, and a repeated one earns
//! nothing. Any Φ leaves the best policy what it was, and advantages too (Ng, Harada and Russell, ICML
//! 1999): Q and V of a state both sink by Φ(s).
//!
//! What a question will tell is chance as long as the secret is. The form of expectation pays what it
//! tells on average, the information that its answer has about the secret:
//!
//! ```text
//! bonus = c · I(answer; secret | answers so far)        = E[Φ(s') − Φ(s)] at γ = 1
//! ```
//!
//! It is the same in the mean over a game that is played to its end (all but for the discount and for
//! games cut short, whose missing bits stay unpaid), and Q has that much less chance to average out.

use archer_input::shown;
use archer_world::{Discount, End, Game};
use serde::{Deserialize, Serialize};

use crate::config::WorldConfig;
use crate::error::GameError;
use crate::posterior::{Channel, Posterior};
use crate::question_pool::QuestionPool;
use crate::twenty_questions::Answer;

/// What shaping pays for bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShapingForm {
    /// Those that an answer told: a difference of potentials.
    #[default]
    Potential,
    /// Those that the question tells on average over the secrets still possible.
    Expectation,
}

/// Pays games for what their answers told.
#[derive(Debug, Clone)]
pub struct Shaping {
    /// The questions whose answers are known for every secret.
    pool: QuestionPool,
    form: ShapingForm,
    /// Points of reward for each bit.
    coef: f64,
    /// Probability that a yes or no, to anything but a guess, is false.
    noise: f64,
}

impl Shaping {
    /// What a configuration has of it, if anything.
    ///
    /// # Errors
    /// If bits are to be paid in a world that has no secret to ask for, or the number of points is out
    /// of range.
    pub fn of(config: &WorldConfig) -> Result<Option<Self>, GameError> {
        let (coef, form) = (config.shaping_coef, config.shaping_form);
        let out_of_range = |want: String| {
            Err(GameError::BadSetting(format!(
                "world.shaping_coef = {} is out of range: it must be {want}",
                shown(coef)
            )))
        };
        if !(coef >= 0.0 && coef.is_finite()) {
            return out_of_range("0 or more".into());
        }
        if coef == 0.0 {
            return Ok(None);
        }
        let Some(game) = config.guessing()? else {
            let name = config.name;
            return out_of_range(format!("0 in the world {name}, which has no secret to ask for"));
        };
        let noise = f64::from(config.answer_noise as f32);
        Ok(Some(Self { pool: game.question_pool(), form, coef, noise }))
    }

    /// What each turn of a finished game earns.
    pub fn bonus(&self, game: &Game, discount: Discount) -> Vec<f64> {
        if let Channel::People(_) = self.pool.channel() {
            return self.bonus_of_people(game, discount);
        }
        let words = self.pool.words();
        let mut chances = vec![1.0 / words as f64; words];
        let mut before = self.potential(&chances);
        let last = game.turns.len().saturating_sub(1);
        let mut bonus = Vec::with_capacity(game.turns.len());
        for (number, turn) in game.turns.iter().enumerate() {
            let line = (turn.said.clone(), turn.reply.clone());
            let told = told(&self.pool, &line.0, &chances, self.noise);
            observe(&self.pool, &line, &mut chances, self.noise);
            let cut = game.end.is_none_or(|end| end == End::Cut);
            let over = number == last && !(cut && discount.bootstrap_truncated);
            let after = if over { 0.0 } else { self.potential(&chances) };
            bonus.push(match self.form {
                ShapingForm::Potential => discount.gamma * after - before,
                ShapingForm::Expectation => self.coef * told,
            });
            before = after;
        }
        bonus
    }

    /// The same where people answer, whose answers only weigh.
    fn bonus_of_people(&self, game: &Game, discount: Discount) -> Vec<f64> {
        let mut posterior = Posterior::new(self.pool.words(), self.pool.channel());
        let mut before = -self.coef * posterior.entropy();
        let last = game.turns.len().saturating_sub(1);
        let mut bonus = Vec::with_capacity(game.turns.len());
        for (number, turn) in game.turns.iter().enumerate() {
            let question = self.pool.find(&turn.said).map(|index| &self.pool.questions()[index]);
            let told = question.map_or(0.0, |question| posterior.information(question));
            posterior.hear_line(&self.pool, &turn.said, &turn.reply);
            let cut = game.end.is_none_or(|end| end == End::Cut);
            let over = number == last && !(cut && discount.bootstrap_truncated);
            let after = if over { 0.0 } else { -self.coef * posterior.entropy() };
            bonus.push(match self.form {
                ShapingForm::Potential => discount.gamma * after - before,
                ShapingForm::Expectation => self.coef * told,
            });
            before = after;
        }
        bonus
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
fn observe(pool: &QuestionPool, line: &(String, String), chances: &mut [f64], noise: f64) {
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
    use archer_world::Exchange;

    use super::*;
    use crate::people::{PeopleConfig, Rates};
    use crate::question_pool::PoolQuestion;

    fn game(lines: &[(&str, &str)], end: End) -> Game {
        let turn = |&(said, reply): &(&str, &str)| Exchange::new(said, reply, -1.0);
        Game { turns: lines.iter().map(turn).collect(), end: Some(end), ..Game::default() }
    }

    fn shaping(coef: f64, form: ShapingForm) -> Shaping {
        let pool = QuestionPool::over(&["cat", "dog", "apple", "banana"], false).unwrap();
        Shaping { pool, form, coef, noise: 0.0 }
    }

    fn discount(gamma: f64) -> Discount {
        Discount { gamma, bootstrap_truncated: false }
    }

    /// By hand: four words, so −2, −1, −1 and 0 bits at c = 1.
    #[test]
    fn a_halving_question_earns_a_bit_and_a_repeated_one_nothing() {
        let lines = [
            ("Is it an animal?", "Yes."),
            ("Is it an animal?", "Yes."),
            ("Is it a dog?", "No."),
            ("Is it a cat?", "Yes."),
        ];
        let potential = shaping(1.0, ShapingForm::Potential);
        let bonus = potential.bonus(&game(&lines, End::Won), discount(1.0));
        assert_eq!(bonus, [1.0, 0.0, 1.0, 0.0]);
        // The whole return moves by Φ of the first state alone, lost games' too.
        let lost = potential.bonus(&game(&lines[..2], End::Cut), discount(1.0));
        assert_eq!(lost.iter().sum::<f64>(), 2.0);
    }

    /// By hand: of four words, then three, two and one; a repeated question tells nothing.
    #[test]
    fn the_form_of_expectation_pays_the_entropy_of_the_answers() {
        let lines = [
            ("Is it an apple?", "No."),
            ("Is it an apple?", "No."),
            ("Is it an animal?", "Yes."),
            ("Is it nice?", "Invalid Question."),
            ("Is it a dog?", "No."),
            ("Is it a cat?", "Yes."),
        ];
        let form = shaping(1.0, ShapingForm::Expectation);
        let bonus = form.bonus(&game(&lines, End::Won), discount(1.0));
        let third = 1f64 / 3.0;
        let of_four = 0.25 * 2.0 + 0.75 * (4f64 / 3.0).log2();
        let of_three = third * 3f64.log2() + 2.0 * third * 1.5f64.log2();
        let want = [of_four, 0.0, of_three, 0.0, 1.0, 0.0];
        for (bonus, want) in bonus.iter().zip(want) {
            assert!((bonus - want).abs() < 1e-9, "{bonus} for {want}");
        }
    }

    /// By hand: a quarter of two answers is false. Half of the secrets say yes, so a yes is as likely
    /// as a no, and either has 1 − H(1/4) bits; after it the chances stand 3 to 1.
    #[test]
    fn an_answer_that_may_be_false_tells_less_and_rules_nothing_out() {
        let lines = [
            ("Is it an animal?", "Yes."),
            ("Is it a cat?", "No."),
            ("Is it a dog?", "No."),
            ("Is it an apple?", "Yes."),
        ];
        let noisy = Shaping { noise: 0.25, ..shaping(1.0, ShapingForm::Expectation) };
        let bonus = noisy.bonus(&game(&lines, End::Won), discount(1.0));
        let h = |p: f64| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
        // Chances 3, 3, 1 and 1 of 8; then 3, 1 and 1 of 5; then two alike.
        let want = [1.0 - h(0.25), h(0.375), h(0.6), 1.0];
        for (bonus, want) in bonus.iter().zip(want) {
            assert!((bonus - want).abs() < 1e-9, "{bonus} for {want}");
        }
    }

    /// By hand: of four words two are animals, and a quarter of the answers of people tells nothing. What
    /// was asked before, and "I don't know.", tell nothing either.
    #[test]
    fn answers_of_people_earn_what_they_tell() {
        let lines = [
            ("is it an animal?", "I don't know."),
            ("is it an animal?", "I don't know."),
            ("cat?", "No."),
        ];
        let pool = of_people(&[("is it an animal?", [true, true, false, false])], 0.25);
        let form = ShapingForm::Expectation;
        let people = Shaping { pool, form, coef: 1.0, noise: 0.0 };
        let bonus = people.bonus(&game(&lines, End::Cut), discount(1.0));
        let of_four = 0.25 * 2.0 + 0.75 * (4f64 / 3.0).log2();
        for (bonus, want) in bonus.iter().zip([0.75, 0.0, of_four]) {
            assert!((bonus - want).abs() < 1e-9, "{bonus} for {want}");
        }
        let potential = Shaping { form: ShapingForm::Potential, ..people };
        let bonus = potential.bonus(&game(&lines, End::Cut), discount(1.0));
        let want = [0.0, 0.0, 2.0];
        assert!(bonus.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-9), "{bonus:?}");
    }

    /// A pool of four words that people answer about, who do not know so often and else are right.
    fn of_people(properties: &[(&str, [bool; 4])], unknown: f64) -> QuestionPool {
        let question = |text: String, guess, holds: [bool; 4]| {
            let answers = holds.map(|holds| if holds { Answer::Yes } else { Answer::No });
            PoolQuestion::new(text, guess, answers.to_vec())
        };
        let words = ["cat", "dog", "apple", "banana"];
        let guess = |word: usize| {
            question(format!("{}?", words[word]), Some(word), std::array::from_fn(|it| it == word))
        };
        let properties =
            properties.iter().map(|(text, holds)| question((*text).into(), None, *holds));
        let config = PeopleConfig { unknown, sometimes: 0.0, wrong: 0.0 };
        QuestionPool::assemble(properties.collect(), (0..4).map(guess).collect())
            .heard_by(Channel::People(Rates::new(config, 0.0)))
    }

    /// The discounted sum of what a game earns is −Φ of its first state.
    #[test]
    fn discounted_returns_move_by_the_first_potential_too() {
        let lines = [
            ("Is it an animal?", "No."),
            ("What is the meaning of life?", "Invalid Question."),
            ("Is it a banana?", "Yes."),
        ];
        let half = shaping(0.5, ShapingForm::Potential);
        let bonus = half.bonus(&game(&lines, End::Won), discount(0.9));
        let moved = bonus.iter().rev().fold(0.0, |after, bonus| bonus + 0.9 * after);
        assert!((moved - 0.5 * 2.0).abs() < 1e-9, "{moved}");
    }
}
