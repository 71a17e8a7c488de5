//! A byte-level BPE read from the field's `tokenizer.json`, without the `tokenizers` crate.
//!
//! The crate alone is as large as everything else that a browser must fetch, and most of it is for
//! formats that no model here speaks. This reads the one kind that archer writes and GPT-2 has:
//! bytes, merges, special tokens found verbatim, and the splits into words of a few known models
//! (`words.rs`) where the file asks for one. Whatever else a file asks for is refused by name rather than
//! read otherwise; a test holds the ids beside those of the crate.

use std::collections::HashMap;

use serde_json::Value;

use super::bpe_trainer;
use super::words::Words;
use crate::error::Error;

/// What two neighbours become: how early, and which token.
type Merges = HashMap<(u32, u32), (u32, u32)>;

/// A token that is found verbatim, and its id.
type Added = (String, u32);

/// A tokenizer of bytes and merges.
#[derive(Clone)]
pub struct ByteBpe {
    json: Vec<u8>,
    /// The bytes of each id; none for ids that the file leaves out.
    bytes: Vec<Option<Vec<u8>>>,
    special: Vec<bool>,
    ids: HashMap<String, u32>,
    /// Tokens that are found verbatim before anything else: the first list in the whole text, the second
    /// in what lies between.
    added: [Vec<Added>; 2],
    /// The token of each byte. SmolLM has none for some that hardly a text holds: they are passed over.
    byte_ids: Vec<Option<u32>>,
    /// The character by which files write each byte.
    characters: Vec<char>,
    merges: Merges,
    words: Words,
    /// Whether a text is brought to normal form C first.
    composes: bool,
    /// Whether a word that is a token is that token, whatever its merges make of it.
    whole_first: bool,
}

impl ByteBpe {
    /// Reads a `tokenizer.json`; `file` names it in an error.
    ///
    /// # Errors
    /// If it is none, or asks for something that only the `tokenizers` crate can do.
    pub fn from_json(file: &str, json: &[u8]) -> Result<Self, Error> {
        let fault = |why: String| Error::Model(format!("{file} cannot be read here: {why}"));
        let root: Value =
            archer_input::json(json).map_err(|fault| Error::Model(format!("{file} {fault}")))?;
        check(&root).map_err(fault)?;
        let bytes_of = byte_alphabet();
        let vocab = root["model"]["vocab"].as_object().expect("checked");
        let mut ids: HashMap<String, u32> = HashMap::with_capacity(vocab.len());
        for (token, id) in vocab {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or_else(|| fault(format!("the token {token:?} has no id")))?;
            ids.insert(token.clone(), id);
        }
        let mut added = [Vec::new(), Vec::new()];
        let mut specials = Vec::new();
        for token in root["added_tokens"].as_array().into_iter().flatten() {
            let content = token["content"].as_str().unwrap_or_default().to_string();
            let id = token["id"].as_u64().and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or_else(|| fault(format!("the token {content:?} has no id")))?;
            // The crate passes over what stands nowhere in a text.
            if content.is_empty() {
                continue;
            }
            if token["special"] == true {
                specials.push(id);
            }
            ids.insert(content.clone(), id);
            added[usize::from(token["normalized"] == true)].push((content, id));
        }
        if let Some((content, _)) = added.iter().flatten().find(|(content, id)| ids[content] != *id)
        {
            return Err(fault(format!("the added token {content:?} has two ids")));
        }
        let size = ids.values().max().map_or(0, |&id| id as usize + 1);
        // A table as large as the largest id must not be what a hostile file is for.
        if size > 2 * ids.len() + 256 {
            return Err(fault(format!("{} tokens have ids up to {size}", ids.len())));
        }
        let mut bytes = vec![None; size];
        for (token, &id) in &ids {
            let read: Option<Vec<u8>> = token.chars().map(|c| bytes_of.get(&c).copied()).collect();
            let read = read.unwrap_or_else(|| token.as_bytes().to_vec());
            if bytes[id as usize].replace(read).is_some() {
                return Err(fault(format!("the id {id} is that of two tokens")));
            }
        }
        let mut special = vec![false; size];
        specials.into_iter().for_each(|id| special[id as usize] = true);
        let (mut byte_ids, mut characters) = (vec![None; 256], vec![' '; 256]);
        for (character, &byte) in &bytes_of {
            characters[usize::from(byte)] = *character;
            byte_ids[usize::from(byte)] = ids.get(character.to_string().as_str()).copied();
        }
        let merges = merges(&root["model"]["merges"], &ids).map_err(fault)?;
        let words = Words::of(&root["pre_tokenizer"]).expect("checked");
        let composes = !root["normalizer"].is_null();
        let whole_first = root["model"]["ignore_merges"] == true;
        let json = json.to_vec();
        Ok(Self {
            json,
            bytes,
            special,
            ids,
            added,
            byte_ids,
            characters,
            merges,
            words,
            composes,
            whole_first,
        })
    }

