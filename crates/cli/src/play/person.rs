//! The person's side of a game: lines that are shown, and lines that are read.

use std::io::{self, BufRead, IsTerminal, StdinLock, Stdout, Write};

use archer_games::Answer;
use archer_games::twenty_questions::spoken;
use archer_input::{Line, read_line, skip_line};

use crate::error::Error;
use crate::output;

/// The longest line that a person is expected to type, in bytes.
const LONGEST: usize = 64 << 10;

/// What a person can say to a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Word {
    Answer(Answer),
    Undo,
    List,
    Help,
    Quit,
}

impl Word {
    /// Reads a line; nothing for a line that means nothing here.
    fn read(line: &str) -> Option<Word> {
        if line.trim() == "?" {
            return Some(Word::Help);
        }
        Some(match spoken::plain(line).as_str() {
            "u" | "undo" | "back" => Word::Undo,
            "l" | "list" | "words" | "things" => Word::List,
            "h" | "help" => Word::Help,
            "q" | "quit" | "exit" | "bye" => Word::Quit,
            _ => Word::Answer(spoken::answer(line)?),
        })
    }
}

/// The person, by what is typed and what is shown.
pub struct Person<R, W> {
    input: R,
    screen: W,
    /// Shows what is read, which no terminal does.
    echo: bool,
    /// In columns.
    width: usize,
}

impl Person<StdinLock<'static>, Stdout> {
    /// The person at the terminal, or at the other end of a pipe.
    pub fn here() -> Self {
        let stdin = io::stdin();
        let echo = !stdin.is_terminal();
        Self { input: stdin.lock(), screen: io::stdout(), echo, width: output::width() }
    }
}

impl<R: BufRead, W: Write> Person<R, W> {
    /// A person who types `input` and sees `screen`.
    pub fn scripted(input: R, screen: W, width: usize) -> Self {
        Self { input, screen, echo: false, width }
    }

    /// Shows a text, in lines no wider than the screen.
    pub fn say(&mut self, text: &str) -> Result<(), Error> {
        let lines = output::wrapped(text, self.width);
        self.show(&format!("{lines}\n"))
    }

    /// Shows words in columns.
    pub fn list(&mut self, words: &[String]) -> Result<(), Error> {
        let columns = output::columns(words, self.width);
        self.show(&format!("{columns}\n"))
    }

    fn show(&mut self, text: &str) -> Result<(), Error> {
        write!(self.screen, "{text}").and_then(|()| self.screen.flush()).map_err(output::closed)
    }

    /// The next line, none at the end of the input. What is no text is asked for again.
    pub fn line(&mut self) -> Result<Option<String>, Error> {
        let failed = |error| Error::Failure(format!("the answer could not be read: {error}"));
        loop {
            self.show("    > ")?;
            match read_line(&mut self.input, LONGEST).map_err(failed)? {
                Line::End => {
                    self.say("")?;
                    return Ok(None);
                }
                Line::TooLong => {
                    skip_line(&mut self.input).map_err(failed)?;
                    self.say(&format!("    That is more than {LONGEST} bytes: say less."))?;
                }
                Line::Whole(bytes) => match archer_input::line(&bytes) {
                    Ok(line) => {
                        if self.echo {
                            self.say(line.trim())?;
                        }
                        return Ok(Some(line.to_string()));
                    }
                    Err(fault) => {
                        if self.echo {
                            self.say(String::from_utf8_lossy(&bytes).trim())?;
                        }
                        self.say(&format!("    The line {fault}. Please type it again."))?;
                    }
                },
            }
        }
    }

    /// The next line that means something; `hint` says what does.
    pub fn word(&mut self, hint: &str) -> Result<Option<Word>, Error> {
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            match Word::read(&line) {
                Some(word) => return Ok(Some(word)),
                None => self.say(&format!("    {hint}"))?,
            }
        }
    }

    /// Whether there shall be another game.
    pub fn again(&mut self) -> Result<bool, Error> {
        self.say("\nAnother game? (y, n)")?;
        loop {
            match self.word("Please answer y or n.")? {
                None | Some(Word::Quit) => return Ok(false),
                Some(Word::Answer(Answer::Yes)) => return Ok(true),
                Some(Word::Answer(Answer::No)) => return Ok(false),
                Some(_) => self.say("    Please answer y or n.")?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_letters_mean_the_same() {
        for (line, word) in [
            ("y\n", Some(Word::Answer(Answer::Yes))),
            (" YES. ", Some(Word::Answer(Answer::Yes))),
            ("nope", Some(Word::Answer(Answer::No))),
            ("Sometimes", Some(Word::Answer(Answer::Sometimes))),
            ("I don’t know", Some(Word::Answer(Answer::Unknown))),
            ("u", Some(Word::Undo)),
            ("List", Some(Word::List)),
            ("?", Some(Word::Help)),
            ("Quit!", Some(Word::Quit)),
            ("", None),
            ("a unicorn", None),
        ] {
            assert_eq!(Word::read(line), word, "{line:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_asked_for_again() {
        let mut screen = Vec::new();
        let long = vec![b'x'; LONGEST + 1];
        let input = [b"\xfc\n", &long[..], b"\n\xef\xbb\xbfja\r\n"].concat();
        let line = Person::scripted(&input[..], &mut screen, 80).line().unwrap();
        assert_eq!(line.as_deref(), Some("ja"));
        let shown = String::from_utf8(screen).unwrap();
        assert!(shown.contains("The line has the byte 0xFC in column 1"), "{shown}");
        assert!(shown.contains("more than 65536 bytes"), "{shown}");
        // What is typed after a mark ends its line on a screen, and is not in here.
        let wide = |line: &str| line.trim_start_matches("    > ").chars().count() > 80;
        assert!(!shown.lines().any(wide), "{shown}");
    }
}
