//! What a run knows of the model that it leaves, for its card.

use super::Trainer;
use crate::agent::{Card, Measured};
use crate::config::Algorithm;
use crate::error::Error;
use crate::train::evaluate::Evaluation;

impl Trainer {
    /// The files of the model folder of the agent as it is now, of whom `evaluation` was measured.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn model_files(
        &self,
        evaluation: Option<&Evaluation>,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.agent().files(&self.card(evaluation)).await
    }

    /// The card of the agent as it is now, of whom `evaluation` was measured.
    pub fn card(&self, evaluation: Option<&Evaluation>) -> Card {
        let (iterations, games) = self.lifetime();
        let imitated = match self.warm_start_step {
            0 => String::new(),
            steps => format!("{steps} steps of imitation, "),
        };
        let learned = match self.config.algorithm {
            Algorithm::Bc => "no learning by playing".to_string(),
            algorithm => format!("{iterations} iterations of {}, {games} games", algorithm.name()),
        };
        Card {
            licence: self.origin.licence.clone(),
            commit: self.origin.commit.clone(),
            made: format!(
                "by archer in the world {}: {imitated}{learned}, seed {}",
                self.worlds.about().name,
                self.config.seed
            ),
            measured: evaluation.map(|evaluation| Measured {
                games: evaluation.games,
                mean_return: evaluation.mean_return,
                ci95: evaluation.return_ci95,
            }),
        }
    }
}
