//! Standard output: results, and nothing else.
//!
//! Everything here comes back as an error instead of a panic when the reader has gone away
//! (`archer eval … | head -1`), so that a closed pipe ends the program quietly.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::Error;

/// Writes `text` and the end of its line.
pub fn line(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(closed)
}

/// Writes bytes as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(closed)
}

/// Writes one JSON value on one line.
pub fn json(value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::Failure(format!("the result cannot be written as JSON: {error}"))
    })?;
    line(&text)
}

/// The error of an output that could not be written.
pub fn closed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::BrokenPipe,
        _ => Error::Failure(format!("standard output could not be written: {error}")),
    }
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
    fn columns_line_up() {
        let rows = vec![
            vec!["random".to_string(), "−20.0".to_string()],
            vec!["optimum".to_string(), "−2.8".to_string()],
        ];
        let text = table(&["agent", "return"], &rows, 1);
        assert_eq!(text, "agent    return\n───────  ──────\nrandom    −20.0\noptimum    −2.8");
    }
}
