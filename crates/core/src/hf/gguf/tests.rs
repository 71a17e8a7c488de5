//! A tiny file written here, by GGUF's specification.

use super::*;

/// A file in the making.
#[derive(Default)]
struct File {
    items: Vec<u8>,
    keys: u64,
    infos: Vec<u8>,
    tensors: u64,
    data: Vec<u8>,
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

impl File {
    fn key(&mut self, key: &str, kind: u32) -> &mut Vec<u8> {
        self.keys += 1;
        text(&mut self.items, key);
        self.items.extend(kind.to_le_bytes());
        &mut self.items
    }

    fn number(&mut self, key: &str, value: u32) {
        self.key(key, 4).extend(value.to_le_bytes());
    }

    fn text(&mut self, key: &str, value: &str) {
        text(self.key(key, 8), value);
    }

    fn texts(&mut self, key: &str, values: &[&str]) {
        let bytes = self.key(key, 9);
        bytes.extend(8u32.to_le_bytes());
        bytes.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|value| text(bytes, value));
    }

    fn tensor(&mut self, name: &str, shape: &[u64], kind: u32, data: &[u8]) {
        self.tensors += 1;
        text(&mut self.infos, name);
        self.infos.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|side| self.infos.extend(side.to_le_bytes()));
        self.infos.extend(kind.to_le_bytes());
        self.infos.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(data);
        self.data.resize(self.data.len().next_multiple_of(32), 0);
    }

    fn floats(&mut self, name: &str, shape: &[u64], first: f32) {
        let n = shape.iter().product::<u64>();
        let data: Vec<u8> = (0..n).flat_map(|i| (first + i as f32).to_le_bytes()).collect();
        self.tensor(name, shape, 0, &data);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = b"GGUF".to_vec();
        all.extend(3u32.to_le_bytes());
        all.extend(self.tensors.to_le_bytes());
        all.extend(self.keys.to_le_bytes());
        all.extend(&self.items);
        all.extend(&self.infos);
        all.resize(all.len().next_multiple_of(32), 0);
        all.extend(&self.data);
        all
    }
}

/// One block of width 32 with a head of keys for two of queries.
fn tiny() -> File {
    let mut file = File::default();
    file.text("general.architecture", "llama");
    for (key, value) in [
        ("block_count", 1),
        ("context_length", 64),
        ("embedding_length", 32),
        ("feed_forward_length", 32),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
    ] {
        file.number(&format!("llama.{key}"), value);
    }
    file.key("llama.attention.layer_norm_rms_epsilon", 6).extend(1e-5f32.to_le_bytes());
    file.text("tokenizer.ggml.model", "gpt2");
    file.text("tokenizer.ggml.pre", "smollm");
    file.texts("tokenizer.ggml.tokens", &["<|end|>", "a", "b", "ab"]);
    file.texts("tokenizer.ggml.merges", &["a b"]);
    file.number("tokenizer.ggml.eos_token_id", 0);
    file.floats("token_embd.weight", &[4, 32], 0.0);
    file.floats("output_norm.weight", &[32], 1.0);
    file.floats("blk.0.attn_q.weight", &[32, 32], 0.0);
    file.floats("blk.0.attn_k.weight", &[16, 32], 0.0);
    file.floats("blk.0.attn_v.weight", &[16, 32], 0.0);
    file.floats("blk.0.attn_output.weight", &[32, 32], 0.0);
    file.floats("blk.0.attn_norm.weight", &[32], 0.0);
    file.floats("blk.0.ffn_norm.weight", &[32], 0.0);
    file.floats("blk.0.ffn_gate.weight", &[32, 32], 0.0);
    file.floats("blk.0.ffn_up.weight", &[32, 32], 0.0);
    file
}

/// The whole file, whose last matrix has this type and these bytes.
fn with_down(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut file = tiny();
    file.tensor("blk.0.ffn_down.weight", &[32, 32], kind, data);
    file.bytes()
}

fn down(kind: u32, block: &[u8]) -> Vec<f32> {
    let bytes = Bytes::from(with_down(kind, &block.repeat(32)));
    let files = [(GGUF.to_string(), folder("f.gguf", &bytes).unwrap()[GGUF].clone())];
    let weights = crate::hf::weights::Weights::new(&files).unwrap();
    weights.values("model.layers.0.mlp.down_proj.weight").unwrap().1[..32].to_vec()
}

