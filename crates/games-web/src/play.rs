//! The person thinks of something and the agent asks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use archer_games::oracle::{AmendedOracle, Oracle};
use archer_games::twenty_questions::Amendments;
use archer_games::twenty_questions::HEADER;
use archer_games::twenty_questions::doubt::Doubts;
use archer_games::twenty_questions::person::{Heard, guessed};
use archer_games::{Answer, WorldName, knowledge, letters};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::games::Games;

/// What a person can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// It depends.
    Sometimes,
    /// Don't know.
    Unknown,
}

impl Said {
    fn observed(self) -> Answer {
        match self {
            Said::Yes => Answer::Yes,
            Said::No => Answer::No,
            Said::Sometimes => Answer::Sometimes,
            Said::Unknown => Answer::Unknown,
        }
    }
}

impl From<Answer> for Said {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Said::Yes,
            Answer::No => Said::No,
            Answer::Sometimes => Said::Sometimes,
            Answer::Unknown | Answer::Invalid => Said::Unknown,
        }
    }
}

/// Where a game stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The agent is to ask.
    Ask,
    /// The person is to answer.
    Answer,
    /// The thing was guessed.
    Found,
    /// The questions ran out.
    Lost,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename(deserialize = "Turn.."))]
pub struct Turn {
    /// From 1.
    pub number: usize,
    /// As the agent said it.
    pub question: String,
    /// None while it is awaited.
    #[serde(default)]
    pub answer: Option<Said>,
    /// The thing that the question guesses.
    #[serde(default)]
    pub guess: Option<String>,
    /// Whether a person put the question there.
    pub forced: bool,
}

/// A game as an agent knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    opening: String,
    exchanges: Vec<(String, String)>,
    unread: Vec<String>,
    /// Sum of the rewards so far.
    return_before: f64,
}

/// A turn of a game that was left, as the page kept it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "PastTurn..")]
pub struct PastTurn {
    question: String,
    #[serde(default)]
    answer: Option<Said>,
    #[serde(default)]
    forced: bool,
}

/// A game as the page holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename(deserialize = "Game.."))]
pub struct Game {
    seed: u64,
    /// Where it stands.
    pub status: Status,
    /// What was asked so far.
    pub turns: Vec<Turn>,
    max_turns: usize,
    /// The thing that was found.
    #[serde(default)]
    pub found: Option<String>,
    return_so_far: f64,
}

impl Game {
    /// Brings the summary in line with the turns.
    fn settle(mut self) -> Self {
        let last = self.turns.last();
        self.found =
            last.filter(|turn| turn.answer == Some(Said::Yes)).and_then(|t| t.guess.clone());
        self.status = match last {
            Some(turn) if turn.answer.is_none() => Status::Answer,
            _ if self.found.is_some() => Status::Found,
            _ if self.turns.len() >= self.max_turns => Status::Lost,
            _ => Status::Ask,
        };
        self.return_so_far = self.return_before(self.turns.len() + 1);
        self
    }

    /// Sum of the rewards of the turns before number `turn`.
    pub(crate) fn return_before(&self, turn: usize) -> f64 {
        let paid = self.turns.iter().take(turn - 1).filter(|turn| {
            turn.answer.is_some() && !(turn.guess.is_some() && turn.answer == Some(Said::Yes))
        });
        -(paid.count() as f64)
    }

    /// The exchanges before turn number `turn`.
    fn observed_before(&self, turn: usize) -> impl Iterator<Item = (&String, Answer)> {
        let turns = self.turns.iter().take(turn - 1);
        turns.filter_map(|turn| Some((&turn.question, turn.answer?.observed())))
    }

    fn expect(&self, status: Status, call: &str) -> Result<(), Fault> {
        if self.status == status {
            return Ok(());
        }
        Err(Fault::usage(
            format!("{call} does not go with a game that stands at {:?}", self.status),
            "Look at the game's status before each call.",
        ))
    }
}

/// What the table would have answered, beside what the person did.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct RevealedTurn {
    #[serde(flatten)]
    turn: Turn,
    expected: Said,
    agrees: bool,
}

