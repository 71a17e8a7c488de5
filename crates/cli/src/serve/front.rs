//! The connections: requests of HTTP and messages of sockets to the desk, answers back.
//!
//! A thread serves each connection and waits for the desk, which carries out together what came
//! together. On the loopback interface the client must know the server by a name of this machine: a page
//! of another origin could otherwise reach it by a name that its owner lets point here.

use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use archer_http::{Attend, Timed};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::requests::{Answer, Fault, Health, Outcome, Request};
use super::routes::{self, Does};

/// The most connections at once.
pub const CONNECTIONS: usize = 128;

/// The longest body of a request, and the longest message of a socket, in bytes.
pub const LONGEST_BODY: usize = 1 << 20;

/// How long a connection may be silent between two requests.
const IDLE: Duration = Duration::from_secs(75);

/// How long a client may take to send the head of a request, and as long again for its body.
const READ: Duration = Duration::from_secs(10);

/// How long a client may take to read an answer.
const WRITE: Duration = Duration::from_secs(30);

/// How long what a client still sends is read once it is refused.
const PART: Duration = Duration::from_secs(2);

/// How long a socket may be silent.
const SOCKET_IDLE: Duration = Duration::from_secs(3600);

/// Something to carry out, and where its answer goes.
pub struct Job {
    /// What is to be carried out.
    pub request: Request,
    /// Where the answers go: one for each call.
    pub answers: Sender<Vec<Answer>>,
}

/// What all connections share.
pub struct Front {
    /// Where there is something to be carried out.
    pub jobs: Sender<Job>,
    /// Whether clients must know the server by a name of this machine.
    pub local: bool,
    /// What the model is, as JSON.
    pub model: String,
    /// The description of all routes, as JSON.
    pub openapi: String,
    /// Games that are open.
    pub games: Arc<AtomicUsize>,
    /// The most that may be.
    pub max_games: usize,
}

/// An answer of HTTP.
struct Response {
    status: u16,
    allow: Vec<&'static str>,
    body: Vec<u8>,
}

impl Response {
    fn of(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, allow: Vec::new(), body },
            Err(error) => Self::from(Fault::new(500, "internal", error.to_string())),
        }
    }
}

impl From<Fault> for Response {
    fn from(fault: Fault) -> Self {
        let body = json!({"error": {"code": fault.code, "message": fault.message}});
        Self { status: fault.status, allow: Vec::new(), body: body.to_string().into_bytes() }
    }
}

impl Attend for Front {
    fn attend(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let stream = Timed::new(stream, IDLE);
        let mut output = stream.try_clone()?;
        let mut input = BufReader::new(stream);
        loop {
            input.get_mut().give(IDLE);
            if input.fill_buf()?.is_empty() {
                return Ok(());
            }
            input.get_mut().give(READ);
            let request = match archer_http::Request::read(&mut input) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(error) => return self.part(unreadable(error)?, input, output),
            };
            if let Err(fault) = self.admit(&request) {
                return self.part(fault, input, output);
            }
            if let (Some(key), "GET", "/socket") =
                (&request.socket_key, &*request.method, &*request.path)
            {
                let early = input.buffer().to_vec();
                output.give(WRITE);
                let stream = input.into_inner();
                let socket = archer_http::accept(stream, key, early, LONGEST_BODY)?;
                return self.converse(socket).map_err(io::Error::other);
            }
            if request.expects_continue {
                output.give(WRITE);
                io::Write::write_all(&mut output, b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            input.get_mut().give(READ);
            let limit = LONGEST_BODY as u64;
            let body = match archer_http::read_body(&request, &mut input, limit) {
                Ok(body) => body,
                Err(error) => return self.part(body_fault(error)?, input, output),
            };
            let response = self.respond(&request.method, &request.path, &body);
            write(&mut output, &response, request.keeps)?;
            if !request.keeps {
                return Ok(());
            }
        }
    }

    fn refuse(&self, stream: TcpStream) {
        let fault = Fault::new(
            503,
            "too_many_connections",
            format!("{CONNECTIONS} connections are open: close one, or use one for several calls"),
        );
        // There is room for so little in what the system holds for a new connection: nothing waits.
        let mut output = Timed::new(stream, Duration::from_millis(100));
        let _ = write_within(&mut output, &Response::from(fault), false);
    }
}

impl Front {
    /// Whether a request comes from where it may.
    fn admit(&self, request: &archer_http::Request) -> Result<(), Fault> {
        let Some(host) = &request.host else {
            return Err(Fault::usage("the request has no Host: send HTTP/1.1"));
        };
        if self.local && !names_this_machine(host) {
            return Err(Fault::new(
                403,
                "foreign_host",
                "the server listens to this machine alone, and the request names another: use localhost or 127.0.0.1",
            ));
        }
        let own = |origin: &str| {
            let place = origin.split_once("://").map_or("", |(_, place)| place);
            place.eq_ignore_ascii_case(host)
        };
        match &request.origin {
            Some(origin) if !own(origin) => Err(Fault::new(
                403,
                "foreign_origin",
                "a page of another origin may not use this server: let its own server ask for it",
            )),
            _ => Ok(()),
        }
    }

