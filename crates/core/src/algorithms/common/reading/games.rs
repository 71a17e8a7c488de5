//! The way of a causal critic: draws are whole games, each read in one pass.
//!
//! A gradient step draws games uniformly until it has as many transitions as an encoder's step;
//! every transition is then as likely as any other. Fresh actions hang on
//! their states as branches ([`crate::nn::tree_batch`]), for the critic that judges them and for the
//! actor that learns from them.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use rand::RngExt;

use super::super::critic::ValueTarget;
use super::super::learner::{Context, body};
use super::super::{Open, Player, Policy, Scored, score_hidden};
use super::{SampledGame, transitions};
use crate::algorithms::common::auxiliary::replies::ReplyRows;
use crate::choices::Walk;
use crate::error::Error;
use crate::nn::causal_critic::CausalCritic;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::Values;
use crate::nn::generate::{Decoder, Utterance};
use crate::nn::tree_batch::{Tree, TreeBatch};
use crate::rl::losses::Pair;
use crate::rl::transition::Transition;
use crate::rng::{self, ChaCha8Rng};
use crate::text::Tokenizer;

/// Games whose states one generation answers.
const GENERATION_GAMES: usize = 16;

impl SampledGame<'_> {
    fn tree(&self, branch: impl Fn(&Utterance) -> &[u32]) -> Tree<'_> {
        let branches =
            self.answers().map(|(turn, fresh)| (turn.observation.len(), branch(fresh))).collect();
        Tree { trunk: &self.trunk, branches }
    }
}

/// Whether the text goes on from a turn as it was, with what was said in it.
pub(super) fn grows(turn: &Transition, tokenizer: &Tokenizer) -> bool {
    let rest = turn.next_observation.strip_prefix(&turn.observation[..]);
    rest.is_some_and(|rest| rest.starts_with(body(&turn.action, tokenizer)))
}

/// The text of which all states of a game are prefixes.
fn states_text<'a>(turns: &[&'a Transition], tokenizer: &Tokenizer) -> &'a [u32] {
    let last = turns.last().expect("a game has a turn");
    match grows(last, tokenizer) {
        true => &last.next_observation,
        false => &last.observation,
    }
}

/// The games among some transitions, given from the oldest to the newest, as far as they are one
/// growing text that fits into `limit` tokens, with room for a fresh action of `action` tokens at
/// every state.
///
/// A turn whose text does not go on into the next one, since the world shows only its last screens, is
/// a game of its own: it is read apart.
///
/// # Errors
/// If nothing is left.
pub(crate) fn games<'a>(
    turns: impl Iterator<Item = &'a Transition>,
    tokenizer: &Tokenizer,
    (limit, action): (usize, usize),
) -> Result<Vec<Vec<&'a Transition>>, Error> {
    let mut games: Vec<Vec<&Transition>> = Vec::new();
    let mut open = false;
    for item in turns {
        let grows = grows(item, tokenizer);
        let follows = open
            && games
                .last()
                .and_then(|game| game.last())
                .is_some_and(|before| before.next_observation == item.observation);
        let fits = item.next_observation.len() <= limit && item.observation.len() + action <= limit;
        match (fits, grows && follows) {
            (true, true) => games.last_mut().expect("a game before").push(item),
            (true, false) => games.push(vec![item]),
            (false, _) => {}
        }
        open = grows && fits && !item.terminated && !item.truncated;
    }
    if games.is_empty() {
        return Err(Error::Config(format!(
            "no turn of the games played fits into {limit} tokens with an action of {action} beside it: raise actor_model.positions and critic_model.positions, or lower max_new_tokens"
        )));
    }
    Ok(games)
}

/// Draws games uniformly until they have `rows` transitions.
pub(crate) fn draw<'g, 'a>(
    games: &'g [Vec<&'a Transition>],
    rows: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<&'g [&'a Transition]> {
    draw_of_both(games, &[], 0.0, rows, rng)
}

/// Draws as above; each game comes from the second list with this probability.
pub(crate) fn draw_of_both<'g, 'a>(
    own: &'g [Vec<&'a Transition>],
    prior: &'g [Vec<&'a Transition>],
    prior_share: f64,
    rows: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<&'g [&'a Transition]> {
    let mut drawn = Vec::new();
    let mut transitions = 0;
    while transitions < rows {
        let of_prior = prior_share > 0.0 && rng.random_bool(prior_share);
        let games = if of_prior { prior } else { own };
        let game = &games[rng::below(rng, games.len())];
        transitions += game.len();
        drawn.push(&game[..]);
    }
    drawn
}

