//! Guess My City: the agent asks about a home town until it names it.
//!
//! The same game as Twenty Questions, one point a question, but answers are free: "What language do
//! you speak?" is answered by "Portuguese.". Whatever would name the city itself is withheld by the
//! [leak guard](REFUSAL). Fixed rules win by a guess that names the city; official ones, as the
//! reference does, by any question that its name is a part of, so that "climate" wins Lima.

mod atlas;
mod cities;
mod format;

use std::borrow::Cow;

use archer_world::{About, End, Opening, Start, Style, Turn, World};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use atlas::{Asked, Topic, read, table, tell};
pub use cities::{City, cities, countries};
pub use format::{CityRecord, CountryRecord};

use crate::config::check_turns;
use crate::error::{GameError, UnknownWord};
use crate::guessing::{GuessingGame, first_line};
use crate::knowledge::{Claim, Degree, Reading};
use crate::letters;
use crate::optimum::free_answer_optimum;
use crate::oracle::{INVALID, Oracle};
use crate::question_pool::{PoolQuestion, QuestionPool};
use crate::twenty_questions::{Answer, HEADER, Rules};

/// What is said in place of an answer that holds the name of the city.
pub const REFUSAL: &str = "I can't answer that question.";

/// Answers from the atlas; what it cannot read is an "Invalid Question.".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CityOracle;

impl CityOracle {
    fn tell(city: usize, question: &str) -> Cow<'static, str> {
        match read(question) {
            Asked::What(topic) => Cow::Owned(tell(city, topic)),
            Asked::Whether(reading) => Cow::Borrowed(match atlas::holds(city, &reading) {
                Some(true) => Answer::Yes.text(),
                Some(false) => Answer::No.text(),
                None => INVALID,
            }),
            Asked::Nothing => Cow::Borrowed(INVALID),
        }
    }
}

impl Oracle for CityOracle {
    fn answer(&mut self, object: &str, question: &str) -> Cow<'static, str> {
        match table().object(&letters::lower(object)) {
            Some(city) => Self::tell(city.0, question),
            None => Cow::Borrowed(INVALID),
        }
    }
}

/// The world. Its tasks are the 91 cities, in the order of the reference.
pub struct GuessMyCity {
    rules: Rules,
    max_turns: usize,
    oracle: Box<dyn Oracle>,
    game: Option<Game>,
}

/// One game in play.
struct Game {
    city: usize,
    turns: usize,
    over: bool,
}

impl GuessMyCity {
    /// The world under these rules, for games of at most `max_turns` questions.
    ///
    /// # Errors
    /// No turns.
    pub fn new(rules: Rules, max_turns: usize) -> Result<Self, GameError> {
        check_turns(max_turns)?;
        Ok(GuessMyCity { rules, max_turns, oracle: Box::new(CityOracle), game: None })
    }

    /// The same world with someone else answering. He is asked by the city's name as the reference
    /// spells it.
    pub fn with_oracle(mut self, oracle: Box<dyn Oracle>) -> Self {
        self.oracle = oracle;
        self
    }

    fn begin(&mut self, city: usize, oracle_seed: u64) -> Opening {
        self.oracle.reseed(oracle_seed);
        self.game = Some(Game { city, turns: 0, over: false });
        Opening::new(HEADER)
    }

    /// Under fixed rules every landmark is told and belongs to one city, so one question and a
    /// guess are enough; under official ones a single question may name all cities.
    pub fn optimum_return(&self) -> Option<f64> {
        Some(match self.rules {
            Rules::Fixed => free_answer_optimum(cities().len(), self.max_turns),
            Rules::Official => 0.0,
        })
    }
}

/// Whether a question wins.
fn wins(rules: Rules, city: usize, question: &str) -> bool {
    match rules {
        // The reference looks for the name anywhere in the question.
        Rules::Official => {
            let name = letters::lower(cities()[city].record.name);
            let asked = question.trim_end_matches(|c: char| !c.is_alphabetic());
            letters::lower(asked).contains(&name)
        }
        Rules::Fixed => match read(question) {
            Asked::Whether(Reading::Asks { claim: Claim::Is(named), negated, degree }) => {
                named.0 == city && !negated && degree != Degree::Always
            }
            _ => false,
        },
    }
}

/// Whether an answer names the city: any part of it under official rules; under fixed rules any of
/// its names, as words of their own.
fn leaks(rules: Rules, city: usize, answer: &str) -> bool {
    let answer = letters::lower(answer);
    match rules {
        Rules::Official => answer.contains(&letters::lower(cities()[city].record.name)),
        Rules::Fixed => cities()[city].aliases().iter().any(|name| {
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            answer.match_indices(name.as_str()).any(|(at, found)| {
                edge(answer[..at].chars().next_back())
                    && edge(answer[at + found.len()..].chars().next())
            })
        }),
    }
}

impl World for GuessMyCity {
    fn about(&self) -> About {
        About {
            tasks: Some(cities().len()),
            style: Style::one_line(),
            best: self.optimum_return(),
            worst: Some(-(self.max_turns as f64)),
            rules: Some(self.rules.name().to_string()),
            turn: "question".to_string(),
            ..About::new("guess_my_city", self.max_turns)
        }
    }