#[test]
fn blocks_of_few_bits_are_what_the_specification_says() {
    let half = |value: f32| half::f16::from_f32(value).to_le_bytes().to_vec();
    // Low halves of the bytes first: 3, then high halves: 12.
    let four = [half(0.5), vec![0xC3; 16]].concat();
    let values = down(2, &four);
    assert_eq!((values[0], values[15], values[16], values[31]), (-2.5, -2.5, 2.0, 2.0));
    let four = [half(0.5), half(-1.0), vec![0xC3; 16]].concat();
    let values = down(3, &four);
    assert_eq!((values[0], values[16]), (0.5, 5.0));
    let eight = [half(0.25), (0..32).map(|i| (i as i8 - 16) as u8).collect()].concat();
    let values = down(8, &eight);
    assert_eq!((values[0], values[16], values[31]), (-4.0, 0.0, 3.75));
    let halves: Vec<u8> =
        (0..32).flat_map(|i| half::f16::from_f32(i as f32).to_le_bytes()).collect();
    assert_eq!(down(1, &halves)[31], 31.0);
    let halves: Vec<u8> =
        (0..32).flat_map(|i| half::bf16::from_f32(i as f32).to_le_bytes()).collect();
    assert_eq!(down(30, &halves)[31], 31.0);
}

#[test]
fn a_file_becomes_a_folder_with_rows_in_the_fields_order() {
    let whole = with_down(0, &[0u8; 32 * 32 * 4]);
    let folder = folder("f.gguf", &whole.into()).unwrap();
    let config: Value = serde_json::from_slice(&folder["config.json"]).unwrap();
    assert_eq!(config["num_key_value_heads"], 1);
    assert_eq!((&config["tie_word_embeddings"], &config["vocab_size"]), (&json!(true), &json!(4)));
    let files = [(GGUF.to_string(), folder[GGUF].clone())];
    let weights = crate::hf::weights::Weights::new(&files).unwrap();
    let (_, q) = weights.values("model.layers.0.self_attn.q_proj.weight").unwrap();
    // The file's rows of a head of 16 are 0, 1, 2, …; the field wants 0, 2, …, 14, 1, 3, …, 15.
    let firsts: Vec<usize> = (0..32).map(|row| q[row * 32] as usize / 32).collect();
    let head: Vec<usize> = (0..8).map(|i| 2 * i).chain((0..8).map(|i| 2 * i + 1)).collect();
    assert_eq!(firsts[..16], head);
    assert_eq!(firsts[16], 16);
    let tokenizer: Value = serde_json::from_slice(&folder["tokenizer.json"]).unwrap();
    assert_eq!(tokenizer["model"]["merges"], json!([["a", "b"]]));
}

#[test]
fn what_cannot_be_read_is_named_before_anything_is_reserved() {
    let whole = with_down(0, &[0u8; 32 * 32 * 4]);
    let told = |bytes: &[u8]| {
        let bytes = Bytes::copy_from_slice(bytes);
        let read = folder("f.gguf", &bytes).and_then(|_| tensors("f.gguf", &bytes));
        read.unwrap_err().to_string()
    };
    for end in 0..whole.len() - 32 {
        assert!(told(&whole[..end]).starts_with("f.gguf"), "cut at {end}");
    }
    let types = told(&with_down(14, &[0u8; 4096]));
    assert!(types.contains("blk.0.ffn_down.weight") && types.contains("Q6_K"), "{types}");
    let mut file = tiny();
    file.floats("blk.0.ffn_down.weight", &[32, 32], 0.0);
    file.tensor("blk.0.attn_q.bias", &[32], 8, &[0; 34]);
    assert!(told(&file.bytes()).contains("no whole blocks"));
    // A count that no file could hold.
    let mut many = whole.clone();
    many[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(told(&many).contains("too short"));
    let mut file = tiny();
    file.floats("blk.0.ffn_gate_exps.weight", &[32, 32], 0.0);
    assert!(told(&file.bytes()).contains("ffn_gate_exps"));
    for (key, value, what) in [
        ("general.architecture", "mamba", "mamba"),
        ("tokenizer.ggml.model", "bert", "bert"),
        ("tokenizer.ggml.pre", "tekken", "tekken"),
    ] {
        let mut file = tiny();
        // The last of two equal keys stands.
        file.text(key, value);
        assert!(told(&file.bytes()).contains(what), "{key}");
    }
}
