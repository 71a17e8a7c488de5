//! Our worlds as an OpenEnv server: `/ws`, `/health`, `/metadata` and `/schema`, a thread for each
//! connection.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use archer_http::{Attend, Request, Server};
use archer_world::{WorldError, Worlds};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::session::{Outcome, Session, error, schema};

/// The longest message of a client, in bytes.
const LONGEST_MESSAGE: usize = 1 << 20;

/// How long a client may take to say what it wants.
const HEAD: Duration = Duration::from_secs(10);

/// How long a client may take to read an answer.
const WRITE: Duration = Duration::from_secs(60);

/// Connections beside those of sessions: questions about health, refusals.
const ASIDE: usize = 64;

/// How a world is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenEnvOptions {
    /// The most sessions at once, at least 1. One more is refused with `CAPACITY_REACHED`.
    pub sessions: usize,
    /// How long a session may be silent before it is closed; above 0.
    pub idle: Duration,
}

impl Default for OpenEnvOptions {
    /// 64 sessions, which may be silent for an hour.
    fn default() -> Self {
        Self { sessions: 64, idle: Duration::from_secs(3600) }
    }
}

/// A server that runs. It is stopped when it is dropped.
pub struct OpenEnvServer(Server);

/// What all connections share.
struct Hall {
    worlds: Arc<dyn Worlds>,
    options: OpenEnvOptions,
    /// Sessions that are open.
    sessions: AtomicUsize,
    /// The seed of the next game that is started without one.
    seed: AtomicU64,
}

/// Serves a world at an address, on threads of its own. Port 0 takes one that is free.
///
/// ```no_run
/// # fn main() -> Result<(), archer_world::WorldError> {
/// # let worlds: std::sync::Arc<dyn archer_world::Worlds> = unreachable!();
/// let address = ([127, 0, 0, 1], 8000).into();
/// archer_guests::serve_openenv(worlds, address, Default::default())?.wait();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`WorldError::Settings`] if an option is out of range, [`WorldError::Lost`] if the address cannot
/// be listened at.
pub fn serve_openenv(
    worlds: Arc<dyn Worlds>,
    address: SocketAddr,
    options: OpenEnvOptions,
) -> Result<OpenEnvServer, WorldError> {
    if options.sessions == 0 || options.idle.is_zero() {
        let text = "a server has at least 1 session, which may be silent for some time";
        return Err(WorldError::Settings(text.into()));
    }
    let fault = |error: io::Error| {
        let text = format!("{address} cannot be listened at ({error}): choose another port");
        WorldError::Lost(text)
    };
    let hall = Hall { worlds, options, sessions: AtomicUsize::new(0), seed: AtomicU64::new(0) };
    let server = Server::start(address, options.sessions.saturating_add(ASIDE), Arc::new(hall));
    server.map(OpenEnvServer).map_err(fault)
}

impl OpenEnvServer {
    /// The address that is listened at.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Serves until the program ends or listening fails.
    pub fn wait(self) {
        self.0.wait();
    }

    /// Closes all connections and listens no more.
    pub fn stop(self) {}
}

impl Attend for Hall {
    fn attend(&self, stream: TcpStream) -> io::Result<()> {
        attend(stream, self)
    }
}

/// A session that is counted, until it is dropped.
struct Place<'a>(&'a Hall);

impl Place<'_> {
    fn take(hall: &Hall) -> Option<Place<'_>> {
        let more = |open: usize| (open < hall.options.sessions).then_some(open + 1);
        let taken = hall.sessions.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.is_ok().then(|| Place(hall))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Serves one connection to its end.
fn attend(mut stream: TcpStream, hall: &Hall) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HEAD))?;
    stream.set_write_timeout(Some(WRITE))?;
    let mut input = BufReader::new(stream.try_clone()?);
    let asked = match Request::read(&mut input) {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(()),
        Err(why) => {
            let body = json!({"detail": why.to_string()});
            return write(&mut stream, "400 Bad Request", &body);
        }
    };
    match &asked.socket_key {
        Some(key) if asked.path == "/ws" && asked.method == "GET" => {
            let early = input.buffer().to_vec();
            accept(stream, key, early, hall)
        }
        _ => {
            let (status, body) = document(&asked, hall);
            write(&mut stream, status, &body)
        }
    }
}

fn write(stream: &mut TcpStream, status: &str, body: &Value) -> io::Result<()> {
    let fields = [("Content-Type", "application/json")];
    archer_http::write_answer(stream, status, &fields, body.to_string().as_bytes(), false)
}

/// What is to be read beside the socket.
fn document(asked: &Request, hall: &Hall) -> (&'static str, Value) {
    if asked.method != "GET" {
        return ("405 Method Not Allowed", json!({"detail": "Method Not Allowed"}));
    }
    let about = hall.worlds.about();
    match asked.path.as_str() {
        "/health" => ("200 OK", json!({"status": "healthy"})),
        "/metadata" => {
            let description =
                format!("{}, a text world of at most {} turns", about.name, about.max_turns);
            let version = env!("CARGO_PKG_VERSION");
            ("200 OK", json!({"name": about.name, "description": description, "version": version}))
        }
        "/schema" => ("200 OK", schema()),
        "/ws" => ("426 Upgrade Required", json!({"detail": "this is a web socket"})),
        _ => ("404 Not Found", json!({"detail": "Not Found"})),
    }
}

/// Makes a connection a web socket and serves a session over it.
fn accept(stream: TcpStream, key: &str, early: Vec<u8>, hall: &Hall) -> io::Result<()> {
    stream.set_read_timeout(Some(hall.options.idle))?;
    let mut socket = archer_http::accept(stream, key, early, LONGEST_MESSAGE)?;
    let served = play(&mut socket, hall);
    let _ = socket.close(None);
    let _ = socket.flush();
    served.map_err(io::Error::other)
}

/// The answers of a session to messages, until it is closed.
pub(crate) fn answers<'a>(
    worlds: &dyn Worlds,
    messages: impl Iterator<Item = &'a str>,
) -> Vec<Value> {
    let Ok(mut session) = Session::open(worlds) else { return Vec::new() };
    let answers = messages.map_while(|message| match session.hear(message, || 0) {
        Outcome::Answer(answer) => Some(answer),
        Outcome::Close => None,
    });
    answers.collect()
}

fn play(socket: &mut WebSocket<TcpStream>, hall: &Hall) -> Result<(), tungstenite::Error> {
    let Some(_place) = Place::take(hall) else {
        let most = hall.options.sessions;
        let mut full = error("CAPACITY_REACHED", &format!("all {most} sessions are taken"));
        full["data"]["active_sessions"] = most.into();
        full["data"]["max_sessions"] = most.into();
        return socket.send(Message::text(full.to_string()));
    };
    let mut session = match Session::open(hall.worlds.as_ref()) {
        Ok(session) => session,
        Err(why) => {
            let message = error("FACTORY_ERROR", &why.to_string());
            return socket.send(Message::text(message.to_string()));
        }
    };
    let seed = || hall.seed.fetch_add(1, Ordering::Relaxed);
    loop {
        let answer = match socket.read()? {
            Message::Text(text) => match session.hear(&text, seed) {
                Outcome::Answer(answer) => answer,
                Outcome::Close => return Ok(()),
            },
            Message::Binary(_) => error("INVALID_JSON", "Invalid JSON: send text, not binary data"),
            Message::Close(_) => return Ok(()),
            _ => continue,
        };
        socket.send(Message::text(answer.to_string()))?;
    }
}
