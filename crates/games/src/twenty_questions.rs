//! Twenty Questions: the agent asks yes-or-no questions until it names the secret word.
//!
//! The observation is a header and one line per turn, the question and its answer. Each question
//! costs one point, the winning one nothing, so a win at question k returns −(k−1) and a lost game
//! returns −20. Who answers is an [`Oracle`]; how its text is read, and what wins, is a matter of
//! [`Rules`].

pub(crate) mod change;
pub mod person;
mod rules;
mod target;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use change::{Amendments, Answers, Told};
pub use rules::{Answer, Rules};
use target::Target;

use crate::environment::{Environment, Step, first_line};
use crate::error::{GameError, UnknownWord};
use crate::knowledge::{self, ObjectId};
use crate::optimum::{MAX_SOLVER_WORDS, Solver, perfect_split_optimum};
use crate::oracle::{AmendedOracle, NoisyOracle, Oracle, TableOracle};
use crate::question_pool::QuestionPool;
use crate::words;

/// The first line of every observation.
pub const HEADER: &str = "Questions:\n";

/// How a game is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Whose rules.
    pub rules: Rules,
    /// Questions after which a game is over; at least 1.
    pub max_turns: usize,
    /// Whether the oracle may answer "Sometimes."; the official rules cannot.
    pub sometimes: bool,
    /// Probability, from 0 to 1, that the table's Yes becomes a No or its No a Yes. Guesses are
    /// answered truly, for a false answer to one would deny a win or promise one.
    pub answer_noise: f32,
    /// Probability, from 0 to 1, that the table's Yes or No to a property becomes "Sometimes.",
    /// as with people who do not commit themselves; only where `sometimes` is on.
    pub sometimes_noise: f32,
}

impl Options {
    /// Whether the oracle always says what the table says.
    fn is_certain(&self) -> bool {
        self.answer_noise == 0.0 && self.sometimes_noise == 0.0
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            rules: Rules::Fixed,
            max_turns: 20,
            sometimes: false,
            answer_noise: 0.0,
            sometimes_noise: 0.0,
        }
    }
}

/// The world. Its tasks are its secret words, in the order of its list.
pub struct TwentyQuestions {
    options: Options,
    targets: Vec<Target>,
    /// How likely each of them is, where they are not equally likely.
    weights: Option<Vec<f64>>,
    amendments: Amendments,
    oracle: Box<dyn Oracle>,
    game: Option<Game>,
}

/// One game in play.
struct Game {
    target: usize,
    turns: usize,
    history: String,
    over: bool,
}

impl TwentyQuestions {
    /// A world over the objects of these names (or aliases), which the knowledge table must have.
    ///
    /// # Errors
    /// An unknown name, a name twice, no name at all, or an option out of its range.
    pub fn new<S: AsRef<str>>(names: &[S], options: Options) -> Result<Self, GameError> {
        check_options(&options)?;
        if names.is_empty() {
            return Err(GameError::NoWords);
        }
        let mut targets: Vec<Target> = Vec::with_capacity(names.len());
        for name in names {
            let target = Target::resolve(name.as_ref())?;
            if targets.iter().any(|other| other.object == target.object) {
                return Err(GameError::DoubleWord(name.as_ref().to_string()));
            }
            targets.push(target);
        }
        Ok(TwentyQuestions {
            oracle: table_oracle(&options, &Amendments::default()),
            options,
            targets,
            weights: None,
            amendments: Amendments::default(),
            game: None,
        })
    }

    /// The same world where some words are likelier than others: by name, beside 1 for those that
    /// are not named; 0 for never.
    ///
    /// # Errors
    /// A name that is not in this world's list, a weight below 0, or no word that is left.
    pub fn with_weights(mut self, given: &BTreeMap<String, f32>) -> Result<Self, GameError> {
        let weights = change::weights(&self.targets, given)?;
        self.weights = weights.iter().any(|&weight| weight != weights[0]).then_some(weights);
        Ok(self)
    }

    /// The same world where some questions are answered otherwise than the table answers.
    ///
    /// # Errors
    /// A question about no property of the table, an unknown object, or an answer that is none here.
    pub fn with_answers(mut self, answers: &Answers) -> Result<Self, GameError> {
        self.amendments = Amendments::new(answers, self.options.sometimes)?;
        self.oracle = table_oracle(&self.options, &self.amendments);
        Ok(self)
    }

    /// The full game of 157 words.
    ///
    /// # Errors
    /// An option out of its range.
    pub fn all(options: Options) -> Result<Self, GameError> {
        let names: Vec<&str> = words::words().iter().map(words::Word::name).collect();
        Self::new(&names, options)
    }

