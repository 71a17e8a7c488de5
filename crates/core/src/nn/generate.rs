//! Writing utterances for a batch of texts that grow, with one cache kept across the turns.
//!
//! A [`Decoder`] holds the rows of a batch. [`read`](Decoder::read) feeds each row its own new
//! tokens, of whatever number; [`generate`](Decoder::generate) lets the actor answer every row. All
//! rows share the cache's columns: where a row has nothing to put, the column is padding that no
//! token of that row ever looks at, and positions count real tokens only. So a row's utterance
//! does not depend on its neighbours, but for the order in which a device may sum few rows. Reading
//! the scores is the first of the two doors at which anything waits for the device.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};

use super::causal_lm::CausalLm;
use super::fused::Mask;
use super::gpt2::NewTokens;
use super::gpt2::direct::Direct;
use super::kv_cache::KvCache;
use super::sampling::{Choice, Sampler};
use crate::choices::Walk;
use crate::error::Error;
use crate::rng::ChaCha8Rng;
use crate::yielding::yield_now;

/// What the actor wrote for one row.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize, serde::Deserialize))]
pub struct Utterance {
    /// The sampled tokens, with the terminator where one was sampled.
    pub tokens: Vec<u32>,
    /// Whether the last token is a terminator, rather than the limit having been reached.
    pub ended: bool,
    /// Sum of the tokens' log-probabilities, terminator included.
    pub log_prob: f32,
    /// Sum of the entropies at each token, in nats.
    pub entropy: f32,
}

impl Utterance {
    /// The tokens without the terminator.
    pub fn body(&self) -> &[u32] {
        &self.tokens[..self.tokens.len() - usize::from(self.ended)]
    }
}

/// A batch of growing texts and what the actor has computed of them.
#[derive(Clone)]
pub struct Decoder<'a> {
    model: &'a CausalLm,
    device: Device,
    cache: KvCache,
    /// For each row, the ranges of columns of the cache that hold tokens of its own.
    valid: Vec<Vec<Range<usize>>>,
    /// For each row, the position of its next token.
    next: Vec<usize>,
    /// For each row, tokens that are part of its text but were not fed yet.
    pending: Vec<Vec<u32>>,
    /// Scores of the next token after the last `read`.
    scores: Option<Scores>,
    /// How scores are computed without tensors, where this model has such a way.
    direct: Option<Direct>,
    /// How often rows were dropped or copied.
    moves: usize,
}

/// Scores of the next token for some rows, `[rows, vocab]`.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a decoder has one")]
enum Scores {
    Here(Arc<[f32]>),
    OnDevice(Tensor<2>),
}

impl Scores {
    async fn read(self) -> Result<Arc<[f32]>, Error> {
        match self {
            Scores::Here(scores) => Ok(scores),
            Scores::OnDevice(scores) => {
                let scores = scores.into_data_async().await?;
                Ok(scores.as_slice().expect("scores are 32-bit floats").into())
            }
        }
    }

    /// Those of some rows, in this order; `vocab` for each.
    fn select(self, rows: &[usize], vocab: usize) -> Self {
        match self {
            Scores::Here(scores) => Scores::Here(
                rows.iter().flat_map(|row| &scores[row * vocab..][..vocab]).copied().collect(),
            ),
            Scores::OnDevice(scores) => {
                let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
                let rows = Tensor::from_ints(rows.as_slice(), &scores.device());
                Scores::OnDevice(scores.select(0, rows))
            }
        }
    }
}

/// What a decoder of one row has read.
pub(super) struct Row {
    pub cache: KvCache,
    pub direct: Option<Direct>,
    /// The columns of the cache that hold the tokens, in their order.
    pub columns: Vec<Range<usize>>,
    /// Tokens.
    pub read: usize,
}

/// Where a decoder stood ([`Decoder::mark`]).
pub struct Mark {
    moves: usize,
    columns: usize,
    valid: Vec<Vec<Range<usize>>>,
    next: Vec<usize>,
    pending: Vec<Vec<u32>>,
    scores: Option<Scores>,
}

