//! `actor_step`, `token_level` and `bc`: everything that moves the actor.

use archer::algorithms::archer::compat::{self, Draws};
use archer::algorithms::bc;
use archer::algorithms::common::Policy;
use archer::config::{Config, Level, Numerics};
use archer::hf::{self, Format};
use archer::nn::generate::Utterance;
use archer::nn::optim::{Adam, clip_global_norm, global_norm};
use archer::nn::params;
use archer::rl::transition::Transition;
use burn::module::Module;
use burn::tensor::Tensor;

use super::bench::{Bench, Case, config, laid_out, of_actor, parameters, read, read_one};
use super::critic::{FULL, clips, info};
use super::fixtures::Node;
use super::ledger::{Kind, Ledger, Scale, Tensors};
use crate::error::Error;

/// `actor_step.json`, all batches.
pub async fn run(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("actor_step.json")?;
    for name in file.root().keys()? {
        let (case, node) = (bench.case(&name)?, file.root().get(&name)?);
        official(bench, ledger, case, &node).await?;
        alone(bench, ledger, case, &node).await?;
    }
    if !bench.fixtures.has("actor_step.safetensors") {
        let reason = "the folder has no such file; its checksums were compared";
        ledger.skip("actor_step.safetensors", reason);
        return Ok(());
    }
    match file.root().find(FULL) {
        Some(node) => optimiser(bench, ledger, &node).await,
        None => {
            ledger.skip("actor_step.safetensors", "actor_step.json says not how it was made");
            Ok(())
        }
    }
}

/// The step by the reference's numerics.
async fn official(
    bench: &Bench,
    ledger: &mut Ledger,
    case: &Case,
    node: &Node<'_>,
) -> Result<(), Error> {
    let named = |quantity: &str| format!("actor_step/{}/{quantity}", case.name);
    let truth = node.get("f64")?;
    let config = config(&node.get("hyper")?, case.rows.len(), Numerics::Compat)?;
    let context = bench.context(&config);
    let mut learner = bench.learner(bench.policy());
    let (turns, fresh) = (bench.transitions(case), bench.fresh(case));
    let states: Vec<&[u32]> = turns.iter().map(|turn| &*turn.observation).collect();
    let part = learner.actor_part(&states, &fresh.iter().collect::<Vec<&Utterance>>(), &context)?;

    let values = part.values.clone();
    let report = [
        ("q1", Kind::Value, values.q1),
        ("q2", Kind::Value, values.q2),
        ("v1", Kind::Value, values.v1),
        ("v2", Kind::Value, values.v2),
        ("advantage", Kind::Advantage, part.advantage.clone()),
        ("log_prob", Kind::LogProb, part.log_prob.clone()),
    ];
    for (key, kind, ours) in report {
        ledger.compare(named(key), kind, &truth.get(key)?.numbers()?, &read_one(ours).await?);
    }
    info(ledger, &named, &truth, &compat::actor_report(&part).await?)?;
    let wanted = truth.get("clip")?.get("actor_grad_norm")?.number()?;
    let norm = read_one(global_norm(&part.gradients)).await?[0];
    ledger.compare_one(named("grad_norm"), Kind::Norm, wanted, norm);
    let gradients = of_actor(&bench.policy(), part.gradients).await?;
    let checksums = node.get("grad_checksums_before_clip")?;
    ledger.checksums(&named("grads"), Scale::Norm(wanted), &checksums, &gradients)?;
    if case.name == FULL && bench.fixtures.has("actor_step.safetensors") {
        let full = bench.fixtures.tensors("actor_step.safetensors")?.part("grads/")?;
        ledger.tensors(&named("grads"), Scale::Norm(wanted), &full, &gradients);
    }
    let draws = Draws { critic: Vec::new(), actor: vec![turns.iter().collect()] };
    let report = learner.update_compat(&draws, &context, async |_, _| Ok(fresh.clone())).await?;
    clips(ledger, &named("clip"), &truth.get("clip")?, report.clips.first().copied())?;
    let ours = of_actor(&learner.policy, params::tensors(&learner.policy)).await?;
    let checksums = node.get("actor_after_step_checksums")?;
    ledger.checksums(&named("after"), Scale::Parameter, &checksums, &ours)
}

