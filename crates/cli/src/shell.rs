//! Words as a shell reads them, for the commands that are shown to be typed again.

use std::path::Path;

/// How the person calls this program.
pub fn program() -> &'static str {
    // Cargo sets this for the programs that `cargo run` starts.
    match std::env::var_os("CARGO") {
        Some(_) => "cargo run --release --",
        None => "archer",
    }
}

/// A word with quotes round it where a shell would read it otherwise.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A path likewise. One that is no UTF-8 is shown as well as can be.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        assert_eq!(quoted("ppo:lm_lr=1e-4"), "ppo:lm_lr=1e-4");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted_path(Path::new("my runs/one")), "'my runs/one'");
    }
}
