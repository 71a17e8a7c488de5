//! How a critic reads what was remembered: one interface, and two ways behind it.
//!
//! An encoder reads state and action apart, so its data are single transitions ([`pairs`]). A
//! causal critic reads a whole game in one pass, so its data are whole games ([`games`]). Both hand
//! out `SampledGame`s: a single transition is a game of one turn. An algorithm asks `Reading` for
//! the data of a gradient step, and the functions below for what a critic thinks of them; it never
//! asks which kind of critic there is.

pub mod games;
pub mod pairs;

use std::borrow::Cow;

use burn::tensor::{Device, Tensor};

use super::critic::{ValueTarget, column};
use super::learner::{Context, Experience, body};
use super::{Layout, Player, Policy, Scored};
use crate::config::Config;
use crate::error::Error;
use crate::nn::critic::{Critic, Values};
use crate::nn::generate::Utterance;
use crate::rl::losses::Pair;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Transition;
use crate::rng::ChaCha8Rng;
use crate::text::Tokenizer;

/// A game from memory, or a single turn of it, with fresh actions for each of its states, equally
/// many for each.
#[derive(Clone)]
pub(crate) struct SampledGame<'a> {
    pub(crate) turns: Vec<&'a Transition>,
    pub(crate) fresh: Vec<Utterance>,
    /// The text that all states and actions of the game are part of. Of a turn that is read apart, the
    /// state and what was said there.
    trunk: Cow<'a, [u32]>,
    /// Whether the state that followed is another text, which is read by itself.
    apart: bool,
}

impl<'a> SampledGame<'a> {
    /// A game with these fresh actions.
    pub(crate) fn new(
        turns: &[&'a Transition],
        fresh: Vec<Utterance>,
        tokenizer: &Tokenizer,
    ) -> Self {
        let last = *turns.last().expect("a game has a turn");
        let apart = !games::grows(last, tokenizer);
        let trunk = match apart {
            true => [&last.observation, body(&last.action, tokenizer)].concat().into(),
            false => Cow::Borrowed(&*last.next_observation),
        };
        Self { turns: turns.to_vec(), fresh, trunk, apart }
    }

    /// A game with what was said in it in place of fresh actions.
    pub(crate) fn as_said(turns: &[&'a Transition], tokenizer: &Tokenizer) -> Self {
        let said = |turn: &&Transition| Utterance {
            tokens: turn.action.to_vec(),
            ended: turn.action.last().is_some_and(|&token| tokenizer.ends_utterance(token)),
            log_prob: turn.log_prob,
            entropy: 0.0,
        };
        Self::new(turns, turns.iter().map(said).collect(), tokenizer)
    }

    /// Each fresh action with the turn whose state it answers.
    fn answers(&self) -> impl Iterator<Item = (&'a Transition, &Utterance)> {
        let each = self.fresh.len() / self.turns.len();
        self.fresh.iter().enumerate().map(move |(i, fresh)| (self.turns[i / each], fresh))
    }
}

/// All turns of some games.
pub(crate) fn turns<'s, 'a>(
    part: &'s [SampledGame<'a>],
) -> impl Iterator<Item = &'a Transition> + use<'s, 'a> {
    part.iter().flat_map(|game| game.turns.iter().copied())
}

/// Transitions in some games.
pub(crate) fn transitions(part: &[SampledGame<'_>]) -> usize {
    part.iter().map(|game| game.turns.len()).sum()
}

/// What the critic of a run reads, and how its draws are shared between two memories.
pub(crate) struct Reading<'a> {
    memory: Memory<'a>,
    /// Probability that a draw is from the games of somebody else.
    prior_share: f64,
}

/// Two memories, the run's own and that of somebody else's games, of which one may be empty.
enum Memory<'a> {
    /// Single transitions, for an encoder.
    Pairs { own: &'a ReplayBuffer, prior: &'a ReplayBuffer },
    /// Whole games, for a causal critic.
    Games { own: Vec<Vec<&'a Transition>>, prior: Vec<Vec<&'a Transition>> },
}

