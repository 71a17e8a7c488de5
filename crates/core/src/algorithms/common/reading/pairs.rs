//! The way of an encoder, as in the reference: draws are single transitions, and state and action
//! are encoded apart. Equal texts among them are encoded once.

use burn::tensor::Tensor;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::super::critic::ValueTarget;
use super::super::learner::Context;
use super::super::{
    Distinct, Layout, Player, Policy, Scored, sample_actions, score as score_pairs,
};
use super::{SampledGame, turns};
use crate::choices::Trie;
use crate::config::Config;
use crate::error::Error;
use crate::nn::batch::by_length;
use crate::nn::critic::{DoubleCritic, Values};
use crate::nn::generate::Utterance;
use crate::rl::losses::Pair;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Transition;
use crate::rng::ChaCha8Rng;

/// Draws `n` transitions with replacement, each with this probability from the second memory.
pub(crate) fn draw<'a>(
    own: &'a ReplayBuffer,
    prior: &'a ReplayBuffer,
    prior_share: f64,
    n: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<&'a Transition> {
    if prior_share == 0.0 {
        return own.sample(n, rng);
    }
    let of_prior = (0..n).filter(|_| rng.random_bool(prior_share)).count();
    let mut drawn = prior.sample(of_prior, rng);
    if of_prior < n {
        drawn.extend(own.sample(n - of_prior, rng));
    }
    // A caller cuts the draws into steps, each of which is to have its share of both.
    drawn.shuffle(rng);
    drawn
}

/// `each` fresh actions for every one of some transitions.
pub(crate) async fn sample<'a>(
    player: Player<'_>,
    drawn: &[&'a Transition],
    each: usize,
    draws: (u64, &str, u64),
) -> Result<Vec<SampledGame<'a>>, Error> {
    let asked = || drawn.iter().flat_map(|draw| std::iter::repeat_n(draw, each));
    let states: Vec<&[u32]> = asked().map(|draw| &*draw.observation).collect();
    let choices: Vec<_> = asked().map(|draw| draw.choices.as_deref()).collect();
    let fresh = sample_actions(player, &states, &choices, draws).await?;
    Ok(with_fresh(drawn, fresh, player.tokenizer))
}

/// Transitions with their fresh actions, which stand one transition after the other.
pub(crate) fn with_fresh<'a>(
    drawn: &[&'a Transition],
    fresh: Vec<Utterance>,
    tokenizer: &crate::text::Tokenizer,
) -> Vec<SampledGame<'a>> {
    let each = fresh.len() / drawn.len();
    let mut fresh = fresh.into_iter();
    let pair = |&turn: &&'a Transition| {
        SampledGame::new(&[turn], fresh.by_ref().take(each).collect(), tokenizer)
    };
    drawn.iter().map(pair).collect()
}

/// Micro-batches of `batch_size` transitions of similar length.
pub(crate) fn micro_batches<'a>(
    step: &[SampledGame<'a>],
    config: &Config,
    length: impl Fn(&Transition) -> usize,
) -> Vec<Vec<SampledGame<'a>>> {
    let order = by_length(&turns(step).map(length).collect::<Vec<_>>());
    let part = |rows: &[usize]| rows.iter().map(|&row| step[row].clone()).collect();
    order.chunks(config.batch_size).map(part).collect()
}

