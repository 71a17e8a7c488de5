//! The world's rules, its reader, and that its facts can be asked for.

use super::*;
use crate::asker::{Asker, TreeAsker, each_task, mean_return, play};
use crate::contract;

/// A game on a city.
fn at(task: usize, seed: u64) -> Start {
    Start { task: Some(task), seed }
}

fn world(rules: Rules) -> GuessMyCity {
    GuessMyCity::new(rules, 20).unwrap()
}

fn answer(city: &str, question: &str) -> String {
    CityOracle.answer(city, question).into_owned()
}

#[test]
fn the_contract_is_kept() {
    for rules in [Rules::Fixed, Rules::Official] {
        contract::check(&mut world(rules), |_| "What language do you speak?".to_string());
        contract::check(&mut world(rules), |_| "Is it Paris?".to_string());
    }
}

#[test]
fn every_question_of_the_atlas_is_read_as_its_own() {
    for property in table().properties() {
        let expected = read(&property.question);
        assert_ne!(expected, Asked::Nothing, "{}", property.question);
        for other in &property.paraphrases {
            match (expected, read(other)) {
                (Asked::Whether(expected), Asked::Whether(reading)) => {
                    for city in 0..cities().len() {
                        assert_eq!(atlas::holds(city, &expected), atlas::holds(city, &reading));
                    }
                }
                (expected, reading) => assert_eq!(reading, expected, "{other}"),
            }
        }
        assert!(
            property.name.starts_with("what ") == matches!(expected, Asked::What(_)),
            "{}",
            property.name
        );
        assert!(property.paraphrases.len() >= 3, "{} has few wordings", property.name);
    }
}

#[test]
fn answers_are_those_of_an_atlas() {
    for (city, question, expected) in [
        ("Lima", "Is it in South America?", "Yes."),
        ("Lima", "Are you from Peru?", "Yes."),
        ("Lima", "Do you live in Asia?", "No."),
        ("Lima", "Is your home town in Peru?", "Yes."),
        ("Lima", "Is your city located in the southern hemisphere?", "Yes."),
        ("Lima", "Do people speak Spanish in your city?", "Yes."),
        ("Lima", "Is it a Spanish-speaking city?", "Yes."),
        ("Lima", "Is it on the coast?", "Yes."),
        ("Lima", "Is it inland?", "No."),
        ("Lima", "Is it the capital of its country?", "Yes."),
        ("Lima", "Does your country border Chile?", "Yes."),
        ("Lima", "Isn't it in Peru?", "Yes."),
        ("Lima", "Is it not in Peru?", "No."),
        ("Lima", "Does it start with L?", "Yes."),
        ("Lima", "Is it bigger than Paris?", "Yes."),
        ("Lima", "Does it have more than five million people?", "Yes."),
        ("Lima", "What continent is it in?", "South America."),
        ("Lima", "Which country are you from?", "Peru."),
        ("Lima", "What language is spoken in your city?", "Spanish."),
        ("Lima", "What language do you speak?", "Spanish."),
        ("Lima", "What is the climate like in your home town?", "Dry."),
        ("Lima", "What's your city famous for?", "The cliffs of Miraflores."),
        ("Lima", "How many people live in your city?", "About 10 million people."),
        ("Lima", "Which countries border yours?", "Invalid Question."),
        ("Lima", "Which hemisphere is your city in?", "The southern hemisphere."),
        ("Lima", "Is it Lima?", "Yes."),
        ("Lima", "Is it Rome?", "No."),
        ("Istanbul", "What continent is your city on?", "Europe and Asia."),
        ("Istanbul", "Is it in Asia?", "Yes."),
        ("Sydney", "Which countries border your country?", "None."),
        ("Bombay", "Is it Mumbai?", "Yes."),
        ("Paris", "Is the Eiffel Tower in your city?", "Yes."),
        ("Rome", "Is the Eiffel Tower there?", "No."),
        ("Lima", "Is it bigger than a cat?", "Invalid Question."),
        ("Lima", "Is it bigger than 5 miles?", "Invalid Question."),
        ("Lima", "Is it a fruit?", "Invalid Question."),
        ("Lima", "What is the zorb like?", "Invalid Question."),
        ("Lima", "", "Invalid Question."),
    ] {
        assert_eq!(answer(city, question), expected, "{city}: {question}");
    }
    assert_eq!(answer("Atlantis", "Is it in Asia?"), INVALID);
}

