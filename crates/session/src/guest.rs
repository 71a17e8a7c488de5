//! Worlds that live in JavaScript, as the trainer holds them.
//!
//! A world is asked by the messages of [`archer_world::messages`], as JSON texts, one text a turn for
//! all games of a batch. Who answers is a [`Host`]: a function of JavaScript in a browser, anything in
//! a test. Hosts stay in a table of their thread, and a [`Guest`] knows the number of its own, so that
//! it may go where a `Worlds` may.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archer_world::client::{self, Fault, Numbered};
use archer_world::contract::check_about;
use archer_world::messages::Request;
use archer_world::teaching::Lesson;
use archer_world::{
    About, Batch, Discount, Game, Opening, Said, Settings, Start, Teaching, Turn, Wait, WorldError,
    Worlds,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer that may be waited for; the error is a sentence.
pub type Answering = Pin<Box<dyn Future<Output = Result<String, String>>>>;

/// Who answers for a world.
pub trait Host {
    /// The answer to a message, both as JSON.
    fn ask(&self, message: String) -> Answering;

    /// The answer to a [`Lesson`], both as JSON, at once. Only a world that was declared with
    /// `teaches` is asked.
    ///
    /// # Errors
    /// A sentence, if it cannot answer.
    fn teach(&self, lesson: String) -> Result<String, String>;
}

thread_local! {
    static HOSTS: RefCell<BTreeMap<u64, Rc<dyn Host>>> = const { RefCell::new(BTreeMap::new()) };
    /// Guests by the number that a page has for them.
    static GUESTS: RefCell<BTreeMap<u64, Guest>> = const { RefCell::new(BTreeMap::new()) };
}

/// Makes a world known, and gives the number by which requests name it.
///
/// # Errors
/// As [`Guest::new`].
pub fn register(declared: Declared, host: Rc<dyn Host>) -> Result<u64, WorldError> {
    let guest = Guest::new(declared, host)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    GUESTS.with_borrow_mut(|guests| guests.insert(number, guest));
    Ok(number)
}

/// Forgets a number. Whoever learns in the world goes on with it.
pub fn release(number: u64) {
    let released = GUESTS.with_borrow_mut(|guests| guests.remove(&number));
    drop(released);
}

/// The world of a number.
///
/// # Errors
/// If there is none.
pub fn find(number: u64) -> Result<Guest, WorldError> {
    let guest = GUESTS.with_borrow(|guests| guests.get(&number).cloned());
    guest.ok_or_else(|| WorldError::Settings(format!("there is no world of number {number}")))
}

/// The number of the next host, and of the next game.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What a world is declared with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Declared {
    /// What is the same in all games.
    #[serde(flatten)]
    pub about: About,
    /// Its settings, which a model file keeps; only whoever makes the world understands them.
    #[serde(default)]
    pub settings: Settings,
    /// Whether its host answers lessons.
    #[serde(default)]
    pub teaches: bool,
    /// Whether games that are learned from are other than those of an evaluation: they are started with
    /// the share of the training that is done.
    #[serde(default, rename = "trainsApart")]
    pub trains_apart: bool,
}

/// A world in JavaScript.
#[derive(Clone)]
pub struct Guest {
    declared: Arc<Declared>,
    key: Arc<Key>,
    training: Option<f64>,
}

/// The place of a host, which is given up with the last who knows it.
struct Key(u64);

impl Drop for Key {
    fn drop(&mut self) {
        // While a thread ends its table may be gone already.
        let _ = HOSTS.try_with(|hosts| hosts.borrow_mut().remove(&self.0));
    }
}

impl Guest {
    /// The world that `host` answers for, and what it was declared with.
    ///
    /// # Errors
    /// If what is declared breaks a rule of the contract.
    pub fn new(declared: Declared, host: Rc<dyn Host>) -> Result<Self, WorldError> {
        check_about(&declared.about)?;
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        HOSTS.with_borrow_mut(|hosts| hosts.insert(key, host));
        Ok(Self { declared: declared.into(), key: Key(key).into(), training: None })
    }

    /// The settings that a model file keeps: those that it was declared with, or its name.
    pub fn settings(&self) -> Settings {
        let Declared { settings, about, .. } = &*self.declared;
        match settings.is_empty() {
            true => Settings::from_iter([("name".to_string(), about.name.clone().into())]),
            false => settings.clone(),
        }
    }

    fn host(&self) -> Result<Rc<dyn Host>, WorldError> {
        let host = HOSTS.with_borrow(|hosts| hosts.get(&self.key.0).cloned());
        host.ok_or_else(|| self.lost("is not on this thread"))
    }

    fn lost(&self, what: &str) -> WorldError {
        WorldError::Lost(format!("the world {} {what}", self.declared.about.name))
    }

    fn faulty(&self, Fault { what, remedy }: Fault) -> WorldError {
        self.lost(&format!("{what}: {remedy}"))
    }

