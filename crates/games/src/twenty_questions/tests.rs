//! The world by transcripts: the recorded rules of the reference, then our own.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;
use crate::contract;
use archer_world::Transcript;

const STEPS: &str = include_str!("../../../../tests/parity/env/twenty_questions_steps.jsonl");
const EPISODES: &str = include_str!("../../../../tests/parity/env/twenty_questions_episodes.jsonl");

fn rows(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn official(max_turns: usize) -> TwentyQuestions {
    TwentyQuestions::all(Options { rules: Rules::Official, max_turns, ..Options::default() })
        .unwrap()
}

fn fixed() -> TwentyQuestions {
    TwentyQuestions::all(Options::default()).unwrap()
}

fn index(row: &Value, key: &str) -> usize {
    row[key].as_u64().unwrap() as usize
}

/// A game on a task.
fn at(task: usize, seed: u64) -> Start {
    Start { task: Some(task), seed }
}

/// A drawn game.
fn of(seed: u64) -> Start {
    Start { task: None, seed }
}

fn transcript() -> Transcript {
    Transcript::new(Style::one_line(), None, HEADER)
}

/// Holds a turn against the reference's (history, reward, done).
fn agrees(seen: &Transcript, turn: &Turn, recorded: &Value, context: &Value) {
    assert_eq!(seen.text(), recorded["history"].as_str().unwrap(), "{context}");
    assert_eq!(f64::from(turn.reward), recorded["reward"].as_f64().unwrap(), "{context}");
    assert_eq!(turn.end.is_some(), recorded["done"].as_bool().unwrap(), "{context}");
    assert!(turn.end != Some(End::Cut), "{context}");
}

#[test]
fn official_steps_agree_with_the_reference() {
    let mut env = official(20);
    let rows = rows(STEPS);
    assert_eq!(rows.len(), 199);
    for row in &rows {
        let word = index(row, "word_index");
        let question = row["question"].as_str().unwrap();
        env.start(&at(word, 0));
        let turn = env.act_with_oracle(question, row["oracle_answer"].as_str());
        let mut seen = transcript();
        seen.push(question, &turn.reply);
        agrees(&seen, &turn, row, row);
        let aliases: Vec<&str> =
            row["aliases"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        assert_eq!(env.aliases(word), aliases, "{row}");
        let right = env.targets[word].is_guessed_by(env.table, Rules::Official, question);
        assert_eq!(right, row["is_correct"].as_bool().unwrap(), "{row}");
    }
}

#[test]
fn official_episodes_agree_with_the_reference() {
    let rows = rows(EPISODES);
    assert_eq!(rows.len(), 6);
    let mut played = 0;
    for row in rows.iter().filter(|row| row.get("steps").is_some()) {
        let mut env = official(index(row, "max_conversation_length"));
        let begun = env.start(&at(index(row, "word_index"), 0));
        assert_eq!(begun.text, row["reset"].as_str().unwrap());
        let mut seen = transcript();
        for turn in row["steps"].as_array().unwrap() {
            if turn["result"].is_null() {
                // The reference returns nothing for a step in a finished game; here it is a bug
                // of the caller.
                assert!(env.game.as_ref().unwrap().over, "{turn}");
                continue;
            }
            let question = turn["question"].as_str().unwrap();
            let step = env.act_with_oracle(question, turn["oracle_answer"].as_str());
            seen.push(question, &step.reply);
            agrees(&seen, &step, &turn["result"], turn);
            played += 1;
        }
        let again = env.start(&at(index(row, "word_index"), 0));
        assert_eq!(again.text, row["reset_again"].as_str().unwrap());
    }
    assert!(played > 40, "{played} steps");
}

#[test]
#[should_panic(expected = "act needs a start first")]
fn an_utterance_before_the_first_start_panics() {
    fixed().act("Is it a cat?");
}

#[test]
fn seven_words_cannot_be_won_under_official_rules() {
    let env = official(20);
    let lost: Vec<&str> = env
        .targets
        .iter()
        .filter(|t| !t.is_winnable(Rules::Official))
        .map(|t| t.name.as_str())
        .collect();
    assert_eq!(
        lost,
        [
            "soccer ball",
            "golf ball",
            "tennis ball",
            "tennis racket",
            "baseball bat",
            "watering can",
            "lawn mower"
        ]
    );
}

#[test]
fn fixed_every_word_is_won_by_its_guess() {
    let mut env = fixed();
    for task in 0..env.targets.len() {
        for name in env.aliases(task) {
            for question in [
                format!("Is it a {name}?"),
                format!("is it {name}"),
                format!("Could it be a {}?!", name.to_uppercase()),
                format!("{name}?"),
                format!("  Is it the {name} ?\nIs it blue?"),
            ] {
                if name == "orange" && !question.contains(" a ") {
                    // It may ask for the colour.
                    continue;
                }
                env.start(&at(task, 0));
                let step = env.act(&question);
                assert!(step.won(), "{question:?}");
                assert_eq!((step.reward, step.reply.as_str()), (0.0, "Yes."), "{question:?}");
            }
        }
    }
}

#[test]
fn fixed_a_win_needs_the_object_as_the_thing_guessed() {
    for (word, question, won) in [
        ("paper", "Is it made of paper?", false),
        ("paper", "Is it paper?", true),
        ("paper", "Is it a piece of paper?", true),
        ("cat", "Is it bigger than a cat?", false),
        ("cat", "Is it a \"cat\"?", true),
        ("cat", "Is it not a cat?", false),
        ("cat", "Isn't it a dog?", false),
        ("cat", "Is it a bobcat?", false),
        ("cat", "Do people keep it with a cat?", false),
        ("tennis racket", "Could it be a tennis racket?", true),
        ("tennis racket", "Is it used with a tennis racket?", false),
        ("tennis ball", "Is it a ball?", false),
        ("scissors", "Is it a pair of scissors?", true),
        ("scissors", "Are they scissors?", true),
        ("watch", "Do people watch it?", false),
        ("orange", "Is it an orange?", true),
        ("orange", "Is it orange?", false),
        ("helmet", "Is it a hat?", false),
    ] {
        let mut env = fixed();
        env.start_word(word, 0).unwrap();
        assert_eq!(env.act(question).won(), won, "{word}: {question}");
    }
}

#[test]
fn fixed_text_is_cut_at_the_first_line_and_trimmed() {
    let mut env = fixed();
    env.start_word("cat", 0).unwrap();
    let step = env.act_with_oracle("  Is it alive? \nIs it a cat?", Some("yes"));
    assert!(!step.won() && step.reply == "Yes.");
    for empty in ["", "  ", "\nIs it a cat?"] {
        env.start_word("cat", 0).unwrap();
        let step = env.act(empty);
        assert!(step.invalid && step.end.is_none());
        assert_eq!(step.reward, -1.0);
    }
}

#[test]
fn an_answer_from_outside_counts_for_guesses_too() {
    let mut env = fixed();
    env.start_word("cat", 0).unwrap();
    for (answer, reply) in [
        ("No.", "No."),
        ("no way", "No."),
        ("Sometimes.", "Invalid Question."),
        ("", "Invalid Question."),
    ] {
        let step = env.act_with_oracle("Is it a cat?", Some(answer));
        assert!(!step.won() && step.reply == reply && step.reward == -1.0, "{answer}");
    }
    let step = env.act_with_oracle("Is it a cat?", Some("Yes, it is"));
    assert!(step.won() && step.reply == "Yes." && step.reward == 0.0);
    env.start_word("cat", 0).unwrap();
    assert!(env.act("Is it a cat?").won());
    env.start_word("cat", 0).unwrap();
    let step = env.act_with_oracle("Is it a dog?", Some("Yes."));
    assert!(!step.won() && step.reply == "Yes.");
}

#[test]
fn the_limit_truncates_under_fixed_rules_and_ends_under_official() {
    for (rules, end) in [(Rules::Fixed, End::Cut), (Rules::Official, End::Over)] {
        let options = Options { rules, max_turns: 2, ..Options::default() };
        let mut env = TwentyQuestions::subset(options).unwrap();
        env.start(&at(0, 0));
        assert_eq!(env.act("Is it a dog?").end, None);
        let step = env.act("Is it a dog?");
        assert_eq!(step.end, Some(end));
        assert_eq!(step.reward, -1.0);

        // A win at the limit is a win.
        env.start(&at(1, 0));
        env.act("Is it a pen?");
        let step = env.act("Is it a dog?");
        assert!(step.won());
    }
}

#[test]
fn sometimes_is_an_answer_only_where_the_option_is_on() {
    for (sometimes, reply) in [(true, "Sometimes."), (false, "Invalid Question.")] {
        let options = Options { sometimes, ..Options::default() };
        let mut env = TwentyQuestions::subset(options).unwrap();
        env.start(&of(1));
        let step = env.act_with_oracle("Is it old?", Some("Sometimes, yes."));
        assert_eq!(step.reply, reply);
    }
}

#[test]
fn noise_flips_properties_and_spares_guesses() {
    let options = Options { answer_noise: 1.0, ..Options::default() };
    let mut env = TwentyQuestions::subset(options).unwrap();
    assert_eq!(env.optimum_return(), None);
    env.start_word("dog", 0).unwrap();
    assert_eq!(env.act("Is it an animal?").reply, "No.");
    assert_eq!(env.act("Is it a cat?").reply, "No.");
    assert_eq!(env.act("Blorp?").reply, "Invalid Question.");
    // Someone else's answer is his own.
    let step = env.act_with_oracle("Is it an animal?", Some("Yes."));
    assert_eq!(step.reply, "Yes.");
    assert!(env.act("Is it a dog?").won());
}

#[test]
fn noise_flips_about_as_often_as_asked() {
    let options = Options { answer_noise: 0.25, max_turns: 1, ..Options::default() };
    let mut env = TwentyQuestions::subset(options).unwrap();
    let flipped = (0..2000)
        .filter(|&seed| {
            env.start_word("dog", seed).unwrap();
            env.act("Is it an animal?").reply == "No."
        })
        .count();
    // 500 expected, standard deviation 19.
    assert!((420..580).contains(&flipped), "{flipped}");
}

#[test]
fn every_rule_set_keeps_the_contract() {
    let silly = |_: &str| "Is it bigger than a house?".to_string();
    let guesser = |seen: &str| format!("Is it a {}?", ["dog", "pen"][seen.lines().count() % 2]);
    let noisy = Options { answer_noise: 0.3, sometimes: true, ..Options::default() };
    for mut env in [
        TwentyQuestions::subset(Options::default()).unwrap(),
        TwentyQuestions::subset(noisy).unwrap(),
        official(3),
        fixed(),
    ] {
        contract::check(&mut env, silly);
        contract::check(&mut env, guesser);
    }
}

#[test]
fn reset_word_takes_any_alias_and_explains_a_stranger() {
    let mut env = fixed();
    assert_eq!(env.start_word("  Frying Pan ", 3).unwrap().text, HEADER);
    assert_eq!(TwentyQuestions::names(&env)[env.task().unwrap()], "pan");
    let error = env.start_word("trukc", 3).unwrap_err();
    assert_eq!(error.nearest[0], "truck");
    assert!(error.to_string().contains("\"trukc\" is not in this world's list"));
}

#[test]
fn word_lists_are_checked() {
    let make = |names: &[&str]| TwentyQuestions::new(names, Options::default()).map(|_| ());
    assert_eq!(make(&[]), Err(GameError::NoWords));
    assert_eq!(make(&["cat", "Cat"]), Err(GameError::DoubleWord("Cat".to_string())));
    assert!(matches!(make(&["cat", "xyzzy"]), Err(GameError::UnknownWord(_))));
    let env = TwentyQuestions::new(&["TV", "pen"], Options::default()).unwrap();
    assert_eq!(TwentyQuestions::names(&env), ["television", "pen"]);
}

#[test]
fn resets_draw_every_word_and_only_from_the_seed() {
    let mut env = TwentyQuestions::subset(Options::default()).unwrap();
    let mut draw = |seed| {
        env.start(&of(seed));
        env.task().unwrap()
    };
    let drawn: Vec<usize> = (0..200).map(&mut draw).collect();
    assert!((0..10).all(|task| drawn.contains(&task)));
    assert_eq!(drawn, (0..200).map(&mut draw).collect::<Vec<_>>());
}

#[test]
fn optima_of_the_released_games() {
    let subset = TwentyQuestions::subset(Options::default()).unwrap();
    assert_eq!(subset.optimum_return(), Some(-2.8));
    let all = fixed().optimum_return().unwrap();
    assert!((all - -6.78).abs() < 0.01, "{all}");
    // Seven words are lost in any case, and cost the others nothing.
    let bugged = official(20).optimum_return().unwrap();
    assert!((bugged - -7.31).abs() < 0.01, "{bugged}");
    assert_eq!(fixed().about().worst, Some(-20.0));
}

/// The same cases in every run, and no file written where one fails.
fn fixed_cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed_cases(64))]

    /// Whatever a model says, a game stays readable: a known answer on one line, no win
    /// without the word.
    #[test]
    fn any_text_is_a_turn(
        actions in prop::collection::vec(".{0,40}|(?s).{0,10}\\n.{0,10}|[Ii]s it (a|an) [a-z]{1,9}\\?", 20),
        official in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let rules = if official { Rules::Official } else { Rules::Fixed };
        let options = Options { rules, ..Options::default() };
        let mut env = TwentyQuestions::subset(options).unwrap();
        env.start(&of(seed));
        let name = TwentyQuestions::names(&env)[env.task().unwrap()].to_string();
        let mut total = 0.0;
        for (turn, action) in actions.iter().enumerate() {
            let step = env.act(action);
            prop_assert!(Answer::from_text(&step.reply).is_some());
            prop_assert_eq!(step.invalid, step.reply == Answer::Invalid.text());
            prop_assert!(!step.reply.contains('\n'));
            prop_assert!(!step.won() || action.to_lowercase().contains(name.trim_end_matches('s')));
            total += step.reward;
            prop_assert_eq!(step.end.is_some(), step.won() || turn == 19);
            if step.end.is_some() {
                prop_assert_eq!(total, if step.won() { -(turn as f32) } else { -20.0 });
                break;
            }
        }
    }
}
