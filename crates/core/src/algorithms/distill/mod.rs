//! Distillation: a small student learns to say what its teacher would say, and to value what it
//! values. Temperature: arXiv:1503.02531; the student's own games: arXiv:2306.13649.
//!
//! ```text
//! L_π  = T² · mean KL( π_T(·|s, a_<t) ‖ π_S(·|s, a_<t) )     both at temperature T, over all tokens a_t
//! L_Qi = mean (Q_i(s, a) − Q_i of the teacher)²               i = 1, 2
//! L_Vi = mean (V_i(s) − V_i of the teacher)²
//! ```
//!
//! An iteration is: games into the replay buffer, first the teacher's and then more and more the
//! student's own, `epochs` critic steps and `actor_epochs` actor steps, each on
//! `batch_size × grad_accum_steps` transitions of remembered games. What was said in a game is only
//! where the two are compared: nobody imitates it, so it matters little who said it. On the
//! student's own games the teacher tells what to do where the student's mistakes lead.
//!
//! Rewards are not looked at, and the target critic only drifts along, for whoever learns on from
//! the student.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::common::learner::{Context, Experience, Learner, Teacher};
use super::common::log::{ActorLog, ActorSeen, CriticLog, CriticSeen};
use super::common::reading::{SampledGame, games, said_values, transitions};
use crate::error::Error;
use crate::nn::causal_lm::CausalLm;
use crate::nn::critic::{Critic, Values};
use crate::nn::optim::polyak;
use crate::rl::losses::{CriticLosses, divergence, squared_errors};
use crate::rl::metrics::Metrics;
use crate::rl::transition::Transition;
use crate::rng::{self, ChaCha8Rng};

/// One iteration's learning: the critic's steps and the actor's.
///
/// # Errors
/// If the device fails, or no remembered game fits the networks.
///
/// # Panics
/// If there is no teacher: such a run is never begun.
pub async fn learn(
    learner: &mut Learner,
    experience: Experience<'_>,
    context: &Context<'_>,
) -> Result<Metrics, Error> {
    let config = context.config;
    let teacher = learner.teacher.clone().expect("a student has a teacher");
    let room = (learner.room(context).0.min(teacher.positions()), config.max_new_tokens);
    let games = games::games(experience.replay.iter(), context.tokenizer, room)?;
    let mut rng = rng::stream(config.seed, "distill.draw", context.iteration as u64);
    let mut metrics = Metrics::new();
    let mut log = CriticLog::default();
    for _ in 0..config.epochs {
        let (parts, all) = draw(&games, context, &mut rng);
        let loss = |critic: &Critic, _: &Critic, part: Vec<SampledGame<'_>>| {
            let share = transitions(&part) as f64 / all as f64;
            let (loss, seen) = critic_loss(critic, &teacher, &part, context);
            (loss.mul_scalar(share), seen)
        };
        learner.critic_step_on_loss(parts, context, &mut log, loss).await?;
        let critics = learner.critics_mut();
        critics.target = polyak(critics.target.clone(), &critics.online, config.tau);
    }
    log.report(&mut metrics).await?;
    let mut log = ActorLog::default();
    for _ in 0..config.actor_epochs {
        let (parts, _) = draw(&games, context, &mut rng);
        let all: usize = parts.iter().map(|part| games::tokens(part)).sum();
        learner
            .policy_step(parts, context, &mut log, |policy, part| {
                let share = games::tokens(&part) as f64 / all as f64;
                let (loss, seen) =
                    actor_loss(&policy.lm, &teacher, &part, config.distill.temperature);
                (loss.mul_scalar(share), seen)
            })
            .await?;
    }
    log.report(&mut metrics).await?;
    metrics.push("replay.size", experience.replay.len() as f64);
    Ok(metrics)
}

/// Games for a gradient step in micro-batches, and the transitions in them.
fn draw<'a>(
    games: &[Vec<&'a Transition>],
    context: &Context<'_>,
    rng: &mut ChaCha8Rng,
) -> (Vec<Vec<SampledGame<'a>>>, usize) {
    let drawn = games::draw_as_said(games, context, rng);
    let all = transitions(&drawn);
    (games::micro_batches(&drawn, context.config.grad_accum_steps), all)
}

/// The divergence from the teacher over the tokens of some games, `[1]`, and what it showed.
fn actor_loss(
    student: &CausalLm,
    teacher: &Teacher,
    drawn: &[SampledGame<'_>],
    temperature: f64,
) -> (Tensor<1>, ActorSeen) {
    let soft = |scores: Tensor<2>| log_softmax(scores.div_scalar(temperature), 1); // [tokens, vocab]
    let wanted = games::scores(&teacher.actor, drawn);
    let ours = games::scores(student, drawn);
    let agrees = ours.clone().inner().argmax(1).equal(wanted.clone().argmax(1));
    let divergence = divergence(soft(wanted).autodiff(), soft(ours)); // [tokens]
    let seen = ActorSeen {
        divergence: Some(divergence.clone().inner()),
        agreement: Some(agrees.float().squeeze_dim(1)),
        ..ActorSeen::default()
    };
    (divergence.mean().mul_scalar(temperature * temperature), seen)
}

/// The critic's loss towards the teacher's values, `[1]`, and what it showed.
fn critic_loss(
    critic: &Critic,
    teacher: &Teacher,
    drawn: &[SampledGame<'_>],
    context: &Context<'_>,
) -> (Tensor<1>, CriticSeen) {
    let wanted = said_values(&teacher.critic, &teacher.layout, drawn, context.tokenizer);
    let (y, target) = ((wanted.q1, wanted.q2), (wanted.v1, wanted.v2));
    let Values { q1, q2, v1, v2 } = said_values(critic, context.layout, drawn, context.tokenizer);
    let on = |(a, b): &(Tensor<1>, Tensor<1>)| (a.clone().autodiff(), b.clone().autodiff());
    let losses = CriticLosses {
        q: squared_errors((q1.clone(), q2.clone()), on(&y)),
        v: squared_errors((v1.clone(), v2.clone()), on(&target)),
    };
    (losses.total(), CriticSeen::new([q1, q2, v1, v2, target.0, target.1, y.0, y.1], &losses))
}
