//! Tiny causal models of several layouts, and what transformers computes with them.
//!
//! The folder has a folder for each model, with `expected.safetensors` beside its files: for each text
//! `ids.N` the scores of all tokens at all places, the log-probability of each token after those before
//! it, and what is written greedily. Beside it, `adapter` has adapters in PEFT's files, whose scores,
//! gradients and values after three steps of Adam are compared likewise, and the scores of the model that
//! they are merged into.

use archer::Config;
use archer::algorithms::common::learner::{Context, Learner};
use archer::algorithms::common::{Layout, Policy};
use archer::config::Held;
use archer::hf::weights::{self, Weights};
use archer::hf::{self, Format, peft};
use archer::nn::causal_lm::CausalLm;
use archer::nn::generate::{Decoder, Utterance};
use archer::nn::params;
use archer::nn::sampling::Sampler;
use archer::ranks::Workers;
use archer::rng;
use archer::text::Tokenizer;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::bench::{read, read_one};
use super::fixtures::{Fixtures, Node, TensorFile};
use super::ledger::{Kind, Ledger, Tensors};
use crate::error::Error;

/// The file that says which models there are.
pub const META: &str = "meta.json";
/// The numbers beside a model's files.
const EXPECTED: &str = "expected.safetensors";

/// Every model that the folder names.
pub async fn run(fixtures: &Fixtures, device: &Device, ledger: &mut Ledger) -> Result<(), Error> {
    let meta = fixtures.json(META)?;
    for name in meta.root().get("cases")?.keys()? {
        model(fixtures, &meta.root(), &name, device, ledger).await?;
    }
    Ok(())
}

async fn model(
    fixtures: &Fixtures,
    meta: &Node<'_>,
    name: &str,
    device: &Device,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let expected = fixtures.tensors(&format!("{name}/{EXPECTED}"))?;
    let lm = load(fixtures, name, device)?;
    let weights = expected.weights()?;
    let texts: Vec<Vec<u32>> =
        (0..).map_while(|text| ids(&weights, &format!("ids.{text}"))).collect();
    for (text, ids) in texts.iter().enumerate() {
        forward(&lm, &expected, ids, (name, text), ledger).await?;
        greedy(&lm, &expected, ids, (name, text), ledger).await?;
    }
    let case = meta.get("cases")?.get(name)?;
    match fixtures.has(&format!("{name}/adapter/{}", peft::CONFIG)) {
        true => adapters(fixtures, lm, &texts, &case, (&expected, name), ledger).await,
        false => {
            ledger.skip(format!("{name}/adapter"), "the folder has no such part");
            Ok(())
        }
    }
}

/// The adapters of a model: what it computes with them, a step's gradients, and what three steps make of
/// them.
async fn adapters(
    fixtures: &Fixtures,
    lm: CausalLm,
    texts: &[Vec<u32>],
    case: &Node<'_>,
    (expected, name): (&TensorFile, &str),
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let config = format!("{name}/adapter/{}", peft::CONFIG);
    let weights = format!("{name}/adapter/{}", peft::WEIGHTS);
    let lora = peft::read_config(&config, &fixtures.need(&config)?)?;
    let files = vec![(weights.clone(), fixtures.need(&weights)?.into())];
    let autodiff = lm.device().autodiff();
    let lm = peft::read(lm, &lora, &files, &autodiff)?;
    let written = peft::write_adapters(&lm).await?;
    let again = TensorFile::of(name, written).part("")?;
    let file = fixtures.tensors(&weights)?.part("")?;
    ledger.same(
        format!("{name}/adapter/file"),
        &file.into_iter().collect::<Vec<_>>(),
        &again.into_iter().collect::<Vec<_>>(),
    );
    for (text, ids) in texts.iter().enumerate() {
        let scores = scores(&lm.valid(), ids).await?;
        let reference = expected.values(&format!("lora.logits.{text}"))?;
        ledger.compare(format!("{name}/{text}/lora.logits"), Kind::Hidden, &reference, &scores);
    }
    let lm = steps(lm, texts, case, (expected, name), ledger).await?;
    let device = lm.device().inner();
    let merged = scores(&lm.merged(&device), &texts[0]).await?;
    let reference = expected.values("merged.logits.0")?;
    ledger.compare(format!("{name}/merged.logits"), Kind::Hidden, &reference, &merged);
    Ok(())
}

/// Compares tensors name by name.
fn tensors(reference: Tensors, ours: &Tensors, (kind, name): (Kind, String), ledger: &mut Ledger) {
    for (tensor, (_, reference)) in reference {
        let ours = ours.get(&tensor).map_or(&[][..], |(_, values)| values);
        let wide =
            |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        ledger.compare(format!("{name}/{tensor}"), kind, &wide(&reference), &wide(ours));
    }
}

