//! An agent that speaks in many games, turn after turn.
//!
//! What it has read of a game is kept until it speaks there again: a text that has only grown is read on,
//! and others are read from their beginning. Which of the two it is changes the order of some sums, and
//! nothing else. Games that are spoken in together are kept together, so those that go their own ways are
//! read again once it is faster to say them in one batch.

use archer_world::{Choices, Transcript};

use super::Spoken;
use crate::agent::Agent;
use crate::algorithms::common::Player;
use crate::algorithms::common::choose::spoken;
use crate::choices::{Trie, Tries};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::generate::Decoder;
use crate::nn::sampling::Sampler;
use crate::parallel;
use crate::rng::ChaCha8Rng;
use crate::train::rollout::batches;

/// Bytes that may be kept of what was read.
const MOST_KEPT: usize = 512 << 20;

/// A game in which the agent is to speak.
#[derive(Debug, Clone)]
pub struct Turn<'a> {
    /// The number of the game: what was read of it is kept under this.
    pub game: u64,
    /// The game so far.
    pub transcript: &'a Transcript,
    /// What can be said, where the world lists it.
    pub choices: Option<&'a Choices>,
    /// Where its draws come from.
    pub rng: ChaCha8Rng,
}

/// An agent and what it has read.
pub struct Speaker<'a> {
    agent: &'a Agent,
    threads: usize,
    /// The latest first.
    kept: Vec<Kept<'a>>,
}

/// Games that were spoken in together.
struct Kept<'a> {
    decoder: Decoder<'a>,
    /// For each row its game, and the tokens that were read of it, its utterance included; none where
    /// it is read no further.
    rows: Vec<(u64, Vec<u32>)>,
    /// Columns of the decoder's cache.
    columns: usize,
}

/// Turns that are said in one batch.
struct Part<'a> {
    /// Their places among all turns.
    places: Vec<usize>,
    /// What was read before, where they go on from it: the rows of the turns.
    from: Option<(Kept<'a>, Vec<usize>)>,
}

/// A turn in tokens.
struct Read<'a> {
    turn: &'a Turn<'a>,
    tokens: Vec<u32>,
    trie: Option<std::sync::Arc<Trie>>,
}

impl<'a> Speaker<'a> {
    /// An agent that has read nothing yet, whose work so many threads share.
    pub fn new(agent: &'a Agent, threads: usize) -> Self {
        Self { agent, threads, kept: Vec::new() }
    }

    /// One utterance in each of some games, in as few batches as suit the threads. An utterance does not
    /// depend on the others, but for the order in which a device may sum few rows.
    ///
    /// # Errors
    /// If a choice is longer than what the agent can say, or it cannot write it; or the device fails.
    pub async fn say(
        &mut self,
        turns: &[Turn<'_>],
        sampler: &Sampler,
    ) -> Result<Vec<Spoken>, Error> {
        let (agent, limit) = (self.agent, self.agent.about.max_new_tokens);
        let mut tries = Tries::default();
        let mut reads = Vec::with_capacity(turns.len());
        for turn in turns {
            let tokens = agent.tokenizer.encode_observation(&turn.transcript.text());
            let trie = tries.of(turn.choices, &agent.tokenizer, limit)?;
            reads.push(Read { turn, tokens, trie });
        }
        let parts = self.parts(&reads);
        let player = agent.player(sampler, self.threads);
        let job = |part: Part<'a>| {
            let reads = &reads;
            async move { say(&agent.actor, player, part, reads).await }
        };
        let mut said = vec![Spoken { text: String::new(), log_prob: 0.0 }; turns.len()];
        for part in parallel::map(self.threads, parts, job).await {
            let (places, spoken, kept) = part?;
            places.into_iter().zip(spoken).for_each(|(place, spoken)| said[place] = spoken);
            self.keep(kept);
        }
        Ok(said)
    }

