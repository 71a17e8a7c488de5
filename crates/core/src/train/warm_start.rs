//! The games from which a fresh actor learns to speak, and the tokenizer trained on them.
//!
//! They are played by a scripted asker that is deliberately mediocre: what the agent becomes
//! beyond it is reinforcement's doing.

use std::sync::Arc;

use archer_games::asker::{
    Asker, BabblingAsker, CuriousAsker, MediocreAsker, Mediocrity, PlayedGame, play,
};
use archer_games::question_pool::QuestionPool;
use archer_games::toy::{Bandit, Recall};
use archer_games::{Answer, WorldConfig, WorldName, guess_my_city, make, make_guessing};

use super::evaluate::starts;
use crate::algorithms::bc::Demonstration;
use crate::config::{Config, WarmStartConfig};
use crate::error::Error;
use crate::rl::task::Secret;
use crate::text::Tokenizer;

/// The questions worth asking in a world of Twenty Questions.
pub fn question_pool(world: &WorldConfig) -> QuestionPool {
    let game = make_guessing(world).ok().flatten();
    game.expect("a run's world was made before").question_pool()
}

/// The questions that the demonstrator knows in a world, where it asks about properties.
fn known_questions(world: &WorldConfig, config: &WarmStartConfig) -> Option<QuestionPool> {
    let pool = match world.name {
        WorldName::TwentyQuestions => question_pool(world),
        WorldName::GuessMyCity => guess_my_city::question_pool(),
        WorldName::Bandit | WorldName::Recall => return None,
    };
    Some(if config.questions > 0 { pool.thinned(config.questions) } else { pool })
}

/// The scripted player whose games are imitated in a world.
pub fn demonstrator(world: &WorldConfig, config: &WarmStartConfig) -> Box<dyn Asker> {
    let WarmStartConfig { guess_rate, consistency, repeat_rate, .. } = *config;
    let mediocrity = Mediocrity { guess_rate, consistency, repeat_rate };
    let mediocre = known_questions(world, config).map(|pool| MediocreAsker::new(pool, mediocrity));
    match (world.name, mediocre) {
        (WorldName::GuessMyCity, Some(by_yes_and_no)) => {
            Box::new(CuriousAsker::new(by_yes_and_no, CuriousAsker::<MediocreAsker>::RATE))
        }
        (_, Some(mediocre)) => Box::new(mediocre),
        (WorldName::Recall, None) => {
            Box::new(BabblingAsker::new(Recall::LETTERS.iter().map(char::to_string).collect()))
        }
        (_, None) => Box::new(BabblingAsker::new(
            (0..Bandit::PAY.len()).map(|digit| digit.to_string()).collect(),
        )),
    }
}

/// The demonstrated games of a run: every task equally often, or as often as it weighs, drawn by the
/// run's seed.
///
/// # Errors
/// If the world cannot be made.
pub fn demonstrated_games(config: &Config) -> Result<Vec<PlayedGame>, Error> {
    let mut world = make(&config.world)?;
    let mut asker = demonstrator(&config.world, &config.warm_start);
    let starts = starts(world.as_ref(), config.warm_start.games, config.seed ^ 0xDE30);
    Ok(play(asker.as_mut(), world.as_mut(), starts))
}

/// Games of an asker that heeds every answer: what is said in them is not imitated, but what the
/// answers say is learned in states that only a good player comes to. Empty where the configuration
/// asks for none.
///
/// # Errors
/// If the world cannot be made, or is one where no answers can be heeded.
pub fn aside_games(config: &Config) -> Result<Vec<PlayedGame>, Error> {
    let WarmStartConfig { aside_games, guess_rate, .. } = config.warm_start;
    let Some(pool) = aside_questions(config)? else {
        return Ok(Vec::new());
    };
    let heedful = Mediocrity { guess_rate, consistency: 1.0, repeat_rate: 0.0 };
    let mut asker = MediocreAsker::new(pool, heedful);
    let mut world = make(&config.world)?;
    let starts = starts(world.as_ref(), aside_games, config.seed ^ 0xA51D);
    Ok(play(&mut asker, world.as_mut(), starts))
}

/// The questions of such games, where the configuration asks for some.
///
/// # Errors
/// If no answers can be heeded in its world.
pub fn aside_questions(config: &Config) -> Result<Option<QuestionPool>, Error> {
    let games = config.warm_start.aside_games;
    if games == 0 {
        return Ok(None);
    }
    match known_questions(&config.world, &config.warm_start) {
        Some(pool) => Ok(Some(pool)),
        None => Err(Error::Config(format!(
            "warm_start.aside_games = {games} is out of range: it must be 0 in the world {}, where no answers can be heeded",
            config.world.name
        ))),
    }
}

/// What is true of each task of a world: whether it says yes to each of the questions about
/// properties that the demonstrator knows. Empty in worlds without such questions.
pub fn facts(world: &WorldConfig, config: &WarmStartConfig) -> Vec<Arc<[f32]>> {
    let Some(pool) = known_questions(world, config) else { return Vec::new() };
    let yes = |task: usize| {
        pool.properties()
            .iter()
            .map(move |question| f32::from(question.answers[task] == Answer::Yes))
    };
    (0..pool.words()).map(|task| yes(task).collect()).collect()
}

/// The pieces of a game's text in order: what the world shows first, then utterance and reply of
/// each turn.
pub fn pieces(game: &PlayedGame) -> impl Iterator<Item = String> + '_ {
    let turns =
        game.turns.iter().flat_map(|turn| [turn.question.clone(), format!(" {}\n", turn.answer)]);
    std::iter::once(game.first_observation.clone()).chain(turns)
}

/// What of a game is imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imitated {
    /// Every utterance.
    All,
    /// Those that were not said before in the game.
    New,
    /// None.
    Nothing,
}

/// A game as tokens, every utterance marked; utterance and reply are encoded apart, as the agent
/// will meet them. `facts` are those of each task, or none.
pub fn demonstration(
    tokenizer: &Tokenizer,
    game: &PlayedGame,
    facts: &[Arc<[f32]>],
    imitated: Imitated,
) -> Demonstration {
    let mut tokens = tokenizer.encode(&game.first_observation);
    let mut utterances = Vec::with_capacity(game.turns.len());
    let mut asides = Vec::new();
    for (number, turn) in game.turns.iter().enumerate() {
        // What the demonstrator repeats on purpose tells what a repeated question is answered.
        let repeated = || game.turns[..number].iter().any(|t| t.question == turn.question);
        let aside = match imitated {
            Imitated::All => false,
            Imitated::New => repeated(),
            Imitated::Nothing => true,
        };
        if aside {
            asides.push(number);
        }
        let said = tokenizer.encode(&turn.question);
        utterances.push((tokens.len(), said.len()));
        tokens.extend(said);
        tokens.extend(tokenizer.encode(&format!(" {}\n", turn.answer)));
    }
    let task = game.start.task.expect("demonstrations are played on tasks of known number");
    let facts = facts.get(task).cloned().unwrap_or_default();
    Demonstration { tokens, utterances, asides, secret: Secret { task, facts } }
}
