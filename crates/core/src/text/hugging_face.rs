//! The `tokenizers` crate behind the few calls that this project makes of it.
//!
//! Left out of builds for browsers, where [`super::byte_bpe`] stands in its place.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    AddedToken, DecoderWrapper, Model, ModelWrapper, NormalizerWrapper, PostProcessorWrapper,
    PreTokenizerWrapper, Tokenizer, TokenizerImpl,
};

use super::settings::with_added_tokens_in_vocabulary;
use crate::error::Error;

/// A tokenizer of any kind that the crate reads.
#[derive(Clone)]
pub struct HuggingFace {
    inner: Tokenizer,
    /// For each id whether it is that of a token; as long as the largest id needs.
    known: Vec<bool>,
}

/// Texts that a tokenizer which reads any text can read, with what few vocabularies hold.
const TRIALS: [&str; 4] =
    ["", "a b\n", "\u{0} \t\r\n <s></s>", "é 中 🦀 \u{10FFFF}\u{E000}\u{300}"];

impl HuggingFace {
    /// Reads a `tokenizer.json`; `file` names it in an error.
    ///
    /// # Errors
    /// If it cannot be read, or cannot read any text.
    pub fn from_json(file: &str, json: &[u8]) -> Result<Self, Error> {
        let fault = |why: String| Error::Model(format!("{file} cannot be read: {why}"));
        without_panic(|| {
            let inner = with_ids_of_the_file(json)?;
            unknown_has_a_token(&inner, json)?;
            // The crate knows only while it reads whether it can: a token for what it does not know
            // may be missing from its vocabulary.
            for trial in TRIALS.into_iter().chain([every_byte().as_str()]) {
                let ids = inner.encode_fast(trial, false).map_err(|error| error.to_string())?;
                inner.decode(ids.get_ids(), false).map_err(|error| error.to_string())?;
            }
            let ids: Vec<u32> = inner.get_vocab(true).into_values().collect();
            let size = ids.iter().max().map_or(0, |&id| id as usize + 1);
            let mut known = vec![false; size];
            ids.into_iter().for_each(|id| known[id as usize] = true);
            Ok(Self { inner, known })
        })
        .map_err(fault)
    }

    /// Trains a byte-level BPE and writes its `tokenizer.json`.
    ///
    /// # Errors
    /// If the crate cannot.
    pub fn train(
        texts: impl Iterator<Item = String> + Send,
        specials: &[&str],
        vocab_size: usize,
        max_token_length: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut trainer = BpeTrainer::builder()
            .vocab_size(vocab_size)
            .max_token_length(Some(max_token_length))
            .min_frequency(2)
            .show_progress(false)
            .special_tokens(specials.iter().map(|token| AddedToken::from(*token, true)).collect())
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        // No prefix space: an utterance opens a line. No regex: merges may cross spaces.
        let byte_level = ByteLevel::new(false, true, false);
        let mut tokenizer: TokenizerImpl<
            BPE,
            NormalizerWrapper,
            PreTokenizerWrapper,
            PostProcessorWrapper,
            DecoderWrapper,
        > = TokenizerImpl::new(BPE::default());
        tokenizer.with_pre_tokenizer(Some(PreTokenizerWrapper::ByteLevel(byte_level)));
        tokenizer.with_decoder(Some(DecoderWrapper::ByteLevel(ByteLevelDecoder::default())));
        tokenizer
            .train(&mut trainer, texts)
            .map_err(|error| Error::Data(format!("the tokenizer could not be trained: {error}")))?;
        tokenizer
            .to_string(false)
            .map(String::into_bytes)
            .map_err(|error| Error::Data(format!("the tokenizer could not be written: {error}")))
    }

    /// The `tokenizer.json` of this tokenizer.
    pub fn to_json(&self) -> Vec<u8> {
        self.inner.to_string(true).expect("a tokenizer that was read can be written").into_bytes()
    }

    /// Ids from 0 to the largest, added tokens' included; not all need be a token's.
    pub fn vocab_size(&self) -> usize {
        self.known.len()
    }

    /// Whether there is a token of this id.
    pub fn has(&self, id: u32) -> bool {
        self.known.get(id as usize).copied().unwrap_or(false)
    }

    /// The name in the file of the token of this id.
    pub fn name_of(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The id of a token by its name in the file.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The ids of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner
            .encode_fast(text, false)
            .expect("a tokenizer with a token for what it does not know reads any text")
            .get_ids()
            .to_vec()
    }

    /// The text of some ids; broken UTF-8 becomes `�`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        self.inner.decode(ids, skip_special).unwrap_or_default()
    }
}

/// The tokenizer of a file, in which each added token has the id that the file gives it.
fn with_ids_of_the_file(json: &[u8]) -> Result<Tokenizer, String> {
    let read = |json: &[u8]| Tokenizer::from_bytes(json).map_err(|error| error.to_string());
    let inner = read(json)?;
    let Some(moved) = moved_token(&inner, json)? else {
        return Ok(inner);
    };
    // The crate numbers added tokens on from the vocabulary, unless they stand in it.
    let inner = match with_added_tokens_in_vocabulary(json) {
        Some(json) => read(&json)?,
        None => inner,
    };
    match moved_token(&inner, json)? {
        None => Ok(inner),
        Some(_) => Err(moved),
    }
}

