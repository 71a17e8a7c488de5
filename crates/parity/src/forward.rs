//! `forward.json` and `forward.safetensors`: the networks and the log-probabilities, without a step.

use archer::algorithms::archer::compat;
use archer::algorithms::common::score;
use archer::nn::batch;
use archer::nn::critic::{DoubleCritic, Texts, Values};
use archer::nn::fused::Mask;
use burn::module::Module;
use burn::tensor::{Int, Tensor};

use super::bench::{Bench, Case, read, read_one};
use super::fixtures::{Node, TensorFile};
use super::ledger::{Kind, Ledger};
use crate::error::Error;

/// Everything.
pub async fn run(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("forward.json")?;
    let root = file.root();
    let critic = bench.critic.valid();
    for (key, critic) in [("critic", &critic), ("target_critic", &bench.target)] {
        for name in root.get(key)?.keys()? {
            let rows = &bench.case(&name)?.rows;
            let node = root.get(key)?.get(&name)?;
            let observations = rows.iter().map(|row| row.observation.as_str());
            let actions = rows.iter().map(|row| row.action.as_str());
            let name = format!("forward/{name}/{key}");
            values(bench, ledger, &name, critic, (observations, actions), &node).await?;
        }
    }
    let edge = root.get("critic_edge")?;
    let (observations, actions) = (edge.get("observation")?.texts()?, edge.get("action")?.texts()?);
    let texts = (observations.into_iter(), actions.into_iter());
    values(bench, ledger, "forward/critic_edge/critic", &critic, texts, &edge).await?;
    for name in root.get("log_prob")?.keys()? {
        log_probs(bench, ledger, bench.case(&name)?, &root.get("log_prob")?.get(&name)?).await?;
    }
    match bench.fixtures.has("forward.safetensors") {
        true => hidden(bench, ledger, &bench.fixtures.tensors("forward.safetensors")?).await,
        false => {
            ledger.skip("forward.safetensors", "the folder has no such file");
            Ok(())
        }
    }
}

/// The four values of a critic on some texts.
async fn values<'a>(
    bench: &Bench,
    ledger: &mut Ledger,
    name: &str,
    critic: &DoubleCritic,
    texts: (impl Iterator<Item = &'a str>, impl Iterator<Item = &'a str>),
    node: &Node<'_>,
) -> Result<(), Error> {
    let (states, actions) =
        (plain(bench.critic_texts(texts.0)), plain(bench.critic_texts(texts.1)));
    let Values { q1, q2, v1, v2 } = critic.forward(states, actions);
    let read = read(vec![q1, q2, v1, v2]).await?;
    for (key, ours) in ["q1", "q2", "v1", "v2"].into_iter().zip(read) {
        let reference = node.get("f64")?.get(key)?.numbers()?;
        ledger.compare(format!("{name}.{key}"), Kind::Value, &reference, &ours);
    }
    Ok(())
}

/// Rows for a network without autodiff.
fn plain(texts: Texts) -> Texts {
    Texts { tokens: texts.tokens.inner(), mask: texts.mask }
}

/// Log-probabilities of a batch's actions: in the default numerics they are those of each pair
/// alone, independent of the other pairs; in the reference's they are those of its batch.
async fn log_probs(
    bench: &Bench,
    ledger: &mut Ledger,
    case: &Case,
    node: &Node<'_>,
) -> Result<(), Error> {
    let policy = bench.policy().valid();
    for key in node.keys()? {
        let said: Option<Vec<&String>> = case
            .rows
            .iter()
            .map(|row| match key.as_str() {
                "action" => Some(&row.action),
                "pi_action" => Some(&row.pi_action),
                _ => None,
            })
            .collect();
        let name = format!("forward/{}/log_prob.{key}", case.name);
        let Some(said) = said else {
            ledger.skip(name, "the batches have no such column");
            continue;
        };
        let tokens: Vec<_> = case.rows.iter().map(|row| bench.tokens(&row.observation)).collect();
        let actions: Vec<_> = said.iter().map(|text| bench.tokens(text)).collect();
        let pairs: Vec<(&[u32], &[u32])> = tokens
            .iter()
            .zip(&actions)
            .map(|(state, action)| (bench.layout.observation(state), &action[..]))
            .collect();
        let reference = node.get(&key)?.get("f64")?;
        let alone = reference.get("each_alone")?.numbers()?;
        let sums = |log_prob: Tensor<2>| read_one(log_prob.sum_dim(1).squeeze_dim(1));
        if actions.iter().all(|action| !action.is_empty()) {
            let ours = sums(score(&policy, &pairs, &[], false).log_prob).await?;
            ledger.compare(format!("{name}.each_alone"), Kind::LogProb, &alone, &ours);
        } else {
            ledger.skip(
                format!("{name}.each_alone"),
                "an action is empty, and by default nothing is ever said without a token",
            );
        }
        let batch = reference.get("official_batch")?.numbers()?;
        let ours = sums(compat::score(&policy, &pairs, bench.words.pad).log_prob).await?;
        ledger.compare(format!("{name}.official_batch"), Kind::LogProb, &batch, &ours);
        // The reference's numerics on one row at a time have no padding to be wrong about.
        let mut ours = Vec::new();
        for pair in &pairs {
            ours.extend(sums(compat::score(&policy, &[*pair], bench.words.pad).log_prob).await?);
        }
        ledger.compare(format!("{name}.each_alone.compat"), Kind::LogProb, &alone, &ours);
    }
    Ok(())
}