/// The step by the default numerics, which is that of each sample alone.
async fn alone(
    bench: &Bench,
    ledger: &mut Ledger,
    case: &Case,
    node: &Node<'_>,
) -> Result<(), Error> {
    let named = |quantity: &str| format!("actor_step/{}/each_alone_averaged.{quantity}", case.name);
    let reference = node.get("each_alone_averaged")?;
    let truth = reference.get("f64")?;
    let config = config(&node.get("hyper")?, case.rows.len(), Numerics::Fixed)?;
    let context = bench.context(&config);
    let mut learner = bench.learner(bench.policy());
    let (turns, fresh) = (bench.transitions(case), bench.fresh(case));
    if fresh.iter().any(|utterance| utterance.tokens.is_empty()) {
        let reason = "an action is empty, and by default nothing is ever said without a token";
        ledger.skip(named("all"), reason);
        return Ok(());
    }
    let states: Vec<&[u32]> = turns.iter().map(|turn| &*turn.observation).collect();
    let part = learner.actor_part(&states, &fresh.iter().collect::<Vec<&Utterance>>(), &context)?;
    let log_probs = truth.get("log_prob")?.numbers()?;
    ledger.compare(named("log_prob"), Kind::LogProb, &log_probs, &read_one(part.log_prob).await?);
    let loss = read_one(part.policy_loss).await?[0];
    let wanted = truth.get("pg_loss")?.number()?;
    ledger.compare_one(named("pg_loss"), Kind::PolicyLoss, wanted, loss);
    let wanted = truth.get("grad_norm")?.number()?;
    let norm = read_one(global_norm(&part.gradients)).await?[0];
    ledger.compare_one(named("grad_norm"), Kind::Norm, wanted, norm);
    let gradients = of_actor(&bench.policy(), part.gradients).await?;
    let checksums = reference.get("grad_checksums")?;
    ledger.checksums(&named("grads"), Scale::Norm(wanted), &checksums, &gradients)?;
    // The whole step as training takes it.
    let report = learner.actor_step_on(&states, &fresh, &context).await?;
    let norm = report.get("actor.grad_norm").unwrap_or(f64::NAN);
    ledger.compare_one(named("step.grad_norm"), Kind::Norm, wanted, norm);
    if case.name == FULL {
        // Nothing is padded here, so both numerics come to the same parameters.
        let ours = of_actor(&learner.policy, params::tensors(&learner.policy)).await?;
        let checksums = node.get("actor_after_step_checksums")?;
        ledger.checksums(&named("step.after"), Scale::Parameter, &checksums, &ours)?;
    }
    Ok(())
}

/// Clip and Adam, fed with the reference's own gradients.
async fn optimiser(bench: &Bench, ledger: &mut Ledger, node: &Node<'_>) -> Result<(), Error> {
    let file = bench.fixtures.tensors("actor_step.safetensors")?;
    let config = config(&node.get("hyper")?, 1, Numerics::Fixed)?;
    let weights = file.weights()?.part("grads/");
    let gradients = hf::taken_up(&bench.actor.valid(), Format::Actor, &weights)?;
    let (gradients, _) = clip_global_norm(gradients, config.max_grad_norm);
    let after = Adam::new().step(bench.actor.clone(), gradients, config.lm_lr);
    let ours = parameters(&after, Format::Actor).await?;
    let name = format!("actor_step/{FULL}/optimiser.after");
    ledger.tensors(&name, Scale::Parameter, &file.part("after/")?, &ours);
    Ok(())
}

/// `token_level.json`.
pub async fn token_level(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("token_level.json")?;
    let root = file.root();
    let head = root.get("value_head")?;
    let weights: Vec<f32> = head.get("weight")?.numbers()?.into_iter().map(|x| x as f32).collect();
    if weights.len() != bench.actor.config().width {
        return Err(Error::Failure(
            "token_level.json: value_head.weight is not as wide as the actor".into(),
        ));
    }
    let bias = head.get("bias")?.number()? as f32;
    let policy = Policy::with_baseline_of(bench.actor.clone(), &weights, bias);
    for name in root.keys()?.into_iter().filter(|name| name != "value_head") {
        token_case(bench, ledger, &policy, bench.case(&name)?, &root.get(&name)?).await?;
    }
    Ok(())
}

