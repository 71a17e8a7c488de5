//! The scripted askers by the names that people type.

use archer_env::TwentyQuestions;
use archer_env::asker::{
    Asker, InformationGainAsker, MediocreAsker, Mediocrity, RandomAsker, TreeAsker,
};

use crate::error::Error;
use crate::experiment::did_you_mean;

/// The longest list of words for which the optimal tree is searched; beyond it the search takes
/// longer than anyone waits.
const OPTIMAL_WORDS: usize = 16;

/// The names, from the floor to the ceiling.
pub const NAMES: [&str; 5] = ["random", "mediocre", "information-gain", "tree", "optimal"];

/// Makes the asker of this name for a world.
pub fn make(
    name: &str,
    world: &TwentyQuestions,
    max_turns: usize,
) -> Result<Box<dyn Asker>, Error> {
    let pool = world.question_pool();
    let words = pool.words();
    Ok(match name {
        "random" => Box::new(RandomAsker::new(pool)),
        "mediocre" => Box::new(MediocreAsker::new(pool, Mediocrity::for_words(words))),
        "information-gain" => Box::new(InformationGainAsker::new(pool)),
        "tree" => Box::new(TreeAsker::greedy(pool)),
        "optimal" if words <= OPTIMAL_WORDS => Box::new(TreeAsker::optimal(pool, max_turns)),
        "optimal" => {
            return Err(Error::Usage(format!(
                "the optimal asker can be searched for at most {OPTIMAL_WORDS} words and this \
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