    /// Trains a byte-level BPE of at most `vocab_size` tokens, none longer than `max_token_length`
    /// bytes, and writes its `tokenizer.json`: the special tokens, the 256 bytes, and merges of pairs
    /// that occur at least twice. Each text is one unit of merging. The file is the one that the
    /// `tokenizers` crate would have written.
    pub fn train(
        texts: impl Iterator<Item = String>,
        specials: &[&str],
        vocab_size: usize,
        max_token_length: usize,
    ) -> Vec<u8> {
        bpe_trainer::train(texts, specials, vocab_size, max_token_length)
    }

    /// The file this was read from.
    pub fn to_json(&self) -> Vec<u8> {
        self.json.clone()
    }

    /// Ids from 0 to the largest, added tokens' included; not all need be a token's.
    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is a token of this id.
    pub fn has(&self, id: u32) -> bool {
        self.bytes.get(id as usize).is_some_and(Option::is_some)
    }

    /// The name in the file of the token of this id.
    pub fn name_of(&self, id: u32) -> Option<String> {
        self.ids.iter().find(|(_, other)| **other == id).map(|(name, _)| name.clone())
    }

    /// The id of a token by its name in the file.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The ids of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        self.encode_between(text, &self.added, &mut out);
        out
    }

    /// Adds the ids of a text in which tokens of these lists are found, one list after the other.
    fn encode_between(&self, text: &str, lists: &[Vec<Added>], out: &mut Vec<u32>) {
        let Some((list, later)) = lists.split_first() else {
            self.words.cut(text).into_iter().for_each(|word| self.merge(word.as_bytes(), out));
            return;
        };
        // Tokens of the first list are found in the text as it is.
        let composed = (self.composes && later.is_empty()).then(|| composed(text));
        let text = composed.as_deref().unwrap_or(text);
        let mut rest = text;
        while !rest.is_empty() {
            let Some((at, (content, id))) = first_added(list, rest) else {
                return self.encode_between(rest, later, out);
            };
            self.encode_between(&rest[..at], later, out);
            out.push(*id);
            rest = &rest[at + content.len()..];
        }
    }

    /// The text of some ids; broken UTF-8 becomes `�`, ids that are none leave nothing.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        let mut text = Vec::new();
        for &id in ids {
            let id = id as usize;
            let hidden = skip_special && self.special.get(id).copied().unwrap_or(false);
            if let Some(bytes) = self.bytes.get(id).and_then(Option::as_ref).filter(|_| !hidden) {
                text.extend_from_slice(bytes);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The token that is this word.
    fn whole(&self, word: &[u8]) -> Option<u32> {
        let written: String = word.iter().map(|&byte| self.characters[usize::from(byte)]).collect();
        self.id_of(&written)
    }

    /// Whether it brings a text to normal form C, which the small module of a browser does not.
    pub fn composes(&self) -> bool {
        self.composes
    }

    /// Merges the bytes of a word, the earliest merge first and of equal ones the leftmost.
    fn merge(&self, word: &[u8], out: &mut Vec<u32>) {
        if self.whole_first
            && let Some(id) = self.whole(word)
        {
            out.push(id);
            return;
        }
        let mut ids: Vec<u32> =
            word.iter().filter_map(|&byte| self.byte_ids[usize::from(byte)]).collect();
        let rank = |pair: &[u32]| self.merges.get(&(pair[0], pair[1])).map_or(u32::MAX, |m| m.0);
        let mut ranks: Vec<u32> = ids.windows(2).map(rank).collect();
        while let Some((at, &best)) = ranks.iter().enumerate().min_by_key(|(_, rank)| **rank) {
            if best == u32::MAX {
                break;
            }
            ids[at] = self.merges[&(ids[at], ids[at + 1])].1;
            ids.remove(at + 1);
            ranks.remove(at);
            for changed in [at.checked_sub(1), Some(at)].into_iter().flatten() {
                if changed < ranks.len() {
                    ranks[changed] = rank(&ids[changed..changed + 2]);
                }
            }
        }
        out.extend(ids);
    }
}

/// A text in normal form C.
#[cfg(feature = "llama")]
fn composed(text: &str) -> String {
    use unicode_normalization_alignments::UnicodeNormalization;
    match text.is_ascii() {
        true => text.to_string(),
        false => text.nfc().map(|(character, _)| character).collect(),
    }
}

#[cfg(not(feature = "llama"))]
fn composed(text: &str) -> String {
    text.to_string()
}

/// Where the first token of a list stands, the longest of those that begin there.
fn first_added<'a>(list: &'a [Added], text: &str) -> Option<(usize, &'a Added)> {
    let found = list.iter().filter_map(|token| text.find(&token.0).map(|at| (at, token)));
    found.min_by_key(|(at, token)| (*at, std::cmp::Reverse(token.0.len())))
}

