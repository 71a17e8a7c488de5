//! The core in a browser's worker: the same numbers, the same learning, the same files.
//!
//! One lane for each module: the CPU's, and WebGPU's, which fails where there is no adapter.

#![cfg(target_family = "wasm")]

use archer::agent::Agent;
use archer::checkpoint::Sections;
use archer::checkpoint::packed::Precision;
use archer::config::Config;
use archer::hf::weights::Weights;
use archer::nn::params;
use archer::nn::sampling::Sampler;
use archer::train::Trainer;
use archer::train::evaluate::evaluate;
use archer_games::WorldConfig;
use archer_wasm::device;
use archer_world::{About, WorldError, Worlds};
use burn::tensor::{Device, Int, Tensor};
use page::Page;
use serde_json::{Value, json};
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

#[path = "../native/learner/page.rs"]
mod page;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const QUICKSTART: &[u8] = include_bytes!("../../pkg/models/quickstart.archer");
/// The student that knows 157 words.
const STUDENT: &[u8] = include_bytes!("../../pkg/models/twenty-questions.archer");
const BANDIT: &[u8] = include_bytes!("bandit.archer");
const FORWARD: &[u8] = include_bytes!("../parity/forward.safetensors");

/// The device of this lane. Without one nothing below has run.
async fn open() -> Device {
    let products = archer_wasm::wasm_session::products();
    // Chromium has had relaxed SIMD since its version 114.
    let best = if device::BACKEND == "cpu" { "relaxed" } else { "webgpu" };
    assert_eq!(products, best, "who multiplies matrices");
    let opened = device::open().await;
    opened.unwrap_or_else(|fault| {
        panic!("the lane {} has no device: {}", device::BACKEND, fault.message)
    })
}

fn worlds(config: &Config, _: Option<&About>) -> Result<std::sync::Arc<dyn Worlds>, WorldError> {
    archer_games::worlds(&config.world)
}

async fn load(file: &[u8]) -> Page {
    open().await;
    Page::load(file).await.unwrap_or_else(|fault| panic!("{}", fault.message))
}

async fn call(page: &mut Page, request: Value) -> Value {
    page.call(request, |_| ()).await.unwrap_or_else(|fault| panic!("{}", fault.message))
}

/// The largest difference, each beside the size of what it should be.
fn gap(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max)
}

/// The reference's actor: its tokenizer of GPT-2's kind, its weights, and the scores that it gave.
#[wasm_bindgen_test]
async fn the_actor_computes_what_the_reference_did() {
    let device = open().await;
    let file = |name: &str| {
        let bytes: Option<&'static [u8]> = match name {
            "config.json" => Some(include_bytes!("../parity/actor/config.json")),
            "tokenizer.json" => Some(include_bytes!("../parity/actor/tokenizer.json")),
            "model.safetensors" => Some(include_bytes!("../parity/actor/model.safetensors")),
            _ => None,
        };
        Ok(bytes.map(Into::into))
    };
    let agent = Agent::from_files(&file, &device).unwrap();
    let files = [("forward.safetensors".to_string(), FORWARD.into())];
    let forward = Weights::new(&files).unwrap();
    let ids = forward.integers("actor.sample0.input_ids").unwrap();
    let (_, theirs) = forward.values("actor.sample0.logits").unwrap();
    let time = ids.len();
    let ids: Vec<i32> = ids.into_iter().map(|id| id as i32).collect();
    let tokens = Tensor::<1, Int>::from_ints(ids.as_slice(), &device).reshape([1, time]);
    let positions = Tensor::arange(0..time as i64, &device).reshape([1, time]);
    let hidden = agent.actor.forward(tokens, positions);
    let width = hidden.dims()[2];
    let logits = agent.actor.logits(hidden.reshape([time, width]));
    let size = theirs.len();
    let ours = params::read(vec![logits.reshape([size])]).await.unwrap().remove(0);
    let gap = gap(&ours, &theirs);
    console_log!("lane {}: {size} scores of the reference, largest gap {gap:e}", device::BACKEND);
    assert!(gap < 1e-4, "{gap}");
}

