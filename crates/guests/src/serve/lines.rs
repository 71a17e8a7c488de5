//! Our side of the messages of [`archer_world::messages`]: many games, lines of JSON.

use std::io::{self, BufRead, Write};

use archer_input::{LONGEST_LINE, Line, json_line, read_line, skip_line};
use archer_world::Worlds;
use archer_world::messages::Request;
use archer_world::serve::{Served, refused};
use serde_json::Value;

/// A world that answers requests, one line each.
///
/// What cannot be done is answered by `{"error":"…"}` and changes nothing.
///
/// ```
/// # use archer_world::{About, End, Local, Opening, Start, Turn, World};
/// # struct Door;
/// # impl World for Door {
/// #     fn about(&self) -> About { About::new("door", 1) }
/// #     fn start(&mut self, _: &Start) -> Opening { Opening::new("A door.\n") }
/// #     fn act(&mut self, _: &str) -> Turn { Turn::new("It opens.", 1.0).ending(End::Won) }
/// # }
/// let worlds = Local::new(|| Door);
/// let mut lines = archer_guests::Lines::new(&worlds);
/// let answer = lines.answer(br#"{"cmd":"start","game":3,"seed":7}"#);
/// assert_eq!(answer, r#"{"game":3,"text":"A door.\n","choices":null}"#);
/// ```
pub struct Lines<'a> {
    worlds: &'a dyn Worlds,
    served: Served,
}

impl<'a> Lines<'a> {
    /// A world in which no game is open.
    pub fn new(worlds: &'a dyn Worlds) -> Self {
        Self { worlds, served: Served::default() }
    }

    /// The answer to one line, without an end of line. It waits for the world.
    pub fn answer(&mut self, line: &[u8]) -> String {
        let answer = match json_line::<Value>(line) {
            Err(fault) => {
                refused(format!("the line {fault}; send an object such as {{\"cmd\":\"about\"}}"))
            }
            Ok(value) => match serde_json::from_value::<Request>(value) {
                Err(error) => refused(format!("the request cannot be carried out ({error})")),
                Ok(request) => pollster::block_on(self.served.answer(self.worlds, request)),
            },
        };
        serde_json::to_string(&answer).expect("an answer is JSON")
    }
}

/// Serves a world until the input ends: each line gets one line back.
///
/// # Errors
/// If the input cannot be read or the output cannot be written.
pub fn serve_lines(
    worlds: &dyn Worlds,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut lines = Lines::new(worlds);
    loop {
        let answer = match read_line(&mut input, LONGEST_LINE)? {
            Line::End => return Ok(()),
            Line::Whole(line) => lines.answer(&line),
            Line::TooLong => {
                skip_line(&mut input)?;
                let error = format!("the line has more than {LONGEST_LINE} bytes");
                serde_json::to_string(&refused(error)).expect("an answer is JSON")
            }
        };
        output.write_all(answer.as_bytes())?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}