/// Refuses what this reader does not do.
fn check(root: &Value) -> Result<(), String> {
    let needs = |what: &str| Err(format!("it needs {what}, which only the terminal has"));
    let model = &root["model"];
    if !model["vocab"].is_object() || !model["merges"].is_array() {
        return needs("a model other than byte-level BPE");
    }
    if model.get("type").is_some_and(|kind| kind != "BPE") {
        return needs("a model other than byte-level BPE");
    }
    for key in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = &model[key];
        if !value.is_null() && value != "" {
            return needs(key);
        }
    }
    for key in ["fuse_unk", "byte_fallback"] {
        if model[key] == true {
            return needs(key);
        }
    }
    let normalizer = &root["normalizer"];
    if !(normalizer.is_null() || cfg!(feature = "llama") && normalizer["type"] == "NFC") {
        return needs("a normalizer other than NFC");
    }
    if Words::of(&root["pre_tokenizer"]).is_none() {
        return needs(
            "a pre_tokenizer other than those of GPT-2 without a prefix space, SmolLM, Llama 3 and Qwen 2",
        );
    }
    if root["decoder"]["type"] != "ByteLevel" {
        return needs("a decoder other than ByteLevel");
    }
    for token in root["added_tokens"].as_array().into_iter().flatten() {
        if ["single_word", "lstrip", "rstrip"].iter().any(|key| token[key] == true) {
            return needs("added tokens that strip blanks or stand alone");
        }
    }
    Ok(())
}

/// The merges of a file, each written as two tokens or as one text with a blank between them.
fn merges(list: &Value, ids: &HashMap<String, u32>) -> Result<Merges, String> {
    let mut merges = HashMap::new();
    for (rank, merge) in list.as_array().into_iter().flatten().enumerate() {
        let pair = match merge {
            Value::String(text) => text.split_once(' '),
            Value::Array(two) if two.len() == 2 => two[0].as_str().zip(two[1].as_str()),
            _ => None,
        };
        let known = pair
            .and_then(|(a, b)| Some(((*ids.get(a)?, *ids.get(b)?), *ids.get(&format!("{a}{b}"))?)));
        let (pair, whole) = known.ok_or_else(|| format!("merge number {rank} is none: {merge}"))?;
        merges.insert(pair, (rank as u32, whole));
    }
    Ok(merges)
}

