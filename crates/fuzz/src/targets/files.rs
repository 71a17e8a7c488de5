//! Files of models.

use std::sync::{Arc, OnceLock};

use archer::Device;
use archer::agent::Agent;
use archer::checkpoint::{self, Sections, packed};
use archer::config::Config;
use archer::hf;
use archer::hf::weights::{Bytes, Weights};
use archer::nn::causal_lm::CausalLm;
use archer::rl::replay_buffer::ReplayBuffer;
use archer::rng;
use archer::text::Tokenizer;
use archer::text::byte_bpe::ByteBpe;
use archer::text::tokenizer::Specials;
use archer::train::Trainer;
use archer_world::{About, WorldError, Worlds};

use super::{Target, target};
use crate::mutate::Shape;

pub const TARGETS: [Target; 8] = [
    target("container", Shape::Container, container, "the container of checkpoints and models"),
    target("packed", Shape::Text, packed, "weights, optimisers and replay of a checkpoint"),
    target("model-file", Shape::Container, model_file, "an exported model or a checkpoint, whole"),
    target("safetensors", Shape::Text, safetensors, "a file of tensors, each read as numbers"),
    target("model-folder", Shape::Container, model_folder, "a model folder, packed in a container"),
    target("gguf", Shape::Text, gguf, "a GGUF, read as the files of a model folder"),
    target("tokenizer", Shape::Json, tokenizer, "tokenizer.json, by the tokenizers crate"),
    target("tokenizer-browser", Shape::Json, tokenizer_browser, "the same by the browser's reader"),
];

fn device() -> Device {
    Device::flex()
}

fn container(bytes: &[u8]) {
    if let Ok(sections) = Sections::from_bytes(bytes) {
        for (name, contents) in sections.iter() {
            let _ = sections.get(name).map(|found| found.len() == contents.len());
        }
        assert_eq!(Sections::from_bytes(&sections.to_bytes()), Ok(sections));
    }
}

/// A network of the shape that the corpus has.
fn network() -> &'static CausalLm {
    const TINY: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/model-file/tiny.archer");
    static NETWORK: OnceLock<CausalLm> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let tiny = Sections::from_bytes(TINY).expect("the corpus has a model");
        let config = tiny.get("actor_config").expect("a model has an actor");
        let shape = hf::read_actor_config("actor_config", config).expect("the actor has a shape");
        shape.init(&mut rng::stream(1, "fuzz", 0), &device())
    })
}

fn packed(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => drop(packed::unpack(network().clone(), bytes)),
        1 => drop(checkpoint::module_from_bytes(network().clone(), bytes)),
        2 => drop(checkpoint::adam_from_bytes(network(), bytes)),
        _ => drop(checkpoint::replay_from_bytes(ReplayBuffer::new(100), bytes)),
    }
}

fn model_file(bytes: &[u8]) {
    let make = |config: &Config, _: Option<&About>| -> Result<Arc<dyn Worlds>, WorldError> {
        match archer_guests::is_guest(&config.world) {
            true => Err(WorldError::Settings("no world is started from a file".into())),
            false => archer_games::worlds(&config.world),
        }
    };
    if let Ok(trainer) = Trainer::resume(bytes, &make, &device()) {
        let _ = pollster::block_on(trainer.check_example(bytes));
    }
}

fn model_folder(bytes: &[u8]) {
    let Ok(sections) = Sections::from_bytes(bytes) else { return };
    let file = |path: &str| Ok(sections.get(path).ok().map(Bytes::copy_from_slice));
    if let Ok(agent) = Agent::from_files(&file, &device()) {
        let sampler = agent.about.sampler(true);
        let mut rng = rng::stream(1, "fuzz", 1);
        let _ = pollster::block_on(agent.say("Questions:\n", &sampler, &mut rng));
    }
}

fn safetensors(bytes: &[u8]) {
    let files = [("model.safetensors".to_string(), Bytes::copy_from_slice(bytes))];
    let Ok(weights) = Weights::new(&files) else { return };
    for name in weights.names() {
        if let Ok((shape, numbers)) = weights.numbers(name) {
            assert_eq!(shape.iter().product::<usize>(), numbers.len(), "{name}");
        }
        let _ = weights.values(name).map(|(_, values)| values.len());
    }
}

fn gguf(bytes: &[u8]) {
    let Ok(folder) = hf::gguf::folder("a", &Bytes::copy_from_slice(bytes)) else { return };
    let file = |path: &str| Ok(folder.get(path).cloned());
    if let Ok(agent) = Agent::from_files(&file, &device()) {
        let sampler = agent.about.sampler(true);
        let mut rng = rng::stream(1, "fuzz", 1);
        let _ = pollster::block_on(agent.say("Questions:\n", &sampler, &mut rng));
    }
}

/// Texts that a tokenizer is tried with.
const TEXTS: [&str; 3] = ["Is it alive? No.\n", "naïve 猫 \u{1f9ff}\r\n", "  \u{0}\u{ad}"];

/// As our own file or as one of another program, by the number of its bytes: that is as good as chance,
/// and reading is what costs.
fn tokenizer(bytes: &[u8]) {
    let read = match bytes.len() % 2 {
        0 => Tokenizer::from_json(bytes),
        _ => Tokenizer::from_json_of("a", bytes, &Specials::default()),
    };
    let Ok(tokenizer) = read else { return };
    for text in TEXTS {
        tokenizer.decode(&tokenizer.encode(text));
    }
    tokenizer.decode(&[0, 1, u32::MAX]);
}

fn tokenizer_browser(bytes: &[u8]) {
    if let Ok(tokenizer) = ByteBpe::from_json("a", bytes) {
        for text in TEXTS {
            tokenizer.decode(&tokenizer.encode(text), true);
        }
        tokenizer.decode(&[0, 1, u32::MAX], false);
    }
}
