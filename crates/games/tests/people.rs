//! The world in which people answer: its replies, what is learned from them, and who plays well there.

use archer_games::asker::{Asker, InformationGainAsker, MediocreAsker, Mediocrity, drawn, play};
use archer_games::{GuessingGame, OracleName, PeopleConfig, WorldConfig, make_one, worlds};
use archer_world::{Discount, Game, Settings, Start, World};
use serde_json::json;

fn settings(value: serde_json::Value) -> Settings {
    serde_json::from_value(value).unwrap()
}

fn config(people: PeopleConfig) -> WorldConfig {
    WorldConfig { oracle: OracleName::People, people: Some(people), ..WorldConfig::default() }
}

fn world(people: PeopleConfig) -> Box<dyn GuessingGame> {
    config(people).guessing().unwrap().unwrap()
}

/// The share of games that are won, and the mean number of questions of these.
fn found(games: &[Game]) -> (f64, f64) {
    let won: Vec<&Game> = games.iter().filter(|game| game.won()).collect();
    let questions: usize = won.iter().map(|game| game.turns.len()).sum();
    (won.len() as f64 / games.len() as f64, questions as f64 / won.len() as f64)
}

fn played(asker: impl FnOnce(&dyn GuessingGame) -> Box<dyn Asker>, games: usize) -> Vec<Game> {
    let mut world = world(PeopleConfig::default());
    let mut asker = asker(world.as_ref());
    play(asker.as_mut(), world.as_mut(), drawn(games, 11))
}

fn by_information(world: &dyn GuessingGame) -> Box<dyn Asker> {
    Box::new(InformationGainAsker::new(world.question_pool()).within(world.max_turns()))
}

#[test]
fn a_settings_file_without_an_oracle_means_the_table() {
    let old = settings(json!({
        "name": "twenty_questions", "rules": "fixed", "words": "all",
        "sometimes": false, "answer_noise": 0.0, "sometimes_noise": 0.0
    }));
    let config = WorldConfig::of(&old).unwrap();
    assert_eq!(config, WorldConfig::default());
    assert_eq!(config.oracle, OracleName::Table);
    assert_eq!(make_one(&config).unwrap().about().rules.as_deref(), Some("fixed"));
    // Nor do the settings of such a world say more than they did.
    assert!(!config.settings().contains_key("oracle") && !config.settings().contains_key("people"));
    let people = WorldConfig::of(&settings(json!({"oracle": "people"}))).unwrap();
    assert_eq!(
        people.settings()["people"],
        json!({"unknown": 0.15, "sometimes": 0.1, "wrong": 0.03})
    );
}

#[test]
fn people_give_every_answer_and_the_same_seed_the_same_game() {
    let about = make_one(&config(PeopleConfig::default())).unwrap().about();
    assert_eq!(about.rules.as_deref(), Some("fixed (oracle: people)"));
    assert_eq!((about.best, about.tasks), (None, Some(157)));
    let games = played(by_information, 200);
    assert_eq!(games, played(by_information, 200));
    let turns = || games.iter().flat_map(|game| &game.turns);
    let share = |reply: &str| {
        let said = turns().filter(|turn| turn.reply == reply).count();
        said as f64 / turns().count() as f64
    };
    for (reply, least, most) in [
        ("Yes.", 0.2, 0.6),
        ("No.", 0.2, 0.6),
        ("Sometimes.", 0.04, 0.2),
        ("I don't know.", 0.06, 0.3),
    ] {
        assert!((least..most).contains(&share(reply)), "{reply} {}", share(reply));
    }
    assert!(turns().all(|turn| !turn.invalid));
}

/// Who takes the rates into account finds most things; who trusts every answer loses many.
#[test]
fn who_reckons_with_people_finds_what_they_think_of() {
    let (share, questions) = found(&played(by_information, 300));
    assert!(share > 0.93 && questions < 13.0, "{share} in {questions}");
    let trusting = |world: &dyn GuessingGame| -> Box<dyn Asker> {
        Box::new(InformationGainAsker::noisy(world.question_pool(), Default::default()))
    };
    let (trusted, _) = found(&played(trusting, 300));
    assert!(trusted + 0.1 < share, "{trusted} {share}");
    // The demonstrator that heeds the answers of people does so too.
    let attentive = |consistency| {
        move |world: &dyn GuessingGame| -> Box<dyn Asker> {
            let mediocrity = Mediocrity { guess_rate: 0.1, consistency, repeat_rate: 0.0 };
            Box::new(MediocreAsker::new(world.question_pool(), mediocrity))
        }
    };
    let (heeding, deaf) =
        (found(&played(attentive(1.0), 300)).0, found(&played(attentive(0.0), 300)).0);
    assert!(heeding > 0.2 && deaf < 0.05, "{heeding} {deaf}");
}

#[test]
fn what_people_say_is_taught_and_paid() {
    let shaped = json!({
        "oracle": "people", "words": "subset", "shaping_coef": 1.0, "shaping_form": "expectation"
    });
    let worlds = worlds(&settings(shaped)).unwrap();
    let teaching = worlds.teaching().unwrap();
    let shown = teaching.demonstrations(&drawn(50, 3));
    let replies: Vec<&str> =
        shown.iter().flat_map(|game| &game.turns).map(|turn| &*turn.reply).collect();
    assert!(replies.contains(&"I don't know.") && replies.contains(&"Sometimes."), "{replies:?}");
    for game in &shown {
        assert_eq!(teaching.check_game(game), Ok(()));
        let bonus = teaching.bonus(game, Discount { gamma: 1.0, bootstrap_truncated: false });
        let bits: f64 = bonus.iter().sum();
        assert!(bonus.len() == game.turns.len() && bonus.iter().all(|bits| *bits >= -1e-9));
        assert!(bits > 0.0, "{bits}");
    }
    // One fact for each property, yes or no as most people would say.
    let facts = teaching.facts();
    assert!(facts.len() == 10 && facts.iter().flatten().all(|fact| *fact == 0.0 || *fact == 1.0));
}

