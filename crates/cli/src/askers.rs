//! The scripted askers by the names that people type.

use archer_games::asker::{
    Asker, CuriousAsker, InformationGainAsker, MediocreAsker, Mediocrity, Noise, RandomAsker,
    TreeAsker,
};
use archer_games::optimum::MAX_SOLVER_WORDS;
use archer_games::{GuessingGame, OracleName, WorldConfig, WorldName};

use crate::error::Error;
use crate::experiment::did_you_mean;

/// The names, from the floor to the ceiling.
pub const NAMES: [&str; 5] = ["random", "mediocre", "information-gain", "tree", "optimal"];

/// Makes the world of this configuration, if scripted askers can play it.
pub fn world(config: &WorldConfig) -> Result<Box<dyn GuessingGame>, Error> {
    config.guessing()?.ok_or_else(|| {
        Error::Usage(format!(
            "there is no scripted asker for the world {}; choose twenty_questions or guess_my_city",
            config.name
        ))
    })
}

/// Makes the asker of this name for a world.
pub fn make(
    name: &str,
    world: &dyn GuessingGame,
    config: &WorldConfig,
) -> Result<Box<dyn Asker>, Error> {
    let pool = world.question_pool();
    let words = pool.words();
    Ok(match name {
        "random" => Box::new(RandomAsker::new(pool)),
        "mediocre" => {
            let by_yes_and_no = MediocreAsker::new(pool, Mediocrity::for_words(words));
            match config.name {
                WorldName::GuessMyCity => {
                    let rate = CuriousAsker::<MediocreAsker>::RATE;
                    Box::new(CuriousAsker::new(by_yes_and_no, rate))
                }
                _ => Box::new(by_yes_and_no),
            }
        }
        "information-gain" if config.oracle == OracleName::People => {
            Box::new(InformationGainAsker::new(pool).within(world.max_turns()))
        }
        "information-gain" => Box::new(InformationGainAsker::noisy(pool, noise(config)?)),
        "tree" => Box::new(TreeAsker::greedy(pool)),
        "optimal" if words <= MAX_SOLVER_WORDS => {
            Box::new(TreeAsker::optimal(pool, world.max_turns()))
        }
        "optimal" => {
            return Err(Error::Usage(format!(
                "the optimal asker can be searched for at most {MAX_SOLVER_WORDS} words and this \
                 world has {words}; choose --words subset, or --asker tree, which comes close"
            )));
        }
        _ => {
            return Err(Error::Usage(format!(
                "there is no asker {name}{}; choose {}",
                did_you_mean(name, &NAMES),
                NAMES.join(", ")
            )));
        }
    })
}

/// How often the world's answers err, as the asker that reckons with it needs to know.
fn noise(config: &WorldConfig) -> Result<Noise, Error> {
    let noise = Noise { flip: config.answer_noise, sometimes: config.sometimes_noise };
    if noise.flip >= 0.5 || noise.flip + noise.sometimes >= 1.0 {
        return Err(Error::Usage(format!(
            "answers that err with probability {} and are vague with {} leave nothing to learn; \
             information-gain needs less noise, or choose another asker",
            config.answer_noise, config.sometimes_noise
        )));
    }
    Ok(noise)
}