impl<'a> Reading<'a> {
    /// What this critic reads of an experience, with a share of the draws from its prior games; `room`
    /// as in [`games::games`].
    ///
    /// # Errors
    /// If it reads games, and none fits.
    pub(crate) fn of(
        critic: &Critic,
        experience: Experience<'a>,
        prior_share: f64,
        room: (usize, usize),
        tokenizer: &Tokenizer,
    ) -> Result<Self, Error> {
        let Experience { replay: own, prior, .. } = experience;
        // Where one of the two has nothing, all is drawn from the other.
        let prior_share = match (own.is_empty(), prior.is_empty()) {
            (_, true) => 0.0,
            (true, false) => 1.0,
            (false, false) => prior_share,
        };
        let games = |memory: &'a ReplayBuffer, share: f64| match share > 0.0 {
            true => games::games(memory.iter(), tokenizer, room),
            false => Ok(Vec::new()),
        };
        let memory = match critic {
            Critic::Encoder(_) => Memory::Pairs { own, prior },
            Critic::Causal(_) => Memory::Games {
                own: games(own, 1.0 - prior_share)?,
                prior: games(prior, prior_share)?,
            },
        };
        Ok(Self { memory, prior_share })
    }

    /// Fresh actions at each state of an actor's step, where so many are asked for. An encoder
    /// judges one.
    pub(crate) fn actor_samples(&self, asked: usize) -> usize {
        match self.memory {
            Memory::Pairs { .. } => 1,
            Memory::Games { .. } => asked,
        }
    }

    /// The data of `steps` gradient steps, `rows` transitions or a game's rest more in each, and
    /// `each` fresh actions at every state. The actions of all steps are sampled together.
    ///
    /// # Errors
    /// If the device fails.
    pub(crate) async fn sample(
        &self,
        player: Player<'_>,
        (steps, rows): (usize, usize),
        each: usize,
        rng: &mut ChaCha8Rng,
        draws: (u64, &str, u64),
    ) -> Result<Vec<Vec<SampledGame<'a>>>, Error> {
        let share = self.prior_share;
        match &self.memory {
            Memory::Pairs { own, prior } => {
                let drawn = pairs::draw(own, prior, share, steps * rows, rng);
                let sampled = pairs::sample(player, &drawn, each, draws).await?;
                Ok(sampled.chunks(rows).map(<[_]>::to_vec).collect())
            }
            Memory::Games { own, prior } => {
                let mut draw = || games::draw_of_both(own, prior, share, rows, rng);
                let drawn: Vec<_> = (0..steps).map(|_| draw()).collect();
                let sampled = games::sample(player, &drawn.concat(), each, draws).await?;
                let mut sampled = sampled.into_iter();
                Ok(drawn.iter().map(|step| sampled.by_ref().take(step.len()).collect()).collect())
            }
        }
    }

    /// A critic's step in micro-batches of similar length.
    pub(crate) fn critic_batches<'b>(
        &self,
        step: &[SampledGame<'b>],
        config: &Config,
    ) -> Vec<Vec<SampledGame<'b>>> {
        match self.memory {
            // The next state is the longest text that is read.
            Memory::Pairs { .. } => {
                pairs::micro_batches(step, config, |turn| turn.next_observation.len())
            }
            Memory::Games { .. } => games::micro_batches(step, config.grad_accum_steps),
        }
    }

    /// An actor's step likewise.
    pub(crate) fn actor_batches<'b>(
        &self,
        step: &[SampledGame<'b>],
        config: &Config,
    ) -> Vec<Vec<SampledGame<'b>>> {
        match self.memory {
            Memory::Pairs { .. } => {
                pairs::micro_batches(step, config, |turn| turn.observation.len())
            }
            Memory::Games { .. } => games::micro_batches(step, config.grad_accum_steps),
        }
    }

    /// What the policy says of the fresh actions of a part.
    pub(crate) fn score(
        &self,
        policy: &Policy,
        part: &[SampledGame<'_>],
        context: &Context<'_>,
    ) -> Scored {
        let with_entropy = context.config.entropy_coef > 0.0;
        match self.memory {
            Memory::Pairs { .. } => pairs::score(policy, part, context.layout, with_entropy),
            Memory::Games { .. } => games::score(policy, part, with_entropy),
        }
    }
}

