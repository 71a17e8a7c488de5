//! Letters and their lower case, in a tenth of the standard library's bytes: a page loads these worlds.
//!
//! The build script writes the tables from the standard library's own and from Unicode's categories.

use std::sync::OnceLock;

/// Of each run of letters the gap before it and its length.
static LETTERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/letters.bin"));
/// Of each run of capitals the gap before its first, its length, its stride and what leads to lower case.
static LOWER_CASES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lower_cases.bin"));

/// A row of characters: the first, how many, and how far one is from the next.
struct Run {
    first: u32,
    count: u32,
    stride: u32,
    /// What is to be added for the lower case.
    away: i32,
}

/// Whether a character is of Unicode's categories L*. `char::is_alphabetic` is wider; it also takes
/// letter-like numbers, circled letters and combining marks.
pub(crate) fn is_letter(c: char) -> bool {
    static RUNS: OnceLock<Vec<Run>> = OnceLock::new();
    let runs = || {
        let mut end = 0;
        let mut numbers = numbers(LETTERS);
        let mut runs = Vec::new();
        while let (Some(gap), Some(count)) = (numbers.next(), numbers.next()) {
            runs.push(Run { first: end + gap, count, stride: 1, away: 0 });
            end += gap + count;
        }
        runs
    };
    c.is_ascii_alphabetic() || find(RUNS.get_or_init(runs), c).is_some()
}

/// The text in lower case, as `str::to_lowercase` gives it; but the end of a Greek word is where its last
/// letter is, whatever marks stand beside it.
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut lower = String::with_capacity(text.len());
    let mut inside = false;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            // The only letter of which two come.
            'İ' => lower.push_str("i̇"),
            'Σ' if inside && !letters.peek().is_some_and(|c| is_letter(*c)) => lower.push('ς'),
            _ => lower.push(lower_of(c)),
        }
        inside = is_letter(c);
    }
    lower
}

fn lower_of(c: char) -> char {
    static RUNS: OnceLock<Vec<Run>> = OnceLock::new();
    let runs = || {
        let mut last = 0;
        let mut numbers = numbers(LOWER_CASES);
        let mut runs = Vec::new();
        while let (Some(gap), Some(count)) = (numbers.next(), numbers.next()) {
            let (Some(stride), Some(away)) = (numbers.next(), numbers.next()) else { break };
            last += gap;
            let distance = (away >> 1) as i32;
            let away = if away & 1 == 1 { -distance } else { distance };
            runs.push(Run { first: last, count, stride, away });
        }
        runs
    };
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let run = find(RUNS.get_or_init(runs), c);
    run.and_then(|run| char::from_u32(u32::from(c).wrapping_add_signed(run.away))).unwrap_or(c)
}

/// The run that a character is in.
fn find(runs: &[Run], c: char) -> Option<&Run> {
    let c = u32::from(c);
    let run = runs[..runs.partition_point(|run| run.first <= c)].last()?;
    let far = c - run.first;
    (far % run.stride == 0 && far / run.stride < run.count).then_some(run)
}

/// The numbers of a table: seven bits a byte, the lowest first.
fn numbers(table: &'static [u8]) -> impl Iterator<Item = u32> {
    let mut bytes = table.iter();
    std::iter::from_fn(move || {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = u32::from(*bytes.next()?);
            number |= (byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_the_lower_case_of_the_standard_library() {
        for c in '\0'..=char::MAX {
            let text = format!("{c}é");
            assert_eq!(lower(&text), text.to_lowercase(), "{c:?}");
        }
        for text in ["ΟΔΥΣΣΕΥΣ ΟΔΟΣ", "Σ", "ΑΣ", "ΑΣ.", "ΣΑΣΑ", "Ça VA", "İstanbul"]
        {
            assert_eq!(lower(text), text.to_lowercase());
        }
    }

    #[test]
    fn letters_are_letters_and_not_what_is_like_one() {
        assert!("aZéßЖ漢ªʰǅ".chars().all(is_letter));
        assert!(!"1 .Ⅷⓐ\u{345}_'".chars().any(is_letter));
        let letters = ('\0'..=char::MAX).filter(|c| is_letter(*c));
        assert!(letters.clone().all(char::is_alphabetic) && letters.count() > 100_000);
    }
}