async fn token_case(
    bench: &Bench,
    ledger: &mut Ledger,
    policy: &Policy,
    case: &Case,
    node: &Node<'_>,
) -> Result<(), Error> {
    let named = |quantity: &str| format!("token_level/{}/{quantity}", case.name);
    let truth = node.get("f64")?;
    let config = Config {
        numerics: Numerics::Compat,
        level: Level::Token,
        batch_size: case.rows.len(),
        ..Config::default()
    };
    let learner = bench.learner(policy.clone());
    let (turns, fresh) = (bench.transitions(case), bench.fresh(case));
    let states: Vec<&[u32]> = turns.iter().map(|turn| &*turn.observation).collect();
    let fresh: Vec<&Utterance> = fresh.iter().collect();
    let part = learner.actor_part(&states, &fresh, &bench.context(&config))?;
    let report = compat::actor_report(&part).await?;
    let reference = truth.get("advantage")?.numbers()?;
    let ours = read_one(part.advantage).await?;
    ledger.compare(named("advantage"), Kind::Advantage, &reference, &ours);
    for (key, ours) in report {
        let kind = match key {
            "pg.loss" => Kind::TokenPolicyLoss,
            key if key.starts_with("advantages") => Kind::Advantage,
            // The baseline's values, and what remains of the advantage without them.
            _ => Kind::Loss,
        };
        ledger.compare_one(named(key), kind, truth.get("info")?.get(key)?.number()?, ours);
    }
    let split = params::tensors(&policy.lm).len();
    let (lm, value_head) = part.gradients.split_at(split);
    let norms = [("grad_norm_lm", lm), ("grad_norm_value_head", value_head)];
    let wanted = truth.get("grad_norm_lm")?.number()?;
    for (key, grads) in norms {
        let norm = read_one(global_norm(grads)).await?[0];
        ledger.compare_one(named(key), Kind::Norm, truth.get(key)?.number()?, norm);
    }
    let gradients = as_named_there(laid_out(policy, part.gradients.clone(), Format::Actor).await?);
    let checksums = node.get("grad_checksums")?;
    ledger.checksums(&named("grads"), Scale::Norm(wanted), &checksums, &gradients)?;
    let Some(token) = part.token_level else {
        return Err(Error::Failure("the token-level form gave no baseline".into()));
    };
    if !bench.fixtures.has("token_level.safetensors") {
        ledger.skip(named("values"), "the folder has no token_level.safetensors");
        return Ok(());
    }
    let file = bench.fixtures.tensors("token_level.safetensors")?;
    let flat = |cells: Tensor<2>| {
        let size = cells.dims().iter().product::<usize>();
        cells.reshape([size])
    };
    let read =
        read(vec![flat(token.log_prob), flat(token.baseline), flat(token.mask.clone())]).await?;
    let key = |part: &str| format!("{}.{part}", case.name);
    let mask = file.weights()?.integers(&key("mask")).unwrap_or_default();
    let mask: Vec<f64> = mask.into_iter().map(|x| x as f64).collect();
    ledger.compare(named("mask"), Kind::Exact, &mask, &read[2]);
    // The log-probability of a padding token is nobody's business.
    let masked = |values: Vec<f64>| -> Vec<f64> {
        values.iter().zip(&mask).map(|(x, &on)| if on == 0.0 { 0.0 } else { *x }).collect()
    };
    let reference = masked(file.values(&key("log_prob"))?);
    ledger.compare(named("log_prob"), Kind::LogProb, &reference, &read[0]);
    ledger.compare(named("values"), Kind::Hidden, &file.values(&key("values"))?, &read[1]);
    fixed_token_case(bench, ledger, policy, case, &truth).await
}

