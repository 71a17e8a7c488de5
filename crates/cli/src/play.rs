//! `archer play`: a person thinks of something and the agent asks; in every other world a person watches
//! the agent, or plays himself ([`table`]).
//!
//! The person takes the oracle's place, so the agent sees exactly the text that it was trained on.
//! Answers are read a line at a time; where they come from a pipe they are shown as well, so that
//! what was played can be read afterwards.

use std::cell::RefCell;
use std::io::{BufRead, Write};

use archer::agent::Agent;
use archer::nn::prefix_cache::PrefixCache;
use archer::nn::sampling::Sampler;
use archer::parallel;
use archer::rng;
use archer::talk::State;
use archer_games::knowledge;
use archer_games::twenty_questions::Options;
use archer_games::twenty_questions::doubt::Doubts;
use archer_games::twenty_questions::person::{Askable, Heard, guessed_in};
use archer_games::{Answer, Words, WorldConfig, WorldName};
use archer_world::{Choices, Settings};
use pollster::block_on;

use crate::args;
use crate::device;
use crate::error::Error;
use crate::model;
use crate::output;
use crate::worlds;

mod doubt;
mod person;
mod table;

use person::{Person, Word};

/// Things that are too many to be named in a sentence.
const MANY: usize = 40;

/// Plays games until the person has had enough.
pub fn run(args: &args::Play) -> Result<(), Error> {
    let opened = device::open(&args.device)?;
    parallel::share_products(opened.threads);
    let device = opened.device;
    let load = |path: &std::path::PathBuf| model::load_as(path, args.holding.weights, &device);
    let agent = args.model.as_ref().map(load).transpose()?;
    let settings = match (&args.world, &agent) {
        (Some(world), _) => worlds::named(world)?,
        // The table answers a person who asks, also where the agent's oracle is people.
        (None, Some(agent)) if !agent.about.world.is_empty() => {
            let own = agent.about.world.clone();
            let asked = worlds::as_questions(&own).filter(|_| args.me);
            asked.map_or(own, |world| world.truthful().settings())
        }
        _ => {
            return Err(Error::Usage(
                "the model does not say which world it plays: name one with --world".into(),
            ));
        }
    };
    if let (None, Some(why)) = (&args.world, worlds::refused(&settings)) {
        return Err(Error::Usage(why));
    }
    if args.list {
        return list(&settings);
    }
    let asks = worlds::as_questions(&settings)
        .filter(|world| world.name == WorldName::TwentyQuestions && !args.me);
    match (agent, asks) {
        (Some(agent), Some(world)) => answer(args, &agent, &world),
        (agent, _) => table::run(args, agent.as_ref(), &settings),
    }
}

/// Prints what can be thought of in a world.
fn list(settings: &Settings) -> Result<(), Error> {
    let world = worlds::as_questions(settings);
    let words = world.map(|world| possible(&world)).transpose()?.unwrap_or_default();
    if words.is_empty() {
        return Err(Error::Usage(
            "--list: this world has no list of words; twenty_questions and guess_my_city have"
                .into(),
        ));
    }
    output::line(&output::columns(&words, output::width()))
}

/// Answers the questions of an agent.
fn answer(args: &args::Play, agent: &Agent, world: &WorldConfig) -> Result<(), Error> {
    let table = Table::of(world)?;
    let mut asker = Asker::new(agent, world, args)?;
    let mut person = Person::here();
    table.welcome(&mut person)?;
    loop {
        let end = game(&table, |turns| asker.ask(turns), &mut person)?;
        if end == End::Left || !person.again()? {
            return person.say("Goodbye.");
        }
        asker.seed += 1;
    }
}

/// What a person is told of a world.
#[derive(Default)]
struct Table {
    /// What can be thought of.
    words: Vec<String>,
    max_turns: usize,
    /// Whether "sometimes" is an answer.
    sometimes: bool,
    /// What is known of the things beside their names; the embedded table where this is none.
    knowledge: Option<&'static knowledge::Table>,
    doubts: Option<Doubts>,
}

