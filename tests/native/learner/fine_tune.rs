//! A fine-tune pays: from the model that is shipped, twenty iterations at the settings of a page
//! raise the return in a world that has changed, and leave what it could before.
//!
//! Greedy games of the same seeds before and after, compared one by one; `docs/fine-tuning.md` has more
//! seeds, and where it does not hold.

use crate::page::Page;
use archer::config::Config;
use archer::nn::sampling::Sampler;
use archer::train::Trainer;
use archer::train::evaluate::{Evaluation, evaluate};
use archer_games::{WorldChange, WorldConfig};
use archer_wasm::device;
use archer_world::{About, WorldError, Worlds};
use pollster::block_on;
use serde_json::{Value, json};

const QUICKSTART: &[u8] = include_bytes!("../../../pkg/models/quickstart.archer");
/// The student that knows 157 words.
const STUDENT: &[u8] = include_bytes!("../../../pkg/models/twenty-questions.archer");

fn call(page: &mut Page, request: Value) -> Value {
    block_on(page.call(request, |_| ())).unwrap_or_else(|fault| panic!("{}", fault.message))
}

fn worlds(config: &Config, _: Option<&About>) -> Result<std::sync::Arc<dyn Worlds>, WorldError> {
    archer_games::worlds(&config.world)
}

/// How a model file plays so many games, greedily, in a world.
fn play(file: &[u8], world: &WorldConfig, games: usize) -> Evaluation {
    let device = block_on(device::open()).unwrap();
    let agent = Trainer::resume(file, &worlds, &device).unwrap().agent();
    let greedy = Sampler::greedy();
    let world = world.worlds().unwrap();
    block_on(evaluate(agent.player(&greedy, 1), world.as_ref(), games, 7)).unwrap()
}

/// Twenty iterations in the changed world, and how they play there and in the worlds `rest` beside how
/// the model played before, over so many games each.
fn tuned(
    model: &[u8],
    change: &Value,
    rest: &[&Value],
    (seed, games): (u64, usize),
) -> Vec<[Evaluation; 2]> {
    let device = block_on(device::open()).unwrap();
    let mut session = block_on(Page::load(model)).unwrap();
    call(&mut session, json!({"method": "tune", "tune": {"seed": seed, "world": change}}));
    (0..20).for_each(|_| drop(call(&mut session, json!({"method": "step"}))));
    let file = block_on(session.session.export(false)).unwrap();
    let plain = &Trainer::resume(model, &worlds, &device).unwrap().config().world.clone();
    let plain = WorldConfig::of(plain).unwrap();
    let worlds = std::iter::once(change).chain(rest.iter().copied());
    let played = worlds.map(|change| {
        let change: WorldChange = serde_json::from_value(change.clone()).unwrap();
        let world = plain.changed(&change);
        [model, &file].map(|file| play(file, &world, games))
    });
    played.collect()
}

/// Three words are four times as likely as the others.
fn likelier() -> Value {
    json!({"weights": {"truck": 4, "dog": 4, "football": 4}})
}

/// A piano is said to come in different colours; and the same without pianos.
fn contrary() -> [Value; 2] {
    let answers = json!({"Does it come in different colors?": {"piano": "yes"}});
    [json!({"answers": answers}), json!({"answers": answers, "weights": {"piano": 0}})]
}

/// The mean gain over the games one by one, and the lower end of its 95 % interval over the games that
/// were played: the share of each task is the world's own, so these games are the whole population.
fn gain([before, after]: &[Evaluation; 2]) -> (f64, f64) {
    let pairs = after.returns.iter().zip(&before.returns);
    let gains: Vec<f64> = pairs.map(|(after, before)| after - before).collect();
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let squares = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>();
    (mean, mean - 1.96 * (squares / (n - 1.0) / n).sqrt())
}

/// Fails unless the return rose, by its interval, and the rest lost less than 0.5.
fn pays([changed, rest]: &[[Evaluation; 2]; 2]) {
    let ((gained, low), (kept, _)) = (gain(changed), gain(rest));
    assert!(low > 0.0, "a gain of {gained:.2}, from {low:.2}");
    assert!(kept > -0.5, "the rest loses {kept:.2}");
}

/// The rest is the nine other words.
#[test]
fn an_opinion_of_the_oracle_is_learned() {
    let [change, others] = contrary();
    pays(&tuned(QUICKSTART, &change, &[&others], (1, 200)).try_into().unwrap());
}

/// Ten of the 157 words, each as likely as sixteen others.
fn ten_likelier() -> Value {
    const TEN: [&str; 10] = [
        "dog", "truck", "piano", "banana", "chair", "computer", "mountain", "guitar", "apple",
        "car",
    ];
    json!(TEN.map(|word| (word, 16)).into_iter().collect::<std::collections::BTreeMap<_, _>>())
}

