//! Which of a person's answers are unlikely, and which were unexpected once the thing is known.
//!
//! The table has an answer for every thing. Where a person answers differently, either may be wrong. The
//! probability of each thing ([`crate::posterior`], at the rates of people) tells which thing is meant
//! nevertheless. Every function takes the turns of a game as they are now, so a corrected answer leaves no
//! trace.

use super::{Amendments, Answer};
use crate::config::WorldConfig;
use crate::error::GameError;
use crate::guessing::GuessingGame;
use crate::knowledge::{ObjectId, Table, Value};
use crate::letters;
use crate::people::Rates;
use crate::posterior::{Channel, Posterior};
use crate::question_pool::PoolQuestion;

/// The things of a world beside the answers of a person.
pub struct Doubts {
    table: &'static Table,
    things: Vec<ObjectId>,
    amendments: Amendments,
    rates: Rates,
}

/// An answer of a person that is hard to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubted {
    /// The turn, from 0.
    pub turn: usize,
    /// The likeliest thing, by its number: the table answers otherwise about it.
    pub thing: usize,
    /// Whether there is no thing at all with which all answers go.
    pub nothing_left: bool,
}

/// An answer of a person that was not expected of the thing that it was about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// The turn, from 0.
    pub turn: usize,
    /// What the table says: Yes, No or, where people disagree, Sometimes.
    pub expected: Answer,
    /// The probability with which people answer so.
    pub chance: f64,
}

impl Doubts {
    /// Those of a person who answers in this world; none where it is not Twenty Questions. People err as
    /// the world's `people` say, whether it is they who answer in it or the table.
    ///
    /// # Errors
    /// A setting that is out of its range or does not belong to the world.
    pub fn of(world: &WorldConfig) -> Result<Option<Self>, GameError> {
        if world.name != crate::WorldName::TwentyQuestions {
            return Ok(None);
        }
        let game = world.twenty_questions()?;
        let things: Vec<ObjectId> = game.targets.iter().map(|target| target.object).collect();
        let people = world.people.unwrap_or_default();
        let rates = Rates::of(people, game.knowledge(), &things, &game.amendments);
        Ok(Some(Doubts { table: game.knowledge(), things, amendments: game.amendments, rates }))
    }

    /// The probability of each thing after these turns.
    pub fn chances<Q: AsRef<str>>(&self, turns: &[(Q, Answer)]) -> Vec<f64> {
        self.posterior(&self.questions(turns), turns).chances().to_vec()
    }

    /// The number of the thing that a question guesses, if it guesses one of this world.
    pub fn guess(&self, question: &str) -> Option<usize> {
        let named = self.table.object(&self.table.guess_phrase(question)?)?;
        self.things.iter().position(|thing| *thing == named)
    }

    /// The turns whose answers exclude a thing: the table surely says the contrary, or it was guessed
    /// and was not it. What people disagree about excludes nothing, nor does "Sometimes." or "I don't
    /// know.".
    ///
    /// # Panics
    /// Where there is no thing of this number.
    pub fn against<Q: AsRef<str>>(&self, thing: usize, turns: &[(Q, Answer)]) -> Vec<usize> {
        self.against_in(&self.questions(turns), thing, turns)
    }

    /// Whether a person's answers exclude a thing.
    ///
    /// # Panics
    /// Where there is no thing of this number.
    pub fn excluded<Q: AsRef<str>>(&self, thing: usize, turns: &[(Q, Answer)]) -> bool {
        !self.against(thing, turns).is_empty()
    }

    /// Which things a person's answers leave.
    pub fn possible<Q: AsRef<str>>(&self, turns: &[(Q, Answer)]) -> Vec<bool> {
        let questions = self.questions(turns);
        let goes = |thing| self.against_in(&questions, thing, turns).is_empty();
        (0..self.things.len()).map(goes).collect()
    }

    /// Whether a question guesses a thing that is excluded, where another is left: nobody who has
    /// listened would ask it. `possible` are the things that the answers [leave](Self::possible).
    pub fn is_denied(&self, question: &str, possible: &[bool]) -> bool {
        possible.contains(&true) && self.guess(question).is_some_and(|thing| !possible[thing])
    }