/// The baseline has another name there, and its weights stand in a row.
fn as_named_there(tensors: Tensors) -> Tensors {
    let renamed = tensors.into_iter().map(|(name, (mut shape, values))| {
        if name == "baseline.weight" {
            shape.reverse();
        }
        (name.replace("baseline.", "value_head."), (shape, values))
    });
    renamed.collect()
}

/// Where nothing is padded, the default numerics come to the same losses.
async fn fixed_token_case(
    bench: &Bench,
    ledger: &mut Ledger,
    policy: &Policy,
    case: &Case,
    truth: &Node<'_>,
) -> Result<(), Error> {
    let (turns, fresh) = (bench.transitions(case), bench.fresh(case));
    let length = |turn: &Transition| turn.observation.len();
    if turns.iter().any(|turn| length(turn) != length(&turns[0]))
        || fresh.iter().any(|utterance| utterance.tokens.is_empty())
    {
        return Ok(());
    }
    let config = Config {
        numerics: Numerics::Fixed,
        level: Level::Token,
        batch_size: case.rows.len(),
        ..Config::default()
    };
    let states: Vec<&[u32]> = turns.iter().map(|turn| &*turn.observation).collect();
    let fresh: Vec<&Utterance> = fresh.iter().collect();
    let learner = bench.learner(policy.clone());
    let part = learner.actor_part(&states, &fresh, &bench.context(&config))?;
    let named = |quantity: &str| format!("token_level/{}/fixed.{quantity}", case.name);
    let info = truth.get("info")?;
    let ours = read_one(part.policy_loss).await?[0];
    let wanted = info.get("pg.loss")?.number()?;
    ledger.compare_one(named("pg.loss"), Kind::TokenPolicyLoss, wanted, ours);
    if let Some(token) = part.token_level {
        let wanted = info.get("values.loss")?.number()?;
        let ours = read_one(token.loss).await?[0];
        ledger.compare_one(named("values.loss"), Kind::Loss, wanted, ours);
    }
    Ok(())
}

/// `bc.json`.
pub async fn cloning(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = bench.fixtures.json("bc.json")?;
    let policy = bench.policy();
    for name in file.root().keys()? {
        let (case, node) = (bench.case(&name)?, file.root().get(&name)?);
        let named = |quantity: &str| format!("bc/{name}/{quantity}");
        let truth = node.get("f64")?;
        let turns = bench.transitions(case);
        let pairs: Vec<(&[u32], &[u32])> =
            turns.iter().map(|turn| (&*turn.observation, &*turn.action)).collect();
        let (loss, grads) = compat::cloning(&policy, &pairs, bench.words.pad);
        let wanted = truth.get("grad_norm")?.number()?;
        cloned(ledger, &named, &truth, loss, &grads).await?;
        let gradients = of_actor(&policy, grads).await?;
        let checksums = node.get("grad_checksums")?;
        ledger.checksums(&named("grads"), Scale::Norm(wanted), &checksums, &gradients)?;
        if pairs.iter().any(|(observation, action)| observation.is_empty() || action.is_empty()) {
            let reason = "an action is empty, and by default nothing is ever said without a token";
            ledger.skip(named("each_alone_averaged"), reason);
            continue;
        }
        let (loss, grads) = bc::alone::loss_and_gradients(&policy, &pairs);
        let alone = |quantity: &str| named(&format!("each_alone_averaged.{quantity}"));
        cloned(ledger, &alone, &truth.get("each_alone_averaged")?, loss, &grads).await?;
    }
    Ok(())
}

async fn cloned(
    ledger: &mut Ledger,
    named: &dyn Fn(&str) -> String,
    truth: &Node<'_>,
    loss: Tensor<1>,
    grads: &[Tensor<1>],
) -> Result<(), Error> {
    let (loss, norm) = (read_one(loss).await?[0], read_one(global_norm(grads)).await?[0]);
    let wanted = truth.get("loss")?.number()?;
    ledger.compare_one(named("loss"), Kind::CloningLoss, wanted, loss);
    ledger.compare_one(named("grad_norm"), Kind::Norm, truth.get("grad_norm")?.number()?, norm);
    Ok(())
}
