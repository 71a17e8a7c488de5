//! Twenty Questions: the agent asks yes-or-no questions until it names the secret word.
//!
//! The player reads a header and one line per turn, the question and its answer. Each question costs
//! one point, the winning one nothing, so a win at question k returns −(k−1) and a lost game returns
//! −20. Who answers is an [`Oracle`]; how its text is read, and what wins, is a matter of
//! [`Rules`].

pub(crate) mod change;
pub mod doubt;
pub mod person;
mod rules;
pub mod spoken;
mod target;

use std::borrow::Cow;
use std::collections::BTreeMap;

use archer_input::shown;
use archer_world::{About, End, Opening, Start, Style, Turn, World};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use change::{Amendments, Answers, Told};
pub use rules::{Answer, Rules};
use target::Target;

use crate::config::check_turns;
use crate::error::{GameError, UnknownWord};
use crate::guessing::{GuessingGame, Remark, first_line};
use crate::knowledge::{self, Claim, ObjectId, Reading, Table};
use crate::letters;
use crate::optimum::{MAX_SOLVER_WORDS, Solver, perfect_split_optimum};
use crate::oracle::{AmendedOracle, NoisyOracle, Oracle, PeopleOracle, TableOracle};
use crate::people::{PeopleConfig, Rates};
use crate::posterior::Channel;
use crate::question_pool::QuestionPool;
use crate::words;

/// The first line of every game.
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
    /// The rates at which people answer, who take the table's place; none where the table answers.
    /// Then "Sometimes." and "I don't know." are answers, and there is no noise beside.
    pub people: Option<PeopleConfig>,
}

impl Options {
    /// Whether the oracle always says what the table says.
    fn is_certain(&self) -> bool {
        self.answer_noise == 0.0 && self.sometimes_noise == 0.0 && self.people.is_none()
    }

    /// Whether this can be answered.
    pub(crate) fn knows(&self, answer: Answer) -> bool {
        match answer {
            Answer::Yes | Answer::No | Answer::Invalid => true,
            Answer::Sometimes => self.sometimes || self.people.is_some(),
            Answer::Unknown => self.people.is_some(),
        }
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
            people: None,
        }
    }
}

/// The world. Its tasks are its secret words, in the order of its list.
pub struct TwentyQuestions {
    options: Options,
    table: &'static Table,
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
    over: bool,
}

impl TwentyQuestions {
    /// A world over the objects of these names (or aliases), which the knowledge table must have.
    ///
    /// # Errors
    /// An unknown name, a name twice, no name at all, or an option out of its range.
    pub fn new<S: AsRef<str>>(names: &[S], options: Options) -> Result<Self, GameError> {
        Self::over(knowledge::table(), names, options)
    }

