//! Ranges of settings as sentences: each names the key, its value, and what it must be.
//!
//! Counts have an upper bound where a typed number would otherwise take memory without limit; the
//! bounds are far beyond any use. What several of them take together is bounded by `ties.rs`.

use std::fmt::Display;

use crate::error::Error;

/// The most games of an iteration: all of them are held at once.
pub(crate) const MOST_GAMES: usize = 1 << 16;
/// The most games of an evaluation, of which only what came of them is held.
pub(crate) const MOST_EVALUATED: usize = 1 << 20;
/// The most games that are imitated.
pub(crate) const MOST_SHOWN: usize = 1 << 18;
/// The most transitions, or imitated games, of a micro-batch.
pub(crate) const MOST_BATCH: usize = 1 << 14;
/// The most transitions of a gradient step.
pub(crate) const MOST_ROWS: usize = 1 << 18;
/// The most utterances that are drawn for the gradient steps of an iteration at once.
pub(crate) const MOST_DRAWN: usize = 1 << 22;
/// The most transitions that are remembered.
pub(crate) const MOST_REMEMBERED: usize = 1 << 26;
/// The most gradient steps in an iteration, or parts of a step.
pub(crate) const MOST_STEPS: usize = 1 << 16;
/// The most slices of a run, whatever they count: they reserve nothing.
pub(crate) const MOST_SLICES: usize = 1_000_000_000;
/// The most utterances that are drawn at one state.
pub(crate) const MOST_SAMPLES: usize = 1 << 8;
/// The most tokens of a text.
pub(crate) const MOST_POSITIONS: usize = 1 << 16;
/// The most tokens of a vocabulary.
pub(crate) const MOST_TOKENS: usize = 1 << 18;
/// The most blocks of a network.
pub(crate) const MOST_LAYERS: usize = 1 << 8;
/// The widest network, and the most heads.
pub(crate) const MOST_WIDTH: usize = 1 << 14;
/// The most minutes between two checkpoints: a year.
pub(crate) const MOST_MINUTES: f64 = 525_600.0;
/// The longest token, in bytes.
pub(crate) const MOST_BYTES: usize = 1 << 10;
/// The most bytes that fresh networks may take, with their gradients and optimisers: 64 GiB.
pub(crate) const MOST_MEMORY: u64 = 64 << 30;
/// The largest weight of a part of a loss: beyond it 32-bit gradients overflow.
pub(crate) const MOST_WEIGHT: f64 = 1e6;
/// The lowest and the highest temperature: scores are divided by it.
pub(crate) const TEMPERATURES: (f64, f64) = (1e-3, 100.0);

/// The error of a value that must be something else.
pub(crate) fn fault(key: &str, value: impl Display, want: impl Display) -> Error {
    let value = shown(&value.to_string());
    Error::Config(format!("{key} = {value} is out of range: it must be {want}"))
}

/// A value as a message shows it: a number of many digits by its power of ten.
fn shown(value: &str) -> String {
    const DIGITS: usize = 24;
    match value.parse::<f64>() {
        Ok(number) if value.len() > DIGITS && number.is_finite() => format!("{number:e}"),
        _ => value.to_string(),
    }
}

/// A value that is right where `good` says so.
pub(crate) fn within(
    key: &str,
    value: impl Display,
    good: bool,
    want: impl Display,
) -> Result<(), Error> {
    if good { Ok(()) } else { Err(fault(key, value, want)) }
}

/// A count of at least 1.
pub(crate) fn at_least_one(key: &str, value: usize, most: usize) -> Result<(), Error> {
    let good = (1..=most).contains(&value);
    within(key, value, good, format_args!("at least 1 and at most {most}"))
}

/// A count that may be 0.
pub(crate) fn at_most(key: &str, value: usize, most: usize) -> Result<(), Error> {
    within(key, value, value <= most, format_args!("at most {most}"))
}

/// A number above 0, up to `top`.
pub(crate) fn above_zero(key: &str, value: f64, top: f64) -> Result<(), Error> {
    let good = value > 0.0 && value <= top;
    within(key, value, good, format_args!("above 0 and at most {top}"))
}

/// A share of something, in (0, 1].
pub(crate) fn share(key: &str, value: f64) -> Result<(), Error> {
    above_zero(key, value, 1.0)
}

/// A number strictly between 0 and 1.
pub(crate) fn inside(key: &str, value: f64) -> Result<(), Error> {
    within(key, value, value > 0.0 && value < 1.0, "above 0 and below 1")
}

/// A weight of 0 or more.
pub(crate) fn weight(key: &str, value: f64) -> Result<(), Error> {
    let good = (0.0..=MOST_WEIGHT).contains(&value);
    within(key, value, good, format_args!("at least 0 and at most {MOST_WEIGHT}"))
}

/// A temperature by which scores are divided.
pub(crate) fn temperature(key: &str, value: f64) -> Result<(), Error> {
    let (low, high) = TEMPERATURES;
    let good = (low..=high).contains(&value);
    within(key, value, good, format_args!("at least {low} and at most {high}"))
}

/// A width that its heads divide.
pub(crate) fn width(key: &str, width: usize, heads: usize) -> Result<(), Error> {
    let good = width > 0 && width.is_multiple_of(heads);
    within(key, width, good, format_args!("a multiple of its {heads} heads"))?;
    at_most(key, width, MOST_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_key_value_and_range() {
        let said = |result: Result<(), Error>| result.unwrap_err().to_string();
        let got = said(at_least_one("utterance_tries", 0, 8));
        assert_eq!(got, "utterance_tries = 0 is out of range: it must be at least 1 and at most 8");
        let got = said(share("tau", 1.5));
        assert_eq!(got, "tau = 1.5 is out of range: it must be above 0 and at most 1");
        assert!(
            at_least_one("utterance_tries", 8, 8).is_ok()
                && at_least_one("utterance_tries", 9, 8).is_err()
        );
        assert!(weight("kl_coef", f64::INFINITY).is_err() && share("tau", f64::NAN).is_err());
        let got = weight("kl_coef", 1e308).unwrap_err().to_string();
        assert!(got.starts_with("kl_coef = 1e308 is out of range"), "{got}");
        assert!(weight("kl_coef", 1e38).is_err() && weight("kl_coef", 0.0).is_ok());
        let got = said(temperature("temperature", 1e-300));
        assert!(got.ends_with("it must be at least 0.001 and at most 100"), "{got}");
        let got = said(width("actor_model.width", 10, 4));
        assert_eq!(
            got,
            "actor_model.width = 10 is out of range: it must be a multiple of its 4 heads"
        );
    }
}