/// The small module's products beside the sums that they are, however the two matrices lie.
#[cfg(not(feature = "webgpu"))]
#[wasm_bindgen_test]
async fn products_are_sums_of_products() {
    use archer_kernels::product::{Matrix, product};
    open().await;
    let values: Vec<f32> = (0..5000).map(|i| (i as f32 * 0.7).sin()).collect();
    let shapes = [
        [1, 20, 7],
        [3, 48, 48],
        [4, 5, 50],
        [7, 15, 300],
        [300, 17, 5],
        [19, 16, 258],
        [5, 1, 513],
    ];
    for [m, n, k] in shapes.into_iter().chain([[1, 1, 1], [2, 3, 0], [0, 16, 4]]) {
        for [turned, other_turned] in [[false, false], [false, true], [true, false], [true, true]] {
            let steps = |turned, rows, columns| if turned { [1, rows] } else { [columns, 1] };
            let a = Matrix::new(&values, [m, k], steps(turned, m, k));
            let b = Matrix::new(&values[9..], [k, n], steps(other_turned, k, n));
            let at = |x: &Matrix, row, column| {
                f64::from(x.values()[row * x.steps()[0] + column * x.steps()[1]])
            };
            let sum = |i| (0..k).map(|p| at(&a, i / n, p) * at(&b, p, i % n)).sum::<f64>() as f32;
            let sums: Vec<f32> = (0..m * n).map(sum).collect();
            let gap = gap(&product(a, b).expect("somebody multiplies"), &sums);
            assert!(gap < 2e-5, "[{m}, {k}] by [{k}, {n}], {turned} {other_turned}: {gap}");
        }
    }
}

/// Actor and critic of the model that is shipped, beside the example that was computed natively.
/// Bytes that no compiler chose: every number of four and of eight bits, with scale and shift.
#[wasm_bindgen_test]
fn packed_weights_are_what_their_bytes_say() {
    use archer_kernels::packed::{BLOCK, Kind, Packed, product};
    let f16 = |bits: u16| bits.to_le_bytes();
    let (quarter, minus_three) = (f16(0x3400), f16(0xc200));
    let bytes = |row: usize| (0..BLOCK).map(move |i| (i * 7 + row * 37) as u8);
    let low =
        |row: usize, i: usize| bytes(row).nth(i % 16).map(|b| if i < 16 { b & 15 } else { b >> 4 });
    let [rows, columns] = [9, BLOCK];
    type Weight<'a> = &'a dyn Fn(usize, usize) -> f32;
    let q8: Weight<'_> = &|row, i| f32::from(bytes(row).nth(i).unwrap() as i8) * 0.25;
    let q4: Weight<'_> = &|row, i| (f32::from(low(row, i).unwrap()) - 8.0) * 0.25;
    let shifted: Weight<'_> = &|row, i| f32::from(low(row, i).unwrap()) * 0.25 - 3.0;
    for (kind, weight) in [(Kind::Q8, q8), (Kind::Q4, q4), (Kind::Q4Shifted, shifted)] {
        let mut packed = Vec::new();
        for row in 0..rows {
            packed.extend(quarter);
            if kind == Kind::Q4Shifted {
                packed.extend(minus_three);
            }
            packed.extend(bytes(row).take(if kind == Kind::Q8 { BLOCK } else { BLOCK / 2 }));
        }
        let matrix = Packed::new(kind, [rows, columns], &packed);
        let mut unpacked = vec![0.0; rows * columns];
        matrix.unpack(&mut unpacked);
        let want: Vec<f32> =
            (0..rows * columns).map(|at| weight(at / columns, at % columns)).collect();
        assert_eq!(unpacked, want, "{kind:?}");
        for n in 1..=5 {
            let x: Vec<f32> = (0..n * columns).map(|i| ((i * 29) % 13) as f32 - 6.0).collect();
            // Small whole numbers and quarters: every order of the sum is exact.
            let cell = |at: usize| -> f32 {
                let (row, of) = (at / rows, at % rows);
                (0..columns).map(|i| x[row * columns + i] * want[of * columns + i]).sum()
            };
            let sums: Vec<f32> = (0..n * rows).map(cell).collect();
            assert_eq!(product(&x, matrix), sums, "{kind:?}, {n} rows");
        }
    }
}

