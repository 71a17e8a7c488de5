//! The resource `agent`: a session, and the iteration that is under way on a copy of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;

use archer::config::Algorithm;
use archer_session::drive::advance;
use archer_session::session::create::{self, Create};
use archer_session::session::learn::{Games, Tune};
use archer_session::session::{Change, Reply, Request};
use archer_session::{Fault, Session};
use burn::tensor::Device;
use serde_json::Value;

use crate::bindings::{self as wit, Error};
use crate::convert::{self, error};
use crate::host::World;
use crate::talk::Talk;
use crate::{memory, product};

/// Scalars in the networks of a new agent, before it is known how many: more than the smallest has.
const SCALARS: usize = 1 << 18;

/// Work on a copy of a session.
type Work = Pin<Box<dyn Future<Output = (Session, Result<Reply, Fault>)>>>;

/// What an agent and its conversations share.
pub struct Held {
    session: Session,
    work: Option<Work>,
    /// The world that it learned in here last.
    world: Option<World>,
}

/// The resource.
pub struct Agent(Rc<RefCell<Held>>);

/// Does all of some work that waits for nothing, with so much memory for each piece of it.
fn finish<T>(work: impl Future<Output = T>, room: usize) -> Result<T, Fault> {
    let done = advance(pin!(work), usize::MAX, || memory::reserve(room))?;
    done.ok_or_else(|| Fault::usage("the work does not end", "Ask for less."))
}

impl Held {
    /// Scalars in its networks.
    fn scalars(&self) -> usize {
        let parameters = self.session.info().parameters;
        parameters.actor + parameters.critic
    }

    /// Whether nothing judges what it says.
    pub fn has_no_critic(&self) -> bool {
        self.session.info().parameters.critic == 0
    }

    /// Answers a request at once.
    pub fn call(&mut self, request: Request) -> Result<Reply, Error> {
        let change = request.change();
        let room = match request {
            Request::Evaluate(_) | Request::Tune { .. } => memory::for_learning(self.scalars()),
            _ => memory::for_talking(self.scalars()),
        };
        let mut session = self.session.clone();
        let work = session.call(request, |_| {});
        let reply = finish(work, room).and_then(|reply| reply).map_err(error)?;
        self.session.take_over(session, change);
        Ok(reply)
    }

    fn step(&mut self, pieces: usize) -> Result<Option<Reply>, Fault> {
        let mut work = self.work.take().unwrap_or_else(|| {
            let mut session = self.session.clone();
            Box::pin(async move {
                let reply = session.call(Request::Step, |_| {}).await;
                (session, reply)
            })
        });
        let room = memory::for_learning(self.scalars());
        let before = || memory::reserve(room);
        let Some((after, reply)) = advance(work.as_mut(), pieces, before)? else {
            self.work = Some(work);
            return Ok(None);
        };
        drop(work);
        let reply = reply?;
        self.session.take_over(after, Change::Learned);
        Ok(Some(reply))
    }
}

impl Agent {
    fn of(session: Session, world: Option<World>) -> wit::Agent {
        let held = Held { session, work: None, world };
        wit::Agent::new(Self(Rc::new(RefCell::new(held))))
    }
}

fn load(file: Vec<u8>) -> Result<wit::Agent, Fault> {
    memory::reserve(memory::for_loading(&file)?)?;
    let session = finish(Session::load(file, device()), memory::for_talking(0))??;
    Ok(Agent::of(session, None))
}

fn create(options: wit::CreateOptions) -> Result<wit::Agent, Fault> {
    let world = World::new(options.world)?;
    let create = Create {
        world: world.number(),
        demonstrations: options.demonstrations.into_iter().map(convert::game).collect(),
        size: match options.size {
            wit::Size::Tiny => create::Size::Tiny,
            wit::Size::Small => create::Size::Small,
            wit::Size::Medium => create::Size::Medium,
        },
        seed: Some(options.seed),
        algorithm: Some(match options.algorithm {
            wit::Algorithm::Ppo => Algorithm::Ppo,
            wit::Algorithm::Archer => Algorithm::Archer,
        }),
        set: settings(options.set)?,
    };
    let session = finish(Session::create(create, device()), memory::for_learning(SCALARS))??;
    Ok(Agent::of(session, Some(world)))
}

/// The one device that there is, made ready.
fn device() -> Device {
    product::start();
    Device::flex()
}

/// Keys of the configuration with their values, which are JSON.
fn settings(set: Vec<(String, String)>) -> Result<BTreeMap<String, Value>, Fault> {
    let value = |(key, text): (String, String)| match serde_json::from_str(&text) {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(Fault::usage(
            format!("the value of {key} is no JSON: {error}"),
            "Write numbers and truth values as they are, and texts in quotation marks.",
        )),
    };
    set.into_iter().map(value).collect()
}

impl wit::GuestAgent for Agent {
    fn load(file: Vec<u8>) -> Result<wit::Agent, Error> {
        load(file).map_err(error)
    }

    fn create(options: wit::CreateOptions) -> Result<wit::Agent, Error> {
        create(options).map_err(error)
    }

    fn info(&self) -> wit::Info {
        convert::info(self.0.borrow().session.info())
    }

    fn start(&self, options: wit::TalkOptions) -> wit::Talk {
        wit::Talk::new(Talk::new(self.0.clone(), options))
    }

    fn fine_tune(&self, options: wit::FineTuneOptions) -> Result<wit::Plan, Error> {
        let mut held = self.0.borrow_mut();
        let world = options.world.map(World::new).transpose().map_err(error)?;
        let mut set = settings(options.set).map_err(error)?;
        if let Some(games) = options.games {
            // By its key it holds for a run that is gone on with, too.
            set.entry("rollout_size".to_string()).or_insert(games.into());
        }
        let tune = Tune {
            iterations: Some(options.iterations as usize),
            seed: Some(options.seed),
            resume: options.resume,
            world: world.as_ref().map(World::number),
            set,
            ..Tune::default()
        };
        match held.call(Request::Tune { tune })? {
            Reply::Plan(plan) => {
                held.work = None;
                held.world = world.or(held.world.take());
                Ok(convert::plan(plan))
            }
            reply => Err(convert::other(reply)),
        }
    }

    fn step(&self, pieces: Option<u32>) -> Result<Option<wit::Update>, Error> {
        let pieces = pieces.map_or(usize::MAX, |pieces| pieces.max(1) as usize);
        match self.0.borrow_mut().step(pieces).map_err(error)? {
            None => Ok(None),
            Some(Reply::Update(update)) => Ok(Some(convert::update(update))),
            Some(reply) => Err(convert::other(reply)),
        }
    }

    fn stop(&self) {
        let work = self.0.borrow_mut().work.take();
        drop(work);
    }

    fn evaluate(&self, options: wit::EvaluateOptions) -> Result<wit::Evaluation, Error> {
        let world = options.world.map(World::new).transpose().map_err(error)?;
        let request = Request::Evaluate(Games {
            games: options.games as usize,
            seed: options.seed,
            sample: options.sample,
            kept: false,
            world: world.as_ref().map(World::number),
            one_by_one: false,
        });
        match self.0.borrow_mut().call(request)? {
            Reply::Summary(summary) => Ok(convert::evaluation(summary)),
            reply => Err(convert::other(reply)),
        }
    }

    fn save(&self, training: bool) -> Result<Vec<u8>, Error> {
        let held = self.0.borrow();
        // Weights, moments and games as bytes, and these bytes once more on their way out.
        let room = memory::for_learning(held.scalars());
        finish(held.session.export(training), room).and_then(|file| file).map_err(error)
    }
}
