//! Auxiliary losses: what a finished game tells beside its return, learned between the policy's own
//! steps. Their keys and metrics are called `lessons`.
//!
//! ```text
//! L = c_r · reply + c_t · task + c_f · facts + c_g · winning + c_h · KL( π_before(·|s, a_<t) ‖ π(·|s, a_<t) )
//! ```
//!
//! The warm start teaches the actor which tasks the replies still allow ([`task`]), in
//! games of the player that it imitates. A better player comes to other states, and a return tells
//! hardly anything about them; the task, which is known once a game is over, tells much. So some
//! gradient steps of an iteration ask for it at the states of remembered games. What the actor says
//! is meanwhile held where it was: that changes by the policy gradient alone. (Auxiliary phases
//! beside the policy's: Cobbe et al., Phasic Policy Gradient, arXiv:2009.04416.)
//!
//! The one loss that changes what is said imitates the utterance that would have won a lost game,
//! in the last quarter of its turns: `winning = −Σ log π(winning utterance | s)` over them, for each
//! turn played, so that it fades as fewer games are lost. A word that the actor never says is
//! never paid for, however often it would win; here it is learned.

mod config;
pub mod replies;
pub mod task;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

pub use self::config::AuxiliaryConfig;
use self::task::{KnownTask, TaskRows};
use super::Policy;
use super::learner::{Context, Experience, Learner};
use super::reading::{SampledGame, games, transitions};
use super::step::gradient_step;
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::generate::Utterance;
use crate::nn::params;
use crate::rl::losses::divergence;
use crate::rl::metrics::{Metrics, Stats};

use crate::rng;
use crate::text::Tokenizer;

/// Names of the losses: of [`loss`] in its order, and of [`winning_loss`].
const NAMES: [&str; 5] = [
    "lessons.reply_loss",
    "lessons.task_loss",
    "lessons.fact_loss",
    "lessons.kl",
    "lessons.guess_loss",
];

/// What is known of each task of a world once a game is over; empty where nobody asks for it.
#[derive(Debug, Clone, Default)]
pub struct TaskFacts {
    /// 1 for each fact that is true of the task, 0 for each that is not; as many for every task.
    pub facts: Vec<Arc<[f32]>>,
    /// The tokens of the utterance that names the task, terminator included.
    pub winning_utterances: Vec<Arc<[u32]>>,
}

impl Learner {
    /// The auxiliary steps of an iteration.
    ///
    /// # Errors
    /// If the device fails, or no game fits the networks.
    pub async fn auxiliary_steps(
        &mut self,
        experience: Experience<'_>,
        known: &TaskFacts,
        context: &Context<'_>,
    ) -> Result<Metrics, Error> {
        let config = &context.config.lessons;
        let mut metrics = Metrics::new();
        if config.steps == 0 {
            return Ok(metrics);
        }
        let room = self.room(context);
        let Experience { replay, prior, played } = experience;
        let memory = if replay.is_empty() { prior } else { replay };
        let games = match replay.is_empty() && !played.is_empty() {
            true => {
                let turns = played.iter().flat_map(|game| &game.transitions);
                games::games(turns, context.tokenizer, room)?
            }
            false => games::games(memory.iter(), context.tokenizer, room)?,
        };
        let mut rng = rng::stream(context.config.seed, "lessons.draw", context.iteration as u64);
        let before = self.policy.lm.valid();
        let longest = context.config.max_new_tokens;
        let mut seen = [const { Vec::new() }; NAMES.len()];
        let mut grad_norms = Vec::new();
        for _ in 0..config.steps {
            let drawn = games::draw_as_said(&games, context, &mut rng);
            let all = transitions(&drawn) as f64;
            let parts = games::micro_batches(&drawn, context.config.grad_accum_steps);
            let loss = |policy: &Policy, part: Vec<SampledGame<'_>>| {
                let [replies, tasks, facts, held] =
                    loss(policy, &before, &part, &known.facts, context);
                let lost = lost(&part, &known.winning_utterances, longest, context.tokenizer);
                let won = winning_loss(policy, &lost);
                let losses = [replies, tasks, facts, held, won].map(|sum| sum.div_scalar(all));
                (weighed(&losses, config), losses.map(Tensor::inner))
            };
            let settings = context.step_settings(config.lr);
            let adam = &mut self.auxiliary_adam;
            let stepped = gradient_step(&self.policy, adam, parts, settings, loss).await?;
            self.policy = stepped.module;
            grad_norms.push(stepped.grad_norm);
            let mut shown = [const { Vec::new() }; NAMES.len()];
            for losses in stepped.seen {
                shown.iter_mut().zip(losses).for_each(|(parts, loss)| parts.push(loss));
            }
            for (series, parts) in seen.iter_mut().zip(shown) {
                series.push(Tensor::cat(parts, 0).sum());
            }
        }
        let series = seen.into_iter().chain([grad_norms]);
        let read = params::read(series.map(|series| Tensor::cat(series, 0)).collect()).await?;
        for (name, values) in NAMES.into_iter().chain(["lessons.grad_norm"]).zip(read) {
            metrics.push(name, Stats::of(&values).map_or(0.0, |stats| stats.mean));
        }
        Ok(metrics)
    }
}

