//! How the reference reads what its actor wrote: by cutting text, not tokens.

/// The utterance in a raw text: up to three leading ends of line are dropped, and what follows is
/// cut at the next.
pub fn utterance(raw: &str) -> &str {
    let rest = (0..3).fold(raw, |rest, _| rest.strip_prefix('\n').unwrap_or(rest));
    rest.split('\n').next().unwrap_or_default()
}

/// The blanks that the field's decoders take out of a text, with what remains in their place.
const BLANKS: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// A decoded text without the blanks that word tokenizers leave before marks. Byte-level texts have
/// none to lose, but the reference's decoder takes them all the same.
pub fn clean_up(text: &str) -> String {
    BLANKS.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_utterance_ends_with_its_line() {
        for (raw, want) in [
            ("Is it alive?", "Is it alive?"),
            ("\n\n\nIs it alive?\nNo", "Is it alive?"),
            ("\n\n\n\nIs it alive?", ""),
            (" \nIs it alive?", " "),
            ("a\r\nb", "a\r"),
            ("", ""),
        ] {
            assert_eq!(utterance(raw), want);
        }
    }

    #[test]
    fn blanks_before_marks_go() {
        assert_eq!(clean_up("Is it alive ? I don 't , no ."), "Is it alive? I don 't, no.");
    }
}