    /// # Panics
    /// Where there is no such task.
    fn start(&mut self, start: &Start) -> Opening {
        let mut chance = ChaCha8Rng::seed_from_u64(start.seed);
        let known = cities().len();
        let city = match start.task {
            Some(task) => {
                assert!(task < known, "task {task} of a world with {known} cities");
                task
            }
            None => chance.random_range(0..known as u32) as usize,
        };
        self.begin(city, chance.next_u64())
    }

    fn act(&mut self, said: &str) -> Turn {
        self.act_with_oracle(said, None)
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.city)
    }
}

impl GuessingGame for GuessMyCity {
    fn names(&self) -> Vec<String> {
        cities().iter().map(|city| city.record.name.to_string()).collect()
    }

    fn aliases(&self, task: usize) -> Vec<String> {
        cities()[task].aliases()
    }

    fn question_pool(&self) -> QuestionPool {
        question_pool()
    }

    fn max_turns(&self) -> usize {
        self.max_turns
    }

    fn start_word(&mut self, name: &str, seed: u64) -> Result<Opening, UnknownWord> {
        match table().object(&letters::lower(name.trim())) {
            Some(city) => Ok(self.start(&Start { task: Some(city.0), seed })),
            None => Err(UnknownWord::among(name, cities().iter().map(|city| city.record.name))),
        }
    }

    /// Under fixed rules a right guess is answered by "Yes." and wins; where the answer comes from
    /// outside it wins if that is a Yes.
    fn act_with_oracle(&mut self, said: &str, oracle_raw: Option<&str>) -> Turn {
        let (rules, max_turns) = (self.rules, self.max_turns);
        let game = self.game.as_mut().expect("act needs a start first");
        assert!(!game.over, "act in a finished game; start it first");
        let question = match rules {
            Rules::Fixed => first_line(said),
            Rules::Official => said,
        };
        let right = wins(rules, game.city, question);
        let raw = match (rules, oracle_raw) {
            (Rules::Fixed, Some(raw)) => Cow::Borrowed(first_line(raw)),
            (Rules::Fixed, None) if right => Cow::Borrowed(Answer::Yes.text()),
            (_, Some(raw)) => Cow::Borrowed(raw),
            (_, None) => self.oracle.answer(cities()[game.city].record.name, question),
        };
        let won = right && (rules == Rules::Official || Answer::read(rules, &raw) == Answer::Yes);
        let reply = if leaks(rules, game.city, &raw) {
            REFUSAL.to_string()
        } else if raw.is_empty() && rules == Rules::Fixed {
            INVALID.to_string()
        } else {
            raw.into_owned()
        };
        game.turns += 1;
        let at_limit = game.turns >= max_turns && !won;
        game.over = won || at_limit;
        let end = match (won, at_limit, rules) {
            (true, ..) => Some(End::Won),
            (_, true, Rules::Official) => Some(End::Over),
            (_, true, Rules::Fixed) => Some(End::Cut),
            (_, false, _) => None,
        };
        let reward = if won { 0.0 } else { -1.0 };
        Turn { end, invalid: reply == INVALID, ..Turn::new(reply, reward) }
    }
}

/// The yes-or-no questions worth asking here, and a guess for each city. What a city is known for
/// is left out: to ask for it is to guess.
pub fn question_pool() -> QuestionPool {
    let yes_or_no = |text: &str| -> Option<Vec<Answer>> {
        let Asked::Whether(reading) = read(text) else { return None };
        let answer =
            |city| Some([Answer::No, Answer::Yes][usize::from(atlas::holds(city, &reading)?)]);
        (0..cities().len()).map(answer).collect()
    };
    let property = |text: &str| {
        let answers = yes_or_no(text)?;
        Some(PoolQuestion::new(text, None, answers))
    };
    let guess = |(city, known): (usize, &City)| {
        let answers = (0..cities().len())
            .map(|other| if other == city { Answer::Yes } else { Answer::No })
            .collect();
        PoolQuestion::new(format!("Is it {}?", known.record.name), Some(city), answers)
    };
    let properties = table().properties().iter();
    let properties = properties.filter(|property| !property.name.starts_with("known for "));
    QuestionPool::assemble(
        properties.filter_map(|known| property(&known.question)).collect(),
        cities().iter().enumerate().map(guess).collect(),
    )
}

/// The questions with a free answer, one for each topic that an answer is given to.
pub fn free_questions() -> Vec<String> {
    let asked = table().properties().iter().filter(|p| p.name.starts_with("what "));
    asked.filter(|p| p.name != "what name").map(|p| p.question.clone()).collect()
}

/// What a free answer comes to as a yes-or-no question of the atlas and its answer, where it says
/// as much.
pub fn as_yes_or_no(question: &str, answer: &str) -> Option<(String, String)> {
    let Asked::What(topic) = read(question) else { return None };
    let said = answer.trim_end_matches('.');
    let (name, holds) = match topic {
        Topic::Continent => (said.to_string(), true),
        Topic::Country => (format!("in {said}"), true),
        Topic::Language => (format!("speaks {}", said.split([',', ' ']).next()?), true),
        Topic::Climate => (letters::lower(said), true),
        Topic::Hemisphere => ("northern hemisphere".to_string(), said.contains("northern")),
        Topic::Neighbors | Topic::Size | Topic::Landmark | Topic::Name => return None,
    };
    let property = table().property(&name)?;
    let answer = if holds { Answer::Yes } else { Answer::No };
    Some((table().properties()[property.0].question.clone(), answer.text().to_string()))
}

#[cfg(test)]
mod tests;
