//! Games that others played, as experience of a run: an offline run has no others, and ArCHer learns
//! from them beside its own.

use archer_world::Game;

use super::{Phase, Report, Trainer};
use crate::error::Error;
use crate::finite;
use crate::rl::metrics::Metrics;
use crate::rl::replay_buffer::ReplayBuffer;
use crate::rl::transition::Trajectory;
use crate::train::recorded;
use crate::train::warm_start::demonstrated_games;

impl Trainer {
    /// Gives an offline run the games that it learns from ([`archer_world::record::read_games`] reads
    /// them from a file); a run that was resumed has them already.
    ///
    /// # Errors
    /// If the world breaks its contract or cannot be reached.
    pub async fn set_games(&mut self, games: &[Game]) -> Result<(), Error> {
        let games = self.trajectories(games).await?;
        let turns = games.iter().map(|game| game.transitions.len()).sum();
        // All of them are to be learned from, however many there are.
        self.buffer = ReplayBuffer::new(turns);
        self.games = 0;
        self.insert(games);
        Ok(())
    }

    /// Puts games that somebody else played into the replay buffer, beside the run's own. A game may be
    /// one that the run's world would not give, such as a person's.
    ///
    /// # Errors
    /// If the algorithm has no replay buffer, a choice cannot be said, or the world that must tell its
    /// opening cannot be reached.
    pub async fn remember(&mut self, games: &[Game]) -> Result<(), Error> {
        let algorithm = self.config.algorithm;
        if !algorithm.remembers() {
            return Err(Error::Config(format!(
                "{} learns from the games of the present iteration alone: set algorithm to one with a replay buffer, such as \"archer\"",
                algorithm.name()
            )));
        }
        let games = self.trajectories(games).await?;
        self.insert(games);
        Ok(())
    }

    /// One iteration's learning from the replay buffer alone: no game is played.
    ///
    /// # Errors
    /// If the replay buffer is empty or the device fails.
    pub async fn learn_from_memory(&mut self) -> Result<Report, Error> {
        if self.buffer.is_empty() {
            return Err(Error::Data("there is no game to learn from: add some first".into()));
        }
        let mut metrics = Metrics::new();
        self.learn_from(&[], &mut metrics).await?;
        Ok(self.report(Phase::Learn, self.iteration, metrics))
    }

    /// A memory that is shorter than a game holds the end of one, from which nothing is learned.
    pub(super) fn check_capacity(&self, games: &[Trajectory]) -> Result<(), Error> {
        let capacity = self.config.capacity;
        let longest = games.iter().map(|game| game.transitions.len()).max().unwrap_or(0);
        match longest > capacity {
            false => Ok(()),
            true => Err(Error::Config(format!(
                "capacity = {capacity} holds no whole game: one of this iteration has {longest} turns, so raise it to many times that"
            ))),
        }
    }

    /// Fills the memory of demonstrated games, where the configuration wants one and the world has
    /// somebody to show them.
    pub(super) async fn recall_prior(&mut self) -> Result<(), Error> {
        let wanted = self.config.prior.games;
        if wanted == 0 || !self.prior.is_empty() || !self.config.algorithm.has_use_for_prior() {
            return Ok(());
        }
        let mut shown = self.config.clone();
        shown.warm_start.games = wanted;
        let mut games = demonstrated_games(&shown, self.worlds.as_ref());
        games.truncate(wanted);
        let games = self.trajectories(&games).await?;
        let turns: Vec<_> = games.into_iter().flat_map(|game| game.transitions).collect();
        self.prior = ReplayBuffer::from_oldest(turns.len().max(1), turns);
        Ok(())
    }

    /// Whether this iteration plays no game.
    pub(super) fn learns_from_prior_alone(&self) -> bool {
        self.iteration < self.config.prior.iterations && !self.prior.is_empty()
    }

    async fn trajectories(&self, games: &[Game]) -> Result<Vec<Trajectory>, Error> {
        // Only a game that does not tell its opening needs the world.
        let opening = match games.iter().all(|game| game.opening.is_some()) {
            true => String::new(),
            false => self.opening().await?,
        };
        let (about, config) = (self.worlds.about(), &self.config);
        let read = |game| recorded::trajectory(game, about, &opening, config, &self.tokenizer);
        let mut games: Vec<Trajectory> = games.iter().map(read).collect::<Result<_, _>>()?;
        games.iter_mut().for_each(|game| self.shape(game, self.worlds.as_ref()));
        finite::check_games(&games)?;
        Ok(games)
    }

    fn insert(&mut self, games: Vec<Trajectory>) {
        self.games += games.len() as u64;
        for turn in games.into_iter().flat_map(|game| game.transitions) {
            self.buffer.insert(turn);
        }
    }
}
