//! Words to tokens and back, and nowhere else.
//!
//! A byte-level BPE in the field's `tokenizer.json`: any text has ids, and ids give the text back.
//! A fresh run trains one on generated games; GPT-2's or RoBERTa's own file is read the same way,
//! by the `tokenizers` crate or, in a browser, by a small reader of our own. What the models need
//! to know beside the ids (which tokens end an utterance, which are padding and the ends of a
//! critic's sequence) is found out here once.

use archer_world::Style;

use super::byte_bpe::ByteBpe;
#[cfg(target_family = "wasm")]
use super::byte_bpe::ByteBpe as Engine;
#[cfg(not(target_family = "wasm"))]
use super::hugging_face::HuggingFace as Engine;
use super::settings::{Cleaned, cleaned};
use crate::error::Error;

/// The special tokens of a fresh tokenizer, ids 0 to 4, in RoBERTa's order.
const SPECIALS: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The smallest vocabulary: the specials and the 256 bytes.
pub const MIN_VOCAB: usize = SPECIALS.len() + 256;

/// The special tokens that the files beside a tokenizer name, for one that calls them by names of its
/// own; ids, and the text of the token that ends a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Specials {
    /// Opens a text.
    pub start: Option<u32>,
    /// Fills a row.
    pub pad: Option<u32>,
    /// Ends a text.
    pub end: Option<u32>,
    /// Names of the token that ends a text, of which the first that is one counts.
    pub end_names: Vec<String>,
    /// All tokens that end a text, or a message of a chat.
    pub stops: Vec<u32>,
}

/// Names of tokens that end a text or a message in the models that are known.
const STOPS: [&str; 6] =
    ["<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<end_of_turn>"];

impl Specials {
    /// These, and those of `other` where these say nothing.
    pub fn or(self, other: Self) -> Self {
        Self {
            start: self.start.or(other.start),
            pad: self.pad.or(other.pad),
            end: self.end.or(other.end),
            end_names: [self.end_names, other.end_names].concat(),
            stops: [self.stops, other.stops].concat(),
        }
    }
}

