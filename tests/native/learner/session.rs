//! The browser's session without a browser: the requests a page makes, and the replies, as data.

use std::collections::HashSet;
use std::future::ready;

use crate::page::Page;
use archer::checkpoint::Sections;
use archer_wasm::drive::drive;
use archer_wasm::session::Request;
use archer_wasm::{Session, device};
use pollster::block_on;
use serde_json::{Value, json};

const QUICKSTART: &[u8] = include_bytes!("../../../pkg/models/quickstart.archer");
const TWENTY_QUESTIONS: &[u8] = include_bytes!("../../../pkg/models/twenty-questions.archer");
const BANDIT: &[u8] = include_bytes!("../../wasm/bandit.archer");

fn load(file: &[u8]) -> Page {
    block_on(Page::load(file)).unwrap()
}

/// The reply to a request; an error is its code and its message.
fn call(page: &mut Page, request: Value) -> Result<Value, (String, String)> {
    block_on(page.call(request, |_| ())).map_err(|fault| {
        assert!(fault.hint.ends_with('.'), "{}", fault.hint);
        (fault.code.to_string(), fault.message)
    })
}

fn ok(session: &mut Page, request: Value) -> Value {
    call(session, request).unwrap_or_else(|fault| panic!("{fault:?}"))
}

#[test]
fn a_model_tells_what_it_is() {
    let info = ok(&mut load(QUICKSTART), json!({"method": "info"}));
    assert_eq!(info["world"], "twenty_questions");
    assert_eq!(info["things"].as_array().unwrap().len(), 10);
    assert_eq!((&info["maxTurns"], &info["sometimes"]), (&json!(20), &json!(false)));
    assert_eq!((&info["optimumReturn"], &info["worstReturn"]), (&json!(-2.8), &json!(-20.0)));
    assert_eq!((&info["resumable"], &info["changed"]), (&json!(false), &json!(false)));
    assert_eq!(info["bytes"], QUICKSTART.len());
    let metrics = ok(&mut load(BANDIT), json!({"method": "metrics"}));
    assert!(metrics[0]["meaning"].as_str().unwrap().len() > 10);
}

#[test]
fn a_game_goes_forth_and_back() {
    let mut session = load(QUICKSTART);
    let mut game = ok(&mut session, json!({"method": "play", "seed": 3}));
    let mut states = Vec::new();
    for _ in 0..3 {
        game = ok(&mut session, json!({"method": "ask", "game": game, "sample": true}));
        assert_eq!(game["status"], "answer");
        states.push(game.clone());
        game = ok(&mut session, json!({"method": "answer", "game": game, "answer": "no"}));
    }
    assert_eq!((&game["status"], &game["returnSoFar"]), (&json!("ask"), &json!(-3.0)));
    // Taking back an answer gives the state in which its question stood open.
    game = ok(&mut session, json!({"method": "undo", "game": game}));
    assert_eq!(game, states[2]);
    game = ok(&mut session, json!({"method": "undo", "game": game}));
    assert_eq!(game, states[1]);
    let first = states[0].clone();
    let (code, message) = call(&mut session, json!({"method": "undo", "game": first})).unwrap_err();
    assert_eq!((code.as_str(), message.as_str()), ("usage", "there is no answer to take back"));
}

/// What was read at the turn before is not read again. What is asked does not depend on it, whether the
/// text has grown, lost its end or become another game's.
#[test]
fn an_agent_that_reads_on_asks_what_one_that_reads_afresh_does() {
    for (file, sample) in [(QUICKSTART, true), (QUICKSTART, false), (TWENTY_QUESTIONS, true)] {
        let mut session = load(file);
        let ask = |session: &mut Page, game: &Value| {
            let asked = ok(session, json!({"method": "ask", "game": game, "sample": sample}));
            let afresh = json!({"method": "ask", "game": game, "sample": sample});
            assert_eq!(ok(&mut load(file), afresh), asked);
            asked
        };
        let say = |session: &mut Page, game: &Value, answer: &str| {
            ok(session, json!({"method": "answer", "game": game, "answer": answer}))
        };
        let mut games: Vec<Value> = [3, 4]
            .into_iter()
            .map(|seed| ok(&mut session, json!({"method": "play", "seed": seed})))
            .collect();
        for (turn, answer) in ["no", "yes", "unknown", "no"].into_iter().enumerate() {
            for game in &mut games {
                if game["status"] == "ask" {
                    let asked = ask(&mut session, game);
                    *game = say(&mut session, &asked, answer);
                }
            }
            if turn == 2 {
                let asked = ok(&mut session, json!({"method": "undo", "game": games[0]}));
                games[0] = say(&mut session, &asked, "yes");
            }
        }
        // A question that was taken back comes again.
        let once = ask(&mut session, &games[1]);
        assert_eq!(ask(&mut session, &games[1]), once);
    }
}

