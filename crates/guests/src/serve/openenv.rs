//! Our worlds as an OpenEnv server: `/ws`, `/health`, `/metadata` and `/schema`, a thread for each
//! connection.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use archer_world::{WorldError, Worlds};
use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::session::{Outcome, Session, error, schema};
use crate::http::{self, Asked};

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
pub struct OpenEnvServer {
    address: SocketAddr,
    hall: Arc<Hall>,
    thread: Option<JoinHandle<()>>,
}

/// What all connections share.
struct Hall {
    worlds: Arc<dyn Worlds>,
    options: OpenEnvOptions,
    stopped: AtomicBool,
    connections: Mutex<Connections>,
    /// The seed of the next game that is started without one.
    seed: AtomicU64,
}

#[derive(Default)]
struct Connections {
    next: u64,
    streams: HashMap<u64, TcpStream>,
    sessions: usize,
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
    let listener = TcpListener::bind(address).map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let hall = Arc::new(Hall {
        worlds,
        options,
        stopped: AtomicBool::new(false),
        connections: Mutex::default(),
        seed: AtomicU64::new(0),
    });
    let shared = hall.clone();
    let thread = thread::spawn(move || listen(&listener, &shared));
    Ok(OpenEnvServer { address, hall, thread: Some(thread) })
}

impl OpenEnvServer {
    /// The address that is listened at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the program ends or listening fails.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Closes all connections and listens no more.
    pub fn stop(self) {}
}

impl Drop for OpenEnvServer {
    fn drop(&mut self) {
        self.hall.stopped.store(true, Ordering::SeqCst);
        for stream in self.hall.connections().streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // The listening thread waits for a client: this is the last one.
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(match own {
                SocketAddr::V4(_) => [127, 0, 0, 1].into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let woken = TcpStream::connect_timeout(&own, HEAD).is_ok();
        if let (Some(thread), true) = (self.thread.take(), woken) {
            let _ = thread.join();
        }
    }
}

impl Hall {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(listener: &TcpListener, hall: &Arc<Hall>) {
    /// Failures in a row, as where no file can be opened any more, after which nothing is to be hoped.
    const MOST_FAILURES: usize = 1000;
    let mut failures = 0;
    while failures < MOST_FAILURES {
        let Ok((stream, _)) = listener.accept() else {
            failures += 1;
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        failures = 0;
        if hall.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Some(seat) = Seat::take(hall, &stream) else { continue };
        let hall = hall.clone();
        thread::spawn(move || {
            let _seat = seat;
            // A client that cannot be spoken with any more has nobody to be told of it.
            let _ = attend(stream, &hall);
        });
    }
}

/// A connection that is counted, until it is dropped.
struct Seat {
    hall: Arc<Hall>,
    number: u64,
}

impl Seat {
    fn take(hall: &Arc<Hall>, stream: &TcpStream) -> Option<Seat> {
        let copy = stream.try_clone().ok()?;
        let mut connections = hall.connections();
        // It is asked under the lock: who stops the server closes all that got in.
        if hall.stopped.load(Ordering::SeqCst) {
            return None;
        }
        if connections.streams.len() >= hall.options.sessions + ASIDE {
            return None;
        }
        let number = connections.next;
        connections.next += 1;
        connections.streams.insert(number, copy);
        Some(Seat { hall: hall.clone(), number })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hall.connections().streams.remove(&self.number);
    }
}

/// A session that is counted, until it is dropped.
struct Place<'a>(&'a Hall);

impl Place<'_> {
    fn take(hall: &Hall) -> Option<Place<'_>> {
        let mut connections = hall.connections();
        if connections.sessions >= hall.options.sessions {
            return None;
        }
        connections.sessions += 1;
        Some(Place(hall))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.connections().sessions -= 1;
    }
}

/// Serves one connection to its end.
fn attend(mut stream: TcpStream, hall: &Hall) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HEAD))?;
    stream.set_write_timeout(Some(WRITE))?;
    let mut input = BufReader::new(stream.try_clone()?);
    let asked = match http::read_request(&mut input) {
        Ok(asked) => asked,
        Err(why) => {
            let body = json!({"detail": why.to_string()}).to_string();
            return http::write_answer(&mut stream, "400 Bad Request", JSON, &body);
        }
    };
    match &asked.socket_key {
        Some(key) if asked.path == "/ws" && asked.method == "GET" => {
            let early = input.buffer().to_vec();
            accept(stream, key, early, hall)
        }
        _ => {
            let (status, body) = document(&asked, hall);
            http::write_answer(&mut stream, status, JSON, &body.to_string())
        }
    }
}

const JSON: &str = "application/json";

/// What is to be read beside the socket.
fn document(asked: &Asked, hall: &Hall) -> (&'static str, Value) {
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
fn accept(mut stream: TcpStream, key: &str, early: Vec<u8>, hall: &Hall) -> io::Result<()> {
    let accepted = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.set_read_timeout(Some(hall.options.idle))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    let mut socket = WebSocket::from_partially_read(stream, early, Role::Server, Some(config));
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