fn weighed(losses: &[Tensor<1>; NAMES.len()], config: &AuxiliaryConfig) -> Tensor<1> {
    let [replies, tasks, facts, held, won] = losses;
    replies.clone().mul_scalar(config.reply_coef)
        + tasks.clone().mul_scalar(config.task_coef)
        + facts.clone().mul_scalar(config.fact_coef)
        + held.clone().mul_scalar(config.hold_coef)
        + won.clone().mul_scalar(config.guess_coef)
}

/// The last quarter of each game that its limit of turns cut short, each state with the
/// utterance that would have won; none whose utterance is longer than `longest` tokens.
fn lost<'a>(
    drawn: &[SampledGame<'a>],
    winning: &[Arc<[u32]>],
    longest: usize,
    tokenizer: &Tokenizer,
) -> Vec<SampledGame<'a>> {
    let end = |game: &SampledGame<'a>| {
        let last = game.turns.last().filter(|turn| turn.truncated)?;
        let winner = winning.get(last.task? as usize)?;
        let turns = &game.turns[game.turns.len() - game.turns.len().div_ceil(4)..];
        let winner =
            Utterance { tokens: winner.to_vec(), ended: true, log_prob: 0.0, entropy: 0.0 };
        (winner.tokens.len() <= longest)
            .then(|| SampledGame::new(turns, vec![winner; turns.len()], tokenizer))
    };
    drawn.iter().filter_map(end).collect()
}

/// The negative log-probability of the winning utterances, summed over their states, `[1]`.
fn winning_loss(policy: &Policy, lost: &[SampledGame<'_>]) -> Tensor<1> {
    match lost.is_empty() {
        true => Tensor::zeros([1], &policy.lm.device()),
        false => games::score(policy, lost, false).log_prob.sum().neg(),
    }
}

/// Sums over the turns of some games, `[1]` each: of the replies' negative log-probabilities, the
/// tasks', the facts' (mean over the facts of a task), and of the divergence from `before` over the
/// tokens said.
fn loss(
    policy: &Policy,
    before: &CausalLm,
    drawn: &[SampledGame<'_>],
    facts: &[Arc<[f32]>],
    context: &Context<'_>,
) -> [Tensor<1>; 4] {
    let batch = games::trunks(drawn, &policy.lm.device());
    let (said, replies) =
        (games::said(&batch, drawn), games::replies(&batch, drawn, context.tokenizer));
    let mut tasks = TaskRows::default();
    for (tree, turn) in drawn
        .iter()
        .enumerate()
        .flat_map(|(tree, game)| game.turns.iter().map(move |turn| (tree, turn)))
    {
        let Some(task) = turn.task.map(|task| task as usize) else { continue };
        let known = KnownTask { task, facts: facts.get(task).cloned().unwrap_or_default() };
        tasks.push(batch.trunk(tree, turn.observation.len() - 1), &known);
    }
    let (tokens, positions) = (batch.tokens.clone(), batch.positions.clone());
    let lists = [&said[..], replies.predictors(), tasks.rows()];
    let [spoken, foreseen, states] = policy.lm.hidden_at(tokens, positions, &batch.mask, lists);
    let held = log_softmax(policy.lm.logits(spoken), 1); // [tokens, vocab]
    let wanted = log_softmax(games::scores(before, drawn), 1).autodiff();
    let [named, facts] = match &policy.task {
        Some(head) => tasks.loss(head, states),
        None => [(); 2].map(|()| Tensor::zeros([1], &policy.lm.device())),
    };
    [replies.loss(&policy.lm, foreseen), named, facts, divergence(wanted, held).sum()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::transition::Transition;

    /// Turn number `number` of a game whose text grows by a token at each.
    fn turn(number: u32, task: u32, truncated: bool) -> Transition {
        Transition {
            observation: (0..=number).collect(),
            action: [7, 9].into(),
            reward: -1.0,
            next_observation: (0..=number + 1).collect(),
            terminated: false,
            truncated,
            mc_return: 0.0,
            log_prob: 0.0,
            choices: None,
            task: Some(task),
        }
    }

    #[test]
    fn lost_games_are_told_what_would_have_won_them_in_their_last_quarter() {
        let game = |task, lost| (0..9).map(|n| turn(n, task, lost && n == 8)).collect::<Vec<_>>();
        let tokenizer = Tokenizer::train(["a\n".to_string()].into_iter(), 261, 8).unwrap();
        let games = [game(0, true), game(1, true), game(0, false), game(2, true)];
        let turns: Vec<Vec<&Transition>> = games.iter().map(|game| game.iter().collect()).collect();
        let drawn: Vec<SampledGame<'_>> =
            turns.iter().map(|turns| SampledGame::new(turns, Vec::new(), &tokenizer)).collect();
        // The second is too long to be said, of the last nobody knows a winner.
        let winning = [Arc::from([4, 9]), Arc::from([4, 5, 6, 9])];
        let told = lost(&drawn, &winning, 3, &tokenizer);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].turns, &turns[0][6..], "three of nine turns");
        assert!(told[0].fresh.iter().all(|winner| winner.tokens == [4, 9] && winner.ended));
        assert_eq!(told[0].fresh.len(), 3);
    }
}
