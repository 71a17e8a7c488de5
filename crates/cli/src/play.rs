//! `archer play`: a person thinks of something and the agent asks; in every other world a person watches
//! the agent, or plays himself ([`table`]).
//!
//! The person takes the oracle's place, so the agent sees exactly the text that it was trained on.
//! Answers are read a line at a time; where they come from a pipe they are shown as well, so that
//! what was played can be read afterwards.

use std::io::{self, BufRead, IsTerminal, Write};

use archer::agent::Agent;
use archer::nn::sampling::Sampler;
use archer::rng;
use archer_games::twenty_questions::Options;
use archer_games::twenty_questions::person::{Heard, guessed};
use archer_games::{Answer, WordList, WorldConfig, WorldName};
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::model;
use crate::output;
use crate::worlds;

mod table;

const HELP: &str = "  y  yes            s  sometimes       u  take the last answer back\n  \
                      n  no             d  I don't know    q  leave\n  \
                    The words themselves will do as well.";

/// Things that are too many to be read through.
const MANY: usize = 40;

/// Plays games until the person has had enough.
pub fn run(args: &args::Play) -> Result<(), Error> {
    let device = device::open(&args.device)?.device;
    let load = |path: &std::path::PathBuf| model::load(path, &device);
    let agent = args.model.as_ref().map(load).transpose()?;
    let settings = match (&args.world, &agent) {
        (Some(world), _) => worlds::named(world)?,
        (None, Some(agent)) if !agent.about.world.is_empty() => agent.about.world.clone(),
        _ => {
            return Err(Error::Usage(
                "the model does not say which world it plays: name one with --world".into(),
            ));
        }
    };
    if let (None, Some(why)) = (&args.world, worlds::refused(&settings)) {
        return Err(Error::Usage(why));
    }
    let asks = worlds::as_questions(&settings)
        .filter(|world| world.name == WorldName::TwentyQuestions && !args.me);
    match (agent, asks) {
        (Some(agent), Some(world)) => answer(args, &agent, &world),
        (agent, _) => table::run(args, agent.as_ref(), &settings),
    }
}

/// Answers the questions of an agent.
fn answer(args: &args::Play, agent: &Agent, world: &WorldConfig) -> Result<(), Error> {
    let stdin = io::stdin();
    let echo = !stdin.is_terminal();
    let mut asker = Asker {
        agent,
        sampler: agent.about.sampler(args.sample),
        sometimes: world.sometimes,
        seed: args.seed,
    };
    let mut person = Person { input: stdin.lock(), screen: io::stdout(), echo };
    person.say(&welcome(world)?)?;
    let max_turns = max_turns(world);
    loop {
        let end = game(max_turns, |turns| asker.ask(turns), &mut person)?;
        if end == End::Left || !person.again()? {
            return person.say("Goodbye.");
        }
        asker.seed += 1;
    }
}

fn welcome(world: &WorldConfig) -> Result<String, Error> {
    let names = possible(world)?;
    let thing = match world.words {
        WordList::All if names.len() > MANY => "Think of an everyday thing.".to_string(),
        _ => format!("Think of one of these: {}.", names.join(", ")),
    };
    let turns = max_turns(world);
    Ok(format!("{thing} You will be asked up to {turns} questions; your answers are\n{HELP}"))
}

/// What can be the secret in a world.
fn possible(world: &WorldConfig) -> Result<Vec<String>, Error> {
    let Some(game) = world.guessing()? else {
        return Ok(Vec::new());
    };
    let names = game.names();
    let weights = game.about().weights.unwrap_or_else(|| vec![1.0; names.len()]);
    let likely = names.into_iter().zip(weights).filter(|(_, weight)| *weight > 0.0);
    Ok(likely.map(|(name, _)| name).collect())
}

fn max_turns(world: &WorldConfig) -> usize {
    world.max_turns.unwrap_or(Options::default().max_turns)
}