/// Three steps of the learner's own policy gradient on `−Σ weight · Σ log π / tokens` over the texts: of
/// each the first token is the state and the rest the action.
async fn steps(
    lm: CausalLm,
    texts: &[Vec<u32>],
    case: &Node<'_>,
    (expected, name): (&TensorFile, &str),
    ledger: &mut Ledger,
) -> Result<CausalLm, Error> {
    let states: Vec<&[u32]> = texts.iter().map(|text| &text[..1]).collect();
    let said = texts.iter().map(|text| text[1..].to_vec());
    let actions: Vec<Utterance> =
        said.map(|tokens| Utterance { tokens, ..Utterance::default() }).collect();
    // The step takes the mean over its rows.
    let weights = case.get("weights")?.numbers()?;
    let rows = texts.len() as f64;
    let advantages: Vec<f32> = texts
        .iter()
        .zip(&weights)
        .map(|(text, weight)| (rows * weight / text.len() as f64) as f32)
        .collect();
    let config = Config {
        lm_lr: case.get("adam")?.get("lr")?.number()?,
        max_grad_norm: 0.0,
        batch_size: texts.len(),
        grad_accum_steps: 1,
        ..Config::default()
    };
    // Of words nothing is asked here.
    let tokenizer = Tokenizer::train(["Go.\n".to_string()].into_iter(), 261, 4)?;
    let longest = texts.iter().map(Vec::len).max().unwrap_or(1);
    let layout = Layout::new(&tokenizer, lm.config().positions, longest, longest);
    let context = Context {
        config: &config,
        tokenizer: &tokenizer,
        layout: &layout,
        iteration: 0,
        workers: Workers::threads(1),
    };
    let mut learner = Learner::new(Policy::new(lm), None);
    let mut losses = Vec::new();
    for step in 0..case.get("losses")?.list()?.len() {
        let told = learner.policy_step_on(&states, &actions, &advantages, &context).await?;
        losses.push(told.get("pg.loss").unwrap_or(f64::NAN));
        if step == 0 {
            // Adam's memory of one step is a tenth of its gradient.
            let moments = learner.actor_adam.moment_1.iter();
            let gradients = moments.map(|moment| moment.clone().mul_scalar(10.0)).collect();
            let ours = hf::laid_out(&learner.policy.lm, gradients, Format::Adapter).await?;
            let of = (Kind::LargestOf, format!("{name}/grad"));
            tensors(expected.part("grad.")?, &ours, of, ledger);
        }
    }
    let reference = case.get("losses")?.numbers()?;
    ledger.compare(format!("{name}/losses"), Kind::Hidden, &reference, &losses);
    let lm = learner.policy.lm;
    let ours = hf::laid_out(&lm, params::tensors(&lm), Format::Adapter).await?;
    let of = (Kind::Parameter, format!("{name}/after"));
    tensors(expected.part("after.")?, &ours, of, ledger);
    Ok(lm)
}

/// Hidden states of a text, `[time, width]`.
fn hidden(lm: &CausalLm, ids: &[u32]) -> Tensor<2> {
    let device = lm.device();
    let grid = |values: Vec<i32>| {
        Tensor::<1, Int>::from_ints(values.as_slice(), &device).reshape([1, ids.len()])
    };
    let tokens = grid(ids.iter().map(|&id| id as i32).collect());
    let hidden = lm.forward(tokens, grid((0..ids.len() as i32).collect()));
    let width = hidden.dims()[2];
    hidden.reshape([ids.len(), width])
}

/// The scores of all tokens at all places of a text.
async fn scores(lm: &CausalLm, ids: &[u32]) -> Result<Vec<f64>, Error> {
    read_one(lm.logits(hidden(lm, ids)).flatten::<1>(0, 1)).await
}

/// A model of the folder.
fn load(fixtures: &Fixtures, name: &str, device: &Device) -> Result<CausalLm, Error> {
    let file = |path: &str| Ok(fixtures.bytes(path).map(Into::into));
    let config = format!("{name}/config.json");
    let files = weights::files(&file, &format!("{name}/"))?;
    let bytes = fixtures.need(&config)?;
    let (shape, weights) = hf::actor_weights((&config, &bytes), &files, &mut Vec::new())?;
    Ok(hf::made_of(&shape, &weights, Held::Stored, device)?)
}

/// A tensor of token ids.
fn ids(weights: &Weights<'_>, name: &str) -> Option<Vec<u32>> {
    let (_, ids) = weights.numbers(name).ok()?;
    Some(ids.into_iter().map(|id| id as u32).collect())
}

/// The scores at all places, and the log-probabilities.
async fn forward(
    lm: &CausalLm,
    expected: &TensorFile,
    ids: &[u32],
    (name, text): (&str, usize),
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let hidden = hidden(lm, ids);
    let scores = read_one(lm.logits(hidden.clone()).flatten::<1>(0, 1)).await?;
    let reference = expected.values(&format!("logits.{text}"))?;
    ledger.compare(format!("{name}/{text}/logits"), Kind::Hidden, &reference, &scores);
    let before = hidden.narrow(0, 0, ids.len() - 1);
    let log_probs = read(vec![lm.log_prob(before, &ids[1..])]).await?.remove(0);
    let reference = expected.values(&format!("log_prob.{text}"))?;
    ledger.compare(format!("{name}/{text}/log_prob"), Kind::Hidden, &reference, &log_probs);
    Ok(())
}

/// What follows greedily, by the cache.
async fn greedy(
    lm: &CausalLm,
    expected: &TensorFile,
    ids: &[u32],
    (name, text): (&str, usize),
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let Some(reference) = self::ids(&expected.weights()?, &format!("greedy.{text}")) else {
        ledger.skip(format!("{name}/{text}/greedy"), "the file has no such tensor");
        return Ok(());
    };
    let mut decoder = Decoder::new(lm, 1);
    decoder.read(&[ids.to_vec()]);
    // The likeliest token needs no chance.
    let mut rngs = vec![rng::stream(0, "parity", 0)];
    let sampler = Sampler::greedy();
    let written = decoder.generate(&sampler, &mut rngs, reference.len(), |_| false).await?;
    ledger.same(format!("{name}/{text}/greedy"), &reference, &written[0].tokens);
    Ok(())
}