    /// Answers a request.
    fn respond(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let (route, game) = match routes::find(method, path) {
            Ok(found) => found,
            Err((fault, allow)) => return Response { allow, ..Response::from(fault) },
        };
        let ready = |text: &String| Response {
            status: 200,
            allow: Vec::new(),
            body: text.clone().into_bytes(),
        };
        match route.does {
            Does::Health => Response::of(
                200,
                &Health {
                    status: "ok",
                    games: self.games.load(Ordering::SeqCst),
                    max_games: self.max_games,
                    version: env!("CARGO_PKG_VERSION"),
                },
            ),
            Does::Model => ready(&self.model),
            Does::OpenApi => ready(&self.openapi),
            Does::Socket => {
                let why = "this is a WebSocket: connect to it by ws://";
                Response::from(Fault::new(426, "not_a_socket", why))
            }
            Does::Call(call) => {
                let status = if call == "start" { 201 } else { 200 };
                match self.carry_out(routes::request(route.does, game, body)) {
                    Ok(reply) => Response::of(status, &reply),
                    Err(fault) => Response::from(fault),
                }
            }
            Does::Batch => match self.carry_out(routes::request(route.does, game, body)) {
                Ok(answers) => Response::of(200, &answers),
                Err(fault) => Response::from(fault),
            },
        }
    }

    /// Lets the desk carry out a request.
    fn carry_out(&self, request: Result<Request, Fault>) -> Result<Value, Fault> {
        let closing = || Fault::new(503, "closing", "the server is ending: ask another one");
        let request = request?;
        let several = matches!(request, Request::Several(_));
        let (sender, receiver) = mpsc::channel();
        self.jobs.send(Job { request, answers: sender }).map_err(|_| closing())?;
        let answers = receiver.recv().map_err(|_| closing())?;
        let failed = |error: serde_json::Error| Fault::new(500, "internal", error.to_string());
        if several {
            let outcomes: Vec<Outcome> = answers.into_iter().map(Outcome::from).collect();
            let outcomes = serde_json::to_value(outcomes).map_err(failed)?;
            return Ok(json!({"answers": outcomes}));
        }
        let reply = answers.into_iter().next().ok_or_else(closing)??;
        serde_json::to_value(reply).map_err(failed)
    }

    /// Answers the messages of a socket, in their order.
    fn converse(&self, mut socket: WebSocket<Timed>) -> Result<(), tungstenite::Error> {
        loop {
            socket.get_mut().give(SOCKET_IDLE);
            let sent = match socket.read() {
                Err(tungstenite::Error::Capacity(_)) => {
                    let reason = format!("a message may have {LONGEST_BODY} bytes").into();
                    socket.get_mut().give(WRITE);
                    return socket.close(Some(CloseFrame { code: CloseCode::Size, reason }));
                }
                read => read?,
            };
            let answer = match sent {
                Message::Text(text) => {
                    let (id, request) = read_message(&text);
                    message(id, self.carry_out(request))
                }
                Message::Binary(_) => {
                    let fault = Fault::new(400, "bad_json", "send text, not binary data");
                    message(Value::Null, Err(fault))
                }
                Message::Close(_) => return socket.flush(),
                _ => continue,
            };
            socket.get_mut().give(WRITE);
            socket.send(Message::text(answer.to_string()))?;
        }
    }

