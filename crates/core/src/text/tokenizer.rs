//! Words to tokens and back, and nowhere else.
//!
//! A byte-level BPE in the field's `tokenizer.json`: any text has ids, and ids give the text back.
//! A fresh run trains one on generated games; GPT-2's or RoBERTa's own file is read the same way,
//! by the `tokenizers` crate or, in a browser, by a small reader of our own. What the models need
//! to know beside the ids (which tokens end an utterance, which are padding and the ends of a
//! critic's sequence) is found out here once.

#[cfg(target_family = "wasm")]
use super::byte_bpe::ByteBpe as Engine;
#[cfg(not(target_family = "wasm"))]
use super::hugging_face::HuggingFace as Engine;
use crate::error::Error;

/// The special tokens of a fresh tokenizer, ids 0 to 4, in RoBERTa's order.
const SPECIALS: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The smallest vocabulary: the specials and the 256 bytes.
pub const MIN_VOCAB: usize = SPECIALS.len() + 256;

/// A tokenizer and what the models must know of it.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Engine,
    ends_utterance: Vec<bool>,
    newline: u32,
    /// Id that fills the shorter rows of a batch.
    pub pad: u32,
    /// Id that opens a critic's sequence.
    pub start: u32,
    /// Id that closes a critic's sequence.
    pub end: u32,
}

impl Tokenizer {
    /// Trains a byte-level BPE of at most `vocab_size` tokens on `texts`.
    ///
    /// Each text is one unit of merging: a game's utterances and replies are given one by one, so
    /// that no token spans two of them. Within a text merges may cross spaces ("Is it a" can become
    /// one token): small models of a narrow language then read a turn in a handful of tokens
    /// instead of ten. No token is longer than `max_token_length` bytes, so that utterances stay made of
    /// parts. The result depends on the arguments alone.
    ///
    /// # Errors
    /// If it cannot be trained.
    pub fn train(
        texts: impl Iterator<Item = String> + Send,
        vocab_size: usize,
        max_token_length: usize,
    ) -> Result<Self, Error> {
        #[cfg(not(target_family = "wasm"))]
        let json = Engine::train(texts, &SPECIALS, vocab_size, max_token_length)?;
        #[cfg(target_family = "wasm")]
        let json = Engine::train(texts, &SPECIALS, vocab_size, max_token_length);
        Self::from_json(&json)
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// If it cannot be read, or has no token that ends a text or a line.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let file = "tokenizer.json";
        let tokenizer = Self::from_json_of(file, bytes)?;
        if tokenizer.line_end().is_none() {
            return Err(Error::Model(format!(
                "{file} has no single token for the end of a line, which ends an utterance"
            )));
        }
        Ok(tokenizer)
    }

    /// The same for one that only reads, as a critic's does (BERT's knows no end of a line);
    /// `file` names it in an error.
    ///
    /// # Errors
    /// If it cannot be read, or has no token that ends a text.
    pub fn from_json_of(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let inner = Engine::from_json(file, bytes)?;
        let size = inner.vocab_size();
        let id_of = |names: &[&str]| names.iter().find_map(|name| inner.id_of(name));
        let end_of_text = id_of(&["<|endoftext|>", "</s>", "[SEP]"]);
        let (Some(start), Some(end), Some(pad)) = (
            id_of(&["<s>", "[CLS]"]).or(end_of_text),
            id_of(&["</s>", "[SEP]"]).or(end_of_text),
            id_of(&["<pad>", "[PAD]"]).or(end_of_text),
        ) else {
            return Err(Error::Model(format!(
                "{file} names no token that ends a text (</s>, [SEP] or <|endoftext|>)"
            )));
        };
        let mut ends_utterance = vec![false; size];
        for id in 0..size as u32 {
            let text = inner.decode(&[id], false);
            ends_utterance[id as usize] = text.contains('\n') || Some(id) == end_of_text;
        }
        let newline = match inner.encode("\n")[..] {
            [newline] => newline,
            _ => end,
        };
        Ok(Self { inner, ends_utterance, newline, pad, start, end })
    }

