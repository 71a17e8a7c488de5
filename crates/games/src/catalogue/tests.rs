use archer_world::{Start, contract};

use super::*;

#[test]
fn names_are_in_order_and_worlds_are_found_by_them() {
    assert!(ENTRIES.is_sorted_by(|one, other| one.name < other.name));
    for entry in ENTRIES {
        let worlds = (entry.make)(&Settings::default()).unwrap();
        contract::check_about(worlds.about()).unwrap();
        assert_eq!(worlds.about().name, entry.name);
        assert_eq!(find(entry.name).unwrap().summary, entry.summary);
        assert!(!entry.summary.ends_with('.'));
    }
    assert!(find("chess").is_none());
}

#[test]
fn every_player_is_made_and_others_are_refused_by_name() {
    for entry in ENTRIES {
        let refused = (entry.player)(&Settings::default(), "nobody").err().unwrap().to_string();
        let first = entry.players[0];
        assert!(refused.contains("no player nobody") && refused.contains(first), "{refused}");
    }
}

#[test]
fn an_unknown_key_is_named() {
    for entry in ENTRIES {
        let refused = testing::refusal(entry, serde_json::json!({"speed": 3}));
        assert!(refused.contains("speed = 3") && refused.contains(entry.name), "{refused}");
    }
}

#[test]
fn every_world_has_demonstrations_that_are_its_games() {
    for entry in ENTRIES {
        for choices in [true, false] {
            let mut settings = Settings::from_iter([("choices".to_string(), choices.into())]);
            if entry.name == "wordle" {
                settings.insert("words".to_string(), 200.into());
            }
            let worlds = (entry.make)(&settings).unwrap();
            let teaching = worlds.teaching().unwrap();
            let tasks = worlds.about().tasks.unwrap_or(30);
            let start = |seed| Start { task: Some(seed as usize % tasks), seed };
            let starts: Vec<Start> = (0..30).map(start).collect();
            let games = teaching.demonstrations(&starts);
            assert_eq!(games, teaching.demonstrations(&starts));
            assert_eq!(games.len(), 30, "{}", entry.name);
            for game in &games {
                game.check(worlds.about()).unwrap();
                assert_eq!(game.choices.is_some(), choices, "{game:?}");
            }
            if worlds.about().tasks.is_some_and(|tasks| tasks <= 30) {
                let tasks: std::collections::BTreeSet<_> = games.iter().map(|g| g.task).collect();
                assert_eq!(Some(tasks.len()), worlds.about().tasks);
            }
        }
    }
}

#[test]
fn a_mediocre_player_is_between_a_good_one_and_a_random_one() {
    let starts: Vec<archer_world::Start> =
        (0..300).map(|seed| archer_world::Start { task: None, seed }).collect();
    for entry in ENTRIES {
        let words = if entry.name == "wordle" {
            serde_json::json!({"words": 200})
        } else {
            serde_json::json!({})
        };
        let settings = testing::settings(words);
        let worlds = (entry.make)(&settings).unwrap();
        let mean = |name: &str| {
            let mut player = (entry.player)(&settings, name).unwrap();
            mean_return(&play(&*worlds, &mut *player, &starts).unwrap())
        };
        let (random, mediocre) = (mean("random"), mean("mediocre"));
        let best = worlds.about().best.unwrap();
        assert!(random < mediocre && mediocre < best, "{}: {random} {mediocre} {best}", entry.name);
    }
}