/// A word that no model has heard of, as often as sixteen others.
fn new_word() -> Value {
    json!({"extra": ["unicorn"], "weights": {"unicorn": 16}})
}

/// The rest is the plain game of 157 words.
#[test]
fn a_student_asks_for_likelier_words_sooner() {
    let change = json!({"weights": ten_likelier()});
    pays(&tuned(STUDENT, &change, &[&json!({})], (1, 314)).try_into().unwrap());
}

/// It is never said, so no return teaches it: lost games do.
#[test]
fn a_student_learns_a_word_that_it_never_said() {
    pays(&tuned(STUDENT, &new_word(), &[&json!({})], (3, 314)).try_into().unwrap());
}

/// Prints a row of `docs/fine-tuning.md` for each seed, word for word.
fn rows(name: &str, model: &[u8], change: &Value, rest: &[&Value]) {
    for seed in 1..=3 {
        let played = tuned(model, change, rest, (seed, 600));
        let cells = played.iter().map(|[before, after]| {
            let (gain, [low, high]) = after.gain_over(before).unwrap();
            let (before, after) = (before.mean_return, after.mean_return);
            format!("{before:.2} to {after:.2}: {gain:+.2} ({low:+.2} to {high:+.2})")
        });
        println!("| {name} | {seed} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

#[test]
#[ignore = "a table of several seeds: minutes"]
fn what_a_fine_tune_of_ten_words_is_worth() {
    let [other, others] = contrary();
    let rest = json!({"weights": {"truck": 0, "dog": 0, "football": 0}});
    rows("likelier", QUICKSTART, &likelier(), &[&json!({}), &rest]);
    rows("opinion", QUICKSTART, &other, &[&others]);
    rows("new word", QUICKSTART, &json!({"extra": ["cat"], "weights": {"cat": 3}}), &[&json!({})]);
}

#[test]
#[ignore = "a table of several seeds: minutes"]
fn what_a_fine_tune_of_157_words_is_worth() {
    let smooth = json!({"Is it smooth?": {"dog": "yes", "truck": "no", "piano": "no", "banana": "no",
        "chair": "no", "computer": "no", "mountain": "yes", "guitar": "no", "apple": "no", "car": "no"}});
    let ten = ten_likelier();
    rows("likelier", STUDENT, &json!({"weights": ten}), &[&json!({})]);
    rows("opinion", STUDENT, &json!({"answers": smooth, "weights": ten}), &[&json!({})]);
    rows("new word", STUDENT, &new_word(), &[&json!({})]);
}

#[test]
fn what_a_game_reveals_is_what_the_changed_world_holds() {
    let mut session = block_on(Page::load(QUICKSTART)).unwrap();
    let question = "Does it come in different colors?";
    let expected = |session: &mut Page| {
        let game = call(session, json!({"method": "play", "seed": 1}));
        let forced = json!({"method": "force", "game": game, "turn": 1, "question": question});
        let game = call(session, forced);
        let answer = json!({"method": "answer", "game": game, "answer": "yes"});
        let game = call(session, answer);
        let told = call(session, json!({"method": "reveal", "game": game, "thing": "piano"}));
        told["turns"][0]["expected"].clone()
    };
    assert_ne!(expected(&mut session), "yes", "or the change changes nothing");
    call(&mut session, json!({"method": "tune", "tune": {"world": contrary()[0]}}));
    assert_eq!(expected(&mut session), "yes");
}

#[test]
fn a_session_lives_in_the_world_that_it_learns_in() {
    let mut session = block_on(Page::load(QUICKSTART)).unwrap();
    let tune = json!({"method": "tune", "tune": {"iterations": 1, "games": 2,
        "world": {"extra": ["cat"], "weights": {"cat": 3}}}});
    call(&mut session, tune);
    let info = call(&mut session, json!({"method": "info"}));
    assert_eq!(info["things"][10], "cat");
    assert_eq!(info["optimumReturn"], Value::Null);
    assert_eq!(info["changed"], true, "another world can be rolled back");
    call(&mut session, json!({"method": "step"}));
    let file = block_on(session.session.export(false)).unwrap();
    let mut again = block_on(Page::load(&file)).unwrap();
    assert_eq!(call(&mut again, json!({"method": "info"}))["things"][10], "cat");
    // Back to the model as it was loaded is back to its world.
    call(&mut session, json!({"method": "rollback"}));
    let back = call(&mut session, json!({"method": "info"}));
    assert_eq!(back["things"].as_array().unwrap().len(), 10);
    for (tune, part) in [
        (json!({"world": {"weights": {"unicorn": 2}}}), "unicorn"),
        (json!({"world": {"wieghts": {}}}), "wieghts"),
        (json!({"set": {"world.words": "all"}}), "world.words"),
    ] {
        let request = json!({"method": "tune", "tune": tune});
        let message = block_on(session.call(request, |_| ())).expect_err("refused").message;
        assert!(message.contains(part), "{tune}: {message}");
    }
}
