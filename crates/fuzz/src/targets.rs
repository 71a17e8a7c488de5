//! Everything that reads bytes from outside, as functions of bytes.

#[cfg(feature = "models")]
mod files;
#[cfg(feature = "models")]
mod shell;
mod talk;

use crate::mutate::Shape;

/// A reader, and what its inputs are.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// What is said of it in a list.
    pub about: &'static str,
    /// What its inputs are.
    pub shape: Shape,
    /// Reads one input; any end but a panic, too much memory or too much time is right.
    pub read: fn(&[u8]),
}

/// All of them.
pub fn all() -> Vec<Target> {
    #[cfg(feature = "models")]
    return [&TALK[..], &shell::TARGETS, &files::TARGETS].concat();
    #[cfg(not(feature = "models"))]
    TALK.to_vec()
}

/// A reader with faults, on which the harness itself is tried. It is run only where it is named.
pub const FAULTY: Target =
    target("faulty", Shape::Text, faulty, "a reader with faults, to try the harness on");

fn faulty(bytes: &[u8]) {
    match bytes {
        b"panic" => panic!("as it was told"),
        b"abort" => std::process::abort(),
        b"memory" => drop(vec![1u8; 1 << 40]),
        b"time" => loop {
            std::hint::spin_loop();
        },
        _ => {}
    }
}

const fn target(name: &'static str, shape: Shape, read: fn(&[u8]), about: &'static str) -> Target {
    Target { name, about, shape, read }
}

/// Texts and messages, whose readers know no network.
const TALK: [Target; 8] = [
    target("text", Shape::Text, talk::text, "bytes as text, as JSON and as lines"),
    target("games", Shape::JsonLines, talk::games, "files of games, in both forms"),
    target("requests", Shape::JsonLines, talk::requests, "requests of the form for many games"),
    target("openenv", Shape::JsonLines, talk::openenv, "messages to our OpenEnv server"),
    target("world", Shape::JsonLines, talk::world, "what a world outside says, a message a line"),
    target("http", Shape::Text, talk::http, "heads of requests and answers"),
    target("questions", Shape::Text, talk::questions, "natural questions, one a line"),
    target("answers", Shape::Text, talk::answers, "what a person answers, one a line"),
];
