//! How the tokenizers of known models cut a text into words before bytes are merged, and nothing else of
//! that kind: a pattern that is none of these is refused by the reader of the file.

use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};

/// How a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Not at all: merges cross blanks.
    Whole,
    /// As GPT-2 does.
    Gpt2,
    /// As GPT-2 does, each digit alone: SmolLM.
    Gpt2Digits,
    /// As GPT-4 does, with at most so many digits together: three in Llama 3, one in Qwen 2.
    Gpt4(usize),
}

/// GPT-4's pattern, before and after the number of digits that stay together.
const GPT_4: [&str; 2] = [
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
];

impl Words {
    /// What the `pre_tokenizer` of a file asks for; `None` if it is none of these.
    pub fn of(split: &Value) -> Option<Self> {
        if split["type"] == "ByteLevel" {
            return Self::of_bytes(split);
        }
        let parts = split["pretokenizers"].as_array().filter(|_| split["type"] == "Sequence")?;
        match &parts[..] {
            [one] => Self::of(one),
            [first, bytes] => {
                let then = Self::of_bytes(bytes)?;
                match (first["type"].as_str()?, then) {
                    ("Digits", Words::Gpt2) if first["individual_digits"] == true => {
                        Some(Words::Gpt2Digits)
                    }
                    ("Split", Words::Whole) => Self::of_pattern(first),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_bytes(bytes: &Value) -> Option<Self> {
        let plain = bytes["type"] == "ByteLevel" && bytes["add_prefix_space"] != true;
        let words = if bytes["use_regex"] == false { Words::Whole } else { Words::Gpt2 };
        plain.then_some(words)
    }

    fn of_pattern(split: &Value) -> Option<Self> {
        if split["behavior"] != "Isolated" || split["invert"] == true {
            return None;
        }
        let [before, after] = GPT_4;
        let pattern = split["pattern"]["Regex"].as_str()?;
        match pattern.strip_prefix(before)?.strip_suffix(after)? {
            "" => Some(Words::Gpt4(1)),
            "{1,3}" => Some(Words::Gpt4(3)),
            _ => None,
        }
    }

    /// The words of a text, which are all of it.
    pub fn cut(self, text: &str) -> Vec<&str> {
        match self {
            Words::Whole => vec![text],
            Words::Gpt2 => each(text, gpt2),
            Words::Gpt2Digits => {
                each(text, digits).into_iter().flat_map(|part| each(part, gpt2)).collect()
            }
            Words::Gpt4(digits) => each(text, |text| gpt4(text, digits)),
        }
    }
}

/// The parts of a text, each as long as `length` says of what it begins with.
fn each(text: &str, length: impl Fn(&str) -> usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(length(rest));
        parts.push(part);
        rest = after;
    }
    parts
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Letter,
    Number,
    Blank,
    Other,
}

impl Kind {
    fn of(character: char) -> Self {
        use GeneralCategory as G;
        if character.is_whitespace() {
            return Kind::Blank;
        }
        match get_general_category(character) {
            G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter => Kind::Letter,
            G::DecimalNumber | G::LetterNumber | G::OtherNumber => Kind::Number,
            _ => Kind::Other,
        }
    }
}

/// Bytes of the characters at the beginning of a text that are of this kind.
fn run(text: &str, kind: Kind) -> usize {
    text.chars().take_while(|&c| Kind::of(c) == kind).map(char::len_utf8).sum()
}

/// Bytes of a digit alone, or of all before the next.
fn digits(text: &str) -> usize {
    match text.find(char::is_numeric) {
        Some(0) => text.chars().next().map_or(0, char::len_utf8),
        Some(at) => at,
        None => text.len(),
    }
}

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Bytes of GPT-2's first word: contractions; runs of letters, of digits or of other marks, each with at
/// most one space before it; and blanks, of which the last is left to the word that follows.
fn gpt2(text: &str) -> usize {
    if let Some(found) = CONTRACTIONS.iter().find(|&&contraction| text.starts_with(contraction)) {
        return found.len();
    }
    let word = text.strip_prefix(' ').unwrap_or(text);
    let first = word.chars().next().map(Kind::of);
    if let Some(kind) = first.filter(|&kind| kind != Kind::Blank) {
        return text.len() - word.len() + run(word, kind);
    }
    blanks(text)
}

/// All blanks at the end of the text, or where there is only one; else all but the last.
fn blanks(text: &str) -> usize {
    let blanks = run(text, Kind::Blank);
    let last = text[..blanks].chars().next_back().map_or(0, char::len_utf8);
    if blanks == text.len() || blanks == last { blanks } else { blanks - last }
}

/// Bytes of GPT-4's first word: contractions in any case; letters with one other character before them;
/// some digits; other marks with a space before and line ends after them; blanks up to the last line end;
/// other blanks, of which the last is left to the word that follows.
fn gpt4(text: &str, most_digits: usize) -> usize {
    let contraction = CONTRACTIONS.iter().find_map(|contraction| contracted(text, contraction));
    if let Some(length) = contraction {
        return length;
    }
    let Some(first) = text.chars().next() else { return 0 };
    let (kind, line_end) = (Kind::of(first), ['\r', '\n']);
    let after = &text[first.len_utf8()..];
    match kind {
        Kind::Letter => return run(text, Kind::Letter),
        Kind::Number => {
            let some = text.chars().take(most_digits).take_while(|&c| Kind::of(c) == Kind::Number);
            return some.map(char::len_utf8).sum();
        }
        Kind::Blank | Kind::Other => {
            let letters = run(after, Kind::Letter);
            if letters > 0 && !line_end.contains(&first) {
                return first.len_utf8() + letters;
            }
        }
    }
    let marks = text.strip_prefix(' ').unwrap_or(text);
    let others = run(marks, Kind::Other);
    if others > 0 {
        let ends = marks[others..].chars().take_while(|c| line_end.contains(c)).count();
        return text.len() - marks.len() + others + ends;
    }
    match text[..run(text, Kind::Blank)].rfind(line_end) {
        Some(last) => last + 1,
        None => blanks(text),
    }
}

/// Bytes of a contraction in whatever case, if a text begins with it; the long s is an s, too.
fn contracted(text: &str, contraction: &str) -> Option<usize> {
    let mut characters = text.chars();
    let mut length = 0;
    for wanted in contraction.chars() {
        let found = characters.next()?;
        let same = found.to_ascii_lowercase() == wanted || (wanted == 's' && found == 'ſ');
        same.then_some(())?;
        length += found.len_utf8();
    }
    Some(length)
}
