//! Texts, messages and what people type.

use std::sync::OnceLock;

use archer_games::knowledge::{self, ObjectId};
use archer_games::twenty_questions::spoken;
use archer_games::{TwentyQuestions, twenty_questions};
use archer_guests::Lines;
use archer_input::{Format, Line};
use archer_world::contract::{Checked, check_about};
use archer_world::messages::{Answer, SimpleAnswer};
use archer_world::record::read_games;
use archer_world::{About, Batch, Local, Opening, Said, Start, Turn, Wait, WorldError, Worlds};
use pollster::block_on;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub fn text(bytes: &[u8]) {
    let _ = Format::of(bytes).map(|format| format!("{format}: {}", format.remedy()));
    if let Ok(text) = archer_input::text(bytes) {
        assert!(!text.contains('\0') && !text.starts_with('\u{feff}'));
    }
    let fault = |fault: archer_input::Fault| assert!(fault.to_string().chars().count() < 400);
    let _ = archer_input::json::<Value>(bytes).map_err(fault);
    let mut input = bytes;
    loop {
        match archer_input::read_line(&mut input, 64).expect("memory can be read") {
            Line::End => break,
            Line::TooLong => archer_input::skip_line(&mut input).expect("memory can be read"),
            Line::Whole(line) => drop(archer_input::json_line::<Value>(&line).map_err(fault)),
        }
    }
}

pub fn games(bytes: &[u8]) {
    let about = About::new("twenty_questions", 20);
    if let Ok(text) = archer_input::text(bytes) {
        let _ =
            read_games(&text, &about).map(|games| games.iter().filter(|game| game.won()).count());
    }
}

/// Ten words, as many games side by side as are asked for.
fn ten_words() -> &'static dyn Worlds {
    static WORLDS: OnceLock<Box<dyn Worlds>> = OnceLock::new();
    WORLDS
        .get_or_init(|| {
            let options = twenty_questions::Options::default();
            Box::new(Local::new(move || {
                TwentyQuestions::subset(options.clone()).expect("the default is right")
            }))
        })
        .as_ref()
}

pub fn requests(bytes: &[u8]) {
    let mut many = Lines::new(ten_words());
    for line in bytes.split(|byte| *byte == b'\n').take(32) {
        let answer: Value = serde_json::from_str(&many.answer(line)).expect("an answer is JSON");
        assert!(answer.is_object());
    }
}

pub fn openenv(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        archer_guests::fuzzing::openenv(ten_words(), text.lines().take(32));
    }
}

pub fn http(bytes: &[u8]) {
    archer_guests::fuzzing::http(bytes);
}

/// What a world outside said: of itself, and then its answers in order.
struct Outside {
    about: About,
    answers: Vec<Value>,
}

impl Worlds for Outside {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, _: usize) -> Wait<'_, Box<dyn Batch>> {
        let replay: Box<dyn Batch> = Box::new(Replay(self.answers.clone()));
        Box::pin(async move { Ok(replay) })
    }
}

struct Replay(Vec<Value>);

impl Replay {
    fn next<T: DeserializeOwned>(&mut self) -> Result<T, WorldError> {
        let end = || WorldError::Lost("it ended".into());
        let value = (!self.0.is_empty()).then(|| self.0.remove(0)).ok_or_else(end)?;
        serde_json::from_value(value).map_err(|error| WorldError::Lost(error.to_string()))
    }
}

impl Batch for Replay {
    fn start<'a>(&'a mut self, _: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        Box::pin(async move { Ok(vec![self.next()?]) })
    }

    fn act<'a>(&'a mut self, _: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        Box::pin(async move { Ok(vec![self.next()?]) })
    }

    fn task(&self, _: usize) -> Option<usize> {
        None
    }
}

pub fn world(bytes: &[u8]) {
    let read = |line: &[u8]| archer_guests::fuzzing::message(line).ok();
    let values: Vec<Value> = bytes.split(|byte| *byte == b'\n').filter_map(read).collect();
    for value in &values {
        let _ = serde_json::from_value::<Answer>(value.clone());
        let _ = serde_json::from_value::<SimpleAnswer>(value.clone()).map(|answer| answer.end());
    }
    archer_guests::fuzzing::observations(&values);
    let Some((first, answers)) = values.split_first() else { return };
    let Ok(about) = serde_json::from_value::<About>(first.clone()) else { return };
    if check_about(&about).is_err() {
        return;
    }
    let outside = Outside { about, answers: answers.to_vec() };
    let Ok(mut batch) = block_on(Checked::open(&outside, 1)) else { return };
    if block_on(batch.start(&[Start { task: None, seed: 1 }])).is_err() {
        return;
    }
    while let Ok(turns) = block_on(batch.act(&[Said { game: 0, text: "x" }])) {
        if turns[0].end.is_some() {
            return;
        }
    }
}

pub fn questions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let table = knowledge::table();
    for question in text.lines().take(8) {
        let reading = table.hear(question).reading;
        for object in (0..table.objects().len()).step_by(40) {
            let _ = table.answer(ObjectId(object), &reading);
        }
        let _ = knowledge::guess_phrase(question);
        let _ = table.guessed_loosely(question);
    }
}

pub fn answers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for line in text.lines() {
        let plain = spoken::plain(line);
        assert_eq!(spoken::plain(&plain), plain);
        assert_eq!(spoken::answer(&plain), spoken::answer(line));
    }
}
