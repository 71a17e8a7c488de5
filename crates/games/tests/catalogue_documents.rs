//! What `docs/environments` says of the worlds of the catalogue: the games it shows are played so, and
//! its optima are those that are computed.

#![cfg(feature = "box")]

use archer_games::catalogue::{find, play};
use archer_world::{Settings, Start, Transcript};
use serde_json::{Value, json};

const DOCUMENTS: [(&str, &str); 9] = [
    ("blackjack", include_str!("../../../docs/environments/blackjack.md")),
    ("frozen_lake", include_str!("../../../docs/environments/frozen_lake.md")),
    ("guess_number", include_str!("../../../docs/environments/guess_number.md")),
    ("hangman", include_str!("../../../docs/environments/hangman.md")),
    ("mastermind", include_str!("../../../docs/environments/mastermind.md")),
    ("maze", include_str!("../../../docs/environments/maze.md")),
    ("queen_endgame", include_str!("../../../docs/environments/queen_endgame.md")),
    ("tower_of_hanoi", include_str!("../../../docs/environments/tower_of_hanoi.md")),
    ("wordle", include_str!("../../../docs/environments/wordle.md")),
];

fn settings(value: Value) -> Settings {
    value.as_object().expect("an object").clone()
}

#[test]
fn the_games_are_played_as_they_are_shown() {
    for (name, document) in DOCUMENTS {
        let entry = find(name).unwrap();
        // The fewest words: the search for the best player of more takes its time.
        let settings = settings(if name == "wordle" { json!({"words": 200}) } else { json!({}) });
        let worlds = (entry.make)(&settings).unwrap();
        let mut player = (entry.player)(&settings, "optimal").unwrap();
        let game = &play(&*worlds, &mut *player, &[Start::default()]).unwrap()[0];
        let opening = game.opening.clone().unwrap();
        let mut text = Transcript::new(worlds.about().style.clone(), None, opening);
        game.turns.iter().for_each(|turn| text.push(&turn.said, &turn.reply));
        let shown = format!("```text\n{}```", text.text());
        assert!(document.contains(&shown), "{name}.md should show\n{shown}");
    }
}

#[test]
fn every_setting_and_player_is_named() {
    for (name, document) in DOCUMENTS {
        let entry = find(name).unwrap();
        for player in entry.players {
            assert!(document.contains(&format!("`{player}`")), "{name}.md names no {player}");
        }
        // The refusal of an unknown key lists those that there are.
        let refused = (entry.make)(&settings(json!({"": 0}))).err().unwrap().to_string();
        let (_, keys) = refused.split_once("expected ").unwrap();
        for key in keys.split('`').skip(1).step_by(2) {
            assert!(document.contains(&format!("\n| `{key}` | ")), "{name}.md lists no {key}");
        }
    }
}

#[test]
fn the_optima_are_those_that_are_computed() {
    for (name, value, row) in [
        ("blackjack", json!({}), "| `share` | 5 | {:4} |"),
        ("blackjack", json!({"pay": "points"}), "| `points` | 5 | {:4} |"),
        ("blackjack", json!({"pay": "points", "hands": 1}), "| `points` | 1 | {:4} |"),
        ("frozen_lake", json!({}), "| `random` | {:4} |"),
        ("frozen_lake", json!({"slippery": true}), "| `random`, slippery | {:4} |"),
        ("frozen_lake", json!({"map": "gymnasium"}), "| `gymnasium` | {:4} |"),
        (
            "frozen_lake",
            json!({"map": "gymnasium", "slippery": true}),
            "| `gymnasium`, slippery | {:4} |",
        ),
        ("guess_number", json!({}), "| 20 | 10 | {:2} |"),
        ("guess_number", json!({"numbers": 50}), "| 50 | 10 | {:2} |"),
        ("hangman", json!({}), "| 100 | {:4} |"),
        ("hangman", json!({"words": 2315}), "| 2,315 | at most {:4} | {scripted} |"),
        ("mastermind", json!({}), "| 4 of 6, different | 20 | {:4} | −3.0278 |"),
        (
            "mastermind",
            json!({"repeats": true}),
            "| 4 of 6, with repeats | 20 | {:4} | {scripted} |",
        ),
        (
            "mastermind",
            json!({"digits": 8, "max_turns": 30}),
            "| 4 of 8, different | 30 | at most {:4} | {scripted} |",
        ),
        (
            "mastermind",
            json!({"length": 6, "digits": 12, "repeats": true, "max_turns": 50}),
            "| 6 of 12, with repeats | 50 | at most {:4} | |",
        ),
        ("maze", json!({}), "| `full` | {:2} |"),
        ("maze", json!({"observed": "partial"}), "| `partial` | {:2} |"),
        ("queen_endgame", json!({}), "| 30 | {:4} |"),
        ("tower_of_hanoi", json!({}), "| 3 | `tower` | {:2} |"),
        ("tower_of_hanoi", json!({"disks": 4}), "| 4 | `tower` | {:2} |"),
        ("tower_of_hanoi", json!({"starts": "any"}), "| 3 | `any` | {:2} |"),
        ("wordle", json!({"words": 200}), "| 200 | {:4} |"),
        ("wordle", json!({"words": 400}), "| 400 | {:4} |"),
        ("wordle", json!({"words": 800}), "| 800 | {:4} |"),
        ("wordle", json!({"words": 2315}), "| 2,315 | at most {:4} | {scripted} |"),
    ] {
        let document = DOCUMENTS.iter().find(|(other, _)| *other == name).unwrap().1;
        let optimum = (find(name).unwrap().optimum)(&settings(value)).unwrap();
        let best = optimum.exact.or(optimum.bound).unwrap();
        let said = row
            .replace("{:4}", &format!("{best:.4}"))
            .replace("{:2}", &format!("{best:.2}"))
            .replace("{scripted}", &format!("{:.4}", optimum.scripted.unwrap_or(f64::NAN)))
            .replace('-', "−");
        assert!(document.contains(&said), "{name}.md should say {said}");
    }
}