#[wasm_bindgen_test]
async fn actor_and_critic_compute_what_they_did_natively() {
    let session = load(QUICKSTART).await;
    let native = Sections::from_bytes(QUICKSTART).unwrap();
    let here = Sections::from_bytes(&session.session.export(false).await.unwrap()).unwrap();
    let read = |sections: &Sections| -> (Value, Vec<f32>) {
        let example: Value = serde_json::from_slice(sections.get("example").unwrap()).unwrap();
        let mut numbers = vec![example["log_prob"].as_f64().unwrap() as f32];
        for key in ["q", "v"] {
            let pair = example[key].as_array().unwrap();
            numbers.extend(pair.iter().map(|number| number.as_f64().unwrap() as f32));
        }
        (example["utterance"].clone(), numbers)
    };
    let ((said, ours), (there, theirs)) = (read(&here), read(&native));
    assert_eq!(said, there);
    let gap = gap(&ours, &theirs);
    console_log!("lane {}: {said} natively and here, largest gap {gap:e}", device::BACKEND);
    assert!(gap < 1e-4, "{ours:?} {theirs:?}");
    assert_eq!(here.get("actor").unwrap(), native.get("actor").unwrap());
    assert_eq!(here.get("critic").unwrap(), native.get("critic").unwrap());
}

#[wasm_bindgen_test]
async fn twenty_iterations_of_archer_raise_the_return() {
    let mut session = load(BANDIT).await;
    let tune = json!({"iterations": 20, "games": 32, "seed": 1,
        "set": {"lm_lr": 3e-3, "critic_lr": 3e-3, "batch_size": 32, "warmup_iter": 2}});
    call(&mut session, json!({"method": "tune", "tune": tune})).await;
    let mut returns = Vec::new();
    for _ in 0..20 {
        let update = call(&mut session, json!({"method": "step"})).await;
        returns.push(update["return"]["mean"].as_f64().unwrap());
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&returns[..4]), mean(&returns[16..]));
    console_log!("lane {}: the bandit pays {first:.2}, then {last:.2}", device::BACKEND);
    assert!(last > first + 0.2, "{returns:?}");
}

/// As `tests/native/learner/fine_tune.rs`, in the page's own engine: a piano is said to come in different
/// colours.
#[wasm_bindgen_test]
async fn a_fine_tune_pays_in_a_changed_world() {
    let contrary = json!({"answers": {"Does it come in different colors?": {"piano": "yes"}}});
    let others = json!({"answers": contrary["answers"], "weights": {"piano": 0}});
    pays(QUICKSTART, contrary, others, 100).await;
}

/// The same of the student of 157 words that the page begins with: ten words become likelier.
#[wasm_bindgen_test]
async fn a_fine_tune_of_the_student_pays() {
    const TEN: [&str; 10] = [
        "dog", "truck", "piano", "banana", "chair", "computer", "mountain", "guitar", "apple",
        "car",
    ];
    let weights: serde_json::Map<_, _> =
        TEN.iter().map(|word| (word.to_string(), json!(16))).collect();
    pays(STUDENT, json!({"weights": weights}), json!({}), 314).await;
}

