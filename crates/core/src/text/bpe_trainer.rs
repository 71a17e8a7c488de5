//! Training a byte-level BPE where the `tokenizers` crate is not there: in a browser.
//!
//! The most frequent pair of neighbours becomes a token, again and again; of equally frequent pairs
//! the one of the lowest ids comes first (Sennrich, Haddow and Birch 2016, over bytes). A test holds
//! the file beside the one that the crate writes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::byte_bpe::byte_alphabet;

/// Occurrences of a pair below which it does not become a token.
const MIN_FREQUENCY: i64 = 2;

type Pair = (u32, u32);

/// A text that occurs so many times, as it is cut by now.
struct Word {
    count: i64,
    ids: Vec<u32>,
    /// The bytes of each token.
    lengths: Vec<usize>,
}

/// How often each pair occurs, and in which words.
#[derive(Default)]
struct Pairs {
    counts: HashMap<Pair, i64>,
    places: HashMap<Pair, BTreeSet<usize>>,
}

impl Pairs {
    fn add(&mut self, pair: Pair, word: usize, count: i64) {
        *self.counts.entry(pair).or_default() += count;
        if count > 0 {
            self.places.entry(pair).or_default().insert(word);
        }
    }

    /// The most frequent pair, of equal ones the lowest.
    fn best(&self) -> Option<(Pair, i64)> {
        let counts = self.counts.iter().map(|(&pair, &count)| (pair, count));
        counts.max_by(|(a, n), (b, m)| n.cmp(m).then(b.cmp(a)))
    }
}

impl Word {
    /// Joins each occurrence of a pair, and books the pairs that come and go.
    fn join(
        &mut self,
        pair: Pair,
        joined: u32,
        max_length: usize,
        number: usize,
        pairs: &mut Pairs,
    ) {
        let mut at = 0;
        while at + 1 < self.ids.len() {
            if (self.ids[at], self.ids[at + 1]) != pair {
                at += 1;
                continue;
            }
            let length = self.lengths[at] + self.lengths[at + 1];
            let before = at.checked_sub(1).map(|i| (self.ids[i], self.lengths[i]));
            let after = self.ids.get(at + 2).map(|&id| (id, self.lengths[at + 2]));
            if let Some((id, other)) = before {
                pairs.add((id, pair.0), number, -self.count);
                if other + length < max_length {
                    pairs.add((id, joined), number, self.count);
                }
            }
            if let Some((id, other)) = after {
                pairs.add((pair.1, id), number, -self.count);
                if other + length < max_length {
                    pairs.add((joined, id), number, self.count);
                }
            }
            self.ids[at] = joined;
            self.lengths[at] = length;
            self.ids.remove(at + 1);
            self.lengths.remove(at + 1);
            at += 1;
        }
    }
}

/// As [`super::byte_bpe::ByteBpe::train`].
pub(super) fn train(
    texts: impl Iterator<Item = String>,
    specials: &[&str],
    vocab_size: usize,
    max_token_length: usize,
) -> Vec<u8> {
    let mut names: Vec<String> = specials.iter().map(ToString::to_string).collect();
    let mut alphabet: Vec<(char, u8)> = byte_alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let mut byte_ids = [0; 256];
    for (name, byte) in alphabet {
        byte_ids[usize::from(byte)] = names.len() as u32;
        names.push(name.to_string());
    }
    let mut ids: HashMap<String, u32> =
        (0..).zip(&names).map(|(id, name)| (name.clone(), id)).collect();

    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    texts.for_each(|text| *counted.entry(text).or_default() += 1);
    let mut words: Vec<Word> = counted
        .into_iter()
        .map(|(text, count)| Word {
            count,
            ids: text.bytes().map(|byte| byte_ids[usize::from(byte)]).collect(),
            lengths: vec![1; text.len()],
        })
        .collect();
    let mut pairs = Pairs::default();
    for (number, word) in words.iter().enumerate() {
        word.ids.windows(2).for_each(|pair| pairs.add((pair[0], pair[1]), number, word.count));
    }

    let mut merges: Vec<Pair> = Vec::new();
    while names.len() < vocab_size {
        let Some((pair, _)) = pairs.best().filter(|(_, count)| *count >= MIN_FREQUENCY) else {
            break;
        };
        let name = format!("{}{}", names[pair.0 as usize], names[pair.1 as usize]);
        // Two ways may lead to one token.
        let joined = *ids.entry(name.clone()).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        });
        merges.push(pair);
        pairs.counts.remove(&pair);
        for number in pairs.places.remove(&pair).unwrap_or_default() {
            words[number].join(pair, joined, max_token_length, number, &mut pairs);
        }
        // Overlaps ("aaa") book the pair itself once more: it is gone.
        pairs.counts.remove(&pair);
    }
    file(&names, &merges, specials.len())
}