impl Table {
    fn of(world: &WorldConfig) -> Result<Self, Error> {
        let max_turns = world.max_turns.unwrap_or(Options::default().max_turns);
        Ok(Self {
            words: possible(world)?,
            max_turns,
            sometimes: world.knows(Answer::Sometimes),
            knowledge: Some(world.table()?),
            doubts: Doubts::of(world)?,
        })
    }

    /// The thing that a question guesses, as it was named there.
    fn guessed(&self, question: &str) -> Option<String> {
        guessed_in(self.knowledge.unwrap_or_else(knowledge::table), question)
    }

    fn welcome<R: BufRead, W: Write>(&self, person: &mut Person<R, W>) -> Result<(), Error> {
        let words = match self.words.len() > MANY {
            true => format!("Think of one of {} everyday things", self.words.len()),
            false => format!("Think of one of these: {}", self.words.join(", ")),
        };
        person.say(&format!(
            "{words}. You will be asked up to {} questions; your answers are",
            self.max_turns
        ))?;
        self.help(person)
    }

    fn help<R: BufRead, W: Write>(&self, person: &mut Person<R, W>) -> Result<(), Error> {
        let mut keys = vec!["y  yes", "n  no", "d  don't know"];
        if self.sometimes {
            keys.push("s  sometimes");
        }
        keys.extend(["u  undo an answer", "l  list the things", "?  help", "q  leave"]);
        let keys: Vec<String> = keys.into_iter().map(str::to_string).collect();
        person.list(&keys)?;
        person.say("Words such as \"yep\", \"probably not\" or \"idk\" will do as well.")
    }

    /// Which keys are answers.
    fn hint(&self) -> String {
        let answers = if self.sometimes { "y, n, s or d" } else { "y, n or d" };
        format!("Please answer {answers} (u undo, l list, ? help, q quit).")
    }
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

/// The agent's side.
struct Asker<'a> {
    agent: &'a Agent,
    sampler: Sampler,
    /// The agent's world, which says what answers it has learned from.
    world: &'a WorldConfig,
    doubts: Option<Doubts>,
    askable: Option<Askable>,
    seed: u64,
    /// What it read of the game when it asked last.
    prefix: RefCell<PrefixCache>,
}

impl<'a> Asker<'a> {
    fn new(agent: &'a Agent, world: &'a WorldConfig, args: &args::Play) -> Result<Self, Error> {
        let askable = world.guessing()?.map(|game| Askable::of(game.as_ref()));
        let (sampler, doubts) = (agent.about.sampler(args.sample), Doubts::of(world)?);
        let prefix = RefCell::default();
        Ok(Self { agent, sampler, world, doubts, askable, seed: args.seed, prefix })
    }

    /// The next question. A turn has a generator of its own, so that a question that comes again
    /// after an undo is the same one. What the answers exclude is not guessed while they leave anything.
    fn ask(&self, turns: &[(String, Answer)]) -> Result<String, Error> {
        let possible = self.doubts.as_ref().map(|doubts| doubts.possible(turns));
        let denied = |question: &str| {
            let known = self.doubts.as_ref().zip(possible.as_ref());
            known.is_some_and(|(doubts, possible)| doubts.is_denied(question, possible))
        };
        let heard = turns.iter().map(|(question, answer)| (question, *answer));
        let style = &self.agent.about.style;
        let Heard { read, said } = Heard::in_style(heard, self.world, true, style);
        let say = |choices: Option<&Choices>| -> Result<String, Error> {
            let mut rng = rng::stream(self.seed, "play", said.exchanges().len() as u64);
            let (sampler, observation) = (&self.sampler, &read.text());
            let state = State { observation, before: &said, choices };
            let prefix = &mut *self.prefix.borrow_mut();
            Ok(block_on(self.agent.say_aloud(state, sampler, &mut rng, prefix, |_| ()))?)
        };
        let question = say(None)?;
        let good = |askable: &Askable| askable.is_fresh(&question, &said) && !denied(&question);
        let Some(askable) = self.askable.as_ref().filter(|askable| !good(askable)) else {
            return Ok(question);
        };
        // A choice ends by a token of its own.
        let longest = self.agent.about.max_new_tokens.saturating_sub(1);
        let length = |text: &str| self.agent.tokenizer.encode(text).len();
        let mut choices = askable.fresh(&said, longest, length).unwrap_or_default();
        choices.retain(|choice| !denied(choice));
        match choices.is_empty() {
            false => say(Some(&choices)),
            true => Ok(question),
        }
    }
}

