//! Mastermind: find a code of digits; each guess is answered by its black and white pegs.
//!
//! A black peg is a digit in its place, a white one a digit of the code in another place. Each guess
//! but the right one costs a point.

mod code;
mod players;

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Style, Turn, World, WorldError, Worlds,
};
use serde::Deserialize;

use crate::catalogue::code_breaking::Answers;
use crate::catalogue::settings::{read, unknown_player, unusable, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use code::{Code, Codes};
use players::{ConsistentPlayer, InformativePlayer, OptimalPlayer};

const NAME: &str = "mastermind";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "find a code from black and white pegs",
    make: worlds,
    optimum,
    players: &["optimal", "information-gain", "consistent", "mediocre", "random"],
    player,
};

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The length of the code, 1 to 6.
    pub length: usize,
    /// The digits are 1 to this, 2 to 12.
    pub digits: usize,
    /// Whether a digit may occur twice in a code; then it may in a guess.
    pub repeats: bool,
    /// The guesses of a game, 1 to 100.
    pub max_turns: usize,
    /// Whether all codes are listed as choices, where there are at most 10,000; where it is absent,
    /// they are if there are at most 1,000.
    pub choices: Option<bool>,
}

impl Default for Config {
    fn default() -> Self {
        Self { length: 4, digits: 6, repeats: false, max_turns: 20, choices: None }
    }
}