/// What a critic's losses are made of, each `[transitions]`. Only `q` and `v` carry a gradient.
pub(crate) struct CriticValues {
    /// The reward.
    pub(crate) r: Tensor<1>,
    /// 1 where the game goes on, 0 where nothing of value follows.
    pub(crate) not_done: Tensor<1>,
    /// `Q_i(s, a)` of the online critic.
    pub(crate) q: Pair,
    /// `V_i(s)` of the online critic.
    pub(crate) v: Pair,
    /// What V learns to foresee: `Q'_i(s, a')` of the target critic, a' as [`ValueTarget`] has it.
    pub(crate) target_q: Pair,
    /// `V'_i(s')` of the target critic.
    pub(crate) target_v: Pair,
}

/// The values of a part, and the critic's auxiliary loss where it has one, `[1]`.
///
/// Where the critic learns Monte Carlo returns (`warmup_targets`), a transition goes to the end of
/// its game in one step: its reward is the return, and nothing follows.
pub(crate) fn critic_values(
    critic: &Critic,
    target: &Critic,
    part: &[SampledGame<'_>],
    value_target: ValueTarget,
    context: &Context<'_>,
) -> (CriticValues, Option<Tensor<1>>) {
    let device = target.device();
    let (r, not_done, target_q, target_v) = match context.learns_returns() {
        true => {
            let mc_return = column(turns(part).map(|turn| turn.mc_return).collect(), &device);
            let zeros = mc_return.zeros_like();
            let returns = (mc_return.clone(), mc_return.clone());
            (mc_return, zeros.clone(), returns, (zeros.clone(), zeros))
        }
        false => {
            let (target_q, target_v) = target_values(target, part, value_target, context);
            let (r, not_done) = rewards(part, context.config, &device);
            (r, not_done, target_q, target_v)
        }
    };
    let ((q, v), reply_loss) = match critic {
        Critic::Encoder(critic) => (pairs::values(critic, part, context), None),
        Critic::Causal(critic) => games::values_and_replies(critic, part, context),
    };
    let on = |(a, b): Pair| (a.autodiff(), b.autodiff());
    let (target_q, target_v) = (on(target_q), on(target_v));
    let (r, not_done) = (r.autodiff(), not_done.autodiff());
    (CriticValues { r, not_done, q, v, target_q, target_v }, reply_loss)
}

fn target_values(
    target: &Critic,
    part: &[SampledGame<'_>],
    value_target: ValueTarget,
    context: &Context<'_>,
) -> (Pair, Pair) {
    match target {
        Critic::Encoder(target) => pairs::target_values(target, part, value_target, context),
        Critic::Causal(target) => games::target_values(target, part, value_target, context),
    }
}

/// The rewards of some turns, and whether something of value follows, `[transitions]` each.
fn rewards(part: &[SampledGame<'_>], config: &Config, device: &Device) -> (Tensor<1>, Tensor<1>) {
    let goes_on = |turn: &Transition| {
        let done = turn.terminated || (turn.truncated && !config.bootstrap_truncated);
        if done { 0.0 } else { 1.0 }
    };
    let r = column(turns(part).map(|turn| turn.reward).collect(), device);
    (r, column(turns(part).map(goes_on).collect(), device))
}

/// A critic's Q of the fresh actions of a part and its V of their states, `[fresh actions]` each.
pub(crate) fn fresh_values(
    critic: &Critic,
    part: &[SampledGame<'_>],
    context: &Context<'_>,
) -> (Pair, Pair) {
    match critic {
        Critic::Encoder(critic) => pairs::fresh_values(critic, part, context.layout),
        Critic::Causal(critic) => games::fresh_values(critic, part, context.tokenizer),
    }
}

/// A critic's values of what was said in a part and of the states in which it was, each
/// `[transitions]`.
pub(crate) fn said_values(
    critic: &Critic,
    layout: &Layout,
    part: &[SampledGame<'_>],
    tokenizer: &Tokenizer,
) -> Values {
    match critic {
        Critic::Causal(critic) => games::said_values(critic, part, tokenizer),
        Critic::Encoder(critic) => {
            let states: Vec<&[u32]> = turns(part).map(|turn| &*turn.observation).collect();
            let said: Vec<&[u32]> = turns(part).map(|turn| body(&turn.action, tokenizer)).collect();
            pairs::judge(critic, layout, &states, &said)
        }
    }
}