/// Plays one game of questions, which `ask` makes from those before.
fn game<R: BufRead, W: Write>(
    table: &Table,
    ask: impl Fn(&[(String, Answer)]) -> Result<String, Error>,
    person: &mut Person<R, W>,
) -> Result<End, Error> {
    let mut turns: Vec<(String, Answer)> = Vec::new();
    // The turns whose answers were doubted before.
    let mut sure: Vec<usize> = Vec::new();
    while turns.len() < table.max_turns {
        let question = ask(&turns)?;
        let shown = if question.trim().is_empty() { "(nothing)" } else { question.trim() };
        person.say(&format!("\n{:>2}. {shown}", turns.len() + 1))?;
        match person.word(&table.hint())? {
            None | Some(Word::Quit) => return Ok(End::Left),
            Some(Word::Help) => table.help(person)?,
            Some(Word::List) => person.list(&table.words)?,
            Some(Word::Undo) => {
                if turns.pop().is_none() {
                    person.say("    There is no answer to take back yet.")?;
                }
                sure.retain(|turn| *turn < turns.len());
            }
            Some(Word::Answer(answer)) => {
                if answer == Answer::Sometimes && !table.sometimes {
                    person.say(
                        "    The agent has not learned \"sometimes\"; it counts as \"don't know\".",
                    )?;
                }
                let found = table.guessed(&question).filter(|_| answer == Answer::Yes);
                turns.push((question, answer));
                if let Some(thing) = found {
                    let n = turns.len();
                    let questions = if n == 1 { "question" } else { "questions" };
                    person.say(&format!("\nFound after {n} {questions}: {thing}!"))?;
                    return Ok(End::Found(n));
                }
                let doubts = table.doubts.as_ref().filter(|_| turns.len() < table.max_turns);
                if let Some(doubts) = doubts
                    && doubt::ask(doubts, &mut turns, &mut sure, person)?
                {
                    return Ok(End::Left);
                }
            }
        }
    }
    person.say(&format!("\n{} questions and not found. What was it?", turns.len()))?;
    let Some(thing) = person.line()? else {
        return Ok(End::Left);
    };
    if !thing.trim().is_empty() {
        person.say(&format!("    {}, then: well hidden.", thing.trim()))?;
        if let Some(doubts) = &table.doubts {
            doubt::tell(doubts, &thing, &turns, person)?;
        }
    }
    Ok(End::Lost)
}

/// Plays a game with a person who types `input`, whatever it is.
pub fn by_script(input: &[u8]) {
    let mut person = Person::scripted(input, std::io::sink(), 60);
    let words = ["cat".to_string(), "dog".to_string()].to_vec();
    let world = WorldConfig { words: Words::These(words), sometimes: true, ..Default::default() };
    let table = Table::of(&world).expect("the table has these words");
    let ask = |turns: &[(String, Answer)]| {
        Ok(if turns.len() % 3 == 2 { "Is it a cat?" } else { "Is it alive?" }.to_string())
    };
    game(&table, ask, &mut person).expect("memory can be read and written");
}

#[cfg(test)]
mod tests {
    use archer_games::WordList;
    use archer_games::twenty_questions::person::guessed;

    use super::*;

    fn welcome(world: &WorldConfig, width: usize) -> String {
        let mut screen = Vec::new();
        let mut person = Person::scripted(&b""[..], &mut screen, width);
        Table::of(world).unwrap().welcome(&mut person).unwrap();
        String::from_utf8(screen).unwrap()
    }

    #[test]
    fn a_person_is_told_what_can_be_thought_of() {
        let told = welcome(&WorldConfig::default(), 80);
        assert!(told.starts_with("Think of one of 157 everyday things."), "{told}");
        let world = WorldConfig {
            words: WordList::Subset.into(),
            extra: vec!["cat".into()],
            weights: [("pen".to_string(), 0.0), ("dog".to_string(), 8.0)].into(),
            max_turns: Some(12),
            ..WorldConfig::default()
        };
        let told = welcome(&world, 200);
        assert!(told.contains("dog") && told.contains(", cat.") && told.contains(" 12 "), "{told}");
        assert!(!told.contains("pen"), "{told}");
    }

