//! `critic_step`: targets, losses, gradients, clip, Adam and the target's update.

use archer::algorithms::archer::compat::{self, Clip, Draws};
use archer::config::Numerics;
use archer::hf::{self, Format};
use archer::nn::critic::Values;
use archer::nn::generate::Utterance;
use archer::nn::optim::{Adam, clip_global_norm, global_norm, polyak};
use archer::rl::transition::Transition;
use burn::module::Module;

use super::bench::{Bench, Case, config, critic_parameters, laid_out, parameters, read, read_one};
use super::fixtures::Node;
use super::ledger::{Kind, Ledger, Scale};
use crate::error::Error;

/// The batch whose gradients and parameters are written down in full.
pub const FULL: &str = "even";

/// All batches.
pub async fn run(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("critic_step.json")?;
    for name in file.root().keys()? {
        step(bench, ledger, bench.case(&name)?, &file.root().get(&name)?).await?;
    }
    if !bench.fixtures.has("critic_step.safetensors") {
        let reason = "the folder has no such file; its checksums were compared";
        ledger.skip("critic_step.safetensors", reason);
        return Ok(());
    }
    match file.root().find(FULL) {
        Some(node) => optimiser(bench, ledger, &node).await,
        None => {
            ledger.skip("critic_step.safetensors", "critic_step.json says not how it was made");
            Ok(())
        }
    }
}

async fn step(
    bench: &Bench,
    ledger: &mut Ledger,
    case: &Case,
    node: &Node<'_>,
) -> Result<(), Error> {
    let named = |quantity: &str| format!("critic_step/{}/{quantity}", case.name);
    let truth = node.get("f64")?;
    let config = config(&node.get("hyper")?, case.rows.len(), Numerics::Compat)?;
    let context = bench.context(&config);
    let mut learner = bench.learner(bench.policy());
    let (turns, fresh) = (bench.transitions(case), bench.fresh(case));
    let turns: Vec<&Transition> = turns.iter().collect();
    let part = learner.critic_part(&turns, &fresh.iter().collect::<Vec<&Utterance>>(), &context)?;

    let keys = ["q1", "q2", "v1", "v2"];
    let targets = ["target_for_v1", "target_for_v2", "target_for_q1", "target_for_q2"];
    for (key, ours) in keys.into_iter().chain(targets).zip(read(part.values.to_vec()).await?) {
        ledger.compare(named(key), Kind::Value, &truth.get(key)?.numbers()?, &ours);
    }
    let text = |of: fn(&super::bench::Row) -> &String| {
        bench.critic_texts(case.rows.iter().map(move |row| of(row).as_str()))
    };
    let states = text(|row| &row.observation);
    let judged = bench.target.forward(inner(states), inner(text(|row| &row.pi_action)));
    four(ledger, &named("target_critic_at_s_and_pi_action"), &truth, judged).await?;
    let nexts = text(|row| &row.next_observation);
    let judged = bench.target.forward(inner(nexts), inner(text(|row| &row.action)));
    four(ledger, &named("target_critic_at_next_s_and_action"), &truth, judged).await?;

    info(ledger, &named, &truth, &compat::critic_report(&part).await?)?;
    let total = read(part.losses.to_vec()).await?.concat().iter().sum();
    ledger.compare_one(named("total_loss"), Kind::Loss, truth.get("total_loss")?.number()?, total);
    let norm = read_one(global_norm(&part.gradients)).await?[0];
    let wanted = truth.get("clip")?.get("critic_grad_norm")?.number()?;
    ledger.compare_one(named("grad_norm"), Kind::Norm, wanted, norm);
    let gradients = laid_out(&bench.critic, part.gradients, Format::Encoder).await?;
    let scale = Scale::Norm(wanted);
    let checksums = node.get("grad_checksums_before_clip")?;
    ledger.checksums(&named("grads"), scale, &checksums, &gradients)?;
    if case.name == FULL && bench.fixtures.has("critic_step.safetensors") {
        let full = bench.fixtures.tensors("critic_step.safetensors")?.part("grads/")?;
        ledger.tensors(&named("grads"), scale, &full, &gradients);
    }

    // The whole step twice: by the default numerics, and by the reference's.
    let fixed = super::bench::config(&node.get("hyper")?, case.rows.len(), Numerics::Fixed)?;
    let report = learner.critic_step_on(&turns, &fresh, &bench.context(&fixed)).await?;
    let norm = report.get("critic.grad_norm").unwrap_or(f64::NAN);
    ledger.compare_one(named("fixed.grad_norm"), Kind::Norm, wanted, norm);
    after(ledger, &named, "fixed.", node, &learner).await?;
    let mut learner = bench.learner(bench.policy());
    let draws = Draws { critic: vec![turns], actor: Vec::new() };
    let report = learner.update_compat(&draws, &context, async |_, _| Ok(fresh.clone())).await?;
    let clip = report.clips.first().copied();
    clips(ledger, &named("clip"), &truth.get("clip")?, clip)?;
    after(ledger, &named, "", node, &learner).await
}

