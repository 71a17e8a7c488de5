//! Blackjack: some hands against a dealer who draws to 17, from a deck without end.
//!
//! The player sees its cards and the dealer's first, and says `hit` or `stand`. Every card is drawn
//! from thirteen ranks, each equally likely; suits have no meaning and are not told. An utterance that
//! is neither loses the hand, so that no player gains by stalling. Each reply tells all that matters
//! from then on: it is a screen.

mod plan;

use std::sync::Arc;

use archer_world::{
    About, Choices, End, Local, Opening, Settings, Start, Transcript, Turn, World, WorldError,
    Worlds,
};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::catalogue::settings::{read, unknown_player, within};
use crate::catalogue::{
    Demonstrations, Entry, MediocrePlayer, Optimum, Player, RandomPlayer, draw, world_chance,
};
use plan::{Plan, Total};

const NAME: &str = "blackjack";

/// The entry of this world.
pub const ENTRY: Entry = Entry {
    name: NAME,
    summary: "some hands against a dealer: hit or stand",
    make: worlds,
    optimum,
    players: &["optimal", "mediocre", "random"],
    player,
};

/// What the hands are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Pay {
    /// A hand that is won is worth its share of the game, others nothing: the return is the share of
    /// hands won, as in TextArena.
    #[default]
    Share,
    /// A hand that is won is worth 1, a draw 0, a lost one −1, as in Gymnasium.
    Points,
}

/// The settings of the game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The hands of a game, 1 to 50.
    pub hands: usize,
    /// What they are worth: `share` or `points`.
    pub pay: Pay,
    /// Whether `hit` and `stand` are listed as choices.
    pub choices: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { hands: 5, pay: Pay::Share, choices: true }
    }
}

/// How a hand ended for the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Win,
    Draw,
    Loss,
}

impl Config {
    /// The most turns of a hand: twenty-one aces are worth 21 and two of them are dealt, so the
    /// twentieth utterance stands or draws too much.
    const TURNS_OF_A_HAND: usize = 20;

    fn read(settings: &Settings) -> Result<Self, WorldError> {
        let config: Self = read(NAME, settings)?;
        within(NAME, "hands", config.hands, 1..=50)?;
        Ok(config)
    }

    fn worth(&self, outcome: Outcome) -> f64 {
        match (self.pay, outcome) {
            (Pay::Share, Outcome::Win) => 1.0 / self.hands as f64,
            (Pay::Share, _) | (Pay::Points, Outcome::Draw) => 0.0,
            (Pay::Points, Outcome::Win) => 1.0,
            (Pay::Points, Outcome::Loss) => -1.0,
        }
    }
}

/// The game as [`Worlds`].
///
/// # Errors
/// If a setting is unknown or out of range.
pub fn worlds(settings: &Settings) -> Result<Arc<dyn Worlds>, WorldError> {
    let config = Config::read(settings)?;
    let best = config.hands as f64 * Plan::new(&config).hand_value();
    let teaching = Demonstrations::new(&ENTRY, settings, config.choices);
    let local = Local::new(move || Blackjack { best, config: config.clone(), game: None });
    Ok(Arc::new(local.with_teaching(teaching)))
}