/// Twenty iterations in the changed world raise the return there, by its interval, and the rest loses
/// less than 0.5, over so many games each. Only where the CPU computes.
async fn pays(model: &[u8], change: Value, rest: Value, games: usize) {
    if device::BACKEND != "cpu" {
        console_log!("lane {}: not run, for it would take an hour in software", device::BACKEND);
        return;
    }
    let mut session = load(model).await;
    call(&mut session, json!({"method": "tune", "tune": {"seed": 1, "world": change}})).await;
    for _ in 0..20 {
        call(&mut session, json!({"method": "step"})).await;
    }
    let file = session.session.export(false).await.unwrap();
    let device = open().await;
    let mut gains = Vec::new();
    for change in [change, rest] {
        let change = serde_json::from_value(change).unwrap();
        let mut played = Vec::new();
        for file in [&file[..], model] {
            let plain = Trainer::resume(model, &worlds, &device).unwrap().config().world.clone();
            let world = WorldConfig::of(&plain).unwrap().changed(&change).worlds().unwrap();
            let agent = Trainer::resume(file, &worlds, &device).unwrap().agent();
            let greedy = Sampler::greedy();
            let player = agent.player(&greedy, 1);
            played.push(evaluate(player, world.as_ref(), games, 7).await.unwrap());
        }
        // As in `tests/native/learner/fine_tune.rs`: the mean over the games one by one, and its interval.
        let pairs = played[0].returns.iter().zip(&played[1].returns);
        let each: Vec<f64> = pairs.map(|(after, before)| after - before).collect();
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        let squares = each.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>();
        let half = 1.96 * (squares / (n - 1.0) / n).sqrt();
        gains.push((mean, [mean - half, mean + half]));
    }
    let [(gain, [low, high]), (kept, _)] = [gains[0], gains[1]];
    console_log!("a gain of {gain:.2} ({low:.2} to {high:.2}), on the rest {kept:.2}");
    assert!(low > 0.0, "{gain:.2} from {low:.2}");
    assert!(kept > -0.5, "the rest loses {kept:.2}");
}

/// A file of each precision, as the terminal writes them, plays here and checks itself.
#[wasm_bindgen_test]
async fn files_of_every_precision_are_read() {
    let device = open().await;
    let whole = Trainer::resume(QUICKSTART, &worlds, &device).unwrap();
    for precision in [Precision::F32, Precision::F16, Precision::Q8] {
        let file = whole.export_as(precision).await.unwrap();
        let mut session = load(&file).await;
        let info = call(&mut session, json!({"method": "info"})).await;
        assert_eq!(info["bytes"], file.len());
        console_log!("lane {}: {} bytes at {precision}", device::BACKEND, file.len());
        let sections = Sections::from_bytes(&file).unwrap();
        let example = sections.get("example").unwrap();
        let mut other: Value = serde_json::from_slice(example).unwrap();
        other["scores"][3] = json!(other["scores"][3].as_f64().unwrap() + 0.1);
        let mut altered = Sections::new();
        let names = ["actor", "actor_packed", "critic", "critic_packed", "state", "tokenizer"];
        for name in names.into_iter().chain(["actor_config", "critic_config"]) {
            if let Ok(bytes) = sections.get(name) {
                altered.push(name, bytes.to_vec());
            }
        }
        altered.push("example", other.to_string().into_bytes());
        let refused = Page::load(&altered.to_bytes()).await;
        assert_eq!(refused.err().expect("it computes something else").code, "bad-model");
    }
}

#[wasm_bindgen_test]
async fn a_saved_run_is_the_same_run() {
    let mut session = load(BANDIT).await;
    call(&mut session, json!({"method": "tune", "tune": {"iterations": 3, "games": 8}})).await;
    call(&mut session, json!({"method": "step"})).await;
    let file = session.session.export(true).await.unwrap();
    let mut other = load(&file).await;
    assert_eq!(other.session.export(true).await.unwrap(), file);
    let on = json!({"method": "tune", "tune": {"iterations": 2, "resume": true}});
    call(&mut other, on).await;
    let here = call(&mut session, json!({"method": "step"})).await;
    let there = call(&mut other, json!({"method": "step"})).await;
    let loss = |update: &Value| update["metrics"]["q1.loss"].as_f64().unwrap();
    if device::BACKEND == "cpu" {
        assert_eq!(here["metrics"], there["metrics"]);
    }
    assert!((loss(&here) - loss(&there)).abs() < 1e-4 * (1.0 + loss(&there)));
    console_log!("lane {}: {} bytes saved, loaded and gone on with", device::BACKEND, file.len());
}

