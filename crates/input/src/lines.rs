//! Lines of bounded length.

use std::io::{self, BufRead};

/// The longest line that is read from a peer, in bytes without its end.
pub const LONGEST_LINE: usize = 16 << 20;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A line of more than the longest; the rest of it was not read.
    TooLong,
    /// There is no more.
    End,
}

/// Reads one line of at most `longest` bytes. Memory grows with what arrives, never with what is
/// announced. A last line without an end counts.
///
/// # Errors
/// If the stream cannot be read.
pub fn read_line(input: &mut impl BufRead, longest: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    loop {
        let seen = match input.fill_buf() {
            Ok(seen) => seen,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if seen.is_empty() {
            return Ok(if line.is_empty() { Line::End } else { Line::Whole(line) });
        }
        let end = seen.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(seen.len());
        if line.len() + taken > longest {
            return Ok(Line::TooLong);
        }
        line.extend_from_slice(&seen[..taken]);
        input.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Line::Whole(line));
        }
    }
}

/// Reads to the end of the present line and drops it.
///
/// # Errors
/// If the stream cannot be read.
pub fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let seen = match input.fill_buf() {
            Ok(seen) => seen,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = seen.iter().position(|byte| *byte == b'\n');
        let (taken, over) = (end.map_or(seen.len(), |end| end + 1), seen.is_empty());
        input.consume(taken);
        if end.is_some() || over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_end_where_they_end_and_long_ones_are_not_kept() {
        let mut input = BufReader::with_capacity(3, &b"one\r\n\nlonger line\nlast"[..]);
        let mut next = || read_line(&mut input, 5).unwrap();
        assert_eq!(next(), Line::Whole(b"one".to_vec()));
        assert_eq!(next(), Line::Whole(Vec::new()));
        assert_eq!(next(), Line::TooLong);
        skip_line(&mut input).unwrap();
        assert_eq!(read_line(&mut input, 5).unwrap(), Line::Whole(b"last".to_vec()));
        assert_eq!(read_line(&mut input, 5).unwrap(), Line::End);
    }
}
