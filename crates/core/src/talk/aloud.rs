//! An agent that speaks in one game, token by token.

use archer_world::{Choices, Transcript};

use crate::agent::Agent;
use crate::algorithms::common::Player;
use crate::algorithms::common::choose::spoken;
use crate::choices::{Trie, Walk};
use crate::error::Error;
use crate::nn::generate::{Decoder, Utterance};
use crate::nn::prefix_cache::PrefixCache;
use crate::nn::sampling::Sampler;
use crate::rng::ChaCha8Rng;

/// Where a game stands when the agent is to speak.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The text that it reads.
    pub observation: &'a str,
    /// The game, which may hold more than is observed: an agent that tries again repeats nothing of it.
    pub before: &'a Transcript,
    /// What can be said, where the world lists it.
    pub choices: Option<&'a Choices>,
}

impl Agent {
    /// The agent's next utterance after a text.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn say(
        &self,
        observation: &str,
        sampler: &Sampler,
        rng: &mut ChaCha8Rng,
    ) -> Result<String, Error> {
        let before = &Transcript::new(self.about.style.clone(), None, "");
        let state = State { observation, before, choices: None };
        self.say_aloud(state, sampler, rng, &mut PrefixCache::default(), |_| ()).await
    }

    /// As [`say`](Self::say), token by token: `report` is given the text so far whenever it has grown.
    /// What `prefix` holds of the text from the last time is not read again.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn say_aloud(
        &self,
        state: State<'_>,
        sampler: &Sampler,
        rng: &mut ChaCha8Rng,
        prefix: &mut PrefixCache,
        mut report: impl FnMut(&str),
    ) -> Result<String, Error> {
        let tokens = self.tokenizer.encode_observation(state.observation);
        let text = self.layout().observation(&tokens);
        let trie = self.trie(state.choices)?;
        let mut decoder = Decoder::after_prefix(&self.actor, prefix, text);
        let player = self.player(sampler, 1);
        let choices = trie.as_deref();
        let said = match player.chooser {
            Some(_) => {
                // Nothing is said before it is chosen.
                let (before, rng) = ([state.before], std::slice::from_mut(rng));
                let mut said =
                    player.answer(&mut decoder, &[&tokens], &before, &[choices], rng).await?;
                report(&spoken(&self.tokenizer, &said[0]));
                said.remove(0)
            }
            None => write(player, &mut decoder, state.before, choices, rng, report).await?,
        };
        decoder.keep_prefix(prefix, &[text, said.body()].concat());
        Ok(spoken(&self.tokenizer, &said))
    }
}

/// Writes an utterance token by token, and reports its text as it grows.
async fn write(
    player: Player<'_>,
    decoder: &mut Decoder<'_>,
    before: &Transcript,
    trie: Option<&Trie>,
    rng: &mut ChaCha8Rng,
    mut report: impl FnMut(&str),
) -> Result<Utterance, Error> {
    let unread = (player.tries > 1).then(|| decoder.mark());
    let ends = |token| player.tokenizer.ends_utterance(token);
    let (mut walk, rng) = (Walk::new(trie), std::slice::from_mut(rng));
    let mut whole = Utterance::default();
    for n in 1..=player.layout.max_new_tokens {
        let walks = std::slice::from_mut(&mut walk);
        let next = decoder.generate_along(player.sampler, rng, walks, 1, ends).await?.remove(0);
        whole.tokens.extend(next.tokens);
        whole.ended = next.ended;
        let text = spoken(player.tokenizer, &whole);
        // A text that may still become a repetition is not reported until it is certain that it is none.
        if unread.is_none() || !before.may_repeat(&text) {
            report(&text);
        }
        if whole.ended || n == player.layout.max_new_tokens {
            break;
        }
        decoder.read(&[Vec::new()]);
    }
    if let Some(unread) = unread {
        let first = std::slice::from_mut(&mut whole);
        let decoder = (decoder, unread);
        let replaced = player.replace_repeated(decoder, first, &[before], &[trie], rng).await?;
        let text = spoken(player.tokenizer, &whole);
        if replaced || before.may_repeat(&text) {
            report(&text);
        }
    }
    Ok(whole)
}