/// A game once the thing is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reveal {
    thing: String,
    known: bool,
    listed: bool,
    turns: Vec<RevealedTurn>,
    /// The number of the turn whose answer was least to be expected, if one was not.
    surprise: Option<usize>,
}

/// An answer of a person that is hard to believe, so that the page may ask about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doubt {
    /// The number of its turn, from 1.
    turn: usize,
    question: String,
    answer: Said,
    /// What it speaks against: the likeliest thing.
    thing: String,
    /// Whether no thing goes with all answers.
    nothing_left: bool,
}

/// A thing that the agent may be about to guess.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Guess {
    thing: String,
    probability: f64,
    denied: bool,
}

/// What the agent would guess now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guesses {
    guesses: Vec<Guess>,
    guessing: f64,
}

impl Games {
    /// A game before its first question, or one that was left gone on with.
    pub(crate) fn play(&self, seed: u64, past: Vec<PastTurn>) -> Result<Game, Fault> {
        self.check_playable()?;
        let max_turns = self.max_turns;
        let (status, turns) = (Status::Ask, Vec::new());
        let mut game = Game { seed, status, turns, max_turns, found: None, return_so_far: 0.0 };
        for (n, past) in past.into_iter().enumerate() {
            game.expect(Status::Ask, "another turn")?;
            let turn = asked(n + 1, past.question, past.forced);
            game.turns.push(Turn { answer: past.answer, ..turn });
            game = game.settle();
        }
        Ok(game)
    }

    fn check_playable(&self) -> Result<(), Fault> {
        if self.world.name == WorldName::TwentyQuestions {
            return Ok(());
        }
        Err(Fault::usage(
            format!("this model plays {}, where a person has nothing to answer", self.world.name),
            "Load a model of twenty_questions.",
        ))
    }

    /// What an agent knows before turn number `turn`, as it is handed to one; `retries` says whether it
    /// keeps from what it said before.
    pub(crate) fn talk(&self, game: &Game, turn: usize, retries: bool) -> Result<Talk, Fault> {
        check_turn(game, turn)?;
        let observed = game.observed_before(turn);
        let Heard { read, said } = Heard::new(observed, &self.world, retries);
        let mut exchanges = read.exchanges().iter();
        let mut next = exchanges.next();
        let mut unread = Vec::new();
        for exchange in said.exchanges() {
            if next == Some(exchange) {
                next = exchanges.next();
            } else {
                unread.push(exchange.0.clone());
            }
        }
        Ok(Talk {
            opening: HEADER.to_string(),
            exchanges: read.exchanges().to_vec(),
            unread,
            return_before: game.return_before(turn),
        })
    }

    /// The game after the agent has asked this.
    pub(crate) fn asked(&self, mut game: Game, question: String) -> Result<Game, Fault> {
        game.expect(Status::Ask, "ask")?;
        let turn = game.turns.len() + 1;
        game.turns.push(asked(turn, question, false));
        Ok(game.settle())
    }

    /// The game with its open question answered.
    pub(crate) fn answer(&self, mut game: Game, answer: Said) -> Result<Game, Fault> {
        game.expect(Status::Answer, "answer")?;
        game.turns.last_mut().expect("a question stands open").answer = Some(answer);
        Ok(game.settle())
    }

    /// The game before its last answer.
    pub(crate) fn undo(&self, mut game: Game) -> Result<Game, Fault> {
        if game.status == Status::Answer {
            game.turns.pop();
        }
        let Some(last) = game.turns.last_mut() else {
            return Err(Fault::usage(
                "there is no answer to take back",
                "Answer the first question before.",
            ));
        };
        last.answer = None;
        Ok(game.settle())
    }

    /// The answer to doubt, if there is one that is not `sure`, which holds the numbers of turns.
    pub(crate) fn doubt(&self, game: &Game, sure: &[usize]) -> Result<Option<Doubt>, Fault> {
        let sure: Vec<usize> = sure.iter().filter_map(|number| number.checked_sub(1)).collect();
        let doubted = self.doubts()?.and_then(|doubts| doubts.doubted(&answered(game), &sure));
        Ok(doubted.map(|doubted| {
            let turn = &game.turns[doubted.turn];
            Doubt {
                turn: turn.number,
                question: turn.question.clone(),
                answer: turn.answer.unwrap_or(Said::Unknown),
                thing: self.things[doubted.thing].clone(),
                nothing_left: doubted.nothing_left,
            }
        }))
    }

