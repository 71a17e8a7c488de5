//! Text worlds for language-model agents.
//!
//! A world takes an utterance and gives back text and a reward. It has never heard of a tensor, a
//! file or a clock; all its chance comes from the seed of a game. [`make`] turns a
//! [`WorldConfig`] into an [`Environment`]; [`VectorEnv`] plays several games side by side.

pub mod environment;
pub mod error;

pub mod data;
pub mod knowledge;
pub mod oracle;
pub mod words;

pub mod guess_my_city;
pub mod guessing;
pub mod optimum;
pub mod question_pool;
pub mod toy;
pub mod twenty_questions;

pub mod asker;
pub mod config;
pub mod contract;
pub mod vectorized;

#[cfg(feature = "box")]
pub mod blackjack;
#[cfg(feature = "box")]
pub mod catalogue;
#[cfg(feature = "box")]
pub mod frozen_lake;
#[cfg(feature = "box")]
pub mod guess_number;
#[cfg(feature = "box")]
pub mod hangman;
#[cfg(feature = "box")]
pub mod mastermind;
#[cfg(feature = "box")]
pub mod maze;
#[cfg(feature = "box")]
pub mod queen_endgame;
#[cfg(feature = "box")]
pub mod tower_of_hanoi;
#[cfg(feature = "box")]
pub mod wordle;

pub use config::{WordList, WorldChange, WorldConfig, WorldName, make};
pub use environment::{Environment, Step};
pub use error::{GameError, UnknownWord};
pub use guess_my_city::GuessMyCity;
pub use guessing::{GuessingGame, make_guessing};
pub use twenty_questions::{Answer, Rules, TwentyQuestions};
pub use vectorized::VectorEnv;