fn optimum(settings: &Settings) -> Result<Optimum, WorldError> {
    let config = Config::read(settings)?;
    let value = Plan::new(&config).hand_value();
    let note = format!(
        "dynamic programming over the player's total and the dealer's first card; {} hands worth {value:.6} each",
        config.hands
    );
    Ok(Optimum::exact(config.hands as f64 * value, note))
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

/// The thirteen ranks, as they are written.
const RANKS: [&str; 13] = ["A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K"];

/// The points of a rank: 1 for an ace, 10 for a face.
fn points(rank: usize) -> usize {
    (rank + 1).min(10)
}

fn total(cards: &[usize]) -> Total {
    cards.iter().fold(Total::default(), |total, &rank| total.with(points(rank)))
}

struct Blackjack {
    config: Config,
    best: f64,
    game: Option<Game>,
}

struct Game {
    hand: usize,
    won: usize,
    player: Vec<usize>,
    dealer: Vec<usize>,
    chance: ChaCha8Rng,
}

impl Game {
    fn deal(&mut self) {
        self.player = vec![self.card(), self.card()];
        self.dealer = vec![self.card(), self.card()];
    }

    fn card(&mut self) -> usize {
        draw(&mut self.chance, RANKS.len())
    }

    /// The dealer draws to 17, and the totals are compared.
    fn compare(&mut self) -> Outcome {
        while total(&self.dealer).value() < 17 {
            let card = self.card();
            self.dealer.push(card);
        }
        let (player, dealer) = (total(&self.player).value(), total(&self.dealer).value());
        match player.cmp(&dealer) {
            _ if dealer > 21 => Outcome::Win,
            std::cmp::Ordering::Greater => Outcome::Win,
            std::cmp::Ordering::Equal => Outcome::Draw,
            std::cmp::Ordering::Less => Outcome::Loss,
        }
    }

    fn shown(&self, hands: usize) -> String {
        let cards: Vec<&str> = self.player.iter().map(|&rank| RANKS[rank]).collect();
        format!(
            "Hand {} of {hands}. You have {}, worth {}. The dealer shows {}.",
            self.hand,
            cards.join(" "),
            total(&self.player).value(),
            RANKS[self.dealer[0]]
        )
    }
}

impl Blackjack {
    fn choices(&self) -> Option<Choices> {
        self.config.choices.then(|| vec!["hit".to_string(), "stand".to_string()])
    }

    /// The turn that ended a hand: the next one is dealt, or the game is over.
    fn closed(&mut self, outcome: Outcome, said: String) -> Turn {
        let choices = self.choices();
        let reward = self.config.worth(outcome) as f32;
        let game = self.game.as_mut().expect("a game is in play");
        game.won += usize::from(outcome == Outcome::Win);
        if game.hand == self.config.hands {
            let won = format!("You won {} of {} hands.", game.won, self.config.hands);
            // Most hands won is a game won.
            let end = if game.won * 2 > self.config.hands { End::Won } else { End::Over };
            return Turn::new(format!("{said} {won}"), reward).ending(end);
        }
        game.hand += 1;
        game.deal();
        let reply = format!("{said} {}", game.shown(self.config.hands));
        Turn { choices, ..Turn::new(reply, reward) }
    }
}

impl World for Blackjack {
    fn about(&self) -> About {
        let lost = self.config.hands as f64 * self.config.worth(Outcome::Loss);
        About {
            memory: Some(0),
            best: Some(self.best),
            worst: Some(lost),
            ..About::new(NAME, self.config.hands * Config::TURNS_OF_A_HAND)
        }
    }

    fn start(&mut self, start: &Start) -> Opening {
        let mut game = Game {
            hand: 1,
            won: 0,
            player: Vec::new(),
            dealer: Vec::new(),
            chance: world_chance(start.seed),
        };
        game.deal();
        let text = format!("{}\n", game.shown(self.config.hands));
        self.game = Some(game);
        Opening { text, choices: self.choices() }
    }

    fn act(&mut self, said: &str) -> Turn {
        let hands = self.config.hands;
        let game = self.game.as_mut().expect("a game is in play");
        match said.trim() {
            "hit" => {
                let card = game.card();
                game.player.push(card);
                let value = total(&game.player).value();
                if value > 21 {
                    let said = format!("You drew {} and lose with {value}.", RANKS[card]);
                    return self.closed(Outcome::Loss, said);
                }
                let reply = game.shown(hands);
                Turn { choices: self.choices(), ..Turn::new(reply, 0.0) }
            }
            "stand" => {
                let outcome = game.compare();
                let verb = match outcome {
                    Outcome::Win => "win",
                    Outcome::Draw => "draw",
                    Outcome::Loss => "lose",
                };
                let (player, dealer) = (total(&game.player).value(), total(&game.dealer).value());
                self.closed(outcome, format!("You {verb} with {player} to {dealer}."))
            }
            _ => {
                let said = "You said neither hit nor stand and lose.".to_string();
                self.closed(Outcome::Loss, said).unreadable()
            }
        }
    }
}

struct OptimalPlayer {
    plan: Plan,
}

impl Player for OptimalPlayer {
    fn start(&mut self, _: u64) {}

    fn say(&mut self, game: &Transcript, _: Option<&Choices>) -> String {
        let text = game.text();
        let (cards, dealer) = parsed(&text).expect("each reply shows the hand");
        let hit = self.plan.hits(total(&cards), points(dealer));
        if hit { "hit" } else { "stand" }.to_string()
    }
}

/// The cards of the player and the first of the dealer, as ranks.
fn parsed(text: &str) -> Option<(Vec<usize>, usize)> {
    let rank = |card: &str| RANKS.iter().position(|rank| *rank == card);
    let (cards, rest) = text.rsplit_once("You have ")?.1.split_once(", worth")?;
    let dealer = rest.split_once("shows ")?.1.trim_end().strip_suffix('.')?;
    Some((cards.split(' ').map(rank).collect::<Option<_>>()?, rank(dealer)?))
}

#[cfg(test)]
mod tests;