/// How a game ended.
#[derive(Debug, PartialEq)]
enum End {
    /// The thing was guessed, after so many questions.
    Found(usize),
    /// The questions ran out.
    Lost,
    /// The person left, or the input ended.
    Left,
}

/// What a person can say to a question.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    Answer(Answer),
    Undo,
    Help,
    Quit,
}

impl Word {
    /// Reads a line; nothing for a line that means nothing here.
    fn read(line: &str) -> Option<Word> {
        let line = line.trim().trim_end_matches(['.', '!']).to_lowercase();
        Some(match line.as_str() {
            "y" | "yes" => Word::Answer(Answer::Yes),
            "n" | "no" => Word::Answer(Answer::No),
            "s" | "sometimes" => Word::Answer(Answer::Sometimes),
            "d" | "don't know" | "dont know" | "i don't know" | "unknown" => {
                Word::Answer(Answer::Invalid)
            }
            "u" | "undo" => Word::Undo,
            "?" | "h" | "help" => Word::Help,
            "q" | "quit" | "exit" => Word::Quit,
            _ => return None,
        })
    }
}

/// The agent's side.
struct Asker<'a> {
    agent: &'a Agent,
    sampler: Sampler,
    /// Whether the agent's world knows "Sometimes.".
    sometimes: bool,
    seed: u64,
}

impl Asker<'_> {
    /// The next question. A turn has a generator of its own, so that a question that comes again
    /// after an undo is the same one.
    fn ask(&self, turns: &[(String, Answer)]) -> Result<String, Error> {
        let mut rng = rng::stream(self.seed, "play", turns.len() as u64);
        let turns = turns.iter().map(|(question, answer)| (question, *answer));
        let heard = Heard::new(turns, self.sometimes, self.agent.about.utterance_tries > 1);
        let (seen, said) = (heard.read.text(), &heard.said);
        Ok(block_on(self.agent.say_aloud(&seen, said, None, &self.sampler, &mut rng, |_| ()))?)
    }
}

/// Plays one game of at most `max_turns` questions, which `ask` makes from those before.
fn game<R: BufRead, W: Write>(
    max_turns: usize,
    ask: impl Fn(&[(String, Answer)]) -> Result<String, Error>,
    person: &mut Person<R, W>,
) -> Result<End, Error> {
    let mut turns: Vec<(String, Answer)> = Vec::new();
    while turns.len() < max_turns {
        let question = ask(&turns)?;
        let shown = if question.trim().is_empty() { "(nothing)" } else { question.trim() };
        person.say(&format!("\n{:>2}. {shown}", turns.len() + 1))?;
        match person.word()? {
            None | Some(Word::Quit) => return Ok(End::Left),
            Some(Word::Help) => person.say(HELP)?,
            Some(Word::Undo) => {
                if turns.pop().is_none() {
                    person.say("  There is no answer to take back yet.")?;
                }
            }
            Some(Word::Answer(answer)) => {
                let found = guessed(&question).filter(|_| answer == Answer::Yes);
                turns.push((question, answer));
                if let Some(thing) = found {
                    let n = turns.len();
                    let questions = if n == 1 { "question" } else { "questions" };
                    person.say(&format!("\nFound after {n} {questions}: {thing}!"))?;
                    return Ok(End::Found(n));
                }
            }
        }
    }
    person.say(&format!("\n{} questions and not found. What was it?", turns.len()))?;
    let Some(thing) = person.line()? else {
        return Ok(End::Left);
    };
    if !thing.trim().is_empty() {
        person.say(&format!("  {}, then: well hidden.", thing.trim()))?;
    }
    Ok(End::Lost)
}

/// The person's side.
struct Person<R, W> {
    input: R,
    screen: W,
    echo: bool,
}

impl<R: BufRead, W: Write> Person<R, W> {
    /// Shows a line.
    fn say(&mut self, text: &str) -> Result<(), Error> {
        self.show(&format!("{text}\n"))
    }

