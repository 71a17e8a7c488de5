//! Several games of one world side by side, so that a model can answer them in one batch.
//!
//! Games end at different turns; a finished one is skipped until the next reset. There are no
//! threads here: a turn of any of our worlds costs far less than the model's answer to it.

use crate::config::{WorldConfig, make};
use crate::environment::{Environment, Step};
use crate::error::GameError;

/// A row of worlds and which of their games are still running.
pub struct VectorEnv {
    games: Vec<Box<dyn Environment>>,
    running: Vec<bool>,
}

impl VectorEnv {
    /// Takes worlds that are all alike.
    ///
    /// # Panics
    /// Where there is none.
    pub fn new(games: Vec<Box<dyn Environment>>) -> Self {
        assert!(!games.is_empty(), "a vectorised world needs at least one game");
        VectorEnv { running: vec![false; games.len()], games }
    }

    /// Makes `games` worlds of one configuration.
    ///
    /// # Errors
    /// What [`make`] says of the configuration.
    ///
    /// # Panics
    /// Where `games` is 0.
    pub fn make(config: &WorldConfig, games: usize) -> Result<Self, GameError> {
        let games: Result<Vec<_>, _> = (0..games).map(|_| make(config)).collect();
        Ok(Self::new(games?))
    }

    /// The number of games it can play at once.
    pub fn len(&self) -> usize {
        self.games.len()
    }

    /// Always false; a row of worlds holds at least one.
    pub fn is_empty(&self) -> bool {
        self.games.is_empty()
    }

    /// The first world, to ask what is the same for all: tasks, turns, the optimum.
    pub fn world(&self) -> &dyn Environment {
        self.games[0].as_ref()
    }

    /// The task of each game that was started, in their order.
    pub fn tasks(&self) -> Vec<Option<usize>> {
        self.games.iter().map(|game| game.task()).collect()
    }

    /// Which games are running.
    pub fn running(&self) -> &[bool] {
        &self.running
    }

    /// Whether every game is finished or was never started.
    pub fn all_done(&self) -> bool {
        !self.running.contains(&true)
    }

    /// Starts a drawn game for each seed; with fewer seeds than games, the last games rest.
    ///
    /// # Panics
    /// Where there are more seeds than games.
    pub fn reset(&mut self, seeds: &[u64]) -> Vec<String> {
        self.start(seeds.len());
        self.games.iter_mut().zip(seeds).map(|(game, &seed)| game.reset(seed)).collect()
    }

    /// Starts a game on each task; with fewer tasks than games, the last games rest.
    ///
    /// # Panics
    /// Where there are more tasks than games, or not as many seeds as tasks.
    pub fn reset_to(&mut self, tasks: &[usize], seeds: &[u64]) -> Vec<String> {
        assert_eq!(tasks.len(), seeds.len(), "one seed for each task");
        self.start(tasks.len());
        let starts = tasks.iter().zip(seeds);
        let games = self.games.iter_mut().zip(starts);
        games.map(|(game, (&task, &seed))| game.reset_to(task, seed)).collect()
    }

    /// Plays one action in each game. A finished game gives `None` whatever its action; so does a
    /// running game without an action, which waits.
    ///
    /// # Panics
    /// Where there are not as many actions as games.
    pub fn step(&mut self, actions: &[Option<&str>]) -> Vec<Option<Step>> {
        assert_eq!(actions.len(), self.games.len(), "one action, or None, for each game");
        let games = self.games.iter_mut().zip(&mut self.running);
        games
            .zip(actions)
            .map(|((game, running), action)| {
                let action = action.filter(|_| *running)?;
                let step = game.step(action);
                *running = !step.done();
                Some(step)
            })
            .collect()
    }

    fn start(&mut self, games: usize) {
        assert!(
            games <= self.games.len(),
            "{games} games to start in a row of {}",
            self.games.len()
        );
        for (index, running) in self.running.iter_mut().enumerate() {
            *running = index < games;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> VectorEnv {
        VectorEnv::make(&WorldConfig::default(), 3).unwrap()
    }

    #[test]
    fn a_row_plays_like_its_games_alone() {
        let mut row = three();
        let mut alone = make(&WorldConfig::default()).unwrap();
        let first = row.reset(&[5, 6, 7]);
        assert_eq!(first, ["Questions:\n"; 3]);
        let steps = row.step(&[Some("Is it a dog?"); 3]);
        for (seed, step) in [5, 6, 7].into_iter().zip(steps) {
            alone.reset(seed);
            assert_eq!(step.unwrap(), alone.step("Is it a dog?"));
        }
    }

    #[test]
    fn finished_and_resting_games_are_skipped() {
        let mut row = three();
        // Tasks 10 and 11 are cat and dog; the third game rests.
        row.reset_to(&[10, 11], &[0, 0]);
        assert_eq!(row.running(), [true, true, false]);
        let steps = row.step(&[Some("Is it a cat?"); 3]);
        assert!(steps[0].as_ref().unwrap().won);
        assert!(!steps[1].as_ref().unwrap().won);
        assert_eq!(steps[2], None);
        assert_eq!(row.running(), [false, true, false]);

        let steps = row.step(&[Some("Is it a dog?"), None, None]);
        assert_eq!(steps, [None, None, None]);
        let steps = row.step(&[Some("Is it a dog?"); 3]);
        assert!(steps[0].is_none() && steps[1].as_ref().unwrap().won);
        assert!(row.all_done());
    }

    #[test]
    #[should_panic(expected = "4 games to start in a row of 3")]
    fn more_seeds_than_games_is_a_bug() {
        three().reset(&[1, 2, 3, 4]);
    }
}