/// The page's own border: requests as JSON, replies as JavaScript values, and an utterance that streams.
#[wasm_bindgen_test]
async fn the_agent_speaks_through_the_door() {
    use archer_wasm::wasm_session::WasmSession;
    use wasm_bindgen::prelude::*;
    open().await;
    let door = WasmSession::load(QUICKSTART.to_vec()).await.unwrap();
    let get = |value: &JsValue, key: &str| js_sys::Reflect::get(value, &key.into()).unwrap();
    let say = json!({"method": "say", "talk": {"opening": "Questions:\n"}, "sample": false, "seed": 1,
        "score": true, "alternatives": 3});
    let heard = js_sys::Array::new();
    let list = heard.clone();
    let hear = Closure::<dyn FnMut(JsValue)>::new(move |text| {
        list.push(&text);
    });
    let hear_function: js_sys::Function = hear.as_ref().clone().unchecked_into();
    let said = door.call(say.to_string(), Some(hear_function), None).await.unwrap();
    let question = get(&said, "text").as_string().unwrap();
    assert!(question.ends_with('?') && heard.length() > 1);
    assert_eq!(heard.get(heard.length() - 1).as_string().unwrap(), question);
    assert!(get(&said, "logProb").as_f64().unwrap() < 0.0);
    let fault = door.call(r#"{"method": "nonsense"}"#.into(), None, None).await.unwrap_err();
    assert_eq!(get(&fault, "code"), "usage");
    console_log!("lane {}: {question}", device::BACKEND);
}

/// A world in JavaScript: two doors, of which one opens. A fresh agent learns it from its choices alone.
#[wasm_bindgen_test]
async fn a_world_in_javascript_is_learned_from_nothing() {
    use archer_wasm::wasm_session::{WasmSession, register_world};
    use wasm_bindgen::prelude::*;
    open().await;
    let ask = js_sys::Function::new_with_args(
        "message",
        r#"
        const answer = (one) => {
            if (one.cmd === "close") return { game: one.game };
            if (one.cmd === "start") return { game: one.game, text: "Two doors.\n", choices: ["left", "right"] };
            const won = one.said === "left";
            return { game: one.game, reply: won ? "It opens." : "A wall.", reward: won ? 1 : 0, end: won ? "won" : "over" };
        };
        return Promise.resolve(JSON.stringify({ of: JSON.parse(message).of.map(answer) }));
        "#,
    );
    // JavaScript writes a whole number without a point.
    let world = register_world(r#"{"name": "doors", "max_turns": 1}"#, ask, None).unwrap() as u64;
    let spec = json!({"world": world, "seed": 1, "set": {"rollout_size": 16}});
    let door = WasmSession::create(spec.to_string()).await.unwrap();
    let number = |value: &JsValue, keys: [&str; 2]| {
        let inner = js_sys::Reflect::get(value, &keys[0].into()).unwrap();
        js_sys::Reflect::get(&inner, &keys[1].into()).unwrap().as_f64().unwrap()
    };
    // In software a graphics device takes ten seconds an iteration: there it is seen to go on, not to learn.
    let iterations = if device::BACKEND == "cpu" { 15 } else { 3 };
    let tune = json!({"method": "tune", "tune": {"iterations": iterations, "world": world}});
    door.call(tune.to_string(), None, None).await.unwrap();
    let mut returns = Vec::new();
    for _ in 0..iterations {
        let update = door.call(r#"{"method": "step"}"#.into(), None, None).await.unwrap();
        returns.push(number(&update, ["return", "mean"]));
    }
    console_log!("lane {}: the doors pay {returns:?}", device::BACKEND);
    assert!(returns.iter().all(|mean| (0.0..=1.0).contains(mean)), "{returns:?}");
    if device::BACKEND == "cpu" {
        assert!(returns[0] < 0.9 && returns[14] > 0.9, "{returns:?}");
    }
}
