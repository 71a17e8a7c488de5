//! One game for one player: what a user writes.

use serde::{Deserialize, Serialize};

use crate::transcript::Style;

/// A text world. It holds at most one game at a time.
///
/// The same seed and the same utterances give the same game: all chance of a world descends from
/// [`Start::seed`]. After a turn with an [`End`] nothing is said until the next [`start`](Self::start).
pub trait World: Send {
    /// What is the same in all games.
    fn about(&self) -> About;

    /// Starts a game and gives what the player reads first.
    fn start(&mut self, start: &Start) -> Opening;

    /// Answers one utterance. It is given without the end of line that closed it.
    ///
    /// # Panics
    /// A world may panic where no game is in play: that is a fault of the caller.
    fn act(&mut self, said: &str) -> Turn;

    /// The number of the task in play or just played, below [`About::tasks`]; `None` where tasks have
    /// no numbers. Players learn it after the game only.
    fn task(&self) -> Option<usize> {
        None
    }
}

/// How a game begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename(deserialize = "Start.."))]
pub struct Start {
    /// The task, below [`About::tasks`]; `None` to let the seed draw it.
    #[serde(default)]
    pub task: Option<usize>,
    /// The seed of all chance in the game.
    pub seed: u64,
}

/// Utterances that are possible now: at least one, different, each one line with some text.
pub type Choices = Vec<String>;

/// What a player reads before the first utterance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Opening {
    /// The text, with the end of line that closes it.
    pub text: String,
    /// What can be said first, where the world lists it.
    #[serde(default)]
    pub choices: Option<Choices>,
}

/// What one utterance brought about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Turn {
    /// What the world says back, without the end of line that closes it.
    pub reply: String,
    /// The reward of the utterance; finite.
    pub reward: f32,
    /// How the game ended, if it did.
    #[serde(default)]
    pub end: Option<End>,
    /// The world could not read the utterance.
    #[serde(default)]
    pub invalid: bool,
    /// What can be said next, where the world lists it.
    #[serde(default)]
    pub choices: Option<Choices>,
}

/// How a game ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It was terminated with success.
    Won,
    /// It was terminated otherwise: nothing of value follows.
    Over,
    /// It was truncated by a limit of turns; a critic may bootstrap past it.
    Cut,
}

/// What is the same in all games of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its name, one word.
    pub name: String,
    /// The most turns of a game, at least 1.
    pub max_turns: usize,
    /// The number of different tasks, at least 1; `None` where they are not numbered.
    #[serde(default)]
    pub tasks: Option<usize>,
    /// How likely each task is in a drawn game, by any measure; `None` where all are equally likely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// How utterances and replies are joined.
    #[serde(default)]
    pub style: Style,
    /// Exchanges that the player reads beside the opening: the last so many. 0 is the present reply
    /// alone, `None` the whole game. See [`crate::Transcript`].
    #[serde(default)]
    pub memory: Option<usize>,
    /// The best mean return over the tasks that any player can reach, where it is known.
    #[serde(default)]
    pub best: Option<f64>,
    /// The lowest return of a game, where there is one.
    #[serde(default)]
    pub worst: Option<f64>,
    /// Which of several rule sets is played, where a world has more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// What a turn is called in reports, in the singular.
    #[serde(default = "turn", skip_serializing_if = "is_turn")]
    pub turn: String,
}

fn turn() -> String {
    "turn".to_string()
}

fn is_turn(name: &str) -> bool {
    name == "turn"
}

impl About {
    /// A world of this name whose games last at most `max_turns` turns; nothing else is known of it.
    pub fn new(name: impl Into<String>, max_turns: usize) -> Self {
        Self {
            name: name.into(),
            max_turns,
            tasks: None,
            weights: None,
            style: Style::default(),
            memory: None,
            best: None,
            worst: None,
            rules: None,
            turn: turn(),
        }
    }
}

impl Opening {
    /// A text after which anything may be said.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), choices: None }
    }

    /// A text after which one of these is said.
    pub fn choosing<C: Into<String>>(
        text: impl Into<String>,
        choices: impl IntoIterator<Item = C>,
    ) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        Self { text: text.into(), choices: Some(choices) }
    }
}

impl Turn {
    /// A reply that is worth so much, after which the game goes on.
    pub fn new(reply: impl Into<String>, reward: f32) -> Self {
        Self { reply: reply.into(), reward, ..Self::default() }
    }

    /// The same turn as the last of its game.
    pub fn ending(self, end: End) -> Self {
        Self { end: Some(end), choices: None, ..self }
    }

    /// The same turn, after which one of these is said.
    pub fn choosing<C: Into<String>>(self, choices: impl IntoIterator<Item = C>) -> Self {
        Self { choices: Some(choices.into_iter().map(Into::into).collect()), ..self }
    }

    /// The same turn for an utterance that could not be read.
    pub fn unreadable(self) -> Self {
        Self { invalid: true, ..self }
    }

    /// Whether the goal was reached.
    pub fn won(&self) -> bool {
        self.end == Some(End::Won)
    }
}
