//! Sizes that a configuration leaves to the world: what the games that are seen before learning need.

use archer_world::{About, Game};

use super::{
    ActorModelConfig, Algorithm, Config, CriticKind, CriticModelConfig, PpoConfig, TokenizerConfig,
    WarmStartConfig,
};
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
    /// The settings for a world of which nothing is known: small models, sizes fitted to the texts that
    /// are seen first. `crates/cli/presets/new-world.toml` says why each is as it is.
    pub fn new_world() -> Self {
        let (layers, width, heads, positions) = (2, 64, 4, 0);
        Self {
            algorithm: Algorithm::Ppo,
            iterations: 200,
            rollout_size: 64,
            eval_size: 100,
            eval_freq: 10,
            save_freq: 10,
            keep_best: true,
            batch_size: 32,
            lm_lr: 1e-3,
            lr_final: 0.1,
            gamma: 0.97,
            max_grad_norm: 10.0,
            entropy_coef: 0.02,
            max_new_tokens: 0,
            tokenizer: TokenizerConfig { vocab_size: 512, max_token_length: 16 },
            actor_model: ActorModelConfig { layers, width, heads, positions, look_back: false },
            critic_model: CriticModelConfig {
                kind: CriticKind::Causal,
                from_actor: false,
                layers,
                width,
                heads,
                positions,
            },
            warm_start: WarmStartConfig {
                games: 2000,
                steps: 600,
                batch_size: 32,
                lr_final: 0.1,
                reply_coef: 1.0,
                ..WarmStartConfig::default()
            },
            ppo: PpoConfig { value_coef: 0.5, ..PpoConfig::default() },
            ..Self::default()
        }
    }

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
        // A world may announce any number of turns.
        let longest = exchanges
            .saturating_mul(seen.exchange + 1)
            .saturating_add(seen.opening + self.max_new_tokens + 16);
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
