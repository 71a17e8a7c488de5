//! A person in the oracle's place: what the player then sees, and when the thing is found.

use archer_world::{Style, Transcript};

use super::{Answer, HEADER};
use crate::knowledge;

/// A person's game as an agent knows it.
pub struct Heard {
    /// What the agent reads.
    pub read: Transcript,
    /// Everything that was said.
    pub said: Transcript,
}

impl Heard {
    /// A game in which these questions got these answers, in an agent's world that knows "Sometimes."
    /// or not.
    ///
    /// An exchange that tells the agent nothing is left out of what it reads where it `retries`, which
    /// keeps it from asking the same again: in its own games only nonsense goes unanswered, and is
    /// followed by more of it.
    pub fn new<Q: AsRef<str>>(
        turns: impl IntoIterator<Item = (Q, Answer)>,
        sometimes: bool,
        retries: bool,
    ) -> Self {
        let begin = || Transcript::new(Style::one_line(), None, HEADER);
        let (mut read, mut said) = (begin(), begin());
        for (question, answer) in turns {
            let answer = match answer {
                Answer::Sometimes if !sometimes => Answer::Invalid,
                other => other,
            };
            said.push(question.as_ref(), answer.text());
            if !(retries && answer == Answer::Invalid) {
                read.push(question.as_ref(), answer.text());
            }
        }
        Self { read, said }
    }
}

/// The thing that a question guesses, as it was named there, if it guesses one that exists: a yes
/// to it ends the game.
pub fn guessed(question: &str) -> Option<String> {
    let phrase = knowledge::guess_phrase(question)?;
    knowledge::table().object(&phrase).map(|_| phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_sees_what_it_was_trained_on() {
        let turns = [("Is it alive?", Answer::Yes), ("Is it big?", Answer::Sometimes)];
        let seen = "Questions:\nIs it alive? Yes.\nIs it big? Invalid Question.\n";
        assert_eq!(Heard::new(turns, false, false).read.text(), seen);
        assert!(Heard::new(turns, true, true).read.text().ends_with("Is it big? Sometimes.\n"));
        let silent = Heard::new(turns, false, true);
        assert_eq!(silent.read.text(), "Questions:\nIs it alive? Yes.\n");
        assert_eq!(silent.said.text(), seen);
    }

    #[test]
    fn only_a_guess_of_a_thing_wins() {
        assert_eq!(guessed("Is it a cat?"), Some("cat".to_string()));
        assert_eq!(guessed("Is it made of paper?"), None);
    }
}