    /// Refuses what a client may still be sending.
    fn part(&self, fault: Fault, input: BufReader<Timed>, mut output: Timed) -> io::Result<()> {
        write(&mut output, &Response::from(fault), false)?;
        input.into_inner().part(PART);
        Ok(())
    }
}

/// The request in a message of a socket, with the id that its answer is to have.
pub fn read_message(text: &str) -> (Value, Result<Request, Fault>) {
    let mut object: Map<String, Value> = match archer_input::json_line(text.as_bytes()) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return (Value::Null, Err(Fault::usage("the message is no JSON object"))),
        Err(fault) => {
            let fault = Fault::new(400, "bad_json", format!("the message {fault}"));
            return (Value::Null, Err(fault));
        }
    };
    match object.remove("id").unwrap_or_default() {
        id @ (Value::Null | Value::Number(_) | Value::String(_)) => (id, Request::read(object)),
        _ => (Value::Null, Err(Fault::usage("the id of a message is a number or a text"))),
    }
}

/// The answer to a message of a socket.
fn message(id: Value, answer: Result<Value, Fault>) -> Value {
    match answer {
        Ok(result) => json!({"id": id, "result": result}),
        Err(fault) => {
            json!({"id": id, "error": {"code": fault.code, "message": fault.message}})
        }
    }
}

fn write(output: &mut Timed, response: &Response, keeps: bool) -> io::Result<()> {
    output.give(WRITE);
    write_within(output, response, keeps)
}

fn write_within(output: &mut Timed, response: &Response, keeps: bool) -> io::Result<()> {
    let allow = response.allow.join(", ");
    let mut fields = vec![
        ("Content-Type", "application/json"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ];
    if !allow.is_empty() {
        fields.push(("Allow", &allow));
    }
    archer_http::write_answer(output, status(response.status), &fields, &response.body, keeps)
}

fn status(code: u16) -> &'static str {
    match code {
        200 => "200 OK",
        201 => "201 Created",
        400 => "400 Bad Request",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        405 => "405 Method Not Allowed",
        408 => "408 Request Timeout",
        409 => "409 Conflict",
        413 => "413 Content Too Large",
        422 => "422 Unprocessable Content",
        426 => "426 Upgrade Required",
        431 => "431 Request Header Fields Too Large",
        503 => "503 Service Unavailable",
        _ => "500 Internal Server Error",
    }
}

/// What to say of a head that cannot be read; nothing where nobody hears it.
fn unreadable(error: io::Error) -> io::Result<Fault> {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Ok(Fault::new(400, "bad_request", format!("the request is refused: {error}")))
        }
        io::ErrorKind::FileTooLarge => {
            Ok(Fault::new(431, "too_long", format!("the request is refused: {error}")))
        }
        io::ErrorKind::TimedOut => Ok(Fault::new(
            408,
            "too_slow",
            format!("a request must come within {} seconds", READ.as_secs()),
        )),
        _ => Err(error),
    }
}

/// What to answer where a body cannot be read; nothing where nobody hears it.
fn body_fault(error: io::Error) -> io::Result<Fault> {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Ok(Fault::too_long(format!(
            "the body of a request may have {LONGEST_BODY} bytes: send less at once"
        ))),
        _ => unreadable(error),
    }
}

/// Whether a client that names the server like this means this machine.
fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        // What stands in brackets has colons of its own.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let address = plain.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.9.9.9", "[::1]:80", "[::1]"]
        {
            assert!(names_this_machine(host), "{host}");
        }
        for host in [
            "example.org",
            "example.org:8080",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "192.168.0.1",
            "0.0.0.0",
            "",
            ":80",
            "[::1].example.org",
        ] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
