//! The other end of [`crate::messages`]: a world that answers requests, without input or output.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::{Checked, shortened};
use crate::messages::{Answer, PROTOCOL, Request};
use crate::world::Start;
use crate::worlds::{Batch, Said, Worlds};

/// The most games that are open at once, and the most requests of a batch.
pub const MOST_GAMES: usize = 4096;

/// The games that are open in a world.
///
/// What cannot be done is answered by [`Answer::Error`] and changes nothing.
#[derive(Default)]
pub struct Served {
    games: HashMap<u64, Table>,
}

/// One game.
struct Table {
    batch: Checked,
    /// The share of the training in which it is learned from, if it is.
    training: Option<f64>,
    playing: bool,
}

impl Served {
    /// The answer of `worlds`, the same one at every call, to one request.
    pub async fn answer(&mut self, worlds: &dyn Worlds, request: Request) -> Answer {
        let Request::Batch { of } = request else {
            return self.one(worlds, request).await;
        };
        if of.len() > MOST_GAMES {
            return refused(format!(
                "a batch of {} requests is too long: send at most {MOST_GAMES}",
                of.len()
            ));
        }
        let mut answers = Vec::with_capacity(of.len());
        for request in of {
            answers.push(self.one(worlds, request).await);
        }
        Answer::Batch { of: answers }
    }

    async fn one(&mut self, worlds: &dyn Worlds, request: Request) -> Answer {
        match request {
            Request::About => Answer::About { about: worlds.about().clone(), protocol: PROTOCOL },
            Request::Start { game, seed, task, training } => {
                self.start(worlds, game, Start { task, seed }, training).await
            }
            Request::Act { game, said } => self.act(game, &said).await,
            Request::Close { game } => {
                self.games.remove(&game);
                Answer::Closed { game }
            }
            Request::Batch { .. } => {
                refused("a batch holds no batch: put its requests side by side".into())
            }
        }
    }

    async fn start(
        &mut self,
        worlds: &dyn Worlds,
        game: u64,
        start: Start,
        training: Option<f64>,
    ) -> Answer {
        if let (Some(task), tasks) = (start.task, worlds.about().tasks)
            && tasks.is_none_or(|tasks| task >= tasks)
        {
            return refused(match tasks {
                Some(tasks) => format!("there is no task {task}: give one from 0 to {}", tasks - 1),
                None => "tasks have no numbers here: leave task out".into(),
            });
        }
        let fits = |table: &Table| table.training == training;
        if !self.games.get(&game).is_some_and(fits) {
            if !self.games.contains_key(&game) && self.games.len() >= MOST_GAMES {
                return refused(format!("{MOST_GAMES} games are open: close one"));
            }
            match open(worlds, training).await {
                Ok(batch) => self.games.insert(game, Table { batch, training, playing: false }),
                Err(error) => return refused(error.to_string()),
            };
        }
        let table = self.games.get_mut(&game).expect("it is open");
        table.playing = false;
        match table.batch.start(&[start]).await {
            Ok(mut openings) => {
                table.playing = true;
                Answer::Started { game, opening: openings.remove(0), task: table.batch.task(0) }
            }
            Err(error) => refused(error.to_string()),
        }
    }

    async fn act(&mut self, game: u64, said: &str) -> Answer {
        let Some(table) = self.games.get_mut(&game) else {
            return refused(format!("game {game} is not open: start it"));
        };
        if !table.playing {
            return refused(format!("game {game} is over: start it again"));
        }
        if said.contains('\n') {
            return refused(format!("what is said is one line, not {:?}", shortened(said)));
        }
        match table.batch.act(&[Said { game: 0, text: said }]).await {
            Ok(mut turns) => {
                let turn = turns.remove(0);
                table.playing = turn.end.is_none();
                Answer::Acted { game, turn }
            }
            Err(error) => {
                table.playing = false;
                refused(error.to_string())
            }
        }
    }
}

async fn open(worlds: &dyn Worlds, training: Option<f64>) -> Result<Checked, crate::WorldError> {
    let other: Option<Arc<dyn Worlds>> = match training {
        Some(progress) => worlds.in_training(progress)?,
        None => None,
    };
    Checked::open(other.as_deref().unwrap_or(worlds), 1).await
}

/// The answer to a request that cannot be carried out.
pub fn refused(error: String) -> Answer {
    Answer::Error { error }
}
