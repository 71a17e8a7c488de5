//! One process that is a world: lines out, lines back, each within a time limit.

use std::collections::VecDeque;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use archer_input::{LONGEST_LINE, Line, read_line, skip_line};
use archer_world::WorldError;
use archer_world::contract::shortened;
use serde_json::Value;

use super::guard::{Guard, kill_group, lead_group};
use super::launcher::without_launcher;
use crate::fault::{json, lost, quoted};
use crate::settings::Sink;

/// Lines of standard error that are kept for the sentence about a world that failed.
const NOTES: usize = 20;

/// The longest line of standard error that is kept whole, in bytes.
const LONGEST_NOTE: usize = 64 << 10;

/// Lines that are read ahead: a world that prints without end is not read on.
const UNHEARD: usize = 2;

/// How long a world may take to end by itself once its input has ended.
const GRACE: Duration = Duration::from_millis(500);

/// What every process of a world is started from.
pub(super) struct Launch {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The world in a sentence.
    pub who: String,
    /// The time limit for one answer.
    pub timeout: Duration,
    /// Where its standard error goes.
    pub sink: Option<Sink>,
}

/// A world that runs. It is killed when it is dropped, with all processes that it started.
pub(super) struct Process {
    launch: Arc<Launch>,
    child: Child,
    guard: Guard,
    /// To the thread that writes; none once the input of the world is to end.
    requests: Option<Sender<Vec<u8>>>,
    /// When its input ended.
    hung_up: Option<Instant>,
    answers: Receiver<Heard>,
    notes: Notes,
    /// Whether it can be asked on: nothing was wrong with it so far.
    sound: bool,
    /// Whether an answer is still to come.
    asked: bool,
    /// Whether its output ended before we ended it.
    died: bool,
    /// The number of the next game. No number is used twice.
    pub(super) next_game: u64,
    /// Games that are to be closed with the next request.
    pub(super) closing: Vec<u64>,
}

/// What its standard output brought.
enum Heard {
    Line(Vec<u8>),
    TooLong,
    End,
}

impl Process {
    /// Starts the process.
    ///
    /// # Errors
    /// If there is no such program, or it cannot be run.
    pub(super) fn spawn(launch: &Arc<Launch>) -> Result<Process, WorldError> {
        let mut command = Command::new(&launch.words[0]);
        command.args(&launch.words[1..]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        lead_group(&mut command);
        without_launcher(&mut command);
        let mut child = command.spawn().map_err(|error| {
            let program = &launch.words[0];
            match error.kind() {
                ErrorKind::NotFound => {
                    let what = format!("cannot be started, for there is no program {program:?}");
                    lost(&launch.who, &what, "check its spelling, or give its whole path")
                }
                _ => {
                    let what = format!("cannot be started ({error})");
                    lost(&launch.who, &what, &format!("check that {program:?} can be run"))
                }
            }
        })?;
        let guard = Guard::over(&child);
        let (requests, to_write) = channel();
        let (heard, answers) = sync_channel(UNHEARD);
        let input = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        let errors = child.stderr.take().expect("it is piped");
        thread::spawn(move || write(input, &to_write));
        thread::spawn(move || hear(output, &heard));
        let notes = Notes::take(errors, launch.sink.clone());
        Ok(Process {
            launch: launch.clone(),
            child,
            guard,
            requests: Some(requests),
            hung_up: None,
            answers,
            notes,
            sound: true,
            asked: false,
            died: false,
            next_game: 0,
            closing: Vec::new(),
        })
    }

    /// Whether it can be asked on: nothing was wrong with it, and no answer is still to come.
    pub(super) fn is_sound(&self) -> bool {
        self.sound && !self.asked
    }

    /// Whether it ended by itself.
    pub(super) fn died(&self) -> bool {
        self.died
    }

    /// Sends one request, given with the end of line that closes it, and does not wait.
    ///
    /// # Errors
    /// If the world died, or said something that it was not asked.
    pub(super) fn send(&mut self, line: Vec<u8>) -> Result<(), WorldError> {
        match self.answers.try_recv() {
            Ok(Heard::Line(line)) => {
                let what = format!("printed a line that was not asked for, {}", quoted(&line));
                return Err(self.fault(&what, NOISE));
            }
            Ok(heard) => return Err(self.ended(&heard)),
            Err(TryRecvError::Disconnected) => return Err(self.ended(&Heard::End)),
            Err(TryRecvError::Empty) => {}
        }
        // A writer that is gone has met a closed pipe: the reader hears of the end as well.
        if let Some(requests) = &self.requests {
            let _ = requests.send(line);
        }
        self.asked = true;
        Ok(())
    }

    /// Waits for the answer to the last request.
    ///
    /// # Errors
    /// If the world died, is silent past the time limit, or sent a line that is not JSON or too long.
    pub(super) fn receive(&mut self) -> Result<Value, WorldError> {
        let heard = self.answers.recv_timeout(self.launch.timeout);
        self.asked = false;
        match heard {
            Ok(Heard::Line(line)) => json(&line).map_err(|what| {
                self.fault(&format!("printed a line on its standard output {what}"), NOISE)
            }),
            Ok(heard) => Err(self.ended(&heard)),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended(&Heard::End)),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.launch.timeout.as_secs_f64();
                let what = format!("did not answer within {seconds} seconds");
                Err(self.fault(&what, "answer and flush each line, or raise timeout_seconds"))
            }
        }
    }

    fn ended(&mut self, heard: &Heard) -> WorldError {
        if let Heard::TooLong = heard {
            let what = format!("printed a line of more than {LONGEST_LINE} bytes");
            return self.fault(&what, "say less in one turn");
        }
        self.died = true;
        let how = self.end();
        let what = format!("ended before it answered ({how})");
        self.sentence(&what, "make it answer until its input ends")
    }

    /// A sentence about this world, which is over with it.
    pub(super) fn fault(&mut self, what: &str, remedy: &str) -> WorldError {
        self.end();
        self.sentence(what, remedy)
    }

    fn sentence(&self, what: &str, remedy: &str) -> WorldError {
        let notes = self.notes.last();
        if notes.is_empty() {
            return lost(&self.launch.who, what, remedy);
        }
        lost(&self.launch.who, what, &format!("{remedy}; its standard error ends with:\n{notes}"))
    }

    /// Ends the input of the world, of which a well-behaved world ends by itself.
    pub(super) fn hang_up(&mut self) {
        self.requests = None;
        self.hung_up.get_or_insert_with(Instant::now);
    }

    /// Ends the process and says how it ended.
    fn end(&mut self) -> String {
        self.sound = false;
        self.hang_up();
        self.wait_for_end_of_output();
        kill_group(&mut self.child);
        self.guard.dismiss();
        let how = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.notes.settle();
        how
    }

    /// Gives a world whose input ended the time to end by itself.
    fn wait_for_end_of_output(&self) {
        let limit = self.hung_up.unwrap_or_else(Instant::now) + GRACE;
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(Heard::Line(_)) => {}
                _ => return,
            }
        }
    }
}

