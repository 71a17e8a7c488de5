//! A connection whose peer has a time limit for the whole of what it is to do, not for each piece.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A connection with a time limit. A peer that sends or takes a byte now and then runs out of time as
/// one that does nothing.
#[derive(Debug)]
pub struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    /// A connection whose peer has so much time from now on.
    pub fn new(stream: TcpStream, within: Duration) -> Self {
        Self { stream, until: Instant::now() + within }
    }

    /// Gives the peer so much time from now on.
    pub fn give(&mut self, within: Duration) {
        self.until = Instant::now() + within;
    }

    /// A second handle of the connection, with a time limit of its own.
    ///
    /// # Errors
    /// If the system gives no other handle.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()?, until: self.until })
    }

    /// Ends the connection with a peer that may still be sending: says that no more comes, and reads
    /// what is under way for a while. Closed at once, the connection would take the last answer with it.
    pub fn part(mut self, within: Duration) {
        /// More is not waited for.
        const MOST: u64 = 16 << 20;
        self.give(within);
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            let _ = io::copy(&mut Read::by_ref(&mut self).take(MOST), &mut io::sink());
        }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(late()),
            left => Ok(Some(left)),
        }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it took too long")
}

/// A time limit of the system, by whichever name.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late(),
        _ => error,
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into).map_err(named)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn a_peer_that_sends_a_byte_now_and_then_runs_out_of_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let drips = thread::spawn(move || {
            // Each piece comes soon after the one before: only all together take too long.
            while peer.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let mut input = BufReader::new(Timed::new(stream, Duration::from_millis(100)));
        let mut all = Vec::new();
        let error = input.read_to_end(&mut all).unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && !all.is_empty());
        // Time that is given again is for the next thing.
        input.get_mut().give(Duration::from_secs(60));
        input.read_exact(&mut [0]).unwrap();
        drop(input);
        drips.join().unwrap();
    }
}