    /// The answer to doubt, if there is one: where every thing is excluded, or exactly one answer
    /// speaks against the likeliest, it is the least likely of those against it. Answers at the turns
    /// `sure` are not doubted (again), nor are those to guesses.
    pub fn doubted<Q: AsRef<str>>(&self, turns: &[(Q, Answer)], sure: &[usize]) -> Option<Doubted> {
        let questions = self.questions(turns);
        let posterior = self.posterior(&questions, turns);
        let thing = posterior.likeliest();
        let against = self.against_in(&questions, thing, turns);
        let is_guess = |turn: usize| questions[turn].as_ref().is_some_and(|q| q.guess.is_some());
        if against.iter().any(|&turn| is_guess(turn)) {
            // Even the likeliest was guessed: everything was.
            return None;
        }
        // How likely the likeliest of those is that go with all answers.
        let goes = |thing: &usize| self.against_in(&questions, *thing, turns).is_empty();
        let left = (0..self.things.len()).filter(goes).map(|thing| posterior.chances()[thing]);
        let left = left.max_by(f64::total_cmp);
        let nothing_left = left.is_none();
        if against.is_empty() || (against.len() > 1 && !nothing_left) {
            return None;
        }
        if left.is_some_and(|chance| chance >= posterior.chances()[thing]) {
            return None;
        }
        let chance = |turn: usize| self.chance(&questions, thing, turn, turns[turn].1);
        let open = against.into_iter().filter(|turn| !sure.contains(turn));
        let turn = open.min_by(|a, b| chance(*a).total_cmp(&chance(*b)))?;
        Some(Doubted { turn, thing, nothing_left })
    }

    /// The answer that surprised most, once the thing is known by a name that the table has: the one
    /// that people give least likely, among those with which the table does not agree. None where it
    /// agrees with all, and where the thing is not known.
    pub fn surprise<Q: AsRef<str>>(&self, name: &str, turns: &[(Q, Answer)]) -> Option<Surprise> {
        let thing = self.table.object(&letters::lower(name.trim()))?;
        let read = |question: &str| {
            PoolQuestion::read(self.table, &[thing], &self.amendments, true, question)
        };
        let found = turns.iter().enumerate().filter_map(|(turn, (question, answer))| {
            let question = read(question.as_ref())?;
            let expected = question.answers[0];
            let chance = Channel::People(self.rates).chances(&question, 0)[*answer as usize];
            let contrary = matches!(answer, Answer::Yes | Answer::No)
                && *answer != likelier(question.values[0]);
            (contrary && !matches!(expected, Answer::Invalid)).then_some(Surprise {
                turn,
                expected,
                chance,
            })
        });
        found.min_by(|a, b| a.chance.total_cmp(&b.chance))
    }

    fn questions<Q: AsRef<str>>(&self, turns: &[(Q, Answer)]) -> Vec<Option<PoolQuestion>> {
        let read = |(question, _): &(Q, Answer)| {
            let (table, things) = (self.table, &self.things);
            PoolQuestion::read(table, things, &self.amendments, false, question.as_ref())
        };
        turns.iter().map(read).collect()
    }

    fn posterior<Q>(&self, questions: &[Option<PoolQuestion>], turns: &[(Q, Answer)]) -> Posterior {
        let mut posterior = Posterior::new(self.things.len(), Channel::People(self.rates));
        for (question, (_, answer)) in questions.iter().zip(turns) {
            if let Some(question) = question {
                posterior.hear(question, *answer);
            }
        }
        posterior
    }

    fn against_in<Q>(
        &self,
        questions: &[Option<PoolQuestion>],
        thing: usize,
        turns: &[(Q, Answer)],
    ) -> Vec<usize> {
        let speaks = |turn: &usize| {
            let Some(question) = &questions[*turn] else { return false };
            match (question.values[thing], turns[*turn].1) {
                (Value::Yes, Answer::No) | (Value::No, Answer::Yes) => true,
                // A guess that did not end the game was none of this.
                (Value::Yes, _) => question.guess == Some(thing),
                _ => false,
            }
        };
        (0..turns.len()).filter(speaks).collect()
    }

    /// The probability of an answer about a thing.
    fn chance(
        &self,
        questions: &[Option<PoolQuestion>],
        thing: usize,
        turn: usize,
        answer: Answer,
    ) -> f64 {
        let question = questions[turn].as_ref();
        question.map_or(1.0, |question| {
            Channel::People(self.rates).chances(question, thing)[answer as usize]
        })
    }
}