    /// The game with another answer at an answered turn; what was asked since stays.
    pub(crate) fn correct(&self, mut game: Game, turn: usize, answer: Said) -> Result<Game, Fault> {
        let known = turn.checked_sub(1).and_then(|turn| game.turns.get_mut(turn));
        let Some(known) = known.filter(|turn| turn.answer.is_some()) else {
            return Err(Fault::usage(
                format!("turn {turn} has no answer to correct"),
                "Turns count from 1.",
            ));
        };
        known.answer = Some(answer);
        Ok(game.settle())
    }

    fn doubts(&self) -> Result<Option<Doubts>, Fault> {
        Ok(Doubts::of(&self.world)?)
    }

    /// The game gone back to a turn, with another question there.
    pub(crate) fn force(&self, mut game: Game, turn: usize, text: &str) -> Result<Game, Fault> {
        let question = text.split(['\n', '\r']).next().unwrap_or_default().trim();
        if question.is_empty() {
            return Err(Fault::usage("the question is empty", "Type a question."));
        }
        check_turn(&game, turn)?;
        game.turns.truncate(turn - 1);
        game.turns.push(asked(turn, question.to_string(), true));
        Ok(game.settle())
    }

    /// What the agent's world says to each question, now that the thing is known: the table's answer,
    /// or another where that world has another.
    pub(crate) fn reveal(&self, game: &Game, thing: &str) -> Result<Reveal, Fault> {
        let named = letters::lower(thing.trim());
        if named.is_empty() {
            return Err(Fault::usage("the thing has no name", "Say what it was."));
        }
        let table = knowledge::table();
        let object = table.object(&named).map(|id| &table.objects()[id.0]);
        let known = object.is_some();
        let thing = object.map_or(named, |object| object.name.clone());
        let listed = self.things.iter().any(|listed| {
            *listed == thing
                || table.object(listed).is_some_and(|id| table.objects()[id.0].name == thing)
        });
        let oracle = |sometimes| {
            let amendments = Amendments::new(&self.world.answers, true)?;
            Ok::<_, Fault>(AmendedOracle { knowledge: table, sometimes, amendments })
        };
        let (mut world, mut fine) = (oracle(self.world.knows(Answer::Sometimes))?, oracle(true)?);
        let answer = |oracle: &mut AmendedOracle, turn: &Turn| {
            let raw = oracle.answer(&thing, &turn.question);
            Said::from(Answer::from_text(&raw).unwrap_or(Answer::Invalid))
        };
        let turns = game.turns.iter().map(|turn| {
            let expected = answer(&mut world, turn);
            // What depends, a person may see either way.
            let vague = |said| matches!(said, Said::Unknown | Said::Sometimes);
            let agrees = turn.answer.is_none_or(|said| {
                said == expected || vague(said) || vague(answer(&mut fine, turn))
            });
            RevealedTurn { turn: turn.clone(), expected, agrees }
        });
        let turns = turns.collect();
        let surprise = self.doubts()?.and_then(|it| it.surprise(&thing, &answered(game)));
        let surprise = surprise.map(|surprise| surprise.turn + 1);
        Ok(Reveal { turns, thing, known, listed, surprise })
    }

