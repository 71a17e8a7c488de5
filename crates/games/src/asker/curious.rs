//! A player of Guess My City that also asks what cannot be answered by yes or no.
//!
//! The other players choose from a pool of yes-or-no questions. This one lends such a player the
//! questions with free answers: now and then it asks one, and it tells the other what the answer
//! comes to ("What continent is it in? Asia." is as good as "Is it in Asia? Yes.").

use archer_input::shown;
use rand_chacha::ChaCha8Rng;

use super::{Asker, draw, happens, player_chance};
use crate::guess_my_city::{as_yes_or_no, free_questions};

/// Puts free questions between those of another player.
pub struct CuriousAsker<A> {
    inner: A,
    free: Vec<String>,
    rate: f64,
    chance: ChaCha8Rng,
}

impl<A: Asker> CuriousAsker<A> {
    /// The share of free questions that a player worth imitating at the start asks.
    pub const RATE: f64 = 0.15;

    /// A player that asks a free question with probability `rate`, while there is a new one.
    ///
    /// # Panics
    /// Where the rate is not from 0 to 1.
    pub fn new(inner: A, rate: f64) -> Self {
        assert!((0.0..=1.0).contains(&rate), "a rate of {}", shown(rate));
        CuriousAsker { inner, free: free_questions(), rate, chance: player_chance(0) }
    }
}

impl<A: Asker> Asker for CuriousAsker<A> {
    fn start(&mut self, seed: u64) {
        self.inner.start(seed);
        self.chance = player_chance(seed ^ 1);
    }

    fn ask(&mut self, history: &[(String, String)]) -> String {
        if happens(&mut self.chance, self.rate) {
            let asked = |free: &&String| history.iter().any(|(question, _)| question == *free);
            let open: Vec<&String> = self.free.iter().filter(|free| !asked(free)).collect();
            if let Some(question) = draw(&open, &mut self.chance) {
                return question.clone();
            }
        }
        let told: Vec<(String, String)> = history
            .iter()
            .map(|(question, answer)| {
                as_yes_or_no(question, answer).unwrap_or((question.clone(), answer.clone()))
            })
            .collect();
        self.inner.ask(&told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asker::{InformationGainAsker, RandomAsker, drawn, each_task, mean_return, play};
    use crate::guess_my_city::question_pool;
    use crate::{GuessMyCity, Rules};

    #[test]
    fn free_answers_are_heeded() {
        let mut world = GuessMyCity::new(Rules::Fixed, 20).unwrap();
        let starts = each_task(91, 1, 3);
        let mut alone = InformationGainAsker::new(question_pool());
        let alone = mean_return(&play(&mut alone, &mut world, starts.clone()));
        let mut curious = CuriousAsker::new(InformationGainAsker::new(question_pool()), 0.5);
        let games = play(&mut curious, &mut world, starts);
        // Where the answer narrows nothing the turn is lost, but "Which country?" narrows a lot.
        assert!(games.iter().all(|game| game.won()));
        assert!((mean_return(&games) - alone).abs() < 2.5, "{} {alone}", mean_return(&games));
        assert!(games.iter().all(|game| game.turns.iter().all(|t| t.reply != "Invalid Question.")));
    }

    #[test]
    fn games_depend_on_their_seeds_alone_and_no_free_question_is_asked_twice() {
        let mut world = GuessMyCity::new(Rules::Fixed, 20).unwrap();
        let mut asker = CuriousAsker::new(RandomAsker::new(question_pool()), 1.0);
        let games = play(&mut asker, &mut world, drawn(5, 9));
        assert_eq!(games, play(&mut asker, &mut world, drawn(5, 9)));
        let free = free_questions();
        for game in games {
            let mut asked: Vec<_> = game.turns.iter().map(|turn| &turn.said).collect();
            asked.truncate(free.len());
            asked.sort();
            asked.dedup();
            assert!(asked.len() == free.len() || game.won(), "{asked:?}");
        }
    }
}