/// The `tokenizer.json`.
fn file(names: &[String], merges: &[Pair], specials: usize) -> Vec<u8> {
    let byte_level = |add_prefix_space: bool, use_regex: bool| {
        json!({
            "type": "ByteLevel",
            "add_prefix_space": add_prefix_space,
            "trim_offsets": true,
            "use_regex": use_regex,
        })
    };
    let special = |(id, content): (usize, &String)| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true,
        })
    };
    let named = |&(a, b): &Pair| json!([names[a as usize], names[b as usize]]);
    let vocab: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (name.clone(), id.into())).collect();
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": names[..specials].iter().enumerate().map(special).collect::<Vec<_>>(),
        "normalizer": null,
        "pre_tokenizer": byte_level(false, false),
        "post_processor": null,
        "decoder": byte_level(true, true),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocab,
            "merges": merges.iter().map(named).collect::<Vec<_>>(),
        },
    });
    serde_json::to_vec(&file).expect("JSON can be written")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::hugging_face::HuggingFace;

    const SPECIALS: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

    /// Both files of a text, cut into these pieces.
    fn both(pieces: &[String], vocab_size: usize, longest: usize) -> [Value; 2] {
        let ours = train(pieces.iter().cloned(), &SPECIALS, vocab_size, longest);
        let theirs =
            HuggingFace::train(pieces.iter().cloned(), &SPECIALS, vocab_size, longest).unwrap();
        [ours, theirs].map(|json| serde_json::from_slice(&json).unwrap())
    }

    #[test]
    fn the_file_is_the_one_that_the_crate_writes() {
        let texts = [
            "Questions:\n",
            "Is it an animal?",
            " Yes.\n",
            "Is it a d\u{f6}g?",
            " No.\n",
            "aaaaaaa",
            "abababab",
            "You stand before a door. It is locked.\n",
            "knock",
            "open",
            "wait",
            "Is it a cat?",
        ];
        let pieces: Vec<String> =
            (0..200).map(|i| texts[i * 7 % texts.len()].to_string()).collect();
        for (vocab_size, longest) in [(262, 16), (300, 12), (400, 8), (512, 16), (4096, 4)] {
            let [ours, theirs] = both(&pieces, vocab_size, longest);
            assert_eq!(ours, theirs, "{vocab_size} tokens of at most {longest} bytes");
        }
    }

    #[test]
    fn nothing_to_read_leaves_the_bytes() {
        let [ours, theirs] = both(&[], 300, 8);
        assert_eq!(ours, theirs);
        assert_eq!(ours["model"]["vocab"].as_object().unwrap().len(), SPECIALS.len() + 256);
    }

    proptest! {
        #[test]
        fn any_texts_give_the_tokens_of_the_crate(
            pieces in proptest::collection::vec("[a-e \n]{0,20}", 0..30)
        ) {
            let [ours, theirs] = both(&pieces, 290, 12);
            prop_assert_eq!(&ours["model"]["vocab"], &theirs["model"]["vocab"]);
        }
    }
}