/// A text that has every byte of UTF-8 in it: the vocabulary of a tokenizer of bytes may lack some.
fn every_byte() -> String {
    let ones = 0..0x80;
    let lasts = 0x80..0xC0;
    let twos = (3..0x20).map(|lead| lead << 6);
    let threes = [0x800].into_iter().chain((1..0x10).map(|lead| lead << 12));
    let fours = [0x1_0000].into_iter().chain((1..5).map(|lead| lead << 18));
    ones.chain(lasts).chain(twos).chain(threes).chain(fours).filter_map(char::from_u32).collect()
}

/// Refuses a model that writes a token for what it does not know, which its vocabulary has not: such a text
/// could not be read. A tokenizer of bytes knows every text, once it has every byte.
fn unknown_has_a_token(inner: &Tokenizer, json: &[u8]) -> Result<(), String> {
    let root: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let of_bytes = |part: &str| root[part].to_string().contains("\"ByteLevel\"");
    if of_bytes("pre_tokenizer") || of_bytes("normalizer") {
        return Ok(());
    }
    let model = &root["model"];
    let unknown = match inner.get_model() {
        ModelWrapper::Unigram(_) if model["unk_id"].is_null() && model["byte_fallback"] != true => {
            return Err("it has no token for what it does not know (unk_id)".into());
        }
        ModelWrapper::Unigram(_) => return Ok(()),
        ModelWrapper::BPE(_) => model["unk_token"].as_str(),
        ModelWrapper::WordPiece(_) => model["unk_token"].as_str().or(Some("[UNK]")),
        ModelWrapper::WordLevel(_) => model["unk_token"].as_str().or(Some("<unk>")),
    };
    match unknown.filter(|token| inner.get_model().token_to_id(token).is_none()) {
        Some(token) => {
            Err(format!("its token for what it does not know, {token:?}, is not in its vocabulary"))
        }
        None => Ok(()),
    }
}

/// What the crate makes of the first added token whose id it changes.
fn moved_token(inner: &Tokenizer, json: &[u8]) -> Result<Option<String>, String> {
    let root: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let added = root["added_tokens"].as_array().into_iter().flatten();
    Ok(added.into_iter().find_map(|token| {
        let content = token["content"].as_str().filter(|content| !content.is_empty())?;
        let (wanted, given) = (token["id"].as_u64()?, inner.token_to_id(content)?);
        (wanted != u64::from(given)).then(|| {
            format!(
                "the added token {content:?} has the id {wanted}, where its place gives it {given}"
            )
        })
    }))
}

/// What `read` gives; a panic in the crate, which expects some things of a file, is an error of the file.
fn without_panic<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // The hook is the whole program's: two that set it at once would leave it silent.
    static QUIET: Mutex<()> = Mutex::new(());
    let _quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    std::panic::set_hook(hook);
    read.unwrap_or_else(|_| Err("a part of it is not what its kind of tokenizer has".into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(file: &Value) -> Result<HuggingFace, Error> {
        HuggingFace::from_json("t", file.to_string().as_bytes())
    }

    #[test]
    fn the_text_of_every_byte_has_every_byte() {
        let text = every_byte();
        let missing: Vec<u8> =
            (0..=u8::MAX).filter(|byte| !text.as_bytes().contains(byte)).collect();
        let never = [vec![0xC0, 0xC1], (0xF5..=0xFF).collect()].concat();
        assert_eq!(missing, never);
    }

    #[test]
    fn a_tokenizer_of_bytes_that_lacks_one_is_refused_where_it_cannot_say_so() {
        let trained =
            HuggingFace::train(["a b".to_string()].into_iter(), &["</s>"], 300, 8).unwrap();
        let mut file: Value = serde_json::from_slice(&trained).unwrap();
        file["model"]["unk_token"] = json!("no token");
        assert!(read(&file).is_ok(), "it knows every byte");
        // "Q", which no trial of few words has.
        assert!(file["model"]["vocab"].as_object_mut().unwrap().remove("Q").is_some());
        let refused = read(&file).err().unwrap().to_string();
        assert!(refused.starts_with("t cannot be read: "), "{refused}");
        file["model"]["unk_token"] = Value::Null;
        assert!(read(&file).unwrap().encode("Q").is_empty(), "left out, as its file has it");
    }

    #[test]
    fn a_token_for_the_unknown_must_be_in_the_vocabulary() {
        let words = |unknown: &str| {
            json!({"model": {"type": "WordLevel", "unk_token": unknown, "vocab": {"<unk>": 0, "a": 1}},
                "pre_tokenizer": {"type": "Whitespace"}})
        };
        assert_eq!(read(&words("<unk>")).unwrap().encode("a zorb"), [1, 0]);
        let refused = read(&words("none")).err().unwrap().to_string();
        assert!(refused.contains("\"none\", is not in its vocabulary"), "{refused}");
    }
}