    /// The small game of ten words.
    ///
    /// # Errors
    /// An option out of its range.
    pub fn subset(options: Options) -> Result<Self, GameError> {
        let names: Vec<&str> = words::subset().iter().map(words::Word::name).collect();
        Self::new(&names, options)
    }

    /// The same world with someone else answering; whether and how he errs is then his matter.
    pub fn with_oracle(mut self, oracle: Box<dyn Oracle>) -> Self {
        self.oracle = oracle;
        self
    }

    /// The names of the secret words, in the order of the tasks.
    pub fn names(&self) -> Vec<&str> {
        self.targets.iter().map(|t| t.name.as_str()).collect()
    }

    /// Every accepted name of task number `task`; the first is its name.
    ///
    /// # Panics
    /// Where there is no such task.
    pub fn aliases(&self, task: usize) -> &[String] {
        &self.targets[task].aliases
    }

    /// The questions worth asking here, for a scripted player.
    pub fn question_pool(&self) -> QuestionPool {
        let objects: Vec<ObjectId> = self.targets.iter().map(|t| t.object).collect();
        QuestionPool::amended(&objects, self.options.sometimes, &self.amendments)
    }

    /// Starts a game on the word of this name or alias, whatever the case.
    ///
    /// # Errors
    /// A word that is not in this world's list; the game in play, if any, goes on.
    pub fn reset_word(&mut self, name: &str, seed: u64) -> Result<String, UnknownWord> {
        let wanted = name.trim().to_lowercase();
        let object = knowledge::table().object(&wanted);
        let is_wanted =
            |t: &Target| t.aliases.contains(&wanted) || object.is_some_and(|id| id == t.object);
        match self.targets.iter().position(is_wanted) {
            Some(task) => Ok(self.reset_to(task, seed)),
            None => Err(UnknownWord::among(name, self.names())),
        }
    }

    /// Plays one question, with the oracle's raw text given from outside where there is one.
    ///
    /// Under fixed rules a right guess wins whatever the text says; under official rules the text
    /// must be read as a Yes.
    ///
    /// # Panics
    /// Where no game is in play.
    pub fn step_with_oracle(&mut self, action: &str, oracle_raw: Option<&str>) -> Step {
        let game = self.game.as_mut().expect("step needs a reset first");
        assert!(!game.over, "step in a finished game; reset it first");
        let Options { rules, max_turns, .. } = self.options;
        let target = &self.targets[game.target];
        let question = match rules {
            Rules::Fixed => first_line(action),
            Rules::Official => action,
        };

        let right = target.is_guessed_by(rules, question);
        let answer = if rules == Rules::Fixed && right {
            Answer::Yes
        } else if rules == Rules::Fixed && question.is_empty() {
            Answer::Invalid
        } else {
            let raw = match oracle_raw {
                Some(raw) => raw.into(),
                None => self.oracle.answer(&target.name, question),
            };
            match Answer::read(rules, &raw) {
                Answer::Sometimes if !self.options.sometimes => Answer::Invalid,
                answer => answer,
            }
        };

        let won = right && answer == Answer::Yes;
        game.turns += 1;
        let at_limit = game.turns >= max_turns && !won;
        game.over = won || at_limit;
        game.history.push_str(question);
        game.history.push(' ');
        game.history.push_str(answer.text());
        game.history.push('\n');
        Step {
            observation: game.history.clone(),
            reply: answer.text().to_string(),
            reward: if won { 0.0 } else { -1.0 },
            terminated: won || (at_limit && rules == Rules::Official),
            truncated: at_limit && rules == Rules::Fixed,
            invalid: answer == Answer::Invalid,
            won,
        }
    }

    fn start(&mut self, target: usize, oracle_seed: u64) -> String {
        self.oracle.reseed(oracle_seed);
        self.game = Some(Game { target, turns: 0, history: HEADER.to_string(), over: false });
        HEADER.to_string()
    }
}

impl Environment for TwentyQuestions {
    fn reset(&mut self, seed: u64) -> String {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let target = match &self.weights {
            None => chance.random_range(0..self.targets.len() as u32) as usize,
            Some(weights) => drawn(weights, chance.random()),
        };
        self.start(target, chance.next_u64())
    }

