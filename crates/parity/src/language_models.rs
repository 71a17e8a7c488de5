//! Tiny causal models of several layouts, and what transformers computes with them.
//!
//! The folder has a folder for each model, with `expected.safetensors` beside its files: for each text
//! `ids.N` the scores of all tokens at all places, the log-probability of each token after those before
//! it, and what is written greedily.

use archer::hf::weights::{self, Weights};
use archer::hf::{self};
use archer::nn::causal_lm::CausalLm;
use archer::nn::generate::Decoder;
use archer::nn::sampling::Sampler;
use archer::rng;
use burn::tensor::{Device, Int, Tensor};

use super::bench::{read, read_one};
use super::fixtures::{Fixtures, TensorFile};
use super::ledger::{Kind, Ledger};
use crate::error::Error;

/// The file that says which models there are.
pub const META: &str = "meta.json";
/// The numbers beside a model's files.
const EXPECTED: &str = "expected.safetensors";

/// Every model that the folder names.
pub async fn run(fixtures: &Fixtures, device: &Device, ledger: &mut Ledger) -> Result<(), Error> {
    let meta = fixtures.json(META)?;
    for name in meta.root().get("cases")?.keys()? {
        model(fixtures, &name, device, ledger).await?;
    }
    Ok(())
}

async fn model(
    fixtures: &Fixtures,
    name: &str,
    device: &Device,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let expected = fixtures.tensors(&format!("{name}/{EXPECTED}"))?;
    let lm = load(fixtures, name, device)?;
    for text in 0.. {
        let Some(ids) = ids(&expected.weights()?, &format!("ids.{text}")) else { break };
        forward(&lm, &expected, &ids, (name, text), ledger).await?;
        greedy(&lm, &expected, &ids, (name, text), ledger).await?;
    }
    Ok(())
}

/// A model of the folder.
fn load(fixtures: &Fixtures, name: &str, device: &Device) -> Result<CausalLm, Error> {
    let file = |path: &str| Ok(fixtures.bytes(path));
    let config = format!("{name}/config.json");
    let files = weights::files(&file, &format!("{name}/"))?;
    let bytes = fixtures.need(&config)?;
    let (shape, weights) = hf::actor_weights((&config, &bytes), &files, &mut Vec::new())?;
    // What is drawn here is replaced at once.
    let fresh = shape.init(&mut rng::stream(0, "parity", 0), device);
    Ok(weights.fill(fresh, hf::Format::Actor, |_| false)?)
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
    let device = lm.device();
    let grid = |values: Vec<i32>| {
        Tensor::<1, Int>::from_ints(values.as_slice(), &device).reshape([1, ids.len()])
    };
    let tokens = grid(ids.iter().map(|&id| id as i32).collect());
    let hidden = lm.forward(tokens, grid((0..ids.len() as i32).collect()));
    let width = hidden.dims()[2];
    let hidden = hidden.reshape([ids.len(), width]);
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