    /// The answers to some requests, in one message.
    async fn exchange(&self, of: Vec<Request>) -> Result<Vec<Value>, WorldError> {
        let wanted = of.len();
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let message = serde_json::to_string(&Request::Batch { of }).expect("a request is JSON");
        let answer = self.host()?.ask(message).await.map_err(WorldError::Lost)?;
        let answer = serde_json::from_str(&answer).map_err(|error| {
            self.lost(&format!("answered with something else than JSON ({error})"))
        })?;
        client::answers(answer, wanted).map_err(|fault| self.faulty(fault))
    }

    /// The answer to a lesson, or nothing where the world has none.
    fn lesson<T: DeserializeOwned>(&self, lesson: &Lesson) -> Option<T> {
        let lesson = serde_json::to_string(lesson).expect("a lesson is JSON");
        let answer = self.host().ok()?.teach(lesson).ok()?;
        serde_json::from_str(&answer).ok()
    }
}

impl Worlds for Guest {
    fn about(&self) -> &About {
        &self.declared.about
    }

    fn open(&self, _: usize) -> Wait<'_, Box<dyn Batch>> {
        let batch = GuestBatch { guest: self.clone(), games: Vec::new() };
        Box::pin(std::future::ready(Ok(Box::new(batch) as Box<dyn Batch>)))
    }

    fn teaching(&self) -> Option<&dyn Teaching> {
        self.declared.teaches.then_some(self)
    }

    fn in_training(&self, progress: f64) -> Result<Option<Arc<dyn Worlds>>, WorldError> {
        let apart = self.declared.trains_apart.then(|| {
            Arc::new(Self { training: Some(progress), ..self.clone() }) as Arc<dyn Worlds>
        });
        Ok(apart)
    }
}

impl Teaching for Guest {
    fn demonstrations(&self, starts: &[Start]) -> Vec<Game> {
        self.lesson(&Lesson::Demonstrations { starts: starts.to_vec() }).unwrap_or_default()
    }

    fn context_only_games(&self, starts: &[Start]) -> Result<Vec<Game>, WorldError> {
        let games = self.lesson(&Lesson::ContextOnlyGames { starts: starts.to_vec() });
        games.flatten().ok_or_else(|| {
            let name = &self.declared.about.name;
            WorldError::Settings(format!(
                "the world {name} has no games whose replies alone are learned"
            ))
        })
    }

    fn facts(&self) -> Vec<Vec<f32>> {
        self.lesson(&Lesson::Facts).unwrap_or_default()
    }

    fn winning_utterances(&self) -> Vec<String> {
        self.lesson(&Lesson::WinningUtterances).unwrap_or_default()
    }

    fn bonus(&self, game: &Game, discount: Discount) -> Vec<f64> {
        self.lesson(&Lesson::Bonus { game: game.clone(), discount }).unwrap_or_default()
    }
}

/// Games of a guest that are played side by side.
struct GuestBatch {
    guest: Guest,
    games: Vec<Numbered>,
}

impl GuestBatch {
    async fn begin(&mut self, starts: &[Start]) -> Result<Vec<Opening>, WorldError> {
        let closed = self.games.len();
        let close = |game: Numbered| Request::Close { game: game.number };
        let mut requests: Vec<Request> = self.games.drain(..).map(close).collect();
        let first = NEXT.fetch_add(starts.len() as u64, Ordering::Relaxed);
        requests.extend(client::starts(first, starts, self.guest.training));
        let mut answers = self.guest.exchange(requests).await?;
        let mut openings = Vec::with_capacity(starts.len());
        for ((number, start), answer) in (first..).zip(starts).zip(answers.split_off(closed)) {
            let started = client::started(answer, number, start);
            let (opening, game) = started.map_err(|fault| self.guest.faulty(fault))?;
            openings.push(opening);
            self.games.push(game);
        }
        Ok(openings)
    }

    async fn answer(&mut self, said: &[Said<'_>]) -> Result<Vec<Turn>, WorldError> {
        let number = |said: &Said<'_>| self.games[said.game].number;
        let act =
            |said: &Said<'_>| Request::Act { game: number(said), said: said.text.to_string() };
        let answers = self.guest.exchange(said.iter().map(act).collect()).await?;
        said.iter()
            .zip(answers)
            .map(|(said, answer)| client::read(answer, "act", number(said)))
            .collect::<Result<_, _>>()
            .map_err(|fault| self.guest.faulty(fault))
    }
}

impl Batch for GuestBatch {
    fn start<'a>(&'a mut self, starts: &'a [Start]) -> Wait<'a, Vec<Opening>> {
        Box::pin(self.begin(starts))
    }

    fn act<'a>(&'a mut self, said: &'a [Said<'a>]) -> Wait<'a, Vec<Turn>> {
        Box::pin(self.answer(said))
    }

    fn task(&self, game: usize) -> Option<usize> {
        self.games[game].task
    }
}

impl Drop for GuestBatch {
    fn drop(&mut self) {
        let close = |game: Numbered| Request::Close { game: game.number };
        let of: Vec<Request> = self.games.drain(..).map(close).collect();
        if of.is_empty() {
            return;
        }
        if let Ok(host) = self.guest.host() {
            let message = serde_json::to_string(&Request::Batch { of }).expect("a request is JSON");
            // Nobody waits for the answer: a game that was over is forgotten at its leisure.
            drop(host.ask(message));
        }
    }
}