    fn reset_to(&mut self, task: usize, seed: u64) -> String {
        assert!(
            task < self.targets.len(),
            "task {task} of a world with {} words",
            self.targets.len()
        );
        self.start(task, ChaCha8Rng::seed_from_u64(seed).next_u64())
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.target)
    }

    fn tasks(&self) -> usize {
        self.targets.len()
    }

    fn weights(&self) -> Option<Vec<f64>> {
        self.weights.clone()
    }

    fn step(&mut self, action: &str) -> Step {
        self.step_with_oracle(action, None)
    }

    fn max_turns(&self) -> usize {
        self.options.max_turns
    }

    /// Exact over the knowledge table for lists of up to 16 words, else the bound for a player who
    /// may split the words as he likes; unknown where answers are noisy or some words likelier.
    fn optimum_return(&self) -> Option<f64> {
        if !self.options.is_certain() || self.weights.is_some() {
            return None;
        }
        let Options { rules, max_turns, sometimes, .. } = self.options;
        let winnable: Vec<ObjectId> =
            self.targets.iter().filter(|t| t.is_winnable(rules)).map(|t| t.object).collect();
        let best = if winnable.is_empty() {
            0.0
        } else if winnable.len() <= MAX_SOLVER_WORDS {
            let pool = QuestionPool::amended(&winnable, sometimes, &self.amendments);
            Solver::new(&pool, max_turns).mean_return()
        } else {
            let answers = if sometimes { 3 } else { 2 };
            perfect_split_optimum(winnable.len(), max_turns, answers)
        };
        let lost = (self.targets.len() - winnable.len()) as f64 * -(max_turns as f64);
        Some((best * winnable.len() as f64 + lost) / self.targets.len() as f64)
    }

    fn worst_return(&self) -> Option<f64> {
        Some(-(self.options.max_turns as f64))
    }
}

/// The table as the options want it to answer.
fn table_oracle(options: &Options, amendments: &Amendments) -> Box<dyn Oracle> {
    let table = TableOracle { sometimes: options.sometimes };
    let table = AmendedOracle { table, amendments: amendments.clone() };
    if options.is_certain() {
        return Box::new(table);
    }
    let (flip, vague) = (f64::from(options.answer_noise), f64::from(options.sometimes_noise));
    let noisy = NoisyOracle::new(table.clone(), flip, vague, 0);
    Box::new(ErringTable { table, noisy })
}

/// The place that a draw from 0 to 1 falls on, each as wide as it weighs.
fn drawn(weights: &[f64], draw: f64) -> usize {
    let mut left = draw * weights.iter().sum::<f64>();
    for (place, weight) in weights.iter().enumerate() {
        if left < *weight {
            return place;
        }
        left -= weight;
    }
    // Only by rounding does a draw fall behind the last that can be drawn.
    weights.iter().rposition(|&weight| weight > 0.0).expect("a weight above 0")
}

/// Errs about properties and is right about guesses.
struct ErringTable {
    table: AmendedOracle,
    noisy: NoisyOracle<AmendedOracle>,
}

impl Oracle for ErringTable {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        let named = knowledge::guess_phrase(question);
        if named.is_some_and(|name| knowledge::table().object(&name).is_some()) {
            self.table.answer(object, question)
        } else {
            self.noisy.answer(object, question)
        }
    }

    fn reseed(&mut self, seed: u64) {
        self.noisy.reseed(seed);
    }
}

fn check_options(options: &Options) -> Result<(), GameError> {
    if options.max_turns == 0 {
        return Err(GameError::BadSetting(
            "max_turns is 0; a game needs at least 1 turn".to_string(),
        ));
    }
    if !(0.0..=1.0).contains(&options.answer_noise) {
        return Err(GameError::BadSetting(format!(
            "answer_noise is {}; it is a probability, from 0 to 1",
            options.answer_noise
        )));
    }
    let Options { answer_noise, sometimes_noise, .. } = *options;
    if !(0.0..=1.0).contains(&sometimes_noise) {
        return Err(GameError::BadSetting(format!(
            "sometimes_noise is {sometimes_noise}; it is a probability, from 0 to 1"
        )));
    }
    if f64::from(answer_noise) + f64::from(sometimes_noise) > 1.0 {
        return Err(GameError::BadSetting(format!(
            "answer_noise {answer_noise} and sometimes_noise {sometimes_noise} are probabilities \
             that must add up to at most 1"
        )));
    }
    if sometimes_noise > 0.0 && !options.sometimes {
        return Err(GameError::BadSetting(format!(
            "sometimes_noise is {sometimes_noise}, but \"Sometimes.\" is no answer here; set \
             sometimes to true as well"
        )));
    }
    if options.sometimes && options.rules == Rules::Official {
        return Err(GameError::BadSetting(
            "sometimes is true, but the official rules know only Yes, No and Invalid Question; \
             set it to false or choose the fixed rules"
                .to_string(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
