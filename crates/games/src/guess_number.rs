//! Guess the number: each wrong guess is answered by `Higher.` or `Lower.`.

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Style, Transcript, Turn, World,
    WorldError, Worlds,
};
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};

const NAME: &str = "guess_number";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "find a number by guesses that are too high or too low",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The highest number, 2 to 1,000; the lowest is 1. Each is equally likely and a task.
    pub numbers: usize,
    /// The guesses of a game, 1 to 100.
    pub max_turns: usize,
    /// Whether the numbers are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { numbers: 20, max_turns: 10, choices: true }
    }
}

impl Config {
    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "numbers", config.numbers, 2..=1_000)?;
        within(NAME, "max_turns", config.max_turns, 1..=100)?;
        Ok(config)
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = Plan::new(&config).mean_return();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || GuessNumber { best, config: config.clone(), game: None });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let note = "dynamic programming over the length of the interval and the guesses left";
    Ok(Optimum::exact(Plan::new(&config).mean_return(), note))
}

fn player(settings: &Settings, name: &str) -> Result<Box<dyn Player>, WorldError> {
    let config = Config::read(settings)?;
    match name {
        "optimal" => Ok(Box::new(OptimalPlayer { plan: Plan::new(&config) })),
        "mediocre" => {
            let random = RandomPlayer::boxed(NAME, config.choices)?;
            Ok(MediocrePlayer::boxed(player(settings, "optimal")?, random))
        }
        "random" => RandomPlayer::boxed(NAME, config.choices),
        _ => Err(unknown_player(NAME, name, ENTRY.players)),
    }
}

struct GuessNumber {
    config: Config,
    best: f64,
    game: Option<Game>,
}

struct Game {
    number: usize,
    guesses: usize,
}

impl GuessNumber {
    fn choices(&self) -> Option<Choices> {
        let numbers = 1..=self.config.numbers;
        self.config.choices.then(|| numbers.map(|number| number.to_string()).collect())
    }
}

