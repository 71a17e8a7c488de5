//! What the worlds of questions, and the toys beside them, teach beside their returns.

use archer_world::contract::shortened;
use archer_world::record::says_no;
use archer_world::{Discount, Exchange, Game, Start, Teaching, WorldError};

use super::GuessingGame;
use super::demonstrator::{attentive, demonstrator, known_questions};
use super::shaping::Shaping;
use crate::asker::{Asker, play};
use crate::config::{WorldConfig, WorldName, make_one};
use crate::error::GameError;
use crate::twenty_questions::Answer;

/// The teaching of the world that a configuration describes.
pub struct GuessTeaching {
    config: WorldConfig,
    shaping: Option<Shaping>,
}

impl GuessTeaching {
    /// # Errors
    /// If bits are to be paid in a world that has no secret to ask for.
    pub fn new(config: &WorldConfig) -> Result<Self, GameError> {
        Ok(Self { shaping: Shaping::of(config)?, config: config.clone() })
    }

    fn games(&self, asker: &mut dyn Asker, starts: &[Start]) -> Vec<Game> {
        let mut world = make_one(&self.config)
            .unwrap_or_else(|error| panic!("this world was made before: {error}"));
        play(asker, world.as_mut(), starts.iter().copied())
    }
}

impl Teaching for GuessTeaching {
    fn demonstrations(&self, starts: &[Start]) -> Vec<Game> {
        if !self.config.demonstrator.player.is_here() {
            return Vec::new();
        }
        let mut games = self.games(demonstrator(&self.config).as_mut(), starts);
        if self.config.demonstrator.repeat_rate > 0.0 {
            games.iter_mut().for_each(|game| mark_repeated(&mut game.turns));
        }
        games
    }

    fn context_only_games(&self, starts: &[Start]) -> Result<Vec<Game>, WorldError> {
        let mut games = self.games(&mut attentive(&self.config)?, starts);
        games.iter_mut().flat_map(|game| &mut game.turns).for_each(|turn| turn.imitate = false);
        Ok(games)
    }

    /// Whether the world says yes to each of the questions about properties that the demonstrator
    /// knows.
    fn facts(&self) -> Vec<Vec<f32>> {
        let Some(pool) = known_questions(&self.config) else { return Vec::new() };
        let yes = |task: usize| {
            let answers = pool.properties().iter().map(move |question| question.answers[task]);
            answers.map(|answer| f32::from(answer == Answer::Yes)).collect()
        };
        (0..pool.words()).map(yes).collect()
    }

    fn winning_utterances(&self) -> Vec<String> {
        let Ok(Some(game)) = self.config.guessing() else { return Vec::new() };
        let pool = GuessingGame::question_pool(game.as_ref());
        let guess = |word| pool.questions()[pool.guess_of(word)].text.clone();
        (0..pool.words()).map(guess).collect()
    }

    /// A reply is one that this world gives, so that a line that was cut at the wrong place, and a game
    /// of another world, are found out; who has won was told Yes.
    fn check_game(&self, game: &Game) -> Result<(), String> {
        let name = self.config.name;
        if !matches!(name, WorldName::TwentyQuestions | WorldName::GuessMyCity) {
            return Ok(());
        }
        if name == WorldName::TwentyQuestions {
            for (number, turn) in (1..).zip(&game.turns) {
                if !Answer::is_one(&turn.reply) {
                    return Err(format!(
                        "turn {number} ({:?}) is answered {:?}, and the world {name} answers \"Yes.\", \"No.\", \"Sometimes.\", \"I don't know.\" or \"Invalid Question.\"",
                        shortened(&turn.said),
                        shortened(&turn.reply)
                    ));
                }
            }
        }
        match game.turns.last().filter(|last| game.won() && says_no(&last.reply)) {
            Some(last) => Err(format!("it is won, and its last answer is {:?}", last.reply)),
            None => Ok(()),
        }
    }

    fn bonus(&self, game: &Game, discount: Discount) -> Vec<f64> {
        match &self.shaping {
            Some(shaping) => shaping.bonus(game, discount),
            None => Vec::new(),
        }
    }
}

/// What the demonstrator repeats on purpose tells what a repeated question is answered, and is not
/// imitated.
fn mark_repeated(turns: &mut [Exchange]) {
    for turn in 1..turns.len() {
        let (before, here) = turns.split_at_mut(turn);
        here[0].imitate = before.iter().all(|turn| turn.said != here[0].said);
    }
}