fn inner(texts: archer::nn::critic::Texts) -> archer::nn::critic::Texts {
    archer::nn::critic::Texts { tokens: texts.tokens.inner(), mask: texts.mask }
}

/// Four values against a list of four lists.
async fn four(
    ledger: &mut Ledger,
    name: &str,
    truth: &Node<'_>,
    ours: Values,
) -> Result<(), Error> {
    let key = name.rsplit('/').next().unwrap_or(name);
    let reference = truth.get(key)?.rows()?;
    let ours = read(vec![ours.q1, ours.q2, ours.v1, ours.v2]).await?;
    ledger.compare(name, Kind::Value, &reference.concat(), &ours.concat());
    Ok(())
}

/// What kind of number a statistic is.
pub fn kind_of(key: &str) -> Kind {
    match key {
        "pg.loss" => Kind::PolicyLoss,
        _ if key.ends_with(".loss") || key.starts_with("values.") => Kind::Loss,
        _ if key.contains("advantages.") => Kind::Advantage,
        _ => Kind::Value,
    }
}

/// Compares the report of a step: each number of the reference's with ours of the same name.
pub fn info(
    ledger: &mut Ledger,
    named: &dyn Fn(&str) -> String,
    truth: &Node<'_>,
    ours: &[(&'static str, f64)],
) -> Result<(), Error> {
    let info = truth.get("info")?;
    for key in info.keys()? {
        let reference = info.get(&key)?.number()?;
        match ours.iter().find(|(name, _)| *name == key) {
            Some(&(_, value)) => ledger.compare_one(named(&key), kind_of(&key), reference, value),
            None => ledger.skip(named(&key), "a number that this command does not know"),
        }
    }
    Ok(())
}

/// The norms at a clip as they are named in the fixtures.
pub fn clip_numbers(clip: &Clip) -> [(&'static str, f64); 6] {
    [
        ("actor_grad_norm", clip.actor),
        ("critic_grad_norm", clip.critic),
        ("target_critic_grad_norm", 0.0),
        ("total_norm", clip.total),
        ("actor_grad_norm_after", clip.actor_after),
        ("critic_grad_norm_after", clip.critic_after),
    ]
}

/// Compares the norms at a clip.
pub fn clips(
    ledger: &mut Ledger,
    name: &str,
    node: &Node<'_>,
    clip: Option<Clip>,
) -> Result<(), Error> {
    let Some(clip) = clip else {
        return Err(Error::Failure(format!("{name}: there was no step to clip")));
    };
    for (key, ours) in clip_numbers(&clip) {
        ledger.compare_one(format!("{name}.{key}"), Kind::Norm, node.get(key)?.number()?, ours);
    }
    Ok(())
}

/// The parameters after a whole step.
async fn after(
    ledger: &mut Ledger,
    named: &dyn Fn(&str) -> String,
    prefix: &str,
    node: &Node<'_>,
    learner: &archer::algorithms::common::learner::Learner,
) -> Result<(), Error> {
    for (key, name, critic) in [
        ("critic_after_step_checksums", "after", &learner.critics().online),
        ("target_after_polyak_checksums", "target_after", &learner.critics().target),
    ] {
        let ours = critic_parameters(critic).await?;
        let name = named(&format!("{prefix}{name}"));
        ledger.checksums(&name, Scale::Parameter, &node.get(key)?, &ours)?;
    }
    Ok(())
}

/// Clip, Adam and the target's update, fed with the reference's own gradients.
async fn optimiser(bench: &Bench, ledger: &mut Ledger, node: &Node<'_>) -> Result<(), Error> {
    let file = bench.fixtures.tensors("critic_step.safetensors")?;
    let config = config(&node.get("hyper")?, 1, Numerics::Fixed)?;
    let weights = file.weights()?.part("grads/");
    let gradients = hf::taken_up(&bench.critic.valid(), Format::Encoder, &weights)?;
    let (gradients, _) = clip_global_norm(gradients, config.max_grad_norm);
    let after = Adam::new().step(bench.critic.clone(), gradients, config.critic_lr);
    let name = |part: &str| format!("critic_step/{FULL}/optimiser.{part}");
    let ours = parameters(&after, Format::Encoder).await?;
    ledger.tensors(&name("after"), Scale::Parameter, &file.part("after/")?, &ours);
    let target = polyak(bench.target.clone(), &after, config.tau);
    let ours = parameters(&target, Format::Encoder).await?;
    let checksums = node.get("target_after_polyak_checksums")?;
    ledger.checksums(&name("target_after"), Scale::Parameter, &checksums, &ours)?;
    let full = file.part("target_after/")?;
    match full.is_empty() {
        // Its checksums were compared just now.
        true => ledger.skip(
            "critic_step.safetensors/target_after",
            "the file has no such tensors; their checksums were compared",
        ),
        false => ledger.tensors(&name("target_after"), Scale::Parameter, &full, &ours),
    }
    Ok(())
}
