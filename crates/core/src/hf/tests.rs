//! Files in and out: what was written reads back, and what does not fit is named.

use std::collections::HashMap;

use safetensors::tensor::SafeTensors;

use super::*;
use crate::nn::causal_lm::CausalLmConfig;
use crate::nn::encoder::EncoderConfig;
use crate::rng::stream;

const FILE: &str = "model.safetensors";

fn file(bytes: &[u8]) -> Vec<NamedBytes> {
    vec![(FILE.to_string(), bytes.to_vec())]
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
        layer_norm_epsilon: 1e-5,
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
    let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
    let again = read_actor(actor(2), &file(&bytes)).unwrap();
    assert_eq!(wait(write(&again, Format::Gpt2)).unwrap(), bytes);
    let bytes = wait(write(&critic(1), Format::Encoder)).unwrap();
    let again = read_critic(Critic::Encoder(critic(2)), &file(&bytes)).unwrap();
    let again = encoder_critic(again);
    assert_eq!(wait(write(&again, Format::Encoder)).unwrap(), bytes);
}

#[test]
fn names_and_shapes_are_those_of_the_field() {
    let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
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
    assert!(error.contains("transformer.wte.weight is missing"), "{error}");
    let bytes = wait(write(&actor(1), Format::Gpt2)).unwrap();
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
    let all = tensors(&actor(1), Format::Gpt2);
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
        let files = weights::files(&|name| folder.get(name).cloned(), "")?;
        read_actor(actor(2), &files)
    };
    assert_eq!(tensors(&read(&folder).unwrap(), Format::Gpt2), all);

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
    let error = weights::files(&|_| None, "critic/").unwrap_err().to_string();
    assert!(error.contains("critic/model.safetensors"), "{error}");
}

#[test]
fn half_precision_is_read_and_whole_numbers_are_refused() {
    let all = tensors(&actor(1), Format::Gpt2);
    let f16 = |x: f32| burn::tensor::f16::from_f32(x).to_le_bytes().to_vec();
    let bf16 = |x: f32| burn::tensor::bf16::from_f32(x).to_le_bytes().to_vec();
    for (bytes, precision) in
        [(shard(&all, Dtype::F16, f16), 1e-3), (shard(&all, Dtype::BF16, bf16), 8e-3)]
    {
        let read = tensors(&read_actor(actor(2), &file(&bytes)).unwrap(), Format::Gpt2);
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
    let mut old: BTreeMap<String, Laid> = tensors(&actor(1), Format::Gpt2)
        .into_iter()
        .map(|(name, tensor)| (name.replace("transformer.", ""), tensor))
        .collect();
    // The causal mask and the tied output layer stand in such files as well.
    old.insert("h.0.attn.bias".to_string(), (vec![1], vec![1.0]));
    old.insert("lm_head.weight".to_string(), old["wte.weight"].clone());
    let read = read_actor(actor(2), &file(&shard(&old, Dtype::F32, single))).unwrap();
    assert_eq!(tensors(&read, Format::Gpt2), tensors(&actor(1), Format::Gpt2));
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
    assert_eq!(read_gpt2_config("f", &gpt2_config(&config, 2)).unwrap(), config);
    let config = critic(1).config().clone();
    assert_eq!(read_encoder_config("f", &encoder_config(&config, 0, 1, 2)).unwrap(), config);
    let error =
        read_gpt2_config("config.json", b"{\"model_type\": \"llama\"}").unwrap_err().to_string();
    assert!(error.contains("llama") && error.contains("gpt2"), "{error}");
}
