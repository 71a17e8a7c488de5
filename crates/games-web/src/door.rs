//! Requests and replies as JSON texts. Nothing is decided here.

use std::sync::atomic::{AtomicBool, Ordering};

use wasm_bindgen::prelude::*;

use crate::fault::Fault;
use crate::games::{Games, Request};

/// Whether a panic has ended the instance. A trap does not say so: for want of memory Rust ends by the same
/// instruction, and calls no hook.
static PANICKED: AtomicBool = AtomicBool::new(false);

#[wasm_bindgen(start)]
fn watch_panics() {
    std::panic::set_hook(Box::new(|_| PANICKED.store(true, Ordering::Relaxed)));
}

/// Whether the trap that ended the instance was a panic.
#[wasm_bindgen]
pub fn panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}

/// A guessing game's world.
#[wasm_bindgen]
pub struct WasmGames(Games);

#[wasm_bindgen]
impl WasmGames {
    /// The world of these settings, given as JSON; a fault is thrown as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<WasmGames, String> {
        let settings = crate::games::settings(settings).map_err(|error| unread(&error))?;
        Games::new(&settings).map(WasmGames).map_err(|fault| thrown(&fault))
    }

    /// Answers one request, both as JSON.
    pub fn call(&self, request: &str) -> Result<String, String> {
        let request = Request::from_text(request).map_err(|error| unread(&error))?;
        let reply = self.0.call(request).map_err(|fault| thrown(&fault))?;
        Ok(archer_input::to_text(&reply))
    }

    /// Plays with a learner: the answer to a message.
    pub fn ask(&mut self, message: &str) -> String {
        self.0.ask(message)
    }

    /// Teaches a learner: the answer to a lesson.
    pub fn teach(&self, lesson: &str) -> String {
        self.0.teach(lesson)
    }
}

fn unread(error: &str) -> String {
    let message = format!("the request cannot be read: {error}");
    thrown(&Fault::usage(message, "Compare it with the package's types."))
}

fn thrown(fault: &Fault) -> String {
    archer_input::to_text(fault)
}
