//! Choosing what to say: of several utterances the one that a critic thinks best, or the first that
//! was not said before.
//!
//! A policy that says the best of `samples` draws is better than the one it draws from wherever the
//! critic is right, without a gradient. Also here: what a critic of either kind thinks of texts and
//! of utterances after them, which choosing needs and a person who looks inside too.

use std::borrow::Cow;

use archer_world::Transcript;
use rand::Rng;

use super::{Layout, Player};
use crate::choices::{Trie, Walk};
use crate::error::Error;
use crate::nn::critic::{Critic, Values};
use crate::nn::generate::{Decoder, Mark, Utterance};
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::nn::tree_batch::{Tree, TreeBatch};
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;
use crate::text::prompt::newest;

/// Who chooses among several utterances.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    /// Whose smaller Q decides; without autodiff.
    pub critic: &'a Critic,
    /// Utterances to choose from, at least 1.
    pub samples: usize,
    /// Temperature at which they are drawn where the player would take the likeliest alone: there
    /// is nothing to choose among equal ones.
    pub temperature: f64,
}

impl Player<'_> {
    /// How utterances are drawn.
    fn draws(&self) -> Cow<'_, Sampler> {
        match self.chooser {
            Some(chooser) if self.sampler.temperature == 0.0 => {
                Cow::Owned(Sampler { temperature: chooser.temperature, ..Sampler::greedy() })
            }
            _ => Cow::Borrowed(self.sampler),
        }
    }

    /// One utterance after each of the texts that a decoder has read, each drawn by its own
    /// generator among what `choices` lists; `before` are the games so far. The decoder goes on with what
    /// was said.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn answer(
        &self,
        decoder: &mut Decoder<'_>,
        texts: &[&[u32]],
        before: &[&Transcript],
        choices: &[Option<&Trie>],
        rngs: &mut [ChaCha8Rng],
    ) -> Result<Vec<Utterance>, Error> {
        let limit = self.layout.max_new_tokens;
        let ends = |token| self.tokenizer.ends_utterance(token);
        let Some(chooser) = self.chooser else {
            return self.answer_anew(decoder, before, choices, rngs).await;
        };
        let each = chooser.samples;
        let rows = 0..texts.len();
        decoder
            .keep(&rows.clone().flat_map(|row| std::iter::repeat_n(row, each)).collect::<Vec<_>>());
        let mut branched: Vec<ChaCha8Rng> = Vec::with_capacity(texts.len() * each);
        for rng in rngs {
            let seed = rng.next_u64();
            branched.extend((0..each as u64).map(|i| rng::stream(seed, "candidate", i)));
        }
        let walks = choices.iter().flat_map(|&trie| std::iter::repeat_n(Walk::new(trie), each));
        let mut walks: Vec<Walk<'_>> = walks.collect();
        let draws = self.draws();
        let written =
            decoder.generate_along(&draws, &mut branched, &mut walks, limit, ends).await?;
        let said: Vec<Vec<&[u32]>> =
            written.chunks(each).map(|said| said.iter().map(Utterance::body).collect()).collect();
        let Values { q1, q2, .. } = values(chooser.critic, self.layout, texts, &said);
        let read = params::read(vec![q1, q2]).await?;
        let worth = |i: usize| read[0][i].min(read[1][i]);
        let best = |row: usize| {
            let first = row * each;
            (first..first + each).reduce(|best, i| if worth(i) > worth(best) { i } else { best })
        };
        let chosen: Vec<usize> = rows.map(|row| best(row).expect("a sample")).collect();
        decoder.keep(&chosen);
        Ok(chosen.into_iter().map(|i| written[i].clone()).collect())
    }

    /// The same where the policy alone speaks, and what was said before is replaced.
    async fn answer_anew(
        &self,
        decoder: &mut Decoder<'_>,
        before: &[&Transcript],
        choices: &[Option<&Trie>],
        rngs: &mut [ChaCha8Rng],
    ) -> Result<Vec<Utterance>, Error> {
        let limit = self.layout.max_new_tokens;
        let ends = |token| self.tokenizer.ends_utterance(token);
        let unread = (self.tries > 1).then(|| decoder.mark());
        let mut walks: Vec<Walk<'_>> = choices.iter().map(|trie| Walk::new(*trie)).collect();
        let mut said = decoder.generate_along(self.sampler, rngs, &mut walks, limit, ends).await?;
        if let Some(unread) = unread {
            self.replace_repeated((decoder, unread), &mut said, before, choices, rngs).await?;
        }
        Ok(said)
    }

    /// Replaces each utterance that was said before in its game by the first of up to `tries` − 1 others
    /// that were not, each with another first token; where all were said before it stays. Tells
    /// whether there was one to replace. The decoder has written what was said since it stood at `unread`,
    /// and goes on with what is said instead.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn replace_repeated(
        &self,
        (decoder, unread): (&mut Decoder<'_>, Mark),
        said: &mut [Utterance],
        before: &[&Transcript],
        choices: &[Option<&Trie>],
        rngs: &mut [ChaCha8Rng],
    ) -> Result<bool, Error> {
        let limit = self.layout.max_new_tokens;
        let ends = |token| self.tokenizer.ends_utterance(token);
        let old = |row: usize, utterance: &Utterance| {
            before[row].said_before(&spoken(self.tokenizer, utterance))
        };
        let repeated = (0..said.len()).filter(|&row| old(row, &said[row]));
        let mut open: Vec<Repeated> = repeated
            .map(|row| Repeated { row, first: said[row].tokens[0], seed: rngs[row].next_u64() })
            .collect();
        if open.is_empty() {
            return Ok(false);
        }
        decoder.return_to(unread);
        // Most are replaced by the first or second other, so few are written at a time.
        let (mut done, mut size) = (0, 1);
        while done < self.tries - 1 && !open.is_empty() {
            let ranks = done..(done + size).min(self.tries - 1);
            let rows = |row: &Repeated| std::iter::repeat_n(*row, ranks.len());
            let tried: Vec<Repeated> = open.iter().flat_map(rows).collect();
            let mut other = decoder.clone();
            other.keep(&tried.iter().map(|tried| tried.row).collect::<Vec<_>>());
            // One order of the tokens for all ranks of a row.
            let mut branched: Vec<ChaCha8Rng> =
                tried.iter().map(|tried| rng::stream(tried.seed, "again", 0)).collect();
            let aside: Vec<(u32, usize)> = tried
                .iter()
                .zip(ranks.clone().cycle())
                .map(|(tried, rank)| (tried.first, rank))
                .collect();
            let mut walks: Vec<Walk<'_>> =
                tried.iter().map(|tried| Walk::new(choices[tried.row])).collect();
            let written = other
                .generate_others(self.sampler, &mut branched, &mut walks, &aside, limit, ends)
                .await?;
            let mut written = written.chunks(ranks.len());
            open.retain(|repeated| {
                let written = written.next().expect("as many as there are rows");
                match written.iter().find(|utterance| !old(repeated.row, utterance)) {
                    Some(fresh) => {
                        said[repeated.row] = fresh.clone();
                        false
                    }
                    // Beyond the last token that may be drawn every rank is the last.
                    None => written.windows(2).all(|pair| pair[0].tokens[0] != pair[1].tokens[0]),
                }
            });
            (done, size) = (ranks.end, (2 * size).min(AT_A_TIME));
        }
        decoder.observe(said);
        Ok(true)
    }
}

