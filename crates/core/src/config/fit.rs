//! Sizes that a configuration leaves to the world: what the games that are seen before learning need.

use archer_world::{About, Game};

use super::Config;
use crate::text::Tokenizer;

/// The most positions that are chosen by themselves; a longer text loses its oldest tokens.
const MOST_POSITIONS: usize = 1024;

/// The largest numbers of tokens in some games.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    opening: usize,
    utterance: usize,
    exchange: usize,
}

impl Seen {
    fn of(games: &[Game], about: &About, tokenizer: &Tokenizer) -> Self {
        let size = |text: &str| tokenizer.encode(text).len();
        let mut seen = Self::default();
        for game in games {
            seen.opening = seen.opening.max(game.opening.as_deref().map_or(0, size));
            let listed = game.turns.iter().filter_map(|turn| turn.choices.as_ref());
            for choice in listed.chain(&game.choices).flatten() {
                seen.utterance = seen.utterance.max(size(choice));
            }
            for turn in &game.turns {
                let said = size(&turn.said);
                seen.utterance = seen.utterance.max(said);
                seen.exchange = seen.exchange.max(said + size(&about.style.reply(&turn.reply)));
            }
        }
        seen
    }
}

impl Config {
    /// This configuration with the sizes that it leaves open, for the world of these games.
    pub(crate) fn fitted(mut self, games: &[Game], about: &About, tokenizer: &Tokenizer) -> Self {
        let open = [self.max_new_tokens, self.actor_model.positions, self.critic_model.positions];
        if !open.contains(&0) {
            return self;
        }
        let seen = Seen::of(games, about, tokenizer);
        if self.max_new_tokens == 0 {
            // The terminator, and half as much again for what was not seen.
            self.max_new_tokens = seen.utterance + seen.utterance / 2 + 2;
        }
        let exchanges = about.memory.unwrap_or(about.max_turns).max(1);
        let longest = seen.opening + exchanges * (seen.exchange + 1) + self.max_new_tokens + 16;
        let needed = longest.min(MOST_POSITIONS).next_multiple_of(32);
        if self.actor_model.positions == 0 {
            self.actor_model.positions = needed.max(self.max_new_tokens + 16);
        }
        if self.critic_model.positions == 0 {
            self.critic_model.positions = self.actor_model.positions;
        }
        self
    }
}