#[test]
fn a_city_is_won_by_its_names_in_many_forms() {
    for (task, city) in cities().iter().enumerate() {
        for name in city.record.names() {
            let country = city.country.name;
            for guess in [
                format!("Is it {name}?"),
                format!("Are you from {name}?"),
                format!("Do you live in {name}?"),
                format!("Is your home town {name}?"),
                format!("Is {name} your hometown?"),
                format!("Is your city {name}, {country}?"),
                format!("I think it is {name}."),
                format!("My guess is {name}"),
                format!("Could it be {}?", name.to_uppercase()),
                format!("{name}?"),
            ] {
                let mut world = world(Rules::Fixed);
                world.start(&at(task, 0));
                let step = world.act(&guess);
                assert!(step.won() && step.reward == 0.0, "{guess}");
                assert_eq!(step.reply, "Yes.", "{guess}");
                let named =
                    |question: &str| (0..91).filter(|&c| wins(Rules::Fixed, c, question)).count();
                assert_eq!(named(&guess), 1, "{guess}");
            }
            for other in [
                format!("Is it near {name}?"),
                format!("Is it not {name}?"),
                format!("Is it bigger than {name}?"),
                format!("Is it {name} or Atlantis?"),
                format!("Do you like {name}?"),
            ] {
                assert!(!wins(Rules::Fixed, task, &other), "{other}");
            }
        }
    }
}

/// The reference wins by any question of which the city's name is a part.
#[test]
fn climate_wins_lima_under_official_rules_only() {
    let lima = cities().iter().position(|city| city.record.name == "Lima").unwrap();
    for (city, question) in [
        ("Lima", "What is the climate like?"),
        ("Rome", "Is there a promenade?"),
        ("Cali", "Is it in California?"),
        ("Lima", "Is it Rome, Lima or Paris?"),
    ] {
        let task = cities().iter().position(|known| known.record.name == city).unwrap();
        assert!(wins(Rules::Official, task, question), "{question}");
        assert!(!wins(Rules::Fixed, task, question), "{question}");
    }
    let mut official = world(Rules::Official);
    official.start(&at(lima, 0));
    let step = official.act("What is the climate like?");
    assert!(step.won() && step.reply == "Dry.", "{step:?}");

    // Aliases do not count there: the reference knows one spelling.
    assert!(wins(Rules::Official, 2, "Is it Bombay?!") && !wins(Rules::Official, 2, "Mumbai?"));
    assert!(!wins(Rules::Official, lima, "?!"));
}

#[test]
fn the_city_is_never_said_before_it_is_guessed() {
    for rules in [Rules::Fixed, Rules::Official] {
        for task in 0..cities().len() {
            for property in table().properties() {
                let mut world = world(rules);
                world.start(&at(task, 0));
                let question = &property.question;
                if wins(rules, task, question) {
                    continue;
                }
                let said = world.act(question).reply;
                assert!(!leaks(rules, task, &said), "{question} {said}");
            }
        }
    }
    let mut fixed = world(Rules::Fixed);
    fixed.start_word("Singapore", 0).unwrap();
    assert_eq!(fixed.act("Which country is it in?").reply, REFUSAL);
    assert_eq!(fixed.act("Which city are you from?").reply, REFUSAL);
    fixed.start_word("mumbai", 0).unwrap();
    let told = |world: &mut GuessMyCity, said| world.act_with_oracle("Hm?", Some(said)).reply;
    assert_eq!(told(&mut fixed, "It is MUMBAI, of course"), REFUSAL);
    assert_eq!(told(&mut fixed, "India"), "India");
    assert_eq!(told(&mut fixed, "\n"), INVALID);
    // "Climate" does not leak Lima, but the reference thinks so.
    fixed.start_word("Lima", 0).unwrap();
    assert_eq!(told(&mut fixed, "A dry climate."), "A dry climate.");
    let mut official = world(Rules::Official);
    official.start_word("Lima", 0).unwrap();
    assert_eq!(told(&mut official, "A dry climate."), REFUSAL);
}