    /// How the actor's next utterance is spread over the guesses of all things, whose log-probabilities
    /// these are.
    pub(crate) fn guesses(&self, game: &Game, log_probs: &[f64]) -> Result<Guesses, Fault> {
        if log_probs.len() != self.things.len() {
            return Err(Fault::usage(
                format!("{} things have {} log-probabilities", self.things.len(), log_probs.len()),
                "Score the utterances that guess them, in their order.",
            ));
        }
        let shares: Vec<f64> = log_probs.iter().map(|log| log.exp()).collect();
        let guessing: f64 = shares.iter().sum();
        let table = knowledge::table();
        let denied = |thing: &str| {
            let object = table.object(thing);
            game.turns.iter().any(|turn| {
                turn.answer == Some(Said::No)
                    && turn.guess.as_deref().is_some_and(|guess| table.object(guess) == object)
            })
        };
        // An actor that is sure to ask something else may leave nothing to share out.
        let even = 1.0 / shares.len().max(1) as f64;
        let share = |p: f64| if guessing > 0.0 { p / guessing } else { even };
        // The likeliest first, and of equals the first. No share is below 0, so their bits are ordered as they are.
        let ranked = shares.iter().enumerate().map(|(i, &p)| (share(p).to_bits(), Reverse(i)));
        let mut ranked: BinaryHeap<_> = ranked.collect();
        let mut guesses = Vec::with_capacity(ranked.len());
        while let Some((probability, Reverse(i))) = ranked.pop() {
            let thing = self.things[i].clone();
            let denied = denied(&thing);
            guesses.push(Guess { thing, probability: f64::from_bits(probability), denied });
        }
        Ok(Guesses { guesses, guessing: guessing.min(1.0) })
    }
}

/// The turns of a game that are answered, which are all but perhaps the last.
fn answered(game: &Game) -> Vec<(String, Answer)> {
    let turns = game.turns.iter();
    turns.filter_map(|turn| Some((turn.question.clone(), turn.answer?.observed()))).collect()
}

fn asked(number: usize, question: String, forced: bool) -> Turn {
    let guess = guessed(&question);
    Turn { number, question, answer: None, guess, forced }
}

/// Refuses a turn that is neither one of the game's nor the next one.
pub(crate) fn check_turn(game: &Game, turn: usize) -> Result<(), Fault> {
    let answered = game.turns.iter().filter(|turn| turn.answer.is_some()).count();
    if (1..=answered + 1).contains(&turn) && turn <= game.max_turns {
        return Ok(());
    }
    Err(Fault::usage(
        format!("there is no turn {turn} in a game of {} turns", game.turns.len()),
        "Turns count from 1.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use archer_games::Words;

    fn games() -> Games {
        let words = ["cat", "dog", "bus", "car"].map(str::to_string).to_vec();
        let world = archer_games::WorldConfig { words: Words::These(words), ..Default::default() };
        Games::new(&world.settings()).expect("the table has these words")
    }

    fn played(games: &Games, turns: &[(&str, Said)]) -> Game {
        let past = turns.iter().map(|(question, answer)| PastTurn {
            question: question.to_string(),
            answer: Some(*answer),
            forced: false,
        });
        games.play(1, past.collect()).expect("a game")
    }

    #[test]
    fn an_answer_that_goes_with_nothing_is_doubted_and_corrected() {
        let games = games();
        let mut turns = vec![("Is it an animal?", Said::Yes), ("Does it have fur?", Said::Yes)];
        let game = played(&games, &turns);
        assert_eq!(games.doubt(&game, &[]).ok(), Some(None));
        turns.push(("Is it a vehicle?", Said::Yes));
        let game = played(&games, &turns);
        let doubt = games.doubt(&game, &[]).ok().flatten().expect("a doubt");
        assert_eq!((doubt.turn, doubt.answer, doubt.nothing_left), (3, Said::Yes, true));
        assert_eq!(games.doubt(&game, &[3]).ok(), Some(None));
        let corrected = games.correct(game.clone(), 3, Said::No).expect("a game");
        assert_eq!(corrected.turns[2].answer, Some(Said::No));
        assert_eq!(games.doubt(&corrected, &[]).ok(), Some(None));
        for turn in [0, 4] {
            assert_eq!(games.correct(game.clone(), turn, Said::No).err().unwrap().code, "usage");
        }
    }

    #[test]
    fn a_reveal_names_the_turn_that_surprised() {
        let games = games();
        let game = played(&games, &[("Is it heavy?", Said::No), ("Is it a vehicle?", Said::Yes)]);
        let surprise = |thing| games.reveal(&game, thing).ok().unwrap().surprise;
        assert_eq!((surprise("bus"), surprise("cat"), surprise("zorb")), (Some(1), Some(2), None));
    }
}
