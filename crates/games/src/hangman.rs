//! Hangman: find a word letter by letter; each letter that it lacks costs a point.
//!
//! The words are the first of Wordle's list, see [`crate::wordle`].

mod search;

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Transcript, Turn, World, WorldError,
    Worlds,
};
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, unusable, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use crate::wordle::word_list;
use search::{Search, places};

const NAME: &str = "hangman";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "find a word of five letters, letter by letter",
    make: worlds,
    optimum,
    players: &["optimal", "greedy", "mediocre", "random"],
    player,
};

type Word = [u8; 5];

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many words there are, 2 to 2,315. Each is equally likely and a task.
    pub words: usize,
    /// The misses that end the game, 1 to 20.
    pub misses: usize,
    /// Whether the letters that were not said are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { words: 100, misses: 6, choices: true }
    }
}

impl Config {
    /// The most words for which the optimum is searched.
    pub const SEARCHED: usize = 200;
    /// Numbers of words with the misses over all of them in games of six, found by the search.
    const KNOWN: [(usize, u32); 2] = [(100, 169), (200, 401)];

    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "words", config.words, 2..=word_list().len())?;
        within(NAME, "misses", config.misses, 1..=20)?;
        Ok(config)
    }

    fn search(&self) -> Search {
        Search::new(&word_list()[..self.words])
    }

    fn mean_return(&self, cost: u32) -> f64 {
        -f64::from(cost) / self.words as f64
    }

    /// The best mean return, where it is known or searched.
    fn best(&self) -> Option<f64> {
        let known = Self::KNOWN.iter().find(|(words, _)| *words == self.words);
        if let Some((_, cost)) = known.filter(|_| self.misses == Self::default().misses) {
            return Some(self.mean_return(*cost));
        }
        let searched = self.words <= Self::SEARCHED;
        searched.then(|| self.mean_return(self.search().optimum(self.misses)))
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = config.best();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Hangman { best, config: config.clone(), game: None });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let search = config.search();
    let greedy = config.mean_return(search.greedy(&search.all(), config.misses));
    let greedy_note = format!("the player greedy returns {greedy:.4} over all words");
    if let Some(best) = config.best() {
        let note =
            format!("an exact search over the sets of words that letters leave; {greedy_note}");
        return Ok(Optimum::exact(best, note));
    }
    Ok(Optimum {
        exact: None,
        bound: Some(config.mean_return(search.bound())),
        scripted: Some(greedy),
        note: format!(
            "bound: the first letter alone, the one that fewest words lack; {greedy_note}"
        ),
    })
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    let exact = name == "optimal";
    match name {
        "optimal" if config.words > Config::SEARCHED => {
            let why = format!("the player optimal needs at most {} words", Config::SEARCHED);
            Err(unusable(NAME, "words", config.words, why))
        }
        "optimal" | "greedy" => {
            let (words, search) = (&word_list()[..config.words], config.search());
            Ok(Box::new(Speller { words, misses: config.misses, search, exact }))
        }
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "greedy")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct Hangman {
    config: Config,
    best: Option<f64>,
    game: Option<Game>,
}

struct Game {
    task: usize,
    said: Vec<u8>,
    left: usize,
}

impl Game {
    fn word(&self) -> &'static Word {
        &word_list()[self.task]
    }

    /// The word as far as it is known, a blank between signs.
    fn known(&self) -> String {
        let sign = |letter: u8| if self.said.contains(&letter) { char::from(letter) } else { '_' };
        self.word().map(|letter| sign(letter).to_string()).join(" ")
    }
}

impl Hangman {
    fn choices(&self, said: &[u8]) -> Option<Choices> {
        let left = || (b'a'..=b'z').filter(|letter| !said.contains(letter));
        self.config.choices.then(|| left().map(|letter| char::from(letter).to_string()).collect())
    }
}

impl World for Hangman {
    fn about(&self) -> About {
        About {
            tasks: Some(self.config.words),
            best: self.best,
            worst: Some(-(self.config.misses as f64)),
            turn: "letter".to_string(),
            // The fifth letter that is right wins, so at most four stand beside the misses.
            ..About::new(NAME, 4 + self.config.misses)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let words = self.config.words;
        let task = start.task.unwrap_or_else(|| draw(&mut world_chance(start.seed), words));
        let game = Game { task, said: Vec::new(), left: self.config.misses };
        let text = format!("{} with {} misses left.\n", game.known(), game.left);
        let choices = self.choices(&game.said);
        self.game = Some(game);
        Opening { text, choices }
    }

    fn act(&mut self, said: &str) -> Turn {
        let game = self.game.as_mut().expect("a game is in play");
        let letter = match said.trim().as_bytes() {
            [letter @ b'a'..=b'z'] => Some(*letter),
            _ => None,
        };
        // A letter that was said before is a miss, right or not: it tells nothing.
        let fresh = letter.filter(|letter| !game.said.contains(letter));
        game.said.extend(fresh);
        let hit = fresh.is_some_and(|letter| game.word().contains(&letter));
        if !hit {
            game.left -= 1;
        }
        let known = game.known();
        let reward = if hit { 0.0 } else { -1.0 };
        let turn = Turn::new(format!("{known} with {} misses left.", game.left), reward);
        let turn = Turn { invalid: letter.is_none(), ..turn };
        if !known.contains('_') {
            return turn.ending(End::Won);
        }
        if game.left == 0 {
            return turn.ending(End::Over);
        }
        let choices = self.game.as_ref().and_then(|game| self.choices(&game.said));
        Turn { choices, ..turn }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.task)
    }
}

/// Keeps the words that agree with the game, and says the best letter, or the one that fewest lack.
struct Speller {
    words: &'static [Word],
    misses: usize,
    search: Search,
    exact: bool,
}

/// What a text shows of a word, as the places of a letter.
fn shown(text: &str, letter: u8) -> u8 {
    let signs = text.split(' ').take(5).enumerate();
    signs.fold(0, |bits, (place, sign)| bits | u8::from(sign.as_bytes() == [letter]) << place)
}

impl Player for Speller {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let (mut left, mut misses) = (self.search.all(), self.misses);
        let mut said = Vec::new();
        for (utterance, reply) in game.exchanges() {
            let [letter @ b'a'..=b'z'] = utterance.trim().as_bytes() else {
                misses -= 1;
                continue;
            };
            let bits = shown(reply, *letter);
            misses -= usize::from(bits == 0 || said.contains(letter));
            said.push(*letter);
            left.retain(|word| places(&self.words[usize::from(*word)], *letter) == bits);
        }
        let letter = match left[..] {
            // The word is known: what remains is to spell it.
            [word] => self.words[usize::from(word)].into_iter().find(|l| !said.contains(l)),
            _ if self.exact => self.search.best_letter(&left, misses),
            _ => self.search.greedy_letter(&left),
        };
        char::from(letter.expect("the game goes on")).to_string()
    }
}

#[cfg(test)]
mod tests;
