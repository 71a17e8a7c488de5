//! The `tokenizers` crate behind the few calls that this project makes of it.
//!
//! Left out of builds for browsers, where [`super::byte_bpe`] stands in its place.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer, TokenizerImpl};
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

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
            // The crate knows only while it reads whether it can: a token for what it does not know
            // may be missing from its vocabulary.
            for trial in TRIALS {
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
