//! How fast the model is here: one tiny iteration, for a clock outside. No world is needed for it.

use std::sync::Arc;

use archer::agent::Agent;
use archer::config::{AdvantageBaseline, Config};
use archer::train::Trainer;
use archer_world::{About, End, Local, Opening, Start, Turn, World};

use super::Session;
use super::learn::{Tune, fine_tune_config};
use crate::fault::Fault;

/// Turns of a game that measures.
const TURNS: usize = 3;

/// A world that takes note of nothing.
struct Deaf {
    about: About,
    turn: usize,
}

impl World for Deaf {
    fn about(&self) -> About {
        self.about.clone()
    }

    fn start(&mut self, _: &Start) -> Opening {
        self.turn = 0;
        Opening::new("Go on.\n")
    }

    fn act(&mut self, _: &str) -> Turn {
        self.turn += 1;
        let turn = Turn::new("No.", -1.0);
        if self.turn == TURNS { turn.ending(End::Over) } else { turn }
    }
}

impl Session {
    /// One tiny iteration on a copy: two games, a critic step, an actor step. Gives the tokens that
    /// were written.
    pub(super) async fn probe(&self) -> Result<usize, Fault> {
        let config = Config {
            rollout_size: 2,
            batch_size: 8,
            grad_accum_steps: 1,
            epochs: 1,
            actor_epochs: 1,
            actor_samples: 1,
            advantage_baseline: AdvantageBaseline::Value,
            warmup_iter: 0,
            ..fine_tune_config(self.trainer.config(), &Tune::default(), 1)?
        };
        let style = self.trainer.worlds().about().style.clone();
        let about = About { style, ..About::new("probe", TURNS) };
        let worlds = Local::new(move || Deaf { about: about.clone(), turn: 0 });
        let agent = Agent::clone(&self.agent);
        let mut trainer = Trainer::from_agent(config, Arc::new(worlds), agent, &self.device)?;
        Ok(trainer.step().await?.tokens)
    }
}