#[test]
fn games_are_played_side_by_side_or_one_after_the_other() {
    let mut session = load(QUICKSTART);
    let mut play = |games: usize, one_by_one: bool| {
        let ask = json!({"method": "playGames", "games": games, "seed": 7, "sample": true,
            "kept": false, "oneByOne": one_by_one});
        ok(&mut session, ask)
    };
    let apart = play(6, true);
    assert_eq!(apart.as_array().unwrap().len(), 6);
    assert_eq!(apart[0], play(1, false)[0]);
    // What is said may hang on the last digits; it does not here.
    assert_eq!(apart, play(6, false));
}

#[test]
fn a_game_ends_when_the_thing_is_named_or_the_questions_run_out() {
    let mut session = load(QUICKSTART);
    let mut game = ok(&mut session, json!({"method": "play", "seed": 1}));
    let forced = json!({"method": "force", "game": game, "turn": 1, "question": "Is it a cat?"});
    game = ok(&mut session, forced);
    assert_eq!(game["turns"][0]["guess"], "cat");
    let found = ok(&mut session, json!({"method": "answer", "game": game, "answer": "yes"}));
    assert_eq!((&found["status"], &found["found"]), (&json!("found"), &json!("cat")));
    assert_eq!(found["returnSoFar"], 0.0);

    for turn in 1..=20 {
        let question = format!("Is it bigger than {turn} cats?");
        let forced = json!({"method": "force", "game": game, "turn": turn, "question": question});
        game = ok(&mut session, forced);
        game = ok(&mut session, json!({"method": "answer", "game": game, "answer": "unknown"}));
    }
    assert_eq!((&game["status"], &game["returnSoFar"]), (&json!("lost"), &json!(-20.0)));
    let (code, _) = call(&mut session, json!({"method": "ask", "game": game, "sample": false}))
        .expect_err("a lost game is over");
    assert_eq!(code, "usage");
    let reveal = ok(&mut session, json!({"method": "reveal", "game": game, "thing": " A Zorb "}));
    assert_eq!((&reveal["known"], &reveal["listed"]), (&json!(false), &json!(false)));
}

/// A game about a thing: the person does not know what the first question asks, where `vague`, and says
/// what the table does to all others.
fn answered(session: &mut Page, thing: &str, vague: bool) -> Value {
    let mut game = ok(session, json!({"method": "play", "seed": 1}));
    while game["status"] == "ask" {
        game = ok(session, json!({"method": "ask", "game": game, "sample": false}));
        let told = ok(session, json!({"method": "reveal", "game": game, "thing": thing}));
        let turns = told["turns"].as_array().unwrap();
        let truth = &turns.last().unwrap()["expected"];
        let answer = if vague && turns.len() == 1 { &json!("unknown") } else { truth };
        game = ok(session, json!({"method": "answer", "game": game, "answer": answer}));
    }
    game
}

#[test]
fn a_person_who_does_not_know_one_answer_is_found_out_all_the_same() {
    let mut session = load(TWENTY_QUESTIONS);
    let info = ok(&mut session, json!({"method": "info"}));
    let things: Vec<&str> =
        info["things"].as_array().unwrap().iter().map(|thing| thing.as_str().unwrap()).collect();
    for vague in [false, true] {
        let (mut found, mut asked) = (0, 0);
        for thing in &things {
            let game = answered(&mut session, thing, vague);
            found += usize::from(game["status"] == "found");
            let turns = game["turns"].as_array().unwrap();
            asked += turns.len();
            let said: HashSet<&str> =
                turns.iter().map(|turn| turn["question"].as_str().unwrap()).collect();
            assert_eq!(said.len(), turns.len(), "{thing}: a question was asked twice");
        }
        println!("vague {vague}: {found} of {} in {asked} questions", things.len());
        assert!(found * 100 >= 95 * things.len(), "{found} of {} were found", things.len());
    }
}