impl Config {
    /// The most codes for which the optimum is searched.
    pub const SEARCHED: usize = 400;
    /// The most codes for which a table of all answers is made.
    pub const TABULATED: usize = 2_000;
    /// The points lost over all codes by the best player under the default rules, without repeats and
    /// with them, found by the search.
    const DEFAULT_COSTS: [f64; 2] = [1_086.0, 4_329.0];
    /// The most codes that are listed where the settings do not say.
    pub const LISTED: usize = 1_000;

    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "length", config.length, 1..=6)?;
        within(NAME, "digits", config.digits, 2..=12)?;
        within(NAME, "max_turns", config.max_turns, 1..=100)?;
        if !config.repeats && config.digits < config.length {
            let why = format!("without repeats a code of {} needs as many digits", config.length);
            return Err(unusable(NAME, "digits", config.digits, why));
        }
        let (codes, most) = (config.codes().count(), archer_world::contract::MOST_CHOICES);
        if config.choices == Some(true) && codes > most {
            let why = format!("there are {codes} codes, and at most {most} choices are listed");
            return Err(unusable(NAME, "choices", true, why));
        }
        Ok(config)
    }

    fn codes(&self) -> Codes {
        Codes { length: self.length, digits: self.digits, repeats: self.repeats }
    }

    fn lists_choices(&self) -> bool {
        self.choices.unwrap_or_else(|| self.codes().count() <= Self::LISTED)
    }

    /// Whether the optimum is found within a few seconds. Answers to pairs of digits tell so little
    /// that their games are long.
    fn is_searched(&self) -> bool {
        self.codes().count() <= Self::SEARCHED && (self.length > 2 || self.digits <= 10)
    }

    /// The best mean return, where it is known or searched.
    fn best(&self) -> Option<f64> {
        let count = self.codes().count();
        let default = Self { repeats: self.repeats, choices: self.choices, ..Self::default() };
        match *self == default {
            true => Some(-Self::DEFAULT_COSTS[usize::from(self.repeats)] / count as f64),
            false if !self.is_searched() => None,
            false => Some(self.codes().answers().optimum(self.max_turns)),
        }
    }

    /// The table of answers, where there are few enough codes.
    fn answers(&self) -> Option<Answers> {
        (self.codes().count() <= Self::TABULATED).then(|| self.codes().answers())
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = config.best();
    let choices: Option<Choices> =
        config.lists_choices().then(|| config.codes().all().map(|code| code.to_string()).collect());
    let teaching = Demonstrations::new(&ENTRY, settings, config.lists_choices());
    let local = Local::new(move || Mastermind {
        best,
        choices: choices.clone(),
        config: config.clone(),
        game: None,
    });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let codes = config.codes();
    let count = codes.count();
    let Some(answers) = config.answers() else {
        let bound = codes.bound(config.max_turns);
        let note = format!(
            "bound: every answer to a guess among the {count} codes tells them apart equally"
        );
        return Ok(Optimum { bound: Some(bound), note, ..Optimum::default() });
    };
    let scripted = answers.informative_return(config.max_turns);
    let informative = format!("the player information-gain returns {scripted:.4} over all codes");
    let search = format!("an exact search over the sets of the {count} codes that answers leave");
    Ok(match config.best() {
        Some(best) if config.is_searched() => {
            Optimum::exact(best, format!("{search}; {informative}"))
        }
        exact => Optimum {
            exact,
            bound: exact.is_none().then(|| answers.bound(config.max_turns)),
            scripted: Some(scripted),
            note: match exact {
                Some(_) => format!("{search}, made once; {informative}"),
                None => format!(
                    "bound: the best first guess among the {count} codes, if later answers told codes apart equally; {informative}"
                ),
            },
        },
    })
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    let count = config.codes().count();
    match name {
        "optimal" if !config.is_searched() => {
            let why = format!(
                "the player optimal needs at most {} codes, or pairs of at most 10 digits",
                Config::SEARCHED
            );
            Err(unusable(NAME, "digits", config.digits, why))
        }
        "optimal" => Ok(Box::new(OptimalPlayer::new(config.codes(), config.max_turns))),
        "information-gain" => match config.answers() {
            Some(answers) => Ok(Box::new(InformativePlayer::new(config.codes(), answers))),
            None => {
                let most = Config::TABULATED;
                let why = format!(
                    "the player information-gain needs at most {most} codes, and there are {count}"
                );
                Err(unusable(NAME, "digits", config.digits, why))
            }
        },
        "consistent" => Ok(Box::new(ConsistentPlayer::new(config.codes()))),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.lists_choices())?;
            Ok(MediocrePlayer::boxed(player(settings, "consistent")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.lists_choices()),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct Mastermind {
    config: Config,
    best: Option<f64>,
    choices: Option<Choices>,
    game: Option<Game>,
}

struct Game {
    code: Code,
    guesses: usize,
}

impl World for Mastermind {
    fn about(&self) -> About {
        About {
            tasks: Some(self.config.codes().count()),
            style: Style::one_line(),
            best: self.best,
            worst: Some(-(self.config.max_turns as f64)),
            turn: "guess".to_string(),
            ..About::new(NAME, self.config.max_turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let codes = self.config.codes();
        let drawn = || draw(&mut world_chance(start.seed), codes.count());
        let code = codes.code(start.task.unwrap_or_else(drawn));
        self.game = Some(Game { code, guesses: 0 });
        let (length, digits) = (codes.length, codes.digits);
        let repeats = if codes.repeats { "digits may repeat" } else { "all different" };
        let text = format!("Find the code: {length} digits from 1 to {digits}, {repeats}.\n");
        Opening { text, choices: self.choices.clone() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let game = self.game.as_mut().expect("a game is in play");
        game.guesses += 1;
        let guess = self.config.codes().parsed(said);
        if guess.as_ref() == Some(&game.code) {
            return Turn::new("Right.", 0.0).ending(End::Won);
        }
        let turn = match guess {
            Some(guess) => Turn::new(game.code.answer(&guess).told(), -1.0),
            None => Turn::new("That is no code.", -1.0).unreadable(),
        };
        match game.guesses == self.config.max_turns {
            true => turn.ending(End::Cut),
            false => Turn { choices: self.choices.clone(), ..turn },
        }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| self.config.codes().number(&game.code))
    }
}

#[cfg(test)]
mod tests;
