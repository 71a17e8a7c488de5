//! Where altered inputs come in, for `crates/fuzz`: what peers send, without their sockets and pipes.

use std::io::{self, Read, Write};

use archer_world::Worlds;
use serde_json::{Map, Value};

use crate::fault;
use crate::observation::{Screen, says_truncated, says_won};
use crate::openenv::fields_of;
use crate::serve::openenv::answers;

/// Reads a message of a world outside.
///
/// # Errors
/// What is wrong with it.
pub fn message(line: &[u8]) -> Result<Value, String> {
    fault::json(line)
}

/// Carries out messages to our OpenEnv server.
///
/// # Panics
/// If an answer is no object.
pub fn openenv<'a>(worlds: &dyn Worlds, messages: impl Iterator<Item = &'a str>) {
    for answer in answers(worlds, messages) {
        assert!(answer.is_object(), "{answer}");
    }
}

/// Reads requests, and an answer to one.
pub fn http(bytes: &[u8]) {
    struct Peer<'a>(&'a [u8]);
    impl Read for Peer<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    impl Write for Peer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut input = bytes;
    while let Ok(Some(request)) = archer_http::Request::read(&mut input) {
        if archer_http::read_body(&request, &mut input, 1 << 10).is_err() {
            break;
        }
    }
    let _ = archer_http::get(Peer(bytes), "host", "/");
}

/// Reads schemas, and what observations show one after the other.
pub fn observations(values: &[Value]) {
    let mut screen: Option<Screen> = None;
    for value in values {
        fields_of(value);
        let info: Option<&Map<String, Value>> = value.as_object();
        let _ = info.map(|info| (says_truncated(info), says_won(info)));
        let Some(shown) = value.get("observation").and_then(Value::as_str) else { continue };
        match &mut screen {
            None => screen = Some(Screen::open(shown.to_string()).0),
            Some(screen) => drop(screen.reply("x", shown.to_string())),
        }
    }
}