#[test]
fn a_reveal_says_where_the_person_and_the_table_differ() {
    let mut session = load(QUICKSTART);
    let mut game = ok(&mut session, json!({"method": "play", "seed": 1}));
    for (turn, question, answer) in
        [(1, "Is it an animal?", "yes"), (2, "Is it alive?", "no"), (3, "Glorp?", "no")]
    {
        let force = json!({"method": "force", "game": game, "turn": turn, "question": question});
        game = ok(&mut session, force);
        game = ok(&mut session, json!({"method": "answer", "game": game, "answer": answer}));
    }
    let reveal = ok(&mut session, json!({"method": "reveal", "game": game, "thing": "Dog"}));
    assert_eq!((&reveal["thing"], &reveal["listed"]), (&json!("dog"), &json!(true)));
    let turns = reveal["turns"].as_array().unwrap();
    let told: Vec<_> = turns.iter().map(|turn| (&turn["expected"], &turn["agrees"])).collect();
    assert_eq!(
        told,
        [
            (&json!("yes"), &json!(true)),
            (&json!("yes"), &json!(false)),
            (&json!("unknown"), &json!(true))
        ]
    );
}

#[test]
fn the_critic_prefers_a_guess_that_is_left_to_one_that_was_denied() {
    let mut session = load(QUICKSTART);
    let mut game = ok(&mut session, json!({"method": "play", "seed": 1}));
    let force = json!({"method": "force", "game": game, "turn": 1, "question": "Is it a dog?"});
    game = ok(&mut session, force);
    game = ok(&mut session, json!({"method": "answer", "game": game, "answer": "no"}));
    let also = ["Is it a dog?", "Is it a banana?"];
    let inspect = json!({"method": "inspect", "game": game, "turn": 2, "samples": 0, "also": also});
    let seen = ok(&mut session, inspect);
    assert_eq!(seen["asked"], Value::Null);
    let order: Vec<&Value> =
        seen["alternatives"].as_array().unwrap().iter().map(|judged| &judged["question"]).collect();
    assert_eq!(order, ["Is it a banana?", "Is it a dog?"]);
    let guesses = ok(&mut session, json!({"method": "guesses", "game": game}));
    let dog = guesses["guesses"].as_array().unwrap().iter().find(|guess| guess["thing"] == "dog");
    assert_eq!(dog.unwrap()["denied"], true);
    let far = json!({"method": "inspect", "game": game, "turn": 9, "samples": 0, "also": []});
    assert_eq!(call(&mut session, far).unwrap_err().0, "usage");
}

#[test]
fn a_hosted_game_keeps_its_secret_and_its_replies() {
    let mut session = load(QUICKSTART);
    let mut game = ok(&mut session, json!({"method": "host", "seed": 5, "thing": null}));
    assert_eq!(game["thing"], Value::Null);
    for question in ["Is it alive?", "Is it bigger than a car?", "glorp"] {
        game = ok(&mut session, json!({"method": "hostAsk", "game": game, "question": question}));
    }
    let back = ok(&mut session, json!({"method": "hostUndo", "game": game}));
    assert_eq!(back["turns"].as_array().unwrap()[..], game["turns"].as_array().unwrap()[..2]);
    let end = ok(&mut session, json!({"method": "hostGiveUp", "game": game}));
    assert_eq!(end["status"], "lost");
    let thing = end["thing"].as_str().unwrap();
    let again = ok(&mut session, json!({"method": "host", "seed": 5, "thing": thing}));
    assert_eq!(again["task"], end["task"]);
    let unknown = json!({"method": "host", "seed": 5, "thing": "unicorn"});
    assert_eq!(call(&mut session, unknown).unwrap_err().0, "usage");
}

#[test]
fn the_bandit_is_learned_by_requests() {
    let mut session = load(BANDIT);
    let tune = json!({"iterations": 20, "games": 32, "seed": 1,
        "set": {"lm_lr": 3e-3, "critic_lr": 3e-3, "batch_size": 32, "warmup_iter": 2}});
    let plan = ok(&mut session, json!({"method": "tune", "tune": tune}));
    assert_eq!(
        (&plan["iterations"], &plan["warmup"], &plan["games"]),
        (&json!(20), &json!(2), &json!(32))
    );
    let mut returns = Vec::new();
    for iteration in 1..=20 {
        let update = ok(&mut session, json!({"method": "step"}));
        assert_eq!(update["iteration"], iteration);
        assert_eq!(update["finished"], iteration == 20);
        returns.push(update["return"]["mean"].as_f64().unwrap());
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&returns[..4]), mean(&returns[16..]));
    assert!(last > first + 0.2, "{first} to {last}: {returns:?}");
    let kept = json!({"method": "evaluate", "games": 50, "seed": 7, "sample": true, "kept": true});
    let before = ok(&mut session, kept)["meanReturn"].as_f64().unwrap();
    let now = json!({"method": "evaluate", "games": 50, "seed": 7, "sample": true, "kept": false});
    let after = ok(&mut session, now)["meanReturn"].as_f64().unwrap();
    assert!(after > before + 0.2, "{before} to {after}");
}