impl<'a> Decoder<'a> {
    /// A batch of empty texts. `model` should be without autodiff.
    pub fn new(model: &'a CausalLm, rows: usize) -> Self {
        Self::by(model, model.direct(), rows)
    }

    fn by(model: &'a CausalLm, direct: Option<Direct>, rows: usize) -> Self {
        Self {
            model,
            direct,
            moves: 0,
            device: model.device(),
            cache: KvCache::new(model.config().layers),
            valid: vec![Vec::new(); rows],
            next: vec![0; rows],
            pending: vec![Vec::new(); rows],
            scores: None,
        }
    }

    /// As [`new`](Self::new), by tensors alone.
    #[cfg(test)]
    pub(super) fn by_tensors(model: &'a CausalLm, rows: usize) -> Self {
        Self::by(model, None, rows)
    }

    /// One row that has read so many tokens.
    pub(super) fn of_row(model: &'a CausalLm, row: Row) -> Self {
        let Row { cache, direct, columns, read } = row;
        Self { cache, valid: vec![columns], next: vec![read], ..Self::by(model, direct, 1) }
    }

    /// What its only row has read.
    ///
    /// # Panics
    /// If there is not exactly one row.
    pub(super) fn into_row(mut self) -> Row {
        assert_eq!(self.rows(), 1, "one row is kept");
        let (columns, read) = (self.valid.remove(0), self.next[0]);
        Row { cache: self.cache, direct: self.direct, columns, read }
    }

