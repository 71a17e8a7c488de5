//! Worlds as the trainer holds them: many games side by side, in batches that may be waited for.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use crate::error::WorldError;
use crate::teaching::Teaching;
use crate::transcript::Style;
use crate::world::{About, Opening, Start, Turn, World};

/// A result that may be waited for.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = Result<T, WorldError>> + 'a>>;

/// What one game of a batch is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    /// The game: its place among the starts.
    pub game: usize,
    /// The utterance, without the end of line that closed it.
    pub text: &'a str,
}

/// Games of one world that are played side by side, on one thread. One call a turn for all of them.
pub trait Batch {
    /// Starts a game for each of these, at most as many as the batch was opened for; games before are
    /// dropped. The openings come in the order of the starts.
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>>;

    /// Answers an utterance in each of these games, in their order. A game that is not named waits.
    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>>;

    /// The task number of a game that was started, where tasks have numbers.
    fn task(&self, game: usize) -> Option<usize>;
}

/// A world that is handed to the trainer. It may be asked from several threads.
pub trait Worlds: Send + Sync {
    /// What is the same in all games.
    fn about(&self) -> &About;

    /// Opens a batch of up to `games` games, at least 1.
    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>>;

    /// The most games that can be played side by side, over all batches; `None` for no bound.
    fn capacity(&self) -> Option<usize> {
        None
    }

    /// What the world can teach beside its returns.
    fn teaching(&self) -> Option<&dyn Teaching> {
        None
    }

    /// The world in which the games are played that are learned from, at this share of the training,
    /// 0 to 1; `None` where it is this world throughout. Evaluations are always games of this world.
    ///
    /// # Errors
    /// If there is no such world.
    fn in_training(&self, progress: f64) -> Result<Option<Arc<dyn Worlds>>, WorldError> {
        let _ = progress;
        Ok(None)
    }
}

/// A Rust world as [`Worlds`]: each game is played by a value of its own.
pub struct Local<F> {
    about: About,
    make: F,
    teaching: Option<Box<dyn Teaching>>,
}

impl<W: World + 'static, F: Fn() -> W + Send + Sync> Local<F> {
    /// The world whose games are made by `make`.
    ///
    /// ```
    /// # use archer_world::{About, Local, Opening, Start, Turn, World, Worlds};
    /// # struct Door;
    /// # impl World for Door {
    /// #     fn about(&self) -> About { About::new("door", 1) }
    /// #     fn start(&mut self, _: &Start) -> Opening { Opening::new("A door.\n") }
    /// #     fn act(&mut self, _: &str) -> Turn { Turn::default() }
    /// # }
    /// let worlds = Local::new(|| Door);
    /// assert_eq!(worlds.about().name, "door");
    /// ```
    pub fn new(make: F) -> Self {
        Self { about: make().about(), make, teaching: None }
    }

    /// The same world with what it can teach.
    pub fn with_teaching(self, teaching: impl Teaching + 'static) -> Self {
        Self { teaching: Some(Box::new(teaching)), ..self }
    }
}

impl<W: World + 'static, F: Fn() -> W + Send + Sync> Worlds for Local<F> {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        let worlds: Vec<W> = (0..games).map(|_| (self.make)()).collect();
        Box::pin(ready(Ok(Box::new(Row { worlds }) as Box<dyn Batch>)))
    }

    fn teaching(&self) -> Option<&dyn Teaching> {
        self.teaching.as_deref()
    }
}

/// A row of Rust worlds, one for each game.
pub struct Row<W> {
    worlds: Vec<W>,
}

impl<W: World> Row<W> {
    /// A batch of these.
    pub fn new(worlds: Vec<W>) -> Self {
        Self { worlds }
    }
}

impl<W: World> Batch for Row<W> {
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        assert!(starts.len() <= self.worlds.len(), "more games than the batch was opened for");
        let openings = self.worlds.iter_mut().zip(starts).map(|(world, start)| world.start(start));
        Box::pin(ready(Ok(openings.collect())))
    }

    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        let turns = said.iter().map(|said| self.worlds[said.game].act(said.text)).collect();
        Box::pin(ready(Ok(turns)))
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.worlds[game].task()
    }
}

/// A world that is spoken of and cannot be played: that of a model whose world lives elsewhere.
pub struct Elsewhere {
    about: About,
    why: String,
}

impl Elsewhere {
    /// The world of which this is known, and why it cannot be played here, as a sentence.
    pub fn new(about: About, why: impl Into<String>) -> Self {
        Self { about, why: why.into() }
    }
}

impl Worlds for Elsewhere {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, _: usize) -> Wait<'_, Box<dyn Batch>> {
        Box::pin(ready(Err(WorldError::Settings(self.why.clone()))))
    }
}

/// A world whose texts are joined in another way than it asks for, as an agent reads them that was
/// trained on messages of a chat.
pub struct Restyled {
    worlds: Arc<dyn Worlds>,
    about: About,
}

impl Restyled {
    /// The world with this way of joining.
    pub fn new(worlds: Arc<dyn Worlds>, style: Style) -> Self {
        let about = About { style, ..worlds.about().clone() };
        Self { worlds, about }
    }
}

impl Worlds for Restyled {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, games: usize) -> Wait<'_, Box<dyn Batch>> {
        self.worlds.open(games)
    }

    fn capacity(&self) -> Option<usize> {
        self.worlds.capacity()
    }

    fn teaching(&self) -> Option<&dyn Teaching> {
        self.worlds.teaching()
    }

    fn in_training(&self, progress: f64) -> Result<Option<Arc<dyn Worlds>>, WorldError> {
        let inner = self.worlds.in_training(progress)?;
        let style = || self.about.style.clone();
        Ok(inner.map(|inner| Arc::new(Restyled::new(inner, style())) as Arc<dyn Worlds>))
    }
}

impl World for Box<dyn World> {
    fn about(&self) -> About {
        (**self).about()
    }

    fn start(&mut self, start: &Start) -> Opening {
        (**self).start(start)
    }

    fn act(&mut self, said: &str) -> Turn {
        (**self).act(said)
    }

    fn task(&self) -> Option<usize> {
        (**self).task()
    }
}
