//! The rules that every world of this crate passes: those of [`archer_world::contract`], and that a
//! wrong call panics. A new world's test is one call of [`check`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use archer_world::contract::{check_about, check_opening, check_turn};
use archer_world::{About, End, Opening, Start, Transcript, Turn, World};

/// Plays `world` with the utterances that `say` chooses for each text.
///
/// # Panics
/// Where a rule is broken, naming the rule.
pub fn check(world: &mut dyn World, mut say: impl FnMut(&str) -> String) {
    let about = world.about();
    check_about(&about).unwrap();
    let tasks = about.tasks.expect("the tasks of our worlds are numbered");
    let drawn = (0..4).map(|seed| Start { task: None, seed });
    let each = (0..tasks).map(|task| Start { task: Some(task), seed: 100 + task as u64 });
    for start in drawn.chain(each) {
        let game = play(world, &about, start, &mut say);
        // Another game in between must leave no trace.
        play(world, &about, Start { task: None, seed: start.seed + 1 }, &mut say);
        let (opening, turns) = game;
        assert_eq!(world.start(&start), opening, "the same seed gives the same first text");
        for (said, turn) in &turns {
            assert_eq!(&world.act(said), turn, "the same seed and utterances give the same game");
        }
        refuses(|| drop(world.act("")));
    }
    refuses(|| drop(world.start(&Start { task: Some(tasks), seed: 0 })));
}

/// Plays a game as a trainer does.
fn play(
    world: &mut dyn World,
    about: &About,
    start: Start,
    say: &mut impl FnMut(&str) -> String,
) -> (Opening, Vec<(String, Turn)>) {
    let opening = world.start(&start);
    check_opening(about, &opening).unwrap();
    assert!(world.task().is_some_and(|task| start.task.is_none_or(|wanted| wanted == task)));
    let mut seen = Transcript::new(about.style.clone(), about.memory, opening.text.clone());
    let mut turns: Vec<(String, Turn)> = Vec::new();
    let mut total = 0.0;
    loop {
        let said = say(&seen.text());
        let turn = world.act(&said);
        check_turn(about, turns.len() + 1, &turn).unwrap();
        seen.push(&said, &turn.reply);
        total += f64::from(turn.reward);
        let end = turn.end;
        turns.push((said, turn));
        let cut = end == Some(End::Cut);
        assert!(!cut || turns.len() == about.max_turns, "a game is cut at its limit only");
        if end.is_some() {
            break;
        }
    }
    assert!(about.worst.is_none_or(|worst| total >= worst - 1e-6), "{total} is below the worst");
    (opening, turns)
}

/// Whether the call panics, as a caller's bug must.
fn refuses(call: impl FnOnce()) {
    let quiet = catch_unwind(AssertUnwindSafe(call));
    assert!(quiet.is_err(), "an act in a finished game and a task that does not exist must panic");
}
