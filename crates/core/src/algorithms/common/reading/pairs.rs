//! The form with an encoder critic, as in the reference: draws are single transitions, and state
//! and action are encoded apart. Equal texts among them are encoded once.

use burn::tensor::Tensor;

use super::super::critic::{Targets, ValueTarget};
use super::super::learner::{Context, Learner};
use super::super::log::{ActorLog, CriticLog, CriticSeen};
use super::super::{Distinct, Layout, Policy, Scored, score};
use crate::choices::Trie;
use crate::nn::batch::by_length;
use crate::nn::critic::{Critic, DoubleCritic, Values};
use crate::nn::generate::Utterance;
use crate::rl::losses::advantage;
use crate::rl::transition::Transition;

impl Learner {
    /// One step of the critic on these draws, of similar length in each micro-batch; `fresh` has the
    /// fresh actions of each, one draw after the other.
    pub(crate) async fn critic_step_on_rows(
        &mut self,
        draws: &[&Transition],
        fresh: &[Utterance],
        value_target: ValueTarget,
        context: &Context<'_>,
        log: &mut CriticLog,
    ) {
        let order =
            by_length(&draws.iter().map(|draw| draw.next_observation.len()).collect::<Vec<_>>());
        let parts: Vec<&[usize]> = order.chunks(context.config.batch_size).collect();
        let (share, by_row) = (1.0 / parts.len() as f64, draws.len());
        self.critic_step(parts, context, log, |critic, target, part| match (critic, target) {
            (Critic::Encoder(critic), Critic::Encoder(target)) => {
                let draws: Vec<&Transition> = part.iter().map(|&row| draws[row]).collect();
                let each = fresh.len() / by_row;
                let fresh: Vec<&Utterance> =
                    part.iter().flat_map(|&row| &fresh[row * each..(row + 1) * each]).collect();
                let (loss, seen) =
                    critic_loss(critic, target, &draws, &fresh, value_target, context);
                (loss.mul_scalar(share), seen)
            }
            _ => unreachable!("an encoder critic has an encoder target"),
        })
        .await;
    }

    /// One step of the actor on fresh actions at these states, likewise.
    pub(crate) async fn actor_step_on_rows(
        &mut self,
        critic: &DoubleCritic,
        states: &[&[u32]],
        choices: &[Option<&Trie>],
        fresh: &[Utterance],
        context: &Context<'_>,
        log: &mut ActorLog,
    ) {
        let config = context.config;
        let order = by_length(&states.iter().map(|state| state.len()).collect::<Vec<_>>());
        log.see(order.iter().map(|&row| &fresh[row]));
        let judge = |part: &&[usize]| {
            let states: Vec<&[u32]> = part.iter().map(|&row| states[row]).collect();
            let said: Vec<&[u32]> = part.iter().map(|&row| fresh[row].body()).collect();
            let Values { q1, q2, v1, v2 } = judge(critic, context.layout, &states, &said);
            advantage((q1, q2), (v1, v2))
        };
        let score = |policy: &Policy, part: &&[usize]| {
            let state = |row: usize| context.layout.observation(states[row]);
            let pairs: Vec<(&[u32], &[u32])> =
                part.iter().map(|&row| (state(row), &fresh[row].tokens[..])).collect();
            let choices: Vec<_> = part.iter().map(|&row| choices[row]).collect();
            score_distinct(policy, &pairs, &choices, config.entropy_coef > 0.0)
        };
        let parts = order.chunks(config.batch_size).collect();
        self.actor_step(parts, context, log, 1, judge, score).await;
    }
}

/// The critic's loss on a micro-batch, `[1]`, and what it showed.
pub(crate) fn critic_loss(
    critic: &DoubleCritic,
    target: &DoubleCritic,
    draws: &[&Transition],
    fresh: &[&Utterance],
    value_target: ValueTarget,
    context: &Context<'_>,
) -> (Tensor<1>, CriticSeen) {
    let layout = context.layout;
    let states: Vec<&[u32]> = draws.iter().map(|draw| &*draw.observation).collect();
    let nexts: Vec<&[u32]> = draws.iter().map(|draw| &*draw.next_observation).collect();
    let actions: Vec<&[u32]> = draws.iter().map(|draw| context.said(draw)).collect();
    let Targets { y, target_q } = context.targets(draws, &target.device(), || {
        let answered: Vec<&[u32]> = match value_target {
            ValueTarget::Said(_) => actions.clone(),
            _ => fresh.iter().map(|utterance| utterance.body()).collect(),
        };
        let each = answered.len() / states.len();
        let asked: Vec<&[u32]> =
            states.iter().flat_map(|&state| std::iter::repeat_n(state, each)).collect();
        let state = encode(target, layout, &asked);
        let target_q = target.q(state, encode(target, layout, &answered));
        let target_q = if each == 1 { target_q } else { value_target.reduce(target_q) };
        (target_q, target.v(encode(target, layout, &nexts)))
    });
    let state = encode(critic, layout, &states); // [batch, width]
    let (q1, q2) = critic.q(state.clone(), encode(critic, layout, &actions));
    let (v1, v2) = critic.v(state);
    let losses = value_target.losses(
        (q1.clone(), q2.clone()),
        (v1.clone(), v2.clone()),
        (y.0.clone().autodiff(), y.1.clone().autodiff()),
        (target_q.0.clone().autodiff(), target_q.1.clone().autodiff()),
    );
    (losses.total(), CriticSeen::new([q1, q2, v1, v2, target_q.0, target_q.1, y.0, y.1], &losses))
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
    let scored = score(policy, &kinds, &choices, with_entropy);
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