/// The printable character by which GPT-2's files write each byte.
pub(super) fn byte_alphabet() -> HashMap<char, u8> {
    let mut spare = 256;
    (0..=u8::MAX)
        .map(|byte| {
            let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
            let code = if printable {
                u32::from(byte)
            } else {
                spare += 1;
                spare - 1
            };
            (char::from_u32(code).expect("far below the surrogates"), byte)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::text::hugging_face::HuggingFace;

    /// One of archer's own, that merges across blanks, one of GPT-2's kind, that splits words, and what
    /// SmolLM, Llama 3 and Qwen 2 make of that.
    fn files() -> [Vec<u8>; 5] {
        let pieces = ["Questions:\n", "Is it an animal?", " Yes.\n", "Is it a dög?", " No.\n"];
        let texts = (0..50).flat_map(|_| pieces.map(str::to_string));
        let ours = HuggingFace::train(texts, &["<s>", "<pad>", "</s>"], 300, 12).unwrap();
        let gpt2 = include_bytes!("../../../../tests/parity/actor/tokenizer.json").to_vec();
        let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
        let gpt4 = |digits: &str| {
            let pattern = format!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            );
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
        };
        let changed = |first: Value, regex: bool, normalizer: Value, whole_first: bool| {
            let mut file: Value = serde_json::from_slice(&gpt2).unwrap();
            file["pre_tokenizer"] =
                json!({"type": "Sequence", "pretokenizers": [first, bytes(regex)]});
            file["normalizer"] = normalizer;
            file["model"]["ignore_merges"] = whole_first.into();
            file.to_string().into_bytes()
        };
        let digits = json!({"type": "Digits", "individual_digits": true});
        let mut smollm: Value =
            serde_json::from_slice(&changed(digits, true, Value::Null, false)).unwrap();
        // Those of the bytes 4 and 246.
        for rare in ["Ą", "ö"] {
            smollm["model"]["vocab"].as_object_mut().unwrap().remove(rare).unwrap();
        }
        let smollm = smollm.to_string().into_bytes();
        let llama = changed(gpt4("{1,3}"), false, Value::Null, true);
        let qwen = changed(gpt4(""), false, json!({"type": "NFC"}), false);
        [ours, gpt2, smollm, llama, qwen]
    }

    fn both() -> [(ByteBpe, HuggingFace); 5] {
        files().map(|json| {
            let ours = ByteBpe::from_json("t", &json).unwrap();
            (ours, HuggingFace::from_json("t", &json).unwrap())
        })
    }

    fn check(text: &str, (ours, theirs): &(ByteBpe, HuggingFace)) {
        let ids = theirs.encode(text);
        assert_eq!(ours.encode(text), ids, "{text:?}");
        for skip in [true, false] {
            assert_eq!(ours.decode(&ids, skip), theirs.decode(&ids, skip), "{text:?}");
        }
    }

    #[test]
    fn awkward_texts_have_the_ids_of_the_crate() {
        let texts = [
            "",
            " ",
            "\n",
            "   \n\t  ",
            "Is it an animal? Yes.\nIs it a dog? No.\n",
            "Is  it   a\n\n cat ?",
            "it's we've I'll he'd 'S can't'nt ''s",
            "don't''''ve",
            "<s>Is it</s><pad><|endoftext|> <s",
            "<<s>s></s",
            "naïve café ÀÉÎ ﬁ ǆ ß İ",
            "日本語とemoji 🦀👨‍👩‍👧 and Ⅷ ½ ² ٣",
            "a\u{300}\u{301} zero\u{200b}width\u{a0}nbsp\u{2028}line\u{3000}ideographic",
            "\u{0}\u{1}\u{7f}\u{80}\u{ad}\u{feff}\u{fffd}",
            "1234 12.5e-3 ---___*** ?!?! ...",
            "tab\tand\r\nreturn\u{b}\u{c}\u{85}",
            "éèêéèê  x  ",
            "e\u{301}e\u{300} A\u{30a} \u{1100}\u{1161}\u{11a8} x\u{338}",
            "a\u{4}b \u{4}\u{4} c\u{4}",
            "12345 123456789 ٣٤٥٦ ½½½½ a1b22c333d4444",
            "'S'T'RE'vE'M'lL'D '\u{17f} 'sa don'T ''S",
            "!word \tword\n\nword ?!\r\n\r\n  \n  x \u{a0}\u{a0}y\n",
            " \n \n a\n\n\n  b \r c\u{2028}\u{2028}d   ",
        ];
        for pair in &both() {
            texts.iter().for_each(|text| check(text, pair));
        }
    }

    #[test]
    fn the_two_agree_on_the_vocabulary() {
        for (ours, theirs) in &both() {
            assert_eq!(ours.vocab_size(), theirs.vocab_size());
            for token in ["<s>", "</s>", "<pad>", "<|endoftext|>", "Ġ", "a", "nothing such"] {
                assert_eq!(ours.id_of(token), theirs.id_of(token), "{token}");
            }
            for id in 0..ours.vocab_size() as u32 + 3 {
                assert_eq!(ours.has(id), theirs.has(id), "{id}");
                assert_eq!(ours.name_of(id), theirs.name_of(id), "{id}");
                assert_eq!(ours.decode(&[id], false), theirs.decode(&[id], false), "{id}");
            }
        }
    }

    #[test]
    fn added_tokens_of_both_kinds_are_found_in_the_order_of_the_crate() {
        let mut json: Value = serde_json::from_slice(&files()[0]).unwrap();
        let count = json["model"]["vocab"].as_object().unwrap().len();
        let tokens = json["added_tokens"].as_array_mut().unwrap();
        for (n, (content, normalized)) in
            [("ab", true), ("bc", false), ("bcd", false)].into_iter().enumerate()
        {
            let mut token = tokens[0].clone();
            (token["id"], token["content"]) = ((count + n).into(), content.into());
            (token["normalized"], token["special"]) = (normalized.into(), false.into());
            tokens.push(token);
        }
        let json = json.to_string().into_bytes();
        let pair =
            (ByteBpe::from_json("t", &json).unwrap(), HuggingFace::from_json("t", &json).unwrap());
        for text in ["abc", "abcd", "aab bc", "ab cab", "xbcdab", "ab"] {
            check(text, &pair);
        }
    }

    #[test]
    fn what_it_cannot_do_is_refused_by_name() {
        let json: Value = serde_json::from_slice(&files()[0]).unwrap();
        for (pointer, value, named) in [
            ("/model/type", Value::from("WordPiece"), "byte-level BPE"),
            ("/model/byte_fallback", Value::from(true), "byte_fallback"),
            ("/model/unk_token", Value::from("<unk>"), "unk_token"),
            ("/normalizer", json!({"type": "NFKC"}), "normalizer"),
            ("/pre_tokenizer", json!({"type": "Whitespace"}), "pre_tokenizer"),
            ("/pre_tokenizer/add_prefix_space", Value::from(true), "prefix space"),
            ("/decoder/type", Value::from("WordPiece"), "decoder"),
            ("/model/vocab/!", Value::from(6), "two tokens"),
            ("/added_tokens/0/lstrip", Value::from(true), "strip"),
            ("/added_tokens/0/id", Value::from(4_000_000_000_u32), "ids up to"),
            ("/model/merges/0", Value::from("x"), "merge number 0"),
        ] {
            let mut json = json.clone();
            *json.pointer_mut(pointer).unwrap() = value;
            let error = ByteBpe::from_json("file.json", json.to_string().as_bytes()).err();
            let error = error.unwrap_or_else(|| panic!("{pointer} is read")).to_string();
            assert!(error.starts_with("file.json") && error.contains(named), "{error}");
        }
        assert!(ByteBpe::from_json("t", b"{").is_err());
        let mut twice = json;
        twice["added_tokens"][1]["content"] = twice["added_tokens"][0]["content"].clone();
        let error = ByteBpe::from_json("t", twice.to_string().as_bytes()).err().unwrap();
        assert!(error.to_string().contains("has two ids"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_has_the_ids_of_the_crate(text in "(\\PC|[ '\n\tIsitadog?.019]){0,40}") {
            for pair in &both() {
                check(&text, pair);
            }
        }
    }
}