/// The target critic's Q of what V is to foresee and its V of the next states, `[transitions]` each.
pub(crate) fn target_values(
    target: &DoubleCritic,
    part: &[SampledGame<'_>],
    value_target: ValueTarget,
    context: &Context<'_>,
) -> (Pair, Pair) {
    let layout = context.layout;
    let states: Vec<&[u32]> = turns(part).map(|turn| &*turn.observation).collect();
    let nexts: Vec<&[u32]> = turns(part).map(|turn| &*turn.next_observation).collect();
    let answered: Vec<&[u32]> = match value_target {
        ValueTarget::Said => turns(part).map(|turn| context.said(turn)).collect(),
        _ => part.iter().flat_map(|pair| &pair.fresh).map(Utterance::body).collect(),
    };
    let each = answered.len() / states.len();
    let asked: Vec<&[u32]> =
        states.iter().flat_map(|&state| std::iter::repeat_n(state, each)).collect();
    let state = encode(target, layout, &asked);
    let target_q = target.q(state, encode(target, layout, &answered));
    let target_q = if each == 1 { target_q } else { value_target.reduce(target_q) };
    (target_q, target.v(encode(target, layout, &nexts)))
}

/// A critic's Q of what was said and its V of the states, `[transitions]` each.
pub(crate) fn values(
    critic: &DoubleCritic,
    part: &[SampledGame<'_>],
    context: &Context<'_>,
) -> (Pair, Pair) {
    let states: Vec<&[u32]> = turns(part).map(|turn| &*turn.observation).collect();
    let said: Vec<&[u32]> = turns(part).map(|turn| context.said(turn)).collect();
    let Values { q1, q2, v1, v2 } = judge(critic, context.layout, &states, &said);
    ((q1, q2), (v1, v2))
}

/// A critic's Q of the fresh actions and its V of their states, `[fresh actions]` each.
pub(crate) fn fresh_values(
    critic: &DoubleCritic,
    part: &[SampledGame<'_>],
    layout: &Layout,
) -> (Pair, Pair) {
    let answers = part.iter().flat_map(SampledGame::answers);
    let (states, said): (Vec<&[u32]>, Vec<&[u32]>) =
        answers.map(|(turn, fresh)| (&*turn.observation, fresh.body())).unzip();
    let Values { q1, q2, v1, v2 } = judge(critic, layout, &states, &said);
    ((q1, q2), (v1, v2))
}

/// What the policy says of the fresh actions of some transitions.
pub(crate) fn score(
    policy: &Policy,
    part: &[SampledGame<'_>],
    layout: &Layout,
    with_entropy: bool,
) -> Scored {
    let answers = || part.iter().flat_map(SampledGame::answers);
    let pairs: Vec<(&[u32], &[u32])> = answers()
        .map(|(turn, fresh)| (layout.observation(&turn.observation), &fresh.tokens[..]))
        .collect();
    let choices: Vec<_> = answers().map(|(turn, _)| turn.choices.as_deref()).collect();
    score_distinct(policy, &pairs, &choices, with_entropy)
}

/// Scores pairs of state and action, equal pairs once.
pub(crate) fn score_distinct(
    policy: &Policy,
    pairs: &[(&[u32], &[u32])],
    choices: &[Option<&Trie>],
    with_entropy: bool,
) -> Scored {
    let distinct = Distinct::of(pairs.iter());
    let kinds: Vec<(&[u32], &[u32])> = distinct.firsts.iter().map(|&row| pairs[row]).collect();
    // A world lists the same choices wherever the same text is read.
    let choices: Vec<_> =
        distinct.firsts.iter().map(|&row| choices.get(row).copied().flatten()).collect();
    let scored = score_pairs(policy, &kinds, &choices, with_entropy);
    let Scored { log_prob, mask, baseline, entropy } = scored;
    Scored {
        log_prob: distinct.spread(log_prob),
        mask: distinct.spread(mask),
        baseline: baseline.map(|baseline| distinct.spread(baseline)),
        entropy: entropy.map(|entropy| distinct.spread(entropy)),
    }
}

/// Encodes rows of text with a critic, equal rows once, `[rows, width]`.
fn encode(critic: &DoubleCritic, layout: &Layout, rows: &[&[u32]]) -> Tensor<2> {
    let distinct = Distinct::of(rows.iter());
    let texts = layout.texts(distinct.firsts.iter().map(|&row| rows[row]), &critic.device());
    distinct.spread(critic.encode(texts))
}

/// All four values of states and actions.
pub(crate) fn judge(
    critic: &DoubleCritic,
    layout: &Layout,
    states: &[&[u32]],
    actions: &[&[u32]],
) -> Values {
    let state = encode(critic, layout, states);
    let (q1, q2) = critic.q(state.clone(), encode(critic, layout, actions));
    let (v1, v2) = critic.v(state);
    Values { q1, q2, v1, v2 }
}
