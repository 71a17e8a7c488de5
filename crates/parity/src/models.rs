//! The models' own files: what was read from them is in the networks, tensor by tensor.

use archer::hf::{self, Format, weights};
use archer::nn::critic::Critic;
use archer::rng;

use super::bench::{Bench, critic_parameters, parameters};
use super::ledger::{Ledger, Tensors};
use crate::error::Error;

/// Every weight file of the folder.
pub async fn run(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let fixtures = &bench.fixtures;
    let actor = "actor/model.safetensors";
    if fixtures.has(actor) {
        let ours = parameters(&bench.actor, Format::Actor).await?;
        equal(ledger, "models/actor", &fixtures.tensors(actor)?.part("")?, &ours);
    } else {
        ledger.skip("models/actor", "its weights are several files, each read by its index");
    }
    for (name, critic) in [("critic", &bench.critic), ("target_critic", &bench.target)] {
        let file = fixtures.tensors(&format!("{name}.safetensors"))?.part("")?;
        equal(
            ledger,
            &format!("models/{name}"),
            &file,
            &parameters(critic, Format::Encoder).await?,
        );
    }
    published_encoder(bench, ledger).await
}

/// The encoder that the critics were made from, as it is published: without heads.
async fn published_encoder(bench: &Bench, ledger: &mut Ledger) -> Result<(), Error> {
    let file = "critic/model.safetensors";
    if !bench.fixtures.has(file) {
        return Ok(());
    }
    let config = "critic/config.json";
    let json = bench.fixtures.need(config)?;
    let mut unused = rng::stream(0, "parity", 1);
    let fresh: Critic = hf::critic_like(config, &json, &mut unused, &bench.device)?;
    let bytes = |name: &str| Ok(bench.fixtures.bytes(name).map(Into::into));
    let read = hf::read_critic(fresh, &weights::files(&bytes, "critic/")?)?;
    let body = |(name, tensor): (String, _)| {
        name.strip_prefix("base_lm.").map(|bare| (bare.to_string(), tensor))
    };
    let ours: Tensors = critic_parameters(&read).await?.into_iter().filter_map(body).collect();
    equal(ledger, "models/critic/encoder", &bench.fixtures.tensors(file)?.part("")?, &ours);
    Ok(())
}

fn equal(ledger: &mut Ledger, name: &str, file: &Tensors, ours: &Tensors) {
    let both = |tensors: &Tensors| tensors.clone().into_iter().collect::<Vec<_>>();
    ledger.same(format!("{name}/tensors"), &both(file), &both(ours));
}
