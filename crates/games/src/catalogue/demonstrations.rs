//! Games of a mediocre player, for a warm start where a world lists no choices.

use archer_world::{Choices, Game, Settings, Start, Teaching, Transcript};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::{Entry, Player, draw, play, player_chance};

/// Says what a good player would, or what a random one would, each half of the time.
///
/// Its games show what can be said and what it brings about, and leave most of the return to be
/// learned.
pub struct MediocrePlayer {
    good: Box<dyn Player>,
    random: Box<dyn Player>,
    chance: ChaCha8Rng,
}

impl MediocrePlayer {
    /// The player between these two.
    pub fn boxed(good: Box<dyn Player>, random: Box<dyn Player>) -> Box<dyn Player> {
        Box::new(Self { good, random, chance: player_chance(0) })
    }
}

impl Player for MediocrePlayer {
    fn start(&mut self, seed: u64) {
        self.good.start(seed);
        self.random.start(seed);
        self.chance = player_chance(seed);
        // The random player draws from this seed as well; which of the two speaks is another matter.
        self.chance.set_stream(2);
    }

    fn say(&mut self, game: &Transcript, choices: Option<&Choices>) -> String {
        match draw(&mut self.chance, 2) {
            0 => self.good.say(game, choices),
            _ => self.random.say(game, choices),
        }
    }
}

/// Teaches by games of the player `mediocre`.
pub(crate) struct Demonstrations {
    entry: &'static Entry,
    settings: Settings,
    choices: bool,
}

impl Demonstrations {
    /// Those of a world with these settings, which lists choices or does not.
    pub fn new(entry: &'static Entry, settings: &Settings, choices: bool) -> Self {
        // The player draws among choices, whether or not the learner is shown them.
        let mut settings = settings.clone();
        if settings.contains_key("choices") {
            settings.insert("choices".to_string(), Value::Bool(true));
        }
        Self { entry, settings, choices }
    }
}

impl Teaching for Demonstrations {
    fn demonstrations(&self, starts: &[Start]) -> Vec<Game> {
        let made = (self.entry.make)(&self.settings);
        let player = (self.entry.player)(&self.settings, "mediocre");
        // Settings under which there are no choices to draw among have no such player.
        let (Ok(worlds), Ok(mut player)) = (made, player) else { return Vec::new() };
        let mut games = play(&*worlds, &mut *player, starts).unwrap_or_default();
        if !self.choices {
            for game in &mut games {
                game.choices = None;
                game.turns.iter_mut().for_each(|turn| turn.choices = None);
            }
        }
        games
    }
}