    #[test]
    fn a_person_is_offered_what_the_world_knows_within_the_width() {
        let plain = welcome(&WorldConfig::default(), 60);
        assert!(!plain.contains("sometimes"), "{plain}");
        let world = WorldConfig { sometimes: true, ..WorldConfig::default() };
        assert!(welcome(&world, 60).contains("s  sometimes"));
        for width in [20, 40, 60, 80, 100] {
            let told = welcome(&world, width);
            assert!(told.lines().all(|line| line.chars().count() <= width), "{width}: {told}");
        }
    }

    /// Plays the questions of a script by the answers of another.
    fn scripted(questions: &[&str], answers: &str, max_turns: usize) -> End {
        let ask = |turns: &[(String, Answer)]| Ok(questions[turns.len()].to_string());
        let mut person = Person::scripted(answers.as_bytes(), std::io::sink(), 80);
        game(&Table { max_turns, ..Table::default() }, ask, &mut person).unwrap()
    }

    #[test]
    fn a_game_ends_when_the_thing_is_named() {
        let questions = ["Is it an animal?", "Is it a dog?", "Is it a cat?"];
        assert_eq!(scripted(&questions, "y\nno\ny\n", 20), End::Found(3));
        assert_eq!(scripted(&questions, "y\ny\n", 20), End::Found(2));
        // The wrong answer is taken back and given again.
        assert_eq!(scripted(&questions, "n\nu\ny\nd\n?\nl\nu\nyes\n", 20), End::Found(2));
        assert_eq!(scripted(&questions, "y\nn\na unicorn\n", 2), End::Lost);
        assert_eq!(scripted(&questions, "y\nq\n", 20), End::Left);
        assert_eq!(scripted(&questions, "y\n", 20), End::Left);
    }

    /// What is shown of a game about four things with these questions and lines.
    fn doubted(questions: &[&str], lines: &str, max_turns: usize) -> String {
        let words = ["cat", "dog", "bus", "car"].map(str::to_string).to_vec();
        let world = WorldConfig { words: Words::These(words), ..WorldConfig::default() };
        let table = Table { max_turns, ..Table::of(&world).unwrap() };
        let ask = |turns: &[(String, Answer)]| Ok(questions[turns.len()].to_string());
        let mut screen = Vec::new();
        game(&table, ask, &mut Person::scripted(lines.as_bytes(), &mut screen, 120)).unwrap();
        String::from_utf8(screen).unwrap()
    }

    #[test]
    fn an_answer_that_goes_with_nothing_is_asked_about_once() {
        let questions = [
            "Is it an animal?",
            "Does it have fur?",
            "Is it a vehicle?",
            "Is it a cat?",
            "Is it a dog?",
        ];
        // "No" to the doubt turns the answer round, and so nothing is left to doubt.
        let corrected = doubted(&questions, "y\ny\ny\nno\nq\n", 20);
        assert!(
            corrected.contains("3. Is it a vehicle? You said yes: is that right?"),
            "{corrected}"
        );
        assert!(
            corrected.contains("No, then.") && corrected.contains(" 4. Is it a cat?"),
            "{corrected}"
        );
        // Who is sure is not asked again about the same.
        let sure = doubted(&questions, "y\ny\ny\nhm\ny\nn\nq\n", 20);
        assert_eq!(sure.matches("is that right?").count(), 1, "{sure}");
        assert!(sure.contains("Please answer y or n"), "{sure}");
        // Another answer can be given at once, and a game be left.
        assert!(doubted(&questions, "y\ny\ny\nd\nq\n", 20).contains("Don't know, then."));
        assert!(doubted(&questions, "y\ny\ny\nq\n", 20).ends_with("> "));
    }

    #[test]
    fn the_end_of_a_lost_game_tells_what_surprised() {
        let questions = ["Is it heavy?", "Is it a vehicle?"];
        let lost = doubted(&questions, "n\ny\nbus\n", 2);
        let told = "That surprised me: 1. Is it heavy? You said no; I would have said yes.";
        assert!(lost.contains(told), "{lost}");
        let plain = doubted(&questions, "y\ny\nbus\n", 2);
        assert!(plain.contains("well hidden") && !plain.contains("surprised"), "{plain}");
        assert!(!doubted(&questions, "n\ny\na zorb\n", 2).contains("surprised"));
    }

