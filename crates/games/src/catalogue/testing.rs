//! What the tests of all worlds need.

use archer_world::{Game, Settings, Start, WorldError, Worlds, contract};
use serde_json::Value;

use super::{Entry, Player, mean_return, play};

/// Settings from a JSON object.
pub fn settings(value: Value) -> Settings {
    match value {
        Value::Object(settings) => settings,
        other => panic!("{other} is no object"),
    }
}

/// Plays a world under its contract: its scripted players keep to the choices, somebody else does not.
pub fn keeps_the_contract(entry: &Entry, value: Value) {
    let settings = settings(value);
    let worlds = (entry.make)(&settings).unwrap();
    for seed in 0..4 {
        for nonsense in ["", "xyzzy", " \n", "-1", "0 0 0 0", "move up please", "é ü ñ ß ø"] {
            pollster::block_on(contract::try_world(&*worlds, seed, |_, _| nonsense.into()))
                .unwrap();
        }
        let listed = |turn: usize, choices: Option<&Vec<String>>| match choices {
            Some(choices) => choices[(turn * 7 + seed as usize) % choices.len()].clone(),
            None => "5".to_string(),
        };
        pollster::block_on(contract::try_world(&*worlds, seed, listed)).unwrap();
    }
    for name in entry.players {
        let Ok(mut player) = (entry.player)(&settings, name) else { continue };
        let starts: Vec<Start> = (0..3).map(|seed| Start { task: None, seed }).collect();
        let games = play(&*worlds, &mut *player, &starts).unwrap();
        assert_eq!(games, play(&*worlds, &mut *player, &starts).unwrap(), "{name} by its seed");
        for game in &games {
            check_returns(&*worlds, game);
            assert!(game.turns.iter().all(|turn| !turn.invalid), "{name}: {game:?}");
        }
    }
}

fn check_returns(worlds: &dyn Worlds, game: &Game) {
    let about = worlds.about();
    let total = game.total_reward();
    game.check(about).unwrap();
    assert!(about.worst.is_none_or(|worst| total >= worst - 1e-6), "{total} in {game:?}");
}

/// The mean return of a player over all tasks.
pub fn mean_over_tasks(worlds: &dyn Worlds, player: &mut dyn Player) -> f64 {
    let tasks = worlds.about().tasks.expect("tasks have numbers");
    let starts: Vec<Start> =
        (0..tasks).map(|task| Start { task: Some(task), seed: task as u64 }).collect();
    mean_return(&play(worlds, player, &starts).unwrap())
}

/// The lines of a game in which these are said, from its opening: each utterance and its reply.
pub fn transcript(worlds: &dyn Worlds, start: Start, said: &[&str]) -> (Vec<String>, Game) {
    struct Reader<'a>(std::slice::Iter<'a, &'a str>);
    impl Player for Reader<'_> {
        fn start(&mut self, _: u64) {}
        fn say(&mut self, _: &archer_world::Transcript, _: Option<&Vec<String>>) -> String {
            self.0.next().expect("the game ends with the last utterance").to_string()
        }
    }
    let mut game = play(worlds, &mut Reader(said.iter()), &[start]).unwrap();
    let game = game.remove(0);
    assert_eq!(game.turns.len(), said.len(), "the game ended early: {game:?}");
    let first = game.opening.clone().unwrap();
    let replies = game.turns.iter().map(|turn| turn.reply.clone());
    ([first].into_iter().chain(replies).collect(), game)
}

/// The sentence by which these settings are refused.
pub fn refusal(entry: &Entry, value: Value) -> String {
    let settings = settings(value);
    match (entry.make)(&settings) {
        Err(error @ WorldError::Settings(_)) => {
            assert!((entry.optimum)(&settings).is_err(), "{settings:?}");
            error.to_string()
        }
        Err(error) => panic!("{error} is no fault of the settings"),
        Ok(_) => panic!("{settings:?} was accepted"),
    }
}
