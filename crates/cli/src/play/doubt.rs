//! Asks again about an unlikely answer, and shows at the end of a lost game which answers were unexpected.

use std::io::{BufRead, Write};

use archer_games::Answer;
use archer_games::twenty_questions::doubt::Doubts;

use super::person::{Person, Word};
use crate::error::Error;

/// The most answers of a game that are asked about. A person whose answers disagree more often than that
/// does not see things as the table does.
const MOST: usize = 3;

/// Asks about the answer that is hard to believe, if there is one, and puts another in its place where
/// the person gives one. Whether the person left. `sure` are the turns that were asked about before, and
/// now this one.
pub fn ask<R: BufRead, W: Write>(
    doubts: &Doubts,
    turns: &mut [(String, Answer)],
    sure: &mut Vec<usize>,
    person: &mut Person<R, W>,
) -> Result<bool, Error> {
    let Some(doubted) = doubts.doubted(turns, sure).filter(|_| sure.len() < MOST) else {
        return Ok(false);
    };
    let turn = doubted.turn;
    sure.push(turn);
    let (question, answer) = &mut turns[turn];
    let (number, said) = (turn + 1, word(*answer));
    person.say(&format!(
        "\n    One answer puzzles me. {number}. {} You said {said}: is that right?",
        question.trim()
    ))?;
    let hint = "Please answer y or n, or what it should have been.";
    let right = loop {
        match person.word(hint)? {
            None | Some(Word::Quit) => return Ok(true),
            Some(Word::Answer(Answer::Yes)) => return Ok(false),
            Some(Word::Answer(Answer::No)) => break contrary(*answer),
            Some(Word::Answer(other)) => break other,
            Some(Word::Help | Word::List | Word::Undo) => person.say(&format!("    {hint}"))?,
        }
    };
    *answer = right;
    person.say(&format!("    {}, then.", capital(word(right))))?;
    Ok(false)
}

/// Says which answer surprised most, now that the thing is known.
pub fn tell<R: BufRead, W: Write>(
    doubts: &Doubts,
    thing: &str,
    turns: &[(String, Answer)],
    person: &mut Person<R, W>,
) -> Result<(), Error> {
    let Some(surprise) = doubts.surprise(thing, turns) else { return Ok(()) };
    let (question, answer) = &turns[surprise.turn];
    person.say(&format!(
        "    That surprised me: {}. {} You said {}; I would have said {}.",
        surprise.turn + 1,
        question.trim(),
        word(*answer),
        word(surprise.expected)
    ))
}

/// An answer in the middle of a sentence.
fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Sometimes => "sometimes",
        Answer::Unknown | Answer::Invalid => "don't know",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// What is right where an answer is not.
fn contrary(answer: Answer) -> Answer {
    match answer {
        Answer::Yes => Answer::No,
        Answer::No => Answer::Yes,
        other => other,
    }
}