/// Other utterances written at a time for a row.
const AT_A_TIME: usize = 8;

/// A row whose utterance was said before.
#[derive(Clone, Copy)]
struct Repeated {
    row: usize,
    /// The first token of that utterance.
    first: u32,
    /// Of the draws that replace it.
    seed: u64,
}

/// What the world hears of an utterance: its text up to the end of the line.
pub fn spoken(tokenizer: &Tokenizer, utterance: &Utterance) -> String {
    let text = tokenizer.decode(utterance.body());
    // A token that ends the utterance may carry text before its end of line.
    let tail = if utterance.ended {
        tokenizer.decode(&utterance.tokens[utterance.tokens.len() - 1..])
    } else {
        String::new()
    };
    let tail = tail.split('\n').next().unwrap_or_default();
    text + tail
}

/// What a critic thinks of some texts, `v` of `[texts]`, and of utterances after each, `q` of
/// `[all utterances]`. A text that does not fit beside its longest utterance loses its oldest tokens.
pub fn values(critic: &Critic, layout: &Layout, texts: &[&[u32]], said: &[Vec<&[u32]>]) -> Values {
    match critic {
        Critic::Causal(critic) => {
            let room = |said: &[&[u32]]| {
                let longest = said.iter().map(|body| body.len()).max().unwrap_or(0);
                critic.config().positions.saturating_sub(longest).max(1)
            };
            let trees: Vec<Tree<'_>> = texts
                .iter()
                .zip(said)
                .map(|(text, said)| {
                    let trunk = newest(text, room(said));
                    Tree { trunk, branches: said.iter().map(|&body| (trunk.len(), body)).collect() }
                })
                .collect();
            let batch = TreeBatch::new(&trees, &critic.device());
            let (mut tips, mut ends) = (Vec::new(), Vec::new());
            for (tree, Tree { trunk, branches }) in trees.iter().enumerate() {
                ends.push(batch.trunk(tree, trunk.len() - 1));
                let tip = |(n, (state, body)): (usize, &(usize, &[u32]))| {
                    batch.tip(tree, n, *state, body.len())
                };
                tips.extend(branches.iter().enumerate().map(tip));
            }
            let [tips, ends] = critic.hidden_at(&batch, [&tips, &ends]);
            let ((q1, q2), (v1, v2)) = (critic.q(tips), critic.v(ends));
            Values { q1, q2, v1, v2 }
        }
        Critic::Encoder(critic) => {
            let device = critic.device();
            let states = critic.encode(layout.texts(texts.iter().copied(), &device));
            let bodies = said.iter().flatten().copied();
            let actions = critic.encode(layout.texts(bodies, &device));
            let of: Vec<i32> = said
                .iter()
                .enumerate()
                .flat_map(|(text, said)| std::iter::repeat_n(text as i32, said.len()))
                .collect();
            let of = burn::tensor::Tensor::from_ints(of.as_slice(), &device);
            let (q1, q2) = critic.q(states.clone().select(0, of), actions);
            let (v1, v2) = critic.v(states);
            Values { q1, q2, v1, v2 }
        }
    }
}