/// What to do about a line that is no answer.
const NOISE: &str =
    "answer each request with one line of JSON and print everything else to standard error";

impl Drop for Process {
    fn drop(&mut self) {
        if self.sound {
            self.end();
        }
    }
}

/// Writes requests until there are no more, or the world does not read on; then its input ends.
fn write(mut input: ChildStdin, requests: &Receiver<Vec<u8>>) {
    for request in requests {
        if input.write_all(&request).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

/// Passes lines on until there are no more, or nobody listens.
fn hear(output: impl Read, heard: &SyncSender<Heard>) {
    let mut output = BufReader::with_capacity(1 << 16, output);
    loop {
        let next = match read_line(&mut output, LONGEST_LINE) {
            Ok(Line::Whole(line)) => Heard::Line(line),
            Ok(Line::TooLong) => Heard::TooLong,
            Ok(Line::End) | Err(_) => Heard::End,
        };
        let goes_on = matches!(next, Heard::Line(_));
        if heard.send(next).is_err() || !goes_on {
            return;
        }
    }
}

/// The last lines of a standard error.
struct Notes {
    last: Arc<Mutex<VecDeque<String>>>,
    /// Hangs up once there are no more.
    open: Receiver<()>,
}

impl Notes {
    fn take(errors: impl Read + Send + 'static, sink: Option<Sink>) -> Notes {
        let last = Arc::new(Mutex::new(VecDeque::with_capacity(NOTES)));
        let (hold, open) = channel();
        let kept = last.clone();
        thread::spawn(move || {
            let _hold: Sender<()> = hold;
            let mut errors = BufReader::new(errors);
            loop {
                match read_line(&mut errors, LONGEST_NOTE) {
                    Ok(Line::Whole(line)) => {
                        note(&kept, sink.as_ref(), &String::from_utf8_lossy(&line))
                    }
                    Ok(Line::TooLong) => {
                        note(&kept, sink.as_ref(), "(a line that is too long to be kept)");
                        if skip_line(&mut errors).is_err() {
                            return;
                        }
                    }
                    Ok(Line::End) | Err(_) => return,
                }
            }
        });
        Notes { last, open }
    }

    /// Waits until all was read; not for long, since a process that left the group may hold it open.
    fn settle(&self) {
        let _ = self.open.recv_timeout(GRACE);
    }

    fn last(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

fn note(last: &Mutex<VecDeque<String>>, sink: Option<&Sink>, line: &str) {
    if let Some(sink) = sink {
        sink(line);
    }
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.len() == NOTES {
        last.pop_front();
    }
    // Some lines of a traceback are longer than what is shown of other texts.
    let shown = if line.chars().count() > 300 { shortened(line) } else { line.to_string() };
    last.push_back(shown);
}
