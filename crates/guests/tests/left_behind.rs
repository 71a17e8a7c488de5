//! No process is left behind, however its player ends.
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{helper, open, python, script};
use serde_json::json;

/// A stubborn world tells of its life by a connection that it and its child hold.
struct Watch(TcpListener);

impl Watch {
    fn new() -> Watch {
        Watch(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn command(&self) -> Vec<String> {
        vec![python(), script("stubborn.py"), self.0.local_addr().unwrap().port().to_string()]
    }

    /// The connection of a world, and its process, group and parent.
    fn next(&self) -> (BufReader<TcpStream>, [u32; 3]) {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let numbers: Vec<u32> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        (stream, numbers.try_into().unwrap())
    }
}

/// Waits until nobody holds a connection.
fn gone(mut stream: BufReader<TcpStream>) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => assert!(rest.is_empty()),
        // A process that is killed resets what it had not read.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
}

#[test]
fn a_world_that_is_dropped_ends_with_its_children() {
    let watch = Watch::new();
    let worlds = open(json!({"command": watch.command()})).unwrap();
    let (stream, [process, group, _]) = watch.next();
    assert_eq!(process, group, "a world leads a group of its own");
    drop(worlds);
    gone(stream);
}

#[test]
fn a_world_ends_with_its_children_when_its_player_is_killed() {
    let watch = Watch::new();
    let mut player = Command::new(helper())
        .arg("hold")
        .args(watch.command())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (stream, [_, group, parent]) = watch.next();
    assert_eq!(parent, player.id());
    assert_ne!(group, player.id(), "Ctrl-C for the player must not reach the world");
    let mut held = String::new();
    BufReader::new(player.stdout.take().unwrap()).read_line(&mut held).unwrap();
    assert_eq!(held, "held\n");
    player.kill().unwrap();
    player.wait().unwrap();
    gone(stream);
}