#[test]
fn what_was_learned_is_kept_rolled_back_and_goes_on_as_if_never_stopped() {
    let mut session = load(BANDIT);
    let info = ok(&mut session, json!({"method": "info"}));
    let behind = info["trained"]["iterations"].as_u64().unwrap();
    let tune = json!({"method": "tune", "tune": {"iterations": 4, "games": 8}});
    let (code, _) = call(&mut session, json!({"method": "step"})).unwrap_err();
    assert_eq!(code, "usage");
    ok(&mut session, tune);
    ok(&mut session, json!({"method": "step"}));
    ok(&mut session, json!({"method": "step"}));
    let file = block_on(session.session.export(true)).unwrap();
    let mut other = load(&file);
    assert_eq!(block_on(other.session.export(true)).unwrap(), file);
    // The other goes on with the same run: what comes is the same to the last bit.
    let on = json!({"method": "tune", "tune": {"iterations": 2, "resume": true}});
    ok(&mut other, on);
    let (here, there) =
        (ok(&mut session, json!({"method": "step"})), ok(&mut other, json!({"method": "step"})));
    assert_eq!(here["metrics"], there["metrics"]);

    let info = ok(&mut session, json!({"method": "keep"}));
    let trained = (&json!(false), &json!(behind + 3));
    assert_eq!((&info["changed"], &info["trained"]["iterations"]), trained);
    ok(&mut session, json!({"method": "step"}));
    let back = ok(&mut session, json!({"method": "rollback"}));
    assert_eq!(back["trained"]["iterations"], behind + 3);
    let small = block_on(session.session.export(false)).unwrap();
    assert!(small.len() < block_on(session.session.export(true)).unwrap().len());
}

#[test]
fn a_step_can_be_held_up_and_given_up_and_others_come_to_their_turn() {
    let mut session = load(BANDIT);
    let tune = json!({"method": "tune", "tune": {"iterations": 4, "games": 8}});
    ok(&mut session, tune);
    let before = block_on(session.session.export(true)).unwrap();
    // As the door does it: on a copy, which counts only when the step is done.
    let step = |page: &Page, most: usize| {
        let mut copy = page.session.clone();
        let mut yields = 0;
        let done = block_on(drive(copy.call(Request::Step, |_| ()), || {
            yields += 1;
            Some(ready(yields < most))
        }));
        (done, copy, yields)
    };
    let (given_up, _, yields) = step(&session, 5);
    assert_eq!((given_up.is_none(), yields), (true, 5));
    assert_eq!(block_on(session.session.export(true)).unwrap(), before);

    let (done, copy, yields) = step(&session, usize::MAX);
    assert!(yields > 20, "{yields} yields in an iteration");
    // What was kept meanwhile stays kept.
    let kept = ok(&mut session, json!({"method": "keep"}));
    let held = serde_json::to_value(done.unwrap().unwrap()).unwrap();
    let mut other = session.clone();
    session.session.take_over(copy, Request::Step.change());
    assert_eq!(ok(&mut other, json!({"method": "step"}))["metrics"], held["metrics"]);
    let files = [&session, &other].map(|session| block_on(session.session.export(true)).unwrap());
    assert!(files[0] == files[1], "held up at each yield, the step came out otherwise");
    let back = ok(&mut session, json!({"method": "rollback"}));
    assert_eq!(back["trained"], kept["trained"]);
}

#[test]
fn wrong_requests_are_refused_by_what_is_wrong() {
    let mut session = load(BANDIT);
    for (request, part) in [
        (json!({"method": "play", "seed": 1}), "bandit"),
        (json!({"method": "host", "seed": 1, "thing": null}), "bandit"),
        (json!({"method": "tune", "tune": {"iterations": 0}}), "0 iterations"),
        (json!({"method": "tune", "tune": {"set": {"nonsense": 1}}}), "nonsense"),
        (json!({"method": "tune", "tune": {"set": {"gamma": 2}}}), "gamma"),
        (json!({"method": "tune", "tune": {"set": {"gamma": "x"}}}), "no such value"),
        (json!({"method": "tune", "tune": {"set": {"actor_model.width": 8}}}), "actor_model.width"),
        (json!({"method": "tune", "tune": {"resume": true}}), "no run"),
        (
            json!({"method": "evaluate", "games": 0, "seed": 1, "sample": true, "kept": true}),
            "0 games",
        ),
    ] {
        let (code, message) = call(&mut session, request.clone()).expect_err("refused");
        assert_eq!(code, "usage", "{request}");
        assert!(message.contains(part), "{request}: {message}");
    }
}

