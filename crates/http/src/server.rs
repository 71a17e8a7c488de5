//! A server: a thread that listens, and one for each connection.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Who serves connections.
pub trait Attend: Send + Sync + 'static {
    /// Serves one connection to its end, on a thread of its own. A client that cannot be spoken with any
    /// more has nobody to be told of it: an error ends the connection, and nothing else.
    ///
    /// # Errors
    /// If the client cannot be spoken with.
    fn attend(&self, stream: TcpStream) -> io::Result<()>;

    /// Turns away a connection that is one too many, on the thread that listens.
    fn refuse(&self, _stream: TcpStream) {}
}

/// A server that runs. It is stopped when it is dropped.
pub struct Server {
    address: SocketAddr,
    hall: Arc<Hall>,
    thread: Option<JoinHandle<()>>,
}

/// What all connections share.
struct Hall {
    most: usize,
    stopped: AtomicBool,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    next: u64,
    streams: HashMap<u64, TcpStream>,
}

/// How long the listening thread may take to hear that it is to end.
const WAKE: Duration = Duration::from_secs(10);

impl Server {
    /// Serves at an address, on threads of its own, at most so many connections at once. Port 0 takes
    /// one that is free.
    ///
    /// # Errors
    /// If the address cannot be listened at.
    pub fn start(
        address: SocketAddr,
        connections: usize,
        attend: Arc<dyn Attend>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let hall = Arc::new(Hall {
            most: connections,
            stopped: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let shared = hall.clone();
        let thread = thread::spawn(move || listen(&listener, &shared, &attend));
        Ok(Self { address, hall, thread: Some(thread) })
    }

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

    /// Reads no more requests, lets the answers to those that were read go out for at most so long, and
    /// ends.
    pub fn close(self, within: Duration) {
        self.hall.stopped.store(true, Ordering::SeqCst);
        for stream in self.hall.connections().streams.values() {
            let _ = stream.shutdown(Shutdown::Read);
        }
        let begun = Instant::now();
        while begun.elapsed() < within && !self.hall.connections().streams.is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes all connections and listens no more.
    pub fn stop(self) {}
}

impl Drop for Server {
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
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let woken = TcpStream::connect_timeout(&own, WAKE).is_ok();
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

fn listen(listener: &TcpListener, hall: &Arc<Hall>, attend: &Arc<dyn Attend>) {
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
        let Some(seat) = Seat::take(hall, &stream) else {
            attend.refuse(stream);
            continue;
        };
        let attend = attend.clone();
        // A machine that gives no further thread drops the connection and its seat.
        let _ = thread::Builder::new().spawn(move || {
            let _seat = seat;
            let _ = attend.attend(stream);
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
        if hall.stopped.load(Ordering::SeqCst) || connections.streams.len() >= hall.most {
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
