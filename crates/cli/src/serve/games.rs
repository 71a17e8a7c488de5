//! The games that are open: what was said in them, and how much of it there may be.

use std::collections::BTreeMap;

use archer::agent::Agent;
use archer_world::{Choices, End, Transcript};

use super::requests::{self, Exchange, Fault, Hear, Start};

/// The most choices of a list.
const MOST_CHOICES: usize = 4096;

/// What an exchange takes beside its texts, so that empty ones are not free.
const EXCHANGE: usize = 64;

/// How many games there may be, and how large and how idle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The most games at once, at least 1.
    pub games: usize,
    /// Seconds after which a game that nobody asks for is dropped.
    pub idle: f64,
}

/// A game.
#[derive(Debug)]
pub struct Game {
    opening: String,
    seed: u64,
    choices: Option<Choices>,
    transcript: Transcript,
    rewards: Vec<f64>,
    open: Option<String>,
    end: Option<End>,
    /// Bytes of its texts.
    size: usize,
    /// When it was asked for last, in seconds.
    touched: f64,
}

/// All games.
#[derive(Debug)]
pub struct Games {
    bounds: Bounds,
    /// The most bytes of a game.
    longest: usize,
    next: u64,
    open: BTreeMap<u64, Game>,
}

/// The most bytes of a game of an agent: many times what it reads, so that a long game loses its oldest
/// tokens and not its end.
pub fn longest(agent: &Agent) -> usize {
    /// Bytes for each token that the agent reads.
    const EACH: usize = 16;
    /// For agents that read little.
    const LEAST: usize = 64 << 10;
    /// For agents that read books.
    const MOST: usize = 1 << 20;
    (EACH * agent.actor.config().positions).clamp(LEAST, MOST)
}

impl Games {
    /// No games yet, each of at most so many bytes.
    pub fn new(bounds: Bounds, longest: usize) -> Self {
        Self { bounds, longest, next: 1, open: BTreeMap::new() }
    }

    /// Games that are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Drops the games that nobody asked for, and gives their numbers.
    pub fn drop_idle(&mut self, now: f64) -> Vec<u64> {
        let idle = self.bounds.idle;
        self.open.extract_if(.., |_, game| now - game.touched > idle).map(|(id, _)| id).collect()
    }

    /// A game, which is in use now.
    ///
    /// # Errors
    /// If there is none of this number.
    pub fn get(&mut self, id: u64, now: f64) -> Result<&mut Game, Fault> {
        match self.open.get_mut(&id) {
            Some(game) => {
                game.touched = now;
                Ok(game)
            }
            None => Err(unknown(id, &self.bounds)),
        }
    }

    /// A game as it is, in whatever use.
    pub fn peek(&self, id: u64) -> Option<&Game> {
        self.open.get(&id)
    }

    /// Begins a game, and gives its number.
    ///
    /// # Errors
    /// If there are too many games, its texts are too long, or the agent cannot say a choice.
    pub fn start(&mut self, agent: &Agent, start: Start, now: f64) -> Result<u64, Fault> {
        if self.open.len() >= self.bounds.games {
            return Err(Fault::new(
                503,
                "too_many_games",
                format!(
                    "{} games are open, and there may be no more: close one, or start the server with a larger --max-games",
                    self.bounds.games
                ),
            ));
        }
        let Start { mut opening, choices, seed, exchanges, open } = start;
        if !opening.is_empty() && !opening.ends_with('\n') {
            opening.push('\n');
        }
        let texts = exchanges.iter().map(|it| it.said.len() + it.reply.len() + EXCHANGE);
        let size = opening.len() + texts.sum::<usize>() + open.as_ref().map_or(0, String::len);
        let choices = listed(agent, choices)?;
        self.check(size, choices.as_ref())?;
        let mut transcript = agent.about.transcript(&opening);
        let mut rewards = Vec::with_capacity(exchanges.len());
        for Exchange { said, reply, reward } in exchanges {
            transcript.push(said, reply.trim_end_matches('\n'));
            rewards.push(reward);
        }
        let id = self.next;
        self.next += 1;
        let game = Game {
            opening,
            seed,
            choices,
            transcript,
            rewards,
            open,
            end: None,
            size,
            touched: now,
        };
        self.open.insert(id, game);
        Ok(id)
    }