#[test]
fn an_answer_from_outside_counts_for_guesses_too() {
    let mut fixed = world(Rules::Fixed);
    fixed.start_word("Rome", 0).unwrap();
    let turn = fixed.act_with_oracle("Is it Rome?", Some("No."));
    assert!(!turn.won() && turn.reply == "No." && turn.reward == -1.0);
    let turn = fixed.act_with_oracle("Is it Paris?", Some("Yes."));
    assert!(!turn.won() && turn.reply == "Yes.");
    let turn = fixed.act_with_oracle("Is it Rome?", Some("Yes!"));
    assert!(turn.won() && turn.reply == "Yes!" && turn.reward == 0.0);
}

#[test]
fn a_lost_game_is_cut_or_ended_as_the_rules_say() {
    for (rules, end) in [(Rules::Fixed, End::Cut), (Rules::Official, End::Over)] {
        let mut world = GuessMyCity::new(rules, 2).unwrap();
        world.start(&at(0, 0));
        assert_eq!(world.act("Is it Rome?").end, None);
        let last = world.act("Is it big?\nIs it Seoul?");
        // Fixed rules read the first line only.
        assert_eq!(last.won(), rules == Rules::Official);
        world.start(&at(0, 0));
        world.act("Is it Rome?");
        let last = world.act("Is it Paris?");
        assert_eq!(last.end, Some(end));
        assert_eq!(last.reward, -1.0);
    }
    assert!(GuessMyCity::new(Rules::Fixed, 0).is_err());
}

/// Asks what the city is famous for, then guesses.
struct Tourist;

impl Asker for Tourist {
    fn start(&mut self, _seed: u64) {}

    fn ask(&mut self, history: &[(String, String)]) -> String {
        match history.first() {
            None => "What is it famous for?".to_string(),
            Some((_, famous)) => {
                let known = (0..91).find(|&city| tell(city, Topic::Landmark) == *famous);
                format!("Is it {}?", cities()[known.expect("landmarks are told")].record.name)
            }
        }
    }
}

#[test]
fn the_optimum_is_reached_by_one_free_answer() {
    let mut world = world(Rules::Fixed);
    let games = play(&mut Tourist, &mut world, each_task(91, 1, 0));
    assert_eq!(Some(mean_return(&games)), world.optimum_return());
}

#[test]
fn scripted_players_find_the_city_by_yes_and_no() {
    let mut world = world(Rules::Fixed);
    let pool = world.question_pool();
    assert_eq!(pool.words(), 91);
    let games = play(&mut TreeAsker::greedy(pool), &mut world, each_task(91, 1, 0));
    let mean = mean_return(&games);
    assert!(games.iter().all(|game| game.won()), "{mean}");
    // No player of yes-or-no questions does better than −5.77.
    let bound = crate::optimum::perfect_split_optimum(91, 20, 2);
    assert!((bound - 0.6..=bound).contains(&mean), "{mean} {bound}");
}

mod any_text {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn is_played_without_harm(text in ".{0,300}", city in 0_usize..91, official: bool) {
            let mut world = world(if official { Rules::Official } else { Rules::Fixed });
            world.start(&at(city, 1));
            let step = world.act(&text);
            prop_assert!(step.won() || !leaks(world.rules, city, &step.reply));
        }

        #[test]
        fn around_a_name_is_no_guess(before in "[a-z]{1,8}", after in "[a-z]{1,8}", city in 0_usize..91) {
            // Letters next to the name make it another word, or none.
            let name = cities()[city].record.name;
            let text = format!("Is it {before}{name}{after}?");
            prop_assert!(!wins(Rules::Fixed, city, &text), "{}", text);
        }
    }
}