    /// The same over another table than the embedded one.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub fn over<S: AsRef<str>>(
        table: &'static Table,
        names: &[S],
        options: Options,
    ) -> Result<Self, GameError> {
        check_options(&options)?;
        if names.is_empty() {
            return Err(GameError::NoWords);
        }
        let mut targets: Vec<Target> = Vec::with_capacity(names.len());
        for name in names {
            let target = Target::resolve(table, name.as_ref())?;
            if targets.iter().any(|other| other.object == target.object) {
                return Err(GameError::DoubleWord(name.as_ref().to_string()));
            }
            targets.push(target);
        }
        let mut world = TwentyQuestions {
            oracle: Box::new(TableOracle::default()),
            options,
            table,
            targets,
            weights: None,
            amendments: Amendments::default(),
            game: None,
        };
        world.oracle = world.own_oracle();
        Ok(world)
    }

    /// The table as the options want it to answer.
    fn own_oracle(&self) -> Box<dyn Oracle> {
        let Options { sometimes, answer_noise, sometimes_noise, people, .. } = self.options;
        let amendments = self.amendments.clone();
        let table = AmendedOracle { knowledge: self.table, sometimes, amendments };
        if let Some(rates) = people.map(|people| self.rates(people)) {
            return Box::new(PeopleOracle::new(
                AmendedOracle { sometimes: false, ..table },
                rates,
                0,
            ));
        }
        if self.options.is_certain() {
            return Box::new(table);
        }
        let (flip, vague) = (f64::from(answer_noise), f64::from(sometimes_noise));
        let noisy = NoisyOracle::new(table.clone(), flip, vague, 0);
        Box::new(ErringTable { table, noisy })
    }

    fn objects(&self) -> Vec<ObjectId> {
        self.targets.iter().map(|target| target.object).collect()
    }

    /// The rates of people whose mean is this over the words of this world.
    fn rates(&self, people: PeopleConfig) -> Rates {
        Rates::of(people, self.table, &self.objects(), &self.amendments)
    }

    /// The questions over some of the words.
    fn pool(&self, objects: &[ObjectId]) -> QuestionPool {
        let Options { sometimes, people, .. } = self.options;
        // Where people answer, whatever is disputed they may say sometimes to.
        let sometimes = sometimes && people.is_none();
        let pool = QuestionPool::amended(self.table, objects, sometimes, &self.amendments);
        match people {
            Some(people) => pool.heard_by(Channel::People(self.rates(people))),
            None => pool,
        }
    }

    /// The same world where some words are likelier than others: by name, beside 1 for those that
    /// are not named; 0 for never.
    ///
    /// # Errors
    /// A name that is not in this world's list, a weight below 0, or no word that is left.
    pub fn with_weights(mut self, given: &BTreeMap<String, f64>) -> Result<Self, GameError> {
        let weights = change::weights(self.table, &self.targets, given)?;
        self.weights = weights.iter().any(|&weight| weight != weights[0]).then_some(weights);
        Ok(self)
    }

    /// The same world where some questions are answered otherwise than the table answers.
    ///
    /// # Errors
    /// A question about no property of the table, an unknown object, or an answer that is none here.
    pub fn with_answers(mut self, answers: &Answers) -> Result<Self, GameError> {
        let sometimes = self.options.knows(Answer::Sometimes);
        self.amendments = Amendments::over(self.table, answers, sometimes)?;
        self.oracle = self.own_oracle();
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

    fn begin(&mut self, target: usize, oracle_seed: u64) -> Opening {
        self.oracle.reseed(oracle_seed);
        self.game = Some(Game { target, turns: 0, over: false });
        Opening::new(HEADER)
    }

    /// The rules, and who answers where it is not the table.
    fn rules_name(&self) -> String {
        let rules = self.options.rules.name();
        match self.options.people {
            Some(_) => format!("{rules} (oracle: people)"),
            None => rules.to_string(),
        }
    }

    /// Exact over the knowledge table for lists of up to 16 words, else the bound for a player who
    /// may split the words as he likes; unknown where answers are noisy or some words likelier.
    pub fn optimum_return(&self) -> Option<f64> {
        if !self.options.is_certain() || self.weights.is_some() {
            return None;
        }
        let Options { rules, max_turns, sometimes, .. } = self.options;
        let winnable: Vec<ObjectId> =
            self.targets.iter().filter(|t| t.is_winnable(rules)).map(|t| t.object).collect();
        let best = if winnable.is_empty() {
            0.0
        } else if winnable.len() <= MAX_SOLVER_WORDS {
            Solver::new(&self.pool(&winnable), max_turns).mean_return()
        } else {
            let answers = if sometimes { 3 } else { 2 };
            perfect_split_optimum(winnable.len(), max_turns, answers)
        };
        let lost = (self.targets.len() - winnable.len()) as f64 * -(max_turns as f64);
        Some((best * winnable.len() as f64 + lost) / self.targets.len() as f64)
    }
}

impl World for TwentyQuestions {
    fn about(&self) -> About {
        About {
            tasks: Some(self.targets.len()),
            weights: self.weights.clone(),
            style: Style::one_line(),
            best: self.optimum_return(),
            worst: Some(-(self.options.max_turns as f64)),
            rules: Some(self.rules_name()),
            turn: "question".to_string(),
            ..About::new("twenty_questions", self.options.max_turns)
        }
    }

    /// # Panics
    /// Where there is no such task.
    fn start(&mut self, start: &Start) -> Opening {
        let mut chance = ChaCha8Rng::seed_from_u64(start.seed);
        let target = match (start.task, &self.weights) {
            (Some(task), _) => {
                let words = self.targets.len();
                assert!(task < words, "task {task} of a world with {words} words");
                task
            }
            (None, None) => chance.random_range(0..self.targets.len() as u32) as usize,
            (None, Some(weights)) => place_of(weights, chance.random()),
        };
        self.begin(target, chance.next_u64())
    }

    fn act(&mut self, said: &str) -> Turn {
        self.act_with_oracle(said, None)
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.target)
    }
}

impl GuessingGame for TwentyQuestions {
    fn names(&self) -> Vec<String> {
        TwentyQuestions::names(self).into_iter().map(str::to_string).collect()
    }

    fn aliases(&self, task: usize) -> Vec<String> {
        self.targets[task].aliases.clone()
    }

    fn question_pool(&self) -> QuestionPool {
        self.pool(&self.objects())
    }