/// What a strong player does after another one's mistake is imitated, and the mistake is not.
#[test]
fn the_demonstrator_may_play_well_and_slip() {
    let taught = |demonstrator: serde_json::Value, games| {
        let of = json!({ "oracle": "people", "demonstrator": demonstrator });
        let worlds = worlds(&settings(of)).unwrap();
        worlds.teaching().unwrap().demonstrations(&drawn(games, 7))
    };
    let strong = taught(json!({ "player": "information_gain" }), 100);
    assert!(found(&strong).0 > 0.9 && found(&taught(json!({}), 100)).0 < 0.5);
    assert!(strong.iter().flat_map(|game| &game.turns).all(|turn| turn.imitate));
    let slips = json!({ "player": "information_gain", "slip_rate": 0.2, "consistency": 1.0 });
    let slipping = taught(slips.clone(), 100);
    assert_eq!(slipping, taught(slips, 100));
    let turns = || slipping.iter().flat_map(|game| &game.turns);
    let share = turns().filter(|turn| !turn.imitate).count() as f64 / turns().count() as f64;
    assert!((0.15..0.25).contains(&share), "{share}");
    // Of what it says itself it says the same in a game that came by a slip as in one that began so.
    let own = InformationGainAsker::new(world(PeopleConfig::default()).question_pool());
    let mut own = own.within(20);
    for game in slipping.iter().take(20) {
        let lines: Vec<_> =
            game.turns.iter().map(|turn| (turn.said.clone(), turn.reply.clone())).collect();
        for (number, turn) in game.turns.iter().enumerate().filter(|(_, turn)| turn.imitate) {
            assert_eq!(own.ask(&lines[..number]), turn.said);
        }
    }
}

#[test]
fn a_slip_rate_without_somebody_to_slip_is_refused() {
    for (demonstrator, part) in [
        (json!({ "slip_rate": 0.1 }), "world.demonstrator.player=information_gain"),
        (json!({ "player": "information_gain", "slip_rate": 1.5 }), "between 0 and 1"),
        (json!({ "player": "oracle" }), "unknown variant"),
    ] {
        let error = worlds(&settings(json!({ "demonstrator": demonstrator }))).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn an_answer_from_outside_may_be_that_nobody_knows() {
    let mut people = world(PeopleConfig::default());
    let mut table = WorldConfig::default().guessing().unwrap().unwrap();
    for (raw, of_people, of_table) in [
        ("I don't know", "I don't know.", "Invalid Question."),
        ("Sometimes, yes", "Sometimes.", "Invalid Question."),
        ("Yes", "Yes.", "Yes."),
        ("hm", "Invalid Question.", "Invalid Question."),
    ] {
        for (world, reply) in [(&mut people, of_people), (&mut table, of_table)] {
            world.start(&Start { task: Some(0), seed: 1 });
            let turn = world.act_with_oracle("Is it alive?", Some(raw));
            assert_eq!((turn.reply.as_str(), turn.invalid), (reply, reply.starts_with("Inv")));
        }
    }
}

#[test]
fn people_err_more_as_training_goes_on() {
    let noisy = json!({"oracle": "people", "rollout_noise": 0.3, "words": "subset"});
    let worlds = worlds(&settings(noisy)).unwrap();
    let wrong = |progress: f64| {
        let training = worlds.in_training(progress).unwrap().unwrap();
        assert_eq!(training.about().rules.as_deref(), Some("fixed (oracle: people)"));
        let mut batch = pollster::block_on(training.open(1)).unwrap();
        let no = (0..300).filter(|seed| {
            let start = Start { task: Some(1), seed: *seed };
            pollster::block_on(batch.start(&[start])).unwrap();
            let said = archer_world::Said { game: 0, text: "Is it an animal?" };
            pollster::block_on(batch.act(&[said])).unwrap()[0].reply == "No."
        });
        no.count()
    };
    // A dog is an animal.
    assert!(wrong(0.0) < 15 && wrong(1.0) > 30, "{} {}", wrong(0.0), wrong(1.0));
}

#[test]
fn what_does_not_go_together_is_refused_in_a_sentence() {
    for (value, parts) in [
        (json!({"oracle": "peple"}), &["peple", "`people`"][..]),
        (json!({"people": {"often": 1.0}}), &["often", "`unknown`"]),
        (json!({"people": {"wrong": 0.05}}), &["world.people is set", "world.oracle"]),
        (
            json!({"oracle": "people", "people": {"unknown": -0.1}}),
            &["world.people.unknown = -0.1", "between 0 and 1"],
        ),
        (
            json!({"oracle": "people", "people": {"unknown": 0.9, "wrong": 0.1}}),
            &["add up to at most 1"],
        ),
        (json!({"oracle": "people", "rules": "official"}), &["oracle is people", "official"]),
        (json!({"oracle": "people", "answer_noise": 0.1}), &["answer_noise", "people.wrong"]),
        (json!({"name": "guess_my_city", "oracle": "people"}), &["guess_my_city", "oracle"]),
        (json!({"name": "bandit", "people": {"wrong": 0.0}}), &["bandit", "people"]),
    ] {
        let error = worlds(&settings(value.clone())).err().unwrap_or_else(|| panic!("{value}"));
        let error = error.to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{value}: {error}");
    }
}
