//! The `tokenizers` crate behind the few calls that this project makes of it.
//!
//! Left out of builds for browsers, where [`super::byte_bpe`] stands in its place.

use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer, TokenizerImpl};
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

use crate::error::Error;

/// A tokenizer of any kind that the crate reads.
#[derive(Clone)]
pub struct HuggingFace(Tokenizer);

impl HuggingFace {
    /// Reads a `tokenizer.json`; `file` names it in an error.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn from_json(file: &str, json: &[u8]) -> Result<Self, Error> {
        let text =
            archer_input::text(json).map_err(|fault| Error::Model(format!("{file} {fault}")))?;
        let read = Tokenizer::from_bytes(text.as_bytes());
        read.map(Self).map_err(|error| Error::Model(format!("{file} cannot be read: {error}")))
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
        self.0.to_string(true).expect("a tokenizer that was read can be written").into_bytes()
    }

    /// Tokens in the vocabulary, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.0.get_vocab_size(true)
    }

    /// The id of a token by its name in the file.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }

    /// The ids of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.0
            .encode_fast(text, false)
            .expect("a tokenizer with a token for what it does not know reads any text")
            .get_ids()
            .to_vec()
    }

    /// The text of some ids; broken UTF-8 becomes `�`.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        self.0.decode(ids, skip_special).unwrap_or_default()
    }
}