#[test]
fn a_file_whose_weights_were_exchanged_does_not_pass_for_whole() {
    let whole = Sections::from_bytes(QUICKSTART).unwrap();
    let mut altered = Sections::new();
    for name in
        ["state", "actor_config", "critic_config", "tokenizer", "actor", "critic", "example"]
    {
        let mut bytes = whole.get(name).unwrap().to_vec();
        if name == "critic" {
            bytes.fill(0);
        }
        altered.push(name, bytes);
    }
    // The checksum is right again; the example is not.
    let device = block_on(device::open()).unwrap();
    let loaded = block_on(Session::load(altered.to_bytes(), device));
    let fault = loaded.err().expect("it computes something else");
    assert_eq!(fault.code, "bad-model");
    assert!(fault.message.contains("does not compute here"), "{}", fault.message);
}

/// A model file as a run of an algorithm without a critic exports it.
fn without_critic() -> Vec<u8> {
    let whole = Sections::from_bytes(QUICKSTART).unwrap();
    let mut without = Sections::new();
    for name in ["state", "actor_config", "tokenizer", "actor"] {
        let mut bytes = whole.get(name).unwrap().to_vec();
        if name == "state" {
            let mut state: Value = serde_json::from_slice(&bytes).unwrap();
            state["config"]["algorithm"] = json!("bc");
            bytes = state.to_string().into_bytes();
        }
        without.push(name, bytes);
    }
    without.to_bytes()
}

#[test]
fn a_model_without_a_critic_says_so_plays_and_gets_one_when_it_learns() {
    let mut session = load(&without_critic());
    let info = ok(&mut session, json!({"method": "info"}));
    assert_eq!(info["parameters"]["critic"], 0);
    assert!(info["parameters"]["actor"].as_u64().unwrap() > 0);
    let game = ok(&mut session, json!({"method": "play", "seed": 1}));
    let game = ok(&mut session, json!({"method": "ask", "game": game, "sample": false}));
    let inspect = json!({"method": "inspect", "game": game, "turn": 1, "samples": 2, "also": []});
    let (code, message) = call(&mut session, inspect.clone()).expect_err("nobody judges");
    assert_eq!(code, "bad-model");
    assert!(message.contains("holds no critic"), "{message}");

    let tune = json!({"iterations": 1, "games": 2, "set": {"warmup_iter": 0}});
    ok(&mut session, json!({"method": "tune", "tune": tune}));
    ok(&mut session, json!({"method": "step"}));
    let info = ok(&mut session, json!({"method": "info"}));
    assert!(info["parameters"]["critic"].as_u64().unwrap() > 0);
    let judged = ok(&mut session, inspect);
    assert!(judged["v1"].as_f64().unwrap().is_finite());
    // And what it then exports has the critic that it learned by.
    let file = block_on(session.session.export(false)).unwrap();
    assert!(ok(&mut load(&file), json!({"method": "info"}))["parameters"]["critic"] != 0);
}

/// Learning that goes beyond all numbers is an error of its own, and the model is the one of before.
#[test]
fn what_diverges_is_told_and_rolled_back() {
    // A critic whose values are beyond all numbers, in a file from before there were examples.
    let file = Sections::from_bytes(BANDIT).unwrap();
    let mut broken = Sections::new();
    for name in ["state", "actor_config", "tokenizer", "actor", "critic_config", "critic"] {
        let bytes = file.get(name).unwrap();
        match name {
            "critic" => {
                let huge = bytes.chunks_exact(4).flat_map(|_| 1e30f32.to_le_bytes());
                broken.push(name, huge.collect());
            }
            _ => broken.push(name, bytes.to_vec()),
        }
    }
    let mut session = load(&broken.to_bytes());
    let before = ok(&mut session, json!({"method": "info"}));
    ok(&mut session, json!({"method": "tune", "tune": {"iterations": 4, "games": 8}}));
    // As the shell does: on a copy, which is taken over where nothing went wrong.
    let (code, message) = call(&mut session.clone(), json!({"method": "step"})).unwrap_err();
    assert_eq!(code, "diverged", "{message}");
    assert!(message.contains("in iteration 1"), "{message}");
    ok(&mut session, json!({"method": "rollback"}));
    assert_eq!(ok(&mut session, json!({"method": "info"})), before);
    let evaluate = json!({"method": "evaluate", "games": 5, "seed": 1, "sample": false,
        "kept": false, "world": null});
    assert_eq!(ok(&mut session, evaluate)["games"], 5);
}
