use archer_world::contract;

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