    /// Whose scores are computed.
    pub(super) fn model(&self) -> &'a CausalLm {
        self.model
    }

    /// Rows in the batch.
    pub fn rows(&self) -> usize {
        self.next.len()
    }

    /// Tokens of a row's text so far.
    pub fn len(&self, row: usize) -> usize {
        self.next[row] + self.pending[row].len()
    }

    /// Feeds each row its new tokens. Each text must have at least one token afterwards.
    ///
    /// # Panics
    /// If the number of pieces is not that of the rows, or a text stays empty.
    pub fn read(&mut self, pieces: &[Vec<u32>]) {
        assert_eq!(pieces.len(), self.rows(), "one piece for each row");
        let pieces: Vec<Vec<u32>> = pieces
            .iter()
            .zip(&mut self.pending)
            .map(|(piece, pending)| [&std::mem::take(pending)[..], piece].concat())
            .collect();
        let width = pieces.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 {
            return;
        }
        assert!(
            pieces.iter().all(|piece| !piece.is_empty()),
            "every row needs a token to go on from"
        );
        let all: Vec<usize> = (0..self.rows()).collect();
        let last = pieces.iter().enumerate().map(|(row, piece)| row * width + piece.len() - 1);
        self.scores = Some(self.feed(&all, &pieces, width, &last.collect::<Vec<_>>()));
    }

    /// Feeds each row of an empty batch its prompt as the reference does: shorter prompts are padded
    /// on the right, a padding token has position 1 and sees the prompt before it but not itself,
    /// and every row is answered from the last column, be that padding or not. What a row is
    /// answered then depends on the longest of its batch; only `numerics = "compat"` wants this.
    ///
    /// # Panics
    /// If something was read before, or the number of prompts is not that of the rows.
    pub fn read_padded(&mut self, prompts: &[Vec<u32>], pad: u32) {
        assert!(self.cache.is_empty(), "padded prompts are read into an empty batch");
        assert_eq!(prompts.len(), self.rows(), "one prompt for each row");
        let width = prompts.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut tokens, mut positions) = (Vec::new(), Vec::new());
        for (row, prompt) in prompts.iter().enumerate() {
            let real = prompt.len();
            let padding = width - real;
            tokens.extend(prompt.iter().map(|&token| token as i32));
            tokens.extend(std::iter::repeat_n(pad as i32, padding));
            positions.extend(0..real as i32);
            positions.extend(std::iter::repeat_n(1, padding));
            self.next[row] = real;
            self.valid[row].push(0..real);
        }
        let mask = Mask::new([prompts.len(), width, width], |row, query, open| {
            open.push(0..prompts[row].len().min(query + 1));
        });
        let all: Vec<usize> = (0..self.rows()).collect();
        let last: Vec<usize> = all.iter().map(|row| row * width + width - 1).collect();
        self.scores = Some(self.run([&all, &last], &tokens, &positions, &mask));
    }

    /// Feeds one text to each row of an empty batch and turns the rows into its states: afterwards
    /// there is a row for each named prefix, text by text, ready to be answered.
    ///
    /// # Panics
    /// If something was read before, or a prefix is empty or longer than its text.
    pub fn read_states(&mut self, texts: &[&[u32]], states: &[Vec<usize>]) {
        assert!(self.cache.is_empty(), "states are read into an empty batch");
        let pieces: Vec<Vec<u32>> = texts.iter().map(|text| text.to_vec()).collect();
        let width = pieces.iter().map(Vec::len).max().expect("a text");
        let all: Vec<usize> = (0..texts.len()).collect();
        let state_of: Vec<(usize, usize)> = states
            .iter()
            .enumerate()
            .flat_map(|(text, lengths)| lengths.iter().map(move |&length| (text, length)))
            .collect();
        let ends: Vec<usize> =
            state_of.iter().map(|&(text, length)| text * width + length - 1).collect();
        // Several rows may go on from one state: it is read once.
        let mut asked = ends.clone();
        asked.sort_unstable();
        asked.dedup();
        let scores = self.feed(&all, &pieces, width, &asked); // [asked, vocab]
        let place = |end| asked.binary_search(end).expect("it is one of them");
        let places: Vec<usize> = ends.iter().map(place).collect();
        self.branch(&state_of.iter().map(|&(text, _)| text).collect::<Vec<_>>());
        for (row, &(_, length)) in state_of.iter().enumerate() {
            // Of the text that it was read with.
            self.valid[row].clear();
            self.valid[row].push(0..length);
            self.next[row] = length;
        }
        self.scores = Some(scores.select(&places, self.model.config().vocab_size)); // [states, vocab]
    }

    /// Lets the actor write an utterance for every row, each drawn by its own generator.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If nothing was read since the last call.
    pub async fn generate(
        &mut self,
        sampler: &Sampler,
        rngs: &mut [ChaCha8Rng],
        max_new_tokens: usize,
        ends: impl Fn(u32) -> bool,
    ) -> Result<Vec<Utterance>, Error> {
        let mut free = Walk::free(self.rows());
        self.generate_along(sampler, rngs, &mut free, max_new_tokens, ends).await
    }

    /// As [`generate`](Self::generate), each row along its walk through what may be said there.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If nothing was read since the last call.
    pub async fn generate_along(
        &mut self,
        sampler: &Sampler,
        rngs: &mut [ChaCha8Rng],
        walks: &mut [Walk<'_>],
        max_new_tokens: usize,
        ends: impl Fn(u32) -> bool,
    ) -> Result<Vec<Utterance>, Error> {
        let choose =
            |_: usize, _: usize, scores: &[f32], _: Option<&[u32]>, rng: &mut ChaCha8Rng| {
                sampler.choose(scores, rng)
            };
        self.write(rngs, walks, max_new_tokens, ends, choose).await
    }

    /// The same where other utterances were tried and put aside: for each row the first token of the
    /// first of them, and how many more were ([`Sampler::choose_other`]).
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If nothing was read since the last call.
    pub async fn generate_others(
        &mut self,
        sampler: &Sampler,
        rngs: &mut [ChaCha8Rng],
        walks: &mut [Walk<'_>],
        tried: &[(u32, usize)],
        max_new_tokens: usize,
        ends: impl Fn(u32) -> bool,
    ) -> Result<Vec<Utterance>, Error> {
        let choose =
            |n: usize, row: usize, scores: &[f32], open: Option<&[u32]>, rng: &mut ChaCha8Rng| {
                let (first, rank) = tried[row];
                let place = open.map_or(Some(first), |open| {
                    open.binary_search(&first).ok().map(|place| place as u32)
                });
                match (n, place) {
                    (1, Some(place)) => sampler.choose_other(scores, rng, place, rank),
                    _ => sampler.choose(scores, rng),
                }
            };
        self.write(rngs, walks, max_new_tokens, ends, choose).await
    }

    /// Goes on with these utterances as if the actor had written them here.
    pub fn observe(&mut self, utterances: &[Utterance]) {
        self.scores = None;
        for (pending, utterance) in self.pending.iter_mut().zip(utterances) {
            pending.extend(utterance.body());
        }
    }

    /// Writes an utterance for every row; `choose` gives token number `n`, from 1, of a row by its place
    /// among the scores, which are of the open tokens only where not all are open.
    async fn write(
        &mut self,
        rngs: &mut [ChaCha8Rng],
        walks: &mut [Walk<'_>],
        max_new_tokens: usize,
        ends: impl Fn(u32) -> bool,
        choose: impl Fn(usize, usize, &[f32], Option<&[u32]>, &mut ChaCha8Rng) -> Choice,
    ) -> Result<Vec<Utterance>, Error> {
        let rows = self.rows();
        let mut utterances = vec![Utterance::default(); rows];
        let mut open = vec![true; rows];
        // The rows that the scores are of.
        let mut fed: Vec<usize> = (0..rows).collect();
        let mut scores = self.scores.take().expect("a text to answer");
        let vocab = self.model.config().vocab_size;
        for n in 1.. {
            yield_now().await;
            let values = scores.read().await?;
            let mut pieces = vec![Vec::new(); rows];
            for (&row, scores) in fed.iter().zip(values.chunks_exact(vocab)) {
                if !open[row] {
                    continue;
                }
                let choice = match walks[row].open() {
                    None => choose(n, row, scores, None, &mut rngs[row]),
                    Some(open) => {
                        let among: Vec<f32> = open.iter().map(|&id| scores[id as usize]).collect();
                        let choice = choose(n, row, &among, Some(&open), &mut rngs[row]);
                        Choice { token: open[choice.token as usize], ..choice }
                    }
                };
                if !choice.log_prob.is_finite() {
                    return Err(Error::NotFinite(format!(
                        "the actor gives an utterance the log-probability {}: its scores are no numbers; take another model, or an earlier checkpoint with a lower learning rate",
                        choice.log_prob
                    )));
                }
                walks[row].step(choice.token);
                let utterance = &mut utterances[row];
                utterance.tokens.push(choice.token);
                utterance.log_prob += choice.log_prob;
                utterance.entropy += choice.entropy;
                utterance.ended = ends(choice.token);
                open[row] = !utterance.ended && n < max_new_tokens;
                if open[row] {
                    pieces[row].push(choice.token);
                } else if !utterance.ended {
                    self.pending[row].push(choice.token);
                }
            }
            if !open.contains(&true) {
                break;
            }
            if self.cache.takes_some() {
                fed = (0..rows).filter(|&row| open[row]).collect();
                pieces = fed.iter().map(|&row| std::mem::take(&mut pieces[row])).collect();
            }
            let all: Vec<usize> = (0..fed.len()).collect();
            scores = self.feed(&fed, &pieces, 1, &all); // [fed, vocab]
        }
        Ok(utterances)
    }

    /// Keeps these rows, in this order; a row may be named more than once, and each copy then goes
    /// its own way. So a state that many draws share is read once.
    pub fn keep(&mut self, rows: &[usize]) {
        if !self.has_just(rows) {
            self.cache.keep(rows);
            self.choose(rows);
        }
    }

    /// The same for rows that are written on once and no more: copies share what was read.
    pub fn branch(&mut self, rows: &[usize]) {
        if !self.has_just(rows) {
            self.cache.branch(rows);
            self.choose(rows);
        }
    }

    /// Where the batch stands now.
    pub fn mark(&self) -> Mark {
        Mark {
            moves: self.moves,
            columns: self.cache.len(),
            valid: self.valid.clone(),
            next: self.next.clone(),
            pending: self.pending.clone(),
            scores: self.scores.clone(),
        }
    }

    /// Goes back to where the same rows stood: what was written since is forgotten.
    ///
    /// # Panics
    /// If rows were dropped or copied since.
    pub fn return_to(&mut self, mark: Mark) {
        let Mark { moves, columns, valid, next, pending, scores } = mark;
        assert_eq!(moves, self.moves, "the rows are still the same");
        self.cache.truncate(columns);
        (self.valid, self.next, self.pending, self.scores) = (valid, next, pending, scores);
    }

    /// Whether these are all rows in order.
    fn has_just(&self, rows: &[usize]) -> bool {
        rows.len() == self.rows() && rows.iter().enumerate().all(|(i, &row)| i == row)
    }

    /// What is known of rows beside the cache, for these.
    fn choose(&mut self, rows: &[usize]) {
        self.moves += 1;
        self.valid = rows.iter().map(|&row| self.valid[row].clone()).collect();
        self.next = rows.iter().map(|&row| self.next[row]).collect();
        self.pending = rows.iter().map(|&row| self.pending[row].clone()).collect();
        if let Some(scores) = self.scores.take() {
            self.scores = Some(scores.select(rows, self.model.config().vocab_size));
        }
    }

    /// Runs the model on `width` new columns of some rows, a piece for each; shorter pieces are
    /// padded on the right. Gives the scores after the places of `[fed · width]` that are asked.
    fn feed(
        &mut self,
        fed: &[usize],
        pieces: &[Vec<u32>],
        width: usize,
        asked: &[usize],
    ) -> Scores {
        let rows = fed.len();
        let before = self.cache.len();
        let mut tokens = vec![0i32; rows * width];
        let mut positions = vec![0i32; rows * width];
        for (row, piece) in pieces.iter().enumerate() {
            for (column, &token) in piece.iter().enumerate() {
                tokens[row * width + column] = token as i32;
                positions[row * width + column] = (self.next[fed[row]] + column) as i32;
            }
        }
        let mask = Mask::new([rows, width, before + width], |row, column, open| {
            open.extend(self.valid[fed[row]].iter().cloned());
            if column < pieces[row].len() {
                open.push(before..before + column + 1);
            }
        });
        for (&row, piece) in fed.iter().zip(pieces) {
            self.next[row] += piece.len();
            let end = before + piece.len();
            match self.valid[row].last_mut() {
                Some(last) if last.end == before => last.end = end,
                _ if piece.is_empty() => {}
                _ => self.valid[row].push(before..end),
            }
        }
        self.run([fed, asked], &tokens, &positions, &mask)
    }

    /// Runs the model on new columns of some rows, given row by row, for the scores after some places.
    fn run(
        &mut self,
        [rows, asked]: [&[usize]; 2],
        tokens: &[i32],
        positions: &[i32],
        mask: &Mask,
    ) -> Scores {
        let cache = &mut self.cache;
        if let Some(direct) = &self.direct {
            let new = NewTokens { tokens, positions, mask, rows, asked };
            return Scores::Here(direct.scores(&new, cache).into());
        }
        let shape = [rows.len(), tokens.len() / rows.len()];
        let ints = |values| Tensor::<1, Int>::from_ints(values, &self.device).reshape(shape);
        let (tokens, positions) = (ints(tokens), ints(positions));
        let hidden = self.model.forward_cached(tokens, positions, mask, [rows, asked], cache);
        Scores::OnDevice(self.model.logits(hidden))
    }
}