    /// Tells the reply to what was said, and gives the number of exchanges.
    ///
    /// # Errors
    /// If the game waits for no reply, its texts become too long, or the agent cannot say a choice.
    pub fn hear(&mut self, agent: &Agent, hear: Hear, now: f64) -> Result<usize, Fault> {
        let Hear { game: id, reply, reward, end, choices } = hear;
        let game = self.get(id, now)?;
        if game.open.is_none() {
            return Err(Fault::conflict(format!(
                "game {id} has no utterance that waits for a reply: say first"
            )));
        }
        let size = game.size + reply.len() + EXCHANGE;
        let choices = listed(agent, choices)?;
        self.check(size, choices.as_ref())?;
        let game = self.get(id, now)?;
        let said = game.open.take().unwrap_or_default();
        game.transcript.push(said, reply.trim_end_matches('\n'));
        game.rewards.push(reward);
        (game.size, game.choices, game.end) = (size, choices, end);
        Ok(game.rewards.len())
    }

    /// Whether a game can be spoken in now, with these choices in place of its own.
    ///
    /// # Errors
    /// If it cannot, its texts are too long already, or the agent cannot say a choice.
    pub fn may_say(
        &mut self,
        agent: &Agent,
        id: u64,
        choices: Option<Choices>,
        now: f64,
    ) -> Result<(), Fault> {
        let game = self.get(id, now)?;
        if game.end.is_some() {
            return Err(Fault::conflict(format!("game {id} has ended: start another one")));
        }
        if game.open.is_some() {
            return Err(Fault::conflict(format!(
                "the last utterance of game {id} has no reply yet: hear first"
            )));
        }
        let size = game.size;
        let Some(choices) = choices else { return self.check(size, None) };
        let choices = listed(agent, Some(choices))?;
        self.check(size, choices.as_ref())?;
        self.get(id, now)?.choices = choices;
        Ok(())
    }

    /// Ends a game and forgets it; gives the number of its exchanges.
    ///
    /// # Errors
    /// If there is none of this number.
    pub fn close(&mut self, id: u64) -> Result<usize, Fault> {
        let closed = self.open.remove(&id).map(|game| game.rewards.len());
        closed.ok_or_else(|| unknown(id, &self.bounds))
    }

    /// Holds texts of so many bytes, and choices, to their bounds.
    fn check(&self, size: usize, choices: Option<&Choices>) -> Result<(), Fault> {
        let longest = self.longest;
        if size > longest {
            return Err(Fault::too_long(format!(
                "the texts of the game have {size} bytes, and may have {longest}: close it, and start another with what the agent is to read"
            )));
        }
        let Some(choices) = choices else { return Ok(()) };
        let bytes: usize = choices.iter().map(String::len).sum();
        match choices.len() > MOST_CHOICES || bytes > longest {
            true => Err(Fault::too_long(format!(
                "there are {} choices of {bytes} bytes: list at most {MOST_CHOICES}, of {longest} bytes",
                choices.len()
            ))),
            false => Ok(()),
        }
    }
}

fn unknown(id: u64, bounds: &Bounds) -> Fault {
    let idle = crate::clock::spoken(bounds.idle);
    Fault::new(
        404,
        "unknown_game",
        format!(
            "there is no game {id}: it was closed, or dropped after {idle} in which nobody asked for it; start another one, with the exchanges that lie behind"
        ),
    )
}

/// Choices that the agent can say; an empty list is none.
fn listed(agent: &Agent, choices: Option<Choices>) -> Result<Option<Choices>, Fault> {
    let choices = choices.filter(|choices| !choices.is_empty());
    if choices.as_ref().is_some_and(|choices| choices.len() <= MOST_CHOICES) {
        agent.trie(choices.as_ref()).map_err(|error| Fault::usage(error.to_string()))?;
    }
    Ok(choices)
}

impl Game {
    /// The game as the agent reads it.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What can be said now, where that is limited.
    pub fn choices(&self) -> Option<&Choices> {
        self.choices.as_ref()
    }

    /// What was said and has no reply yet.
    pub fn open(&self) -> Option<&str> {
        self.open.as_deref()
    }

    /// The seed of what is sampled.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of the next turn, from 1.
    pub fn turn(&self) -> u64 {
        self.rewards.len() as u64 + 1
    }

    /// The agent has said something.
    pub fn said(&mut self, text: String) {
        self.size += text.len();
        self.open = Some(text);
    }

    /// The game as a client sees it.
    pub fn shown(&self, id: u64) -> requests::Game {
        let exchanges = self.transcript.exchanges().iter().zip(&self.rewards);
        let exchanges = exchanges.map(|((said, reply), reward)| Exchange {
            said: said.clone(),
            reply: reply.clone(),
            reward: *reward,
        });
        requests::Game {
            id,
            opening: self.opening.clone(),
            choices: self.choices.clone(),
            seed: self.seed,
            exchanges: exchanges.collect(),
            open: self.open.clone(),
            end: self.end,
            text: self.transcript.text(),
        }
    }
}
