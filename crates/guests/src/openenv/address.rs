//! Where an OpenEnv server is.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use archer_world::WorldError;

use crate::fault::setting;

/// The address of a server, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The name or number of the host; one of IPv6 without its brackets.
    host: String,
    port: u16,
    /// The path of the socket.
    path: String,
}

impl Address {
    /// Reads `ws://host:port/ws`. A path of `/` or none means `/ws`.
    pub(super) fn read(url: &str) -> Result<Address, WorldError> {
        let fault = |what: &str, remedy: &str| setting("url", &format!("{url:?} {what}"), remedy);
        let form = "give ws://host:port/ws";
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(fault("has no scheme", form));
        };
        match scheme {
            "ws" | "http" => {}
            "wss" | "https" => {
                let remedy = "give the ws:// address of the server, or of a local proxy";
                return Err(fault("wants TLS, which is not supported", remedy));
            }
            _ => return Err(fault("has an unknown scheme", form)),
        }
        if rest.chars().any(|c| c.is_control() || c.is_whitespace()) || rest.contains('#') {
            return Err(fault("has a character that cannot be", form));
        }
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if place.contains('@') {
            return Err(fault("holds a user name", "leave it out"));
        }
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = port.unwrap_or("80").parse().map_err(|_| fault("has no port", form))?;
        if host.is_empty() {
            return Err(fault("has no host", form));
        }
        let path = if path.len() < 2 { "/ws" } else { path };
        Ok(Address { host: host.to_string(), port, path: path.to_string() })
    }

    /// The address of the socket.
    pub(super) fn socket(&self) -> String {
        format!("ws://{}{}", self.place(), self.path)
    }

    /// Host and port as they stand in a head.
    pub(super) fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The path of a document beside the socket.
    pub(super) fn beside(&self, document: &str) -> String {
        let folder = self.path.rfind('/').map_or("", |end| &self.path[..end]);
        format!("{folder}/{document}")
    }

    /// Connects within a time limit.
    pub(super) fn connect(&self, timeout: Duration) -> io::Result<Timed> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Timed { stream, limit: Limit::Until(Instant::now() + timeout) });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Until when reads and writes may wait.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// Until then, all of them together: a peer that sends a byte now and then gains no time.
    Until(Instant),
    /// Not at all.
    Now,
}

/// A connection whose reads and writes end at a time limit.
pub(super) struct Timed {
    stream: TcpStream,
    pub(super) limit: Limit,
}

impl Timed {
    /// Makes ready for one read or write.
    fn arm(&self) -> io::Result<()> {
        let Limit::Until(end) = self.limit else {
            return self.stream.set_nonblocking(true);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_nonblocking(false)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.set_write_timeout(Some(left))
    }

    /// Calls an exceeded limit by one name on all systems.
    fn named<T>(&self, result: io::Result<T>) -> io::Result<T> {
        match (result, self.limit) {
            (Err(error), Limit::Until(_)) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::TimedOut.into())
            }
            (result, _) => result,
        }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let read = self.stream.read(into);
        self.named(read)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        let written = self.stream.write(bytes);
        self.named(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let read = |url: &str| Address::read(url).unwrap();
        assert_eq!(read("ws://127.0.0.1:8000/ws").socket(), "ws://127.0.0.1:8000/ws");
        assert_eq!(read("http://host:81").socket(), "ws://host:81/ws");
        assert_eq!(read("ws://[::1]:8000/env/ws").socket(), "ws://[::1]:8000/env/ws");
        assert_eq!(read("ws://[::1]:8000/env/ws").beside("schema"), "/env/schema");
        assert_eq!(read("ws://host/").beside("schema"), "/schema");
        let refused = |url: &str| Address::read(url).unwrap_err().to_string();
        assert!(refused("wss://host/ws").contains("TLS"));
        for url in ["host:80/ws", "ftp://host", "ws://", "ws://host:port", "ws://a b", "ws://u@h"] {
            assert!(refused(url).starts_with("[world] url"), "{url}");
        }
    }
}