    /// Cuts turns into batches: by what was read before where that is most of a batch, else afresh.
    fn parts(&mut self, reads: &[Read<'_>]) -> Vec<Part<'a>> {
        let shared = parallel::shares(&self.agent.actor.device());
        let (batch, _) = batches(reads.len(), None, shared);
        let mut fresh: Vec<usize> = (0..reads.len()).collect();
        let (mut parts, mut kept) = (Vec::new(), Vec::new());
        for before in std::mem::take(&mut self.kept) {
            let rows: Vec<(usize, usize)> = fresh
                .iter()
                .filter_map(|&place| Some((place, before.row(&reads[place], self.agent)?)))
                .collect();
            match rows.is_empty() || 2 * rows.len() < batch {
                true => kept.push(before),
                false => {
                    fresh.retain(|place| rows.iter().all(|(taken, _)| taken != place));
                    let (places, rows) = rows.into_iter().unzip();
                    parts.push(Part { places, from: Some((before, rows)) });
                }
            }
        }
        self.kept = kept;
        let chunks = fresh.chunks(batch.max(1));
        parts.extend(chunks.map(|places| Part { places: places.to_vec(), from: None }));
        parts
    }

    /// Forgets what was read of a game.
    pub fn forget(&mut self, game: u64) {
        for kept in &mut self.kept {
            for (of, tokens) in &mut kept.rows {
                if *of == game {
                    *tokens = Vec::new();
                }
            }
        }
        self.kept.retain(|kept| kept.rows.iter().any(|(_, tokens)| !tokens.is_empty()));
    }

    /// Keeps what was read, and of that before as much as there is room for.
    fn keep(&mut self, latest: Kept<'a>) {
        let each = self.agent.actor.cached_bytes();
        latest.rows.iter().for_each(|(game, _)| self.forget(*game));
        self.kept.insert(0, latest);
        let mut left = MOST_KEPT;
        self.kept.retain(|kept| {
            let size = kept.rows.len() * kept.columns * each;
            let fits = size <= left;
            left -= if fits { size } else { 0 };
            fits
        });
    }
}

impl Kept<'_> {
    /// The row that a turn goes on from.
    fn row(&self, read: &Read<'_>, agent: &Agent) -> Option<usize> {
        let limit = agent.layout().observation_limit;
        let (game, tokens) = (read.turn.game, &read.tokens);
        // Columns that hold no token of a row are time lost.
        if tokens.len() > limit || self.columns > 2 * limit {
            return None;
        }
        // What was forgotten is empty.
        let goes_on = |before: &Vec<u32>| {
            !before.is_empty() && before.len() < tokens.len() && tokens.starts_with(before)
        };
        self.rows.iter().position(|(of, before)| *of == game && goes_on(before))
    }
}

/// Says a part of the turns.
async fn say<'a>(
    actor: &'a CausalLm,
    player: Player<'_>,
    part: Part<'a>,
    reads: &[Read<'_>],
) -> Result<(Vec<usize>, Vec<Spoken>, Kept<'a>), Error> {
    let Part { places, from } = part;
    let reads: Vec<&Read<'_>> = places.iter().map(|&place| &reads[place]).collect();
    let (mut decoder, mut columns, pieces) = match from {
        Some((Kept { mut decoder, rows: known, columns }, rows)) => {
            decoder.keep(&rows);
            let pieces = rows.iter().zip(&reads);
            let pieces = pieces.map(|(&row, read)| read.tokens[known[row].1.len()..].to_vec());
            (decoder, columns, pieces.collect::<Vec<_>>())
        }
        None => {
            let pieces = reads.iter().map(|read| player.layout.observation(&read.tokens).to_vec());
            (Decoder::new(actor, reads.len()), 0, pieces.collect())
        }
    };
    decoder.read(&pieces);
    let texts: Vec<&[u32]> = reads.iter().map(|read| &read.tokens[..]).collect();
    let before: Vec<&Transcript> = reads.iter().map(|read| read.turn.transcript).collect();
    let choices: Vec<Option<&Trie>> = reads.iter().map(|read| read.trie.as_deref()).collect();
    let mut rngs: Vec<ChaCha8Rng> = reads.iter().map(|read| read.turn.rng.clone()).collect();
    let said = player.answer(&mut decoder, &texts, &before, &choices, &mut rngs).await?;
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    columns += longest(&mut pieces.iter().map(Vec::len));
    columns += longest(&mut said.iter().map(|utterance| utterance.tokens.len()));
    let rows = reads.iter().zip(&said).map(|(read, utterance)| {
        // A text that has lost its beginning is read again.
        let whole = read.tokens.len() <= player.layout.observation_limit;
        let tokens = if whole { [&read.tokens[..], utterance.body()].concat() } else { Vec::new() };
        (read.turn.game, tokens)
    });
    let kept = Kept { decoder, rows: rows.collect(), columns };
    let spoken = said.iter().map(|utterance| Spoken {
        text: spoken(player.tokenizer, utterance),
        log_prob: utterance.log_prob,
    });
    Ok((places, spoken.collect(), kept))
}