    /// The `tokenizer.json` of this tokenizer.
    pub fn to_json(&self) -> Vec<u8> {
        self.inner.to_json()
    }

    /// Tokens in the vocabulary, specials included.
    pub fn vocab_size(&self) -> usize {
        self.ends_utterance.len()
    }

    /// The ids of a text, without any special token around it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner.encode(text)
    }

    /// The text of some ids; special tokens leave nothing, broken UTF-8 becomes `�`.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true)
    }

    /// The id of the end of a line: the terminator of an utterance.
    pub fn newline(&self) -> u32 {
        self.newline
    }

    /// The same, if there is one that is nothing else.
    fn line_end(&self) -> Option<u32> {
        Some(self.newline).filter(|&id| self.inner.decode(&[id], false) == "\n")
    }

    /// Whether sampling this token ends the utterance.
    pub fn ends_utterance(&self, id: u32) -> bool {
        self.ends_utterance.get(id as usize).copied().unwrap_or(false)
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocab_size", &self.vocab_size()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained() -> Tokenizer {
        let pieces = ["Questions:\n", "Is it an animal?", " Yes.\n", "Is it a dog?", " No.\n"];
        Tokenizer::train((0..50).flat_map(|_| pieces.map(str::to_string)), 300, 12).unwrap()
    }

    #[test]
    fn any_text_survives_the_round_trip() {
        let tokenizer = trained();
        for text in ["Is it an animal?", "", " two  spaces\n\n", "Ünïcode 日本 🦀", "\u{0}\t"]
        {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
        }
    }

    #[test]
    fn frequent_phrases_become_one_token_and_the_file_gives_the_same_ids() {
        let tokenizer = trained();
        assert_eq!(tokenizer.encode(" Yes.\n").len(), 1);
        let animal = tokenizer.encode("Is it an animal?");
        assert!((2..5).contains(&animal.len()), "{animal:?}");
        let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
        assert_eq!(again.encode("Is it a zebra?"), tokenizer.encode("Is it a zebra?"));
        assert_eq!((again.start, again.pad, again.end), (0, 1, 2));
    }

    #[test]
    fn a_whole_game_has_the_tokens_of_its_pieces() {
        let tokenizer = trained();
        let pieces = ["Questions:\n", "Is it a dog?", " No.\n", "Is it an animal?", " Yes.\n"];
        let apart: Vec<u32> = pieces.iter().flat_map(|piece| tokenizer.encode(piece)).collect();
        assert_eq!(tokenizer.encode(&pieces.concat()), apart);
    }

    #[test]
    fn the_newline_ends_an_utterance_and_a_letter_does_not() {
        let tokenizer = trained();
        assert!(tokenizer.ends_utterance(tokenizer.newline()));
        assert!(!tokenizer.ends_utterance(tokenizer.encode("a")[0]));
    }

    /// A word-piece tokenizer as BERT's is made, with a handful of pieces.
    const WORD_PIECES: &str = r###"{"version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": true,
        "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2,
        "[SEP]": 3, "is": 4, "it": 5, "a": 6, "ani": 7, "##mal": 8, "?": 9}}}"###;

    #[test]
    fn word_pieces_can_be_read_by_but_not_spoken_with() {
        let bert = Tokenizer::from_json_of("t", WORD_PIECES.as_bytes()).unwrap();
        assert_eq!((bert.start, bert.end, bert.pad), (2, 3, 0));
        assert_eq!(bert.encode("Is it a\nanimal?"), [4, 5, 6, 7, 8, 9]);
        assert_eq!(bert.encode("zebra"), [1]);
        let error = Tokenizer::from_json(WORD_PIECES.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("the end of a line"), "{error}");
    }

    #[test]
    fn a_file_that_is_none_is_refused_with_its_name() {
        let error = Tokenizer::from_json(b"{").unwrap_err().to_string();
        assert!(error.contains("tokenizer.json"), "{error}");
    }
}
