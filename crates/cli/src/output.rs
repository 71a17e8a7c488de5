//! Standard output: results, and nothing else.
//!
//! Everything here comes back as an error instead of a panic when the reader has gone away
//! (`archer eval … | head -1`), so that a closed pipe ends the program quietly.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::Error;

/// Writes `text` and the end of its line.
pub fn line(text: &str) -> Result<(), Error> {
    line_to(&mut io::stdout().lock(), text)
}

/// Writes `text` and the end of its line to where results go.
pub fn line_to(out: &mut impl Write, text: &str) -> Result<(), Error> {
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(closed)
}

/// Writes bytes as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(closed)
}

/// Writes one JSON value on one line.
pub fn json(value: &impl Serialize) -> Result<(), Error> {
    json_to(&mut io::stdout().lock(), value)
}

/// Writes one JSON value on one line to where results go.
pub fn json_to(out: &mut impl Write, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::Failure(format!("the result cannot be written as JSON: {error}"))
    })?;
    line_to(out, &text)
}

/// The error of an output that could not be written.
pub fn closed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::BrokenPipe,
        _ => Error::Failure(format!("standard output could not be written: {error}")),
    }
}

/// The width of the terminal in columns; 80 where nobody says.
pub fn width() -> usize {
    const UNKNOWN: usize = 80;
    const LEAST: usize = 20;
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    terminal.filter(|width| *width > 0).unwrap_or(UNKNOWN).max(LEAST)
}

/// Breaks the lines of a text that are wider than `width`; what follows a break is indented as its line
/// is, behind its number where it has one.
pub fn wrapped(text: &str, width: usize) -> String {
    let broken = |line: &str| {
        let numbered = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let words = match numbered.strip_prefix(". ") {
            Some(words) => words,
            None => line.trim_start(),
        };
        let indent = " ".repeat((line.len() - words.len()).min(width / 2));
        textwrap::fill(line, textwrap::Options::new(width).subsequent_indent(&indent))
    };
    text.split('\n').map(broken).collect::<Vec<_>>().join("\n")
}

/// Words in as many columns as a width has room for, read downwards.
pub fn columns(words: &[String], width: usize) -> String {
    const INDENT: usize = 2;
    const GAP: usize = 3;
    let widths = words.iter().map(|word| textwrap::core::display_width(word));
    let widest = widths.max().unwrap_or(0) + GAP;
    let count = ((width + GAP).saturating_sub(INDENT) / widest).max(1);
    let rows = words.len().div_ceil(count);
    let row = |row: usize| {
        let cells = words.iter().skip(row).step_by(rows);
        let padded = cells.map(|word| {
            let fill = widest - textwrap::core::display_width(word);
            format!("{word}{}", " ".repeat(fill))
        });
        format!("{}{}", " ".repeat(INDENT), padded.collect::<String>()).trim_end().to_string()
    };
    (0..rows).map(row).collect::<Vec<_>>().join("\n")
}

/// Lines up rows under their heading: the first `left` columns to the left, the others, which hold
/// numbers, to the right.
pub fn table(heading: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(heading[column].chars().count())
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let render = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            let fill = " ".repeat(widths[column] - cell.chars().count());
            let gap = if column > 0 { "  " } else { "" };
            match column < left {
                true => text.push_str(&format!("{gap}{cell}{fill}")),
                false => text.push_str(&format!("{gap}{fill}{cell}")),
            }
        }
        text.trim_end().to_string()
    };
    let mut lines = vec![render(&mut heading.iter().copied())];
    lines.push(widths.iter().map(|&w| "─".repeat(w)).collect::<Vec<_>>().join("  "));
    lines.extend(rows.iter().map(|row| render(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_under_their_words() {
        assert_eq!(wrapped(" 3. Is it a thing?", 12), " 3. Is it a\n    thing?");
        assert_eq!(wrapped("  a b c\n\n", 5), "  a b\n  c\n\n");
        assert_eq!(wrapped("#..#\n#..#", 20), "#..#\n#..#");
    }

    #[test]
    fn words_stand_in_columns_within_the_width() {
        let words: Vec<String> = ["bee", "cat", "dog", "elephant", "fox"].map(String::from).into();
        assert_eq!(columns(&words, 24), "  bee        elephant\n  cat        fox\n  dog");
        assert_eq!(columns(&words, 5), "  bee\n  cat\n  dog\n  elephant\n  fox");
        assert_eq!(columns(&[], 80), "");
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![
            vec!["random".to_string(), "−20.0".to_string()],
            vec!["optimum".to_string(), "−2.8".to_string()],
        ];
        let text = table(&["agent", "return"], &rows, 1);
        assert_eq!(text, "agent    return\n───────  ──────\nrandom    −20.0\noptimum    −2.8");
    }
}