    fn show(&mut self, text: &str) -> Result<(), Error> {
        write!(self.screen, "{text}").and_then(|()| self.screen.flush()).map_err(output::closed)
    }

    /// The next line, none at the end of the input.
    fn line(&mut self) -> Result<Option<String>, Error> {
        self.show("    > ")?;
        let mut line = String::new();
        let read = self.input.read_line(&mut line).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                Error::Failure("the answer is not UTF-8 text".to_string())
            }
            _ => Error::Failure(format!("the answer could not be read: {error}")),
        })?;
        if read == 0 {
            self.say("")?;
            return Ok(None);
        }
        if self.echo {
            self.say(line.trim())?;
        }
        Ok(Some(line))
    }

    /// The next line that means something.
    fn word(&mut self) -> Result<Option<Word>, Error> {
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            match Word::read(&line) {
                Some(word) => return Ok(Some(word)),
                None => self.say("    Please answer y, n, s or d (u undo, ? help, q quit).")?,
            }
        }
    }

    /// Whether there shall be another game.
    fn again(&mut self) -> Result<bool, Error> {
        self.say("\nAnother game? (y, n)")?;
        Ok(self.word()? == Some(Word::Answer(Answer::Yes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_what_can_be_thought_of() {
        let told = |world: WorldConfig| welcome(&world).unwrap();
        assert!(told(WorldConfig::default()).starts_with("Think of an everyday thing."));
        let world = WorldConfig {
            words: WordList::Subset,
            extra: vec!["cat".into()],
            weights: [("pen".to_string(), 0.0), ("dog".to_string(), 8.0)].into(),
            max_turns: Some(12),
            ..WorldConfig::default()
        };
        let told = told(world);
        assert!(told.contains("dog") && told.contains(", cat.") && told.contains(" 12 "), "{told}");
        assert!(!told.contains("pen"), "{told}");
    }

    #[test]
    fn words_and_letters_mean_the_same() {
        for (line, word) in [
            ("y\n", Some(Word::Answer(Answer::Yes))),
            (" YES. ", Some(Word::Answer(Answer::Yes))),
            ("n", Some(Word::Answer(Answer::No))),
            ("Sometimes", Some(Word::Answer(Answer::Sometimes))),
            ("I don't know", Some(Word::Answer(Answer::Invalid))),
            ("unknown", Some(Word::Answer(Answer::Invalid))),
            ("u", Some(Word::Undo)),
            ("?", Some(Word::Help)),
            ("quit", Some(Word::Quit)),
            ("", None),
            ("maybe", None),
        ] {
            assert_eq!(Word::read(line), word, "{line:?}");
        }
    }

    /// Plays the questions of a script by the answers of another.
    fn scripted(questions: &[&str], answers: &str, max_turns: usize) -> End {
        let ask = |turns: &[(String, Answer)]| Ok(questions[turns.len()].to_string());
        let mut person = Person { input: answers.as_bytes(), screen: io::sink(), echo: false };
        game(max_turns, ask, &mut person).unwrap()
    }

    #[test]
    fn a_game_ends_when_the_thing_is_named() {
        let questions = ["Is it an animal?", "Is it a dog?", "Is it a cat?"];
        assert_eq!(scripted(&questions, "y\nno\ny\n", 20), End::Found(3));
        assert_eq!(scripted(&questions, "y\ny\n", 20), End::Found(2));
        // The wrong answer is taken back and given again.
        assert_eq!(scripted(&questions, "n\nu\ny\nd\n?\nu\nyes\n", 20), End::Found(2));
        assert_eq!(scripted(&questions, "y\nn\na unicorn\n", 2), End::Lost);
        assert_eq!(scripted(&questions, "y\nq\n", 20), End::Left);
        assert_eq!(scripted(&questions, "y\n", 20), End::Left);
    }
}
