//! `update_trace.json`: whole updates in a row, by the reference's numerics.
//!
//! Over several steps differences grow, and Adam's sign makes the most of the smallest. What they
//! may come to is therefore the larger of the table's tolerance and ten times what the reference's
//! own 32-bit run is off its 64-bit run at the very number, which the file records.

use archer::algorithms::archer::compat::{Draws, UpdateReport};
use archer::config::{Config, Numerics};
use archer::nn::params;
use archer::rl::transition::Transition;

use super::bench::{Bench, Case, config, critic_parameters, of_actor};
use super::critic::{clip_numbers, kind_of};
use super::fixtures::Node;
use super::ledger::{Columns, Kind, Ledger, Scale, tolerance};
use crate::error::Error;

/// All settings on all buffers.
pub async fn run(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("update_trace.json")?;
    let root = file.root();
    let batch_size = root.get("batch_size")?.count()?.max(1);
    for setting in root.keys()?.into_iter().filter(|key| key != "batch_size") {
        let node = root.get(&setting)?;
        let config = config(&node.get("hyper")?, batch_size, Numerics::Compat)?;
        for buffer in node.keys()?.into_iter().filter(|key| key != "hyper") {
            // A buffer is named after the batches that were put into it.
            let cases: Result<Vec<&Case>, Error> =
                buffer.split("_then_").map(|name| bench.case(name)).collect();
            let name = format!("update_trace/{setting}.{buffer}");
            trace(bench, ledger, &name, &config, &cases?, &node.get(&buffer)?).await?;
        }
    }
    Ok(())
}

async fn trace(
    bench: &Bench,
    ledger: &mut Ledger,
    name: &str,
    config: &Config,
    cases: &[&Case],
    node: &Node<'_>,
) -> Result<(), Error> {
    let (truth, single) = (node.get("f64")?, node.get("f32")?);
    let context = bench.context(config);
    let buffer: Vec<Transition> = cases.iter().flat_map(|case| bench.transitions(case)).collect();
    let table = bench.table(cases);
    let mut learner = bench.learner(bench.policy());
    let spreads = single.get("updates")?.list()?;
    for (i, update) in truth.get("updates")?.list()?.iter().enumerate() {
        let draws = draws(&buffer, &update.get("drawn")?, config)?;
        let report = learner
            .update_compat(&draws, &context, async |_, turns| {
                Ok(turns.iter().map(|turn| table[&turn.observation[..]].clone()).collect())
            })
            .await?;
        let Some(spread) = spreads.get(i) else {
            return Err(Error::Failure(format!("{name}: the f32 run has fewer updates")));
        };
        compare(ledger, &format!("{name}/{i}"), &report, update, spread)?;
    }
    let actor = of_actor(&learner.policy, params::tensors(&learner.policy)).await?;
    for (key, ours) in [
        ("actor", actor),
        ("critic", critic_parameters(&learner.critics().online).await?),
        ("target_critic", critic_parameters(&learner.critics().target).await?),
    ] {
        ledger.checksums(&format!("{name}/{key}"), Scale::Parameter, &truth.get(key)?, &ours)?;
    }
    Ok(())
}

/// The transitions of each step, from the places that were drawn: the critic's steps first.
fn draws<'a>(
    buffer: &'a [Transition],
    drawn: &Node<'_>,
    config: &Config,
) -> Result<Draws<'a>, Error> {
    let rows = config.batch_size * config.grad_accum_steps.max(1);
    let turns: Option<Vec<&Transition>> =
        drawn.ids()?.into_iter().map(|place| buffer.get(place as usize)).collect();
    let turns = turns.filter(|turns| turns.len() == rows * (config.epochs + config.actor_epochs));
    let Some(turns) = turns else {
        return Err(Error::Failure(
            "update_trace.json: an update's draws do not fit its buffer and hyperparameters".into(),
        ));
    };
    let mut steps = turns.chunks(rows).map(<[&Transition]>::to_vec);
    let critic = steps.by_ref().take(config.epochs).collect();
    Ok(Draws { critic, actor: steps.collect() })
}

fn compare(
    ledger: &mut Ledger,
    name: &str,
    report: &UpdateReport,
    truth: &Node<'_>,
    single: &Node<'_>,
) -> Result<(), Error> {
    let info = (truth.get("info")?, single.get("info")?);
    numbers(ledger, &format!("{name}.info"), &report.info, &info.0, &info.1)?;
    let infos = (truth.get("actor_infos")?.list()?, single.get("actor_infos")?.list()?);
    let counts = [infos.0.len() as f64, infos.1.len() as f64];
    ledger.compare(
        format!("{name}.actor_infos"),
        Kind::Exact,
        &counts,
        &[report.actor.len() as f64; 2],
    );
    for (i, ((ours, truth), single)) in report.actor.iter().zip(infos.0).zip(infos.1).enumerate() {
        numbers(ledger, &format!("{name}.actor_infos.{i}"), ours, &truth, &single)?;
    }
    let clips = (truth.get("clips")?.list()?, single.get("clips")?.list()?);
    let counts = [clips.0.len() as f64, clips.1.len() as f64];
    ledger.compare(format!("{name}.clips"), Kind::Exact, &counts, &[report.clips.len() as f64; 2]);
    for (i, ((clip, truth), single)) in report.clips.iter().zip(clips.0).zip(clips.1).enumerate() {
        numbers(ledger, &format!("{name}.clips.{i}"), &clip_numbers(clip), &truth, &single)?;
    }
    Ok(())
}

/// Compares named numbers, one check for each.
fn numbers(
    ledger: &mut Ledger,
    name: &str,
    ours: &[(&'static str, f64)],
    truth: &Node<'_>,
    single: &Node<'_>,
) -> Result<(), Error> {
    for key in truth.keys()? {
        let name = format!("{name}.{key}");
        let reference = truth.get(&key)?.number()?;
        let spread = (single.get(&key)?.number()? - reference).abs();
        let kind = if key.contains("norm") { Kind::Norm } else { kind_of(&key) };
        match ours.iter().find(|(known, _)| *known == key) {
            Some(&(_, value)) => {
                let mut column = Columns::default();
                column.push(tolerance(kind, reference).max(10.0 * spread), reference, value);
                column.book(ledger, name);
            }
            None => ledger.skip(name, "a number that this command does not know"),
        }
    }
    Ok(())
}
