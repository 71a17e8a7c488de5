//! A run whose networks learn from a teacher's: how it begins, and whose games it is played in.

use std::sync::Arc;

use archer_world::{Start, Worlds};
use burn::module::Module;
use burn::tensor::Device;

use super::Trainer;
use super::fresh::{framed_as, fresh_actor, fresh_critic, fresh_policy, shaped_by};
use crate::agent::Agent;
use crate::algorithms::common::learner::{Learner, Teacher};
use crate::algorithms::common::{Layout, Player};
use crate::config::{Config, CriticKind};
use crate::error::Error;
use crate::nn::causal_lm::{self, CausalLm, CausalLmConfig};
use crate::nn::critic::Critic;
use crate::nn::params;
use crate::nn::sampling::Sampler;
use crate::rl::metrics::Metrics;
use crate::rl::transition::Trajectory;
use crate::train::rollout::play;

impl Trainer {
    /// A run in which a student learns from `teacher`, by whose tokenizer it reads: a fresh one of
    /// the configuration's shapes, or the agent `student`. There is no warm start in it.
    ///
    /// # Errors
    /// If the configuration is out of range or has a warm start, the teacher's critic chooses what
    /// it says, the teacher has no critic or one that reads by a tokenizer of its own, the student
    /// reads by another tokenizer, or is larger than `distill.max_parameters`.
    pub fn student(
        config: Config,
        worlds: Arc<dyn Worlds>,
        teacher: Agent,
        student: Option<Agent>,
        device: &Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        if config.warm_start.steps > 0 {
            return Err(Error::Config(format!(
                "warm_start.steps = {} is out of range: it must be 0 for a student, who imitates nobody but its teacher",
                config.warm_start.steps
            )));
        }
        let config = match &student {
            Some(student) => shaped_by(config, student),
            None => config.check_fresh().map(|()| config)?,
        };
        config.validate()?;
        let Agent { actor, critic, tokenizer, critic_tokenizer, about, .. } = teacher.whole();
        let mut config = config;
        framed_as(&mut config, &about.style);
        config.validate()?;
        if about.samples > 1 {
            return Err(Error::Config(format!(
                "the teacher lets its critic choose among {} utterances, which a student, who says what it samples, cannot learn; take a teacher that was trained by ArCHer",
                about.samples
            )));
        }
        let Some(critic) = critic else {
            return Err(Error::Config(
                "the teacher has no critic, whose values the student is to learn; take a model that was trained by ArCHer"
                    .into(),
            ));
        };
        if critic_tokenizer.is_some() {
            return Err(Error::Config(
                "the teacher's critic reads by a tokenizer of its own, which a student's cannot learn; take a teacher whose actor and critic read by one"
                    .into(),
            ));
        }
        let autodiff = device.clone().autodiff();
        let rows = actor.config().vocab_size;
        let (policy, student_critic) = match student {
            None => fresh_student(&config, &actor, &critic, &autodiff),
            Some(agent) => {
                if agent.tokenizer.to_json() != tokenizer.to_json()
                    || agent.critic_tokenizer.is_some()
                    || agent.actor.config().vocab_size != rows
                {
                    return Err(Error::Config(
                        "the student reads by another tokenizer than its teacher, so that their words cannot be compared; begin with a fresh student, or one that was made by this teacher"
                            .into(),
                    ));
                }
                let critic = match agent.critic {
                    Some(critic) => critic.fork(&autodiff).train(),
                    None => fresh_critic(&config, rows, &autodiff),
                };
                (agent.actor.unfrozen().fork(&autodiff).train(), critic)
            }
        };
        let size = params::count(&policy) + params::count(&student_critic);
        if size > config.distill.max_parameters {
            return Err(Error::Config(format!(
                "the student has {size} parameters, actor and critic together, and may have distill.max_parameters = {}: lower actor_model.width, critic_model.width or their layers, or raise the bound; where it is the teacher's {rows} tokens that are too many, give the student fewer with archer distill --tokens N",
                config.distill.max_parameters
            )));
        }
        let layout = Layout::new(
            &tokenizer,
            actor.config().positions,
            critic.positions(),
            config.max_new_tokens,
        );
        let policy = fresh_policy(&config, worlds.as_ref(), policy, false)?;
        let mut learner = Learner::new(policy, Some(student_critic));
        learner.teacher = Some(Teacher { actor, critic, layout });
        Self::assemble(config, worlds, (tokenizer, None), learner)
    }

    /// The teacher of this run, where it has one.
    pub fn teacher(&self) -> Option<Agent> {
        let Teacher { actor, critic, .. } = self.learner.teacher.clone()?;
        let about = crate::agent::About { samples: 1, ..self.agent().about };
        Some(Agent::new(actor, Some(critic), self.tokenizer.clone(), about))
    }

    /// Games of a distillation's iteration, the teacher's first, and what is to be told of them.
    pub(super) async fn teach(
        &self,
        starts: &[Start],
        sampler: &Sampler,
    ) -> Result<(Vec<Trajectory>, Metrics), Error> {
        let config = &self.config;
        let own = config.distill.own_games(starts.len(), self.iteration, config.iterations);
        let (shown, tried) = starts.split_at(starts.len() - own);
        let teacher = self
            .teacher()
            .ok_or_else(|| Error::Config("there is no teacher in this run".into()))?;
        let player =
            Player { workers: self.crew.workers(), ..teacher.player(sampler, self.crew.threads) };
        let mut games = match shown {
            [] => Vec::new(),
            shown => play(player, self.worlds.as_ref(), shown, config.gamma).await?,
        };
        let mut metrics = Metrics::new();
        metrics.push("distill.student_share", own as f64 / starts.len() as f64);
        if !games.is_empty() {
            let total: f64 = games.iter().map(Trajectory::total_reward).sum();
            metrics.push("distill.teacher_return", total / games.len() as f64);
        }
        if !tried.is_empty() {
            let actor = self.learner.policy.lm.valid();
            let player = self.player(&actor, None, sampler);
            let own = play(player, self.worlds.as_ref(), tried, config.gamma).await?;
            let told = crate::train::rollout::metrics(&own);
            told.iter().for_each(|(name, value)| metrics.push(name, value));
            games.extend(own);
        }
        Ok((games, metrics))
    }
}

/// A student's networks: of its teacher's blocks where they fit, and from nothing elsewhere.
fn fresh_student(
    config: &Config,
    actor: &CausalLm,
    critic: &Critic,
    autodiff: &Device,
) -> (CausalLm, Critic) {
    let rows = actor.config().vocab_size;
    let fits = |of: &CausalLmConfig, layers: usize, width: usize, heads: usize, room: usize| {
        let same = of.layout == causal_lm::Layout::Gpt2
            && of.width == width
            && of.heads == heads
            && of.positions == room;
        config.distill.from_teacher && same && layers <= of.layers
    };
    let own = &config.actor_model;
    let policy = match fits(actor.config(), own.layers, own.width, own.heads, own.positions) {
        true => actor.clone().thinned(own.layers).fork(autodiff).train(),
        false => fresh_actor(config, rows, autodiff),
    };
    let own = &config.critic_model;
    let critic = match critic {
        Critic::Causal(critic)
            if own.kind == CriticKind::Causal
                && fits(critic.config(), own.layers, own.width, own.heads, own.positions) =>
        {
            let body = critic.body().clone().thinned(own.layers);
            Critic::Causal(critic.clone().with_body(body)).fork(autodiff).train()
        }
        _ => fresh_critic(config, rows, autodiff),
    };
    (policy, critic)
}
