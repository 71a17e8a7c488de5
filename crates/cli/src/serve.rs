//! `archer serve`: an agent for programs in any language, over HTTP and a WebSocket.
//!
//! The thread of the command owns the agent. Each connection has a thread that reads requests and hands
//! them over; whatever has come by the time that the agent is free is carried out together, so that
//! clients share a batch without waiting for each other.

mod desk;
mod front;
mod games;
mod openapi;
mod requests;
mod routes;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use archer::agent::Agent;
use archer_http::Server;

use crate::args;
use crate::clock::Stopwatch;
use crate::device;
use crate::error::Error;
use crate::model;
use crate::output;
use crate::progress::Screen;
use crate::signals::Stop;
use desk::Desk;
use front::{CONNECTIONS, Front, Job};
use games::Bounds;
use requests::{Outcome, Request};
use routes::{Does, Route};

/// How often it is looked whether a signal has come or a game is idle, where nobody asks anything.
const LOOK: Duration = Duration::from_millis(100);

/// How long answers may take to go out once the server ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until a signal comes.
pub fn run(args: &args::Serve) -> Result<(), Error> {
    let opened = device::open_for(&args.compute)?;
    let agent = model::load_as(&args.model, args.holding.weights, &opened.device)?;
    let bounds = Bounds { games: args.max_games, idle: 60.0 * args.idle_minutes };
    let mut desk = Desk::new(&agent, opened.threads, bounds);

    let written = |error: serde_json::Error| Error::Failure(error.to_string());
    let (jobs, received) = mpsc::channel();
    let games = Arc::new(AtomicUsize::new(0));
    let local = args.host.is_loopback();
    let front = Front {
        jobs,
        local,
        model: serde_json::to_string(&desk::model(&agent, name(&args.model))).map_err(written)?,
        openapi: serde_json::to_string(&openapi::document()).map_err(written)?,
        games: games.clone(),
        max_games: args.max_games,
    };
    let screen = Screen::new(false);
    let stop = Stop::listen(screen.speaker(), Duration::ZERO);
    let address = SocketAddr::new(args.host, args.port);
    let server = Server::start(address, CONNECTIONS, Arc::new(front)).map_err(|error| {
        Error::Failure(format!(
            "{address} cannot be listened at ({error}): choose another --port, or 0 for one that is free"
        ))
    })?;
    if !local {
        screen.warn(&format!(
            "whoever reaches {} can use the agent: there is no password and no encryption; leave --host out to serve this machine alone",
            server.address()
        ));
    }
    output::line(&format!(
        "serving {} at http://{}; stop it with Ctrl-C",
        args.model.display(),
        server.address()
    ))?;
    work(&mut desk, &received, &games, &stop);
    // Whoever still waits for the desk hears that it is gone.
    drop(received);
    server.close(LAST_ANSWERS);
    Ok(())
}

/// Answers requests that are written one a line, without connections: messages of the socket, or a method,
/// a path and a body. All of them come together.
///
/// # Panics
/// If an answer cannot be written as JSON.
pub fn by_script(agent: &Agent, lines: &str) -> Vec<String> {
    let mut desk = Desk::new(agent, 1, Bounds { games: 8, idle: 60.0 });
    let mut calls = Vec::new();
    for line in lines.lines() {
        let mut parts = line.splitn(3, ' ');
        let route = match (parts.next(), parts.next()) {
            (Some(method), Some(path)) => routes::find(method, path).ok(),
            _ => None,
        };
        let request = match route {
            Some((Route { does: does @ (Does::Call(_) | Does::Batch), .. }, game)) => {
                routes::request(*does, game, parts.next().unwrap_or_default().as_bytes())
            }
            _ => front::read_message(line).1,
        };
        match request {
            Ok(Request::One(call)) => calls.push(Ok(call)),
            Ok(Request::Several(several)) => calls.extend(several),
            Err(fault) => calls.push(Err(fault)),
        }
    }
    let answers = desk.answer(calls, 0.0).into_iter().map(Outcome::from);
    answers.map(|answer| serde_json::to_string(&answer).expect("an answer is JSON")).collect()
}

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Carries out what connections hand over, until it is to stop.
fn work(desk: &mut Desk<'_>, jobs: &Receiver<Job>, games: &AtomicUsize, stop: &Stop) {
    let clock = Stopwatch::start();
    while !stop.requested() {
        let first = match jobs.recv_timeout(LOOK) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        desk.drop_idle(clock.seconds());
        let together: Vec<Job> =
            first.into_iter().chain(jobs.try_iter()).take(CONNECTIONS).collect();
        let mut calls = Vec::new();
        let mut clients = Vec::with_capacity(together.len());
        for Job { request, answers } in together {
            let before = calls.len();
            match request {
                Request::One(call) => calls.push(Ok(call)),
                Request::Several(several) => calls.extend(several),
            }
            clients.push((calls.len() - before, answers));
        }
        let mut answers = desk.answer(calls, clock.seconds()).into_iter();
        games.store(desk.games(), Ordering::SeqCst);
        for (count, client) in clients {
            // A client that has left needs no answer.
            let _ = client.send(answers.by_ref().take(count).collect());
        }
    }
}
