//! One connection to an OpenEnv server, which is one session: one game at a time.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archer_input::LONGEST_LINE;
use archer_world::WorldError;
use serde_json::{Map, Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use super::address::{Address, Limit, Timed};
use crate::fault::{self, lost};

/// What every session of a world is opened with.
pub(super) struct Reach {
    /// The server.
    pub address: Address,
    /// The world in a sentence.
    pub who: String,
    /// The time limit for one answer.
    pub timeout: Duration,
}

/// A session that is open.
pub(super) struct Session {
    reach: Arc<Reach>,
    socket: WebSocket<Timed>,
    /// A message that nobody asked for, which came between two requests.
    unasked: Option<Message>,
    /// Why it can be asked no more.
    broken: Option<String>,
    /// Whether an answer is still to come.
    asked: bool,
}

/// Why a session could not be opened.
pub(super) enum Refused {
    /// The server has as many as it takes.
    Full(String),
    /// Anything else.
    Lost(WorldError),
}

/// What a server said to a request.
enum Answered {
    Data(Map<String, Value>),
    Error { code: String, message: String },
}

impl Reach {
    pub(super) fn lost(&self, what: &str, remedy: &str) -> WorldError {
        lost(&self.who, what, remedy)
    }
}

impl Session {
    /// Connects, and sees whether the server takes one more session.
    pub(super) fn open(reach: &Arc<Reach>) -> Result<Session, Refused> {
        let mut session = Session::connect(reach).map_err(Refused::Lost)?;
        // A server that is full accepts the connection and says so in the first message.
        session.send(&json!({"type": "state"})).map_err(Refused::Lost)?;
        match session.receive("state").map_err(Refused::Lost)? {
            Answered::Data(_) => Ok(session),
            Answered::Error { code, message } => match code.as_str() {
                "CAPACITY_REACHED" => Err(Refused::Full(message)),
                "FACTORY_ERROR" | "SESSION_ERROR" => {
                    let what = format!("opened no session ({code}: {message})");
                    Err(Refused::Lost(reach.lost(&what, "mend the environment of the server")))
                }
                // An environment without a state can be played all the same.
                _ => Ok(session),
            },
        }
    }

    fn connect(reach: &Arc<Reach>) -> Result<Session, WorldError> {
        let stream = reach.address.connect(reach.timeout).map_err(|error| {
            let what = format!("cannot be reached ({error})");
            reach.lost(&what, "start the server, and check host and port of url")
        })?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_LINE))
            .max_frame_size(Some(LONGEST_LINE));
        let url = reach.address.socket();
        let socket = tungstenite::client::client_with_config(url, stream, Some(config));
        let (socket, _) = socket.map_err(|error| match error {
            HandshakeError::Failure(Error::Http(answer)) => {
                let what = format!("answered with status {}", answer.status());
                reach.lost(&what, "check the path of url, which as a rule is /ws")
            }
            HandshakeError::Failure(Error::Io(error))
                if error.kind() == io::ErrorKind::TimedOut =>
            {
                let seconds = reach.timeout.as_secs_f64();
                let what = format!("opened no web socket within {seconds} seconds");
                reach.lost(&what, "check the server, or raise timeout_seconds")
            }
            error => {
                let what = format!("does not speak plain web sockets ({error})");
                reach.lost(&what, "check url; a server that wants TLS cannot be used")
            }
        })?;
        Ok(Session { reach: reach.clone(), socket, unasked: None, broken: None, asked: false })
    }

    /// Whether it can be asked on.
    pub(super) fn is_sound(&self) -> bool {
        self.broken.is_none() && self.unasked.is_none() && !self.asked
    }

    /// Sends a reset and does not wait.
    pub(super) fn send_reset(&mut self, seed: u64, episode: &str) -> Result<(), WorldError> {
        self.send(&json!({"type": "reset", "data": {"seed": seed, "episode_id": episode}}))
    }

    /// Sends a step and does not wait.
    pub(super) fn send_step(&mut self, field: &str, said: &str) -> Result<(), WorldError> {
        let mut action = Map::new();
        action.insert(field.to_string(), said.into());
        self.send(&json!({"type": "step", "data": action}))
    }

    /// Waits for the observation after a reset or a step.
    pub(super) fn observation(&mut self, to: &str) -> Result<Map<String, Value>, WorldError> {
        match self.receive(to)? {
            Answered::Data(data) => Ok(data),
            Answered::Error { code, message } => {
                let what = format!("answered a {to} with the error {code} ({message})");
                let remedy = match code.as_str() {
                    "VALIDATION_ERROR" => "set action_field to the field that holds the text",
                    "CAPACITY_REACHED" => "lower sessions, or let the server take more",
                    _ => "mend the environment of the server",
                };
                Err(self.fault(&what, remedy))
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<(), WorldError> {
        if let Some(why) = self.broken.clone() {
            return Err(self.fault(&why, "keep the server running while it is trained on"));
        }
        if self.unasked.is_some() {
            let what = "sent a message that was not asked for";
            return Err(self.fault(what, "answer each message with one message"));
        }
        self.socket.get_mut().limit = Limit::Until(Instant::now() + self.reach.timeout);
        // Where it fails, what the server said before it hung up is still to be read, and tells more.
        let _ = self.socket.send(Message::text(message.to_string()));
        self.asked = true;
        Ok(())
    }

    fn receive(&mut self, to: &str) -> Result<Answered, WorldError> {
        let text = match self.next()? {
            Message::Text(text) => text,
            _ => return Err(self.fault("sent binary data", "answer with text that is JSON")),
        };
        self.asked = false;
        let said = fault::json(text.as_bytes())
            .map_err(|what| self.fault(&format!("sent a message {what}"), FORM))?;
        let data = |said: &Value| said.get("data").and_then(Value::as_object).cloned();
        match (said.get("type").and_then(Value::as_str), data(&said)) {
            (Some("error"), data) => {
                let data = data.unwrap_or_default();
                let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("unknown");
                let message = fault::quoted(text("message").as_bytes());
                Ok(Answered::Error { code: text("code").to_string(), message })
            }
            (Some("state"), Some(data)) if to == "state" => Ok(Answered::Data(data)),
            (Some("observation"), Some(data)) if to != "state" => Ok(Answered::Data(data)),
            _ => {
                let what = format!("answered a {to} with {}", fault::quoted(text.as_bytes()));
                Err(self.fault(&what, FORM))
            }
        }
    }

    /// The next message that holds something.
    fn next(&mut self) -> Result<Message, WorldError> {
        loop {
            match self.socket.read() {
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => return Ok(message),
                Ok(Message::Close(frame)) => {
                    let why = frame.map(|frame| frame.to_string()).unwrap_or_default();
                    let what = format!("closed the connection ({why})");
                    return Err(self.fault(&what, RUNNING));
                }
                Ok(_) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    fn failed(&mut self, error: &Error) -> WorldError {
        match error {
            Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                let seconds = self.reach.timeout.as_secs_f64();
                let what = format!("did not answer within {seconds} seconds");
                self.fault(&what, "check the server, or raise timeout_seconds")
            }
            Error::Capacity(_) => {
                let what = format!("sent a message of more than {LONGEST_LINE} bytes");
                self.fault(&what, "say less in one turn")
            }
            error => self.fault(&format!("closed the connection ({error})"), RUNNING),
        }
    }

    /// A sentence about this session, which is over with it.
    pub(super) fn fault(&mut self, what: &str, remedy: &str) -> WorldError {
        self.broken.get_or_insert_with(|| what.to_string());
        self.reach.lost(what, remedy)
    }

    /// Answers the pings that came meanwhile: a server closes the connection of a client that is
    /// silent while it learns.
    pub(super) fn keep_alive(&mut self) {
        if !self.is_sound() {
            return;
        }
        self.socket.get_mut().limit = Limit::Now;
        loop {
            match self.socket.read() {
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                    self.unasked = Some(message);
                    return;
                }
                Ok(Message::Close(_)) => self.broken = Some("closed the connection".into()),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = self.socket.flush();
                    return;
                }
                Err(_) => {
                    self.broken.get_or_insert_with(|| "closed the connection".into());
                    return;
                }
            }
        }
    }
}

const RUNNING: &str = "keep the server running while it is trained on";
const FORM: &str =
    "answer with an observation as {\"type\":\"observation\",\"data\":{…}}, or with an error";

impl Drop for Session {
    fn drop(&mut self) {
        if self.broken.is_none() {
            self.socket.get_mut().limit = Limit::Now;
            let _ = self.socket.send(Message::text(r#"{"type":"close"}"#));
            let _ = self.socket.close(None);
            let _ = self.socket.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn pings_are_answered_between_two_requests() {
        const LOOKS: usize = 10_000_000;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address =
            Address::read(&format!("ws://{}/ws", listener.local_addr().unwrap())).unwrap();
        let (answered, pong) = channel();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut socket = tungstenite::accept(stream).unwrap();
            socket.read().unwrap();
            socket.send(Message::text(r#"{"type":"state","data":{}}"#)).unwrap();
            socket.send(Message::Ping("awake?".into())).unwrap();
            while !matches!(socket.read(), Ok(Message::Pong(_)) | Err(_)) {}
            answered.send(()).unwrap();
            while socket.read().is_ok() {}
        });
        let reach = Reach { address, who: "the world".into(), timeout: Duration::from_secs(60) };
        let Ok(mut session) = Session::open(&Arc::new(reach)) else { panic!("it opens") };
        let seen = (0..LOOKS).any(|_| {
            session.keep_alive();
            thread::yield_now();
            pong.try_recv().is_ok()
        });
        assert!(seen && session.is_sound());
        drop(session);
        server.join().unwrap();
    }
}