    /// The questions of a game with the shipped agent of ten words, by these answers.
    fn asked(asker: &Asker<'_>, answer: impl Fn(usize, &str) -> Answer) -> Vec<String> {
        let mut turns: Vec<(String, Answer)> = Vec::new();
        for turn in 0..20 {
            let question = asker.ask(&turns).unwrap();
            let answer = answer(turn, &question);
            let found = answer == Answer::Yes && guessed(&question).is_some();
            turns.push((question, answer));
            if found {
                break;
            }
        }
        turns.into_iter().map(|(question, _)| question).collect()
    }

    #[test]
    fn the_agent_of_ten_words_asks_sensible_things_once_whatever_is_answered() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pkg/models/quickstart.archer");
        let device = device::open("flex").unwrap().device;
        let agent = model::load(std::path::Path::new(path), &device).unwrap();
        let world = worlds::as_questions(&agent.about.world).unwrap();
        let words = possible(&world).unwrap();
        assert_eq!(words.len(), 10);
        let asker = |sample: bool, seed: u64| Asker {
            sampler: agent.about.sampler(sample),
            askable: world.guessing().unwrap().map(|game| Askable::of(game.as_ref())),
            doubts: Doubts::of(&world).unwrap(),
            world: &world,
            agent: &agent,
            seed,
            prefix: RefCell::default(),
        };
        let (table, vague) = (knowledge::table(), [Answer::Unknown, Answer::Sometimes]);
        let check = |asked: &[String], pattern: &str| {
            let things: Vec<_> = words.iter().map(|word| table.object(word).unwrap()).collect();
            for (n, question) in asked.iter().enumerate() {
                let reading = table.read(question);
                assert!(
                    things.iter().any(|thing| table.answer(*thing, &reading).is_some()),
                    "{pattern}: {question:?} makes no sense in {asked:?}"
                );
                assert!(
                    asked[..n].iter().all(|before| table.read(before) != reading),
                    "{pattern}: {question:?} was asked before in {asked:?}"
                );
            }
        };
        let greedy = asker(false, 7);
        for always in [Answer::Yes, Answer::No, Answer::Sometimes, Answer::Unknown] {
            check(&asked(&greedy, |_, _| always), &format!("always {always:?}"));
        }
        for word in &words {
            let thing = table.object(word).unwrap();
            let truth = |question: &str| match table.answer(thing, &table.read(question)) {
                Some(value) if value.is_mostly_yes() => Answer::Yes,
                Some(_) => Answer::No,
                None => Answer::Invalid,
            };
            // An honest person is understood as before.
            let plain = asked(&greedy, |_, question| truth(question));
            assert_eq!(guessed(plain.last().unwrap()).as_deref(), Some(&**word), "{plain:?}");
            check(&plain, word);
            for first in 0..6 {
                for dim in vague {
                    let once = |turn: usize, question: &str| match turn == first {
                        true => dim,
                        false => truth(question),
                    };
                    check(&asked(&greedy, once), &format!("{word}, {dim:?} at {first}"));
                    let until = |turn: usize, question: &str| match turn < first {
                        true => dim,
                        false => truth(question),
                    };
                    check(&asked(&greedy, until), &format!("{word}, {dim:?} before {first}"));
                }
                let lie = |turn: usize, question: &str| match (turn == first, truth(question)) {
                    (true, Answer::Yes) => Answer::No,
                    (true, Answer::No) if guessed(question).is_none() => Answer::Yes,
                    (_, truth) => truth,
                };
                check(&asked(&greedy, lie), &format!("{word}, a lie at {first}"));
            }
        }
        // Any answers at all, from an agent that draws.
        for seed in 0..20 {
            let mixed = |turn: usize, _: &str| {
                [Answer::No, Answer::Unknown, Answer::Sometimes, Answer::Yes]
                    [(seed as usize + turn * turn + 3 * turn) % 4]
            };
            check(&asked(&asker(true, seed), mixed), &format!("any, seed {seed}"));
        }
    }
}
