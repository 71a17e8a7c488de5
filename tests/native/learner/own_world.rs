//! A world that somebody has just written, in the browser's session without a browser: an agent is
//! made from nothing, learns by playing and from games that others played, and a world that fails
//! leaves the model as it was.

use std::cell::Cell;
use std::rc::Rc;

use archer_wasm::guest::{self, Answering, Declared, Host};
use archer_wasm::session::{Create, Request};
use archer_wasm::{Fault, Session, device};
use pollster::block_on;
use serde_json::{Value, json};

/// A corridor with a key: "take" and then "open" wins; a wrong turn costs. What fails is set from outside.
#[derive(Default)]
struct Door {
    fails: Cell<Option<&'static str>>,
}

impl Door {
    fn answer(&self, request: &Value, state: &mut std::collections::HashMap<u64, bool>) -> Value {
        let game = request["game"].as_u64().unwrap();
        let choices = ["open", "take", "wait"];
        match request["cmd"].as_str().unwrap() {
            "start" => {
                state.insert(game, false);
                json!({"game": game, "text": "A locked door. A key lies here.\n", "choices": choices})
            }
            "act" => {
                let key = state[&game];
                let (reply, reward, end) = match (request["said"].as_str().unwrap(), key) {
                    ("take", false) => ("You have the key.", 0.0, Value::Null),
                    ("open", true) => ("It opens.", 1.0, json!("won")),
                    ("wait", _) => ("Time passes.", -0.1, Value::Null),
                    _ => ("Nothing happens.", -0.1, Value::Null),
                };
                state.insert(game, key || reply == "You have the key.");
                json!({"game": game, "reply": reply, "reward": reward, "end": end, "choices": choices})
            }
            _ => json!({"game": game}),
        }
    }
}

/// Games of one host. Each is cut after four turns by its host, as the package does it.
struct Served(
    Rc<Door>,
    std::cell::RefCell<(
        std::collections::HashMap<u64, bool>,
        std::collections::HashMap<u64, usize>,
    )>,
);

impl Host for Served {
    fn ask(&self, message: String) -> Answering {
        let message: Value = serde_json::from_str(&message).unwrap();
        let answer = match self.0.fails.get() {
            Some("throws") => {
                Err("The world door threw in act: TypeError: x is not a function".into())
            }
            Some("noise") => Ok("<html>".to_string()),
            Some("short") => Ok(json!({"of": []}).to_string()),
            Some("reward") => Ok(json!({"of": [{"game": 0}]}).to_string()),
            _ => {
                let (state, turns) = &mut *self.1.borrow_mut();
                let of = message["of"].as_array().unwrap().iter().map(|request| {
                    let mut answer = self.0.answer(request, state);
                    let game = request["game"].as_u64().unwrap();
                    let played = turns.entry(game).or_default();
                    *played = if request["cmd"] == "act" { *played + 1 } else { 0 };
                    if *played == 4 && answer["end"].is_null() {
                        answer["end"] = json!("cut");
                    }
                    answer
                });
                Ok(json!({"of": of.collect::<Vec<_>>()}).to_string())
            }
        };
        Box::pin(std::future::ready(answer))
    }

    fn teach(&self, _: String) -> Result<String, String> {
        Err("it teaches nothing".into())
    }
}

fn door() -> (Rc<Door>, u64) {
    let door = Rc::new(Door::default());
    let declared: Declared =
        serde_json::from_value(json!({"name": "door", "max_turns": 4, "best": 1.0, "worst": -0.4}))
            .unwrap();
    let number = guest::register(declared, Rc::new(Served(door.clone(), Default::default())));
    (door, number.unwrap())
}

fn create(spec: Value) -> Result<Session, Fault> {
    let create: Create = serde_json::from_value(spec).unwrap();
    block_on(Session::create(create, block_on(device::open()).unwrap()))
}

fn call(session: &mut Session, request: Value) -> Result<Value, Fault> {
    let request: Request = serde_json::from_value(request).unwrap();
    let reply = block_on(session.call(request, |_| ()))?;
    Ok(serde_json::to_value(reply).unwrap())
}

