//! Files in and out: what was written reads back, and what does not fit is named.

use std::collections::HashMap;

use safetensors::tensor::SafeTensors;
use serde_json::Value;

use super::weights::Bytes;
use super::*;
use crate::nn::causal_lm::{CausalLmConfig, Layout};
use crate::nn::encoder::EncoderConfig;
use crate::rng::stream;

const FILE: &str = "model.safetensors";

fn file(bytes: &[u8]) -> Vec<NamedBytes> {
    vec![(FILE.to_string(), Bytes::copy_from_slice(bytes))]
}

fn encoder_critic(critic: Critic) -> DoubleCritic {
    match critic {
        Critic::Encoder(critic) => critic,
        Critic::Causal(_) => panic!("this critic has an encoder"),
    }
}

/// A file of `tensors`, each with its values written by `write`.
fn shard(
    tensors: &BTreeMap<String, Laid>,
    dtype: Dtype,
    write: impl Fn(f32) -> Vec<u8>,
) -> Vec<u8> {
    let bytes: BTreeMap<&String, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, values))| (name, values.iter().flat_map(|&x| write(x)).collect()))
        .collect();
    let views = tensors.iter().map(|(name, (shape, _))| {
        (name.clone(), TensorView::new(dtype, shape.clone(), &bytes[name]).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

fn single(value: f32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// The tensors of a network as they stand in its file.
fn tensors<M: Module>(module: &M, format: Format) -> BTreeMap<String, Laid> {
    wait(laid_out(module, params::tensors(module), format)).unwrap()
}

fn actor(seed: u64) -> CausalLm {
    let config = CausalLmConfig {
        layers: 2,
        width: 8,
        heads: 2,
        positions: 16,
        vocab_size: 20,
        norm_epsilon: 1e-5,
        layout: Layout::Gpt2,
    };
    config.init(&mut stream(seed, "actor", 0), &Device::flex())
}

fn critic(seed: u64) -> DoubleCritic {
    let config = EncoderConfig {
        layers: 1,
        width: 8,
        heads: 2,
        feed_forward: 12,
        positions: 16,
        first_position: 2,
        vocab_size: 20,
        token_types: 1,
        layer_norm_epsilon: 1e-5,
    };
    DoubleCritic::new(&config, &mut stream(seed, "critic", 0), &Device::flex())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

#[test]
fn what_was_written_reads_back_to_the_same_bytes() {
    let bytes = wait(write(&actor(1), Format::Actor)).unwrap();
    let again = read_actor(actor(2), &file(&bytes)).unwrap();
    assert_eq!(wait(write(&again, Format::Actor)).unwrap(), bytes);
    let bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
    let again = read_critic(Critic::Encoder(critic(2)), &file(&bytes)).unwrap();
    let again = encoder_critic(again);
    assert_eq!(wait(write(&again, Format::Encoder)).unwrap(), bytes);
}

#[test]
fn names_and_shapes_are_those_of_the_field() {
    let bytes = wait(write(&actor(1), Format::Actor)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("transformer.h.1.attn.c_attn.weight").unwrap().shape(), [8, 24]);
    assert_eq!(file.tensor("transformer.ln_f.bias").unwrap().shape(), [8]);
    assert_eq!(file.names().len(), 2 + 2 * 12 + 2);
    let bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("base_lm.encoder.layer.0.attention.self.query.weight"), [8, 8]);
    assert_eq!(shape("base_lm.encoder.layer.0.intermediate.dense.weight"), [12, 8]);
    assert_eq!(shape("base_lm.embeddings.LayerNorm.weight"), [8]);
    assert_eq!(shape("base_lm.embeddings.position_embeddings.weight"), [18, 8]);
    assert_eq!(shape("critic1.0.weight"), [8, 16]);
    assert_eq!(shape("v_critic2.4.weight"), [1, 8]);
}

#[test]
fn a_missing_extra_or_misshapen_tensor_is_named() {
    let critic_bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
    let message = |result: Result<CausalLm, Error>| result.unwrap_err().to_string();
    let error = message(read_actor(actor(1), &file(&critic_bytes)));
    assert!(error.contains("0 blocks") && error.contains("n_layer = 2"), "{error}");
    let bytes = wait(write(&actor(1), Format::Actor)).unwrap();
    let error = message(read_actor(actor(1), &file(&bytes[..bytes.len() - 1])));
    assert!(error.contains(FILE) && error.contains("safetensors file"), "{error}");
    let small = CausalLmConfig { layers: 1, ..actor(1).config().clone() };
    let small = small.init(&mut stream(1, "actor", 0), &Device::flex());
    let error = message(read_actor(small, &file(&bytes)));
    assert!(error.contains("transformer.h.1") && error.contains("belongs to no part"), "{error}");
    let wide = CausalLmConfig { vocab_size: 21, ..actor(1).config().clone() };
    let wide = wide.init(&mut stream(1, "actor", 0), &Device::flex());
    let error = message(read_actor(wide, &file(&bytes)));
    assert!(error.contains("[20, 8]") && error.contains("[21, 8]"), "{error}");
}

#[test]
fn weights_in_several_files_are_found_by_their_index() {
    let all = tensors(&actor(1), Format::Actor);
    let (mut first, mut second) = (all.clone(), all.clone());
    first.retain(|name, _| name.contains("h.0"));
    second.retain(|name, _| !name.contains("h.0"));
    let place =
        |name: &String| if first.contains_key(name) { "a.safetensors" } else { "b.safetensors" };
    let map: HashMap<&String, &str> = all.keys().map(|name| (name, place(name))).collect();
    let index = serde_json::json!({ "metadata": {}, "weight_map": map }).to_string();
    let folder = HashMap::from([
        ("a.safetensors".to_string(), shard(&first, Dtype::F32, single)),
        ("b.safetensors".to_string(), shard(&second, Dtype::F32, single)),
        (weights::INDEX.to_string(), index.into_bytes()),
    ]);
    let read = |folder: &HashMap<String, Vec<u8>>| {
        let files = weights::files(&|name| Ok(folder.get(name).cloned().map(Bytes::from)), "")?;
        read_actor(actor(2), &files)
    };
    assert_eq!(tensors(&read(&folder).unwrap(), Format::Actor), all);

    let mut lacks = folder.clone();
    lacks.remove("b.safetensors");
    let error = read(&lacks).unwrap_err().to_string();
    assert!(
        error.contains("b.safetensors") && error.contains("not in the model folder"),
        "{error}"
    );
    let mut swapped = folder.clone();
    swapped.insert("b.safetensors".to_string(), folder["a.safetensors"].clone());
    let error = read(&swapped).unwrap_err().to_string();
    assert!(error.contains("b.safetensors: the tensor transformer."), "{error}");
    let mut outside = folder;
    let index = br#"{"weight_map": {"x": "../secret"}}"#.to_vec();
    outside.insert(weights::INDEX.to_string(), index);
    let error = read(&outside).unwrap_err().to_string();
    assert!(error.contains("no file of this folder for x"), "{error}");
    let error = weights::files(&|_| Ok(None), "critic/").unwrap_err().to_string();
    assert!(error.contains("critic/model.safetensors"), "{error}");
}

#[test]
fn half_precision_is_read_and_whole_numbers_are_refused() {
    let all = tensors(&actor(1), Format::Actor);
    let f16 = |x: f32| burn::tensor::f16::from_f32(x).to_le_bytes().to_vec();
    let bf16 = |x: f32| burn::tensor::bf16::from_f32(x).to_le_bytes().to_vec();
    for (bytes, precision) in
        [(shard(&all, Dtype::F16, f16), 1e-3), (shard(&all, Dtype::BF16, bf16), 8e-3)]
    {
        let read = tensors(&read_actor(actor(2), &file(&bytes)).unwrap(), Format::Actor);
        for (name, (_, values)) in &all {
            for (want, got) in values.iter().zip(&read[name].1) {
                assert!((want - got).abs() <= precision * want.abs() + 1e-6, "{name}: {got}");
            }
        }
    }
    let ints = shard(&all, Dtype::I32, |x| (x as i32).to_le_bytes().to_vec());
    let error = read_actor(actor(2), &file(&ints)).unwrap_err().to_string();
    assert!(error.contains("I32") && error.contains("transformer."), "{error}");
}

#[test]
fn an_actor_is_found_under_its_oldest_names_too() {
    let mut old: BTreeMap<String, Laid> = tensors(&actor(1), Format::Actor)
        .into_iter()
        .map(|(name, tensor)| (name.replace("transformer.", ""), tensor))
        .collect();
    // The causal mask and the tied output layer stand in such files as well.
    let mask = (0..16 * 16).map(|at| if at % 16 <= at / 16 { 1.0 } else { 0.0 }).collect();
    old.insert("h.0.attn.bias".to_string(), (vec![1, 1, 16, 16], mask));
    old.insert("h.0.attn.masked_bias".to_string(), (vec![], vec![-1e4]));
    old.insert("lm_head.weight".to_string(), old["wte.weight"].clone());
    let read = read_actor(actor(2), &file(&shard(&old, Dtype::F32, single))).unwrap();
    assert_eq!(tensors(&read, Format::Actor), tensors(&actor(1), Format::Actor));
}

#[test]
fn a_published_encoder_becomes_the_body_of_a_critic() {
    let whole = tensors(&critic(1), Format::Encoder);
    let fresh = tensors(&critic(2), Format::Encoder);
    for (prefix, old_names) in [("roberta.", false), ("bert.", true), ("", false)] {
        let mut published: BTreeMap<String, Laid> = whole
            .iter()
            .filter(|(name, _)| name.starts_with("base_lm.") && !name.contains("pooler"))
            .map(|(name, tensor)| {
                let mut name = name.replace("base_lm.", prefix);
                if old_names {
                    name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
                    name = name.replace("LayerNorm.bias", "LayerNorm.beta");
                }
                (name, tensor.clone())
            })
            .collect();
        published.insert("lm_head.dense.bias".to_string(), (vec![1], vec![0.0]));
        let bytes = shard(&published, Dtype::F32, single);
        let read = read_critic(Critic::Encoder(critic(2)), &file(&bytes)).unwrap();
        for (name, tensor) in tensors(&encoder_critic(read), Format::Encoder) {
            let is_body = name.starts_with("base_lm.") && !name.contains("pooler");
            assert_eq!(tensor, if is_body { &whole } else { &fresh }[&name], "{name}");
        }
    }
    // The heads of another task are left out with a notice, what is not known is refused by name.
    let mut published = whole.clone();
    published.retain(|name, _| name.starts_with("base_lm.") && !name.contains("pooler"));
    let mut published: BTreeMap<String, Laid> = published
        .into_iter()
        .map(|(name, tensor)| (name.replace("base_lm.", "roberta."), tensor))
        .collect();
    published.insert("classifier.weight".to_string(), (vec![1], vec![0.0]));
    let shape = CriticShape::Encoder(critic(1).config().clone());
    let mut notices = Vec::new();
    let files = file(&shard(&published, Dtype::F32, single));
    critic_weights("c", &shape, &files, &mut notices).unwrap();
    assert!(notices.len() == 1 && notices[0].contains("classifier.weight"), "{notices:?}");
    published.insert("my_head.weight".to_string(), (vec![1], vec![0.0]));
    let files = file(&shard(&published, Dtype::F32, single));
    let error = critic_weights("c", &shape, &files, &mut notices).err().unwrap().to_string();
    assert!(error.contains("my_head.weight belongs to no part"), "{error}");
    // A critic with only some of its heads is a damaged critic.
    let mut damaged = whole;
    damaged.remove("v_critic2.4.bias");
    let bytes = shard(&damaged, Dtype::F32, single);
    let error = read_critic(Critic::Encoder(critic(2)), &file(&bytes)).unwrap_err().to_string();
    assert!(error.contains("v_critic2.4.bias is missing"), "{error}");
}

/// By hand: one layer, width 2, so that the token type and the first position can be seen.
#[test]
fn bert_counts_from_position_0_and_has_token_types() {
    let text = br#"{"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 1,
        "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 12,
        "max_position_embeddings": 18, "vocab_size": 20, "type_vocab_size": 2, "pad_token_id": 0}"#;
    let bert = read_encoder_config("config.json", text).unwrap();
    assert_eq!((bert.first_position, bert.positions, bert.token_types), (0, 18, 2));
    let text = String::from_utf8_lossy(text).replace("\"bert\"", "\"roberta\"");
    let text = text.replace("\"pad_token_id\": 0", "\"pad_token_id\": 1");
    let roberta = read_encoder_config("config.json", text.as_bytes()).unwrap();
    assert_eq!((roberta.first_position, roberta.positions), (2, 16));

    // A BERT that begins with RoBERTa's third position and the sum of a type reads the same.
    let device = Device::flex();
    let of = |shape: &EncoderConfig| DoubleCritic::new(shape, &mut stream(1, "critic", 0), &device);
    let mut laid = tensors(&of(&bert), Format::Encoder);
    let (positions, types) = (
        "base_lm.embeddings.position_embeddings.weight",
        "base_lm.embeddings.token_type_embeddings.weight",
    );
    let shifted = &laid[positions].1;
    let shifted = [&shifted[128..], &shifted[..128]].concat();
    let rotated = [&shifted[128..], &shifted[..128]].concat();
    laid.insert(positions.to_string(), (vec![18, 8], shifted));
    let bytes = shard(&laid, Dtype::F32, single);
    let bert = read_critic(Critic::Encoder(of(&bert)), &file(&bytes)).unwrap();
    laid.insert(positions.to_string(), (vec![18, 8], rotated));
    let first_type = laid[types].1[..8].to_vec();
    let roberta = EncoderConfig { token_types: 1, ..roberta };
    laid.insert(types.to_string(), (vec![1, 8], first_type));
    let bytes = shard(&laid, Dtype::F32, single);
    let roberta = read_critic(Critic::Encoder(of(&roberta)), &file(&bytes)).unwrap();
    let vector = |critic: Critic| {
        let texts = crate::nn::batch::texts(&[vec![3, 7, 9]], 1, &device);
        wait(params::read(vec![encoder_critic(critic).encode(texts).reshape([8])])).unwrap()
    };
    let (bert, roberta) = (vector(bert), vector(roberta));
    assert!(bert[0].iter().zip(&roberta[0]).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn configurations_survive_the_file() {
    let config = actor(1).config().clone();
    assert_eq!(read_actor_config("f", &actor_config(&config, 2, &[])).unwrap(), config);
    let config = critic(1).config().clone();
    assert_eq!(read_encoder_config("f", &encoder_config(&config, 0, 1, 2)).unwrap(), config);
    let error =
        read_actor_config("config.json", b"{\"model_type\": \"gemma\"}").unwrap_err().to_string();
    assert!(error.contains("gemma") && error.contains("gpt2"), "{error}");
}

/// What is refused or set aside of an actor's weights, of which `change` makes others.
fn told(
    config: &Value,
    change: impl FnOnce(&mut BTreeMap<String, Laid>),
) -> Result<Vec<String>, String> {
    let mut all = tensors(&actor(1), Format::Actor);
    change(&mut all);
    let files = file(&shard(&all, Dtype::F32, single));
    let mut notices = Vec::new();
    let config = config.to_string().into_bytes();
    let read = actor_weights(("config.json", &config), &files, &mut notices);
    let (shape, weights) = read.map_err(|error| error.to_string())?;
    let fresh = shape.init(&mut stream(2, "actor", 0), &Device::flex());
    let read = weights.fill(fresh, Format::Actor, |_| false).unwrap();
    assert_eq!(tensors(&read, Format::Actor), tensors(&actor(1), Format::Actor));
    Ok(notices)
}

fn config() -> Value {
    serde_json::from_slice(&actor_config(actor(1).config(), 2, &[])).unwrap()
}

#[test]
fn the_tensors_that_a_configuration_asks_for_are_those_of_the_network() {
    let named = |tensors: BTreeMap<String, Laid>| -> Vec<shapes::Named> {
        tensors.into_iter().map(|(name, (shape, _))| (name, shape)).collect()
    };
    let sorted = |mut tensors: Vec<shapes::Named>| {
        tensors.sort();
        tensors
    };
    let network = actor(1);
    assert_eq!(sorted(shapes::of_actor(network.config())), named(tensors(&network, Format::Actor)));
    assert_eq!(
        shapes::scalars(&shapes::of_actor(network.config())),
        params::count(&network) as u64
    );
    let network = critic(1);
    let shape = CriticShape::Encoder(network.config().clone());
    assert_eq!(sorted(shape.tensors()), named(tensors(&network, Format::Encoder)));
    let shape = CriticShape::Causal(actor(1).config().clone());
    let Critic::Causal(network) = shape.init(&mut stream(1, "critic", 0), &Device::flex()) else {
        panic!("this critic is causal");
    };
    assert_eq!(sorted(shape.tensors()), named(tensors(&network, Format::CausalCritic)));
}

#[test]
fn nothing_beside_the_parameters_is_passed_over_unchecked() {
    assert_eq!(told(&config(), |_| ()), Ok(vec![]));
    let table = |all: &BTreeMap<String, Laid>| all["transformer.wte.weight"].clone();
    // An output layer that is the embedding is tied whatever the configuration says.
    for tied in [true, false] {
        let mut config = config();
        config["tie_word_embeddings"] = tied.into();
        let equal = told(&config, |all| drop(all.insert("lm_head.weight".into(), table(all))));
        assert_eq!(equal, Ok(vec![]));
        let other = told(&config, |all| {
            let (shape, mut values) = table(all);
            values[7] += 1.0;
            all.insert("lm_head.weight".into(), (shape, values));
        });
        assert!(other.as_ref().unwrap_err().contains("lm_head.weight is another"), "{other:?}");
    }
    let mut untied = config();
    untied["tie_word_embeddings"] = false.into();
    let error = told(&untied, |_| ()).unwrap_err();
    assert!(error.contains("lm_head.weight is missing"), "{error}");
    // A writer that writes shared memory once may keep the other name.
    let only = told(&config(), |all| {
        let table = all.remove("transformer.wte.weight").unwrap();
        all.insert("lm_head.weight".into(), table);
    });
    assert_eq!(only, Ok(vec![]));
    type Change = (&'static str, Laid, &'static str);
    let refused: [Change; 8] = [
        ("lm_head.weight", (vec![1, 7], vec![0.0; 7]), "lm_head.weight is another matrix"),
        ("lm_head.bias", (vec![20], vec![0.0; 20]), "lm_head.bias belongs to no part"),
        ("transformer.h.0.attn.bias", (vec![1, 1, 16, 16], vec![1.0; 256]), "causal mask"),
        ("transformer.h.0.attn.bias", (vec![1], vec![1.0]), "causal mask"),
        ("transformer.h.0.attn.masked_bias", (vec![], vec![0.0]), "masked_bias"),
        ("transformer.position_ids", (vec![1, 3], vec![0.0, 2.0, 1.0]), "0 upwards"),
        ("transformer.h.2.attn.bias", (vec![1], vec![1.0]), "transformer.h.2.attn.bias belongs"),
        ("base_model.model.h.0.lora_A.weight", (vec![1], vec![1.0]), "merge"),
    ];
    for (name, tensor, part) in refused {
        let error = told(&config(), |all| drop(all.insert(name.into(), tensor))).unwrap_err();
        assert!(error.contains(part), "{name}: {error}");
    }
}

#[test]
fn prefixes_of_programs_that_wrap_a_model_are_taken_off_with_a_notice() {
    for prefix in ["_orig_mod.", "module.", "base_model.model.", "model.", "module._orig_mod."] {
        for bare in [false, true] {
            let notices = told(&config(), |all| {
                let wrapped = std::mem::take(all).into_iter().map(|(name, tensor)| {
                    let name = if bare { name.replace("transformer.", "") } else { name };
                    (format!("{prefix}{name}"), tensor)
                });
                *all = wrapped.collect();
            });
            let notices = notices.unwrap();
            let told = notices.len() == 1 && notices[0].contains(prefix.trim_end_matches('.'));
            assert!(told, "{prefix}: {notices:?}");
        }
    }
    let twice = told(&config(), |all| {
        let one = all["transformer.wpe.weight"].clone();
        all.insert("module.transformer.wpe.weight".into(), one);
    });
    assert!(twice.as_ref().unwrap_err().contains("transformer.wpe.weight"), "{twice:?}");
    let head = told(&config(), |all| {
        all.insert("v_head.summary.weight".into(), (vec![1, 8], vec![0.5; 8]));
        all.insert("v_head.summary.bias".into(), (vec![1], vec![0.5]));
    });
    let notices = head.unwrap();
    assert!(notices.len() == 1 && notices[0].contains("v_head.summary"), "{notices:?}");
}

#[test]
fn every_key_that_changes_the_function_has_a_type_and_a_range() {
    for (key, value) in [
        ("layer_norm_epsilon", serde_json::json!("0.5")),
        ("layer_norm_epsilon", serde_json::json!(-1)),
        ("layer_norm_epsilon", serde_json::json!(0)),
        ("layer_norm_epsilon", serde_json::json!(1e9)),
        ("n_inner", serde_json::json!("256")),
        ("n_inner", serde_json::json!(31)),
        ("scale_attn_by_inverse_layer_idx", serde_json::json!(1)),
        ("scale_attn_by_inverse_layer_idx", serde_json::json!(true)),
        ("scale_attn_weights", serde_json::json!(false)),
        ("activation_function", serde_json::json!(3)),
        ("activation_function", serde_json::json!("relu")),
        ("tie_word_embeddings", serde_json::json!("yes")),
        ("add_cross_attention", serde_json::json!(true)),
        ("quantization_config", serde_json::json!({"bits": 4})),
        ("pruned_heads", serde_json::json!({"0": [1]})),
        ("n_layer", serde_json::json!("2")),
        ("n_layer", serde_json::json!(2.5)),
        ("n_layer", serde_json::json!(-2)),
        ("n_layer", serde_json::json!(1u64 << 63)),
        ("n_embd", serde_json::json!(0)),
        ("n_head", serde_json::json!(3)),
        ("n_positions", serde_json::json!([16])),
        ("vocab_size", serde_json::json!(null)),
        ("model_type", serde_json::json!("gemma")),
        ("resid_pdrop", serde_json::json!("0.1")),
    ] {
        let mut config = config();
        config[key] = value;
        let error = read_actor_config("config.json", config.to_string().as_bytes());
        let error = error.map(|_| config.to_string()).unwrap_err().to_string();
        assert!(error.starts_with("config.json") && error.contains(key), "{key}: {error}");
    }
    let encoder = encoder_config(critic(1).config(), 0, 1, 2);
    for (key, value) in [
        ("layer_norm_eps", serde_json::json!("1e-12")),
        ("hidden_act", serde_json::json!(1)),
        ("hidden_act", serde_json::json!("relu")),
        ("position_embedding_type", serde_json::json!("relative_key")),
        ("position_embedding_type", serde_json::json!(0)),
        ("is_decoder", serde_json::json!(true)),
        ("pad_token_id", serde_json::json!("1")),
        ("pad_token_id", serde_json::json!(u64::MAX)),
        ("type_vocab_size", serde_json::json!(0)),
        ("num_hidden_layers", serde_json::json!(1_000_000)),
    ] {
        let mut config: Value = serde_json::from_slice(&encoder).unwrap();
        config[key] = value;
        let error = read_encoder_config("config.json", config.to_string().as_bytes());
        let error = error.map(|_| config.to_string()).unwrap_err().to_string();
        assert!(error.starts_with("config.json") && error.contains(key), "{key}: {error}");
    }
}

/// The smallest file that says the most: nothing is made of what it says.
#[test]
fn sizes_are_compared_with_the_headers_before_anything_is_made() {
    for (key, value, part) in [
        ("n_layer", 1000u64, "n_layer = 1000, but model.safetensors holds tensors of 2 blocks"),
        ("n_layer", 1, "transformer.h.1"),
        ("n_embd", 50_000_000, "[20, 8] where the configuration asks for [20, 50000000]"),
        ("n_positions", 90_000_000, "[90000000, 8]"),
        ("vocab_size", 90_000_000, "[90000000, 8]"),
    ] {
        let mut config = config();
        config[key] = value.into();
        let error = told(&config, |_| ()).unwrap_err();
        assert!(error.contains(part), "{key}: {error}");
    }
}

#[test]
fn a_critic_of_a_folder_is_read_back_and_is_no_model_of_another_program() {
    for shape in [
        CriticShape::Causal(actor(1).config().clone()),
        CriticShape::Encoder(critic(1).config().clone()),
    ] {
        let network = shape.init(&mut stream(1, "critic", 0), &Device::flex());
        let tokenizer = Tokenizer::train((0..9).map(|_| "a b\n".to_string()), 300, 4).unwrap();
        let written = critic_folder_config(&network, &tokenizer);
        let config: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(config["model_type"], config::CRITIC);
        assert_eq!(read_critic_config("c", &written).unwrap(), shape);
        // As folders from before say it.
        assert_eq!(read_critic_config("c", &critic_config(&network, &tokenizer)).unwrap(), shape);
    }
}