/// A tokenizer and what the models must know of it.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Engine,
    ends_utterance: Vec<bool>,
    newline: u32,
    /// The token that an utterance is ended by.
    terminator: u32,
    /// Tokens that only the files beside it say to end a text.
    stops: Vec<u32>,
    cleared: Vec<&'static str>,
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
        Self::from_json_with(bytes, &Specials::default())
    }

    /// The same where the files beside it name its special tokens.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_json_with(bytes: &[u8], specials: &Specials) -> Result<Self, Error> {
        let file = "tokenizer.json";
        let tokenizer = Self::from_json_of(file, bytes, specials)?;
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
    pub fn from_json_of(file: &str, bytes: &[u8], specials: &Specials) -> Result<Self, Error> {
        let Cleaned { json, cleared } = cleaned(file, bytes)?;
        let inner = Engine::from_json(file, &json)?;
        let size = inner.vocab_size();
        let id_of = |names: &[&str]| names.iter().find_map(|name| inner.id_of(name));
        let named = specials.end_names.iter().find_map(|name| inner.id_of(name));
        let known = |id: Option<u32>| id.filter(|&id| inner.has(id));
        let end_of_text =
            id_of(&["<|endoftext|>", "</s>", "[SEP]"]).or(named).or(known(specials.end));
        let (Some(start), Some(end), Some(pad)) = (
            id_of(&["<s>", "[CLS]"]).or(known(specials.start)).or(end_of_text),
            id_of(&["</s>", "[SEP]"]).or(end_of_text),
            id_of(&["<pad>", "[PAD]"]).or(known(specials.pad)).or(end_of_text),
        ) else {
            return Err(Error::Model(format!(
                "{file} names no token that ends a text (</s>, [SEP] or <|endoftext|>); if it has one by another name, say which in the config.json beside it: eos_token_id"
            )));
        };
        let mut ends_utterance = vec![false; size];
        for id in 0..size as u32 {
            let text = inner.decode(&[id], false);
            ends_utterance[id as usize] = text.contains('\n') || Some(id) == end_of_text;
        }
        for stop in STOPS.iter().filter_map(|name| inner.id_of(name)) {
            ends_utterance[stop as usize] = true;
        }
        let mut stops = Vec::new();
        for stop in specials.stops.iter().copied().filter(|&stop| inner.has(stop)) {
            if !std::mem::replace(&mut ends_utterance[stop as usize], true) {
                stops.push(stop);
            }
        }
        let newline = match inner.encode("\n")[..] {
            [newline] => newline,
            _ => end,
        };
        let terminator = newline;
        Ok(Self { inner, ends_utterance, newline, terminator, stops, cleared, pad, start, end })
    }

    /// The `tokenizer.json` of this tokenizer.
    pub fn to_json(&self) -> Vec<u8> {
        self.inner.to_json()
    }

    /// Ids from 0 to the largest, specials' included: the rows that a network needs.
    pub fn vocab_size(&self) -> usize {
        self.ends_utterance.len()
    }

    /// Whether there is a token of this id.
    pub fn has(&self, id: u32) -> bool {
        self.inner.has(id)
    }

    /// The name in the file of the token of this id.
    pub fn name_of(&self, id: u32) -> Option<String> {
        self.inner.name_of(id)
    }

    /// The texts of its special tokens, in the order of their ids.
    #[cfg(not(target_family = "wasm"))]
    pub fn specials(&self) -> Vec<String> {
        let file: serde_json::Value = serde_json::from_slice(&self.to_json()).unwrap_or_default();
        let added = file["added_tokens"].as_array().into_iter().flatten();
        let special = added.filter(|token| token["special"] == true);
        special.filter_map(|token| token["content"].as_str().map(str::to_string)).collect()
    }

    /// Whether the small reader of a browser reads this tokenizer too, in the same way: that of the module
    /// for language models, where it is one's, or of the smaller one. `file` names it in an error.
    ///
    /// # Errors
    /// If it does not; the error says what it would need.
    pub fn fits_a_page(&self, file: &str, of_language_model: bool) -> Result<(), Error> {
        let read = ByteBpe::from_json(file, &self.to_json())?;
        match read.composes() && !of_language_model {
            false => Ok(()),
            true => Err(Error::Model(format!(
                "{file} cannot be read there: it needs the normalizer NFC, which only the module for language models has"
            ))),
        }
    }

    /// The settings of its file that were cleared, since they are no part of reading a text.
    pub fn cleared(&self) -> &[&'static str] {
        &self.cleared
    }

    /// The ids of a text, without any special token around it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner.encode(text)
    }

    /// The ids of a text that an utterance goes on from: the end of a line where the text has no token
    /// of its own, since a network says nothing after nothing.
    pub fn encode_observation(&self, text: &str) -> Vec<u32> {
        let tokens = self.encode(text);
        if tokens.is_empty() { vec![self.newline] } else { tokens }
    }

    /// The text of some ids; special tokens leave nothing, broken UTF-8 becomes `�`.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true)
    }

    /// The id of the token that an utterance is ended by: the end of a line, or what ends a message.
    pub fn terminator(&self) -> u32 {
        self.terminator
    }

    /// The tokens that only the files beside it say to end a text.
    pub fn stops(&self) -> &[u32] {
        &self.stops
    }

    /// The same for texts that are joined so: utterances are ended by the token that ends a message of a
    /// chat, or by the end of a line.
    ///
    /// # Errors
    /// If what ends a message is no single token.
    pub fn ending_by(mut self, style: &Style) -> Result<Self, Error> {
        self.terminator = match style.stop() {
            None => self.newline,
            Some(stop) => match self.encode(stop)[..] {
                [id] => id,
                _ => {
                    return Err(Error::Model(format!(
                        "{stop:?}, which ends a message of the chat (stop), is no single token of the tokenizer: name one that is"
                    )));
                }
            },
        };
        // An agent that writes a part of the frame has said all it had to say.
        let marks = match style {
            Style::Lines { .. } => &[][..],
            Style::Chat(chat) => &chat.marks,
        };
        let parts = marks.iter().filter_map(|mark| self.inner.id_of(mark)).collect::<Vec<u32>>();
        for end in parts.into_iter().chain([self.terminator]) {
            if let Some(ends) = self.ends_utterance.get_mut(end as usize) {
                *ends = true;
            }
        }
        Ok(self)
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
        assert!(tokenizer.ends_utterance(tokenizer.terminator()));
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
        let bert =
            Tokenizer::from_json_of("t", WORD_PIECES.as_bytes(), &Specials::default()).unwrap();
        assert_eq!((bert.start, bert.end, bert.pad), (2, 3, 0));
        assert_eq!(bert.encode("Is it a\nanimal?"), [4, 5, 6, 7, 8, 9]);
        assert_eq!(bert.encode("zebra"), [1]);
        let error = Tokenizer::from_json(WORD_PIECES.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("the end of a line"), "{error}");
    }

    /// The file of [`trained`] with some values changed.
    fn changed(changes: &[(&str, serde_json::Value)]) -> Vec<u8> {
        let mut root: serde_json::Value = serde_json::from_slice(&trained().to_json()).unwrap();
        for (pointer, value) in changes {
            *root.pointer_mut(pointer).unwrap() = value.clone();
        }
        root.to_string().into_bytes()
    }

    #[test]
    fn padding_truncation_and_dropout_of_the_file_change_no_id() {
        let (plain, text) = (trained(), "Is it a dog? No.\nIs it a zebra?");
        let pad = serde_json::json!({"strategy": {"Fixed": 128}, "direction": "Right",
            "pad_to_multiple_of": null, "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"});
        let cut = serde_json::json!({"direction": "Right", "max_length": 1,
            "strategy": "LongestFirst", "stride": 0});
        let file =
            changed(&[("/padding", pad), ("/truncation", cut), ("/model/dropout", 0.9.into())]);
        let read = Tokenizer::from_json(&file).unwrap();
        assert_eq!(read.cleared(), ["padding", "truncation", "dropout"]);
        assert_eq!(read.encode(text), plain.encode(text));
        assert_eq!(read.to_json(), plain.to_json());
        assert!(plain.cleared().is_empty());
    }

    #[test]
    fn the_size_is_that_of_the_largest_id_and_an_added_token_keeps_its_own() {
        let mut root: serde_json::Value = serde_json::from_slice(&trained().to_json()).unwrap();
        let mut added = root["added_tokens"][0].clone();
        (added["id"], added["content"]) = (350.into(), "<x>".into());
        root["added_tokens"].as_array_mut().unwrap().push(added);
        let tokens = trained().vocab_size();
        let sparse = Tokenizer::from_json(root.to_string().as_bytes()).unwrap();
        assert_eq!((sparse.vocab_size(), sparse.encode("<x>a")[0]), (351, 350));
        assert_eq!((0..351).filter(|&id| sparse.has(id)).count(), tokens + 1);
        assert!(!sparse.has(349) && !sparse.has(351));
        // What is written keeps the id for whoever reads it by the same library.
        let again = Tokenizer::from_json(&sparse.to_json()).unwrap();
        assert_eq!((again.vocab_size(), again.encode("<x>a")), (351, sparse.encode("<x>a")));
    }

    #[test]
    fn the_end_of_a_text_may_have_another_name_where_a_file_beside_it_says_which() {
        let mut text = String::from_utf8(trained().to_json()).unwrap();
        text = text.replace("\"</s>\"", "\"[EOS]\"");
        let error = Tokenizer::from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("eos_token_id"), "{error}");
        for specials in [
            Specials { end: Some(2), ..Specials::default() },
            Specials { end_names: vec!["</s>".into(), "[EOS]".into()], ..Specials::default() },
        ] {
            let read = Tokenizer::from_json_with(text.as_bytes(), &specials).unwrap();
            assert!(read.end == 2 && read.ends_utterance(2));
        }
        let none = Specials { end: Some(70_000), ..Specials::default() };
        assert!(Tokenizer::from_json_with(text.as_bytes(), &none).is_err());
    }

    #[test]
    fn a_broken_part_is_an_error_and_no_panic() {
        let whole = trained().to_json();
        let decoder = whole.windows(9).rposition(|part| part == b"\"decoder\"").unwrap();
        for end in decoder..whole.len() {
            assert!(Tokenizer::from_json(&whole[..end]).is_err(), "cut at {end}");
        }
        for (pointer, value) in [
            ("/decoder", serde_json::json!({"type": "None"})),
            ("/decoder", serde_json::json!([1])),
            ("/pre_tokenizer", serde_json::json!(7)),
            ("/added_tokens", serde_json::json!([{"id": 0}])),
            ("/model/merges", serde_json::json!([["a"]])),
            ("/model/merges", serde_json::json!(["a b c"])),
        ] {
            let error = Tokenizer::from_json(&changed(&[(pointer, value)]));
            let error = error.map(|_| pointer).unwrap_err().to_string();
            assert!(error.starts_with("tokenizer.json"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_none_is_refused_with_its_name() {
        let error = Tokenizer::from_json(b"{").unwrap_err().to_string();
        assert!(error.contains("tokenizer.json"), "{error}");
    }
}
