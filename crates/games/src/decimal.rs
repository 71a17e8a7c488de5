//! Decimal numbers of few digits, as data files write them, without the standard library's tables for all
//! the others: a page loads these worlds.

/// The number that a text of at most 15 digits writes, such as `0.3`, `-12` or `2.20`; the nearest that
/// there is, as `str::parse` gives it.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let count = whole.len() + part.len();
    let plain = whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !plain || !(1..=15).contains(&count) {
        return None;
    }
    let digit = |sum: u64, byte: u8| 10 * sum + u64::from(byte - b'0');
    let number = whole.bytes().chain(part.bytes()).fold(0, digit) as f64;
    // Both are exact, so that their quotient is rounded once.
    let number = number / 10u64.pow(part.len() as u32) as f64;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_read_as_the_standard_library_reads_them() {
        for text in ["0.3", "2.2", "-12", "46", "7.30", ".5", "5.", "123456789.012345", "0"] {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
            assert_eq!(decimal(text).map(|number| number as f32), text.parse::<f32>().ok());
        }
        for text in ["", ".", "-", "1e3", "0.3x", "1.2.3", "inf", "1234567890123456"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
