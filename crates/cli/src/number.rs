//! Numbers as people read them, with a true minus sign and the decimals that are meant.

/// `−2.80`: a number with so many decimals; what rounds to zero has no sign.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !zero { format!("−{text}") } else { text }
}

/// `97.3 %`: a share of one.
pub fn percent(share: f64) -> String {
    format!("{} %", signed(100.0 * share, 1))
}

/// `12 800`: a count with its thousands set apart by narrow spaces.
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("−{text}") } else { text }
}

/// Three significant digits, whatever the size.
pub fn brief(value: f64) -> String {
    match value.abs() {
        size if !value.is_finite() || size >= 100.0 => signed(value, 0),
        size if size >= 10.0 => signed(value, 1),
        size if size >= 0.01 || size == 0.0 => signed(value, 2),
        _ => format!("{value:.1e}").replace('-', "−"),
    }
}

/// Several of a thing that is named in the singular.
pub fn plural(name: &str) -> String {
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end));
    format!("{name}{}", if hisses { "es" } else { "s" })
}

/// The bounds of an interval with `between` between them; nothing where it is not known.
pub fn interval([low, high]: [f64; 2], between: &str) -> String {
    match low.is_finite() {
        true => format!("{}{between}{}", signed(low, 2), signed(high, 2)),
        false => String::new(),
    }
}

/// A mean with its interval behind it in brackets, where there is one.
pub fn with_interval(mean: f64, bounds: [f64; 2]) -> String {
    match interval(bounds, " to ") {
        known if known.is_empty() => signed(mean, 2),
        known => format!("{} ({known})", signed(mean, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        assert_eq!(signed(-2.8, 2), "−2.80");
        assert_eq!(signed(-0.001, 2), "0.00");
        assert_eq!(percent(0.9734), "97.3 %");
        assert_eq!(thousands(12_800.0), "12\u{202f}800");
        assert_eq!(thousands(100.0), "100");
        assert_eq!(brief(-1234.5), "−1234");
        assert_eq!(brief(12.34), "12.3");
        assert_eq!(brief(0.0), "0.00");
        assert_eq!([plural("turn"), plural("guess")], ["turns", "guesses"]);
        assert_eq!(brief(-0.00012), "−1.2e−4");
        assert_eq!(with_interval(-2.8, [-3.0, -2.6]), "−2.80 (−3.00 to −2.60)");
        assert_eq!(with_interval(-2.8, [f64::NAN; 2]), "−2.80");
    }
}
