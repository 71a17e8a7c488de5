//! A person in the oracle's place: what the player then sees, and when the thing is found.

use super::{Answer, HEADER};
use crate::knowledge;

/// What a player sees of a game in which these questions got these answers. One that was not
/// trained with "Sometimes." hears it as no answer.
pub fn transcript<Q: AsRef<str>>(
    turns: impl IntoIterator<Item = (Q, Answer)>,
    sometimes: bool,
) -> String {
    let mut text = HEADER.to_string();
    for (question, answer) in turns {
        let answer = match answer {
            Answer::Sometimes if !sometimes => Answer::Invalid,
            other => other,
        };
        text.push_str(&format!("{} {}\n", question.as_ref(), answer.text()));
    }
    text
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
        assert_eq!(transcript(turns, false), seen);
        assert!(transcript(turns, true).ends_with("Is it big? Sometimes.\n"));
    }

    #[test]
    fn only_a_guess_of_a_thing_wins() {
        assert_eq!(guessed("Is it a cat?"), Some("cat".to_string()));
        assert_eq!(guessed("Is it made of paper?"), None);
    }
}
