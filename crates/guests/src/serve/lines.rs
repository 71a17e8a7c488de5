//! Our side of the messages of [`archer_world::messages`]: many games, lines of JSON.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};

use archer_input::{LONGEST_LINE, Line, json_line, read_line, skip_line};
use archer_world::contract::{Checked, shortened};
use archer_world::messages::{Answer, PROTOCOL, Request};
use archer_world::{Batch, Said, Start, Worlds};
use serde_json::Value;

/// The most games that are open at once, and the most requests of a batch.
pub const MOST_GAMES: usize = 4096;

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
    games: HashMap<u64, Table<'a>>,
}

/// One game.
struct Table<'a> {
    batch: Checked<'a>,
    playing: bool,
}

impl<'a> Lines<'a> {
    /// A world in which no game is open.
    pub fn new(worlds: &'a dyn Worlds) -> Self {
        Self { worlds, games: HashMap::new() }
    }

    /// The answer to one line, without an end of line. It waits for the world.
    pub fn answer(&mut self, line: &[u8]) -> String {
        let answer = match json_line::<Value>(line) {
            Err(fault) => {
                refused(format!("the line {fault}; send an object such as {{\"cmd\":\"about\"}}"))
            }
            Ok(value) => match serde_json::from_value::<Request>(value) {
                Err(error) => refused(format!("the request cannot be carried out ({error})")),
                Ok(Request::Batch { of }) => self.many(of),
                Ok(request) => self.one(request),
            },
        };
        serde_json::to_string(&answer).expect("an answer is JSON")
    }

    fn many(&mut self, of: Vec<Request>) -> Answer {
        match of.len() > MOST_GAMES {
            true => refused(format!(
                "a batch of {} requests is too long: send at most {MOST_GAMES}",
                of.len()
            )),
            false => Answer::Batch { of: of.into_iter().map(|one| self.one(one)).collect() },
        }
    }

    fn one(&mut self, request: Request) -> Answer {
        match request {
            Request::About => {
                Answer::About { about: self.worlds.about().clone(), protocol: PROTOCOL }
            }
            Request::Start { game, seed, task } => self.start(game, Start { task, seed }),
            Request::Act { game, said } => self.act(game, &said),
            Request::Close { game } => {
                self.games.remove(&game);
                Answer::Closed { game }
            }
            Request::Batch { .. } => {
                refused("a batch holds no batch: put its requests side by side".into())
            }
        }
    }

    fn start(&mut self, game: u64, start: Start) -> Answer {
        if let (Some(task), tasks) = (start.task, self.worlds.about().tasks)
            && tasks.is_none_or(|tasks| task >= tasks)
        {
            return refused(match tasks {
                Some(tasks) => format!("there is no task {task}: give one from 0 to {}", tasks - 1),
                None => "tasks have no numbers here: leave task out".into(),
            });
        }
        if !self.games.contains_key(&game) {
            if self.games.len() >= MOST_GAMES {
                return refused(format!("{MOST_GAMES} games are open: close one"));
            }
            match pollster::block_on(Checked::open(self.worlds, 1)) {
                Ok(batch) => self.games.insert(game, Table { batch, playing: false }),
                Err(error) => return refused(error.to_string()),
            };
        }
        let table = self.games.get_mut(&game).expect("it is open");
        table.playing = false;
        match pollster::block_on(table.batch.start(&[start])) {
            Ok(mut openings) => {
                table.playing = true;
                Answer::Started { game, opening: openings.remove(0), task: table.batch.task(0) }
            }
            Err(error) => refused(error.to_string()),
        }
    }

    fn act(&mut self, game: u64, said: &str) -> Answer {
        let Some(table) = self.games.get_mut(&game) else {
            return refused(format!("game {game} is not open: start it"));
        };
        if !table.playing {
            return refused(format!("game {game} is over: start it again"));
        }
        if said.contains(['\n', '\r']) {
            return refused(format!("what is said is one line, not {:?}", shortened(said)));
        }
        match pollster::block_on(table.batch.act(&[Said { game: 0, text: said }])) {
            Ok(mut turns) => {
                let turn = turns.remove(0);
                table.playing = turn.end.is_none();
                Answer::Acted { game, turn }
            }
            Err(error) => {
                table.playing = false;
                refused(error.to_string())
            }
        }
    }
}

fn refused(error: String) -> Answer {
    Answer::Error { error }
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
