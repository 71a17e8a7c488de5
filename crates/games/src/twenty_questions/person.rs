//! A person in the oracle's place: what the player then sees, and when the thing is found.

use archer_world::{Choices, Style, Transcript};

use super::{Answer, HEADER};
use crate::config::WorldConfig;
use crate::guessing::GuessingGame;
use crate::knowledge::{self, ObjectId, Reading, Table};

/// A person's game as an agent knows it.
pub struct Heard {
    /// What the agent reads.
    pub read: Transcript,
    /// Everything that was said.
    pub said: Transcript,
}

impl Heard {
    /// A game in which these questions got these answers, for an agent of this world. An answer that the
    /// world does not have is one that nobody understood.
    ///
    /// An exchange that tells the agent nothing is left out of what it reads where something else keeps
    /// it from asking the same again, as its own `retries` or [`Askable`] do: in its own games only
    /// nonsense goes unanswered, and is followed by more of it.
    pub fn new<Q: AsRef<str>>(
        turns: impl IntoIterator<Item = (Q, Answer)>,
        world: &WorldConfig,
        retries: bool,
    ) -> Self {
        Self::in_style(turns, world, retries, &Style::one_line())
    }

    /// The same for an agent that reads texts joined in another way.
    pub fn in_style<Q: AsRef<str>>(
        turns: impl IntoIterator<Item = (Q, Answer)>,
        world: &WorldConfig,
        retries: bool,
        style: &Style,
    ) -> Self {
        let begin = || Transcript::new(style.clone(), None, HEADER);
        let (mut read, mut said) = (begin(), begin());
        for (question, answer) in turns {
            let answer = match answer {
                other if !world.knows(other) => Answer::Invalid,
                known => known,
            };
            said.push(question.as_ref(), answer.text());
            if !(retries && answer == Answer::Invalid) {
                read.push(question.as_ref(), answer.text());
            }
        }
        Self { read, said }
    }
}

/// The questions that a person can be asked in a world, for an agent that has nothing new to say.
///
/// In its own games an agent is never answered against the table, so a person soon takes it to texts
/// that it has not learned from. What it says there may be a repetition, or nothing that anybody could
/// answer; then it chooses among these.
pub struct Askable {
    table: &'static Table,
    questions: Vec<String>,
    things: Vec<ObjectId>,
}

impl Askable {
    /// Those of a world.
    pub fn of(game: &dyn GuessingGame) -> Self {
        let table = game.knowledge();
        let questions = game.question_pool().questions().iter().map(|q| q.text.clone()).collect();
        let things = game.names().iter().filter_map(|name| table.object(name)).collect();
        Self { table, questions, things }
    }

    /// Whether a question is new in a game, by its words and by what it means, and can be answered.
    pub fn is_fresh(&self, question: &str, said: &Transcript) -> bool {
        self.is_new(question, said, &self.readings(said))
    }

    /// The questions of the world that are new in a game and at most so long, in what `length` counts;
    /// none where all were asked.
    pub fn fresh(
        &self,
        said: &Transcript,
        longest: usize,
        length: impl Fn(&str) -> usize,
    ) -> Option<Choices> {
        let before = self.readings(said);
        let fresh = |question: &&String| {
            self.is_new(question, said, &before) && length(question) <= longest
        };
        let fresh: Choices = self.questions.iter().filter(fresh).cloned().collect();
        (!fresh.is_empty()).then_some(fresh)
    }

    fn is_new(&self, question: &str, said: &Transcript, before: &[Reading]) -> bool {
        let table = self.table;
        let reading = table.read(question);
        let is_answered = || self.things.iter().any(|id| table.answer(*id, &reading).is_some());
        !said.said_before(question) && !before.contains(&reading) && is_answered()
    }

    /// What the questions of a game mean.
    fn readings(&self, said: &Transcript) -> Vec<Reading> {
        said.exchanges().iter().map(|(question, _)| self.table.read(question)).collect()
    }
}

/// The thing that a question guesses, as it was named there, if it guesses one that exists: a yes
/// to it ends the game.
pub fn guessed(question: &str) -> Option<String> {
    guessed_in(knowledge::table(), question)
}

/// The same in a world of another table.
pub fn guessed_in(table: &Table, question: &str) -> Option<String> {
    let phrase = table.guess_phrase(question)?;
    table.object(&phrase).map(|_| phrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::OracleName;
    use crate::twenty_questions::{Options, TwentyQuestions};

    #[test]
    fn a_player_sees_what_it_was_trained_on() {
        let turns = [("Is it alive?", Answer::Yes), ("Is it big?", Answer::Sometimes)];
        let (plain, seen) = (
            WorldConfig::default(),
            "Questions:\nIs it alive? Yes.\nIs it big? Invalid Question.\n",
        );
        assert_eq!(Heard::new(turns, &plain, false).read.text(), seen);
        let vague = WorldConfig { sometimes: true, ..plain.clone() };
        assert!(Heard::new(turns, &vague, true).read.text().ends_with("Is it big? Sometimes.\n"));
        let silent = Heard::new(turns, &plain, true);
        assert_eq!(silent.read.text(), "Questions:\nIs it alive? Yes.\n");
        assert_eq!(silent.said.text(), seen);
    }

    /// "I don't know." is read by an agent that has learned from people, and by no other.
    #[test]
    fn not_to_know_is_an_answer_where_people_answer() {
        let turns = [("Is it alive?", Answer::Unknown), ("Is it big?", Answer::Sometimes)];
        let people = WorldConfig { oracle: OracleName::People, ..WorldConfig::default() };
        let seen = "Questions:\nIs it alive? I don't know.\nIs it big? Sometimes.\n";
        assert_eq!(Heard::new(turns, &people, true).read.text(), seen);
        let vague = WorldConfig { sometimes: true, ..WorldConfig::default() };
        let heard = Heard::new(turns, &vague, true).read.text();
        assert_eq!(heard, "Questions:\nIs it big? Sometimes.\n");
        let invalid = [("Is it alive?", Answer::Invalid)];
        assert_eq!(Heard::new(invalid, &people, true).read.text(), "Questions:\n");
    }

    #[test]
    fn a_question_is_fresh_once_and_in_one_wording() {
        let askable =
            Askable::of(&TwentyQuestions::new(&["cat", "dog"], Options::default()).unwrap());
        let said = Heard::new([("Is it a cat?", Answer::No)], &WorldConfig::default(), true).said;
        for stale in ["Is it a cat?", "is it the cat", "Is it a flurb?", "", "Does it?"] {
            assert!(!askable.is_fresh(stale, &said), "{stale}");
        }
        assert!(askable.is_fresh("Is it a dog?", &said) && askable.is_fresh("Can it fly?", &said));
        let open = askable.fresh(&said, usize::MAX, str::len).unwrap();
        assert!(open.contains(&"Is it a dog?".to_string()), "{open:?}");
        assert!(!open.contains(&"Is it a cat?".to_string()) && open.len() > 1, "{open:?}");
        assert_eq!(askable.fresh(&said, 3, str::len), None);
    }

    #[test]
    fn only_a_guess_of_a_thing_wins() {
        assert_eq!(guessed("Is it a cat?"), Some("cat".to_string()));
        assert_eq!(guessed("Is it made of paper?"), None);
    }
}
