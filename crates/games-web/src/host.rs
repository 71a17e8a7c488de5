//! The other way round: the page thinks of something and the person asks in free text.

use archer_games::guessing::Remark;
use archer_world::Start;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::games::Games;

/// Where a hosted game stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostStatus {
    /// The person is to ask.
    Ask,
    /// The person has named it.
    Found,
    /// The questions ran out, or the person gave up.
    Lost,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename(deserialize = "HostTurn.."))]
pub struct HostTurn {
    number: usize,
    question: String,
    reply: String,
    understood: bool,
    /// The question as it was taken, where a word in it was misspelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meant: Option<String>,
    /// It was two questions in one, whose answers differ.
    #[serde(default)]
    one_at_a_time: bool,
}

/// A hosted game as the page holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename(deserialize = "Host.."))]
pub struct Host {
    seed: u64,
    /// The number of the thing: the page hands it back and does not show it.
    task: usize,
    /// Where it stands.
    pub status: HostStatus,
    turns: Vec<HostTurn>,
    max_turns: usize,
    /// Told at the end.
    #[serde(default)]
    pub thing: Option<String>,
    return_so_far: f64,
}

impl Games {
    /// A game about this thing, or about one that the seed draws.
    pub(crate) fn host(&self, seed: u64, thing: Option<&str>) -> Result<Host, Fault> {
        let mut world = self.hosted_game()?;
        let task = match thing {
            Some(thing) => {
                world.start_word(thing, seed).map_err(|unknown| {
                    Fault::usage(unknown.to_string(), "Choose one of the model's things.")
                })?;
                world.task().expect("a game was just begun")
            }
            // A mixed seed, so that seeds in a row give things far apart.
            None => (mixed(seed) % world.names().len() as u64) as usize,
        };
        Ok(Host {
            seed,
            task,
            status: HostStatus::Ask,
            turns: Vec::new(),
            max_turns: world.max_turns(),
            thing: None,
            return_so_far: 0.0,
        })
    }

    /// The game after one more question.
    pub(crate) fn host_ask(&self, game: Host, question: &str) -> Result<Host, Fault> {
        let question = question.trim();
        if question.is_empty() {
            return Err(Fault::usage("the question is empty", "Type a question."));
        }
        if game.status != HostStatus::Ask {
            return Err(Fault::usage("this game has ended", "Begin another."));
        }
        let mut questions: Vec<String> = game.turns.iter().map(|t| t.question.clone()).collect();
        questions.push(question.to_string());
        self.replay(game, &questions)
    }

    /// The game before its last question.
    pub(crate) fn host_undo(&self, game: Host) -> Result<Host, Fault> {
        let mut questions: Vec<String> = game.turns.iter().map(|t| t.question.clone()).collect();
        if questions.pop().is_none() {
            return Err(Fault::usage("there is no question to take back", "Ask one before."));
        }
        self.replay(game, &questions)
    }

    /// The game given up.
    pub(crate) fn host_give_up(&self, mut game: Host) -> Result<Host, Fault> {
        game.thing = Some(self.thing_of(&game)?);
        if game.status == HostStatus::Ask {
            game.status = HostStatus::Lost;
        }
        Ok(game)
    }

    fn thing_of(&self, game: &Host) -> Result<String, Fault> {
        self.things
            .get(game.task)
            .cloned()
            .ok_or_else(|| Fault::usage("this game belongs to another model", "Begin another."))
    }

    /// Plays a game's questions from the start: the world gives the same replies to them.
    fn replay(&self, game: Host, questions: &[String]) -> Result<Host, Fault> {
        let thing = self.thing_of(&game)?;
        let mut world = self.hosted_game()?;
        world.start(&Start { task: Some(game.task), seed: game.seed });
        let mut after = Host {
            status: HostStatus::Ask,
            turns: Vec::new(),
            thing: None,
            return_so_far: 0.0,
            ..game
        };
        for question in questions {
            let remark = world.remark(question);
            let turn = world.act(question);
            after.return_so_far += f64::from(turn.reward);
            after.turns.push(HostTurn {
                number: after.turns.len() + 1,
                question: question.clone(),
                reply: turn.reply.clone(),
                understood: !turn.invalid,
                one_at_a_time: turn.invalid && remark == Some(Remark::OneAtATime),
                meant: match remark {
                    Some(Remark::Meant(question)) => Some(question),
                    _ => None,
                },
            });
            if turn.end.is_some() {
                after.status = if turn.won() { HostStatus::Found } else { HostStatus::Lost };
                after.thing = Some(thing);
                break;
            }
        }
        Ok(after)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