fn likelier(value: Value) -> Answer {
    if value.is_mostly_yes() { Answer::Yes } else { Answer::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Words;

    /// Four things: a cat and a dog are animals, a dog barks; a bus and a car are vehicles.
    fn doubts() -> Doubts {
        let names = ["cat", "dog", "bus", "car"].map(str::to_string);
        let world = WorldConfig { words: Words::These(names.to_vec()), ..WorldConfig::default() };
        Doubts::of(&world).unwrap().unwrap()
    }

    const ANIMAL: &str = "Is it an animal?";
    const FUR: &str = "Does it have fur?";
    const BARKS: &str = "Does it bark?";
    const VEHICLE: &str = "Is it a vehicle?";
    const HEAVY: &str = "Is it heavy?";

    #[test]
    fn a_thing_is_excluded_by_what_the_table_surely_denies() {
        let doubts = doubts();
        let turns = [(VEHICLE, Answer::Yes), (HEAVY, Answer::No)];
        // The bus that was guessed although it was said not to be heavy.
        assert_eq!(doubts.against(2, &turns), [1]);
        assert!(doubts.excluded(2, &turns) && doubts.excluded(0, &turns));
        assert_eq!(doubts.guess("Is it a bus?"), Some(2));
        assert_eq!((doubts.guess("Is it a whale?"), doubts.guess(HEAVY)), (None, None));
        // Vague answers exclude nothing, and neither does what cannot be read.
        for answer in [Answer::Sometimes, Answer::Unknown, Answer::Invalid] {
            assert!(!doubts.excluded(2, &[(HEAVY, answer)]), "{answer:?}");
        }
        assert!(!doubts.excluded(2, &[("Is it a zorb?", Answer::No)]));
        // What was guessed is out, whatever was said to it.
        assert_eq!(doubts.against(2, &[("Is it a bus?", Answer::No)]), [0]);
        assert_eq!(doubts.against(2, &[("Is it a bus?", Answer::Unknown)]), [0]);
        assert!(!doubts.excluded(3, &[("Is it a bus?", Answer::No)]));
        // Nobody who has listened guesses a bus, as long as anything else is left.
        let possible = doubts.possible(&[(ANIMAL, Answer::Yes)]);
        assert_eq!(possible, [true, true, false, false]);
        assert!(doubts.is_denied("Is it a bus?", &possible) && !doubts.is_denied(HEAVY, &possible));
        assert!(!doubts.is_denied("Is it a cat?", &possible));
        assert!(!doubts.is_denied("Is it a bus?", &[false; 4]));
    }

    #[test]
    fn the_one_answer_is_doubted_that_goes_with_nothing() {
        let doubts = doubts();
        let mut turns = vec![(ANIMAL, Answer::Yes), (FUR, Answer::Yes)];
        assert_eq!(doubts.doubted(&turns, &[]), None);
        // Two answers speak for an animal, one for a vehicle: nothing goes with all of them.
        turns.push((VEHICLE, Answer::Yes));
        let doubted = Doubted { turn: 2, thing: 0, nothing_left: true };
        assert_eq!(doubts.doubted(&turns, &[]), Some(doubted));
        assert!(doubts.chances(&turns)[0] > 0.4);
        // Who is sure of it is not asked again.
        assert_eq!(doubts.doubted(&turns, &[2]), None);
        // Nor is anything left to doubt once the answer is corrected.
        turns[2].1 = Answer::No;
        assert_eq!(doubts.doubted(&turns, &[]), None);
    }

    #[test]
    fn nothing_is_doubted_while_what_goes_with_all_answers_is_as_likely() {
        let doubts = doubts();
        let vague = [("Is it a cat?", Answer::Unknown), ("Is it a car?", Answer::Sometimes)];
        assert_eq!(doubts.doubted(&vague, &[]), None);
        let turns = [(HEAVY, Answer::Yes), vague[0], vague[1], (BARKS, Answer::No)];
        assert_eq!(doubts.doubted(&turns, &[]), None);
        assert_eq!(doubts.possible(&turns), [false, false, true, false]);
    }

    #[test]
    fn guesses_are_not_doubted() {
        let doubts = doubts();
        let all = ["Is it a cat?", "Is it a dog?", "Is it a bus?", "Is it a car?"];
        let turns: Vec<(&str, Answer)> = all.iter().map(|guess| (*guess, Answer::No)).collect();
        assert_eq!(doubts.doubted(&turns, &[]), None);
        assert_eq!(doubts.doubted::<&str>(&[], &[]), None);
    }

    #[test]
    fn the_answer_that_surprised_most_is_named_once_the_thing_is_known() {
        let doubts = doubts();
        let turns = [
            (ANIMAL, Answer::No),
            (VEHICLE, Answer::Yes),
            (HEAVY, Answer::No),
            (BARKS, Answer::No),
        ];
        let surprise = doubts.surprise("bus", &turns).unwrap();
        assert_eq!((surprise.turn, surprise.expected), (2, Answer::Yes));
        assert!(surprise.chance < 0.1);
        // A thing that was not on the list, by another of its names; and one that nobody knows.
        assert_eq!(doubts.surprise("Hound", &turns[3..]).map(|it| it.turn), Some(0));
        assert_eq!(doubts.surprise("whale", &turns[..1]).map(|it| it.turn), Some(0));
        assert_eq!(doubts.surprise("zorb", &turns), None);
        assert_eq!(doubts.surprise("bus", &turns[..2]), None);
    }

    #[test]
    fn there_is_nothing_to_doubt_where_nothing_is_guessed() {
        let city = WorldConfig { name: crate::WorldName::GuessMyCity, ..WorldConfig::default() };
        assert!(Doubts::of(&city).unwrap().is_none());
    }
}