/// Pooled states, and for one sample the hidden states of each layer.
async fn hidden(bench: &Bench, ledger: &mut Ledger, file: &TensorFile) -> Result<(), Error> {
    let critic = bench.critic.valid();
    let mut seen = Vec::new();
    for case in &bench.cases {
        for (who, critic) in [("critic", &critic), ("target_critic", &bench.target)] {
            for part in ["observation", "action"] {
                let key = format!("{who}.{}.pooled_{part}", case.name);
                if !file.has(&key)? {
                    continue;
                }
                let texts = case.rows.iter().map(|row| match part {
                    "observation" => row.observation.as_str(),
                    _ => row.action.as_str(),
                });
                let pooled = critic.encode(plain(bench.critic_texts(texts)));
                let size = pooled.dims().iter().product::<usize>();
                let ours = read_one(pooled.reshape([size])).await?;
                ledger.compare(name_of(&key), Kind::Hidden, &file.values(&key)?, &ours);
                seen.push(key);
            }
        }
    }
    critic_sample(bench, ledger, file, &critic, &mut seen).await?;
    actor_sample(bench, ledger, file, &mut seen).await?;
    for name in file.weights()?.names() {
        if !seen.iter().any(|seen| seen == name) {
            ledger.skip(name_of(name), "a tensor that this command does not know");
        }
    }
    Ok(())
}

fn name_of(key: &str) -> String {
    format!("forward/{}", key.replacen('.', "/", 1))
}

/// The token ids of the sample, if the file has any.
fn ids(file: &TensorFile, key: &str, seen: &mut Vec<String>) -> Result<Option<Vec<u32>>, Error> {
    let ids = file.weights()?.integers(key);
    seen.push(key.to_string());
    Ok(ids.map(|ids| ids.into_iter().map(|id| id as u32).collect()))
}

async fn critic_sample(
    bench: &Bench,
    ledger: &mut Ledger,
    file: &TensorFile,
    critic: &DoubleCritic,
    seen: &mut Vec<String>,
) -> Result<(), Error> {
    let Some(ids) = ids(file, "critic.sample0.input_ids", seen)? else {
        ledger.skip("forward/critic/sample0", "forward.safetensors has no such ids");
        return Ok(());
    };
    let rows = |ids: Vec<u32>| plain(batch::texts(&[ids], bench.critic_words.pad, &bench.device));
    let texts = rows(ids.clone());
    let states = critic.body().hidden_states(texts.tokens, &texts.mask);
    let pooled = critic.encode(rows(ids));
    let width = pooled.dims()[1];
    layers(ledger, file, "critic.sample0", states, seen).await?;
    let key = "critic.sample0.pooled";
    let ours = read_one(pooled.reshape([width])).await?;
    ledger.compare(name_of(key), Kind::Hidden, &file.values(key)?, &ours);
    seen.push(key.to_string());
    Ok(())
}

async fn actor_sample(
    bench: &Bench,
    ledger: &mut Ledger,
    file: &TensorFile,
    seen: &mut Vec<String>,
) -> Result<(), Error> {
    let Some(ids) = ids(file, "actor.sample0.input_ids", seen)? else {
        ledger.skip("forward/actor/sample0", "forward.safetensors has no such ids");
        return Ok(());
    };
    let actor = bench.actor.valid();
    let device = actor.device();
    let time = ids.len();
    let ids: Vec<i32> = ids.into_iter().map(|id| id as i32).collect();
    let tokens = Tensor::<1, Int>::from_ints(ids.as_slice(), &device).reshape([1, time]);
    let positions = Tensor::arange(0..time as i64, &device).reshape([1, time]);
    let states = actor.hidden_states(tokens, positions, &Mask::causal(time));
    let last = states[states.len() - 1].clone();
    let width = last.dims()[2];
    layers(ledger, file, "actor.sample0", states, seen).await?;
    let logits = actor.logits(last.reshape([time, width]));
    let size = logits.dims().iter().product::<usize>();
    let key = "actor.sample0.logits";
    let ours = read_one(logits.reshape([size])).await?;
    ledger.compare(name_of(key), Kind::Hidden, &file.values(key)?, &ours);
    seen.push(key.to_string());
    Ok(())
}

async fn layers(
    ledger: &mut Ledger,
    file: &TensorFile,
    prefix: &str,
    states: Vec<Tensor<3>>,
    seen: &mut Vec<String>,
) -> Result<(), Error> {
    for (layer, state) in states.into_iter().enumerate() {
        let key = format!("{prefix}.hidden_{layer}");
        let size = state.dims().iter().product::<usize>();
        let ours = read_one(state.reshape([size])).await?;
        ledger.compare(name_of(&key), Kind::Hidden, &file.values(&key)?, &ours);
        seen.push(key);
    }
    Ok(())
}
