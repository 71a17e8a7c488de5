//! The players in the world they are made for.

use super::*;
use crate::guessing::GuessingGame;
use crate::optimum::Solver;
use crate::question_pool::QuestionPool;
use crate::twenty_questions::{Options, TwentyQuestions};
use crate::words::words;

fn subset() -> TwentyQuestions {
    TwentyQuestions::subset(Options::default()).unwrap()
}

fn all() -> TwentyQuestions {
    TwentyQuestions::all(Options::default()).unwrap()
}

/// Every fifth word: a game between the small and the full one.
fn fifth(options: Options) -> TwentyQuestions {
    let names: Vec<&str> = words().iter().step_by(5).map(|w| w.name()).collect();
    TwentyQuestions::new(&names, options).unwrap()
}

/// The mean return of a player over every word, each as often.
fn measure(asker: &mut dyn Asker, env: &mut TwentyQuestions, rounds: usize) -> f64 {
    let starts = each_task(env.names().len(), rounds, 1);
    mean_return(&play(asker, env, starts))
}

fn mediocre(pool: QuestionPool) -> MediocreAsker {
    let mediocrity = Mediocrity::for_words(pool.words());
    MediocreAsker::new(pool, mediocrity)
}

#[test]
fn the_optimal_tree_reaches_the_optimum_of_the_small_game() {
    let mut env = subset();
    let pool = env.question_pool();
    assert_eq!(Solver::new(&pool, 20).mean_return(), -2.8);
    let measured = measure(&mut TreeAsker::optimal(pool, 20), &mut env, 1);
    assert!((measured - -2.8).abs() < 1e-9, "{measured}");
}

#[test]
fn the_optimal_tree_keeps_to_its_turns() {
    for max_turns in [1, 3, 5] {
        let options = Options { max_turns, ..Options::default() };
        let mut env = TwentyQuestions::subset(options).unwrap();
        let pool = env.question_pool();
        let measured = measure(&mut TreeAsker::optimal(pool, max_turns), &mut env, 1);
        let optimum = env.optimum_return().unwrap();
        assert!((measured - optimum).abs() < 1e-9, "{max_turns}: {measured} {optimum}");
    }
}

#[test]
fn the_players_stand_in_order_on_the_small_game() {
    let mut env = subset();
    let pool = env.question_pool();
    let random = measure(&mut RandomAsker::new(pool.clone()), &mut env, 40);
    let mediocre = measure(&mut mediocre(pool.clone()), &mut env, 100);
    let greedy = measure(&mut TreeAsker::greedy(pool.clone()), &mut env, 1);
    let gain = measure(&mut InformationGainAsker::new(pool), &mut env, 1);
    assert!(random < -15.0, "{random}");
    assert!((-7.6..-6.4).contains(&mediocre), "{mediocre}");
    assert!((-3.1..=-2.8 + 1e-9).contains(&greedy), "{greedy}");
    assert_eq!(greedy, gain);
}

#[test]
fn the_players_stand_in_order_on_the_full_game() {
    let mut env = all();
    let pool = env.question_pool();
    let random = measure(&mut RandomAsker::new(pool.clone()), &mut env, 1);
    let mediocre = measure(&mut mediocre(pool.clone()), &mut env, 2);
    let greedy = measure(&mut TreeAsker::greedy(pool), &mut env, 1);
    assert!(random < -19.0, "{random}");
    assert!((-16.7..-15.3).contains(&mediocre), "{mediocre}");
    // The bound for any player is −6.78.
    assert!((-7.2..=-6.77).contains(&greedy), "{greedy}");
}

#[test]
fn a_tree_and_a_posterior_ask_alike_where_answers_are_true() {
    let mut env = fifth(Options::default());
    let pool = env.question_pool();
    let greedy = measure(&mut TreeAsker::greedy(pool.clone()), &mut env, 1);
    let gain = measure(&mut InformationGainAsker::new(pool), &mut env, 1);
    assert!((greedy - gain).abs() < 1e-9, "{greedy} {gain}");
}

#[test]
fn a_posterior_stands_noise_that_a_tree_does_not() {
    let mut env = fifth(Options { answer_noise: 0.15, ..Options::default() });
    let pool = env.question_pool();
    let tree = measure(&mut TreeAsker::greedy(pool.clone()), &mut env, 8);
    let noisy = measure(
        &mut InformationGainAsker::noisy(pool, Noise { flip: 0.15, sometimes: 0.0 }),
        &mut env,
        4,
    );
    assert!(noisy > tree + 1.0, "{noisy} {tree}");
}

#[test]
fn a_mediocre_player_asks_nothing_twice() {
    let mut env = subset();
    let mut asker = mediocre(env.question_pool());
    for game in play(&mut asker, &mut env, drawn(50, 3)) {
        let mut questions: Vec<&str> = game.turns.iter().map(|t| t.said.as_str()).collect();
        questions.sort_unstable();
        let asked = questions.len();
        questions.dedup();
        assert_eq!(questions.len(), asked, "{:?}", game.turns);
    }
}

#[test]
fn every_player_goes_on_where_its_questions_run_out() {
    // One word and no property: only one question there is, and someone who answers No to it.
    struct Deny;
    impl crate::oracle::Oracle for Deny {
        fn answer(&mut self, _: &str, _: &str) -> std::borrow::Cow<'static, str> {
            "No.".into()
        }
    }
    let options = Options { rules: crate::Rules::Official, ..Options::default() };
    let mut env =
        TwentyQuestions::new(&["cat", "dog"], options).unwrap().with_oracle(Box::new(Deny));
    let pool = env.question_pool();
    let half = Mediocrity { guess_rate: 0.5, consistency: 1.0, repeat_rate: 0.0 };
    let askers: [Box<dyn Asker>; 4] = [
        Box::new(RandomAsker::new(pool.clone())),
        Box::new(MediocreAsker::new(pool.clone(), half)),
        Box::new(TreeAsker::greedy(pool.clone())),
        Box::new(InformationGainAsker::new(pool)),
    ];
    for mut asker in askers {
        assert_eq!(measure(asker.as_mut(), &mut env, 1), -20.0);
    }
}

#[test]
fn games_depend_on_their_seeds_alone() {
    let mut env = subset();
    let mut asker = mediocre(env.question_pool());
    let starts = drawn(20, 5);
    let games = play(&mut asker, &mut env, starts.clone());
    let mut backwards = play(&mut asker, &mut env, starts.into_iter().rev());
    backwards.reverse();
    assert_eq!(games, backwards);
    assert_ne!(games, play(&mut asker, &mut env, drawn(20, 6)));
}

#[test]
fn a_game_adds_up() {
    let mut env = subset();
    let mut asker = mediocre(env.question_pool());
    for game in play(&mut asker, &mut env, drawn(30, 8)) {
        assert_eq!(game.opening.as_deref(), Some("Questions:\n"));
        let asked = game.turns.len() as f64;
        assert_eq!(game.total_reward(), if game.won() { 1.0 - asked } else { -20.0 });
        assert_eq!(game.turns.last().unwrap().reply == "Yes.", game.won());
    }
}

#[test]
fn starts_cover_every_task_alike() {
    let starts = each_task(3, 2, 9);
    let tasks: Vec<_> = starts.iter().map(|s| s.task.unwrap()).collect();
    assert_eq!(tasks, [0, 1, 2, 0, 1, 2]);
    assert!(starts[0].seed != starts[3].seed);
    assert!(drawn(2, 9).iter().all(|s| s.task.is_none()));
}