    fn knowledge(&self) -> &'static Table {
        self.table
    }

    fn max_turns(&self) -> usize {
        self.options.max_turns
    }

    fn remark(&self, question: &str) -> Option<Remark> {
        let heard = self.table.hear(question);
        let two = matches!(heard.reading, Reading::Asks { claim: Claim::Two(..), .. });
        heard.meant.map(Remark::Meant).or(two.then_some(Remark::OneAtATime))
    }

    fn start_word(&mut self, name: &str, seed: u64) -> Result<Opening, UnknownWord> {
        let wanted = letters::lower(name.trim());
        let object = self.table.object(&wanted);
        let is_wanted =
            |t: &Target| t.aliases.contains(&wanted) || object.is_some_and(|id| id == t.object);
        match self.targets.iter().position(is_wanted) {
            Some(task) => Ok(self.start(&Start { task: Some(task), seed })),
            None => Err(UnknownWord::among(name, TwentyQuestions::names(self))),
        }
    }

    /// A right guess wins if its answer is a Yes. Under fixed rules the world itself says so of every
    /// right guess; an answer from outside counts as it is, here as everywhere.
    fn act_with_oracle(&mut self, said: &str, oracle_raw: Option<&str>) -> Turn {
        let game = self.game.as_mut().expect("act needs a start first");
        assert!(!game.over, "act in a finished game; start it first");
        let Options { rules, max_turns, .. } = self.options;
        let target = &self.targets[game.target];
        let question = match rules {
            Rules::Fixed => first_line(said),
            Rules::Official => said,
        };

        let right = target.is_guessed_by(self.table, rules, question);
        let answer = if rules == Rules::Fixed && question.is_empty() {
            Answer::Invalid
        } else if rules == Rules::Fixed && right && oracle_raw.is_none() {
            Answer::Yes
        } else {
            let raw = match oracle_raw {
                Some(raw) => raw.into(),
                None => self.oracle.answer(&target.name, question),
            };
            match Answer::read(rules, &raw) {
                answer if !self.options.knows(answer) => Answer::Invalid,
                answer => answer,
            }
        };

        let won = right && answer == Answer::Yes;
        game.turns += 1;
        let at_limit = game.turns >= max_turns && !won;
        game.over = won || at_limit;
        let end = match (won, at_limit, rules) {
            (true, ..) => Some(End::Won),
            (_, true, Rules::Official) => Some(End::Over),
            (_, true, Rules::Fixed) => Some(End::Cut),
            (_, false, _) => None,
        };
        Turn {
            end,
            invalid: answer == Answer::Invalid,
            ..Turn::new(answer.text(), if won { 0.0 } else { -1.0 })
        }
    }
}

/// The place that a draw from 0 to 1 falls on, each as wide as it weighs.
fn place_of(weights: &[f64], draw: f64) -> usize {
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
        let knowledge = self.table.knowledge;
        let named = knowledge.guess_phrase(question);
        if named.is_some_and(|name| knowledge.object(&name).is_some()) {
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
    check_turns(options.max_turns)?;
    if !(0.0..=1.0).contains(&options.answer_noise) {
        return Err(GameError::BadSetting(format!(
            "answer_noise is {}; it is a probability, from 0 to 1",
            shown(options.answer_noise)
        )));
    }
    let Options { answer_noise, sometimes_noise, .. } = *options;
    let told = shown(sometimes_noise);
    if !(0.0..=1.0).contains(&sometimes_noise) {
        return Err(GameError::BadSetting(format!(
            "sometimes_noise is {told}; it is a probability, from 0 to 1"
        )));
    }
    if f64::from(answer_noise) + f64::from(sometimes_noise) > 1.0 {
        return Err(GameError::BadSetting(format!(
            "answer_noise {} and sometimes_noise {told} are probabilities that must add up to at \
             most 1",
            shown(answer_noise)
        )));
    }
    if sometimes_noise > 0.0 && !options.sometimes {
        return Err(GameError::BadSetting(format!(
            "sometimes_noise is {told}, but \"Sometimes.\" is no answer here; set \
             sometimes to true as well"
        )));
    }
    if let Some(people) = options.people {
        people.check()?;
        if options.rules == Rules::Official {
            return Err(GameError::BadSetting(
                "oracle is people, but the official rules know only Yes, No and Invalid Question; \
                 set it to table or choose the fixed rules"
                    .to_string(),
            ));
        }
        if answer_noise > 0.0 || sometimes_noise > 0.0 {
            return Err(GameError::BadSetting(
                "answer_noise and sometimes_noise are the table's, but oracle is people; leave them \
                 out and set people.wrong and people.sometimes"
                    .to_string(),
            ));
        }
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