fn evaluated(session: &mut Session, world: u64) -> f64 {
    let evaluate = json!({"method": "evaluate", "games": 20, "seed": 7, "sample": false, "kept": false, "world": world});
    call(session, evaluate).unwrap()["meanReturn"].as_f64().unwrap()
}

#[test]
fn an_agent_from_nothing_learns_by_its_choices_and_goes_on_from_its_file() {
    let (_, world) = door();
    let mut session = create(json!({"world": world, "seed": 1})).unwrap();
    let before = evaluated(&mut session, world);
    call(&mut session, json!({"method": "tune", "tune": {"iterations": 25, "world": world}}))
        .unwrap();
    let mut last = Value::Null;
    for _ in 0..25 {
        last = call(&mut session, json!({"method": "step"})).unwrap();
        assert_eq!(last["phase"], "learn");
    }
    assert_eq!(last["finished"], true);
    let after = evaluated(&mut session, world);
    assert!(before < 0.9 && after == 1.0, "{before} to {after}");

    // The agent speaks where the page plays, and knows its choices' probabilities exactly.
    let talk = json!({"opening": "A locked door. A key lies here.\n", "choices": ["open", "take", "wait"]});
    let say = json!({"method": "say", "talk": talk, "sample": false, "seed": 1, "score": true, "alternatives": 3});
    let said = call(&mut session, say).unwrap();
    assert_eq!(said["text"], "take");
    let logs = said["alternatives"].as_array().unwrap().iter().chain([&said]);
    let sum: f64 = logs.map(|one| one["logProb"].as_f64().unwrap().exp()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{said}");

    // A file with the whole run goes on to the same numbers; its world is handed in again.
    let file = block_on(session.export(true)).unwrap();
    let mut other = block_on(Session::load(file, block_on(device::open()).unwrap())).unwrap();
    let info = call(&mut other, json!({"method": "info"})).unwrap();
    assert_eq!((&info["world"], &info["maxTurns"]), (&json!("door"), &json!(4)));
    let on = json!({"method": "tune", "tune": {"iterations": 1, "resume": true, "world": world}});
    let steps = [&mut session, &mut other].map(|session| {
        call(session, on.clone()).unwrap();
        call(session, json!({"method": "step"})).unwrap()["metrics"].clone()
    });
    assert_eq!(steps[0], steps[1]);
    // Without its world a model speaks, and says what it lacks where it is to play.
    let mut alone = block_on(Session::load(
        block_on(session.export(false)).unwrap(),
        block_on(device::open()).unwrap(),
    ))
    .unwrap();
    let fault = call(
        &mut alone,
        json!({"method": "evaluate", "games": 2, "seed": 1, "sample": true,
        "kept": false, "world": null}),
    )
    .unwrap_err();
    assert!(
        fault.message.contains("door") && fault.message.contains("not here"),
        "{}",
        fault.message
    );
}

#[test]
fn demonstrations_are_imitated_first() {
    let (_, world) = door();
    let game = json!({"opening": "A locked door. A key lies here.\n", "choices": ["open", "take", "wait"],
        "turns": [
            {"said": "take", "reply": "You have the key.", "reward": 0.0, "choices": ["open", "take", "wait"]},
            {"said": "open", "reply": "It opens.", "reward": 1.0}],
        "end": "won"});
    let spec = json!({"world": world, "seed": 2, "demonstrations": [game, game],
        "set": {"warm_start.steps": 40}});
    let mut session = create(spec).unwrap();
    let mut steps = 0;
    loop {
        let update = call(&mut session, json!({"method": "step"})).unwrap();
        assert_eq!(update["phase"], "imitate");
        steps += 1;
        if update["finished"] == true {
            break;
        }
    }
    assert_eq!(steps, 5);
    assert_eq!(evaluated(&mut session, world), 1.0);
    let wrong = json!({"world": "another", "opening": "x\n", "turns": [{"said": "a", "reply": "b", "reward": 0.0}]});
    let fault = create(json!({"world": world, "demonstrations": [wrong]})).err().expect("refused");
    assert!(
        fault.message.contains("demonstration 1") && fault.message.contains("another"),
        "{}",
        fault.message
    );
}

#[test]
fn it_learns_from_games_that_a_person_played() {
    let (_, world) = door();
    let mut session = create(json!({"world": world, "seed": 3})).unwrap();
    let opening = "A locked door. A key lies here.\n";
    let choices = json!(["open", "take", "wait"]);
    let turn = |said: &str, reply: &str, reward: f64| json!({"said": said, "reply": reply, "reward": reward, "choices": choices});
    let game = |turns: Vec<Value>, end: &str| json!({"opening": opening, "choices": choices, "turns": turns, "end": end});
    let games = [
        game(vec![turn("take", "You have the key.", 0.0), turn("open", "It opens.", 1.0)], "won"),
        game(
            vec![turn("open", "Nothing happens.", -0.1), turn("open", "Nothing happens.", -0.1)],
            "cut",
        ),
        game(vec![turn("wait", "Time passes.", -0.1), turn("wait", "Time passes.", -0.1)], "cut"),
    ];
    let games: Vec<&Value> = games.iter().cycle().take(30).collect();
    let score = json!({"method": "score", "talk": {"opening": opening, "choices": choices}, "said": ["take"]});
    let before = call(&mut session, score.clone()).unwrap()[0].as_f64().unwrap();
    let plan = call(
        &mut session,
        json!({"method": "learnFrom", "games": games, "tune": {"iterations": 8,
        "set": {"lm_lr": 1e-3, "critic_lr": 2e-3, "kl_coef": 0.0}}}),
    )
    .unwrap();
    assert_eq!(plan["games"], 0);
    for _ in 0..8 {
        let update = call(&mut session, json!({"method": "step"})).unwrap();
        assert_eq!(update["games"], 0);
    }
    let after = call(&mut session, score).unwrap()[0].as_f64().unwrap();
    assert!(after > before + 0.1, "the log-probability of \"take\" went from {before} to {after}");
    // Its critic judges now.
    let inspect = json!({"method": "inspect", "talk": {"opening": opening, "choices": choices}, "said": null, "samples": null, "also": []});
    let seen = call(&mut session, inspect).unwrap();
    assert_eq!(seen["alternatives"][0]["text"], "take", "{seen}");
    // Other settings than before are not passed over.
    let other = json!({"method": "learnFrom", "games": [], "tune": {"iterations": 1, "seed": 7}});
    assert_eq!(call(&mut session, other).unwrap()["seed"], 7);
    let fault = call(
        &mut session,
        json!({"method": "learnFrom", "games": [{"opening": opening, "turns": []}], "tune": {}}),
    );
    assert!(fault.unwrap_err().message.contains("game 1 has no turns"));
}

#[test]
fn a_world_that_fails_is_named_and_the_model_is_what_it_was() {
    let (door, world) = door();
    let mut session = create(json!({"world": world, "seed": 1})).unwrap();
    call(&mut session, json!({"method": "tune", "tune": {"iterations": 3, "world": world}}))
        .unwrap();
    let before = block_on(session.export(true)).unwrap();
    for (fails, part) in
        [("throws", "TypeError"), ("noise", "JSON"), ("short", "answered"), ("reward", "answered")]
    {
        door.fails.set(Some(fails));
        // As the door does it: on a copy, which counts only when the step is done.
        let fault = call(&mut session.clone(), json!({"method": "step"})).unwrap_err();
        assert_eq!(fault.code, "world", "{}", fault.message);
        assert!(
            fault.message.contains("door") && fault.message.contains(part),
            "{}",
            fault.message
        );
    }
    door.fails.set(None);
    assert_eq!(block_on(session.export(true)).unwrap(), before);
    call(&mut session, json!({"method": "step"})).unwrap();
    // A world that names nothing and lists nothing leaves nothing to say.
    let declared = json!({"name": "silent", "max_turns": 0});
    let refused = guest::register(
        serde_json::from_value(declared).unwrap(),
        Rc::new(Served(door, Default::default())),
    );
    assert!(refused.unwrap_err().to_string().contains("at least 1 turn"));
}