impl World for GuessNumber {
    fn about(&self) -> About {
        About {
            tasks: Some(self.config.numbers),
            style: Style::one_line(),
            best: Some(self.best),
            worst: Some(-(self.config.max_turns as f64)),
            turn: "guess".to_string(),
            ..About::new(NAME, self.config.max_turns)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let numbers = self.config.numbers;
        let task = start.task.unwrap_or_else(|| draw(&mut world_chance(start.seed), numbers));
        self.game = Some(Game { number: task + 1, guesses: 0 });
        Opening { text: format!("Guess a number from 1 to {numbers}.\n"), choices: self.choices() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let numbers = self.config.numbers;
        let choices = self.choices();
        let game = self.game.as_mut().expect("a game is in play");
        game.guesses += 1;
        let guess = said.trim().parse().ok().filter(|guess| (1..=numbers).contains(guess));
        let turn = match guess.map(|guess: usize| guess.cmp(&game.number)) {
            Some(std::cmp::Ordering::Equal) => return Turn::new("Right.", 0.0).ending(End::Won),
            Some(std::cmp::Ordering::Less) => Turn::new("Higher.", -1.0),
            Some(std::cmp::Ordering::Greater) => Turn::new("Lower.", -1.0),
            None => Turn::new(format!("Say a number from 1 to {numbers}."), -1.0).unreadable(),
        };
        match game.guesses == self.config.max_turns {
            true => turn.ending(End::Cut),
            false => Turn { choices, ..turn },
        }
    }

    fn task(&self) -> Option<usize> {
        self.game.as_ref().map(|game| game.number - 1)
    }
}

/// The best guess in each interval.
struct Plan {
    numbers: usize,
    turns: usize,
    /// `costs[t][n]`: the points lost with `t` guesses left and `n` numbers possible, summed over them.
    costs: Vec<Vec<u64>>,
}

impl Plan {
    fn new(config: &Config) -> Self {
        // Halving takes at most as many guesses as a number has binary digits; more are never used.
        let useful = config.numbers.ilog2() as usize + 1;
        let turns = config.max_turns.min(useful);
        let mut costs = vec![vec![0; config.numbers + 1]];
        for left in 0..turns {
            let later = &costs[left];
            let least = |n| (1..=n).map(|guess| cost(later, n, guess)).min().unwrap_or(0);
            costs.push((0..=config.numbers).map(least).collect());
        }
        Plan { numbers: config.numbers, turns: config.max_turns, costs }
    }

    fn mean_return(&self) -> f64 {
        let cost = self.costs[self.costs.len() - 1][self.numbers];
        -(cost as f64) / self.numbers as f64
    }

    /// The guess after so many, where the numbers from `low` to `high` are possible.
    fn guess(&self, low: usize, high: usize, guesses: usize) -> usize {
        let left = self.turns.saturating_sub(guesses).min(self.costs.len() - 1);
        let later = &self.costs[left.saturating_sub(1)];
        let count = high + 1 - low;
        let best = (1..=count).min_by_key(|&guess| cost(later, count, guess));
        low - 1 + best.expect("a number is possible")
    }
}

/// The points lost if the `guess`-th of `n` numbers is guessed: one for each other, and the rest.
fn cost(later: &[u64], n: usize, guess: usize) -> u64 {
    (n as u64 - 1) + later[guess - 1] + later[n - guess]
}

struct OptimalPlayer {
    plan: Plan,
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let (mut low, mut high) = (1, self.plan.numbers);
        for (said, reply) in game.exchanges() {
            let Ok(guess) = said.trim().parse::<usize>() else { continue };
            match reply.as_str() {
                "Higher." => low = low.max(guess + 1),
                "Lower." => high = high.min(guess - 1),
                _ => {}
            }
        }
        self.plan.guess(low, high, game.exchanges().len()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::testing::{
        keeps_the_contract, mean_over_tasks, refusal, settings, transcript,
    };

    #[test]
    fn the_contract_is_kept() {
        for value in [json!({}), json!({"numbers": 50}), json!({"choices": false, "max_turns": 1})]
        {
            keeps_the_contract(&ENTRY, value);
        }
    }

    #[test]
    fn two_games_line_by_line() {
        let worlds = worlds(&settings(json!({"max_turns": 4}))).unwrap();
        let start = Start { task: Some(6), seed: 0 };
        let (lines, game) = transcript(&*worlds, start, &["10", "5", "seven", " 7 "]);
        let said = "Say a number from 1 to 20.";
        assert_eq!(lines, ["Guess a number from 1 to 20.\n", "Lower.", "Higher.", said, "Right."]);
        assert_eq!((game.total_reward(), game.won()), (-3.0, true));
        let (lines, game) = transcript(&*worlds, start, &["0", "21", "7.0", "20"]);
        assert_eq!(&lines[1..], [said, said, said, "Lower."]);
        assert_eq!((game.total_reward(), game.end), (-4.0, Some(End::Cut)));
    }

    #[test]
    fn the_optimum_of_full_trees_is_known() {
        // A full tree of three levels: 1 number at once, 2 after a point, 4 after two.
        let exact = |numbers: usize, turns: usize| {
            let settings = settings(json!({"numbers": numbers, "max_turns": turns}));
            optimum(&settings).unwrap().exact.unwrap()
        };
        assert_eq!(exact(7, 10), -10.0 / 7.0);
        // 1 at once, 2 after a point; the other 4 lose two points.
        assert_eq!(exact(7, 2), -10.0 / 7.0);
        assert_eq!(exact(7, 1), -6.0 / 7.0);
        // 0 + 2 + 2 * 4 + 3 * 8 + 4 * 5 over 20; 0 + 2 + 8 + 24 + 4 * 16 + 5 * 19 over 50.
        assert_eq!(exact(20, 10), -2.7);
        assert_eq!(exact(50, 10), -3.86);
    }

    #[test]
    fn the_optimal_player_reaches_the_optimum_under_any_limit() {
        for (numbers, turns) in [(20, 10), (50, 10), (50, 3), (2, 1), (13, 4), (1000, 9)] {
            let settings = settings(json!({"numbers": numbers, "max_turns": turns}));
            let best = optimum(&settings).unwrap().exact.unwrap();
            let mut player = player(&settings, "optimal").unwrap();
            let mean = mean_over_tasks(&*worlds(&settings).unwrap(), &mut *player);
            assert!((mean - best).abs() < 1e-9, "{numbers} {turns}: {mean} {best}");
        }
    }

    #[test]
    fn bad_settings_are_named() {
        for (value, parts) in [
            (json!({"numbers": 1}), ["numbers = 1", "from 2 to 1000"]),
            (json!({"max_turns": 101}), ["max_turns = 101", "from 1 to 100"]),
            (json!({"numbers": -3}), ["numbers = -3", "usize"]),
        ] {
            let refused = refusal(&ENTRY, value);
            assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
        }
    }
}