/// Games with what was said in them.
pub(crate) fn as_said<'g, 'a: 'g>(
    games: impl IntoIterator<Item = &'g [&'a Transition]>,
    tokenizer: &Tokenizer,
) -> Vec<SampledGame<'a>> {
    games.into_iter().map(|turns| SampledGame::as_said(turns, tokenizer)).collect()
}

/// The games of a gradient step on what was said in them.
pub(crate) fn draw_as_said<'a>(
    games: &[Vec<&'a Transition>],
    context: &Context<'_>,
    rng: &mut ChaCha8Rng,
) -> Vec<SampledGame<'a>> {
    as_said(draw(games, context.rows(), rng), context.tokenizer)
}

/// `each` fresh actions for every state of some games; none where `each` is 0.
pub(crate) async fn sample<'a>(
    player: Player<'_>,
    drawn: &[&[&'a Transition]],
    each: usize,
    draws: (u64, &str, u64),
) -> Result<Vec<SampledGame<'a>>, Error> {
    if each == 0 {
        let bare = |&turns: &_| SampledGame::new(turns, Vec::new(), player.tokenizer);
        return Ok(drawn.iter().map(bare).collect());
    }
    let (seed, purpose, first) = draws;
    let rows_of = |draw: &usize| drawn[*draw].len() * each;
    let mut firsts = Vec::with_capacity(drawn.len());
    let mut next = first;
    for draw in 0..drawn.len() {
        firsts.push(next);
        next += rows_of(&draw) as u64;
    }
    let jobs = generations(drawn);
    let firsts = &firsts;
    let written = player.workers.map(jobs.clone(), |job: Vec<Vec<usize>>| async move {
        let games: Vec<&[&Transition]> = job.iter().map(|draws| drawn[draws[0]]).collect();
        let texts: Vec<&[u32]> =
            games.iter().map(|game| states_text(game, player.tokenizer)).collect();
        let states = games.iter().zip(&job).map(|(game, draws)| {
            let lengths = game.iter().map(|turn| turn.observation.len());
            let lengths: Vec<usize> =
                lengths.flat_map(|length| std::iter::repeat_n(length, each)).collect();
            lengths.repeat(draws.len())
        });
        let mut decoder = Decoder::new(player.actor, texts.len());
        decoder.read_states(&texts, &states.collect::<Vec<_>>());
        let draws = job.iter().flatten();
        let numbers =
            draws.clone().flat_map(|draw| firsts[*draw]..firsts[*draw] + rows_of(draw) as u64);
        let mut rngs: Vec<ChaCha8Rng> =
            numbers.map(|number| rng::stream(seed, purpose, number)).collect();
        let ends = |token| player.tokenizer.ends_utterance(token);
        let choices = draws.flat_map(|&draw| drawn[draw]);
        let choices =
            choices.flat_map(|turn| std::iter::repeat_n(Walk::new(turn.choices.as_deref()), each));
        let mut walks: Vec<Walk<'_>> = choices.collect();
        let limit = player.layout.max_new_tokens;
        decoder.generate_along(player.sampler, &mut rngs, &mut walks, limit, ends).await
    });
    let mut fresh = vec![Vec::new(); drawn.len()];
    for (job, written) in jobs.iter().zip(written.await?) {
        let mut written = written.into_iter();
        for &draw in job.iter().flatten() {
            fresh[draw] = written.by_ref().take(rows_of(&draw)).collect();
        }
    }
    let game =
        |(turns, fresh): (&&[&'a Transition], _)| SampledGame::new(turns, fresh, player.tokenizer);
    Ok(drawn.iter().zip(fresh).map(game).collect())
}

/// The draws that are answered in each generation, game by game: a game that was drawn more than once is
/// read once for as many draws as a generation answers, so that its memory stays bounded.
fn generations(drawn: &[&[&Transition]]) -> Vec<Vec<Vec<usize>>> {
    let mut games: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    for (draw, game) in drawn.iter().enumerate() {
        let number = *known.entry(game.as_ptr()).or_insert(games.len());
        match games.get_mut(number) {
            Some(draws) => draws.push(draw),
            None => games.push(vec![draw]),
        }
    }
    let mut jobs: Vec<Vec<Vec<usize>>> = Vec::new();
    let mut room = 0;
    for draws in games.iter().flat_map(|draws| draws.chunks(GENERATION_GAMES)) {
        if draws.len() > room {
            jobs.push(Vec::new());
            room = GENERATION_GAMES;
        }
        room -= draws.len();
        jobs.last_mut().expect("one was begun").push(draws.to_vec());
    }
    jobs
}

/// The flattened rows of a batch at which values are read.
#[derive(Default)]
struct Rows {
    /// Ends of the states, of the actions said and of the states after them, for each transition.
    states: Vec<usize>,
    actions: Vec<usize>,
    nexts: Vec<usize>,
    /// Ends of the fresh actions, and of the states that they answer.
    tips: Vec<usize>,
    bases: Vec<usize>,
}

impl Rows {
    fn of(batch: &TreeBatch, part: &[SampledGame<'_>], tokenizer: &Tokenizer) -> Self {
        let mut rows = Self::default();
        // Behind the games stand the states that are read by themselves.
        let mut aside = part.len();
        for (tree, game) in part.iter().enumerate() {
            for turn in &game.turns {
                let state = turn.observation.len();
                let said = body(&turn.action, tokenizer).len();
                rows.states.push(batch.trunk(tree, state - 1));
                rows.actions.push(batch.trunk(tree, state + said - 1));
                let next = if game.apart { aside } else { tree };
                rows.nexts.push(batch.trunk(next, turn.next_observation.len() - 1));
            }
            aside += usize::from(game.apart);
            if batch.starts[tree].is_empty() {
                continue;
            }
            for (branch, (turn, fresh)) in game.answers().enumerate() {
                let state = turn.observation.len();
                rows.bases.push(batch.trunk(tree, state - 1));
                rows.tips.push(batch.tip(tree, branch, state, fresh.body().len()));
            }
        }
        rows
    }
}

/// The target critic's Q of what V is to foresee and its V of the next states, `[transitions]` each.
pub(crate) fn target_values(
    target: &CausalCritic,
    part: &[SampledGame<'_>],
    value_target: ValueTarget,
    context: &Context<'_>,
) -> (Pair, Pair) {
    let mut trees: Vec<Tree<'_>> = part.iter().map(|game| game.tree(Utterance::body)).collect();
    let aside = part.iter().filter(|game| game.apart).map(|game| Tree {
        trunk: &game.turns.last().expect("a game has a turn").next_observation,
        branches: Vec::new(),
    });
    trees.extend(aside);
    let batch = TreeBatch::new(&trees, &target.device());
    let rows = Rows::of(&batch, part, context.tokenizer);
    let answers = match value_target {
        ValueTarget::Said => &rows.actions,
        _ => &rows.tips,
    };
    let [answers, nexts] = target.hidden_at(&batch, [answers, &rows.nexts]);
    (value_target.reduce(target.q(answers)), target.v(nexts))
}

/// A critic's Q of what was said and its V of the states, `[transitions]` each; and its loss of
/// the world's replies, weighed, where `reply_coef` asks for it.
pub(crate) fn values_and_replies(
    critic: &CausalCritic,
    part: &[SampledGame<'_>],
    context: &Context<'_>,
) -> ((Pair, Pair), Option<Tensor<1>>) {
    let coef = context.config.reply_coef;
    let batch = trunks(part, &critic.device());
    let rows = Rows::of(&batch, part, context.tokenizer);
    let replies = match coef > 0.0 {
        true => replies(&batch, part, context.tokenizer),
        false => ReplyRows::default(),
    };
    let [actions, states, before] =
        critic.hidden_at(&batch, [&rows.actions, &rows.states, replies.predictors()]);
    let foreseen = (coef > 0.0).then(|| replies.loss(critic.body(), before));
    let (q, v) = (critic.q(actions), critic.v(states));
    ((q, v), foreseen.map(|loss| loss.mul_scalar(coef / transitions(part) as f64)))
}

/// A critic's values of what was said in some games and of the states in which it was, each
/// `[transitions]`.
pub(crate) fn said_values(
    critic: &CausalCritic,
    part: &[SampledGame<'_>],
    tokenizer: &Tokenizer,
) -> Values {
    let batch = trunks(part, &critic.device());
    let rows = Rows::of(&batch, part, tokenizer);
    let [actions, states] = critic.hidden_at(&batch, [&rows.actions, &rows.states]);
    let ((q1, q2), (v1, v2)) = (critic.q(actions), critic.v(states));
    Values { q1, q2, v1, v2 }
}

/// A critic's Q of the fresh actions of some games and its V of their states, `[fresh actions]` each.
pub(crate) fn fresh_values(
    critic: &CausalCritic,
    part: &[SampledGame<'_>],
    tokenizer: &Tokenizer,
) -> (Pair, Pair) {
    let trees: Vec<Tree<'_>> = part.iter().map(|game| game.tree(Utterance::body)).collect();
    let batch = TreeBatch::new(&trees, &critic.device());
    let rows = Rows::of(&batch, part, tokenizer);
    let [tips, bases] = critic.hidden_at(&batch, [&rows.tips, &rows.bases]);
    (critic.q(tips), critic.v(bases))
}

/// A model's scores of the vocabulary wherever a token was said in some games, `[tokens, vocab]`.
pub(crate) fn scores(lm: &CausalLm, part: &[SampledGame<'_>]) -> Tensor<2> {
    let batch = trunks(part, &lm.device());
    let rows = said(&batch, part);
    let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
    let [hidden] = lm.hidden_at(tokens, positions, &batch.mask, [&rows]);
    let mut open = Open::default();
    for turn in part.iter().flat_map(|game| &game.turns) {
        open.push(turn.choices.as_deref(), &turn.action, turn.action.len());
    }
    let scores = lm.logits(hidden);
    match open.restricts() {
        true => open.restrict(scores, &(0..rows.len()).collect::<Vec<_>>()),
        false => scores,
    }
}

/// The rows of a batch at which the tokens said in some games were chosen.
pub(crate) fn said(batch: &TreeBatch, part: &[SampledGame<'_>]) -> Vec<usize> {
    let mut rows = Vec::with_capacity(tokens(part));
    for (tree, game) in part.iter().enumerate() {
        for turn in &game.turns {
            // The token before is where the next is chosen.
            let first = turn.observation.len() - 1;
            rows.extend((first..first + turn.action.len()).map(|at| batch.trunk(tree, at)));
        }
    }
    rows
}

/// Tokens that were said in some games, terminators included.
pub(crate) fn tokens(part: &[SampledGame<'_>]) -> usize {
    part.iter().flat_map(|game| &game.turns).map(|turn| turn.action.len()).sum()
}

/// The texts of some games, without branches.
pub(crate) fn trunks(part: &[SampledGame<'_>], device: &Device) -> TreeBatch {
    let trees: Vec<Tree<'_>> =
        part.iter().map(|game| Tree { trunk: &game.trunk, branches: Vec::new() }).collect();
    TreeBatch::new(&trees, device)
}

/// Where the replies of some games stand in a batch.
pub(crate) fn replies(
    batch: &TreeBatch,
    part: &[SampledGame<'_>],
    tokenizer: &Tokenizer,
) -> ReplyRows {
    let mut rows = ReplyRows::default();
    for (tree, game) in part.iter().enumerate().filter(|(_, game)| !game.apart) {
        for turn in &game.turns {
            let begin = turn.observation.len() + body(&turn.action, tokenizer).len();
            rows.push(&game.trunk, batch.trunk(tree, 0), begin, turn.next_observation.len());
        }
    }
    rows
}

/// What the policy says of the fresh actions of some games, all in one pass.
pub(crate) fn score(policy: &Policy, part: &[SampledGame<'_>], with_entropy: bool) -> Scored {
    let device = policy.lm.device();
    // The last token of an action is predicted, never read.
    let trees: Vec<Tree<'_>> = part
        .iter()
        .map(|game| game.tree(|fresh| &fresh.tokens[..fresh.tokens.len() - 1]))
        .collect();
    let batch = TreeBatch::new(&trees, &device);
    let actions = part.iter().flat_map(|game| &game.fresh).map(|fresh| fresh.tokens.len()).max();
    let actions = actions.expect("a fresh action");
    let (mut predictors, mut targets, mut mask) = (Vec::new(), Vec::new(), Vec::new());
    let mut open = Open::default();
    for (tree, game) in part.iter().enumerate() {
        for (branch, (turn, fresh)) in game.answers().enumerate() {
            open.push(turn.choices.as_deref(), &fresh.tokens, actions);
            for i in 0..actions {
                let token = fresh.tokens.get(i);
                mask.push(if token.is_some() { 1.0 } else { 0.0 });
                targets.push(token.copied().unwrap_or(0));
                let read = i.min(fresh.tokens.len() - 1);
                predictors.push(batch.tip(tree, branch, turn.observation.len(), read));
            }
        }
    }
    let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
    let [hidden] = policy.lm.hidden_at(tokens, positions, &batch.mask, [&predictors]);
    score_hidden(policy, hidden, &targets, mask, actions, &open, with_entropy)
}

/// The same without the entropy.
pub(crate) fn score_plainly(policy: &Policy, part: &Vec<SampledGame<'_>>) -> Scored {
    score(policy, part, false)
}

/// How the games of a step are shared out: similar lengths together, `parts` micro-batches.
pub(crate) fn micro_batches<'a>(
    part: &[SampledGame<'a>],
    parts: usize,
) -> Vec<Vec<SampledGame<'a>>> {
    let mut sorted: Vec<&SampledGame<'a>> = part.iter().collect();
    sorted.sort_by_key(|game| game.trunk.len());
    sorted
        .chunks(sorted.len().div_ceil(parts))
        .map(|part| part.iter().map(|&game| game.clone()).collect())
        .collect()
}

/// Micro-batches of about `batch_size` transitions that some games make.
pub(crate) fn parts(part: &[SampledGame<'_>], batch_size: usize) -> usize {
    transitions(part).div_ceil(batch_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::replay_buffer::ReplayBuffer;

    /// A turn of a game whose text grows by two tokens of action and one of reply.
    fn turn(before: usize) -> Transition {
        let text: Vec<u32> = (1..=(before + 3) as u32).collect();
        Transition {
            observation: text[..before].into(),
            action: text[before..before + 2].into(),
            reward: -1.0,
            next_observation: text.into(),
            terminated: false,
            truncated: false,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: None,
        }
    }

    /// Sixteen draws of two games, and one of a third that finds no room beside them.
    #[test]
    fn a_game_that_is_drawn_often_is_read_once() {
        let turns: Vec<Transition> = [4, 7, 10].map(turn).into();
        let games: Vec<Vec<&Transition>> = turns.iter().map(|turn| vec![turn]).collect();
        let mut drawn: Vec<&[&Transition]> = Vec::new();
        for _ in 0..8 {
            drawn.extend([&games[0][..], &games[1][..]]);
        }
        drawn.push(&games[2][..]);
        let even: Vec<usize> = (0..16).step_by(2).collect();
        let odd: Vec<usize> = (1..16).step_by(2).collect();
        assert_eq!(generations(&drawn), [vec![even, odd], vec![vec![16]]]);
        // More draws than a generation answers are answered in several.
        let often = vec![&games[0][..]; 40];
        let parts = [0..16, 16..32, 32..40].map(|part| vec![part.collect::<Vec<_>>()]);
        assert_eq!(generations(&often), parts);
        assert!(generations(&[]).is_empty());
    }

    /// A game that fills the positions must leave room for what is sampled at its last state; once
    /// it did not, and a run died at its seventy-third iteration.
    #[test]
    fn every_state_leaves_room_for_a_fresh_action() {
        let texts = ["Is it a cat?", "Is it a dog?"].map(str::to_string);
        let tokenizer = Tokenizer::train(texts.into_iter(), 270, 8).unwrap();
        let mut buffer = ReplayBuffer::new(10);
        for before in [4, 7, 10] {
            buffer.insert(turn(before));
        }
        for (room, states) in [((13, 2), 3), ((13, 3), 3), ((13, 4), 2), ((12, 2), 2), ((9, 2), 1)]
        {
            let games = games(buffer.iter(), &tokenizer, room).unwrap();
            assert_eq!(games.iter().map(Vec::len).sum::<usize>(), states, "{room:?}");
            let (limit, action) = room;
            assert!(games.iter().flatten().all(|turn| turn.observation.len() + action <= limit));
        }
        let error = games(buffer.iter(), &tokenizer, (6, 2)).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("positions"), "{error}");
    }
}
